//! Parameters in the query of a URL.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Request;
use crate::pair::Pair;

/// RFC 3986 §2.3: everything but the unreserved characters is escaped in a query, so a
/// value can never end its parameter.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Request {
    /// Appends `name=value` to the URL's query, both escaped.
    #[doc(alias = "queryItems")]
    pub fn query(mut self, name: impl AsRef<str>, value: impl Display) -> Self {
        let value = value.to_string();
        let name = utf8_percent_encode(name.as_ref(), QUERY);
        let value = utf8_percent_encode(&value, QUERY);
        let appended = |before: Option<&str>| match before {
            Some(before) if !before.is_empty() => format!("{before}&{name}={value}"),
            _ => format!("{name}={value}"),
        };
        if let Some(url) = &mut self.url {
            let query = appended(url.query());
            url.set_query(Some(&query));
        } else if let Some(relative) = self.more.as_mut().and_then(|more| more.relative.as_mut()) {
            let (rest, fragment) = match relative.split_once('#') {
                Some((rest, fragment)) => (rest, format!("#{fragment}")),
                None => (&**relative, String::new()),
            };
            let (path, query) = match rest.split_once('?') {
                Some((path, query)) => (path, Some(query)),
                None => (rest, None),
            };
            *relative = format!("{path}?{}{fragment}", appended(query)).into();
        }
        self
    }

    /// Appends several parameters to the URL's query, as [`query`](Self::query) does.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// let request = Request::get("https://shop.test/").query_items([("page", 2), ("size", 50)]);
    /// assert_eq!(request.url().unwrap().query(), Some("page=2&size=50"));
    /// ```
    #[doc(alias = "URLQueryItem")]
    pub fn query_items<P: Pair>(self, items: impl IntoIterator<Item = P>) -> Self {
        let append = |request: Self, item: P| request.query(item.name(), item.value());
        items.into_iter().fold(self, append)
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
