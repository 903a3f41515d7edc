//! Who may use whom. Change the table when the design changes, not to get past it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Our crates, and those of ours that each may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("matching", &[]),
    ("migration", &[]),
    ("fake-stripe", &[]),
    ("entity", &["contract"]),
    ("chassis", &["contract", "entity"]),
    ("accounts", &["contract", "chassis", "entity"]),
    ("bidding", &["chassis", "contract", "entity", "matching"]),
    ("catalog", &["contract", "chassis", "entity"]),
    ("inventory", &["contract", "chassis", "entity"]),
    ("orders", &["contract", "chassis", "entity"]),
    ("payments", &["contract", "chassis", "entity"]),
    ("router", &["contract", "chassis"]),
    (
        "souk",
        &[
            "contract",
            "chassis",
            "entity",
            "migration",
            "accounts",
            "bidding",
            "catalog",
            "inventory",
            "orders",
            "payments",
            "router",
            "fake-stripe",
        ],
    ),
    (
        "bench",
        &[
            "contract",
            "chassis",
            "entity",
            "souk",
            "accounts",
            "bidding",
            "matching",
            "migration",
            "catalog",
            "inventory",
            "orders",
            "payments",
        ],
    ),
    (
        "tests",
        &[
            "contract",
            "chassis",
            "entity",
            "migration",
            "accounts",
            "bidding",
            "matching",
            "catalog",
            "inventory",
            "orders",
            "payments",
            "router",
            "souk",
            "fake-stripe",
        ],
    ),
];

/// Crates of others that only some of ours may use.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("hive-router", &["router"]),
    ("graphql-composition", &["router"]),
    ("axum", &["chassis", "souk", "accounts", "inventory", "payments", "fake-stripe", "tests"]),
    ("sea-orm-migration", &["migration"]),
    ("tantivy", &["catalog"]),
];

/// What each crate of ours uses, tests of its own not counted.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    // `cargo` itself and not the crate that wraps it: that one asks for features of serde_json which the executable does
    // not have, so that every crate would be compiled a second time for the tests, and would read JSON as no user's does.
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--manifest-path=../Cargo.toml", "--no-deps", "--offline", "--format-version=1"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (name(package), used_by(package))).collect()
}

fn used_by(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    dependencies.filter(|dependency| dependency["kind"] != "dev").map(name).collect()
}

fn name(named: &Value) -> String {
    named["name"].as_str().unwrap().to_owned()
}

#[test]
fn our_crates_use_only_those_that_the_table_names() {
    let uses = uses();
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let ours: BTreeSet<&str> = uses.keys().map(String::as_str).collect();
    assert_eq!(ours, table.keys().copied().collect(), "every crate of the workspace is in the table");
    for (name, used) in &uses {
        for other in used.iter().filter(|other| ours.contains(other.as_str())) {
            assert!(table[name.as_str()].contains(&other.as_str()), "{name} must not use {other}");
        }
    }
}

#[test]
fn crates_of_others_stay_where_they_belong() {
    for (name, used) in uses() {
        for (foreign, only_in) in ONLY_IN {
            assert!(
                !used.contains(*foreign) || only_in.contains(&name.as_str()),
                "{name} must not use {foreign}"
            );
        }
    }
}

/// A subgraph sees the whole of `entity`; its tables are its own all the same.
#[test]
fn a_subgraph_uses_no_other_service_s_tables() {
    let subgraphs = ["accounts", "bidding", "catalog", "inventory", "orders", "payments"];
    for subgraph in subgraphs {
        for (path, text) in sources(&format!("../subgraphs/{subgraph}/src").into()) {
            for other in subgraphs.iter().filter(|other| **other != subgraph) {
                assert!(
                    !text.contains(&format!("entity::{other}")),
                    "{} uses a table of {other}",
                    path.display()
                );
            }
        }
    }
}

/// The text of every Rust file below a folder.
fn sources(folder: &std::path::PathBuf) -> Vec<(std::path::PathBuf, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![(path.clone(), std::fs::read_to_string(&path).unwrap())],
        })
        .collect()
}
