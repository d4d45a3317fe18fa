//! Between whom a response has come, and what came behind its body.

use std::net::SocketAddr;

use super::Response;
use crate::headers::Headers;

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl Response {
    /// Returns the address that the response has come from: the server's, or that of a proxy
    /// in between; `None` over a Unix socket.
    #[doc(alias = "remoteAddress")]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.0.ends.as_ref().map(|ends| ends.peer)
    }

    /// Returns the address of this machine that it has come to; `None` over a Unix socket.
    #[doc(alias = "localAddress")]
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.0.ends.as_ref().map(|ends| ends.local)
    }

    /// Returns the fields that the server has sent behind a chunked body (RFC 9110 §6.5);
    /// `None` if there were none, and as long as the body has not come to its end.
    ///
    /// A server sends them to those who ask for it with the header `TE: trailers`, or unasked.
    /// They are kept apart from the [`headers`](Self::headers), as they may contradict them.
    /// Lines that are no fields are left out; more than 64 KiB fail the load.
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Request, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("hello").chunked(4).trailer("Checksum", "9"));
    /// let url = server.url("/");
    ///
    /// let data = Session::shared().data(Request::get(&url).header("TE", "trailers"))?;
    /// assert_eq!(data.response.trailers().unwrap().get("checksum"), Some("9"));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn trailers(&self) -> Option<&Headers> {
        self.0.trailers.get().map(|trailers| &**trailers)
    }

    /// Takes what came behind the body; whoever has a clone of this sees it.
    #[cold]
    pub(crate) fn ended_with(&self, trailers: Headers) {
        // There is one end.
        let _ = self.0.trailers.set(Box::new(trailers));
    }
}
