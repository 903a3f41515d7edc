use super::*;

const BODY: &[u8] = br#"{"lines":[]}"#;
/// `printf '1800000000.{"lines":[]}' | openssl dgst -sha256 -hmac souk_secret`, and the same with another secret.
const RIGHT: &str = "v1=39613ae6ee1016ce0ecc3ca5f79d6886c28609e0b5110d606bfa96c55389c464";
const OTHERS: &str = "v1=d5a667873a9d70d53c3084fef08d63e11330b2e9177079b92d44926e6ccb5666";
const OF_NOTHING: &str = "v1=cb0a69bc31d564cfeee3bd512b6419b4e2067ea77e989ce3be6bdaa4997c2acf";

fn secrets(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn signatures_are_those_that_openssl_makes() {
    assert_eq!(header(&secrets(&["souk_secret"]), 1_800_000_000, BODY), RIGHT);
    assert_eq!(header(&secrets(&["souk_secret"]), 1_800_000_000, b""), OF_NOTHING);
    let both = header(&secrets(&["souk_secret", "souk_other"]), 1_800_000_000, BODY);
    assert_eq!(both, format!("{RIGHT},{OTHERS}"));
}

#[test]
fn one_right_signature_with_one_valid_secret_is_enough() {
    let (one, two) = (secrets(&["souk_secret"]), secrets(&["souk_new", "souk_secret"]));
    let upper = RIGHT.to_uppercase().replace("V1=", "v1=");
    for good in [RIGHT.to_owned(), format!("{OTHERS}, {RIGHT}"), format!("v2=x,{RIGHT}"), upper] {
        assert!(is_right(&one, 1_800_000_000, BODY, &good), "{good}");
        assert!(is_right(&two, 1_800_000_000, BODY, &good), "{good}");
    }
}

#[test]
fn what_is_not_signed_so_is_not_right() {
    let one = secrets(&["souk_secret"]);
    let bare = RIGHT.trim_start_matches("v1=").to_owned();
    let cut = RIGHT[..RIGHT.len() - 2].to_owned();
    let strange = format!("v1={}", "é".repeat(32));
    let hidden = format!("{}{RIGHT}", format!("{OTHERS},").repeat(4));
    for bad in
        [OTHERS.to_owned(), OF_NOTHING.to_owned(), String::new(), "v1=".into(), bare, cut, strange, hidden]
    {
        assert!(!is_right(&one, 1_800_000_000, BODY, &bad), "{bad}");
    }
    assert!(!is_right(&one, 1_800_000_001, BODY, RIGHT), "another time");
    assert!(!is_right(&one, 1_800_000_000, b"{\"lines\":[] }", RIGHT), "another body");
    assert!(!is_right(&[], 1_800_000_000, BODY, RIGHT), "no secret");
}
