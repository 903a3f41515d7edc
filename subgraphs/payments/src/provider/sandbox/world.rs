//! What the sandbox decides: requests in, answers and changed objects out.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use contract::PaymentId;
use entity::payments::sandbox_object::{self, Kind, Status};
use serde::{Deserialize, Serialize};

use super::HOLD_LIMIT;
use crate::provider::Why;

/// What a bank takes for a capture, as most do: 1.5 % and 25 minor units.
const FEE_PER_MILLE: i64 = 15;
const FEE_FIXED_MINOR: i64 = 25;
/// What a bank takes for a dispute.
const DISPUTE_FEE_MINOR: i64 = 1_500;

/// A request under its key.
#[derive(Clone, Debug)]
pub struct Asked {
    pub key: String,
    pub request: Request,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Authorise { payment_id: PaymentId, amount_minor: i64, currency: String, method: String },
    Capture { reference: String, amount_minor: i64 },
    Void { reference: String },
    Refund { reference: String, subject: String, amount_minor: i64 },
    Transfer { charge: String, subject: String, amount_minor: i64 },
    Reverse { transfer: String, subject: String, amount_minor: i64 },
}

impl Request {
    /// The object that it is about.
    pub fn names(&self) -> Option<&str> {
        match self {
            Self::Authorise { .. } => None,
            Self::Capture { reference, .. } | Self::Void { reference } | Self::Refund { reference, .. } => {
                Some(reference)
            }
            Self::Transfer { charge, .. } => Some(intent(charge)),
            Self::Reverse { transfer, .. } => Some(transfer),
        }
    }
}

/// An answer, as it is kept with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Held {
        reference: String,
        until: DateTime<Utc>,
    },
    NeedsAction {
        reference: String,
    },
    Captured {
        charge: String,
        fee_minor: i64,
    },
    Made(String),
    Declined(Why),
    Rejected(Why),
    /// A 500.
    Broken,
}

impl Reply {
    pub fn no(code: &str, message: &str) -> Self {
        Self::Rejected(Why::new(code, format!("SANDBOX: {message}")))
    }
}

/// What a charge of an intent is called.
pub fn charge(intent: &str) -> String {
    format!("ch_{intent}")
}

fn intent(charge: &str) -> &str {
    charge.strip_prefix("ch_").unwrap_or(charge)
}

/// The objects that requests are about, what changed of them, and what is to be told to whoever listens.
#[derive(Debug, Default)]
pub struct World {
    pub objects: BTreeMap<String, sandbox_object::Model>,
    pub changed: BTreeSet<String>,
    pub events: Vec<(PaymentId, String, String)>,
}

impl World {
    /// Does what is asked, if it can be.
    pub fn answer(&mut self, now: DateTime<Utc>, asked: &Asked) -> Reply {
        match &asked.request {
            Request::Authorise { payment_id, amount_minor, currency, method } => {
                self.authorise(now, &asked.key, *payment_id, *amount_minor, currency, method)
            }
            Request::Capture { reference, amount_minor } => self.capture(now, reference, *amount_minor),
            Request::Void { reference } => self.void(reference),
            Request::Refund { reference, subject, amount_minor } => {
                self.refund(now, &asked.key, reference, subject, *amount_minor)
            }
            Request::Transfer { charge, subject, amount_minor } => {
                self.transfer(now, &asked.key, intent(charge), subject, *amount_minor)
            }
            Request::Reverse { transfer, subject, amount_minor } => {
                self.reverse(now, &asked.key, transfer, subject, *amount_minor)
            }
        }
    }

    fn authorise(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        payment_id: PaymentId,
        amount_minor: i64,
        currency: &str,
        method: &str,
    ) -> Reply {
        if amount_minor <= 0 {
            return Reply::no("amount_too_small", "there is nothing to pay");
        }
        let status = match behaviour(method) {
            Some(Behaviour::Declines) => Status::Declined,
            Some(Behaviour::NeedsAction) => Status::NeedsAction,
            Some(_) => Status::Held,
            None => return Reply::no("resource_missing", "there is no such payment method"),
        };
        let reference = name("pi_sandbox", key);
        let until = now + HOLD_LIMIT;
        self.put(sandbox_object::Model {
            id: reference.clone(),
            kind: Kind::Intent,
            parent: None,
            subject: payment_id.to_string(),
            amount_minor,
            currency: currency.into(),
            status,
            method: method.into(),
            fee_minor: 0,
            balance_minor: 0,
            held_until: (status == Status::Held).then_some(until),
            created_at: now,
        });
        match status {
            Status::Declined => Reply::Declined(declined(method)),
            Status::NeedsAction => Reply::NeedsAction { reference },
            _ => Reply::Held { reference, until },
        }
    }

    fn put(&mut self, object: sandbox_object::Model) {
        self.changed.insert(object.id.clone());
        self.objects.insert(object.id.clone(), object);
    }

    fn capture(&mut self, now: DateTime<Utc>, reference: &str, amount_minor: i64) -> Reply {
        let Some(intent) = self.objects.get(reference) else { return missing() };
        let mut intent = intent.clone();
        let lapsed = intent.held_until.is_none_or(|until| until <= now);
        if intent.status != Status::Held || lapsed || !(1..=intent.amount_minor).contains(&amount_minor) {
            return Reply::no("payment_intent_unexpected_state", "there is no such hold to capture");
        }
        let fee_minor = (amount_minor * FEE_PER_MILLE / 1_000 + FEE_FIXED_MINOR).min(amount_minor);
        intent.status = Status::Captured;
        intent.amount_minor = amount_minor;
        intent.fee_minor = fee_minor;
        intent.balance_minor = amount_minor - fee_minor;
        if let Some(Behaviour::Disputes(reason)) = behaviour(&intent.method) {
            self.dispute(now, &intent, reason);
        }
        self.put(intent);
        Reply::Captured { charge: charge(reference), fee_minor }
    }

    fn dispute(&mut self, now: DateTime<Utc>, intent: &sandbox_object::Model, reason: &str) {
        let id = name("dp_sandbox", &intent.id);
        if let Ok(payment_id) = intent.subject.parse() {
            self.events.push((payment_id, "dispute.created".into(), intent.id.clone()));
        }
        self.put(sandbox_object::Model {
            id,
            kind: Kind::Dispute,
            parent: Some(intent.id.clone()),
            subject: intent.subject.clone(),
            amount_minor: intent.amount_minor,
            currency: intent.currency.clone(),
            status: Status::Open,
            method: reason.into(),
            fee_minor: DISPUTE_FEE_MINOR,
            balance_minor: -intent.amount_minor - DISPUTE_FEE_MINOR,
            held_until: None,
            created_at: now,
        });
    }

    fn void(&mut self, reference: &str) -> Reply {
        let Some(intent) = self.objects.get(reference) else { return missing() };
        let mut intent = intent.clone();
        if intent.status == Status::Captured {
            return Reply::no("payment_intent_unexpected_state", "it was captured");
        }
        if intent.status != Status::Declined {
            intent.status = Status::Cancelled;
            intent.held_until = None;
            self.put(intent);
        }
        Reply::Made(reference.into())
    }

    /// What a kind of parts of an object adds up to.
    pub fn sum(&self, parent: &str, kind: Kind) -> i64 {
        let of = |object: &&sandbox_object::Model| {
            object.kind == kind && object.parent.as_deref() == Some(parent) && object.status != Status::Failed
        };
        self.objects.values().filter(of).map(|object| object.amount_minor).sum()
    }

    fn refund(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        reference: &str,
        subject: &str,
        amount_minor: i64,
    ) -> Reply {
        let Some(intent) = self.objects.get(reference).cloned() else { return missing() };
        if intent.status != Status::Captured {
            return Reply::no("charge_not_captured", "there is nothing to refund");
        }
        if amount_minor <= 0 || self.sum(reference, Kind::Refund) + amount_minor > intent.amount_minor {
            return Reply::no("charge_already_refunded", "that is more than was taken and not given back");
        }
        if behaviour(&intent.method) == Some(Behaviour::RefundFails) {
            return Reply::Declined(Why::new("refund_failed", "SANDBOX: the buyer's bank took no refund"));
        }
        let id = name("re_sandbox", key);
        self.put(part(&intent, id.clone(), Kind::Refund, subject, amount_minor, -amount_minor, now));
        Reply::Made(id)
    }

    fn transfer(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        reference: &str,
        subject: &str,
        amount_minor: i64,
    ) -> Reply {
        let Some(intent) = self.objects.get(reference).cloned() else { return missing() };
        let sent = self.sum(reference, Kind::Transfer);
        if intent.status != Status::Captured || amount_minor <= 0 || sent + amount_minor > intent.amount_minor
        {
            return Reply::no("insufficient_funds", "the charge does not cover this transfer");
        }
        let id = name("tr_sandbox", key);
        self.put(part(&intent, id.clone(), Kind::Transfer, subject, amount_minor, -amount_minor, now));
        Reply::Made(id)
    }

    fn reverse(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        transfer: &str,
        subject: &str,
        amount_minor: i64,
    ) -> Reply {
        let Some(sent) = self.objects.get(transfer).cloned() else { return missing() };
        let back = self.sum(transfer, Kind::Reversal);
        if amount_minor <= 0 || back + amount_minor > sent.amount_minor {
            return Reply::no("transfer_already_reversed", "that is more than was sent");
        }
        let id = name("trr_sandbox", key);
        self.put(part(&sent, id.clone(), Kind::Reversal, subject, amount_minor, amount_minor, now));
        Reply::Made(id)
    }
}

fn part(
    of: &sandbox_object::Model,
    id: String,
    kind: Kind,
    subject: &str,
    amount_minor: i64,
    balance_minor: i64,
    now: DateTime<Utc>,
) -> sandbox_object::Model {
    sandbox_object::Model {
        id,
        kind,
        parent: Some(of.id.clone()),
        subject: subject.into(),
        amount_minor,
        currency: of.currency.clone(),
        status: Status::Done,
        method: String::new(),
        fee_minor: 0,
        balance_minor,
        held_until: None,
        created_at: now,
    }
}

fn missing() -> Reply {
    Reply::no("resource_missing", "there is no such object")
}

/// The same key names the same thing, wherever and whenever it is asked.
fn name(prefix: &str, key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let text: String = hash.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}_{text}")
}

/// What a test payment method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behaviour {
    Works,
    Declines,
    NeedsAction,
    Disputes(&'static str),
    RefundFails,
}

/// The test payment methods of Stripe's documentation. `None`: there is no such method.
fn behaviour(method: &str) -> Option<Behaviour> {
    Some(match method {
        "pm_card_visa"
        | "pm_card_visa_debit"
        | "pm_card_mastercard"
        | "pm_card_mastercard_debit"
        | "pm_card_mastercard_prepaid"
        | "pm_card_amex"
        | "pm_card_discover"
        | "pm_card_diners"
        | "pm_card_jcb"
        | "pm_card_unionpay" => Behaviour::Works,
        "pm_card_chargeDeclined"
        | "pm_card_visa_chargeDeclined"
        | "pm_card_chargeDeclinedInsufficientFunds"
        | "pm_card_visa_chargeDeclinedInsufficientFunds"
        | "pm_card_chargeDeclinedLostCard"
        | "pm_card_visa_chargeDeclinedLostCard"
        | "pm_card_chargeDeclinedStolenCard"
        | "pm_card_visa_chargeDeclinedStolenCard"
        | "pm_card_chargeDeclinedExpiredCard"
        | "pm_card_chargeDeclinedIncorrectCvc"
        | "pm_card_chargeDeclinedProcessingError"
        | "pm_card_chargeDeclinedFraudulent"
        | "pm_card_chargeCustomerFail" => Behaviour::Declines,
        "pm_card_threeDSecure2Required"
        | "pm_card_threeDSecureRequired"
        | "pm_card_authenticationRequired"
        | "pm_card_authenticationRequiredOnSetup" => Behaviour::NeedsAction,
        "pm_card_createDispute" => Behaviour::Disputes("fraudulent"),
        "pm_card_createDisputeProductNotReceived" => Behaviour::Disputes("product_not_received"),
        "pm_card_refundFail" => Behaviour::RefundFails,
        _ => return None,
    })
}

/// Why a method is declined.
pub fn declined(method: &str) -> Why {
    let rest = method.rsplit("chargeDeclined").next().unwrap_or_default();
    let (code, message) = match rest {
        "InsufficientFunds" => ("insufficient_funds", "the card has insufficient funds"),
        "LostCard" => ("lost_card", "the card was declined"),
        "StolenCard" => ("stolen_card", "the card was declined"),
        "ExpiredCard" => ("expired_card", "the card has expired"),
        "IncorrectCvc" => ("incorrect_cvc", "the card's security code is incorrect"),
        "ProcessingError" => ("processing_error", "the card could not be processed, try again"),
        _ if behaviour(method) == Some(Behaviour::NeedsAction) => {
            ("authentication_failed", "the payment was not confirmed")
        }
        _ => ("card_declined", "the card was declined"),
    };
    Why::new(code, format!("SANDBOX: {message}"))
}
