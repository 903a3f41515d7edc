//! A list that only grows, in pages: what is in it never moves, so growing takes the same time however long it is.

const PAGE: usize = 1_024;

#[derive(Clone, Debug)]
pub(crate) struct Pages<T> {
    /// All but the last are full.
    pages: Vec<Vec<T>>,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T> Pages<T> {
    pub fn len(&self) -> usize {
        let full = self.pages.len().saturating_sub(1) * PAGE;
        full + self.pages.last().map_or(0, Vec::len)
    }

    #[inline]
    pub fn get(&self, index: u32) -> &T {
        &self.pages[index as usize / PAGE][index as usize % PAGE]
    }

    #[inline]
    pub fn push(&mut self, value: T) {
        match self.pages.last_mut().filter(|page| page.len() < PAGE) {
            Some(page) => page.push(value),
            None => self.begin(value),
        }
    }

    #[cold]
    fn begin(&mut self, value: T) {
        // The first page grows as it must: most lists are short.
        let mut page = if self.pages.is_empty() { Vec::new() } else { Vec::with_capacity(PAGE) };
        page.push(value);
        self.pages.push(page);
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }

    pub fn bytes(&self) -> usize {
        let values: usize = self.pages.iter().map(|page| page.capacity() * size_of::<T>()).sum();
        values + self.pages.capacity() * size_of::<Vec<T>>()
    }
}

impl<T> FromIterator<T> for Pages<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut pages = Self::default();
        values.into_iter().for_each(|value| pages.push(value));
        pages
    }
}
