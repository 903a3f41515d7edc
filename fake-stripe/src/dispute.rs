//! Disputes: a buyer wants their money back through their bank.

use serde_json::{Map, Value, json};

use crate::balance::{Change, Kind};
use crate::call::Call;
use crate::card::Bank;
use crate::error::{Answer, StripeError};
use crate::later::Later;
use crate::table::{Head, Resource};
use crate::world::World;

/// How long there is time for evidence, in seconds.
const EVIDENCE_S: i64 = 9 * 24 * 60 * 60;
/// Evidence that decides a test dispute, as `evidence[uncategorized_text]`.
const WINNING: &str = "winning_evidence";
const LOSING: &str = "losing_evidence";

#[derive(Clone, Debug)]
pub struct Dispute {
    pub head: Head,
    pub amount_minor: i64,
    pub currency: String,
    pub charge: String,
    payment_intent: Option<String>,
    reason: String,
    /// Only asked for: no money was taken.
    inquiry: bool,
    pub standing: Standing,
    evidence: Map<String, Value>,
    submissions: u32,
    entries: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl Dispute {
    fn status(&self) -> &'static str {
        match (self.standing, self.inquiry) {
            (Standing::NeedsResponse, false) => "needs_response",
            (Standing::NeedsResponse, true) => "warning_needs_response",
            (Standing::UnderReview, false) => "under_review",
            (Standing::UnderReview, true) => "warning_under_review",
            (Standing::Won | Standing::Lost, true) => "warning_closed",
            (Standing::Won, false) => "won",
            (Standing::Lost, false) => "lost",
        }
    }

    /// What it took and did not give back, in minor units.
    pub fn taken_minor(&self) -> i64 {
        if self.inquiry || self.standing == Standing::Won { 0 } else { self.amount_minor }
    }

    fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Won | Standing::Lost)
    }
}

impl Resource for Dispute {
    const OBJECT: &'static str = "dispute";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, world: &World) -> Value {
        let entries: Vec<Value> = self.entries.iter().filter_map(|entry| world.show(entry)).collect();
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "balance_transactions": entries,
            "charge": self.charge,
            "created": self.head.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": self.evidence,
            "evidence_details": {
                "due_by": self.head.created + EVIDENCE_S,
                "enhanced_eligibility": {},
                "has_evidence": !self.evidence.is_empty(),
                "past_due": world.now() > self.head.created + EVIDENCE_S,
                "submission_count": self.submissions,
            },
            "is_charge_refundable": self.inquiry && !self.is_over(),
            "livemode": false,
            "metadata": self.head.metadata,
            "network_reason_code": "10.4",
            "payment_intent": self.payment_intent,
            "payment_method_details": { "card": { "brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4" }, "type": "card" },
            "reason": self.reason,
            "status": self.status(),
        })
    }
}

/// Test cards whose buyers dispute what is captured do so right after it.
pub fn follow(world: &mut World, charge: &str) {
    let method = world.charges.any(charge).and_then(|charge| charge.payment_method.as_deref());
    let bank = method.and_then(|method| world.methods.any(method)).map(|method| method.card.bank);
    if let Some(Bank::Disputes { reason, inquiry }) = bank {
        let later = Later::OpenDispute { charge: charge.to_owned(), reason, inquiry };
        world.later.push((world.now(), later));
    }
}

/// Opens a dispute about a captured charge: the money is taken, and a fee. Gives its id; `None`: no such charge.
pub fn open(
    world: &mut World,
    charge: &str,
    amount_minor: Option<i64>,
    reason: &str,
    inquiry: bool,
) -> Option<String> {
    let mut charge = world.charges.any(charge).filter(|charge| charge.captured).cloned()?;
    let head = world.head_of("du", &charge.head.account);
    let id = head.id.clone();
    let mut dispute = Dispute {
        head,
        amount_minor: amount_minor.unwrap_or(charge.captured_minor),
        currency: charge.currency.clone(),
        charge: charge.head.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason: reason.to_owned(),
        inquiry,
        standing: Standing::NeedsResponse,
        evidence: Map::new(),
        submissions: 0,
        entries: vec![],
    };
    charge.disputed = true;
    world.charges.put(charge);
    if !inquiry {
        move_money(world, &mut dispute, -1);
    }
    world.disputes.put(dispute.clone());
    world.say("charge.dispute.created", &dispute);
    if !inquiry {
        world.say("charge.dispute.funds_withdrawn", &dispute);
    }
    Some(id)
}

/// Takes the money and the fee (-1), or gives both back (1).
fn move_money(world: &mut World, dispute: &mut Dispute, sign: i64) {
    let change = Change {
        amount_minor: sign * dispute.amount_minor,
        fee_minor: -sign * world.settings.dispute_fee_minor,
        currency: dispute.currency.clone(),
        available_on: world.now(),
    };
    dispute.entries.push(world.enter(&dispute.head.account, Kind::Adjustment, &dispute.head.id, change));
}

/// Evidence is submitted unless `submit=false`.
pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let metadata = params.metadata()?;
    let submit = params.boolean("submit")?.unwrap_or(true);
    let evidence = match params.nested("evidence")? {
        Some(evidence) => evidence.into_texts()?,
        None => vec![],
    };
    params.finish()?;
    let mut dispute = world.disputes.named(call)?;
    if !evidence.is_empty() && dispute.is_over() {
        return Err(StripeError::refused("This dispute is already closed").with_code("dispute_closed"));
    }
    let before = dispute.show(world);
    dispute.head.change_metadata(metadata);
    let changes_evidence = !evidence.is_empty();
    dispute.evidence.extend(evidence.into_iter().map(|(name, text)| (name, Value::from(text))));
    if changes_evidence && submit {
        dispute.submissions += 1;
        dispute.standing = Standing::UnderReview;
        decide_later(world, &dispute);
    }
    world.disputes.put(dispute.clone());
    world.say_changed("charge.dispute.updated", &before, &dispute);
    Ok(dispute.show(world))
}

/// A test dispute is decided by what its evidence says, right after it is submitted.
fn decide_later(world: &mut World, dispute: &Dispute) {
    let won = match dispute.evidence.get("uncategorized_text").and_then(Value::as_str) {
        Some(WINNING) => true,
        Some(LOSING) => false,
        _ => return,
    };
    world.later.push((world.now(), Later::DecideDispute { id: dispute.head.id.clone(), won }));
}

/// Gives up.
pub fn close(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    let dispute = world.disputes.named(call)?;
    if dispute.is_over() {
        return Err(StripeError::refused("This dispute is already closed").with_code("dispute_closed"));
    }
    decide(world, &dispute.head.id, false);
    Ok(world.disputes.named(call)?.show(world))
}

/// The bank decides; who wins gets the money and the fee back.
pub fn decide(world: &mut World, id: &str, won: bool) {
    let Some(mut dispute) = world.disputes.any(id).filter(|dispute| !dispute.is_over()).cloned() else {
        return;
    };
    let before = dispute.show(world);
    dispute.standing = if won { Standing::Won } else { Standing::Lost };
    let gives_back = won && !dispute.inquiry;
    if gives_back {
        move_money(world, &mut dispute, 1);
    }
    world.disputes.put(dispute.clone());
    if gives_back {
        world.say("charge.dispute.funds_reinstated", &dispute);
    }
    world.say_changed("charge.dispute.closed", &before, &dispute);
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.disputes.named(call)?.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let charge = call.params.text("charge")?;
    let intent = call.params.text("payment_intent")?;
    world.disputes.list(world, call, |dispute| {
        charge.as_ref().is_none_or(|charge| dispute.charge == *charge)
            && (intent.is_none() || dispute.payment_intent == intent)
    })
}
