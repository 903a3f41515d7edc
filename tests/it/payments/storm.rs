//! A storm of webhooks while payments move: shuffled, doubled, forged, stale and early ones. What is true of a payment is
//! what its provider did, and nothing else.
//!
//! `SOUK_WEBHOOKS=2000 cargo test -p tests --test it -- payments::storm` is the size before a release.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use entity::payments::payment::State;
use entity::payments::sandbox_object::{Kind, Status};
use entity::payments::{payment, provider_event, sandbox_object};
use futures::StreamExt;
use payments::webhook::sign;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::webhooks::{SECRET, pages};
use super::{Sale, provider_agrees, say};
use crate::support::Market;

/// Webhooks, without the second ones of those that are doubled: `SOUK_WEBHOOKS`.
const WEBHOOKS: usize = 240;
/// Webhooks about one payment.
const PER_SALE: usize = 8;
/// On their way at once.
const AT_ONCE: usize = 16;
/// How long payments may take to come as far as they were asked to.
const PATIENCE: Duration = Duration::from_secs(120);
const SEED: u64 = 5;

/// A webhook, as it comes in.
#[derive(Clone)]
struct Webhook {
    id: usize,
    body: String,
    signature: String,
    is_good: bool,
}

souk_test! {
    async fn whatever_webhooks_come_while_payments_move_each_ends_as_its_provider_says(market: &Market) {
        let many = std::env::var("SOUK_WEBHOOKS").map_or(WEBHOOKS, |text| text.parse().unwrap());
        let sales: Vec<Sale> = (0..many.div_ceil(PER_SALE)).map(|_| Sale::new(market)).collect();
        let mut dice = StdRng::seed_from_u64(SEED);
        let webhooks = webhooks(market, &sales, many, &mut dice);
        let pages = pages(market).await;
        let (statuses, ()) = futures::join!(send(&pages, &webhooks), move_all(market, &sales));
        market.settle().await;

        for (webhook, status) in webhooks.iter().zip(statuses) {
            assert_eq!(status, if webhook.is_good { 200 } else { 400 });
        }
        let taken: BTreeSet<usize> = webhooks.iter().filter(|one| one.is_good).map(|one| one.id).collect();
        let db = market.env("payments").db.read();
        assert_eq!(provider_event::Entity::find().count(db).await.unwrap(), taken.len() as u64, "each is stored once");
        let said = [["authorised", "captured"].as_slice(), &["authorised", "voided"], &["declined"], &[]];
        for (at, sale) in sales.iter().enumerate() {
            assert_eq!(sale.answers().await, said[at % 4], "{at}");
        }
        let made = sandbox_object::Entity::find().filter(sandbox_object::Column::Kind.eq(Kind::Intent)).all(db).await.unwrap();
        let captured = made.iter().filter(|made| made.status == Status::Captured).count();
        assert_eq!(captured, sales.len().div_ceil(4), "charged once");
        assert!(made.iter().all(|made| made.status != Status::Held), "no hold is forgotten");
        provider_agrees(market).await;
    }
}

/// About a payment each; a third is doubled, one in six is not to be believed, and they come in any order.
fn webhooks(market: &Market, sales: &[Sale<'_>], many: usize, dice: &mut StdRng) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> =
        (0..many).map(|id| webhook(market, &sales[id / PER_SALE], id, dice)).collect();
    let doubled: Vec<Webhook> = webhooks.iter().filter(|_| dice.random_ratio(3, 10)).cloned().collect();
    webhooks.extend(doubled);
    webhooks.shuffle(dice);
    webhooks
}

fn webhook(market: &Market, sale: &Sale<'_>, id: usize, dice: &mut StdRng) -> Webhook {
    let now = market.clock.now();
    let body = json!({ "id": format!("evt_{id}"), "type": "payment.changed", "payment_id": sale.payment })
        .to_string();
    let (secret, at): (&[u8], _) = match dice.random_range(0..18) {
        0 => (b"another secret".as_slice(), now),
        1 => (&SECRET, now - TimeDelta::seconds(301)),
        2 => (&SECRET, now + TimeDelta::seconds(301)),
        _ => (&SECRET, now),
    };
    let is_good = secret == SECRET && at == now;
    Webhook { id, signature: sign(body.as_bytes(), secret, at), body, is_good }
}

/// The status that each of them was answered with.
async fn send(pages: &str, webhooks: &[Webhook]) -> Vec<u16> {
    let client = reqwest::Client::new();
    let mut posts = vec![];
    for webhook in webhooks {
        let post = client.post(format!("{pages}/provider/webhook/sandbox"));
        posts.push(post.header("sandbox-signature", &webhook.signature).body(webhook.body.clone()));
    }
    let answers = posts.into_iter().map(async |post| post.send().await.unwrap().status().as_u16());
    futures::stream::iter(answers).buffered(AT_ONCE).collect().await
}

/// Of four sales one is paid, one is voided, one is declined, and of one nobody has heard.
async fn move_all(market: &Market, sales: &[Sale<'_>]) {
    let of = |kind: usize| sales.iter().skip(kind).step_by(4);
    let cards = [(0, "pm_card_visa"), (1, "pm_card_visa"), (2, "pm_card_visa_chargeDeclined")];
    for (kind, card) in cards {
        say(market, of(kind).map(|sale| (sale.payment, sale.authorise(card))).collect()).await;
    }
    until(market, of(0).chain(of(1)).count(), State::Authorised).await;
    say(market, of(0).map(|sale| (sale.payment, sale.capture())).collect()).await;
    say(market, of(1).map(|sale| (sale.payment, sale.void())).collect()).await;
    until(market, of(0).count(), State::Captured).await;
    until(market, of(1).count(), State::Voided).await;
    until(market, of(2).count(), State::Declined).await;
}

async fn until(market: &Market, many: usize, state: State) {
    let there = payment::Entity::find().filter(payment::Column::State.eq(state));
    let looking = async {
        while there.clone().count(market.env("payments").db.look()).await.unwrap() < many as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not all are {state:?}"));
}
