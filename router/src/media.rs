//! What an answer is written as, as client and router agree on it.

use hive_router::{
    ntex::{
        http::{
            HeaderMap,
            body::{Body, ResponseBody},
            header::HeaderValue,
        },
        util::Bytes,
        web::{DefaultError, WebRequest, WebResponse},
    },
    pipeline::header::{RequestAccepts, SingleContentType, StreamContentType},
};
use http::header::{ACCEPT, CONTENT_TYPE};

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
/// The router has no stream for what is answered at once: it is made of the answer here.
const EVENTS_OR_ONE: HeaderValue = HeaderValue::from_static("text/event-stream, application/json;q=0.1");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`: whoever reads it may know nothing of statuses, so a refused operation is a 200.
    Json,
    /// `application/graphql-response+json`: the status says whether the operation was begun.
    GraphQLResponse,
    /// `text/event-stream` and nothing else.
    Events,
    /// Another stream and nothing else.
    Parts,
}

/// `None`: the client accepts nothing that there is. The headers are brought into the form that the router reads.
pub(crate) fn agree(request: WebRequest<DefaultError>) -> (WebRequest<DefaultError>, Option<Media>) {
    let (request, body) = request.into_parts();
    let media = request.negotiate(false).ok().map(|mode| match mode.single_content_type() {
        Some(SingleContentType::GraphQLResponseJSON) => Media::GraphQLResponse,
        Some(_) => Media::Json,
        None if mode.stream_content_type() == Some(&StreamContentType::SSE) => Media::Events,
        None => Media::Parts,
    });
    let mut request = WebRequest::from_parts(request, body).expect("nobody else holds the request yet");
    write_small(request.headers_mut());
    if media == Some(Media::Events) {
        request.headers_mut().insert(ACCEPT, EVENTS_OR_ONE);
    }
    (request, media)
}

/// The router compares the media type of a body as it is written.
fn write_small(headers: &mut HeaderMap) {
    let Some(media) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return };
    if let Ok(small) = HeaderValue::try_from(media.to_ascii_lowercase()) {
        headers.insert(CONTENT_TYPE, small);
    }
}

/// One answer as a stream of one event, for those who accept nothing else. What went wrong before keeps its form.
pub(crate) fn events(response: WebResponse, media: Option<Media>) -> WebResponse {
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|media| *media == EVENTS);
    if media != Some(Media::Events) || is_stream || !response.status().is_success() {
        return response;
    }
    response.map_body(|head, body| {
        head.headers.insert(CONTENT_TYPE, EVENTS);
        match body {
            ResponseBody::Body(Body::Bytes(answer)) => ResponseBody::Body(Body::Bytes(stream_of(&answer))),
            other => other,
        }
    })
}

fn stream_of(answer: &[u8]) -> Bytes {
    [b"event: next\ndata: ", answer, b"\n\nevent: complete\ndata:\n\n"].concat().into()
}
