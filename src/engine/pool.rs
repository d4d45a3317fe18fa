//! Idle connections, ready to be used again.
//!
//! Per route the one used last is used first, so that the others grow old and are closed
//! (RFC 9112 §9.3). One thread closes them; it runs only while something is idle.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::spare::Spare;
use super::tls::Terms;
use crate::census::Census;
use crate::clock::Clock;
use crate::fork::Maker;
use crate::log;
use crate::sync::{Condvar, Mutex, Rank};
use crate::wire::{Route, RouteKey};

/// How many connections are kept, and how long.
#[derive(Clone, Debug)]
pub(crate) struct IdleLimits {
    pub(crate) per_origin: usize,
    pub(crate) in_all: usize,
    pub(crate) timeout: Duration,
}

/// The idle connections of one session.
#[derive(Debug)]
pub(super) struct Pool {
    limits: IdleLimits,
    clock: Clock,
    census: Census,
    state: Mutex<IdleConnections>,
    /// Rung when the pool is closed, and when the reaper has to look sooner.
    closing: Condvar,
}

/// Per route, in the order of routes: the oldest first. So few routes are compared sooner than
/// hashed.
type Idle = Vec<(RouteKey, VecDeque<Box<Connection>>)>;

#[derive(Debug, Default)]
struct IdleConnections {
    idle: Idle,
    count: usize,
    spare: Spare,
    /// Connections of an earlier one are not kept.
    epoch: u64,
    reaper: Option<JoinHandle<()>>,
    reaping: bool,
    /// When the reaper looks again, if it ever does.
    looks_at: Option<Instant>,
    closed: bool,
    /// Whose connections and reaper these are.
    maker: Maker,
}

impl Pool {
    pub(super) fn new(limits: IdleLimits, clock: Clock, census: Census) -> Self {
        let (state, closing) = (Mutex::new(Rank::Idle, IdleConnections::default()), Condvar::new());
        Self { limits, clock, census, state, closing }
    }

    /// Takes the connection with this `route` that was used last, with memory for an exchange, if
    /// one is still usable for a request, for which is said whether it may be repeated. One with
    /// terms is taken if they `allow` it.
    pub(super) fn take(
        &self,
        route: Route<'_>,
        allow: impl Fn(&Terms) -> bool,
        may_be_repeated: impl Fn() -> bool,
    ) -> Option<Box<Connection>> {
        loop {
            let taken = self.state.lock().take(route)?;
            let mut connection = match taken {
                Taken::Free(connection) => connection,
                Taken::Ask(candidates) => self.take_allowed(route, &candidates, &allow)?,
            };
            // Outside of the lock: it asks the system.
            let now = self.clock.now();
            if connection.is_young(now, self.limits.timeout, &may_be_repeated)
                && connection.is_usable()
            {
                connection.wake_up();
                return Some(connection);
            }
        }
    }

    /// Takes the connection that was used last among those with these terms, if they allow it.
    fn take_allowed(
        &self,
        route: Route<'_>,
        candidates: &[Option<Arc<Terms>>],
        allow: impl Fn(&Terms) -> bool,
    ) -> Option<Box<Connection>> {
        // Without the lock: the load is asked, and the storage.
        let allowed = |terms: &&Option<Arc<Terms>>| terms.as_ref().is_none_or(|terms| allow(terms));
        let take = |terms| self.state.lock().take_with(route, terms);
        candidates.iter().rev().filter(allowed).find_map(|terms| take(terms.as_ref()))
    }

    /// Takes a connection that is new into account, and lends it memory.
    pub(super) fn admit(&self, connection: &mut Connection) {
        let mut state = self.state.lock();
        connection.epoch = state.epoch;
        connection.borrow_memory(&mut state.spare);
    }

    /// Whether a connection that is busy may be used again.
    pub(super) fn would_keep(&self, connection: &Connection) -> bool {
        let state = self.state.lock();
        !state.closed && connection.epoch == state.epoch
    }

    /// Closes all idle connections, and those that are busy when they become idle.
    pub(super) fn renew(&self) {
        let idle = {
            let mut state = self.state.lock();
            state.epoch += 1;
            state.count = 0;
            std::mem::take(&mut state.idle)
        };
        // Closing asks the system, so it is done outside of the lock.
        drop(idle);
    }

    /// Keeps `connection` for the next load with its route.
    pub(super) fn put(self: &Arc<Self>, mut connection: Box<Connection>) {
        if self.limits.per_origin == 0 || self.limits.in_all == 0 {
            return;
        }
        let until = connection.become_idle(self.clock.now());
        let mut state = self.state.lock();
        if state.closed || connection.epoch != state.epoch {
            drop(state);
            return;
        }
        let foreign = (!state.maker.is_this_process()).then(|| state.begin_anew());
        connection.return_memory(&mut state.spare);
        let hurries = until.is_some_and(|until| state.looks_after(until));
        let dropped = state.put(connection, &self.limits);
        let starts_reaper = !std::mem::replace(&mut state.reaping, true);
        drop(state);
        // These ask the system, so they are done outside of the lock.
        drop((dropped, foreign));
        if starts_reaper {
            self.start_reaper();
        } else if hurries {
            self.closing.notify_all();
        }
    }

    fn start_reaper(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        match self.census.spawn("urlsession-reaper", Box::new(move || reap(&pool))) {
            Ok(handle) => {
                let mut state = self.state.lock();
                if !state.closed {
                    // The one before has left its loop, or this one had not been started.
                    state.reaper = Some(handle);
                    return;
                }
                drop(state);
                // The pool was closed meanwhile; see `close`.
                let _ = handle.join();
            }
            Err(error) => {
                self.state.lock().reaping = false;
                // Old connections are then closed when their route is asked for.
                log::warn!("no thread to close idle connections: {error}");
            }
        }
    }

    /// Closes all idle connections and ends the reaper.
    pub(super) fn close(&self) {
        let (idle, reaper) = {
            let mut state = self.state.lock();
            let foreign = (!state.maker.is_this_process()).then(|| state.begin_anew());
            state.closed = true;
            state.count = 0;
            ((std::mem::take(&mut state.idle), foreign), state.reaper.take())
        };
        self.closing.notify_all();
        drop(idle);
        if let Some(reaper) = reaper {
            // It cannot panic; if it did, the connections are gone all the same.
            let _ = reaper.join();
        }
    }

    /// Closes what is too old, then waits until the next connection may be. Returns
    /// whether to go on: a whole timeout without anything idle ends it, not the moment in
    /// which a load has the only connection.
    fn reap_once(&self, was_empty: &mut bool) -> bool {
        let mut state = self.state.lock();
        let now = self.clock.now();
        let (old, next) = state.take_old(now, self.limits.timeout);
        let over = state.closed || (next.is_none() && *was_empty);
        *was_empty = next.is_none();
        if over {
            state.reaping = false;
        } else if old.is_empty() {
            let left = next.map_or(self.limits.timeout, |next| next.saturating_duration_since(now));
            state.looks_at = now.checked_add(left);
            drop(self.closing.wait_timeout(state, self.clock.slice(left)));
            return true;
        }
        drop(state);
        // Closing asks the system, so it is done outside of the lock.
        drop(old);
        !over
    }
}

/// The life of the reaper.
fn reap(pool: &Weak<Pool>) {
    let mut was_empty = false;
    while pool.upgrade().is_some_and(|pool| pool.reap_once(&mut was_empty)) {}
}

/// What can be had of the idle connections of a route.
enum Taken {
    /// The one used last, which everybody may use.
    Free(Box<Connection>),
    /// The one used last has terms. These are the terms of all, as they are in line.
    Ask(Vec<Option<Arc<Terms>>>),
}

impl IdleConnections {
    fn take(&mut self, route: Route<'_>) -> Option<Taken> {
        let queue = self.queue(route)?;
        if queue.back()?.terms().is_some() {
            return Some(Taken::Ask(queue.iter().map(|one| one.terms().cloned()).collect()));
        }
        let mut connection = queue.pop_back()?;
        self.count -= 1;
        connection.borrow_memory(&mut self.spare);
        Some(Taken::Free(connection))
    }

    /// Leaves to the process that this one was forked off what is its own: a thread that is
    /// not there, and connections, which are returned to be dropped.
    #[cold]
    fn begin_anew(&mut self) -> Idle {
        self.maker = Maker::this_process();
        // Nobody can wait for it.
        std::mem::forget(self.reaper.take());
        self.reaping = false;
        self.count = 0;
        std::mem::take(&mut self.idle)
    }

    /// Takes the connection that was used last among those with these very terms.
    fn take_with(
        &mut self,
        route: Route<'_>,
        terms: Option<&Arc<Terms>>,
    ) -> Option<Box<Connection>> {
        let queue = self.queue(route)?;
        let same = |one: &Connection| match (one.terms(), terms) {
            (Some(one), Some(terms)) => Arc::ptr_eq(one, terms),
            (one, terms) => one.is_none() && terms.is_none(),
        };
        let at = queue.iter().rposition(|one| same(one))?;
        let mut connection = queue.remove(at)?;
        self.count -= 1;
        connection.borrow_memory(&mut self.spare);
        Some(connection)
    }

    /// Puts a connection in and returns the one that has to make room.
    fn put(&mut self, connection: Box<Connection>, limits: &IdleLimits) -> Option<Box<Connection>> {
        let route = connection.route();
        let at = self.find(route.as_route()).unwrap_or_else(|at| {
            self.idle.insert(at, (route.clone(), VecDeque::new()));
            at
        });
        let queue = &mut self.idle[at].1;
        queue.push_back(connection);
        self.count += 1;
        let dropped = if queue.len() > limits.per_origin {
            queue.pop_front()
        } else if self.count > limits.in_all {
            self.oldest().and_then(VecDeque::pop_front)
        } else {
            None
        };
        self.count -= usize::from(dropped.is_some());
        dropped
    }

    fn oldest(&mut self) -> Option<&mut VecDeque<Box<Connection>>> {
        let since = |queue: &VecDeque<Box<Connection>>| queue.front().map(|first| first.idle_since);
        let queues = self.idle.iter_mut().map(|(_, queue)| queue);
        queues.filter(|queue| !queue.is_empty()).min_by_key(|queue| since(queue))
    }

    /// Returns where the connections with this route are, or would be.
    fn find(&self, route: Route<'_>) -> Result<usize, usize> {
        self.idle.binary_search_by(|(key, _)| key.as_route().cmp(&route))
    }

    fn queue(&mut self, route: Route<'_>) -> Option<&mut VecDeque<Box<Connection>>> {
        let at = self.find(route).ok()?;
        self.idle.get_mut(at).map(|(_, queue)| queue)
    }

    /// Whether the reaper sleeps for longer than until then.
    fn looks_after(&self, then: Instant) -> bool {
        self.looks_at.is_none_or(|at| then < at)
    }

    /// Takes out what has been idle for `timeout`, or for as long as its server keeps it; also
    /// returns when the next one will have been.
    fn take_old(
        &mut self,
        now: Instant,
        timeout: Duration,
    ) -> (VecDeque<Box<Connection>>, Option<Instant>) {
        let (mut old, mut next) = (VecDeque::new(), None);
        for (_, queue) in &mut self.idle {
            for _ in 0..queue.len() {
                let Some(connection) = queue.pop_front() else { break };
                // A timeout that no clock can hold never passes.
                let until = connection.idle_since.unwrap_or(now).checked_add(timeout);
                let until = until.into_iter().chain(connection.hinted_end()).min();
                if until.is_some_and(|until| until <= now) {
                    old.push_back(connection);
                } else {
                    next = next.into_iter().chain(until).min();
                    queue.push_back(connection);
                }
            }
        }
        self.idle.retain(|(_, queue)| !queue.is_empty());
        self.count -= old.len();
        (old, next)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use socket2::{Domain, Socket, Type};
    use url::Url;

    use super::*;
    use crate::census::Kind;
    use crate::engine::socket::Link;
    use crate::engine::stream::Stream;

    #[test]
    fn a_connection_may_be_kept_for_ever() {
        let census = Census::default();
        let (one, _other) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
        let url = Url::parse("http://a").unwrap();
        let mut connection = Connection::new(
            Stream::Plain(Link::new(one, census.count(Kind::Socket))),
            Route::direct(&url, None).to_key(),
        );
        let now = Instant::now();
        connection.idle_since = Some(now);
        let limits = IdleLimits { per_origin: 1, in_all: 1, timeout: Duration::MAX };
        let mut state = IdleConnections::default();
        assert!(state.put(Box::new(connection), &limits).is_none());
        let (old, next) = state.take_old(now, limits.timeout);
        assert!(old.is_empty() && next.is_none());
        assert_eq!(state.take_old(now, Duration::ZERO).0.len(), 1);
    }
}
