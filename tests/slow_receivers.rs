//! Endless bodies that nobody takes as fast as they come: what they cost, that they stop their
//! sender, and how fast a cancel ends them. A program of its own with one test, because all
//! memory that the process has allocated is counted.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod counting;

use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::Counters;
use urlsession::{
    Configuration, Delegate, DeliveryQueue, Error, ErrorKind, Session, Task, Update, Updates,
};

use crate::counting::{live, peak};

const MIB: u64 = 1 << 20;
const HANG: Duration = Duration::from_secs(30);

/// Twenty times the 100 ms in which a cancel ends a task.
const GUARD: Duration = Duration::from_secs(2);

/// How long the client takes nothing before that is said.
const PATIENCE: Duration = Duration::from_millis(200);

/// A server of one endless body. It is not the one of the other tests, as it has to know what
/// it could send.
struct Endless {
    url: String,
    /// How much was sent, whenever nothing more was taken for a while.
    blocked: Receiver<u64>,
    thread: thread::JoinHandle<()>,
}

impl Endless {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (says, blocked) = channel();
        let thread = thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            send(client, &says);
        });
        Self { url, blocked, thread }
    }

    /// Waits until the client takes no more; returns how much was sent then.
    fn sent_until_blocked(&self) -> u64 {
        self.blocked.recv_timeout(HANG).unwrap()
    }
}

/// Sends until the client is gone.
fn send(mut client: TcpStream, says: &Sender<u64>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    client.set_write_timeout(Some(PATIENCE)).unwrap();
    let (piece, mut sent) = ([b'x'; 16 * 1024], 0);
    let mut said = None;
    loop {
        match client.write(&piece) {
            Ok(count) => sent += count as u64,
            Err(error)
                if matches!(error.kind(), IoErrorKind::WouldBlock | IoErrorKind::TimedOut) =>
            {
                if said.replace(sent) != Some(sent) {
                    let _ = says.send(sent);
                }
            }
            Err(_) => return,
        }
    }
}

/// Takes a piece for each permit that it is given.
struct Slow {
    permits: Mutex<Receiver<()>>,
    begun: Sender<()>,
    ended: Sender<(Instant, Option<ErrorKind>)>,
}

impl Delegate for Slow {
    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        let _ = self.begun.send(());
        // After the last permit nothing is waited for.
        let _ = self.permits.lock().unwrap().recv();
        drop(data);
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        let _ = self.ended.send((Instant::now(), error.map(Error::kind)));
    }
}

/// A body that nobody takes, and how it is cancelled.
trait Receiving {
    /// Takes some of it.
    fn take_some(&mut self);

    /// Cancels it; returns when it could end at the earliest, and when it did.
    fn cancel(self: Box<Self>) -> (Instant, Instant);
}

struct ByDelegate {
    task: Task,
    permits: Sender<()>,
    begun: Receiver<()>,
    ended: Receiver<(Instant, Option<ErrorKind>)>,
}

impl ByDelegate {
    fn begin(queue: DeliveryQueue, url: &str) -> (Session, Box<dyn Receiving>) {
        let (permits, taken) = channel();
        let (begins, begun) = channel();
        let (ends, ended) = channel();
        let slow = Slow { permits: Mutex::new(taken), begun: begins, ended: ends };
        let session =
            Session::with_delegate(Configuration::ephemeral(), Arc::new(slow), queue).unwrap();
        let task = session.data_task(url).resume();
        (session, Box::new(Self { task: task.into(), permits, begun, ended }))
    }
}

impl Receiving for ByDelegate {
    fn take_some(&mut self) {
        // More pieces than may wait, and than the system's buffers hold.
        (0..500).for_each(|_| self.permits.send(()).unwrap());
        (0..500).for_each(|_| self.begun.recv_timeout(HANG).unwrap());
    }

    fn cancel(self: Box<Self>) -> (Instant, Instant) {
        self.task.cancel();
        // It does not end in the middle of being told.
        assert!(self.ended.recv_timeout(PATIENCE).is_err());
        let returned = Instant::now();
        drop(self.permits);
        let (ended, error) = self.ended.recv_timeout(HANG).unwrap();
        assert_eq!(error, Some(ErrorKind::Cancelled));
        (returned, ended)
    }
}

struct ByUpdates(Updates);

impl Receiving for ByUpdates {
    fn take_some(&mut self) {
        let pieces = self.0.by_ref().filter(|update| matches!(update, Update::Data(_)));
        assert_eq!(pieces.take(500).count(), 500);
    }

    fn cancel(self: Box<Self>) -> (Instant, Instant) {
        let cancelled = Instant::now();
        self.0.task().cancel();
        let last = self.0.last().unwrap();
        assert!(matches!(last, Update::Finished(Err(e)) if e.kind() == ErrorKind::Cancelled));
        (cancelled, Instant::now())
    }
}

struct Suspended {
    task: Task,
    ended: Receiver<(Instant, Option<ErrorKind>)>,
}

impl Receiving for Suspended {
    fn take_some(&mut self) {
        let before = self.task.progress().bytes_received;
        self.task.resume();
        wait_for(|| self.task.progress().bytes_received > before + 32 * MIB);
        self.task.suspend();
    }

    fn cancel(self: Box<Self>) -> (Instant, Instant) {
        let cancelled = Instant::now();
        self.task.cancel();
        let (ended, error) = self.ended.recv_timeout(HANG).unwrap();
        assert_eq!(error, Some(ErrorKind::Cancelled));
        (cancelled, ended)
    }
}

fn wait_for(mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !reached() {
        assert!(Instant::now() < deadline, "not reached");
        thread::park_timeout(Duration::from_millis(1));
    }
}

fn by_updates(url: &str) -> (Session, Box<dyn Receiving>) {
    let session = Session::new(Configuration::ephemeral()).unwrap();
    let updates = session.data_task(url).updates();
    (session, Box::new(ByUpdates(updates)))
}

/// Everything is taken at once, but the task is suspended when some has come.
fn suspended(url: &str) -> (Session, Box<dyn Receiving>) {
    let (permits, taken) = channel();
    drop(permits);
    let ((begins, begun), (ends, ended)) = (channel(), channel());
    drop(begun);
    let slow = Slow { permits: Mutex::new(taken), begun: begins, ended: ends };
    let queue = DeliveryQueue::serial();
    let session =
        Session::with_delegate(Configuration::ephemeral(), Arc::new(slow), queue).unwrap();
    let task = session.data_task(url).resume();
    wait_for(|| task.progress().bytes_received > 0);
    task.suspend();
    (session, Box::new(Suspended { task: task.into(), ended }))
}

/// A queue of the program's own thread.
fn custom() -> DeliveryQueue {
    let (sender, jobs) = channel::<Box<dyn FnOnce() + Send>>();
    thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    DeliveryQueue::custom(move |job| sender.send(job).unwrap())
}

#[test]
fn whoever_takes_a_body_slowly_stops_its_sender_and_costs_little() {
    type Begin = fn(&str) -> (Session, Box<dyn Receiving>);
    let cases: [(&str, Begin); 5] = [
        ("delegate, serial queue", |url| ByDelegate::begin(DeliveryQueue::serial(), url)),
        ("delegate, inline queue", |url| ByDelegate::begin(DeliveryQueue::inline(), url)),
        ("delegate, custom queue", |url| ByDelegate::begin(custom(), url)),
        ("updates", by_updates),
        ("suspended", suspended),
    ];
    for (name, begin) in cases {
        let server = Endless::start();
        let before = live();
        peak();
        let (session, mut receiving) = begin(&server.url);
        let counters = Counters::of(&session);
        let first = server.sent_until_blocked();
        receiving.take_some();
        // What could be sent because some was taken, and no more.
        let mut second = server.sent_until_blocked();
        while second <= first {
            second = server.sent_until_blocked();
        }
        let held = peak() - before;
        let (earliest, ended) = receiving.cancel();
        let took = ended.saturating_duration_since(earliest);
        println!(
            "{name}: blocked after {} MiB and {} MiB; {} KiB of heap at the most; \
             cancelled in {took:?}",
            first / MIB,
            second / MIB,
            held / 1024
        );
        // 1 MiB waits to be told; the rest is in buffers of the system, for both ends.
        assert!(first < 16 * MIB, "{name}: {first} bytes were sent to nobody");
        assert!(held < 16 << 20, "{name}: {held} bytes of heap");
        assert!(took < GUARD, "{name}: {took:?}");
        assert!(session.wait_until_idle(HANG), "{name}");
        server.thread.join().unwrap();
        drop(session);
        wait_for(|| counters.threads() + counters.sockets() == 0);
    }
}
