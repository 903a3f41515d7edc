//! Adds the ledger up again and compares: whatever the tables say must follow from the transfers.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chassis::{Database, Engine, Failure};
use contract::{PaymentId, SellerId, TransferId};
use entity::payments::ledger_account;
use entity::payments::ledger_transfer::{self, Kind, Reason};
use entity::payments::{payment, payment_share, share_claim};
use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, EntityTrait, IsolationLevel, QueryFilter, QueryOrder,
    QuerySelect, TransactionOptions, TransactionTrait,
};

use super::{above_floor, change};

/// Rows read at once.
const PAGE: u64 = 5_000;
/// Differences that are told; the rest are counted.
const TOLD_MAX: usize = 100;

/// What a check of the ledger found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub transfers: u64,
    pub accounts: u64,
    pub payments: u64,
    /// The first of the differences; empty: the books are right.
    pub differences: Vec<Difference>,
    pub differences_total: u64,
}

/// Where tables and ledger contradict each other, or a rule is broken. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    #[error("{currency}: debits {debits} are not credits {credits}")]
    Unbalanced { currency: String, debits: i64, credits: i64 },
    #[error(
        "{account}: stored {stored:?}, transfers {transfers:?} (debits, credits, pending debits, pending credits)"
    )]
    Account { account: String, stored: [i64; 4], transfers: [i64; 4] },
    #[error("{account} is below zero")]
    BelowZero { account: String },
    #[error("{transfer_id} settles {pending_id}, which is not the same pending transfer")]
    Settled { transfer_id: TransferId, pending_id: TransferId },
    #[error("{payment_id}: captured {captured}, and the ledger says {ledger}")]
    Captured { payment_id: PaymentId, captured: i64, ledger: i64 },
    #[error("{payment_id}: refunded {refunded}, and the ledger says {ledger}")]
    Refunded { payment_id: PaymentId, refunded: i64, ledger: i64 },
    #[error("{payment_id} of {seller_id}: held {held}, and {left} is left of the share")]
    Held { payment_id: PaymentId, seller_id: SellerId, held: i64, left: i64 },
    #[error("{payment_id}: {sent} went to sellers of {captured} captured, {refunded} refunded, {owed} owed")]
    Overpaid { payment_id: PaymentId, sent: i64, captured: i64, refunded: i64, owed: i64 },
}

impl Report {
    pub fn is_right(&self) -> bool {
        self.differences_total == 0
    }

    fn found(&mut self, difference: Difference) {
        self.differences_total += 1;
        if self.differences.len() < TOLD_MAX {
            self.differences.push(difference);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transfers, accounts, payments, .. } = self;
        writeln!(f, "{transfers} transfers on {accounts} accounts for {payments} payments added up")?;
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        match self.differences_total {
            0 => write!(f, "accounts and payments follow from the transfers"),
            total => write!(f, "{total} differences"),
        }
    }
}

/// What the transfers of one payment add up to.
#[derive(Clone, Debug, Default)]
struct Flow {
    captured: i64,
    refunded: i64,
    /// To sellers' banks, less what came back.
    sent: i64,
    /// What sellers owe for it, less what was taken back.
    owed: i64,
    held: HashMap<SellerId, i64>,
}

/// Between which accounts, and how much.
type What = (String, String, i64);

/// What the transfers say, added up.
#[derive(Default)]
struct Sums {
    accounts: HashMap<String, [i64; 4]>,
    pending: HashMap<TransferId, What>,
    /// Settlements whose pending transfer was not yet read: ids of two machines may be out of order.
    early: Vec<(TransferId, TransferId, What)>,
    flows: HashMap<PaymentId, Flow>,
}

/// Compares the tables with the transfers, all as of one moment, while others go on writing.
pub async fn verify(db: &Database) -> Result<Report, Failure> {
    let postgres = db.engine() == Engine::Postgres;
    let moment = TransactionOptions {
        isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
        access_mode: postgres.then_some(AccessMode::ReadOnly),
        ..Default::default()
    };
    let snapshot = db.read().begin_with_options(moment).await?;
    let mut report = Report::default();
    let mut sums = add_up(&snapshot, &mut report).await?;
    compare_accounts(&snapshot, &mut sums.accounts, &mut report).await?;
    compare_payments(&snapshot, &sums.flows, &mut report).await?;
    snapshot.rollback().await?;
    Ok(report)
}

async fn add_up(db: &impl ConnectionTrait, report: &mut Report) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    let mut after: Option<TransferId> = None;
    loop {
        let mut page = ledger_transfer::Entity::find().order_by_asc(ledger_transfer::Column::Id).limit(PAGE);
        if let Some(after) = after {
            page = page.filter(ledger_transfer::Column::Id.gt(after));
        }
        let page = page.all(db).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for transfer in &page {
            sums.take(transfer, report);
        }
    }
    for (transfer_id, pending_id, what) in std::mem::take(&mut sums.early) {
        if sums.pending.remove(&pending_id) != Some(what) {
            report.found(Difference::Settled { transfer_id, pending_id });
        }
    }
    Ok(sums)
}

impl Sums {
    fn take(&mut self, transfer: &ledger_transfer::Model, report: &mut Report) {
        report.transfers += 1;
        let (posted, pending) = change(transfer.kind, transfer.amount_minor);
        let debit = self.accounts.entry(transfer.debit.clone()).or_default();
        debit[0] += posted;
        debit[2] += pending;
        let credit = self.accounts.entry(transfer.credit.clone()).or_default();
        credit[1] += posted;
        credit[3] += pending;
        self.pair(transfer);
        if let (Some(payment), true) = (transfer.payment_id, posted > 0) {
            self.flows.entry(payment).or_default().take(transfer);
        }
    }

    fn pair(&mut self, transfer: &ledger_transfer::Model) {
        let what = (transfer.debit.clone(), transfer.credit.clone(), transfer.amount_minor);
        match (transfer.kind, transfer.pending_id) {
            (Kind::Pending, _) => _ = self.pending.insert(transfer.id, what),
            (Kind::Post | Kind::Void, Some(pending_id)) => match self.pending.get(&pending_id) {
                Some(pending) if *pending == what => _ = self.pending.remove(&pending_id),
                _ => self.early.push((transfer.id, pending_id, what)),
            },
            _ => {}
        }
    }
}

impl Flow {
    fn take(&mut self, transfer: &ledger_transfer::Model) {
        let amount = transfer.amount_minor;
        match transfer.reason {
            Reason::Capture => self.captured += amount,
            Reason::Refund => self.refunded += amount,
            Reason::RefundReturned => self.refunded -= amount,
            Reason::PayoutPaid => self.sent += amount,
            Reason::Reversal => {
                self.sent -= amount;
                self.owed -= amount;
            }
            Reason::RefundCover if transfer.debit.starts_with("receivable:") => self.owed += amount,
            _ => {}
        }
        if let Some(seller) = transfer.seller_id {
            let held = self.held.entry(seller).or_default();
            *held += amount * i64::from(transfer.credit.starts_with("held:"));
            *held -= amount * i64::from(transfer.debit.starts_with("held:"));
        }
    }
}

async fn compare_accounts(
    db: &impl ConnectionTrait,
    sums: &mut HashMap<String, [i64; 4]>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut totals: BTreeMap<String, [i64; 4]> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = ledger_account::Entity::find()
            .filter(ledger_account::Column::Id.gt(after.as_str()))
            .order_by_asc(ledger_account::Column::Id)
            .limit(PAGE)
            .all(db)
            .await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for account in page {
            compare_account(&account, sums.remove(&account.id).unwrap_or_default(), report);
            let total = totals.entry(account.currency.clone()).or_default();
            total.iter_mut().zip(stored(&account)).for_each(|(total, one)| *total += one);
        }
    }
    for (account, transfers) in std::mem::take(sums) {
        report.found(Difference::Account { account, stored: [0; 4], transfers });
    }
    for (currency, [debits, credits, pending_debits, pending_credits]) in totals {
        if debits != credits || pending_debits != pending_credits {
            report.found(Difference::Unbalanced { currency, debits, credits });
        }
    }
    Ok(())
}

fn stored(account: &ledger_account::Model) -> [i64; 4] {
    [account.debits_posted, account.credits_posted, account.debits_pending, account.credits_pending]
}

fn compare_account(account: &ledger_account::Model, transfers: [i64; 4], report: &mut Report) {
    report.accounts += 1;
    let stored = stored(account);
    if stored != transfers {
        report.found(Difference::Account { account: account.id.clone(), stored, transfers });
    }
    if !above_floor(account) {
        report.found(Difference::BelowZero { account: account.id.clone() });
    }
}

async fn compare_payments(
    db: &impl ConnectionTrait,
    flows: &HashMap<PaymentId, Flow>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut after: Option<PaymentId> = None;
    loop {
        let mut page = payment::Entity::find().order_by_asc(payment::Column::Id).limit(PAGE);
        if let Some(after) = after {
            page = page.filter(payment::Column::Id.gt(after));
        }
        let page = page.all(db).await?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
        after = Some(last.id);
        let shares = shares(db, first.id, last.id).await?;
        for payment in &page {
            let flow = flows.get(&payment.id).cloned().unwrap_or_default();
            compare_payment(payment, &flow, shares.get(&payment.id).map_or(&[], Vec::as_slice), report);
        }
    }
}

/// A share with what refunds and disputes have taken out of its held funds.
type ShareTaken = (payment_share::Model, i64);

async fn shares(
    db: &impl ConnectionTrait,
    first: PaymentId,
    last: PaymentId,
) -> Result<HashMap<PaymentId, Vec<ShareTaken>>, Failure> {
    let claims = share_claim::Entity::find()
        .filter(share_claim::Column::PaymentId.between(first, last))
        .filter(share_claim::Column::State.eq(share_claim::State::Taken))
        .filter(share_claim::Column::HoldId.is_not_null())
        .all(db)
        .await?;
    let mut taken: HashMap<(PaymentId, SellerId), i64> = HashMap::new();
    for claim in claims {
        *taken.entry((claim.payment_id, claim.seller_id)).or_default() += claim.amount_minor;
    }
    let rows = payment_share::Entity::find()
        .filter(payment_share::Column::PaymentId.between(first, last))
        .all(db)
        .await?;
    let mut shares: HashMap<PaymentId, Vec<ShareTaken>> = HashMap::new();
    for row in rows {
        let from_held = taken.get(&(row.payment_id, row.seller_id)).copied().unwrap_or_default();
        shares.entry(row.payment_id).or_default().push((row, from_held));
    }
    Ok(shares)
}

fn compare_payment(payment: &payment::Model, flow: &Flow, shares: &[ShareTaken], report: &mut Report) {
    report.payments += 1;
    let payment_id = payment.id;
    let (captured, refunded) = (payment.captured_minor, payment.refunded_minor);
    if captured != flow.captured {
        report.found(Difference::Captured { payment_id, captured, ledger: flow.captured });
    }
    if refunded != flow.refunded {
        report.found(Difference::Refunded { payment_id, refunded, ledger: flow.refunded });
    }
    for (share, taken) in shares {
        let held = flow.held.get(&share.seller_id).copied().unwrap_or_default();
        let in_share = if captured > 0 { share.amount_minor } else { 0 };
        let left = in_share - share.released_minor - taken;
        if held != left {
            report.found(Difference::Held { payment_id, seller_id: share.seller_id, held, left });
        }
    }
    let Flow { sent, owed, .. } = *flow;
    if sent > captured - refunded + owed {
        report.found(Difference::Overpaid { payment_id, sent, captured, refunded, owed });
    }
}
