//! Answers that were given since the index last changed. The same question has the same answer until it changes again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

/// The answers of one state of the index, by its number: as many as fit, those asked for longest ago go first.
#[derive(Debug)]
pub(super) struct Answers<Q, A> {
    max: usize,
    kept: Mutex<Kept<Q, A>>,
}

/// When the answers asked for lately are half of what fits, they take the place of those asked for before.
#[derive(Debug)]
struct Kept<Q, A> {
    generation: u64,
    lately: HashMap<Q, A>,
    before: HashMap<Q, A>,
}

impl<Q, A> Kept<Q, A> {
    fn of(generation: u64) -> Self {
        Self { generation, lately: HashMap::new(), before: HashMap::new() }
    }
}

impl<Q: Eq + Hash, A: Clone> Answers<Q, A> {
    pub(super) fn new(max: usize) -> Self {
        Self { max, kept: Mutex::new(Kept::of(0)) }
    }

    pub(super) fn get(&self, generation: u64, question: &Q) -> Option<A> {
        let mut kept = self.kept.lock().expect("no code panics while it holds this lock");
        if kept.generation != generation {
            return None;
        }
        if let Some(answer) = kept.lately.get(question) {
            return Some(answer.clone());
        }
        let (question, answer) = kept.before.remove_entry(question)?;
        self.add(&mut kept, question, answer.clone());
        Some(answer)
    }

    /// Keeps an answer, unless one of a later state is kept.
    pub(super) fn keep(&self, generation: u64, question: Q, answer: A) {
        let mut kept = self.kept.lock().expect("no code panics while it holds this lock");
        if kept.generation < generation {
            *kept = Kept::of(generation);
        }
        if kept.generation == generation {
            self.add(&mut kept, question, answer);
        }
    }

    fn add(&self, kept: &mut Kept<Q, A>, question: Q, answer: A) {
        if kept.lately.len() >= self.max / 2 {
            kept.before = std::mem::take(&mut kept.lately);
        }
        kept.lately.insert(question, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_until_the_index_changes() {
        let answers = Answers::new(10);
        answers.keep(7, "harry", 3);
        assert_eq!([answers.get(7, &"harry"), answers.get(7, &"mary")], [Some(3), None]);
        assert_eq!([answers.get(8, &"harry"), answers.get(6, &"harry")], [None, None]);
        answers.keep(8, "harry", 4);
        answers.keep(7, "harry", 3);
        assert_eq!([answers.get(7, &"harry"), answers.get(8, &"harry")], [None, Some(4)]);
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten_first() {
        let answers = Answers::new(10);
        answers.keep(1, 0, 0);
        for number in 1..1_000 {
            answers.keep(1, number, number);
            assert_eq!(answers.get(1, &0), Some(0), "asked for again and again");
        }
        let kept = (1..1_000).filter(|number| answers.get(1, number).is_some()).count();
        assert!((4..10).contains(&kept), "{kept}");
        assert_eq!(answers.get(1, &999), Some(999));
    }
}
