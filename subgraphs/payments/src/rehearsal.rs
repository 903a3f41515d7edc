//! Payments with the sandbox in memory: the same decisions without a database, for simulations of many services together.
//! A message may come twice, and a call may be lost between the provider and the one who wrote it down.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chassis::Failure;
use chrono::{DateTime, Utc};
use contract::{Event, PaymentId, RefundId, StepId};
use entity::payments::ledger_account;
use entity::payments::payment_step::{self, Kind, State};
use entity::payments::sandbox_call;
use entity::payments::sandbox_object::{self, Kind as Object, Status};
use futures::FutureExt;
use uuid::Uuid;

use crate::asks::{self, Owed};
use crate::courier::Errand;
use crate::courier::outcome::{self, Report, Told};
use crate::desk::Desk;
use crate::file::File;
use crate::provider::sandbox::world::{Asked, Reply, Request, World};
use crate::provider::sandbox::{self, Faults, page, view};
use crate::provider::{Answer, Captured, Hold, Standing, Why};

/// Any large odd number: the pause before a repeat follows from a step's id.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15;

/// Everything that payments and its provider know.
pub struct Rehearsal {
    files: BTreeMap<PaymentId, File>,
    accounts: BTreeMap<String, ledger_account::Model>,
    booked: BTreeSet<String>,
    calls: BTreeMap<String, sandbox_call::Model>,
    world: World,
    faults: Faults,
    steps: HashSet<StepId>,
}

/// What the provider has of one payment, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    pub captures: usize,
    pub taken_minor: i64,
    pub back_minor: i64,
    pub open_holds: usize,
}

impl Rehearsal {
    pub fn new(faults: Faults) -> Self {
        Self {
            files: BTreeMap::new(),
            accounts: BTreeMap::new(),
            booked: BTreeSet::new(),
            calls: BTreeMap::new(),
            world: World::default(),
            faults,
            steps: HashSet::new(),
        }
    }

    /// Answers an ask; what is said.
    ///
    /// # Errors
    /// What would be a dead letter, or break a rule of the ledger.
    pub fn hear(&mut self, now: DateTime<Utc>, ask: &Event) -> Result<Vec<Event>, Failure> {
        self.at_desk(now, |desk| asks::answer(desk, sandbox::NAME, ask, &mut Owed::new()))
    }

    /// When the next call is due.
    pub fn due(&self) -> Option<DateTime<Utc>> {
        self.waiting().map(|(_, step)| step.next_run_at).min()
    }

    /// Makes every call that is due. What came of it is written down where `arrives` says so; what is said.
    ///
    /// # Errors
    /// As [`hear`](Self::hear).
    pub fn round(
        &mut self,
        now: DateTime<Utc>,
        mut arrives: impl FnMut() -> bool,
    ) -> Result<Vec<Event>, Failure> {
        let due: Vec<(PaymentId, payment_step::Model)> = self
            .waiting()
            .filter(|(_, step)| step.next_run_at <= now)
            .map(|(id, step)| (id, step.clone()))
            .collect();
        let mut said = vec![];
        for (id, step) in due {
            let report = self.call(now, id, step)?;
            if arrives() {
                said.extend(self.at_desk(now, |desk| match desk.file(id) {
                    Some((file, pen)) => outcome::apply(file, pen, &report),
                    None => Ok(()),
                })?);
            }
        }
        Ok(said)
    }

    /// What the provider has of a payment.
    pub fn charge(&self, payment: PaymentId) -> Charge {
        let subject = payment.to_string();
        let mut charge = Charge::default();
        let own =
            |object: &&sandbox_object::Model| object.kind == Object::Intent && object.subject == subject;
        for intent in self.world.objects.values().filter(own) {
            match intent.status {
                Status::Captured => {
                    charge.captures += 1;
                    charge.taken_minor += intent.amount_minor;
                    charge.back_minor += self.world.sum(&intent.id, Object::Refund);
                }
                Status::Held | Status::NeedsAction => charge.open_holds += 1,
                _ => {}
            }
        }
        charge
    }

    /// Debits less credits over all accounts: 0, always.
    pub fn unbalanced_minor(&self) -> i64 {
        self.accounts.values().map(|account| account.debits_posted - account.credits_posted).sum()
    }

    /// What the ledger says that the provider holds, and what the provider does.
    pub fn balances_minor(&self) -> (i64, i64) {
        let ours = self.accounts.values().filter(|account| account.kind == ledger_account::Kind::Balance);
        let theirs = self.world.objects.values().map(|object| object.balance_minor).sum();
        (ours.map(|account| account.debits_posted - account.credits_posted).sum(), theirs)
    }

    fn waiting(&self) -> impl Iterator<Item = (PaymentId, &payment_step::Model)> {
        let steps = self.files.iter().flat_map(|(id, file)| file.steps.iter().map(|step| (*id, step)));
        steps.filter(|(_, step)| step.state == State::Waiting)
    }

    /// Does `work` on the files, books and gives what it says.
    fn at_desk(
        &mut self,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut Desk) -> Result<(), Failure>,
    ) -> Result<Vec<Event>, Failure> {
        let mut desk = Desk::of(now, std::mem::take(&mut self.files));
        work(&mut desk)?;
        self.files = desk.files;
        self.number_steps();
        for transfer in desk.pen.book.post(&mut self.accounts)? {
            if !self.booked.insert(transfer.key.clone()) {
                return Err(Failure::msg(format!("{} is booked twice", transfer.key)));
            }
        }
        Ok(desk.pen.said.into_iter().map(|(_, event)| event).collect())
    }

    /// Gives new steps ids that follow from their order, so that a play can be repeated.
    fn number_steps(&mut self) {
        for step in self.files.values_mut().flat_map(|file| &mut file.steps) {
            if !self.steps.contains(&step.id) {
                step.id = StepId(Uuid::from_u128((self.steps.len() as u128 + 1) * SPREAD));
                self.steps.insert(step.id);
            }
        }
    }

    fn call(
        &mut self,
        now: DateTime<Utc>,
        id: PaymentId,
        step: payment_step::Model,
    ) -> Result<Report, Failure> {
        let file = self.files.get_mut(&id).ok_or_else(|| Failure::msg("a payment vanished"))?;
        let sent_before = step.first_sent_at.is_some();
        if let Some(step) = file.waiting(step.id) {
            step.first_sent_at.get_or_insert(now);
        }
        let errand = Errand { step, payment: file.payment.clone(), payout: None, sent_before };
        let expired = errand.step.kind == Kind::Authorise && now >= errand.payment.expires_at;
        let told = match request(&errand) {
            _ if expired && !sent_before => Told::Lapsed,
            _ if expired || errand.reads(now) => {
                let objects: Vec<_> = self.world.objects.values().cloned().collect();
                Told::Seen(view::assemble(id, &objects))
            }
            Some(request) => self.send(now, &errand, request)?,
            None => Told::No { declined: false, why: Why::new("nothing_to_act_on", "there is nothing") },
        };
        Ok(Report { errand, told })
    }

    fn send(&mut self, now: DateTime<Utc>, errand: &Errand, request: Request) -> Result<Told, Failure> {
        let asked = Asked { key: errand.step.key.clone(), request };
        let mut spoken = sandbox::speak(now, &self.faults, &mut self.calls, &mut self.world, &[asked])?;
        let spoken = spoken.pop().ok_or_else(|| Failure::msg("a call got no answer"))?;
        let answer = sandbox::heard(spoken).now_or_never();
        let answer = answer.ok_or_else(|| Failure::msg("a provider in memory does not hang"))?;
        Ok(match answer {
            Answer::Done(reply) => done(&errand.step, reply),
            Answer::Declined(why) => Told::No { declined: true, why },
            Answer::Rejected(why) => Told::No { declined: false, why },
            Answer::Unknown { kept, error } => Told::Unknown { kept, error },
            Answer::RateLimited { retry_after } => Told::Limited(retry_after),
        })
    }
}

fn request(errand: &Errand) -> Option<Request> {
    let (step, payment) = (&errand.step, &errand.payment);
    let (reference, amount_minor) = (payment.reference.clone(), step.amount_minor);
    Some(match step.kind {
        Kind::Authorise => Request::Authorise {
            payment_id: payment.id,
            amount_minor,
            currency: payment.currency.clone(),
            method: payment.method.clone(),
        },
        Kind::Capture => Request::Capture { reference: reference?, amount_minor },
        Kind::Void => Request::Void { reference: reference? },
        Kind::Refund => {
            let subject = RefundId(step.subject).to_string();
            Request::Refund { reference: reference?, subject, amount_minor }
        }
        Kind::Transfer | Kind::Reverse | Kind::Read => return None,
    })
}

fn done(step: &payment_step::Model, reply: Reply) -> Told {
    match (step.kind, reply) {
        (_, Reply::Held { reference, until }) => {
            Told::Held(Hold { reference, standing: Standing::Held { until } })
        }
        (_, Reply::NeedsAction { reference }) => {
            let standing = page::confirmation(&reference);
            Told::Held(Hold { reference, standing })
        }
        (_, Reply::Captured { charge, fee_minor }) => {
            Told::Captured(Captured { charge, amount_minor: step.amount_minor, fee_minor })
        }
        (Kind::Void, Reply::Made(_)) => Told::Voided,
        (_, Reply::Made(reference)) => Told::Refunded(reference),
        (_, Reply::Declined(_) | Reply::Rejected(_) | Reply::Broken) => {
            Told::Unknown { kept: true, error: "another answer".into() }
        }
    }
}
