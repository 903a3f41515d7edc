//! The accounts of the ledger: a name for each place where money can be.

use contract::{CurrencyCode, OrderId, SellerId};
use entity::payments::ledger_account::{self, Floor, Kind};

/// A place where money can be. With a currency it names one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// Captured, and not yet settled by the provider.
    Clearing,
    /// What the provider holds for the platform.
    Balance,
    /// Captured for one seller's part of one order, and not yet theirs.
    Held(OrderId, SellerId),
    /// What a seller has earned and not yet been sent.
    Payable(SellerId),
    /// What a seller owes: money that went back to a buyer after the seller had it, and penalties.
    Receivable(SellerId),
    /// What the platform earned.
    PlatformFee,
    /// What providers cost.
    ProviderFee,
    /// Tax collected, to be paid to the state.
    Tax,
    /// What buyers' banks took back for now.
    DisputeReserve,
    /// On its way to a seller's bank.
    Transit(SellerId),
    /// Refunds that buyers' banks sent back: owed to the buyers.
    Returned,
    /// What nobody but the platform can bear.
    Loss,
}

impl Account {
    fn kind(self) -> Kind {
        match self {
            Self::Clearing => Kind::Clearing,
            Self::Balance => Kind::Balance,
            Self::Held(..) => Kind::Held,
            Self::Payable(_) => Kind::Payable,
            Self::Receivable(_) => Kind::Receivable,
            Self::PlatformFee => Kind::PlatformFee,
            Self::ProviderFee => Kind::ProviderFee,
            Self::Tax => Kind::Tax,
            Self::DisputeReserve => Kind::DisputeReserve,
            Self::Transit(_) => Kind::Transit,
            Self::Returned => Kind::Returned,
            Self::Loss => Kind::Loss,
        }
    }

    /// Which side must cover the other, always. The platform's own accounts may fall below zero: a provider lets a
    /// balance be overdrawn, and a fee can be given back after it was paid out.
    fn floor(self) -> Floor {
        match self {
            Self::Held(..) | Self::Payable(_) | Self::Transit(_) | Self::Returned => Floor::Credit,
            Self::Clearing | Self::Receivable(_) | Self::DisputeReserve => Floor::Debit,
            Self::Balance | Self::PlatformFee | Self::ProviderFee | Self::Tax | Self::Loss => Floor::None,
        }
    }

    fn order(self) -> Option<OrderId> {
        match self {
            Self::Held(order, _) => Some(order),
            _ => None,
        }
    }

    fn seller(self) -> Option<SellerId> {
        match self {
            Self::Held(_, seller) | Self::Payable(seller) | Self::Receivable(seller) => Some(seller),
            Self::Transit(seller) => Some(seller),
            _ => None,
        }
    }

    /// The row's id: `held:EUR:ord_…:slr_…`.
    pub fn id(self, currency: CurrencyCode) -> String {
        use sea_orm::ActiveEnum;
        let parts = [
            Some(self.kind().to_value()),
            Some(currency.to_string()),
            self.order().map(|order| order.to_string()),
            self.seller().map(|seller| seller.to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(":")
    }

    /// The row of an account that nothing has moved through.
    pub(super) fn empty(self, currency: CurrencyCode) -> ledger_account::Model {
        ledger_account::Model {
            id: self.id(currency),
            kind: self.kind(),
            currency: currency.to_string(),
            order_id: self.order(),
            seller_id: self.seller(),
            debits_posted: 0,
            credits_posted: 0,
            debits_pending: 0,
            credits_pending: 0,
            floor: self.floor(),
        }
    }
}
