//! The end of a background session.

use std::sync::Arc;

use super::Client;
use crate::log;
use crate::session::{Shared, tell_invalid};

impl Client {
    pub(super) fn settle(&self, becomes_invalid: bool) {
        if becomes_invalid {
            self.end();
        }
        self.changed.notify_all();
    }

    /// Ends the session on a thread of its own: the caller may be anybody, and it takes a while
    /// until transfers have let go of their files.
    fn end(&self) {
        // Its last handle may be about to go.
        let session = self.tasks.lock().session.upgrade();
        let spawned = self.me.upgrade().map(|client| {
            let session = session.clone();
            let life = Box::new(move || client.end_here(session));
            self.census.spawn("urlsession-closing", life)
        });
        match spawned {
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                log::warn!("the system refuses a thread for the end of a session: {error}");
                self.end_here(session);
            }
            None => self.end_here(session),
        }
    }

    fn end_here(&self, session: Option<Arc<Shared>>) {
        // Before anybody is told, who may open it again.
        self.host.close();
        let known = std::mem::take(&mut self.tasks.lock().known);
        drop(known);
        if let Some(session) = session {
            tell_invalid(&session);
        }
        self.tasks.lock().calls -= 1;
        self.changed.notify_all();
    }
}
