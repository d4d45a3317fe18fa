//! TLS on a connection that waits for its next exchange.

use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

use super::failure;
use super::session::{OVERHEAD, READ, TlsSession, Turn};
use crate::engine::socket::Link;
use crate::engine::spare::Shelf;
use crate::error::Error;

/// How much memory an idle session keeps for what it will send.
const IDLE: usize = 1024;

/// What has become of a session that nobody has used for a while.
#[derive(Debug)]
pub(super) enum Pause {
    Open,
    Over,
    /// The peer has said why it is over.
    Failed(Error),
}

impl TlsSession {
    /// Returns whether all that has arrived was read, and the peer may say more.
    /// What a record holds behind a body would be taken for the beginning of the next answer.
    pub(in crate::engine) fn is_silent(&mut self) -> bool {
        let waits = !self.closed && matches!(self.turn(&mut []), Ok(Turn::NeedsInput));
        waits && self.opened.is_empty() && self.incoming.is_empty()
    }

    /// Looks, without waiting, whether what an idle peer has said leaves the session
    /// usable.
    pub(in crate::engine) fn is_still_open(&mut self, link: &Link) -> bool {
        matches!(self.listen(link), Pause::Open)
    }

    /// Looks, without waiting, what has become of the session while somebody was asked.
    pub(super) fn after_pause(&mut self, link: &Link) -> Pause {
        match link.peek() {
            Ok(None) => Pause::Open,
            Ok(Some(1..)) => match self.listen(link) {
                Pause::Failed(error) if !failure::is_alert(&error) => Pause::Over,
                pause => pause,
            },
            _ => Pause::Over,
        }
    }

    fn listen(&mut self, link: &Link) -> Pause {
        if link.set_nonblocking(true).is_err() {
            return Pause::Over;
        }
        loop {
            match self.turn(&mut []) {
                Ok(Turn::NeedsInput) => {}
                Err(error) => return Pause::Failed(error),
                // Bytes without a request, an end, or something to answer.
                _ => return Pause::Over,
            }
            let room = self.incoming.room(READ);
            match link.peek() {
                Ok(None) => break,
                Ok(Some(1..)) => match link.read_idle(room) {
                    Some(count) => self.incoming.fill(count),
                    None => return Pause::Over,
                },
                _ => return Pause::Over,
            }
        }
        let usable = self.opened.is_empty() && link.set_nonblocking(false).is_ok();
        if usable { Pause::Open } else { Pause::Over }
    }

    /// Takes memory for an exchange.
    pub(in crate::engine) fn borrow_memory(&mut self, spare: &mut Shelf) {
        spare.lend(&mut self.incoming);
    }

    /// Gives memory back that an idle session does not need.
    pub(in crate::engine) fn return_memory(&mut self, spare: &mut Shelf) {
        spare.keep(&mut self.incoming);
        drop(self.opened.take_memory());
        if self.outgoing.is_empty() && self.outgoing.capacity() > IDLE {
            self.outgoing = Vec::new();
        }
    }

    /// Tells the peer that the connection ends, if that is possible without waiting.
    pub(in crate::engine) fn say_goodbye(&mut self, link: &Link) {
        let UnbufferedStatus { state, .. } =
            self.rustls.process_tls_records(self.incoming.filled_mut());
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state {
            let mut alert = [0; 2 * OVERHEAD];
            if let Ok(length) = traffic.queue_close_notify(&mut alert) {
                link.send_best_effort(&alert[..length]);
            }
        }
    }
}
