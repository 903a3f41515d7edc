//! Sellers' word that they will send what was bought.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::{Env, Failure, tx};
use contract::{OrderId, SellerId};

use super::sale::Sale;
use super::user_error::user_error;
use crate::confirmation::{self, Confirm, ConfirmRefusal};
use crate::order::{self, Reader};

/// Which order a shop will send.
#[derive(InputObject)]
pub struct ConfirmOrderInput {
    /// The order.
    order_id: OrderId,
    /// The shop; a seller with one shop may leave it out.
    seller_id: Option<SellerId>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ConfirmOrderPayload {
    /// The shop's part of the order afterwards; null when something is wrong.
    sale: Option<Sale>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ConfirmOrderError>,
}

user_error! {
    /// Why an order was not confirmed.
    ConfirmOrderError (ConfirmOrderErrorCode) {
        /// There is no such paid order with goods of yours.
        NotFound,
        /// A parcel of it was sent: that says as much.
        AlreadyShipped,
        /// All of it was cancelled: there is nothing to send.
        Cancelled,
    }
}

#[derive(Default)]
pub struct ConfirmationMutations;

#[Object]
impl ConfirmationMutations {
    /// Says that a shop will send its part of a paid order: its progress becomes `CONFIRMED`, and the buyer sees so. A parcel
    /// can be sent without it. Confirming twice is confirming once.
    async fn confirm_order(
        &self,
        ctx: &Context<'_>,
        input: ConfirmOrderInput,
    ) -> Result<ConfirmOrderPayload> {
        use ConfirmOrderErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let (now, id) = (env.clock.now(), input.order_id);
        let command = Confirm { order_id: id, seller_id: input.seller_id };
        let done = tx::run(&env.db, async |tx| confirmation::confirm(tx, now, keeper, command).await).await?;
        let refusal = match done {
            Ok(seller) => {
                let order = order::find(env.db.read(), Reader::Admin, id).await?;
                let order = order.ok_or_else(|| Failure::msg("an order vanished"))?;
                return Ok(ConfirmOrderPayload { sale: Some(Sale::new(order, seller)), user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let code = match refusal {
            ConfirmRefusal::NotFound => Code::NotFound,
            ConfirmRefusal::AlreadyShipped => Code::AlreadyShipped,
            ConfirmRefusal::Cancelled => Code::Cancelled,
        };
        let error = ConfirmOrderError::new(code, &["input", "orderId"], refusal);
        Ok(ConfirmOrderPayload { sale: None, user_errors: vec![error] })
    }
}
