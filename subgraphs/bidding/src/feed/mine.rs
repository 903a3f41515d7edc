//! What becomes of an account's orders, for nobody but its owner.

use std::collections::VecDeque;
use std::time::Duration;

use chassis::{Env, Failure};
use chrono::{DateTime, Utc};
use contract::{Envelope, Event, UserId};
use entity::bidding::{account, order};
use futures::Stream;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How often to look when no match was heard of.
const POLL: Duration = Duration::from_millis(500);
/// Orders read at once.
const PAGE: u64 = 200;

/// One owner's feed.
struct Mine {
    env: Env,
    user: UserId,
    /// When it ends.
    until: DateTime<Utc>,
    said: broadcast::Receiver<std::sync::Arc<Envelope>>,
    /// Changes until here were read.
    seq: i64,
    read: VecDeque<order::Model>,
}

/// The orders of `user` that changed after `after`, then each that changes, as it stands when it is read: changes that follow
/// quickly are one. Without `after` it begins with the orders that are open. Ends at `until`.
///
/// # Errors
/// The rows cannot be read.
pub async fn mine(
    env: &Env,
    user: UserId,
    after: Option<i64>,
    until: DateTime<Utc>,
) -> Result<impl Stream<Item = Result<order::Model, Failure>> + Send + use<>, Failure> {
    let said = env.db.said();
    let (seq, read) = match after {
        Some(after) => (after, VecDeque::new()),
        None => open(env, user).await?,
    };
    let mine = Mine { env: env.clone(), user, until, said, seq, read };
    Ok(futures::stream::unfold(Some(mine), |mine| async move {
        let mut mine = mine?;
        match mine.next().await {
            Ok(order) => Some((Ok(order?), Some(mine))),
            Err(failure) => Some((Err(failure), None)),
        }
    }))
}

/// The account's newest number, and the orders that were open at it.
async fn open(env: &Env, user: UserId) -> Result<(i64, VecDeque<order::Model>), Failure> {
    let newest = account::Entity::find_by_id(user.0).one(env.db.read()).await?;
    let seq = newest.map_or(0, |row| row.seq);
    let open = order::Entity::find()
        .filter(order::Column::Account.eq(user.0))
        .filter(order::Column::Status.eq(order::Status::Open))
        .filter(order::Column::AccountSeq.lte(seq))
        .order_by_asc(order::Column::AccountSeq)
        .all(env.db.read())
        .await?;
    Ok((seq, open.into()))
}

impl Mine {
    async fn next(&mut self) -> Result<Option<order::Model>, Failure> {
        loop {
            if self.env.clock.now() >= self.until || self.env.tasks.stopping().is_cancelled() {
                return Ok(None);
            }
            if let Some(order) = self.read.pop_front() {
                return Ok(Some(order));
            }
            self.read = self.changed().await?.into();
            match self.read.back() {
                Some(last) => self.seq = last.account_seq,
                None => self.wait().await,
            }
        }
    }

    async fn changed(&self) -> Result<Vec<order::Model>, Failure> {
        let changed = order::Entity::find()
            .filter(order::Column::Account.eq(self.user.0))
            .filter(order::Column::AccountSeq.gt(self.seq))
            .order_by_asc(order::Column::AccountSeq)
            .limit(PAGE);
        Ok(changed.all(self.env.db.read()).await?)
    }

    /// Until a match of this account is heard of, or it is time to look.
    async fn wait(&mut self) {
        let stopping = self.env.tasks.stopping().clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
            () = self.matched() => {}
        }
    }

    async fn matched(&mut self) {
        loop {
            match self.said.recv().await {
                Ok(event) if is_match_of(&event, self.user) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

fn is_match_of(event: &Envelope, user: UserId) -> bool {
    match &event.event {
        Event::Matched(matched) => matched.buyer_id == user || matched.seller_user_id == user,
        _ => false,
    }
}
