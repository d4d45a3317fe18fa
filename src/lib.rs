//! Apple's `URLSession` for synchronous Rust: a blocking HTTP client with sessions and
//! configurations, without an async runtime.
//!
//! ```
//! # use urlsession::testing::{Answer, Server};
//! # let server = Server::start();
//! # server.enqueue(Answer::ok("hello"));
//! # let url = server.url("/greeting");
//! use urlsession::Session;
//!
//! let data = Session::shared().data(&url)?;
//! println!("{}: {}", data.response.status(), data.text());
//! # Ok::<(), urlsession::Error>(())
//! ```
//!
//! # What there is
//!
//! A [`Configuration`] is a bag of settings; a [`Session`] is made from a copy of it and
//! loads [`Request`]s. [`Session::data`] returns the [`Response`] with its whole body,
//! [`Session::bytes`] returns as soon as the head is there and is then read from. A URL is
//! a request, too: `session.data("https://…")`. What a request sends is a [`Body`], which a
//! [`Form`] and a [`Multipart`] become.
//!
//! | Configuration | Keeps |
//! |---|---|
//! | [`Configuration::default`] | what the program's other sessions keep (no stores are built yet) |
//! | [`Configuration::ephemeral`] | nothing beyond the session |
//! | [`Configuration::background`] | transfers beyond the program (not built yet) |
//!
//! # Errors
//!
//! Whatever fails is an [`Error`], with an [`ErrorKind`] to decide by, the [`Stage`] it came
//! to, and the URL without secrets. A status of 400 or more is not an error.
//!
//! # Threads
//!
//! Blocking calls run on their caller's thread, from the first byte to the last. Beside
//! them a session has at most eight threads that look up hosts, each of which leaves after
//! five idle seconds, and one that closes old connections, which ends when there have been
//! none for as long as one is kept.
//! Dropping the last clone of a session closes its idle connections and ends the latter;
//! a look-up that the system is still working on ends by itself.
//!
//! A [`CancelToken`] ends loads from any thread. Code of the program that a load calls (a
//! [`Resolver`], the reader of a [`Body`]) may block and may panic: it fails that load.
//!
//! # Differences from Foundation
//!
//! * Calls block; there is no run loop and no queue.
//! * What is wrong with a URL or a header is reported by the load, not by a `nil`.
//! * A redirect from `https` to `http` is refused unless
//!   [`allows_insecure_redirects`](Configuration::allows_insecure_redirects) is set.
//! * `expectedContentLength` is `None` instead of -1.
//! * Settings that a desktop system cannot honour (cellular access, service types) are
//!   absent.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod cancel;
mod census;
mod clock;
mod configuration;
mod engine;
mod error;
mod headers;
mod load;
mod media_type;
mod request;
mod resolver;
mod response;
mod session;
mod sync;
mod trust;
mod wire;

pub use body::{Body, Form, Multipart, Part};
pub use cancel::CancelToken;
pub use clock::Clock;
pub use configuration::Configuration;
pub use error::{Error, ErrorKind, Stage};
pub use headers::Headers;
pub use request::Request;
pub use resolver::Resolver;
pub use response::Response;
pub use session::{Bytes, Data, Session};
pub use trust::{Certificate, TlsVersion};

#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod testing;

/// The code in the README compiles.
#[cfg(all(doctest, feature = "test-util"))]
#[doc = include_str!("../README.md")]
struct Readme;
