//! One transaction's files: read once under their locks, changed in memory, written once, however many there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chassis::{Failure, Tx, outbox};
use chrono::{DateTime, Utc};
use contract::PaymentId;
use entity::payments::{dispute, payment, payment_share, payment_step, payout, refund, share_claim};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PrimaryKeyToColumn, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::courier::Courier;
use crate::difference;
use crate::file::{File, Pen};

/// Values of one insert: SQLite takes at most 32,766.
const VALUES_MAX: usize = 32_000;

/// The payments that a transaction is about.
pub struct Desk {
    pub files: BTreeMap<PaymentId, File>,
    pub pen: Pen,
    before: HashMap<PaymentId, File>,
}

impl Desk {
    /// Locks those of `ids` that exist, in the order of their ids, and reads what belongs to them.
    /// The shares of what is not captured are left out, unless it may be captured now: `captures`.
    pub async fn open(
        tx: &Tx,
        now: DateTime<Utc>,
        ids: BTreeSet<PaymentId>,
        captures: bool,
    ) -> Result<Self, Failure> {
        let rows = payment::Entity::find()
            .filter(payment::Column::Id.is_in(ids))
            .order_by_asc(payment::Column::Id)
            .lock_exclusive()
            .all(tx)
            .await?;
        let files = read(tx, rows, captures).await?;
        let before = files.iter().map(|(id, file)| (*id, file.clone())).collect();
        Ok(Self { files, pen: Pen::new(now), before })
    }

    /// Files that are in memory, to be kept there.
    pub(crate) fn of(now: DateTime<Utc>, files: BTreeMap<PaymentId, File>) -> Self {
        Self { files, pen: Pen::new(now), before: HashMap::new() }
    }

    /// The file of a payment, and what to write with.
    pub fn file(&mut self, id: PaymentId) -> Option<(&mut File, &mut Pen)> {
        Some((self.files.get_mut(&id)?, &mut self.pen))
    }

    /// Writes what has changed, books and speaks. What is to be sent is handed to the courier, who leaves after the
    /// commit.
    pub async fn close(mut self, tx: &Tx, courier: &Arc<Courier>) -> Result<(), Failure> {
        let now = self.pen.now;
        let mut errands = vec![];
        for (id, file) in &mut self.files {
            courier.take_along(now, file, &mut errands);
            if self.before.get(id).is_none_or(|before| before.payment != file.payment) {
                file.payment.updated_at = now;
            }
        }
        self.write::<payment::Entity>(tx, |file| std::slice::from_ref(&file.payment)).await?;
        self.write::<payment_share::Entity>(tx, |file| &file.shares).await?;
        self.write::<refund::Entity>(tx, |file| &file.refunds).await?;
        self.write::<dispute::Entity>(tx, |file| &file.disputes).await?;
        self.write::<payout::Entity>(tx, |file| &file.payouts).await?;
        self.write::<share_claim::Entity>(tx, |file| &file.claims).await?;
        self.write::<payment_step::Entity>(tx, |file| &file.steps).await?;
        self.pen.book.close(tx).await?;
        difference::settle(tx, now, self.pen.compared).await?;
        if !self.pen.said.is_empty() {
            outbox::say_all(tx, now, self.pen.said).await?;
        }
        courier.leave_after(tx, errands);
        Ok(())
    }

    /// Writes the rows that are new or differ from what was read; their payment is locked.
    async fn write<E>(&self, tx: &Tx, rows: impl Fn(&File) -> &[E::Model]) -> Result<(), Failure>
    where
        E: EntityTrait,
        E::Model: Clone + PartialEq + Sync + IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: Send,
    {
        let mut changed: Vec<E::Model> = vec![];
        for (id, file) in &self.files {
            let before: &[E::Model] = self.before.get(id).map_or(&[], |before| rows(before));
            changed.extend(rows(file).iter().filter(|row| !before.contains(row)).cloned());
        }
        let keys: Vec<E::Column> = E::PrimaryKey::iter().map(|key| key.into_column()).collect();
        let others: Vec<E::Column> = E::Column::iter()
            .filter(|column| keys.iter().all(|key| key.as_str() != column.as_str()))
            .collect();
        let values = keys.len() + others.len();
        let replace = OnConflict::columns(keys).update_columns(others).to_owned();
        for some in changed.chunks(VALUES_MAX / values) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            E::insert_many(rows).on_conflict(replace.clone()).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}

/// What belongs to the payments. What comes after a capture is looked for only where there was one.
async fn read(
    tx: &Tx,
    rows: Vec<payment::Model>,
    captures: bool,
) -> Result<BTreeMap<PaymentId, File>, Failure> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let captured = rows.iter().any(|payment| payment.captured_minor > 0);
    let ids: Vec<PaymentId> = rows.iter().map(|payment| payment.id).collect();
    let mut files: BTreeMap<PaymentId, File> =
        rows.into_iter().map(|payment| (payment.id, File::of(payment))).collect();
    macro_rules! belongings {
        ($($table:ident => $list:ident),+) => { $(
            let of_these = $table::Entity::find().filter($table::Column::PaymentId.is_in(ids.iter().copied()));
            for row in of_these.all(tx).await? {
                if let Some(file) = files.get_mut(&row.payment_id) {
                    file.$list.push(row);
                }
            }
        )+ };
    }
    // A courier that claims a step meanwhile waits, or is waited for: what is on its way is never taken for unsent.
    let steps = payment_step::Entity::find()
        .filter(payment_step::Column::PaymentId.is_in(ids.iter().copied()))
        .order_by_asc(payment_step::Column::Id)
        .lock_exclusive();
    for step in steps.all(tx).await? {
        if let Some(file) = files.get_mut(&step.payment_id) {
            file.steps.push(step);
        }
    }
    if captured || captures {
        belongings!(payment_share => shares);
    }
    if captured {
        belongings!(refund => refunds, dispute => disputes, payout => payouts, share_claim => claims);
    }
    for file in files.values_mut() {
        file.shares.sort_by_key(|share| share.seller_id);
        file.payouts.sort_by_key(|payout| payout.id);
    }
    Ok(files)
}
