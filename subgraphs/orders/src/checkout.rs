//! Placing an order: the price the buyer saw against the price now, and then one transaction that writes the order and
//! asks for its stock. Everything after that is settling it.

use chassis::idempotency::Conflict;
use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::inventory::{Line, ReserveStock};
use contract::event::orders::OrderPlaced;
use contract::event::payments::Share;
use contract::{Aggregate, Event, Money, OfferId, OrderId, ReservationId, SellerId, UserId};
use entity::orders::{order, order_event, order_line, order_share, settlement};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};

use crate::cart::{self as carts, Cart, Shopper};
use crate::contact::{Contact, Invalid};
use crate::promotion;
use crate::quoting::{self, Priced, Problem};
use crate::rates::Destination;
use crate::secrets::Secrets;
use crate::settlement::{State, pause};

/// How long stock is kept for an order that is not paid.
const RESERVED_FOR: TimeDelta = TimeDelta::minutes(30);
/// When nothing may be held for an order any more: before its stock goes.
pub const HELD_FOR: TimeDelta = TimeDelta::minutes(25);

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

/// Places the order; its saga begins.
pub async fn place(
    tx: &Tx,
    now: DateTime<Utc>,
    secrets: &Secrets,
    command: Place,
) -> Outcome<(), PlaceRefusal> {
    let id = command.id;
    let contact = match command.contact.checked() {
        Ok(contact) => contact,
        Err(invalid) => return Ok(Err(PlaceRefusal::Invalid(invalid))),
    };
    let claimed = carts::claim(tx, now, &command.shopper, id).await?;
    let Some(cart) = carts::with_lines(tx, claimed).await? else {
        return no_cart(tx, &command.shopper).await;
    };
    let place =
        Destination { country: contact.address.country.clone(), region: contact.address.region.clone() };
    let priced = match quoting::price(tx, now, &cart, &place, command.user).await? {
        Ok(priced) => priced,
        Err(problems) => return Ok(Err(PlaceRefusal::Problems(problems))),
    };
    let total = Money { amount_minor: priced.quote.total_minor(), currency: priced.quote.currency };
    if total != command.expected {
        return Ok(Err(PlaceRefusal::PriceChanged { total, lines: priced.changed }));
    }
    let used: Vec<&_> = priced.promotions.iter().collect();
    if let Err(used_up) = promotion::count(tx, id, command.user, &used).await? {
        let row = priced.promotions.iter().find(|row| row.id == used_up);
        let code = row.map(|row| row.code.clone().unwrap_or_else(|| row.name.clone())).unwrap_or_default();
        return Ok(Err(PlaceRefusal::Problems(vec![Problem::PromotionOver { code }])));
    }
    let plan = plan(&cart, &priced, command.method);
    let order = order::Model {
        id,
        user_id: command.user,
        cart_id: cart.row.id,
        currency: total.currency.to_string(),
        total_minor: total.amount_minor,
        contact_sealed: secrets.seal(id, &serde_json::to_string(&contact)?),
        plan: serde_json::to_string(&plan)?,
        placed_at: now,
    };
    write(tx, now, order, &priced).await?;
    outbox::say_all(tx, now, placed(now, id, command.user, total, plan)).await?;
    Ok(Ok(()))
}

/// Why there is no cart to buy.
async fn no_cart(tx: &Tx, shopper: &Shopper) -> Outcome<(), PlaceRefusal> {
    Ok(Err(match carts::find(tx, shopper).await? {
        Some(cart) => PlaceRefusal::CheckingOut { order_id: cart.row.order_id },
        None => PlaceRefusal::CartNotFound,
    }))
}

fn plan(cart: &Cart, priced: &Priced, method: String) -> Plan {
    let lines = cart.lines.iter().map(|line| Line { offer_id: line.offer_id, quantity: line.quantity });
    let shares = priced.quote.shares.iter().map(|share| Share {
        seller_id: share.seller_id,
        amount_minor: share.total_minor,
        tax_minor: share.tax_minor,
        fee_minor: share.fee_minor,
    });
    Plan { lines: lines.collect(), shares: shares.collect(), method }
}

async fn write(tx: &Tx, now: DateTime<Utc>, order: order::Model, priced: &Priced) -> Result<(), Failure> {
    let id = order.id;
    let lines = (1..).zip(&priced.quote.lines).map(|(number, line)| {
        let goods = &priced.goods[&line.offer_id];
        order_line::Model {
            order_id: id,
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
        .into_active_model()
    });
    let shares = priced.quote.shares.iter().map(|share| {
        order_share::Model {
            order_id: id,
            seller_id: share.seller_id,
            goods_minor: share.goods_minor,
            discount_minor: share.discount_minor,
            shipping_minor: share.shipping_minor,
            shipping_total_minor: share.shipping_total_minor,
            tax_minor: share.tax_minor,
            fee_minor: share.fee_minor,
            total_minor: share.total_minor,
            confirmed_at: None,
        }
        .into_active_model()
    });
    let settlement = begun(now, &order);
    let event = order_event::Model {
        order_id: id,
        sequence: 1,
        kind: "placed".into(),
        actor: order.user_id.map_or_else(|| "guest".into(), |user| user.to_string()),
        details: "{}".into(),
        at: now,
    };
    order::Entity::insert(order.into_active_model()).exec_without_returning(tx).await?;
    order_line::Entity::insert_many(lines).exec_without_returning(tx).await?;
    order_share::Entity::insert_many(shares).exec_without_returning(tx).await?;
    settlement::Entity::insert(settlement.into_active_model()).exec_without_returning(tx).await?;
    order_event::Entity::insert(event.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
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

fn placed(
    now: DateTime<Utc>,
    order_id: OrderId,
    user_id: Option<UserId>,
    total: Money,
    plan: Plan,
) -> Vec<(Aggregate, Event)> {
    let sellers = plan.sellers();
    let said =
        [reserve(order_id, plan.lines, now).into(), OrderPlaced { order_id, user_id, total, sellers }.into()];
    said.into_iter().map(|event| (about("order", order_id, 1), event)).collect()
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
