//! Errands for partitions that are written here: those of this process, and those of others.

use std::sync::Arc;

use chassis::peers::Answer;
use chassis::{Denied, Failure, Outcome};
use futures::FutureExt;
use matching::{Action, Amended, BookEvent, Cancelled, Change, Event, MarketId};
use tracing::error;

use crate::apply;
use crate::engine::Unanswered;
use crate::errand::{self, Errand, Report};
use crate::floor::{Floor, NoAnswer};

/// Does an errand if its partition is written here.
pub async fn done_here(floor: &Floor, partition: u32, errand: &Errand) -> Outcome<Report, Unanswered> {
    let Some(handle) = floor.known(partition) else { return Ok(Err(Unanswered::NotHere)) };
    let env = floor.env();
    match errand {
        Errand::Command { action, note } => {
            let answered = handle.send_with(*action, note.clone()).await;
            Ok(answered.map(|answered| Report { answered: Some(answered), ticker: None }))
        }
        Errand::Rules(market) => reported(apply::rules_of(env, floor, *market).await),
        Errand::Selling(user) => reported(apply::selling_of(env, floor, partition, *user).await),
    }
}

fn reported(done: Result<(), NoAnswer>) -> Outcome<Report, Unanswered> {
    match done {
        Ok(()) => Ok(Ok(Report::default())),
        Err(NoAnswer::Denied(Denied::Overloaded { .. })) => Ok(Err(Unanswered::Overloaded)),
        Err(NoAnswer::Denied(_)) => Ok(Err(Unanswered::Unknown)),
        Err(NoAnswer::Failure(failure)) => Err(failure),
    }
}

/// Does errands for other processes: those that can be done here.
pub fn answers(floor: &Floor) -> Answer {
    let floor = floor.clone();
    Arc::new(move |message| {
        let floor = floor.clone();
        async move { answer(&floor, &message).await }.boxed()
    })
}

async fn answer(floor: &Floor, message: &[u8]) -> Option<Vec<u8>> {
    let (partition, errand) = errand::read_message(message).ok()?;
    let told = done_here(floor, partition, &errand).await.unwrap_or_else(|failure: Failure| {
        error!(partition, error = %failure, "An errand of another process failed: {failure}");
        Err(Unanswered::Unknown)
    });
    Some(errand::answer(&told.map(|report| with_ticker(floor, partition, &errand, report))))
}

/// Tells with a command's answer how its market stands now.
fn with_ticker(floor: &Floor, partition: u32, errand: &Errand, report: Report) -> Report {
    let events = report.answered.as_ref().map_or(&[][..], |answered| answered.events.as_slice());
    let market = match errand {
        Errand::Command { action, .. } => market_of(action, events),
        _ => None,
    };
    let ticker = market.zip(floor.known(partition)).and_then(|(market, handle)| {
        let ticker = handle.view().ticker(market)?;
        Some((market, ticker))
    });
    Report { ticker, ..report }
}

/// The market that a command was about. `None`: it changed nothing, and does not name it.
fn market_of(action: &Action, events: &[Event]) -> Option<MarketId> {
    let number = match action {
        Action::Place(place) => return Some(place.market),
        Action::Amend(amend) | Action::Reduce(amend) => amend.order,
        Action::Cancel(cancel) => cancel.order,
        _ => return None,
    };
    events.iter().find_map(|event| {
        let Event::Book(BookEvent { market, change, .. }) = event else { return None };
        let (Change::Amended(Amended { order, .. }) | Change::Cancelled(Cancelled { order, .. })) = change
        else {
            return None;
        };
        (*order == number).then_some(*market)
    })
}
