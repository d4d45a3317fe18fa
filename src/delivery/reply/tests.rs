//! Replies: what becomes of them, and who learns of it.

use std::panic::{self, AssertUnwindSafe};

use super::*;

const FAR_AWAY: Duration = Duration::from_secs(3600);

/// A question whose call has returned, and left the reply.
fn pair<T>() -> (Reply<T>, Inquiry<T>) {
    let (inquiry, errand) = Inquiry::begin();
    let mut left = None;
    errand.run(|reply| left = Some(reply));
    (left.unwrap(), inquiry)
}

fn wait<T>(inquiry: &Inquiry<T>, slice: Duration) -> Option<Settled<T>> {
    inquiry.course().wait_slice(slice).then(|| inquiry.try_take()).flatten()
}

fn await_waiter<T>(matter: &Matter<T>) {
    while !matter.course.state.lock().waiting {
        thread::yield_now();
    }
}

#[test]
fn each_end_of_a_reply_means_something_else() {
    type End = fn(Reply<u8>);
    let cases: [(&str, End, Settled<u8>); 4] = [
        ("answered", |reply| reply.answer(7), Settled::Answered(7)),
        ("dropped", drop, Settled::Unanswered),
        ("panic with it in hand", |_reply| panic!("on purpose"), Settled::Panicked),
        (
            "panic on another thread",
            |reply| {
                let panicking = move || {
                    let _reply = reply;
                    panic!("on purpose")
                };
                thread::spawn(panicking).join().unwrap_err();
            },
            Settled::Panicked,
        ),
    ];
    for (name, end, settled) in cases {
        let (reply, inquiry) = pair();
        assert_eq!(inquiry.try_take(), None, "{name}");
        let _ = panic::catch_unwind(AssertUnwindSafe(|| end(reply)));
        assert_eq!(wait(&inquiry, FAR_AWAY), Some(settled), "{name}");
        assert_eq!(inquiry.try_take(), None, "{name}");
    }
}

#[test]
fn a_reply_that_is_dropped_in_its_call_counts_when_the_call_has_returned() {
    let (inquiry, errand) = Inquiry::<u8>::begin();
    errand.run(|reply| {
        drop(reply);
        assert_eq!(inquiry.try_take(), None);
    });
    assert_eq!(inquiry.try_take(), Some(Settled::Unanswered));
}

#[test]
fn a_call_that_panics_after_dropping_its_reply_refuses() {
    let (inquiry, errand) = Inquiry::<u8>::begin();
    let call = |reply| {
        drop(reply);
        panic!("on purpose")
    };
    let _ = panic::catch_unwind(AssertUnwindSafe(|| errand.run(call)));
    assert_eq!(inquiry.try_take(), Some(Settled::Panicked));
}

#[test]
fn a_call_that_is_never_made_refuses() {
    let (inquiry, errand) = Inquiry::<u8>::begin();
    drop(errand);
    assert_eq!(inquiry.try_take(), Some(Settled::NeverAsked));
}

#[test]
fn a_call_that_nobody_waits_for_is_not_made() {
    let (inquiry, errand) = Inquiry::<u8>::begin();
    drop(inquiry);
    errand.run(|_| panic!("it is made"));
}

#[test]
fn what_a_reply_comes_to_first_counts() {
    let (inquiry, errand) = Inquiry::<u8>::begin();
    let call = |reply: Reply<u8>| {
        reply.answer(7);
        panic!("on purpose")
    };
    let _ = panic::catch_unwind(AssertUnwindSafe(|| errand.run(call)));
    assert_eq!(inquiry.try_take(), Some(Settled::Answered(7)));
    assert_eq!(inquiry.try_take(), None);
}

#[test]
fn an_answer_from_another_thread_ends_a_wait() {
    let (reply, inquiry) = pair();
    thread::scope(|scope| {
        let matter = inquiry.0.clone();
        scope.spawn(move || {
            await_waiter(&matter);
            reply.answer("yes");
        });
        assert_eq!(wait(&inquiry, FAR_AWAY), Some(Settled::Answered("yes")));
    });
}

#[test]
fn a_wake_ends_a_wait() {
    let (_reply, inquiry) = pair::<()>();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&inquiry, FAR_AWAY));
        await_waiter(&inquiry.0);
        inquiry.waker().wake();
        assert_eq!(waiting.join().unwrap(), None);
    });
}

#[test]
fn a_wake_before_a_wait_ends_that_wait_alone() {
    let (_reply, inquiry) = pair::<()>();
    inquiry.waker().wake();
    assert_eq!(wait(&inquiry, Duration::from_secs(600)), None);
    assert!(!inquiry.0.course.state.lock().woken);
    assert_eq!(wait(&inquiry, Duration::ZERO), None);
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    let (reply, inquiry) = pair();
    drop(inquiry);
    let value = Arc::new(());
    reply.answer(value.clone());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_reply_can_be_sent_to_another_thread_and_shown() {
    fn is_send<T: Send>(_: &T) {}
    let (reply, inquiry) = pair::<std::cell::Cell<u8>>();
    is_send(&reply);
    assert_eq!(format!("{reply:?} {inquiry:?}"), "Reply { .. } Inquiry { is_settled: false }");
}

#[test]
fn answers_race_with_wakes_and_no_value_is_lost() {
    let value = Arc::new(());
    for round in 0..500 {
        let (reply, inquiry) = pair();
        thread::scope(|scope| {
            let (value, waker) = (value.clone(), inquiry.waker());
            scope.spawn(move || {
                if round % 2 == 0 {
                    waker.wake();
                }
                if round % 3 == 0 { drop(reply) } else { reply.answer(value) }
            });
            let settled = loop {
                if let Some(settled) = wait(&inquiry, FAR_AWAY) {
                    break settled;
                }
            };
            let expected = if round % 3 == 0 {
                matches!(settled, Settled::Unanswered)
            } else {
                matches!(settled, Settled::Answered(_))
            };
            assert!(expected, "{settled:?}");
        });
        drop(inquiry);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
