//! A marketplace, and who moves its money.

use bidding::rules::BidPolicy;
use chassis::{Clock, Engine, tx};
use chrono::TimeDelta;
use entity::payments::payment;
use fake_stripe::{Running, Webhook};
use payments::provider::sandbox::{self, Faults, misbehave};
use payments::provider::{Answer, Read, Remote, Setup, stripe};
use reqwest::redirect;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::payments::{Sale, books_are_right};
use crate::support::{self, Market, Person, Relays, Store};

const WEBHOOK_SECRET: &str = "whsec_souk";
const SECRET_KEY: &str = "sk_test_souk";
const FORM: &str = "application/x-www-form-urlencoded";
/// How often what is told by webhooks is taken up before a test goes on: a webhook may lead to another.
const ROUNDS: usize = 3;

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Drops,
    Fails500Done,
    Fails500Undone,
    Fails503,
    LimitsTheRate,
}

impl Way {
    pub const ALL: [Self; 5] =
        [Self::Drops, Self::Fails500Done, Self::Fails500Undone, Self::Fails503, Self::LimitsTheRate];

    /// Always, as the sandbox knows it.
    fn of_sandbox(self) -> Faults {
        let none = Faults::default();
        match self {
            Self::Drops => Faults { dropped: 1_000, ..none },
            Self::Fails500Done => Faults { kept_done: 1_000, ..none },
            Self::Fails500Undone => Faults { kept_undone: 1_000, ..none },
            Self::Fails503 => Faults { lost: 1_000, ..none },
            Self::LimitsTheRate => Faults { rate_limited: 1_000, ..none },
        }
    }

    fn of_stripe(self) -> &'static str {
        match self {
            Self::Drops => "drop_after",
            Self::Fails500Done => "error_after",
            Self::Fails500Undone => "error_instead",
            Self::Fails503 => "unavailable",
            Self::LimitsTheRate => "rate_limit",
        }
    }
}

/// A marketplace whose payments one provider takes.
pub struct Bank {
    pub market: Market,
    store: Store,
    fake: Option<Running>,
    http: reqwest::Client,
}

impl Bank {
    pub async fn sandbox() -> Self {
        let store = support::store(Engine::Sqlite).await.unwrap();
        let market = Market::start(&store, Relays::Running).await;
        Self { market, store, fake: None, http: client() }
    }

    /// Stripe, as fast and as dear as the sandbox.
    pub async fn stripe() -> Self {
        Self::stripe_under(BidPolicy::default()).await
    }

    /// [`stripe`](Self::stripe), with something that bids need.
    pub async fn stripe_under(bid_policy: BidPolicy) -> Self {
        let store = support::store(Engine::Sqlite).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let hook = format!("http://{}/provider/webhook/stripe", listener.local_addr().unwrap());
        let fake = Running::start(fake_stripe::Settings {
            fee_bps: 150,
            fee_fixed_minor: 25,
            webhook: Some(Webhook { url: hook, secret: WEBHOOK_SECRET.into() }),
            ..fake_stripe::Settings::default()
        });
        let fake = fake.await.unwrap();
        let setup = Setup::Stripe(stripe::Settings {
            base_url: fake.url(),
            return_url: Some("https://shop.example/paid".into()),
            ..stripe::Settings::new(SECRET_KEY.into(), vec![WEBHOOK_SECRET.into()])
        });
        // Webhooks are signed by the clock that everybody has.
        let now = Clock::System.now();
        let market = Market::start_under(&store, Relays::Running, now, setup, bid_policy).await;
        crate::payments::webhooks::serve(&market, listener);
        Self { market, store, fake: Some(fake), http: client() }
    }

    /// Nothing waits, and the books are right.
    pub async fn close(self) {
        self.settle().await;
        books_are_right(&self.market).await;
        if self.fake.is_some() {
            let ledger = self.get("/_fake/ledger").await;
            assert_eq!(ledger["problems"], json!([]), "the fake itself is wrong");
        }
        self.market.stop().await;
        self.store.remove().await;
    }

    /// Everything that can move has moved, also what is told by webhooks.
    pub async fn settle(&self) {
        for _ in 0..ROUNDS {
            self.market.settle().await;
            if self.fake.is_some() {
                self.control("webhooks/flush", json!({})).await;
            }
        }
        self.market.settle().await;
    }

    /// Time passes, here and there.
    pub async fn pass(&self, time: TimeDelta) {
        self.market.clock.advance(time);
        if self.fake.is_some() {
            self.control("clock", json!({ "advance_s": time.num_seconds() })).await;
        }
    }

    /// Makes every call go wrong in this way from now on; `None`: no call.
    pub async fn misbehave(&self, way: Option<Way>) {
        if self.fake.is_none() {
            let faults = way.map(Way::of_sandbox).unwrap_or_default();
            return misbehave(self.market.env("payments"), &faults).await.unwrap();
        }
        let next = way.map(
            |way| json!([{ "fault": way.of_stripe(), "method": "POST", "path": "/v1", "times": 1_000 }]),
        );
        self.control("faults", json!({ "next": next.unwrap_or_else(|| json!([])) })).await;
    }

    /// A sale of shops that can be paid, which is asked to be authorised.
    pub async fn sale(&self, method: &str) -> Sale<'_> {
        let sale = self.unasked().await;
        self.asks(&sale, sale.authorise(method)).await;
        sale
    }

    /// A sale of shops that can be paid.
    pub async fn unasked(&self) -> Sale<'_> {
        let mut sale = Sale::new(&self.market);
        for (at, name) in ["One", "Two"].into_iter().enumerate() {
            let seller = self.market.seller(name).await;
            self.open_account(&seller).await;
            sale.sellers[at] = seller.seller.unwrap();
        }
        sale
    }

    /// A sale that is paid.
    pub async fn paid(&self, method: &str) -> Sale<'_> {
        let sale = self.sale(method).await;
        self.asks(&sale, sale.capture()).await;
        assert_eq!(sale.answers().await[..2], ["authorised", "captured"]);
        sale
    }

    pub async fn asks(&self, sale: &Sale<'_>, ask: contract::Event) {
        sale.ask(ask).await;
        self.settle().await;
    }

    /// A seller says where to be paid, and tells the provider all that it asks.
    pub async fn open_account(&self, seller: &Person) {
        let set_up = self.set_up_payouts(seller).await;
        if let Some(url) = set_up["onboardingUrl"].as_str() {
            self.press(url, "complete").await;
        }
        assert_eq!(self.set_up_payouts(seller).await["ready"], true);
    }

    pub async fn set_up_payouts(&self, seller: &Person) -> Value {
        let query = "mutation($input: SetUpPayoutsInput!) { setUpPayouts(input: $input) {
            ready onboardingUrl account { provider reference } userErrors { code } } }";
        let input = json!({ "country": "DE", "returnUrl": "https://shop.example/done", "refreshUrl": "https://shop.example/again" });
        let data = self.market.data("payments", Some(seller), query, json!({ "input": input })).await;
        data["setUpPayouts"].clone()
    }

    /// The buyer confirms with their bank, or does not.
    pub async fn confirm(&self, sale: &Sale<'_>, accept: bool) {
        let said = sale.said_last().await;
        if self.fake.is_some() {
            let url = said["redirect_url"].as_str().unwrap().to_owned();
            self.press(&url, if accept { "complete" } else { "fail" }).await;
        } else {
            let query = "mutation($input: ConfirmSandboxPaymentInput!) { confirmSandboxPayment(input: $input) { done } }";
            let input = json!({ "clientSecret": said["client_secret"], "accept": accept });
            let done = self.market.data("payments", None, query, json!({ "input": input })).await;
            assert_eq!(done["confirmSandboxPayment"]["done"], true);
        }
        self.settle().await;
    }

    /// The buyer's bank decides the one dispute that there is.
    pub async fn decide(&self, sale: &Sale<'_>, won: bool) {
        if self.fake.is_some() {
            let disputes = self.get("/v1/disputes").await;
            let id = disputes["data"][0]["id"].as_str().unwrap();
            self.control(&format!("disputes/{id}/{}", if won { "won" } else { "lost" }), json!({})).await;
        } else {
            let (env, news) = (self.market.env("payments"), std::sync::Arc::default());
            let now = self.market.clock.now();
            let decided =
                tx::apply(&env.db, async |tx| sandbox::decide(tx, now, &news, sale.payment, won).await);
            assert!(decided.await.unwrap(), "there is an open dispute");
        }
        self.settle().await;
    }

    /// A payment as its provider sees it.
    pub async fn remote(&self, row: &payment::Model) -> Option<Remote> {
        let hour = TimeDelta::hours(1);
        let read = Read {
            payment_id: row.id,
            reference: row.reference.as_deref(),
            since: row.created_at - hour,
            until: row.expires_at + hour,
        };
        match self.market.courier().providers().first().read(read).await {
            Answer::Done(remote) => remote,
            other => panic!("{other:?}"),
        }
    }

    /// The provider holds what the ledger says.
    pub async fn agrees(&self) {
        let (env, courier) = (self.market.env("payments"), self.market.courier());
        let differences = payments::reconcile::compare_balances(env, &courier).await.unwrap();
        assert_eq!(differences, 0, "the provider's balance is the ledger's");
    }

    /// Somebody presses a button on a page of the fake's. Where it leads is not visited.
    pub async fn press(&self, url: &str, decision: &str) {
        let request = self.http.post(url).header("content-type", FORM);
        let answer = request.body(format!("decision={decision}")).send().await.unwrap();
        assert!(answer.status().is_success() || answer.status().is_redirection(), "{}", answer.status());
    }

    /// What Stripe does not have.
    pub async fn control(&self, what: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/_fake/{what}", self.fake()));
        let request = request.header("content-type", "application/json").body(body.to_string());
        read(request).await
    }

    /// What Stripe has, asked for without us.
    pub async fn get(&self, path: &str) -> Value {
        read(self.http.get(format!("{}{path}", self.fake())).bearer_auth(SECRET_KEY)).await
    }

    /// Somebody does something at Stripe without us.
    pub async fn post(&self, path: &str, form: &str) -> Value {
        let request = self.http.post(format!("{}{path}", self.fake())).bearer_auth(SECRET_KEY);
        let request = request.header("content-type", FORM);
        read(request.body(form.to_owned())).await
    }

    fn fake(&self) -> String {
        self.fake.as_ref().expect("only Stripe has a dashboard").url()
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap()
}

async fn read(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}
