//! Connected accounts: who gets transfers, and whether they may.

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::form::{MetadataChange, Params};
use crate::table::{Head, Resource};
use crate::world::{PLATFORM, World};

/// What one can ask for an account.
const CAPABILITIES: &[&str] = &["card_payments", "transfers"];
const TYPES: &[&str] = &["custom", "express", "standard"];

#[derive(Clone, Debug)]
pub struct Account {
    pub head: Head,
    kind: &'static str,
    country: String,
    pub currency: String,
    email: Option<String>,
    business_type: Option<&'static str>,
    /// What was asked for.
    requested: Vec<&'static str>,
    /// All that Stripe wants to know was told: what was asked for is active.
    pub onboarded: bool,
    /// The last digits of the bank account that payouts go to.
    pub bank_last4: Option<String>,
    bank: Option<String>,
}

impl Account {
    /// The account of whoever holds the key.
    pub fn platform(now: i64) -> Self {
        let head = Head { id: PLATFORM.into(), created: now, account: PLATFORM.into(), metadata: Map::new() };
        Self {
            head,
            kind: "standard",
            country: "US".into(),
            currency: "usd".into(),
            email: None,
            business_type: Some("company"),
            requested: CAPABILITIES.to_vec(),
            onboarded: true,
            bank_last4: Some("6789".into()),
            bank: Some("ba_FakePlatform".into()),
        }
    }

    pub fn is_platform(&self) -> bool {
        self.head.id == PLATFORM
    }

    /// Whether transfers may go to it.
    pub fn can_receive(&self) -> bool {
        self.onboarded && self.requested.contains(&"transfers")
    }

    fn due(&self) -> Vec<&'static str> {
        let details =
            (!self.onboarded).then_some(["individual.verification.document", "tos_acceptance.date"]);
        let bank = self.bank.is_none().then_some("external_account");
        details.into_iter().flatten().chain(bank).collect()
    }

    fn external_accounts(&self) -> Vec<Value> {
        let (Some(id), Some(last4)) = (&self.bank, &self.bank_last4) else { return vec![] };
        vec![json!({
            "id": id,
            "object": "bank_account",
            "account": self.head.id,
            "account_holder_name": null,
            "bank_name": "STRIPE TEST BANK",
            "country": self.country,
            "currency": self.currency,
            "default_for_currency": true,
            "last4": last4,
            "routing_number": "110000000",
            "status": "new",
        })]
    }
}

impl Resource for Account {
    const OBJECT: &'static str = "account";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        let active = if self.onboarded { "active" } else { "inactive" };
        let capabilities: Map<String, Value> =
            self.requested.iter().map(|name| ((*name).to_owned(), active.into())).collect();
        let due = self.due();
        let requirements = json!({
            "alternatives": [],
            "current_deadline": null,
            "currently_due": due,
            "disabled_reason": (!due.is_empty()).then_some("requirements.past_due"),
            "errors": [],
            "eventually_due": due,
            "past_due": due,
            "pending_verification": [],
        });
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "business_profile": { "mcc": null, "name": null, "url": null },
            "business_type": self.business_type,
            "capabilities": capabilities,
            "charges_enabled": self.onboarded && self.requested.contains(&"card_payments"),
            "controller": { "type": "application", "is_controller": true },
            "country": self.country,
            "created": self.head.created,
            "default_currency": self.currency,
            "details_submitted": self.onboarded,
            "email": self.email,
            "external_accounts": {
                "object": "list",
                "data": self.external_accounts(),
                "has_more": false,
                "total_count": self.external_accounts().len(),
                "url": format!("/v1/accounts/{}/external_accounts", self.head.id),
            },
            "future_requirements": { "currently_due": [], "eventually_due": [], "past_due": [], "pending_verification": [] },
            "metadata": self.head.metadata,
            "payouts_enabled": self.onboarded && self.bank.is_some(),
            "requirements": requirements,
            "settings": { "payouts": { "schedule": { "delay_days": 2, "interval": "manual" } } },
            "tos_acceptance": { "date": self.onboarded.then_some(self.head.created) },
            "type": self.kind,
        })
    }
}

/// What an account is told, at first or later.
struct Told {
    email: Option<String>,
    business_type: Option<&'static str>,
    requested: Vec<(&'static str, bool)>,
    accepts_terms: bool,
    bank: Option<String>,
    metadata: Option<MetadataChange>,
}

impl Told {
    fn read(params: &mut Params) -> Answer<Self> {
        let business_types = &["individual", "company", "non_profit", "government_entity"];
        let told = Self {
            email: params.text("email")?,
            business_type: params.one_of("business_type", business_types)?,
            requested: requested(params)?,
            accepts_terms: accepts_terms(params)?,
            bank: bank(params)?,
            metadata: params.metadata()?,
        };
        // Everything else that Stripe asks of people is believed and forgotten.
        params.without_effect(&[
            "business_profile",
            "company",
            "individual",
            "settings",
            "documents",
            "account_token",
        ]);
        Ok(told)
    }

    fn apply(self, world: &mut World, account: &mut Account) {
        account.email = self.email.or(account.email.take());
        account.business_type = self.business_type.or(account.business_type);
        for (name, wanted) in self.requested {
            account.requested.retain(|known| *known != name);
            account.requested.extend(wanted.then_some(name));
        }
        account.onboarded |= self.accepts_terms;
        if let Some(last4) = self.bank {
            account.bank = Some(world.id("ba"));
            account.bank_last4 = Some(last4);
        }
        account.head.change_metadata(self.metadata);
    }
}

fn requested(params: &mut Params) -> Answer<Vec<(&'static str, bool)>> {
    let Some(mut asked) = params.nested("capabilities")? else { return Ok(vec![]) };
    let mut requested = vec![];
    for name in CAPABILITIES {
        if let Some(mut one) = asked.nested(name)? {
            requested.push((*name, one.boolean("requested")? == Some(true)));
            one.finish()?;
        }
    }
    asked.finish()?;
    Ok(requested)
}

/// Whoever accepts the terms by the API has told all that is asked for.
fn accepts_terms(params: &mut Params) -> Answer<bool> {
    let Some(mut terms) = params.nested("tos_acceptance")? else { return Ok(false) };
    let accepted = terms.integer("date")?.is_some() & terms.text("ip")?.is_some();
    terms.without_effect(&["user_agent", "service_agreement"]);
    terms.finish()?;
    Ok(accepted)
}

/// The last digits of the bank account: given by number, or as a test token.
fn bank(params: &mut Params) -> Answer<Option<String>> {
    if !params.is_nested("external_account") {
        return Ok(params.text("external_account")?.map(|_| "6789".into()));
    }
    let Some(mut bank) = params.nested("external_account")? else { return Ok(None) };
    bank.one_of("object", &["bank_account"])?;
    let number = bank.required_text("account_number")?;
    bank.without_effect(&[
        "country",
        "currency",
        "routing_number",
        "account_holder_name",
        "account_holder_type",
    ]);
    bank.finish()?;
    let last4: Vec<char> = number.chars().rev().take(4).collect();
    Ok(Some(last4.into_iter().rev().collect()))
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let kind = params.one_of("type", TYPES)?;
    let dashboard = dashboard(&mut params)?;
    let country = params.text("country")?.unwrap_or_else(|| "US".into());
    let currency = params.text("default_currency")?.unwrap_or_else(|| currency_of(&country).into());
    let told = Told::read(&mut params)?;
    params.finish()?;
    let mut head = world.head_of("acct", PLATFORM);
    head.id.truncate("acct_".len() + 16);
    let mut account = Account {
        head,
        kind: kind.or(dashboard).unwrap_or("standard"),
        country,
        currency,
        email: None,
        business_type: None,
        requested: vec![],
        onboarded: false,
        bank_last4: None,
        bank: None,
    };
    told.apply(world, &mut account);
    let id = account.head.id.clone();
    world.accounts.put(account);
    if world.settings.trusts_sellers {
        onboard(world, &id);
    }
    let account = world.accounts.any(&id).cloned().expect("it was put there");
    Ok(account.show(world))
}

/// `controller[stripe_dashboard][type]`, as newer integrations say it.
fn dashboard(params: &mut Params) -> Answer<Option<&'static str>> {
    let Some(mut controller) = params.nested("controller")? else { return Ok(None) };
    let mut kind = None;
    if let Some(mut dashboard) = controller.nested("stripe_dashboard")? {
        kind = dashboard.one_of("type", &["express", "full", "none"])?;
        dashboard.finish()?;
    }
    controller.without_effect(&["fees", "losses", "requirement_collection"]);
    controller.finish()?;
    Ok(match kind {
        Some("full") => Some("standard"),
        Some("none") => Some("custom"),
        other => other,
    })
}

fn currency_of(country: &str) -> &'static str {
    match country {
        "US" => "usd",
        "GB" => "gbp",
        "CH" => "chf",
        "JP" => "jpy",
        "CA" => "cad",
        "AU" => "aud",
        _ => "eur",
    }
}

pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let told = Told::read(&mut params)?;
    params.finish()?;
    let mut account = named(world, call)?;
    let before = account.show(world);
    told.apply(world, &mut account);
    world.accounts.put(account.clone());
    say_updated(world, &before, &account);
    Ok(account.show(world))
}

/// The person was at Stripe's pages and told everything. `None`: no such account.
pub fn onboard(world: &mut World, id: &str) -> Option<()> {
    let mut account = world.accounts.any(id)?.clone();
    let before = account.show(world);
    account.onboarded = true;
    if account.bank.is_none() {
        account.bank = Some(world.id("ba"));
        account.bank_last4 = Some("6789".into());
    }
    world.accounts.put(account.clone());
    say_updated(world, &before, &account);
    Some(())
}

/// It is the connected account's event, though the platform made the account.
fn say_updated(world: &mut World, before: &Value, account: &Account) {
    let mut own = account.clone();
    own.head.account = own.head.id.clone();
    world.say_changed("account.updated", before, &own);
}

fn named(world: &World, call: &Call) -> Answer<Account> {
    let account = world.accounts.any(call.id()).cloned();
    account.ok_or_else(|| {
        let message = format!(
            "The provided key does not have access to account '{}' (or that account does not exist). Application access \
             may have been revoked.",
            call.id()
        );
        StripeError::no_access(message)
    })
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(named(world, call)?.show(world))
}

/// Whose key this is.
pub fn own(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.show(&call.account).unwrap_or_default())
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    world.accounts.list(world, call, |account| !account.is_platform())
}

/// Where a person tells Stripe about themselves.
pub fn create_link(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let id = params.required_text("account")?;
    let back = params.text("return_url")?;
    if params.one_of("type", &["account_onboarding", "account_update"])?.is_none() {
        return Err(params.missing("type"));
    }
    params.without_effect(&["refresh_url", "collect", "collection_options"]);
    params.finish()?;
    let account = world.accounts.given(PLATFORM, &id, "account")?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    back.iter().for_each(|back| _ = query.append_pair("return_url", back));
    Ok(json!({
        "object": "account_link",
        "created": world.now(),
        "expires_at": world.now() + 300,
        "url": format!("{}/_fake/onboard/{}?{}", call.base_url, account.head.id, query.finish()),
    }))
}
