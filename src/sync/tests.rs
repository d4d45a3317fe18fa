use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A lock of that rank.
fn lock(rank: Rank) -> Mutex<u32> {
    Mutex::new(rank, 0)
}

/// What `code` says when it panics.
#[cfg(debug_assertions)]
fn panic_of(code: impl FnOnce()) -> Option<String> {
    let payload = panic::catch_unwind(AssertUnwindSafe(code)).err()?;
    payload.downcast::<String>().ok().map(|text| *text)
}

#[test]
fn the_value_is_still_there_after_a_panic_under_the_lock() {
    let lock = lock(Rank::Pool);
    let caught = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut held = lock.lock();
        *held = 7;
        panic!("on purpose");
    }));
    assert!(caught.is_err());
    assert_eq!(*lock.lock(), 7);
}

#[test]
fn a_notification_ends_a_wait() {
    let (lock, changed) = (lock(Rank::Pool), Condvar::new());
    let (sender, waits) = mpsc::channel();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let guard = lock.lock();
            sender.send(()).unwrap();
            let (guard, timed_out) = changed.wait_timeout_while(guard, HOUR, |value| *value == 0);
            (*guard, timed_out)
        });
        waits.recv().unwrap();
        *lock.lock() = 1;
        changed.notify_all();
        assert_eq!(waiter.join().unwrap(), (1, false));
    });
}

#[test]
fn a_wait_ends_after_its_time() {
    let (lock, changed) = (lock(Rank::Pool), Condvar::new());
    let (guard, timed_out) = changed.wait_timeout_while(lock.lock(), Duration::ZERO, |_| true);
    assert!(timed_out);
    drop(guard);
    let (guard, _) = changed.wait_timeout(lock.lock(), Duration::ZERO);
    assert_eq!(*guard, 0);
}

#[test]
fn locks_are_taken_in_order_and_given_back_in_any() {
    let (outer, inner) = (lock(Rank::Task), lock(Rank::Pool));
    let (first, second) = (outer.lock(), inner.lock());
    drop(first);
    drop(second);
    drop((inner.lock(), lock(Rank::Waiters).lock()));
    assert_unlocked("the program is called");
}

#[cfg(debug_assertions)]
#[test]
fn what_breaks_the_order_panics_and_names_both_locks() {
    let cases: [(Rank, Rank); 3] =
        [(Rank::Pool, Rank::Task), (Rank::Task, Rank::Task), (Rank::Waiters, Rank::Idle)];
    for (held, taken) in cases {
        let (held_lock, taken_lock) = (lock(held), lock(taken));
        let text = panic_of(|| {
            let _held = held_lock.lock();
            let _taken = taken_lock.lock();
        });
        let right =
            format!("the lock `{taken:?}` is taken while `{held:?}` is held, against the order");
        assert!(text.as_ref().is_some_and(|text| text.starts_with(&right)), "{text:?}");
        // Nothing is held any more, whatever was broken.
        assert_unlocked("the program is called");
        assert_eq!(*taken_lock.lock(), 0);
    }
}

#[cfg(debug_assertions)]
#[test]
fn the_program_is_not_called_with_a_lock_held() {
    let lock = lock(Rank::Mailbox);
    let text = panic_of(|| {
        let _held = lock.lock();
        assert_unlocked("the program is called");
    });
    assert_eq!(text.unwrap(), "the program is called while the lock `Mailbox` is held");
}

#[cfg(debug_assertions)]
#[test]
fn nobody_waits_with_another_lock_held() {
    let (outer, inner, changed) = (lock(Rank::Task), lock(Rank::Pool), Condvar::new());
    let text = panic_of(|| {
        let _outer = outer.lock();
        drop(changed.wait_timeout(inner.lock(), HOUR));
    });
    assert_eq!(text.unwrap(), "waiting with the lock `Pool` while `Task` is held");
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_that_is_under_way_is_not_replaced() {
    struct Locks(Mutex<u32>);

    impl Drop for Locks {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }

    let later = lock(Rank::Pool);
    let caught = panic::catch_unwind(AssertUnwindSafe(|| {
        let _held = later.lock();
        let _locks = Locks(lock(Rank::Task));
        panic!("on purpose");
    }));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
}

#[cfg(not(debug_assertions))]
#[test]
fn the_check_costs_nothing_in_release_builds() {
    assert_eq!(size_of::<Mutex<u64>>(), size_of::<sync::Mutex<u64>>());
    assert_eq!(size_of::<MutexGuard<'_, u64>>(), size_of::<sync::MutexGuard<'_, u64>>());
}
