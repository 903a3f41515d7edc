//! The marketplace of one test: its services, a clock set by hand, and people.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, Request, Variables};
use axum::http::{HeaderMap, HeaderValue, header};
use bidding::rules::{BidPolicy, Rules};
use chassis::auth::Role;
use chassis::graph::{Call, Endpoint};
use chassis::outbox::{self, about};
use chassis::{Clock, Engine, Env, Peers, Tasks, tx};
use chrono::{DateTime, Utc};
use contract::event::accounts::{SellerChanged, SellerStatus};
use contract::{SellerId, UserId};
use entity::bidding::journal;
use entity::payments::payment_step;
use entity::shared::outbox as outbox_row;
use futures::StreamExt;
use futures::stream::BoxStream;
use payments::provider::Setup;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::Value;
use souk::Plan;
use souk::market::ALL;

use super::identity::{Minter, Person};
use super::{Relays, Store};

/// How long events may take to be delivered before a test gives up on them.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Market {
    pub souk: souk::Market,
    /// Stands still until a test moves it.
    pub clock: Clock,
    pub minter: Minter,
    /// Who takes new payments.
    pub payments: Setup,
}

/// When tests begin, by their clocks.
pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Every service on the rows of a store.
pub fn plan(store: &Store) -> Plan {
    Plan {
        databases: ALL.map(|name| (name, store.url(name.as_str()))).to_vec(),
        master_key: Arc::new(secrecy::SecretBox::new(Box::new([7; 32]))),
        data_dir: None,
        reach: chassis::Reach::Anywhere,
        payments: Setup::Sandbox,
        trades: Default::default(),
        markets: Default::default(),
        peers: None,
    }
}

impl Market {
    /// Every service. Jobs do not run, but for the courier of payments: a test calls what they would.
    pub async fn start(store: &Store, relays: Relays) -> Self {
        Self::start_with(store, relays, start(), Setup::Sandbox).await
    }

    /// [`start`](Self::start) as one of several processes, which know each other.
    pub async fn start_among(store: &Store, relays: Relays, peers: Peers) -> Self {
        Self::open(&Plan { peers: Some(peers), ..plan(store) }, relays, start()).await
    }

    /// [`start`](Self::start) at another time, with another payment provider.
    pub async fn start_with(store: &Store, relays: Relays, at: DateTime<Utc>, payments: Setup) -> Self {
        Self::start_under(store, relays, at, payments, BidPolicy::default()).await
    }

    /// [`start_with`](Self::start_with) something that bids need.
    pub async fn start_under(
        store: &Store,
        relays: Relays,
        at: DateTime<Utc>,
        payments: Setup,
        bid_policy: BidPolicy,
    ) -> Self {
        let markets = Rules { bid_policy, ..Rules::default() };
        Self::open(&Plan { payments, markets, ..plan(store) }, relays, at).await
    }

    /// [`start`](Self::start) of what a plan says.
    pub async fn open(plan: &Plan, relays: Relays, at: DateTime<Utc>) -> Self {
        let (clock, payments) = (Clock::manual(at), plan.payments.clone());
        let souk = souk::Market::open(plan, clock.clone(), Tasks::new()).await.unwrap();
        let minter = Minter::new(&souk.keys);
        let market = Self { souk, clock, minter, payments };
        if relays == Relays::Running {
            market.deliver();
        }
        market
    }

    /// From now on events are delivered and payments move.
    pub fn deliver(&self) {
        for service in &self.souk.services {
            self.souk.relay(service).start(&self.souk.tasks);
        }
        start_courier(&self.souk);
    }

    pub fn env(&self, service: &str) -> &Env {
        &self.service(service).env
    }

    pub fn endpoint(&self, service: &str) -> &Endpoint {
        &self.service(service).endpoint
    }

    /// A courier of payments, as another process would have.
    pub fn courier(&self) -> Arc<payments::courier::Courier> {
        payments::courier(self.env("payments"), &self.payments).unwrap()
    }

    pub fn engine(&self) -> Engine {
        self.souk.services[0].env.db.engine()
    }

    fn service(&self, name: &str) -> &souk::market::Service {
        let name = ALL.into_iter().find(|service| service.as_str() == name);
        self.souk.service(name.expect("a test names a service that exists")).unwrap()
    }

    /// Sends an operation to one subgraph and gives its whole answer.
    pub async fn ask(&self, service: &str, by: Option<&Person>, query: &str, variables: Value) -> Value {
        self.ask_with(service, headers(by), query, variables).await
    }

    pub async fn ask_with(&self, service: &str, headers: HeaderMap, query: &str, variables: Value) -> Value {
        let call =
            Call { query: query.into(), operation_name: None, variables: Variables::from_json(variables) };
        let reply = self.endpoint(service).answer(&headers, call).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// [`ask`](Self::ask) for an operation that must not have top-level errors: its `data`.
    pub async fn data(&self, service: &str, by: Option<&Person>, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(service, by, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// The events of a subscription, as whole answers.
    pub fn subscribe(
        &self,
        service: &str,
        by: Option<&Person>,
        query: &str,
        variables: Value,
    ) -> BoxStream<'static, Value> {
        let mut request = Request::new(query).variables(Variables::from_json(variables));
        if let Some(viewer) = self.souk.keys.viewer(&headers(by)).unwrap() {
            request = request.data(chassis::auth::Viewer::clone(&viewer));
        }
        let responses = self.endpoint(service).execute_stream(request, None);
        responses.map(|response| serde_json::to_value(response).unwrap()).boxed()
    }

    /// Somebody with `roles`.
    pub fn person(&self, roles: &[Role]) -> Person {
        let user = UserId::new();
        Person { user, token: self.minter.token(user, roles, self.clock.now()), seller: None }
    }

    pub fn buyer(&self) -> Person {
        self.person(&[Role::Buyer])
    }

    pub fn admin(&self) -> Person {
        self.person(&[Role::Buyer, Role::Admin])
    }

    /// A verified seller whom every service knows.
    pub async fn seller(&self, shop: &str) -> Person {
        let mut person = self.person(&[Role::Buyer, Role::Seller]);
        let seller = SellerId::new();
        person.seller = Some(seller);
        self.say_seller(&person, shop, SellerStatus::Verified, 1).await;
        self.settle().await;
        person
    }

    /// Says as accounts would where a seller stands now.
    pub async fn say_seller(&self, person: &Person, shop: &str, status: SellerStatus, version: i64) {
        let seller_id = person.seller.expect("a seller has a shop");
        let changed = SellerChanged { seller_id, user_id: person.user, name: shop.into(), status };
        let now = self.clock.now();
        tx::apply(&self.env("accounts").db, async |tx| {
            outbox::say(tx, now, about("seller", seller_id, version), changed).await
        })
        .await
        .unwrap();
    }

    /// Waits until every event has been delivered, and every payment that can move now has moved.
    ///
    /// The services are looked at one after the other, and an answer may pass from one that is still to be looked at to
    /// one that has been: only two looks with nothing said between them are the end.
    pub async fn settle(&self) {
        tokio::time::timeout(SETTLE_TIMEOUT, async {
            let mut before = None;
            loop {
                let (said, waiting) = self.events().await;
                if waiting == 0 && before == Some(said) {
                    return;
                }
                before = (waiting == 0).then_some(said);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .expect("every event is delivered in the end");
    }

    /// How many events were ever said, and how much is on its way; a database that does not answer may have one.
    async fn events(&self) -> (u64, u64) {
        let (mut said, mut waiting) = (0, 0);
        for service in &self.souk.services {
            let db = service.env.db.look();
            let unpublished = outbox_row::Entity::find().filter(outbox_row::Column::PublishedAt.is_null());
            waiting += unpublished.count(db).await.unwrap_or(1);
            said += outbox_row::Entity::find().count(db).await.unwrap_or(0);
        }
        waiting += self.unfollowed().await;
        let due = payment_step::Entity::find()
            .filter(payment_step::Column::State.eq(payment_step::State::Waiting))
            .filter(payment_step::Column::NextRunAt.lte(self.clock.now()));
        (said, waiting + due.count(self.env("payments").db.look()).await.unwrap_or(1))
    }

    /// Rows of bidding's journal that are not yet in the tables that follow it.
    async fn unfollowed(&self) -> u64 {
        let db = self.env("bidding").db.look();
        let rows = journal::Entity::find().filter(Expr::cust(
            "seq > coalesce((select w.seq from bidding_watermark w where w.partition = bidding_journal.partition), 0)",
        ));
        rows.count(db).await.unwrap_or(1)
    }

    pub async fn stop(&self) {
        self.souk.stop().await;
    }
}

/// The one job that answers asks: without it no payment moves.
fn start_courier(souk: &souk::Market) {
    let jobs = souk.services.iter().flat_map(|service| &service.subgraph.jobs);
    for job in jobs.filter(|job| job.name == "payments.courier").cloned() {
        souk.tasks.every(job.name, job.pause, move || (job.run)());
    }
}

pub fn headers(by: Option<&Person>) -> HeaderMap {
    by.map(|person| {
        let value = HeaderValue::from_str(&format!("Bearer {}", person.token)).unwrap();
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    })
    .unwrap_or_default()
}
