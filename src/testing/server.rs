//! The server: what a test tells it, what it tells a test, and its end.

use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::answer::Answer;
use super::builder::ServerBuilder;
use super::fault::{HandshakeFault, RequestFault};
#[cfg(feature = "tls")]
use super::identity::Identity;
use super::recorded::Recorded;
use super::socket::Listener;
use super::state::{Order, Shared};
use super::stats::Stats;

/// A loopback server that answers as a test tells it; see the [module](super) for the story.
///
/// Dropping it closes every connection, ends and joins its threads, and panics if something
/// failed (unless the thread is panicking already).
#[derive(Debug)]
pub struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) listener: Arc<Listener>,
    pub(super) accepting: Option<JoinHandle<()>>,
    pub(super) has_tls: bool,
}

/// Starting, and where to find it.
impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Starts a server that speaks TLS and shows `identity`.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn start_tls(identity: &Identity) -> Self {
        Self::builder().tls(identity).start()
    }

    /// Starts from other settings than the usual.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The URL of `path`, with the address as host; `localhost` for a Unix socket.
    pub fn url(&self, path: &str) -> String {
        match &*self.listener {
            Listener::Tcp(_, address) => self.url_with_authority(&address.to_string(), path),
            #[cfg(unix)]
            Listener::Unix(..) => self.url_with_authority("localhost", path),
        }
    }

    /// The URL of `path` with another name for the same port: `localhost`, or one that the
    /// client under test resolves in a way of its own.
    pub fn url_with_host(&self, host: &str, path: &str) -> String {
        self.url_with_authority(&format!("{host}:{}", self.port()), path)
    }

    fn url_with_authority(&self, authority: &str, path: &str) -> String {
        let scheme = if self.has_tls { "https" } else { "http" };
        format!("{scheme}://{authority}{path}")
    }

    /// The address it listens on.
    ///
    /// # Panics
    ///
    /// If it listens on a Unix socket.
    pub fn address(&self) -> SocketAddr {
        match &*self.listener {
            Listener::Tcp(_, address) => *address,
            #[cfg(unix)]
            Listener::Unix(_, path) => panic!("this server listens on {}", path.display()),
        }
    }

    /// The port it listens on.
    ///
    /// # Panics
    ///
    /// If it listens on a Unix socket.
    pub fn port(&self) -> u16 {
        self.address().port()
    }

    /// The Unix socket it listens on, if it does.
    #[cfg(unix)]
    pub fn socket_path(&self) -> Option<&Path> {
        match &*self.listener {
            Listener::Tcp(..) => None,
            Listener::Unix(_, path) => Some(path),
        }
    }
}

/// What to answer.
impl Server {
    /// Adds an answer behind those that wait. Each request takes the oldest when its head is
    /// in, whatever its connection and path; one that finds none waits.
    pub fn enqueue(&self, answer: Answer) {
        self.shared.change(|state| state.answers.push_back(answer));
    }

    /// Answers with `handler` whenever no answer is enqueued. It is called when the request is
    /// in with its body, on the thread of the connection, so several may run at once.
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.handle(|request| match request.path() {
    ///     "/old" => Answer::redirect(301, "/new"),
    ///     "/new" => Answer::ok("here"),
    ///     _ => Answer::status(404),
    /// });
    /// ```
    pub fn handle(&self, handler: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) {
        self.shared.change(|state| state.handler = Some(Arc::new(handler)));
    }

    /// Asks `handler` when a request's head is in, its body not yet, and no answer is enqueued.
    /// None leaves the request to [`handle`](Self::handle) and [`enqueue`](Self::enqueue).
    ///
    /// This is the place for answers that depend on the request and come before its body:
    /// [`Answer::respond_before_body`], [`Answer::on_expect`], [`Answer::early_informational`].
    pub fn handle_head(
        &self,
        handler: impl Fn(&Recorded) -> Option<Answer> + Send + Sync + 'static,
    ) {
        self.shared.change(|state| state.head_handler = Some(Arc::new(handler)));
    }

    /// How many answers are enqueued and not yet taken.
    pub fn waiting_answers(&self) -> usize {
        self.shared.lock().answers.len()
    }

    /// Lets everything that stalls now go on; see [`Answer::stall_after_head`].
    pub fn release(&self) {
        self.shared.let_go(|state| state.releases += 1);
    }

    /// Does this to the next connection in place of its handshake. May be repeated for those
    /// that follow.
    pub fn fail_next_handshake(&self, fault: HandshakeFault) {
        self.shared.change(|state| state.handshake_faults.push_back(fault));
    }

    /// Does this to the request number `nth` (from 0) of every connection, which takes no answer
    /// and is not recorded.
    pub fn fault_on_request(&self, nth: u64, fault: RequestFault) {
        self.shared.change(|state| state.request_faults.insert(nth, fault));
    }

    /// Closes the connections on which no request is going on, and returns when that is done.
    /// To a client that keeps them for its next request they are stale.
    ///
    /// A connection counts as idle from the last byte of an answer on.
    pub fn close_idle_connections(&self) {
        self.end_idle_connections(Order::Close);
    }

    /// Resets the connections on which no request is going on, and returns when that is done.
    pub fn reset_idle_connections(&self) {
        self.end_idle_connections(Order::Reset);
    }

    fn end_idle_connections(&self, order: Order) {
        let idle: Vec<_> = self.shared.change(|state| {
            let idle = state.connections.iter_mut().filter(|(_, entry)| entry.idle);
            idle.map(|(number, entry)| {
                entry.order = Some(order);
                (*number, entry.socket.clone())
            })
            .collect()
        });
        let numbers: Vec<u64> = idle.iter().map(|(number, _)| *number).collect();
        for socket in idle.into_iter().filter_map(|(_, socket)| socket) {
            if order == Order::Reset {
                socket.reset_when_closed();
            }
            // Sends nothing: it wakes the connection's thread, which ends the connection.
            socket.shutdown(std::net::Shutdown::Read);
        }
        let ended = self.shared.wait(self.shared.limits.hang_guard, |state| {
            let left = numbers.iter().any(|number| state.connections.contains_key(number));
            (!left).then_some(())
        });
        assert!(ended.is_some(), "idle connections do not end: {:?}", self.stats());
    }
}

/// What has come in.
impl Server {
    /// Takes the oldest request that was not taken yet; waits for one if need be.
    ///
    /// # Panics
    ///
    /// If none arrives within 30 seconds.
    #[must_use]
    pub fn take_request(&self) -> Recorded {
        let limit = self.shared.limits.hang_guard;
        let taken = self.shared.wait(limit, |state| state.taken_in.pop_front());
        taken.unwrap_or_else(|| {
            panic!("no request arrived at the test server within {limit:?}: {:?}", self.stats())
        })
    }

    /// Takes the oldest request that was not taken yet, if there is one.
    pub fn try_take_request(&self) -> Option<Recorded> {
        self.shared.lock().taken_in.pop_front()
    }

    /// How many requests have arrived; a request counts when its head is in.
    pub fn request_count(&self) -> u64 {
        self.stats().heads
    }

    /// How many connections have been accepted.
    pub fn connection_count(&self) -> u64 {
        self.stats().connections
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> u64 {
        self.stats().open_connections
    }

    /// All the numbers.
    pub fn stats(&self) -> Stats {
        self.shared.lock().snapshot()
    }

    /// Waits until `reached` says so.
    ///
    /// # Panics
    ///
    /// If it does not within 30 seconds.
    pub fn wait_until(&self, reached: impl FnMut(&Stats) -> bool) {
        let limit = self.shared.limits.hang_guard;
        let reached = self.wait_until_for(limit, reached);
        assert!(reached, "not reached within {limit:?}: {:?}", self.stats());
    }

    /// Waits until `reached` says so, at most for `limit`; tells whether it did.
    pub fn wait_until_for(&self, limit: Duration, reached: impl FnMut(&Stats) -> bool) -> bool {
        self.shared.wait_for_stats(limit, reached)
    }

    /// Why TLS handshakes failed so far, in the words of the TLS library: an alert that the
    /// client sent is named there.
    pub fn handshake_errors(&self) -> Vec<String> {
        self.shared.lock().handshake_errors.clone()
    }

    /// Takes what has failed so far, so that it does not fail the test when the server is
    /// dropped: for tests that break the rules on purpose.
    pub fn take_failures(&self) -> Vec<String> {
        self.shared.change(|state| std::mem::take(&mut state.failures))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
        let failures = self.take_failures();
        if !failures.is_empty() && !thread::panicking() {
            panic!("the test server failed: {}", failures.join("; "));
        }
    }
}

impl Server {
    fn close(&mut self) {
        /// A handler may be busy for a while, but not for ever.
        const PATIENCE: Duration = Duration::from_secs(10);
        self.shared.let_go(|state| state.closing = true);
        if let Some(accepting) = self.accepting.take() {
            self.listener.wake();
            // It catches the panics of its own.
            let _ = accepting.join();
        }
        let sockets: Vec<_> = {
            let state = self.shared.lock();
            state.connections.values().filter_map(|entry| entry.socket.clone()).collect()
        };
        for socket in sockets {
            socket.shutdown(std::net::Shutdown::Both);
        }
        let ended = self.shared.wait(PATIENCE, |state| (state.running_threads == 0).then_some(()));
        if ended.is_none() {
            return self.shared.fail(format!("a connection is busy {PATIENCE:?} after the end"));
        }
        let threads = self.shared.change(|state| std::mem::take(&mut state.threads));
        for thread in threads {
            let _ = thread.join();
        }
    }
}
