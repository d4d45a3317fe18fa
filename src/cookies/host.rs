//! Hosts, and which domains their cookies may be for.

use url::{Host as UrlHost, Url};

/// The host of a URL, as cookies know it: in small letters, names of other scripts in ASCII
/// (RFC 6265bis §5.1.2), as the URL has it already; without the dot at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Host<'a> {
    pub(super) name: &'a str,
    /// It is no name: nothing lies below or above it.
    pub(super) is_address: bool,
    had_dot: bool,
}

impl<'a> Host<'a> {
    /// Returns the host of a URL, if it is one that has cookies.
    pub(super) fn of(url: &'a Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return None;
        }
        let is_address = !matches!(url.host()?, UrlHost::Domain(_));
        let name = url.host_str()?;
        let bare = name.strip_suffix('.').unwrap_or(name);
        let had_dot = bare.len() < name.len();
        (!bare.is_empty()).then_some(Self { name: bare, is_address, had_dot })
    }

    /// Whether it is `domain` or lies below it (RFC 6265bis §5.1.3).
    pub(super) fn is_in(&self, domain: &str) -> bool {
        self.name == domain || (!self.is_address && is_below(self.name, domain))
    }

    /// Returns it, and the domains above it.
    pub(super) fn and_above(self) -> impl Iterator<Item = &'a str> {
        let above = |name: &&'a str| name.split_once('.').map(|(_, above)| above);
        std::iter::successors(
            Some(self.name),
            move |name| {
                if self.is_address { None } else { above(name) }
            },
        )
    }
}

/// Whether a name lies below a domain.
pub(super) fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// For whom a cookie is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) domain: Box<str>,
    /// Only for that host.
    pub(super) host_only: bool,
}

impl Scope {
    /// Returns for whom a cookie is that `host` sets with this `Domain`; `None` if it must not
    /// (RFC 6265bis §5.6.3 and §5.7, steps 8 to 10).
    pub(super) fn of(host: &Host<'_>, attribute: &[u8]) -> Option<Self> {
        let own = || Some(Self { domain: host.name.into(), host_only: true });
        let attribute = attribute.strip_prefix(b".").unwrap_or(attribute);
        if attribute.is_empty() {
            return own();
        }
        let text = std::str::from_utf8(attribute).ok().filter(|text| text.is_ascii())?;
        // A dot at its end is another host's, unless that one has it as well.
        let text = if host.had_dot { text.strip_suffix('.').unwrap_or(text) } else { text };
        let domain = text.to_ascii_lowercase();
        let is_own = host.name == domain;
        if is_own && (host.is_address || is_public_suffix(&domain)) {
            return own();
        }
        let is_allowed = is_own || (host.is_in(&domain) && !is_public_suffix(&domain));
        is_allowed.then(|| Self { domain: domain.into(), host_only: false })
    }
}

/// Whether strangers have their names below this one, so that it has no cookies for all of them
/// (RFC 6265bis §5.7, step 9): the list of public suffixes says so.
#[cfg(feature = "public-suffix")]
pub(super) fn is_public_suffix(domain: &str) -> bool {
    use psl::Psl;

    let suffix = psl::List.suffix(domain.as_bytes());
    suffix.is_none_or(|suffix| suffix.as_bytes().len() == domain.len())
}

/// Whether it is a name of one label, the only ones that are known without the list.
#[cfg(not(feature = "public-suffix"))]
pub(super) fn is_public_suffix(domain: &str) -> bool {
    !domain.contains('.')
}

#[cfg(test)]
mod tests;
