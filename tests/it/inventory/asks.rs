//! What other services ask of inventory, and its answers.

use chassis::outbox::{self, about};
use chassis::tx;
use chrono::TimeDelta;
use contract::event::inventory::{
    CommitStock, Line, PiecesRejected, ReleaseStock, ReservePieces, ReserveStock,
};
use contract::{Envelope, Event, OfferId, ReservationId};
use entity::shared::outbox as outbox_row;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Shop, books_are_right};
use crate::support::Market;

fn reserve(market: &Market, reservation_id: ReservationId, lines: &[(OfferId, i64)]) -> Event {
    let lines = lines.iter().map(|(offer_id, quantity)| Line { offer_id: *offer_id, quantity: *quantity });
    let expires_at = market.clock.now() + TimeDelta::minutes(10);
    ReserveStock { reservation_id, order_id: None, lines: lines.collect(), expires_at }.into()
}

/// Says asks as orders would; here catalog lends its voice.
async fn say(market: &Market, asks: Vec<(ReservationId, Event)>) {
    let now = market.clock.now();
    let asks = asks.into_iter().map(|(id, ask)| (about("reservation", id, 1), ask)).collect();
    tx::apply(&market.env("catalog").db, async |tx| outbox::say_all(tx, now, asks).await).await.unwrap();
    market.settle().await;
}

/// The kinds of the answers about reservations, in their order.
async fn answers(market: &Market) -> Vec<String> {
    let rows = outbox_row::Entity::find()
        .filter(outbox_row::Column::AggregateKind.eq("reservation"))
        .order_by_asc(outbox_row::Column::Seq)
        .all(market.env("inventory").db.read())
        .await
        .unwrap();
    rows.into_iter().map(|row| row.kind.trim_start_matches("inventory.stock_").to_owned()).collect()
}

/// The answers about pieces, in their order.
async fn pieces_told(market: &Market) -> Vec<Event> {
    let rows = outbox_row::Entity::find()
        .filter(outbox_row::Column::AggregateKind.eq("pieces"))
        .order_by_asc(outbox_row::Column::Seq)
        .all(market.env("inventory").db.read())
        .await
        .unwrap();
    rows.iter().map(|row| serde_json::from_str::<Envelope>(&row.envelope).unwrap().event).collect()
}

souk_test! {
    async fn a_thousand_asks_for_a_hundred_units_sell_exactly_a_hundred(market: &Market) {
        let shop = Shop::open(market, "Hot").await;
        let offer = shop.stocked(100).await;
        let asks = (0..1_000).map(|_| {
            let id = ReservationId::new();
            (id, reserve(market, id, &[(offer, 1)]))
        });
        say(market, asks.collect()).await;
        let answers = answers(market).await;
        assert_eq!(answers.iter().filter(|kind| *kind == "reserved").count(), 100);
        assert_eq!(answers.iter().filter(|kind| *kind == "rejected").count(), 900);
        assert_eq!(shop.levels(offer).await, [100, 100, 0]);
        books_are_right(market).await;
    }

    async fn an_ask_is_all_lines_or_none(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (plenty, scarce) = (shop.stocked(10).await, shop.stocked(1).await);
        let id = ReservationId::new();
        say(market, vec![(id, reserve(market, id, &[(plenty, 5), (scarce, 2)]))]).await;
        assert_eq!(answers(market).await, ["rejected"]);
        assert_eq!(shop.levels(plenty).await, [10, 0, 10]);
    }

    async fn the_same_ask_twice_reserves_once_and_is_answered_twice(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let id = ReservationId::new();
        say(market, vec![(id, reserve(market, id, &[(offer, 3)]))]).await;
        say(market, vec![(id, reserve(market, id, &[(offer, 3)])), (id, reserve(market, id, &[(offer, 3)]))]).await;
        assert_eq!(answers(market).await, ["reserved"; 3]);
        assert_eq!(shop.levels(offer).await, [10, 3, 7]);
    }

    async fn a_rejected_ask_stays_rejected_when_stock_comes_in(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(1).await;
        let id = ReservationId::new();
        say(market, vec![(id, reserve(market, id, &[(offer, 2)]))]).await;
        shop.does("receiveStock", shop.at(offer, serde_json::json!({ "quantity": 5 }))).await;
        say(market, vec![(id, reserve(market, id, &[(offer, 2)]))]).await;
        assert_eq!(answers(market).await, ["rejected"; 2]);
        assert_eq!(shop.levels(offer).await, [6, 0, 6]);
    }

    async fn commit_and_release_happen_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let (sold, back) = (ReservationId::new(), ReservationId::new());
        say(market, vec![(sold, reserve(market, sold, &[(offer, 3)])), (back, reserve(market, back, &[(offer, 2)]))])
            .await;
        let commit = |id| (id, CommitStock { reservation_id: id }.into());
        let release = |id| (id, ReleaseStock { reservation_id: id, reason: "buyer left".into() }.into());
        say(market, vec![commit(sold), commit(sold), release(sold), release(back), release(back), commit(back)]).await;
        assert_eq!(
            answers(market).await[2..],
            ["committed", "committed", "committed", "released", "released", "released"]
        );
        assert_eq!(shop.levels(offer).await, [7, 0, 7]);
        books_are_right(market).await;
    }

    silent async fn an_event_delivered_twice_is_applied_once(market: &Market) {
        let id = ReservationId::new();
        let envelope = Envelope {
            id: contract::EventId::new(),
            schema_version: 1,
            aggregate: about("reservation", id, 1),
            occurred_at: market.clock.now(),
            traceparent: None,
            event: reserve(market, id, &[(OfferId::new(), 1)]),
        };
        let consumers = market.souk.consumers();
        let ear = consumers.iter().find(|consumer| consumer.name == "inventory.asks").unwrap();
        ear.deliver(vec![envelope.clone(), envelope.clone()]).await.unwrap();
        ear.deliver(vec![envelope]).await.unwrap();
        assert_eq!(answers(market).await, ["rejected"]);
    }

    async fn pieces_are_reserved_one_by_one_all_or_none(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer_id = shop.stocked(3).await;
        let pieces = |many: usize| {
            let reservations: Vec<ReservationId> = (0..many).map(|_| ReservationId::new()).collect();
            let expires_at = market.clock.now() + TimeDelta::minutes(10);
            (reservations[0], ReservePieces { reservations, offer_id, expires_at })
        };
        let (id, too_many) = pieces(5);
        say(market, vec![(id, too_many.clone().into()), (id, too_many.clone().into())]).await;
        assert_eq!(shop.levels(offer_id).await, [3, 0, 3]);
        let rejected = PiecesRejected { reservations: too_many.reservations, offer_id, available: 3 };
        assert_eq!(pieces_told(market).await, [rejected.clone().into(), rejected.into()], "the same answer each time");

        let (id, all) = pieces(3);
        let [first, second, third] = all.reservations[..] else { unreachable!("three") };
        say(market, vec![(id, all.clone().into()), (id, all.into())]).await;
        assert_eq!(shop.levels(offer_id).await, [3, 3, 0]);
        let release = |id| ReleaseStock { reservation_id: id, reason: "cancelled".into() };
        let commit = CommitStock { reservation_id: second };
        say(market, vec![(first, release(first).into()), (second, commit.into()), (third, release(third).into())]).await;
        assert_eq!(shop.levels(offer_id).await, [2, 0, 2], "each by itself");

        let (id, two) = pieces(2);
        let gone: Vec<_> = two.reservations.iter().map(|id| (*id, release(*id).into())).collect();
        say(market, [vec![(id, two.into())], gone].concat()).await;
        assert_eq!(shop.levels(offer_id).await, [2, 0, 2], "released right after");
        books_are_right(market).await;
    }

    async fn an_ask_that_makes_no_sense_is_rejected_and_holds_nobody_up(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let (bad, good) = (ReservationId::new(), ReservationId::new());
        let nonsense = reserve(market, bad, &[(offer, i64::MAX), (offer, i64::MAX), (offer, -1)]);
        say(market, vec![(bad, nonsense), (good, reserve(market, good, &[(offer, 1)]))]).await;
        assert_eq!(answers(market).await, ["rejected", "reserved"]);
    }
}
