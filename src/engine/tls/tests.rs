//! TLS over TLS, which is the way through a proxy that is reached by https.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::TcpStream;
use std::sync::Arc;

use http::Method;
use url::Url;

use super::{Decisions, Tls};
use crate::body::Body;
use crate::census::Kind;
use crate::engine::Settings;
use crate::engine::connection::Connection;
use crate::engine::home::Home;
use crate::engine::http1::{self, Duplex, Exchanged, Incoming, Progress};
use crate::engine::pool::Pool;
use crate::engine::socket::{BLOCKS, Link};
use crate::engine::stream::Stream;
use crate::engine::tests::{load, settings};
use crate::error::Error;
use crate::headers::Headers;
use crate::testing::{Answer, Authority, ServedVersion, Server};
use crate::trust::Certificate;
use crate::wire::{Route, WireBody, WireRequest};

/// What goes each way: many records of both layers.
const LENGTH: usize = 300_000;

/// A server, a proxy before it, both with TLS, and what trusts them.
struct Scene {
    origin: Server,
    proxy: Server,
    settings: Settings,
}

impl Scene {
    fn of(versions: [ServedVersion; 2]) -> Self {
        let authority = Authority::new();
        let identity = authority.identity(&["127.0.0.1"]);
        let [proxy, origin] = versions
            .map(|version| Server::builder().tls(&identity).tls_versions(&[version]).start());
        origin.handle(|_| Answer::ok("x".repeat(LENGTH)));
        proxy.handle(|_| {
            Answer::status(200).take_over(|connection| {
                let target = connection.target().parse().unwrap();
                // It may end with an error when the client has left.
                let _ = connection.tunnel_to(target);
            })
        });
        let mut settings = settings();
        settings.trust.roots = vec![Certificate::from_der(authority.certificate_der())];
        Self { origin, proxy, settings }
    }

    /// Makes a stream to the proxy that goes on to the server.
    fn tunnel(&self, tls: &Tls) -> Result<Stream, Error> {
        let socket = TcpStream::connect(self.proxy.address()).unwrap();
        let link = || {
            socket.set_nonblocking(!BLOCKS).unwrap();
            let counted = self.settings.census.count(Kind::Socket);
            Ok(Stream::Plain(Link::new(socket.try_clone().unwrap().into(), counted)))
        };
        let mut stream = tls.secure(
            &Url::parse(&self.proxy.url("/")).unwrap(),
            link,
            &mut Decisions::default(),
            &load(),
        )?;
        let target = self.origin.address();
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        stream.write_all(head.as_bytes(), &mut 0, &load())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte, &load())?, 1);
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        Ok(stream)
    }
}

/// Sends a request and reads its answer; the connection goes to `pool`.
fn exchange(connection: Box<Connection>, pool: &Arc<Pool>, body: Option<&Body>) {
    let (url, method) = (Url::parse("https://127.0.0.1/").unwrap(), Method::PUT);
    let mut headers = Headers::new();
    headers.push("Host", url.authority());
    let added = &Headers::new();
    let request = WireRequest {
        method: &method,
        url: &url,
        route: Route::direct(&url, None),
        headers: &headers,
        added,
        body,
    };
    let mut duplex = Duplex::new(connection);
    let mut progress = Progress::default();
    let exchanged = http1::exchange(&mut duplex, &mut progress, &request, &load());
    let Exchanged { head, decision } = exchanged.unwrap();
    assert_eq!(head.status, 200);
    let mut body = Incoming::new(duplex, decision, Home::Pool(pool.clone()), load(), None);
    let (mut buffer, mut length) = ([0; 1000], 0);
    loop {
        match body.read(&mut buffer).unwrap() {
            0 => break,
            count => length += count,
        }
    }
    assert_eq!(length, LENGTH);
}

#[test]
fn a_connection_through_two_layers_of_tls_carries_exchanges_and_is_kept() {
    use ServedVersion::{Tls12, Tls13};

    for versions in [[Tls12, Tls12], [Tls12, Tls13], [Tls13, Tls12], [Tls13, Tls13]] {
        let scene = Scene::of(versions);
        let tls = Tls::new(&scene.settings).unwrap();
        let origin = Url::parse(&scene.origin.url("/")).unwrap();
        let stream =
            tls.secure(&origin, || scene.tunnel(&tls), &mut Decisions::default(), &load()).unwrap();
        let Settings { idle, clock, census, .. } = scene.settings.clone();
        let pool = Arc::new(Pool::new(idle, clock, census.clone()));
        let mut connection =
            Box::new(Connection::new(stream, Route::direct(&origin, None).to_key()));
        pool.admit(&mut connection);
        let bytes = || vec![b'y'; LENGTH];
        for body in [
            None,
            Some(Body::from("little")),
            Some(Body::from(bytes())),
            Some(Body::reader(std::io::Cursor::new(bytes()))),
        ] {
            exchange(connection, &pool, body.as_ref());
            let request = scene.origin.take_request();
            let length = body.map_or(0, |body| body.length().unwrap_or(LENGTH as u64));
            assert_eq!(request.body_length(), length, "{versions:?}");
            connection = pool
                .take(Route::direct(&origin, None), |_| true, || true)
                .expect("a connection that is idle");
        }
        drop(connection);
        pool.close();
        assert_eq!((scene.proxy.connection_count(), scene.origin.connection_count()), (1, 1));
        scene.origin.wait_until(|stats| stats.open_connections == 0);
        assert_eq!(census.alive(Kind::Socket), 0);
    }
}
