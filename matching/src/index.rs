//! Where things lie, by the hashes of their ids.
//!
//! Eight bytes an entry, in a table with open addressing: a part of the hash, and the position of the thing, which knows its
//! own id. Nothing is taken out by itself: an index is built anew without what is gone.

use std::hint::black_box;

const FREE: u64 = u64::MAX;
const LEN_MIN: usize = 16;

#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// The upper half of an entry is the hash, the lower the position. A power of two of them, at least a half is free: most
    /// searches for keys find nothing, and that takes long in a dense table.
    entries: Vec<u64>,
    len: usize,
}

impl Index {
    /// An index of these, with room for twice as many more: what is built anew when it is full is not full again at once.
    pub fn of(things: impl ExactSizeIterator<Item = (u32, u32)>) -> Self {
        let mut index = Self::default();
        index.grow(things.len() * 6);
        things.for_each(|(hash, position)| index.insert(hash, position));
        index
    }

    /// The position of what has this hash and is it.
    #[inline]
    pub fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.entries.len().wrapping_sub(1);
        let mut at = hash as usize;
        loop {
            // Without any entries there is nothing to find.
            let entry = *self.entries.get(at & mask)?;
            if entry == FREE {
                return None;
            }
            if (entry >> 32) as u32 == hash && is(entry as u32) {
                return Some(entry as u32);
            }
            at += 1;
        }
    }

    /// Reads the entry at which a search for this hash begins.
    #[inline]
    pub fn look(&self, hash: u32) {
        let mask = self.entries.len().wrapping_sub(1);
        black_box(self.entries.get(hash as usize & mask).copied());
    }

    /// Whether the next [`insert`](Self::insert) has to make room.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len >= self.entries.len() / 2
    }

    pub fn insert(&mut self, hash: u32, position: u32) {
        if self.is_full() {
            self.grow(self.entries.len() * 2);
        }
        self.put(u64::from(hash) << 32 | u64::from(position));
        self.len += 1;
    }

    fn put(&mut self, entry: u64) {
        let mask = self.entries.len() - 1;
        let mut at = (entry >> 32) as usize & mask;
        while self.entries[at] != FREE {
            at = (at + 1) & mask;
        }
        self.entries[at] = entry;
    }

    fn grow(&mut self, len: usize) {
        let len = len.next_power_of_two().max(LEN_MIN);
        let before = std::mem::replace(&mut self.entries, vec![FREE; len]);
        before.into_iter().filter(|entry| *entry != FREE).for_each(|entry| self.put(entry));
    }

    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<u64>()
    }
}
