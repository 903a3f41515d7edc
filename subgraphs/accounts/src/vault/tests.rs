use std::sync::Arc;

use secrecy::SecretBox;

use super::*;

fn vault(byte: u8) -> Vault {
    Vault::new(&Arc::new(SecretBox::new(Box::new([byte; 32]))))
}

fn place(column: &'static str) -> Place {
    Place { table: "address", column, id: Uuid::nil() }
}

#[test]
fn a_sealed_value_opens_in_its_place_only() {
    let (key, _) = vault(1).new_data_key(UserId::new());
    let sealed = key.seal_text(place("city_sealed"), "Zürich");
    assert_eq!(key.open_text(place("city_sealed"), &sealed).unwrap(), "Zürich");
    assert!(key.open_text(place("line1_sealed"), &sealed).is_err());
    let other_row = Place { id: Uuid::max(), ..place("city_sealed") };
    assert!(key.open_text(other_row, &sealed).is_err());
}

#[test]
fn an_altered_or_cut_value_does_not_open() {
    let (key, _) = vault(1).new_data_key(UserId::new());
    let sealed = key.seal_text(place("city_sealed"), "Zürich");
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 1;
        assert!(key.open(place("city_sealed"), &altered).is_err(), "byte {index}");
        assert!(key.open(place("city_sealed"), &sealed[..index]).is_err(), "cut at {index}");
    }
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let (key, _) = vault(1).new_data_key(UserId::new());
    assert_ne!(key.seal_text(place("a"), "same"), key.seal_text(place("a"), "same"));
}

#[test]
fn a_data_key_opens_with_its_master_key_only() {
    let user = UserId::new();
    let (key, row) = vault(1).new_data_key(user);
    let sealed = key.seal_text(place("a"), "secret");
    let again = vault(1).data_key(&row).unwrap();
    assert_eq!(again.open_text(place("a"), &sealed).unwrap(), "secret");
    let failure = vault(2).data_key(&row).err().unwrap().to_string();
    assert_eq!(failure, "data_key.key_sealed does not open: it was sealed with another key");
}

#[test]
fn an_email_hash_depends_on_the_master_key() {
    let email: Email = "ada@example.org".parse().unwrap();
    assert_eq!(vault(1).email_hash(&email), vault(1).email_hash(&email));
    assert_ne!(vault(1).email_hash(&email), vault(2).email_hash(&email));
}
