//! Headers as a list: to walk over, to collect, to look into.

use std::borrow::Cow;
use std::ops::Index;
use std::{slice, vec};

use super::{Headers, Line, check};
use crate::error::Error;
use crate::pair::Pair;

/// The fields of [`Headers`], name as written and value; see [`Headers::iter`].
#[derive(Clone, Debug)]
pub struct HeaderFields<'a> {
    text: &'a str,
    lines: slice::Iter<'a, Line>,
}

impl<'a> Iterator for HeaderFields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some((&self.text[line.name()], &self.text[line.value()]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lines.size_hint()
    }
}

impl ExactSizeIterator for HeaderFields<'_> {}

impl Headers {
    /// Returns every value of the field `name`, without the space around it.
    pub(crate) fn trimmed(&self, name: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for line in &self.lines {
            if self.is_named(line, name) {
                values.push(self.text[line.value()].trim());
            }
        }
        values
    }

    /// Returns every field, name as written and value, in order.
    pub fn iter(&self) -> HeaderFields<'_> {
        HeaderFields { text: &self.text, lines: self.lines.iter() }
    }

    /// Returns all values of the field `name` as one, joined by `", "` where there are
    /// several (RFC 9110 §5.3), as Apple's `value(forHTTPHeaderField:)` does.
    ///
    /// Several `Set-Cookie` cannot be told from each other afterwards: for those there is
    /// [`get_all`](Self::get_all).
    ///
    /// ```
    /// use urlsession::Headers;
    ///
    /// let headers = Headers::from_iter([("Vary", "Accept"), ("vary", "Origin")]);
    /// assert_eq!(headers.joined("Vary").as_deref(), Some("Accept, Origin"));
    /// assert_eq!(headers.get("Vary"), Some("Accept"));
    /// ```
    #[doc(alias = "value(forHTTPHeaderField:)")]
    pub fn joined(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.get_all(name);
        let first = values.next()?;
        let Some(second) = values.next() else { return Some(Cow::Borrowed(first)) };
        let all: Vec<_> = [first, second].into_iter().chain(values).collect();
        Some(Cow::Owned(all.join(", ")))
    }

    /// Reports the first field that is none: collecting and extending cannot fail, and leave
    /// what cannot be sent to be found here. A session whose
    /// [`additional_headers`](crate::Configuration::additional_headers) have one is not made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    pub fn check(&self) -> Result<(), Error> {
        let Some(line) = self.lines.iter().find(|line| line.wrong) else { return Ok(()) };
        check(&self.text[line.name()], self.text[line.value()].as_bytes())
    }
}

#[cfg(all(feature = "daemon", unix))]
impl Headers {
    /// Adds a field behind all others, by the bytes that are sent. What is no field is kept as
    /// extending keeps it.
    pub(crate) fn extend_sent(&mut self, name: &str, value: &[u8]) {
        let is_wrong = check(name, value).is_err();
        self.push_bytes(name, value);
        self.lines.iter_mut().last().into_iter().for_each(|line| line.wrong = is_wrong);
    }
}

impl Index<&str> for Headers {
    type Output = str;

    /// Returns the first value of a field, in any case.
    ///
    /// # Panics
    ///
    /// If there is none; [`get`](Headers::get) returns `None` then.
    fn index(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("there is no header {name:?}"))
    }
}

impl<P: Pair> Extend<P> for Headers {
    /// Adds the fields behind all others, as [`add`](Headers::add) does. What is no field is
    /// never sent, and is reported by [`check`](Headers::check).
    fn extend<I: IntoIterator<Item = P>>(&mut self, fields: I) {
        for field in fields {
            let (name, value) = (field.name(), field.value());
            if self.add(name, &value).is_err() {
                self.push(name, &value);
                self.lines.iter_mut().last().into_iter().for_each(|line| line.wrong = true);
            }
        }
    }
}

impl<P: Pair> FromIterator<P> for Headers {
    /// Collects fields in their order, as [`extend`](Headers::extend) adds them.
    fn from_iter<I: IntoIterator<Item = P>>(fields: I) -> Self {
        let mut headers = Self::new();
        headers.extend(fields);
        headers
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, &'a str);
    type IntoIter = HeaderFields<'a>;

    fn into_iter(self) -> HeaderFields<'a> {
        self.iter()
    }
}

impl IntoIterator for Headers {
    type Item = (String, String);
    type IntoIter = vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.iter().map(owned).collect::<Vec<_>>().into_iter()
    }
}
