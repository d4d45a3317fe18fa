//! When a program is started that its sessions need: pure.

use std::mem;
use std::time::{Duration, Instant};

/// How long a program is left alone after it was there, or was started; twice as long each time
/// that it was in vain.
const FIRST: Duration = Duration::from_secs(1);

/// How often in a row it is started in vain.
const MOST: u32 = 10;

/// How often one program was started, and what has come of it.
#[derive(Debug, Default)]
pub(super) struct Launches {
    in_vain: u32,
    /// When it was started, or was there, the last time.
    last: Option<Instant>,
    /// For which session it was started the last time.
    identifier: String,
    run: Option<Run>,
    /// It was there since somebody has looked.
    was_there: bool,
}

/// A program that was started, until it has gone.
#[derive(Debug, Default)]
struct Run {
    /// It has said that it is done, or has ended.
    is_over: bool,
    /// It has ended by an error before it has said that it is done.
    has_failed: bool,
}

/// What has come of starting a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It has done what it was started for.
    Done,
    /// It has not; how often in a row, and whether it is started once more.
    InVain(u32, Option<Duration>),
}

impl Launches {
    /// It has been there, by itself or because it was started.
    pub(super) fn was_there(&mut self) {
        self.was_there = true;
    }

    /// It is started, for one of the sessions that need it: each has its turn.
    pub(super) fn start<'a>(&mut self, needy: &'a [String], now: Instant) -> Option<&'a str> {
        let next = needy.iter().find(|identifier| **identifier > self.identifier);
        let identifier = next.or_else(|| needy.first())?;
        self.identifier.clone_from(identifier);
        self.last = Some(now);
        self.run = Some(Run::default());
        Some(identifier)
    }

    /// It says that it is done with what a session has needed it for.
    pub(super) fn complete(&mut self, identifier: &str) {
        if let Some(run) = self.run.as_mut().filter(|_| self.identifier == identifier) {
            run.is_over = true;
        }
    }

    /// The process that was started has ended.
    pub(super) fn end(&mut self, has_failed: bool) {
        if let Some(run) = self.run.as_mut().filter(|run| !run.is_over) {
            *run = Run { is_over: true, has_failed };
        }
    }

    /// It is not there, and these of its sessions need it; returns what has come of starting it, if
    /// it was started and is over.
    pub(super) fn is_away(&mut self, needy: &[String], now: Instant) -> Option<Came> {
        let was_there = mem::take(&mut self.was_there);
        let run = self.run.take_if(|run| run.is_over);
        if was_there || run.is_some() {
            self.last = Some(now);
        }
        let Some(run) = run else {
            // By itself it has done all that there was to do.
            if was_there && self.run.is_none() && needy.is_empty() {
                self.in_vain = 0;
            }
            return None;
        };
        if run.has_failed || needy.contains(&self.identifier) {
            self.in_vain += 1;
            return Some(Came::InVain(self.in_vain, self.delay(now)));
        }
        self.in_vain = 0;
        Some(Came::Done)
    }

    /// Returns how long to wait until it may be started; `None` if it runs, or was started in vain
    /// often enough.
    pub(super) fn delay(&self, now: Instant) -> Option<Duration> {
        if self.run.is_some() || self.in_vain >= MOST {
            return None;
        }
        let due = self.last.map(|last| last + FIRST * 2_u32.pow(self.in_vain));
        Some(due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now)))
    }

    /// Whether it was started and has not gone.
    pub(super) fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Whether nothing has to be known of it any more, if no session needs it.
    pub(super) fn is_over(&self) -> bool {
        self.run.is_none() && self.in_vain == 0 && !self.was_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to a program, by the second.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// It is looked at while it is away and these sessions need it; what follows.
        Away(&'static [&'static str], Option<Came>, Option<u64>),
        Starts(&'static [&'static str], &'static str),
        WasThere,
        Completes(&'static str),
        Ends,
        Fails,
        Passes(u64),
    }

    use Step::{Away, Completes, Ends, Fails, Passes, Starts, WasThere};

    const NOBODY: &[&str] = &[];
    const FILMS: &[&str] = &["films"];
    const BOTH: &[&str] = &["films", "songs"];

    const fn in_vain(times: u32, seconds: u64) -> Option<Came> {
        Some(Came::InVain(times, Some(Duration::from_secs(seconds))))
    }

    fn run(what: &str, steps: &[Step]) {
        let (mut launches, mut now) = (Launches::default(), Instant::now());
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Away(needy, came, delay) => {
                    let found = launches.is_away(&names(needy), now);
                    assert_eq!(found, came, "{what}, {number}");
                    let delay = delay.map(Duration::from_secs);
                    assert_eq!(launches.delay(now), delay, "{what}, {number}");
                }
                Starts(needy, identifier) => {
                    let needy = names(needy);
                    assert_eq!(launches.start(&needy, now), Some(identifier), "{what}, {number}");
                    assert!(launches.is_running() && launches.delay(now).is_none());
                }
                WasThere => launches.was_there(),
                Completes(identifier) => launches.complete(identifier),
                Ends => launches.end(false),
                Fails => launches.end(true),
                Passes(seconds) => now += Duration::from_secs(seconds),
            }
        }
    }

    const DONE: Option<Came> = Some(Came::Done);

    /// What a program may go through.
    const LIVES: &[(&str, &[Step])] = &[
        ("nobody has seen it", &[Away(FILMS, None, Some(0))]),
        (
            "it was there just now",
            &[WasThere, Away(FILMS, None, Some(1)), Passes(1), Away(FILMS, None, Some(0))],
        ),
        (
            "it was there long ago",
            &[WasThere, Away(NOBODY, None, Some(1)), Passes(60), Away(FILMS, None, Some(0))],
        ),
        (
            "it hears all, says so and ends",
            &[
                Starts(FILMS, "films"),
                WasThere,
                Completes("films"),
                Ends,
                Away(NOBODY, DONE, Some(1)),
                Passes(1),
                Away(FILMS, None, Some(0)),
            ],
        ),
        (
            "it says so and stays",
            &[
                Starts(FILMS, "films"),
                WasThere,
                Away(NOBODY, None, None),
                Completes("films"),
                Away(NOBODY, DONE, Some(1)),
                Fails,
                Away(FILMS, None, Some(1)),
            ],
        ),
        (
            "it says nothing and stays",
            &[Starts(FILMS, "films"), WasThere, Away(NOBODY, None, None), Away(BOTH, None, None)],
        ),
        ("it says nothing and ends", &[Starts(FILMS, "films"), Ends, Away(NOBODY, DONE, Some(1))]),
        (
            "it says so of another session",
            &[Starts(FILMS, "films"), Completes("songs"), Away(NOBODY, None, None)],
        ),
        (
            "it says so and has not heard all",
            &[Starts(FILMS, "films"), Completes("films"), Away(FILMS, in_vain(1, 2), Some(2))],
        ),
        (
            "it dies when it has heard all",
            &[Starts(FILMS, "films"), Fails, Away(NOBODY, in_vain(1, 2), Some(2))],
        ),
        (
            "it dies when it has said so",
            &[Starts(FILMS, "films"), Completes("films"), Fails, Away(NOBODY, DONE, Some(1))],
        ),
        (
            "it is in vain twice, and then not",
            &[
                Starts(FILMS, "films"),
                Fails,
                Away(FILMS, in_vain(1, 2), Some(2)),
                Passes(2),
                Away(FILMS, None, Some(0)),
                Starts(FILMS, "films"),
                Passes(100),
                Ends,
                Away(FILMS, in_vain(2, 4), Some(4)),
                Passes(3),
                Away(FILMS, None, Some(1)),
                Passes(1),
                Starts(FILMS, "films"),
                Ends,
                Away(NOBODY, DONE, Some(1)),
            ],
        ),
        (
            "it comes by itself after it was in vain",
            &[
                Starts(FILMS, "films"),
                Ends,
                Away(FILMS, in_vain(1, 2), Some(2)),
                WasThere,
                Away(FILMS, None, Some(2)),
                WasThere,
                Away(NOBODY, None, Some(1)),
            ],
        ),
        (
            "each session has its turn",
            &[
                Starts(BOTH, "films"),
                Ends,
                Away(BOTH, in_vain(1, 2), Some(2)),
                Starts(BOTH, "songs"),
                Ends,
                Away(FILMS, DONE, Some(1)),
                Starts(FILMS, "films"),
            ],
        ),
    ];

    #[test]
    fn a_program_is_started_when_it_is_needed_and_later_each_time_that_it_was_in_vain() {
        LIVES.iter().for_each(|(what, steps)| run(what, steps));
    }

    #[test]
    fn after_ten_times_in_vain_it_has_to_come_by_itself() {
        let (mut launches, mut now) = (Launches::default(), Instant::now());
        let needy = ["films".to_owned()];
        let mut waited = Vec::new();
        while let Some(delay) = launches.delay(now) {
            now += delay;
            waited.push(delay.as_secs());
            launches.start(&needy, now);
            launches.end(true);
            launches.is_away(&needy, now);
        }
        assert_eq!(waited, [0, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        now += Duration::from_secs(1 << 40);
        assert_eq!(launches.delay(now), None);
        assert!(!launches.is_over());
        launches.was_there();
        launches.is_away(&[], now);
        assert_eq!(launches.delay(now), Some(Duration::from_secs(1)));
        assert!(launches.is_over());
    }
}
