//! Places where two rules meet: what comes behind a body, an answer before its request is whole.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, ErrorKind, Request, Session};

fn session(change: impl FnOnce(&mut Configuration)) -> Session {
    let mut configuration = Configuration::ephemeral();
    change(&mut configuration);
    Session::new(configuration).unwrap()
}

#[cfg(feature = "tls")]
mod tls {
    use urlsession::Certificate;
    use urlsession::testing::Authority;

    use super::*;

    #[test]
    fn what_a_server_sends_behind_a_body_is_never_the_answer_to_the_next_request() {
        let authority = Authority::new();
        let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
        let session = session(|configuration| {
            let root = Certificate::from_der(authority.certificate_der());
            configuration.additional_roots = vec![root];
        });
        // Small bodies arrive with the head; of large ones the end goes straight to the
        // reader, and what stands behind it in its record does not.
        for length in [5, 16 * 1024, 40_000, 100_000] {
            let body = "x".repeat(length);
            let smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
            server.enqueue(
                Answer::raw(format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}{smuggled}"
                ))
                .keep_open(),
            );
            server.enqueue(Answer::ok("honest"));
            assert_eq!(session.data(server.url("/a")).unwrap().body.len(), length);
            assert_eq!(session.data(server.url("/b")).unwrap().text(), "honest", "{length}");
        }
    }

    #[test]
    fn a_server_whose_certificate_is_refused_is_told_so() {
        let authority = Authority::new();
        let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
        let session = session(|configuration| {
            let root = Certificate::from_der(Authority::new().certificate_der());
            configuration.additional_roots = vec![root];
            configuration.trusts_system_roots = false;
        });
        let error = session.data(server.url("/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot);
        server.wait_until(|stats| stats.failed_handshakes == 1);
        let told = server.handshake_errors().join("; ");
        assert!(told.contains("UnknownCA"), "{told}");
    }
}

#[test]
fn an_answer_to_a_head_that_did_not_go_out_whole_is_delivered_although_100_was_expected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 1024]).unwrap();
        client.write_all(b"HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let request = Request::post(url)
        .header("X-Large", "x".repeat(32 << 20))
        .header("Expect", "100-continue")
        .body("hello");
    let data = session(|_| {}).data(request).unwrap();
    assert_eq!(data.response.status(), 431);
    server.join().unwrap();
}

#[test]
fn a_redirect_whose_body_has_no_end_is_followed_at_once() {
    let server = Server::start();
    server.enqueue(Answer::raw("HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nmoved").keep_open());
    server.enqueue(Answer::ok("there"));
    let session = session(|configuration| {
        configuration.timeout_for_resource = Duration::from_secs(5);
    });
    assert_eq!(session.data(server.url("/a")).unwrap().text(), "there");
}

#[test]
fn bytes_that_have_arrived_are_not_read_after_a_cancel() {
    let server = Server::start();
    server.enqueue(Answer::ok("0123456789"));
    let mut bytes = session(|_| {}).bytes(server.url("/")).unwrap();
    let mut one = [0];
    assert_eq!(bytes.read(&mut one).unwrap(), 1);
    bytes.cancel_token().cancel();
    let error = bytes.read(&mut one).unwrap_err();
    let kind = urlsession::Error::from_io(&error).map(urlsession::Error::kind);
    assert_eq!(kind, Some(ErrorKind::Cancelled));
}

/// The system answers at once that such a socket takes no more, where it would make a
/// blocking caller wait.
#[cfg(target_os = "linux")]
#[test]
fn a_unix_socket_whose_line_is_full_cannot_be_connected_to() {
    use std::os::unix::net::UnixListener;

    use socket2::{Domain, SockAddr, Socket, Type};

    let path = std::env::temp_dir().join(format!("urlsession-full-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let address = SockAddr::unix(&path).unwrap();
    let mut waiting = Vec::new();
    loop {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        if socket.connect(&address).is_err() {
            break;
        }
        waiting.push(socket);
    }
    let session = session(|configuration| configuration.unix_socket = Some(path.clone()));
    let error = session.data("http://full.test/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotConnectToHost, "{error:?}");
    drop(listener);
    std::fs::remove_file(&path).unwrap();
}
