//! What the server does with each request, as the dice fall, and what it has to be asked for.

use urlsession::StartOver;
use urlsession::testing::{Answer, Recorded};

use crate::dice::Dice;
use crate::film::{Film, Naming};
use crate::tally::Tally;

/// What the next request has to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing: it is over.
    Nothing,
    Whole,
    /// What comes behind so many bytes, which have come, and no byte of them.
    From(usize),
    /// What comes behind some of these: a reset has overtaken the others.
    Within(usize, usize),
}

impl Due {
    /// What is due when so much is there.
    pub(crate) fn behind(count: usize) -> Self {
        if count == 0 { Self::Whole } else { Self::From(count) }
    }

    fn is(self, asked: Option<usize>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Whole => asked.is_none(),
            Self::From(count) => asked == Some(count),
            Self::Within(least, most) => (least..=most).contains(&asked.unwrap_or(0)),
        }
    }
}

/// What is up to whoever runs the download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// The answer stalls when so many bytes of the whole have been sent.
    Stall(usize),
    /// The program is to be killed when it has so many bytes, or later.
    Kill(usize),
}

/// What may happen to an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Powers {
    pub(crate) stalls: bool,
    pub(crate) kills: bool,
    /// Resets that overtake what was sent.
    pub(crate) resets: bool,
}

/// What a program is told of its download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Resumed(usize, usize),
    StartedOver(StartOver),
}

/// What the server does, and has seen.
#[derive(Debug)]
pub(crate) struct Script {
    dice: Dice,
    pub(crate) film: Film,
    /// The version of which bytes have come.
    pub(crate) held: Option<String>,
    pub(crate) due: Due,
    /// How often something still happens.
    troubles: usize,
    pub(crate) powers: Powers,
    pub(crate) pending: Option<Pending>,
    /// A kill has left what cannot be gone on with.
    pub(crate) is_lost: bool,
    told: Vec<Told>,
    pub(crate) tally: Tally,
    pub(crate) complaints: Vec<String>,
}

impl Script {
    pub(crate) fn new(film: Film, troubles: usize, dice: Dice) -> Self {
        Self {
            dice,
            film,
            held: None,
            due: Due::Whole,
            troubles,
            powers: Powers::default(),
            pending: None,
            is_lost: false,
            told: Vec::new(),
            tally: Tally::default(),
            complaints: Vec::new(),
        }
    }

    /// Returns what the program has to be told until now in this run.
    pub(crate) fn told(&self) -> &[Told] {
        &self.told
    }

    /// Returns what the program has to have been told in the run that has ended.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        self.is_lost = false;
        std::mem::take(&mut self.told)
    }

    fn happens(&mut self, one_in: usize) -> bool {
        let happens = self.troubles > 0 && self.dice.below(one_in) == 0;
        self.troubles -= usize::from(happens);
        happens
    }

    pub(crate) fn answer(&mut self, request: &Recorded) -> Answer {
        let asked = first_asked(request);
        let condition = request.header("if-range");
        let fits = condition == self.held.as_deref().filter(|_| asked.is_some());
        if !self.due.is(asked) || !fits {
            let complaint = format!(
                "{:?} of {:?} was due; {request:?} asks from {asked:?}",
                self.due, self.held
            );
            self.complaints.push(complaint);
            return Answer::status(400);
        }
        self.pending = None;
        if self.happens(6) {
            self.tally.refusals += 1;
            return match self.dice.below(3) {
                0 => Answer::status(503),
                1 => Answer::status(200).close_before_answer(),
                _ => Answer::status(200).reset_before_answer(),
            };
        }
        let Some(first) = asked else { return self.whole(true) };
        if self.film.naming != Naming::Digest && self.happens(6) {
            self.tally.changes += 1;
            self.film.change(&mut self.dice);
        }
        if self.film.validator() != self.held {
            return self.other_version(first);
        }
        if self.happens(12) {
            self.tally.wholes += 1;
            self.told.push(Told::StartedOver(StartOver::NoRanges));
            return self.whole(false);
        }
        self.rest(first)
    }

    fn whole(&mut self, is_first: bool) -> Answer {
        if std::mem::take(&mut self.is_lost) {
            self.told.push(Told::StartedOver(StartOver::Lost));
        }
        self.held = self.film.validator();
        let bytes = self.film.bytes();
        let answer = self.film.name(Answer::ok(bytes));
        let answer = self.framed(answer);
        self.with_trouble(answer, 0, is_first)
    }

    /// Sends the rest of what has come, or some of it.
    fn rest(&mut self, first: usize) -> Answer {
        let bytes = self.film.bytes();
        let left = bytes.len() - first;
        let is_short = left > 1 && self.dice.below(8) == 0;
        let end = if is_short { first + 1 + self.dice.below(left - 1) } else { bytes.len() };
        self.told.push(Told::Resumed(first, bytes.len()));
        self.tally.resumed += 1;
        self.tally.spared += first as u64;
        let answer = self.part(first, end);
        let answer = self.framed(answer);
        if is_short {
            self.due = Due::From(end);
            return answer;
        }
        self.with_trouble(answer, first, true)
    }

    fn part(&self, first: usize, end: usize) -> Answer {
        let bytes = self.film.bytes();
        let range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
        let answer = Answer::status(206).body(&bytes[first..end]);
        self.film.name(answer).header("Content-Range", range)
    }

    /// Says in one way or another that there is another version now.
    fn other_version(&mut self, first: usize) -> Answer {
        self.told.push(Told::StartedOver(StartOver::Changed));
        let way = self.dice.below(5);
        if way > 2 {
            return self.whole(false);
        }
        self.due = Due::Whole;
        let size = self.film.bytes().len();
        match way {
            0 => self.film.name(Answer::status(412)),
            // It does not look at the condition.
            1 if first < size => self.part(first, size),
            _ => {
                let answer = Answer::status(416).header("Content-Range", format!("bytes */{size}"));
                self.film.name(answer)
            }
        }
    }

    fn framed(&mut self, answer: Answer) -> Answer {
        if self.dice.below(4) > 0 {
            return answer;
        }
        answer.chunked(1 + self.dice.below(100_000) as u64)
    }

    /// Has something happen to a body that begins at `first`. If the head is news, no reset may
    /// overtake it.
    fn with_trouble(&mut self, answer: Answer, first: usize, may_be_lost: bool) -> Answer {
        let before = std::mem::replace(&mut self.due, Due::Nothing);
        if self.troubles == 0 {
            return answer;
        }
        self.troubles -= 1;
        let left = self.film.bytes().len() - first;
        let at = first + self.dice.below(left);
        let sent = (at - first) as u64;
        match self.dice.below(6) {
            // It shows when it has come that far, if it was not there before.
            0..=2 if self.powers.stalls && sent > 0 && before != Due::From(at) => {
                self.pending = Some(Pending::Stall(at));
                self.due = Due::From(at);
                answer.stall_in_body_after(sent).reset_after(sent)
            }
            3 if self.powers.kills => {
                // Also when it has all, and brings it to its place.
                let is_late = self.dice.below(2) == 0;
                self.pending = Some(Pending::Kill(if is_late { first + left } else { at }));
                answer
            }
            4 if self.powers.resets && may_be_lost => {
                self.tally.resets += 1;
                self.due = Due::Within(first, at);
                answer.reset_after(sent)
            }
            _ => {
                self.tally.cuts += 1;
                self.due = Due::behind(at);
                answer.truncate_after(sent)
            }
        }
    }
}

/// Returns the first byte that is asked for, if it is not the whole.
fn first_asked(request: &Recorded) -> Option<usize> {
    let range = request.header("range")?;
    let first = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
    Some(first.and_then(|first| first.parse().ok()).unwrap_or(usize::MAX))
}
