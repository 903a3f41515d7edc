//! Who changes something here. Other subgraphs believe an access token until it ends; accounts, which knows better, asks
//! its own rows: nothing is changed for a session that has ended, and nothing by an admin who is none any more.

use async_graphql::{Context, Result};
use chassis::Denied;
use chassis::auth::{Role, Viewer};

use crate::{Accounts, role, session};

/// The viewer, whose session goes on.
///
/// # Errors
/// `UNAUTHENTICATED` when nobody signed in, or the session has ended.
pub(super) async fn acting<'c>(ctx: &Context<'c>) -> Result<&'c Viewer> {
    let (viewer, accounts) = (Viewer::required(ctx)?, ctx.data_unchecked::<Accounts>());
    let (db, now) = (accounts.env.db.read(), accounts.env.clock.now());
    match session::goes_on(db, now, viewer.user, viewer.session).await? {
        true => Ok(viewer),
        false => Err(Denied::SessionEnded.into()),
    }
}

/// [`acting`], who has `role` still.
///
/// # Errors
/// `FORBIDDEN` besides.
pub(super) async fn acting_as<'c>(ctx: &Context<'c>, role: Role) -> Result<&'c Viewer> {
    Viewer::with_role(ctx, role)?;
    let viewer = acting(ctx).await?;
    let roles = role::of(ctx.data_unchecked::<Accounts>().env.db.read(), viewer.user).await?;
    match roles.contains(&role) {
        true => Ok(viewer),
        false => Err(Denied::RoleMissing(role).into()),
    }
}
