//! One behaviour, whoever moves the money: the same asks, the same answers and the same books with the sandbox and with
//! Stripe, which a fake in this process plays.

mod alike;
mod bank;
mod dashboard;
mod faults;
mod held;
mod sellers;

pub use bank::Bank;

/// A test with each provider: `a_sentence::sandbox` and `a_sentence::stripe`.
macro_rules! provider_test {
    ($(async fn $name:ident($bank:ident: &Bank) $body:block)*) => {
        $(mod $name {
            use super::*;

            async fn test($bank: &Bank) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sandbox() {
                let bank = Bank::sandbox().await;
                test(&bank).await;
                bank.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn stripe() {
                let bank = Bank::stripe().await;
                test(&bank).await;
                bank.close().await;
            }
        })*
    };
}
pub(crate) use provider_test;

/// A test with Stripe alone: what the sandbox has not.
macro_rules! stripe_test {
    ($(async fn $name:ident($bank:ident: &Bank) $body:block)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            async fn test($bank: &Bank) $body
            let bank = Bank::stripe().await;
            test(&bank).await;
            bank.close().await;
        })*
    };
}
pub(crate) use stripe_test;
