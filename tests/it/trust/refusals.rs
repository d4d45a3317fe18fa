//! What is refused, in which words, and that a delegate may accept it for all that.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, NameConstraints, date_time_ymd,
};
use urlsession::testing::Server;
use urlsession::{Certificate, Disposition, ErrorKind};

use super::set_up::{
    Party, authority_params, fixture, fixture_key, load, naming, serve, server_params,
};
use crate::support::deciding::{Deciding, about_server, asking};

/// What is served, what is named, the kind of the error, and what its text says.
type Row = (&'static str, Server, Certificate, ErrorKind, &'static [&'static str]);

#[expect(clippy::too_many_lines, reason = "a table")]
fn not_evaluated() -> Vec<Row> {
    let extension = |id: &[u64]| {
        let mut extension = CustomExtension::from_oid_content(id, vec![5, 0]);
        extension.set_criticality(true);
        extension
    };
    let mut critical = server_params();
    critical.custom_extensions = vec![extension(&[1, 2, 3, 4])];
    let mut limited = authority_params("limited");
    let mut shop = rcgen::DistinguishedName::new();
    shop.push(DnType::OrganizationName, "Shop");
    limited.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DirectoryName(shop)],
        excluded_subtrees: Vec::new(),
    });
    let limited = Party::alone(limited);
    let root = Party::alone(authority_params("root"));
    let between = root.issues(limited.params.clone());
    let served = |own: &Party, above: &[&Party]| own.serves(above);
    let of_fixture = |name: &str| {
        let certificate = fixture(name);
        serve(&[certificate.as_der()], &fixture_key())
    };
    let expired_between = {
        let mut params = authority_params("expired between");
        (params.not_before, params.not_after) =
            (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        root.issues(params)
    };
    let date = ErrorKind::ServerCertificateHasBadDate;
    let untrusted = ErrorKind::ServerCertificateUntrusted;
    vec![
        (
            "version 1",
            of_fixture("v1"),
            fixture("v1"),
            untrusted,
            &["(CN=localhost) is of version 1 of X.509"],
        ),
        (
            "critical",
            served(&Party::alone(critical), &[]),
            root.certificate(),
            untrusted,
            &["(CN=localhost) has an extension that is critical and not known here (1.2.3.4)"],
        ),
        (
            "directory names of a root",
            served(&limited.issues(server_params()), &[]),
            limited.certificate(),
            untrusted,
            &["the root (CN=limited)", "directory names", "if a delegate accepts it"],
        ),
        (
            "directory names of an intermediate",
            served(&between.issues(server_params()), &[&between]),
            root.certificate(),
            untrusted,
            &["the intermediate certificate (CN=limited)", "directory names"],
        ),
        (
            "ECDSA with SHA-512",
            of_fixture("sha512-leaf"),
            fixture("sha512-root"),
            untrusted,
            &[
                "certificate (CN=localhost) is signed by ECDSA with SHA-512 and a key of the curve P-256",
            ],
        ),
        (
            "P-521",
            of_fixture("p521-leaf"),
            fixture("p521-root"),
            untrusted,
            &["is signed by ECDSA with SHA-512 and a key of the curve P-521"],
        ),
        (
            "SHA-1",
            of_fixture("sha1-leaf"),
            fixture("sha1-root"),
            untrusted,
            &["is signed by RSA with SHA-1"],
        ),
        (
            "RSA of 1024 bits",
            of_fixture("rsa1024-leaf"),
            fixture("rsa1024-root"),
            untrusted,
            &["is signed by a key of RSA of 1024 bits, which is not accepted"],
        ),
        (
            "an intermediate has expired",
            served(&expired_between.issues(server_params()), &[&expired_between]),
            root.certificate(),
            date,
            &[
                "the intermediate certificate (CN=expired between) has expired: it was valid until 2002-01-01 00:00:00 UTC",
            ],
        ),
    ]
}

#[test]
fn what_a_delegate_accepts_is_accepted_whatever_could_not_be_evaluated() {
    for (name, server, named, kind, texts) in not_evaluated() {
        let configuration = naming(vec![named], &server);
        let error = load(configuration.clone(), &server, "localhost").unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        for text in texts {
            assert!(error.to_string().contains(text), "{name}: {error}");
        }
        let whole = format!("{error} {}", std::error::Error::source(&error).unwrap());
        for debug in ["Context", "{", "[", "IpAddress", "Unsupported(", "CertExpired"] {
            assert!(!whole.contains(debug), "{name}: {whole}");
        }
        let delegate = Deciding::accepting();
        let session = asking(configuration.clone(), &delegate);
        let data = session.data(server.url_with_host("localhost", "/")).unwrap();
        assert_eq!(data.text(), "secret", "{name}");
        assert_eq!(delegate.take_asked(), [about_server(Some(kind))], "{name}");
        let delegate = Deciding::always(Disposition::PerformDefaultHandling);
        let error = asking(configuration, &delegate).data(server.url_with_host("localhost", "/"));
        assert_eq!(error.unwrap_err().kind(), kind, "{name}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_refusal_names_the_certificate_that_is_to_blame() {
    let root = Party::alone(authority_params("root"));
    let namesake = Party::alone(authority_params("root"));
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = authority_params("between");
        change(&mut params);
        root.issues(params)
    };
    let no_authority = with(&|params| params.is_ca = IsCa::ExplicitNoCa);
    let early = with(&|params| params.not_before = date_time_ymd(3001, 1, 1));
    let for_clients =
        with(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let of_others = with(&|params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("other.test".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let last = with(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let lower = last.issues(authority_params("lower"));
    let unknown = Party::alone(authority_params("unknown"));
    let of_unknown = unknown.issues(authority_params("of unknown"));
    let rows: [(Server, ErrorKind, &str); 10] = [
        (
            no_authority.issues(server_params()).serves(&[&no_authority]),
            ErrorKind::ServerCertificateUntrusted,
            "the intermediate certificate (CN=between) vouches for another, and is not that of an \
             authority",
        ),
        (
            early.issues(server_params()).serves(&[&early]),
            ErrorKind::ServerCertificateNotYetValid,
            "the intermediate certificate (CN=between) is not valid yet, not before 3001-01-01",
        ),
        (
            for_clients.issues(server_params()).serves(&[&for_clients]),
            ErrorKind::ServerCertificateUntrusted,
            "the intermediate certificate (CN=between) is not one for servers",
        ),
        (
            of_others.issues(server_params()).serves(&[&of_others]),
            ErrorKind::ServerCertificateUntrusted,
            "the server's certificate (CN=localhost) has names that an authority above it may not \
             vouch for",
        ),
        (
            lower.issues(server_params()).serves(&[&lower, &last]),
            ErrorKind::ServerCertificateUntrusted,
            "the server's certificate (CN=localhost) comes by more authorities in a row",
        ),
        (
            namesake.issues(server_params()).serves(&[]),
            ErrorKind::ServerCertificateUntrusted,
            "the server's certificate (CN=localhost) is not signed by the key of its issuer (CN=root)",
        ),
        (
            namesake.issues(authority_params("between")).issues(server_params()).serves(&[]),
            ErrorKind::ServerCertificateHasUnknownRoot,
            "no certificate of the issuer (CN=between) is shown or trusted",
        ),
        (
            of_unknown.issues(server_params()).serves(&[&of_unknown]),
            ErrorKind::ServerCertificateHasUnknownRoot,
            "no certificate of the issuer (CN=unknown) is shown or trusted",
        ),
        (
            of_unknown.issues(server_params()).serves(&[&of_unknown, &unknown]),
            ErrorKind::ServerCertificateHasUnknownRoot,
            "the one at its end (CN=unknown) vouches for itself",
        ),
        (
            Party::alone(server_params()).serves(&[]),
            ErrorKind::ServerCertificateHasUnknownRoot,
            "the server's certificate (CN=localhost) leads to no root that is trusted: it vouches \
             for itself",
        ),
    ];
    for (server, kind, text) in rows {
        let configuration = naming(vec![root.certificate()], &server);
        let error = load(configuration, &server, "localhost").unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}
