//! The sandbox as it is read: a payment with everything that was made of it, and the balance.

use chassis::Failure;
use contract::event::payments::DisputeStatus;
use contract::{CurrencyCode, Money, PaymentId};
use entity::payments::sandbox_object::{self, Kind, Status};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{page, world};
use crate::provider::{
    Captured, Holds, Remote, RemoteDispute, RemoteHold, RemotePart, RemoteStanding, Standing, Why,
};

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
        .all(db)
        .await?;
    let mut objects = parts(db, intents.iter().map(|intent| intent.id.clone()).collect()).await?;
    let transfers = objects.iter().filter(|part| part.kind == Kind::Transfer).map(|part| part.id.clone());
    let reversals = parts(db, transfers.collect()).await?;
    objects.extend(intents.into_iter().chain(reversals));
    Ok(assemble(payment_id, &objects))
}

/// A payment as the sandbox's `objects` tell it. `None`: there is none among them.
pub(crate) fn assemble(payment_id: PaymentId, objects: &[sandbox_object::Model]) -> Option<Remote> {
    let subject = payment_id.to_string();
    let own = |object: &&sandbox_object::Model| object.kind == Kind::Intent && object.subject == subject;
    // One that holds or held something tells more than one that was declined; then the newest.
    let intent = objects
        .iter()
        .filter(own)
        .max_by_key(|intent| (intent.status != Status::Declined, intent.created_at))?;
    let of = |parent: &str, kind: Kind| {
        let mut parts: Vec<&sandbox_object::Model> = objects
            .iter()
            .filter(|part| part.kind == kind && part.parent.as_deref() == Some(parent))
            .collect();
        parts.sort_by_key(|part| part.created_at);
        parts
    };
    let transfers = of(&intent.id, Kind::Transfer);
    Some(Remote {
        reference: intent.id.clone(),
        standing: standing(intent),
        refunds: of(&intent.id, Kind::Refund).into_iter().map(part).collect(),
        reversals: transfers.iter().flat_map(|sent| of(&sent.id, Kind::Reversal)).map(part).collect(),
        transfers: transfers.into_iter().map(part).collect(),
        disputes: of(&intent.id, Kind::Dispute).into_iter().map(dispute).collect(),
    })
}

pub(super) async fn holds(db: &impl ConnectionTrait, made: Holds) -> Result<Vec<RemoteHold>, Failure> {
    let intents = sandbox_object::Entity::find()
        .filter(sandbox_object::Column::Kind.eq(Kind::Intent))
        .filter(sandbox_object::Column::Status.eq(Status::Held))
        .filter(sandbox_object::Column::CreatedAt.between(made.since, made.until))
        .all(db)
        .await?;
    intents.into_iter().map(hold).collect()
}

fn hold(intent: sandbox_object::Model) -> Result<RemoteHold, Failure> {
    let amount = Money { amount_minor: intent.amount_minor, currency: intent.currency.parse()? };
    Ok(RemoteHold { payment_id: intent.subject.parse()?, reference: intent.id, amount })
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
            RemoteStanding::Captured(Captured { charge, amount_minor: intent.amount_minor, fee_minor })
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
        key: None,
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
