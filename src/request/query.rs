//! Parameters in the query of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Request;

/// RFC 3986 §2.3: everything but the unreserved characters is escaped in a query, so a
/// value can never end its parameter.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Request {
    /// Appends `name=value` to the URL's query, both escaped.
    #[doc(alias = "queryItems")]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Some(url) = &mut self.url {
            let name = utf8_percent_encode(name, QUERY);
            let value = utf8_percent_encode(value, QUERY);
            let query = match url.query() {
                Some(before) if !before.is_empty() => format!("{before}&{name}={value}"),
                _ => format!("{name}={value}"),
            };
            url.set_query(Some(&query));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_parameter_cannot_break_out() {
        let request = Request::get("http://a/?x=1").query("k&", "a=b#c d+e").query("é", "");
        assert_eq!(request.url().unwrap().query(), Some("x=1&k%26=a%3Db%23c%20d%2Be&%C3%A9="));
    }
}
