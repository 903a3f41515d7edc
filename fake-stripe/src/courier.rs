//! Takes events to webhook endpoints, signed as Stripe signs them.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use tokio_util::sync::CancellationToken;

use crate::Fake;
use crate::post::{Next, Parcel};
use crate::table::Resource;

/// How long an endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Delivers one after the other, until it is stopped.
pub async fn run(fake: Arc<Fake>, stop: CancellationToken) {
    let client =
        reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.expect("a client without settings of its own can be built");
    while !stop.is_cancelled() {
        let next = fake.world().post.next();
        match next {
            Next::Deliver(parcel) => deliver(&fake, &client, parcel).await,
            Next::Wait(pause) => tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = fake.news.notified() => {}
                () = stop.cancelled() => {}
            },
            Next::Rest => tokio::select! {
                () = fake.news.notified() => {}
                () = stop.cancelled() => {}
            },
        }
    }
}

async fn deliver(fake: &Fake, client: &reqwest::Client, parcel: Parcel) {
    let Some((url, secret, body)) = letter(fake, &parcel) else { return fake.world().post.delivered() };
    let signature = sign(&secret, &body, now_s());
    let request =
        client.post(&url).header("stripe-signature", signature).header("user-agent", "Stripe/1.0 (fake)");
    let sent = request.header("content-type", "application/json; charset=utf-8").body(body).send().await;
    let taken = sent.as_ref().is_ok_and(|response| response.status().is_success());
    if !taken {
        tracing::warn!(event.id = parcel.event_id, url, "A webhook was not taken: {}", why(&sent));
    }
    let mut world = fake.world();
    if taken { world.post.delivered() } else { world.post.failed(parcel) }
}

fn why(sent: &Result<reqwest::Response, reqwest::Error>) -> String {
    match sent {
        Ok(response) => response.status().to_string(),
        Err(error) => error.to_string(),
    }
}

/// Where to, the secret, and what. `None`: the endpoint is gone.
fn letter(fake: &Fake, parcel: &Parcel) -> Option<(String, String, String)> {
    let world = fake.world();
    let endpoint = world.endpoints.any(&parcel.endpoint_id).filter(|endpoint| endpoint.enabled)?;
    let event = world.events.any(&parcel.event_id)?.show(&world);
    let body = serde_json::to_string_pretty(&event).ok()?;
    Some((endpoint.url.clone(), endpoint.secret.clone(), body))
}

/// `t=…,v1=…`: HMAC-SHA256 over time and body. Test events of Stripe have a `v0` too, which is worth nothing.
pub fn sign(secret: &str, body: &str, at_s: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{at_s}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let worthless: String = hex.chars().rev().collect();
    format!("t={at_s},v1={hex},v0={worthless}")
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("this machine's clock is past 1970").as_secs()
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn the_signature_is_hmac_sha256_over_time_and_body() {
        // From `printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test`.
        let expected = "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
        assert!(
            sign("whsec_test", "{}", 1_700_000_000).starts_with(&format!("t=1700000000,v1={expected},v0="))
        );
    }
}
