//! Trades of the market, as buyers, sellers and the authentication centre see them.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Env};
use chrono::{DateTime, Utc};
use contract::{Long, Money, TradeId, UserId};
use entity::orders::{strike, trade, trade_event, trade_parcel};

use super::authentication::AuthenticationFindings;
use super::loaders::{TaskOf, TradeLogOf, TradeParcelsOf, load};
use super::order::PaymentAction;
use super::stubs::{Address, Offer, Seller, Variant};
use crate::failure::Action;
use crate::trade::failure::Why;
use crate::trade::rules::Rules;
use crate::trade::strike::standing;
use crate::trade::{self as trades, Place, Reader, Side, Status, said};

/// A side of a trade.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Side")]
pub enum TradeSide {
    /// Whoever bid.
    Buyer,
    /// Whoever asked.
    Seller,
}

/// The state of the goods in an offer.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "trade::Condition")]
pub enum Condition {
    /// Never used, in its packaging.
    New,
    /// Used once or twice, no traces.
    LikeNew,
    /// Light traces of use.
    VeryGood,
    /// Clear traces of use, everything works.
    Good,
    /// Worn, but does what it is for.
    Acceptable,
}

/// How far a trade is: `PAYING` (or `NEEDS_ACTION`, then `PAYING`) → `AWAITING_SHIPMENT` → `IN_TRANSIT` → `AUTHENTICATING` →
/// `AUTHENTICATED` → `DISPATCHED` → `DELIVERED` → `COMPLETED`. A buyer who cannot pay leads to `PAYMENT_FAILED`; a seller who
/// does not ship, or a piece that is not what it should be, over `CANCELLING` to `REFUNDED`.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Status")]
pub enum TradeStatus {
    /// The buyer's money is being taken.
    Paying,
    /// The buyer must confirm the payment with their bank: `action` says how.
    NeedsAction,
    /// Paid. The seller is to send the piece to the authentication centre by `dueAt`.
    AwaitingShipment,
    /// On its way to the centre.
    InTransit,
    /// At the centre.
    Authenticating,
    /// It is what it was sold as; the centre is about to send it on.
    Authenticated,
    /// On its way to the buyer.
    Dispatched,
    /// The buyer has it; the seller's money is being released.
    Delivered,
    /// The piece is the buyer's, the money the seller's. An end.
    Completed,
    /// It is being undone: the money is on its way back.
    Cancelling,
    /// The buyer could not pay: nothing was taken. An end.
    PaymentFailed,
    /// The buyer has their money again: `failure` says why. An end.
    Refunded,
}

/// The way of a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "trade_parcel::Way")]
#[expect(clippy::enum_variant_names, reason = "a way is told by where it leads")]
pub enum TradeParcelWay {
    /// From the seller to the authentication centre.
    ToCentre,
    /// From the centre to the buyer.
    ToBuyer,
    /// From the centre back to the seller.
    ToSeller,
}

/// A parcel with the piece of a trade.
#[derive(SimpleObject)]
pub struct TradeParcel {
    /// From where to where.
    way: TradeParcelWay,
    /// Who carries it.
    carrier: String,
    /// The carrier's number.
    tracking: String,
    /// When it was sent.
    sent_at: DateTime<Utc>,
    /// When somebody said that it arrived. Null: nobody did.
    arrived_at: Option<DateTime<Utc>>,
}

impl From<trade_parcel::Model> for TradeParcel {
    fn from(row: trade_parcel::Model) -> Self {
        Self {
            way: row.way.into(),
            carrier: row.carrier,
            tracking: row.tracking,
            sent_at: row.sent_at,
            arrived_at: row.arrived_at,
        }
    }
}

/// What the seller gets, as it was frozen at the match: `price` less the two fees is `payout`.
#[derive(SimpleObject)]
pub struct TradePayout {
    /// The fee schedule that held at the match.
    schedule: String,
    /// The seller's level at the match, 1 to 5.
    level: i32,
    /// For the sale.
    transaction_fee: Money,
    /// For moving the money.
    processing_fee: Money,
    /// What the seller gets.
    payout: Money,
    /// What the seller owes instead, should they not ship or the piece not be what it should be.
    penalty: Money,
}

/// Something that happened to a trade.
#[derive(SimpleObject)]
pub struct TradeEvent {
    /// Counts up by one with each.
    sequence: Long,
    /// What happened: `matched`, `authorising`, `confirming`, `capturing`, `awaiting_shipment` (paid), `in_transit`,
    /// `authenticating`, `claimed`, `authentic`, `dispatched`, `releasing` (delivered), `completed`; `voiding`,
    /// `payment_failed`, `refunding`, `refunded`, `arrived_late`, `returned`, `asked_again`, and what begins with `stuck`.
    kind: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<trade_event::Model> for TradeEvent {
    fn from(entry: trade_event::Model) -> Self {
        Self { sequence: Long(entry.sequence), kind: entry.kind, at: entry.at }
    }
}

/// One piece that changed hands in a market, on its way over the authentication centre to its buyer. Buyer and seller do
/// not learn of each other.
pub struct Trade {
    row: trade::Model,
    /// Whose eyes look. `None`: staff.
    side: Option<Side>,
}

impl Trade {
    pub(super) fn for_staff(row: trade::Model) -> Self {
        Self { row, side: None }
    }

    /// As `viewer` may see it, who may see it.
    pub(super) fn for_viewer(row: trade::Model, viewer: &Viewer) -> Self {
        let side = match reader(viewer) {
            _ if row.buyer_id == viewer.user => Some(Side::Buyer),
            Reader::Party(_) => Some(Side::Seller),
            Reader::Staff => None,
        };
        Self { row, side }
    }

    fn money(&self, amount_minor: i64) -> Result<Money> {
        Ok(Money { amount_minor, ..said::price(&self.row)? })
    }

    fn sees(&self, way: trade_parcel::Way) -> bool {
        match self.side {
            Some(Side::Buyer) => way == trade_parcel::Way::ToBuyer,
            Some(Side::Seller) => way != trade_parcel::Way::ToBuyer,
            None => true,
        }
    }
}

#[Object]
impl Trade {
    /// The trade's id.
    async fn id(&self) -> TradeId {
        self.row.id
    }

    /// The viewer's side of it. Null for staff.
    async fn side(&self) -> Option<TradeSide> {
        self.side.map(TradeSide::from)
    }

    /// What changed hands.
    async fn variant(&self) -> Variant {
        Variant { id: self.row.variant_id }
    }

    /// In which condition.
    async fn condition(&self) -> Condition {
        self.row.condition.into()
    }

    /// What the buyer pays.
    async fn price(&self) -> Result<Money> {
        Ok(said::price(&self.row)?)
    }

    /// What the seller gets. Null for the buyer.
    async fn payout(&self) -> Result<Option<TradePayout>> {
        if self.side == Some(Side::Buyer) {
            return Ok(None);
        }
        Ok(Some(TradePayout {
            schedule: self.row.schedule.clone(),
            level: self.row.level,
            transaction_fee: self.money(self.row.transaction_minor)?,
            processing_fee: self.money(self.row.processing_minor)?,
            payout: self.money(self.row.payout_minor)?,
            penalty: self.money(self.row.penalty_minor)?,
        }))
    }

    /// The shop. Null for the buyer.
    async fn seller(&self) -> Option<Seller> {
        (self.side != Some(Side::Buyer)).then_some(Seller { id: self.row.seller_id })
    }

    /// The offer whose piece is sold. Null for the buyer, and when no stock is behind the ask.
    async fn offer(&self) -> Option<Offer> {
        let id = self.row.offer_id.filter(|_| self.side != Some(Side::Buyer))?;
        Some(Offer { id })
    }

    /// Where the piece goes: an entry of the buyer's address book, as it is now. Null for the seller, for admins, and once
    /// the buyer has removed it.
    async fn ship_to(&self, ctx: &Context<'_>) -> Option<Address> {
        let sends = Viewer::maybe(ctx).is_some_and(|viewer| viewer.is(Role::Authenticator));
        (self.side == Some(Side::Buyer) || sends).then_some(Address { id: self.row.address_id })
    }

    /// How far it is.
    async fn status(&self) -> TradeStatus {
        trades::status(self.row.state).into()
    }

    /// When the two were matched.
    async fn matched_at(&self) -> DateTime<Utc> {
        self.row.matched_at
    }

    /// By when somebody must do something: the buyer confirm, the seller ship, a parcel arrive. After that a parcel to the
    /// buyer counts as delivered; anything else undoes the trade. Null: nobody must.
    async fn due_at(&self) -> Option<DateTime<Utc>> {
        let people = matches!(
            trades::status(self.row.state),
            Status::NeedsAction | Status::AwaitingShipment | Status::InTransit | Status::Dispatched
        );
        self.row.next_run_at.filter(|_| people)
    }

    /// What the buyer must do to go on paying. Null when there is nothing to do, and for everybody else.
    async fn action(&self) -> Option<PaymentAction> {
        let action = self.row.action.as_deref().filter(|_| self.side == Some(Side::Buyer));
        Action::read(action).map(PaymentAction::from)
    }

    /// Why it came to nothing: `DECLINED`, `NOT_CONFIRMED`, `TIMED_OUT`, `NOT_SHIPPED`, `NOT_ARRIVED`, `NOT_AUTHENTIC`, `UNDONE`.
    async fn failure(&self) -> Option<&str> {
        Why::read(self.row.failure.as_deref()).map(|why| why.code())
    }

    /// Parcels with the piece: the buyer sees those to them, the seller the others.
    async fn parcels(&self, ctx: &Context<'_>) -> Result<Vec<TradeParcel>> {
        let parcels = load(ctx, TradeParcelsOf(self.row.id)).await?.unwrap_or_default();
        Ok(parcels.into_iter().filter(|parcel| self.sees(parcel.way)).map(TradeParcel::from).collect())
    }

    /// What the authentication centre found. Null until it has.
    async fn authentication(&self, ctx: &Context<'_>) -> Result<Option<AuthenticationFindings>> {
        Ok(load(ctx, TaskOf(self.row.id)).await?.and_then(AuthenticationFindings::of))
    }

    /// Everything that happened to it, oldest first.
    async fn timeline(&self, ctx: &Context<'_>) -> Result<Vec<TradeEvent>> {
        let log = load(ctx, TradeLogOf(self.row.id)).await?.unwrap_or_default();
        Ok(log.into_iter().map(TradeEvent::from).collect())
    }

    /// Counts up by one with everything that happens to it: the sequence of the last entry of the timeline.
    async fn version(&self) -> Long {
        Long(self.row.version)
    }
}

/// What somebody did not keep to.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "strike::Cause")]
#[expect(clippy::enum_variant_names, reason = "each says what was not kept")]
pub enum StrikeCause {
    /// As a buyer they could not pay, or did not confirm with their bank.
    NotPaid,
    /// As a seller they did not ship, or the piece never came.
    NotShipped,
    /// As a seller they sold what was not what it should be.
    NotAuthentic,
}

/// Somebody did not keep to a match.
#[derive(SimpleObject)]
pub struct Strike {
    /// The trade.
    trade_id: TradeId,
    /// What they did not keep to.
    cause: StrikeCause,
    /// When.
    at: DateTime<Utc>,
    /// When it no longer counts.
    lapses_at: DateTime<Utc>,
}

/// How somebody stands in the market.
#[derive(SimpleObject)]
pub struct TradeStanding {
    /// Strikes that count, the oldest first.
    strikes: Vec<Strike>,
    /// With how many strikes somebody is in good standing still.
    strikes_allowed: i32,
    /// Whether they may trade.
    good: bool,
    /// Until enough strikes have lapsed. Null in good standing.
    suspended_until: Option<DateTime<Utc>>,
}

/// As whom a viewer reads trades: the centre and admins read all.
pub(super) fn reader(viewer: &Viewer) -> Reader {
    match viewer.is(Role::Admin) || viewer.is(Role::Authenticator) {
        true => Reader::Staff,
        false => Reader::Party(viewer.user),
    }
}

#[derive(Default)]
pub struct TradeQueries;

#[Object]
impl TradeQueries {
    /// A trade of the viewer's; for authenticators and admins, any. Null when there is no such one.
    async fn trade(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The trade.")] id: TradeId,
    ) -> Result<Option<Trade>> {
        let viewer = Viewer::required(ctx)?;
        let db = ctx.data_unchecked::<Env>().db.read();
        let found = trades::find(db, reader(viewer), id).await?;
        Ok(found.map(|row| Trade::for_viewer(row, viewer)))
    }

    /// What the viewer bought in markets, or what their shop sold there, newest first.
    async fn my_trades(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On which side.")] side: TradeSide,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<Place>, Trade>> {
        let viewer = Viewer::required(ctx)?;
        let page = Page::read(first, after.as_deref())?;
        let (db, side) = (ctx.data_unchecked::<Env>().db.read(), Side::from(side));
        let rows = trades::list(db, viewer.user, side, page.after, page.rows()).await?;
        Ok(page.connection(rows, place, |row| Trade { row, side: Some(side) }))
    }

    /// How the viewer stands in the market; for admins, how somebody else does.
    async fn trade_standing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Somebody else; for admins.")] user_id: Option<UserId>,
    ) -> Result<TradeStanding> {
        let viewer = Viewer::required(ctx)?;
        let user = user_id.unwrap_or(viewer.user);
        if user != viewer.user && !viewer.is(Role::Admin) {
            return Err(Denied::RoleMissing(Role::Admin).into());
        }
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let standing = standing(env.db.read(), rules, env.clock.now(), user).await?;
        let shown = |row: strike::Model| Strike {
            trade_id: row.trade_id,
            cause: row.cause.into(),
            at: row.at,
            lapses_at: row.at + rules.strike_counts_for,
        };
        Ok(TradeStanding {
            strikes: standing.strikes.into_iter().map(shown).collect(),
            strikes_allowed: i32::try_from(rules.strikes_allowed).unwrap_or(i32::MAX),
            good: standing.suspended_until.is_none(),
            suspended_until: standing.suspended_until,
        })
    }
}

/// The place of a trade in a list.
pub(super) fn place(row: &trade::Model) -> Place {
    (row.matched_at, row.id)
}
