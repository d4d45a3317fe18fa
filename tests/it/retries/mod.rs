//! What a policy tries again: answers, connections; when, and who is told of it.

mod answers;
mod connections;
mod told;
mod waits;

use std::time::Duration;

use urlsession::testing::Event;
use urlsession::{ErrorKind, RetryPolicy};

/// A policy of so many attempts that does not wait.
fn at_once(attempts: u32) -> RetryPolicy {
    RetryPolicy::attempts(attempts).first_delay(Duration::ZERO)
}

/// A policy of so many attempts, a second and then two and four apart.
fn exact(attempts: u32) -> RetryPolicy {
    RetryPolicy::attempts(attempts).jitter(0.0)
}

/// The event of an answer that is tried again.
fn of_answer(id: u64, attempt: u32, seconds: u64, status: u16) -> Event {
    let (delay, error) = (Duration::from_secs(seconds), ErrorKind::UnacceptableStatus);
    Event::Retry { id, attempt, delay, error, status: Some(status) }
}

/// The event of another failure that is tried again at once.
fn of_failure(id: u64, attempt: u32, error: ErrorKind) -> Event {
    Event::Retry { id, attempt, delay: Duration::ZERO, error, status: None }
}

/// What a recorder was told of retries.
fn retries(events: &[Event]) -> Vec<Event> {
    events.iter().filter(|event| matches!(event, Event::Retry { .. })).cloned().collect()
}
