use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};

use super::*;

/// What jobs did, in order.
type Diary = Arc<Mutex<Vec<usize>>>;

fn write(mailbox: &Mailbox, diary: &Diary, entry: usize) {
    let diary = diary.clone();
    mailbox.send(move || diary.lock().unwrap().push(entry));
}

/// A custom queue of several threads that end with its last handle. Every `nested`th job
/// is run by the thread that posts it.
fn pool(threads: usize, nested: usize) -> (DeliveryQueue, Vec<JoinHandle<()>>) {
    let (sender, jobs) = mpsc::channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    let work = move || {
        loop {
            let Ok(job) = jobs.lock().unwrap().recv() else { return };
            job();
        }
    };
    let threads = (0..threads).map(|_| thread::spawn(work.clone())).collect();
    let posted = AtomicUsize::new(1);
    let queue = DeliveryQueue::custom(move |job| {
        let number = posted.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(nested) { job() } else { sender.send(job).unwrap() }
    });
    (queue, threads)
}

/// Sends into several mailboxes from several threads and checks that no two jobs of one
/// mailbox overlap, and that each sender's jobs come in the order it sent them.
fn stress(queue: &DeliveryQueue) {
    const SENDERS: usize = 4;
    const JOBS: usize = 300;
    struct Seen {
        mailbox: Mailbox,
        inside: AtomicBool,
        next: Mutex<[usize; SENDERS]>,
    }
    let (done, all_done) = mpsc::channel();
    let seen: Vec<_> = (0..5)
        .map(|_| {
            let mailbox = Mailbox::new(queue.clone());
            Arc::new(Seen { mailbox, inside: AtomicBool::new(false), next: Mutex::default() })
        })
        .collect();
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (seen, done) = (&seen, done.clone());
            scope.spawn(move || {
                for job in 0..JOBS {
                    for to in seen {
                        let (at, done) = (to.clone(), done.clone());
                        to.mailbox.send(move || {
                            let overlaps = at.inside.swap(true, Ordering::SeqCst);
                            let next = at.next.lock().unwrap()[sender];
                            at.next.lock().unwrap()[sender] += 1;
                            at.inside.store(false, Ordering::SeqCst);
                            done.send((overlaps, next == job)).unwrap();
                        });
                    }
                }
            });
        }
        drop(done);
        let fates: Vec<_> = all_done.iter().take(SENDERS * JOBS * seen.len()).collect();
        assert_eq!(fates.len(), SENDERS * JOBS * seen.len());
        assert!(fates.iter().all(|fate| *fate == (false, true)));
    });
}

#[test]
fn jobs_keep_their_order_and_never_overlap_on_any_queue() {
    stress(&DeliveryQueue::serial());
    stress(&DeliveryQueue::inline());
    stress(&DeliveryQueue::custom(|job| job()));
    for nested in [usize::MAX, 2, 3] {
        let (queue, threads) = pool(3, nested);
        stress(&queue);
        drop(queue);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn a_busy_mailbox_lets_others_have_their_turn() {
    let (queue, diary) = (DeliveryQueue::manual(|| ()), Diary::default());
    let (busy, other) = (Mailbox::new(queue.clone()), Mailbox::new(queue.clone()));
    (0..40).for_each(|i| write(&busy, &diary, i));
    write(&other, &diary, 100);
    assert_eq!(queue.run_pending(), 2);
    let first: Vec<_> = (0..16).chain([100]).collect();
    assert_eq!(*diary.lock().unwrap(), first);
    assert_eq!((queue.run_pending(), diary.lock().unwrap().len()), (1, 33));
    assert_eq!((queue.run_pending(), diary.lock().unwrap().len()), (1, 41));
    assert_eq!(queue.run_pending(), 0);
}

#[test]
fn a_mailbox_with_exactly_one_turn_of_jobs_does_not_come_again() {
    let (queue, diary) = (DeliveryQueue::manual(|| ()), Diary::default());
    let mailbox = Mailbox::new(queue.clone());
    (0..RUN).for_each(|i| write(&mailbox, &diary, i));
    assert_eq!((queue.run_pending(), queue.run_pending()), (1, 0));
    write(&mailbox, &diary, RUN);
    assert_eq!((queue.run_pending(), diary.lock().unwrap().len()), (1, RUN + 1));
}

#[test]
fn what_a_job_sends_to_its_own_mailbox_runs_after_it() {
    for queue in [DeliveryQueue::inline(), DeliveryQueue::custom(|job| job())] {
        let (mailbox, diary) = (Mailbox::new(queue), Diary::default());
        let (inner, notes) = (mailbox.clone(), diary.clone());
        mailbox.send(move || {
            write(&inner, &notes, 2);
            notes.lock().unwrap().push(1);
        });
        assert_eq!(*diary.lock().unwrap(), [1, 2], "{mailbox:?}");
    }
}

#[test]
fn an_inline_job_sent_while_another_thread_is_inside_is_run_by_that_thread() {
    let mailbox = Mailbox::new(DeliveryQueue::inline());
    let (entered, inside) = mpsc::channel();
    let (gate, opened) = mpsc::channel::<()>();
    let (says, runner) = mpsc::channel();
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            mailbox.send(move || {
                entered.send(()).unwrap();
                opened.recv().unwrap();
            });
        });
        inside.recv().unwrap();
        mailbox.send(move || says.send(thread::current().id()).unwrap());
        assert!(runner.try_recv().is_err());
        gate.send(()).unwrap();
        assert_eq!(runner.recv().unwrap(), first.thread().id());
    });
}

#[test]
fn an_executor_that_runs_jobs_at_once_is_not_nested_deeper_and_deeper() {
    let (depth, deepest) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let record = deepest.clone();
    let mailbox = Mailbox::new(DeliveryQueue::custom(move |job| {
        let now = depth.fetch_add(1, Ordering::SeqCst) + 1;
        record.fetch_max(now, Ordering::SeqCst);
        job();
        depth.fetch_sub(1, Ordering::SeqCst);
    }));
    let (inner, diary) = (mailbox.clone(), Diary::default());
    let notes = diary.clone();
    mailbox.send(move || (0..5000).for_each(|i| write(&inner, &notes, i)));
    assert_eq!(*diary.lock().unwrap(), (0..5000).collect::<Vec<_>>());
    assert_eq!(deepest.load(Ordering::SeqCst), 2);
}

#[test]
fn a_job_that_panics_harms_no_later_job() {
    for queue in [DeliveryQueue::inline(), DeliveryQueue::manual(|| ())] {
        let (mailbox, diary) = (Mailbox::new(queue), Diary::default());
        write(&mailbox, &diary, 1);
        mailbox.send(|| panic!("on purpose"));
        write(&mailbox, &diary, 2);
        mailbox.queue.run_pending();
        assert_eq!(*diary.lock().unwrap(), [1, 2], "{mailbox:?}");
    }
}

#[test]
fn what_a_job_holds_is_dropped_before_the_next_job() {
    struct Note(Diary, usize);
    impl Drop for Note {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(self.1);
        }
    }
    for panics in [false, true] {
        let (mailbox, diary) = (Mailbox::new(DeliveryQueue::manual(|| ())), Diary::default());
        let note = Note(diary.clone(), 1);
        mailbox.send(move || {
            let _note = note;
            assert!(!panics, "on purpose");
        });
        write(&mailbox, &diary, 2);
        mailbox.queue.run_pending();
        assert_eq!(*diary.lock().unwrap(), [1, 2], "panics: {panics}");
    }
}

#[test]
fn what_was_sent_is_run_after_the_mailbox_is_dropped() {
    let (queue, diary) = (DeliveryQueue::manual(|| ()), Diary::default());
    let mailbox = Mailbox::new(queue.clone());
    (0..20).for_each(|i| write(&mailbox, &diary, i));
    drop(mailbox);
    assert_eq!((queue.run_pending(), queue.run_pending()), (1, 1));
    assert_eq!(diary.lock().unwrap().len(), 20);
}

#[test]
fn a_serial_queue_that_lost_its_last_handle_still_runs_what_was_sent() {
    let (gate, opened) = mpsc::channel::<()>();
    let (sender, numbers) = mpsc::channel();
    let mailbox = Mailbox::new(DeliveryQueue::serial());
    mailbox.send(move || opened.recv().unwrap());
    for i in 0..100 {
        let sender = sender.clone();
        mailbox.send(move || sender.send(i).unwrap());
    }
    drop((mailbox, sender));
    gate.send(()).unwrap();
    assert_eq!(numbers.iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}

#[test]
fn jobs_do_not_keep_their_queue_alive() {
    let mailbox = Mailbox::new(DeliveryQueue::manual(|| ()));
    let held = Arc::new(());
    let inside = held.clone();
    mailbox.send(move || drop(inside));
    drop(mailbox);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_queue_that_drops_its_jobs_leaves_nobody_waiting() {
    let refusing = [DeliveryQueue::custom(drop), DeliveryQueue::custom(|_| panic!("on purpose"))];
    for queue in refusing {
        let (mailbox, held) = (Mailbox::new(queue), Arc::new(()));
        for _ in 0..3 {
            let inside = held.clone();
            mailbox.send(move || drop(inside));
            assert_eq!(Arc::strong_count(&held), 1, "{mailbox:?}");
        }
    }
}

#[test]
fn a_queue_that_stops_in_the_middle_drops_the_rest_and_can_go_on() {
    let accepts = Arc::new(AtomicBool::new(true));
    let judge = accepts.clone();
    let queue = DeliveryQueue::custom(move |job| {
        if judge.load(Ordering::SeqCst) {
            job();
        }
    });
    let (mailbox, diary) = (Mailbox::new(queue), Diary::default());
    let (inner, notes) = (mailbox.clone(), diary.clone());
    let closing = accepts.clone();
    mailbox.send(move || {
        closing.store(false, Ordering::SeqCst);
        (1..40).for_each(|i| write(&inner, &notes, i));
    });
    assert_eq!(*diary.lock().unwrap(), (1..RUN).collect::<Vec<_>>());
    accepts.store(true, Ordering::SeqCst);
    write(&mailbox, &diary, 100);
    assert_eq!(diary.lock().unwrap().last(), Some(&100));
}

#[test]
fn a_mailbox_costs_a_waiting_task_little() {
    assert!(size_of::<Slot>() <= 64, "{}", size_of::<Slot>());
    assert_eq!(size_of::<Mailbox>(), 3 * size_of::<usize>());
}
