//! Versions of TLS, with servers of openssl that speak one each.

use urlsession::{ErrorKind, Session, Stage, TlsVersion};

use crate::relay::Relay;
use crate::tls::trusting;
use crate::{TLS11, TLS12, given};

#[test]
fn a_server_of_tls_1_1_is_not_spoken_to() {
    let (Some(server), Some((_, configuration))) = (given(TLS11), trusting()) else { return };
    let relay = Relay::to(&server);
    let error = Session::new(configuration).unwrap().data(relay.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{error}");
    assert_eq!(error.stage(), Some(Stage::Securing));
    assert_eq!(relay.connections(), 1, "an older version was tried, or the same again");
}

#[test]
fn a_server_of_tls_1_2_is_spoken_to_if_that_is_not_too_low() {
    for (minimum, is_spoken_to) in [(TlsVersion::Tls12, true), (TlsVersion::Tls13, false)] {
        let (Some(server), Some((_, mut configuration))) = (given(TLS12), trusting()) else {
            return;
        };
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
