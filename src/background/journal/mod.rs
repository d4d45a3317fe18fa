//! The journal: what a session was asked to do and what has happened, record after record.
//!
//! It is one file, `journal`, that is only ever added to. Its first line says what it is, and each
//! other line is a record:
//!
//! ```text
//! urlsession-journal 1 0000000000000001 d2a4fe49
//! 0000000e 0000000000000001 260b5682 {"done":false}
//! 0000000d 0000000000000002 e5e2f25d {"done":true}
//! ```
//!
//! * The first line has the name of the format, its version, the number of the first record as 16
//!   hexadecimal digits, and as eight the CRC-32 of all of the line that comes before the blank
//!   and the sum. What stands between version and sum may be another thing in another version.
//! * A record has the length of its JSON in bytes (eight digits), its number (16), the CRC-32 of
//!   the digits of the number with the JSON behind them (eight), and the JSON, in which no line
//!   feed stands, as JSON writes it as `\n`. Digits are lower case.
//! * Each line ends with a line feed. Numbers go up by one.
//!
//! Lengths and line feeds say twice where a record ends, so that one that is damaged takes none
//! of its neighbours along: a line feed that is another byte costs nothing but itself.
//!
//! # What a start finds
//!
//! *Nothing*: an empty journal is made. *A last line that is cut short*, as a power cut leaves it:
//! it is cut off. Nobody was told that it was written. *Anything else that is not a record with
//! the right sum and a number that goes on*: what can be read is read, the others are told of as
//! [`Damage`](damage::Damage), and the file is written anew from what is left, with new numbers. The damaged one
//! is kept as `journal.damaged`, in place of an older one, for whoever wants to look into it (a
//! last line cut short does not replace an older one). *A newer version*: it is refused, and
//! stays as it is. A first line that cannot be read is damage, too, and not the end: records speak
//! for themselves.
//!
//! # On the disk
//!
//! [`append`](Journal::append) hands the line to the system, which keeps it if the program is
//! killed; [`commit`](Journal::commit) returns when it outlives a power cut. Of several threads
//! that wait for that, one syncs for all.
//!
//! Where the system could not bring something to the disk it has said so once, and forgets: a
//! second `fsync` succeeds, and what was to be written is lost (LWN, "PostgreSQL's fsync()
//! surprise", 2018). Reading it back proves nothing, as it comes from memory. So after such an
//! error the journal takes nothing more, and everybody is told of the same error, until it was
//! [compacted](Journal::compact): that writes all of it to a new file, from what the engine
//! holds, and nothing that the system has forgotten is counted on.
//!
//! A compaction writes `journal.new`, brings it to the disk, and has it take the place of the
//! other one, so that there is a whole one at any moment.

mod compact;
mod damage;
mod file;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod replay;
mod scan;
#[cfg(test)]
mod tests;

pub(crate) use file::Journal;
#[cfg(all(feature = "daemon", unix))]
pub(crate) use replay::Records;
