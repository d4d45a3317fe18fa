//! One download, from its first request until its file is whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use urlsession::testing::{Event, Recorder};
use urlsession::{DownloadTask, Error, ResumeData, TaskState};

use crate::client::{ALREADY_THERE, DONE, INTERRUPTED, Wish, is_interruption};
use crate::dice::Dice;
use crate::film::{Film, LARGEST};
use crate::origin::Origin;
use crate::script::{Due, Pending, Powers, Script, Told};
use crate::tally::Tally;

/// Nothing takes longer.
const HANG: Duration = Duration::from_secs(60);

/// What a kill may cost: what is synced next, and one piece more.
const UNSYNCED: u64 = (8 + 1) * 1024 * 1024;

/// By what a download goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// What lies beside its place, in this process or in others.
    Beside,
    /// Resume data in memory.
    Data,
    /// Resume data as text, in this process or in others.
    Text,
}

pub(crate) struct Story<'a> {
    dice: Dice,
    way: Way,
    wish: Wish,
    origin: Origin,
    test: &'a str,
    resume_data: Option<ResumeData>,
}

impl<'a> Story<'a> {
    /// Begins one in a new folder at `place`; `test` is the name of the test that the other
    /// processes are to run.
    pub(crate) fn new(seed: u64, place: PathBuf, test: &'a str) -> Self {
        let mut dice = Dice::new(seed);
        let way = [Way::Beside, Way::Beside, Way::Data, Way::Text][dice.below(4)];
        let size = match dice.below(100) {
            0..70 => 2 + dice.below(100_000),
            70..92 => 100_000 + dice.below(1_900_000),
            _ => 2_000_000 + dice.below(LARGEST - 2_000_000),
        };
        let film = Film::new(size, &mut dice);
        let wish = Wish { place, retries: dice.below(2) == 0, digest: film.digest(), segments: 1 };
        fs::create_dir(&wish.place).unwrap();
        fs::create_dir(wish.folder()).unwrap();
        let troubles = 1 + dice.below(5);
        let script = Script::new(film, troubles, Dice::new(dice.next()));
        let origin = Origin::start(script, wish.address());
        Self { dice, way, wish, origin, test, resume_data: None }
    }

    /// Downloads until the file is there, whole and alone.
    pub(crate) fn run(mut self) -> Tally {
        while !self.attempt() {
            assert_eq!(self.origin.script().complaints, [""; 0]);
        }
        let script = self.origin.script();
        assert_eq!(script.complaints, [""; 0]);
        let is_right = fs::read(self.wish.file()).unwrap() == script.film.bytes();
        assert!(is_right, "the file is not the film, but of {:?}", self.wish);
        assert_eq!(names_in(&self.wish.folder()), ["film"]);
        let tally = script.tally;
        drop(script);
        drop(fs::remove_dir_all(&self.wish.place));
        tally
    }

    /// Runs a task, and returns whether that has brought the file.
    fn attempt(&mut self) -> bool {
        let elsewhere = self.dice.below(3) > 0;
        match self.way {
            Way::Beside if elsewhere => self.in_other_process(),
            Way::Text if elsewhere && self.resume_data.is_some() => self.with_text(),
            _ => self.here(),
        }
    }

    /// Runs a task in this process.
    fn here(&mut self) -> bool {
        self.origin.rests();
        self.origin.script().powers = Powers { stalls: true, ..Powers::default() };
        let recorder = Recorder::new();
        let session = self.wish.session();
        let resume_data = self.resume_data.take().map(|data| self.written_out(data));
        let task = self.wish.task(&session, self.way == Way::Beside, resume_data);
        task.set_delegate(recorder.delegate()).unwrap();
        task.resume();
        let deadline = Instant::now() + HANG;
        while task.state() != TaskState::Completed {
            let pending = self.origin.script().pending;
            match pending {
                Some(Pending::Stall(at)) if task.progress().bytes_received == at as u64 => {
                    // A cancel would keep back what was not told yet.
                    let count = self.origin.script().told().len();
                    recorder.wait_for(|events| all_told(events).len() == count);
                    self.stalled(&task);
                }
                _ => {
                    let is_in_time = Instant::now() < deadline;
                    assert!(is_in_time, "it hangs with {pending:?}: {task:?}, {:?}", self.wish);
                    pause(deadline);
                }
            }
        }
        assert!(session.wait_until_idle(HANG));
        let told = all_told(&recorder.events());
        assert_eq!(told, self.origin.script().take_told());
        let Some(error) = task.error() else {
            assert_eq!(self.origin.script().due, Due::Nothing);
            return true;
        };
        assert!(is_interruption(&error), "{error}");
        self.interrupted(&error);
        false
    }

    /// Ends an answer that has stalled, in one way or another.
    fn stalled(&mut self, task: &DownloadTask) {
        self.origin.script().pending = None;
        match self.dice.below(3) {
            0 => {
                self.origin.script().tally.resets += 1;
                self.origin.release();
            }
            1 => {
                self.origin.script().tally.restarts += 1;
                self.origin.restart();
            }
            _ => {
                self.origin.script().tally.stops += 1;
                match self.way {
                    Way::Beside => task.cancel(),
                    Way::Data | Way::Text => {
                        let (sender, taken) = channel();
                        task.cancel_by_producing_resume_data(move |data| {
                            sender.send(data.is_some()).unwrap();
                        });
                        assert!(taken.recv_timeout(HANG).unwrap());
                    }
                }
            }
        }
    }

    /// What is kept is what has come.
    fn interrupted(&mut self, error: &Error) {
        let kept = match self.way {
            Way::Beside => kept_beside(&self.wish).count,
            Way::Data | Way::Text => {
                self.resume_data = error.resume_data().cloned();
                self.resume_data.as_ref().map_or(0, ResumeData::received) as usize
            }
        };
        self.is_kept(kept);
    }

    fn is_kept(&mut self, kept: usize) {
        let mut script = self.origin.script();
        match script.due {
            Due::Within(least, most) => {
                assert!((least..=most).contains(&kept), "{kept} of {:?} are kept", script.due);
                script.due = Due::behind(kept);
            }
            due => assert_eq!(Due::behind(kept), due, "{:?}: {:?}", self.wish, script.film),
        }
    }

    fn written_out(&self, data: ResumeData) -> ResumeData {
        if self.way == Way::Data {
            return data;
        }
        ResumeData::from_text(&data.to_text().unwrap()).unwrap()
    }

    /// Goes on in another process with resume data.
    fn with_text(&mut self) -> bool {
        self.origin.script().powers = Powers { resets: true, ..Powers::default() };
        let text = self.resume_data.take().unwrap().to_text().unwrap();
        fs::write(self.wish.text(), text).unwrap();
        let mut process = self.wish.start(self.test, true);
        let status = process.wait().unwrap();
        drop(self.origin.script().take_told());
        if status.code() == Some(DONE) {
            assert_eq!(self.origin.script().due, Due::Nothing);
            return true;
        }
        assert_eq!(status.code(), Some(INTERRUPTED));
        let text = fs::read_to_string(self.wish.text()).unwrap();
        self.resume_data = (!text.is_empty()).then(|| ResumeData::from_text(&text).unwrap());
        self.is_kept(self.resume_data.as_ref().map_or(0, ResumeData::received) as usize);
        false
    }

    /// Runs a download beside its place in another process, and may kill that.
    fn in_other_process(&mut self) -> bool {
        self.origin.script().powers = Powers { stalls: true, kills: true, resets: true };
        let mut process = self.wish.start(self.test, false);
        let part = self.wish.folder().join(".film.part");
        let deadline = Instant::now() + HANG;
        let status = loop {
            if let Some(status) = process.try_wait().unwrap() {
                break status;
            }
            let pending = self.origin.script().pending;
            let (here, kills) = match pending {
                Some(Pending::Kill(at)) => {
                    (length(&part).max(length(&self.wish.file())) >= at as u64, true)
                }
                Some(Pending::Stall(at)) => (length(&part) == at as u64, false),
                None => (false, false),
            };
            if !here {
                pause(deadline);
                continue;
            }
            self.origin.script().pending = None;
            if kills || self.dice.below(2) == 0 {
                process.kill().unwrap();
                process.wait().unwrap();
                return self.killed();
            }
            self.origin.script().tally.restarts += 1;
            self.origin.restart();
        };
        drop(self.origin.script().take_told());
        if status.code() == Some(DONE) {
            assert_eq!(self.origin.script().due, Due::Nothing);
            return true;
        }
        assert_eq!(status.code(), Some(INTERRUPTED));
        self.is_kept(kept_beside(&self.wish).count);
        false
    }

    /// Looks at what a kill has left; returns whether the file is there.
    fn killed(&mut self) -> bool {
        let mut script = self.origin.script();
        drop(script.take_told());
        script.tally.kills += 1;
        if self.wish.file().exists() {
            script.tally.late_kills += 1;
            drop(script);
            let status = self.wish.start(self.test, false).wait().unwrap();
            assert_eq!(status.code(), Some(ALREADY_THERE));
            return true;
        }
        let kept = kept_beside(&self.wish);
        let arrived = length(&self.wish.folder().join(".film.part"));
        // Of a version that was gone already, of which nothing is asked for.
        let count = if kept.count as u64 <= arrived { kept.count } else { 0 };
        let lost = arrived - count as u64;
        assert!(lost <= UNSYNCED, "{lost} of {arrived} bytes were not synced");
        // Where nothing is missing the last byte is asked for once more.
        let asked = if Some(count) == kept.total { count - 1 } else { count };
        script.due = Due::behind(asked);
        script.held = kept.validator;
        script.is_lost = count == 0 && arrived > 0;
        script.tally.killed += arrived;
        script.tally.twice += arrived - asked as u64;
        false
    }
}

/// What the record beside a place says.
#[derive(Debug, Default)]
struct Kept {
    count: usize,
    total: Option<usize>,
    validator: Option<String>,
}

fn kept_beside(wish: &Wish) -> Kept {
    let Ok(record) = fs::read_to_string(wish.folder().join(".film.resume")) else {
        return Kept::default();
    };
    let line = |name: &str| {
        record
            .lines()
            .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    };
    let number = |name| line(name).map(|number| number.parse().unwrap());
    Kept {
        count: number("received").unwrap(),
        total: number("total"),
        validator: line("etag").or(line("last-modified")),
    }
}

fn all_told(events: &[Event]) -> Vec<Told> {
    let told = |event: &Event| match *event {
        Event::Resumed { offset, expected, .. } => {
            Some(Told::Resumed(offset as usize, expected? as usize))
        }
        Event::StartedOver { reason, .. } => Some(Told::StartedOver(reason)),
        _ => None,
    };
    events.iter().filter_map(told).collect()
}

/// Returns how long the file is; one that is not there has nothing.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Lets others go on, before what is awaited is looked for again.
pub(crate) fn pause(deadline: Instant) {
    assert!(Instant::now() < deadline, "it hangs");
    std::thread::sleep(Duration::from_micros(200));
}
