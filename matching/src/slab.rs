//! Values at fixed indexes; freed places are used again, the last one first.

use std::ops::{Index, IndexMut};

/// No index.
pub(crate) const NIL: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    values: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.take_free() {
            self.values[index as usize] = value;
            return index;
        }
        self.push(value)
    }

    /// The place that is used next, when one is free. What was there last is still there.
    #[inline]
    pub fn take_free(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// A new place.
    #[inline]
    pub fn push(&mut self, value: T) -> u32 {
        let index = self.values.len() as u32;
        push(&mut self.values, value);
        index
    }

    #[inline]
    pub fn free(&mut self, index: u32) {
        self.free.push(index);
    }

    #[inline]
    pub fn get(&self, index: u32) -> Option<&T> {
        self.values.get(index as usize)
    }

    /// Places, free ones included.
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether `max` indexes are in use.
    #[inline]
    pub fn is_full(&self, max: u32) -> bool {
        self.values.len() >= max as usize && self.free.is_empty()
    }

    /// Every place, free ones included.
    pub fn places(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.values)
    }

    pub fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}

/// Grows by a quarter: what is kept for ever should not be half empty.
#[inline]
pub(crate) fn push<T>(values: &mut Vec<T>, value: T) {
    if values.len() == values.capacity() {
        make_room(values);
    }
    values.push(value);
}

#[cold]
fn make_room<T>(values: &mut Vec<T>) {
    values.reserve_exact(values.len() / 4 + 4);
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.values[index as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.values[index as usize]
    }
}
