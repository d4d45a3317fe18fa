//! Makes connections: look up, connect, secure.

use std::net::SocketAddr;

use http::StatusCode;
use url::Host;

use super::connection::Connection;
use super::lookup::Lookups;
use super::socket::Link;
use super::stream::Stream;
use super::tls::{Decisions, Terms, Tls};
use super::{Settings, race, zone};
use crate::census::Census;
use crate::error::{Error, ErrorKind, Stage};
use crate::wire::{Context, Question, WireRequest};

/// Makes the connections of one session.
#[derive(Debug)]
pub(super) struct Connector {
    lookups: Lookups,
    tls: Tls,
    #[cfg(unix)]
    unix_socket: Option<std::path::PathBuf>,
    census: Census,
}

/// The making of a connection. What has begun of it is made anew if the load leaves its thread,
/// but for what was decided on the way.
#[derive(Debug)]
pub(super) struct Making {
    /// What bounds it, if not the load's own context.
    bounded: Option<Context>,
    decisions: Decisions,
}

impl Making {
    pub(super) fn new(context: &Context) -> Self {
        Self { bounded: context.connecting(), decisions: Decisions::default() }
    }
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

    /// Makes a connection for a request, or goes on with that.
    pub(super) fn connect(
        &self,
        making: &mut Making,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Result<Box<Connection>, Error> {
        let &WireRequest { url, route, .. } = request;
        let Making { bounded, decisions } = making;
        let context = bounded.as_ref().unwrap_or(context);
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Error::new(ErrorKind::BadUrl, "the URL has no host"));
        };
        let place = Place { host, port, zone: route.zone() };
        let plain = || self.link(&place, context).map(Stream::Plain);
        let stream = match url.scheme() {
            "https" => self.tls.secure(url, plain, decisions, context)?,
            _ => plain()?,
        };
        // Handed on many times, so it is moved as a pointer.
        Ok(Box::new(Connection::new(stream, route.to_key())))
    }

    /// Asks a load's own delegate about a connection that was made for others, as it would be
    /// asked about a new one. Returns whether the connection can be used.
    pub(super) fn confirm(
        &self,
        connection: &mut Connection,
        question: &mut Question,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Result<bool, Error> {
        self.tls.confirm(connection.stream(), request.url, question, context)
    }

    /// Whether a load may use a connection with these terms.
    pub(super) fn allows(&self, terms: &Terms, context: &Context) -> bool {
        self.tls.allows(terms, context)
    }

    /// Learns how a server has answered on a connection.
    pub(super) fn note_answer(&self, connection: &mut Connection, status: StatusCode) {
        self.tls.note_answer(connection.stream(), status);
    }

    fn link(&self, place: &Place<'_>, context: &Context) -> Result<Link, Error> {
        #[cfg(unix)]
        if let Some(path) = &self.unix_socket {
            let link = race::connect_unix(path, context, &self.census);
            return link.map_err(|error| error.at(Stage::Connecting));
        }
        let addresses =
            self.addresses(place, context).map_err(|error| error.at(Stage::LookingUp))?;
        race::connect(&addresses, context, &self.census)
            .map_err(|error| error.at(Stage::Connecting))
    }

    fn addresses(
        &self,
        &Place { ref host, port, zone }: &Place<'_>,
        context: &Context,
    ) -> Result<Vec<SocketAddr>, Error> {
        let find = |host: &str| self.lookups.find(host, port, context);
        let sees_all = self.lookups.sees_all();
        match (host, zone) {
            (Host::Domain(name), _) => {
                check_onion(name)?;
                find(name)
            }
            (Host::Ipv4(ip), _) if sees_all => find(&ip.to_string()),
            (Host::Ipv4(ip), _) => Ok(vec![(*ip, port).into()]),
            (Host::Ipv6(ip), Some(zone)) if sees_all => find(&format!("{ip}%{zone}")),
            (Host::Ipv6(ip), Some(zone)) => Ok(vec![zone::address(*ip, port, zone)?]),
            (Host::Ipv6(ip), None) if sees_all => find(&ip.to_string()),
            (Host::Ipv6(ip), None) => Ok(vec![(*ip, port).into()]),
        }
    }
}

/// Where a server is.
struct Place<'a> {
    host: Host<&'a str>,
    port: u16,
    /// On which network interface an address is.
    zone: Option<&'a str>,
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
