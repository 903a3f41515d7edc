//! Rows that are cut, flipped or missing.

use bidding::engine::{Damaged, Follower, Journal, Projection, Recovered, Unanswered, recover, replay};
use chassis::Database;
use entity::bidding::{journal as row, snapshot};
use matching::Event;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::play::{PARTITION, Running, action, clock, journal, on_both, open_market, replay_all};

async fn write(db: &Database, commands: u64) {
    let running = Running::start(journal(db), clock());
    running.send(open_market()).await;
    for number in 0..commands {
        running.send(action(number)).await;
    }
    running.stop().await;
}

async fn change(db: &Database, seq: i64, column: row::Column, value: impl Into<sea_orm::Value>) {
    let changed = row::Entity::update_many()
        .col_expr(column, Expr::val(value))
        .filter(row::Column::Seq.eq(seq))
        .exec(db.write())
        .await
        .unwrap();
    assert_eq!(changed.rows_affected, 1);
}

async fn damage(db: &Database) -> Option<Damaged> {
    let failure = recover(&journal(db), None).await.err()?;
    assert!(failure.is::<Damaged>(), "{failure}");
    let mut at = Recovered::new();
    let rows = journal(db).rows(0, 1_000).await.unwrap();
    rows.iter().find_map(|(row, crc32)| replay(&mut at, row, *crc32, &mut Vec::new()).err())
}

on_both! {
    async fn a_row_that_is_cut_or_flipped_stops_the_partition(db: Database) {
        write(&db, 12).await;
        let (whole, _) = journal(&db).row(7).await.unwrap().unwrap();
        let mut flipped = whole.payload.clone();
        flipped[3] ^= 16;
        let cut = whole.payload[..whole.payload.len() - 1].to_vec();
        for bytes in [flipped, cut, Vec::new()] {
            change(&db, 7, row::Column::Payload, bytes).await;
            assert_eq!(damage(&db).await, Some(Damaged::Checksum { seq: 7 }));
        }
        let running = Running::start(journal(&db), clock());
        let handle = running.handle.clone();
        running.ended().await;
        assert_eq!(handle.send(action(1)).await, Err(Unanswered::NotHere), "nobody trades on a damaged journal");
        assert!(journal(&db).row(13).await.unwrap().is_some(), "nothing behind it is thrown away");
        change(&db, 7, row::Column::Payload, whole.payload).await;
        assert_eq!(damage(&db).await, None);
    }

    async fn a_row_with_other_numbers_is_seen(db: Database) {
        write(&db, 12).await;
        for (column, seq) in [(row::Column::Ts, 3), (row::Column::Epoch, 4), (row::Column::Pulse, 5), (row::Column::Crc32, 6)] {
            let (before, crc32) = journal(&db).row(seq).await.unwrap().unwrap();
            change(&db, seq as i64, column, 77_i64).await;
            assert_eq!(damage(&db).await, Some(Damaged::Checksum { seq }), "{column:?}");
            let right = match column {
                row::Column::Ts => before.ts,
                row::Column::Epoch => before.epoch as i64,
                row::Column::Pulse => before.pulse as i64,
                _ => crc32.into(),
            };
            change(&db, seq as i64, column, right).await;
        }
        assert_eq!(damage(&db).await, None);
    }

    async fn what_lies_behind_a_gap_was_never_acknowledged_and_goes(db: Database) {
        write(&db, 12).await;
        row::Entity::delete_many().filter(row::Column::Seq.eq(9)).exec(db.write()).await.unwrap();
        let running = Running::start(journal(&db), clock());
        let answered = running.send(action(40)).await;
        running.stop().await;
        assert_eq!(answered.seq, 9);
        let (at, _) = replay_all(&journal(&db)).await;
        assert_eq!(at.seq, 9);
    }

    async fn without_its_first_row_a_journal_is_empty(db: Database) {
        write(&db, 4).await;
        row::Entity::delete_many().filter(row::Column::Seq.eq(1)).exec(db.write()).await.unwrap();
        journal(&db).take_over().await.unwrap();
        assert_eq!(recover(&journal(&db), None).await.unwrap().seq, 0);
        assert_eq!(journal(&db).rows(0, 100).await.unwrap(), []);
    }

    async fn a_damaged_snapshot_costs_time_and_nothing_else(db: Database) {
        write(&db, 40).await;
        let projection = Projection::new(db.clone(), PARTITION);
        let mut follower = Follower::new(journal(&db), projection).with_snapshots_every(8);
        follower.turn().await.unwrap();
        let (at, _) = replay_all(&journal(&db)).await;
        let kept = snapshot::Entity::find().one(db.read()).await.unwrap().unwrap();
        assert_eq!(kept.seq, 41);
        assert_eq!(recover(&journal(&db), None).await.unwrap().state.digest(), at.state.digest());
        let mut flipped = kept.payload.clone();
        flipped[9] ^= 1;
        for bytes in [flipped, kept.payload[..20].to_vec()] {
            snapshot::Entity::update_many()
                .col_expr(snapshot::Column::Payload, Expr::val(bytes))
                .exec(db.write())
                .await
                .unwrap();
            assert_eq!(recover(&journal(&db), None).await.unwrap().state.digest(), at.state.digest());
        }
    }
}

/// Whatever bytes a row has, reading it ends in rows applied or in damage, never in a panic.
#[test]
fn any_payload_is_applied_or_is_damage() {
    use bidding::engine::Row;
    use proptest::prelude::*;

    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) }, |(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        n in 0..4_u32,
        pulse in any::<u64>(),
    )| {
        let row = Row { seq: 1, epoch: 1, ts: 0, n, pulse, payload, notes: Vec::new() };
        let mut events: Vec<Event> = Vec::new();
        let read = replay(&mut Recovered::new(), &row, row.crc32(), &mut events);
        prop_assert!(read.is_ok() == (pulse == 0 && row.commands().is_ok_and(|all| all.len() == n as usize)) || read.is_err());
        prop_assert_eq!(replay(&mut Recovered::new(), &row, row.crc32() ^ 1, &mut events), Err(Damaged::Checksum { seq: 1 }));
    });
}
