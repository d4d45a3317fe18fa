//! Tools for testing programs that speak HTTP: a server on the loopback interface that answers,
//! and misbehaves, as a test tells it to.
//!
//! A test starts a [`Server`], gives it [`Answer`]s in the order in which they are to be used,
//! runs the code under test, and takes the requests that arrived ([`Recorded`]):
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use urlsession::testing::{Answer, Server};
//!
//! let server = Server::start();
//! server.enqueue(Answer::ok("hello").header("Content-Type", "text/plain").close_after_answer());
//!
//! let mut client = TcpStream::connect(server.address())?;
//! write!(client, "GET /greeting HTTP/1.1\r\nHost: {}\r\n\r\n", server.address())?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//!
//! assert!(answer.ends_with("\r\n\r\nhello"));
//! assert_eq!(server.take_request().path(), "/greeting");
//! Ok::<(), std::io::Error>(())
//! ```
//!
//! An answer says everything about itself: its framing, how fast it comes, where it stalls,
//! stops or resets the connection. Faults that belong to a connection are a [`HandshakeFault`]
//! or a [`RequestFault`]; for addresses that never answer there are `BlackHole` (Linux) and
//! [`Refusal`]. With the feature `tls`, an `Authority` made on the spot signs the `Identity` of
//! a server, valid or broken in one chosen way.
//!
//! The server is strict: a request that breaks HTTP/1.1 is answered with 400 and makes the test
//! fail, as does a panic in a handler and a request that nobody answers. Failures are told when
//! the server is dropped; [`Server::take_failures`] takes them before that.
//!
//! No test needs a sleep: [`Server::take_request`] and [`Server::wait_until`] wait for what is to
//! happen, and give up with a panic after 30 seconds.
//!
//! A [`Recorder`] is a delegate that turns what it is told into [`Event`]s, and answers as a test
//! says. [`Counters`] tell what a session still owns, and [`Clock::by_hand`](crate::Clock::by_hand)
//! makes time pass when a test says so.
//!
//! A program that must go on after a crash is tested by crashes: with this feature, the environment
//! has it die in each step that changes what lies on the disk, as if it were killed there. Such
//! steps are making, writing, syncing, naming, moving and removing of files and folders, and
//! records of journals; there is a point before and after each.
//!
//! | variable | what it does |
//! |---|---|
//! | `URLSESSION_CRASH_LOG` | appends the number and the name of each point that the process passes, a line each, to the file at that path |
//! | `URLSESSION_CRASH_AT` | kills the process at the point with that number, counted from 1, or at the first with that name |
//! | `URLSESSION_CRASH_FROM` | counts points from the first with that name on |
//!
//! A run with the first tells how many points there are; one with the second for each of them,
//! and a start after it, shows what is left.
//!
//! The server shares no code with the client of this crate, so that each checks the other. A server has
//! one thread that accepts and one for each open connection; dropping it ends and joins them.

mod accept;
mod answer;
mod answer_faults;
#[cfg(feature = "tls")]
mod authority;
mod builder;
mod connection;
mod counters;
mod event;
mod fault;
#[cfg(feature = "tls")]
mod identity;
mod link;
mod patience;
#[cfg(feature = "tls")]
mod pem;
mod recorded;
mod recorder;
mod script;
mod server;
mod socket;
mod state;
mod stats;
mod takeover;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
mod tunnel;
mod unreachable;
mod wire;

pub use crate::session::Steps;
pub use answer::{Answer, ExpectPolicy};
#[cfg(feature = "tls")]
pub use authority::Authority;
pub use builder::ServerBuilder;
pub use counters::Counters;
pub use event::{Call, Event};
pub use fault::{HandshakeFault, RequestFault};
#[cfg(feature = "tls")]
pub use identity::{Identity, IdentityBuilder};
pub use recorded::Recorded;
pub use recorder::Recorder;
pub use script::{HeldChallenge, HeldRedirect, HeldResponse, OnChallenge, OnRedirect, OnResponse};
pub use server::Server;
pub use stats::Stats;
pub use takeover::Takeover;
#[cfg(feature = "tls")]
pub use tls::ServedVersion;
#[cfg(target_os = "linux")]
pub use unreachable::BlackHole;
pub use unreachable::Refusal;
