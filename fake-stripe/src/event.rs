//! What happened, as Stripe tells it: in a list, and by webhooks.

use serde_json::{Map, Value, json};

use crate::API_VERSION;
use crate::call::Call;
use crate::error::Answer;
use crate::table::{Head, Resource};
use crate::world::{PLATFORM, World};

/// Which request something happened in.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub request_id: Option<String>,
    pub idempotency_key: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub head: Head,
    /// `payment_intent.succeeded`.
    pub kind: String,
    object: Value,
    previous: Option<Value>,
    caller: Caller,
}

impl Resource for Event {
    const OBJECT: &'static str = "event";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, world: &World) -> Value {
        let mut data = Map::new();
        data.insert("object".into(), self.object.clone());
        if let Some(previous) = &self.previous {
            data.insert("previous_attributes".into(), previous.clone());
        }
        let mut shown = json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "api_version": API_VERSION,
            "created": self.head.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": world.post.pending_of(&self.head.id),
            "request": { "id": self.caller.request_id, "idempotency_key": self.caller.idempotency_key },
            "type": self.kind,
        });
        if self.head.account != PLATFORM {
            shown["account"] = self.head.account.clone().into();
        }
        shown
    }
}

impl World {
    /// Says that something happened to an object.
    pub fn say<T: Resource>(&mut self, kind: &str, about: &T) {
        let object = about.show(self);
        self.say_event(kind, &about.head().account, object, None);
    }

    /// Says that an object changed, and what it was before.
    pub fn say_changed<T: Resource>(&mut self, kind: &str, before: &Value, about: &T) {
        let object = about.show(self);
        let previous = changes(before, &object);
        self.say_event(kind, &about.head().account, object, Some(previous));
    }

    fn say_event(&mut self, kind: &str, account: &str, object: Value, previous: Option<Value>) {
        let event = Event {
            head: self.head_of("evt", account),
            kind: kind.to_owned(),
            object,
            previous,
            caller: self.caller.clone(),
        };
        for endpoint in self.endpoints.rows().filter(|endpoint| endpoint.hears(kind, account)) {
            self.post.send(&event.head.id, &endpoint.head.id);
        }
        self.events.put(event);
    }
}

/// The fields that differ, as they were before.
fn changes(before: &Value, after: &Value) -> Value {
    let fields = before.as_object().into_iter().flatten();
    fields
        .filter(|(name, value)| after.get(name.as_str()) != Some(value))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.events.named(call)?.show(world))
}

/// `type` may end in `.*`.
pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let kinds = match call.params.text("type")? {
        Some(kind) => Some(vec![kind]),
        None => call.params.texts("types")?,
    };
    call.params.without_effect(&["delivery_success"]);
    world.events.list(world, call, |event| {
        kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| fits(kind, &event.kind)))
    })
}

/// Whether a kind of event is among those that a pattern names.
pub fn fits(pattern: &str, kind: &str) -> bool {
    pattern == "*"
        || pattern == kind
        || pattern.strip_suffix('*').is_some_and(|start| kind.starts_with(start))
}
