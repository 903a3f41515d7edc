//! The checked-in schemas are those of the code: a stale file is rewritten, and fails the test once.

use std::path::Path;

use serde_json::Value;
use souk::schema;

const FOLDER: &str = "../schema";

#[tokio::test(flavor = "multi_thread")]
async fn the_schemas_are_those_of_the_code() {
    let files = schema::files().await.unwrap();
    let stale = schema::stale(Path::new(FOLDER), &files);
    schema::write(Path::new(FOLDER), &files).unwrap();
    assert!(stale.is_empty(), "rewritten, look at the difference and commit it: {stale:?}");
}

/// A reader of the old version must understand the new one, or the version must rise.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_keeps_what_it_promised() {
    for (kind, version, now) in contract::event::schemas() {
        let Ok(text) = std::fs::read_to_string(Path::new(FOLDER).join(format!("events/{kind}.json"))) else {
            continue;
        };
        let promised: Value = serde_json::from_str(&text).unwrap();
        if promised["x-version"] == version {
            let broken = broken_promises(&promised["schema"], now.as_value());
            assert!(broken.is_empty(), "{kind} changed without a new version: {broken:?}");
        }
    }
}

#[test]
fn a_removed_or_retyped_field_is_a_broken_promise() {
    let promised =
        serde_json::json!({ "properties": { "a": { "type": "string" }, "b": { "type": "integer" } } });
    let kept = serde_json::json!({ "properties": { "a": { "type": "string" }, "b": { "type": "integer" }, "c": {} } });
    let retyped = serde_json::json!({ "properties": { "a": { "type": "integer" } } });
    assert!(broken_promises(&promised, &kept).is_empty());
    assert_eq!(broken_promises(&promised, &retyped), ["a", "b"]);
}

/// Fields that are gone or are something else now, in the payload and in what it is made of.
fn broken_promises(promised: &Value, now: &Value) -> Vec<String> {
    let fields = |schema: &Value| schema["properties"].as_object().cloned().unwrap_or_default();
    let shape = |field: &Value| {
        let mut field = field.clone();
        if let Some(field) = field.as_object_mut() {
            field.remove("description");
        }
        field
    };
    let new = fields(now);
    let differs = |(name, field): &(String, Value)| new.get(name).map(shape) != Some(shape(field));
    let mut broken: Vec<String> =
        fields(promised).into_iter().filter(differs).map(|(name, _)| name).collect();
    for (name, part) in promised["$defs"].as_object().into_iter().flatten() {
        let of_part = broken_promises(part, &now["$defs"][name]);
        broken.extend(of_part.into_iter().map(|field| format!("{name}.{field}")));
    }
    broken
}
