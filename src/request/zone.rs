//! The zone of an IPv6 address in a URL (RFC 6874): through which network interface of this
//! machine a link-local address is reached.
//!
//! The standard for URLs knows no zones. One is taken out of the text before it is parsed, and
//! kept beside the URL: it means something here alone, and nothing of it is sent.

use percent_encoding::percent_decode_str;
use url::{ParseError, Url};

use super::Request;

impl Request {
    /// Has the URL's address be on this network interface.
    pub(crate) fn in_zone(mut self, zone: Option<Box<str>>) -> Self {
        if zone.is_some() {
            self.more().zone = zone;
        }
        self
    }
}

/// Parses a URL that could not be parsed because of `error`, if that is its zone.
pub(super) fn parse(text: &str, error: ParseError) -> Result<(Url, Box<str>), ParseError> {
    if error != ParseError::InvalidIpv6Address {
        return Err(error);
    }
    let (without, zone) = split(text).ok_or(error)?;
    Ok((Url::parse(&without)?, zone))
}

/// Takes the zone out of the text of a URL: `%25` and its name, or as curl allows, `%` alone.
fn split(text: &str) -> Option<(String, Box<str>)> {
    let begin = text.find("://")? + 3;
    let end = text[begin..].find(['/', '\\', '?', '#']).map_or(text.len(), |at| begin + at);
    let host = text[begin..end].rfind('@').map_or(begin, |at| begin + at + 1);
    let literal = text[host..end].strip_prefix('[')?;
    let (address, zone) = literal.split(']').next()?.split_once('%')?;
    let encoded = zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone);
    let name = percent_decode_str(encoded).decode_utf8().ok()?;
    if name.is_empty() || name.chars().any(|char| char.is_control() || "%/[]".contains(char)) {
        return None;
    }
    let at = host + 1 + address.len();
    let without = [&text[..at], &text[at + 1 + zone.len()..]].concat();
    Some((without, name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Url, Box<str>), ParseError> {
        parse(text, Url::parse(text).unwrap_err())
    }

    #[test]
    fn a_zone_is_taken_out_of_an_ipv6_address_alone() {
        for (text, url, zone) in [
            ("http://[fe80::1%25lo]/", "http://[fe80::1]/", "lo"),
            ("http://[fe80::1%lo]/", "http://[fe80::1]/", "lo"),
            ("https://[FE80::1%25en0]:8443/a?b#c", "https://[fe80::1]:8443/a?b#c", "en0"),
            ("http://[fe80::1%251]", "http://[fe80::1]/", "1"),
            ("http://[fe80::1%25]", "http://[fe80::1]/", "25"),
            ("http://[fe80::1%25a%2Db]", "http://[fe80::1]/", "a-b"),
            ("http://[fe80::1%25en%201]", "http://[fe80::1]/", "en 1"),
            ("http://u@[%25]:p@[fe80::1%25lo]/@[", "http://u%40%5B%25%5D:p@[fe80::1]/@[", "lo"),
            ("http://[fe80::1%25lo]?[x%25y]", "http://[fe80::1]/?[x%25y]", "lo"),
        ] {
            let (parsed, found) = parsed(text).unwrap();
            assert_eq!((parsed.as_str(), &*found), (url, zone), "{text}");
        }
        for text in [
            "http://[fe80::1%]/",
            "http://[fe80::1%25%]/",
            "http://[fe80::1%25a%00]/",
            "http://[fe80::1%25a%2Fb]/",
            "http://[fe80::1%25%FF]/",
            "http://[fe80::1%25lo/",
            "http://[fe80::x%25lo]/",
            "http://[%25lo]/",
            "http://[127.0.0.1%25lo]/",
            "http://[fe80::1%25lo]x/",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
        assert!(Url::parse("http://a.test/[fe80::1%25lo]").is_ok());
    }
}
