use super::*;

#[test]
fn known_methods_are_capitalised_and_others_are_kept() {
    for (given, sent) in [
        ("get", "GET"),
        ("Post", "POST"),
        ("put", "PUT"),
        ("delete", "DELETE"),
        ("head", "HEAD"),
        ("patch", "patch"),
        ("PATCH", "PATCH"),
        ("Brew", "Brew"),
    ] {
        assert_eq!(Request::new(given, "http://a/").method().as_str(), sent);
    }
    for bad in ["", "A B", "A\r\nB", "ä", "connect"] {
        let error = Request::new(bad, "http://a/").check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{bad:?}");
    }
}

#[test]
fn what_is_wrong_is_kept_until_the_load() {
    let request = Request::get("http://user:pw@").header("a b", "c");
    let error = request.check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUrl);
    assert!(!error.to_string().contains("pw"));
    let error = Request::get("http://a/").body("x").check().unwrap_err();
    assert_eq!(error.code(), -1103);
}

#[test]
fn secrets_of_the_url_are_not_printed() {
    let request = Request::get("http://ann:s3cret@shop.test/a?token=s3cret")
        .header("Authorization", "Bearer s3cret");
    assert_eq!(request.url().unwrap().username(), "");
    assert!(!format!("{request:?}").contains("s3cret"), "{request:?}");
}
