//! Credentials in an `Authorization` header.

use super::Request;
use crate::basic;

impl Request {
    /// Sends `token` as the credentials of the request (RFC 6750 §2.1).
    ///
    /// As every `Authorization`, it goes to this URL's origin only, and is not printed.
    pub fn bearer_auth(self, token: &str) -> Self {
        self.sensitive_header("Authorization", format!("Bearer {token}"))
    }

    /// Sends user name and password, in UTF-8, as Basic credentials (RFC 7617), before the
    /// server asks for them.
    ///
    /// As every `Authorization`, they go to this URL's origin only, and are not printed. A
    /// user name with a colon, and a control character in either, cannot be sent so (RFC 7617
    /// §2), and fail the load with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    #[doc(alias = "URLCredential")]
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        match basic::authorization(user, password) {
            Ok(value) => self.sensitive_header("Authorization", &value),
            Err(error) => self.noting(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn credentials_are_sensitive_headers() {
        for (request, value) in [
            (Request::get("http://a/").bearer_auth("abc.def"), "Bearer abc.def"),
            // The examples of RFC 7617 §2 and §2.1.
            (
                Request::get("http://a/").basic_auth("Aladdin", "open sesame"),
                "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            ),
            (Request::get("http://a/").basic_auth("test", "123\u{a3}"), "Basic dGVzdDoxMjPCow=="),
        ] {
            request.check().unwrap();
            assert_eq!(request.headers().get("authorization"), Some(value));
            assert_eq!(&*request.sensitive[0], "Authorization");
            assert!(!format!("{request:?}").contains(value), "{request:?}");
        }
        for wrong in [
            Request::get("http://a/").basic_auth("a:b", "c"),
            Request::get("http://a/").basic_auth("a", "b\nc"),
            Request::get("http://a/").basic_auth("a\u{7f}", "b"),
            Request::get("http://a/").bearer_auth("a\r\nb: c"),
        ] {
            assert_eq!(wrong.check().unwrap_err().kind(), ErrorKind::InvalidRequest);
        }
    }
}
