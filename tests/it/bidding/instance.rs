//! One of several processes that decide about markets, and the line over which the others reach it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use chassis::auth::ClusterSecret;
use chassis::{Clock, Peers, Tasks};
use entity::bidding::partition;
use sea_orm::EntityTrait;
use souk::Plan;
use souk::market::ServiceName;
use souk::serve::serve_http;
use tokio::net::TcpListener;

use crate::crash::child::say_done;
use crate::support::{Market, Relays, Store};

const OPEN: u8 = 0;
const LOSES_ONE: u8 = 1;
const MUTE: u8 = 2;

/// What becomes of what others ask of an instance.
#[derive(Clone, Default)]
pub struct Line {
    state: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl Line {
    /// The next answer breaks off on its way; what was asked for is done.
    pub fn lose_one(&self) {
        self.state.store(LOSES_ONE, Ordering::SeqCst);
    }

    /// From now on everything is done and nothing is answered.
    pub fn go_mute(&self) {
        self.state.store(MUTE, Ordering::SeqCst);
    }

    /// How often something was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn pass(State(line): State<Self>, request: Request, next: Next) -> Response {
        line.asked.fetch_add(1, Ordering::SeqCst);
        let response = next.run(request).await;
        match line.state.load(Ordering::SeqCst) {
            MUTE => std::future::pending().await,
            LOSES_ONE => {
                line.state.store(OPEN, Ordering::SeqCst);
                let broken = futures::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("broken"))]);
                Response::new(Body::from_stream(broken))
            }
            _ => response,
        }
    }
}

/// A secret of a cluster.
pub fn secret(letter: &str) -> ClusterSecret {
    ClusterSecret::new(letter.repeat(32).into(), None).unwrap()
}

/// A whole marketplace beside others on the same rows.
pub struct Instance {
    pub market: Market,
    pub address: String,
    pub line: Line,
}

impl Instance {
    pub async fn start(store: &Store, secret: &ClusterSecret) -> Self {
        let (listener, peers) = place(secret).await;
        let address = peers.address().to_owned();
        let market = Market::start_among(store, Relays::Running, peers).await;
        let line = open(&market.souk, listener);
        Self { market, address, line }
    }
}

/// An instance that decides about nothing yet: bidding alone, without its jobs.
pub struct Bystander {
    pub souk: souk::Market,
    pub address: String,
    pub line: Line,
}

impl Bystander {
    pub async fn start(mut plan: Plan, clock: Clock, secret: &ClusterSecret) -> Self {
        let (listener, peers) = place(secret).await;
        let address = peers.address().to_owned();
        plan.databases.retain(|(name, _)| *name == ServiceName::Bidding);
        plan.peers = Some(peers);
        let souk = souk::Market::open(&plan, clock, Tasks::new()).await.unwrap();
        let line = open(&souk, listener);
        Self { souk, address, line }
    }
}

/// The work of a child: decides about every market there is, and says where it is.
pub async fn decide_for_ever(plan: Plan, clock: Clock) {
    let it = Bystander::start(plan, clock, &secret("a")).await;
    let bidding = it.souk.service(ServiceName::Bidding).unwrap();
    bidding.start();
    loop {
        let rows = partition::Entity::find().all(bidding.env.db.look()).await.unwrap();
        if rows.iter().all(|row| row.address.as_ref() == Some(&it.address)) {
            break say_done(&it.address);
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    std::future::pending().await
}

async fn place(secret: &ClusterSecret) -> (TcpListener, Peers) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peers = Peers::new(&listener.local_addr().unwrap().to_string(), secret.clone()).unwrap();
    (listener, peers)
}

fn open(souk: &souk::Market, listener: TcpListener) -> Line {
    let line = Line::default();
    let pages = souk.pages().layer(middleware::from_fn_with_state(line.clone(), Line::pass));
    souk.tasks.spawn(serve_http(listener, pages, souk.tasks.stopping().clone()));
    line
}
