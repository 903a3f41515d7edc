//! Buying: from a cart to a paid order, or to nothing at all.

mod afterwards;
mod carts;
mod checkout;
mod promotions;
mod quotes;
mod sagas;
mod statements;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chassis::outbox::{self, about};
use chassis::tx;
use contract::event::catalog::{Condition, OfferChanged, Publication};
use contract::{CurrencyCode, LocationId, Money, OfferId, ProductId, VariantId};
use inventory::location::{self, Create};
use inventory::{Arrival, receive_many};
use serde_json::{Value, json};

use crate::support::goods::KEEPER;
use crate::support::{Market, Person};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pays.
pub const VISA: &str = "pm_card_visa";
/// Is declined.
const DECLINED: &str = "pm_card_visa_chargeDeclined";
/// Must be confirmed with the bank.
const ASKS_BUYER: &str = "pm_card_threeDSecure2Required";

/// A verified seller with one location.
pub struct Shop<'m> {
    market: &'m Market,
    pub seller: Person,
    location: LocationId,
}

impl<'m> Shop<'m> {
    pub async fn open(market: &'m Market, name: &str) -> Self {
        let seller = market.seller(name).await;
        let command = Create { keeper: KEEPER, seller_id: seller.seller, name: "Warehouse".into() };
        let (db, now) = (&market.env("inventory").db, market.clock.now());
        let location =
            tx::run(db, async |tx| location::create(tx, now, command).await).await.unwrap().unwrap();
        Self { market, seller, location: location.id }
    }

    /// An offer at `minor` cents with so many pieces.
    pub async fn offer(&self, minor: i64, pieces: i64) -> OfferId {
        self.offer_in(CurrencyCode::EUR, minor, pieces).await
    }

    async fn offer_in(&self, currency: CurrencyCode, minor: i64, pieces: i64) -> OfferId {
        let offer = OfferId::new();
        self.say(offer, Money { amount_minor: minor, currency }, Publication::Published, 1).await;
        self.market.settle().await;
        if pieces > 0 {
            self.receive(offer, pieces).await;
        }
        offer
    }

    async fn receive(&self, offer: OfferId, pieces: i64) {
        let arrival = Arrival { offer_id: offer, location_id: self.location, quantity: pieces };
        let key = key();
        receive_many(self.market.env("inventory"), KEEPER, &key, vec![arrival]).await.unwrap().unwrap();
        self.market.settle().await;
    }

    /// Says, as catalog would, how an offer is now.
    async fn say(&self, offer_id: OfferId, price: Money, publication: Publication, version: i64) {
        let changed = OfferChanged {
            offer_id,
            product_id: ProductId::new(),
            variant_id: VariantId::new(),
            seller_id: self.seller.seller.unwrap(),
            condition: Condition::New,
            price,
            publication,
        };
        let now = self.market.clock.now();
        tx::apply(&self.market.env("catalog").db, async |tx| {
            outbox::say(tx, now, about("offer", offer_id, version), changed).await
        })
        .await
        .unwrap();
    }

    /// [`levels`] of an offer.
    pub async fn levels(&self, offer: OfferId) -> [i64; 3] {
        levels(self.market, offer).await
    }
}

/// On hand, reserved and available, as an admin sees them.
pub async fn levels(market: &Market, offer: OfferId) -> [i64; 3] {
    let query = "query($offer: ID!) { stock(offerId: $offer) { onHand reserved available } }";
    let data = market.data("inventory", Some(&market.admin()), query, json!({ "offer": offer })).await;
    ["onHand", "reserved", "available"].map(|field| data["stock"][field].as_i64().unwrap())
}

fn eur(amount_minor: i64) -> Money {
    Money { amount_minor, currency: CurrencyCode::EUR }
}

fn key() -> String {
    static KEYS: AtomicU32 = AtomicU32::new(0);
    format!("key {}", KEYS.fetch_add(1, Ordering::Relaxed))
}

/// Somebody who buys: a guest with a cart's token, or a user.
#[derive(Clone)]
pub struct Buyer<'m> {
    market: &'m Market,
    person: Option<Person>,
    token: Option<String>,
}

const CART: &str = "id promotionCode checkingOut version lines { quantity available offer { id } \
    priceWhenAdded { amountMinor } priceNow { amountMinor } }";
const ORDER: &str = "id status version cancelReason total { amountMinor currency } action { redirectUrl clientSecret } \
    lines { number quantity offer { id } unitPrice { amountMinor } total { amountMinor } } \
    shares { seller { id } total { amountMinor } } contact { email recipient city } timeline { sequence kind }";

impl<'m> Buyer<'m> {
    /// A guest whose cart holds so many pieces of each offer.
    pub async fn guest(market: &'m Market, lines: &[(OfferId, i64)]) -> Self {
        let mut guest = Self { market, person: None, token: None };
        let set = guest.set(lines).await;
        guest.token = Some(set["cartToken"].as_str().unwrap_or_else(|| panic!("{set}")).to_owned());
        guest
    }

    fn user(market: &'m Market) -> Self {
        Self { market, person: Some(market.buyer()), token: None }
    }

    async fn does(&self, mutation: &str, thing: &str, facts: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {thing} userErrors {{ code field message {facts} }} }} }}"
        );
        let variables = json!({ "input": input });
        self.market.data("orders", self.person.as_ref(), &query, variables).await[mutation].take()
    }

    async fn set(&self, lines: &[(OfferId, i64)]) -> Value {
        let lines: Vec<Value> =
            lines.iter().map(|(offer, quantity)| json!({ "offerId": offer, "quantity": quantity })).collect();
        let input = json!({ "cartToken": self.token, "lines": lines });
        let thing = format!("cartToken cart {{ {CART} }}");
        self.does("setCartLines", &thing, "offerId currency orderId", input).await
    }

    async fn cart(&self) -> Value {
        let query = format!("query($token: String) {{ cart(cartToken: $token) {{ {CART} }} }}");
        let variables = json!({ "token": self.token });
        self.market.data("orders", self.person.as_ref(), &query, variables).await["cart"].take()
    }

    /// Offers and quantities in the cart.
    async fn holds(&self) -> Vec<(String, i64)> {
        let cart = self.cart().await;
        let lines = cart["lines"].as_array().cloned().unwrap_or_default();
        let line = |line: &Value| {
            (line["offer"]["id"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap())
        };
        lines.iter().map(line).collect()
    }

    async fn quote(&self, country: &str) -> Value {
        let query = "query($input: QuoteInput!) { quote(input: $input) {
            quote { goods { amountMinor } shipping { amountMinor } discount { amountMinor } tax { amountMinor }
                taxIncluded total { amountMinor currency }
                lines { quantity total { amountMinor } unitPrice { amountMinor } priceWhenAdded { amountMinor } }
                shares { seller { id } total { amountMinor } } promotions { name code discount { amountMinor } } }
            userErrors { code field message offerId requested available currency promotionCode } } }";
        let variables = json!({ "input": { "cartToken": self.token, "country": country } });
        self.market.data("orders", self.person.as_ref(), query, variables).await["quote"].take()
    }

    /// Goods, discount, shipping, tax and total of a quote.
    async fn price(&self, country: &str) -> [i64; 5] {
        let quote = self.quote(country).await;
        ["goods", "discount", "shipping", "tax", "total"]
            .map(|part| quote["quote"][part]["amountMinor"].as_i64().unwrap_or_else(|| panic!("{quote}")))
    }

    fn order_input(&self, method: &str, total: i64) -> Value {
        json!({
            "idempotencyKey": key(),
            "cartToken": self.token,
            "email": "buyer@example.org",
            "address": { "recipient": "A. Buyer", "line1": "Main Street 1", "city": "Berlin", "country": "DE" },
            "paymentMethod": method,
            "expectedTotal": { "amountMinor": total, "currency": "EUR" },
            "waitMs": 10_000,
        })
    }

    async fn checkout(&self, input: Value) -> Value {
        let thing = format!("orderToken order {{ {ORDER} }}");
        let facts = "orderId offerId requested available price { amountMinor } priceBefore { amountMinor } \
            declineCode redirectUrl clientSecret promotionCode";
        self.does("checkout", &thing, facts, input).await
    }

    /// Buys the cart, expecting to pay `total`.
    pub async fn buy(&self, method: &str, total: i64) -> Value {
        self.checkout(self.order_input(method, total)).await
    }

    /// An order as its buyer sees it.
    async fn order(&self, placed: &Value) -> Value {
        let query =
            format!("query($id: ID!, $token: String) {{ order(id: $id, orderToken: $token) {{ {ORDER} }} }}");
        let variables = json!({ "id": placed["order"]["id"], "token": placed["orderToken"] });
        self.market.data("orders", self.person.as_ref(), &query, variables).await["order"].take()
    }

    /// The order, once its status is `status`: what the bank decides arrives a moment later.
    async fn once(&self, placed: &Value, status: &str) -> Value {
        let waiting = async {
            loop {
                let order = self.order(placed).await;
                if order["status"] == status {
                    self.market.settle().await;
                    return self.order(placed).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never is {status}"))
    }
}

/// The buyer decides at the bank that the sandbox stands for.
async fn confirm(market: &Market, placed: &Value, accept: bool) {
    let secret = &placed["order"]["action"]["clientSecret"];
    let query =
        "mutation($input: ConfirmSandboxPaymentInput!) { confirmSandboxPayment(input: $input) { done } }";
    let input = json!({ "input": { "clientSecret": secret, "accept": accept } });
    market.data("payments", None, query, input).await;
    market.settle().await;
}

/// The codes of a payload's errors.
pub fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}"));
    errors.iter().map(|error| error["code"].as_str().unwrap()).collect()
}

/// The kinds of what happened to an order.
fn timeline(order: &Value) -> Vec<&str> {
    order["timeline"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

/// Sends any operation to orders as `by`.
async fn call(market: &Market, by: &Person, mutation: &str, thing: &str, input: Value) -> Value {
    let buyer = Buyer { market, person: Some(by.clone()), token: None };
    buyer.does(mutation, thing, "", input).await
}
