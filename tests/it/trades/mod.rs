//! Trades: from a match in the market to a piece in its buyer's hands, or to nothing, with everything that counts looked at
//! after each: money, stock, strikes, the ledger. Everything that is said is said twice.

mod bad_input;
mod centre;
mod held;
mod live;
mod market;
mod money;
mod operators;
mod paths;

use std::collections::HashSet;

use chassis::auth::Role;
use chassis::outbox::{self, about};
use chassis::tx;
use chrono::TimeDelta;
use contract::event::bidding::{Backing, Matched, SellerFees};
use contract::event::catalog::Condition;
use contract::event::inventory::{Line, ReserveStock};
use contract::{
    AddressId, BookOrderId, CurrencyCode, Envelope, Event, MarketId, Money, OfferId, OrderId, ReservationId,
    SellerId, TradeId, UserId, VariantId,
};
use entity::payments::{ledger_account, payment, payout};
use entity::shared::outbox as outbox_row;
use orders::trade::drive::sweep;
use orders::trade::rules::Rules;
use payments::ledger::Account;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::orders::{Shop, levels};
use crate::support::{Market, Person};

/// Pays.
const VISA: &str = "pm_card_visa";
/// Is declined.
const DECLINED: &str = "pm_card_visa_chargeDeclined";
/// Must be confirmed with the bank.
const ASKS_BUYER: &str = "pm_card_threeDSecure2Required";

/// What a piece changes hands for, and what becomes of it, in cents.
const PRICE: i64 = 20_000;
const FEES: i64 = 2_400;
const PAYOUT: i64 = 17_600;
const PENALTY: i64 = 3_000;

/// What trades show of themselves.
const TRADE: &str = "id side status failure dueAt version shipTo { id } price { amountMinor } action { clientSecret } \
    payout { transactionFee { amountMinor } processingFee { amountMinor } payout { amountMinor } penalty { amountMinor } } \
    seller { id } parcels { way carrier tracking arrivedAt } timeline { sequence kind } \
    authentication { verdict boxRight reason photos }";

/// Somebody whose token is always fresh: days pass here.
#[derive(Clone, Copy)]
struct Who {
    user: UserId,
    roles: &'static [Role],
}

impl Who {
    fn new(roles: &'static [Role]) -> Self {
        Self { user: UserId::new(), roles }
    }

    fn authenticator() -> Self {
        Self::new(&[Role::Buyer, Role::Authenticator])
    }

    fn person(self, market: &Market) -> Person {
        let token = market.minter.token(self.user, self.roles, market.clock.now());
        Person { user: self.user, token, seller: None }
    }
}

/// A match, and everybody who has to do with it.
struct Case<'m> {
    market: &'m Market,
    offer: OfferId,
    trade: TradeId,
    buyer: Who,
    seller: Who,
    seller_id: SellerId,
    centre: Who,
}

/// Days, minutes and so on.
fn rules() -> Rules {
    Rules::default()
}

/// A shop with five pieces of something.
async fn stocked<'m>(market: &'m Market) -> (Shop<'m>, OfferId) {
    let shop = Shop::open(market, "Shop").await;
    let offer = shop.offer(PRICE, 5).await;
    (shop, offer)
}

impl<'m> Case<'m> {
    /// A match of a new buyer, who pays with `method`, and an ask that is backed by a piece of `offer`.
    async fn matched(shop: &Shop<'_>, market: &'m Market, offer: OfferId, method: &str) -> Self {
        let buyer = Who::new(&[Role::Buyer]);
        let case = Self {
            market,
            offer,
            trade: TradeId::new(),
            buyer,
            seller: Who { user: shop.seller.user, roles: &[Role::Buyer, Role::Seller] },
            seller_id: shop.seller.seller.unwrap(),
            centre: Who::authenticator(),
        };
        let reservation_id = ReservationId::new();
        let lines = vec![Line { offer_id: offer, quantity: 1 }];
        let expires_at = market.clock.now() + TimeDelta::days(60);
        say(market, "catalog", ReserveStock { reservation_id, order_id: None, lines, expires_at }).await;
        market.settle().await;
        say(market, "catalog", case.said(method, reservation_id)).await;
        case.settle().await;
        case
    }

    fn said(&self, method: &str, reservation_id: ReservationId) -> Matched {
        Matched {
            trade_id: self.trade,
            market_id: MarketId::new(),
            variant_id: VariantId::new(),
            condition: Condition::New,
            bid_id: BookOrderId::new(),
            ask_id: BookOrderId::new(),
            buyer_id: self.buyer.user,
            seller_user_id: self.seller.user,
            seller_id: self.seller_id,
            price: Money { amount_minor: PRICE, currency: CurrencyCode::EUR },
            fees: SellerFees {
                schedule: "2026-01".into(),
                level: 1,
                transaction_minor: 1_800,
                processing_minor: 600,
                payout_minor: PAYOUT,
                penalty_minor: PENALTY,
            },
            payment_method: method.into(),
            hold: None,
            address_id: AddressId::new(),
            backing: Some(Backing { offer_id: self.offer, reservation_id }),
            matched_at: self.market.clock.now(),
        }
    }

    /// Lets everything arrive, says all of it again, and lets that arrive.
    async fn settle(&self) {
        self.market.settle().await;
        say_again(self.market).await;
        self.market.settle().await;
    }

    async fn does(&self, who: Who, mutation: &str, thing: &str, facts: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {thing} userErrors {{ code field message {facts} }} }} }}"
        );
        let by = who.person(self.market);
        let mut data = self.market.data("orders", Some(&by), &query, json!({ "input": input })).await;
        self.settle().await;
        data[mutation].take()
    }

    async fn send(&self, who: Who, mutation: &str, tracking: &str) -> Value {
        let input = json!({ "tradeId": self.trade, "carrier": "DHL", "tracking": tracking });
        self.does(who, mutation, "trade { status }", "", input).await
    }

    async fn ship(&self) -> Value {
        self.send(self.seller, "shipTrade", "to the centre").await
    }

    async fn receive(&self) -> Value {
        let input = json!({ "tradeId": self.trade });
        self.does(self.centre, "receiveTrade", "trade { status }", "", input).await
    }

    async fn claim(&self, who: Who) -> Value {
        let input = json!({ "tradeId": self.trade });
        let thing = "task { state claimedById claimedUntil }";
        self.does(who, "claimAuthenticationTask", thing, "claimedUntil", input).await
    }

    async fn complete(&self, who: Who, passes: bool) -> Value {
        let mut input = json!({
            "tradeId": self.trade, "verdict": "PASS", "boxRight": true, "markersRight": true, "sizeRight": true,
            "photos": ["https://photos.example.org/1.jpg"],
        });
        if !passes {
            input["verdict"] = json!("FAIL");
            input["markersRight"] = json!(false);
            input["reason"] = json!("the seam is glued");
        }
        self.does(who, "completeAuthenticationTask", "task { state findings { verdict } }", "", input).await
    }

    async fn look_at(&self, passes: bool) {
        for (done, what) in [
            (self.ship().await, "shipped"),
            (self.receive().await, "received"),
            (self.claim(self.centre).await, "claimed"),
            (self.complete(self.centre, passes).await, "completed"),
        ] {
            assert_eq!(codes(&done), [""; 0], "{what}: {done}");
        }
    }

    async fn dispatch(&self) -> Value {
        self.send(self.centre, "dispatchTrade", "from the centre").await
    }

    async fn delivered(&self, who: Who) -> Value {
        let input = json!({ "tradeId": self.trade });
        self.does(who, "confirmTradeDelivery", "trade { status }", "", input).await
    }

    /// The trade as `who` sees it.
    async fn seen_by(&self, who: Who) -> Value {
        let query = format!("query($id: ID!) {{ trade(id: $id) {{ {TRADE} }} }}");
        let by = who.person(self.market);
        self.market.data("orders", Some(&by), &query, json!({ "id": self.trade })).await["trade"].take()
    }

    async fn status(&self) -> String {
        self.seen_by(self.buyer).await["status"].as_str().unwrap().to_owned()
    }

    /// What happened to it.
    async fn timeline(&self) -> Vec<String> {
        let trade = self.seen_by(self.buyer).await;
        let entries = trade["timeline"].as_array().unwrap();
        assert_eq!(trade["version"].as_u64().unwrap(), entries.len() as u64);
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// Lets time pass, and does what is due.
    async fn wait(&self, time: TimeDelta) {
        self.market.clock.advance(time);
        sweep(self.market.env("orders"), &rules()).await.unwrap();
        self.settle().await;
    }

    /// Causes of strikes that count.
    async fn strikes(&self, who: Who) -> Vec<String> {
        let standing = standing(self.market, who).await;
        let strikes = standing["strikes"].as_array().unwrap();
        strikes.iter().map(|strike| strike["cause"].as_str().unwrap().to_owned()).collect()
    }

    /// On hand, reserved and available.
    async fn stock(&self) -> [i64; 3] {
        levels(self.market, self.offer).await
    }

    fn held(&self) -> Account {
        Account::Held(OrderId(self.trade.0), self.seller_id)
    }

    /// What the ledger says: held for the seller, owed by the seller, earned by the platform.
    async fn ledger(&self) -> [i64; 3] {
        let owed = -balance(self.market, Account::Receivable(self.seller_id)).await;
        [balance(self.market, self.held()).await, owed, balance(self.market, Account::PlatformFee).await]
    }

    /// What was taken from the buyer and what went back.
    async fn paid(&self) -> [i64; 2] {
        let own = payment::Entity::find().filter(payment::Column::OrderId.eq(self.trade.0));
        let row = own.one(self.market.env("payments").db.read()).await.unwrap();
        row.map_or([0, 0], |row| [row.captured_minor, row.refunded_minor])
    }

    /// What was sent to the seller's bank for this trade.
    async fn sent_to_seller(&self) -> i64 {
        let rows = payout::Entity::find().filter(payout::Column::OrderId.eq(self.trade.0));
        let rows = rows.all(self.market.env("payments").db.read()).await.unwrap();
        rows.iter().map(|row| row.amount_minor).sum()
    }

    /// The kinds of what orders has said to everybody about it, once each, in their order.
    async fn told(&self) -> Vec<String> {
        let rows = outbox_row::Entity::find()
            .filter(outbox_row::Column::AggregateKind.eq("trade"))
            .filter(outbox_row::Column::AggregateId.eq(self.trade.0))
            .filter(outbox_row::Column::AggregateVersion.gt(0))
            .filter(outbox_row::Column::Kind.starts_with("orders."))
            .order_by_asc(outbox_row::Column::Seq);
        let rows = rows.all(self.market.env("orders").db.read()).await.unwrap();
        let told = rows.into_iter().map(|row| {
            let envelope: Envelope = serde_json::from_str(&row.envelope).unwrap();
            match envelope.event {
                Event::TradeFailed(failed) => format!("{:?}", failed.because),
                event => event.kind().to_owned(),
            }
        });
        told.collect()
    }
}

/// How somebody stands.
async fn standing(market: &Market, who: Who) -> Value {
    let query = "{ tradeStanding { good suspendedUntil strikesAllowed strikes { cause tradeId } } }";
    market.data("orders", Some(&who.person(market)), query, json!({})).await["tradeStanding"].take()
}

/// What is on the credit side of an account.
async fn balance(market: &Market, account: Account) -> i64 {
    let row = ledger_account::Entity::find_by_id(account.id(CurrencyCode::EUR));
    let row = row.one(market.env("payments").db.read()).await.unwrap();
    row.map_or(0, |row| row.credits_posted - row.debits_posted)
}

/// Says something, as another service would.
async fn say(market: &Market, service: &str, event: impl Into<Event>) {
    say_about(market, service, uuid::Uuid::now_v7(), event.into()).await;
}

/// Version 0 marks what is only said again.
async fn say_about(market: &Market, service: &str, id: uuid::Uuid, event: Event) {
    let now = market.clock.now();
    tx::apply(&market.env(service).db, async |tx| outbox::say(tx, now, about("trade", id, 0), event).await)
        .await
        .unwrap();
}

/// Says once more, as new messages, everything about trades that anybody has said so far.
async fn say_again(market: &Market) {
    for service in ["bidding", "catalog", "orders", "payments", "inventory"] {
        let rows = outbox_row::Entity::find().order_by_asc(outbox_row::Column::Seq);
        let rows = rows.all(market.env(service).db.read()).await.unwrap();
        let mut said = HashSet::new();
        for row in rows {
            let envelope: Envelope = serde_json::from_str(&row.envelope).unwrap();
            if is_about_trades(&envelope.event) && said.insert(format!("{:?}", envelope.event)) {
                say_about(market, service, row.aggregate_id, envelope.event).await;
            }
        }
    }
}

fn is_about_trades(event: &Event) -> bool {
    let kind = event.kind();
    kind.starts_with("payments.")
        || kind.starts_with("bidding.")
        || kind.starts_with("orders.trade")
        || matches!(event, Event::CommitStock(_) | Event::ReleaseStock(_) | Event::StockCommitted(_))
}

/// The codes of a payload's errors.
fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}"));
    errors.iter().map(|error| error["code"].as_str().unwrap()).collect()
}
