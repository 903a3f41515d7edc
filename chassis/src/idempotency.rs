//! The same request twice is the same answer once: the answer is stored in the transaction that made it true.

use std::collections::HashSet;
use std::fmt::Display;
use std::future::Future;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use entity::shared::idempotency;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Denied, Failure, Outcome, Tx};

/// The longest key that is kept.
const KEY_LENGTH_MAX: usize = 255;

/// The key was used before, with another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict;

/// A request that may come twice.
pub struct Request {
    scope: String,
    key: String,
    hash: String,
}

impl Request {
    /// `mutation` and `owner` (who asks) are the scope in which `key` is unique; `body` is what a repeat must equal.
    ///
    /// # Errors
    /// The key is empty, longer than 255 characters or holds control characters.
    pub fn new(
        mutation: &str,
        owner: impl Display,
        key: &str,
        body: &impl Serialize,
    ) -> Result<Self, Denied> {
        if !(1..=KEY_LENGTH_MAX).contains(&key.chars().count()) || key.contains(char::is_control) {
            return Err(Denied::bad_input(
                "idempotencyKey",
                "must have 1 to 255 characters, no control characters",
            ));
        }
        let body = serde_json::to_vec(body).expect("commands are plain data");
        let hash = hex(digest::digest(&digest::SHA256, &body).as_ref());
        Ok(Self { scope: format!("{mutation} {owner}"), key: key.into(), hash })
    }
}

/// Runs `work` unless this request was answered before; then that answer is given again. A refusal is not kept: asking
/// again after mending its cause works.
pub async fn once<T, R, F, W>(tx: &Tx, now: DateTime<Utc>, request: Request, work: W) -> Outcome<T, R>
where
    T: Serialize + DeserializeOwned,
    R: From<Conflict>,
    F: Future<Output = Outcome<T, R>>,
    W: FnOnce() -> F,
{
    if !claim(tx, now, &request, String::new()).await? {
        return answer_again(tx, request).await;
    }
    let done = match work().await? {
        Ok(done) => done,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let response = serde_json::to_string(&done)?;
    let row = idempotency::ActiveModel {
        scope: Set(request.scope),
        key: Set(request.key),
        response: Set(response),
        ..Default::default()
    };
    idempotency::Entity::update(row).exec_without_returning(tx).await?;
    Ok(Ok(done))
}

/// [`once`] for work whose answer is known before it is done, such as an id that the caller has made: it is stored with
/// the claim.
pub async fn once_with<T, R, F, W>(
    tx: &Tx,
    now: DateTime<Utc>,
    request: Request,
    answer: T,
    work: W,
) -> Outcome<T, R>
where
    T: Serialize + DeserializeOwned,
    R: From<Conflict>,
    F: Future<Output = Outcome<(), R>>,
    W: FnOnce() -> F,
{
    if !claim(tx, now, &request, serde_json::to_string(&answer)?).await? {
        return answer_again(tx, request).await;
    }
    Ok(work().await?.map(|()| answer))
}

/// Two at once: the second waits here for the first one's commit or rollback.
async fn claim(tx: &Tx, now: DateTime<Utc>, request: &Request, response: String) -> Result<bool, Failure> {
    let row = row(now, request, response);
    let inserted = idempotency::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(inserted == 1)
}

fn row(now: DateTime<Utc>, request: &Request, response: String) -> idempotency::Model {
    idempotency::Model {
        scope: request.scope.clone(),
        key: request.key.clone(),
        request_hash: request.hash.clone(),
        response,
        created_at: now,
    }
}

async fn answer_again<T: DeserializeOwned, R: From<Conflict>>(tx: &Tx, request: Request) -> Outcome<T, R> {
    let known = idempotency::Entity::find_by_id((request.scope.clone(), request.key.clone()))
        .one(tx)
        .await?
        .ok_or_else(|| Failure::msg("an idempotency row vanished"))?;
    Ok(answer_of(&request, &known)?.map_err(R::from))
}

fn answer_of<T: DeserializeOwned>(request: &Request, known: &idempotency::Model) -> Outcome<T, Conflict> {
    match known.request_hash == request.hash {
        true => Ok(Ok(serde_json::from_str(&known.response)?)),
        false => Ok(Err(Conflict)),
    }
}

/// Claims `requests` that are to be carried out together, each stored with its answer, as [`once_with`] does: which of
/// them were not claimed before. No two may have one scope and key.
pub async fn claim_all<T: Serialize>(
    tx: &Tx,
    now: DateTime<Utc>,
    requests: &[(&Request, T)],
) -> Result<Vec<bool>, Failure> {
    if requests.is_empty() {
        return Ok(vec![]);
    }
    let mut rows = requests
        .iter()
        .map(|(request, answer)| Ok(row(now, request, serde_json::to_string(answer)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    // Whoever claims the same ones waits for the first of them, and never in a circle.
    rows.sort_by(|one, other| (&one.scope, &one.key).cmp(&(&other.scope, &other.key)));
    let claimed: HashSet<(String, String)> =
        idempotency::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_with_returning_keys(tx)
            .await?
            .into_iter()
            .collect();
    let is_claimed = |request: &Request| claimed.contains(&(request.scope.clone(), request.key.clone()));
    Ok(requests.iter().map(|(request, _)| is_claimed(request)).collect())
}

/// What each of `requests` was answered before. `None`: it was not.
pub async fn answers<T: DeserializeOwned>(
    tx: &Tx,
    requests: &[&Request],
) -> Result<Vec<Option<Result<T, Conflict>>>, Failure> {
    if requests.is_empty() {
        return Ok(vec![]);
    }
    let any = requests.iter().fold(Condition::any(), |any, request| {
        let this = Condition::all()
            .add(idempotency::Column::Scope.eq(request.scope.as_str()))
            .add(idempotency::Column::Key.eq(request.key.as_str()));
        any.add(this)
    });
    let known = idempotency::Entity::find().filter(any).all(tx).await?;
    let answer = |request: &Request| {
        let known = known.iter().find(|known| known.scope == request.scope && known.key == request.key);
        known.map(|known| answer_of(request, known)).transpose()
    };
    requests.iter().map(|request| answer(request)).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
