//! Basic credentials (RFC 7617).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::error::{Error, ErrorKind};

/// Returns the value of an `Authorization` field, for credentials that a program or a user
/// has named.
///
/// Always in UTF-8: a server that says `charset="UTF-8"` asks for it, one that does not
/// leaves it open (RFC 7617 §2.1), and browsers send it.
///
/// # Errors
///
/// [`ErrorKind::InvalidRequest`] for what cannot be sent so (RFC 7617 §2): a colon in the
/// user name, a control character anywhere.
pub(crate) fn authorization(user: &str, password: &str) -> Result<String, Error> {
    let fail = |detail| Err(Error::new(ErrorKind::InvalidRequest, detail));
    if user.contains(':') {
        return fail("a user name with a colon cannot be sent as Basic credentials");
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return fail("a control character cannot be sent in Basic credentials");
    }
    Ok(encoded(user.as_bytes(), password.as_bytes()))
}

/// Returns the same for what stood in a URL, as it stood there: nobody can be asked for
/// another, and other clients send it.
pub(crate) fn encoded(user: &[u8], password: &[u8]) -> String {
    format!("Basic {}", BASE64_STANDARD.encode([user, b":", password].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_sent_in_utf_8_or_refused() {
        for (user, password, expected) in [
            // The examples of RFC 7617 §2 and §2.1.
            ("Aladdin", "open sesame", Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            ("test", "123\u{a3}", Some("Basic dGVzdDoxMjPCow==")),
            ("", "", Some("Basic Og==")),
            ("a", ":b:", Some("Basic YTo6Yjo=")),
            ("a:b", "c", None),
            ("a\nb", "c", None),
            ("a", "b\0", None),
            ("a", "b\u{7f}", None),
            ("a\u{85}", "b", None),
        ] {
            match authorization(user, password) {
                Ok(value) => assert_eq!(Some(&*value), expected, "{user:?} {password:?}"),
                Err(error) => {
                    assert_eq!(expected, None, "{user:?} {password:?}");
                    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                }
            }
        }
    }
}
