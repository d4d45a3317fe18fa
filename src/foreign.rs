//! What is the program's: its delegates, closures, readers and errors, which may panic
//! whenever they are called, and when they are dropped.
//!
//! A panic of theirs ends here: this room alone catches panics. It is logged, and so are
//! those that follow from it, of what was thrown and of the program's logger.

use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::panic::{self, AssertUnwindSafe};
use std::{fmt, mem, thread};

use crate::log;
use crate::sync::assert_unlocked;

/// A panic that was caught, and logged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked {
    /// What it says.
    #[cfg_attr(
        not(any(test, feature = "test-util")),
        allow(dead_code, reason = "whoever uses this crate finds it in the log")
    )]
    pub(crate) text: String,
}

/// Runs `code` of the program, called `what` in the log; a panic of it ends here.
///
/// What `code` owns is dropped by its panic, before that is caught: a second one then ends
/// the process. So `code` owns nothing of the program's that is not [`Foreign`].
pub(crate) fn caught<T>(what: &str, code: impl FnOnce() -> T) -> Result<T, Panicked> {
    assert_unlocked("the program is called");
    attempt(code).map_err(|payload| logged(what, payload))
}

fn attempt<T>(code: impl FnOnce() -> T) -> thread::Result<T> {
    panic::catch_unwind(AssertUnwindSafe(code))
}

/// Logs a panic, and drops what was thrown.
#[cold]
fn logged(what: &str, payload: Box<dyn Any + Send>) -> Panicked {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("(no text)").to_owned();
    quietly(|| log::error!("{what} panicked: {text}"));
    quietly(|| drop(payload));
    Panicked { text }
}

/// Runs `code`; of a panic in it nothing is kept, not even the memory: to let go of it may
/// panic again, and so on.
fn quietly(code: impl FnOnce()) {
    if let Err(again) = attempt(code) {
        mem::forget(again);
    }
}

/// Something of the program's. A panic of it when it is dropped is caught, wherever that is:
/// also while another panic goes on, where it would end the process.
///
/// It is dropped with no lock held, as the program may do anything then.
#[derive(Clone)]
pub(crate) struct Foreign<T> {
    /// `None` in its last moment only.
    value: Option<T>,
}

impl<T> Foreign<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value: Some(value) }
    }

    /// Hands it out, for a call that uses it up; the caller sees to its panics.
    pub(crate) fn into_inner(mut self) -> T {
        match self.value.take() {
            Some(value) => value,
            None => gone(),
        }
    }
}

impl<T> Deref for Foreign<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => gone(),
        }
    }
}

impl<T> DerefMut for Foreign<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => gone(),
        }
    }
}

impl<T> Drop for Foreign<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            // It was logged.
            let _ = caught("something of the program's, when it was dropped,", || drop(value));
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cold]
fn gone() -> ! {
    unreachable!("what is handed out is used no more")
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;
    use std::sync::Arc;

    use super::*;
    #[cfg(debug_assertions)]
    use crate::sync::{Mutex, Rank};

    /// Panics when it is dropped, with something that does so too, and so on.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            match self.0.checked_sub(1) {
                Some(left) => panic_any(Self(left)),
                None => panic!("on purpose, at last"),
            }
        }
    }

    #[test]
    fn a_panic_is_caught_with_what_it_says() {
        assert_eq!(caught("it", || 7), Ok(7));
        let text = |code: fn()| caught("it", code).unwrap_err().text;
        assert_eq!(text(|| panic!("on purpose")), "on purpose");
        assert_eq!(text(|| panic!("{} times", 2)), "2 times");
        assert_eq!(text(|| panic_any(7)), "(no text)");
    }

    #[test]
    fn what_is_thrown_may_panic_however_often() {
        for left in 0..3 {
            assert!(caught("it", || panic_any(Bomb(left))).is_err());
        }
    }

    #[test]
    fn what_is_dropped_may_panic_however_often_and_while_another_panic_goes_on() {
        for left in 0..3 {
            drop(Foreign::new(Bomb(left)));
            let (one, two) = (Foreign::new(Bomb(left)), Foreign::new(Bomb(left)));
            let panicked = caught("it", move || {
                let _one = one;
                assert!(two.0 > 9, "the first");
            });
            assert_eq!(panicked.unwrap_err().text, "the first");
        }
    }

    #[test]
    fn what_is_shared_is_caught_where_its_last_handle_goes() {
        let first = Foreign::new(Arc::new(Bomb(0)));
        let second = first.clone();
        drop(first);
        assert!(thread::spawn(move || drop(second)).join().is_ok());
    }

    #[test]
    fn what_is_handed_out_is_the_callers() {
        let mut foreign = Foreign::new(vec![1]);
        foreign.push(2);
        assert_eq!(foreign.len(), 2);
        assert_eq!(foreign.into_inner(), [1, 2]);
    }

    #[test]
    fn it_takes_no_more_room() {
        assert_eq!(size_of::<Foreign<Arc<dyn Any>>>(), size_of::<Arc<dyn Any>>());
        assert_eq!(size_of::<Foreign<Box<dyn FnOnce()>>>(), size_of::<Box<dyn FnOnce()>>());
    }

    #[cfg(debug_assertions)]
    #[test]
    fn nothing_of_the_programs_is_called_or_dropped_with_a_lock_held() {
        let lock = Mutex::new(Rank::Pool, ());
        let complaint = |code: &dyn Fn()| {
            attempt(|| {
                let _held = lock.lock();
                code();
            })
            .unwrap_err()
            .downcast::<String>()
            .unwrap()
        };
        for text in [complaint(&|| drop(Foreign::new(1))), complaint(&|| drop(caught("it", || ())))]
        {
            assert_eq!(*text, "the program is called while the lock `Pool` is held");
        }
    }
}
