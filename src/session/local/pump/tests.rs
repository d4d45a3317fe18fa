use std::collections::VecDeque;
use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::download::Output;
use crate::error::ErrorKind;
use crate::wire::{Context, WireBody};

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many bytes come.
    Comes(usize),
    /// The server makes its client wait.
    Pauses,
    Breaks,
}

use Step::{Breaks, Comes, Pauses};

/// A body that comes so.
struct Script {
    steps: VecDeque<Step>,
    is_announced: bool,
}

impl Script {
    fn take(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        match self.steps.front_mut() {
            Some(Comes(left)) => {
                let count = buffer.len().min(*left);
                buffer[..count].fill(b'x');
                *left -= count;
                if *left == 0 {
                    self.steps.pop_front();
                }
                Ok(count)
            }
            Some(Breaks) => Err(Error::new(ErrorKind::NetworkConnectionLost, "as told")),
            Some(Pauses) | None => Ok(0),
        }
    }
}

impl WireBody for Script {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        while matches!(self.steps.front(), Some(Pauses)) {
            self.steps.pop_front();
        }
        self.take(buffer)
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        if matches!(self.steps.front(), Some(Pauses)) {
            return Ok(None);
        }
        self.take(buffer).map(Some)
    }

    fn remaining(&self) -> Option<u64> {
        let length = |step: &Step| if let Comes(left) = step { *left as u64 } else { 0 };
        self.is_announced.then(|| self.steps.iter().map(length).sum())
    }

    fn discard(self: Box<Self>) {}
}

/// A file that is asked only how much was written at a time.
#[derive(Default)]
struct Writes(Vec<usize>);

impl Output for Writes {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.push(bytes.len());
        Ok(())
    }

    fn splice(&mut self, _pipe: &mut SplicePipe) -> Result<(), Error> {
        unreachable!("a script is read")
    }
}

/// Moves a body that comes so; returns what was written, how it ended, and how much memory
/// that took.
fn moved(steps: &[Step], is_announced: bool) -> (Vec<usize>, Result<(), ErrorKind>, usize) {
    let context = Context {
        cancel: None,
        clock: Clock::by_hand(),
        idle: Duration::from_secs(60),
        deadline: None,
        connect: None,
        dialogue: None,
    };
    let script = Script { steps: steps.iter().copied().collect(), is_announced };
    let mut body = Decoder::new(Box::new(script), &[], &context);
    let (mut pump, mut sink) = (Pump::default(), Writes::default());
    let ended = loop {
        match pump.turn(&mut body, &mut sink, MOST, &Census::default()) {
            Ok(0) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error.kind()),
        }
    };
    (sink.0, ended, pump.buffer.len())
}

#[test]
fn bytes_are_gathered_as_long_as_they_keep_coming_and_written_before_a_wait() {
    type Row = (&'static [Step], &'static [usize], Result<(), ErrorKind>, usize);
    const LOST: Result<(), ErrorKind> = Err(ErrorKind::NetworkConnectionLost);
    let rows: &[Row] = &[
        (&[], &[], Ok(()), 1),
        (&[Comes(1)], &[1], Ok(()), 1),
        (&[Comes(10_000)], &[10_000], Ok(()), 10_000),
        (&[Comes(FIRST)], &[FIRST], Ok(()), FIRST),
        (&[Comes(100_000)], &[100_000], Ok(()), 4 * FIRST),
        (&[Comes(10), Comes(20), Comes(30)], &[60], Ok(()), 60),
        (&[Comes(10), Pauses, Comes(20), Pauses], &[10, 20], Ok(()), 30),
        (&[Comes(FIRST), Pauses, Comes(1)], &[FIRST, 1], Ok(()), 4 * FIRST),
        (&[Comes(GATHERED)], &[GATHERED], Ok(()), GATHERED),
        (&[Comes(2 * GATHERED + 1)], &[GATHERED, GATHERED, 1], Ok(()), GATHERED),
        (
            &[Comes(GATHERED), Pauses, Comes(GATHERED / 2), Comes(7)],
            &[GATHERED, GATHERED / 2 + 7],
            Ok(()),
            GATHERED,
        ),
        // What came before is written.
        (&[Comes(10), Breaks], &[10], LOST, 10),
        (&[Comes(10), Pauses, Breaks], &[10], LOST, 10),
        (&[Breaks], &[], LOST, 1),
    ];
    for (steps, written, ended, memory) in rows {
        assert_eq!(moved(steps, true), (written.to_vec(), *ended, *memory), "{steps:?}");
        let (unannounced, how, memory) = moved(steps, false);
        assert_eq!((&unannounced[..], how), (*written, *ended), "{steps:?}, unannounced");
        assert!(memory <= GATHERED, "{steps:?}, unannounced: {memory}");
    }
}
