//! HSTS: what servers say by `Strict-Transport-Security`, and where requests go for it.

#[cfg(feature = "tls")]
mod kept;
#[cfg(feature = "tls")]
mod learned;
#[cfg(feature = "tls")]
mod upgraded;
#[cfg(not(feature = "tls"))]
mod without_tls;

#[cfg(feature = "tls")]
use std::net::SocketAddr;
#[cfg(feature = "tls")]
use urlsession::testing::{Answer, Authority, Server};
#[cfg(feature = "tls")]
use urlsession::{Certificate, Configuration, Resolver, Session};

/// Two servers for all names: one that is asked by http, one by https.
#[cfg(feature = "tls")]
struct Web {
    plain: Server,
    secure: Server,
    root: Certificate,
}

#[cfg(feature = "tls")]
impl Web {
    /// One in which the secure server answers all requests so.
    fn with(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let authority = Authority::new();
        let names = ["shop.test", "*.shop.test", "other.test"];
        let secure = Server::start_tls(&authority.identity(&names));
        secure.handle(move |request| answer(request.path()));
        let plain = Server::start();
        plain.handle(|_| Answer::ok("plain"));
        Self { plain, secure, root: Certificate::from_der(authority.certificate_der()) }
    }

    /// One whose secure server says this.
    fn that_says(value: &'static str) -> Self {
        Self::with(move |_| Answer::ok("secure").header("Strict-Transport-Security", value))
    }

    /// Has a session see it.
    fn seen_by(&self, mut configuration: Configuration) -> Session {
        configuration.trusts_system_roots = false;
        configuration.additional_roots = vec![self.root.clone()];
        let (plain, secure) = (self.plain.address(), self.secure.address());
        let find = move |_: &str, port: u16| -> Result<Vec<SocketAddr>, std::io::Error> {
            Ok(vec![if port == 443 { secure } else { plain }])
        };
        configuration.resolver = Some(Resolver::new(find));
        Session::new(configuration).unwrap()
    }
}

/// Loads a URL; returns who has answered, and the URL of the response.
#[cfg(feature = "tls")]
fn load(session: &Session, url: &str) -> (String, String) {
    let data = session.data(url).unwrap();
    (data.text().into_owned(), data.response.url().to_string())
}

#[cfg(feature = "tls")]
fn answered(by: &str, url: &str) -> (String, String) {
    (by.to_owned(), url.to_owned())
}
