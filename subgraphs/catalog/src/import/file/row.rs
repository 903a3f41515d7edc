//! What a record means: a variant of a product, and how it is offered.

use std::collections::HashMap;

use contract::{CurrencyCode, LocationId, Money};
use entity::catalog::Condition;
use entity::catalog::attribute::{self as definition, Kind};

use super::records::Record;
use super::{Code, Problem};
use crate::attribute::{self, Named, TEXT_LENGTH_MAX, Value};
use crate::image::NewImage;
use crate::import::{NewListing, NewVariant};
use crate::listing::Terms;
use crate::{gtin, handle};

/// Columns with a meaning of their own. Every other one is an attribute.
const COLUMNS: [&str; 16] = [
    "gtin",
    "handle",
    "title",
    "brand",
    "model",
    "description",
    "category",
    "size",
    "edition",
    "sku",
    "images",
    "condition",
    "price",
    "currency",
    "quantity",
    "location",
];
/// Other names for `gtin`.
const NUMBERS: [&str; 7] = ["isbn", "isbn13", "isbn_13", "isbn10", "isbn_10", "ean", "upc"];
/// Columns of one file.
const COLUMNS_MAX: usize = 120;

/// A row as it is understood.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    /// Which columns it has, for telling where a problem is.
    columns: Vec<(u32, String)>,
    /// 13 digits.
    pub(super) number: Option<String>,
    /// None: it is about a variant that the catalog has.
    pub(super) title: Option<String>,
    pub(super) listing: NewListing,
    /// None: it is not offered.
    pub(super) terms: Option<Terms>,
    attributes: Vec<(String, String)>,
}

/// What is wrong with the names of columns: which one, and why.
///
/// # Errors
/// A column is there twice or cannot be, or one is missing that is needed.
pub fn check_header(names: &[String]) -> Result<(), (Option<usize>, String)> {
    if names.len() > COLUMNS_MAX {
        return Err((None, format!("has more than {COLUMNS_MAX} columns")));
    }
    let named: Vec<&str> = names.iter().map(|name| meaning(name)).collect();
    for (index, name) in named.iter().enumerate() {
        if !is_column(name) {
            return Err((Some(index), format!("`{}` is no name of a column", shown(name))));
        }
        if named[..index].contains(name) {
            return Err((Some(index), format!("the column `{name}` is there twice")));
        }
    }
    let has = |name: &str| named.contains(&name);
    if !has("title") && !has("gtin") {
        return Err((None, "there must be a column `title` or `gtin`".into()));
    }
    for (one, other) in [("price", "currency"), ("quantity", "price"), ("condition", "price")] {
        if has(one) && !has(other) {
            return Err((None, format!("a column `{one}` needs a column `{other}`")));
        }
    }
    Ok(())
}

fn meaning(name: &str) -> &str {
    if NUMBERS.contains(&name) { "gtin" } else { name }
}

fn is_column(name: &str) -> bool {
    COLUMNS.contains(&name) || attribute::is_name(name)
}

/// A text that somebody else wrote, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Notes what is wrong with the fields of one record.
struct Fields<'r> {
    record: &'r Record,
    problems: Vec<Problem>,
}

impl Fields<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.record
            .cells
            .iter()
            .find(|(_, column, _)| meaning(column) == name)
            .map(|(_, _, text)| text.as_str())
    }

    fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(self.record.problem(name, message));
    }

    /// The field, as `read` understands it.
    fn read<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match read(self.text(name)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(name, message);
                None
            }
        }
    }
}

impl Record {
    fn problem(&self, name: &str, message: impl Into<String>) -> Problem {
        let column =
            self.cells.iter().find(|(_, column, _)| meaning(column) == name).map(|(column, ..)| *column);
        let problem = Problem::of_line(self.line, Code::InvalidValue, message);
        Problem { column, field: Some(name.into()), ..problem }
    }
}

impl Row {
    /// What `record` means.
    pub(super) fn read(record: &Record) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields { record, problems: vec![] };
        for (_, name, _) in record.cells.iter().filter(|(_, name, _)| !is_column(meaning(name))) {
            fields.wrong(name, "is no name of a column");
        }
        let number = fields.read("gtin", |text| gtin::read(text).map_err(|wrong| wrong.to_string()));
        let title = fields.text("title").map(str::to_owned);
        if title.is_none() && number.is_none() && fields.problems.is_empty() {
            fields.wrong("title", "is needed, or a gtin");
        }
        let terms = terms(&mut fields);
        let listing = listing(&fields, title.as_deref().unwrap_or_default(), number.as_deref());
        let attributes = record.cells.iter().filter(|(_, name, _)| !COLUMNS.contains(&meaning(name)));
        let attributes = attributes.map(|(_, name, text)| (name.clone(), text.clone())).collect();
        if !fields.problems.is_empty() {
            return Err(fields.problems);
        }
        let columns = record.cells.iter().map(|(column, name, _)| (*column, name.clone())).collect();
        Ok(Self { line: record.line, columns, number, title, listing, terms, attributes })
    }

    /// What makes two rows of a file the same: the variant, and the condition in which it is offered.
    pub(super) fn identity(&self) -> String {
        let variant = &self.listing.variants[0];
        let condition = self.terms.map(|terms| terms.condition);
        match &self.number {
            Some(number) => format!("{number} {condition:?}"),
            None => {
                format!("{} {:?} {:?} {condition:?}", self.listing.handle, variant.size, variant.edition)
            }
        }
    }

    /// Gives its attributes the kinds that are `defined`; one that nobody defined is a number if it looks like one.
    pub(super) fn type_attributes(
        &mut self,
        defined: &HashMap<String, definition::Model>,
    ) -> Result<(), Vec<Problem>> {
        let mut problems = vec![];
        for (name, text) in std::mem::take(&mut self.attributes) {
            match typed(&text, defined.get(&name).map(|definition| definition.kind)) {
                Ok(value) => self.listing.attributes.push(Named { name, value }),
                Err(message) => problems.push(self.problem(&name, Code::InvalidValue, message)),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    pub(super) fn attribute_names(&self) -> impl Iterator<Item = &String> {
        self.attributes.iter().map(|(name, _)| name)
    }

    /// Something wrong with its field `name`.
    pub(super) fn problem(&self, name: &str, code: Code, message: impl Into<String>) -> Problem {
        let column =
            self.columns.iter().find(|(_, column)| meaning(column) == name).map(|(column, _)| *column);
        Problem { column, field: Some(name.into()), ..Problem::of_line(self.line, code, message) }
    }

    /// The same as a check of the catalog says, at the field that it means.
    pub(super) fn refused(&self, problem: crate::input::Problem) -> Problem {
        let path: Vec<&str> = problem.field.iter().map(String::as_str).collect();
        let name = match path.as_slice() {
            ["attributes", index, _] => index
                .parse()
                .ok()
                .and_then(|index: usize| self.listing.attributes.get(index).map(|named| named.name.clone())),
            [.., "amountMinor"] => Some("price".into()),
            ["images", ..] => Some("images".into()),
            [.., last] => Some((*last).to_owned()),
            [] => None,
        };
        self.problem(&name.unwrap_or_default(), Code::InvalidValue, problem.message)
    }
}

fn listing(fields: &Fields<'_>, title: &str, number: Option<&str>) -> NewListing {
    let own = |name: &str| fields.text(name).map(str::to_owned);
    let handle = own("handle").unwrap_or_else(|| match number {
        Some(number) => numbered(title, number),
        None => handle::of(&format!("{title} {}", own("brand").unwrap_or_default()), "product"),
    });
    let steps = fields.text("category").unwrap_or_default().split('>').map(str::trim);
    let images = fields.text("images").unwrap_or_default().split_whitespace();
    NewListing {
        handle,
        title: title.into(),
        brand: own("brand"),
        model: own("model"),
        description: own("description").unwrap_or_default(),
        category: steps.filter(|step| !step.is_empty()).map(str::to_owned).collect(),
        attributes: vec![],
        images: images.map(|url| NewImage { url: url.into(), alt: String::new() }).collect(),
        variants: vec![NewVariant {
            size: own("size"),
            edition: own("edition"),
            sku: own("sku"),
            gtin: number.map(str::to_owned),
            offers: vec![],
        }],
    }
}

/// A handle of a title and the number that tells it from others of that title.
fn numbered(title: &str, number: &str) -> String {
    let mut stem = handle::of(title, "product");
    stem.truncate(handle::LENGTH_MAX - number.len() - 1);
    format!("{}-{number}", stem.trim_end_matches('-'))
}

fn terms(fields: &mut Fields<'_>) -> Option<Terms> {
    let currency = fields.read("currency", |text| {
        text.to_uppercase().parse::<CurrencyCode>().map_err(|_| "is no currency code of ISO 4217".into())
    });
    let condition = fields.read("condition", condition);
    let quantity =
        fields.read("quantity", |text| text.parse::<i64>().map_err(|_| "must be a whole number".into()));
    let location = fields.read("location", |text| {
        text.parse::<LocationId>().map_err(|_| "is no location id: it begins with loc_".to_owned())
    });
    let Some(currency) = currency else {
        if fields.text("price").is_some() && fields.text("currency").is_none() {
            fields.wrong("price", "needs a currency");
        }
        return None;
    };
    let price = fields.read("price", |text| price(text, currency))?;
    Some(Terms {
        condition: condition.unwrap_or(Condition::New),
        price,
        quantity: quantity.unwrap_or(0),
        location,
    })
}

fn condition(text: &str) -> Result<Condition, String> {
    match text.to_lowercase().replace([' ', '-'], "_").as_str() {
        "new" => Ok(Condition::New),
        "like_new" => Ok(Condition::LikeNew),
        "very_good" => Ok(Condition::VeryGood),
        "good" => Ok(Condition::Good),
        "acceptable" => Ok(Condition::Acceptable),
        _ => Err("must be new, like_new, very_good, good or acceptable".into()),
    }
}

/// Whole minor units of a price that people write: `12.5` EUR is 1250.
fn price(text: &str, currency: CurrencyCode) -> Result<Money, String> {
    let digits = currency.digits() as usize;
    let wrong = || format!("must be a number such as 12.50, with at most {digits} digits after the point");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > digits {
        return Err(wrong());
    }
    let amount_minor = format!("{whole}{fraction:0<digits$}").parse().map_err(|_| wrong())?;
    Ok(Money { amount_minor, currency })
}

fn typed(text: &str, kind: Option<Kind>) -> Result<Value, String> {
    let number = || text.parse().map(Value::Number);
    match kind {
        None => Ok(number().unwrap_or_else(|_| short(text))),
        Some(Kind::Text) => Ok(short(text)),
        Some(Kind::OneOf) => Ok(Value::OneOf(text.into())),
        Some(Kind::Number) => number().map_err(|wrong| wrong.to_string()),
        Some(Kind::Boolean) => match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Value::Boolean(true)),
            "false" | "no" | "0" => Ok(Value::Boolean(false)),
            _ => Err("must be true or false".into()),
        },
    }
}

/// A long list of authors says enough with its beginning.
fn short(text: &str) -> Value {
    Value::Text(text.chars().take(TEXT_LENGTH_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_to_the_last_digit() {
        for (text, currency, minor) in [
            ("12.50", "EUR", Some(1250)),
            ("12.5", "EUR", Some(1250)),
            ("12", "EUR", Some(1200)),
            ("0.01", "EUR", Some(1)),
            ("1250", "JPY", Some(1250)),
            ("1.234", "KWD", Some(1234)),
            ("12.505", "EUR", None),
            ("12,50", "EUR", None),
            ("1,250.00", "EUR", None),
            ("12.5", "JPY", None),
            ("-1", "EUR", None),
            ("1e3", "EUR", None),
            (".5", "EUR", None),
            ("99999999999999999999", "EUR", None),
        ] {
            let read = price(text, currency.parse().unwrap()).ok().map(|money| money.amount_minor);
            assert_eq!(read, minor, "{text} {currency}");
        }
    }

    #[test]
    fn a_long_title_has_a_handle_too() {
        for title in ["a".repeat(300), "ab ".repeat(100), String::new()] {
            assert!(handle::is_handle(&numbered(&title, "9780439023481")), "{title}");
        }
    }

    #[test]
    fn a_header_says_what_a_file_is_about() {
        let check = |header: &str| {
            let names: Vec<String> = header.split(',').map(str::to_owned).collect();
            check_header(&names).map_err(|(column, message)| format!("{column:?} {message}"))
        };
        for fine in
            ["isbn13,title,authors,year", "gtin,price,currency,quantity,condition", "title,shoe_width"]
        {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for (header, why) in [
            ("name,price", "None there must be a column `title` or `gtin`"),
            ("title,title", "Some(1) the column `title` is there twice"),
            ("isbn13,gtin", "Some(1) the column `gtin` is there twice"),
            ("title,prix (€)", "Some(1) `prix (€)` is no name of a column"),
            ("title,", "Some(1) `` is no name of a column"),
            ("title,price", "None a column `price` needs a column `currency`"),
            ("title,quantity", "None a column `quantity` needs a column `price`"),
        ] {
            assert_eq!(check(header), Err(why.into()), "{header}");
        }
    }
}
