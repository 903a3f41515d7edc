//! Where sellers are paid: an account at the provider for each. The provider asks the seller what it must know on pages of
//! its own; an operator may name an account that there is already.

use chassis::tx::{self, insert_unless_there};
use chassis::{Env, Failure, audit};
use chrono::{DateTime, Utc};
use contract::SellerId;
use entity::payments::payout::{self, State};
use entity::payments::seller_account::{self, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use tracing::warn;

use crate::desk::Desk;
use crate::provider::{Answer, OpenAccount, Payee, PaymentProvider};
use crate::{Payments, payee};

/// Failed payouts that are sent again at once when their seller can be paid.
const PAYOUTS_MAX: u64 = 256;
/// Characters of an account's name.
const ACCOUNT_LENGTH_MAX: usize = 255;

/// What a seller wants.
#[derive(Clone, Debug)]
pub struct SetUp {
    pub seller_id: SellerId,
    /// Where the seller is, as ISO 3166.
    pub country: Option<String>,
    /// Where the provider's pages send the seller when they are done.
    pub return_url: String,
    /// Where they send a seller whose link is over: there this is asked again.
    pub refresh_url: String,
}

/// Where a seller is paid, and what is missing.
#[derive(Clone, Debug)]
pub struct Standing {
    pub row: Model,
    pub ready: bool,
    /// Where the seller tells the provider what is missing.
    pub onboarding_url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the payment provider does not answer; try again")]
    Unavailable,
    #[error("the payment provider refuses it")]
    Refused,
    #[error("the platform's payment provider has no such account")]
    AccountUnknown,
    #[error("the account is another seller's")]
    AccountTaken,
}

/// Opens an account for a seller unless there is one, and says what is missing until it can be paid. Any number of times:
/// the account's key follows from the seller, so that one that was opened and got lost is found again.
pub async fn set_up(payments: &Payments, wish: &SetUp) -> Result<Result<Standing, Refusal>, Failure> {
    let provider = payments.courier.providers().first();
    let env = &payments.env;
    let row = match find(env.db.read(), wish.seller_id, provider.name()).await? {
        Some(row) => row,
        None => match open(provider, wish).await {
            Ok(account) => keep(env, wish.seller_id, provider.name(), account).await?,
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let payee = match look_up(provider, &row.account).await {
        Ok(payee) => payee,
        Err(refusal) => return Ok(Err(refusal)),
    };
    payee::note(env, wish.seller_id, provider, payee.ready || provider.pays_without_account()).await?;
    if payee.ready {
        send_failed(payments, wish.seller_id, provider.name()).await?;
        return Ok(Ok(Standing { row, ready: true, onboarding_url: None }));
    }
    let link = provider.onboard(&row.account, &wish.return_url, &wish.refresh_url).await;
    Ok(done(link).map(|onboarding_url| Standing { row, ready: false, onboarding_url }))
}

/// An operator says where a seller is paid: an account that the provider knows and no other seller has.
pub async fn link(
    payments: &Payments,
    seller_id: SellerId,
    account: &str,
    actor: &str,
) -> Result<Result<Standing, Refusal>, Failure> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if account.is_empty() || account.len() > ACCOUNT_LENGTH_MAX || !account.chars().all(plain) {
        return Ok(Err(Refusal::AccountUnknown));
    }
    let provider = payments.courier.providers().first();
    let payee = match look_up(provider, account).await {
        Ok(payee) => payee,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if payee.seller_id.is_some_and(|opened_for| opened_for != seller_id) {
        return Ok(Err(Refusal::AccountTaken));
    }
    let (env, now) = (&payments.env, payments.env.clock.now());
    let row = row(now, seller_id, provider.name(), payee.reference);
    let linked = tx::run(&env.db, async |tx| {
        Entity::delete_by_id((seller_id, row.provider.clone())).exec(tx).await?;
        // Another seller has this one.
        if !insert_unless_there(tx, row.clone()).await? {
            return Ok(Err(Refusal::AccountTaken));
        }
        let details = json!({ "provider": row.provider, "account": row.account });
        audit::record(tx, now, actor, "payout_account.link", &seller_id.to_string(), details).await?;
        Ok(Ok(()))
    });
    if let Err(refusal) = linked.await? {
        return Ok(Err(refusal));
    }
    payee::note(env, seller_id, provider, payee.ready || provider.pays_without_account()).await?;
    if payee.ready {
        send_failed(payments, seller_id, provider.name()).await?;
    }
    Ok(Ok(Standing { row, ready: payee.ready, onboarding_url: None }))
}

/// Where a seller is paid.
pub async fn find(
    db: &impl ConnectionTrait,
    seller_id: SellerId,
    provider: &str,
) -> Result<Option<Model>, Failure> {
    Ok(Entity::find_by_id((seller_id, provider.to_owned())).one(db).await?)
}

async fn open(provider: &dyn PaymentProvider, wish: &SetUp) -> Result<String, Refusal> {
    let country = wish.country.as_deref();
    let key = format!("{}:account.{}:1", wish.seller_id, country.unwrap_or("home"));
    done(provider.open_account(OpenAccount { key: &key, seller_id: wish.seller_id, country }).await)
}

async fn look_up(provider: &dyn PaymentProvider, account: &str) -> Result<Payee, Refusal> {
    done(provider.account(account).await)?.ok_or(Refusal::AccountUnknown)
}

fn done<T>(answer: Answer<T>) -> Result<T, Refusal> {
    match answer {
        Answer::Done(done) => Ok(done),
        Answer::Declined(why) | Answer::Rejected(why) => {
            warn!(code = why.code, "The provider refuses an account: {}", why.message);
            Err(Refusal::Refused)
        }
        Answer::Unknown { error, .. } => {
            warn!("The provider does not answer for an account: {error}");
            Err(Refusal::Unavailable)
        }
        Answer::RateLimited { .. } => Err(Refusal::Unavailable),
    }
}

fn row(now: DateTime<Utc>, seller_id: SellerId, provider: &str, account: String) -> Model {
    seller_account::Model { seller_id, provider: provider.into(), account, created_at: now }
}

/// Whoever was first is kept.
async fn keep(env: &Env, seller_id: SellerId, provider: &str, account: String) -> Result<Model, Failure> {
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        insert_unless_there(tx, row(now, seller_id, provider, account)).await?;
        let kept = find(tx, seller_id, provider).await?;
        kept.ok_or_else(|| Failure::msg("another seller has the account that was opened for this one"))
    })
    .await
}

/// What could not be paid out for want of an account is sent now.
async fn send_failed(payments: &Payments, seller_id: SellerId, provider: &str) -> Result<(), Failure> {
    let Payments { env, courier, .. } = payments;
    let failed: Vec<payout::Model> = payout::Entity::find()
        .filter(payout::Column::SellerId.eq(seller_id))
        .filter(payout::Column::State.eq(State::Failed))
        .limit(PAYOUTS_MAX)
        .all(env.db.read())
        .await?;
    if failed.is_empty() {
        return Ok(());
    }
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        let ids = failed.iter().map(|payout| payout.payment_id).collect();
        let mut desk = Desk::open(tx, now, ids, false).await?;
        for payout in &failed {
            if let Some((file, pen)) = desk.file(payout.payment_id)
                && file.payment.provider == provider
            {
                file.transfer_again(pen, payout.id)?;
            }
        }
        desk.close(tx, courier).await
    })
    .await
}
