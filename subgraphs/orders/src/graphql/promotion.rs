//! Promotions, as those who make them see them.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::page::{Cursor, Page};
use chassis::{Env, tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, Long, PromotionId, SellerId};
use entity::orders::promotion::{Benefit, Model};

use super::stubs::Seller;
use super::user_error::user_error;
use crate::promotion::{self, Create, CreateRefusal};

/// What a promotion takes off.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Benefit")]
pub enum PromotionBenefit {
    /// A part of the goods: `value` is in hundredths of a percent.
    Percent,
    /// An amount off the goods: `value` is in minor units.
    Amount,
    /// The shipping: `value` is 0.
    FreeShipping,
}

/// A code or an automatic rule that takes something off.
#[derive(SimpleObject)]
pub struct Promotion {
    /// The promotion's id.
    id: PromotionId,
    /// Its code; null when it applies by itself.
    code: Option<String>,
    /// What it is called.
    name: String,
    /// Whose goods it is for; null: everybody's.
    seller: Option<Seller>,
    /// What it takes off.
    benefit: PromotionBenefit,
    /// How much.
    value: Long,
    /// The currency of carts that it is for.
    currency: CurrencyCode,
    /// From goods of so many minor units on.
    minimum_minor: Long,
    /// When it begins.
    starts_at: DateTime<Utc>,
    /// When it ends; null: never.
    ends_at: Option<DateTime<Utc>>,
    /// Orders that may use it; null: any number.
    uses_max: Option<Long>,
    /// Orders of one user that may use it; null: any number. With a limit it is for signed-in users only.
    uses_per_buyer_max: Option<Long>,
    /// Orders that have used it; counted when there is a limit.
    uses: Long,
}

impl TryFrom<Model> for Promotion {
    type Error = chassis::Failure;

    fn try_from(row: Model) -> Result<Self, chassis::Failure> {
        Ok(Self {
            id: row.id,
            code: row.code,
            name: row.name,
            seller: row.seller_id.map(|id| Seller { id }),
            benefit: row.benefit.into(),
            value: Long(row.value),
            currency: row.currency.parse()?,
            minimum_minor: Long(row.minimum_minor),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            uses_max: row.uses_max.map(Long),
            uses_per_buyer_max: row.uses_per_buyer_max.map(Long),
            uses: Long(row.uses),
        })
    }
}

/// A promotion to be.
#[derive(InputObject)]
pub struct CreatePromotionInput {
    /// A key of your choice; the same key with the same input creates one promotion.
    idempotency_key: String,
    /// Its code: 1 to 40 letters, digits, `-`, `_` or `%`, in any case. Without it the promotion applies by itself.
    code: Option<String>,
    /// What it is called: 1 to 100 characters. Buyers see it.
    name: String,
    /// Whose goods it is for. For a seller, their own shop; for an admin without it, everybody's.
    seller_id: Option<SellerId>,
    /// What it takes off.
    benefit: PromotionBenefit,
    /// How much: hundredths of a percent, minor units, or 0 for free shipping.
    value: Long,
    /// The currency of carts that it is for.
    currency: CurrencyCode,
    /// From goods of so many minor units on.
    #[graphql(default_with = "Long(0)")]
    minimum_minor: Long,
    /// When it begins; now without it.
    starts_at: Option<DateTime<Utc>>,
    /// When it ends; never without it.
    ends_at: Option<DateTime<Utc>>,
    /// Orders that may use it, at least 1.
    uses_max: Option<Long>,
    /// Orders of one user that may use it, at least 1. With a limit it is for signed-in users only.
    uses_per_buyer_max: Option<Long>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CreatePromotionPayload {
    /// The promotion's id; null when something is wrong.
    promotion_id: Option<PromotionId>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CreatePromotionError>,
}

user_error! {
    /// Why a promotion was not created.
    CreatePromotionError (CreatePromotionErrorCode) {
        /// The code cannot be used.
        CodeInvalid,
        /// There is a promotion with this code.
        CodeTaken,
        /// The name is missing or too long.
        NameInvalid,
        /// There is no such shop of yours.
        SellerNotFound,
        /// The value does not fit what it takes off.
        ValueOutOfRange,
        /// The minimum is negative, or a limit is below 1.
        LimitOutOfRange,
        /// It would end before it begins.
        DatesInvalid,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

/// Which promotion to end.
#[derive(InputObject)]
pub struct EndPromotionInput {
    /// The promotion.
    id: PromotionId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct EndPromotionPayload {
    /// The promotion afterwards; null when something is wrong.
    promotion: Option<Promotion>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<EndPromotionError>,
}

user_error! {
    /// Why a promotion was not ended.
    EndPromotionError (EndPromotionErrorCode) {
        /// There is no such promotion of yours.
        NotFound,
    }
}

#[derive(Default)]
pub struct PromotionQueries;

#[Object]
impl PromotionQueries {
    /// The promotions of the viewer's shop, newest first; for admins, all.
    async fn promotions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<PromotionId>, Promotion>> {
        let keeper = super::keeper(ctx)?;
        let page = Page::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        let rows = promotion::list(db, keeper, page.after, page.rows()).await?;
        let promotions = rows.into_iter().map(Promotion::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(page.connection(promotions, |promotion| promotion.id, |promotion| promotion))
    }
}

#[derive(Default)]
pub struct PromotionMutations;

#[Object]
impl PromotionMutations {
    /// Creates a promotion. What it takes off is the sellers' loss: the platform's fee is of what is left.
    async fn create_promotion(
        &self,
        ctx: &Context<'_>,
        input: CreatePromotionInput,
    ) -> Result<CreatePromotionPayload> {
        use CreatePromotionErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let benefit = Benefit::from(input.benefit);
        let command = Create {
            code: input.code,
            name: input.name,
            seller_id: input.seller_id,
            benefit,
            value: input.value.0,
            currency: input.currency,
            minimum_minor: input.minimum_minor.0,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            uses_max: input.uses_max.map(|max| max.0),
            uses_per_buyer_max: input.uses_per_buyer_max.map(|max| max.0),
        };
        let body = (&command, format!("{benefit:?}"));
        let request = Request::new("createPromotion", keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || promotion::create(tx, now, keeper, command)).await
        });
        let refusal = match done.await? {
            Ok(id) => return Ok(CreatePromotionPayload { promotion_id: Some(id), user_errors: vec![] }),
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            CreateRefusal::CodeInvalid => (Code::CodeInvalid, "code"),
            CreateRefusal::CodeTaken => (Code::CodeTaken, "code"),
            CreateRefusal::NameInvalid => (Code::NameInvalid, "name"),
            CreateRefusal::SellerNotFound => (Code::SellerNotFound, "sellerId"),
            CreateRefusal::ValueOutOfRange => (Code::ValueOutOfRange, "value"),
            CreateRefusal::LimitOutOfRange => (Code::LimitOutOfRange, "usesMax"),
            CreateRefusal::DatesInvalid => (Code::DatesInvalid, "endsAt"),
            CreateRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        let error = CreatePromotionError::new(code, &["input", field], refusal);
        Ok(CreatePromotionPayload { promotion_id: None, user_errors: vec![error] })
    }

    /// Ends a promotion now. Ending twice is ending once.
    async fn end_promotion(
        &self,
        ctx: &Context<'_>,
        input: EndPromotionInput,
    ) -> Result<EndPromotionPayload> {
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let now = env.clock.now();
        let ended = tx::apply(&env.db, async |tx| promotion::end(tx, now, keeper, input.id).await).await?;
        let promotion = ended.map(Promotion::try_from).transpose()?;
        let user_errors = match promotion {
            Some(_) => vec![],
            None => vec![EndPromotionError::new(
                EndPromotionErrorCode::NotFound,
                &["input", "id"],
                "there is no such promotion",
            )],
        };
        Ok(EndPromotionPayload { promotion, user_errors })
    }
}
