//! Trust as people set it up: certificates that they name, and what no path leads to.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use urlsession::testing::{Answer, Identity, ServedVersion, Server};
use urlsession::{Certificate, Configuration, Error, ErrorKind, PublicKeyPins, Session};

use crate::support::deciding::{Deciding, HERE, asking, everywhere_is};

/// Somebody with a key and a certificate.
pub(super) struct Party {
    key: KeyPair,
    pub(super) params: CertificateParams,
    der: Vec<u8>,
}

pub(super) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// What makes a server's certificate for `localhost`.
pub(super) fn server_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params
}

pub(super) fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

impl Party {
    /// One who vouches for himself.
    pub(super) fn alone(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { key, params, der }
    }

    /// One for whom this one vouches.
    pub(super) fn issues(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let der = params.signed_by(&key, &issuer).unwrap().der().to_vec();
        Self { key, params, der }
    }

    pub(super) fn certificate(&self) -> Certificate {
        Certificate::from_der(&*self.der)
    }

    /// A server that shows this one's certificate and those.
    pub(super) fn serves(&self, above: &[&Self]) -> Server {
        let chain: Vec<&[u8]> = [self].iter().chain(above).map(|one| &*one.der).collect();
        serve(&chain, self.key.serialized_der())
    }
}

pub(super) fn serve(chain: &[&[u8]], key: &[u8]) -> Server {
    let server = Server::start_tls(&Identity::from_der(chain, key));
    server.handle(|_| Answer::ok("secret"));
    server
}

/// Settings that trust these and nobody else, and find every name at the server.
pub(super) fn naming(named: Vec<Certificate>, server: &Server) -> Configuration {
    let mut configuration = Configuration::ephemeral();
    configuration.trusts_system_roots = false;
    configuration.additional_roots = named;
    configuration.resolver = Some(everywhere_is(server));
    configuration
}

pub(super) fn load(
    configuration: Configuration,
    server: &Server,
    host: &str,
) -> Result<String, Error> {
    let session = Session::new(configuration).unwrap();
    let data = session.data(server.url_with_host(host, "/"))?;
    Ok(data.text().into_owned())
}

/// Certificates of the fixtures.
pub(super) fn fixture(name: &str) -> Certificate {
    let path = format!("{}/tests/fixtures/trust/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    Certificate::from_pem(std::fs::read(path).unwrap()).unwrap().remove(0)
}

/// The key of the fixtures' servers.
pub(super) fn fixture_key() -> Vec<u8> {
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::pki_types::pem::PemObject;

    let path = format!("{}/tests/fixtures/trust/leaf-key.pem", env!("CARGO_MANIFEST_DIR"));
    PrivatePkcs8KeyDer::from_pem_file(path).unwrap().secret_pkcs8_der().to_vec()
}

#[test]
fn a_named_certificate_is_trusted_for_its_names_whatever_else_it_says() {
    let mut authority = server_params();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut signing = authority.clone();
    signing.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let mut explicit = server_params();
    explicit.is_ca = IsCa::ExplicitNoCa;
    let mut for_servers = explicit.clone();
    for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let unknown = Party::alone(authority_params("unknown"));
    for (name, own) in [
        ("as openssl req -x509 makes it", Party::alone(authority.clone())),
        ("an authority's with key usage", Party::alone(signing)),
        ("nothing said", Party::alone(server_params())),
        ("said to be none", Party::alone(explicit.clone())),
        ("for servers", Party::alone(for_servers)),
        ("of an unknown issuer", unknown.issues(explicit)),
        ("an authority's of an unknown issuer", unknown.issues(authority)),
    ] {
        let server = own.serves(&[]);
        let configuration = naming(vec![own.certificate()], &server);
        let loaded = load(configuration.clone(), &server, "localhost");
        assert_eq!(loaded.unwrap(), "secret", "{name}");
        // For its own names and no others.
        let error = load(configuration.clone(), &server, "other.test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{name}");
        assert!(error.to_string().contains("not for this host, but for localhost"), "{error}");
        assert!(error.to_string().contains("looked for is other.test"), "{error}");
        // Pins are a demand of their own.
        let mut pinned = configuration.clone();
        let pin = PublicKeyPins::from_hashes("localhost", [[7; 32]]).unwrap();
        pinned.pinned_public_keys = vec![pin];
        let error = load(pinned.clone(), &server, "localhost").unwrap_err();
        assert!(error.to_string().contains("pinned_public_keys"), "{name}: {error}");
        let hash = own.certificate().public_key_fingerprint().unwrap();
        pinned.pinned_public_keys = vec![PublicKeyPins::from_hashes("localhost", [hash]).unwrap()];
        assert_eq!(load(pinned, &server, "localhost").unwrap(), "secret", "{name}");
        // Whoever has not named it does not trust it.
        let stranger = Party::alone(server_params());
        let error = load(naming(vec![stranger.certificate()], &server), &server, "localhost");
        assert!(error.is_err(), "{name}");
    }
}

#[test]
fn a_named_certificate_is_still_measured_by_its_dates_and_its_use() {
    let mut expired = server_params();
    (expired.not_before, expired.not_after) =
        (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let mut early = server_params();
    (early.not_before, early.not_after) = (date_time_ymd(3001, 1, 1), date_time_ymd(3002, 1, 1));
    let mut for_clients = server_params();
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (params, kind, text) in [
        (
            expired,
            ErrorKind::ServerCertificateHasBadDate,
            "(CN=localhost) has expired: it was valid until 2002-01-01",
        ),
        (
            early,
            ErrorKind::ServerCertificateNotYetValid,
            "(CN=localhost) is not valid yet, not before 3001-01-01",
        ),
        (for_clients, ErrorKind::ServerCertificateUntrusted, "not one for servers"),
    ] {
        for is_ca in [IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let mut params = params.clone();
            params.is_ca = is_ca;
            let own = Party::alone(params);
            let server = own.serves(&[]);
            let configuration = naming(vec![own.certificate()], &server);
            let error = load(configuration, &server, "localhost").unwrap_err();
            assert_eq!(error.kind(), kind, "{text}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}

#[test]
fn a_servers_certificate_that_is_named_vouches_for_nobody_else() {
    let mut silent = server_params();
    silent.is_ca = IsCa::ExplicitNoCa;
    let mut not_signing = authority_params("not signing");
    not_signing.key_usages = vec![KeyUsagePurpose::CrlSign];
    for params in [silent, not_signing] {
        let named = Party::alone(params);
        let other = named.issues(server_params());
        let server = other.serves(&[]);
        let configuration = naming(vec![named.certificate()], &server);
        let error = load(configuration, &server, "localhost").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot);
        assert!(error.to_string().contains("may not sign certificates"), "{error}");
    }
    // What says nothing, as old roots do, may sign.
    let quiet = Party::alone(params("an old root"));
    let server = quiet.issues(server_params()).serves(&[]);
    assert!(load(naming(vec![quiet.certificate()], &server), &server, "localhost").is_ok());
}

#[test]
fn an_intermediate_whose_key_may_not_sign_certificates_is_refused() {
    let root = Party::alone(authority_params("root"));
    let usages = [
        (vec![], true),
        (vec![KeyUsagePurpose::KeyCertSign], true),
        (vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign], true),
        (vec![KeyUsagePurpose::DigitalSignature], false),
        (vec![KeyUsagePurpose::CrlSign], false),
        (vec![KeyUsagePurpose::DecipherOnly], false),
    ];
    for (usages, is_good) in usages {
        let mut between = authority_params("between");
        between.key_usages = usages.clone();
        let between = root.issues(between);
        let server = between.issues(server_params()).serves(&[&between]);
        let loaded = load(naming(vec![root.certificate()], &server), &server, "localhost");
        match (loaded, is_good) {
            (Ok(text), true) => assert_eq!(text, "secret"),
            (Err(error), false) => {
                assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{usages:?}");
                let text = error.to_string();
                assert!(text.contains("CN=between") && text.contains("key usage"), "{text}");
            }
            (loaded, _) => panic!("{usages:?}: {loaded:?}"),
        }
    }
    // Further up, and while another path is good.
    let mut unfit = authority_params("unfit");
    unfit.key_usages = vec![KeyUsagePurpose::CrlSign];
    let unfit = root.issues(unfit);
    let lower = unfit.issues(authority_params("lower"));
    let own = lower.issues(server_params());
    let server = own.serves(&[&lower, &unfit]);
    let error = load(naming(vec![root.certificate()], &server), &server, "localhost").unwrap_err();
    assert!(error.to_string().contains("CN=unfit"), "{error}");
    let both = vec![root.certificate(), lower.certificate()];
    assert_eq!(load(naming(both, &server), &server, "localhost").unwrap(), "secret");
}

#[test]
fn what_is_accepted_has_its_pins_looked_at_whatever_could_not_be_evaluated() {
    let certificate = fixture("v1");
    let server = serve(&[certificate.as_der()], &fixture_key());
    let mut configuration = naming(vec![certificate.clone()], &server);
    let hash = certificate.public_key_fingerprint().unwrap();
    for (hash, is_good) in [(hash, true), ([7; 32], false)] {
        let pins = PublicKeyPins::from_hashes("localhost", [hash]).unwrap();
        configuration.pinned_public_keys = vec![pins];
        let session = asking(configuration.clone(), &Deciding::accepting());
        let loaded = session.data(server.url_with_host("localhost", "/"));
        assert_eq!(loaded.is_ok(), is_good, "{loaded:?}");
    }
}

#[test]
fn in_both_versions_a_certificate_that_is_shown_is_no_use_without_its_key() {
    let certificate = fixture("v1");
    let other = KeyPair::generate().unwrap();
    for version in [ServedVersion::Tls12, ServedVersion::Tls13] {
        let start = |key: &[u8]| {
            let identity = Identity::from_der(&[certificate.as_der()], key);
            let server = Server::builder().tls(&identity).tls_versions(&[version]).start();
            server.handle(|_| Answer::ok("secret"));
            server
        };
        let server = start(&fixture_key());
        let session = asking(naming(vec![certificate.clone()], &server), &Deciding::accepting());
        let loaded = session.data(server.url_with_host("localhost", "/")).unwrap();
        assert_eq!(loaded.text(), "secret", "{version:?}");

        let thief = start(other.serialized_der());
        let session = asking(naming(vec![certificate.clone()], &thief), &Deciding::accepting());
        let error = session.data(thief.url_with_host("localhost", "/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{version:?}");
        assert!(error.to_string().contains("has not shown that it has the key"), "{error}");
        assert_eq!(thief.request_count(), 0);
    }
}

#[test]
fn a_root_that_is_no_certificate_is_told_by_its_place() {
    let good = Party::alone(authority_params("good"));
    let server = good.serves(&[]);
    let broken = Certificate::from_der(*b"no certificate");
    let configuration = naming(vec![good.certificate(), broken], &server);
    let error = Session::new(configuration).unwrap_err();
    assert!(error.to_string().contains("additional_roots[1] is not a certificate"), "{error}");
}

#[test]
fn names_are_told_in_words() {
    let mut params = params("localhost");
    let name = |text: &str| text.try_into().unwrap();
    params.subject_alt_names = vec![
        rcgen::SanType::DnsName(name("a.test")),
        rcgen::SanType::IpAddress([192, 0, 2, 7].into()),
        rcgen::SanType::IpAddress("2001:db8::7".parse::<std::net::IpAddr>().unwrap()),
        rcgen::SanType::Rfc822Name(name("ann@shop.test")),
        rcgen::SanType::URI(name("https://shop.test/")),
        rcgen::SanType::DnsName(name("b.test")),
    ];
    let own = Party::alone(params);
    let server = own.serves(&[]);
    let configuration = naming(vec![own.certificate()], &server);
    for (host, looked_for) in
        [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1")]
    {
        let error = load(configuration.clone(), &server, host).unwrap_err();
        let expected = format!(
            "the server's certificate (CN=localhost) is not for this host, but for a.test, \
             192.0.2.7, 2001:db8::7, ann@shop.test, https://shop.test/ and one other; the name that \
             was looked for is {looked_for}"
        );
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let nameless = Party::alone(self::params("localhost"));
    let server = nameless.serves(&[]);
    let configuration = naming(vec![nameless.certificate()], &server);
    let error = load(configuration, &server, HERE[0]).unwrap_err();
    assert!(error.to_string().contains("its common name does not count"), "{error}");
}
