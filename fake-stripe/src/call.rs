//! One call of the API, after it was let in.

use crate::form::Params;

/// What an endpoint is told.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    /// The ids in the path, in order.
    pub ids: Vec<String>,
    pub params: Params,
    /// All parameters, as they came: a repeated call has the same.
    pub given: Params,
    /// What the answer should show in full: the paths of `expand[]`.
    pub expand: Vec<String>,
    /// The platform's account, or that of `Stripe-Account`.
    pub account: String,
    pub request_id: String,
    pub idempotency_key: Option<String>,
    /// Where the client reached us: `http://127.0.0.1:12111`.
    pub base_url: String,
}

impl Call {
    /// The id of the object that the path names.
    pub fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// Takes the parameters to read them.
    pub fn params(&mut self) -> Params {
        std::mem::take(&mut self.params)
    }
}
