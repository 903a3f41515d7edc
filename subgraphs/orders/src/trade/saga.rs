//! How a match comes to be a piece in its buyer's hands, or nothing: one table of what is heard in which state, where that
//! leads, and what follows from it. Pure; `drive` moves trades by it.
//!
//! A match binds both sides before anybody is charged. It begins with asking for the buyer's money, or, where that is held
//! for the bid already, with taking it. Until the money is taken a failure ends with nothing held, and the ask goes back to
//! its place; after that the piece reaches the buyer and the money the seller, or the money goes back and whoever did not
//! keep to the match bears it. What can do neither waits for an operator.

mod patience;

pub use entity::orders::trade::State;
pub use patience::{due, pause};

/// What a trade hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    MoneyHeld,
    BuyerMustConfirm,
    MoneyRefused,
    MoneyTaken,
    MoneyNotTaken,
    MoneyLetGo,
    MoneyReturned,
    MoneyNotReturned,
    SellerPaid,
    /// The seller has sent the piece to the centre.
    Shipped,
    /// The centre has it.
    Arrived,
    /// It is what it was sold as.
    Passed,
    /// It is not.
    Failed,
    /// The centre has sent it to the buyer.
    Dispatched,
    /// The buyer has it.
    Delivered,
    /// Somebody who had to do something has not done it in time.
    TimeUp,
    /// No answer yet: ask again.
    Silence,
    /// No answer for too long.
    GaveUp,
    /// An operator wants it undone.
    Cancel,
    /// An operator: ask again.
    Retry,
    /// An operator: it has happened, go on.
    Skip,
    /// An operator: settled by hand, the piece is the buyer's.
    ResolveCompleted,
    /// An operator: settled by hand, nothing is owed.
    ResolveUndone,
}

/// What follows: asks of others, and what is written down with the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    Authorise,
    Capture,
    Void,
    Refund,
    PaySeller,
    /// The piece leaves the seller's shelf.
    SellStock,
    /// The piece can be sold again.
    FreeStock,
    /// The centre has something to look at.
    OpenTask,
    StrikeBuyer,
    StrikeSeller,
    /// The seller owes the penalty.
    FineSeller,
}

/// The next state and what follows. `None`: not a move from here, such as an answer that comes twice.
pub fn next(state: State, heard: Heard) -> Option<(State, &'static [Then])> {
    use {Heard::*, State::*, Then::*};
    Some(match (state, heard) {
        // As it should be.
        (Authorising, BuyerMustConfirm) => (Confirming, &[]),
        (Authorising | Confirming, MoneyHeld) => (Capturing, &[Capture]),
        (Capturing | StuckCapturing, MoneyTaken) => (AwaitingShipment, &[]),
        (AwaitingShipment, Shipped) => (InTransit, &[SellStock]),
        (InTransit, Arrived) => (Authenticating, &[OpenTask]),
        (Authenticating, Passed) => (Authentic, &[]),
        (Authentic, Heard::Dispatched) => (State::Dispatched, &[]),
        // Nobody says that it did not arrive.
        (State::Dispatched, Delivered | TimeUp) => (Releasing, &[PaySeller]),
        (Releasing | StuckReleasing, SellerPaid) => (Completed, &[]),

        // The buyer does not pay: nothing is taken.
        (Authorising | Confirming, MoneyRefused) => (PaymentFailed, &[StrikeBuyer]),
        (Capturing | StuckCapturing, MoneyNotTaken) => (PaymentFailed, &[StrikeBuyer]),
        (Confirming, TimeUp) => (Voiding, &[Void, StrikeBuyer]),
        (Authorising, GaveUp) => (Voiding, &[Void]),
        (Voiding | StuckVoiding, MoneyLetGo | MoneyRefused | MoneyNotTaken) => (PaymentFailed, &[]),

        // Paid, and the seller does not keep to it: the money goes back, and they bear it.
        (AwaitingShipment, TimeUp) => (Refunding, &[Refund, FreeStock, FineSeller, StrikeSeller]),
        (InTransit, TimeUp) => (Refunding, &[Refund, FineSeller, StrikeSeller]),
        (Authenticating, Failed) => (Refunding, &[Refund, FineSeller, StrikeSeller]),
        (Voiding | StuckVoiding, MoneyTaken) => (Refunding, &[Refund, FreeStock]),
        (Refunding | StuckRefunding, MoneyReturned) => (Refunded, &[]),
        (Refunding, MoneyNotReturned) => (StuckRefunding, &[]),

        // No answer yet: the same ask once more does no harm.
        (Authorising, Silence) => (Authorising, &[Authorise]),
        (Capturing, Silence) => (Capturing, &[Capture]),
        (Voiding, Silence) => (Voiding, &[Void]),
        (Refunding, Silence) => (Refunding, &[Refund]),
        (Releasing, Silence) => (Releasing, &[PaySeller]),

        // No answer for too long, and no way back that is known to be right.
        (Capturing, GaveUp) => (StuckCapturing, &[]),
        (Voiding, GaveUp) => (StuckVoiding, &[]),
        (Refunding, GaveUp) => (StuckRefunding, &[]),
        (Releasing, GaveUp) => (StuckReleasing, &[]),

        // What operators do. What nobody is to blame for costs nobody anything.
        (Authorising | Confirming | StuckCapturing, Cancel) => (Voiding, &[Void]),
        (AwaitingShipment, Cancel) => (Refunding, &[Refund, FreeStock]),
        (InTransit, Cancel) => (Refunding, &[Refund]),
        (StuckCapturing, Retry) => (Capturing, &[Capture]),
        (StuckVoiding, Retry) => (Voiding, &[Void]),
        (StuckRefunding, Retry) => (Refunding, &[Refund]),
        (StuckReleasing, Retry) => (Releasing, &[PaySeller]),
        (StuckCapturing, Skip) => (AwaitingShipment, &[]),
        (StuckVoiding, Skip) => (PaymentFailed, &[]),
        (StuckRefunding, Skip) => (Refunded, &[]),
        (StuckReleasing, Skip) => (Completed, &[]),
        (stuck, ResolveCompleted) if stuck.needs_operator() => (Completed, &[]),
        (StuckCapturing | StuckVoiding, ResolveUndone) => (PaymentFailed, &[]),
        (StuckRefunding | StuckReleasing, ResolveUndone) => (Refunded, &[]),

        _ => return None,
    })
}

#[cfg(test)]
mod tests;
