//! Checking out.

use std::time::Duration;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::graph::shared;
use chassis::idempotency::Request;
use chassis::{Denied, Failure};
use contract::{CurrencyCode, Long, Money, OfferId, OrderId};
use tracing::Span;

use super::order::Order;
use super::quote::{QuoteErrorCode, problem};
use super::user_error::user_error;
use crate::cart::Shopper;
use crate::checkout::{Asked, Place, PlaceRefusal, Placed};
use crate::contact::{Address, Contact};
use crate::failure::{Action, Why};
use crate::limits::{METHOD_LENGTH_MAX, WAIT_MS_DEFAULT, WAIT_MS_MAX, is_line_of_text};
use crate::live::Feed;
use crate::order;
use crate::secrets::Secrets;
use crate::settlement::State;
use crate::till::Till;

/// What to buy, for whom, and how it is paid.
#[derive(InputObject)]
pub struct CheckoutInput {
    /// A key of your choice; the same key with the same input places one order, and is answered with it each time.
    idempotency_key: String,
    /// A guest's cart. Without it, the viewer's own.
    cart_token: Option<String>,
    /// Where news of the order goes.
    email: String,
    /// Where parcels go.
    address: ShippingAddressInput,
    /// What the buyer pays with: a token of the payment provider, such as `pm_card_visa`. Never a card number.
    payment_method: String,
    /// The total that the buyer saw in the quote. When it is another now, nothing is ordered.
    expected_total: ExpectedTotalInput,
    /// How long to wait for the payment before the order is returned as it is then: 0 to 10,000 milliseconds; 2,000
    /// without it. The order goes on by itself; follow it with `orderUpdated`.
    wait_ms: Option<i32>,
}

/// Where parcels go.
#[derive(InputObject)]
pub struct ShippingAddressInput {
    /// Who gets the parcel.
    recipient: String,
    /// Street and number.
    line1: String,
    /// More of the street.
    line2: Option<String>,
    /// The city.
    city: String,
    /// State, province or the like.
    region: Option<String>,
    /// The postal code.
    postal_code: Option<String>,
    /// The country of ISO 3166-1, two capital letters.
    country: String,
    /// For the carrier.
    phone: Option<String>,
}

/// An amount of money that the buyer agreed to.
#[derive(InputObject)]
pub struct ExpectedTotalInput {
    /// In the currency's minor unit: cents, pence, fils.
    amount_minor: Long,
    /// The currency.
    currency: CurrencyCode,
}

impl From<ShippingAddressInput> for Address {
    fn from(input: ShippingAddressInput) -> Self {
        Self {
            recipient: input.recipient,
            line1: input.line1,
            line2: input.line2,
            city: input.city,
            region: input.region,
            postal_code: input.postal_code,
            country: input.country,
            phone: input.phone,
        }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CheckoutPayload {
    /// The order as it is now: paid, cancelled, or on its way to either. Null when none was placed.
    order: Option<Order>,
    /// By which a guest sees the order again. The same each time; show it to nobody else.
    order_token: Option<String>,
    /// What is wrong. With an order: why it is cancelled, or what the buyer must do. Empty when it is paid or on its way.
    user_errors: Vec<CheckoutError>,
}

user_error! {
    /// Why nothing was bought, or not yet. Whatever the code, nothing stays reserved or held, except with
    /// `PAYMENT_NEEDS_ACTION`: then both are kept for 15 minutes.
    CheckoutError (CheckoutErrorCode) {
        /// There is no such cart.
        CartNotFound,
        /// The cart is empty.
        CartEmpty,
        /// Another order is being made of the cart: `orderId`.
        CheckingOut,
        /// The e-mail address cannot be used.
        EmailInvalid,
        /// A field of the address cannot be used.
        AddressInvalid,
        /// The payment method is not 1 to 255 characters.
        PaymentMethodInvalid,
        /// An offer is not for sale any more; one error for each.
        NotForSale,
        /// There are fewer pieces than wanted: `available` are left. One error for each such line.
        SoldOut,
        /// A cart has one currency; one error for each of its lines.
        MixedCurrencies,
        /// A seller does not ship there; one error for each of their lines.
        CannotShip,
        /// The promotion is over or used up.
        PromotionExpired,
        /// The total is another than expected: `price` now. One error for the total, and one for each line whose piece
        /// costs `price` now instead of `priceBefore`.
        PriceChanged,
        /// The amounts are beyond 53 bits.
        TooLarge,
        /// The payment was declined: `declineCode` is the provider's word. Try another payment method.
        PaymentDeclined,
        /// The buyer must confirm the payment with their bank: at `redirectUrl`, or with `clientSecret`.
        PaymentNeedsAction,
        /// The buyer did not confirm in time.
        PaymentNotConfirmed,
        /// The order was cancelled.
        Cancelled,
        /// Somebody did not answer; nothing was bought. Try again.
        TimedOut,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// The order that the error is about.
        order_id: OrderId,
        /// The line that the error is about.
        offer_id: OfferId,
        /// Pieces of it that were wanted.
        requested: Long,
        /// Pieces of it that are left.
        available: Long,
        /// Its currency.
        currency: CurrencyCode,
        /// The promotion's code.
        promotion_code: String,
        /// What it costs now.
        price: Money,
        /// What it cost when it was put into the cart.
        price_before: Money,
        /// The provider's word, such as `insufficient_funds`.
        decline_code: String,
        /// Where the buyer confirms the payment.
        redirect_url: String,
        /// What the provider's client library continues with.
        client_secret: String,
    }
}

use CheckoutErrorCode as Code;

#[derive(Default)]
pub struct CheckoutMutations;

#[Object]
impl CheckoutMutations {
    /// Buys a cart: places the order, reserves its stock, all lines or none, takes the money, and waits for the end of
    /// that. Guests can buy. An order that comes to nothing leaves the cart as it was.
    async fn checkout(&self, ctx: &Context<'_>, input: CheckoutInput) -> Result<CheckoutPayload> {
        let wait = input.wait_ms.unwrap_or(WAIT_MS_DEFAULT);
        if !(0..=WAIT_MS_MAX).contains(&wait) {
            return Err(Denied::bad_input("waitMs", format!("must be 0 to {WAIT_MS_MAX}")).into());
        }
        let Some(shopper) = super::shopper(ctx, input.cart_token.as_deref()) else {
            let error =
                CheckoutError::new(Code::CartNotFound, &["input", "cartToken"], "there is no such cart");
            return Ok(nothing(vec![error]));
        };
        if !is_line_of_text(&input.payment_method, METHOD_LENGTH_MAX) {
            let message = format!("must be 1 to {METHOD_LENGTH_MAX} characters");
            let error = CheckoutError::new(Code::PaymentMethodInvalid, &["input", "paymentMethod"], message);
            return Ok(nothing(vec![error]));
        }
        let id = OrderId::new();
        let waiting = ctx.data_unchecked::<Feed>().listen(id);
        match place(ctx, id, shopper, input).await? {
            Ok(placed) if placed == id => shown(ctx, waiting.decided(within(wait)).await.map_err(shared)?),
            // Placed by the same request before: it may be decided.
            Ok(before) => {
                let waiting = ctx.data_unchecked::<Feed>().listen(before);
                shown(ctx, waiting.decided_before(within(wait)).await.map_err(shared)?)
            }
            Err(refusal) => Ok(nothing(refused(refusal))),
        }
    }
}

async fn place(ctx: &Context<'_>, id: OrderId, shopper: Shopper, input: CheckoutInput) -> Result<Placed> {
    let expected =
        Money { amount_minor: input.expected_total.amount_minor.0, currency: input.expected_total.currency };
    let contact = Contact { email: input.email.trim().into(), address: input.address.into() };
    let owner = owner(&shopper);
    let request = Request::new(
        "checkout",
        owner,
        &input.idempotency_key,
        &(&contact, &input.payment_method, expected),
    )?;
    let user = Viewer::maybe(ctx).map(|viewer| viewer.user);
    let command = Place { id, shopper, user, contact, method: input.payment_method, expected };
    let asked = Asked { request, command, span: Span::current() };
    ctx.data_unchecked::<Till>().place(asked).await.map_err(shared)
}

/// In whose name a key is kept.
fn owner(shopper: &Shopper) -> String {
    match shopper {
        Shopper::User(user) => user.to_string(),
        Shopper::Guest(hash) => hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn nothing(user_errors: Vec<CheckoutError>) -> CheckoutPayload {
    CheckoutPayload { order: None, order_token: None, user_errors }
}

fn within(wait_ms: i32) -> Duration {
    Duration::from_millis(u64::from(wait_ms.unsigned_abs()))
}

fn shown(ctx: &Context<'_>, found: Option<order::Order>) -> Result<CheckoutPayload> {
    let found = found.ok_or_else(|| Failure::msg("an order vanished"))?;
    let order_token = Some(ctx.data_unchecked::<Secrets>().order_token(found.row.id));
    Ok(CheckoutPayload { user_errors: outcome(&found), order: Some(Order::new(found)), order_token })
}

/// What the buyer must know of an order that is not on its way.
fn outcome(order: &order::Order) -> Vec<CheckoutError> {
    let at = |code, message: &str| CheckoutError {
        order_id: Some(order.row.id),
        ..CheckoutError::new(code, &["input"], message)
    };
    match order.settlement.state {
        State::Confirming => {
            let action = Action::read(order.settlement.action.as_deref());
            vec![CheckoutError {
                redirect_url: action.as_ref().and_then(|action| action.redirect_url.clone()),
                client_secret: action.and_then(|action| action.client_secret),
                ..at(Code::PaymentNeedsAction, "the buyer must confirm the payment with their bank")
            }]
        }
        State::Cancelled => match Why::read(order.settlement.failure.as_deref()) {
            Some(Why::SoldOut { shortages }) => shortages
                .iter()
                .map(|short| CheckoutError {
                    offer_id: Some(short.offer_id),
                    requested: Some(Long(short.requested)),
                    available: Some(Long(short.available)),
                    ..at(Code::SoldOut, "there are fewer pieces than wanted")
                })
                .collect(),
            Some(Why::Declined { decline_code, message }) => {
                vec![CheckoutError {
                    decline_code: Some(decline_code),
                    ..at(Code::PaymentDeclined, &message)
                }]
            }
            Some(Why::NotConfirmed) => {
                vec![at(Code::PaymentNotConfirmed, "the payment was not confirmed in time")]
            }
            Some(Why::TimedOut | Why::StockLost) => {
                vec![at(Code::TimedOut, "somebody did not answer in time; nothing was bought")]
            }
            Some(Why::Cancelled) | None => vec![at(Code::Cancelled, "the order was cancelled")],
        },
        _ => vec![],
    }
}

fn refused(refusal: PlaceRefusal) -> Vec<CheckoutError> {
    let at = |code, field: &[&str]| CheckoutError::new(code, field, &refusal);
    match &refusal {
        PlaceRefusal::CartNotFound => vec![at(Code::CartNotFound, &["input", "cartToken"])],
        PlaceRefusal::CheckingOut { order_id } => {
            vec![CheckoutError { order_id: *order_id, ..at(Code::CheckingOut, &["input"]) }]
        }
        PlaceRefusal::Invalid(invalid) if invalid.is_email() => {
            vec![at(Code::EmailInvalid, &["input", "email"])]
        }
        PlaceRefusal::Invalid(invalid) => {
            vec![at(Code::AddressInvalid, &["input", "address", invalid.field])]
        }
        PlaceRefusal::IdempotencyConflict => {
            vec![at(Code::IdempotencyConflict, &["input", "idempotencyKey"])]
        }
        PlaceRefusal::Problems(problems) => problems.iter().cloned().map(in_the_way).collect(),
        PlaceRefusal::PriceChanged { total, lines } => {
            let whole =
                CheckoutError { price: Some(*total), ..at(Code::PriceChanged, &["input", "expectedTotal"]) };
            let lines = lines.iter().map(|(offer, then, now)| CheckoutError {
                offer_id: Some(*offer),
                price: Some(*now),
                price_before: Some(*then),
                ..at(Code::PriceChanged, &["input"])
            });
            std::iter::once(whole).chain(lines).collect()
        }
    }
}

/// What a quote would say, in the words of checkout.
fn in_the_way(in_the_way: crate::quoting::Problem) -> CheckoutError {
    let told = problem(in_the_way);
    let code = match told.code {
        QuoteErrorCode::CartNotFound => Code::CartNotFound,
        QuoteErrorCode::CartEmpty => Code::CartEmpty,
        QuoteErrorCode::CountryInvalid => Code::AddressInvalid,
        QuoteErrorCode::NotForSale => Code::NotForSale,
        QuoteErrorCode::SoldOut => Code::SoldOut,
        QuoteErrorCode::MixedCurrencies => Code::MixedCurrencies,
        QuoteErrorCode::CannotShip => Code::CannotShip,
        QuoteErrorCode::PromotionExpired => Code::PromotionExpired,
        QuoteErrorCode::TooLarge => Code::TooLarge,
    };
    CheckoutError {
        offer_id: told.offer_id,
        requested: told.requested,
        available: told.available,
        currency: told.currency,
        promotion_code: told.promotion_code,
        ..CheckoutError::new(code, &["input"], told.message)
    }
}
