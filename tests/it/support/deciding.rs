//! A delegate that decides about servers and certificates, and sessions that ask it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Authority, Server};
use urlsession::{
    AuthenticationMethod, Certificate, Challenge, Clock, Configuration, Credential, Delegate,
    DeliveryQueue, Disposition, Error, ErrorKind, Identity, Reply, Resolver, Session, Task,
};

pub(crate) const HERE: &[&str] = &["localhost"];

/// Settings that trust `authority` and nobody else.
pub(crate) fn trusting(authority: &Authority) -> Configuration {
    let mut configuration = Configuration::ephemeral();
    configuration.trusts_system_roots = false;
    configuration.additional_roots = vec![root(authority)];
    // A guard: nothing here takes as long.
    configuration.timeout_for_resource = Duration::from_secs(60);
    configuration
}

/// The same, by the date that this clock shows.
pub(crate) fn by_clock(authority: &Authority, clock: &Clock) -> Configuration {
    let mut configuration = trusting(authority);
    configuration.clock = clock.clone();
    configuration
}

pub(crate) fn root(authority: &Authority) -> Certificate {
    Certificate::from_der(authority.certificate_der())
}

/// Finds every name at the address of `server`.
pub(crate) fn everywhere_is(server: &Server) -> Resolver {
    let address = server.address();
    Resolver::new(move |_, port| Ok(vec![SocketAddr::new(address.ip(), port)]))
}

/// The identity of a client, made by `authority`.
pub(crate) fn client(authority: &Authority, name: &str) -> Identity {
    let made = authority.identity(&[name]);
    Identity::from_pem(made.chain_pem() + &made.key_pem(), None).unwrap()
}

/// What somebody was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: AuthenticationMethod,
    /// Why the evaluation failed.
    pub(crate) error: Option<ErrorKind>,
    /// As a delegate of the session.
    pub(crate) of_session: bool,
}

/// The question about a server, whose evaluation ended so.
pub(crate) fn about_server(error: Option<ErrorKind>) -> Asked {
    Asked { method: AuthenticationMethod::ServerTrust, error, of_session: true }
}

/// The question about the client.
pub(crate) fn about_client() -> Asked {
    let method = AuthenticationMethod::ClientCertificate;
    Asked { method, error: None, of_session: true }
}

type Decide = dyn Fn(&Challenge, Reply<Disposition>) + Send + Sync;

/// A delegate that decides by a closure, and writes down what it was asked.
pub(crate) struct Deciding {
    decide: Box<Decide>,
    asked: Mutex<Vec<Asked>>,
}

impl Deciding {
    /// Answers what the closure returns; none is a reply that is dropped.
    pub(crate) fn by(
        decide: impl Fn(&Challenge) -> Option<Disposition> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with_reply(move |challenge, reply| {
            if let Some(disposition) = decide(challenge) {
                reply.answer(disposition);
            }
        })
    }

    pub(crate) fn with_reply(
        decide: impl Fn(&Challenge, Reply<Disposition>) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { decide: Box::new(decide), asked: Mutex::default() })
    }

    /// Answers every challenge so.
    pub(crate) fn always(disposition: Disposition) -> Arc<Self> {
        Self::by(move |_| Some(disposition.clone()))
    }

    /// Accepts every server and shows no certificate.
    pub(crate) fn accepting() -> Arc<Self> {
        Self::by(|challenge| Some(accept(challenge)))
    }

    /// Accepts every server and shows this to those that ask.
    pub(crate) fn showing(credential: Credential) -> Arc<Self> {
        Self::by(move |challenge| Some(accept_or(challenge, &credential)))
    }

    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn decide(&self, challenge: &Challenge, reply: Reply<Disposition>, of_session: bool) {
        let method = challenge.protection_space().method();
        let error = challenge.error().map(Error::kind);
        self.asked.lock().unwrap().push(Asked { method, error, of_session });
        (self.decide)(challenge, reply);
    }
}

impl Delegate for Deciding {
    fn session_did_receive_challenge(
        &self,
        _session: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        self.decide(challenge, reply, true);
    }

    fn did_receive_challenge(&self, _: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        self.decide(challenge, reply, false);
    }
}

/// Accepts what a server shows; anything else by default.
pub(crate) fn accept(challenge: &Challenge) -> Disposition {
    match challenge.protection_space().server_trust() {
        Some(trust) => Disposition::UseCredential(Credential::for_trust(trust)),
        None => Disposition::PerformDefaultHandling,
    }
}

/// Accepts what a server shows; anything else is answered by the credential.
pub(crate) fn accept_or(challenge: &Challenge, credential: &Credential) -> Disposition {
    match accept(challenge) {
        Disposition::PerformDefaultHandling => Disposition::UseCredential(credential.clone()),
        accepted => accepted,
    }
}

/// Makes a session whose delegate is `delegate`.
pub(crate) fn asking(configuration: Configuration, delegate: &Arc<Deciding>) -> Session {
    Session::with_delegate(configuration, delegate.clone(), DeliveryQueue::serial()).unwrap()
}
