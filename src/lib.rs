//! Apple's `URLSession` for synchronous Rust.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod cancel;
mod census;
mod clock;
mod configuration;
mod error;
mod headers;
mod request;
mod resolver;
mod response;
mod sync;
mod trust;
mod wire;

pub use body::Body;
pub use cancel::CancelToken;
pub use clock::Clock;
pub use configuration::Configuration;
pub use error::{Error, ErrorKind, Stage};
pub use headers::Headers;
pub use request::Request;
pub use resolver::Resolver;
pub use response::Response;
pub use trust::{Certificate, TlsVersion};
