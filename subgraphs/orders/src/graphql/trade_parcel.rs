//! What sends a traded piece on its way: the seller, the authentication centre, and the buyer's word that it came.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::{Env, tx};
use contract::TradeId;

use super::trade::{Trade, reader};
use super::user_error::user_error;
use crate::trade::parcel::{self, ArriveRefusal, Parcel, SendRefusal};
use crate::trade::rules::Rules;

/// A parcel from the seller to the authentication centre.
#[derive(InputObject)]
pub struct ShipTradeInput {
    /// The trade.
    trade_id: TradeId,
    /// Who carries it: 1 to 100 characters.
    carrier: String,
    /// The carrier's number: 1 to 200 characters.
    tracking: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ShipTradePayload {
    /// The trade afterwards; null when something is wrong.
    trade: Option<Trade>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ShipTradeError>,
}

user_error! {
    /// Why a piece was not sent to the centre.
    ShipTradeError (ShipTradeErrorCode) {
        /// There is no such trade of a shop of yours.
        NotFound,
        /// The carrier is missing or too long.
        CarrierInvalid,
        /// The number is missing or too long.
        TrackingInvalid,
        /// The trade does not wait for a parcel: it is not paid, was sent with another number, or its time is up.
        NotNow,
    }
}

/// Which piece is at the centre.
#[derive(InputObject)]
pub struct ReceiveTradeInput {
    /// The trade.
    trade_id: TradeId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReceiveTradePayload {
    /// The trade afterwards; null when something is wrong.
    trade: Option<Trade>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReceiveTradeError>,
}

user_error! {
    /// Why an arrival was not taken down.
    ReceiveTradeError (ReceiveTradeErrorCode) {
        /// There is no such trade.
        NotFound,
        /// Nobody has sent a parcel of it.
        NotNow,
    }
}

/// A parcel from the authentication centre.
#[derive(InputObject)]
pub struct DispatchTradeInput {
    /// The trade.
    trade_id: TradeId,
    /// Who carries it: 1 to 100 characters.
    carrier: String,
    /// The carrier's number: 1 to 200 characters.
    tracking: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DispatchTradePayload {
    /// The trade afterwards; null when something is wrong.
    trade: Option<Trade>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<DispatchTradeError>,
}

user_error! {
    /// Why a piece was not sent on.
    DispatchTradeError (DispatchTradeErrorCode) {
        /// There is no such trade.
        NotFound,
        /// The carrier is missing or too long.
        CarrierInvalid,
        /// The number is missing or too long.
        TrackingInvalid,
        /// The piece is not at the centre, was not looked at, or was sent on with another number.
        NotNow,
    }
}

/// Which piece the buyer has.
#[derive(InputObject)]
pub struct ConfirmTradeDeliveryInput {
    /// The trade.
    trade_id: TradeId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ConfirmTradeDeliveryPayload {
    /// The trade afterwards; null when something is wrong.
    trade: Option<Trade>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ConfirmTradeDeliveryError>,
}

user_error! {
    /// Why a delivery was not confirmed.
    ConfirmTradeDeliveryError (ConfirmTradeDeliveryErrorCode) {
        /// There is no such trade of yours.
        NotFound,
        /// No parcel is on its way to the buyer.
        NotNow,
    }
}

#[derive(Default)]
pub struct TradeParcelMutations;

#[Object]
impl TradeParcelMutations {
    /// Says that a shop has sent the piece of a trade to the authentication centre. Who does not by `dueAt` has the trade
    /// undone, owes the penalty and gets a strike. Saying the same twice is saying it once.
    async fn ship_trade(&self, ctx: &Context<'_>, input: ShipTradeInput) -> Result<ShipTradePayload> {
        use ShipTradeErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let now = env.clock.now();
        let ShipTradeInput { trade_id, carrier, tracking } = input;
        let sent = Parcel { trade_id, carrier, tracking };
        let done = tx::run(&env.db, async |tx| parcel::ship(tx, rules, now, keeper, sent).await);
        let refusal = match done.await? {
            Ok(row) => {
                let trade = Trade::for_viewer(row, Viewer::required(ctx)?);
                return Ok(ShipTradePayload { trade: Some(trade), user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            SendRefusal::NotFound => (Code::NotFound, "tradeId"),
            SendRefusal::CarrierInvalid => (Code::CarrierInvalid, "carrier"),
            SendRefusal::TrackingInvalid => (Code::TrackingInvalid, "tracking"),
            SendRefusal::NotNow => (Code::NotNow, "tradeId"),
        };
        let error = ShipTradeError::new(code, &["input", field], refusal);
        Ok(ShipTradePayload { trade: None, user_errors: vec![error] })
    }

    /// Says that the piece of a trade has reached the centre: a task to look at it begins. One that comes after its time
    /// can only be sent back. For authenticators.
    async fn receive_trade(
        &self,
        ctx: &Context<'_>,
        input: ReceiveTradeInput,
    ) -> Result<ReceiveTradePayload> {
        let staff = Viewer::with_role(ctx, Role::Authenticator)?.user;
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let (now, id) = (env.clock.now(), input.trade_id);
        let done = tx::run(&env.db, async |tx| parcel::receive(tx, rules, now, staff, id).await);
        let refusal = match done.await? {
            Ok(row) => {
                let trade = Some(Trade::for_staff(row));
                return Ok(ReceiveTradePayload { trade, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let code = match refusal {
            ArriveRefusal::NotFound => ReceiveTradeErrorCode::NotFound,
            ArriveRefusal::NotNow => ReceiveTradeErrorCode::NotNow,
        };
        let error = ReceiveTradeError::new(code, &["input", "tradeId"], refusal);
        Ok(ReceiveTradePayload { trade: None, user_errors: vec![error] })
    }

    /// Says that the centre has sent the piece of a trade on: to the buyer when it is what it was sold as, else back to the
    /// seller. For authenticators. Saying the same twice is saying it once.
    async fn dispatch_trade(
        &self,
        ctx: &Context<'_>,
        input: DispatchTradeInput,
    ) -> Result<DispatchTradePayload> {
        use DispatchTradeErrorCode as Code;
        let staff = Viewer::with_role(ctx, Role::Authenticator)?.user;
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let now = env.clock.now();
        let DispatchTradeInput { trade_id, carrier, tracking } = input;
        let sent = Parcel { trade_id, carrier, tracking };
        let done = tx::run(&env.db, async |tx| parcel::dispatch(tx, rules, now, staff, sent).await);
        let refusal = match done.await? {
            Ok(row) => {
                let trade = Some(Trade::for_staff(row));
                return Ok(DispatchTradePayload { trade, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            SendRefusal::NotFound => (Code::NotFound, "tradeId"),
            SendRefusal::CarrierInvalid => (Code::CarrierInvalid, "carrier"),
            SendRefusal::TrackingInvalid => (Code::TrackingInvalid, "tracking"),
            SendRefusal::NotNow => (Code::NotNow, "tradeId"),
        };
        let error = DispatchTradeError::new(code, &["input", field], refusal);
        Ok(DispatchTradePayload { trade: None, user_errors: vec![error] })
    }

    /// Says that the buyer has the piece: by the buyer, an authenticator or an admin. The seller has earned it then, as when
    /// nobody says anything until `dueAt`. Saying it twice is saying it once.
    async fn confirm_trade_delivery(
        &self,
        ctx: &Context<'_>,
        input: ConfirmTradeDeliveryInput,
    ) -> Result<ConfirmTradeDeliveryPayload> {
        let viewer = Viewer::required(ctx)?;
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let (now, id, reader, by) = (env.clock.now(), input.trade_id, reader(viewer), viewer.user);
        let done = tx::run(&env.db, async |tx| parcel::deliver(tx, rules, now, reader, by, id).await);
        let refusal = match done.await? {
            Ok(row) => {
                let trade = Some(Trade::for_viewer(row, viewer));
                return Ok(ConfirmTradeDeliveryPayload { trade, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let code = match refusal {
            ArriveRefusal::NotFound => ConfirmTradeDeliveryErrorCode::NotFound,
            ArriveRefusal::NotNow => ConfirmTradeDeliveryErrorCode::NotNow,
        };
        let error = ConfirmTradeDeliveryError::new(code, &["input", "tradeId"], refusal);
        Ok(ConfirmTradeDeliveryPayload { trade: None, user_errors: vec![error] })
    }
}
