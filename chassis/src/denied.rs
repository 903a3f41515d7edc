//! Top-level errors that are the caller's news: sign-in, rights, limits.

use crate::graph::BAD_USER_INPUT;

/// Why a request is not served at all. Everything finer is a user error in a mutation's payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("sign in first: send `Authorization: Bearer <access token>`")]
    SignInFirst,
    #[error("the access token is not valid: {0}")]
    BadToken(&'static str),
    #[error("the session has ended: sign in again")]
    SessionEnded,
    #[error("this needs the role {0}")]
    RoleMissing(crate::auth::Role),
    #[error("{field}: {message}")]
    BadInput { field: &'static str, message: String },
    #[error("too many attempts, try again in {retry_after_ms} ms")]
    RateLimited { retry_after_ms: u64 },
    /// More waits than can be done soon.
    #[error("too much waits to be done, try again in {retry_after_ms} ms")]
    Overloaded { retry_after_ms: u64 },
    /// Whoever does it is away for a moment, or the outcome is not known: the same request with the same key finds out.
    #[error("{0}")]
    NotNow(&'static str),
}

impl Denied {
    pub fn bad_input(field: &'static str, message: impl Into<String>) -> Self {
        Self::BadInput { field, message: message.into() }
    }

    /// The stable code in `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignInFirst | Self::BadToken(_) | Self::SessionEnded => "UNAUTHENTICATED",
            Self::RoleMissing(_) => "FORBIDDEN",
            Self::BadInput { .. } => BAD_USER_INPUT,
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Overloaded { .. } => "OVERLOADED",
            Self::NotNow(_) => "UNAVAILABLE",
        }
    }

    /// Whether the same request can succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Overloaded { .. } | Self::NotNow(_))
    }
}
