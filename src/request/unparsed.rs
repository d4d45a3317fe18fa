//! Texts that are no URL that can be loaded: what they lack. The text is not repeated, as it may
//! hold a password.

use std::borrow::Cow;

use url::{ParseError, Url};

/// Schemes whose URLs have no host, so that the scheme is meant.
const WITHOUT_HOST: [&str; 12] = [
    "about",
    "blob",
    "cid",
    "data",
    "javascript",
    "magnet",
    "mailto",
    "news",
    "sip",
    "sms",
    "tel",
    "urn",
];

/// Says why `text` cannot be parsed.
#[cold]
pub(super) fn why(text: &str, error: ParseError) -> Cow<'static, str> {
    match error {
        _ if text.trim().is_empty() => "the URL is empty".into(),
        ParseError::RelativeUrlWithoutBase => {
            "the URL lacks its scheme: begin it with https:// or http://, or set the \
             configuration's base_url"
                .into()
        }
        ParseError::EmptyHost => "the URL lacks its host, which follows ://".into(),
        ParseError::InvalidPort => "the URL's port is no number up to 65535".into(),
        error => format!("the URL cannot be parsed: {error}").into(),
    }
}

/// Says why a URL whose scheme is neither http nor https is not loaded.
#[cold]
pub(crate) fn why_not_loaded(url: &Url) -> String {
    let scheme = url.scheme();
    if url.cannot_be_a_base() && !WITHOUT_HOST.contains(&scheme) {
        // What stands before the colon may be a host, or a user's name.
        let shown = match url.path().starts_with(|char: char| char.is_ascii_digit()) {
            true => format!(" (\"{scheme}:\" is taken for one)"),
            false => String::new(),
        };
        return format!("the URL lacks its scheme{shown}: begin it with https:// or http://");
    }
    format!("no loader for {scheme} URLs; http and https are loaded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_lacks_is_said_without_the_text() {
        for (text, expected) in [
            ("example.com", "lacks its scheme: begin it with https:// or http://"),
            ("example.com/a?token=secret", "lacks its scheme: begin"),
            ("//secret.test/", "lacks its scheme: begin"),
            ("/secret", "lacks its scheme: begin"),
            ("127.0.0.1:8080/secret", "lacks its scheme: begin"),
            ("[::1]:8080", "lacks its scheme: begin"),
            ("", "is empty"),
            ("  ", "is empty"),
            ("http://", "lacks its host"),
            ("https://:80/secret", "lacks its host"),
            ("http://a:99999/secret", "port is no number up to 65535"),
            ("http://a:b/secret", "port is no number"),
            ("http://secret host/", "cannot be parsed: invalid international"),
        ] {
            let said = why(text, Url::parse(text).unwrap_err());
            assert!(said.contains(expected) && !said.contains("secret"), "{text:?}: {said}");
        }
    }

    #[test]
    fn a_host_that_is_taken_for_a_scheme_is_told_from_a_scheme() {
        for (text, expected) in [
            ("localhost:8080/x", "lacks its scheme (\"localhost:\" is taken for one): begin it"),
            ("shop.test:80", "lacks its scheme (\"shop.test:\" is taken for one): begin it"),
            ("ann:secret@shop.test", "lacks its scheme: begin it with"),
            ("localhost:secret", "lacks its scheme: begin it with"),
            ("gopher://old.test/secret", "no loader for gopher URLs; http and https"),
            ("file:///secret", "no loader for file URLs"),
            ("mailto:secret@shop.test", "no loader for mailto URLs"),
            ("data:,secret", "no loader for data URLs"),
            ("urn:secret", "no loader for urn URLs"),
        ] {
            let said = why_not_loaded(&Url::parse(text).unwrap());
            assert!(said.contains(expected) && !said.contains("secret"), "{text:?}: {said}");
        }
    }
}
