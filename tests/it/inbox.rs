//! Messages of the program's own to its loop, from closures and delegates.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};

use urlsession::testing::{Answer, Server};
use urlsession::{Delegate, Error, Inbox, InboxSender, Progress, Task, TaskState};

use crate::support::running::{HANG, nothing_is_left, session, wait_for};

/// An inbox, and what arrives where its loop waits.
fn inbox<M>() -> (Inbox<M>, Receiver<()>) {
    let (wake, events) = channel();
    (Inbox::new(move || wake.send(()).unwrap_or_default()), events)
}

/// What waits in an inbox.
fn read<M>(inbox: &Inbox<M>) -> Vec<M> {
    inbox.pending().collect()
}

/// Where something was said, and what.
enum Said {
    Loaded(ThreadId, usize),
    Progress(ThreadId, u64),
    Ended(Option<Error>),
}

/// Sends what a window shows of one task.
struct Narrator(InboxSender<Said>);

impl Delegate for Narrator {
    fn did_make_progress(&self, _: &Task, progress: Progress) {
        self.0.send(Said::Progress(thread::current().id(), progress.bytes_received));
    }

    fn did_complete(&self, _: &Task, error: Option<&Error>) {
        self.0.send(Said::Ended(error.cloned()));
    }
}

#[test]
fn closures_and_delegates_tell_a_loop_that_owns_what_no_other_thread_may_have() {
    let server = Server::start();
    server.handle(|_| Answer::ok("").body_of_size(100_000));
    let session = session(|_| {});
    let (inbox, events) = inbox();
    // As widgets are: not `Send`.
    let shown = Rc::new(RefCell::new(Vec::new()));
    let sender = inbox.sender();
    session
        .data_task_with(server.url("/closure"), move |outcome| {
            sender.send(Said::Loaded(thread::current().id(), outcome.unwrap().body.len()));
        })
        .resume();
    let told = session.data_task(server.url("/delegate"));
    told.set_delegate(Arc::new(Narrator(inbox.sender()))).unwrap();
    told.resume();
    let (mut ends, mut last) = (0, 0);
    while ends < 2 {
        events.recv_timeout(HANG).expect("nobody wakes the loop");
        inbox.run_pending(|said| match said {
            Said::Loaded(thread, bytes) => {
                shown.borrow_mut().push(thread);
                assert_eq!(bytes, 100_000);
                ends += 1;
            }
            Said::Progress(thread, bytes) => {
                shown.borrow_mut().push(thread);
                last = bytes;
            }
            Said::Ended(error) => {
                assert!(error.is_none());
                ends += 1;
            }
        });
    }
    assert_eq!((ends, last), (2, 100_000));
    assert!(!shown.borrow().contains(&thread::current().id()), "they are told where they happen");
    drop(told);
    nothing_is_left(session, &[&server]);
}

#[test]
fn messages_come_in_the_order_in_which_each_sender_has_sent_them() {
    let (inbox, events) = inbox();
    thread::scope(|scope| {
        for who in 0..4 {
            let sender = inbox.sender();
            scope.spawn(move || (0..500).for_each(|count| assert!(sender.send((who, count)))));
        }
        let mut seen = [0; 4];
        while seen.iter().sum::<usize>() < 4 * 500 {
            // Looks only when it is woken: a wake that is missing hangs.
            events.recv_timeout(HANG).expect("nobody wakes the loop");
            inbox.run_pending(|(who, count): (usize, usize)| {
                assert_eq!(count, seen[who], "of sender {who}");
                seen[who] += 1;
            });
        }
    });
    assert!(read(&inbox).is_empty());
}

#[test]
fn the_loop_is_woken_once_for_all_that_arrives_before_it_looks() {
    let (inbox, events) = inbox();
    let sender = inbox.sender();
    for _ in 0..3 {
        (0..5).for_each(|count| assert!(sender.clone().send(count)));
        assert_eq!(events.try_iter().count(), 1);
        assert_eq!(read(&inbox), [0, 1, 2, 3, 4]);
    }
    assert_eq!((read(&inbox).len(), events.try_iter().count()), (0, 0));
}

#[test]
fn what_a_handler_sends_is_handled_in_the_next_round() {
    let (inbox, events) = inbox();
    let sender = inbox.sender();
    sender.send(0);
    sender.send(10);
    events.recv_timeout(HANG).unwrap();
    let mut rounds = Vec::new();
    for _ in 0..3 {
        let mut seen = Vec::new();
        let handled = inbox.run_pending(|message| {
            seen.push(message);
            sender.send(message + 1);
        });
        assert_eq!((handled, events.try_iter().count()), (2, 1));
        rounds.push(seen);
    }
    assert_eq!(rounds, [[0, 10], [1, 11], [2, 12]]);
}

#[test]
fn a_loop_inside_a_handler_finds_the_rest() {
    let (inbox, _events) = inbox();
    let sender = inbox.sender();
    (1..=4).for_each(|count| assert!(sender.send(count)));
    let mut seen = Vec::new();
    let handled = inbox.run_pending(|message| {
        seen.push(message);
        if message == 2 {
            sender.send(5);
            seen.extend(inbox.pending());
            seen.push(0);
        }
    });
    // Those that the inner one took are not counted twice.
    assert_eq!((handled, seen), (2, vec![1, 2, 3, 4, 5, 0]));
}

#[test]
fn a_loop_that_leaves_early_is_woken_for_the_rest() {
    type Leave = fn(&Inbox<i32>);
    let leaves: [(&str, Leave, i32); 4] = [
        ("not begun", |inbox| drop(inbox.pending()), 1),
        ("a break", |inbox| assert_eq!(inbox.pending().next(), Some(1)), 2),
        ("all but one", |inbox| assert_eq!(inbox.pending().take(2).count(), 2), 3),
        (
            "a panic",
            |inbox| {
                let look =
                    || inbox.pending().for_each(|message| assert!(message < 2, "on purpose"));
                assert!(panic::catch_unwind(AssertUnwindSafe(look)).is_err());
            },
            3,
        ),
    ];
    for (name, leave, next) in leaves {
        let (inbox, events) = inbox();
        (1..=3).for_each(|count| assert!(inbox.sender().send(count)));
        events.try_iter().for_each(drop);
        leave(&inbox);
        assert_eq!(events.try_iter().count(), 1, "{name}");
        // It was woken: another message does not wake it again.
        inbox.sender().send(4);
        assert_eq!(events.try_iter().count(), 0, "{name}");
        assert_eq!(read(&inbox), (next..=4).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_handler_that_panics_is_called_with_the_next_message() {
    let (inbox, _events) = inbox();
    (0..6).for_each(|count| assert!(inbox.sender().send(count)));
    let mut seen = Vec::new();
    let handled = inbox.run_pending(|message| {
        assert!(message % 2 == 0, "on purpose");
        seen.push(message);
    });
    assert_eq!((handled, seen), (6, vec![0, 2, 4]));
    assert!(inbox.sender().send(6));
    assert_eq!(read(&inbox), [6]);
}

#[test]
fn a_wake_function_that_panics_keeps_no_message_back() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counter = wakes.clone();
    let inbox = Inbox::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose");
    });
    assert!(inbox.sender().send(1) && inbox.sender().send(2));
    assert_eq!((read(&inbox), wakes.load(Ordering::SeqCst)), (vec![1, 2], 1));
    assert!(inbox.sender().send(3));
    assert_eq!((read(&inbox), wakes.load(Ordering::SeqCst)), (vec![3], 2));
}

#[test]
fn a_wake_function_may_use_the_inbox() {
    let slot = Arc::new(std::sync::OnceLock::<Inbox<i32>>::new());
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (inner, inner_seen) = (slot.clone(), seen.clone());
    let inbox = Inbox::new(move || {
        let inbox = inner.get().unwrap();
        // Debug builds panic where a lock is held.
        assert!(format!("{inbox:?}").contains("waiting"));
        inner_seen.lock().unwrap().extend(inbox.pending());
    });
    let sender = inbox.sender();
    slot.set(inbox).unwrap();
    (0..3).for_each(|count| assert!(sender.send(count)));
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
}

/// Panics when it is dropped, and says so to others before.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose");
    }
}

#[test]
fn what_nobody_will_read_is_dropped_whatever_it_does_then() {
    let (inbox, _events) = inbox();
    let (sender, drops) = (inbox.sender(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..3 {
        assert!(sender.send(Bomb(drops.clone())));
    }
    assert!(format!("{inbox:?} {sender:?}").contains("waiting: 3"));
    drop(inbox);
    assert_eq!(drops.load(Ordering::SeqCst), 3);
    assert!(!sender.send(Bomb(drops.clone())));
    assert_eq!(drops.load(Ordering::SeqCst), 4);
}

#[test]
fn a_message_that_owns_a_sender_keeps_nothing_alive() {
    let alive = Arc::new(());
    let held = alive.clone();
    let inbox = Inbox::<Box<dyn FnOnce() + Send>>::new(move || drop(held.clone()));
    let (one, two) = (inbox.sender(), inbox.sender());
    assert!(one.send(Box::new(move || drop(two))));
    drop((inbox, one));
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_message_is_read_or_refused_when_the_inbox_goes_meanwhile() {
    for _ in 0..50 {
        let (inbox, _events) = inbox();
        let (sender, start) = (inbox.sender(), Arc::new(Barrier::new(2)));
        let (drops, gate) = (Arc::new(AtomicUsize::new(0)), start.clone());
        let count = drops.clone();
        let sending = thread::spawn(move || {
            gate.wait();
            while sender.send(Counted(count.clone())) {}
        });
        start.wait();
        let read = inbox.run_pending(drop);
        drop(inbox);
        sending.join().unwrap();
        assert!(drops.load(Ordering::SeqCst) > read, "the last one is dropped, too");
        assert_eq!(Arc::strong_count(&drops), 1, "each is dropped");
    }
}

/// Counts how often one was dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Cancels its task once nobody looks any more.
struct WhileWatched(InboxSender<u64>);

impl Delegate for WhileWatched {
    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        if !self.0.send(data.len() as u64) {
            task.cancel();
        }
    }
}

#[test]
fn a_delegate_learns_that_the_window_was_closed() {
    let server = Server::start();
    server.enqueue(Answer::status(200).endless_body("x"));
    let session = session(|_| {});
    let (inbox, events) = inbox();
    let task = session.data_task(server.url("/"));
    task.set_delegate(Arc::new(WhileWatched(inbox.sender()))).unwrap();
    task.resume();
    events.recv_timeout(HANG).expect("nobody wakes the loop");
    assert!(inbox.run_pending(drop) > 0);
    drop(inbox);
    wait_for("the cancel", || task.state() == TaskState::Completed);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn updates_need_neither_inbox_nor_round() {
    let server = Server::start();
    server.enqueue(Answer::ok("tea"));
    let session = session(|_| {});
    let (inbox, _events) = inbox();
    let (sender, updates) = (inbox.sender(), session.data_task(server.url("/")).updates());
    let reading = thread::spawn(move || updates.for_each(|update| assert!(sender.send(update))));
    reading.join().unwrap();
    assert!(matches!(read(&inbox).pop(), Some(urlsession::Update::Finished(Ok(())))));
    nothing_is_left(session, &[&server]);
}
