//! Stripe's parameters: forms with nested names (`metadata[order]=7`, `expand[]=charge`), read once by name, so that
//! whatever nobody read is unknown.

use indexmap::IndexMap;

use crate::error::{Answer, StripeError};

/// How deep names may nest.
const DEPTH_MAX: usize = 8;
/// The largest number of metadata keys, and the lengths of keys and values.
const METADATA_MAX: usize = 50;
const METADATA_KEY_MAX: usize = 40;
const METADATA_VALUE_MAX: usize = 500;

/// What stands under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(String),
    /// Lists are fields too: `a[]` counts from 0.
    Fields(IndexMap<String, Node>),
}

/// Parameters that have not been read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// What these are under, as in `payment_method_options[card]`; empty at the top.
    under: String,
    fields: IndexMap<String, Node>,
}

/// What to do with an object's metadata: set, or unset where the value is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataChange {
    Clear,
    Set(Vec<(String, Option<String>)>),
}

impl Params {
    /// Reads forms: the query and the body.
    pub fn parse(forms: &[&[u8]]) -> Answer<Self> {
        let mut top = IndexMap::new();
        for form in forms {
            for (name, value) in form_urlencoded::parse(form) {
                let path = path(&name);
                if path.len() > DEPTH_MAX {
                    return Err(StripeError::parameter(&name, "parameter_unknown", "Invalid parameters."));
                }
                put(&mut top, &path, value.into_owned()).ok_or_else(|| invalid(&name, "object", &name))?;
            }
        }
        Ok(Self { under: String::new(), fields: top })
    }

    /// A text; refused when it is empty, which would mean to unset it.
    pub fn text(&mut self, name: &str) -> Answer<Option<String>> {
        match self.unsettable_text(name)? {
            Some(text) if text.is_empty() => Err(self.empty(name)),
            text => Ok(text),
        }
    }

    /// A text; empty to unset it.
    pub fn unsettable_text(&mut self, name: &str) -> Answer<Option<String>> {
        match self.fields.shift_remove(name) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(Node::Fields(_)) => Err(invalid(&self.full(name), "string", "{...}")),
        }
    }

    pub fn required_text(&mut self, name: &str) -> Answer<String> {
        let text = self.text(name)?;
        text.ok_or_else(|| self.missing(name))
    }

    pub fn integer(&mut self, name: &str) -> Answer<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let refused = || invalid(&self.full(name), "integer", &text);
        text.parse().map(Some).map_err(|_| refused())
    }

    /// An integer that is at least 1.
    pub fn positive(&mut self, name: &str) -> Answer<Option<i64>> {
        let number = self.integer(name)?;
        if number.is_some_and(|number| number < 1) {
            let message = "This value must be greater than or equal to 1.";
            return Err(StripeError::parameter(&self.full(name), "parameter_invalid_integer", message));
        }
        Ok(number)
    }

    pub fn required_positive(&mut self, name: &str) -> Answer<i64> {
        let number = self.positive(name)?;
        number.ok_or_else(|| self.missing(name))
    }

    pub fn boolean(&mut self, name: &str) -> Answer<Option<bool>> {
        Ok(match self.text(name)?.as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(text) => return Err(invalid(&self.full(name), "boolean", text)),
        })
    }

    /// One of the words that are possible here.
    pub fn one_of(&mut self, name: &str, words: &[&'static str]) -> Answer<Option<&'static str>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = words.iter().find(|word| **word == text);
        let refused = || {
            let full = self.full(name);
            let message = format!("Invalid {full}: must be one of {}", words.join(", "));
            StripeError::parameter(&full, "parameter_invalid", message)
        };
        found.map(|word| Some(*word)).ok_or_else(refused)
    }

    /// The texts of a list: `types[]=a&types[]=b`.
    pub fn texts(&mut self, name: &str) -> Answer<Option<Vec<String>>> {
        let full = self.full(name);
        match self.fields.shift_remove(name) {
            None => Ok(None),
            Some(Node::Fields(items)) => {
                let text = |node| match node {
                    Node::Text(text) => Ok(text),
                    Node::Fields(_) => Err(invalid(&full, "string", "{...}")),
                };
                items.into_values().map(text).collect::<Answer<_>>().map(Some)
            }
            Some(Node::Text(_)) => Err(StripeError::parameter(&full, "parameter_invalid", "Invalid array")),
        }
    }

    /// The parameters below a name; call [`Params::finish`] on them too.
    pub fn nested(&mut self, name: &str) -> Answer<Option<Params>> {
        let under = self.full(name);
        match self.fields.shift_remove(name) {
            None => Ok(None),
            Some(Node::Fields(fields)) => Ok(Some(Params { under, fields })),
            Some(Node::Text(_)) => Err(StripeError::parameter(&under, "parameter_invalid", "Invalid object")),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether a name has fields below it rather than a text.
    pub fn is_nested(&self, name: &str) -> bool {
        matches!(self.fields.get(name), Some(Node::Fields(_)))
    }

    /// All that is left, as texts.
    pub fn into_texts(self) -> Answer<Vec<(String, String)>> {
        let Self { under, fields } = self;
        let text = |(name, node)| match node {
            Node::Text(text) => Ok((name, text)),
            Node::Fields(_) => Err(invalid(&format!("{under}[{name}]"), "string", "{...}")),
        };
        fields.into_iter().map(text).collect()
    }

    /// `metadata`, within Stripe's limits.
    pub fn metadata(&mut self) -> Answer<Option<MetadataChange>> {
        let refused = |message: String| StripeError::parameter("metadata", "parameter_invalid", message);
        let fields = match self.fields.shift_remove("metadata") {
            None => return Ok(None),
            Some(Node::Text(text)) if text.is_empty() => return Ok(Some(MetadataChange::Clear)),
            Some(Node::Text(_)) => return Err(refused("Invalid metadata: must be an object".into())),
            Some(Node::Fields(fields)) => fields,
        };
        if fields.len() > METADATA_MAX {
            return Err(refused(format!("Metadata can have up to {METADATA_MAX} keys.")));
        }
        let pair = |(key, node): (String, Node)| match node {
            Node::Fields(_) => Err(refused("Metadata values must be strings.".into())),
            Node::Text(value)
                if key.chars().count() > METADATA_KEY_MAX || value.chars().count() > METADATA_VALUE_MAX =>
            {
                Err(refused(format!(
                    "Metadata keys can have up to {METADATA_KEY_MAX} characters and values up to \
                     {METADATA_VALUE_MAX}: {key}"
                )))
            }
            Node::Text(value) => Ok((key, Some(value).filter(|value| !value.is_empty()))),
        };
        fields.into_iter().map(pair).collect::<Answer<_>>().map(MetadataChange::Set).map(Some)
    }

    /// Reads parameters that mean nothing here, so that they are not unknown.
    pub fn without_effect(&mut self, names: &[&str]) {
        names.iter().for_each(|name| _ = self.fields.shift_remove(*name));
    }

    /// Whatever was not read is unknown.
    pub fn finish(self) -> Answer<()> {
        let unknown: Vec<String> = self.fields.keys().map(|name| self.full(name)).collect();
        let Some(first) = unknown.first() else { return Ok(()) };
        let plural = if unknown.len() == 1 { "" } else { "s" };
        let message = format!("Received unknown parameter{plural}: {}", unknown.join(", "));
        Err(StripeError::parameter(first, "parameter_unknown", message))
    }

    fn full(&self, name: &str) -> String {
        if self.under.is_empty() { name.into() } else { format!("{}[{name}]", self.under) }
    }

    /// What to say when a parameter has to be there.
    pub fn missing(&self, name: &str) -> StripeError {
        let full = self.full(name);
        StripeError::parameter(&full, "parameter_missing", format!("Missing required param: {full}."))
    }

    fn empty(&self, name: &str) -> StripeError {
        let full = self.full(name);
        let message = format!(
            "You passed an empty string for '{full}'. We assume empty values are an attempt to unset a parameter; \
             however '{full}' cannot be unset. You should remove '{full}' from your request or supply a non-empty value."
        );
        StripeError::parameter(&full, "parameter_invalid_empty", message)
    }
}

fn invalid(param: &str, what: &str, text: &str) -> StripeError {
    let code = if what == "integer" { "parameter_invalid_integer" } else { "parameter_invalid" };
    StripeError::parameter(param, code, format!("Invalid {what}: {text}"))
}

/// `a[b][]` is `a`, `b` and an empty name.
fn path(name: &str) -> Vec<&str> {
    let (first, rest) = match name.split_once('[') {
        Some((first, rest)) if rest.ends_with(']') => (first, &rest[..rest.len() - 1]),
        _ => return vec![name],
    };
    std::iter::once(first).chain(rest.split("][")).collect()
}

/// `None`: a name is both a text and an object.
fn put(fields: &mut IndexMap<String, Node>, path: &[&str], value: String) -> Option<()> {
    let (name, rest) = path.split_first()?;
    let name = if name.is_empty() { fields.len().to_string() } else { (*name).to_owned() };
    if rest.is_empty() {
        fields.insert(name, Node::Text(value));
        return Some(());
    }
    match fields.entry(name).or_insert_with(|| Node::Fields(IndexMap::new())) {
        Node::Fields(below) => put(below, rest, value),
        Node::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(form: &str) -> Params {
        Params::parse(&[form.as_bytes()]).unwrap()
    }

    fn message(error: StripeError) -> String {
        error.show("req_1")["error"]["message"].as_str().unwrap().to_owned()
    }

    #[test]
    fn names_nest_as_stripe_writes_them() {
        let mut form =
            params("amount=5&expand[]=a&expand[]=b&created[gte]=7&card[a][b]=c+d&metadata[x%5By]=1");
        assert_eq!(form.integer("amount").unwrap(), Some(5));
        assert_eq!(form.texts("expand").unwrap().unwrap(), ["a", "b"]);
        assert_eq!(form.nested("created").unwrap().unwrap().integer("gte").unwrap(), Some(7));
        let mut card = form.nested("card").unwrap().unwrap();
        assert_eq!(card.nested("a").unwrap().unwrap().text("b").unwrap().as_deref(), Some("c d"));
        let set = MetadataChange::Set(vec![("x[y".into(), Some("1".into()))]);
        assert_eq!(form.metadata().unwrap(), Some(set));
        form.finish().unwrap();
    }

    #[test]
    fn the_order_of_parameters_does_not_matter() {
        assert_eq!(params("a=1&b[c]=2&b[d]=3"), params("b[d]=3&a=1&b[c]=2"));
        assert_ne!(params("a=1"), params("a=2"));
    }

    #[test]
    fn what_is_wrong_is_said_as_stripe_says_it() {
        for (form, told) in [
            ("amount=ten", "Invalid integer: ten"),
            ("amount=0", "This value must be greater than or equal to 1."),
            ("amount=99999999999999999999", "Invalid integer: 99999999999999999999"),
            ("amount[x]=1", "Invalid string: {...}"),
            ("", "Missing required param: amount."),
        ] {
            assert_eq!(message(params(form).required_positive("amount").unwrap_err()), told, "{form}");
        }
        assert_eq!(message(params("x=1").finish().unwrap_err()), "Received unknown parameter: x");
        assert_eq!(message(params("x=1&y[z]=2").finish().unwrap_err()), "Received unknown parameters: x, y");
        assert!(Params::parse(&[b"a=1&a[b]=2"]).is_err());
        assert!(Params::parse(&[b"a[b][c][d][e][f][g][h][i][j]=2"]).is_err());
    }

    #[test]
    fn an_empty_text_is_an_attempt_to_unset() {
        assert!(
            message(params("a=").text("a").unwrap_err()).starts_with("You passed an empty string for 'a'.")
        );
        assert_eq!(params("a=").unsettable_text("a").unwrap().as_deref(), Some(""));
        assert_eq!(params("metadata=").metadata().unwrap(), Some(MetadataChange::Clear));
    }
}
