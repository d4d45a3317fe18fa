use std::collections::BTreeMap;
use std::error::Error as _;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};

use super::*;
use crate::error::{Error, ErrorKind};

#[derive(Debug)]
struct Order;

/// As serde derives it for a field `tea`, which is a number.
impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Order;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("struct Order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Order, A::Error> {
        match map.next_key::<String>()?.as_deref() {
            Some("tea") => map.next_value::<u32>().map(|_| Order),
            Some("own") => Err(A::Error::custom("the program's words: secret")),
            Some(name) => Err(A::Error::unknown_field(name, &["tea"])),
            None => Err(A::Error::missing_field("tea")),
        }
    }
}

fn said<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    words(&serde_json::from_str::<T>(text).unwrap_err())
}

#[test]
fn what_serde_says_is_shown_without_values() {
    for (said, expected) in [
        (said::<Order>("{}"), "missing field `tea` at line 1 column "),
        (
            said::<Order>(r#"{"tea":"secret"}"#),
            "invalid type: string, expected u32 at line 1 column ",
        ),
        (
            said::<Order>(r#"{"tea":7171717171}"#),
            "invalid value: integer, expected u32 at line 1 column ",
        ),
        (said::<Order>(r#"{"secret":1}"#), "unknown field, expected `tea` at line 1 column "),
        (said::<Order>(r#"{"own":1}"#), "at line 1 column "),
        (said::<Order>("{\n \"tea\": null}"), "invalid type: null, expected u32 at line 2 column "),
        (said::<u32>("[71]"), "invalid type: sequence, expected u32 at line 1 column "),
        (
            said::<String>("{\"secret\":1}"),
            "invalid type: map, expected a string at line 1 column ",
        ),
        (said::<u32>("true"), "invalid type: boolean, expected u32 at line 1 column "),
        (said::<u32>("7.17"), "invalid type: floating point, expected u32 at line 1 column "),
        (said::<(u8, u8)>("[1]"), "invalid length, expected a tuple of size 2 at line 1 column "),
        (
            said::<u32>("\"a, expected secret\""),
            "invalid type: string, expected u32 at line 1 column ",
        ),
        (said::<Order>("{\"tea\": secret}"), "expected value at line 1 column "),
        (said::<Order>("{\"tea\":"), "EOF while parsing a value at line 1 column "),
        (said::<Order>(""), "EOF while parsing a value at line 1 column "),
    ] {
        let column = said.strip_prefix(expected);
        assert!(column.is_some_and(|column| column.parse::<u32>().is_ok()), "{said} {expected}");
    }
}

#[test]
fn what_cannot_be_written_is_said_likewise() {
    let keys = BTreeMap::from([(vec!["secret"], 1)]);
    assert_eq!(words(&serde_json::to_vec(&keys).unwrap_err()), "key must be a string");
    assert_eq!(words(&serde_json::Error::custom("secret")), "");
}

#[test]
fn a_printed_error_has_no_values_and_its_source_has() {
    let error = serde_json::from_str::<u32>("\"secret\"").unwrap_err();
    let error = Error::new(ErrorKind::CannotParseJson, "the body is not JSON").by_json(error);
    for shown in [format!("{error:?}"), error.to_string()] {
        assert!(!shown.contains("secret") && shown.contains("JSON"), "{shown}");
    }
    let source = error.source().and_then(|source| source.downcast_ref::<serde_json::Error>());
    assert!(source.is_some_and(|source| source.to_string().contains("secret")));
}
