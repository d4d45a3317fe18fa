//! Makes connections: look up, connect, secure.

use std::net::SocketAddr;

use http::StatusCode;
use url::{Host, Url};

use super::connection::Connection;
use super::lookup::Lookups;
use super::socket::Link;
use super::stream::Stream;
use super::tls::{Terms, Tls};
use super::{Settings, race};
use crate::census::Census;
use crate::error::{Error, ErrorKind, Stage};
use crate::wire::{Context, Route};

/// Makes the connections of one session.
#[derive(Debug)]
pub(super) struct Connector {
    lookups: Lookups,
    tls: Tls,
    #[cfg(unix)]
    unix_socket: Option<std::path::PathBuf>,
    census: Census,
}

impl Connector {
    pub(super) fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            tls: Tls::new(&settings)?,
            lookups: Lookups::new(settings.resolver, settings.clock, settings.census.clone()),
            #[cfg(unix)]
            unix_socket: settings.unix_socket,
            census: settings.census,
        })
    }

    /// Sends idle helpers home.
    pub(super) fn close(&self) {
        self.lookups.close();
    }

    /// Makes a connection for loading `url`.
    pub(super) fn connect(&self, url: &Url, context: &Context) -> Result<Connection, Error> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Error::new(ErrorKind::BadUrl, "the URL has no host"));
        };
        let plain = || self.link(&host, port, context).map(Stream::Plain);
        let stream = match url.scheme() {
            "https" => self.tls.secure(url, plain, context)?,
            _ => plain()?,
        };
        Ok(Connection::new(stream, Route::direct(url).to_key()))
    }

    /// Whether a load may use a connection with these terms.
    pub(super) fn allows(&self, terms: &Terms, context: &Context) -> bool {
        self.tls.allows(terms, context)
    }

    /// Learns how a server has answered on a connection.
    pub(super) fn note_answer(&self, connection: &mut Connection, status: StatusCode) {
        self.tls.note_answer(connection.stream(), status);
    }

    fn link(&self, host: &Host<&str>, port: u16, context: &Context) -> Result<Link, Error> {
        #[cfg(unix)]
        if let Some(path) = &self.unix_socket {
            let link = race::connect_unix(path, context, &self.census);
            return link.map_err(|error| error.at(Stage::Connecting));
        }
        let addresses =
            self.addresses(host, port, context).map_err(|error| error.at(Stage::LookingUp))?;
        race::connect(&addresses, context, &self.census)
            .map_err(|error| error.at(Stage::Connecting))
    }

    fn addresses(
        &self,
        host: &Host<&str>,
        port: u16,
        context: &Context,
    ) -> Result<Vec<SocketAddr>, Error> {
        let literal = match host {
            Host::Ipv4(address) => Some(SocketAddr::from((*address, port))),
            Host::Ipv6(address) => Some(SocketAddr::from((*address, port))),
            Host::Domain(name) => {
                check_onion(name)?;
                None
            }
        };
        match (literal, host) {
            (Some(address), _) if !self.lookups.sees_all() => Ok(vec![address]),
            (Some(address), _) => self.lookups.find(&address.ip().to_string(), port, context),
            (None, Host::Domain(name)) => self.lookups.find(name, port, context),
            (None, _) => Err(Error::new(ErrorKind::BadUrl, "the URL has no host")),
        }
    }
}

/// RFC 7686 §2: such a name is never asked of the public name system.
fn check_onion(name: &str) -> Result<(), Error> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name == "onion" || name.ends_with(".onion") {
        let detail = "an .onion host is only found through Tor, never by a look-up";
        return Err(Error::new(ErrorKind::CannotFindHost, detail));
    }
    Ok(())
}
