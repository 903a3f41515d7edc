//! How far apart two words are.

/// Edits between two words: a letter more, less, or another one, or two neighbours swapped.
pub(crate) fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // Three rows of the table are enough: the one being filled and the two before it.
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (vec![], (0..=other.len()).collect());
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (at, wanted) in other.iter().enumerate() {
            let replaced = last[at] + usize::from(letter != wanted);
            let mut least = replaced.min(last[at + 1] + 1).min(next[at] + 1);
            if row > 0 && at > 0 && *letter == other[at - 1] && one[row - 1] == *wanted {
                least = least.min(before[at - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[other.len()]
}

/// A word with every run of one letter written once.
pub(super) fn undoubled(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_as_people_make_them() {
        for (one, other, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("harry", "harry", 0),
            ("hary", "harry", 1),
            ("hary", "mary", 1),
            ("tolkein", "tolkien", 1),
            ("teh", "the", 1),
            ("grate", "great", 2),
            ("ca", "abc", 3),
            ("müller", "muller", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((edits(one, other), edits(other, one)), (count, count), "{one} {other}");
        }
    }
}
