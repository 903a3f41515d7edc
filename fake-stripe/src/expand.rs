//! `expand[]`: ids replaced by what they name.

use serde_json::Value;

use crate::charge;
use crate::error::{Answer, StripeError};
use crate::world::World;

/// How many paths may be expanded, and how deep.
const PATHS_MAX: usize = 20;
const DEPTH_MAX: usize = 4;

/// Expands each path of an answer.
pub fn expand(world: &World, shown: &mut Value, paths: &[String]) -> Answer<()> {
    if paths.len() > PATHS_MAX {
        let message = format!("You can expand at most {PATHS_MAX} properties.");
        return Err(StripeError::parameter("expand", "parameter_invalid", message));
    }
    for path in paths {
        let names: Vec<&str> = path.split('.').collect();
        let depth = names.iter().filter(|name| **name != "data").count();
        if depth > DEPTH_MAX {
            let message = format!("You cannot expand more than {DEPTH_MAX} levels of a property: {path}.");
            return Err(StripeError::parameter("expand", "parameter_invalid", message));
        }
        walk(world, shown, &names, path)?;
    }
    Ok(())
}

fn walk(world: &World, value: &mut Value, names: &[&str], path: &str) -> Answer<()> {
    if let Some(object) = value.as_str().and_then(|id| world.show(id)) {
        *value = object;
    }
    if let Value::Array(items) = value {
        return items.iter_mut().try_for_each(|item| walk(world, item, names, path));
    }
    let Some((name, rest)) = names.split_first() else {
        return if value.is_object() || value.is_null() { Ok(()) } else { Err(refused(path)) };
    };
    if value.is_null() {
        return Ok(());
    }
    include(world, value, name);
    match value.get_mut(*name) {
        Some(below) => walk(world, below, rest, path),
        None => Err(refused(path)),
    }
}

/// A charge has its refunds only when it is asked for them.
fn include(world: &World, value: &mut Value, name: &str) {
    if value["object"] == "charge" && name == "refunds" {
        let id = value["id"].as_str().unwrap_or_default();
        value["refunds"] = charge::refunds(world, id);
    }
}

fn refused(path: &str) -> StripeError {
    let message = format!("This property cannot be expanded ({path}).");
    StripeError::parameter("expand", "parameter_invalid", message)
}
