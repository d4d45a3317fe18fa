//! One conversation of the daemon with a program.

use std::io::{self, BufReader};
use std::process;
use std::sync::Arc;

use serde_json::Value;

use super::guest::Guest;
use super::seat::Seat;
use super::sessions::{Name, Sessions};
use super::writer::Writer;
use crate::background::engine::Hands;
use crate::background::host::{Host, Served};
use crate::background::protocol::frame::Speaker;
use crate::background::protocol::{
    Hello, Note, Order, Question, RELEASE, Reply, VERSIONS, Welcome, frame,
};
use crate::error::{Error, ErrorKind};
use crate::log;

/// Talks with a program until one of both ends it; returns whether the daemon is to leave.
pub(super) struct Conversation<'a> {
    sessions: &'a Sessions,
    writer: Arc<Writer>,
    /// The session that it has open.
    seat: Option<Arc<Seat>>,
    /// Orders that are done and not said to be.
    done: u64,
}

/// Whether a conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoesOn,
    Ends,
    /// So does the daemon.
    Leaves,
}

/// Holds a conversation; returns whether the daemon is to leave.
pub(super) fn hold(sessions: &Sessions, guest: Guest) -> bool {
    let writer = Arc::new(Writer::new(guest.writer()));
    let mut conversation =
        Conversation { sessions, writer: Arc::clone(&writer), seat: None, done: 0 };
    let mut incoming = BufReader::new(guest);
    let next = conversation.run(&mut incoming);
    if let Some(seat) = &conversation.seat {
        seat.leave(&writer);
        sessions.launcher.left(&seat.program);
    }
    writer.close();
    match next {
        Ok(next) => next == Next::Leaves,
        Err(error) => {
            log::info!("a program has ended its conversation: {error}");
            false
        }
    }
}

impl Conversation<'_> {
    fn run(&mut self, incoming: &mut BufReader<Guest>) -> Result<Next, Error> {
        let Some(hello) = read(incoming, frame::MOST_OF_STRANGERS)? else { return Ok(Next::Ends) };
        let Some(hello) = Hello::from_json(&hello) else {
            self.refuse(not_understood());
            return Ok(Next::Ends);
        };
        match common_version(&hello) {
            Some(protocol) => {
                let (release, process) = (RELEASE.to_owned(), process::id());
                self.writer.write_value(&Welcome { protocol, release, process }.to_json());
            }
            None => {
                self.refuse(other_version());
                // A program of a later version brings a daemon that takes over.
                let is_newer = hello.oldest > VERSIONS.1;
                return Ok(if is_newer { Next::Leaves } else { Next::Ends });
            }
        }
        incoming.get_mut().greet();
        loop {
            let Some(said) = self.hear(incoming)? else { return Ok(Next::Ends) };
            let next = match said {
                Some(order) => self.obey(order),
                None => {
                    self.refuse(not_understood());
                    Next::Ends
                }
            };
            if next != Next::GoesOn {
                return Ok(next);
            }
            // Many are said to be done at once, but none later than this waits.
            if self.done > 0 && incoming.buffer().is_empty() {
                self.say_done();
            }
        }
    }

    /// Waits for an order: none if the conversation ends, and none within if it is not understood.
    ///
    /// Long ones come in one after the other, whoever gives them: what is read of many at once
    /// would take the memory of the whole daemon.
    fn hear(&self, incoming: &mut BufReader<Guest>) -> Result<Option<Option<Order>>, Error> {
        let Some(length) = frame::read_length(incoming, frame::MOST_OF_PROGRAMS).map_err(broken)?
        else {
            return Ok(None);
        };
        let pass = (length > frame::SHORT).then(|| self.sessions.turnstile.enter());
        incoming.get_mut().hurry(pass.is_some());
        let said = frame::read_json(incoming, length, Speaker::Program).map_err(broken)?;
        incoming.get_mut().hurry(false);
        let asked = |question| self.seat.as_ref()?.challenge(question);
        Ok(Some(Order::from_json(&said, asked)))
    }

    fn obey(&mut self, order: Order) -> Next {
        match order {
            Order::Open { program, identifier, configuration, hands } => {
                return self.open((program, identifier), &configuration, &hands);
            }
            Order::Ask { call, question: Question::Status } => {
                let reply = Reply::Status(self.sessions.describe());
                self.writer.write(&Note::Answered { call, reply });
                return Next::GoesOn;
            }
            Order::Leave => return Next::Leaves,
            _ => {}
        }
        let Some(seat) = self.seat.clone() else {
            self.refuse(not_open());
            return Next::Ends;
        };
        match order {
            Order::GoOn { untold } => {
                seat.go_on(&untold);
            }
            Order::Create { call, job, besides } => {
                let task = seat.engine.create(&job, besides);
                if let Some(call) = call {
                    self.writer.write(&Note::Known { call, task });
                }
                self.done += 1;
            }
            Order::Obey(command) => {
                seat.obey(command);
                self.done += 1;
            }
            Order::CompleteLaunch => {
                self.sessions.launcher.complete(&seat.program, &seat.identifier);
                self.done += 1;
            }
            Order::Ask { call, question } => return self.answer(&seat, call, question),
            Order::Dispose { question, disposition } => seat.dispose(question, disposition),
            Order::Open { .. } | Order::Leave => {}
        }
        Next::GoesOn
    }

    fn open(&mut self, name: Name, configuration: &Value, hands: &Hands) -> Next {
        if self.seat.is_some() {
            self.refuse(not_understood());
            return Next::Ends;
        }
        let opened = self.sessions.open(name, configuration, hands, &self.writer);
        let seat = match opened {
            Ok(seat) => seat,
            Err(error) => {
                self.refuse(error);
                return Next::Ends;
            }
        };
        let Served { jobs, untold, last_task } = seat.served();
        for job in jobs {
            self.writer.write(&Note::Job(Box::new(job)));
        }
        let folder = seat.engine.folder().path().to_owned();
        let damage = seat.engine.damage();
        let served = Note::Served { folder, untold, last_task, damage };
        if let Err(error) = self.writer.try_write(&served.to_json()) {
            // Its program hosts it then, and is told of all there.
            self.sessions.close(&seat);
            let detail = "more has happened in the session than this urlsessiond can say at once";
            self.refuse(Error::new(ErrorKind::ResourceUnavailable, detail).by_system(error));
            return Next::Ends;
        }
        self.seat = Some(seat);
        Next::GoesOn
    }

    fn answer(&mut self, seat: &Seat, call: u64, question: Question) -> Next {
        self.done += 1;
        let (reply, next) = match question {
            Question::Look => {
                self.say_done();
                let notes = Note::of_seen(call, seat.engine.look());
                notes.iter().for_each(|note| self.writer.write(note));
                return Next::GoesOn;
            }
            Question::Flush => {
                seat.engine.flush();
                (Reply::Done, Next::GoesOn)
            }
            Question::Close => {
                self.sessions.close(seat);
                (Reply::Done, Next::Ends)
            }
            Question::Status => (Reply::Done, Next::GoesOn),
        };
        self.say_done();
        self.writer.write(&Note::Answered { call, reply });
        next
    }

    fn say_done(&mut self) {
        self.writer.write(&Note::Done(self.done));
        self.done = 0;
    }

    fn refuse(&self, error: Error) {
        log::info!("a program is refused: {error}");
        self.writer.write(&Note::Refused(error));
    }
}

fn read(incoming: &mut BufReader<Guest>, most: usize) -> Result<Option<Value>, Error> {
    frame::read(incoming, most, Speaker::Program).map_err(broken)
}

fn broken(error: io::Error) -> Error {
    let detail = "the connection to a program is broken";
    Error::new(ErrorKind::NetworkConnectionLost, detail).by_system(error)
}

/// Returns the newest version that both speak.
fn common_version(hello: &Hello) -> Option<u32> {
    let newest = hello.newest.min(VERSIONS.1);
    (newest >= hello.oldest.max(VERSIONS.0)).then_some(newest)
}

fn other_version() -> Error {
    let (oldest, newest) = VERSIONS;
    let detail = format!(
        "this urlsessiond speaks the versions {oldest} to {newest} of its protocol, and the \
         program others: update the older of both"
    );
    Error::new(ErrorKind::NotSupported, detail)
}

fn not_understood() -> Error {
    let detail = "what the program says is not understood by this urlsessiond";
    Error::new(ErrorKind::InvalidRequest, detail)
}

fn not_open() -> Error {
    let detail = "no session was opened in this conversation";
    Error::new(ErrorKind::InvalidRequest, detail)
}
