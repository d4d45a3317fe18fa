use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::{panic, thread};

use super::*;

/// What jobs did, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<u32>>>);

impl Diary {
    fn entry(&self, entry: u32) -> Job {
        let diary = self.clone();
        Box::new(move || diary.0.lock().unwrap().push(entry))
    }

    fn read(&self) -> Vec<u32> {
        self.0.lock().unwrap().clone()
    }
}

/// A manual queue and how often it woke its loop.
fn manual() -> (DeliveryQueue, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counter = wakes.clone();
    let queue = DeliveryQueue::manual(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    (queue, wakes)
}

/// A custom queue of a thread that ends with its last handle.
fn custom() -> (DeliveryQueue, thread::JoinHandle<()>) {
    let (sender, jobs) = mpsc::channel::<Job>();
    let executor = thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    (DeliveryQueue::custom(move |job| sender.send(job).unwrap()), executor)
}

#[test]
fn a_manual_queue_runs_jobs_where_its_loop_is_and_wakes_it_once_for_many() {
    let ((queue, wakes), diary) = (manual(), Diary::default());
    for i in 0..3 {
        queue.post(diary.entry(i));
    }
    assert_eq!((wakes.load(Ordering::SeqCst), diary.read().len()), (1, 0));
    assert_eq!((queue.run_pending(), diary.read()), (3, vec![0, 1, 2]));
    assert_eq!((queue.run_pending(), wakes.load(Ordering::SeqCst)), (0, 1));
    queue.post(diary.entry(3));
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
}

#[test]
fn what_is_posted_while_a_manual_queue_runs_wakes_the_loop_and_waits() {
    let ((queue, wakes), diary) = (manual(), Diary::default());
    let (inner, later) = (queue.clone(), diary.entry(2));
    queue.post(Box::new(move || inner.post(later)));
    queue.post(diary.entry(1));
    assert_eq!((queue.run_pending(), diary.read()), (2, vec![1]));
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
    assert_eq!((queue.run_pending(), diary.read()), (1, vec![1, 2]));
}

#[test]
fn a_loop_inside_a_job_finds_the_rest_of_a_manual_queue() {
    let ((queue, _), diary) = (manual(), Diary::default());
    let inner = queue.clone();
    queue.post(Box::new(move || assert_eq!(inner.run_pending(), 2)));
    queue.post(diary.entry(1));
    queue.post(diary.entry(2));
    assert_eq!((queue.run_pending(), diary.read()), (1, vec![1, 2]));
}

#[test]
fn wake_runs_with_no_lock_held() {
    let itself: Arc<OnceLock<DeliveryQueue>> = Arc::default();
    let inner = itself.clone();
    let queue = DeliveryQueue::manual(move || {
        // Would deadlock if a lock of the queue were held.
        inner.get().map(DeliveryQueue::run_pending);
    });
    let _ = itself.set(queue.clone());
    let diary = Diary::default();
    queue.post(diary.entry(1));
    assert_eq!(diary.read(), [1]);
}

#[test]
fn a_loop_can_be_woken_for_what_is_not_in_its_queue() {
    let (queue, wakes) = manual();
    queue.wake();
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    DeliveryQueue::inline().wake();
}

#[test]
fn a_wake_that_panics_loses_no_job() {
    let (queue, diary) = (DeliveryQueue::manual(|| panic!("on purpose")), Diary::default());
    queue.post(diary.entry(1));
    assert_eq!((queue.run_pending(), diary.read()), (1, vec![1]));
}

#[test]
fn a_manual_queue_drops_what_waits_with_its_last_handle() {
    let ((queue, _), held) = (manual(), Arc::new(()));
    let inside = held.clone();
    queue.post(Box::new(move || drop(inside)));
    drop(queue.clone());
    assert_eq!(Arc::strong_count(&held), 2);
    drop(queue);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn no_job_of_a_manual_queue_is_left_without_a_wake() {
    let (sender, woken) = mpsc::channel();
    let queue = DeliveryQueue::manual(move || {
        let _ = sender.send(());
    });
    let ran = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (queue, ran) = (&queue, &ran);
            scope.spawn(move || {
                for _ in 0..1000 {
                    let ran = ran.clone();
                    queue.post(Box::new(move || {
                        ran.fetch_add(1, Ordering::SeqCst);
                    }));
                }
            });
        }
        while ran.load(Ordering::SeqCst) < 4000 {
            woken.recv().unwrap();
            queue.run_pending();
        }
    });
}

#[test]
fn an_inline_queue_runs_jobs_before_the_post_returns() {
    let (queue, diary) = (DeliveryQueue::inline(), Diary::default());
    queue.post(diary.entry(1));
    assert_eq!(diary.read(), [1]);
}

#[test]
fn a_custom_queue_runs_jobs_where_its_executor_does() {
    let ((queue, executor), diary) = (custom(), Diary::default());
    queue.post(diary.entry(1));
    drop(queue);
    executor.join().unwrap();
    assert_eq!(diary.read(), [1]);
}

/// Panics again when it is dropped, as a payload may.
struct Spiteful;

impl Drop for Spiteful {
    fn drop(&mut self) {
        panic!("on purpose, by a payload");
    }
}

#[test]
fn a_job_that_panics_harms_no_other_job_on_any_queue() {
    let (custom, executor) = custom();
    let (manual, _) = manual();
    for queue in [DeliveryQueue::serial(), manual, DeliveryQueue::inline(), custom] {
        let diary = Diary::default();
        queue.post(diary.entry(1));
        queue.post(Box::new(|| panic!("on purpose")));
        queue.post(Box::new(|| panic!("on purpose, {}", 2)));
        queue.post(Box::new(|| panic::panic_any(Spiteful)));
        queue.post(diary.entry(2));
        let (sender, done) = mpsc::channel();
        queue.post(Box::new(move || sender.send(()).unwrap()));
        queue.run_pending();
        done.recv().unwrap();
        assert_eq!(diary.read(), [1, 2], "{queue:?}");
    }
    executor.join().unwrap();
}

#[test]
fn an_executor_that_panics_harms_nobody_else() {
    let queue = DeliveryQueue::custom(|_| panic!("on purpose"));
    let held = Arc::new(());
    let inside = held.clone();
    queue.post(Box::new(move || drop(inside)));
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_queue_says_of_which_kind_it_is() {
    let cases = [
        (DeliveryQueue::default(), "serial", false),
        (DeliveryQueue::manual(|| ()), "manual", false),
        (DeliveryQueue::inline(), "inline", true),
        (DeliveryQueue::custom(|job| job()), "custom", false),
    ];
    for (queue, name, inline) in cases {
        assert_eq!(format!("{queue:?}"), format!("DeliveryQueue({name})"));
        assert_eq!(queue.is_inline(), inline, "{name}");
    }
}
