//! Who asks: access tokens, the keys that verify them, and the viewer that resolvers see.
//!
//! Every subgraph verifies the token itself. Accounts alone can mint one.

mod cluster;
mod keys;
mod token;
mod viewer;

pub use cluster::{ClusterSecret, NoSecret, SECRET_CHARS_MIN};
pub use keys::{Keys, PublicKey};
pub use token::{ACCESS_TOKEN_TTL, AUDIENCE, Claims, ISSUER};
pub use viewer::{Role, Viewer};
