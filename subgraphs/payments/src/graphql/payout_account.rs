//! Where a seller is paid, as the seller sets it up.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::Denied;
use chassis::auth::{Role, Viewer};
use contract::SellerId;

use super::balance::Seller;
use super::user_error::user_error;
use crate::Payments;
use crate::payout_account::{self, Refusal, SetUp, Standing};
use crate::seller::Bookkeeper;

/// Characters of an address.
const URL_LENGTH_MAX: usize = 2_048;

/// An account in which a shop is paid.
#[derive(SimpleObject)]
pub struct PayoutAccount {
    /// The shop.
    seller: Seller,
    /// Who pays: `stripe`, or `sandbox`, which moves no money.
    provider: String,
    /// The provider's name of the account, such as `acct_1032D82eZvKYlo2C`.
    reference: String,
}

impl PayoutAccount {
    fn new(row: entity::payments::seller_account::Model) -> Self {
        Self { seller: Seller { id: row.seller_id }, provider: row.provider, reference: row.account }
    }
}

/// How to set up where a shop is paid.
#[derive(InputObject)]
pub struct SetUpPayoutsInput {
    /// The shop; a seller need not name their only one.
    seller_id: Option<SellerId>,
    /// Where the shop is, as ISO 3166: `DE`. The platform's own country without it. It counts when the account is opened.
    country: Option<String>,
    /// Where the provider's pages send the seller when they are done: `https://…`.
    return_url: String,
    /// Where they send a seller whose link is over; call this mutation there again.
    refresh_url: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetUpPayoutsPayload {
    /// The account; null when something is wrong.
    account: Option<PayoutAccount>,
    /// Whether the shop can be paid now.
    ready: bool,
    /// Where the seller tells the provider what is missing; for one visit, within minutes. Null when nothing is missing.
    onboarding_url: Option<String>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetUpPayoutsError>,
}

user_error! {
    /// Why payouts could not be set up.
    SetUpPayoutsError (SetUpPayoutsErrorCode) {
        /// There is no such shop of yours.
        NotFound,
        /// The payment provider does not answer; try again.
        ProviderUnavailable,
        /// The payment provider refuses to open the account, or has none of this name any more.
        ProviderRefused,
    }
}

/// Which account a shop is paid in.
#[derive(InputObject)]
pub struct LinkPayoutAccountInput {
    /// The shop.
    seller_id: SellerId,
    /// The provider's name of an account that is connected to the platform's.
    reference: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct LinkPayoutAccountPayload {
    /// The account; null when something is wrong.
    account: Option<PayoutAccount>,
    /// Whether the shop can be paid now.
    ready: bool,
    /// What is wrong; empty when it was done.
    user_errors: Vec<LinkPayoutAccountError>,
}

user_error! {
    /// Why the account was not linked.
    LinkPayoutAccountError (LinkPayoutAccountErrorCode) {
        /// There is no such shop.
        NotFound,
        /// The provider has no such account that is connected to the platform's.
        AccountUnknown,
        /// The account is another shop's.
        AccountTaken,
        /// The payment provider does not answer; try again.
        ProviderUnavailable,
        /// The payment provider refuses.
        ProviderRefused,
    }
}

#[derive(Default)]
pub struct PayoutAccountQueries;

#[Object]
impl PayoutAccountQueries {
    /// Where a shop is paid. A seller sees their own, an admin any that they name; null when there is no such shop, or it
    /// has not said.
    async fn payout_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop; a seller need not name their only one.")] seller_id: Option<SellerId>,
    ) -> Result<Option<PayoutAccount>> {
        let Some(id) = shop(ctx, seller_id).await? else { return Ok(None) };
        let Payments { env, courier, .. } = ctx.data_unchecked::<Payments>();
        let row = payout_account::find(env.db.read(), id, courier.first_provider()).await?;
        Ok(row.map(PayoutAccount::new))
    }
}

#[derive(Default)]
pub struct PayoutAccountMutations;

#[Object]
impl PayoutAccountMutations {
    /// Opens an account in which a shop is paid, unless it has one, and says where the seller tells the provider what is
    /// missing. Call it again after that: what was earned in the meantime is sent as soon as the shop can be paid. For the
    /// seller, and for admins.
    async fn set_up_payouts(
        &self,
        ctx: &Context<'_>,
        input: SetUpPayoutsInput,
    ) -> Result<SetUpPayoutsPayload> {
        use SetUpPayoutsErrorCode as Code;
        check_url("returnUrl", &input.return_url)?;
        check_url("refreshUrl", &input.refresh_url)?;
        check_country(input.country.as_deref())?;
        let refused = |code, field: &str, message: &dyn std::fmt::Display| SetUpPayoutsPayload {
            account: None,
            ready: false,
            onboarding_url: None,
            user_errors: vec![SetUpPayoutsError::new(code, &["input", field], message)],
        };
        let Some(seller_id) = shop(ctx, input.seller_id).await? else {
            return Ok(refused(Code::NotFound, "sellerId", &"there is no such shop of yours"));
        };
        let SetUpPayoutsInput { country, return_url, refresh_url, .. } = input;
        let wish = SetUp { seller_id, country, return_url, refresh_url };
        let refusal = match payout_account::set_up(ctx.data_unchecked(), &wish).await? {
            Ok(Standing { row, ready, onboarding_url }) => {
                let account = Some(PayoutAccount::new(row));
                return Ok(SetUpPayoutsPayload { account, ready, onboarding_url, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let code = match refusal {
            Refusal::Unavailable => Code::ProviderUnavailable,
            Refusal::Refused | Refusal::AccountUnknown | Refusal::AccountTaken => Code::ProviderRefused,
        };
        Ok(refused(code, "sellerId", &refusal))
    }

    /// Says in which account a shop is paid, one that is connected to the platform's already. For admins; it is audited.
    async fn link_payout_account(
        &self,
        ctx: &Context<'_>,
        input: LinkPayoutAccountInput,
    ) -> Result<LinkPayoutAccountPayload> {
        use LinkPayoutAccountErrorCode as Code;
        let actor = Viewer::with_role(ctx, Role::Admin)?.user.to_string();
        let refused = |code, field: &str, message: &dyn std::fmt::Display| LinkPayoutAccountPayload {
            account: None,
            ready: false,
            user_errors: vec![LinkPayoutAccountError::new(code, &["input", field], message)],
        };
        let Some(seller_id) = shop(ctx, Some(input.seller_id)).await? else {
            return Ok(refused(Code::NotFound, "sellerId", &"there is no such shop"));
        };
        let linked = payout_account::link(ctx.data_unchecked(), seller_id, &input.reference, &actor).await?;
        let refusal = match linked {
            Ok(Standing { row, ready, .. }) => {
                let account = Some(PayoutAccount::new(row));
                return Ok(LinkPayoutAccountPayload { account, ready, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let code = match refusal {
            Refusal::Unavailable => Code::ProviderUnavailable,
            Refusal::Refused => Code::ProviderRefused,
            Refusal::AccountUnknown => Code::AccountUnknown,
            Refusal::AccountTaken => Code::AccountTaken,
        };
        Ok(refused(code, "reference", &refusal))
    }
}

async fn shop(ctx: &Context<'_>, named: Option<SellerId>) -> Result<Option<SellerId>> {
    let bookkeeper = Bookkeeper::of(Viewer::required(ctx)?)?;
    Ok(bookkeeper.shop(ctx.data_unchecked::<Payments>().env.db.read(), named).await?)
}

/// Providers send a browser there: over https, or to this machine.
fn check_url(field: &'static str, text: &str) -> Result<(), Denied> {
    let url = reqwest::Url::parse(text).ok().filter(|_| text.len() <= URL_LENGTH_MAX);
    let local = |url: &reqwest::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url {
        Some(url) if url.scheme() == "https" && url.has_host() => Ok(()),
        Some(url) if url.scheme() == "http" && local(&url) => Ok(()),
        _ => Err(Denied::bad_input(
            field,
            format!("must be an address that begins with https://, at most {URL_LENGTH_MAX} characters"),
        )),
    }
}

fn check_country(country: Option<&str>) -> Result<(), Denied> {
    let is_code = |code: &str| code.len() == 2 && code.chars().all(|letter| letter.is_ascii_uppercase());
    match country.is_none_or(is_code) {
        true => Ok(()),
        false => Err(Denied::bad_input("country", "must be two capital letters of ISO 3166, such as DE")),
    }
}
