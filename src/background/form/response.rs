//! The heads of answers.

use http::{StatusCode, Version};
use serde_json::Value;
use url::Url;

use super::{Fields, each_pair, number, pairs, put, text};
use crate::headers::Headers;
use crate::response::Response;

const VERSIONS: [(&str, Version); 3] =
    [("1.1", Version::HTTP_11), ("1.0", Version::HTTP_10), ("2", Version::HTTP_2)];

pub(in crate::background) fn write(response: &Response) -> Value {
    let mut fields = Fields::new();
    fields.insert("url".to_owned(), response.url().as_str().into());
    fields.insert("status".to_owned(), response.status().as_u16().into());
    let version = VERSIONS.iter().find(|(_, version)| *version == response.version());
    put(&mut fields, "version", version.map(|(name, _)| *name));
    fields.insert("headers".to_owned(), pairs(response.headers().iter()));
    put(&mut fields, "length", response.expected_content_length());
    fields.into()
}

pub(in crate::background) fn read(value: &Value) -> Option<Response> {
    let fields = value.as_object()?;
    let url = Url::parse(text(fields, "url")?).ok()?;
    let status = StatusCode::from_u16(u16::try_from(number(fields, "status")?).ok()?).ok()?;
    let version = text(fields, "version").unwrap_or("1.1");
    let version = VERSIONS.iter().find(|(name, _)| *name == version)?.1;
    let mut headers = Headers::new();
    for (name, value) in each_pair(fields.get("headers")) {
        headers.add(name, value).ok()?;
    }
    Some(Response::new(url, (status, version), headers, number(fields, "length"), None))
}
