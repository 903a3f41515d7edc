//! Money back: buyers cancel what was not sent, sellers pay back what was, goods come back.

use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::orders::{OrderRefunded, ReturnChanged, ReturnStatus};
use contract::{Event, Money, OrderId, RefundId, ReturnId, SellerId};
use entity::orders::order_return::{self, State};
use entity::orders::{payout, refund};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::facts::{Facts, Pieces};
use crate::keeper::Keeper;
use crate::limits::{LINE_LENGTH_MAX, is_line_of_text};
use crate::order::Reader;
use crate::sale::{Payback, Sale, Unfit};

/// Why the reasons in the log are what they are.
const CANCELLED: &str = "cancelled before it was sent";
const RETURNED: &str = "returned";

/// Cancels everything of a paid order that was not sent: its money and its stock go back. `false`: nothing is left to
/// cancel, or the order is not paid. The caller has looked whose order it is.
pub async fn cancel_unsent(tx: &Tx, now: DateTime<Utc>, id: OrderId, actor: &str) -> Result<bool, Failure> {
    let Some(mut sale) = Sale::open(tx, id).await? else { return Ok(false) };
    let sellers: Vec<SellerId> = sale.facts.shares.iter().map(|share| share.seller_id).collect();
    let mut cancelled = false;
    for seller in sellers {
        let pieces = sale.facts.all_unsent(seller);
        if pieces.is_empty() {
            continue;
        }
        cancelled = true;
        let kind = refund::Kind::Cancelled;
        let back = Payback { seller, kind, pieces: pieces.clone(), reason: CANCELLED, actor };
        sale.refund(tx, now, back).await?;
        sale.restock(tx, now, &pieces, CANCELLED).await?;
        // What was sent may have arrived already.
        sale.release(tx, now, seller).await?;
    }
    Ok(cancelled)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    #[error("there is no such paid order with goods of yours")]
    NotFound,
    #[error("must name lines of yours, each once, and at least one piece of each")]
    LinesInvalid,
    #[error("fewer pieces were sent and not paid back")]
    TooMany { line: i32, left: i64 },
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    ReasonInvalid,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for RefundRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

impl From<Unfit> for RefundRefusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Invalid | Unfit::NoLine { .. } => Self::LinesInvalid,
            Unfit::TooMany { line, left } => Self::TooMany { line, left },
        }
    }
}

/// A seller pays pieces back that were sent, without wanting them back.
pub async fn refund_sent(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: OrderId,
    pieces: Vec<Pieces>,
    reason: &str,
) -> Outcome<RefundId, RefundRefusal> {
    if !is_line_of_text(reason, LINE_LENGTH_MAX) {
        return Ok(Err(RefundRefusal::ReasonInvalid));
    }
    let Some(mut sale) = Sale::open(tx, id).await? else { return Ok(Err(RefundRefusal::NotFound)) };
    let seller = match sale.seller_of(&pieces, Facts::refundable) {
        Ok(seller) => seller,
        Err(unfit) => {
            let own = keeper.shop_in(tx, sale.facts.shares.iter().map(|share| share.seller_id)).await?;
            return Ok(Err(if own { unfit.into() } else { RefundRefusal::NotFound }));
        }
    };
    if keeper.shop(tx, Some(seller)).await?.is_none() {
        return Ok(Err(RefundRefusal::NotFound));
    }
    let back = Payback { seller, kind: refund::Kind::Sent, pieces, reason, actor: &keeper.actor() };
    let row = sale.refund(tx, now, back).await?;
    Ok(Ok(row.id))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    #[error("there is no such paid order of yours")]
    NotFound,
    #[error("must name lines of one seller, each once, and at least one piece of each")]
    LinesInvalid,
    #[error("fewer pieces were sent and are not on their way back")]
    TooMany { line: i32, left: i64 },
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    ReasonInvalid,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for RequestRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// A buyer wants to send pieces of one seller back.
pub async fn request_return(
    tx: &Tx,
    now: DateTime<Utc>,
    reader: Reader,
    id: OrderId,
    pieces: Vec<Pieces>,
    reason: String,
) -> Outcome<ReturnId, RequestRefusal> {
    if !is_line_of_text(&reason, LINE_LENGTH_MAX) {
        return Ok(Err(RequestRefusal::ReasonInvalid));
    }
    if crate::order::find(tx, reader, id).await?.is_none() {
        return Ok(Err(RequestRefusal::NotFound));
    }
    let Some(mut sale) = Sale::open(tx, id).await? else { return Ok(Err(RequestRefusal::NotFound)) };
    let wanted = wanted(tx, id).await?;
    let back = |line: i32| {
        wanted.iter().filter(|pieces| pieces.line == line).map(|pieces| pieces.quantity).sum::<i64>()
    };
    let seller_id = match sale.seller_of(&pieces, |facts, line| facts.refundable(line) - back(line)) {
        Ok(seller) => seller,
        Err(Unfit::TooMany { line, left }) => return Ok(Err(RequestRefusal::TooMany { line, left })),
        Err(_) => return Ok(Err(RequestRefusal::LinesInvalid)),
    };
    let row = order_return::Model {
        id: ReturnId::new(),
        order_id: id,
        seller_id,
        state: State::Requested,
        lines: serde_json::to_string(&pieces)?,
        reason,
        answer: None,
        refund_id: None,
        requested_at: now,
        updated_at: now,
    };
    order_return::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    let actor = sale.order.user_id.map_or_else(|| "guest".into(), |user| user.to_string());
    tell(tx, now, &mut sale, &row, "return_requested", &actor).await?;
    Ok(Ok(row.id))
}

/// Pieces of an order that a buyer wants to send back and whose money has not gone back.
async fn wanted(tx: &Tx, id: OrderId) -> Result<Vec<Pieces>, Failure> {
    let rows = order_return::Entity::find()
        .filter(order_return::Column::OrderId.eq(id))
        .filter(order_return::Column::State.is_in([State::Requested, State::Accepted]));
    let mut wanted = Vec::new();
    for row in rows.all(tx).await? {
        wanted.extend(serde_json::from_str::<Vec<Pieces>>(&row.lines)?);
    }
    Ok(wanted)
}

async fn tell(
    tx: &Tx,
    now: DateTime<Utc>,
    sale: &mut Sale,
    row: &order_return::Model,
    kind: &str,
    actor: &str,
) -> Result<(), Failure> {
    let pieces: Vec<Pieces> = serde_json::from_str(&row.lines)?;
    sale.log(tx, now, kind, actor, json!({ "return": row.id, "lines": pieces })).await?;
    let told = ReturnChanged {
        return_id: row.id,
        order_id: row.order_id,
        user_id: sale.order.user_id,
        seller_id: row.seller_id,
        status: match row.state {
            State::Requested => ReturnStatus::Requested,
            State::Accepted => ReturnStatus::Accepted,
            State::Rejected => ReturnStatus::Rejected,
            State::Received => ReturnStatus::Received,
        },
    };
    sale.say(tx, now, vec![told.into()]).await
}

/// What a seller does about a return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Accept,
    Reject {
        why: String,
    },
    /// The goods are here; `restock`: they can be sold again.
    Receive {
        restock: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRefusal {
    #[error("there is no such return to a shop of yours")]
    NotFound,
    #[error("the return is not where this can be done")]
    NotNow,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    WhyInvalid,
    #[error("the pieces were paid back already")]
    PaidBack,
}

/// Does what a seller says about a return. Saying it twice is saying it once. Receiving it pays the buyer back.
pub async fn answer_return(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: ReturnId,
    answer: Answer,
) -> Outcome<order_return::Model, AnswerRefusal> {
    let found = order_return::Entity::find_by_id(id).filter(keeper.keeps(order_return::Column::SellerId));
    let Some(row) = found.one(tx).await? else { return Ok(Err(AnswerRefusal::NotFound)) };
    let Some(mut sale) = Sale::open(tx, row.order_id).await? else { return Ok(Err(AnswerRefusal::NotFound)) };
    // Under the order's lock: somebody may have answered meanwhile.
    let row = order_return::Entity::find_by_id(id).one(tx).await?;
    let Some(mut row) = row else { return Ok(Err(AnswerRefusal::NotFound)) };
    let (state, kind) = match (&answer, row.state) {
        (Answer::Accept, State::Requested) => (State::Accepted, "return_accepted"),
        (Answer::Reject { why }, State::Requested) if is_line_of_text(why, LINE_LENGTH_MAX) => {
            row.answer = Some(why.clone());
            (State::Rejected, "return_rejected")
        }
        (Answer::Reject { .. }, State::Requested) => return Ok(Err(AnswerRefusal::WhyInvalid)),
        (Answer::Receive { .. }, State::Accepted) => (State::Received, "return_received"),
        (Answer::Accept, State::Accepted)
        | (Answer::Reject { .. }, State::Rejected)
        | (Answer::Receive { .. }, State::Received) => return Ok(Ok(row)),
        _ => return Ok(Err(AnswerRefusal::NotNow)),
    };
    (row.state, row.updated_at) = (state, now);
    if let Answer::Receive { restock } = answer {
        let pieces: Vec<Pieces> = serde_json::from_str(&row.lines)?;
        if sale.seller_of(&pieces, Facts::refundable).is_err() {
            return Ok(Err(AnswerRefusal::PaidBack));
        }
        let back = Payback {
            seller: row.seller_id,
            kind: refund::Kind::Sent,
            pieces: pieces.clone(),
            reason: RETURNED,
            actor: &keeper.actor(),
        };
        let refund = sale.refund(tx, now, back).await?;
        row.refund_id = Some(refund.id);
        if restock {
            sale.restock(tx, now, &pieces, RETURNED).await?;
        }
    }
    order_return::Entity::update(row.clone().into_active_model().reset_all()).exec(tx).await?;
    tell(tx, now, &mut sale, &row, kind, &keeper.actor()).await?;
    Ok(Ok(row))
}

/// What payments said about money on its way.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub order: OrderId,
    pub said: Said,
}

#[derive(Clone, Copy, Debug)]
pub enum Said {
    Refunded(RefundId),
    NotRefunded(RefundId),
    Released(SellerId),
}

/// Takes over what payments said, of one order after the other: whoever locks orders in the order of their ids never waits in
/// a circle.
pub async fn hear(tx: &Tx, now: DateTime<Utc>, mut words: Vec<Word>) -> Result<(), Failure> {
    words.sort_by_key(|word| word.order);
    for Word { order, said } in words {
        match said {
            Said::Refunded(id) => settle(tx, now, id, refund::State::Done).await?,
            Said::NotRefunded(id) => settle(tx, now, id, refund::State::Failed).await?,
            Said::Released(seller) => released(tx, now, order, seller).await?,
        }
    }
    Ok(())
}

async fn released(tx: &Tx, now: DateTime<Utc>, order: OrderId, seller: SellerId) -> Result<(), Failure> {
    payout::Entity::update_many()
        .col_expr(payout::Column::ReleasedAt, Expr::val(now))
        .filter(payout::Column::OrderId.eq(order))
        .filter(payout::Column::SellerId.eq(seller))
        .filter(payout::Column::ReleasedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

async fn settle(tx: &Tx, now: DateTime<Utc>, id: RefundId, state: refund::State) -> Result<(), Failure> {
    let Some(row) = refund::Entity::find_by_id(id).one(tx).await? else { return Ok(()) };
    let Some(mut sale) = Sale::open(tx, row.order_id).await? else { return Ok(()) };
    let settled = refund::Entity::update_many()
        .col_expr(refund::Column::State, Expr::val(state))
        .col_expr(refund::Column::SettledAt, Expr::val(now))
        .filter(refund::Column::Id.eq(id))
        .filter(refund::Column::State.eq(refund::State::Asked))
        .exec(tx)
        .await?;
    if settled.rows_affected == 0 {
        return Ok(());
    }
    let done = state == refund::State::Done;
    let kind = if done { "refunded" } else { "refund_failed" };
    let amount = Money { amount_minor: row.amount_minor, currency: sale.order.currency.parse()? };
    sale.log(tx, now, kind, "system", json!({ "refund": id, "amountMinor": row.amount_minor })).await?;
    let told = OrderRefunded {
        order_id: row.order_id,
        user_id: sale.order.user_id,
        seller_id: row.seller_id,
        refund_id: id,
        amount,
        done,
    };
    sale.say(tx, now, vec![Event::from(told)]).await
}
