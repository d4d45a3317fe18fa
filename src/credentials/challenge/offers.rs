//! What a response offers: the challenges of it that can be answered, strongest first.

use std::borrow::Cow;
use std::fmt;

use url::Url;

use super::grammar::{ParsedChallenge, challenges};
use crate::credentials::digest::DigestChallenge;
use crate::credentials::{AuthenticationMethod, ProtectionSpace};
use crate::headers::Headers;

/// Who asks, which decides what the fields are called (RFC 9110 §11.6, §11.7).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker<'a> {
    /// The server of this URL, by a 401.
    Server(&'a Url),
    /// The proxy at this URL, by a 407.
    #[allow(dead_code, reason = "there are no proxies yet")]
    Proxy(&'a Url),
}

impl Asker<'_> {
    /// The field that asks.
    pub(crate) fn challenge_field(self) -> &'static str {
        match self {
            Self::Server(_) => "WWW-Authenticate",
            Self::Proxy(_) => "Proxy-Authenticate",
        }
    }

    /// The field that answers.
    pub(crate) fn answer_field(self) -> &'static str {
        match self {
            Self::Server(_) => "Authorization",
            Self::Proxy(_) => "Proxy-Authorization",
        }
    }

    /// The field by which the one who asked proves who it is (RFC 7615).
    pub(crate) fn info_field(self) -> &'static str {
        match self {
            Self::Server(_) => "Authentication-Info",
            Self::Proxy(_) => "Proxy-Authentication-Info",
        }
    }

    /// The space of the asker, without a realm.
    pub(in crate::credentials) fn space(
        self,
        method: AuthenticationMethod,
    ) -> Option<ProtectionSpace> {
        match self {
            Self::Server(url) => ProtectionSpace::of(url, method),
            Self::Proxy(url) => Some(ProtectionSpace::of(url, method)?.for_proxy()),
        }
    }
}

/// A challenge that can be answered, as its space and what the scheme needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(in crate::credentials) space: ProtectionSpace,
    pub(in crate::credentials) scheme: Scheme,
}

#[derive(Clone)]
pub(in crate::credentials) enum Scheme {
    Basic,
    Digest(Box<DigestChallenge>),
    /// Negotiate or NTLM, with the token of a server that goes on.
    Token(Option<Box<str>>),
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic => f.write_str("Basic"),
            Self::Digest(challenge) => challenge.fmt(f),
            Self::Token(_) => f.write_str("Token(***)"),
        }
    }
}

impl Offer {
    /// Returns what credentials are asked for.
    pub(crate) fn space(&self) -> &ProtectionSpace {
        &self.space
    }

    /// Whether only a program can answer it, with a token of its own: without a delegate
    /// it is passed over.
    pub(crate) fn needs_token(&self) -> bool {
        matches!(self.scheme, Scheme::Token(_))
    }

    /// Returns the token that the server sent along.
    pub(crate) fn token(&self) -> Option<&str> {
        match &self.scheme {
            Scheme::Token(token) => token.as_deref(),
            _ => None,
        }
    }

    /// Whether the answer before was right but for the age of its nonce (RFC 7616 §3.3):
    /// the same credential is to be used again, without asking anybody.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(&self.scheme, Scheme::Digest(challenge) if challenge.stale)
    }

    /// Whether the request's body has to be read before it can be answered.
    pub(crate) fn signs_body(&self) -> bool {
        matches!(&self.scheme, Scheme::Digest(challenge) if challenge.signs_body())
    }

    /// What comes first is offered first: Negotiate, NTLM, Digest by SHA-512-256, by
    /// SHA-256, by MD5, and Basic, which shows the password to whoever is there.
    ///
    /// NTLM stands before Digest, as it is for networks where the system has the user's
    /// tokens; where a program has none it is passed over. Of the algorithms of Digest the
    /// strongest is taken, not the server's first (RFC 7616 §3.7 allows a policy).
    fn strength(&self) -> u8 {
        match (&self.scheme, self.space.method()) {
            (Scheme::Basic, _) => 0,
            (Scheme::Digest(challenge), _) => 1 + challenge.algorithm.strength(),
            (Scheme::Token(_), AuthenticationMethod::Ntlm) => u8::MAX - 1,
            (Scheme::Token(_), _) => u8::MAX,
        }
    }
}

/// Returns what the response offers, strongest first; of equals the server's first.
///
/// Left out are schemes that are not known, and challenges that ask for what this room cannot
/// do, such as an algorithm that it does not know.
pub(crate) fn offers(headers: &Headers, asker: Asker<'_>) -> Vec<Offer> {
    let fields = headers.get_all_bytes(asker.challenge_field());
    let mut sorted: Vec<Offer> = Vec::new();
    // They are few: code that sorts would be larger.
    for challenge in &challenges(fields) {
        if let Some(offer) = offer(challenge, asker) {
            let weaker = |other: &Offer| other.strength() < offer.strength();
            let at = sorted.iter().position(weaker).unwrap_or(sorted.len());
            sorted.insert(at, offer);
        }
    }
    sorted
}

fn offer(challenge: &ParsedChallenge, asker: Asker<'_>) -> Option<Offer> {
    let (method, scheme) = if challenge.is("Basic") {
        (AuthenticationMethod::Basic, Scheme::Basic)
    } else if challenge.is("Digest") {
        let digest = DigestChallenge::read(challenge)?;
        (AuthenticationMethod::Digest, Scheme::Digest(Box::new(digest)))
    } else {
        let method = if challenge.is("Negotiate") {
            AuthenticationMethod::Negotiate
        } else if challenge.is("NTLM") {
            AuthenticationMethod::Ntlm
        } else {
            return None;
        };
        (method, Scheme::Token(challenge.token68.as_deref().map(Into::into)))
    };
    let space = asker.space(method)?;
    let space = match challenge.parameter("realm") {
        Some(realm) => space.with_realm(&realm_of(realm)),
        None => space,
    };
    Some(Offer { space, scheme })
}

/// Returns a realm as text: UTF-8, or else ISO-8859-1, as other headers are read.
fn realm_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().copied().map(char::from).collect::<String>().into(),
    }
}

#[cfg(feature = "digest")]
#[cfg(test)]
mod tests {
    use super::*;

    /// Names what is offered: method, algorithm, realm.
    fn offered(fields: &[&str]) -> Vec<String> {
        let mut headers = Headers::new();
        for field in fields {
            headers.add("www-authenticate", field).unwrap();
        }
        let url = Url::parse("http://a.test/x").unwrap();
        let name = |offer: Offer| {
            let hash = match &offer.scheme {
                Scheme::Digest(challenge) => format!(" {}", challenge.algorithm.name()),
                _ => String::new(),
            };
            let realm = offer.space().realm().map(|realm| format!(" {realm}")).unwrap_or_default();
            format!("{:?}{hash}{realm}", offer.space().method())
        };
        offers(&headers, Asker::Server(&url)).into_iter().map(name).collect()
    }

    #[test]
    fn the_strongest_offer_comes_first_and_of_equals_the_servers_first() {
        let digest = |algorithm: &str| {
            format!("Digest realm=r, nonce=n, qop=\"auth\", algorithm={algorithm}")
        };
        let all = [
            "Basic realm=b1, Basic realm=b2",
            &digest("MD5"),
            &digest("SHA-256-sess"),
            &digest("SHA-256"),
            &digest("SHA-512-256"),
            "NTLM, Negotiate, Bearer realm=x, HOBA challenge=y",
        ];
        let expected = [
            "Negotiate",
            "Ntlm",
            "Digest SHA-512-256 r",
            "Digest SHA-256-sess r",
            "Digest SHA-256 r",
            "Digest MD5 r",
            "Basic b1",
            "Basic b2",
        ];
        assert_eq!(offered(&all), expected);
    }

    #[test]
    fn what_cannot_be_answered_is_not_offered() {
        for (field, expected) in [
            ("Basic", &["Basic"][..]),
            ("Basic realm", &["Basic"]),
            ("Basic realm=", &["Basic"]),
            ("Basic realm=my realm", &["Basic my realm"]),
            ("Digest realm=r", &[]),
            ("Digest nonce=n", &["Digest MD5"]),
            ("Digest abc", &[]),
            ("Digest realm=r, nonce=n", &["Digest MD5 r"]),
            ("Digest realm=r, nonce=n, algorithm=SHA-1024", &[]),
            ("Digest realm=r, nonce=n, qop=\"auth-conf\"", &["Digest MD5 r"]),
            ("Bearer realm=r", &[]),
            ("", &[]),
        ] {
            assert_eq!(offered(&[field]), expected, "{field:?}");
        }
    }

    #[test]
    fn a_proxy_asks_by_fields_of_its_own() {
        let mut headers = Headers::new();
        headers.add("Proxy-Authenticate", "Basic realm=p").unwrap();
        headers.add("WWW-Authenticate", "Basic realm=s, Negotiate YII=").unwrap();
        let url = Url::parse("http://p.test:3128").unwrap();
        let proxy = offers(&headers, Asker::Proxy(&url));
        assert_eq!(proxy.len(), 1);
        let space = proxy[0].space();
        assert!(space.is_proxy());
        assert_eq!((space.host(), space.port(), space.realm()), ("p.test", 3128, Some("p")));
        let server = offers(&headers, Asker::Server(&url));
        assert_eq!(server[0].token(), Some("YII="));
        assert!(
            server[0].needs_token() && !server[1].needs_token() && !server[1].space().is_proxy()
        );
        assert_eq!(Asker::Proxy(&url).answer_field(), "Proxy-Authorization");
        assert_eq!(Asker::Proxy(&url).info_field(), "Proxy-Authentication-Info");
    }
}
