//! [`ProtectionSpace`]: who asks, for what realm, by which method.

use std::hash::{Hash, Hasher};

use url::Url;

use crate::trust::{DistinguishedName, ServerTrust};

/// How a server or a proxy wants to know who asks.
#[doc(alias = "NSURLAuthenticationMethodDefault")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthenticationMethod {
    /// Whatever the protocol asks with; no challenge of a response says so.
    #[default]
    Default,
    /// User name and password as they are (RFC 7617).
    #[doc(alias = "NSURLAuthenticationMethodHTTPBasic")]
    Basic,
    /// A hash of user name, password and request (RFC 7616).
    #[doc(alias = "NSURLAuthenticationMethodHTTPDigest")]
    Digest,
    /// NTLM (MS-NTHT), for which the program has to bring the tokens.
    #[doc(alias = "NSURLAuthenticationMethodNTLM")]
    Ntlm,
    /// Kerberos or NTLM by SPNEGO (RFC 4559), for which the program has to bring the tokens.
    #[doc(alias = "NSURLAuthenticationMethodNegotiate")]
    Negotiate,
    /// The server asks for a certificate of the client.
    #[doc(alias = "NSURLAuthenticationMethodClientCertificate")]
    ClientCertificate,
    /// The server shows its certificate, to be trusted or not.
    #[doc(alias = "NSURLAuthenticationMethodServerTrust")]
    ServerTrust,
}

/// A part of a server, or a proxy, that takes the same credentials everywhere.
///
/// It is a key: two spaces are the same if host, port, protocol, realm, method and whether it
/// is a proxy are. What came with a single challenge, [`distinguished_names`] and
/// [`server_trust`], is left out. Hosts are compared in lower case.
///
/// [`distinguished_names`]: Self::distinguished_names
/// [`server_trust`]: Self::server_trust
///
/// # Examples
///
/// ```
/// use urlsession::{AuthenticationMethod, ProtectionSpace};
///
/// let space = ProtectionSpace::new("Shop.test", 443, "https", AuthenticationMethod::Basic)
///     .with_realm("orders");
/// assert_eq!(space.host(), "shop.test");
/// assert_eq!(space.realm(), Some("orders"));
/// assert!(space.receives_credential_securely() && !space.is_proxy());
/// ```
#[doc(alias = "URLProtectionSpace")]
#[doc(alias = "NSURLProtectionSpace")]
#[derive(Clone, Debug)]
pub struct ProtectionSpace {
    host: Box<str>,
    port: u16,
    protocol: Box<str>,
    realm: Option<Box<str>>,
    method: AuthenticationMethod,
    is_proxy: bool,
    distinguished_names: Vec<DistinguishedName>,
    server_trust: Option<ServerTrust>,
}

impl ProtectionSpace {
    /// Makes the space of a server, without a realm.
    ///
    /// `protocol` is the scheme of URLs there, such as `https`.
    #[doc(alias = "initWithHost:port:protocol:realm:authenticationMethod:")]
    pub fn new(host: &str, port: u16, protocol: &str, method: AuthenticationMethod) -> Self {
        Self {
            host: host.to_ascii_lowercase().into(),
            port,
            protocol: protocol.to_ascii_lowercase().into(),
            realm: None,
            method,
            is_proxy: false,
            distinguished_names: Vec::new(),
            server_trust: None,
        }
    }

    /// Returns the space with this realm: the name that the server gives to this part of
    /// it.
    pub fn with_realm(mut self, realm: &str) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Returns the space as that of a proxy, which asks on its own behalf.
    #[doc(alias = "initWithProxyHost:port:type:realm:authenticationMethod:")]
    pub fn for_proxy(mut self) -> Self {
        self.is_proxy = true;
        self
    }

    /// Adds the names of authorities whose certificates the server accepts.
    #[cfg(any(feature = "tls", all(feature = "daemon", unix)))]
    pub(crate) fn accepting(mut self, distinguished_names: Vec<Vec<u8>>) -> Self {
        let names = distinguished_names.into_iter().map(DistinguishedName::from_der);
        self.distinguished_names = names.collect();
        self
    }

    /// Adds what the server has shown.
    #[cfg(any(feature = "tls", all(feature = "daemon", unix)))]
    pub(crate) fn showing(mut self, trust: ServerTrust) -> Self {
        self.server_trust = Some(trust);
        self
    }

    /// Makes the space of the origin of `url`; one without a host or a port has none.
    pub(crate) fn of(url: &Url, method: AuthenticationMethod) -> Option<Self> {
        Some(Self::new(url.host_str()?, url.port_or_known_default()?, url.scheme(), method))
    }

    /// Returns the host that asks, in lower case; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port of the host.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the scheme of URLs there, such as `https`; for a proxy, how it is spoken to.
    #[doc(alias = "proxyType")]
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// Returns the realm that the server named, if it did. Only the server vouches for it.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// Returns how the server wants to know who asks.
    #[doc(alias = "authenticationMethod")]
    pub fn method(&self) -> AuthenticationMethod {
        self.method
    }

    /// Returns whether a proxy asks, and not the server behind it.
    pub fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    /// Returns the names of authorities whose certificates the server accepts, to be compared
    /// with the [issuers](crate::CertificateDetails::issuer) of the program's own; none means
    /// that it does not say. Only for [`ClientCertificate`](AuthenticationMethod::ClientCertificate).
    #[doc(alias = "distinguishedNames")]
    pub fn distinguished_names(&self) -> &[DistinguishedName] {
        &self.distinguished_names
    }

    /// Returns what the server has shown to be trusted; only for
    /// [`ServerTrust`](AuthenticationMethod::ServerTrust).
    #[doc(alias = "serverTrust")]
    pub fn server_trust(&self) -> Option<&ServerTrust> {
        self.server_trust.as_ref()
    }

    /// Returns whether nobody on the way can read the password: the protocol is encrypted,
    /// or the method never sends it.
    ///
    /// # Differences from Foundation
    ///
    /// [`Default`](AuthenticationMethod::Default) counts as sending it.
    #[doc(alias = "receivesCredentialSecurely")]
    pub fn receives_credential_securely(&self) -> bool {
        let sends_it =
            matches!(self.method, AuthenticationMethod::Default | AuthenticationMethod::Basic);
        matches!(&*self.protocol, "https" | "wss") || !sends_it
    }

    /// Whether both are on the same server or proxy, realm and method left out.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        self.is_proxy == other.is_proxy
            && self.port == other.port
            && self.protocol == other.protocol
            && self.host == other.host
    }
}

impl PartialEq for ProtectionSpace {
    fn eq(&self, other: &Self) -> bool {
        self.same_place(other) && self.method == other.method && self.realm == other.realm
    }
}

impl Eq for ProtectionSpace {}

impl Hash for ProtectionSpace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.host, self.port, &self.protocol, &self.realm, self.method).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_property_tells_spaces_apart_and_the_case_of_hosts_does_not() {
        let new = |host: &str, port, protocol: &str, method| {
            ProtectionSpace::new(host, port, protocol, method).with_realm("r")
        };
        let basic = AuthenticationMethod::Basic;
        let space = new("a.test", 80, "http", basic);
        assert_eq!(space, new("A.TEST", 80, "HTTP", basic));
        let others = [
            new("b.test", 80, "http", basic),
            new("a.test", 81, "http", basic),
            new("a.test", 80, "https", basic),
            new("a.test", 80, "http", AuthenticationMethod::Digest),
            space.clone().with_realm("R"),
            space.clone().for_proxy(),
        ];
        for other in &others {
            assert_ne!(&space, other);
        }
        assert_eq!(others.iter().chain([&space]).collect::<HashSet<_>>().len(), 7);
    }

    #[test]
    fn a_url_has_the_space_of_its_origin() {
        for (url, expected) in [
            ("http://A.test/x", Some(("a.test", 80, "http"))),
            ("https://a.test", Some(("a.test", 443, "https"))),
            ("https://a.test:8443/x?y", Some(("a.test", 8443, "https"))),
            ("http://[::1]:8080/", Some(("[::1]", 8080, "http"))),
            ("data:,x", None),
        ] {
            let space = ProtectionSpace::of(&Url::parse(url).unwrap(), Default::default());
            let found = space.as_ref().map(|s| (s.host(), s.port(), s.protocol()));
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn a_password_is_safe_if_it_is_encrypted_or_not_sent() {
        use AuthenticationMethod::{Basic, Default, Digest, Negotiate, ServerTrust};
        for (protocol, method, safe) in [
            ("http", Basic, false),
            ("http", Default, false),
            ("http", Digest, true),
            ("http", Negotiate, true),
            ("https", Basic, true),
            ("HTTPS", Default, true),
            ("https", ServerTrust, true),
        ] {
            let space = ProtectionSpace::new("a", 1, protocol, method);
            assert_eq!(space.receives_credential_securely(), safe, "{protocol} {method:?}");
        }
    }
}
