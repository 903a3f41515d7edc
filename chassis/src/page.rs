//! Pages of lists that can grow: `first` at most 100, opaque keyset cursors.

use async_graphql::OutputType;
use async_graphql::connection::{Connection, CursorType, Edge};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Serialize, de::DeserializeOwned};

use crate::Denied;

/// Items on a page when the client does not say.
pub const FIRST_DEFAULT: u64 = 20;
/// Items on a page at most.
pub const FIRST_MAX: u64 = 100;

/// The character that no text column holds, as JSON escapes it.
const NUL: &[u8] = br"\u0000";

/// The place after which a page begins: the sort key of the item before it. Opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<K>(pub K);

impl<K: Serialize + DeserializeOwned + Send + Sync> CursorType for Cursor<K> {
    type Error = Denied;

    fn decode_cursor(text: &str) -> Result<Self, Denied> {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            // A key never holds the control characters that JSON escapes: NUL would break PostgreSQL's text.
            .filter(|json| !json.windows(NUL.len()).any(|some| some == NUL))
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Self)
            .ok_or_else(|| Denied::bad_input("after", "is not a cursor of this list"))
    }

    fn encode_cursor(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self.0).expect("sort keys are plain data"))
    }
}

/// Which page a client asked for.
#[derive(Clone, Debug)]
pub struct Page<K> {
    /// 1 to [`FIRST_MAX`].
    pub first: u64,
    pub after: Option<K>,
}

impl<K: Serialize + DeserializeOwned + Send + Sync> Page<K> {
    /// Reads the arguments `first` and `after` of a connection.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when `first` is not 1 to 100, or `after` is no cursor of this list.
    pub fn read(first: Option<i32>, after: Option<&str>) -> Result<Self, Denied> {
        let first = first.map_or(Ok(FIRST_DEFAULT), u64::try_from).unwrap_or(0);
        if !(1..=FIRST_MAX).contains(&first) {
            return Err(Denied::bad_input("first", format!("must be 1 to {FIRST_MAX}")));
        }
        let after = after.map(Cursor::decode_cursor).transpose()?.map(|Cursor(key)| key);
        Ok(Self { first, after })
    }

    /// How many rows to read: one more than the page shows whether there is a next one.
    pub fn rows(&self) -> u64 {
        self.first + 1
    }

    /// The connection of the [`rows`](Self::rows) that were read, in order.
    pub fn connection<R, N>(
        &self,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> K,
        node: impl Fn(R) -> N,
    ) -> Connection<Cursor<K>, N>
    where
        N: OutputType,
    {
        let has_next = rows.len() as u64 > self.first;
        rows.truncate(self.first as usize);
        let mut connection = Connection::new(self.after.is_some(), has_next);
        connection.edges.extend(rows.into_iter().map(|row| Edge::new(Cursor(key(&row)), node(row))));
        connection
    }
}
