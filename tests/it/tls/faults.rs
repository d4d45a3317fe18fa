//! Handshakes that fail for other reasons than a certificate.

use std::time::Duration;

use urlsession::testing::{Answer, Authority, Counters, HandshakeFault, Server};
use urlsession::{Clock, ErrorKind, Stage};

use super::{session, trusting};

#[test]
fn a_handshake_that_breaks_fails_in_a_way_that_says_why() {
    #[cfg(not(windows))]
    use ErrorKind::NetworkConnectionLost as Lost;
    use ErrorKind::{
        ClientCertificateRejected as Rejected, ClientCertificateRequired as Required,
        SecureConnectionFailed as Failed,
    };

    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    server.handle(|_| Answer::ok("fine"));
    let session = session(trusting(&authority));
    let counters = Counters::of(&session);
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    let cases = [
        (HandshakeFault::Close, Failed, "closed the connection"),
        // Wine 8 shuts down every socket that it closes, so that an end may be seen before.
        #[cfg(not(windows))]
        (HandshakeFault::Reset, Lost, "reset"),
        (HandshakeFault::garbage(), Failed, "is not TLS"),
        (HandshakeFault::Bytes(http), Failed, "is not TLS"),
        (HandshakeFault::Bytes(vec![22, 3, 3, 0, 4, 2]), Failed, "closed the connection"),
        (HandshakeFault::Bytes(vec![22, 3, 3, 255, 255, 2]), Failed, "TLS"),
        (HandshakeFault::Alert(40), Failed, "the server ended the TLS connection"),
        (HandshakeFault::Alert(70), Failed, "every version of TLS"),
        (HandshakeFault::Alert(112), Failed, "the server ended the TLS connection"),
        (HandshakeFault::Alert(42), Rejected, "refused the client's certificate"),
        (HandshakeFault::Alert(48), Rejected, "refused the client's certificate"),
        (HandshakeFault::Alert(116), Required, "demands a client certificate"),
    ];
    for (fault, kind, told) in cases {
        let row = format!("{fault:?}");
        server.fail_next_handshake(fault);
        let error = session.data(server.url("/a")).unwrap_err();
        assert_eq!(error.kind(), kind, "{row}: {error:?}");
        assert_eq!(error.stage(), Some(Stage::Securing), "{row}: {error:?}");
        assert_eq!(error.failing_url(), Some(&*server.url("/a")), "{row}");
        assert!(format!("{error:?}").contains(told), "{row}: {error:?}");
        assert_eq!(counters.sockets(), 0, "{row}");
    }
    assert_eq!(session.data(server.url("/a")).unwrap().text(), "fine");
}

#[test]
fn a_handshake_that_stalls_runs_into_the_idle_timer() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let mut configuration = trusting(&authority);
    let clock = Clock::by_hand();
    configuration.clock = clock.clone();
    let session = session(configuration);
    server.fail_next_handshake(HandshakeFault::Stall);
    let error = std::thread::scope(|scope| {
        let loading = scope.spawn(|| session.data(server.url("/")));
        server.wait_until(|stats| stats.stalled == 1);
        while !loading.is_finished() {
            clock.advance(Duration::from_secs(10));
            std::thread::yield_now();
        }
        loading.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error:?}");
    assert_eq!(error.stage(), Some(Stage::Securing), "{error:?}");
}

#[test]
fn https_to_a_port_that_speaks_http_says_so() {
    let authority = Authority::new();
    let server = Server::start();
    let url = server.url("/").replace("http://", "https://");
    let error = session(trusting(&authority)).data(url).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{error:?}");
    assert_eq!(error.stage(), Some(Stage::Securing));
    assert!(error.to_string().contains("http"), "{error}");
    assert!(error.to_string().contains("is not TLS"), "{error}");
    assert_eq!(server.take_failures().len(), 1, "the server got a handshake for a request");
}

#[test]
fn http_to_a_port_that_speaks_https_says_so() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let url = server.url("/").replace("https://", "http://");
    let error = session(trusting(&authority)).data(url).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotParseResponse, "{error:?}");
    assert_eq!(error.stage(), Some(Stage::WaitingForResponse));
    assert!(error.to_string().contains("https"), "{error}");
    assert_eq!(server.request_count(), 0);
}
