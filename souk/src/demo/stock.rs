//! The demo's shelves: a store room for each shop, and pieces of every offer.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use catalog::import::LoadedOffer;
use chassis::{Env, Failure, tx};
use contract::{LocationId, OfferId, SellerId};
use entity::inventory::{location as row, stock_level};
use inventory::location::{self, Create, CreateRefusal};
use inventory::{Arrival, Keeper};
use rand::Rng;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

/// Who moves the demo's stock, in the log.
pub(super) const KEEPER: Keeper = Keeper::System("demo");

const ROOM: &str = "Store room";
/// Pieces of an offer at the start, at most.
const PIECES_MAX: i64 = 40;
/// How long inventory may take to hear of what accounts and catalog have said.
const HEARD_TIMEOUT: Duration = Duration::from_secs(60);
/// How often to ask whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Ids in one question.
const IDS_MAX: usize = 1_000;

/// Where each shop keeps its stock.
pub(super) type Rooms = BTreeMap<SellerId, LocationId>;

/// Opens a store room for each shop that has none.
pub(super) async fn rooms(inventory: &Env, shops: &[SellerId]) -> Result<Rooms, Failure> {
    let mut rooms = Rooms::new();
    for shop in shops {
        rooms.insert(*shop, room(inventory, *shop).await?);
    }
    Ok(rooms)
}

async fn room(inventory: &Env, shop: SellerId) -> Result<LocationId, Failure> {
    let opened = tokio::time::timeout(HEARD_TIMEOUT, async {
        loop {
            let command = Create { keeper: KEEPER, seller_id: Some(shop), name: ROOM.into() };
            let now = inventory.clock.now();
            match tx::run(&inventory.db, async |tx| location::create(tx, now, command).await).await? {
                Ok(room) => return Ok(room.id),
                // The shop is so new that inventory has not heard of it.
                Err(CreateRefusal::SellerNotFound) => tokio::time::sleep(LOOK_EVERY).await,
                Err(CreateRefusal::NameTaken) => return known_room(inventory, shop).await,
                Err(refusal) => return Err(Failure::msg(refusal)),
            }
        }
    });
    opened.await.map_err(|_| Failure::msg("inventory never heard of the demo's shops"))?
}

async fn known_room(inventory: &Env, shop: SellerId) -> Result<LocationId, Failure> {
    let known = row::Entity::find().filter(row::Column::SellerId.eq(shop)).filter(row::Column::Name.eq(ROOM));
    let known = known.one(inventory.db.read()).await?;
    known.map(|room| room.id).ok_or_else(|| Failure::msg("the store room has gone"))
}

/// Puts pieces of every offer on its shelf, unless some were put there before.
pub(super) async fn fill(
    inventory: &Env,
    rooms: &Rooms,
    offers: &[LoadedOffer],
    random: &mut impl Rng,
) -> Result<(), Failure> {
    let ids: Vec<OfferId> = offers.iter().map(|offer| offer.offer).collect();
    if !inventory::offer::wait_until_known(&inventory.db, &ids, HEARD_TIMEOUT).await? {
        return Err(Failure::msg("inventory never heard of the demo's offers"));
    }
    let stocked = stocked(inventory, &ids).await?;
    let arrivals: Vec<Arrival> = offers
        .iter()
        .map(|offer| Arrival {
            offer_id: offer.offer,
            location_id: rooms[&offer.seller],
            quantity: random.random_range(1..=PIECES_MAX),
        })
        .filter(|arrival| !stocked.contains(&arrival.offer_id))
        .collect();
    let Some(first) = arrivals.first() else { return Ok(()) };
    let key = format!("{} and {} more", first.offer_id, arrivals.len() - 1);
    let received = inventory::receive_many(inventory, KEEPER, &key, arrivals).await?;
    received.map(drop).map_err(Failure::msg)
}

/// Those of `offers` that have had stock.
async fn stocked(inventory: &Env, offers: &[OfferId]) -> Result<HashSet<OfferId>, Failure> {
    let mut stocked = HashSet::new();
    for some in offers.chunks(IDS_MAX) {
        let ids: Vec<OfferId> = stock_level::Entity::find()
            .select_only()
            .column(stock_level::Column::OfferId)
            .filter(stock_level::Column::OfferId.is_in(some.iter().copied()))
            .filter(stock_level::Column::Version.gt(0))
            .into_tuple()
            .all(inventory.db.read())
            .await?;
        stocked.extend(ids);
    }
    Ok(stocked)
}
