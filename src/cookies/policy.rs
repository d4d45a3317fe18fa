//! [`CookieAcceptPolicy`]: whose cookies are kept.

use url::Url;

use super::host::Host;

/// Whose cookies are kept.
#[doc(alias = "HTTPCookie.AcceptPolicy")]
#[doc(alias = "NSHTTPCookieAcceptPolicy")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieAcceptPolicy {
    /// Everybody's.
    #[doc(alias = "NSHTTPCookieAcceptPolicyAlways")]
    Always,
    /// Nobody's.
    #[doc(alias = "NSHTTPCookieAcceptPolicyNever")]
    Never,
    /// Those of the main document's host and of the domains above it, where there is a
    /// [main document](crate::Request::main_document_url); everybody's otherwise.
    #[default]
    #[doc(alias = "NSHTTPCookieAcceptPolicyOnlyFromMainDocumentDomain")]
    OnlyFromMainDocumentDomain,
}

impl CookieAcceptPolicy {
    /// Whether cookies are kept that `url` sets for this document.
    pub(crate) fn accepts(self, url: &Url, main_document: Option<&Url>) -> bool {
        match (self, main_document) {
            (Self::Never, _) => false,
            (Self::Always, _) | (_, None) => true,
            (Self::OnlyFromMainDocumentDomain, Some(main)) => {
                let both = Host::of(url).zip(Host::of(main));
                both.is_some_and(|(host, main)| main.is_in(host.name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_document_has_the_cookies_of_its_host_and_of_those_above() {
        for (url, main, accepted) in [
            ("https://shop.test/", "https://shop.test/", true),
            ("http://shop.test:8080/x", "https://shop.test/y", true),
            ("https://shop.test/", "https://www.shop.test/", true),
            ("https://SHOP.test./", "https://www.shop.test/", true),
            ("https://cdn.shop.test/", "https://shop.test/", false),
            ("https://cdn.shop.test/", "https://www.shop.test/", false),
            ("https://op.test/", "https://shop.test/", false),
            ("https://tracker.test/", "https://shop.test/", false),
            ("http://127.0.0.1/", "http://127.0.0.1:81/", true),
            ("http://0.0.1/", "http://127.0.0.1/", false),
            ("http://[::1]/", "http://[::1]/", true),
            ("https://shop.test/", "file:///index.html", false),
        ] {
            let (url, main) = (Url::parse(url).unwrap(), Url::parse(main).unwrap());
            let policy = CookieAcceptPolicy::OnlyFromMainDocumentDomain;
            assert_eq!(policy.accepts(&url, Some(&main)), accepted, "{url} for {main}");
            assert!(policy.accepts(&url, None), "{url}");
            assert!(CookieAcceptPolicy::Always.accepts(&url, Some(&main)), "{url}");
            assert!(!CookieAcceptPolicy::Never.accepts(&url, Some(&main)), "{url}");
            assert!(!CookieAcceptPolicy::Never.accepts(&url, None), "{url}");
        }
    }
}
