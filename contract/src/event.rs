//! Every sentence that crosses a service border, and the envelope it travels in.
//!
//! Events carry state (the latest value, absolute quantities) and the version of the aggregate they speak of, so that a
//! reader who sees one twice, late or without its predecessor still ends in the right place.

pub mod accounts;
pub mod bidding;
pub mod catalog;
pub mod inventory;
pub mod orders;
pub mod payments;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::EventId;

/// What an event is about: events of one aggregate are delivered in the order of their versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Aggregate {
    /// The kind of thing: `offer`, `stock_level`.
    pub kind: String,
    pub id: Uuid,
    /// Counts up by one with every change of the thing.
    pub version: i64,
}

/// An event or an ask on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    pub id: EventId,
    /// The version of the payload's schema; rises when a field is removed or changes its type.
    pub schema_version: u16,
    pub aggregate: Aggregate,
    pub occurred_at: DateTime<Utc>,
    /// W3C trace context of the request that caused it.
    pub traceparent: Option<String>,
    #[serde(flatten)]
    #[schemars(with = "Sentence")]
    pub event: Event,
}

/// How a sentence stands in its envelope, whichever it is.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Sentence {
    /// The name of the sentence, such as `catalog.offer_changed`.
    r#type: String,
    /// As the schema of that name says.
    payload: serde_json::Value,
}

/// The JSON Schema of each payload, by the name of its sentence, and of the `envelope` around it; each with its version.
pub fn schemas() -> Vec<(&'static str, u16, schemars::Schema)> {
    let envelope = ("envelope", ENVELOPE_VERSION, schemars::schema_for!(Envelope));
    [envelope].into_iter().chain(payload_schemas()).collect()
}

/// Rises when a field of the envelope is removed or changes its type.
const ENVELOPE_VERSION: u16 = 1;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident($payload:ty) = $kind:literal, $version:literal;)+) => {
        /// What can be said, by whom and about what. The text before the dot is the service that owns the sentence.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "type", content = "payload")]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $kind)] $name($payload),)+
        }

        /// The name and the schema version of every sentence, in the order of this file.
        pub const KINDS: &[(&str, u16)] = &[$(($kind, $version),)+];

        impl Event {
            /// Its name, such as `catalog.offer_changed`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)+ }
            }

            /// The version of its payload's schema.
            pub fn schema_version(&self) -> u16 {
                match self { $(Self::$name(_) => $version,)+ }
            }
        }

        fn payload_schemas() -> Vec<(&'static str, u16, schemars::Schema)> {
            vec![$(($kind, $version, schemars::schema_for!($payload)),)+]
        }

        $(impl From<$payload> for Event {
            fn from(payload: $payload) -> Self {
                Self::$name(payload)
            }
        })+
    };
}

events! {
    /// Somebody made an account.
    UserRegistered(accounts::UserRegistered) = "accounts.user_registered", 1;
    /// A seller applied, was verified, rejected, suspended or changed their profile.
    SellerChanged(accounts::SellerChanged) = "accounts.seller_changed", 1;
    /// A product was created, changed, published or archived.
    ProductChanged(catalog::ProductChanged) = "catalog.product_changed", 1;
    /// A variant was added or changed.
    VariantChanged(catalog::VariantChanged) = "catalog.variant_changed", 1;
    /// A product turned out to be another one: its variants and offers are those of the other now.
    ProductMerged(catalog::ProductMerged) = "catalog.product_merged", 1;
    /// An offer was created, changed, published or archived; a new price is such a change.
    OfferChanged(catalog::OfferChanged) = "catalog.offer_changed", 1;
    /// The stock of a variant in one offer changed.
    StockChanged(inventory::StockChanged) = "inventory.stock_changed", 1;
    /// Ask: reserve all lines or none.
    ReserveStock(inventory::ReserveStock) = "inventory.reserve_stock", 1;
    /// Ask: the reserved stock has been sold; take it off the shelf.
    CommitStock(inventory::CommitStock) = "inventory.commit_stock", 1;
    /// Ask: give the reserved stock back.
    ReleaseStock(inventory::ReleaseStock) = "inventory.release_stock", 1;
    /// Answer: all lines are reserved.
    StockReserved(inventory::StockReserved) = "inventory.stock_reserved", 1;
    /// Answer: nothing is reserved, and why.
    StockRejected(inventory::StockRejected) = "inventory.stock_rejected", 1;
    /// Reserved stock was sold.
    StockCommitted(inventory::StockCommitted) = "inventory.stock_committed", 1;
    /// Reserved stock was given back, by an ask or because the reservation expired.
    StockReleased(inventory::StockReleased) = "inventory.stock_released", 1;
    /// Ask: put pieces of an offer on a shelf.
    ReceiveStock(inventory::ReceiveStock) = "inventory.receive_stock", 1;
    /// Ask: sell the pieces of one offer as another.
    MoveStock(inventory::MoveStock) = "inventory.move_stock", 1;
    /// Answer: the pieces are on a shelf.
    StockReceived(inventory::StockReceived) = "inventory.stock_received", 1;
    /// Answer: the pieces are on no shelf, and why.
    StockRefused(inventory::StockRefused) = "inventory.stock_refused", 1;
    /// Ask: hold the buyer's money.
    AuthorisePayment(payments::AuthorisePayment) = "payments.authorise", 1;
    /// Ask: take the money that is held.
    CapturePayment(payments::CapturePayment) = "payments.capture", 1;
    /// Ask: give the hold up.
    VoidPayment(payments::VoidPayment) = "payments.void", 1;
    /// Ask: give captured money back.
    RefundPayment(payments::RefundPayment) = "payments.refund", 1;
    /// Ask: a seller has earned their share.
    ReleasePayment(payments::ReleasePayment) = "payments.release", 1;
    /// Answer: the money is held.
    PaymentAuthorised(payments::PaymentAuthorised) = "payments.authorised", 1;
    /// Answer: the buyer must confirm with their bank.
    PaymentNeedsAction(payments::PaymentNeedsAction) = "payments.needs_action", 1;
    /// Answer: nothing is held.
    PaymentDeclined(payments::PaymentDeclined) = "payments.declined", 1;
    /// Answer: the money was taken.
    PaymentCaptured(payments::PaymentCaptured) = "payments.captured", 1;
    /// Answer: the hold cannot be captured.
    CaptureFailed(payments::CaptureFailed) = "payments.capture_failed", 1;
    /// Answer: the hold was given up.
    PaymentVoided(payments::PaymentVoided) = "payments.voided", 1;
    /// Answer: money went back to the buyer.
    PaymentRefunded(payments::PaymentRefunded) = "payments.refunded", 1;
    /// Answer: money did not go back.
    RefundFailed(payments::RefundFailed) = "payments.refund_failed", 1;
    /// Answer: a seller's share is theirs.
    PaymentReleased(payments::PaymentReleased) = "payments.released", 1;
    /// A buyer's bank disputes a payment, or has decided.
    DisputeChanged(payments::DisputeChanged) = "payments.dispute_changed", 1;
    /// Somebody placed an order.
    OrderPlaced(orders::OrderPlaced) = "orders.placed", 1;
    /// The buyer must confirm the payment with their bank.
    OrderActionNeeded(orders::OrderActionNeeded) = "orders.action_needed", 1;
    /// The money was taken: sellers may ship.
    OrderPaid(orders::OrderPaid) = "orders.paid", 1;
    /// An order came to nothing.
    OrderCancelled(orders::OrderCancelled) = "orders.cancelled", 1;
    /// An order waits for an operator.
    OrderStuck(orders::OrderStuck) = "orders.stuck", 1;
    /// A seller will send their part of a paid order.
    OrderConfirmed(orders::OrderConfirmed) = "orders.confirmed", 1;
    /// A seller sent a parcel.
    OrderShipped(orders::OrderShipped) = "orders.shipped", 1;
    /// A parcel reached the buyer.
    OrderDelivered(orders::OrderDelivered) = "orders.delivered", 1;
    /// Money of an order went back to the buyer, or could not.
    OrderRefunded(orders::OrderRefunded) = "orders.refunded", 1;
    /// A buyer wants to send goods back, or the seller answered.
    ReturnChanged(orders::ReturnChanged) = "orders.return_changed", 1;
    /// Ask: sold pieces are the seller's again.
    RestockSold(inventory::RestockSold) = "inventory.restock_sold", 1;
    /// Ask: reserve pieces one by one, all or none.
    ReservePieces(inventory::ReservePieces) = "inventory.reserve_pieces", 1;
    /// Answer: every piece is reserved.
    PiecesReserved(inventory::PiecesReserved) = "inventory.pieces_reserved", 1;
    /// Answer: no piece is reserved, and how many there are.
    PiecesRejected(inventory::PiecesRejected) = "inventory.pieces_rejected", 1;
    /// One piece changed hands in a market: buyer and seller are bound.
    Matched(bidding::Matched) = "bidding.matched", 1;
    /// The best prices of a market or its last sale changed.
    Ticker(bidding::Ticker) = "bidding.ticker", 1;
    /// A trade came to nothing after its match.
    TradeFailed(orders::TradeFailed) = "orders.trade_failed", 1;
    /// Somebody did not keep to a match.
    Struck(orders::Struck) = "orders.struck", 1;
    /// A seller can be paid now, or cannot any more.
    PayeeChanged(payments::PayeeChanged) = "payments.payee_changed", 1;
    /// Ask: a seller owes a penalty.
    FineSeller(payments::FineSeller) = "payments.fine_seller", 1;
    /// Ask: hold money for a piece that somebody bids for.
    HoldMoney(payments::HoldMoney) = "payments.hold", 1;
    /// Ask: take what a trade costs out of a hold.
    CaptureHold(payments::CaptureHold) = "payments.capture_hold", 1;
    /// Answer: how a hold stands that belongs to no order.
    HoldChanged(payments::HoldChanged) = "payments.hold_changed", 1;
}
