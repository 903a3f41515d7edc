//! Pausing: every ask of somebody goes at once.

use async_graphql::{Context, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::UserId;
use entity::bidding::selling as row;
use sea_orm::EntityTrait;

use crate::apply;
use crate::floor::Floor;
use crate::selling::{Change, change};
use crate::throttle::Throttle;

/// Whether you sell.
#[derive(SimpleObject)]
pub struct Selling {
    /// You paused: you have no asks and can place none.
    paused: bool,
    /// Your shop is suspended: you have no asks and can place none.
    barred: bool,
    /// Until then you have neither bids nor asks and can place none. Null: you may.
    suspended_until: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SellingPayload {
    /// As it is now.
    selling: Selling,
}

#[derive(Default)]
pub struct SellingQueries;

#[Object]
impl SellingQueries {
    /// Whether you sell, or pause.
    async fn my_selling(&self, ctx: &Context<'_>) -> Result<Selling> {
        let viewer = Viewer::required(ctx)?;
        now(ctx, viewer.user).await
    }
}

#[derive(Default)]
pub struct SellingMutations;

#[Object]
impl SellingMutations {
    /// Cancels all your asks and takes no new ones until `resumeSelling`. Nothing comes back by itself. Pausing twice is
    /// pausing once.
    async fn pause_selling(&self, ctx: &Context<'_>) -> Result<SellingPayload> {
        switch(ctx, Change::Pause).await
    }

    /// Takes your asks again.
    async fn resume_selling(&self, ctx: &Context<'_>) -> Result<SellingPayload> {
        switch(ctx, Change::Resume).await
    }
}

async fn switch(ctx: &Context<'_>, what: Change) -> Result<SellingPayload> {
    let user = Viewer::required(ctx)?.user;
    ctx.data_unchecked::<Throttle>().command(user)?;
    let env = ctx.data_unchecked::<Env>();
    tx::apply(&env.db, async |tx| change(tx, user, what).await).await?;
    apply::pause_of(env, ctx.data_unchecked::<Floor>(), user).await?;
    Ok(SellingPayload { selling: now(ctx, user).await? })
}

async fn now(ctx: &Context<'_>, user: UserId) -> Result<Selling> {
    let env = ctx.data_unchecked::<Env>();
    let found = row::Entity::find_by_id(user).one(env.db.read()).await.map_err(Failure::from)?;
    let suspended_until = found.as_ref().and_then(|row| row.suspended(env.clock.now()));
    let (paused, barred) = found.map_or((false, false), |row| (row.paused, row.barred));
    Ok(Selling { paused, barred, suspended_until })
}
