//! The offers of the product that is looked at: which of them fit the filters, and which filter alone is in the way.

use contract::CurrencyCode;
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, SegmentReader};

use super::document::{
    condition_number, currency_number, flags_condition, flags_currency, flags_in_stock, seller,
};
use super::fields::{OFFER_FLAGS, OFFER_PRICE, OFFER_SELLER, OFFER_SIZE};
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
    pub(super) size: u64,
    /// The filters that it does not fit.
    pub(super) failed: u8,
}

/// The offers of one segment, and what they must be.
pub(super) struct Offers {
    price: Column<u64>,
    flags: Column<u64>,
    pub(super) size: Option<StrColumn>,
    seller: Option<StrColumn>,
    wanted: Required,
    /// Those of the product that was looked at last.
    offers: Vec<Offer>,
}

/// What an offer must be. One offer must be all of it.
struct Required {
    /// One bit for each; none: all are.
    conditions: u64,
    sizes: Option<Vec<u64>>,
    price: Option<(u64, u64, u64)>,
    in_stock: Option<bool>,
    /// None: every seller; `Some(None)`: one without offers here.
    seller: Option<Option<u64>>,
    /// The currency in which prices are compared.
    currency: Option<u64>,
}

impl Offers {
    pub(super) fn open(
        segment: &SegmentReader,
        filter: &OfferFilter,
        currency: Option<CurrencyCode>,
    ) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        let (size, seller) = (columns.str(OFFER_SIZE)?, columns.str(OFFER_SELLER)?);
        let wanted = Required::read(filter, currency, &size, &seller)?;
        let (price, flags) = (columns.u64(OFFER_PRICE)?, columns.u64(OFFER_FLAGS)?);
        Ok(Self { price, flags, size, seller, wanted, offers: vec![] })
    }

    /// Whether there are filters of offers.
    pub(super) fn are_chosen(&self) -> bool {
        !self.wanted.is_anything() || self.wanted.in_stock.is_some()
    }

    /// Looks at the offers of a product; whether they are as they must be: one fits. Without filters, even a product
    /// without offers does. A product that must be out of stock has none that fits but for being in stock.
    pub(super) fn look(&mut self, doc: DocId) -> bool {
        self.offers.clear();
        let (Some(sizes), Some(sellers)) = (&self.size, &self.seller) else {
            return self.wanted.is_anything();
        };
        let numbers = self.price.values_for_doc(doc).zip(self.flags.values_for_doc(doc));
        let words = sizes.term_ords(doc).zip(sellers.term_ords(doc));
        let wanted = &self.wanted;
        self.offers.extend(numbers.zip(words).map(|((price, flags), (size, seller))| {
            let offer = Offer {
                price,
                condition: flags_condition(flags),
                currency: flags_currency(flags),
                in_stock: flags_in_stock(flags),
                size,
                failed: 0,
            };
            Offer { failed: wanted.failed(&offer, seller), ..offer }
        }));
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
    fn read(
        filter: &OfferFilter,
        currency: Option<CurrencyCode>,
        sizes: &Option<StrColumn>,
        sellers: &Option<StrColumn>,
    ) -> tantivy::Result<Self> {
        let ord = |column: &Option<StrColumn>, value: &str| -> tantivy::Result<Option<u64>> {
            let Some(column) = column else { return Ok(None) };
            Ok(column.dictionary().term_ord(value)?)
        };
        let mut accepted = vec![];
        for size in &filter.sizes {
            accepted.extend(ord(sizes, size)?);
        }
        let price = filter.price.map(|range| {
            let least = range.min_minor.unwrap_or(0).max(0).unsigned_abs();
            let most = range.max_minor.map_or(u64::MAX, |max| u64::try_from(max).unwrap_or(0));
            (currency_number(range.currency.as_str()), least, most)
        });
        Ok(Self {
            conditions: filter
                .conditions
                .iter()
                .fold(0, |bits, condition| bits | 1 << condition_number(*condition)),
            sizes: (!filter.sizes.is_empty()).then_some(accepted),
            price,
            in_stock: filter.in_stock,
            seller: match filter.seller {
                Some(id) => Some(ord(sellers, &seller(id.0))?),
                None => None,
            },
            currency: currency.map(|code| currency_number(code.as_str())),
        })
    }

    /// Whether products without offers fit as well.
    fn is_anything(&self) -> bool {
        self.conditions == 0
            && self.sizes.is_none()
            && self.price.is_none()
            && self.in_stock != Some(true)
            && self.seller.is_none()
    }

    fn failed(&self, offer: &Offer, seller: u64) -> u8 {
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
