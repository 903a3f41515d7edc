//! Goods that come back.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{Long, OrderId, RefundId, ReturnId};
use entity::orders::order_return::{Model, State};

use super::sale::{LinePieces, LinePiecesInput, pieces};
use super::stubs::Seller;
use super::user_error::user_error;
use crate::facts::Pieces;
use crate::order::Reader;
use crate::payback::{self, Answer, AnswerRefusal, RequestRefusal};

/// Where a return is. `REQUESTED` becomes `ACCEPTED` or `REJECTED`; `ACCEPTED` becomes `RECEIVED`.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum ReturnState {
    /// The seller has not answered.
    Requested,
    /// The buyer may send the goods.
    Accepted,
    /// The seller does not take them back: `answer` says why.
    Rejected,
    /// The seller has them, and the money goes back.
    Received,
}

/// Goods that a buyer wants to send back.
#[derive(SimpleObject)]
pub struct OrderReturn {
    /// The return's id.
    id: ReturnId,
    /// The order.
    order_id: OrderId,
    /// Whose goods.
    seller: Seller,
    /// Which pieces.
    pieces: Vec<LinePieces>,
    /// Where it is.
    state: ReturnState,
    /// Why the buyer does not want them.
    reason: String,
    /// Why the seller rejected it.
    answer: Option<String>,
    /// The money that goes back for it.
    refund_id: Option<RefundId>,
    /// When it was requested.
    requested_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl TryFrom<Model> for OrderReturn {
    type Error = Failure;

    fn try_from(row: Model) -> Result<Self, Failure> {
        Ok(Self {
            id: row.id,
            order_id: row.order_id,
            seller: Seller { id: row.seller_id },
            pieces: pieces(&row.lines)?,
            state: row.state.into(),
            reason: row.reason,
            answer: row.answer,
            refund_id: row.refund_id,
            requested_at: row.requested_at,
            updated_at: row.updated_at,
        })
    }
}

/// Goods to send back.
#[derive(InputObject)]
pub struct RequestReturnInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// The order.
    order_id: OrderId,
    /// The token of a guest's order.
    order_token: Option<String>,
    /// Pieces that were sent: lines of one seller, each once.
    pieces: Vec<LinePiecesInput>,
    /// Why: 1 to 200 characters. The seller sees it.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RequestReturnPayload {
    /// The return's id; null when something is wrong.
    return_id: Option<ReturnId>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<RequestReturnError>,
}

user_error! {
    /// Why a return was not requested.
    RequestReturnError (RequestReturnErrorCode) {
        /// There is no such paid order of yours.
        NotFound,
        /// The lines are of several sellers, named twice, or without pieces.
        LinesInvalid,
        /// Fewer pieces of a line were sent and are not on their way back: `left`.
        TooMany,
        /// The reason is missing or too long.
        ReasonInvalid,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// The line that the error is about.
        line: i32,
        /// Pieces of it that can be sent back.
        left: Long,
    }
}

/// A seller's word on a return.
#[derive(InputObject)]
pub struct AnswerReturnInput {
    /// The return.
    id: ReturnId,
    /// Whether the buyer may send the goods.
    accept: bool,
    /// Why not: 1 to 200 characters. The buyer sees it.
    reason: Option<String>,
}

/// Goods that are back.
#[derive(InputObject)]
pub struct ReceiveReturnInput {
    /// The return.
    id: ReturnId,
    /// Whether the goods can be sold again: then they go back into stock.
    restock: bool,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReturnPayload {
    /// The return afterwards; null when something is wrong.
    order_return: Option<OrderReturn>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReturnError>,
}

user_error! {
    /// Why nothing was done about a return.
    ReturnError (ReturnErrorCode) {
        /// There is no such return to a shop of yours.
        NotFound,
        /// The return is not where this can be done.
        NotNow,
        /// A rejection needs a reason of 1 to 200 characters.
        ReasonInvalid,
        /// The pieces were paid back already.
        PaidBack,
    }
}

#[derive(Default)]
pub struct ReturnMutations;

#[Object]
impl ReturnMutations {
    /// Asks a seller to take goods back.
    async fn request_return(
        &self,
        ctx: &Context<'_>,
        input: RequestReturnInput,
    ) -> Result<RequestReturnPayload> {
        use RequestReturnErrorCode as Code;
        let reader = super::reader(ctx, input.order_id, input.order_token.as_deref())?;
        let env = ctx.data_unchecked::<Env>();
        let (id, reason) = (input.order_id, input.reason);
        let pieces: Vec<Pieces> = input.pieces.into_iter().map(Pieces::from).collect();
        let owner = match reader {
            Reader::Buyer(user) => user.to_string(),
            Reader::TokenHolder | Reader::Admin => id.to_string(),
        };
        let request = Request::new("requestReturn", owner, &input.idempotency_key, &(id, &pieces, &reason))?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || payback::request_return(tx, now, reader, id, pieces, reason)).await
        });
        let refusal = match done.await? {
            Ok(id) => return Ok(RequestReturnPayload { return_id: Some(id), user_errors: vec![] }),
            Err(refusal) => refusal,
        };
        let at = |code, field| RequestReturnError::new(code, &["input", field], refusal);
        let error = match refusal {
            RequestRefusal::NotFound => at(Code::NotFound, "orderId"),
            RequestRefusal::LinesInvalid => at(Code::LinesInvalid, "pieces"),
            RequestRefusal::TooMany { line, left } => {
                RequestReturnError { line: Some(line), left: Some(Long(left)), ..at(Code::TooMany, "pieces") }
            }
            RequestRefusal::ReasonInvalid => at(Code::ReasonInvalid, "reason"),
            RequestRefusal::IdempotencyConflict => at(Code::IdempotencyConflict, "idempotencyKey"),
        };
        Ok(RequestReturnPayload { return_id: None, user_errors: vec![error] })
    }

    /// Accepts or rejects a return. Saying it twice is saying it once.
    async fn answer_return(&self, ctx: &Context<'_>, input: AnswerReturnInput) -> Result<ReturnPayload> {
        let answer = match input.accept {
            true => Answer::Accept,
            false => Answer::Reject { why: input.reason.unwrap_or_default() },
        };
        answered(ctx, input.id, answer).await
    }

    /// Says that accepted goods are back: their money goes back to the buyer. Saying it twice is saying it once.
    async fn receive_return(&self, ctx: &Context<'_>, input: ReceiveReturnInput) -> Result<ReturnPayload> {
        answered(ctx, input.id, Answer::Receive { restock: input.restock }).await
    }
}

async fn answered(ctx: &Context<'_>, id: ReturnId, answer: Answer) -> Result<ReturnPayload> {
    use ReturnErrorCode as Code;
    let keeper = super::keeper(ctx)?;
    let env = ctx.data_unchecked::<Env>();
    let now = env.clock.now();
    let done = tx::run(&env.db, async |tx| payback::answer_return(tx, now, keeper, id, answer).await).await?;
    let (code, field, refusal) = match done {
        Ok(row) => {
            return Ok(ReturnPayload {
                order_return: Some(OrderReturn::try_from(row)?),
                user_errors: vec![],
            });
        }
        Err(refusal @ AnswerRefusal::NotFound) => (Code::NotFound, "id", refusal),
        Err(refusal @ AnswerRefusal::NotNow) => (Code::NotNow, "id", refusal),
        Err(refusal @ AnswerRefusal::WhyInvalid) => (Code::ReasonInvalid, "reason", refusal),
        Err(refusal @ AnswerRefusal::PaidBack) => (Code::PaidBack, "id", refusal),
    };
    let error = ReturnError::new(code, &["input", field], refusal);
    Ok(ReturnPayload { order_return: None, user_errors: vec![error] })
}
