//! The ways in which an answer can go wrong on purpose. They compose.

use std::time::Duration;

use super::answer::{Answer, Ending, Intake};
use super::fault::Cut;

/// When the answer goes out, and how much of the request is read for it.
impl Answer {
    /// Answers as soon as the request's head is in. The body is read behind the answer and the
    /// connection kept, unless the answer ends it; then the body is read and thrown away until
    /// the client closes, so that the end is a FIN and never a reset.
    pub fn respond_before_body(mut self) -> Self {
        self.intake = Intake::AfterAnswer;
        self
    }

    /// Answers as soon as the request's head is in, and never reads the body: a client that
    /// goes on sending fills the socket's buffers and is stuck. The connection is held until
    /// [`Server::release`](super::Server::release) or the server's end.
    pub fn never_read_body(mut self) -> Self {
        self.intake = Intake::Never;
        self
    }

    /// Reads `bytes` of the request's body and closes with FIN, without an answer.
    pub fn close_after_reading(mut self, bytes: u64) -> Self {
        self.intake = Intake::UpTo(bytes, Ending::Close);
        self
    }

    /// Reads `bytes` of the request's body and closes with RST, without an answer.
    pub fn reset_after_reading(mut self, bytes: u64) -> Self {
        self.intake = Intake::UpTo(bytes, Ending::Reset);
        self
    }

    /// Reads the request's body at most at this rate, in about fifty pieces a second, so that the
    /// client has to wait with sending once the socket's buffers are full.
    ///
    /// # Panics
    ///
    /// If the rate is 0; that would be a stall.
    pub fn read_slowly(mut self, bytes_per_second: u64) -> Self {
        assert!(bytes_per_second > 0, "reading 0 bytes a second is a stall");
        self.portion.bytes_per_second = Some(bytes_per_second);
        self
    }

    /// Reads `bytes` of the request's body, and no more until the server is dropped or
    /// [`Server::release`](super::Server::release) lets it go on.
    pub fn stall_reading_after(mut self, bytes: u64) -> Self {
        self.portion.stall = Some(bytes);
        self
    }

    /// Reads the request, then closes with FIN, without an answer.
    pub fn close_before_answer(mut self) -> Self {
        self.skips_to = Some(Ending::Close);
        self
    }

    /// Reads the request, then closes with RST, without an answer.
    pub fn reset_before_answer(mut self) -> Self {
        self.skips_to = Some(Ending::Reset);
        self
    }
}

/// Stalls: each holds the connection until the client closes it, the server is dropped, or
/// [`Server::release`](super::Server::release) lets the answer go on.
impl Answer {
    /// Sends nothing of the head; informational answers go out before.
    pub fn stall_before_head(mut self) -> Self {
        self.stalls_before_head = true;
        self
    }

    /// Sends the head and then nothing.
    pub fn stall_after_head(mut self) -> Self {
        self.stalls_after_head = true;
        self
    }

    /// Sends the head and `bytes` of the body, and then nothing. May be repeated.
    pub fn stall_in_body_after(self, bytes: u64) -> Self {
        self.cut(bytes, Cut::Stall)
    }
}

/// Pauses.
impl Answer {
    /// Waits for this long before the head is sent; informational answers go out before.
    pub fn delay_head(mut self, delay: Duration) -> Self {
        self.head_delay = Some(delay);
        self
    }

    /// Sends `bytes` of the body, and waits for this long before the rest. May be repeated.
    pub fn delay_in_body_after(self, bytes: u64, delay: Duration) -> Self {
        self.cut(bytes, Cut::Delay(delay))
    }

    /// Sends the body at most at this rate, in about fifty pieces a second.
    ///
    /// # Panics
    ///
    /// If the rate is 0; that would be a stall.
    pub fn drip(mut self, bytes_per_second: u64) -> Self {
        assert!(bytes_per_second > 0, "a drip of 0 bytes a second is a stall");
        self.bytes_per_second = Some(bytes_per_second);
        self
    }
}

/// Ends in the middle, and what becomes of the connection.
impl Answer {
    /// Sends `bytes` of the body, then closes with FIN. Chunks are announced whole, and a body
    /// that has no more bytes than this misses only its last, empty chunk.
    pub fn truncate_after(self, bytes: u64) -> Self {
        self.cut(bytes, Cut::Truncate)
    }

    /// Sends `bytes` of the body, then closes with RST.
    ///
    /// A reset overtakes bytes that the client has not read yet; put
    /// [`stall_in_body_after`](Self::stall_in_body_after) before it if they must arrive.
    pub fn reset_after(self, bytes: u64) -> Self {
        self.cut(bytes, Cut::Reset)
    }

    /// Ends TLS connections without the `close_notify` alert, as an attacker would who cuts an
    /// answer short (RFC 8446 §6.1).
    pub fn without_close_notify(mut self) -> Self {
        self.close_notify = false;
        self
    }

    /// Keeps the connection where it would be closed: behind [`raw`](Self::raw) bytes, a body
    /// without framing, or fewer bytes than announced.
    pub fn keep_open(mut self) -> Self {
        self.ending = Some(Ending::Keep);
        self
    }

    /// Closes the connection behind the answer, which does not say so.
    pub fn close_after_answer(mut self) -> Self {
        self.ending = Some(Ending::Close);
        self
    }

    /// Closes the connection as soon as it is idle, that is behind the answer: on the wire this
    /// is [`close_after_answer`](Self::close_after_answer). To close it later, see
    /// [`Server::close_idle_connections`](super::Server::close_idle_connections).
    pub fn close_when_idle(self) -> Self {
        self.close_after_answer()
    }

    /// Resets the connection behind the answer. The client may lose the answer's end.
    pub fn reset_after_answer(mut self) -> Self {
        self.ending = Some(Ending::Reset);
        self
    }

    fn cut(mut self, bytes: u64, cut: Cut) -> Self {
        self.cuts.push((bytes, cut));
        // Stable, so that a stall and an end at the same place keep the order they were given in.
        self.cuts.sort_by_key(|(at, _)| *at);
        self
    }
}
