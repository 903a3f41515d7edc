//! The words of a column, in memory: each has a number, in the order of the words.

use std::ops::Range;

use tantivy::columnar::StrColumn;

/// The words of a column, none twice.
#[derive(Debug, Default)]
pub(super) struct Words {
    text: String,
    /// Where each word ends.
    ends: Vec<usize>,
}

impl Words {
    /// None: no document has a word.
    pub(super) fn read(column: Option<&StrColumn>) -> tantivy::Result<Self> {
        let mut words = Self::default();
        let Some(column) = column else { return Ok(words) };
        let mut stream = column.dictionary().stream()?;
        while stream.advance() {
            words.push(&String::from_utf8_lossy(stream.key()));
        }
        words.text.shrink_to_fit();
        words.ends.shrink_to_fit();
        Ok(words)
    }

    fn push(&mut self, word: &str) {
        self.text.push_str(word);
        self.ends.push(self.text.len());
    }

    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The word with a number below `count`.
    pub(super) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }

    /// The number of a word; none: no document has it.
    pub(super) fn number(&self, word: &str) -> Option<u32> {
        let place = self.place(|other| other < word);
        (place < self.count() as u32 && self.get(place) == word).then_some(place)
    }

    /// The numbers of the words that begin with `prefix`.
    pub(super) fn beginning_with(&self, prefix: &str) -> Range<u32> {
        let start = self.place(|word| word < prefix);
        start..self.place(|word| word < prefix || word.starts_with(prefix))
    }

    /// The number of the first word that is not `before`.
    fn place(&self, before: impl Fn(&str) -> bool) -> u32 {
        let (mut low, mut high) = (0, self.count() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match before(self.get(middle)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(all: &[&str]) -> Words {
        let mut words = Words::default();
        all.iter().for_each(|word| words.push(word));
        words
    }

    #[test]
    fn a_word_has_the_number_of_its_place() {
        let words = words(&["", "air", "air max", "jordan", "überzug"]);
        for (number, word) in ["", "air", "air max", "jordan", "überzug"].into_iter().enumerate() {
            assert_eq!((words.get(number as u32), words.number(word)), (word, Some(number as u32)));
        }
        assert_eq!([words.number("ai"), words.number("k"), words.number("überzugs")], [None; 3]);
        assert_eq!(Words::default().number(""), None);
    }

    #[test]
    fn words_that_begin_alike_stand_together() {
        let words = words(&["", "air", "air max", "jordan", "überzug"]);
        assert_eq!(words.beginning_with("air"), 1..3);
        assert_eq!(words.beginning_with(""), 0..5);
        assert_eq!(words.beginning_with("b"), 3..3);
        assert_eq!(words.beginning_with("ü"), 4..5);
        assert_eq!(words.beginning_with("überzugs"), 5..5);
    }
}
