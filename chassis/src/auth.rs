//! Who asks: access tokens, the keys that verify them, and the viewer that resolvers see.
//!
//! Every subgraph verifies the token itself. Accounts alone can mint one.

mod keys;
mod token;
mod viewer;

pub use keys::{Keys, PublicKey};
pub use token::{ACCESS_TOKEN_TTL, AUDIENCE, Claims, ISSUER};
pub use viewer::{Role, Viewer};
