//! GraphQL over WebSocket, in the protocol `graphql-transport-ws`.
//!
//! The router has a server for it as well, but that one tells little of what is wrong, takes no part in the limits, and
//! lets a message that is too large end in a reset. Here an operation goes the way of one over HTTP ([`Gateway`]).

mod codec;
mod gateway;
mod message;
mod operation;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures::future::AbortHandle;
use hive_router::GraphQLError;
use hive_router::ntex::{
    self, SharedCfg,
    http::{HeaderMap, body::BodySize, h1},
    io::{Control, DispatchItem, Dispatcher, IoConfig, IoRef, Reason},
    service::fn_service,
    time::Seconds,
    web::{HttpRequest, HttpResponse, types::State},
    ws::{self, CloseCode, CloseReason, Frame, Item, Message},
};
use http::{StatusCode, header::SEC_WEBSOCKET_PROTOCOL};
use tokio::{sync::Notify, time::Instant};

pub(crate) use self::gateway::Gateway;
use self::{
    codec::{Bounded, Incoming},
    message::Heard,
};
use crate::{errors, pages::ClientAddress};

const PROTOCOL: &str = "graphql-transport-ws";

/// For the first message.
const INIT: Duration = Duration::from_secs(10);
/// Between two pings.
const PING: Duration = Duration::from_secs(15);
/// Without a word the other end is taken for dead.
const SILENCE: Duration = Duration::from_secs(40);
/// For the other end to read why it is sent away and to close.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    static CONFIG: SharedCfg =
        SharedCfg::new("websocket").add(IoConfig::new().set_keepalive_timeout(Seconds::ZERO)).into();
}

/// Opens a socket. What is refused before is an answer over HTTP.
pub(crate) async fn accept(request: HttpRequest, gateway: State<Arc<Gateway>>) -> HttpResponse {
    open(&request, gateway.get_ref()).unwrap_or_else(|| {
        let error = GraphQLError::from_message_and_code("this is no WebSocket handshake", "BAD_HANDSHAKE");
        errors::response(StatusCode::BAD_REQUEST, vec![error])
    })
}

fn open(request: &HttpRequest, gateway: &Arc<Gateway>) -> Option<HttpResponse> {
    let mut answer = ws::handshake(request.head()).ok()?;
    let speaks = ntex::web::ws::subprotocols(request).any(|protocol| protocol == PROTOCOL);
    if speaks {
        answer.set_header(SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    }
    let (io, http) = request.head().take_io()?;
    io.encode(h1::Message::Item((answer.finish().into_parts().0, BodySize::Empty)), &http).ok()?;
    io.set_config(CONFIG.with(Clone::clone));
    // The time for reading a request does not run any more.
    io.stop_timer();
    let codec = Bounded::new(gateway.limits.message_bytes);
    let socket = Rc::new(Socket::new(request, gateway.clone(), io.get_ref(), codec.clone()));
    ntex::rt::spawn(socket.clone().watch(speaks));
    ntex::rt::spawn(async move {
        let hearing = socket.clone();
        let service = fn_service(move |item| {
            let socket = hearing.clone();
            async move { Ok::<_, ()>(socket.hear(item)) }
        });
        // How it ended is the client's business.
        let _ = Dispatcher::new(io, codec, service).await;
        socket.end();
    });
    Some(HttpResponse::new(StatusCode::OK))
}

/// One open socket, on one thread.
struct Socket {
    gateway: Arc<Gateway>,
    io: IoRef,
    codec: Bounded,
    /// Holds what is counted as long as the socket is open.
    _request: HttpRequest,
    address: Option<ClientAddress>,
    /// Of `connection_init`. `None`: it has not come.
    headers: RefCell<Option<HeaderMap>>,
    running: RefCell<HashMap<String, AbortHandle>>,
    /// The beginning of a message that comes in pieces.
    partial: RefCell<Option<Vec<u8>>>,
    heard: Cell<Instant>,
    is_closing: Cell<bool>,
    /// The client reads again.
    has_room: Notify,
    ended: Notify,
}

impl Socket {
    fn new(request: &HttpRequest, gateway: Arc<Gateway>, io: IoRef, codec: Bounded) -> Self {
        let address = request.extensions().get::<ClientAddress>().copied();
        Socket {
            gateway,
            io,
            codec,
            _request: request.clone(),
            address,
            headers: RefCell::default(),
            running: RefCell::default(),
            partial: RefCell::default(),
            heard: Cell::new(Instant::now()),
            is_closing: Cell::new(false),
            has_room: Notify::new(),
            ended: Notify::new(),
        }
    }

    /// What happens without the client: it is late, it is silent, the router stops.
    async fn watch(self: Rc<Self>, speaks: bool) {
        let watch = async {
            if !speaks {
                return self.close(4406, "Subprotocol not acceptable");
            }
            tokio::time::sleep(INIT).await;
            if self.headers.borrow().is_none() {
                return self.close(4408, "Connection initialisation timeout");
            }
            while self.heard.get().elapsed() < SILENCE {
                self.send(Message::Ping(ntex::util::Bytes::new()));
                tokio::time::sleep(PING).await;
            }
            self.io.close();
        };
        tokio::select! {
            () = watch => {}
            () = self.gateway.closing.cancelled() => self.close(1001, "the server stops"),
            () = self.ended.notified() => {}
        }
    }

    fn hear(self: &Rc<Self>, item: DispatchItem<Bounded>) -> Option<Message> {
        self.heard.set(Instant::now());
        match item {
            DispatchItem::Item(Incoming::Frame(frame)) => self.frame(frame),
            DispatchItem::Item(Incoming::TooLarge) => self.too_large(),
            DispatchItem::Control(Control::WBackPressureDisabled) => self.has_room.notify_waiters(),
            DispatchItem::Stop(Reason::Decoder(_)) => self.close(1002, "that is no WebSocket frame"),
            DispatchItem::Control(_) | DispatchItem::Stop(_) => {}
        }
        None
    }

    fn frame(self: &Rc<Self>, frame: Frame) {
        match frame {
            Frame::Close(reason) => {
                if !self.is_closing.get() {
                    self.send(Message::Close(reason));
                }
                self.io.close();
            }
            _ if self.is_closing.get() => {}
            Frame::Text(text) => self.text(&text),
            Frame::Continuation(Item::FirstText(text)) => *self.partial.borrow_mut() = Some(text.to_vec()),
            Frame::Continuation(Item::Continue(piece)) => self.append(&piece),
            Frame::Continuation(Item::Last(piece)) => {
                self.append(&piece);
                if let Some(whole) = self.partial.take() {
                    self.text(&whole);
                }
            }
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => {
                self.close(1003, "messages are text");
            }
            Frame::Ping(data) => self.send(Message::Pong(data)),
            Frame::Pong(_) => {}
        }
    }

    /// Nothing is left of a message that becomes too large.
    fn append(&self, piece: &[u8]) {
        let text = [self.partial.take().unwrap_or_default().as_slice(), piece].concat();
        if text.len() > self.gateway.limits.message_bytes {
            return self.too_large();
        }
        *self.partial.borrow_mut() = Some(text);
    }

    fn text(self: &Rc<Self>, text: &[u8]) {
        let Ok(text) = std::str::from_utf8(text) else {
            return self.close(1007, "text messages are UTF-8");
        };
        match message::read(text) {
            Some(Heard::Init(headers)) => self.init(headers),
            Some(Heard::Ping) => self.say(message::PONG.to_owned()),
            Some(Heard::Pong) => {}
            Some(_) if self.headers.borrow().is_none() => self.close(4401, "Unauthorized"),
            Some(Heard::Subscribe { id, operation }) => self.subscribe(id, operation),
            Some(Heard::Complete { id }) => {
                if let Some(running) = self.running.borrow_mut().remove(&id) {
                    running.abort();
                }
            }
            None => self.close(4400, "Invalid message received"),
        }
    }

    fn init(&self, headers: HeaderMap) {
        if self.headers.borrow().is_some() {
            return self.close(4429, "Too many initialisation requests");
        }
        match self.gateway.refuse(&headers) {
            // What is wrong fits: a reason has 123 bytes at most.
            Some(refusal) => self.close(4403, &format!("Forbidden: {:.100}", refusal.message)),
            None => {
                *self.headers.borrow_mut() = Some(headers);
                self.say(message::ACK.to_owned());
            }
        }
    }

    fn too_large(&self) {
        let max = self.gateway.limits.message_bytes;
        self.close(u16::from(CloseCode::Size), &format!("a message has at most {max} bytes"));
    }

    fn say(&self, text: String) {
        self.send(Message::Text(text.into()));
    }

    /// Nothing can be done about a message that cannot be sent: the socket ends.
    fn send(&self, message: Message) {
        if self.io.encode(message, &self.codec).is_err() {
            self.io.close();
        }
    }

    /// Says why, and lets the client close; if it does not, the connection ends soon.
    fn close(&self, code: u16, why: &str) {
        if self.is_closing.replace(true) {
            return;
        }
        self.stop_operations();
        let reason = CloseReason { code: CloseCode::from(code), description: Some(why.to_owned()) };
        self.send(Message::Close(Some(reason)));
        let io = self.io.clone();
        ntex::rt::spawn(async move {
            tokio::time::sleep(LINGER).await;
            io.close();
        });
    }

    fn stop_operations(&self) {
        self.running.borrow_mut().drain().for_each(|(_, running)| running.abort());
    }

    fn end(&self) {
        self.is_closing.set(true);
        self.stop_operations();
        // It may not wait yet.
        self.ended.notify_one();
    }
}
