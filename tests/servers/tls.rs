//! TLS with nginx and a certificate of an authority of our own.

use std::fs;
use std::io::{self, Read};

use urlsession::{Certificate, Configuration, Data, ErrorKind, Request, Session, TlsVersion};

use crate::{NGINX, NGINX_CA, NGINX_TLS, configuration, given, session};

/// The address, and settings that trust its certificate.
pub(crate) fn trusting() -> (String, Configuration) {
    let (nginx, ca) = (given(NGINX_TLS), given(NGINX_CA));
    let mut configuration = configuration();
    configuration.trusts_system_roots = false;
    configuration.additional_roots = Certificate::from_pem(fs::read(ca).unwrap()).unwrap();
    (nginx, configuration)
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_certificate_of_a_trusted_authority_is_accepted_for_name_and_address() {
    let (nginx, configuration) = trusting();
    let session = Session::new(configuration).unwrap();
    for url in [nginx.clone(), nginx.replace("localhost", "127.0.0.1")] {
        let data = session.data(format!("{url}/small.bin")).unwrap();
        assert_eq!(data.body.len(), 1024, "{url}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let nginx = given(NGINX_TLS);
    let error = session().data(format!("{nginx}/small.bin")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn either_version_of_tls_is_spoken_alone() {
    let (nginx, mut configuration) = trusting();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        configuration.tls_minimum_version = version;
        configuration.tls_maximum_version = version;
        let session = Session::new(configuration.clone()).unwrap();
        for requests in 1..=3 {
            let data = session.data(format!("{nginx}/seen")).unwrap();
            assert!(data.text().ends_with(&format!(" {requests}")), "{version:?}");
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn bodies_go_both_ways_over_tls() {
    let (nginx, configuration) = trusting();
    let session = Session::new(configuration).unwrap();
    let part = Request::get(format!("{nginx}/large.bin")).header("Range", "bytes=0-16777215");
    let mut body = session.bytes(part).unwrap();
    assert_eq!(io::copy(&mut body, &mut io::sink()).unwrap(), 16 << 20);
    let upload = Request::post(format!("{nginx}/upload")).body(vec![0; 4 << 20]);
    assert_eq!(session.data(upload).unwrap().text(), (4 << 20).to_string());
    let mut rest = Vec::new();
    session.bytes(format!("{nginx}/lines.txt")).unwrap().read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"\n20000\n"));
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_redirect_may_lead_from_plain_to_tls() {
    let (plain, (_, configuration)) = (given(NGINX), trusting());
    let session = Session::new(configuration).unwrap();
    let data = session.data(format!("{plain}/redirect/to-tls")).unwrap();
    assert_eq!(data.response.url().scheme(), "https");
    assert_eq!(data.body.len(), 1024);
}

/// What a test compares of an answer: what differs from load to load is left out.
fn compared(data: &Data) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let lines = data.response.headers().iter();
    let lines = lines.filter(|(name, _)| !name.eq_ignore_ascii_case("date"));
    let lines = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (data.response.status().as_u16(), lines, data.body.clone())
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn answers_are_the_same_with_and_without_tls() {
    let (plain, (secure, configuration)) = (given(NGINX), trusting());
    let over_tls = Session::new(configuration).unwrap();
    let without = session();
    type Change = fn(Request) -> Request;
    let cases: [(&str, &str, u16, usize, Change); 15] = [
        ("GET", "small.bin", 200, 1024, |request| request),
        ("HEAD", "small.bin", 200, 0, |request| request),
        ("HEAD", "large.bin", 200, 0, |request| request),
        ("GET", "small.bin", 206, 10, |request| request.header("Range", "bytes=5-14")),
        ("GET", "small.bin", 206, 1, |request| request.header("Range", "bytes=-1")),
        ("GET", "small.bin", 416, 197, |request| request.header("Range", "bytes=2000-")),
        ("GET", "lines.txt", 200, 108_894, |request| request),
        ("GET", "lines.txt", 200, 108_894, |request| request.header("Accept-Encoding", "identity")),
        ("GET", "chunked.html", 200, 17, |request| request),
        ("GET", "missing", 404, 153, |request| request),
        ("GET", "empty", 204, 0, |request| request),
        ("GET", "close", 200, 1024, |request| request),
        ("GET", "redirect/301", 200, 1024, |request| request),
        ("POST", "upload", 200, 7, |request| request.body(vec![0; 3 << 20])),
        ("POST", "limited", 413, 183, |request| request.body(vec![0; 3 << 20])),
    ];
    for (method, path, status, length, change) in cases {
        let load = |session: &Session, base: &str| {
            let request = change(Request::new(method, format!("{base}/{path}")));
            session.data(request).unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
        };
        let (one, other) = (compared(&load(&without, &plain)), compared(&load(&over_tls, &secure)));
        assert_eq!((one.0, one.2.len()), (status, length), "{method} {path}: {:?}", one.1);
        assert!(one == other, "{method} {path}: {:?} and {:?}", one.1, other.1);
    }
}
