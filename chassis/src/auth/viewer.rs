//! Who asks, as resolvers see it.

use async_graphql::Context;
use chrono::{DateTime, Utc};
use contract::{SessionId, UserId};

use super::token::Claims;
use crate::Denied;

/// What a user may do. A token carries roles as its scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Buyer,
    Seller,
    Authenticator,
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Buyer, Self::Seller, Self::Authenticator, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Seller => "seller",
            Self::Authenticator => "authenticator",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signed-in user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub user: UserId,
    pub session: SessionId,
    pub roles: Vec<Role>,
    /// When the token that names this viewer ends; private subscriptions end with it.
    pub expires_at: DateTime<Utc>,
}

impl Viewer {
    pub(super) fn from_claims(claims: Claims) -> Option<Self> {
        let roles = claims
            .scope
            .split(' ')
            .filter_map(|word| Role::ALL.into_iter().find(|role| role.as_str() == word));
        Some(Self {
            user: claims.sub,
            session: claims.sid,
            roles: roles.collect(),
            expires_at: DateTime::from_timestamp(claims.exp, 0)?,
        })
    }

    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The viewer of this request, if somebody signed in.
    pub fn maybe<'c>(ctx: &Context<'c>) -> Option<&'c Self> {
        ctx.data_opt::<Self>()
    }

    /// The viewer of this request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when nobody signed in.
    pub fn required<'c>(ctx: &Context<'c>) -> Result<&'c Self, Denied> {
        Self::maybe(ctx).ok_or(Denied::SignInFirst)
    }

    /// The viewer, who must have `role`.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn with_role<'c>(ctx: &Context<'c>, role: Role) -> Result<&'c Self, Denied> {
        let viewer = Self::required(ctx)?;
        if viewer.is(role) { Ok(viewer) } else { Err(Denied::RoleMissing(role)) }
    }
}
