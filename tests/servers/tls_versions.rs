//! Versions of TLS, with servers of openssl that speak one each.

use urlsession::{ErrorKind, Session, Stage, TlsVersion};

use crate::relay::Relay;
use crate::tls::trusting;
use crate::{TLS11, TLS12, given};

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_of_tls_1_1_is_not_spoken_to() {
    let (server, (_, configuration)) = (given(TLS11), trusting());
    let relay = Relay::to(&server);
    let error = Session::new(configuration).unwrap().data(relay.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{error}");
    assert_eq!(error.stage(), Some(Stage::Securing));
    assert_eq!(relay.connections(), 1, "an older version was tried, or the same again");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_of_tls_1_2_is_spoken_to_if_that_is_not_too_low() {
    for (minimum, is_spoken_to) in [(TlsVersion::Tls12, true), (TlsVersion::Tls13, false)] {
        let (server, (_, mut configuration)) = (given(TLS12), trusting());
        configuration.tls_minimum_version = minimum;
        let relay = Relay::to(&server);
        let loaded = Session::new(configuration).unwrap().data(relay.url("/"));
        match loaded {
            Ok(data) => {
                assert!(is_spoken_to);
                assert!(data.text().contains("TLSv1.2"), "{}", data.text());
            }
            Err(error) => {
                assert!(!is_spoken_to, "{error}");
                assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{error}");
            }
        }
        assert_eq!(relay.connections(), 1, "{minimum:?}");
    }
}
