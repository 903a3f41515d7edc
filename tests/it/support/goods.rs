//! Goods on a shelf, made the way imports make them.

use catalog::import::{NewListing, NewOffer, NewVariant, load};
use chassis::tx;
use contract::{CurrencyCode, LocationId, Money, OfferId, SellerId, VariantId};
use entity::catalog::Condition;
use inventory::location::{self, Create};
use inventory::{Arrival, Keeper, receive_many};

use super::{Market, Person};

/// Who moves this stock, in the log.
pub const KEEPER: Keeper = Keeper::System("test");

/// A published product with one variant and one offer, in stock.
#[derive(Clone, Copy, Debug)]
pub struct Goods {
    pub variant: VariantId,
    pub offer: OfferId,
    pub location: LocationId,
}

impl Goods {
    /// `pieces` of a new product that `seller` offers at 12.50 EUR.
    pub async fn stock(market: &Market, seller: &Person, title: &str, pieces: i64) -> Self {
        let seller_id = seller.seller.expect("a seller has a shop");
        let loaded = load(market.env("catalog"), vec![listing(title, seller_id)]).await.unwrap();
        assert_eq!(loaded.refused, []);
        market.settle().await;
        let (offer, variant) = (loaded.offers[0].offer, loaded.offers[0].variant);
        let location = open_location(market, seller_id, title).await;
        let arrival = Arrival { offer_id: offer, location_id: location, quantity: pieces };
        receive_many(market.env("inventory"), KEEPER, title, vec![arrival]).await.unwrap().unwrap();
        market.settle().await;
        Self { variant, offer, location }
    }
}

/// A product with one variant and one offer.
pub fn listing(title: &str, seller: SellerId) -> NewListing {
    let price = Money { amount_minor: 1_250, currency: CurrencyCode::EUR };
    NewListing {
        handle: title.to_lowercase().replace(' ', "-"),
        title: title.into(),
        brand: None,
        model: None,
        description: String::new(),
        category: vec!["Goods".into()],
        attributes: Vec::new(),
        images: Vec::new(),
        variants: vec![NewVariant {
            offers: vec![NewOffer { seller, condition: Condition::New, price }],
            ..Default::default()
        }],
    }
}

async fn open_location(market: &Market, seller_id: SellerId, name: &str) -> LocationId {
    let command = Create { keeper: KEEPER, seller_id: Some(seller_id), name: name.into() };
    let (db, now) = (&market.env("inventory").db, market.clock.now());
    tx::run(db, async |tx| location::create(tx, now, command).await).await.unwrap().unwrap().id
}
