//! Traders on the demo's floor: they bid and ask for the sneakers around what each is worth, so that tickers and charts move.
//!
//! They use the API as everybody does: their orders are refused, matched and settled like anybody's.

use std::time::Duration;

use accounts::Postal;
use async_graphql::{Executor, Request, Variables};
use chassis::auth::{Role, Viewer};
use chassis::graph::Endpoint;
use chassis::{Env, Failure};
use chrono::TimeDelta;
use contract::{SessionId, UserId, VariantId};
use entity::catalog::{product, variant};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tracing::{debug, info};

use super::shops::{ADMIN, PASSWORD};
use super::sneakers;

/// Traders: each has a shop, and buys as well.
const TRADERS: usize = 12;
/// The wait between two orders, at most.
const PAUSE_MS_MAX: u64 = 400;
/// Orders of a market at the start, so that its book is not empty.
const ORDERS_FIRST: usize = 12;
/// How far an order is from what the sneaker is worth, at most, in thousandths.
const SPREAD_MAX: i64 = 60;
/// Of a hundred orders, those that take what is there instead of waiting.
const EAGER_PERCENT: u32 = 25;
/// How much what a sneaker is worth changes with an order, at most, in ten thousandths.
const STEP_MAX: i64 = 60;
/// How often a trader tries to set up where they are paid: payments hears of new shops a moment later.
const SET_UP_TRIES: usize = 50;
const SET_UP_PAUSE: Duration = Duration::from_millis(100);
/// Every price is a multiple of this.
const TICK_MINOR: i64 = 100;

/// Where traders trade.
#[derive(Clone)]
pub(super) struct Places {
    pub accounts: Env,
    pub catalog: Env,
    pub bidding_api: Endpoint,
    pub payments_api: Endpoint,
}

/// Somebody who trades.
struct Trader {
    user: UserId,
    address: String,
}

/// A market, and what traders think a pair is worth.
struct Quoted {
    market: String,
    worth_minor: i64,
}

/// Opens a market for one size of each sneaker, and trades until the process stops.
pub(super) async fn trade(places: &Places, mut random: StdRng) -> Result<(), Failure> {
    let admin = accounts::create_admin(&places.accounts, ADMIN, PASSWORD).await?.map_err(Failure::msg)?;
    let mut traders = Vec::new();
    for number in 1..=TRADERS {
        traders.push(trader(places, number).await?);
    }
    let mut markets = Vec::new();
    for (handle, retail_minor) in sneakers::retail_prices()? {
        let Some(variant) = middle_size(&places.catalog, &handle).await? else { continue };
        let market = open(places, admin, variant, retail_minor).await?;
        let worth_minor = retail_minor * random.random_range(90..250) / 100;
        markets.extend(market.map(|market| Quoted { market, worth_minor }));
    }
    for market in &mut markets {
        for _ in 0..ORDERS_FIRST {
            order(places, &traders, market, &mut random).await;
        }
    }
    info!("The demo's traders are at work in {} markets", markets.len());
    loop {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..PAUSE_MS_MAX))).await;
        // The first are the best known.
        let known = random.random_range(1..=markets.len().max(1));
        let Some(market) = markets.get_mut(..known).and_then(|known| {
            let place = random.random_range(0..known.len().max(1));
            known.get_mut(place)
        }) else {
            return Ok(());
        };
        order(places, &traders, market, &mut random).await;
    }
}

async fn trader(places: &Places, number: usize) -> Result<Trader, Failure> {
    let email = format!("trader{number}@demo.example");
    let shop = format!("Trader {number}");
    let (user, _) = accounts::ensure_seller(&places.accounts, &email, PASSWORD, &shop).await?;
    let home = Postal {
        recipient: shop,
        line1: "1 Market Street".into(),
        line2: None,
        city: "Portland".into(),
        region: Some("OR".into()),
        postal_code: Some("97201".into()),
        country: "US".into(),
        phone: None,
    };
    let address = accounts::ensure_address(&places.accounts, user, home).await?;
    set_up_payouts(places, user).await;
    Ok(Trader { user, address: address.to_string() })
}

/// Markets take asks of those only who can be paid.
async fn set_up_payouts(places: &Places, user: UserId) {
    let query =
        "mutation($input: SetUpPayoutsInput!) { setUpPayouts(input: $input) { ready userErrors { code } } }";
    let back = "http://localhost/";
    for _ in 0..SET_UP_TRIES {
        let seller = viewer(&places.accounts, user, &[Role::Buyer, Role::Seller]);
        let input = json!({ "input": { "returnUrl": back, "refreshUrl": back } });
        let done = ask(&places.payments_api, seller, query, input).await;
        if done["setUpPayouts"]["userErrors"][0]["code"] != "NOT_FOUND" {
            return debug!("A trader of the demo set up payouts: {done}");
        }
        tokio::time::sleep(SET_UP_PAUSE).await;
    }
}

/// The size in the middle: the one that most people wear.
async fn middle_size(catalog: &Env, handle: &str) -> Result<Option<VariantId>, Failure> {
    let found = product::Entity::find().filter(product::Column::Handle.eq(handle));
    let Some(product) = found.one(catalog.db.read()).await? else { return Ok(None) };
    let sizes = variant::Entity::find()
        .filter(variant::Column::ProductId.eq(product.id))
        .order_by_asc(variant::Column::Position)
        .order_by_asc(variant::Column::Id)
        .all(catalog.db.read())
        .await?;
    Ok(sizes.get(sizes.len() / 2).map(|size| size.id))
}

async fn open(
    places: &Places,
    admin: UserId,
    variant: VariantId,
    retail_minor: i64,
) -> Result<Option<String>, Failure> {
    let as_admin = || viewer(&places.accounts, admin, &[Role::Buyer, Role::Admin]);
    let query = "mutation($input: OpenMarketInput!) { openMarket(input: $input) { market { id } userErrors { message } } }";
    let input = json!({ "input": { "variantId": variant } });
    let opened = ask(&places.bidding_api, as_admin(), query, input).await;
    let Some(market) = opened["openMarket"]["market"]["id"].as_str() else {
        debug!("The demo's market of {variant} is not open: {opened}");
        return Ok(None);
    };
    let query =
        "mutation($input: SetRetailPriceInput!) { setRetailPrice(input: $input) { userErrors { message } } }";
    let input = json!({ "input": { "marketId": market, "retailPriceMinor": retail_minor } });
    ask(&places.bidding_api, as_admin(), query, input).await;
    Ok(Some(market.to_owned()))
}

/// Somebody bids or asks. What a pair is worth moves a little.
async fn order(places: &Places, traders: &[Trader], market: &mut Quoted, random: &mut StdRng) {
    let step = market.worth_minor * random.random_range(-STEP_MAX..=STEP_MAX) / 10_000;
    market.worth_minor = (market.worth_minor + step).max(10 * TICK_MINOR);
    let Some(trader) = traders.choose(random) else { return };
    let is_bid = random.random_bool(0.5);
    let price_minor = price(market.worth_minor, is_bid, random);
    let key = format!("demo {}", uuid(random));
    let mut input = json!({ "idempotencyKey": key, "marketId": market.market, "priceMinor": price_minor });
    let (query, roles): (_, &[Role]) = if is_bid {
        input["paymentMethod"] = "pm_card_visa".into();
        input["addressId"] = trader.address.as_str().into();
        (
            "mutation($input: PlaceBidInput!) { placeBid(input: $input) { userErrors { code } } }",
            &[Role::Buyer],
        )
    } else {
        (
            "mutation($input: PlaceAskInput!) { placeAsk(input: $input) { userErrors { code } } }",
            &[Role::Buyer, Role::Seller],
        )
    };
    let placed = ask(
        &places.bidding_api,
        viewer(&places.accounts, trader.user, roles),
        query,
        json!({ "input": input }),
    );
    debug!(market = market.market, price_minor, "A trader of the demo placed an order: {}", placed.await);
}

/// Below what it is worth for who waits to buy, above it for who waits to sell; the other way round for who will not wait.
fn price(worth_minor: i64, is_bid: bool, random: &mut StdRng) -> i64 {
    let spread = random.random_range(0..=SPREAD_MAX);
    let is_eager = random.random_range(0..100) < EAGER_PERCENT;
    let towards = if is_bid == is_eager { spread } else { -spread };
    let price_minor = worth_minor + worth_minor * towards / 1_000;
    (price_minor / TICK_MINOR).max(1) * TICK_MINOR
}

/// Another number each time the demo runs: keys are not used twice.
fn uuid(random: &mut StdRng) -> String {
    format!("{} {}", SessionId::new(), random.random::<u64>())
}

fn viewer(env: &Env, user: UserId, roles: &[Role]) -> Viewer {
    let expires_at = env.clock.now() + TimeDelta::hours(1);
    Viewer { user, session: SessionId::new(), roles: roles.to_vec(), expires_at }
}

/// What a subgraph answers to somebody: its data, or nothing.
async fn ask(api: &Endpoint, viewer: Viewer, query: &str, variables: Value) -> Value {
    let request = Request::new(query).variables(Variables::from_json(variables)).data(viewer);
    let response = Executor::execute(api, request).await;
    for error in &response.errors {
        debug!("The demo was refused: {}", error.message);
    }
    serde_json::to_value(response.data).unwrap_or_default()
}
