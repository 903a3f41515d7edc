//! Sellers at Stripe: connected accounts, and the pages on which Stripe asks a seller what it must know.

use super::Stripe;
use super::client::{Got, Not};
use super::form::Form;
use super::shape::{Account, AccountLink, ours};
use crate::provider::{OpenAccount, Payee};

impl Stripe {
    pub(super) async fn new_account(&self, call: OpenAccount<'_>) -> Got<String> {
        let form = Form::new()
            .set("type", "express")
            .maybe("country", call.country)
            .set("capabilities[transfers][requested]", "true")
            .set("metadata[seller_id]", call.seller_id);
        let account: Account = self.client.post("/v1/accounts", call.key, form).await?;
        Ok(account.id)
    }

    pub(super) async fn payee(&self, account: &str) -> Got<Option<Payee>> {
        match self.client.get(&format!("/v1/accounts/{account}"), &Form::new()).await {
            Ok(account) => Ok(Some(payee(&account))),
            // Of an account that is not connected to ours Stripe says that we may not look.
            Err(Not::Rejected(_)) => Ok(None),
            Err(Not::Unknown { kept: false, error }) if error.contains("account_invalid") => Ok(None),
            Err(not) => Err(not),
        }
    }

    /// A link is good for one visit and some minutes: each has a key of its own.
    pub(super) async fn link(
        &self,
        account: &str,
        return_url: &str,
        refresh_url: &str,
    ) -> Got<Option<String>> {
        let form = Form::new()
            .set("account", account)
            .set("return_url", return_url)
            .set("refresh_url", refresh_url)
            .set("type", "account_onboarding");
        let key = format!("{account}:link:{}", uuid::Uuid::now_v7());
        let link: AccountLink = self.client.post("/v1/account_links", &key, form).await?;
        Ok(Some(link.url))
    }
}

fn payee(account: &Account) -> Payee {
    let transfers = account.capabilities.as_ref().and_then(|capabilities| capabilities.transfers.as_deref());
    Payee {
        reference: account.id.clone(),
        ready: transfers == Some("active"),
        seller_id: ours(&account.metadata, "seller_id"),
    }
}
