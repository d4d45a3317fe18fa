//! Cookies, by RFC 6265bis (draft-ietf-httpbis-rfc6265bis-22), whose sections are cited.
//!
//! [`set_cookie`] reads what a field says, [`date`], [`path`] and [`host`] are the rules for its
//! parts, and [`Cookie::set_by`](cookie::Cookie) decides whether it may be set. A [`jar::Jar`] keeps
//! cookies and finds those that go along with a request; [`text`] and [`changes`] are what a file of
//! it is made of. All that is pure: whoever calls says what time it is. [`CookieStorage`] is what a
//! program sees of it, with a lock of its own; it calls observers without.
//!
//! This room does not know sessions, loads or sockets.

#[allow(dead_code, reason = "what a file of a storage is made of")]
mod changes;
mod cookie;
mod date;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod host;
mod jar;
mod moment;
mod observers;
mod path;
mod policy;
mod set_cookie;
mod show;
mod storage;
#[allow(dead_code, reason = "what a file of a storage is made of")]
mod text;

pub use cookie::{Cookie, SameSite};
pub use observers::CookieObserver;
pub use policy::CookieAcceptPolicy;
pub use storage::CookieStorage;
