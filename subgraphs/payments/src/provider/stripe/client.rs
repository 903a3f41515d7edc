//! The wire: one request to Stripe, and what its status says of it. Nothing is tried again here: who calls has the key.

use chassis::Failure;
use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, redirect};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tracing::{debug, info};

use super::form::Form;
use super::shape::{Intent, List, Named, Problem, Refusal};
use super::{API_VERSION, Settings, WITH_CHARGE};
use crate::provider::{Answer, Why};

const VERSION: HeaderName = HeaderName::from_static("stripe-version");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REQUEST_ID: &str = "request-id";
const RETRY_AFTER: &str = "retry-after";
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
/// Bytes of an answer: the largest, a page of a hundred intents with their charges, is far below.
const BODY_MAX: usize = 8 * 1024 * 1024;
/// Items of a page: the most that Stripe gives.
const PAGE: usize = 100;
/// Pages of one list: what is longer is not read to its end, and proves nothing.
const PAGES_MAX: usize = 1_000;

/// What a call came to, when it was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Not {
    Declined(Why),
    Rejected(Why),
    Unknown { kept: bool, error: String },
    RateLimited { retry_after: Option<TimeDelta> },
}

pub type Got<T> = Result<T, Not>;

impl Not {
    pub fn unknown(kept: bool, error: impl std::fmt::Display) -> Self {
        Self::Unknown { kept, error: format!("Stripe: {error}") }
    }

    pub fn rejected(code: &str, message: &str) -> Self {
        Self::Rejected(Why::new(code, message))
    }
}

impl<T> From<Got<T>> for Answer<T> {
    fn from(got: Got<T>) -> Self {
        match got {
            Ok(done) => Self::Done(done),
            Err(Not::Declined(why)) => Self::Declined(why),
            Err(Not::Rejected(why)) => Self::Rejected(why),
            Err(Not::Unknown { kept, error }) => Self::Unknown { kept, error },
            Err(Not::RateLimited { retry_after }) => Self::RateLimited { retry_after },
        }
    }
}

/// Connections to Stripe, kept open.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
}

impl Client {
    pub fn new(settings: &Settings) -> Result<Self, Failure> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", settings.secret_key.expose_secret()))
            .map_err(|_| Failure::msg("the secret key of Stripe has characters that no key has"))?;
        bearer.set_sensitive(true);
        let version = HeaderValue::from_static(API_VERSION);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer), (VERSION, version)]))
            .user_agent(concat!("souk/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            // What is redirected would carry the key to another place.
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self { http, base_url: settings.base_url.trim_end_matches('/').to_owned() })
    }

    /// Sends a form under a key.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, key: &str, form: Form) -> Got<T> {
        let request = self.request(Method::POST, path);
        let request = request.header(KEY, key).header(CONTENT_TYPE, FORM).body(form.encoded());
        answered(path, request).await
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &Form) -> Got<T> {
        answered(path, self.request(Method::GET, &format!("{path}?{}", query.encoded()))).await
    }

    /// Every item of a list, page by page.
    pub async fn list<T: DeserializeOwned + Named>(&self, path: &str, query: Form) -> Got<Vec<T>> {
        let mut all: Vec<T> = vec![];
        for _ in 0..PAGES_MAX {
            let after = all.last().map(|last| last.id().to_owned());
            let query = query.clone().set("limit", PAGE).maybe("starting_after", after);
            let page: List<T> = self.get(path, &query).await?;
            let ends = !page.has_more || page.data.is_empty();
            all.extend(page.data);
            if ends {
                return Ok(all);
            }
        }
        Err(Not::unknown(false, format!("{path} has more than {} items", all.len())))
    }

    /// An intent whose name we know. That it is not there tells only that the key is of another account.
    pub async fn intent(&self, reference: &str) -> Got<Intent> {
        let path = format!("/v1/payment_intents/{reference}");
        let got = self.get(&path, &Form::new().set("expand[]", WITH_CHARGE)).await;
        got.map_err(|not| match not {
            Not::Rejected(why) => Not::unknown(false, format!("{reference} cannot be read: {}", why.code)),
            other => other,
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base_url))
    }
}

async fn answered<T: DeserializeOwned>(path: &str, request: RequestBuilder) -> Got<T> {
    // The error names the address, which has our ids in it, and never the key.
    let response = request.send().await.map_err(|error| Not::unknown(false, error))?;
    let head = Head::of(&response);
    let body = body(response).await?;
    judge(path, &head, &body)
}

async fn body(mut response: Response) -> Got<Vec<u8>> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await.map_err(|error| Not::unknown(false, error))? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_MAX {
            return Err(Not::unknown(false, "the answer is too long"));
        }
    }
    Ok(body)
}

/// What is read of an answer besides its body.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub status: u16,
    pub request_id: Option<String>,
    pub retry_after: Option<TimeDelta>,
}

impl Head {
    fn of(response: &Response) -> Self {
        let text = |name| response.headers().get(name)?.to_str().ok();
        let seconds = text(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        Self {
            status: response.status().as_u16(),
            request_id: text(REQUEST_ID).map(str::to_owned),
            retry_after: seconds.and_then(TimeDelta::try_seconds),
        }
    }
}

/// What an answer says.
///
/// A 500 was kept with the key, so that sending it again tells nothing new; 409 and other 5xx were not. A key that came
/// with another request says nothing of what the first did. A secret key that Stripe does not take is ours to mend: no
/// payment is refused for it.
pub fn judge<T: DeserializeOwned>(path: &str, head: &Head, body: &[u8]) -> Got<T> {
    let request_id = head.request_id.as_deref().unwrap_or("none");
    if (200..300).contains(&head.status) {
        debug!(path, request_id, "Stripe has answered");
        let broken = |error| Not::unknown(true, format!("an answer without sense ({request_id}): {error}"));
        return serde_json::from_slice(body).map_err(broken);
    }
    let problem = serde_json::from_slice::<Refusal>(body).unwrap_or_default().error;
    let said = problem.message.as_deref().unwrap_or_default();
    info!(path, request_id, status = head.status, code = problem.word(), "Stripe says no: {said}");
    let shown = format!("{} {} {said} ({request_id})", head.status, problem.word());
    Err(match head.status {
        402 => Not::Declined(problem.why()),
        429 => Not::RateLimited { retry_after: head.retry_after },
        500 => Not::unknown(true, shown),
        400 if problem.is_about_key() => Not::unknown(true, shown),
        400 | 404..=408 | 410..=428 => Not::Rejected(unfit(&problem)),
        _ => Not::unknown(false, shown),
    })
}

/// What Stripe says of a bad request is for us; a buyer is told that it cannot be.
fn unfit(problem: &Problem) -> Why {
    Why::new(problem.word(), "the payment cannot be processed")
}
