//! Money: never taken twice, never lost, always in the books.

mod asks;
mod disputes;
mod faults;
mod graph;
mod jobs;
mod ledger;
mod localstripe;
mod providers;
mod refunds;
mod storm;
mod webhooks;

use chassis::outbox::{self, about};
use chassis::tx;
use chrono::TimeDelta;
use contract::event::payments::{
    AuthorisePayment, CapturePayment, RefundPayment, ReleasePayment, Share, VoidPayment,
};
use contract::{CurrencyCode, Event, Money, OrderId, PaymentId, PayoutId, RefundId, SellerId};
use entity::payments::payment::State;
use entity::payments::{ledger_account, payment, sandbox_object};
use entity::shared::outbox as outbox_row;
use payments::ledger::Account;
use payments::provider::sandbox::{Faults, misbehave};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::support::Market;

/// Everything in the tables follows from the transfers.
async fn books_are_right(market: &Market) {
    let report = payments::ledger::verify(&market.env("payments").db).await.unwrap();
    assert!(report.is_right(), "{report}");
}

/// Says asks as orders would; here catalog lends its voice.
async fn say(market: &Market, asks: Vec<(PaymentId, Event)>) {
    let now = market.clock.now();
    let asks = asks.into_iter().map(|(id, ask)| (about("payment", id, 1), ask)).collect();
    tx::apply(&market.env("catalog").db, async |tx| outbox::say_all(tx, now, asks).await).await.unwrap();
}

/// An order of two sellers: 100.00 with 20.00 tax and 10.00 fee, and 50.00 with 5.00 fee.
struct Sale<'m> {
    market: &'m Market,
    payment: PaymentId,
    order: OrderId,
    sellers: [SellerId; 2],
}

impl<'m> Sale<'m> {
    fn new(market: &'m Market) -> Self {
        Self {
            market,
            payment: PaymentId::new(),
            order: OrderId::new(),
            sellers: [SellerId::new(), SellerId::new()],
        }
    }

    /// A sale of a buyer with this card, as far as it goes: authorised, declined or waiting for the buyer.
    async fn with_card(market: &'m Market, method: &str) -> Self {
        let sale = Self::new(market);
        sale.ask(sale.authorise(method)).await;
        sale
    }

    /// A sale that is paid.
    async fn paid(market: &'m Market, method: &str) -> Self {
        let sale = Self::with_card(market, method).await;
        sale.ask(sale.capture()).await;
        assert_eq!(sale.answers().await, ["authorised", "captured"]);
        sale
    }

    fn authorise(&self, method: &str) -> Event {
        let share = |seller_id, amount_minor, tax_minor, fee_minor| Share {
            seller_id,
            amount_minor,
            tax_minor,
            fee_minor,
        };
        AuthorisePayment {
            payment_id: self.payment,
            order_id: self.order,
            user_id: None,
            amount: Money { amount_minor: 15_000, currency: CurrencyCode::EUR },
            shares: vec![share(self.sellers[0], 10_000, 2_000, 1_000), share(self.sellers[1], 5_000, 0, 500)],
            method: method.into(),
            expires_at: self.market.clock.now() + TimeDelta::minutes(10),
        }
        .into()
    }

    fn capture(&self) -> Event {
        CapturePayment { payment_id: self.payment, order_id: self.order }.into()
    }

    fn void(&self) -> Event {
        let reason = "buyer left".into();
        VoidPayment { payment_id: self.payment, order_id: self.order, reason }.into()
    }

    /// Gives back a part of the first seller's share.
    fn refund(&self, refund_id: RefundId, amount_minor: i64, tax_minor: i64, fee_minor: i64) -> Event {
        let share = Share { seller_id: self.sellers[0], amount_minor, tax_minor, fee_minor };
        self.refund_shares(refund_id, vec![share])
    }

    fn refund_shares(&self, refund_id: RefundId, shares: Vec<Share>) -> Event {
        let (payment_id, order_id, reason) = (self.payment, self.order, "returned".into());
        RefundPayment { refund_id, payment_id, order_id, shares, reason }.into()
    }

    fn release(&self, payout_id: PayoutId, seller_id: SellerId) -> Event {
        ReleasePayment { payout_id, payment_id: self.payment, order_id: self.order, seller_id }.into()
    }

    async fn ask(&self, ask: Event) {
        say(self.market, vec![(self.payment, ask)]).await;
        self.market.settle().await;
    }

    /// What was said about the payment, in its order.
    async fn answers(&self) -> Vec<String> {
        let rows = outbox_row::Entity::find()
            .filter(outbox_row::Column::AggregateKind.eq("payment"))
            .filter(outbox_row::Column::AggregateId.eq(self.payment.0))
            .order_by_asc(outbox_row::Column::Seq)
            .all(self.market.env("payments").db.read())
            .await
            .unwrap();
        rows.into_iter().map(|row| row.kind.trim_start_matches("payments.").to_owned()).collect()
    }

    /// The last thing said about the payment, as JSON.
    async fn said_last(&self) -> serde_json::Value {
        let row = outbox_row::Entity::find()
            .filter(outbox_row::Column::AggregateId.eq(self.payment.0))
            .order_by_desc(outbox_row::Column::Seq)
            .one(self.market.env("payments").db.read())
            .await
            .unwrap()
            .unwrap();
        serde_json::from_str::<serde_json::Value>(&row.envelope).unwrap()["payload"].take()
    }

    async fn row(&self) -> payment::Model {
        let found =
            payment::Entity::find_by_id(self.payment).one(self.market.env("payments").db.read()).await;
        found.unwrap().unwrap()
    }

    async fn state(&self) -> State {
        self.row().await.state
    }

    /// What the provider has of it: kind, status and amount.
    async fn at_provider(&self) -> Vec<(sandbox_object::Kind, sandbox_object::Status, i64)> {
        let db = self.market.env("payments").db.read();
        let all = sandbox_object::Entity::find()
            .order_by_asc(sandbox_object::Column::CreatedAt)
            .all(db)
            .await
            .unwrap();
        let own = |object: &sandbox_object::Model| object.subject == self.payment.to_string();
        let intents: Vec<String> =
            all.iter().filter(|object| own(object)).map(|object| object.id.clone()).collect();
        let mine = |object: &&sandbox_object::Model| {
            own(object) || object.parent.as_ref().is_some_and(|parent| intents.contains(parent))
        };
        all.iter().filter(mine).map(|object| (object.kind, object.status, object.amount_minor)).collect()
    }

    /// Credits less debits of an account.
    async fn balance(&self, account: Account) -> i64 {
        balance(self.market, account).await
    }

    fn held(&self, seller: usize) -> Account {
        Account::Held(self.order, self.sellers[seller])
    }
}

async fn balance(market: &Market, account: Account) -> i64 {
    let id = account.id(CurrencyCode::EUR);
    let row = ledger_account::Entity::find_by_id(id).one(market.env("payments").db.read()).await.unwrap();
    row.map_or(0, |row| row.credits_posted - row.debits_posted)
}

/// Makes every call to the provider go wrong in this way, or none.
async fn faults(market: &Market, faults: Faults) {
    misbehave(market.env("payments"), &faults).await.unwrap();
}

/// The provider holds what the ledger says.
async fn provider_agrees(market: &Market) {
    let env = market.env("payments");
    let differences = payments::reconcile::compare_balances(env, &market.courier()).await.unwrap();
    assert_eq!(differences, 0, "the provider's balance is the ledger's");
}
