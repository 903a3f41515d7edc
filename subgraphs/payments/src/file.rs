//! Everything about one payment, read under its lock: what decides works on this, in memory, and it is stored once.

use chassis::Failure;
use chassis::outbox::about;
use chrono::{DateTime, Utc};
use contract::event::payments::{
    AuthorisePayment, CaptureFailed, PaymentAuthorised, PaymentCaptured, PaymentDeclined, PaymentNeedsAction,
    PaymentVoided, Share,
};
use contract::{Aggregate, CurrencyCode, Event, Money, OrderId, PaymentId, SellerId, StepId};
use entity::payments::payment::State;
use entity::payments::payment_step::{Kind, State as StepState};
use entity::payments::{dispute, payment, payment_share, payment_step, payout, refund, share_claim};
use uuid::Uuid;

use crate::difference::Compared;
use crate::ledger::{About, Account, Book, Entry, Posting, Reason};
use crate::payment::state::{Heard, Then, next, settled};
use crate::provider::{Captured, Hold, Standing, Why};

/// A payment with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct File {
    pub payment: payment::Model,
    pub shares: Vec<payment_share::Model>,
    pub claims: Vec<share_claim::Model>,
    pub refunds: Vec<refund::Model>,
    pub payouts: Vec<payout::Model>,
    pub disputes: Vec<dispute::Model>,
    pub steps: Vec<payment_step::Model>,
}

/// What a transaction writes besides the files: the ledger's entries and what is said.
#[derive(Debug)]
pub struct Pen {
    pub now: DateTime<Utc>,
    pub book: Book,
    pub said: Vec<(Aggregate, Event)>,
    /// What was compared with the provider.
    pub compared: Vec<Compared>,
}

impl Pen {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now, book: Book::default(), said: vec![], compared: vec![] }
    }
}

impl File {
    /// The file of a payment that somebody asks to authorise. It is not sent anywhere yet.
    pub fn new(now: DateTime<Utc>, provider: &str, ask: &AuthorisePayment) -> Self {
        let mut file = Self::blank(now, provider, ask.payment_id, ask.order_id);
        file.payment.user_id = ask.user_id;
        file.payment.method.clone_from(&ask.method);
        file.payment.currency = ask.amount.currency.to_string();
        file.payment.amount_minor = ask.amount.amount_minor;
        file.payment.expires_at = ask.expires_at;
        file.split(&ask.shares);
        file
    }

    /// Whose the money will be.
    pub fn split(&mut self, shares: &[Share]) {
        let payment_id = self.payment.id;
        let share = |share: &Share| payment_share::Model {
            payment_id,
            seller_id: share.seller_id,
            amount_minor: share.amount_minor,
            tax_minor: share.tax_minor,
            fee_minor: share.fee_minor,
            claimed_minor: 0,
            claimed_tax_minor: 0,
            claimed_fee_minor: 0,
            released_minor: 0,
            released_tax_minor: 0,
            released_fee_minor: 0,
            released: false,
        };
        self.shares = shares.iter().map(share).collect();
    }

    /// The file of a payment that was voided before anybody asked to authorise it: a late ask holds nothing.
    pub fn tombstone(now: DateTime<Utc>, provider: &str, payment_id: PaymentId, order_id: OrderId) -> Self {
        let mut file = Self::blank(now, provider, payment_id, order_id);
        file.payment.state = State::Voided;
        file
    }

    pub(crate) fn blank(now: DateTime<Utc>, provider: &str, id: PaymentId, order_id: OrderId) -> Self {
        let payment = payment::Model {
            id,
            order_id,
            for_bid: false,
            user_id: None,
            provider: provider.into(),
            method: String::new(),
            currency: CurrencyCode::EUR.to_string(),
            amount_minor: 0,
            captured_minor: 0,
            refunded_minor: 0,
            disputes_open: 0,
            state: State::Authorising,
            reference: None,
            charge: None,
            code: None,
            message: None,
            redirect_url: None,
            client_secret: None,
            void_reason: None,
            attention: None,
            expires_at: now,
            held_until: None,
            version: 0,
            created_at: now,
            updated_at: now,
        };
        Self::of(payment)
    }

    /// The file of a payment with nothing in it yet.
    pub fn of(payment: payment::Model) -> Self {
        Self {
            payment,
            shares: vec![],
            claims: vec![],
            refunds: vec![],
            payouts: vec![],
            disputes: vec![],
            steps: vec![],
        }
    }

    pub fn currency(&self) -> Result<CurrencyCode, Failure> {
        Ok(self.payment.currency.parse()?)
    }

    pub fn money(&self, amount_minor: i64) -> Result<Money, Failure> {
        Ok(Money { amount_minor, currency: self.currency()? })
    }

    pub fn share(&mut self, seller: SellerId) -> Option<&mut payment_share::Model> {
        self.shares.iter_mut().find(|share| share.seller_id == seller)
    }

    pub fn share_of(&self, seller: SellerId) -> Option<&payment_share::Model> {
        self.shares.iter().find(|share| share.seller_id == seller)
    }

    /// The step, while it waits for its answer.
    pub fn waiting(&mut self, step: StepId) -> Option<&mut payment_step::Model> {
        self.steps.iter_mut().find(|known| known.id == step && known.state == StepState::Waiting)
    }

    /// Books an entry about this payment.
    pub fn enter(&self, pen: &mut Pen, seller: Option<SellerId>, entry: Entry) -> Result<(), Failure> {
        let about = About {
            payment_id: self.payment.id,
            order_id: self.payment.order_id,
            currency: self.currency()?,
        };
        pen.book.enter(pen.now, about, seller, entry);
        Ok(())
    }

    /// Says something about this payment, with the next version.
    pub fn say(&mut self, pen: &mut Pen, event: impl Into<Event>) {
        self.payment.version += 1;
        pen.said.push((about("payment", self.payment.id, self.payment.version), event.into()));
    }

    /// Writes down what is to be asked of the provider, under a key of its own, unless it is being asked already.
    pub fn send(&mut self, pen: &Pen, kind: Kind, subject: Uuid, word: &str, amount_minor: i64) -> StepId {
        let asked = |step: &&payment_step::Model| {
            let same = step.kind == kind && step.subject == subject && step.state == StepState::Waiting;
            // What is being read now may be older than what we want to know; each reversal is one of its own.
            same && kind != Kind::Reverse && (kind != Kind::Read || step.claimed_until.is_none())
        };
        if let Some(step) = self.steps.iter().find(asked) {
            return step.id;
        }
        let prefix = format!("{}:{word}:", self.payment.id);
        let epoch = self.steps.iter().filter(|step| step.key.starts_with(&prefix)).count() as i32 + 1;
        let step = payment_step::Model {
            id: StepId::new(),
            payment_id: self.payment.id,
            subject,
            kind,
            key: format!("{prefix}{epoch}"),
            epoch,
            state: StepState::Waiting,
            reads: kind == Kind::Read,
            amount_minor,
            attempts: 0,
            next_run_at: pen.now,
            claimed_by: None,
            claimed_until: None,
            first_sent_at: None,
            hold_id: None,
            last_error: None,
            created_at: pen.now,
            finished_at: None,
        };
        let id = step.id;
        self.steps.push(step);
        id
    }

    /// Moves the payment, if what was heard is a move from where it stands.
    pub fn hear(&mut self, pen: &mut Pen, heard: Heard) -> Result<(), Failure> {
        let Some((state, then)) = next(self.payment.state, heard) else { return Ok(()) };
        self.payment.state = state;
        then.iter().try_for_each(|then| self.perform(pen, *then))
    }

    fn perform(&mut self, pen: &mut Pen, then: Then) -> Result<(), Failure> {
        if self.payment.for_bid && self.say_hold(pen, then) {
            return Ok(());
        }
        let (payment_id, order_id) = (self.payment.id, self.payment.order_id);
        let amount = self.money(self.payment.amount_minor)?;
        let subject = payment_id.0;
        match then {
            Then::SendCapture => _ = self.send(pen, Kind::Capture, subject, "capture", amount.amount_minor),
            Then::SendVoid => _ = self.send(pen, Kind::Void, subject, "void", amount.amount_minor),
            Then::StopAuthorise => self.stop_authorise(pen)?,
            Then::BookCapture => self.book_capture(pen)?,
            Then::SayAuthorised => {
                let held_until = self.payment.held_until.unwrap_or(self.payment.expires_at);
                self.say(pen, PaymentAuthorised { payment_id, order_id, amount, held_until });
            }
            Then::SayNeedsAction => {
                let redirect_url = self.payment.redirect_url.clone();
                let client_secret = self.payment.client_secret.clone();
                self.say(pen, PaymentNeedsAction { payment_id, order_id, redirect_url, client_secret });
            }
            Then::SayDeclined => {
                let Why { code, message } = self.why();
                self.say(pen, PaymentDeclined { payment_id, order_id, code, message });
            }
            Then::SayCaptured => self.say(pen, PaymentCaptured { payment_id, order_id, amount }),
            Then::SayCaptureFailed => {
                let Why { code, message } = self.why();
                self.say(pen, CaptureFailed { payment_id, order_id, code, message });
            }
            Then::SayVoided => self.say(pen, PaymentVoided { payment_id, order_id }),
        }
        Ok(())
    }

    /// Why nothing is held.
    pub(crate) fn why(&self) -> Why {
        Why {
            code: self.payment.code.clone().unwrap_or_else(|| "not_authorised".into()),
            message: self
                .payment
                .message
                .clone()
                .unwrap_or_else(|| "nothing is held for this payment".into()),
        }
    }

    /// An authorisation that nobody has begun to send is not sent any more; another one is given up when it arrives.
    fn stop_authorise(&mut self, pen: &mut Pen) -> Result<(), Failure> {
        let waits = |step: &&mut payment_step::Model| {
            step.kind == Kind::Authorise && step.state == StepState::Waiting
        };
        match self.steps.iter_mut().find(waits) {
            Some(step) if step.first_sent_at.is_some() => Ok(()),
            unsent => {
                if let Some(step) = unsent {
                    step.state = StepState::Dropped;
                    step.finished_at = Some(pen.now);
                }
                self.hear(pen, Heard::LetGo)
            }
        }
    }

    /// The whole amount comes in, a part for each seller.
    fn book_capture(&mut self, pen: &mut Pen) -> Result<(), Failure> {
        self.payment.captured_minor = self.payment.amount_minor;
        self.payment.code = None;
        self.payment.message = None;
        for share in self.shares.clone() {
            let held = Account::Held(self.payment.order_id, share.seller_id);
            let entry = self.now(Account::Clearing, held, share.amount_minor, Reason::Capture);
            self.enter(pen, Some(share.seller_id), entry)?;
        }
        Ok(())
    }

    /// An entry that counts at once, for the payment itself.
    pub fn now(&self, debit: Account, credit: Account, amount_minor: i64, reason: Reason) -> Entry {
        let subject = self.payment.id.to_string();
        Entry { posting: Posting::Now, debit, credit, amount_minor, reason, subject }
    }

    /// The provider holds the money, or wants the buyer to confirm. What comes after its time is given up again.
    pub fn hold(&mut self, pen: &mut Pen, hold: Hold) -> Result<(), Failure> {
        self.payment.reference = Some(hold.reference);
        match hold.standing {
            Standing::Held { until } => {
                self.payment.held_until = Some(until);
                let waited_for = matches!(self.payment.state, State::Authorising | State::NeedsAction);
                if waited_for && pen.now >= self.payment.expires_at {
                    self.payment.void_reason = Some("it came too late".into());
                    self.payment.state = State::Voiding;
                }
                self.hear(pen, Heard::Held)
            }
            Standing::NeedsAction { redirect_url, client_secret } => {
                self.payment.redirect_url = redirect_url;
                self.payment.client_secret = client_secret;
                self.hear(pen, Heard::ActionNeeded)
            }
        }
    }

    /// The provider has taken the money: what it keeps for itself is its fee.
    pub fn captured(&mut self, pen: &mut Pen, captured: Captured) -> Result<(), Failure> {
        if self.payment.for_bid {
            self.needs_attention("what was held for a bid was taken at the provider: give it back there");
            return Ok(());
        }
        let before = self.payment.captured_minor;
        self.hear(pen, Heard::Captured)?;
        if before > 0 || self.payment.captured_minor == 0 {
            return Ok(());
        }
        if captured.amount_minor != self.payment.captured_minor {
            self.compare_captured(pen, captured.amount_minor);
        }
        self.payment.charge = Some(captured.charge);
        let fee = captured.fee_minor.clamp(0, self.payment.captured_minor);
        let settled = self.payment.captured_minor - fee;
        let settle = self.now(Account::Balance, Account::Clearing, settled, Reason::Settle);
        self.enter(pen, None, settle)?;
        let fee = self.now(Account::ProviderFee, Account::Clearing, fee, Reason::ProviderFee);
        self.enter(pen, None, fee)
    }

    /// The provider says no, for the reason that the buyer is told.
    pub fn refused(&mut self, pen: &mut Pen, heard: Heard, why: Why) -> Result<(), Failure> {
        if self.payment.captured_minor == 0 {
            self.payment.code = Some(why.code);
            self.payment.message = Some(why.message);
        }
        self.hear(pen, heard)
    }

    /// What was captured is in the state that its sums say.
    pub fn settle_state(&mut self) {
        let payment = &mut self.payment;
        if payment.captured_minor > 0 {
            payment.state = settled(payment.captured_minor, payment.refunded_minor, payment.disputes_open);
        }
    }

    /// Somebody must look. The first reason stays.
    pub fn needs_attention(&mut self, why: impl Into<String>) {
        self.payment.attention.get_or_insert(why.into());
    }

    /// Asks the provider how things are.
    pub fn send_read(&mut self, pen: &Pen) {
        let step = self.send(pen, Kind::Read, self.payment.id.0, "read", 0);
        if let Some(step) = self.waiting(step) {
            step.next_run_at = pen.now;
        }
    }
}
