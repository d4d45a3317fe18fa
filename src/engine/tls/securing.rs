//! Securing one connection: handshakes, and the questions between them.
//!
//! A question may take minutes, and no server waits that long in the middle of a handshake.
//! So the handshake is brought to its end, good or bad, and whoever is to be asked is asked
//! before anything of a request is sent. An answer that the connection cannot carry out, such
//! as a certificate to show, takes another connection, which remembers what was decided.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use url::Url;

use super::decision::{AboutClient, AboutServer, about_client, about_server};
use super::handshake::{Noted, take_noted};
use super::stream::{Pause, TlsStream};
use super::terms::{Client, Consulted, Shown, Terms, stored_identity};
use super::{Tls, failure};
use crate::credentials::{AuthenticationMethod, Challenge, Persistence, ProtectionSpace};
use crate::engine::stream::Stream;
use crate::error::{Error, ErrorKind, Stage};
use crate::trust::{Certificate, ServerTrust, server_name};
use crate::wire::{Context, DelegateDecision, DelegateId, Question};

/// Asks those who are to be asked about a server.
type Ask = fn(&Context, Challenge, &mut Question) -> Result<Option<DelegateDecision>, Error>;

/// How many connections are made for one at most. Each question may take one, and a server
/// that shows another certificate each time would be asked about for ever.
const MOST: usize = 6;

/// One connection of a load, on its way to be secured.
#[derive(Debug)]
pub(super) struct Securing<'a> {
    tls: &'a Tls,
    url: &'a Url,
    host: &'a str,
    name: ServerName<'static>,
    context: &'a Context,
    kept: &'a mut Decisions,
}

/// What was decided on the way to a connection, and what is still asked: kept if the load leaves
/// its thread, and what a later try begins with.
#[derive(Debug, Default)]
pub(in crate::engine) struct Decisions {
    server: Option<Decided>,
    consulted: Consulted,
    client: Client,
    about_server: Question,
    about_client: Question,
    /// A handshake about which somebody is asked.
    shaken: Option<Shaken>,
    /// How many handshakes there were.
    shakes: usize,
}

/// A server's certificate that was decided to be good in this load.
#[derive(Debug)]
struct Decided {
    certificate: Certificate,
    /// Who has decided so against the evaluation.
    against: Option<DelegateId>,
}

/// A handshake that is over.
#[derive(Debug)]
struct Shaken {
    /// None if it was broken off.
    stream: Option<TlsStream>,
    ended: Result<(), Error>,
    noted: Noted,
    /// Time has passed since then, as somebody was asked.
    asked: bool,
}

impl<'a> Securing<'a> {
    /// Begins to secure a connection to the host of `url`.
    pub(super) fn new(
        tls: &'a Tls,
        url: &'a Url,
        context: &'a Context,
        kept: &'a mut Decisions,
    ) -> Result<Self, Error> {
        let host = url.host_str().unwrap_or_default();
        let name = server_name(host)?;
        let mut securing = Self { tls, url, host, name, context, kept };
        // Where nobody is asked about the server, its evaluation is all there is to wait for,
        // and the handshake does that before a certificate is shown.
        if !context.has_delegate() && matches!(securing.kept.client, Client::Undecided) {
            securing.show_what_is_stored();
        }
        Ok(securing)
    }

    /// Secures connections made by `connect`, until one may carry a request. If the load leaves
    /// its thread meanwhile, what was decided goes on with that.
    pub(super) fn run(
        mut self,
        connect: impl Fn() -> Result<Stream, Error>,
    ) -> Result<TlsStream, Error> {
        loop {
            let mut shaken = match self.kept.shaken.take() {
                Some(shaken) => shaken,
                None if self.kept.shakes == MOST => break,
                None => {
                    let shaken = self.shake(connect()?);
                    let shaken = shaken.map_err(|error| error.at(Stage::Securing))?;
                    self.kept.shakes += 1;
                    shaken
                }
            };
            match self.decide(&mut shaken) {
                Ok(false) => {}
                Ok(true) => {
                    if let Some(stream) = shaken.stream {
                        return Ok(stream);
                    }
                }
                Err(error) => {
                    if self.context.leaves(&error) {
                        self.kept.shaken = Some(shaken);
                    }
                    return Err(error.at(Stage::Securing));
                }
            }
        }
        let detail = "the server has shown another certificate on every connection";
        Err(Error::new(ErrorKind::SecureConnectionFailed, detail).at(Stage::Securing))
    }

    /// Asks the load's own delegate about the server of a stream that others trust already, as
    /// it would be asked about a new one. Returns whether the stream can be used.
    pub(super) fn confirm(
        mut self,
        stream: &mut TlsStream,
        own: DelegateId,
    ) -> Result<bool, Error> {
        let chain = stream.peer_certificates().unwrap_or_default();
        // If it is no longer good, it takes a new connection, and everybody is asked.
        if self.tls.policy.evaluate(chain, &self.name).is_err() {
            return Ok(false);
        }
        let chain = chain.iter().map(|der| Certificate::from_der(der.as_ref())).collect();
        self.decide_about_server(chain, Ok(()), Context::ask_own)?;
        stream.consulted.note(own);
        Ok(matches!(stream.after_pause(), Pause::Open))
    }

    fn shake(&self, below: Stream) -> Result<Shaken, Error> {
        let context = self.context;
        let _registered = context.cancel.as_ref().map(|token| token.on_cancel(below.waker()));
        context.check()?;
        let (identity, server) = (self.kept.client.identity(), &self.kept.server);
        let against = server.as_ref().is_some_and(|decided| decided.against.is_some());
        let config = if against || identity.is_some() {
            let decided = server.as_ref().map(|decided| decided.certificate.clone());
            self.tls.special(decided, identity)?
        } else {
            self.tls.usual.clone()
        };
        let mut stream = TlsStream::new(config, self.name.clone(), below)?;
        drop(take_noted());
        let ended = stream.handshake(context);
        if let Err(error) = &ended
            && context.leaves(error)
        {
            // It begins anew: no server waits in the middle of one.
            return Err(error.clone());
        }
        let mut noted = take_noted();
        let ended = noted.unproven.take().map_or(ended, Err);
        if noted.requested.is_some() {
            self.tls.tickets.never_for(&self.name);
        }
        Ok(Shaken { stream: Some(stream), ended, noted, asked: false })
    }

    /// Asks what is to be asked about a handshake, or goes on with that; returns whether its
    /// connection may carry a request, or it takes another one.
    fn decide(&mut self, shaken: &mut Shaken) -> Result<bool, Error> {
        let Shaken { stream: kept, ended, noted, asked } = shaken;
        let context = self.context;
        if let Some((chain, verdict)) = &noted.refused {
            context.check()?;
            drop(kept.take());
            self.decide_about_server(chain.clone(), verdict.clone(), Context::ask)?;
            return Ok(false);
        }
        let Some(stream) = kept else { return Ok(false) };
        // Whoever breaks off before having shown a good certificate is nobody yet, and nobody
        // is asked what to show to it.
        let shows_nothing = noted.requested.is_some()
            && stream.peer_certificates().is_some()
            && self.kept.client.identity().is_none();
        if let Err(error) = ended
            && !(shows_nothing && failure::is_alert(error))
        {
            return Err(error.clone());
        }
        if self.is_new(stream) {
            let (chain, verdict) = self.verdict(stream);
            *asked = context.has_delegate();
            if verdict.is_err() {
                // What is remembered of the server is no longer good; what it shows by now
                // may be.
                drop(kept.take());
                // The answer to another certificate is none to that.
                self.kept.about_server = Question::default();
                self.tls.tickets.forget(&self.name);
                return Ok(false);
            }
            self.decide_about_server(chain, verdict, Context::ask)?;
        }
        if let (Some(names), Client::Undecided) = (&noted.requested, &self.kept.client) {
            *asked |= self.decide_about_client(names)?;
            if self.kept.client.identity().is_some() {
                return Ok(false);
            }
        }
        ended.clone().map_err(failure::certificate_required)?;
        if *asked {
            match stream.after_pause() {
                Pause::Open => {}
                Pause::Over => return Ok(false),
                Pause::Failed(error) => return Err(error),
            }
        }
        self.finish(stream, noted.requested.is_some());
        Ok(true)
    }

    /// Whether the server has shown a certificate that something has to be decided about: one
    /// that somebody is to be asked about, or that was evaluated in another handshake.
    fn is_new(&self, stream: &TlsStream) -> bool {
        let own = stream.peer_certificates().and_then(<[_]>::first);
        let decided = self.kept.server.as_ref();
        let is_known = decided
            .zip(own)
            .is_some_and(|(decided, own)| decided.certificate.as_der() == own.as_ref());
        let was_resumed = stream.was_resumed();
        !is_known && (was_resumed || self.context.has_delegate())
    }

    /// Returns what the server has shown, and its evaluation. A handshake that was resumed
    /// skips no decision: time has passed since.
    fn verdict(&self, stream: &TlsStream) -> (Vec<Certificate>, Result<(), Error>) {
        let chain: &[CertificateDer<'_>] = stream.peer_certificates().unwrap_or_default();
        let was_resumed = stream.was_resumed();
        let verdict =
            if was_resumed { self.tls.policy.evaluate(chain, &self.name) } else { Ok(()) };
        (chain.iter().map(|der| Certificate::from_der(der.as_ref())).collect(), verdict)
    }

    /// Decides about what the server has shown, asking if there is somebody to be asked; an
    /// error if it is not to be used.
    fn decide_about_server(
        &mut self,
        chain: Vec<Certificate>,
        verdict: Result<(), Error>,
        ask: Ask,
    ) -> Result<(), Error> {
        let verdict = verdict.map_err(|error| error.at(Stage::Securing).on(self.url));
        let Some(own) = chain.first().cloned() else { return verdict };
        let shown = ServerTrust::new(self.host, chain, &self.tls.policy);
        let space = self.space(AuthenticationMethod::ServerTrust)?.showing(shown.clone());
        let mut challenge = Challenge::new(space);
        if let Err(error) = &verdict {
            challenge = challenge.failed_with(error.clone());
        }
        let answered = ask(self.context, challenge, &mut self.kept.about_server)?;
        if answered.as_ref().is_some_and(|answered| answered.is_for_all) {
            self.kept.consulted.note_all();
        }
        let answer = answered.as_ref().map(|answered| &answered.disposition);
        let against = match about_server(verdict.is_ok(), answer, &shown) {
            AboutServer::Good => None,
            AboutServer::Accepted => {
                // A pin is the configuration's demand, which no delegate overrides.
                self.tls.policy.check_own_key(&own, self.host)?;
                answered.map(|answered| answered.by)
            }
            AboutServer::Bad => return verdict,
            AboutServer::Cancelled => return Err(Error::cancelled()),
            AboutServer::Refused => {
                let detail = "a delegate has refused the server's certificate";
                let refused = Error::new(ErrorKind::ServerCertificateUntrusted, detail);
                return Err(match verdict {
                    Ok(()) => refused,
                    Err(error) => refused.because(error),
                });
            }
        };
        self.kept.server = Some(Decided { certificate: own, against });
        Ok(())
    }

    /// Decides what to show to a server that accepts certificates of these authorities.
    /// Returns whether somebody was asked.
    fn decide_about_client(&mut self, names: &[Vec<u8>]) -> Result<bool, Error> {
        // Whoever was asked decides, whatever is stored meanwhile.
        if !self.kept.about_client.is_open() && self.show_what_is_stored() {
            return Ok(false);
        }
        let space = self.space(AuthenticationMethod::ClientCertificate)?.accepting(names.to_vec());
        let asks = self.context.has_delegate();
        let challenge = Challenge::new(space);
        let answered = self.context.ask(challenge, &mut self.kept.about_client)?;
        let (disposition, by) =
            answered.map(|answered| (answered.disposition, answered.by)).unzip();
        self.kept.client = match about_client(disposition) {
            AboutClient::Identity(credential) => match credential.identity().cloned() {
                Some(identity) => Client::Identity { identity, by, accepted: Some(credential) },
                None => Client::Nothing { by },
            },
            AboutClient::Nothing => Client::Nothing { by },
            AboutClient::Unfit => {
                let detail = "a server that asks for a client certificate was answered by a \
                              credential that is none";
                return Err(Error::new(ErrorKind::InvalidRequest, detail));
            }
            AboutClient::Cancelled => return Err(Error::cancelled()),
        };
        Ok(asks)
    }

    /// Decides for the identity that the storage has for this server, if it has one.
    fn show_what_is_stored(&mut self) -> bool {
        let space = ProtectionSpace::of(self.url, AuthenticationMethod::ClientCertificate);
        let stored = space.and_then(|space| stored_identity(self.tls.credentials.as_ref(), &space));
        let Some(identity) = stored else { return false };
        self.kept.client = Client::Identity { identity, by: None, accepted: None };
        true
    }

    /// Writes down who may use the connection, and what is stored once it was of use.
    fn finish(&mut self, stream: &mut TlsStream, requested: bool) {
        if let Some(own) = self.context.own_delegate() {
            self.kept.consulted.note(own);
        }
        stream.consulted = std::mem::take(&mut self.kept.consulted);
        let trusted_by = self.kept.server.take().and_then(|decided| decided.against);
        let trusted_by = trusted_by.map(|by| (by, stream.consulted.clone()));
        let space = ProtectionSpace::of(self.url, AuthenticationMethod::ClientCertificate);
        let Some(space) = space else { return };
        let (identity, by, accepted) = match std::mem::take(&mut self.kept.client) {
            Client::Identity { identity, by, accepted } => (Some(identity), by, accepted),
            Client::Nothing { by } => (None, by, None),
            Client::Undecided => (None, None, None),
        };
        if let Some(credential) = accepted
            && credential.persistence() != Persistence::None
            && requested
        {
            stream.unproven = Some(Box::new((credential, space.clone())));
        }
        let asked = self.context.has_delegate();
        let shown = requested.then_some(Shown { identity, by, asked, space });
        if trusted_by.is_some() || shown.is_some() {
            stream.terms = Some(Arc::new(Terms { trusted_by, shown }));
        }
    }

    fn space(&self, method: AuthenticationMethod) -> Result<ProtectionSpace, Error> {
        let space = ProtectionSpace::of(self.url, method);
        space.ok_or_else(|| Error::new(ErrorKind::BadUrl, "the URL has no host"))
    }
}

impl Decisions {
    /// Nothing is decided, and this is asked about the server.
    pub(super) fn asking(question: &mut Question) -> Self {
        Self { about_server: std::mem::take(question), ..Self::default() }
    }

    /// Returns what is still asked about the server.
    pub(super) fn into_question(self) -> Question {
        self.about_server
    }
}
