//! One download in several parts at once, from its first request until its file is whole.
//!
//! Which part is asked for when is up to threads, so it is not foretold, as it is of a download in
//! one. But what was kept is asked for by nobody, as long as the version is the same.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Configuration, ResumeData, Session, TaskState};

use crate::client::{ALREADY_THERE, DONE, INTERRUPTED, Wish, is_interruption};
use crate::dice::Dice;
use crate::film::{Film, Naming};
use crate::story::{names_in, pause};
use crate::tally::Tally;

/// Is asked for when nobody asks for anything else.
const LAST: &str = "/last";

/// Nothing takes longer.
const HANG: Duration = Duration::from_secs(60);

/// What a kill may cost: what is synced next, and one piece more of each part, with the blocks that
/// the file system rounds up to.
const UNSYNCED: u64 = 8 * 1024 * 1024;
const PIECE: u64 = 1024 * 1024 + 64 * 1024;

pub(crate) struct Parallel<'a> {
    dice: Dice,
    wish: Wish,
    /// It goes on by what lies beside its place, or by resume data.
    is_beside: bool,
    origin: Arc<Mutex<Origin>>,
    server: Server,
    test: &'a str,
    resume_data: Option<ResumeData>,
}

/// What the server has, and does.
#[derive(Debug)]
struct Origin {
    dice: Dice,
    film: Film,
    /// All versions that there were: the last part may come when the next is there.
    versions: Vec<&'static [u8]>,
    /// How often something still happens.
    troubles: usize,
    kept: Kept,
    tally: Tally,
    complaints: Vec<String>,
}

/// What the program has of the file, and of which version.
#[derive(Debug, Default)]
struct Kept {
    validator: Option<String>,
    ranges: Vec<Range<usize>>,
}

impl<'a> Parallel<'a> {
    pub(crate) fn new(seed: u64, place: PathBuf, test: &'a str) -> Self {
        let mut dice = Dice::new(seed);
        let size = match dice.below(4) {
            0 => 2_200_000 + dice.below(17_800_000),
            _ => 2_200_000 + dice.below(4_000_000),
        };
        let film = loop {
            let film = Film::new(size, &mut dice);
            if film.naming != Naming::Digest {
                break film;
            }
        };
        let (retries, segments) = (dice.below(3) == 0, 2 + dice.below(5));
        let wish = Wish { place, retries, digest: None, segments };
        fs::create_dir(&wish.place).unwrap();
        fs::create_dir(wish.folder()).unwrap();
        let troubles = 1 + dice.below(8);
        let is_beside = dice.below(2) == 0;
        let origin = Origin {
            dice: Dice::new(dice.next()),
            versions: vec![film.bytes()],
            film,
            troubles,
            kept: Kept::default(),
            tally: Tally::default(),
            complaints: Vec::new(),
        };
        let origin = Arc::new(Mutex::new(origin));
        let server = Server::builder().recording(false).start();
        let answers = Arc::clone(&origin);
        server.handle(move |request| match request.path() {
            LAST => Answer::ok(""),
            _ => answers.lock().unwrap().answer(request),
        });
        fs::write(wish.address(), server.address().to_string()).unwrap();
        Self { dice, wish, is_beside, origin, server, test, resume_data: None }
    }

    /// Downloads until the file is there, whole and alone.
    pub(crate) fn run(mut self) -> Tally {
        loop {
            let is_there = if self.is_beside { self.in_other_process() } else { self.here() };
            assert_eq!(self.origin().complaints, [""; 0], "{:?}", self.wish);
            if is_there {
                break;
            }
        }
        drop(self.server);
        let origin = self.origin.lock().unwrap();
        let found = fs::read(self.wish.file()).unwrap();
        let is_right = origin.versions.iter().any(|version| found == *version);
        assert!(is_right, "the file is not the film, but of {:?}", self.wish);
        assert_eq!(names_in(&self.wish.folder()), ["film"]);
        drop(fs::remove_dir_all(&self.wish.place));
        origin.tally
    }

    fn origin(&self) -> MutexGuard<'_, Origin> {
        self.origin.lock().unwrap()
    }

    /// Runs a task in this process, and may cancel it.
    fn here(&mut self) -> bool {
        let session = self.wish.session();
        let task = self.wish.task(&session, false, self.resume_data.take());
        let until = self.interrupts();
        task.resume();
        let (sender, taken) = channel();
        let deadline = Instant::now() + HANG;
        while task.state() != TaskState::Completed {
            if until.is_some_and(|until| task.progress().bytes_received >= until) {
                self.origin().tally.stops += 1;
                task.cancel_by_producing_resume_data(move |data| drop(sender.send(data)));
                break;
            }
            pause(deadline);
        }
        assert!(session.wait_until_idle(HANG), "it hangs: {:?}", self.wish);
        drop(taken);
        let error = task.error();
        drop((task, session));
        self.all_has_come();
        let Some(error) = error else { return true };
        assert!(is_interruption(&error), "{error}");
        let text = error.resume_data().map(|data| data.to_text().unwrap());
        self.resume_data = text.as_ref().map(|text| ResumeData::from_text(text).unwrap());
        self.origin().kept = text.as_deref().map_or_else(Kept::default, Kept::of);
        false
    }

    /// Waits until the server has seen all that was asked by who is gone: connections are accepted
    /// in the order in which they were made.
    fn all_has_come(&self) {
        let session = Session::new(Configuration::ephemeral()).unwrap();
        session.data(self.server.url(LAST)).unwrap();
        session.invalidate_and_cancel();
        self.server.wait_until(|stats| stats.open_connections == 0);
    }

    /// Runs a download beside its place in another process, and may kill that.
    fn in_other_process(&mut self) -> bool {
        let until = self.interrupts();
        let mut process = self.wish.start(self.test, false);
        let part = self.wish.folder().join(".film.part");
        let arrived = || fs::metadata(&part).map_or(0, |metadata| metadata.blocks() * 512);
        let deadline = Instant::now() + HANG;
        let status = loop {
            if let Some(status) = process.try_wait().unwrap() {
                break status;
            }
            if until.is_some_and(|until| arrived() >= until) {
                process.kill().unwrap();
                process.wait().unwrap();
                self.all_has_come();
                return self.killed(arrived());
            }
            pause(deadline);
        };
        self.all_has_come();
        self.origin().kept = self.kept_beside();
        match status.code() {
            Some(DONE | ALREADY_THERE) => true,
            code => {
                assert_eq!(code, Some(INTERRUPTED), "{:?}", self.wish);
                false
            }
        }
    }

    /// Looks at what a kill has left; returns whether the file is there.
    fn killed(&mut self, arrived: u64) -> bool {
        self.origin().tally.kills += 1;
        if self.wish.file().exists() {
            self.origin().tally.late_kills += 1;
            let status = self.wish.start(self.test, false).wait().unwrap();
            assert_eq!(status.code(), Some(ALREADY_THERE));
            return true;
        }
        let kept = self.kept_beside();
        let count: usize = kept.ranges.iter().map(ExactSizeIterator::len).sum();
        let lost = arrived.saturating_sub(count as u64);
        let most = UNSYNCED + self.wish.segments as u64 * PIECE;
        assert!(lost <= most, "{lost} of {arrived} bytes were not synced: {:?}", self.wish);
        let mut origin = self.origin();
        origin.tally.killed += arrived;
        origin.tally.twice += lost;
        origin.kept = kept;
        false
    }

    fn kept_beside(&self) -> Kept {
        let text = fs::read_to_string(self.wish.folder().join(".film.resume"));
        text.map_or_else(|_| Kept::default(), |text| Kept::of(&text))
    }

    /// Decides whether the next run is interrupted, and when it has how much.
    fn interrupts(&mut self) -> Option<u64> {
        let size = self.origin().film.bytes().len();
        let interrupts = self.origin().happens(2);
        interrupts.then(|| self.dice.below(size) as u64)
    }
}

impl Kept {
    /// Reads what was written down.
    fn of(text: &str) -> Self {
        let mut kept = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
            match name {
                "received" => kept.ranges.push(0..value.parse().unwrap()),
                "range" => {
                    let (first, last) = value.split_once('-').unwrap();
                    let last: usize = last.parse().unwrap();
                    kept.ranges.push(first.parse().unwrap()..last + 1);
                }
                "etag" | "last-modified" => kept.validator = Some(value.to_owned()),
                _ => {}
            }
        }
        kept
    }
}

impl Origin {
    fn happens(&mut self, one_in: usize) -> bool {
        let happens = self.troubles > 0 && self.dice.below(one_in) == 0;
        self.troubles -= usize::from(happens);
        happens
    }

    fn answer(&mut self, request: &Recorded) -> Answer {
        let asked = asked(request, self.film.bytes().len());
        let condition = request.header("if-range");
        if asked.is_some() != condition.is_some() {
            self.complaints.push(format!("{request:?} has {condition:?}"));
        }
        if self.happens(6) {
            self.tally.refusals += 1;
            return match self.dice.below(3) {
                0 => Answer::status(503),
                1 => Answer::status(200).close_before_answer(),
                _ => Answer::status(200).reset_before_answer(),
            };
        }
        if self.happens(10) {
            self.tally.changes += 1;
            self.film.change(&mut self.dice);
            self.versions.push(self.film.bytes());
        }
        let validator = self.film.validator();
        let fits = condition == validator.as_deref();
        let Some(part) = asked.filter(|_| fits) else {
            return self.sent(0..self.film.bytes().len(), 200);
        };
        let is_kept = |kept: &Range<usize>| part.start < kept.end && kept.start < part.end;
        // Where nothing is missing, the last byte is asked for once more.
        let is_last = part.len() == 1 && part.end == self.film.bytes().len();
        if self.kept.validator == validator && !is_last && self.kept.ranges.iter().any(is_kept) {
            self.complaints.push(format!("{part:?} is asked for of {:?}", self.kept));
        }
        self.tally.resumed += 1;
        self.sent(part, 206)
    }

    /// Sends a part, or some of it.
    fn sent(&mut self, part: Range<usize>, status: u16) -> Answer {
        let bytes = self.film.bytes();
        let answer = Answer::status(status).body(&bytes[part.clone()]);
        let answer = self.film.name(answer.header("Accept-Ranges", "bytes"));
        let length = part.len();
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, bytes.len());
        let answer = if status == 206 { answer.header("Content-Range", range) } else { answer };
        match self.dice.below(3) {
            0 if self.happens(1) => {
                self.tally.cuts += 1;
                answer.truncate_after(self.dice.below(length) as u64)
            }
            1 if self.happens(2) => {
                self.tally.resets += 1;
                answer.reset_after(self.dice.below(length) as u64)
            }
            // It may be overtaken by others.
            2 => answer.delay_head(Duration::from_millis(self.dice.below(20) as u64)),
            _ => answer,
        }
    }
}

/// Returns what is asked for of so many bytes, if it is not the whole.
fn asked(request: &Recorded, total: usize) -> Option<Range<usize>> {
    let (first, last) = request.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
    let end = if last.is_empty() { total } else { last.parse::<usize>().ok()? + 1 };
    Some(first.parse().ok()?..end)
}
