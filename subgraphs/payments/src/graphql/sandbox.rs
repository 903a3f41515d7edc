//! SANDBOX: what stands for a buyer's bank, and how it misbehaves.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::{Denied, Failure, tx};
use contract::{Long, PaymentId};

use super::user_error::user_error;
use crate::Payments;
use crate::provider::sandbox::{self, Faults};

/// A buyer's decision at the bank that the sandbox stands for.
#[derive(InputObject)]
pub struct ConfirmSandboxPaymentInput {
    /// The payment's `clientSecret`.
    client_secret: String,
    /// Whether the buyer confirms the payment.
    accept: bool,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ConfirmSandboxPaymentPayload {
    /// Whether the bank has taken the decision. The payment moves a moment later.
    done: bool,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ConfirmSandboxPaymentError>,
}

user_error! {
    /// Why nothing was confirmed.
    ConfirmSandboxPaymentError (ConfirmSandboxPaymentErrorCode) {
        /// There is nothing to confirm with this secret, or it has been decided.
        NotFound,
    }
}

/// A bank's decision about a dispute.
#[derive(InputObject)]
pub struct DecideSandboxDisputeInput {
    /// The disputed payment.
    payment_id: PaymentId,
    /// Whether the sellers keep the money.
    won: bool,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DecideSandboxDisputePayload {
    /// Whether the bank has decided. The payment moves a moment later.
    done: bool,
    /// What is wrong; empty when it was done.
    user_errors: Vec<DecideSandboxDisputeError>,
}

user_error! {
    /// Why nothing was decided.
    DecideSandboxDisputeError (DecideSandboxDisputeErrorCode) {
        /// The sandbox has no open dispute of this payment.
        NotFound,
    }
}

/// How often, out of 1,000 calls, the sandbox misbehaves. The same seed misbehaves in the same way.
#[derive(InputObject)]
pub struct MisbehaveSandboxInput {
    /// Where the dice begin.
    #[graphql(default_with = "Long(0)")]
    seed: Long,
    /// Does it, and loses the answer.
    #[graphql(default)]
    dropped: u32,
    /// Does it, and loses the answer after `hangMs`.
    #[graphql(default)]
    hangs: u32,
    /// How long it hangs, in milliseconds, at most 60,000.
    #[graphql(default)]
    hang_ms: u32,
    /// Does it, answers 500, and answers so to the same key for ever.
    #[graphql(default)]
    kept_done: u32,
    /// Does not do it, answers 500, and answers so to the same key for ever.
    #[graphql(default)]
    kept_undone: u32,
    /// Answers 503 and forgets the key.
    #[graphql(default)]
    lost: u32,
    /// Answers 429.
    #[graphql(default)]
    rate_limited: u32,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct MisbehaveSandboxPayload {
    /// Whether it misbehaves like that from now on.
    done: bool,
}

/// The longest time to hang.
const HANG_MS_MAX: u32 = 60_000;

#[derive(Default)]
pub struct SandboxMutations;

#[Object]
impl SandboxMutations {
    /// SANDBOX: the buyer confirms a payment that needs action, or refuses. For whoever has its `clientSecret`.
    async fn confirm_sandbox_payment(
        &self,
        ctx: &Context<'_>,
        input: ConfirmSandboxPaymentInput,
    ) -> Result<ConfirmSandboxPaymentPayload> {
        let Payments { env, news, .. } = ctx.data_unchecked::<Payments>();
        let now = env.clock.now();
        let ConfirmSandboxPaymentInput { client_secret, accept } = input;
        let done =
            tx::apply(&env.db, async |tx| sandbox::confirm(tx, now, news, &client_secret, accept).await)
                .await?;
        let error = || {
            let code = ConfirmSandboxPaymentErrorCode::NotFound;
            ConfirmSandboxPaymentError::new(code, &["input", "clientSecret"], "there is nothing to confirm")
        };
        let user_errors = (!done).then(error).into_iter().collect();
        Ok(ConfirmSandboxPaymentPayload { done, user_errors })
    }

    /// SANDBOX: the buyer's bank decides the open dispute of a payment. For admins.
    async fn decide_sandbox_dispute(
        &self,
        ctx: &Context<'_>,
        input: DecideSandboxDisputeInput,
    ) -> Result<DecideSandboxDisputePayload> {
        Viewer::with_role(ctx, Role::Admin)?;
        let Payments { env, news, .. } = ctx.data_unchecked::<Payments>();
        let now = env.clock.now();
        let DecideSandboxDisputeInput { payment_id, won } = input;
        let done =
            tx::apply(&env.db, async |tx| sandbox::decide(tx, now, news, payment_id, won).await).await?;
        let error = || {
            let code = DecideSandboxDisputeErrorCode::NotFound;
            DecideSandboxDisputeError::new(code, &["input", "paymentId"], "there is no open dispute of it")
        };
        let user_errors = (!done).then(error).into_iter().collect();
        Ok(DecideSandboxDisputePayload { done, user_errors })
    }

    /// SANDBOX: misbehaves from now on, to see that nothing goes wrong. Other providers are not affected. For admins.
    async fn misbehave_sandbox(
        &self,
        ctx: &Context<'_>,
        input: MisbehaveSandboxInput,
    ) -> Result<MisbehaveSandboxPayload> {
        Viewer::with_role(ctx, Role::Admin)?;
        let faults = read(&input)?;
        let payments = ctx.data_unchecked::<Payments>();
        sandbox::misbehave(&payments.env, &faults).await.map_err(|failure: Failure| failure)?;
        Ok(MisbehaveSandboxPayload { done: true })
    }
}

fn read(input: &MisbehaveSandboxInput) -> Result<Faults, Denied> {
    let MisbehaveSandboxInput { seed, dropped, hangs, hang_ms, kept_done, kept_undone, lost, rate_limited } =
        *input;
    let all = [dropped, hangs, kept_done, kept_undone, lost, rate_limited];
    if all.iter().map(|many| u64::from(*many)).sum::<u64>() > 1_000 {
        return Err(Denied::bad_input("input", "all together must be at most 1,000"));
    }
    if hang_ms > HANG_MS_MAX {
        return Err(Denied::bad_input("hangMs", format!("must be at most {HANG_MS_MAX}")));
    }
    let (seed, hang_ms) = (seed.0.unsigned_abs(), u64::from(hang_ms));
    Ok(Faults { seed, dropped, hangs, hang_ms, kept_done, kept_undone, lost, rate_limited })
}
