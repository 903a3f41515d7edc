//! Stock: never oversold, never lost, seen live.

mod asks;
mod bulk;
mod live;
mod locations;
mod mirrors;
mod operators;
mod oversell;
mod random;
mod reading;
mod reservations;
mod shelves;
mod shipments;
mod verify;

use std::sync::atomic::{AtomicU32, Ordering};

use chassis::outbox::{self, about};
use chassis::tx;
use contract::event::catalog::{Condition, OfferChanged, Publication};
use contract::{CurrencyCode, Money, OfferId, ProductId, VariantId};
use serde_json::{Value, json};

use crate::support::{Market, Person};

/// A verified seller with one location.
pub struct Shop<'m> {
    pub market: &'m Market,
    pub seller: Person,
    pub location: String,
}

impl<'m> Shop<'m> {
    pub async fn open(market: &'m Market, name: &str) -> Self {
        let seller = market.seller(name).await;
        let location = make_location(market, &seller, "Warehouse").await;
        Self { market, seller, location }
    }

    /// A published offer of a new variant, without stock.
    pub async fn offer(&self) -> OfferId {
        let offer = self.offer_of(VariantId::new(), Publication::Published).await;
        self.market.settle().await;
        offer
    }

    /// Says, as catalog would, that the shop made an offer. Its event is on its way.
    pub async fn offer_of(&self, variant: VariantId, publication: Publication) -> OfferId {
        let offer = OfferId::new();
        self.say_offer(offer, variant, publication, 1).await;
        offer
    }

    pub async fn say_offer(
        &self,
        offer_id: OfferId,
        variant_id: VariantId,
        publication: Publication,
        version: i64,
    ) {
        let changed = OfferChanged {
            offer_id,
            product_id: ProductId::new(),
            variant_id,
            seller_id: self.seller.seller.unwrap(),
            condition: Condition::New,
            price: Money { amount_minor: 1_000, currency: CurrencyCode::EUR },
            publication,
        };
        let now = self.market.clock.now();
        tx::apply(&self.market.env("catalog").db, async |tx| {
            outbox::say(tx, now, about("offer", offer_id, version), changed).await
        })
        .await
        .unwrap();
    }

    /// An offer with so many pieces.
    pub async fn stocked(&self, pieces: i64) -> OfferId {
        let offer = self.offer().await;
        let done = self.does("receiveStock", self.at(offer, json!({ "quantity": pieces }))).await;
        assert_eq!(done["stock"]["available"], pieces, "{done}");
        offer
    }

    /// The input that says which shelf, and more.
    fn at(&self, offer: OfferId, more: Value) -> Value {
        merged(json!({ "offerId": offer, "locationId": self.location }), more)
    }

    /// Calls a mutation as the shop's seller, with a new key unless the input has one: its payload.
    pub async fn does(&self, mutation: &str, input: Value) -> Value {
        call(self.market, &self.seller, mutation, input).await
    }

    /// [`does`](Self::does), as the code of the first user error.
    async fn refusal(&self, mutation: &str, input: Value) -> String {
        let payload = self.does(mutation, input).await;
        payload["userErrors"][0]["code"].as_str().unwrap_or("done").to_owned()
    }

    pub async fn reserve(&self, offer: OfferId, quantity: i64) -> Value {
        let lines = json!([{ "offerId": offer, "quantity": quantity }]);
        self.does("reserveStock", json!({ "lines": lines, "ttlSeconds": 60 })).await
    }

    /// On hand, reserved and available, as the seller sees them.
    pub async fn levels(&self, offer: OfferId) -> [i64; 3] {
        let query = "query($offer: ID!) { stock(offerId: $offer) { onHand reserved available } }";
        let data = self.market.data("inventory", Some(&self.seller), query, json!({ "offer": offer })).await;
        ["onHand", "reserved", "available"].map(|field| data["stock"][field].as_i64().unwrap())
    }
}

async fn make_location(market: &Market, seller: &Person, name: &str) -> String {
    let made = call(market, seller, "createLocation", json!({ "name": name })).await;
    made["location"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Calls a mutation of inventory, with a new idempotency key unless the input has one or the mutation takes none.
pub async fn call(market: &Market, by: &Person, mutation: &str, input: Value) -> Value {
    static KEYS: AtomicU32 = AtomicU32::new(0);
    let thing = match mutation {
        "createLocation" | "changeLocation" => "location { id name open version seller { id } }",
        "reserveStock" | "commitReservation" | "releaseReservation" => {
            "reservation { id state orderId reason expiresAt lines { quantity offer { id } } }"
        }
        "planShipment" | "receiveShipment" | "cancelShipment" => {
            "shipment { id state reference lines { expected received offer { id } } }"
        }
        _ => "stock { onHand reserved available sequence offer { id } }",
    };
    let facts = match mutation {
        "reserveStock" => "offerId requested available",
        "adjustStock" => "available",
        "countStock" => "available currentVersion",
        "changeLocation" => "currentVersion",
        _ => "",
    };
    let input = match mutation {
        "changeLocation" | "cancelShipment" => input,
        _ => {
            let key = format!("key {}", KEYS.fetch_add(1, Ordering::Relaxed));
            merged(json!({ "idempotencyKey": key }), input)
        }
    };
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {thing} userErrors {{ code field message {facts} }} }} }}"
    );
    market.data("inventory", Some(by), &query, json!({ "input": input })).await[mutation].take()
}

fn merged(mut into: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an input is an object") };
    into.as_object_mut().unwrap().extend(more);
    into
}

/// Everything in the tables follows from the log.
pub async fn books_are_right(market: &Market) {
    let report = inventory::verify(&market.env("inventory").db).await.unwrap();
    assert!(report.is_right(), "{report}");
}
