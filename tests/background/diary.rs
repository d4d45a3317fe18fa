//! What the programs of one story were told, and the points that they passed.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fmt, fs};

use crate::hosts::Host;
use crate::wishes::{Plot, Wish};

/// The lines of one run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// What was told, in order.
    pub(crate) told: Vec<String>,
    pub(crate) points: Vec<String>,
}

/// All runs of a program, in order.
#[derive(Debug)]
pub(crate) struct Diary(pub(crate) Vec<Run>);

impl Diary {
    pub(crate) fn read(path: &Path) -> Self {
        let mut runs = Vec::new();
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            match (line.strip_prefix("# "), line.split_once(' ')) {
                (Some("run"), _) => runs.push(Run::default()),
                (Some(told), _) => runs.last_mut().unwrap().told.push(told.to_owned()),
                (None, Some((_, point))) => {
                    runs.last_mut().unwrap().points.push(point.to_owned());
                }
                (None, None) => panic!("a line of the diary is {line:?}"),
            }
        }
        Self(runs)
    }

    /// Returns the names of the points of the last run.
    pub(crate) fn points(&self) -> BTreeSet<String> {
        self.0.last().unwrap().points.iter().cloned().collect()
    }

    /// Checks that each end was told, as one of those that may be, and no more than once after it
    /// could have been acknowledged; returns how often one was told again.
    pub(crate) fn check(&self, plot: &Plot, host: Host) -> u64 {
        let wishes = plot.wishes.iter();
        let again = wishes.map(|wish| self.check_end(wish, host) + self.check_file(wish)).sum();
        for run in &self.0 {
            // A kill may cut the last line short, see `Story::nothing_is_left`.
            let is_other = |told: &&String| {
                told.starts_with("damage") && !told.ends_with("was not written to its end")
            };
            let damage: Vec<_> = run.told.iter().filter(is_other).collect();
            assert!(damage.is_empty(), "{damage:?}");
        }
        again
    }

    /// Calls are made one after the other, and each is acknowledged before the next: so only the
    /// last of a run may have been forgotten.
    fn check_end(&self, wish: &Wish, host: Host) -> u64 {
        let begins = format!("end {} ", wish.key);
        let ends = self.all(&begins);
        for (run, at, how) in &ends {
            assert!(wish.ends().contains(&how.as_str()), "{} ends with {how}", wish.key);
            if wish.is_upload() && how.starts_with("ok") {
                let answer = format!("answer {} ", wish.key);
                let answered =
                    self.0[*run].told[..*at].iter().any(|told| told.starts_with(&answer));
                assert!(answered, "{} has ended without its answer", wish.key);
            }
        }
        let has_begun = !self.all(&format!("begins {}", wish.key)).is_empty();
        // Of what begins while the program is away it is not asked.
        let may_begin = wish.delay().is_some();
        let is_asked = has_begun == may_begin || may_begin && host != Host::Program;
        assert!(is_asked, "{} was {has_begun} to be asked of", wish.key);
        let is_led = !self.all(&format!("followed {} 302", wish.key)).is_empty();
        assert_eq!(is_led, wish.key == "moved", "whether {} was led elsewhere", wish.key);
        assert_eq!(ends.is_empty(), wish.ends().is_empty(), "{} has ended {ends:?}", wish.key);
        self.check_last(&ends, wish)
    }

    /// A file that was taken is not told of again.
    fn check_file(&self, wish: &Wish) -> u64 {
        let taken = self.all(&format!("taken {} ", wish.key));
        let told = self.all(&format!("file {} ", wish.key));
        // What comes to its place by itself is told of until its end is acknowledged.
        let is_once = taken.len() <= 1 || wish.has_place();
        assert!(is_once, "{} was taken {taken:?}", wish.key);
        for (run, at, length) in &told {
            assert_eq!(*length, wish.size.to_string(), "of {}", wish.key);
            let is_late = !wish.has_place()
                && taken.first().is_some_and(|(last, place, _)| (last, place) < (run, at));
            assert!(!is_late, "the file of {} is told of after it was taken", wish.key);
        }
        let has_file = !wish.is_upload() && !self.all(&format!("end {} ok", wish.key)).is_empty();
        assert!(!has_file || !told.is_empty(), "nobody was told of the file of {}", wish.key);
        self.check_last(&told, wish)
    }

    fn check_last(&self, told: &[(usize, usize, String)], wish: &Wish) -> u64 {
        for (run, at, _) in told.iter().take(told.len().saturating_sub(1)) {
            // A file is acknowledged with the end that follows it, unless it is taken before.
            let own = [format!("taken {} ", wish.key), format!("end {} ", wish.key)];
            let is_other = |told: &&String| !own.iter().any(|own| told.starts_with(own));
            let after: Vec<_> = self.0[*run].told[at + 1..].iter().filter(is_other).collect();
            assert!(after.is_empty(), "{} is told again, although {after:?} came after", wish.key);
        }
        told.len().saturating_sub(1) as u64
    }

    /// Returns where it was told so: the run, the place in it, and the rest of the line.
    fn all(&self, begins: &str) -> Vec<(usize, usize, String)> {
        let mut all = Vec::new();
        for (number, run) in self.0.iter().enumerate() {
            for (at, told) in run.told.iter().enumerate() {
                if let Some(rest) = told.strip_prefix(begins) {
                    all.push((number, at, rest.to_owned()));
                }
            }
        }
        all
    }

    /// Checks that what has happened on the way was told once per acknowledgement: as often as it may
    /// have happened, and once more after each run that ended with it, which may have been killed
    /// before it was acknowledged.
    pub(crate) fn check_event(&self, kind: &str, wish: &Wish, most: usize) {
        let (bare, more) = (format!("{kind} {}", wish.key), format!("{kind} {} ", wish.key));
        let is = |told: &&String| **told == bare || told.starts_with(&more);
        let told = self.0.iter().flat_map(|run| &run.told).filter(is).count();
        let again = self.0.iter().filter(|run| run.told.last().as_ref().is_some_and(is)).count();
        let message = || format!("{bare} was told {told} times, of {most} and {again} again");
        assert!(told <= most + again, "{}", message());
    }
}

/// How many of the last lines of a run are shown.
const SHOWN: usize = 80;

/// Shows each run in a line, with the point that it passed last.
impl fmt::Display for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Run { told, points } in &self.0 {
            let shown = &told[told.len().saturating_sub(SHOWN)..];
            let last = points.last().map_or("no point", |point| point);
            writeln!(f, "run: {}; passed {} points, {last} last", shown.join(", "), points.len())?;
        }
        Ok(())
    }
}
