//! Typed ids: a UUIDv7 inside, a TypeID (`prd_01h2xcejqtf2nbrexx3vqjhp41`) wherever people and clients see it.
//!
//! The text form is the TypeID specification, version 0.3 (<https://github.com/jetify-com/typeid>).

use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

/// Why a text is not the id that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted} id: expected `{prefix}_` and 26 characters")]
pub struct InvalidId {
    text: String,
    wanted: &'static str,
    prefix: &'static str,
}

fn parse<T: StaticType>(text: &str, wanted: &'static str) -> Result<Uuid, InvalidId> {
    text.parse::<TypeSafeId<T>>().map(|id| id.uuid()).map_err(|_| InvalidId {
        text: text.chars().take(64).collect(),
        wanted,
        prefix: T::TYPE,
    })
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $wanted:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sea_orm::DeriveValueType)]
        pub struct $name(pub Uuid);

        const _: () = {
            #[derive(Default)]
            struct Prefix;

            impl StaticType for Prefix {
                const TYPE: &'static str = $prefix;
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    std::fmt::Display::fmt(&TypeSafeId::<Prefix>::from_uuid(self.0), f)
                }
            }

            impl std::str::FromStr for $name {
                type Err = InvalidId;

                fn from_str(text: &str) -> Result<Self, InvalidId> {
                    parse::<Prefix>(text, $wanted).map(Self)
                }
            }
        };

        impl $name {
            /// A new id. Ids made later sort later.
            #[expect(clippy::new_without_default, reason = "two defaults would differ")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$"),
                })
            }
        }

        crate::graphql::id_scalar!($name);
    )+ };
}

typed_ids! {
    /// A person or organisation that can sign in.
    UserId = "usr", "a user";
    /// One sign-in on one device: a family of refresh tokens.
    SessionId = "ses", "a session";
    /// An entry of a user's address book.
    AddressId = "adr", "an address";
    /// A shop or reseller.
    SellerId = "slr", "a seller";
    /// A thing that can be sold, in all its sizes and editions.
    ProductId = "prd", "a product";
    /// One size or edition of a product: what is counted, priced and shipped.
    VariantId = "var", "a variant";
    /// An image of a product.
    ImageId = "img", "an image";
    /// A node of the category tree.
    CategoryId = "cat", "a category";
    /// The stock that is kept for one ask of a market.
    BackingId = "bck", "the stock behind an ask";
    /// The money that is held for one bid of a market.
    HoldingId = "hld", "the money behind a bid";
    /// A seller's price for a variant in a condition.
    OfferId = "off", "an offer";
    /// One act of listing an item: the offer and the pieces that came with it.
    ListingId = "lst", "a listing";
    /// A product that somebody proposes.
    ProposalId = "pps", "a proposal";
    /// A file of goods on its way into the catalog.
    ImportJobId = "imp", "an import";
    /// A place where a seller keeps stock.
    LocationId = "loc", "a location";
    /// A promise of stock to somebody, until it is committed, released or expires.
    ReservationId = "rsv", "a reservation";
    /// Stock on its way to a location.
    ShipmentId = "shp", "a shipment";
    /// One entry of the stock event log.
    MovementId = "mov", "a movement";
    /// A system outside that reports stock.
    FeedId = "fed", "a feed";
    /// What a feed sent at once.
    FeedBatchId = "fbt", "a feed's batch";
    /// An address outside that is told of stock.
    WebhookId = "whk", "a webhook";
    /// A message to a webhook.
    DeliveryId = "dlv", "a delivery";
    /// An event or an ask between subgraphs.
    EventId = "evt", "an event";
    /// A buyer's order.
    OrderId = "ord", "an order";
    /// What somebody means to buy.
    CartId = "crt", "a cart";
    /// One seller's part of an order on its way to the buyer.
    FulfilmentId = "ful", "a fulfilment";
    /// Goods on their way back from the buyer.
    ReturnId = "ret", "a return";
    /// A promotion: a code or an automatic rule.
    PromotionId = "prm", "a promotion";
    /// The buyer's payment of an order.
    PaymentId = "pay", "a payment";
    /// Money on its way back to the buyer.
    RefundId = "rfd", "a refund";
    /// Money of an order on its way to one seller.
    PayoutId = "pot", "a payout";
    /// A buyer's bank takes a payment back, for now or for good.
    DisputeId = "dsp", "a dispute";
    /// One thing that is asked of a payment provider.
    StepId = "stp", "a step";
    /// One entry of the ledger.
    TransferId = "trf", "a ledger transfer";
    /// An order book: one variant in one condition and one currency.
    MarketId = "mkt", "a market";
    /// A bid or an ask.
    BookOrderId = "bko", "a bid or an ask";
    /// Asks that a seller sends at once.
    AskBatchId = "abt", "a batch of asks";
    /// One piece that changed hands in a market.
    TradeId = "trd", "a trade";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = ProductId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_value::<ProductId>(serde_json::to_value(id).unwrap()).unwrap(), id);
    }

    #[test]
    fn the_id_of_another_thing_is_refused_with_what_was_expected() {
        let text = OfferId(Uuid::nil()).to_string();
        let refusal = text.parse::<ProductId>().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "`off_00000000000000000000000000` is not a product id: expected `prd_` and 26 characters"
        );
    }
}
