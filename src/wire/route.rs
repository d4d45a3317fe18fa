//! The way from here to a server, by which connections are told apart.

use std::sync::Arc;

use url::{Position, Url};

/// The way to a server: two loads with the same one can share a connection.
///
/// That is the origin today (RFC 9110 §4.3.1), and a part for each thing more that tells
/// connections apart, such as a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route<'a> {
    /// Scheme, host and port, as they stand in a URL: a default port is left out there.
    origin: &'a str,
}

impl<'a> Route<'a> {
    /// Goes straight to the server of `url`.
    pub(crate) fn direct(url: &'a Url) -> Self {
        Self { origin: &url[..Position::BeforePath] }
    }

    /// Returns what can be kept of it.
    pub(crate) fn to_key(self) -> RouteKey {
        RouteKey { origin: self.origin.into() }
    }
}

/// A [`Route`] to keep; a clone costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct RouteKey {
    origin: Arc<str>,
}

impl RouteKey {
    pub(crate) fn as_route(&self) -> Route<'_> {
        Route { origin: &self.origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_of_one_origin_have_one_route() {
        let url = |url| Url::parse(url).unwrap();
        let one = url("http://shop.test/cart?id=1");
        for (other, same) in [
            ("http://shop.test:80/", true),
            ("HTTP://SHOP.test/else#where", true),
            ("https://shop.test/", false),
            ("http://shop.test:8080/", false),
            ("http://www.shop.test/", false),
        ] {
            let other = url(other);
            assert_eq!(Route::direct(&one) == Route::direct(&other), same, "{other}");
            let key = Route::direct(&other).to_key();
            assert_eq!(key.as_route(), Route::direct(&other));
        }
    }
}
