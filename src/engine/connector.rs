//! Makes connections: look up, connect, secure.

use std::net::SocketAddr;
use std::sync::Arc;

use url::{Host, Position, Url};

use super::connection::Connection;
use super::lookup::Lookups;
use super::socket::Link;
#[cfg(feature = "tls")]
use super::tls::{Securing, Tls};
use super::{Settings, race};
use crate::census::Census;
use crate::error::{Error, ErrorKind, Stage};
use crate::wire::Context;

/// Makes the connections of one session.
#[derive(Debug)]
pub(super) struct Connector {
    lookups: Lookups,
    #[cfg(feature = "tls")]
    tls: Tls,
    #[cfg(unix)]
    unix_socket: Option<std::path::PathBuf>,
    census: Census,
}

impl Connector {
    pub(super) fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: Tls::new(settings.trust, settings.credentials)?,
            lookups: Lookups::new(settings.resolver, settings.census.clone()),
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
        let link = || self.link(&host, port, context);
        let origin: Arc<str> = url[..Position::BeforePath].into();
        if url.scheme() == "https" {
            return self.secured(url, link, origin, context);
        }
        Ok(Connection::plain(link()?, origin))
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

    #[cfg(feature = "tls")]
    fn secured(
        &self,
        url: &Url,
        link: impl Fn() -> Result<Link, Error>,
        origin: Arc<str>,
        context: &Context,
    ) -> Result<Connection, Error> {
        let securing = Securing::new(&self.tls, url, context);
        let securing = securing.map_err(|error| error.at(Stage::Securing))?;
        let (link, session) = securing.run(link)?;
        Ok(Connection::secured(link, session, origin))
    }

    #[cfg(not(feature = "tls"))]
    fn secured(
        &self,
        _url: &Url,
        link: impl Fn() -> Result<Link, Error>,
        _origin: Arc<str>,
        _context: &Context,
    ) -> Result<Connection, Error> {
        drop(link()?);
        let detail = "https needs the feature `tls`, which this build is without";
        Err(Error::new(ErrorKind::NotSupported, detail).at(Stage::Securing))
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
