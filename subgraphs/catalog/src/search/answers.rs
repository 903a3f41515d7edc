//! Answers that were given since the index last changed. The same question has the same answer until it changes again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::find::{Found, Wanted};

/// Answers that are kept; the one that was asked for longest ago goes.
const KEPT_MAX: usize = 256;

/// The answers of one state of the index, by its number.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    answers: HashMap<Wanted, Arc<Found>>,
    /// The questions in the order in which they were asked last.
    order: VecDeque<Wanted>,
}

impl Answers {
    pub(super) fn get(&self, generation: u64, wanted: &Wanted) -> Option<Arc<Found>> {
        let mut kept = self.0.lock().expect("no code panics while it holds this lock");
        let found = kept.answers.get(wanted).filter(|_| kept.generation == generation)?.clone();
        if let Some(place) = kept.order.iter().position(|other| other == wanted) {
            let wanted = kept.order.remove(place);
            kept.order.extend(wanted);
        }
        Some(found)
    }

    /// Keeps an answer, unless one of a later state is kept.
    pub(super) fn keep(&self, generation: u64, wanted: Wanted, found: &Arc<Found>) {
        let mut kept = self.0.lock().expect("no code panics while it holds this lock");
        if kept.generation < generation {
            *kept = Kept { generation, ..Kept::default() };
        }
        if kept.generation > generation || kept.answers.insert(wanted.clone(), found.clone()).is_some() {
            return;
        }
        kept.order.push_back(wanted);
        if kept.order.len() > KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Wanted {
        Wanted { text: text.into(), ..Wanted::default() }
    }

    fn total(total: u64) -> Arc<Found> {
        Arc::new(Found { total, ..Found::default() })
    }

    fn known(answers: &Answers, generation: u64, text: &str) -> Option<u64> {
        answers.get(generation, &asked(text)).map(|found| found.total)
    }

    #[test]
    fn an_answer_holds_until_the_index_changes() {
        let answers = Answers::default();
        answers.keep(7, asked("harry"), &total(3));
        assert_eq!([known(&answers, 7, "harry"), known(&answers, 7, "mary")], [Some(3), None]);
        assert_eq!([known(&answers, 8, "harry"), known(&answers, 6, "harry")], [None, None]);
        answers.keep(8, asked("harry"), &total(4));
        answers.keep(7, asked("harry"), &total(3));
        assert_eq!([known(&answers, 7, "harry"), known(&answers, 8, "harry")], [None, Some(4)]);
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten_first() {
        let answers = Answers::default();
        for number in 0..KEPT_MAX as u64 {
            answers.keep(1, asked(&number.to_string()), &total(number));
        }
        assert_eq!(known(&answers, 1, "0"), Some(0));
        answers.keep(1, asked("one more"), &total(0));
        assert_eq!(
            [known(&answers, 1, "0"), known(&answers, 1, "1"), known(&answers, 1, "2")],
            [Some(0), None, Some(2)]
        );
    }
}
