//! The journal as rows of bidding's database.

use chassis::{Database, Failure, Tx, tx};
use entity::bidding::{journal, partition, snapshot};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::journal::{Appended, Journal, Row, Snapshot};

/// Snapshots kept of each partition: the newest, and one to fall back to.
const SNAPSHOTS_KEPT: u64 = 2;

/// One partition's journal.
#[derive(Clone)]
pub struct SqlJournal {
    db: Database,
    partition: i32,
    /// Where whoever writes it is reached.
    address: Option<String>,
}

impl SqlJournal {
    pub fn new(db: Database, partition: u32) -> Self {
        Self { db, partition: partition as i32, address: None }
    }

    /// Tells other processes where its writer is, from the moment on at which it takes over.
    pub fn reached_at(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    async fn raise_epoch(&self, tx: &Tx) -> Result<i64, Failure> {
        let first = partition::Model { partition: self.partition, epoch: 0, address: None };
        partition::Entity::insert(first.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        partition::Entity::update_many()
            .col_expr(partition::Column::Epoch, Expr::col(partition::Column::Epoch).add(1))
            .col_expr(partition::Column::Address, Expr::val(self.address.clone()))
            .filter(partition::Column::Partition.eq(self.partition))
            .exec(tx)
            .await?;
        let raised = partition::Entity::find_by_id(self.partition).one(tx).await?;
        raised.map(|row| row.epoch).ok_or_else(|| Failure::msg("a partition's row vanished"))
    }

    /// Where the rows without a gap end: after `from`, which is the newest snapshot or the beginning.
    async fn end(&self, tx: &Tx, from: i64) -> Result<i64, Failure> {
        let sql =
            "select max(seq) as last, count(*) as n from bidding_journal where partition = $1 and seq > $2";
        let statement = |sql: &str, values: [sea_orm::Value; 2]| {
            sea_orm::Statement::from_sql_and_values(tx.get_database_backend(), sql, values)
        };
        let values = || [self.partition.into(), from.into()];
        let Some(row) = tx.query_one_raw(statement(sql, values())).await? else { return Ok(from) };
        let (last, rows): (Option<i64>, i64) = (row.try_get("", "last")?, row.try_get("", "n")?);
        match last {
            None => Ok(from),
            // As many rows as numbers: no gap.
            Some(last) if last - from == rows => Ok(last),
            Some(_) => {
                let sql = "select coalesce(min(seq), $2 + 0) as last from bidding_journal j where partition = $1 and seq > $2 and \
                           not exists (select 1 from bidding_journal k where k.partition = j.partition and k.seq = j.seq + 1) and \
                           exists (select 1 from bidding_journal k where k.partition = j.partition and k.seq = $2 + 1)";
                let row = tx.query_one_raw(statement(sql, values())).await?;
                row.map_or(Ok(from), |row| Ok(row.try_get("", "last")?))
            }
        }
    }
}

impl Journal for SqlJournal {
    async fn take_over(&self) -> Result<u64, Failure> {
        tx::apply(&self.db, async |tx| {
            let epoch = self.raise_epoch(tx).await?;
            let newest: Option<i64> = snapshot::Entity::find()
                .select_only()
                .column(snapshot::Column::Seq)
                .filter(snapshot::Column::Partition.eq(self.partition))
                .order_by_desc(snapshot::Column::Seq)
                .into_tuple()
                .one(tx)
                .await?;
            let end = self.end(tx, newest.unwrap_or_default()).await?;
            journal::Entity::delete_many()
                .filter(journal::Column::Partition.eq(self.partition))
                .filter(journal::Column::Seq.gt(end))
                .exec(tx)
                .await?;
            Ok(epoch as u64)
        })
        .await
    }

    /// One statement: it holds the partition's row until it is durable, and whoever raises the epoch waits for that.
    async fn append(&self, row: &Row) -> Result<Appended, Failure> {
        let fence = Query::select()
            .exprs([
                Expr::val(self.partition),
                Expr::val(row.seq as i64),
                Expr::val(row.epoch as i64),
                Expr::val(row.ts),
                Expr::val(row.n as i32),
                Expr::val(row.pulse as i64),
                Expr::val(i64::from(row.crc32())),
                Expr::val(row.payload.clone()),
                Expr::val((!row.notes.is_empty()).then(|| row.notes.clone())),
            ])
            .from(partition::Entity)
            .and_where(partition::Column::Partition.eq(self.partition))
            .and_where(partition::Column::Epoch.eq(row.epoch as i64))
            .lock(LockType::Share)
            .take();
        let insert = Query::insert()
            .into_table(journal::Entity)
            .columns([
                journal::Column::Partition,
                journal::Column::Seq,
                journal::Column::Epoch,
                journal::Column::Ts,
                journal::Column::N,
                journal::Column::Pulse,
                journal::Column::Crc32,
                journal::Column::Payload,
                journal::Column::Notes,
            ])
            .select_from(fence)?
            .take();
        let written = self.db.write().execute(&insert).await?.rows_affected();
        Ok(if written == 1 { Appended::Durable } else { Appended::Fenced })
    }

    async fn row(&self, seq: u64) -> Result<Option<(Row, u32)>, Failure> {
        let found = journal::Entity::find_by_id((self.partition, seq as i64)).one(self.db.write()).await?;
        Ok(found.map(read))
    }

    async fn rows(&self, after: u64, limit: u64) -> Result<Vec<(Row, u32)>, Failure> {
        let rows = journal::Entity::find()
            .filter(journal::Column::Partition.eq(self.partition))
            .filter(journal::Column::Seq.gt(after as i64))
            .order_by_asc(journal::Column::Seq)
            .limit(limit)
            .all(self.db.read())
            .await?;
        Ok(rows.into_iter().map(read).collect())
    }

    async fn snapshots(&self, seq: u64) -> Result<Vec<(Snapshot, u32)>, Failure> {
        let snapshots = snapshot::Entity::find()
            .filter(snapshot::Column::Partition.eq(self.partition))
            .filter(snapshot::Column::Seq.lte(seq as i64))
            .order_by_desc(snapshot::Column::Seq)
            .limit(SNAPSHOTS_KEPT)
            .all(self.db.read())
            .await?;
        let read = |row: snapshot::Model| {
            let snapshot = Snapshot { seq: row.seq as u64, digest: row.digest as u64, payload: row.payload };
            (snapshot, row.crc32 as u32)
        };
        Ok(snapshots.into_iter().map(read).collect())
    }

    async fn keep(&self, kept: &Snapshot) -> Result<(), Failure> {
        let row = snapshot::ActiveModel {
            partition: Set(self.partition),
            seq: Set(kept.seq as i64),
            digest: Set(kept.digest as i64),
            crc32: Set(kept.crc32().into()),
            payload: Set(kept.payload.clone()),
        };
        tx::apply(&self.db, async |tx| {
            snapshot::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(tx)
                .await?;
            let oldest_kept: Option<i64> = snapshot::Entity::find()
                .select_only()
                .column(snapshot::Column::Seq)
                .filter(snapshot::Column::Partition.eq(self.partition))
                .order_by_desc(snapshot::Column::Seq)
                .offset(SNAPSHOTS_KEPT - 1)
                .limit(1)
                .into_tuple()
                .one(tx)
                .await?;
            snapshot::Entity::delete_many()
                .filter(snapshot::Column::Partition.eq(self.partition))
                .filter(snapshot::Column::Seq.lt(oldest_kept.unwrap_or_default()))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
    }
}

fn read(row: journal::Model) -> (Row, u32) {
    let journal::Model { seq, epoch, ts, n, pulse, crc32, payload, notes, .. } = row;
    let notes = notes.unwrap_or_default();
    let (seq, epoch, n, pulse) = (seq as u64, epoch as u64, n as u32, pulse as u64);
    let row = Row { seq, epoch, ts, n, pulse, payload, notes };
    (row, crc32 as u32)
}
