//! Once a task's end is told nothing more is asked or told of it, although it may have waited
//! in a queue by then: for each question and event, whomever the task reports to, however it
//! ends.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{
    Body, Challenge, Clock, Configuration, DataTask, Delegate, DeliveryQueue, Disposition, Error,
    ErrorKind, Progress, Reply, Request, Response, ResponseDisposition, Session, Task, Update,
};

use crate::support::running::{HANG, nothing_is_left, wait_for};

/// Writes down everything that it is told and asked, and decides nothing.
#[derive(Default)]
struct Listening(Mutex<Vec<&'static str>>);

impl Listening {
    fn hears(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn heard(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

impl Delegate for Listening {
    fn session_did_receive_challenge(
        &self,
        _session: &Session,
        _challenge: &Challenge,
        _reply: Reply<Disposition>,
    ) {
        self.hears("challenge of the session");
    }

    fn will_perform_redirect(
        &self,
        _task: &Task,
        _response: &Response,
        _proposed: Request,
        _reply: Reply<Option<Request>>,
    ) {
        self.hears("redirect");
    }

    fn did_receive_challenge(&self, _task: &Task, _: &Challenge, _reply: Reply<Disposition>) {
        self.hears("challenge");
    }

    fn task_is_waiting_for_connectivity(&self, _task: &Task) {
        self.hears("waiting");
    }

    fn need_new_body_stream(&self, _task: &Task, _reply: Reply<Option<Body>>) {
        self.hears("body");
    }

    fn did_receive_informational_response(&self, _task: &Task, _response: &Response) {
        self.hears("informational");
    }

    fn did_send_body_data(&self, _task: &Task, _sent: u64, _total: u64, _expected: Option<u64>) {
        self.hears("sent");
    }

    fn did_make_progress(&self, _task: &Task, _progress: Progress) {
        self.hears("progress");
    }

    fn did_complete(&self, _task: &Task, _error: Option<&Error>) {
        self.hears("end");
    }

    fn did_receive_response(
        &self,
        _task: &Task,
        _response: &Response,
        _reply: Reply<ResponseDisposition>,
    ) {
        self.hears("response");
    }

    fn did_receive_data(&self, _task: &Task, _data: Vec<u8>) {
        self.hears("data");
    }
}

/// What waits in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Redirect,
    Challenge,
    /// In place of a body that was sent and has to be sent again.
    NewBody,
    #[cfg(feature = "tls")]
    Trust,
    Connectivity,
    Sent,
}

impl Waits {
    const ALL: &[Self] = &[
        Self::Redirect,
        Self::Challenge,
        Self::NewBody,
        #[cfg(feature = "tls")]
        Self::Trust,
        Self::Connectivity,
        Self::Sent,
    ];

    /// Starts a server that has it asked or told; returns the request that does.
    fn scene(self, configuration: &mut Configuration) -> (Server, Request) {
        #[cfg(feature = "tls")]
        if self == Self::Trust {
            let authority = urlsession::testing::Authority::new();
            let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
            let request = Request::get(server.url("/"));
            return (server, request);
        }
        let server = Server::start();
        let url = server.url("/");
        let once = || Body::reader(&b"once"[..]);
        let request = match self {
            Self::Redirect => {
                server.enqueue(Answer::redirect(302, "/there"));
                Request::get(url)
            }
            Self::Challenge => {
                let basic = Answer::status(401).header("WWW-Authenticate", "Basic realm=\"x\"");
                server.enqueue(basic);
                Request::get(url)
            }
            Self::NewBody => {
                server.enqueue(Answer::redirect(307, "/there"));
                Request::put(url).body(once())
            }
            Self::Connectivity => {
                configuration.waits_for_connectivity = true;
                let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                Request::get(format!("http://{}/", refused.local_addr().unwrap()))
            }
            Self::Sent => {
                configuration.progress_interval = Duration::ZERO;
                server.enqueue(Answer::ok("").stall_reading_after(100_000));
                Request::put(url).body(vec![b'x'; 16 << 20])
            }
            #[cfg(feature = "tls")]
            Self::Trust => unreachable!("it has returned"),
        };
        (server, request)
    }
}

/// Whom the task reports to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Updates,
    Channel,
    Closure,
    Delegate,
}

/// Where the end of a task comes to.
enum End {
    Updates(urlsession::Updates),
    Outcome(Receiver<Option<ErrorKind>>),
    Finished(Receiver<urlsession::Finished<urlsession::Data>>),
    Heard(Arc<Listening>, DataTask),
}

impl To {
    const ALL: [Self; 4] = [Self::Updates, Self::Channel, Self::Closure, Self::Delegate];

    fn begin(self, session: &Session, request: Request, heard: &Arc<Listening>) -> (Task, End) {
        match self {
            Self::Updates => {
                let updates = session.data_task(request).updates();
                (updates.task().clone(), End::Updates(updates))
            }
            Self::Channel => {
                let (sender, finished) = channel();
                let task = session.data_task_to(request, &sender);
                (task.resume().into(), End::Finished(finished))
            }
            Self::Closure => {
                let (sender, outcome) = channel();
                let task = session.data_task_with(request, move |data| {
                    sender.send(data.err().map(|error| error.kind())).unwrap();
                });
                (task.resume().into(), End::Outcome(outcome))
            }
            Self::Delegate => {
                let task = session.data_task(request);
                (task.resume().into(), End::Heard(Arc::clone(heard), task))
            }
        }
    }
}

impl End {
    /// Waits for the end, which comes by `queue` or without it.
    fn kind(self, queue: &DeliveryQueue) -> Option<ErrorKind> {
        match self {
            Self::Updates(updates) => {
                let last = updates.last();
                let Some(Update::Finished(outcome)) = last else { panic!("{last:?} at the end") };
                outcome.err().map(|error| error.kind())
            }
            Self::Finished(finished) => {
                let outcome = finished.recv_timeout(HANG).unwrap().outcome;
                outcome.err().map(|error| error.kind())
            }
            Self::Outcome(outcome) => {
                let mut kind = None;
                wait_for("the closure", || {
                    queue.run_pending();
                    kind = outcome.try_recv().ok();
                    kind.is_some()
                });
                kind.unwrap()
            }
            Self::Heard(listening, task) => {
                wait_for("the completion", || {
                    queue.run_pending();
                    listening.heard().contains(&"end")
                });
                task.error().map(|error| error.kind())
            }
        }
    }
}

/// What ends a task while something waits in its queue.
type Ends = (&'static str, ErrorKind, fn(&Session, &Task, &Clock));

const ENDS: [Ends; 3] = [
    ("a cancel", ErrorKind::Cancelled, |_, task, _| task.cancel()),
    ("the end of the session", ErrorKind::Cancelled, |session, _, _| {
        session.invalidate_and_cancel();
    }),
    ("the resource timer", ErrorKind::TimedOut, |_, _, clock| {
        clock.advance(Duration::from_secs(1000));
    }),
];

/// Has something wait in a queue that nobody runs, ends the task, and then runs the queue.
/// Returns what the delegate hears before the end is known, and after it.
fn heard_around_the_end(
    waits: Waits,
    to: To,
    (name, expected, end): Ends,
) -> [Vec<&'static str>; 2] {
    let (clock, mut configuration) = (Clock::by_hand(), Configuration::ephemeral());
    configuration.clock = clock.clone();
    configuration.timeout_for_resource = Duration::from_secs(999);
    configuration.timeout_for_request = Duration::from_secs(5000);
    let (server, request) = waits.scene(&mut configuration);
    let (wakes, woken) = channel();
    let queue = DeliveryQueue::manual(move || {
        let _ = wakes.send(());
    });
    let listening = Arc::new(Listening::default());
    let session = Session::with_delegate(configuration, listening.clone(), queue.clone()).unwrap();
    let (task, outcome) = to.begin(&session, request, &listening);
    woken.recv_timeout(HANG).unwrap();
    end(&session, &task, &clock);
    assert_eq!(outcome.kind(&queue), Some(expected), "{waits:?}, {to:?}, {name}");
    let before = listening.heard();
    listening.0.lock().unwrap().clear();
    wait_for("all calls", || {
        queue.run_pending();
        session.wait_until_idle(Duration::ZERO)
    });
    let after = listening.heard();
    drop((task, queue));
    nothing_is_left(session, &[&server]);
    [before, after]
}

#[test]
fn what_waits_in_a_queue_when_a_task_ends_is_never_asked_or_told() {
    for waits in Waits::ALL.iter().copied().filter(|waits| *waits != Waits::Sent) {
        for to in To::ALL {
            // Those whose end comes by the queue are asked until they know that it is late.
            let by_queue = matches!(to, To::Closure | To::Delegate);
            for end in ENDS.into_iter().filter(|end| !by_queue || end.1 == ErrorKind::Cancelled) {
                let told = if to == To::Delegate { vec!["end"] } else { vec![] };
                let [mut before, after] = heard_around_the_end(waits, to, end);
                before.retain(|heard| !["sent", "progress"].contains(heard));
                assert_eq!((before, after), (told, vec![]), "{waits:?}, {to:?}, {}", end.0);
            }
        }
    }
}

#[test]
fn what_was_sent_is_not_told_once_a_cancelled_task_has_ended() {
    for to in [To::Channel, To::Closure, To::Delegate] {
        for end in &ENDS[..2] {
            let [_, after] = heard_around_the_end(Waits::Sent, to, *end);
            assert_eq!(after, Vec::<&str>::new(), "{to:?}, {}", end.0);
        }
    }
}

#[test]
fn a_queue_that_is_held_up_asks_nothing_of_a_task_that_has_ended() {
    for to in [To::Updates, To::Channel] {
        let mut configuration = Configuration::ephemeral();
        let (server, request) = Waits::Redirect.scene(&mut configuration);
        let listening = Arc::new(Listening::default());
        let queue = DeliveryQueue::serial();
        let session =
            Session::with_delegate(configuration, listening.clone(), queue.clone()).unwrap();
        let (goes, go) = channel::<()>();
        session.flush_with(move || {
            let _ = go.recv();
        });
        let (task, outcome) = to.begin(&session, request, &listening);
        wait_for("the redirect", || task.response().is_some());
        task.cancel();
        assert_eq!(outcome.kind(&queue), Some(ErrorKind::Cancelled), "{to:?}");
        drop(goes);
        assert!(session.wait_until_idle(HANG), "{to:?}");
        assert_eq!(listening.heard(), Vec::<&str>::new(), "{to:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

/// Is asked about a redirect, and waits with the answer until it is let.
struct Deciding(Mutex<(Sender<()>, Receiver<()>)>);

impl Delegate for Deciding {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        _response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        let held = self.0.lock().unwrap();
        held.0.send(()).unwrap();
        let _ = held.1.recv();
        reply.answer(Some(proposed));
    }
}

#[test]
fn the_answer_to_a_question_that_outlives_its_task_has_no_effect() {
    for to in [To::Updates, To::Channel] {
        let mut configuration = Configuration::ephemeral();
        let (server, request) = Waits::Redirect.scene(&mut configuration);
        let (asks, asked) = channel();
        let (lets, held) = channel::<()>();
        let deciding = Arc::new(Deciding(Mutex::new((asks, held))));
        let queue = DeliveryQueue::serial();
        let session = Session::with_delegate(configuration, deciding, queue.clone()).unwrap();
        let (task, outcome) = to.begin(&session, request, &Arc::default());
        asked.recv_timeout(HANG).unwrap();
        task.cancel();
        // The end does not wait for the queue, which is held up for as long as the program likes.
        assert_eq!(outcome.kind(&queue), Some(ErrorKind::Cancelled), "{to:?}");
        drop(lets);
        assert!(session.wait_until_idle(HANG), "{to:?}");
        assert_eq!(server.request_count(), 1, "{to:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}
