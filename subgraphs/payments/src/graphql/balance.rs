//! A seller's money, as the seller sees it.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::page::{Cursor, Page};
use chassis::{Denied, Env};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, Money, OrderId, PaymentId, SellerId, TransferId};
use entity::payments::ledger_account::Kind;
use entity::payments::ledger_transfer::{self, Reason};
use sea_orm::ActiveEnum;

use crate::seller::Bookkeeper;
use crate::statement::{self, Balance};

/// A shop's money.
#[derive(SimpleObject)]
pub struct SellerBalance {
    /// The shop.
    seller: Seller,
    /// Its money, once for each currency in which it has sold something.
    currencies: Vec<CurrencyBalance>,
}

// The descriptions of this type are its owner's.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Seller {
    /// The seller's id.
    pub id: SellerId,
}

/// A shop's money in one currency.
#[derive(SimpleObject)]
pub struct CurrencyBalance {
    /// The currency.
    currency: CurrencyCode,
    /// Paid by buyers and held until the goods are delivered. Fees and tax come off it.
    held: Money,
    /// Earned, and not yet sent.
    payable: Money,
    /// On its way to the shop's bank.
    in_transit: Money,
    /// What the shop owes: money that went back to buyers after it was paid out, and penalties. It is kept back from what
    /// comes next.
    owed: Money,
}

impl CurrencyBalance {
    fn new(currency: CurrencyCode, balance: Balance) -> Self {
        let money = |amount_minor| Money { amount_minor, currency };
        Self {
            currency,
            held: money(balance.held_minor),
            payable: money(balance.payable_minor),
            in_transit: money(balance.in_transit_minor),
            owed: money(balance.owed_minor),
        }
    }
}

/// What an account of the ledger is for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum LedgerAccountKind {
    /// Captured by the provider, not yet settled.
    Clearing,
    /// What the provider holds for the platform.
    Balance,
    /// Held for one seller's part of one order.
    Held,
    /// Earned by a seller.
    Payable,
    /// Owed by a seller.
    Receivable,
    /// The platform's earnings.
    PlatformFee,
    /// What providers cost.
    ProviderFee,
    /// Tax collected.
    Tax,
    /// What buyers' banks took back for now.
    DisputeReserve,
    /// On its way to a seller's bank.
    Transit,
    /// Sent back by buyers' banks, and owed to the buyers.
    Returned,
    /// Borne by the platform.
    Loss,
}

/// Why money moved.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Reason")]
pub enum LedgerReason {
    /// A buyer paid.
    Capture,
    /// The provider settled a capture.
    Settle,
    /// The provider's price.
    ProviderFee,
    /// Money went back to a buyer.
    Refund,
    /// A buyer's bank sent a refund back: the platform owes it to the buyer.
    RefundReturned,
    /// What a refund after the release takes back: from the seller, the fee and the tax.
    RefundCover,
    /// The seller earned their share.
    Release,
    /// The platform's fee of a share.
    Fee,
    /// The tax of a share.
    Tax,
    /// What the seller owed was kept back.
    Netting,
    /// Sent to the seller's bank.
    Payout,
    /// Arrived at the seller's bank.
    PayoutPaid,
    /// Came back from the seller's bank.
    PayoutFailed,
    /// Taken back from the seller.
    Reversal,
    /// A buyer's bank took money back for now.
    DisputeOpened,
    /// It came back.
    DisputeWon,
    /// It is gone.
    DisputeLost,
    /// The provider's price of a dispute.
    DisputeFee,
    /// The seller did not keep to a sale.
    Penalty,
}

/// An entry of the ledger: money that moved from one account to another. It is never changed.
#[derive(SimpleObject)]
pub struct LedgerEntry {
    /// The entry's id.
    id: TransferId,
    /// When it was booked.
    at: DateTime<Utc>,
    /// Why.
    reason: LedgerReason,
    /// How much; always more than 0.
    amount: Money,
    /// The account that gave.
    from: LedgerAccountKind,
    /// The account that got.
    to: LedgerAccountKind,
    /// The order that it is about.
    order_id: Option<OrderId>,
    /// The payment that it is about.
    payment_id: Option<PaymentId>,
}

impl LedgerEntry {
    fn new(row: ledger_transfer::Model) -> Self {
        let kind = |account: &str| {
            let kind = Kind::try_from_value(&statement::kind_of(account).to_owned());
            LedgerAccountKind::from(kind.expect("an account's id begins with its kind"))
        };
        let currency = row.currency.parse().expect("the ledger keeps currencies of ISO 4217");
        Self {
            id: row.id,
            at: row.at,
            reason: row.reason.into(),
            amount: Money { amount_minor: row.amount_minor, currency },
            from: kind(&row.debit),
            to: kind(&row.credit),
            order_id: row.order_id,
            payment_id: row.payment_id,
        }
    }
}

#[derive(Default)]
pub struct BalanceQueries;

#[Object]
impl BalanceQueries {
    /// A shop's money. A seller sees their own, an admin any that they name; null when there is no such shop.
    async fn seller_balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop; a seller need not name their only one.")] seller_id: Option<SellerId>,
    ) -> Result<Option<SellerBalance>> {
        let Some(id) = shop(ctx, seller_id).await? else { return Ok(None) };
        let balances = statement::balances(ctx.data_unchecked::<Env>().db.read(), id).await?;
        let currencies = balances
            .into_iter()
            .map(|(currency, balance)| Ok(CurrencyBalance::new(currency.parse()?, balance)))
            .collect::<Result<_, chassis::Failure>>()?;
        Ok(Some(SellerBalance { seller: Seller { id }, currencies }))
    }

    /// What moved on a shop's accounts, newest first. A seller sees their own, an admin any that they name; null when
    /// there is no such shop.
    async fn ledger_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop; a seller need not name their only one.")] seller_id: Option<SellerId>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<Cursor<TransferId>, LedgerEntry>>> {
        let page = Page::read(first, after.as_deref())?;
        let Some(id) = shop(ctx, seller_id).await? else { return Ok(None) };
        let entries = statement::entries(ctx.data_unchecked::<Env>().db.read(), id, &page).await?;
        Ok(Some(page.connection(entries, |row| row.id, LedgerEntry::new)))
    }

    /// A shop's entries from `from` (included) to `until` (not included) as CSV, oldest first, with a header line: id, at,
    /// reason, from, to, amount, currency, order, payment. At most 10,000 entries. A seller sees their own, an admin any
    /// that they name; null when there is no such shop.
    async fn seller_statement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop; a seller need not name their only one.")] seller_id: Option<SellerId>,
        #[graphql(desc = "The first moment.")] from: DateTime<Utc>,
        #[graphql(desc = "The moment after the last.")] until: DateTime<Utc>,
    ) -> Result<Option<String>> {
        let Some(id) = shop(ctx, seller_id).await? else { return Ok(None) };
        let db = &ctx.data_unchecked::<Env>().db;
        let csv = statement::csv(db.read(), id, from, until).await?;
        let too_many = || Denied::bad_input("until", "more than 10,000 entries: ask for a shorter time");
        Ok(Some(csv.ok_or_else(too_many)?))
    }
}

async fn shop(ctx: &Context<'_>, named: Option<SellerId>) -> Result<Option<SellerId>> {
    let bookkeeper = Bookkeeper::of(Viewer::required(ctx)?)?;
    Ok(bookkeeper.shop(ctx.data_unchecked::<Env>().db.read(), named).await?)
}
