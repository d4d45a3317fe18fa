//! What always holds of cookies, whatever a server sets.

use url::Url;

use super::cookie::Cookie;
use super::jar::Jar;
use super::{fields, text};
use crate::headers::Headers;

/// What goes out is one header line, and what is written is read again.
pub fn cookie(data: &[u8]) {
    let Ok(url) = Url::parse("https://a.shop.test/b/c") else { return };
    let now = 1_796_000_000_000_000;
    let mut jar = Jar::default();
    for line in data.split(|&byte| byte == b'\n') {
        if let Some(cookie) = Cookie::set_by(line, &url, now) {
            jar.take(cookie, &url, now);
        }
    }
    let mut sent = Headers::new();
    fields::add_to(&mut sent, &jar.matching(&url, now));
    for value in sent.get_all_bytes("cookie") {
        assert!(Headers::new().set_bytes("Cookie", &value).is_ok());
        assert!(value.len() <= fields::MOST_SENT);
    }
    let written = text::to_text(&jar, now);
    let read = text::from_text(&written);
    assert_eq!(text::to_text(&read, now), written);
    let lasting = jar.all(now).into_iter().filter(|cookie| !cookie.is_session_only());
    assert_eq!(read.all(now), lasting.collect::<Vec<_>>());
    let _ = text::from_text(&String::from_utf8_lossy(data));
}
