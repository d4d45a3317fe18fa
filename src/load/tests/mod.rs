//! Loads over a wire that plays rows.

mod challenges;
mod expectations;
mod redirects;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::script::{Fate, Row, Script};
use super::{Authenticator, Hop, Load, Loaded, Means, Rules};
use crate::body::Body;
use crate::clock::Clock;
use crate::credentials::{Challenge, Credential, CredentialStorage, Disposition};
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{Context, DelegateDecision, DelegateId, Dialogue, Head, Pauses, Question};

/// What a load is played with: the session's rules, and whoever is asked.
struct Scene {
    rules: Rules,
    person: Option<Arc<Person>>,
    /// Whether the load leaves its thread in every exchange; it does so in every question.
    leaves: bool,
}

/// What came of it.
struct Played {
    /// The response and its body, read to its end.
    outcome: Result<(Response, Vec<u8>), Error>,
    /// What became of the bodies of the answers, in their order.
    fates: Vec<Fate>,
}

impl Scene {
    /// A session that keeps what it learns, without a delegate.
    fn new() -> Self {
        let mut rules = Rules::new(&Headers::new(), true);
        rules.stores.authenticator = Authenticator::new(Some(CredentialStorage::new()));
        Self { rules, person: None, leaves: false }
    }

    /// One whose delegate answers challenges so.
    fn answering(
        answers: impl Fn(&Challenge) -> Option<Disposition> + Send + Sync + 'static,
    ) -> Self {
        Self { person: Some(Arc::new(Person::answering(answers))), ..Self::new() }
    }

    /// Returns what was asked since the last time: method, realm and failures.
    fn questions(&self) -> Vec<String> {
        let person = self.person.as_ref().unwrap();
        std::mem::take(&mut *person.questions.lock().unwrap())
    }

    /// Loads `request` over a wire that plays `rows`, all of them.
    fn play(&self, request: impl Into<Request>, rows: impl IntoIterator<Item = Row>) -> Played {
        let script = Script::new(rows);
        let script = if self.leaves { script.leaving() } else { script };
        let context = Context {
            cancel: None,
            clock: Clock::by_hand(),
            idle: Duration::from_secs(60),
            deadline: None,
            connect: None,
            dialogue: self.person.clone().map(|person| person as Arc<dyn Dialogue>),
        };
        let means = Means { wire: &script, rules: &self.rules, context: &context };
        let loaded = Hop::first(&request.into(), &self.rules).and_then(|hop| {
            let mut load = Load::new(hop);
            let response = loop {
                match load.go_on(&means) {
                    Err(error) if context.leaves(&error) => {}
                    response => break response?,
                }
            };
            load.deliver(response, &context)
        });
        let outcome = loaded.and_then(|Loaded { response, mut body }| {
            let (mut whole, mut piece) = (Vec::new(), [0; 1024]);
            while let count @ 1.. = body.read(&mut piece)? {
                whole.extend_from_slice(&piece[..count]);
            }
            Ok((response, whole))
        });
        Played { outcome, fates: script.end() }
    }
}

impl Played {
    /// Status and body of what was delivered.
    fn told(&self) -> String {
        let (response, body) = self.outcome.as_ref().unwrap();
        format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(body))
    }

    fn response(&self) -> &Response {
        &self.outcome.as_ref().unwrap().0
    }

    fn error(&self) -> &Error {
        self.outcome.as_ref().unwrap_err()
    }
}

type Answers = dyn Fn(&Challenge) -> Option<Disposition> + Send + Sync;

/// A delegate. The load leaves its thread with each question, twice, and then gets the answer.
struct Person {
    answers: Box<Answers>,
    questions: Mutex<Vec<String>>,
    /// Bodies in place of those that can be sent once.
    bodies: Mutex<Vec<Body>>,
}

impl Person {
    fn answering(
        answers: impl Fn(&Challenge) -> Option<Disposition> + Send + Sync + 'static,
    ) -> Self {
        Self { answers: Box::new(answers), questions: Mutex::default(), bodies: Mutex::default() }
    }

    /// Has the load leave its thread, twice for each question.
    fn stays(question: &mut Question) -> Result<(), Error> {
        let times = question.take().unwrap_or(0_u32);
        if times == 2 {
            return Ok(());
        }
        question.keep(times + 1);
        Err(Error::cancelled())
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}

impl Dialogue for Person {
    fn pauses(&self, _may_leave: bool) -> Pauses {
        Pauses::default()
    }

    fn rest(self: Arc<Self>) -> Result<(), Error> {
        Ok(())
    }

    fn has_left(&self) -> bool {
        true
    }

    fn informed(self: Arc<Self>, _: Head) {}

    fn sends(&self, _: Option<u64>) -> Result<(), Error> {
        Ok(())
    }

    fn sent(self: Arc<Self>, _: u64) -> Result<(), Error> {
        Ok(())
    }

    fn redirect(
        self: Arc<Self>,
        _: Response,
        proposed: Request,
        question: &mut Question,
    ) -> Result<Option<Request>, Error> {
        Self::stays(question)?;
        Ok(Some(proposed))
    }

    fn arrive(self: Arc<Self>) -> Result<(), Error> {
        // It is not asked for again.
        Err(Error::cancelled())
    }

    fn new_body(self: Arc<Self>, question: &mut Question) -> Result<Option<Body>, Error> {
        Self::stays(question)?;
        Ok(self.bodies.lock().unwrap().pop())
    }

    fn challenge(
        self: Arc<Self>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        let space = challenge.protection_space();
        let (method, realm) = (space.method(), space.realm().unwrap_or_default());
        let failures = challenge.previous_failure_count();
        if !question.is_open() {
            self.questions.lock().unwrap().push(format!("{method:?} {realm:?} {failures}"));
        }
        Self::stays(question)?;
        let by = DelegateId::of(&self);
        Ok((self.answers)(&challenge).map(|disposition| DelegateDecision {
            disposition,
            by,
            is_for_all: false,
        }))
    }

    fn has_delegate(&self) -> bool {
        true
    }

    fn own_delegate(&self) -> Option<DelegateId> {
        None
    }

    fn challenge_own(
        self: Arc<Self>,
        _: Challenge,
        _: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        Ok(None)
    }

    fn is_asked(self: Arc<Self>, delegate: &DelegateId) -> bool {
        delegate.is(&self)
    }
}

/// Uses this name and password.
fn using(user: &str, password: &str) -> Option<Disposition> {
    Some(Disposition::UseCredential(Credential::new(user, password)))
}

/// The field that says who one is by Basic.
fn basic(user: &str, password: &str) -> String {
    use base64::Engine;

    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {pair}")
}
