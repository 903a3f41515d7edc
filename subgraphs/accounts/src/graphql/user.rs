//! Users, what they say about themselves and how they want things.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::tx;
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, UserId};
use entity::accounts::user as row;

use super::acting::acting;
use super::address::{Address, AddressBook};
use super::loaders::{KeyOf, RolesOf, ShopOf, load};
use super::seller::Seller;
use crate::Accounts;
use crate::user::{self, UpdatePreferencesRefusal, UpdateProfileRefusal};

/// What a user may do.
#[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Role", name = "Role")]
pub(crate) enum ShownRole {
    /// May buy: everybody.
    Buyer,
    /// May sell: the owner of a verified shop.
    Seller,
    /// May check goods for authenticity.
    Authenticator,
    /// May decide about sellers and see to the marketplace.
    Admin,
}

/// A person or organisation that can sign in.
pub(crate) struct User {
    row: row::Model,
    /// Whether this request may see what is private.
    private: Private,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Private {
    /// To the owner, who has just proved to be.
    Open,
    /// To the owner and to admins.
    ByViewer,
}

impl User {
    /// A user as others see them, and as themselves when they ask.
    pub(super) fn new(row: row::Model) -> Self {
        Self { row, private: Private::ByViewer }
    }

    /// A user who has just signed in.
    pub(super) fn own(row: row::Model) -> Self {
        Self { row, private: Private::Open }
    }

    fn is_own(&self, ctx: &Context<'_>) -> bool {
        self.private == Private::Open || Viewer::maybe(ctx).is_some_and(|viewer| viewer.user == self.row.id)
    }

    fn is_visible(&self, ctx: &Context<'_>) -> bool {
        self.is_own(ctx) || Viewer::maybe(ctx).is_some_and(|viewer| viewer.is(Role::Admin))
    }
}

/// A person or organisation that can sign in. Everybody sees the name; all else is null unless it is you, or you are an
/// admin.
#[Object]
impl User {
    /// The user's id.
    async fn id(&self) -> UserId {
        self.row.id
    }

    /// How the user is called in public.
    async fn display_name(&self) -> &str {
        &self.row.display_name
    }

    /// The e-mail address to sign in with. You and admins see it.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if !self.is_visible(ctx) {
            return Ok(None);
        }
        match load(ctx, KeyOf(self.row.id)).await? {
            Some(key) => Ok(user::email(&self.row, &key)?),
            None => Ok(None),
        }
    }

    /// The telephone number, in international form. Only you see it.
    async fn phone(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if !self.is_own(ctx) {
            return Ok(None);
        }
        match load(ctx, KeyOf(self.row.id)).await? {
            Some(key) => Ok(user::phone(&self.row, &key)?),
            None => Ok(None),
        }
    }

    /// The language tag for how numbers, dates and addresses look, such as `de-AT`. Only you see it.
    async fn locale(&self, ctx: &Context<'_>) -> Option<&str> {
        self.is_own(ctx).then_some(self.row.locale.as_str())
    }

    /// How you want things. Only you see it.
    async fn preferences(&self, ctx: &Context<'_>) -> Option<Preferences> {
        self.is_own(ctx).then(|| Preferences::of(&self.row))
    }

    /// The address book. Only you see it.
    async fn address_book(&self, ctx: &Context<'_>) -> Result<Option<AddressBook>> {
        if !self.is_own(ctx) {
            return Ok(None);
        }
        Ok(Some(Address::book(ctx, &self.row).await?))
    }

    /// What the user may do. You and admins see it.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Option<Vec<ShownRole>>> {
        if !self.is_visible(ctx) {
            return Ok(None);
        }
        let roles = load(ctx, RolesOf(self.row.id)).await?.unwrap_or_default();
        Ok(Some(roles.into_iter().map(ShownRole::from).collect()))
    }

    /// The user's shop, or the application for one. You and admins see it.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<Seller>> {
        if !self.is_visible(ctx) {
            return Ok(None);
        }
        let shop = load(ctx, ShopOf(self.row.id)).await?;
        Ok(shop.map(if self.is_own(ctx) { Seller::own } else { Seller::new }))
    }

    /// When the account was made. You and admins see it.
    async fn created_at(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.is_visible(ctx).then_some(self.row.created_at)
    }

    /// When somebody last signed in with the password. You and admins see it.
    async fn last_login_at(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.row.last_login_at.filter(|_| self.is_visible(ctx))
    }

    /// When the account was erased. You and admins see it.
    async fn erased_at(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.row.erased_at.filter(|_| self.is_visible(ctx))
    }
}

/// How a user wants things.
#[derive(SimpleObject)]
pub(crate) struct Preferences {
    /// The currency in which prices are shown.
    currency: CurrencyCode,
    /// The language tag of texts and messages, such as `de`.
    language: String,
    /// Whether offers and news may be sent.
    marketing_opt_in: bool,
}

impl Preferences {
    fn of(user: &row::Model) -> Self {
        Self {
            currency: user.currency.parse().unwrap_or(CurrencyCode::EUR),
            language: user.language.clone(),
            marketing_opt_in: user.marketing_opt_in,
        }
    }
}

#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// Who is signed in. Null: nobody.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(viewer) = Viewer::maybe(ctx) else { return Ok(None) };
        let found = load(ctx, viewer.user).await?;
        Ok(found.filter(|user| user.erased_at.is_none()).map(User::own))
    }

    #[graphql(entity)]
    async fn user_by_id(&self, ctx: &Context<'_>, id: UserId) -> Result<Option<User>> {
        Ok(load(ctx, id).await?.map(User::new))
    }
}

/// What to change about you. What is left out stays as it is.
#[derive(InputObject)]
struct UpdateProfileInput {
    /// 1 to 100 characters.
    display_name: Option<String>,
    /// In international form, such as `+49 30 123456`; null removes it.
    phone: MaybeUndefined<String>,
    /// A language tag, such as `de-AT`.
    locale: Option<String>,
}

/// What came of `updateProfile`.
#[derive(SimpleObject)]
struct UpdateProfilePayload {
    /// You, with the changes.
    user: Option<User>,
    /// Why nothing was changed.
    user_errors: Vec<UpdateProfileError>,
}

refusals! {
    /// Why a profile was not changed.
    UpdateProfileError,
    /// Why a profile was not changed.
    UpdateProfileErrorCode {
        /// A value is too long, too short or not of the right form.
        InvalidInput,
        /// The account was erased.
        Erased,
    }
}

impl From<UpdateProfileRefusal> for UpdateProfileError {
    fn from(refusal: UpdateProfileRefusal) -> Self {
        match refusal {
            UpdateProfileRefusal::Invalid(invalid) => {
                Self::new(UpdateProfileErrorCode::InvalidInput, &["input", invalid.field], invalid.message)
            }
            UpdateProfileRefusal::Erased => Self::new(UpdateProfileErrorCode::Erased, &[], refusal),
        }
    }
}

/// Which preferences to change. What is left out stays as it is.
#[derive(InputObject)]
struct UpdatePreferencesInput {
    /// The currency in which prices are shown.
    currency: Option<CurrencyCode>,
    /// A language tag, such as `de`.
    language: Option<String>,
    /// Whether offers and news may be sent.
    marketing_opt_in: Option<bool>,
}

/// What came of `updatePreferences`.
#[derive(SimpleObject)]
struct UpdatePreferencesPayload {
    /// You, with the changes.
    user: Option<User>,
    /// Why nothing was changed.
    user_errors: Vec<UpdatePreferencesError>,
}

refusals! {
    /// Why preferences were not changed.
    UpdatePreferencesError,
    /// Why preferences were not changed.
    UpdatePreferencesErrorCode {
        /// A value is not of the right form.
        InvalidInput,
        /// The account was erased.
        Erased,
    }
}

impl From<UpdatePreferencesRefusal> for UpdatePreferencesError {
    fn from(refusal: UpdatePreferencesRefusal) -> Self {
        match refusal {
            UpdatePreferencesRefusal::Invalid(invalid) => Self::new(
                UpdatePreferencesErrorCode::InvalidInput,
                &["input", invalid.field],
                invalid.message,
            ),
            UpdatePreferencesRefusal::Erased => Self::new(UpdatePreferencesErrorCode::Erased, &[], refusal),
        }
    }
}

#[derive(Default)]
pub(super) struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes what you say about yourself.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        let phone = match input.phone {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(phone) => Some(Some(phone)),
        };
        let command = user::UpdateProfile { display_name: input.display_name, phone, locale: input.locale };
        let updated = tx::run(&accounts.env.db, async |tx| {
            user::update_profile(tx, &accounts.vault, viewer.user, command).await
        });
        Ok(match updated.await? {
            Ok(user) => UpdateProfilePayload { user: Some(User::own(user)), user_errors: vec![] },
            Err(refusal) => UpdateProfilePayload { user: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Changes how you want things.
    async fn update_preferences(
        &self,
        ctx: &Context<'_>,
        input: UpdatePreferencesInput,
    ) -> Result<UpdatePreferencesPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        let UpdatePreferencesInput { currency, language, marketing_opt_in } = input;
        let command = user::UpdatePreferences { currency, language, marketing_opt_in };
        let updated =
            tx::run(&accounts.env.db, async |tx| user::update_preferences(tx, viewer.user, command).await);
        Ok(match updated.await? {
            Ok(user) => UpdatePreferencesPayload { user: Some(User::own(user)), user_errors: vec![] },
            Err(refusal) => UpdatePreferencesPayload { user: None, user_errors: vec![refusal.into()] },
        })
    }
}
