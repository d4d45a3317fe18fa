//! A delegate that answers challenges and writes them down, and servers that pose them.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    AuthenticationMethod, Body, Challenge, Configuration, Credential, CredentialStorage, Delegate,
    DeliveryQueue, Disposition, Error, ErrorKind, ProtectionSpace, Reply, Response,
    ResponseDisposition, Session, Task,
};

/// What a delegate was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) method: AuthenticationMethod,
    pub(crate) realm: Option<String>,
    pub(crate) failures: u32,
    /// User and password.
    pub(crate) proposed: Option<String>,
    pub(crate) error: Option<ErrorKind>,
}

/// What a delegate does about a challenge; `None` drops the reply.
type Answers = dyn Fn(&Challenge) -> Option<Disposition> + Send + Sync;

/// A delegate that answers challenges, and writes down what it is asked and told.
pub(crate) struct Asked {
    answers: Box<Answers>,
    /// What it has for a task whose body can be sent once.
    pub(crate) body: Mutex<Option<Body>>,
    questions: Mutex<Vec<Question>>,
    challenges: Mutex<Vec<Challenge>>,
    told: Mutex<Vec<String>>,
}

impl Asked {
    pub(crate) fn new(
        answers: impl Fn(&Challenge) -> Option<Disposition> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answers: Box::new(answers),
            body: Mutex::default(),
            questions: Mutex::default(),
            challenges: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// One that gives the same credential whenever it is asked.
    pub(crate) fn giving(user: &str, password: &str) -> Arc<Self> {
        let credential = Credential::new(user, password);
        Self::new(move |_| Some(Disposition::UseCredential(credential.clone())))
    }

    /// One that gives these passwords of one user, one after the other.
    pub(crate) fn trying(user: &'static str, passwords: &'static [&'static str]) -> Arc<Self> {
        Self::new(move |challenge| {
            let password = passwords.get(challenge.previous_failure_count() as usize)?;
            Some(Disposition::UseCredential(Credential::new(user, password)))
        })
    }

    /// One that leaves everything to the default, by saying so.
    pub(crate) fn default_handling() -> Arc<Self> {
        Self::new(|_| Some(Disposition::PerformDefaultHandling))
    }

    pub(crate) fn take_questions(&self) -> Vec<Question> {
        std::mem::take(&mut *self.questions.lock().unwrap())
    }

    pub(crate) fn take_challenges(&self) -> Vec<Challenge> {
        std::mem::take(&mut *self.challenges.lock().unwrap())
    }

    /// Statuses, bodies and outcomes that it was told of.
    pub(crate) fn take_told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    /// A session with it as its delegate and a storage of its own.
    pub(crate) fn session(self: &Arc<Self>) -> Session {
        self.session_with(Configuration::ephemeral())
    }

    pub(crate) fn session_with(self: &Arc<Self>, configuration: Configuration) -> Session {
        Session::with_delegate(configuration, self.clone(), DeliveryQueue::serial()).unwrap()
    }

    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Delegate for Asked {
    fn did_receive_challenge(&self, _: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        let pair = |credential: &Credential| {
            format!("{}:{}", credential.user().unwrap(), credential.password().unwrap())
        };
        self.questions.lock().unwrap().push(Question {
            method: challenge.protection_space().method(),
            realm: challenge.protection_space().realm().map(str::to_owned),
            failures: challenge.previous_failure_count(),
            proposed: challenge.proposed_credential().map(pair),
            error: challenge.error().map(Error::kind),
        });
        self.challenges.lock().unwrap().push(challenge.clone());
        if let Some(disposition) = (self.answers)(challenge) {
            reply.answer(disposition);
        }
    }

    fn need_new_body_stream(&self, _: &Task, reply: Reply<Option<Body>>) {
        self.tell("asked for a body".to_owned());
        if let Some(body) = self.body.lock().unwrap().clone() {
            reply.answer(Some(body));
        }
    }

    fn did_receive_response(
        &self,
        _: &Task,
        response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        self.tell(format!("response {}", response.status().as_u16()));
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, _: &Task, data: Vec<u8>) {
        self.tell(format!("data {}", String::from_utf8_lossy(&data)));
    }

    fn did_complete(&self, _: &Task, error: Option<&Error>) {
        self.tell(format!("done {:?}", error.map(Error::kind)));
    }
}

/// Returns the value of an `Authorization` field.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// A 401 with these challenges, each in a field of its own.
pub(crate) fn unauthorized(challenges: &[&str]) -> Answer {
    let answer = Answer::status(401).body("who?");
    challenges.iter().fold(answer, |answer, field| answer.header("WWW-Authenticate", field))
}

/// Lets in whoever is `ann` with `password`, by Basic, everywhere.
pub(crate) fn guard(realm: &str, password: &str) -> impl Fn(&Recorded) -> Answer + use<> {
    let (right, field) = (basic("ann", password), format!("Basic realm=\"{realm}\""));
    move |request| match request.header("authorization") {
        Some(sent) if sent == right => Answer::ok("in"),
        _ => unauthorized(&[&field]),
    }
}

/// A server that does so.
pub(crate) fn guarded(realm: &str, password: &str) -> Server {
    let server = Server::start();
    server.handle(guard(realm, password));
    server
}

/// The space of a server for a method and a realm.
pub(crate) fn space(server: &Server, method: AuthenticationMethod, realm: &str) -> ProtectionSpace {
    ProtectionSpace::new("127.0.0.1", server.port(), "http", method).with_realm(realm)
}

/// A configuration whose storage has this for the server's space by Basic.
pub(crate) fn storing(
    server: &Server,
    realm: &str,
    user: &str,
    password: &str,
) -> (Configuration, CredentialStorage) {
    let (mut configuration, storage) = (Configuration::ephemeral(), CredentialStorage::new());
    let space = space(server, AuthenticationMethod::Basic, realm);
    storage.set(&Credential::new(user, password), &space);
    configuration.credential_storage = Some(storage.clone());
    (configuration, storage)
}

/// The `Authorization` fields of the requests that have arrived, by their order.
pub(crate) fn authorizations(server: &Server) -> Vec<Option<String>> {
    let requests = std::iter::from_fn(|| server.try_take_request());
    requests.map(|request| request.header("authorization").map(str::to_owned)).collect()
}
