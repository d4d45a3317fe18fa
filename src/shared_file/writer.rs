//! The thread that writes what was changed, for all files of this process.
//!
//! It is there as long as something is to be written, which is a second.

use std::sync::Weak;
use std::time::{Duration, Instant};

use crate::census::Census;
use crate::clock::Clock;
use crate::fork::Maker;
use crate::log;
use crate::sync::{Condvar, Mutex, Rank};

/// How long a change may wait for others that are written with it; the rest of its second is for
/// writing.
const DELAY: Duration = Duration::from_millis(500);

/// Who has something to write.
pub(super) trait Written: Send + Sync {
    fn write(&self);
}

/// A file with changes.
struct Due {
    file: Weak<dyn Written>,
    at: Instant,
    clock: Clock,
}

struct State {
    due: Vec<Due>,
    /// In which process the thread is, if there is one: it does not come along with a fork.
    thread: Option<Maker>,
}

static STATE: Mutex<State> =
    Mutex::new(Rank::SharedFileWriter, State { due: Vec::new(), thread: None });
static CHANGED: Condvar = Condvar::new();

/// Has a file written soon, together with what changes until then.
pub(super) fn write_later(file: Weak<dyn Written>, clock: &Clock) {
    let mut state = STATE.lock();
    let is_new = !state.due.iter().any(|due| Weak::ptr_eq(&due.file, &file));
    if is_new {
        state.due.push(Due { file, at: clock.now() + DELAY, clock: clock.clone() });
    }
    if state.thread.as_ref().is_some_and(Maker::is_this_process) {
        drop(state);
        if is_new {
            CHANGED.notify_all();
        }
        return;
    }
    state.thread = Some(Maker::this_process());
    drop(state);
    if let Err(error) = Census::default().spawn("urlsession-stores", Box::new(work)) {
        STATE.lock().thread = None;
        log::debug!("the system refuses a thread: stores are written when sessions end: {error}");
    }
}

/// The file has been written.
pub(super) fn forget(file: &Weak<dyn Written>) {
    let mut state = STATE.lock();
    let before = state.due.len();
    state.due.retain(|due| !Weak::ptr_eq(&due.file, file));
    let has_changed = state.due.len() < before;
    drop(state);
    if has_changed {
        CHANGED.notify_all();
    }
}

fn work() {
    let mut state = STATE.lock();
    loop {
        if state.due.is_empty() {
            state.thread = None;
            return;
        }
        let is_late = |due: &Due| due.at <= due.clock.now();
        if let Some(at) = state.due.iter().position(is_late) {
            let file = state.due.swap_remove(at).file.upgrade();
            drop(state);
            file.inspect(|file| file.write());
            state = STATE.lock();
            continue;
        }
        let left = |due: &Due| due.clock.slice(due.at.saturating_duration_since(due.clock.now()));
        let slice = state.due.iter().map(left).min().unwrap_or(DELAY);
        state = CHANGED.wait_timeout(state, slice).0;
    }
}
