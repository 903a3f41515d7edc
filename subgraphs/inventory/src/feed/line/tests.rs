use super::*;

fn one(format: Format, body: &str) -> Written {
    let lines = read(format, body.as_bytes()).unwrap();
    assert_eq!(lines.len(), 1, "{body}");
    lines.into_iter().next().unwrap()
}

fn rules(matches_by: MatchesBy, orders_by: OrdersBy) -> Rules {
    Rules { matches_by, orders_by, sent_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap() }
}

#[test]
fn csv_and_json_say_the_same() {
    let csv = one(Format::Csv, "\u{feff}sku, quantity ,sequence\r\n 007 ,5,\r\n");
    let json = one(Format::Json, r#"{"lines":[{"sku":"007","quantity":5,"sequence":null}]}"#);
    assert_eq!(csv, json);
    assert_eq!(csv, Written { sku: Some("007".into()), quantity: Some("5".into()), ..Default::default() });
    assert_eq!(read(Format::Csv, b"sku,quantity\n").unwrap(), []);
    assert_eq!(read(Format::Json, br#"{"lines":[]}"#).unwrap(), []);
}

#[test]
fn half_a_file_is_no_file() {
    let csv = "sku,quantity\nA,12\nB,34\n";
    let json = r#"{"lines":[{"sku":"A","quantity":12},{"sku":"B","quantity":34}]}"#;
    for (format, whole) in [(Format::Csv, csv), (Format::Json, json)] {
        for end in 0..whole.len() {
            let half = read(format, &whole.as_bytes()[..end]);
            // A file that ends with a row is a whole file, as far as anybody can see.
            let ends_with_a_row = format == Format::Csv && end > 0 && whole.as_bytes()[end - 1] == b'\n';
            assert_eq!(half.is_ok(), ends_with_a_row, "{}", &whole[..end]);
        }
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    for (format, body, line) in [
        (Format::Csv, "sku;quantity\nA;1\n", Some(1)),
        (Format::Csv, "sku\nA\n", Some(1)),
        (Format::Csv, "sku,sku,quantity\nA,B,1\n", Some(1)),
        (Format::Csv, "sku,quantity\nA,1\nB\n", Some(3)),
        (Format::Json, "{\"lines\":[\n{\"skew\":\"A\"}]}", Some(2)),
        (Format::Json, "[]", Some(1)),
        (Format::Json, "", Some(1)),
    ] {
        match read(format, body.as_bytes()) {
            Err(Unreadable::Malformed { line: at, message, .. }) => assert_eq!(at, line, "{body}: {message}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    assert!(read(Format::Csv, b"sku,quantity\n\xff,1\n").is_err(), "not UTF-8");
    let deep = format!("{{\"lines\":[{{\"sku\":{}1{}}}]}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(read(Format::Json, deep.as_bytes()).is_err());
    let many = "sku,quantity\n".to_owned() + &"A,1\n".repeat(LINES_MAX + 1);
    assert_eq!(read(Format::Csv, many.as_bytes()), Err(Unreadable::TooManyLines));
}

#[test]
fn a_line_is_understood_or_at_fault_in_a_field() {
    let by_sku = rules(MatchesBy::Sku, OrdersBy::Sequence);
    let line = |json: &str| one(Format::Json, &format!("{{\"lines\":[{json}]}}"));
    let good = by_sku.understand(&line(r#"{"sku":" A 1 ","quantity":"12","sequence":7}"#)).unwrap();
    assert_eq!(good, Line { named: Named::Sku("A 1".into()), quantity: 12, position: 7 });
    for (json, field) in [
        (r#"{"quantity":1,"sequence":1}"#, "sku"),
        (r#"{"sku":" ","quantity":1,"sequence":1}"#, "sku"),
        (r#"{"sku":"a\u0000b","quantity":1,"sequence":1}"#, "sku"),
        (r#"{"sku":"A","sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":-1,"sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":1.5,"sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":1e3,"sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":1000001,"sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":99999999999999999999,"sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":true,"sequence":1}"#, "quantity"),
        (r#"{"sku":"A","quantity":1}"#, "sequence"),
        (r#"{"sku":"A","quantity":1,"sequence":-1}"#, "sequence"),
        (r#"{"sku":"A","quantity":1,"sequence":1,"observedAt":"2026-01-31T12:00:00Z"}"#, "sequence"),
    ] {
        assert_eq!(by_sku.understand(&line(json)).unwrap_err().field, field, "{json}");
    }
}

#[test]
fn a_line_without_a_time_is_as_old_as_its_batch_and_none_is_from_the_future() {
    let by_time = rules(MatchesBy::Gtin, OrdersBy::Time);
    let line = |observed: &str| {
        let cells = format!("gtin,quantity,observedAt\n978-0-43902-348-1,3,{observed}\n");
        by_time.understand(&one(Format::Csv, &cells))
    };
    let sent = line("").unwrap();
    assert_eq!((sent.named, sent.position), (Named::Gtin("9780439023481".into()), 1_800_000_000_000_000));
    assert_eq!(line("2027-01-15T09:00:00.25+01:00").unwrap().position, 1_800_000_000_250_000);
    assert_eq!(line("2027-01-15T08:05:01Z").unwrap_err().field, "observedAt");
    assert_eq!(line("yesterday").unwrap_err().field, "observedAt");
}

#[test]
fn a_gtin_is_read_as_people_write_it() {
    for (text, read) in [
        ("9780439023481", Some("9780439023481")),
        ("978 0439 023481", Some("9780439023481")),
        ("036000291452", Some("0036000291452")),
        ("12345", None),
        ("97804390234８1", None),
        ("abcdefghijklm", None),
    ] {
        assert_eq!(gtin(text).ok().as_deref(), read, "{text}");
    }
}
