//! Who a buyer is to the sellers: an e-mail address and where parcels go. Kept sealed.

use serde::{Deserialize, Serialize};

use crate::limits::{EMAIL_LENGTH_MAX, LINE_LENGTH_MAX, is_country, is_line_of_text};
use crate::rates::Destination;

/// An e-mail address and a place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub email: String,
    pub address: Address,
}

/// Where parcels go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub recipient: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub phone: Option<String>,
}

/// Personal data never reaches a log.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

/// A field that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// As in the input: `email`, or a field of the address.
    pub field: &'static str,
}

impl Invalid {
    pub fn is_email(self) -> bool {
        self.field == "email"
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.field {
            "email" => f.write_str("must be an e-mail address"),
            "country" => f.write_str("must be a country of ISO 3166-1, two capital letters"),
            _ => write!(f, "must be 1 to {LINE_LENGTH_MAX} characters, without control characters"),
        }
    }
}

impl Contact {
    /// Where its parcels go, as far as prices need to know.
    pub fn destination(&self) -> Destination {
        Destination { country: self.address.country.clone(), region: self.address.region.clone() }
    }

    /// The contact, if a parcel and a message can be sent to it.
    pub fn checked(self) -> Result<Self, Invalid> {
        let address = &self.address;
        let line = |text: &str| is_line_of_text(text, LINE_LENGTH_MAX);
        let optional = |text: &Option<String>| text.as_deref().is_none_or(line);
        let fields = [
            ("email", is_email(&self.email)),
            ("recipient", line(&address.recipient)),
            ("line1", line(&address.line1)),
            ("line2", optional(&address.line2)),
            ("city", line(&address.city)),
            ("region", optional(&address.region)),
            ("postalCode", optional(&address.postal_code)),
            ("country", is_country(&address.country)),
            ("phone", optional(&address.phone)),
        ];
        match fields.into_iter().find(|(_, fits)| !fits) {
            Some((field, _)) => Err(Invalid { field }),
            None => Ok(self),
        }
    }
}

/// Something before an `@` and a domain behind it: the rest shows when a message is sent.
fn is_email(text: &str) -> bool {
    let plain = is_line_of_text(text, EMAIL_LENGTH_MAX) && !text.contains(char::is_whitespace);
    plain
        && text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && domain.len() > 2)
}
