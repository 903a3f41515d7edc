//! The offers of the product that is looked at: which of them fit the filters, and which filter alone is in the way.

use std::sync::Arc;

use contract::CurrencyCode;
use tantivy::DocId;

use super::columns::{Columns, Sold};
use super::document::{
    condition_number, currency_number, flags_condition, flags_currency, flags_in_stock, seller,
};
use super::find::OfferFilter;

/// Filters of offers that have a facet, and the one that has none.
pub(super) const CONDITION: u8 = 1;
pub(super) const SIZE: u8 = 1 << 1;
pub(super) const PRICE: u8 = 1 << 2;
pub(super) const STOCK: u8 = 1 << 3;
const SELLER: u8 = 1 << 4;

/// An offer that can be bought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) price: u64,
    pub(super) condition: u64,
    pub(super) currency: u64,
    pub(super) in_stock: bool,
    pub(super) size: u32,
    /// The filters that it does not fit.
    pub(super) failed: u8,
}

/// The offers of one segment, and what they must be.
pub(super) struct Offers {
    columns: Arc<Columns>,
    wanted: Required,
    /// Those of the product that was looked at last.
    offers: Vec<Offer>,
}

/// What an offer must be. One offer must be all of it.
struct Required {
    /// One bit for each; none: all are.
    conditions: u64,
    sizes: Option<Vec<u32>>,
    price: Option<(u64, u64, u64)>,
    in_stock: Option<bool>,
    /// None: every seller; `Some(None)`: one without offers here.
    seller: Option<Option<u32>>,
    /// The currency in which prices are compared.
    currency: Option<u64>,
}

impl Offers {
    pub(super) fn open(columns: Arc<Columns>, filter: &OfferFilter, currency: Option<CurrencyCode>) -> Self {
        let wanted = Required::read(filter, currency, &columns);
        Self { columns, wanted, offers: vec![] }
    }

    /// Whether there are filters of offers.
    pub(super) fn are_chosen(&self) -> bool {
        !self.wanted.is_anything() || self.wanted.in_stock.is_some()
    }

    /// Looks at the offers of a product; whether they are as they must be: one fits. Without filters, even a product
    /// without offers does. A product that must be out of stock has none that fits but for being in stock.
    pub(super) fn look(&mut self, doc: DocId) -> bool {
        let wanted = &self.wanted;
        self.offers.clear();
        self.offers.extend(self.columns.offers.of(doc).iter().map(|sold| wanted.look(sold)));
        (self.wanted.is_anything() || self.offers.iter().any(|offer| offer.failed == 0))
            && self.against(0).next().is_none()
    }

    /// The offers that fit every filter but perhaps `own`.
    pub(super) fn but(&self, own: u8) -> impl Iterator<Item = &Offer> {
        self.offers.iter().filter(move |offer| offer.failed & !own == 0)
    }

    /// The offers that keep a product that must be out of stock from being found, under every filter but perhaps `own`.
    pub(super) fn against(&self, own: u8) -> impl Iterator<Item = &Offer> {
        let none = self.wanted.in_stock != Some(false) || own == STOCK;
        let against = move |offer: &&Offer| !none && offer.failed & !own == STOCK;
        self.offers.iter().filter(against)
    }

    /// The lowest price of those that fit, in the currency in which prices are compared.
    pub(super) fn lowest(&self) -> Option<u64> {
        let offers = self.but(0).filter(|offer| Some(offer.currency) == self.wanted.currency);
        offers.map(|offer| offer.price).min()
    }
}

impl Required {
    fn read(filter: &OfferFilter, currency: Option<CurrencyCode>, columns: &Columns) -> Self {
        let accepted = filter.sizes.iter().filter_map(|size| columns.size.number(size)).collect();
        let price = filter.price.map(|range| {
            let least = range.min_minor.unwrap_or(0).max(0).unsigned_abs();
            let most = range.max_minor.map_or(u64::MAX, |max| u64::try_from(max).unwrap_or(0));
            (currency_number(range.currency.as_str()), least, most)
        });
        Self {
            conditions: filter
                .conditions
                .iter()
                .fold(0, |bits, condition| bits | 1 << condition_number(*condition)),
            sizes: (!filter.sizes.is_empty()).then_some(accepted),
            price,
            in_stock: filter.in_stock,
            seller: filter.seller.map(|id| columns.seller.number(&seller(id.0))),
            currency: currency.map(|code| currency_number(code.as_str())),
        }
    }

    /// Whether products without offers fit as well.
    fn is_anything(&self) -> bool {
        self.conditions == 0
            && self.sizes.is_none()
            && self.price.is_none()
            && self.in_stock != Some(true)
            && self.seller.is_none()
    }

    fn look(&self, sold: &Sold) -> Offer {
        let offer = Offer {
            price: sold.price,
            condition: flags_condition(sold.flags),
            currency: flags_currency(sold.flags),
            in_stock: flags_in_stock(sold.flags),
            size: sold.size,
            failed: 0,
        };
        Offer { failed: self.failed(&offer, sold.seller), ..offer }
    }

    fn failed(&self, offer: &Offer, seller: u32) -> u8 {
        let unless = |fits: bool, filter: u8| if fits { 0 } else { filter };
        unless(self.conditions == 0 || self.conditions >> offer.condition & 1 == 1, CONDITION)
            | unless(self.sizes.as_ref().is_none_or(|sizes| sizes.contains(&offer.size)), SIZE)
            | unless(
                self.price.is_none_or(|(currency, least, most)| {
                    offer.currency == currency && (least..=most).contains(&offer.price)
                }),
                PRICE,
            )
            | unless(self.in_stock.is_none_or(|wanted| wanted == offer.in_stock), STOCK)
            | unless(self.seller.is_none_or(|wanted| wanted == Some(seller)), SELLER)
    }
}
