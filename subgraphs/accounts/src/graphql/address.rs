//! The address book. Its owner alone sees it; the authentication centre sees where it has to send something.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{self, Request};
use chassis::tx;
use chrono::{DateTime, Utc};
use contract::{AddressId, UserId};
use entity::accounts::{address as row, user};

use super::acting::acting;
use super::loaders::{KeyOf, load};
use crate::address::{self, AddRefusal, ChangeRefusal, Defaults, Postal, RemoveRefusal};
use crate::vault::Key;
use crate::{Accounts, user as people};

/// A postal address.
#[derive(SimpleObject, Clone)]
pub(crate) struct Address {
    /// The address's id.
    id: AddressId,
    /// Who receives.
    recipient: String,
    /// Street and number, or what stands for them.
    line1: String,
    /// Flat, floor, company.
    line2: Option<String>,
    /// Town or city.
    city: String,
    /// State, province, county.
    region: Option<String>,
    /// Postal code, where there is one.
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, such as `DE`.
    country: String,
    /// For the carrier, in international form.
    phone: Option<String>,
    /// When it was added.
    created_at: DateTime<Utc>,
}

/// All addresses of a user.
#[derive(SimpleObject)]
pub(crate) struct AddressBook {
    /// At most 50, oldest first.
    addresses: Vec<Address>,
    /// Where parcels go unless another address is chosen.
    default_shipping_id: Option<AddressId>,
    /// Where bills go unless another address is chosen.
    default_billing_id: Option<AddressId>,
}

impl Address {
    fn new(row: &row::Model, key: &Key) -> std::result::Result<Self, chassis::Failure> {
        let Postal { recipient, line1, line2, city, region, postal_code, country, phone } =
            address::open(row, key)?;
        let (id, created_at) = (row.id, row.created_at);
        Ok(Self { id, recipient, line1, line2, city, region, postal_code, country, phone, created_at })
    }

    pub(super) async fn book(ctx: &Context<'_>, owner: &user::Model) -> Result<AddressBook> {
        let accounts = ctx.data_unchecked::<Accounts>();
        let rows = address::of(accounts.env.db.read(), owner.id).await?;
        let addresses = match load(ctx, KeyOf(owner.id)).await? {
            Some(key) => {
                rows.iter().map(|row| Self::new(row, &key)).collect::<std::result::Result<_, _>>()?
            }
            None => vec![],
        };
        let (default_shipping_id, default_billing_id) = (owner.default_shipping_id, owner.default_billing_id);
        Ok(AddressBook { addresses, default_shipping_id, default_billing_id })
    }
}

/// A postal address as its owner writes it.
#[derive(InputObject)]
struct PostalAddressInput {
    /// Who receives, 1 to 200 characters.
    recipient: String,
    /// Street and number, or what stands for them, 1 to 200 characters.
    line1: String,
    /// Flat, floor, company, at most 200 characters.
    line2: Option<String>,
    /// Town or city, 1 to 200 characters.
    city: String,
    /// State, province, county, at most 200 characters.
    region: Option<String>,
    /// At most 20 characters.
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, such as `DE`.
    country: String,
    /// For the carrier, in international form.
    phone: Option<String>,
}

impl From<PostalAddressInput> for Postal {
    fn from(input: PostalAddressInput) -> Self {
        let PostalAddressInput { recipient, line1, line2, city, region, postal_code, country, phone } = input;
        Self { recipient, line1, line2, city, region, postal_code, country, phone }
    }
}

/// A new address.
#[derive(InputObject)]
struct AddAddressInput {
    /// The address.
    address: PostalAddressInput,
    /// Whether parcels go here from now on. The first address gets them anyway.
    #[graphql(default)]
    default_shipping: bool,
    /// Whether bills go here from now on. The first address gets them anyway.
    #[graphql(default)]
    default_billing: bool,
    /// 1 to 255 characters of your choice: the same key adds the same address once.
    idempotency_key: String,
}

/// What came of `addAddress`.
#[derive(SimpleObject)]
struct AddAddressPayload {
    /// The new address.
    address: Option<Address>,
    /// The address book with it.
    address_book: Option<AddressBook>,
    /// Why it was not added.
    user_errors: Vec<AddAddressError>,
}

refusals! {
    /// Why an address was not added.
    AddAddressError,
    /// Why an address was not added.
    AddAddressErrorCode {
        /// A value is too long, too short or not of the right form.
        InvalidInput,
        /// There are 50 already: remove one first.
        AddressBookFull,
        /// The account was erased.
        Erased,
        /// The key came before with another address.
        IdempotencyConflict,
    }
}

impl From<AddRefusal> for AddAddressError {
    fn from(refusal: AddRefusal) -> Self {
        use AddAddressErrorCode::{AddressBookFull, Erased, IdempotencyConflict, InvalidInput};
        match refusal {
            AddRefusal::Invalid(invalid) => {
                Self::new(InvalidInput, &["input", "address", invalid.field], invalid.message)
            }
            AddRefusal::Full => Self::new(AddressBookFull, &[], refusal),
            AddRefusal::Erased => Self::new(Erased, &[], refusal),
            AddRefusal::KeyReused => Self::new(IdempotencyConflict, &["input", "idempotencyKey"], refusal),
        }
    }
}

/// An address as it shall be.
#[derive(InputObject)]
struct ChangeAddressInput {
    /// Which address.
    id: AddressId,
    /// The whole address; what is left out is removed.
    address: PostalAddressInput,
    /// Whether parcels go here from now on; false leaves it as it is.
    #[graphql(default)]
    default_shipping: bool,
    /// Whether bills go here from now on; false leaves it as it is.
    #[graphql(default)]
    default_billing: bool,
}

/// What came of `changeAddress`.
#[derive(SimpleObject)]
struct ChangeAddressPayload {
    /// The changed address.
    address: Option<Address>,
    /// The address book with it.
    address_book: Option<AddressBook>,
    /// Why it was not changed.
    user_errors: Vec<ChangeAddressError>,
}

refusals! {
    /// Why an address was not changed.
    ChangeAddressError,
    /// Why an address was not changed.
    ChangeAddressErrorCode {
        /// A value is too long, too short or not of the right form.
        InvalidInput,
        /// There is no such address in your address book.
        NotFound,
    }
}

impl From<ChangeRefusal> for ChangeAddressError {
    fn from(refusal: ChangeRefusal) -> Self {
        use ChangeAddressErrorCode::{InvalidInput, NotFound};
        match refusal {
            ChangeRefusal::Invalid(invalid) => {
                Self::new(InvalidInput, &["input", "address", invalid.field], invalid.message)
            }
            ChangeRefusal::NotFound => Self::new(NotFound, &["input", "id"], refusal),
        }
    }
}

/// An address to forget.
#[derive(InputObject)]
struct RemoveAddressInput {
    /// Which address.
    id: AddressId,
}

/// What came of `removeAddress`.
#[derive(SimpleObject)]
struct RemoveAddressPayload {
    /// The id that is gone.
    removed_id: Option<AddressId>,
    /// Why it is still there.
    user_errors: Vec<RemoveAddressError>,
}

refusals! {
    /// Why an address was not removed.
    RemoveAddressError,
    /// Why an address was not removed.
    RemoveAddressErrorCode {
        /// There is no such address in your address book.
        NotFound,
    }
}

impl From<RemoveRefusal> for RemoveAddressError {
    fn from(refusal: RemoveRefusal) -> Self {
        match refusal {
            RemoveRefusal::NotFound => Self::new(RemoveAddressErrorCode::NotFound, &["input", "id"], refusal),
        }
    }
}

#[derive(Default)]
pub(super) struct AddressQuery;

#[Object]
impl AddressQuery {
    #[graphql(entity)]
    async fn address_by_id(&self, ctx: &Context<'_>, id: AddressId) -> Result<Option<Address>> {
        let Some(viewer) = Viewer::maybe(ctx) else { return Ok(None) };
        let found = load(ctx, id).await?;
        let sees = |row: &row::Model| row.user_id == viewer.user || viewer.is(Role::Authenticator);
        let Some(row) = found.filter(sees) else { return Ok(None) };
        let Some(key) = load(ctx, KeyOf(row.user_id)).await? else { return Ok(None) };
        Ok(Some(Address::new(&row, &key)?))
    }
}

#[derive(Default)]
pub(super) struct AddressMutation;

#[Object]
impl AddressMutation {
    /// Adds an address to your address book.
    async fn add_address(&self, ctx: &Context<'_>, input: AddAddressInput) -> Result<AddAddressPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        let defaults = Defaults { shipping: input.default_shipping, billing: input.default_billing };
        let (user, postal) = (viewer.user, Postal::from(input.address));
        let request = once(accounts, user, &input.idempotency_key, &(&postal, defaults))?;
        let (now, vault) = (accounts.env.clock.now(), &accounts.vault);
        let added = tx::run(&accounts.env.db, async |tx| {
            idempotency::once(tx, now, request, || address::add(tx, now, vault, user, postal, defaults)).await
        });
        Ok(match added.await? {
            Ok(id) => {
                let (address, address_book) = shown(ctx, user, id).await?;
                AddAddressPayload { address, address_book, user_errors: vec![] }
            }
            Err(refusal) => {
                AddAddressPayload { address: None, address_book: None, user_errors: vec![refusal.into()] }
            }
        })
    }

    /// Replaces an address of your address book.
    async fn change_address(
        &self,
        ctx: &Context<'_>,
        input: ChangeAddressInput,
    ) -> Result<ChangeAddressPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        let defaults = Defaults { shipping: input.default_shipping, billing: input.default_billing };
        let (user, vault) = (viewer.user, &accounts.vault);
        let changed = tx::run(&accounts.env.db, async |tx| {
            address::change(tx, vault, user, input.id, input.address.into(), defaults).await
        });
        Ok(match changed.await? {
            Ok(id) => {
                let (address, address_book) = shown(ctx, user, id).await?;
                ChangeAddressPayload { address, address_book, user_errors: vec![] }
            }
            Err(refusal) => {
                ChangeAddressPayload { address: None, address_book: None, user_errors: vec![refusal.into()] }
            }
        })
    }

    /// Removes an address from your address book.
    async fn remove_address(
        &self,
        ctx: &Context<'_>,
        input: RemoveAddressInput,
    ) -> Result<RemoveAddressPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        let removed =
            tx::run(&accounts.env.db, async |tx| address::remove(tx, viewer.user, input.id).await).await?;
        Ok(match removed {
            Ok(id) => RemoveAddressPayload { removed_id: Some(id), user_errors: vec![] },
            Err(refusal) => RemoveAddressPayload { removed_id: None, user_errors: vec![refusal.into()] },
        })
    }
}

/// The request under its idempotency key. What is kept of it is a keyed hash: an address could be guessed from a plain one.
fn once(
    accounts: &Accounts,
    user: UserId,
    key: &str,
    body: &impl serde::Serialize,
) -> std::result::Result<Request, async_graphql::Error> {
    let body = accounts.vault.fingerprint("addAddress", &serde_json::to_vec(body)?);
    Ok(Request::new("addAddress", user, key, &body)?)
}

/// The address book after a change, and one address of it.
async fn shown(
    ctx: &Context<'_>,
    user: UserId,
    id: AddressId,
) -> Result<(Option<Address>, Option<AddressBook>)> {
    let accounts = ctx.data_unchecked::<Accounts>();
    let Some(owner) = people::present(accounts.env.db.read(), user).await? else {
        return Ok((None, None));
    };
    let book = Address::book(ctx, &owner).await?;
    let address = book.addresses.iter().find(|address| address.id == id).cloned();
    Ok((address, Some(book)))
}
