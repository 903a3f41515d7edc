//! Parcels with traded pieces: from the seller to the authentication centre, and from there to the buyer, or back.
//! Saying the same twice is saying it once.

use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{TradeId, UserId};
use entity::orders::trade;
use entity::orders::trade_parcel::{Column, Entity, Model, Way};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use super::drive::{self, News};
use super::rules::Rules;
use super::saga::{Heard, State};
use super::{Reader, again, find, lock};
use crate::keeper::Keeper;
use crate::limits::{LINE_LENGTH_MAX, NAME_LENGTH_MAX, is_line_of_text};

/// A parcel that somebody sends.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub trade_id: TradeId,
    pub carrier: String,
    pub tracking: String,
}

impl Parcel {
    fn is_by(&self, parcel: &Model) -> bool {
        parcel.carrier == self.carrier && parcel.tracking == self.tracking
    }

    /// For the log.
    fn details(&self) -> Value {
        json!({ "carrier": self.carrier, "tracking": self.tracking })
    }
}

/// Why a parcel was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendRefusal {
    #[error("there is no such trade of yours")]
    NotFound,
    #[error("must be 1 to {NAME_LENGTH_MAX} characters, without control characters")]
    CarrierInvalid,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    TrackingInvalid,
    #[error("there is nothing to send at this moment")]
    NotNow,
}

/// The seller sends the piece to the centre.
pub async fn ship(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    keeper: Keeper,
    sent: Parcel,
) -> Outcome<trade::Model, SendRefusal> {
    if let Err(refusal) = checked(&sent) {
        return Ok(Err(refusal));
    }
    let Some(row) = lock(tx, sent.trade_id).await? else { return Ok(Err(SendRefusal::NotFound)) };
    if keeper.shop(tx, Some(row.seller_id)).await?.is_none() {
        return Ok(Err(SendRefusal::NotFound));
    }
    let news = News { details: Some(sent.details()), ..News::new(row.id, Heard::Shipped) };
    if drive::hear(tx, rules, now, vec![news.by(keeper.actor())]).await? == 0 {
        return sent_before(tx, &sent, &[Way::ToCentre]).await;
    }
    write(tx, now, &sent, Way::ToCentre).await?;
    again(tx, row.id).await.map(Ok)
}

/// The centre sends the piece on: to the buyer when it is what it was sold as, else back to the seller.
pub async fn dispatch(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    staff: UserId,
    sent: Parcel,
) -> Outcome<trade::Model, SendRefusal> {
    if let Err(refusal) = checked(&sent) {
        return Ok(Err(refusal));
    }
    let Some(mut row) = lock(tx, sent.trade_id).await? else { return Ok(Err(SendRefusal::NotFound)) };
    let (actor, details) = (staff.to_string(), sent.details());
    let news = News { details: Some(details.clone()), ..News::new(row.id, Heard::Dispatched) };
    let way = match drive::hear(tx, rules, now, vec![news.by(&actor)]).await? {
        0 if is_owed_to_seller(tx, &row).await? => Way::ToSeller,
        0 => return sent_before(tx, &sent, &[Way::ToBuyer, Way::ToSeller]).await,
        _ => Way::ToBuyer,
    };
    write(tx, now, &sent, way).await?;
    if way == Way::ToSeller {
        drive::note(tx, now, &mut row, "returned", &actor, details).await?;
    }
    again(tx, row.id).await.map(Ok)
}

fn checked(sent: &Parcel) -> Result<(), SendRefusal> {
    if !is_line_of_text(&sent.carrier, NAME_LENGTH_MAX) {
        return Err(SendRefusal::CarrierInvalid);
    }
    match is_line_of_text(&sent.tracking, LINE_LENGTH_MAX) {
        true => Ok(()),
        false => Err(SendRefusal::TrackingInvalid),
    }
}

/// The same parcel again is no news; another one is not what the trade waits for.
async fn sent_before(tx: &Tx, sent: &Parcel, ways: &[Way]) -> Outcome<trade::Model, SendRefusal> {
    let parcels = of(tx, sent.trade_id).await?;
    match parcels.iter().any(|parcel| ways.contains(&parcel.way) && sent.is_by(parcel)) {
        true => again(tx, sent.trade_id).await.map(Ok),
        false => Ok(Err(SendRefusal::NotNow)),
    }
}

/// Whether the centre has a piece that is the seller's again.
async fn is_owed_to_seller(tx: &Tx, row: &trade::Model) -> Result<bool, Failure> {
    let parcels = of(tx, row.id).await?;
    let at_centre = parcels.iter().any(|parcel| parcel.way == Way::ToCentre && parcel.arrived_at.is_some());
    let sent_back = parcels.iter().any(|parcel| parcel.way == Way::ToSeller);
    Ok(is_undone(row.state) && at_centre && !sent_back)
}

fn is_undone(state: State) -> bool {
    matches!(state, State::Refunding | State::StuckRefunding | State::Refunded)
}

async fn of(tx: &Tx, id: TradeId) -> Result<Vec<Model>, Failure> {
    Ok(Entity::find().filter(Column::TradeId.eq(id)).all(tx).await?)
}

async fn write(tx: &Tx, now: DateTime<Utc>, sent: &Parcel, way: Way) -> Result<(), Failure> {
    let row = Model {
        trade_id: sent.trade_id,
        way,
        carrier: sent.carrier.clone(),
        tracking: sent.tracking.clone(),
        sent_at: now,
        arrived_at: None,
    };
    Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Why an arrival is not taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArriveRefusal {
    #[error("there is no such trade of yours")]
    NotFound,
    #[error("no parcel of it is on its way")]
    NotNow,
}

/// The centre has the piece: somebody is to look at it. One that comes too late is only taken down, to be sent back.
pub async fn receive(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    staff: UserId,
    id: TradeId,
) -> Outcome<trade::Model, ArriveRefusal> {
    let Some(mut row) = lock(tx, id).await? else { return Ok(Err(ArriveRefusal::NotFound)) };
    if !arrive(tx, now, id, Way::ToCentre).await? {
        let known = of(tx, id).await?.iter().any(|parcel| parcel.way == Way::ToCentre);
        return Ok(if known { Ok(row) } else { Err(ArriveRefusal::NotNow) });
    }
    let actor = staff.to_string();
    if drive::hear(tx, rules, now, vec![News::new(id, Heard::Arrived).by(&actor)]).await? == 0 {
        drive::note(tx, now, &mut row, "arrived_late", &actor, json!({})).await?;
    }
    again(tx, id).await.map(Ok)
}

/// The buyer has the piece, as they or staff say.
pub async fn deliver(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    reader: Reader,
    by: UserId,
    id: TradeId,
) -> Outcome<trade::Model, ArriveRefusal> {
    // Nobody says of what they sell that it arrived.
    let may_say =
        |row: &trade::Model| row.buyer_id == by || (reader == Reader::Staff && row.seller_user_id != by);
    if !find(tx, reader, id).await?.as_ref().is_some_and(may_say) {
        return Ok(Err(ArriveRefusal::NotFound));
    }
    let Some(row) = lock(tx, id).await? else { return Ok(Err(ArriveRefusal::NotFound)) };
    let news = News::new(id, Heard::Delivered).by(by.to_string());
    if drive::hear(tx, rules, now, vec![news]).await? == 0 {
        let delivered = matches!(row.state, State::Releasing | State::StuckReleasing | State::Completed);
        return Ok(if delivered { Ok(row) } else { Err(ArriveRefusal::NotNow) });
    }
    arrive(tx, now, id, Way::ToBuyer).await?;
    again(tx, id).await.map(Ok)
}

/// Takes an arrival down. `false`: there is no parcel that has not arrived.
async fn arrive(tx: &Tx, now: DateTime<Utc>, id: TradeId, way: Way) -> Result<bool, Failure> {
    let arrived = Entity::update_many()
        .col_expr(Column::ArrivedAt, Expr::val(now))
        .filter(Column::TradeId.eq(id))
        .filter(Column::Way.eq(way))
        .filter(Column::ArrivedAt.is_null())
        .exec(tx)
        .await?;
    Ok(arrived.rows_affected == 1)
}
