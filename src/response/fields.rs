//! Headers as what they mean.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::links::{self, Link};
use super::{Response, date, media};
use crate::clock::Clock;

/// The media type of a body with its parameters, as `Content-Type` has it; see
/// [`Response::content_type`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    mime_type: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mime_type = media::mime_type(value)?;
        let rest = value.split_once(';').map_or("", |(_, rest)| rest);
        let parameters = media::parameters(rest)
            .map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned()));
        Some(Self { mime_type, parameters: parameters.collect() })
    }

    /// Returns the type alone, lower-case: `text/html`.
    pub fn mime_type(&self) -> &str {
        &self.mime_type
    }

    /// Returns the first parameter `name`, in any case, its quotes undone; the value in its
    /// own case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    /// Returns the name of the encoding of a text, in its own case.
    pub fn charset(&self) -> Option<&str> {
        self.parameter("charset")
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mime_type)?;
        for (name, value) in &self.parameters {
            if media::is_token(value) {
                write!(f, "; {name}={value}")?;
            } else {
                write!(f, "; {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }
}

/// What names a version of a resource (RFC 9110 §8.8.3); see [`Response::etag`].
///
/// `Display` gives it as it goes into `If-None-Match` and `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag {
    is_weak: bool,
    opaque: String,
}

impl EntityTag {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let (is_weak, quoted) =
            value.strip_prefix("W/").map_or((false, value), |rest| (true, rest));
        let opaque = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let is_tag = |char: char| char != '"' && char != ' ' && !char.is_control();
        opaque.chars().all(is_tag).then(|| Self { is_weak, opaque: opaque.to_owned() })
    }

    /// Returns whether versions with this tag mean the same, and may differ in bytes.
    pub fn is_weak(&self) -> bool {
        self.is_weak
    }

    /// Returns what stands between the quotation marks.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.is_weak { "W/" } else { "" }, self.opaque)
    }
}

/// Reads how long to wait (RFC 9110 §10.2.3): seconds, or a date, which is seen from the
/// server's own, so that a clock that is wrong here does not matter.
fn retry_after(value: &str, sent: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let sent = sent.and_then(|sent| date::parse(sent, now)).unwrap_or(now);
    // What has passed is no wait.
    Some(date::parse(value, now)?.duration_since(sent).unwrap_or_default())
}

impl Response {
    /// Returns the type of the body with its parameters; `None` if the server names none, or
    /// what it names is no type. Of several, the first one counts.
    ///
    /// [`mime_type`](Self::mime_type) and [`text_encoding_name`](Self::text_encoding_name) are
    /// parts of it.
    pub fn content_type(&self) -> Option<ContentType> {
        ContentType::parse(self.headers().get("content-type")?)
    }

    /// Returns how long the server wants to be left alone, from when it answered; `None` if
    /// it does not say so. A date is seen from the `Date` of the response, or without one
    /// from now; one that has passed is no wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::status(503).header("Retry-After", "120"));
    /// let url = server.url("/");
    ///
    /// let data = urlsession::Session::shared().data(&url)?;
    /// assert_eq!(data.response.retry_after(), Some(Duration::from_secs(120)));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after_at(Clock::system().date())
    }

    /// The same, where it is `now`.
    pub(crate) fn retry_after_at(&self, now: SystemTime) -> Option<Duration> {
        let headers = self.headers();
        retry_after(headers.get("retry-after")?, headers.get("date"), now)
    }

    /// Returns when the resource was changed last, as the server says.
    pub fn last_modified(&self) -> Option<SystemTime> {
        date::parse(self.headers().get("last-modified")?, Clock::system().date())
    }

    /// Returns what names this version of the resource; `None` if there is no tag, or what is
    /// there is none.
    pub fn etag(&self) -> Option<EntityTag> {
        EntityTag::parse(self.headers().get("etag")?)
    }

    /// Returns what the server links to (RFC 8288), in its order: the next page, for
    /// instance. What is no link is left out.
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("1, 2").header("Link", "</items?page=2>; rel=next"));
    /// let url = server.url("/items");
    ///
    /// let data = urlsession::Session::shared().data(&url)?;
    /// let next = data.response.links().into_iter().find(|link| link.is("next"));
    /// assert_eq!(next.unwrap().url().query(), Some("page=2"));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn links(&self) -> Vec<Link> {
        let all = self.headers().get_all("link");
        all.flat_map(|value| links::parse(value, self.url())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use url::Url;

    use super::*;

    #[test]
    fn a_content_type_has_parameters() {
        for (value, shown, charset) in [
            ("text/html", "text/html", None),
            ("Text/HTML; Charset=UTF-8", "text/html; charset=UTF-8", Some("UTF-8")),
            ("a/b;x=\"1;\\\"2\";charset=u", "a/b; x=\"1;\\\"2\"; charset=u", Some("u")),
            ("a/b; charset=one; charset=two", "a/b; charset=one; charset=two", Some("one")),
            ("a/b;;x", "a/b", None),
        ] {
            let parsed = ContentType::parse(value).unwrap();
            assert_eq!((&*parsed.to_string(), parsed.charset()), (shown, charset), "{value}");
            assert_eq!(ContentType::parse(shown), Some(parsed), "{value}");
        }
        for wrong in ["", "text", "te xt/html", "/", "a/b/c", ";charset=utf-8"] {
            assert_eq!(ContentType::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_entity_tag_is_quoted_and_may_be_weak() {
        for (value, parsed) in [
            ("\"a\"", Some((false, "a"))),
            ("W/\"a\"", Some((true, "a"))),
            (" \"a-b;c\\d\" ", Some((false, "a-b;c\\d"))),
            ("\"\"", Some((false, ""))),
            ("\"é\"", Some((false, "é"))),
            ("a", None),
            ("\"", None),
            ("\"a", None),
            ("w/\"a\"", None),
            ("W/a", None),
            ("\"a\"b\"", None),
            ("\"a b\"", None),
            ("", None),
        ] {
            let tag = EntityTag::parse(value);
            assert_eq!(tag.as_ref().map(|tag| (tag.is_weak(), tag.opaque())), parsed, "{value}");
            if let Some(tag) = tag {
                assert_eq!(tag.to_string(), value.trim());
            }
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_seen_from_the_servers() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_000);
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (value, sent, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("99999999999999999999", None, Some(u64::MAX)),
            (date, None, Some(777)),
            (date, Some("Sun, 06 Nov 1994 08:49:30 GMT"), Some(7)),
            (date, Some("Sun, 06 Nov 1994 08:50:00 GMT"), Some(0)),
            (date, Some("today"), Some(777)),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("", None, None),
        ] {
            let wait = retry_after(value, sent, now).map(|wait| wait.as_secs());
            assert_eq!(wait, seconds, "{value:?}, {sent:?}");
        }
    }

    #[test]
    fn what_a_url_is_for_links_is_that_of_the_response() {
        let url = Url::parse("http://a.test/items/?page=1").unwrap();
        let links = links::parse("<?page=2>; rel=next, </>; rel=\"up start\"", &url);
        let shown: Vec<_> = links.iter().map(|link| link.url().as_str()).collect();
        assert_eq!(shown, ["http://a.test/items/?page=2", "http://a.test/"]);
        assert!(links[0].is("NEXT") && links[1].is("start") && !links[1].is("next"));
    }
}
