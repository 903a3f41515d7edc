//! Thousands of lines at once, for imports and the demo.

use contract::event::catalog::Publication;
use contract::{LocationId, OfferId, VariantId};
use inventory::{Arrival, Keeper, ReceiveManyRefusal, receive_many};

use super::{Shop, books_are_right};

const KEEPER: Keeper = Keeper::System("test");

souk_test! {
    async fn a_batch_of_thousands_is_received_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let mut offers = vec![];
        for _ in 0..1_500 {
            offers.push(shop.offer_of(VariantId::new(), Publication::Published).await);
        }
        market.settle().await;
        let location_id: LocationId = shop.location.parse().unwrap();
        let arrivals = || -> Vec<Arrival> {
            offers.iter().map(|offer_id| Arrival { offer_id: *offer_id, location_id, quantity: 3 }).collect()
        };
        let env = market.env("inventory");
        assert_eq!(receive_many(env, KEEPER, "first", arrivals()).await.unwrap(), Ok(1_500));
        assert_eq!(receive_many(env, KEEPER, "first", arrivals()).await.unwrap(), Ok(1_500));
        let refused = receive_many(env, KEEPER, "first", arrivals()[1..].to_vec()).await.unwrap();
        assert_eq!(refused, Err(ReceiveManyRefusal::IdempotencyConflict));
        assert_eq!(receive_many(env, KEEPER, "second", arrivals()).await.unwrap(), Ok(1_500));
        assert_eq!(shop.levels(offers[7]).await, [6, 0, 6]);
        books_are_right(market).await;
    }

    async fn a_batch_with_a_bad_line_changes_nothing(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer_id = shop.offer().await;
        let location_id: LocationId = shop.location.parse().unwrap();
        let good = Arrival { offer_id, location_id, quantity: 3 };
        let env = market.env("inventory");
        for (bad, refusal) in [
            (Arrival { quantity: 0, ..good }, ReceiveManyRefusal::QuantityOutOfRange { line: 1 }),
            (Arrival { offer_id: OfferId::new(), ..good }, ReceiveManyRefusal::OffersUnknown { missing: 1 }),
            (Arrival { location_id: LocationId::new(), ..good }, ReceiveManyRefusal::LocationsUnknown { missing: 1 }),
        ] {
            assert_eq!(receive_many(env, KEEPER, "bad", vec![good, bad]).await.unwrap(), Err(refusal));
        }
        assert_eq!(shop.levels(offer_id).await, [0, 0, 0]);
    }
}
