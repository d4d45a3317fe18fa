//! The two threads of a session at a daemon: one hears it, one gives it orders.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::line::{Incoming, Line};
use super::{Shared, State, own};
use crate::background::engine::Hands;
use crate::background::host::{EventSink, Program};
use crate::background::protocol::frame::Speaker;
use crate::background::protocol::{Note, Reply, frame};
use crate::cancel::Wake;
use crate::credentials::{Challenge, Disposition};
use crate::delivery::{Inquiry, Settled};
use crate::log;

/// How long nobody asks for another daemon after one could not be had, at first and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// How many bytes of orders are given at once, about.
const BATCH: usize = 64 * 1024;

/// Brings the answer to a challenge to the daemon that has asked.
struct Answered {
    line: Arc<Line>,
    question: u64,
    inquiry: Arc<Inquiry<Disposition>>,
}

impl Wake for Answered {
    fn wake(&self) {
        let disposition = match self.inquiry.try_take() {
            Some(Settled::Answered(disposition)) => Some(disposition),
            // What opens nothing that an answer would have closed.
            Some(Settled::Panicked) => Some(Disposition::Cancel),
            Some(Settled::Unanswered | Settled::NeverAsked) | None => None,
        };
        self.line.answer(self.question, disposition);
    }
}

impl Shared {
    /// Hears the daemon, and the next one, until the session is closed.
    pub(super) fn hear(&self) {
        let mut state = self.state.lock();
        state.hears = Some(thread::current().id());
        let mut incoming = state.incoming.take();
        drop(state);
        while let Some(mut notes) = incoming {
            while let Some(note) = notes.next(&self.opening.reader) {
                self.take(note);
            }
            incoming = self.begin_anew();
        }
    }

    /// Opens the session at the next daemon; none if that is not wanted any more, or if there is none
    /// to be had, and this process hosts it.
    fn begin_anew(&self) -> Option<Incoming> {
        let mut state = self.state.lock();
        let gone = state.line.take();
        state.orders.start_over();
        let seen = mem::take(&mut state.seen);
        let mut is_closed = state.is_closed;
        drop(state);
        self.changed.notify_all();
        drop((gone, seen));
        let (mut delay, mut attempts) = (BACK_OFF.0, 0);
        while !is_closed {
            let opened =
                (self.connect)().and_then(|stream| Line::open(stream, &self.opening, self.hands()));
            match opened {
                Ok((line, incoming, opened)) => {
                    let line = Arc::new(line);
                    let mut state = self.state.lock();
                    is_closed = state.is_closed;
                    if is_closed {
                        break;
                    }
                    state.line = Some(Arc::clone(&line));
                    drop(state);
                    line.go_on(&opened.served.untold);
                    self.changed.notify_all();
                    return Some(incoming);
                }
                Err(error) => {
                    log::warn!("no daemon goes on with the background transfers yet: {error}");
                    attempts += 1;
                    if own::gives_up(attempts, &error) && self.host_here() {
                        return None;
                    }
                }
            }
            let state = self.state.lock();
            let waits = |state: &mut State| !state.is_closed;
            is_closed = self.changed.wait_timeout_while(state, delay, waits).0.is_closed;
            delay = (delay * 2).min(BACK_OFF.1);
        }
        None
    }

    /// Gives orders as they come.
    pub(super) fn give(&self) {
        let mut state = self.state.lock();
        while !state.is_closed && state.own.is_none() {
            let (mut batch, mut count) = (Vec::new(), 0);
            if state.line.is_some() {
                while batch.len() < BATCH
                    && let Some(order) = state.orders.next()
                {
                    count += 1;
                    let order = order.to_json();
                    if let Err(error) = frame::write(&mut batch, &order, Speaker::Program) {
                        let instead = state.orders.replace_last(error).to_json();
                        let _ = frame::write(&mut batch, &instead, Speaker::Program);
                    }
                }
            }
            if batch.is_empty() {
                state = self.changed.wait_timeout(state, super::PATIENCE).0;
                continue;
            }
            let Some(line) = state.line.clone() else { continue };
            drop(state);
            line.give(&batch);
            state = self.state.lock();
            if state.line.as_ref().is_some_and(|now| Arc::ptr_eq(now, &line)) {
                state.orders.wrote(count);
            }
            self.changed.notify_all();
        }
    }

    pub(super) fn hands(&self) -> Hands {
        let state = self.state.lock();
        Hands {
            coming: state.coming.iter().copied().collect(),
            held: state.held.iter().copied().collect(),
        }
    }

    fn take(&self, note: Note) {
        match note {
            Note::Done(count) => self.done(count),
            Note::Seen { jobs, .. } => self.state.lock().seen.extend(jobs),
            Note::Known { call, .. } | Note::Answered { call, .. } => self.answer(call, note),
            note => self.tell(note),
        }
    }

    fn done(&self, count: u64) {
        let mut state = self.state.lock();
        let done = state.orders.done(usize::try_from(count).unwrap_or(usize::MAX));
        done.iter().for_each(|order| state.is_done(order));
        drop(state);
        drop(done);
        self.changed.notify_all();
    }

    pub(super) fn answer(&self, call: u64, mut note: Note) {
        let mut state = self.state.lock();
        if let Note::Answered { reply: Reply::Seen(rest), .. } = &mut note {
            // Answers come in the order of the questions: what has come is of this one.
            let mut seen = mem::take(&mut state.seen);
            seen.append(rest);
            *rest = seen;
        }
        // Nobody waits any more for what came too late.
        let late = match state.calls.get_mut(&call) {
            Some(answer) => answer.replace(note),
            None => Some(note),
        };
        drop(state);
        drop(late);
        self.changed.notify_all();
    }

    fn tell(&self, note: Note) {
        match note {
            Note::Progress { task, progress } => self.progress(task, progress),
            Note::Responded { task, response } => self.responded(task, &response),
            Note::Happened { number, task, event } => self.happened(number, task, event),
            Note::Ended(job) => self.ended(*job),
            Note::Challenged { question, task, challenge } => {
                self.ask_program(question, task, &challenge);
            }
            Note::MayBegin { task, request } => self.may_begin(task, *request),
            Note::NeedsRequest { task, reason, error } => self.needs_request(task, reason, error),
            Note::Refused(error) => log::warn!("the daemon ends the conversation: {error}"),
            _ => {}
        }
    }

    fn ask_program(&self, question: u64, task: Option<u64>, challenge: &Challenge) {
        let Some(line) = self.state.lock().line.clone() else { return };
        let (inquiry, errand) = Inquiry::begin();
        let inquiry = Arc::new(inquiry);
        errand.run(|reply| self.challenged(task, challenge, reply));
        let answered = Answered { line, question, inquiry: Arc::clone(&inquiry) };
        inquiry.when_settled(Arc::new(answered));
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::super::{Connect, Opening, Remote};
    use super::*;
    use crate::background::form;
    use crate::background::host::Host;
    use crate::background::protocol::{RELEASE, Reader, VERSIONS, Welcome};
    use crate::census::Census;
    use crate::configuration::Configuration;

    /// A daemon that opens a session, says that all it is asked is done, and hangs up once it
    /// has closed it.
    fn serve(stream: UnixStream) {
        let mut incoming = BufReader::new(stream.try_clone().unwrap());
        let say = |value| frame::write(&mut &stream, &value, Speaker::Daemon).unwrap();
        let mut hear =
            || frame::read(&mut incoming, frame::MOST, Speaker::Program).unwrap().unwrap();
        hear();
        let release = RELEASE.to_owned();
        say(Welcome { protocol: VERSIONS.1, release, process: 1 }.to_json());
        hear();
        let (folder, untold, damage) = ("/nowhere".into(), Vec::new(), Vec::new());
        say(Note::Served { folder, untold, last_task: 0, damage }.to_json());
        // To go on, and to close it.
        hear();
        hear();
        say(Note::Done(1).to_json());
    }

    #[test]
    fn a_session_that_its_daemon_has_closed_is_not_opened_once_more() {
        let opened = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&opened);
        let connect: Connect = Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let (near, far) = UnixStream::pair().unwrap();
            thread::spawn(move || serve(far));
            Ok(near)
        });
        let configuration = Configuration::background("films");
        let opening = Opening {
            program: "tests".to_owned(),
            identifier: "films".to_owned(),
            configuration: form::write_configuration(&configuration, true),
            reader: Reader::new(&configuration).unwrap(),
            own: configuration,
        };
        let remote = Remote::open(connect, opening, &Census::default()).unwrap();
        remote.go_on(&[]);
        remote.close();
        drop(remote);
        // Its threads hold what connects until they end.
        while Arc::strong_count(&opened) > 1 {
            thread::yield_now();
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }
}
