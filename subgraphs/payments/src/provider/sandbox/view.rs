//! The sandbox as it is read: a payment with everything that was made of it, and the balance.

use chassis::Failure;
use contract::event::payments::DisputeStatus;
use contract::{CurrencyCode, PaymentId};
use entity::payments::sandbox_object::{self, Kind, Status};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{page, world};
use crate::provider::{Captured, Remote, RemoteDispute, RemotePart, RemoteStanding, Standing, Why};

pub(super) async fn balance(db: &impl ConnectionTrait, currency: CurrencyCode) -> Result<i64, Failure> {
    let sum = Expr::col(sandbox_object::Column::BalanceMinor).sum().cast_as("bigint");
    let sum: Option<Option<i64>> = sandbox_object::Entity::find()
        .select_only()
        .column_as(sum, "sum")
        .filter(sandbox_object::Column::Currency.eq(currency.as_str()))
        .into_tuple()
        .one(db)
        .await?;
    Ok(sum.flatten().unwrap_or_default())
}

pub(super) async fn remote(
    db: &impl ConnectionTrait,
    payment_id: PaymentId,
) -> Result<Option<Remote>, Failure> {
    let intents = sandbox_object::Entity::find()
        .filter(sandbox_object::Column::Subject.eq(payment_id.to_string()))
        .filter(sandbox_object::Column::Kind.eq(Kind::Intent))
        .order_by_desc(sandbox_object::Column::CreatedAt)
        .all(db)
        .await?;
    // One that holds or held something tells more than one that was declined.
    let tells = |intent: &&sandbox_object::Model| intent.status != Status::Declined;
    let Some(intent) = intents.iter().find(tells).or(intents.first()) else { return Ok(None) };
    let parts = parts(db, vec![intent.id.clone()]).await?;
    let transfers = parts.iter().filter(|part| part.kind == Kind::Transfer).map(|part| part.id.clone());
    let reversals = self::parts(db, transfers.collect()).await?;
    let of = |kind: Kind| parts.iter().filter(move |part| part.kind == kind);
    Ok(Some(Remote {
        reference: intent.id.clone(),
        standing: standing(intent),
        refunds: of(Kind::Refund).map(part).collect(),
        transfers: of(Kind::Transfer).map(part).collect(),
        reversals: reversals.iter().map(part).collect(),
        disputes: of(Kind::Dispute).map(dispute).collect(),
    }))
}

async fn parts(
    db: &impl ConnectionTrait,
    parents: Vec<String>,
) -> Result<Vec<sandbox_object::Model>, Failure> {
    let parts = sandbox_object::Entity::find().filter(sandbox_object::Column::Parent.is_in(parents));
    Ok(parts.order_by_asc(sandbox_object::Column::CreatedAt).all(db).await?)
}

fn standing(intent: &sandbox_object::Model) -> RemoteStanding {
    match intent.status {
        Status::NeedsAction => RemoteStanding::Hold(page::confirmation(&intent.id)),
        Status::Captured => {
            let (charge, fee_minor) = (world::charge(&intent.id), intent.fee_minor);
            RemoteStanding::Captured(Captured { charge, fee_minor })
        }
        Status::Cancelled => RemoteStanding::Cancelled,
        Status::Declined => RemoteStanding::Declined(world::declined(&intent.method)),
        _ => match intent.held_until {
            Some(until) => RemoteStanding::Hold(Standing::Held { until }),
            None => RemoteStanding::Pending,
        },
    }
}

fn part(object: &sandbox_object::Model) -> RemotePart {
    let failed = Why::new("failed", "SANDBOX: it failed");
    RemotePart {
        subject: object.subject.clone(),
        reference: object.id.clone(),
        amount_minor: object.amount_minor,
        done: Some(if object.status == Status::Failed { Err(failed) } else { Ok(()) }),
    }
}

fn dispute(object: &sandbox_object::Model) -> RemoteDispute {
    RemoteDispute {
        reference: object.id.clone(),
        amount_minor: object.amount_minor,
        fee_minor: object.fee_minor,
        reason: object.method.clone(),
        status: match object.status {
            Status::Won => DisputeStatus::Won,
            Status::Lost => DisputeStatus::Lost,
            _ => DisputeStatus::Open,
        },
    }
}
