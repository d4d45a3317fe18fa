//! Loads that run on threads of their own, and what is left of a session.

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Counters, Server};
use urlsession::{Clock, Configuration, Error, Request, Session};

/// No test waits longer for anything.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// Makes a session from an ephemeral configuration with something changed.
pub(crate) fn session(change: impl FnOnce(&mut Configuration)) -> Session {
    let mut configuration = Configuration::ephemeral();
    change(&mut configuration);
    Session::new(configuration).unwrap()
}

/// A session like that, by a clock that the test turns.
pub(crate) fn by_hand(session: &Session) -> (Session, Clock) {
    let (mut configuration, clock) = (session.configuration(), Clock::by_hand());
    configuration.clock = clock.clone();
    (Session::new(configuration).unwrap(), clock)
}

/// Turns the clock until a load has ended. Its last wait may have begun only just now.
pub(crate) fn turn_until_ended<T: Send + 'static>(clock: &Clock, load: &Running<T>) {
    wait_for("the end of the load", || {
        clock.advance(Duration::from_secs(30));
        !load.is_running_after(Duration::from_millis(20))
    });
}

/// Something that runs on a thread of its own.
pub(crate) struct Running<T> {
    receiver: Receiver<(T, Instant)>,
    arrived: Cell<Option<(T, Instant)>>,
}

impl<T: Send + 'static> Running<T> {
    /// Runs `work`.
    pub(crate) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let outcome = work();
            // Whoever no longer waits has failed already.
            let _ = sender.send((outcome, Instant::now()));
        });
        Self { receiver, arrived: Cell::new(None) }
    }

    /// Waits for the outcome.
    pub(crate) fn outcome(self) -> T {
        self.outcome_and_time().0
    }

    /// Waits for the outcome; also returns when it was there.
    pub(crate) fn outcome_and_time(self) -> (T, Instant) {
        let arrived = self.arrived.take();
        arrived
            .unwrap_or_else(|| self.receiver.recv_timeout(HANG).expect("it hangs, or has panicked"))
    }

    /// Whether there is no outcome yet.
    pub(crate) fn is_running(&self) -> bool {
        self.is_running_after(Duration::ZERO)
    }

    /// Waits for the outcome, but not longer than `patience`; tells whether there is none yet.
    pub(crate) fn is_running_after(&self, patience: Duration) -> bool {
        let known = self.arrived.take();
        let arrived = known.or_else(|| self.receiver.recv_timeout(patience).ok());
        let is_running = arrived.is_none();
        self.arrived.set(arrived);
        is_running
    }
}

/// The two ways to load a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Data,
    Bytes,
}

impl Way {
    pub(crate) const BOTH: [Self; 2] = [Self::Data, Self::Bytes];

    /// Loads all of `request`'s body.
    pub(crate) fn load(self, session: &Session, request: Request) -> Result<Vec<u8>, Error> {
        match self {
            Self::Data => session.data(request).map(|data| data.body),
            Self::Bytes => {
                let mut bytes = session.bytes(request)?;
                let mut body = Vec::new();
                match bytes.read_to_end(&mut body) {
                    Ok(_) => Ok(body),
                    Err(error) => Err(reason(&error)),
                }
            }
        }
    }

    /// The same on a thread of its own.
    pub(crate) fn start(
        self,
        session: &Session,
        request: Request,
    ) -> Running<Result<Vec<u8>, Error>> {
        let session = session.clone();
        Running::start(move || self.load(&session, request))
    }
}

/// The error of this crate inside one of a reader.
pub(crate) fn reason(error: &io::Error) -> Error {
    Error::from_io(error).unwrap_or_else(|| panic!("not an error of ours: {error}")).clone()
}

/// Waits until `reached`, asking again and again: for what no condition variable tells.
pub(crate) fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !reached() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Drops the session and sees that nothing of it is left, here and at the server.
pub(crate) fn nothing_is_left(session: Session, servers: &[&Server]) {
    let counters = Counters::of(&session);
    drop(session);
    // A helper that still looks something up ends after it.
    wait_for("no threads and sockets", || counters.threads() + counters.sockets() == 0);
    for server in servers {
        all_have_left(server);
    }
}

/// Waits until `server` has no connection any more. One that does not read notices only when it
/// is let go that its client has left, and it may be about to stall.
pub(crate) fn all_have_left(server: &Server) {
    wait_for("no connection at the server", || {
        server.release();
        server.wait_until_for(Duration::from_millis(20), |stats| stats.open_connections == 0)
    });
}

/// Runs `test` with a plain server, and with one that speaks TLS if this build does.
pub(crate) fn plain_and_tls(test: impl Fn(&str, Server, Session)) {
    test("plain", Server::start(), session(|_| {}));
    #[cfg(feature = "tls")]
    {
        let authority = urlsession::testing::Authority::new();
        let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
        let trusting = session(|configuration| {
            configuration.trusts_system_roots = false;
            let root = urlsession::Certificate::from_der(authority.certificate_der());
            configuration.additional_roots = vec![root];
        });
        test("TLS", server, trusting);
    }
}
