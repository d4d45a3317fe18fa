//! A program that is killed at one point, and goes on.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use crate::diary::Diary;
use crate::dice::Dice;
use crate::hosts::Host;
use crate::origin::Origin;
use crate::program;
use crate::tally::Tally;
use crate::wishes::{Fate, Plot, Verb, Wish};

/// What may not be synced, and one piece.
const UNSYNCED: usize = (8 + 1) * 1024 * 1024;

/// In one of so many stories the program is killed a second time, wherever the dice fall.
const TWICE: usize = 3;
const SECOND: usize = 100;

pub(crate) struct Story<'a> {
    pub(crate) number: u64,
    /// The point at which its program is killed, by number or by name.
    pub(crate) at: String,
    pub(crate) test: &'a str,
    pub(crate) plot: &'static Plot,
    pub(crate) origin: &'a Origin,
    pub(crate) scratch: &'a Path,
    pub(crate) seed: u64,
    pub(crate) host: Host,
}

impl Story<'_> {
    fn place(&self) -> PathBuf {
        self.scratch.join(self.number.to_string())
    }

    /// Runs the program to its end; returns the names of the points that it passed.
    pub(crate) fn unharmed(&self) -> BTreeSet<String> {
        fs::create_dir(self.place()).unwrap();
        assert!(!self.run(None));
        program::stop_daemon(&self.place(), self.host);
        let points = self.diary().points();
        self.is_right(&mut Tally::default());
        points
    }

    /// Has the program killed, and go on until all is done.
    pub(crate) fn killed(&self) -> Tally {
        let told = catch_unwind(AssertUnwindSafe(|| self.is_killed()));
        told.unwrap_or_else(|panic| {
            let (diary, errors) = (self.diary(), fs::read_to_string(self.place().join("errors")));
            let Self { number, at, seed, scratch, .. } = self;
            let why = panic.downcast_ref::<String>().map_or("it panicked", |why| why);
            // All in one piece, with the reason at its end: of a long text the end is kept.
            eprintln!(
                "{diary}{}\nstory {number}, killed at {at}, seed {seed}, left in {}: {why}",
                errors.unwrap_or_default(),
                scratch.display()
            );
            resume_unwind(panic);
        })
    }

    fn is_killed(&self) -> Tally {
        fs::create_dir(self.place()).unwrap();
        let mut tally = Tally::default();
        let mut dice = Dice::new(self.seed.wrapping_add(self.number));
        let mut kills = vec![self.at.clone()];
        if dice.below(TWICE) == 0 {
            kills.push((1 + dice.below(SECOND)).to_string());
        }
        let mut arrived = Vec::new();
        for at in kills {
            arrived.push(self.arrived());
            if !self.run(Some(&at)) {
                break;
            }
            tally.kills += 1;
            tally.points.extend(self.last_point());
        }
        arrived.push(self.arrived());
        if tally.kills > 0 {
            assert!(!self.run(None));
        }
        self.is_right(&mut tally);
        self.is_not_fetched_twice(&arrived);
        program::stop_daemon(&self.place(), self.host);
        fs::remove_dir_all(self.place()).unwrap();
        fs::remove_dir_all(program::elsewhere(&self.place())).unwrap();
        tally
    }

    fn run(&self, at: Option<&str>) -> bool {
        run(self.test, &self.place(), &self.origin.base(self.number), at, self.host)
    }

    fn diary(&self) -> Diary {
        Diary::read(&program::diary(&self.place()))
    }

    /// Returns the name of the point at which something was killed.
    fn last_point(&self) -> Option<String> {
        match self.host {
            Host::Program => self.diary().0.last().and_then(|run| run.points.last().cloned()),
            #[cfg(feature = "daemon")]
            Host::Daemon => fs::read_to_string(program::once(&self.place())).ok(),
        }
    }

    fn is_right(&self, tally: &mut Tally) {
        let diary = self.diary();
        tally.again += diary.check(self.plot, self.host);
        for wish in self.plot.wishes {
            let asked = self.origin.asked(self.number, wish.key);
            tally.requests += asked.from.len() as u64;
            let parts = asked.from.iter().filter(|from| **from > 0).count();
            tally.resumed += parts as u64;
            diary.check_event("resumed", wish, parts);
            // The first of them begins.
            let wholes = asked.from.len() - parts;
            diary.check_event("anew", wish, wholes.saturating_sub(1));
            diary.check_event("followed", wish, asked.moved);
            // A daemon that is killed before it knows the answer asks once more.
            if self.host == Host::Program {
                diary.check_event("begins", wish, 1);
            }
            assert_eq!(asked.wrong, 0, "{} has come to the server otherwise", wish.key);
            let ends = |how: &str| {
                let line = format!("end {} {how}", wish.key);
                diary.0.iter().any(|run| run.told.contains(&line))
            };
            if wish.verb == Verb::Post {
                assert!(asked.from.len() <= 1, "{} was sent {} times", wish.key, asked.from.len());
                tally.interrupted += u64::from(ends("UploadInterrupted"));
            }
            if (ends("ok 200") || ends("ok 206")) && !wish.is_upload() {
                self.has_file(wish);
            }
        }
        self.nothing_is_left();
    }

    fn has_file(&self, wish: &Wish) {
        let path = match wish.key {
            "discarded" => return,
            "kept" => {
                let finished = self.folder().join("finished");
                let names = names_in(&finished);
                let kept = names.iter().find(|name| name.starts_with("kept-"));
                finished.join(kept.expect("the file that was kept has vanished"))
            }
            key => program::place_of(&self.place(), key),
        };
        let file = fs::read(path).unwrap();
        assert!(file == self.plot.bytes(wish), "{} is another file", wish.key);
    }

    /// Nothing lies in the folder of the session but what belongs to tasks that are not over.
    fn nothing_is_left(&self) {
        let stays = |wish: &&Wish| wish.fate == Fate::Stays && wish.is_upload();
        let bodies = self.plot.wishes.iter().filter(stays).count();
        let folder = self.folder();
        let (spool, mut finished) =
            (names_in(&folder.join("spool")), names_in(&folder.join("finished")));
        assert_eq!(spool.len(), bodies, "in the spool are {spool:?}");
        finished.retain(|name| !name.starts_with("kept-"));
        assert!(finished.is_empty(), "among finished files are {finished:?}");
        // A kill may cut a write short where a page ends (`generic_perform_write` in Linux looks
        // for one there): the last line of a journal then, which is told.
        let kept = |name: &String| !["configuration", "journal.damaged"].contains(&name.as_str());
        let names: Vec<String> = names_in(&folder).into_iter().filter(kept).collect();
        assert_eq!(names, ["finished", "journal", "lock", "spool"]);
        // On another volume a copy that was not finished may stay, as in any session.
        let taken = names_in(&program::taken(&self.place()));
        let hidden: Vec<_> = taken.iter().filter(|name| name.starts_with('.')).collect();
        assert!(hidden.is_empty(), "beside the files that were taken are {hidden:?}");
    }

    fn folder(&self) -> PathBuf {
        program::state(&self.place()).join("killed/background/films")
    }

    /// Returns how much has come of the largest file that is coming, and how often it was asked for.
    fn arrived(&self) -> (usize, usize) {
        let folder = self.folder().join("finished");
        let entries = fs::read_dir(folder).into_iter().flatten();
        let sizes = entries.map(|entry| entry.unwrap().metadata().unwrap().len());
        let asked = self.origin.asked(self.number, self.plot.wishes[0].key).from.len();
        (sizes.max().unwrap_or(0) as usize, asked)
    }

    /// After a kill nothing begins further in front than what may not have been synced.
    fn is_not_fetched_twice(&self, arrived: &[(usize, usize)]) {
        let wish = &self.plot.wishes[0];
        let asked = self.origin.asked(self.number, wish.key).from;
        for (arrived, before) in arrived.iter().filter(|(arrived, _)| *arrived > UNSYNCED) {
            // All of it may have been there.
            let next = asked.get(*before).copied().unwrap_or(wish.size);
            assert!(next + UNSYNCED >= *arrived, "of {arrived} bytes it went on at {next}");
        }
    }
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs the program of a test; returns whether it was killed, at that point.
pub(crate) fn run(test: &str, place: &Path, base: &str, at: Option<&str>, host: Host) -> bool {
    let mut command = program::command(test, place, base, host);
    if let Some(at) = at {
        let _ = fs::remove_file(program::once(place));
        command.env("URLSESSION_CRASH_AT", at);
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let _ = fs::write(place.join("errors"), &*errors);
    let is_killed = output.status.signal() == Some(9);
    assert!(is_killed || output.status.success(), "{}: {errors}", output.status);
    is_killed || at.is_some() && program::once(place).exists()
}
