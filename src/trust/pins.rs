//! [`PublicKeyPins`]: the keys that a host must have.

use std::fmt;
use std::net::IpAddr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use url::Host;

use super::Certificate;
use crate::error::{Error, ErrorKind};

/// The public keys of which a host must have one, as SHA-256 hashes.
///
/// For [`Configuration::pinned_public_keys`](crate::Configuration::pinned_public_keys). What
/// is hashed is the DER of a certificate's `SubjectPublicKeyInfo` (RFC 7469 §2.4), so that a
/// certificate can be renewed with the same key. The key may be the server's own, or that of
/// any authority on the path that was validated. A backup pin is one more in the list.
///
/// # Examples
///
/// ```
/// use urlsession::{Configuration, PublicKeyPins};
///
/// let mut configuration = Configuration::ephemeral();
/// configuration.pinned_public_keys = vec![PublicKeyPins::new(
///     "*.shop.test",
///     [
///         "sha256/9Hkm+0vJXKFYFCFVYcWIkGKaDGVT7rPYxHpkQfJeD3I=",
///         // The backup, whose key is in a safe.
///         "sha256/jQJTbIh0grw0/1TkHSumWb+Fs0Ggogr621gT3PvPKG0=",
///     ],
/// )?];
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "NSPinnedDomains")]
#[doc(alias = "NSPinnedLeafIdentities")]
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeyPins {
    host: Pattern,
    hashes: Vec<[u8; 32]>,
}

#[derive(Clone, PartialEq, Eq)]
enum Pattern {
    Exact(Box<str>),
    /// Compared as a number: an IPv6 address can be written in several ways.
    Address(IpAddr),
    /// What stands behind `*.`.
    Below(Box<str>),
}

impl PublicKeyPins {
    /// Takes the pins of a host, each as `sha256/` and the hash in base64, as curl, OkHttp and
    /// RFC 7469 write them.
    ///
    /// `host` is one name or address, or `*.` and a name, which stands for every host one
    /// label below that name. Names of other scripts are taken in either form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if there is no pin, one is written in
    /// another way, or the host is none.
    pub fn new<P: AsRef<str>>(
        host: &str,
        pins: impl IntoIterator<Item = P>,
    ) -> Result<Self, Error> {
        let hashes = pins.into_iter().map(|pin| hash(pin.as_ref())).collect::<Result<_, _>>()?;
        Self::of(host, hashes)
    }

    /// Takes the pins of a host as [`new`](Self::new) does, each as the hash itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if there is no pin, or the host is none.
    pub fn from_hashes(
        host: &str,
        hashes: impl IntoIterator<Item = [u8; 32]>,
    ) -> Result<Self, Error> {
        Self::of(host, hashes.into_iter().collect())
    }

    fn of(host: &str, hashes: Vec<[u8; 32]>) -> Result<Self, Error> {
        if hashes.is_empty() {
            return Err(refused(format!("no public key is pinned for {host:?}")));
        }
        let parse = |name: &str| {
            let bad = || refused(format!("{host:?} is not a host that keys can be pinned for"));
            Host::parse(name).map_err(|error| bad().because(error))
        };
        let (name, is_below) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        let host = match (parse(name)?, is_below) {
            // No host has such a name, and pins that hold for none protect nothing.
            (Host::Domain(name), _) if name.contains('*') => {
                let detail = format!("{host:?} has a `*` that does not stand for its first label");
                return Err(refused(detail));
            }
            (Host::Domain(name), false) => Pattern::Exact(without_dot(&name).into()),
            (Host::Domain(name), true) => Pattern::Below(without_dot(&name).into()),
            (Host::Ipv4(address), false) => Pattern::Address(address.into()),
            (Host::Ipv6(address), false) => Pattern::Address(address.into()),
            _ => return Err(refused("an address has no hosts below it to be pinned")),
        };
        Ok(Self { host, hashes })
    }

    /// Returns the host as it was given, in lower case.
    pub fn host(&self) -> String {
        match &self.host {
            Pattern::Exact(name) => name.to_string(),
            Pattern::Address(IpAddr::V4(address)) => address.to_string(),
            Pattern::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Pattern::Below(name) => format!("*.{name}"),
        }
    }

    /// Returns the hashes.
    pub fn hashes(&self) -> &[[u8; 32]] {
        &self.hashes
    }

    /// Whether these are for `host`, as it stands in a URL.
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    fn is_for(&self, host: &str) -> bool {
        let host = without_dot(host);
        match &self.host {
            Pattern::Exact(name) => host.eq_ignore_ascii_case(name),
            Pattern::Address(address) => host.parse() == Ok(*address),
            Pattern::Below(name) => {
                let above = host.split_once('.').filter(|(label, _)| !label.is_empty());
                above.is_some_and(|(_, above)| above.eq_ignore_ascii_case(name))
            }
        }
    }
}

impl Certificate {
    /// Returns the pin of its public key, as [`PublicKeyPins::new`] takes it.
    ///
    /// # Errors
    ///
    /// As [`public_key_fingerprint`](Self::public_key_fingerprint).
    pub fn public_key_pin(&self) -> Result<String, Error> {
        self.public_key_fingerprint().map(|hash| written(&hash))
    }
}

/// Returns a pin as curl and OkHttp write it.
fn written(hash: &[u8; 32]) -> String {
    format!("sha256/{}", BASE64_STANDARD.encode(hash))
}

impl fmt::Debug for PublicKeyPins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pins: Vec<_> = self.hashes.iter().map(written).collect();
        f.debug_struct("PublicKeyPins").field("host", &self.host()).field("pins", &pins).finish()
    }
}

/// Whether one of `keys` is pinned for `host` by any of `pins`, or the host has none.
#[cfg(feature = "tls")]
pub(super) fn allow(pins: &[PublicKeyPins], host: &str, keys: &[Vec<u8>]) -> bool {
    use ring::digest::{SHA256, digest};

    let host = host.trim_matches(['[', ']']);
    let mut has_pins = false;
    for pins in pins.iter().filter(|pins| pins.is_for(host)) {
        has_pins = true;
        for key in keys {
            let hash = digest(&SHA256, key);
            if pins.hashes.iter().any(|pin| pin[..] == *hash.as_ref()) {
                return true;
            }
        }
    }
    !has_pins
}

/// The error of a host that has pins and none of their keys.
#[cfg(feature = "tls")]
pub(super) fn missing(host: &str) -> Error {
    refused(format!(
        "no key on the path of the server's certificate is in pinned_public_keys for {host}"
    ))
}

fn hash(pin: &str) -> Result<[u8; 32], Error> {
    let bad = || refused("a pin is not written as sha256/ and 32 bytes in base64");
    let text = pin.strip_prefix("sha256/").ok_or_else(bad)?;
    let bytes = BASE64_STANDARD.decode(text).map_err(|error| bad().because(error))?;
    bytes.try_into().map_err(|_| bad())
}

fn refused(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::ServerCertificateUntrusted, detail)
}

/// A dot at its end does not make a name another one.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEROS: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn pins_are_for_one_host_or_for_those_one_label_below() {
        for (pattern, host, expected) in [
            ("a.test", "a.test", true),
            ("A.test", "a.TEST", true),
            ("a.test.", "a.test", true),
            ("a.test", "a.test.", true),
            ("a.test", "b.a.test", false),
            ("a.test", "ba.test", false),
            ("*.a.test", "b.a.test", true),
            ("*.A.test", "B.a.test.", true),
            ("*.a.test", "a.test", false),
            ("*.a.test", ".a.test", false),
            ("*.a.test", "c.b.a.test", false),
            ("b\u{fc}cher.test", "xn--bcher-kva.test", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.1", "127.0.0.1", true),
            ("[::1]", "::1", true),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1", true),
            ("[::ffff:127.0.0.1]", "::ffff:7f00:1", true),
            ("[::ffff:127.0.0.1]", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.2", false),
        ] {
            let pins = PublicKeyPins::new(pattern, [ZEROS]).unwrap();
            assert_eq!(pins.is_for(host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn what_is_no_pin_and_no_host_is_refused() {
        let long = format!("{ZEROS}AAAA");
        for (host, pins) in [
            ("a.test", vec![]),
            ("a.test", vec!["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
            ("a.test", vec!["sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
            ("a.test", vec!["sha256/AAAA"]),
            ("a.test", vec!["sha256/!"]),
            ("a.test", vec![ZEROS, &long]),
            ("", vec![ZEROS]),
            ("*.", vec![ZEROS]),
            ("*.127.0.0.1", vec![ZEROS]),
            ("a b", vec![ZEROS]),
            ("*", vec![ZEROS]),
            ("**.a.test", vec![ZEROS]),
            ("*.*.test", vec![ZEROS]),
            ("a.*.test", vec![ZEROS]),
            ("a*.test", vec![ZEROS]),
            ("https://a.test", vec![ZEROS]),
        ] {
            let error = PublicKeyPins::new(host, &pins).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{host} {pins:?}");
        }
        let pins = PublicKeyPins::from_hashes("*.A.test", [[0; 32]]).unwrap();
        assert_eq!(pins, PublicKeyPins::new("*.a.test", [ZEROS]).unwrap());
        assert_eq!((pins.host(), pins.hashes()), ("*.a.test".to_owned(), &[[0; 32]][..]));
        assert!(format!("{pins:?}").contains(ZEROS), "{pins:?}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn one_key_of_any_entry_for_the_host_is_enough() {
        // echo -n 1 | sha256sum
        let one = "sha256/a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=";
        let pins = [
            PublicKeyPins::new("a.test", [ZEROS]).unwrap(),
            PublicKeyPins::new("a.test", [one]).unwrap(),
            PublicKeyPins::new("b.test", [ZEROS]).unwrap(),
        ];
        for (host, keys, expected) in [
            ("a.test", vec!["2", "1"], true),
            ("a.test", vec!["2"], false),
            ("a.test", vec![], false),
            ("b.test", vec!["1"], false),
            ("c.test", vec!["2"], true),
        ] {
            let all: Vec<_> = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
            assert_eq!(allow(&pins, host, &all), expected, "{host} {keys:?}");
        }
    }
}
