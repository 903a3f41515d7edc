//! E-mail addresses, in one form, so that one person is one account.

/// The longest address that a mail server takes, in bytes.
const BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;

/// An e-mail address in lower case. Personal data: it has no `Display`, so that no log line can hold it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    #[error("must have at most 254 bytes")]
    TooLong,
    #[error("is not an e-mail address, such as name@example.org")]
    Malformed,
}

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

impl std::str::FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > BYTES_MAX {
            return Err(InvalidEmail::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Malformed)?;
        if !is_local_part(local) || !is_domain(domain) {
            return Err(InvalidEmail::Malformed);
        }
        Ok(Self(text.to_lowercase()))
    }
}

/// The part before the `@`: words of RFC 5321, or of any script (RFC 6531), joined by single dots.
fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= LOCAL_BYTES_MAX
        && local.split('.').all(|word| !word.is_empty() && word.chars().all(allowed))
}

/// Labels of letters, digits and inner hyphens. One label is enough: `localhost` is a domain.
fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case_without_space_around() {
        for (given, kept) in [
            ("Ada@Example.ORG", "ada@example.org"),
            ("  a.b+c@x-y.co.uk ", "a.b+c@x-y.co.uk"),
            ("JOSÉ@münchen.de", "josé@münchen.de"),
            ("admin@localhost", "admin@localhost"),
        ] {
            assert_eq!(given.parse::<Email>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.org",
            "a@b@c",
            "a..b@c.org",
            ".a@c.org",
            "a@-b.org",
            "a@b..org",
            "a\0@b.org",
            "a@b.org\n.evil",
            "a@b_c.org",
            &long_local,
        ] {
            assert_eq!(text.parse::<Email>().unwrap_err(), InvalidEmail::Malformed, "{text:?}");
        }
        let long = format!("a@{}.org", "b".repeat(251));
        assert_eq!(long.parse::<Email>().unwrap_err(), InvalidEmail::TooLong);
    }
}
