//! A server that can be started anew, on another port, as that of the same name.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use urlsession::testing::Server;

use crate::script::Script;

/// The server of one download.
pub(crate) struct Origin {
    script: Arc<Mutex<Script>>,
    server: Server,
    /// Where its address is written down.
    address: PathBuf,
}

impl Origin {
    pub(crate) fn start(script: Script, address: PathBuf) -> Self {
        let script = Arc::new(Mutex::new(script));
        let server = serve(&script);
        let origin = Self { script, server, address };
        origin.tell();
        origin
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Ends the server with all its connections. Another one is there already.
    pub(crate) fn restart(&mut self) {
        let before = std::mem::replace(&mut self.server, serve(&self.script));
        self.tell();
        drop(before);
    }

    /// Waits until no answer stalls whose client has left, which the server looks for a few times a
    /// second: it would be taken for the next one that stalls.
    pub(crate) fn rests(&self) {
        self.server.wait_until(|stats| stats.stalled == 0);
    }

    /// Goes on with the answer that has stalled.
    pub(crate) fn release(&self) {
        self.server.wait_until(|stats| stats.stalled == 1);
        self.server.release();
    }

    fn tell(&self) {
        let next = self.address.with_extension("next");
        fs::write(&next, self.server.address().to_string()).unwrap();
        fs::rename(next, &self.address).unwrap();
    }
}

fn serve(script: &Arc<Mutex<Script>>) -> Server {
    let server = Server::builder().recording(false).start();
    let script = Arc::clone(script);
    server.handle(move |request| script.lock().unwrap().answer(request));
    server
}
