//! Objects of one kind, and Stripe's way to list them.

use indexmap::IndexMap;
use indexmap::map::Values;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::form::{MetadataChange, Params};
use crate::world::World;

/// The size of a page without `limit`, and the largest.
const PAGE_DEFAULT: i64 = 10;
const PAGE_MAX: i64 = 100;

/// What every object has.
#[derive(Clone, Debug)]
pub struct Head {
    pub id: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Whose it is: the platform's or a connected account's.
    pub account: String,
    pub metadata: Map<String, Value>,
}

impl Head {
    pub fn change_metadata(&mut self, change: Option<MetadataChange>) {
        match change {
            None => {}
            Some(MetadataChange::Clear) => self.metadata.clear(),
            Some(MetadataChange::Set(pairs)) => {
                for (key, value) in pairs {
                    match value {
                        Some(value) => _ = self.metadata.insert(key, value.into()),
                        None => _ = self.metadata.shift_remove(&key),
                    }
                }
            }
        }
    }
}

/// An object of Stripe's API.
pub trait Resource: Clone {
    /// As it says in `object`.
    const OBJECT: &'static str;

    fn head(&self) -> &Head;

    /// As clients see it.
    fn show(&self, world: &World) -> Value;
}

/// All objects of one kind, in the order in which they were made.
#[derive(Clone, Debug)]
pub struct Table<T>(IndexMap<String, T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(IndexMap::new())
    }
}

impl<T: Resource> Table<T> {
    pub fn put(&mut self, row: T) {
        self.0.insert(row.head().id.clone(), row);
    }

    /// Whoever's it is.
    pub fn any(&self, id: &str) -> Option<&T> {
        self.0.get(id)
    }

    pub fn any_mut(&mut self, id: &str) -> Option<&mut T> {
        self.0.get_mut(id)
    }

    pub fn remove(&mut self, id: &str) {
        self.0.shift_remove(id);
    }

    /// The account's own.
    pub fn of(&self, account: &str, id: &str) -> Option<&T> {
        self.any(id).filter(|row| row.head().account == account)
    }

    /// The object that a path names, as it is now.
    pub fn named(&self, call: &Call) -> Answer<T> {
        let id = call.id();
        self.of(&call.account, id).cloned().ok_or_else(|| StripeError::missing(T::OBJECT, id))
    }

    /// The object that a parameter names, as it is now.
    pub fn given(&self, account: &str, id: &str, param: &str) -> Answer<T> {
        self.of(account, id).cloned().ok_or_else(|| StripeError::absent(T::OBJECT, id, param))
    }

    pub fn rows(&self) -> Values<'_, String, T> {
        self.0.values()
    }

    /// A page of the account's objects that pass the filter, newest first.
    pub fn list(&self, world: &World, call: &mut Call, keep: impl Fn(&T) -> bool) -> Answer {
        let page = Page::read(&mut call.params)?;
        std::mem::take(&mut call.params).finish()?;
        let place = |id: &Option<String>, param: &str| match id {
            None => Ok(None),
            Some(id) => {
                self.given(&call.account, id, param)?;
                Ok(self.0.get_index_of(id))
            }
        };
        let after = place(&page.starting_after, "starting_after")?;
        let before = place(&page.ending_before, "ending_before")?;
        let fits = |(at, row): &(usize, &T)| {
            row.head().account == call.account
                && page.created.has(row.head().created)
                && after.is_none_or(|after| *at < after)
                && before.is_none_or(|before| *at > before)
                && keep(row)
        };
        let found = self.rows().enumerate().filter(fits);
        // Before a cursor means next to it: those are found from the oldest on.
        let mut shown: Vec<Value> = match before {
            Some(_) => found.take(page.limit + 1).map(|(_, row)| row.show(world)).collect(),
            None => found.rev().take(page.limit + 1).map(|(_, row)| row.show(world)).collect(),
        };
        let has_more = shown.len() > page.limit;
        shown.truncate(page.limit);
        if before.is_some() {
            shown.reverse();
        }
        Ok(json!({ "object": "list", "url": call.path, "has_more": has_more, "data": shown }))
    }
}

/// Which part of a list.
struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    created: Span,
}

impl Page {
    fn read(params: &mut Params) -> Answer<Self> {
        let limit = params.positive("limit")?.unwrap_or(PAGE_DEFAULT);
        if limit > PAGE_MAX {
            let message =
                format!("This value must be less than or equal to {PAGE_MAX} (it currently is '{limit}').");
            return Err(StripeError::parameter("limit", "parameter_invalid_integer", message));
        }
        let page = Self {
            limit: usize::try_from(limit).expect("a limit is between 1 and 100"),
            starting_after: params.text("starting_after")?,
            ending_before: params.text("ending_before")?,
            created: Span::read(params, "created")?,
        };
        if page.starting_after.is_some() && page.ending_before.is_some() {
            let message = "You may only specify one of these parameters: ending_before, starting_after.";
            return Err(StripeError::parameter("ending_before", "parameters_exclusive", message));
        }
        Ok(page)
    }
}

/// Times from (inclusive) to (inclusive), in seconds since 1970.
struct Span {
    from: i64,
    to: i64,
}

impl Span {
    fn read(params: &mut Params, name: &str) -> Answer<Self> {
        if !params.is_nested(name) {
            let exactly = params.integer(name)?;
            return Ok(Self { from: exactly.unwrap_or(i64::MIN), to: exactly.unwrap_or(i64::MAX) });
        }
        let mut bounds = params.nested(name)?.unwrap_or_default();
        let above = bounds.integer("gt")?.map(|second| second.saturating_add(1));
        let below = bounds.integer("lt")?.map(|second| second.saturating_sub(1));
        let (from, to) = (bounds.integer("gte")?, bounds.integer("lte")?);
        bounds.finish()?;
        Ok(Self { from: above.max(from).unwrap_or(i64::MIN), to: below.or(to).unwrap_or(i64::MAX) })
    }

    fn has(&self, second: i64) -> bool {
        (self.from..=self.to).contains(&second)
    }
}
