//! Looking up hosts, on a few threads of its own.
//!
//! The system's look-up cannot be interrupted, so it runs on a helper thread; whoever
//! waits for it can leave at any time, and the helper finishes alone. Whoever asks for the
//! same host and port meanwhile waits for the same answer. [`mod@line`] decides who is asked
//! about next and when one more helper is due; here is what waits and what is started.
//!
//! No answer is remembered, neither a good one nor a failure: the system has a cache of its
//! own, and a name that could not be found a moment ago may be found now.

mod line;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use line::{Line, Question};

use super::reach;
use crate::cancel::Wake;
use crate::census::Census;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::foreign::caught;
use crate::resolver::Resolver;
use crate::sync::{Condvar, Mutex, MutexGuard, Rank};
use crate::wire::Context;

/// How long a helper waits for more to do before it ends.
const HELPER_IDLE: Duration = Duration::from_secs(5);

/// Looks up hosts for one session.
#[derive(Debug)]
pub(super) struct Lookups {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    resolver: Option<Resolver>,
    clock: Clock,
    census: Census,
    line: Mutex<Line<Call>>,
    /// Rung when there is something to do for a helper, or nothing any more.
    work: Condvar,
}

/// What those who wait for one answer share.
#[derive(Debug, Default)]
struct Call {
    answer: OnceLock<Result<Vec<SocketAddr>, Error>>,
    /// Rung with the line's lock, when the answer is there or one of them is cancelled.
    bell: Condvar,
}

/// One who waits for an answer; dropped, it has left.
struct Asker<'a> {
    shared: &'a Arc<Shared>,
    question: Arc<Question<Call>>,
}

/// Wakes those who wait for an answer, one of whom is cancelled.
struct Alarm {
    shared: Arc<Shared>,
    question: Arc<Question<Call>>,
}

impl Wake for Alarm {
    fn wake(&self) {
        // Taking the lock orders this after the waiter's look at its token.
        drop(self.shared.line.lock());
        self.question.call.bell.notify_all();
    }
}

impl Lookups {
    pub(super) fn new(resolver: Option<Resolver>, clock: Clock, census: Census) -> Self {
        let (line, work) = (Mutex::new(Rank::Lookups, Line::default()), Condvar::new());
        Self { shared: Arc::new(Shared { resolver, clock, census, line, work }) }
    }

    /// Returns whether even IP addresses have to be asked about.
    pub(super) fn sees_all(&self) -> bool {
        self.shared.resolver.is_some()
    }

    /// Returns the addresses of `host`.
    pub(super) fn find(
        &self,
        host: &str,
        port: u16,
        context: &Context,
    ) -> Result<Vec<SocketAddr>, Error> {
        let shared = &self.shared;
        let question = shared.line.lock().ask(host, port, shared.clock.now());
        let asker = Asker { shared, question };
        let _registered = context.cancel.as_ref().map(|token| token.on_cancel(asker.alarm()));
        asker.wait(context)
    }

    /// Sends idle helpers home. One that is inside the system's look-up ends after it.
    pub(super) fn close(&self) {
        self.shared.line.lock().close();
        self.shared.work.notify_all();
    }
}

impl Drop for Lookups {
    fn drop(&mut self) {
        self.close();
    }
}

impl Asker<'_> {
    fn alarm(&self) -> Arc<Alarm> {
        Arc::new(Alarm { shared: self.shared.clone(), question: self.question.clone() })
    }

    fn wait(&self, context: &Context) -> Result<Vec<SocketAddr>, Error> {
        let (shared, call) = (self.shared, &self.question.call);
        let wait = context.wait();
        loop {
            // Without the lock: it asks whom the load belongs to.
            let slice = wait.slice()?;
            let line = shared.reinforce(shared.line.lock());
            if let Some(answer) = call.answer.get() {
                return answer.clone();
            }
            context.check()?;
            let due = line.next_look(&self.question, shared.clock.now());
            let due = due.map(|due| shared.clock.slice(due));
            // Far away is as good as never.
            let least = [slice, due].into_iter().flatten().min();
            let least = least.unwrap_or(Duration::from_secs(3600));
            drop(call.bell.wait_timeout(line, least));
        }
    }
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        self.shared.line.lock().leave(&self.question);
    }
}

impl Shared {
    /// Starts as many helpers as are due.
    fn reinforce<'a>(
        self: &'a Arc<Self>,
        mut line: MutexGuard<'a, Line<Call>>,
    ) -> MutexGuard<'a, Line<Call>> {
        // One that is idle may be asleep.
        self.work.notify_one();
        while line.begin_helper(self.clock.now()) {
            drop(line);
            let shared = self.clone();
            let started = self.census.spawn("urlsession-lookup", Box::new(move || shared.help()));
            line = self.line.lock();
            if let Err(error) = started {
                self.fall_short(&mut line, error);
                break;
            }
        }
        line
    }

    /// The system refuses a thread: those in line wait for the helpers that there are, and if
    /// there is none, for nothing.
    fn fall_short(&self, line: &mut Line<Call>, error: io::Error) {
        let stranded = line.end_helper();
        let detail = "the system refused a thread for a look-up";
        let error = Error::new(ErrorKind::OutOfResources, detail).by_system(error);
        for question in stranded {
            let _ = question.call.answer.set(Err(error.clone()));
            question.call.bell.notify_all();
        }
    }

    /// The life of a helper.
    fn help(&self) {
        while let Some(question) = self.next() {
            let answer = self.resolve(&question.host, question.port);
            let mut line = self.line.lock();
            line.finish(&question);
            let _ = question.call.answer.set(answer);
            drop(line);
            question.call.bell.notify_all();
        }
    }

    /// Waits for something to do; `None` sends the helper home.
    fn next(&self) -> Option<Arc<Question<Call>>> {
        let until = self.clock.now() + HELPER_IDLE;
        let mut line = self.line.lock();
        loop {
            if let Some(question) = line.take(self.clock.now()) {
                return Some(question);
            }
            let left = until.saturating_duration_since(self.clock.now());
            if line.is_closed() || left.is_zero() {
                line.end_helper();
                return None;
            }
            line = self.work.wait_timeout(line, self.clock.slice(left)).0;
        }
    }

    fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let found = match &self.resolver {
            None => (host, port).to_socket_addrs().map(Iterator::collect).map_err(not_found),
            Some(resolver) => {
                let ask = || resolver.resolve(host, port);
                let found = caught("the configuration's resolver", ask).map_err(|_| {
                    let detail = "the configuration's resolver panicked";
                    Error::new(ErrorKind::DelegatePanicked, detail)
                })?;
                found.map_err(|error| {
                    let detail = "the configuration's resolver found no host";
                    Error::new(ErrorKind::CannotFindHost, detail).by_system(error)
                })
            }
        };
        match found {
            Ok(addresses) if addresses.is_empty() => {
                Err(Error::new(ErrorKind::CannotFindHost, "the host has no address"))
            }
            found => found,
        }
    }
}

/// What the system said of a host: its text holds nothing but that.
#[cold]
fn not_found(error: io::Error) -> Error {
    let said = error.to_string();
    let said = said.strip_prefix("failed to lookup address information: ").unwrap_or(&said);
    match reach::of_lookup(reach::has_network()) {
        ErrorKind::NotConnectedToInternet => {
            let detail = format!("this machine has no network to look up the host: {said}");
            Error::new(ErrorKind::NotConnectedToInternet, detail)
        }
        kind => Error::new(kind, format!("no such host: {said}")),
    }
    .because(error)
}
