//! The refresh token in a browser: a cookie that no script reads and no other site sends.

use async_graphql::{Context, Enum};
use chassis::graph::Cookies;
use chrono::TimeDelta;

use crate::refresh::RefreshToken;

/// The prefix lets browsers take it only over a secure connection, for this host alone and all of its paths.
const NAME: &str = "__Host-souk-refresh";
/// What the prefix asks for, and nothing for scripts or for forms of other sites.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Where a client gets its refresh token.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RefreshTokenDelivery {
    /// In `tokens.refreshToken`: for apps and servers, which keep it where nobody else reads.
    #[default]
    Body,
    /// In the cookie `__Host-souk-refresh`, which scripts cannot read; `tokens.refreshToken` is null. For browsers, over
    /// HTTP (a WebSocket cannot set a cookie), from pages of the endpoint's own site. Send operations with
    /// `credentials: "include"` where the page's origin is not the endpoint's.
    Cookie,
}

/// The refresh token that the browser sent along.
pub(super) fn sent<'c>(ctx: &Context<'c>) -> Option<&'c str> {
    ctx.data_opt::<Cookies>()?.get(NAME).filter(|token| !token.is_empty())
}

/// Tells the browser to keep `token` for as long as it is good.
pub(super) fn keep(ctx: &Context<'_>, token: &RefreshToken, good_for: TimeDelta) {
    let (token, seconds) = (token.reveal(), good_for.num_seconds());
    ctx.append_http_header("set-cookie", format!("{NAME}={token}; Max-Age={seconds}; {ATTRIBUTES}"));
}

/// Tells the browser to forget the token that it sent along.
pub(super) fn forget(ctx: &Context<'_>) {
    if sent(ctx).is_some() {
        ctx.append_http_header("set-cookie", format!("{NAME}=; Max-Age=0; {ATTRIBUTES}"));
    }
}
