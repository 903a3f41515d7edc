//! Accounts: who there is and what they may do.
//!
//! It owns users, their sessions and addresses, sellers and their verification, roles, and the keys that sign access
//! tokens. It promises: one account for an e-mail address; personal data readable only with a key that erasing the
//! person destroys; a refresh token good once; a token that we did not sign names nobody.
//!
//! It hears nothing and says who registered and where sellers stand.

mod address;
mod email;
mod graphql;
mod login;
mod password;
mod provision;
mod refresh;
mod role;
mod seller;
mod session;
mod signing;
mod text;
mod throttle;
mod user;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Subgraph, serve, tx};
use futures::FutureExt;

pub use address::Postal;
pub use provision::{CreateAdminRefusal, create_admin, ensure_address, ensure_seller};

use password::Passwords;
use signing::Signer;
use throttle::Throttle;
use vault::Vault;

/// How often to look whether another process has rotated the signing keys.
const KEYS_PAUSE: Duration = Duration::from_secs(60);
/// How often to remove what has ended.
const SWEEP_PAUSE: Duration = Duration::from_secs(60);

/// What every resolver may need.
#[derive(Clone)]
struct Accounts {
    env: Env,
    vault: Arc<Vault>,
    passwords: Passwords,
    signer: Arc<Signer>,
    throttle: Arc<Throttle>,
}

/// The subgraph. Makes the signing keys when there are none, and publishes them.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let vault = Arc::new(Vault::new(&env.master_key));
    let signer = Signer::open(&env.db, &env.keys, &vault, env.clock.now()).await?;
    let accounts = Accounts {
        env: env.clone(),
        vault,
        passwords: Passwords::new(),
        signer: Arc::new(signer),
        throttle: Arc::new(Throttle::new(env.clock.clone())),
    };
    Ok(Subgraph {
        name: "accounts",
        graph: graphql::graph(accounts.clone()),
        consumers: vec![],
        jobs: jobs(&accounts),
        routes: serve::jwks(env.keys.clone()),
    })
}

fn jobs(accounts: &Accounts) -> Vec<Job> {
    let (follower, sweeper) = (accounts.clone(), accounts.clone());
    vec![
        Job {
            name: "accounts.keys",
            pause: KEYS_PAUSE,
            run: Arc::new(move || follow_keys(follower.clone()).boxed()),
        },
        Job {
            name: "accounts.sweep",
            pause: SWEEP_PAUSE,
            run: Arc::new(move || sweep(sweeper.clone()).boxed()),
        },
    ]
}

async fn follow_keys(accounts: Accounts) -> Result<(), Failure> {
    accounts.signer.refresh(&accounts.env.db, &accounts.env.keys, &accounts.vault).await
}

async fn sweep(accounts: Accounts) -> Result<(), Failure> {
    accounts.throttle.sweep();
    session::sweep(accounts.env.db.write(), accounts.env.clock.now()).await
}

/// The next key signs from now on. Gives its id. Running processes follow within a minute; tokens that were signed
/// before are good until they expire.
pub async fn rotate_keys(env: &Env, actor: &str) -> Result<String, Failure> {
    let vault = Vault::new(&env.master_key);
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| signing::rotate(tx, now, &vault, actor).await).await
}
