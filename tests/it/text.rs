//! Bodies as text, by the charset that the server names.

use urlsession::testing::{Answer, Server};

use crate::support::running::{nothing_is_left, session};

#[test]
fn text_is_decoded_by_the_charset_of_the_response() {
    let server = Server::start();
    let session = session(|_| {});
    for (body, content_type, expected) in [
        (&b"caf\xe9"[..], "text/plain; charset=ISO-8859-1", "café"),
        (b"caf\xe9", "text/plain;charset=\"latin1\"", "café"),
        (b"\x80", "text/plain; charset=windows-1252", "€"),
        (b"c\0\xe9\0", "text/plain; charset=utf-16", "cé"),
        (b"\xfe\xff\0c", "text/plain", "c"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "text/plain; charset=latin1", "café"),
        (b"caf\xc3\xa9", "application/json", "café"),
        (b"caf\xc3\xa9", "text/plain; charset=x-not-known", "café"),
        (b"caf\xe9", "text/plain", "caf\u{fffd}"),
        #[cfg(feature = "charset")]
        (b"\x92\x83", "text/plain; charset=Shift_JIS", "茶"),
    ] {
        server.enqueue(Answer::ok(body).header("Content-Type", content_type));
        let data = session.data(server.url("/")).unwrap();
        assert_eq!(data.text(), expected, "{content_type}");
        assert_eq!(data.body, body, "{content_type}");
    }
    nothing_is_left(session, &[&server]);
}
