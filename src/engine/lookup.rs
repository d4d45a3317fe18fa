//! Looking up hosts, on a few threads of its own.
//!
//! The system's look-up cannot be interrupted, so it runs on a helper thread; whoever
//! waits for it can leave at any time, and the helper finishes alone. The number of
//! helpers is bounded; further look-ups stand in line.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Wake;
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::resolver::Resolver;
use crate::sync::{Condvar, Mutex, Rank, assert_unlocked};
use crate::wire::Context;

/// How many look-ups run at once for one session.
const MAXIMUM_HELPERS: usize = 8;

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
    census: Census,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    line: VecDeque<Arc<Question>>,
    helpers: usize,
    idle: usize,
    closed: bool,
}

/// One look-up, shared by who asks and who answers.
#[derive(Debug)]
struct Question {
    host: Box<str>,
    port: u16,
    answer: Mutex<Option<Result<Vec<SocketAddr>, Error>>>,
    answered: Condvar,
}

impl Wake for Question {
    fn wake(&self) {
        // Taking the lock orders this after the waiter's look at its token.
        drop(self.answer.lock());
        self.answered.notify_all();
    }
}

impl Lookups {
    pub(super) fn new(resolver: Option<Resolver>, census: Census) -> Self {
        let (state, work) = (Mutex::new(Rank::Lookups, State::default()), Condvar::new());
        Self { shared: Arc::new(Shared { resolver, census, state, work }) }
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
        let question = Arc::new(Question {
            host: host.into(),
            port,
            answer: Mutex::new(Rank::Lookup, None),
            answered: Condvar::new(),
        });
        let _registered = context.cancel.as_ref().map(|token| token.on_cancel(question.clone()));
        self.enqueue(question.clone())?;
        let wait = context.wait();
        let mut answer = question.answer.lock();
        loop {
            if let Some(answer) = answer.take() {
                return answer;
            }
            // Far away is as good as never.
            let slice = wait.slice()?.unwrap_or(Duration::from_secs(3600));
            answer = question.answered.wait_timeout(answer, slice).0;
        }
    }

    /// Sends idle helpers home. One that is inside the system's look-up ends after it.
    pub(super) fn close(&self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_all();
    }

    fn enqueue(&self, question: Arc<Question>) -> Result<(), Error> {
        let mut state = self.shared.state.lock();
        state.line.push_back(question);
        if state.idle >= state.line.len() || state.helpers >= MAXIMUM_HELPERS {
            drop(state);
            self.shared.work.notify_one();
            return Ok(());
        }
        state.helpers += 1;
        drop(state);
        let shared = self.shared.clone();
        let census = &self.shared.census;
        match census.spawn("urlsession-lookup", Box::new(move || shared.help())) {
            Ok(_) => Ok(()),
            Err(error) => {
                let mut state = self.shared.state.lock();
                state.helpers -= 1;
                if state.helpers > 0 {
                    return Ok(());
                }
                let asked = std::mem::take(&mut state.line);
                drop(state);
                let detail = "the system refused a thread for a look-up";
                let error = Error::new(ErrorKind::OutOfResources, detail).because(error);
                for question in asked {
                    *question.answer.lock() = Some(Err(error.clone()));
                    question.answered.notify_all();
                }
                Err(error)
            }
        }
    }
}

impl Drop for Lookups {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// The life of a helper.
    fn help(&self) {
        while let Some(question) = self.next() {
            // Nobody but this helper knows a question whose asker has left.
            if Arc::strong_count(&question) > 1 {
                let answer = self.resolve(&question.host, question.port);
                *question.answer.lock() = Some(answer);
                question.answered.notify_all();
            }
        }
    }

    /// Waits for something to do; `None` sends the helper home.
    fn next(&self) -> Option<Arc<Question>> {
        let mut state = self.state.lock();
        loop {
            if let Some(question) = state.line.pop_front() {
                return Some(question);
            }
            if state.closed {
                state.helpers -= 1;
                return None;
            }
            state.idle += 1;
            let (next, timed_out) = self.work.wait_timeout(state, HELPER_IDLE);
            state = next;
            state.idle -= 1;
            if timed_out && state.line.is_empty() {
                state.helpers -= 1;
                return None;
            }
        }
    }

    fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let found = match &self.resolver {
            None => (host, port).to_socket_addrs().map(Iterator::collect),
            Some(resolver) => {
                assert_unlocked("the program's resolver is called");
                let ask = AssertUnwindSafe(|| resolver.resolve(host, port));
                panic::catch_unwind(ask).map_err(|_| {
                    let detail = "the configuration's resolver panicked";
                    Error::new(ErrorKind::DelegatePanicked, detail)
                })?
            }
        };
        judge(found)
    }
}

fn judge(found: io::Result<Vec<SocketAddr>>) -> Result<Vec<SocketAddr>, Error> {
    match found {
        Ok(addresses) if addresses.is_empty() => {
            Err(Error::new(ErrorKind::CannotFindHost, "the host has no address"))
        }
        Ok(addresses) => Ok(addresses),
        Err(error) => {
            Err(Error::new(ErrorKind::CannotFindHost, "the host cannot be found").because(error))
        }
    }
}
