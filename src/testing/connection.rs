//! The life of one connection: handshake, requests and answers in turn, end.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{Answer, Ending, ExpectPolicy, Intake, Portion, TakeoverCode};
use super::fault::HandshakeFault;
use super::link::Link;
use super::recorded::{Body, ConnectionFacts, Parts, Recorded};
use super::state::{Order, Shared};
use super::takeover::Takeover;
use super::wire::{self, Framing, Head, Hold, RequestFacts, Trouble};
use crate::foreign::caught;

/// How a connection ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct End {
    ending: Ending,
    /// Whether the client may still be sending, so that a close would become a reset.
    drains: bool,
    notifies: bool,
}

impl End {
    const CLOSE: Self = Self { ending: Ending::Close, drains: false, notifies: true };
    const DRAIN: Self = Self { drains: true, ..Self::CLOSE };
    const RESET: Self = Self { ending: Ending::Reset, ..Self::CLOSE };

    fn by(ending: Ending, drains: bool) -> Self {
        Self { ending, drains, ..Self::CLOSE }
    }
}

/// One connection's side of the conversation, on a thread of its own.
pub(super) struct Conversation {
    pub(super) shared: Arc<Shared>,
    pub(super) link: Link,
    pub(super) facts: Arc<ConnectionFacts>,
    /// How many requests have been served.
    pub(super) sequence: u64,
    /// Where answers are put together.
    pub(super) out: Vec<u8>,
}

impl Conversation {
    pub(super) fn new(shared: Arc<Shared>, link: Link, facts: ConnectionFacts) -> Self {
        Self { shared, link, facts: Arc::new(facts), sequence: 0, out: Vec::new() }
    }

    /// Serves requests until the connection ends.
    pub(super) fn run(mut self) {
        let end = loop {
            match self.turn() {
                Ok(End { ending: Ending::Keep, .. }) => self.sequence += 1,
                Ok(end) => break end,
                Err(Trouble::Gone) => break self.ordered_end().unwrap_or(End::CLOSE),
                Err(Trouble::Malformed(what)) => {
                    self.shared.fail(format!("a client broke HTTP/1.1: {what}"));
                    // It may be gone; the failure is noted in any case.
                    let _ = self.link.write_all(
                        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    );
                    break End::DRAIN;
                }
            }
        };
        self.finish(end);
    }

    /// Does to a client what a handshake fault says.
    pub(super) fn misbehave(mut self, fault: &HandshakeFault) {
        let heard = |link: &mut Link| link.fill().is_ok_and(|count| count > 0);
        let end = match fault {
            HandshakeFault::Stall => {
                let _ = wire::hold(&mut self.link, &self.shared, Hold::UntilReleased);
                End::DRAIN
            }
            HandshakeFault::Close => End::DRAIN,
            HandshakeFault::Reset => {
                heard(&mut self.link);
                End::RESET
            }
            HandshakeFault::Bytes(bytes) => {
                if heard(&mut self.link) {
                    let _ = self.link.write_all(bytes);
                }
                End::DRAIN
            }
            HandshakeFault::Alert(description) => {
                if heard(&mut self.link) {
                    // RFC 8446 §5.1, §6: type alert, version, length 2, level fatal.
                    let _ = self.link.write_all(&[21, 3, 3, 0, 2, 2, *description]);
                }
                End::DRAIN
            }
        };
        self.finish(end);
    }

    fn finish(mut self, end: End) {
        if end.ending == Ending::Reset {
            return self.link.socket().reset_when_closed();
        }
        self.link.finish(end.notifies);
        if end.drains {
            self.link.drain();
        }
    }

    /// What the test ordered to be done with this connection.
    fn ordered_end(&self) -> Option<End> {
        match self.shared.lock().order(self.facts.number)? {
            Order::Close => Some(End::CLOSE),
            Order::Reset => Some(End::RESET),
        }
    }

    /// Receives one request and answers it.
    fn turn(&mut self) -> Result<End, Trouble> {
        let fault = self.shared.lock().request_faults.get(&self.sequence).copied();
        if let Some(fault) = fault {
            wire::skip(&mut self.link, fault.bytes)?;
            return Ok(if fault.reset { End::RESET } else { End::DRAIN });
        }
        let head = wire::receive_head(&mut self.link, self.shared.limits.head_limit)?;
        let Some((head, head_bytes)) = head else {
            return Err(Trouble::Gone);
        };
        let number = self.facts.number;
        let claimed = self.shared.change(|state| match state.order(number) {
            Some(_) => None,
            None => {
                state.stats.heads += 1;
                state.set_idle(number, false);
                Some((state.answers.pop_front(), state.head_handler.clone()))
            }
        });
        let Some((answer, head_handler)) = claimed else {
            return Err(Trouble::Gone);
        };
        let parts = Parts {
            head,
            head_bytes,
            body: Body::default(),
            complete: false,
            sequence: self.sequence,
            received_at: Instant::now(),
            connection: Arc::clone(&self.facts),
        };
        let answer = match (answer, head_handler) {
            (None, Some(handler)) => {
                let request = Recorded::new(parts.clone());
                self.ask(|| handler(&request))?
            }
            (answer, _) => answer,
        };
        self.exchange(parts, answer)
    }

    /// Reads the body and sends the answer, in the order that the answer wants.
    fn exchange(&mut self, mut parts: Parts, answer: Option<Answer>) -> Result<End, Trouble> {
        if let Some(answer) = &answer {
            wire::informational(&mut self.link, answer, true)?;
        }
        let intake = answer.as_ref().map_or(Intake::Whole, |answer| answer.intake);
        let policy = answer.as_ref().map_or(ExpectPolicy::Continue, |answer| answer.expect);
        let intake = match (parts.head.expects_continue, policy, intake) {
            (true, ExpectPolicy::FinalAnswer, Intake::Whole) => Intake::AfterAnswer,
            (true, ExpectPolicy::Continue, Intake::Whole | Intake::UpTo(..)) => {
                self.link.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                intake
            }
            _ => intake,
        };
        match (intake, answer) {
            (Intake::AfterAnswer, Some(answer)) => self.answer_first(parts, &answer),
            (Intake::Never, Some(answer)) => {
                let head = parts.head.clone();
                self.keep(parts);
                self.send(&answer, &head, false)?;
                wire::hold(&mut self.link, &self.shared, Hold::WithoutReading)?;
                Ok(End::RESET)
            }
            (Intake::UpTo(stop, ending), _) => {
                let read = self.read_body(&mut parts, Portion { stop, ..Portion::default() });
                self.keep(parts);
                read.map(|()| End::by(ending, true))
            }
            (_, answer) => {
                let portion =
                    answer.as_ref().map_or_else(Portion::default, |answer| answer.portion);
                if let Err(trouble) = self.read_body(&mut parts, portion) {
                    self.keep(parts);
                    return Err(trouble);
                }
                let head = parts.head.clone();
                let request = self.keep(parts);
                let answer = match answer {
                    Some(answer) => answer,
                    None => self.await_answer(&request)?,
                };
                let ending = self.send(&answer, &head, true)?;
                Ok(End { notifies: answer.close_notify, ..End::by(ending, false) })
            }
        }
    }

    fn answer_first(&mut self, mut parts: Parts, answer: &Answer) -> Result<End, Trouble> {
        let is_over = parts.head.framing == Framing::Nothing;
        let ending = self.send(answer, &parts.head, is_over);
        let end = match ending {
            Ok(Ending::Keep) => None,
            Ok(ending) => Some(Ok(End { notifies: answer.close_notify, ..End::by(ending, true) })),
            Err(trouble) => Some(Err(trouble)),
        };
        if let Some(end) = end {
            self.keep(parts);
            return end;
        }
        let read = self.read_body(&mut parts, answer.portion);
        self.keep(parts);
        let number = self.facts.number;
        self.shared.change(|state| state.set_idle(number, true));
        read.map(|()| End::by(Ending::Keep, false))
    }

    fn read_body(&mut self, parts: &mut Parts, portion: Portion) -> Result<(), Trouble> {
        let framing = parts.head.framing;
        parts.complete =
            wire::body(&mut self.link, &self.shared, framing, &mut parts.body, portion)?;
        Ok(())
    }

    /// Puts a request where the test takes it from.
    fn keep(&self, parts: Parts) -> Recorded {
        let request = Recorded::new(parts);
        self.shared.change(|state| {
            state.stats.requests += u64::from(request.is_complete());
            if self.shared.limits.recording {
                state.taken_in.push_back(request.clone());
            }
        });
        request
    }

    /// Finds the answer to a request for which none was there when it began.
    ///
    /// A client that leaves takes none with it: the next request gets it.
    fn await_answer(&mut self, request: &Recorded) -> Result<Answer, Trouble> {
        let limit = self.shared.limits.hang_guard;
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let found = self.shared.wait(left.min(wire::TICK), |state| {
                let found = (state.answers.pop_front(), state.handler.clone());
                (found.0.is_some() || found.1.is_some() || state.closing).then_some(found)
            });
            match found {
                Some((None, Some(handler))) => return self.ask(|| handler(request)),
                Some((None, None)) => return Err(Trouble::Gone),
                Some((Some(answer), _)) if self.link.client_left() => {
                    self.shared.change(|state| state.answers.push_front(answer));
                    return Err(Trouble::Gone);
                }
                Some((Some(answer), _)) => return Ok(answer),
                None if self.link.client_left() => return Err(Trouble::Gone),
                None if left.is_zero() => {
                    let failure =
                        format!("nobody enqueued an answer within {limit:?}: {request:?}");
                    self.shared.fail(failure);
                    return Err(Trouble::Gone);
                }
                None => {}
            }
        }
    }

    /// Calls a test's code; a panic in it fails the test and ends the connection.
    fn ask<T>(&self, call: impl FnOnce() -> T) -> Result<T, Trouble> {
        caught("a handler of a test server", call).map_err(|panicked| {
            self.shared.fail(format!("a handler panicked: {}", panicked.text));
            Trouble::Gone
        })
    }

    fn send(&mut self, answer: &Answer, head: &Head, is_over: bool) -> Result<Ending, Trouble> {
        let facts = RequestFacts {
            connection: self.facts.number,
            is_head: head.method == "HEAD",
            is_connect: head.method == "CONNECT",
            wants_close: head.wants_close,
            is_over: is_over && answer.takeover.is_none(),
        };
        let ending = wire::answer(&mut self.link, &self.shared, answer, facts, &mut self.out)?;
        match &answer.takeover {
            Some(code) => self.hand_over(code, &head.target),
            None => Ok(ending),
        }
    }

    fn hand_over(&mut self, code: &TakeoverCode, target: &str) -> Result<Ending, Trouble> {
        let mut takeover = Takeover { link: &mut self.link, target };
        match caught("the code behind an answer", || code(&mut takeover)) {
            Ok(()) => Ok(Ending::Close),
            Err(panicked) => {
                self.shared.fail(format!("the code behind an answer panicked: {}", panicked.text));
                Err(Trouble::Gone)
            }
        }
    }
}
