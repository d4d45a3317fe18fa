//! Where a daemon writes what it logs: it has no terminal.
//!
//! What this crate logs holds no secrets; of others only errors are written, which know none of
//! its requests.

use std::fmt::{self, Write};
use std::panic;
use std::time::{Duration, SystemTime};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::background::place::Place;
use crate::calendar;
use crate::clock::Clock;
use crate::error::Error;
use crate::files::RotatedFile;
use crate::sync::{Mutex, Rank};

/// How long the file becomes.
const LONGEST: u64 = 1 << 20;

/// The logger of the process, which has none before a daemon runs in it.
static LOG_FILE: LogFile = LogFile(Mutex::new(Rank::LogFile, None));

struct LogFile(Mutex<Option<RotatedFile>>);

/// Has what is logged from now on written to the log of the daemon at `place`, panics among it.
pub(super) fn open(place: &Place) -> Result<(), Error> {
    let file = RotatedFile::open(place.log(), place.earlier_log(), LONGEST)?;
    *LOG_FILE.0.lock() = Some(file);
    // A program that hosts the daemon itself may have set one before it was asked.
    if log::set_logger(&LOG_FILE).is_ok() {
        log::set_max_level(LevelFilter::Info);
        panic::set_hook(Box::new(|panic| crate::log::error!("{panic}")));
    }
    Ok(())
}

impl Log for LogFile {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = metadata.target().starts_with(env!("CARGO_CRATE_NAME"));
        metadata.level() <= if own { Level::Info } else { Level::Error }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let since_1970 = Clock::system().date().duration_since(SystemTime::UNIX_EPOCH);
        let line = line(since_1970.unwrap_or_default(), record.level(), record.args());
        if let Some(file) = &mut *self.0.lock() {
            file.write(&line);
        }
    }

    fn flush(&self) {}
}

/// Returns what is written, which is one line whatever was said.
fn line(since_1970: Duration, level: Level, words: &fmt::Arguments<'_>) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = calendar::date((seconds / 86_400).cast_signed());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mut line =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z {level:5} ");
    for character in words.to_string().chars() {
        if character.is_control() {
            // Writing to a string does not fail.
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_and_stays_one() {
        let time = Duration::from_secs(1_700_000_000);
        let line = line(time, Level::Warn, &format_args!("a\nforged {}", "\x1b[2J line"));
        assert_eq!(line, "2023-11-14T22:13:20Z WARN  a\\nforged \\u{1b}[2J line\n");
    }
}
