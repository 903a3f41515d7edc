//! Placing orders: the price the buyer saw against the price now, and then one transaction that writes the orders of all who
//! check out at this moment and asks for their stock. Everything after that is settling them.

use chassis::idempotency::{self, Conflict, Request};
use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::inventory::{Line, ReserveStock};
use contract::event::orders::OrderPlaced;
use contract::event::payments::Share;
use contract::{Aggregate, Event, Money, OfferId, OrderId, ReservationId, SellerId, UserId};
use entity::orders::{cart, cart_line, order, order_event, order_line, order_share, settlement};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};
use tracing::{Instrument, Span};

use crate::cart::{Cart, Shopper, claim};
use crate::contact::{Contact, Invalid};
use crate::pricing::QuotedShare;
use crate::promotion::{self, Use};
use crate::quoting::{Counter, Priced, Problem};
use crate::secrets::Secrets;
use crate::settlement::{State, pause};
use crate::tariff::Tariffs;

/// How long stock is kept for an order that is not paid.
const RESERVED_FOR: TimeDelta = TimeDelta::minutes(30);
/// When nothing may be held for an order any more: before its stock goes.
pub const HELD_FOR: TimeDelta = TimeDelta::minutes(25);
/// Rows of one insert: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;

/// Buy a cart.
#[derive(Clone, Debug)]
pub struct Place {
    /// The order's id, new.
    pub id: OrderId,
    pub shopper: Shopper,
    /// `None`: a guest.
    pub user: Option<UserId>,
    pub contact: Contact,
    /// What the buyer pays with: a provider's opaque token.
    pub method: String,
    /// What the buyer saw and agreed to.
    pub expected: Money,
}

/// Why no order was placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceRefusal {
    #[error("there is no such cart")]
    CartNotFound,
    #[error("an order is being made of this cart")]
    CheckingOut { order_id: Option<OrderId> },
    #[error("{0}")]
    Invalid(Invalid),
    #[error("something is in the way")]
    Problems(Vec<Problem>),
    #[error("the price is another now")]
    PriceChanged { total: Money, lines: Vec<(OfferId, Money, Money)> },
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for PlaceRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// What settling an order asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub lines: Vec<Line>,
    pub shares: Vec<Share>,
    pub method: String,
}

impl Plan {
    /// Sellers whose part costs something: there is nothing to hold for the others.
    pub fn paid_shares(&self) -> Vec<Share> {
        self.shares.iter().filter(|share| share.amount_minor > 0).cloned().collect()
    }

    pub fn sellers(&self) -> Vec<SellerId> {
        self.shares.iter().map(|share| share.seller_id).collect()
    }
}

/// A checkout that is asked for, with what tells it from its repeats.
pub struct Asked {
    pub request: Request,
    pub command: Place,
    /// Whose doing it is, to whoever traces.
    pub span: Span,
}

/// The order, or why there is none. Asked again, the answer is the same.
pub type Placed = Result<OrderId, PlaceRefusal>;

/// A promotion was used up by others after the cart was priced: its order cannot be placed, and nor can those with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedUp {
    pub order: OrderId,
    pub code: String,
}

/// An order that can be placed.
struct Draft<'a> {
    place: &'a Place,
    contact: Contact,
    cart: Cart,
    priced: Priced,
    total: Money,
}

/// What was decided of a checkout: an order to be, or the answer.
type Decided<'a> = Result<Draft<'a>, Placed>;

/// Places orders, each of another shopper, with few statements; their sagas begin. One that cannot be placed is answered
/// why, and changes nothing.
pub async fn place_all(
    tx: &Tx,
    now: DateTime<Utc>,
    secrets: &Secrets,
    tariffs: &Tariffs,
    asked: &[&Asked],
) -> Outcome<Vec<Placed>, UsedUp> {
    let shoppers: Vec<&Shopper> = asked.iter().map(|asked| &asked.command.shopper).collect();
    let carts = claim::lock_open(tx, &shoppers).await?;
    let counter = Counter::open(tx, now, tariffs, carts.iter().map(|cart| cart.id)).await?;
    let mut decided = vec![];
    for asked in asked {
        decided.push(decide(tx, now, &carts, &counter, &asked.command).await?);
    }
    let decided = explain(tx, decided, &shoppers).await?;
    let decided = recall(tx, now, asked, decided).await?;
    let drafts: Vec<&Draft<'_>> = decided.iter().filter_map(|decided| decided.as_ref().ok()).collect();
    if let Err(used_up) = count(tx, &drafts).await? {
        return Ok(Err(used_up));
    }
    write(tx, now, secrets, &drafts).await?;
    for (asked, decided) in asked.iter().zip(&decided) {
        let Ok(draft) = decided else { continue };
        outbox::say_all(tx, now, draft.said(now)).instrument(asked.span.clone()).await?;
    }
    Ok(Ok(decided
        .into_iter()
        .map(|decided| decided.map_or_else(|placed| placed, |draft| Ok(draft.place.id)))
        .collect()))
}

/// Whether the order can be placed.
async fn decide<'a>(
    tx: &Tx,
    now: DateTime<Utc>,
    carts: &[cart::Model],
    counter: &Counter,
    place: &'a Place,
) -> Result<Decided<'a>, Failure> {
    let contact = match place.contact.clone().checked() {
        Ok(contact) => contact,
        Err(invalid) => return Ok(Err(Err(PlaceRefusal::Invalid(invalid)))),
    };
    let Some(cart) = carts.iter().find(|cart| place.shopper.owns(cart)) else {
        return Ok(Err(Err(PlaceRefusal::CartNotFound)));
    };
    let cart = counter.cart(cart);
    let priced = match counter.price(tx, now, &cart, &contact.destination(), place.user).await? {
        Ok(priced) => priced,
        Err(problems) => return Ok(Err(Err(PlaceRefusal::Problems(problems)))),
    };
    let total = Money { amount_minor: priced.quote.total_minor(), currency: priced.quote.currency };
    if total != place.expected {
        return Ok(Err(Err(PlaceRefusal::PriceChanged { total, lines: priced.changed })));
    }
    Ok(Ok(Draft { place, contact, cart, priced, total }))
}

/// Where no open cart was found, an order may be being made of it.
async fn explain<'a>(
    tx: &Tx,
    decided: Vec<Decided<'a>>,
    shoppers: &[&Shopper],
) -> Result<Vec<Decided<'a>>, Failure> {
    let is_lost = |decided: &Decided<'_>| matches!(decided, Err(Err(PlaceRefusal::CartNotFound)));
    let without = decided.iter().zip(shoppers).filter(|(decided, _)| is_lost(decided));
    let without: Vec<&Shopper> = without.map(|(_, shopper)| *shopper).collect();
    let carts = claim::checking_out(tx, &without).await?;
    let explained = |(decided, shopper): (Decided<'a>, &&Shopper)| match is_lost(&decided) {
        false => decided,
        true => match carts.iter().find(|cart| shopper.owns(cart)) {
            Some(cart) => Err(Err(PlaceRefusal::CheckingOut { order_id: cart.order_id })),
            None => decided,
        },
    };
    Ok(decided.into_iter().zip(shoppers).map(explained).collect())
}

/// Claims the keys of orders to be. What was answered to its key before is answered so again, whatever is decided of it now.
async fn recall<'a>(
    tx: &Tx,
    now: DateTime<Utc>,
    asked: &[&Asked],
    decided: Vec<Decided<'a>>,
) -> Result<Vec<Decided<'a>>, Failure> {
    let drafts = asked.iter().zip(&decided).filter(|(_, decided)| decided.is_ok());
    let claims: Vec<_> = drafts.map(|(asked, _)| (&asked.request, asked.command.id)).collect();
    let mut claimed = idempotency::claim_all(tx, now, &claims).await?.into_iter();
    let is_new: Vec<bool> = decided.iter().map(|one| one.is_ok() && claimed.next() == Some(true)).collect();
    let others = asked.iter().zip(&is_new).filter(|(_, is_new)| !**is_new);
    let others: Vec<&Request> = others.map(|(asked, _)| &asked.request).collect();
    let mut before = idempotency::answers::<OrderId>(tx, &others).await?.into_iter();
    let recalled = |(decided, is_new): (Decided<'a>, bool)| match (decided, is_new) {
        (decided, true) => Ok(decided),
        (decided, false) => match (before.next().flatten(), decided) {
            (Some(answer), _) => Ok(Err(answer.map_err(PlaceRefusal::from))),
            (None, Ok(_)) => Err(Failure::msg("an idempotency row vanished")),
            (None, decided) => Ok(decided),
        },
    };
    decided.into_iter().zip(is_new).map(recalled).collect()
}

/// Counts the promotions that the orders use.
async fn count(tx: &Tx, drafts: &[&Draft<'_>]) -> Outcome<(), UsedUp> {
    let uses = drafts.iter().flat_map(|draft| {
        let (order, user) = (draft.place.id, draft.place.user);
        draft.priced.promotions.iter().map(move |promotion| Use { promotion, order, user })
    });
    let counted = promotion::count(tx, uses.collect()).await?;
    Ok(counted.map_err(|Use { promotion, order, .. }| {
        let code = promotion.code.clone().unwrap_or_else(|| promotion.name.clone());
        UsedUp { order, code }
    }))
}

/// Everything that the orders begin with.
async fn write(tx: &Tx, now: DateTime<Utc>, secrets: &Secrets, drafts: &[&Draft<'_>]) -> Result<(), Failure> {
    if drafts.is_empty() {
        return Ok(());
    }
    let claims: Vec<_> = drafts.iter().map(|draft| (draft.cart.row.id, draft.place.id)).collect();
    claim::claim(tx, now, &claims).await?;
    let orders: Vec<order::Model> =
        drafts.iter().map(|draft| draft.order(now, secrets)).collect::<Result<_, _>>()?;
    let settlements: Vec<_> = orders.iter().map(|order| begun(now, order)).collect();
    let log: Vec<_> = orders.iter().map(|order| placed(now, order)).collect();
    insert::<order::Entity>(tx, orders).await?;
    insert::<order_line::Entity>(tx, drafts.iter().flat_map(|draft| draft.lines()).collect()).await?;
    insert::<order_share::Entity>(tx, drafts.iter().flat_map(|draft| draft.shares()).collect()).await?;
    insert::<settlement::Entity>(tx, settlements).await?;
    insert::<order_event::Entity>(tx, log).await
}

async fn insert<E>(tx: &Tx, rows: Vec<E::Model>) -> Result<(), Failure>
where
    E: EntityTrait,
    E::Model: Clone + Sync + IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: Send,
{
    for some in rows.chunks(ROWS_MAX) {
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        E::insert_many(some).exec_without_returning(tx).await?;
    }
    Ok(())
}

impl Draft<'_> {
    fn plan(&self) -> Plan {
        let line = |line: &cart_line::Model| Line { offer_id: line.offer_id, quantity: line.quantity };
        let share = |share: &QuotedShare| Share {
            seller_id: share.seller_id,
            amount_minor: share.total_minor,
            tax_minor: share.tax_minor,
            fee_minor: share.fee_minor,
        };
        Plan {
            lines: self.cart.lines.iter().map(line).collect(),
            shares: self.priced.quote.shares.iter().map(share).collect(),
            method: self.place.method.clone(),
        }
    }

    fn order(&self, now: DateTime<Utc>, secrets: &Secrets) -> Result<order::Model, Failure> {
        let id = self.place.id;
        Ok(order::Model {
            id,
            user_id: self.place.user,
            cart_id: self.cart.row.id,
            currency: self.total.currency.to_string(),
            total_minor: self.total.amount_minor,
            contact_sealed: secrets.seal(id, &serde_json::to_string(&self.contact)?),
            plan: serde_json::to_string(&self.plan())?,
            placed_at: now,
        })
    }

    fn lines(&self) -> impl Iterator<Item = order_line::Model> {
        (1..).zip(&self.priced.quote.lines).map(move |(number, line)| {
            let goods = &self.priced.goods[&line.offer_id];
            order_line::Model {
                order_id: self.place.id,
                number,
                offer_id: line.offer_id,
                product_id: goods.product_id,
                variant_id: goods.variant_id,
                seller_id: line.seller_id,
                quantity: line.quantity,
                unit_minor: line.unit_minor,
                goods_minor: line.goods_minor,
                discount_minor: line.discount_minor,
                tax_minor: line.tax_minor,
                total_minor: line.total_minor,
            }
        })
    }

    fn shares(&self) -> impl Iterator<Item = order_share::Model> {
        self.priced.quote.shares.iter().map(move |share| order_share::Model {
            order_id: self.place.id,
            seller_id: share.seller_id,
            goods_minor: share.goods_minor,
            discount_minor: share.discount_minor,
            shipping_minor: share.shipping_minor,
            shipping_total_minor: share.shipping_total_minor,
            tax_minor: share.tax_minor,
            fee_minor: share.fee_minor,
            total_minor: share.total_minor,
            confirmed_at: None,
        })
    }

    /// The ask for the stock first, then what everybody may know.
    fn said(&self, now: DateTime<Utc>) -> Vec<(Aggregate, Event)> {
        let (order_id, user_id, total) = (self.place.id, self.place.user, self.total);
        let plan = self.plan();
        let sellers = plan.sellers();
        let ask = reserve(order_id, plan.lines, now).into();
        let said: [Event; 2] = [ask, OrderPlaced { order_id, user_id, total, sellers }.into()];
        said.into_iter().map(|event| (about("order", order_id, 1), event)).collect()
    }
}

/// The first entry of an order's log.
fn placed(now: DateTime<Utc>, order: &order::Model) -> order_event::Model {
    order_event::Model {
        order_id: order.id,
        sequence: 1,
        kind: "placed".into(),
        actor: order.user_id.map_or_else(|| "guest".into(), |user| user.to_string()),
        details: "{}".into(),
        at: now,
    }
}

fn begun(now: DateTime<Utc>, order: &order::Model) -> settlement::Model {
    settlement::Model {
        order_id: order.id,
        state: State::Reserving,
        amount_minor: order.total_minor,
        repeats: 0,
        next_run_at: pause(State::Reserving, 0, order.id.0.as_u64_pair().1).map(|pause| now + pause),
        failure: None,
        action: None,
        version: 1,
        updated_at: now,
    }
}

/// The ask for an order's stock: the same each time.
pub fn reserve(order: OrderId, lines: Vec<Line>, placed_at: DateTime<Utc>) -> ReserveStock {
    ReserveStock {
        reservation_id: reservation_of(order),
        order_id: Some(order),
        lines,
        expires_at: placed_at + RESERVED_FOR,
    }
}

/// An order, its reservation and its payment share one uuid: whoever knows one finds the others, and asking again can
/// never mean another.
pub fn reservation_of(order: OrderId) -> ReservationId {
    ReservationId(order.0)
}
