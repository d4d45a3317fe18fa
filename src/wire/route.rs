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
    /// On which network interface that is: the same address may be another host on each.
    zone: Option<&'a str>,
}

impl<'a> Route<'a> {
    /// Goes straight to the server of `url`.
    pub(crate) fn direct(url: &'a Url, zone: Option<&'a str>) -> Self {
        Self { origin: &url[..Position::BeforePath], zone }
    }

    /// Returns the network interface that the address of the host belongs to.
    pub(crate) fn zone(self) -> Option<&'a str> {
        self.zone
    }

    /// Returns what can be kept of it.
    pub(crate) fn to_key(self) -> RouteKey {
        RouteKey { origin: self.origin.into(), zone: self.zone.map(Arc::from) }
    }
}

/// A [`Route`] to keep; a clone costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct RouteKey {
    origin: Arc<str>,
    zone: Option<Arc<str>>,
}

impl RouteKey {
    pub(crate) fn as_route(&self) -> Route<'_> {
        Route { origin: &self.origin, zone: self.zone.as_deref() }
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
            assert_eq!(Route::direct(&one, None) == Route::direct(&other, None), same, "{other}");
            let key = Route::direct(&other, None).to_key();
            assert_eq!(key.as_route(), Route::direct(&other, None));
        }
    }

    #[test]
    fn an_address_is_another_place_on_each_interface() {
        let url = Url::parse("http://[fe80::1]/").unwrap();
        let zones = [None, Some("lo"), Some("eth0")];
        for (one, other) in zones.iter().flat_map(|one| zones.map(|other| (*one, other))) {
            let key = Route::direct(&url, one).to_key();
            assert_eq!(key.as_route() == Route::direct(&url, other), one == other);
        }
    }
}
