//! How an order comes to be paid, or to be nothing: one table of what is heard in which state, where that leads, and what
//! is asked for then. Pure; `drive` moves orders by it.
//!
//! The pivot is the capture. Before it a failure walks back until nothing is reserved and nothing is held; after it an
//! order goes forward, or its money goes back. What can do neither waits for an operator.

mod patience;

pub use entity::orders::settlement::State;
pub use patience::{Due, due, pause};

/// What an order hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    StockReserved,
    /// The stock is reserved, and the order costs nothing.
    NothingToPay,
    StockRefused,
    StockSold,
    /// Because it was asked to, or because its time was up.
    StockGivenBack,
    MoneyHeld,
    BuyerMustConfirm,
    MoneyRefused,
    MoneyTaken,
    MoneyNotTaken,
    MoneyLetGo,
    MoneyReturned,
    MoneyNotReturned,
    /// No answer yet: ask again.
    Silence,
    /// No answer for too long.
    GaveUp,
    /// The buyer or an operator wants it undone.
    Cancel,
    /// An operator: ask again.
    Retry,
    /// An operator: it has happened, go on.
    Skip,
    /// An operator: settled by hand, the goods are the buyer's.
    ResolvePaid,
    /// An operator: settled by hand, nothing is owed.
    ResolveCancelled,
}

/// What an order asks of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    Reserve,
    Authorise,
    Capture,
    Commit,
    Void,
    Refund,
    Release,
}

/// The next state and what to ask for. `None`: not a move from here, such as an answer that comes twice.
pub fn next(state: State, heard: Heard) -> Option<(State, &'static [Ask])> {
    use {Ask::*, Heard::*, State::*};
    Some(match (state, heard) {
        // As it should be.
        (Reserving, StockReserved) => (Authorising, &[Authorise]),
        (Reserving, NothingToPay) => (Committing, &[Commit]),
        (Authorising, BuyerMustConfirm) => (Confirming, &[]),
        (Authorising | Confirming, MoneyHeld) => (Capturing, &[Capture]),
        (Capturing | StuckCapturing, MoneyTaken) => (Committing, &[Commit]),
        (Committing | StuckCommitting, StockSold) => (Settled, &[]),

        // Back, before the pivot.
        (Reserving, StockRefused) => (Cancelled, &[]),
        (Reserving, GaveUp | Cancel) => (Releasing, &[Release]),
        (Authorising | Confirming, MoneyRefused) => (Releasing, &[Release]),
        (Authorising | Confirming, GaveUp | Cancel | StockGivenBack) => (Voiding, &[Void]),
        (Capturing | StuckCapturing, MoneyNotTaken) => (Releasing, &[Release]),
        (CapturingUnstocked, MoneyNotTaken) => (Releasing, &[Release]),
        (Voiding | StuckVoiding, MoneyLetGo | MoneyRefused | MoneyNotTaken) => (Releasing, &[Release]),
        (Releasing | StuckReleasing, StockGivenBack | StockRefused) => (Cancelled, &[]),

        // Paid, and the stock is gone: the money goes back.
        (Capturing | StuckCapturing, StockGivenBack) => (CapturingUnstocked, &[Capture]),
        (CapturingUnstocked | Voiding | StuckVoiding, MoneyTaken) => (Refunding, &[Refund]),
        (CapturingUnstocked, GaveUp) => (Voiding, &[Void]),
        (Committing | StuckCommitting, StockGivenBack) => (Refunding, &[Refund]),
        (Refunding | StuckRefunding, MoneyReturned) => (Releasing, &[Release]),
        (Refunding, MoneyNotReturned) => (StuckRefunding, &[]),
        (Releasing, StockSold) => (StuckReleasing, &[]),

        // No answer yet: the same ask once more does no harm.
        (Reserving, Silence) => (Reserving, &[Reserve]),
        (Authorising, Silence) => (Authorising, &[Authorise]),
        (Capturing, Silence) => (Capturing, &[Capture]),
        (CapturingUnstocked, Silence) => (CapturingUnstocked, &[Capture]),
        (Committing, Silence) => (Committing, &[Commit]),
        (Voiding, Silence) => (Voiding, &[Void]),
        (Refunding, Silence) => (Refunding, &[Refund]),
        (Releasing, Silence) => (Releasing, &[Release]),

        // No answer for too long, and no way back that is known to be right.
        (Capturing, GaveUp) => (StuckCapturing, &[]),
        (Committing, GaveUp) => (StuckCommitting, &[]),
        (Voiding, GaveUp) => (StuckVoiding, &[]),
        (Refunding, GaveUp) => (StuckRefunding, &[]),
        (Releasing, GaveUp) => (StuckReleasing, &[]),

        // What operators do.
        (StuckCapturing, Retry) => (Capturing, &[Capture]),
        (StuckCommitting, Retry) => (Committing, &[Commit]),
        (StuckVoiding, Retry) => (Voiding, &[Void]),
        (StuckRefunding, Retry) => (Refunding, &[Refund]),
        (StuckReleasing, Retry) => (Releasing, &[Release]),
        (StuckCapturing, Skip) => (Committing, &[Commit]),
        (StuckCommitting, Skip) => (Settled, &[]),
        (StuckVoiding | StuckRefunding, Skip) => (Releasing, &[Release]),
        (StuckReleasing, Skip) => (Cancelled, &[]),
        (StuckCapturing, Cancel) => (Voiding, &[Void]),
        (stuck, ResolvePaid) if stuck.needs_operator() => (Settled, &[]),
        (stuck, ResolveCancelled) if stuck.needs_operator() => (Cancelled, &[]),

        _ => return None,
    })
}

#[cfg(test)]
mod tests;
