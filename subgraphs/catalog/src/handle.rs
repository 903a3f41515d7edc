//! Handles: the name of a thing in a web address.

/// Characters of a handle at most.
pub(crate) const LENGTH_MAX: usize = 100;
/// What is wrong with a text that is no handle.
pub(crate) const RULE: &str = "must have 1 to 100 characters: a-z, 0-9 and single hyphens between them";

/// Whether `text` can be a handle.
pub(crate) fn is_handle(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=LENGTH_MAX).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// A handle made of what `text` has of a-z and 0-9; `fallback` when it has nothing of them.
pub(crate) fn of(text: &str, fallback: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut handle = words.collect::<Vec<_>>().join("-");
    handle.truncate(LENGTH_MAX - SUFFIX_LENGTH - 1);
    match handle.trim_end_matches('-') {
        "" => fallback.to_owned(),
        handle => handle.to_owned(),
    }
}

/// Characters that tell equal handles apart.
const SUFFIX_LENGTH: usize = 12;

/// `handle` with the end of `id`, for when somebody else has it already.
pub(crate) fn told_apart(handle: &str, id: uuid::Uuid) -> String {
    let id = id.simple().to_string();
    format!("{handle}-{}", &id[id.len() - SUFFIX_LENGTH..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_made_of_any_title() {
        for (title, handle) in [
            ("The Hunger Games (The Hunger Games, #1)", "the-hunger-games-the-hunger-games-1"),
            ("  --Émile & Co.  ", "mile-co"),
            ("百年孤独", "product"),
            ("", "product"),
        ] {
            assert_eq!(of(title, "product"), handle);
        }
        let long = of(&"a-".repeat(500), "product");
        assert!(is_handle(&long) && is_handle(&told_apart(&long, uuid::Uuid::nil())));
    }

    #[test]
    fn a_handle_is_plain() {
        for text in ["", "-a", "a-", "a--b", "A", "ä", "a b", "a/b", &"a".repeat(101)] {
            assert!(!is_handle(text), "{text}");
        }
        assert!(is_handle("air-max-90"));
    }
}
