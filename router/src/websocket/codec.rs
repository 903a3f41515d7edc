//! Frames of a limited size. One that is larger is told, and then nothing more is read: it is only drained, since a
//! connection that is closed with data unread is reset, and the client would not learn why.

use std::{cell::Cell, rc::Rc};

use hive_router::ntex::{
    codec::{Decoder, Encoder},
    util::{BytePages, BytesMut},
    ws::{Codec, Frame, Message, error::ProtocolError},
};

#[derive(Clone)]
pub(super) struct Bounded {
    frames: Codec,
    /// Copies of one codec are of one connection.
    is_draining: Rc<Cell<bool>>,
}

#[derive(Debug)]
pub(super) enum Incoming {
    Frame(Frame),
    /// Said once, the last thing that is.
    TooLarge,
}

impl Bounded {
    pub(super) fn new(frame_bytes: usize) -> Self {
        Bounded { frames: Codec::new().max_size(frame_bytes), is_draining: Rc::default() }
    }
}

impl Decoder for Bounded {
    type Item = Incoming;
    type Error = ProtocolError;

    fn decode(&self, source: &mut BytesMut) -> Result<Option<Incoming>, ProtocolError> {
        if self.is_draining.get() {
            source.clear();
            return Ok(None);
        }
        match self.frames.decode(source) {
            Err(ProtocolError::Overflow) => {
                self.is_draining.set(true);
                source.clear();
                Ok(Some(Incoming::TooLarge))
            }
            decoded => Ok(decoded?.map(Incoming::Frame)),
        }
    }
}

impl Encoder for Bounded {
    type Item = Message;
    type Error = ProtocolError;

    fn encodev(&self, message: Message, target: &mut BytePages) -> Result<(), ProtocolError> {
        self.frames.encodev(message, target)
    }
}
