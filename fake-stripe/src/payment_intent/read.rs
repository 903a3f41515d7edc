//! The parameters of payment intents.

use crate::error::{Answer, StripeError};
use crate::form::{MetadataChange, Params};
use crate::money;
use crate::payment_intent::Redirects;
use crate::payment_method::{self, Given};

const CAPTURE_METHODS: &[&str] = &["automatic", "automatic_async", "manual"];
/// Understood, and without effect on a test card.
const WITHOUT_EFFECT: &[&str] = &[
    "use_stripe_sdk",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "payment_method_options",
    "mandate_data",
    "radar_options",
];

/// What to make.
pub struct Creation {
    pub amount_minor: i64,
    pub currency: String,
    pub capture_method: &'static str,
    pub redirects: Option<Redirects>,
    pub method: Option<Given>,
    pub transfer_group: Option<String>,
    pub description: Option<String>,
    pub receipt_email: Option<String>,
    pub metadata: Option<MetadataChange>,
    /// `confirm=true`.
    pub confirm: Option<Confirmation>,
}

impl Creation {
    pub fn read(mut params: Params) -> Answer<Self> {
        let amount_minor = params.required_positive("amount")?;
        let currency = money::currency(&mut params)?;
        money::chargeable(amount_minor, &currency, "amount")?;
        let confirm = params.boolean("confirm")? == Some(true);
        let method = payment_method::read(&mut params)?;
        let redirects = redirects(&mut params)?;
        let confirmation = Confirmation::read_of_creation(&mut params)?;
        if !confirm && confirmation != Confirmation::default() {
            let message = "The parameters `return_url`, `off_session` and `error_on_requires_action` cannot be passed \
                           when creating a PaymentIntent unless `confirm` is set to true.";
            return Err(StripeError::parameter("confirm", "parameter_missing", message));
        }
        let creation = Self {
            amount_minor,
            currency,
            capture_method: params.one_of("capture_method", CAPTURE_METHODS)?.unwrap_or("automatic_async"),
            redirects,
            method,
            transfer_group: params.text("transfer_group")?,
            description: params.text("description")?,
            receipt_email: params.text("receipt_email")?,
            metadata: params.metadata()?,
            confirm: confirm.then_some(confirmation),
        };
        params.one_of("confirmation_method", &["automatic"])?;
        params.without_effect(WITHOUT_EFFECT);
        params.finish()?;
        Ok(creation)
    }
}

/// Without `payment_method_types`, the methods of the dashboard are taken, redirecting ones too.
fn redirects(params: &mut Params) -> Answer<Option<Redirects>> {
    let types = params.texts("payment_method_types")?;
    if let Some(other) = types.iter().flatten().find(|kind| *kind != "card") {
        let message = format!("The payment method type \"{other}\" is invalid. This account takes: card.");
        return Err(StripeError::parameter("payment_method_types", "parameter_invalid", message));
    }
    let Some(mut automatic) = params.nested("automatic_payment_methods")? else {
        return Ok(types.is_none().then_some(Redirects::Always));
    };
    let enabled = automatic.boolean("enabled")?.ok_or_else(|| automatic.missing("enabled"))?;
    let allowed = automatic.one_of("allow_redirects", &["always", "never"])?;
    automatic.finish()?;
    let redirects = if allowed == Some("never") { Redirects::Never } else { Redirects::Always };
    match (enabled, types) {
        (true, Some(_)) => {
            let message = "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.";
            Err(StripeError::parameter("payment_method_types", "parameters_exclusive", message))
        }
        (true, None) => Ok(Some(redirects)),
        (false, _) => Ok(None),
    }
}

/// How to confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    pub return_url: Option<String>,
    /// The buyer is not there to authenticate.
    pub off_session: bool,
    /// A need to authenticate is an error.
    pub error_on_action: bool,
}

impl Confirmation {
    fn read_of_creation(params: &mut Params) -> Answer<Self> {
        Ok(Self {
            return_url: params.text("return_url")?,
            off_session: params.text("off_session")?.is_some_and(|text| text != "false"),
            error_on_action: params.boolean("error_on_requires_action")? == Some(true),
        })
    }

    /// Of a confirmation by itself: with the method, and whether it captures by itself, where they are changed.
    pub fn read(mut params: Params) -> Answer<(Self, Option<Given>, Option<&'static str>)> {
        let confirmation = Self::read_of_creation(&mut params)?;
        let method = payment_method::read(&mut params)?;
        let capture_method = params.one_of("capture_method", CAPTURE_METHODS)?;
        params.without_effect(WITHOUT_EFFECT);
        params.without_effect(&["receipt_email", "client_secret"]);
        params.finish()?;
        Ok((confirmation, method, capture_method))
    }
}

/// What to change.
pub struct Changes {
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub capture_method: Option<&'static str>,
    pub method: Option<Given>,
    pub transfer_group: Option<String>,
    pub description: Option<String>,
    pub receipt_email: Option<String>,
    pub metadata: Option<MetadataChange>,
}

impl Changes {
    pub fn read(mut params: Params) -> Answer<Self> {
        let changes = Self {
            amount_minor: params.positive("amount")?,
            currency: if params.has("currency") { Some(money::currency(&mut params)?) } else { None },
            capture_method: params.one_of("capture_method", CAPTURE_METHODS)?,
            method: payment_method::read(&mut params)?,
            transfer_group: params.text("transfer_group")?,
            description: params.text("description")?,
            receipt_email: params.text("receipt_email")?,
            metadata: params.metadata()?,
        };
        params.without_effect(WITHOUT_EFFECT);
        params.finish()?;
        Ok(changes)
    }

    /// Whether it changes what will be charged.
    pub fn touches_money(&self) -> bool {
        self.amount_minor.is_some()
            || self.currency.is_some()
            || self.capture_method.is_some()
            || self.method.is_some()
    }
}

/// How much to capture.
pub struct Capture {
    pub amount_minor: Option<i64>,
    pub metadata: Option<MetadataChange>,
}

impl Capture {
    pub fn read(mut params: Params) -> Answer<Self> {
        let capture =
            Self { amount_minor: params.positive("amount_to_capture")?, metadata: params.metadata()? };
        // More than one capture is for accounts that Stripe has let do so.
        if params.boolean("final_capture")? == Some(false) {
            let message = "Your account is not eligible for multicapture.";
            return Err(StripeError::parameter("final_capture", "parameter_invalid", message));
        }
        params.without_effect(WITHOUT_EFFECT);
        params.finish()?;
        Ok(capture)
    }
}
