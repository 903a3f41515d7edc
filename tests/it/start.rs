//! What a start says when a database cannot be used, and what it leaves behind: nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chassis::{Clock, Tasks};
use souk::market::ALL;
use souk::{Market, Plan};

/// Why a market over these databases does not start.
async fn refused(url: impl Fn(&str) -> String) -> String {
    let plan = Plan {
        databases: ALL.map(|name| (name, url(name.as_str()))).to_vec(),
        master_key: Arc::new(secrecy::SecretBox::new(Box::new([7; 32]))),
        data_dir: None,
        reach: chassis::Reach::Public,
        payments: Default::default(),
        trades: Default::default(),
        markets: Default::default(),
        peers: None,
    };
    match Market::open(&plan, Clock::System, Tasks::new()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("souk-start-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_broken_database_file_is_named_and_nothing_is_made_beside_it() {
    for broken in ["accounts", "inventory"] {
        let folder = folder();
        let file = folder.join(format!("{broken}.db"));
        std::fs::write(&file, "this is no database, however long it goes on".repeat(100)).unwrap();
        let told = refused(|service| format!("sqlite://{}/{service}.db", folder.display())).await;
        assert!(told.contains(&format!("{broken} database")) && told.contains("not a database"), "{told}");
        assert_eq!(names(&folder), [format!("{broken}.db")]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[tokio::test]
async fn a_postgresql_that_does_not_answer_is_named_with_the_reason_and_without_the_password() {
    // Nobody listens on the first port.
    let told = refused(|_| "postgres://souk:secret@127.0.0.1:1/souk".to_owned()).await;
    assert!(told.contains("127.0.0.1:1") && told.contains("refused"), "{told}");
    assert!(!told.contains("secret") && !told.contains("timed out"), "{told}");
}
