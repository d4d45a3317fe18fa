use super::*;

#[test]
fn spelling_and_order_stay_while_lookup_ignores_case() {
    let mut headers = Headers::new();
    headers.add("X-Trace", "1").unwrap();
    headers.add("accept", "*/*").unwrap();
    headers.add("x-TRACE", "2").unwrap();
    assert_eq!(headers.get("x-trace"), Some("1"));
    assert_eq!(headers.get_all("X-TRACE").collect::<Vec<_>>(), ["1", "2"]);
    let mut wire = Vec::new();
    headers.write_to(&mut wire);
    assert_eq!(wire, b"X-Trace: 1\r\naccept: */*\r\nx-TRACE: 2\r\n");
    headers.set("X-trace", "3").unwrap();
    let all: Vec<_> = headers.iter().collect();
    assert_eq!(all, [("accept", "*/*"), ("X-trace", "3")]);
    assert!(headers.remove("ACCEPT") && !headers.contains("accept"));
}

#[test]
fn a_header_that_is_set_again_and_again_takes_no_more_memory() {
    let mut headers = Headers::new();
    headers.add("X-Name", "café").unwrap();
    for round in 0..10_000 {
        headers.set("Authorization", &format!("Bearer {round:08}")).unwrap();
    }
    assert_eq!(headers.get("authorization"), Some("Bearer 00009999"));
    assert_eq!(headers.get("x-name"), Some("café"));
    assert!(headers.text.len() < 100, "{} bytes", headers.text.len());
}

#[test]
fn nothing_can_be_smuggled_into_a_header() {
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a\r\n", "x"),
        ("ä", "x"),
        ("a\0", "x"),
        ("a", "x\r\ny: z"),
        ("a", "x\ny"),
        ("a", "x\ry"),
        ("a", "\0"),
        ("a", "\x7f"),
        ("a", "\x1b"),
    ] {
        let mut headers = Headers::new();
        let error = headers.add(name, value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name:?}: {value:?}");
        assert!(headers.set(name, value).is_err() && headers.is_empty());
    }
    assert!(Headers::new().add("a", "tab\tand ünïcode ok").is_ok());
}

#[test]
fn bytes_that_are_not_utf8_survive_there_and_back() {
    let mut headers = Headers::new();
    headers.push_bytes("X-Name", b"caf\xe9");
    headers.push_bytes("X-Utf8", "café".as_bytes());
    assert_eq!(headers.get("x-name"), Some("café"));
    assert_eq!(headers.get("x-utf8"), Some("café"));
    let mut wire = Vec::new();
    headers.write_to(&mut wire);
    assert_eq!(wire, b"X-Name: caf\xe9\r\nX-Utf8: caf\xc3\xa9\r\n");
    let map = http::HeaderMap::from(&headers);
    assert_eq!(map["x-name"].as_bytes(), b"caf\xe9");
    assert_eq!(Headers::from(&map), headers);
}

#[test]
fn debug_hides_all_values_that_are_not_known_to_be_harmless() {
    let mut headers = Headers::new();
    headers.add("Authorization", "Bearer s3cret").unwrap();
    headers.add("X-Api-Key", "s3cret").unwrap();
    headers.add("Content-Type", "text/plain").unwrap();
    let shown = format!("{headers:?}");
    assert!(!shown.contains("s3cret") && shown.contains("text/plain"), "{shown}");
}

#[test]
fn headers_are_a_list_to_collect_and_to_look_into() {
    let mut headers: Headers = [("Accept", "a"), ("X-Depth", "1")].into_iter().collect();
    headers.extend([("X-Depth", 2)]);
    assert_eq!(headers["x-depth"], *"1");
    assert_eq!(headers.joined("X-DEPTH").as_deref(), Some("1, 2"));
    assert_eq!(headers.joined("accept").as_deref(), Some("a"));
    assert_eq!(headers.joined("none"), None);
    let mut walked = Vec::new();
    for (name, value) in &headers {
        walked.push((name.to_owned(), value.to_owned()));
    }
    assert_eq!((headers.iter().len(), walked.len()), (3, 3));
    assert_eq!(Headers::from_iter(&walked), headers);
    assert_eq!(headers.into_iter().collect::<Vec<_>>(), walked);
}

#[test]
fn what_is_collected_and_is_no_field_is_reported_and_never_sent() {
    for (name, value) in [("a b", "x"), ("a", "x\r\ny: z"), ("", "")] {
        let mut headers = Headers::from_iter([("fine", "1"), (name, value)]);
        headers.set("fine", "2").unwrap();
        let mut other = Headers::new();
        other.append(&headers);
        for headers in [headers, other] {
            assert_eq!(headers.check().unwrap_err().kind(), ErrorKind::InvalidRequest, "{name:?}");
            let mut wire = Vec::new();
            headers.write_to(&mut wire);
            assert_eq!(wire, b"fine: 2\r\n", "{name:?}");
            assert_eq!(http::HeaderMap::from(&headers).len(), 1);
        }
    }
}

#[test]
#[should_panic(expected = "there is no header \"x\"")]
fn a_header_that_is_not_there_cannot_be_indexed() {
    let _ = &Headers::new()["x"];
}
