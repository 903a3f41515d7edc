//! One operation of a socket, from `subscribe` to `complete`.

use std::{pin::pin, rc::Rc, sync::Arc};

use futures::{StreamExt, future::abortable};
use hive_router::{
    GraphQLError,
    ntex::{self, http::Response, util::Bytes},
    telemetry::logging::request_id::{RequestIdentifiers, WithRequestIdentifiers},
};
use http::header::CONTENT_TYPE;

use super::{Socket, message};

/// How an event begins in the stream of a response: each is one piece of the body, as are the end and signs of life.
const EVENT: &str = "event: next\ndata: ";

impl Socket {
    pub(super) fn subscribe(self: &Rc<Self>, id: String, operation: String) {
        if self.running.borrow().contains_key(&id) {
            return self.close(4409, &format!("Subscriber for {id:.80} already exists"));
        }
        let max = self.gateway.limits.operations_per_socket;
        if self.running.borrow().len() >= max {
            let text = format!("at most {max} operations may run on one connection");
            let error = GraphQLError::from_message_and_code(text, "TOO_MANY_OPERATIONS");
            return self.say(message::error(&id, error));
        }
        let (work, handle) = abortable(self.clone().run(id.clone(), operation));
        self.running.borrow_mut().insert(id, handle);
        ntex::rt::spawn(work);
    }

    async fn run(self: Rc<Self>, id: String, operation: String) {
        let headers = self.headers.borrow().clone().unwrap_or_default();
        let request: Arc<RequestIdentifiers> = self.gateway.identify(&headers);
        let work = async {
            let answer = self.gateway.answer(headers, self.address, operation).await;
            self.pass_on(&id, answer).await
        };
        let last = work.with_request_id(request).await;
        // Before it is said, so that the client may use the id again at once.
        self.running.borrow_mut().remove(&id);
        self.say(last);
    }

    /// Says what comes and gives what is to be said last.
    async fn pass_on(&self, id: &str, mut answer: Response) -> String {
        let media = answer.headers().get(CONTENT_TYPE).map(|media| media.as_bytes().to_vec());
        let is_stream = media.is_some_and(|media| media.starts_with(b"text/event-stream"));
        let mut body = pin!(answer.take_body());
        let mut whole = Vec::new();
        while let Some(Ok(piece)) = body.next().await {
            match is_stream {
                true => self.event(id, &piece).await,
                false => whole.extend_from_slice(&piece),
            }
        }
        let whole = String::from_utf8_lossy(&whole);
        match message::refusal(&whole) {
            Some(errors) => return message::errors(id, errors),
            None if !is_stream => self.say(message::next(id, &whole)),
            None => {}
        }
        message::complete(id)
    }

    /// Waits while the client does not read: the events behind this one are then dropped where they are kept.
    async fn event(&self, id: &str, piece: &Bytes) {
        let Ok(piece) = std::str::from_utf8(piece) else { return };
        let Some(event) = piece.strip_prefix(EVENT) else { return };
        self.say(message::next(id, event.trim_end()));
        while self.io.is_wr_backpressure() && !self.io.is_closed() {
            self.has_room.notified().await;
        }
    }
}
