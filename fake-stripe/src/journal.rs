//! What was asked of a fake, line by line in a file. The next fake that gets the file is asked the same again, at the same
//! times and with the same dice, before anybody else: it knows what the one before it knew.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use crate::error::StripeError;
use crate::wire::{Wire, whole};
use crate::{Fake, answer};

/// Headers that an answer may depend on.
const HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::HOST,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("stripe-account"),
    HeaderName::from_static("stripe-version"),
];
/// Waits for webhooks, which nobody sends again.
const WAITS: &str = "/_fake/webhooks/flush";

/// One request.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Seconds since 1970, without what the clock was moved ahead.
    at: i64,
    /// What names follow from.
    seed: u64,
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// A request that comes again.
#[derive(Clone, Debug)]
struct Again;

/// Reads the file and asks everything again; gives the file, to go on with. A line that was cut off with its process is
/// dropped: nobody has an answer to it.
pub async fn ask_again(fake: &Arc<Fake>, router: &Router, path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    let (lines, whole_bytes) = read(&file)?;
    file.set_len(whole_bytes)?;
    file.seek(SeekFrom::End(0))?;
    let many = lines.len();
    for line in lines {
        fake.world().hold_still(line.at, line.seed);
        if let Some(request) = line.request() {
            // A router always answers.
            _ = router.clone().oneshot(request).await;
        }
    }
    fake.world().go_on(rand::random());
    if many > 0 {
        tracing::info!("{many} requests of before are known again");
    }
    Ok(file)
}

/// The lines, and how many bytes they are.
fn read(file: &File) -> io::Result<(Vec<Line>, u64)> {
    let (mut lines, mut bytes) = (vec![], 0);
    let mut reader = BufReader::new(file);
    let mut text = vec![];
    while reader.read_until(b'\n', &mut text)? > 0 {
        let line = serde_json::from_slice(&text).ok().filter(|_| text.ends_with(b"\n"));
        let Some(line) = line else {
            tracing::warn!("The journal ends with half a line, or with one of another version");
            break;
        };
        lines.push(line);
        bytes += text.len() as u64;
        text.clear();
    }
    Ok((lines, bytes))
}

/// Writes down what may change something before it is done. Such requests are served one after the other, in the order of
/// their lines.
pub async fn keep(State(fake): State<Arc<Fake>>, request: Request, next: Next) -> Response {
    let again = request.extensions().get::<Again>().is_some();
    if fake.started.journal.is_none() || again || !changes(&fake, &request) {
        return next.run(request).await;
    }
    let Some(request) = whole(request).await else {
        let message = "The request body is too large.";
        return answer::error(&StripeError::at_the_door(StatusCode::PAYLOAD_TOO_LARGE, message), "");
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut line = Line {
        at: 0,
        seed: rand::random(),
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        headers: kept(&parts.headers),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let mut journal = fake.journal.lock().await;
    line.at = fake.world().roll(line.seed);
    if let Some(file) = &mut *journal
        && let Err(error) = write(file, &line)
    {
        tracing::error!(%error, "The journal cannot be written: this is forgotten when the process ends");
    }
    next.run(Request::from_parts(parts, body.into())).await
}

/// Whether something may be another afterwards: by what is asked, or because its time has come.
fn changes(fake: &Fake, request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let waits = request.uri().path() == WAITS;
    !waits && (!reads || fake.world().is_anything_due())
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut kept = vec![];
    for name in HEADERS {
        if let Some(value) = headers.get(&name).and_then(|value| value.to_str().ok()) {
            kept.push((name.to_string(), value.to_owned()));
        }
    }
    kept
}

/// A process that is killed loses nothing of it: the system has it.
fn write(file: &mut File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

impl Line {
    /// `None`: no request looks like this.
    fn request(self) -> Option<Request> {
        let builder = Request::builder().method(self.method.as_str()).uri(&self.uri);
        let mut request = builder.body(Body::from(self.body)).ok()?;
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            request.headers_mut().insert(name, HeaderValue::from_str(&value).ok()?);
        }
        request.extensions_mut().insert(Again);
        request.extensions_mut().insert(ConnectInfo(Wire::default()));
        Some(request)
    }
}
