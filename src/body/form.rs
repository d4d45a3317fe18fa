//! `application/x-www-form-urlencoded` (WHATWG URL standard §5).

use std::fmt;

use url::form_urlencoded::Serializer;

use super::{Body, BytesType};
use crate::pair::Pair;

/// The fields of a form, as `application/x-www-form-urlencoded`.
///
/// Names may repeat, and the order is kept. Names and values are UTF-8; a space becomes
/// `+`, letters, digits and `*-._` stay, every other byte is escaped as `%XX`, so that no
/// value can end its field. Line breaks are sent as they are given.
///
/// A list of [pairs](crate::Pair) is a form, too, wherever one is asked for: an array, a
/// vector, a map, an iterator; values may be numbers. For files, and for much that
/// is not ASCII, [`Multipart`](super::Multipart) is smaller.
///
/// `Debug` shows how long the form is, not what is in it.
///
/// # Examples
///
/// ```
/// use urlsession::{Form, Request};
///
/// let form = Form::new().field("name", "Brendon & Co").field("tag", "a").field("tag", "b");
/// assert_eq!(form.as_str(), "name=Brendon+%26+Co&tag=a&tag=b");
///
/// let request = Request::post("https://shop.test/sign-up").form(form);
/// let content_type = request.headers().get("Content-Type");
/// assert_eq!(content_type, Some("application/x-www-form-urlencoded"));
/// ```
#[doc(alias = "URLQueryItem")]
#[doc(alias = "percentEncodedQuery")]
#[doc(alias = "stringByAddingPercentEscapes")]
#[doc(alias = "CFURLCreateStringByAddingPercentEscapes")]
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Form {
    text: String,
}

impl Form {
    /// The `Content-Type` of a form.
    pub(crate) const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// Makes a form without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field behind all others, whether or not its name occurs already.
    pub fn field(mut self, name: impl AsRef<str>, value: impl fmt::Display) -> Self {
        self.extend([(name, value)]);
        self
    }

    /// Returns the form as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<P: Pair> Extend<P> for Form {
    fn extend<I: IntoIterator<Item = P>>(&mut self, fields: I) {
        let text = std::mem::take(&mut self.text);
        let mut serializer = Serializer::new(text);
        for field in fields {
            serializer.append_pair(field.name(), &field.value());
        }
        self.text = serializer.finish();
    }
}

impl<P: Pair> FromIterator<P> for Form {
    fn from_iter<I: IntoIterator<Item = P>>(fields: I) -> Self {
        let mut form = Self::new();
        form.extend(fields);
        form
    }
}

impl<I: IntoIterator<Item: Pair>> From<I> for Form {
    /// Takes any list of [pairs](Pair): an array, a vector, a map, an iterator.
    fn from(fields: I) -> Self {
        fields.into_iter().collect()
    }
}

impl From<Form> for Body {
    /// The fields, and their [media type](Body::media_type).
    fn from(form: Form) -> Self {
        Self::of_bytes(form.text.into_bytes(), BytesType::Form)
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("length", &self.text.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_serialised_as_the_url_standard_says() {
        for (fields, expected) in [
            (&[][..], ""),
            (&[("", "")], "="),
            (&[("a", "1"), ("a", "2"), ("b", ""), ("a", "3")], "a=1&a=2&b=&a=3"),
            (&[("a b", "c d")], "a+b=c+d"),
            (&[("*-._~", "'()!")], "*-._%7E=%27%28%29%21"),
            // What the percent-escapes of Foundation's example are for.
            (
                &[("q", ":/?#[]@!$&'()*+,;=")],
                "q=%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29*%2B%2C%3B%3D",
            ),
            (&[("é", "日本")], "%C3%A9=%E6%97%A5%E6%9C%AC"),
            (&[("a", "%41\r\n\0")], "a=%2541%0D%0A%00"),
        ] {
            let form = Form::from(fields);
            assert_eq!(form.as_str(), expected);
            let built =
                fields.iter().fold(Form::new(), |form, (name, value)| form.field(name, value));
            assert_eq!(built.as_str(), expected);
            let read: Vec<_> = url::form_urlencoded::parse(expected.as_bytes()).collect();
            assert!(
                read.iter().map(|(name, value)| (&**name, &**value)).eq(fields.iter().copied())
            );
        }
    }

    #[test]
    fn a_form_is_made_of_any_list_of_pairs() {
        let expected = Form::new().field("a", "1").field("b", "2");
        assert_eq!(Form::from([("a", "1"), ("b", "2")]), expected);
        assert_eq!(Form::from(&[("a", "1"), ("b", "2")]), expected);
        assert_eq!(Form::from(vec![("a".to_owned(), "1"), ("b".to_owned(), "2")]), expected);
        let map = std::collections::BTreeMap::from([("a", "1"), ("b", "2")]);
        assert_eq!(map.iter().collect::<Form>(), expected);
        assert_eq!(Form::from(&map), expected);
        assert_eq!(Form::from(map.iter()), expected);
        assert_eq!(Form::from(map), expected);
        assert_eq!(Form::from((1..3).zip("ab".chars()).map(|(n, c)| (c.to_string(), n))), expected);
        let list = [(String::from("a"), 1_u8), (String::from("b"), 2)];
        assert_eq!(Form::from(&list), expected);
        assert_eq!(Form::from(&list[..]), expected);
        assert_eq!(Form::from(list.iter().filter(|(_, number)| *number > 0)), expected);
        assert_eq!(Form::new().field("a", 1).field("b", 2), expected);
        assert!(!format!("{:?}", Form::new().field("password", "s3cret")).contains("s3cret"));
    }
}
