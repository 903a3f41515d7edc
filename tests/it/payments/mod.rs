//! Money: never taken twice, never lost, always in the books.

mod ledger;

use crate::support::Market;

/// Everything in the tables follows from the transfers.
async fn books_are_right(market: &Market) {
    let report = payments::ledger::verify(&market.env("payments").db).await.unwrap();
    assert!(report.is_right(), "{report}");
}
