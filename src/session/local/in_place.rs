//! Calls of the program on threads that run its tasks: by a queue that makes them where they
//! are due, or for blocking calls.
//!
//! What such a call does is not known, and it may wait for another load: where it takes long
//! and others wait in line, its task gives its place to them, and takes one again after the
//! call. So nobody looks unless somebody waits.

use std::sync::Arc;

use super::Local;
use crate::session::audience::SOON;
use crate::session::task::{Core, Place};

impl Local {
    /// Notes that the program is called by the thread that runs the task.
    pub(super) fn begin_in_place(&self, core: &Arc<Core>) {
        let now = self.now();
        let mut calls = self.in_place.lock();
        debug_assert!(calls.iter().all(|(_, one)| one.id != core.id), "calls do not overlap");
        calls.push((now, Arc::clone(core)));
        drop(calls);
        if self.pool.has_line() {
            self.timer.look_at_calls(now + SOON);
        }
    }

    /// Notes that it has returned.
    pub(super) fn end_in_place(&self, core: &Core) {
        let mut calls = self.in_place.lock();
        let at = calls.iter().position(|(_, one)| one.id == core.id);
        let ended = at.map(|at| calls.swap_remove(at));
        drop(calls);
        drop(ended);
    }

    /// Has somebody look at the calls for one who has to wait. Called with no lock held.
    pub(super) fn wait_behind_calls(&self) {
        let is_called = !self.in_place.lock().is_empty();
        if is_called {
            self.timer.look_at_calls(self.now());
        }
    }

    /// Gives the places of tasks whose calls take long to those who wait.
    pub(super) fn relieve_calls(&self) {
        // Whoever comes has it looked again.
        if !self.pool.has_line() {
            return;
        }
        let now = self.now();
        let (mut freed, mut next) = (Vec::<Place>::new(), None);
        {
            // Held, so that none of these calls returns meanwhile.
            let calls = self.in_place.lock();
            for (since, core) in &*calls {
                let due = *since + SOON;
                if due <= now {
                    freed.extend(self.aside(core));
                } else {
                    next = next.into_iter().chain([due]).min();
                }
            }
        }
        for place in freed {
            self.free(place);
        }
        if let Some(next) = next {
            self.timer.look_at_calls(next);
        }
    }
}
