//! What there is at Stripe: a payment with everything that was made of it, open holds, the balance. From lists, which are
//! complete, and never from a search, which lags behind.

use chrono::{DateTime, Utc};
use contract::event::payments::DisputeStatus;
use contract::{CurrencyCode, Money, PaymentId, RefundId};

use super::client::{Got, Not};
use super::form::Form;
use super::shape::{Balance, Charge, Dispute, Intent, Part, Refund, Reversal, Transfer, ours};
use super::{HOLD_LIMIT, Stripe, WITH_CHARGE};
use crate::provider::{
    Captured, Holds, Read, Remote, RemoteDispute, RemoteHold, RemotePart, RemoteStanding, Standing, Why,
};

const INTENTS: &str = "/v1/payment_intents";

impl Stripe {
    pub(super) async fn remote(&self, call: Read<'_>) -> Got<Option<Remote>> {
        let intent = match call.reference {
            Some(reference) => self.client.intent(reference).await?,
            None => match self.look_for(&call).await? {
                Some(intent) => intent,
                None => return Ok(None),
            },
        };
        let mut remote = Remote {
            standing: standing(&intent),
            reference: intent.id,
            refunds: vec![],
            transfers: vec![],
            reversals: vec![],
            disputes: vec![],
        };
        if let RemoteStanding::Captured(captured) = &remote.standing {
            let let_go_minor = intent.amount - captured.amount_minor;
            self.add_parts(&mut remote, call.payment_id, let_go_minor).await?;
        }
        Ok(Some(remote))
    }

    /// One that holds or took something tells more than one that came to nothing.
    async fn look_for(&self, call: &Read<'_>) -> Got<Option<Intent>> {
        let made = self.made(call.since, call.until).await?;
        let own = |intent: &Intent| ours(&intent.metadata, "payment_id") == Some(call.payment_id);
        let mut own: Vec<Intent> = made.into_iter().filter(own).collect();
        own.sort_by_key(|intent| match standing(intent) {
            RemoteStanding::Declined(_) => 2,
            RemoteStanding::Cancelled => 1,
            _ => 0,
        });
        Ok(own.into_iter().next())
    }

    async fn made(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> Got<Vec<Intent>> {
        let query = Form::new()
            .set("created[gte]", since.timestamp())
            .set("created[lte]", until.timestamp())
            .set("expand[]", format!("data.{WITH_CHARGE}"));
        self.client.list(INTENTS, query).await
    }

    async fn add_parts(&self, remote: &mut Remote, payment_id: PaymentId, let_go_minor: i64) -> Got<()> {
        let of_intent = Form::new().set("payment_intent", &remote.reference);
        let refunds: Vec<Refund> = self.client.list("/v1/refunds", of_intent.clone()).await?;
        let moves_money = |refund: &&Refund| !is_rest_of_hold(refund, let_go_minor);
        remote.refunds = refunds.iter().filter(moves_money).map(refund).collect();
        let disputes: Vec<Dispute> = self.client.list("/v1/disputes", of_intent).await?;
        remote.disputes = disputes.iter().filter_map(dispute).collect();
        let group = Form::new().set("transfer_group", payment_id);
        let transfers: Vec<Transfer> = self.client.list("/v1/transfers", group).await?;
        for transfer in transfers {
            remote.transfers.push(part(&transfer.id, transfer.amount, ours(&transfer.metadata, "payout_id")));
            for back in self.reversals(transfer).await? {
                remote.reversals.push(part(&back.id, back.amount, ours(&back.metadata, "step_id")));
            }
        }
        Ok(())
    }

    /// A transfer comes with its newest reversals; where there are more, they are a list.
    async fn reversals(&self, transfer: Transfer) -> Got<Vec<Reversal>> {
        match transfer.reversals {
            Some(all) if !all.has_more => Ok(all.data),
            _ => self.client.list(&format!("/v1/transfers/{}/reversals", transfer.id), Form::new()).await,
        }
    }

    pub(super) async fn open_holds(&self, made: Holds) -> Got<Vec<RemoteHold>> {
        let intents = self.made(made.since, made.until).await?;
        Ok(intents.iter().filter_map(open_hold).collect())
    }

    pub(super) async fn funds(&self, currency: CurrencyCode) -> Got<i64> {
        let balance: Balance = self.client.get("/v1/balance", &Form::new()).await?;
        let funds = balance.available.iter().chain(&balance.pending);
        let same = funds.filter(|funds| funds.currency.eq_ignore_ascii_case(currency.as_str()));
        same.map(|funds| funds.amount)
            .try_fold(0_i64, i64::checked_add)
            .ok_or_else(|| Not::unknown(false, "the balance is beyond counting"))
    }
}

fn open_hold(intent: &Intent) -> Option<RemoteHold> {
    let held = matches!(standing(intent), RemoteStanding::Hold(Standing::Held { .. }));
    let currency = intent.currency.to_ascii_uppercase().parse().ok()?;
    let payment_id = ours(&intent.metadata, "payment_id").filter(|_| held)?;
    let amount = Money { amount_minor: intent.amount, currency };
    Some(RemoteHold { reference: intent.id.clone(), payment_id, amount })
}

/// Where an intent stands. A state that we do not know is one to ask again for.
pub fn standing(intent: &Intent) -> RemoteStanding {
    match intent.status.as_str() {
        "requires_capture" => RemoteStanding::Hold(Standing::Held { until: held_until(intent) }),
        "requires_action" => RemoteStanding::Hold(needs_action(intent)),
        "succeeded" => RemoteStanding::Captured(captured(intent)),
        "canceled" => RemoteStanding::Cancelled,
        "requires_payment_method" => RemoteStanding::Declined(declined(intent)),
        _ => RemoteStanding::Pending,
    }
}

fn needs_action(intent: &Intent) -> Standing {
    let action = intent.next_action.as_ref().and_then(|action| action.redirect_to_url.as_ref());
    Standing::NeedsAction {
        redirect_url: action.and_then(|redirect| redirect.url.clone()),
        client_secret: intent.client_secret.clone(),
    }
}

fn declined(intent: &Intent) -> Why {
    match &intent.last_payment_error {
        Some(problem) => problem.why(),
        None => Why::new("card_declined", "the payment was declined"),
    }
}

fn charge(intent: &Intent) -> Option<&Charge> {
    intent.latest_charge.as_ref()?.whole()
}

fn held_until(intent: &Intent) -> DateTime<Utc> {
    let card = charge(intent).and_then(|charge| charge.payment_method_details.as_ref()?.card.as_ref());
    let told = card.and_then(|card| card.capture_before);
    let told = told.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    told.unwrap_or_else(|| DateTime::from_timestamp(intent.created, 0).unwrap_or_default() + HOLD_LIMIT)
}

/// The fee is told in the currency that the account is settled in: in another one than the payment's it is not ours to
/// book here.
fn captured(intent: &Intent) -> Captured {
    let settled = charge(intent).and_then(|charge| charge.balance_transaction.as_ref()?.whole());
    let same = settled.filter(|settled| settled.currency.eq_ignore_ascii_case(&intent.currency));
    let taken = charge(intent).and_then(|charge| charge.amount_captured);
    Captured {
        charge: intent.latest_charge.as_ref().map(Part::name).unwrap_or_default().to_owned(),
        amount_minor: intent.amount_received.or(taken).unwrap_or(intent.amount),
        fee_minor: same.map_or(0, |settled| settled.fee),
    }
}

fn part(reference: &str, amount_minor: i64, subject: Option<String>) -> RemotePart {
    RemotePart {
        subject: subject.unwrap_or_default(),
        key: None,
        reference: reference.into(),
        amount_minor,
        done: Some(Ok(())),
    }
}

/// Money that is on its way back has left our balance: it counts as given until it fails.
fn refund(refund: &Refund) -> RemotePart {
    RemotePart {
        key: ours(&refund.metadata, "key"),
        done: Some(failure(refund).map_or(Ok(()), Err)),
        ..part(&refund.id, refund.amount, ours(&refund.metadata, "refund_id"))
    }
}

/// What a capture leaves of a hold is shown as a refund, which moves no money.
fn is_rest_of_hold(refund: &Refund, let_go_minor: i64) -> bool {
    refund.amount == let_go_minor
        && refund.balance_transaction.is_none()
        && ours::<RefundId>(&refund.metadata, "refund_id").is_none()
}

/// Why a refund came to nothing.
pub fn failure(refund: &Refund) -> Option<Why> {
    let code = match refund.status.as_deref() {
        Some("failed") => refund.failure_reason.as_deref().unwrap_or("refund_failed"),
        Some("canceled") => "refund_cancelled",
        _ => return None,
    };
    Some(Why::new(code, "the buyer's bank did not take the refund"))
}

/// Inquiries (`warning_…`) take no money.
fn dispute(dispute: &Dispute) -> Option<RemoteDispute> {
    let status = match dispute.status.as_str() {
        "needs_response" | "under_review" => DisputeStatus::Open,
        "won" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        _ => return None,
    };
    Some(RemoteDispute {
        reference: dispute.id.clone(),
        amount_minor: dispute.amount,
        // What was taken at first, less what was given back when it was won.
        fee_minor: dispute.balance_transactions.iter().map(|moved| moved.fee).sum::<i64>().max(0),
        reason: dispute.reason.clone().unwrap_or_else(|| "general".into()),
        status,
    })
}
