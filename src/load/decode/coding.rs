//! The codings that a body can have, and what says so (RFC 9110 §8.4).

use super::Codec;
#[cfg(feature = "brotli")]
use super::brotli;
#[cfg(feature = "zstd")]
use super::zstd;
#[cfg(feature = "gzip")]
use super::{deflate, gzip};
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;
use crate::log;

/// As many as curl allows; no server needs more than one.
const MOST_LAYERS: usize = 5;

/// One coding that a body can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// Finds a coding that this build can decode (RFC 9110 §8.4.1: any case, `x-gzip` is
    /// `gzip`).
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if cfg!(feature = "gzip") && (is("gzip") || is("x-gzip")) {
            Some(Self::Gzip)
        } else if cfg!(feature = "gzip") && is("deflate") {
            Some(Self::Deflate)
        } else if cfg!(feature = "brotli") && is("br") {
            Some(Self::Brotli)
        } else if cfg!(feature = "zstd") && is("zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    pub(super) fn codec(self) -> Option<Box<dyn Codec>> {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => Some(Box::new(gzip::Gzip::new())),
            #[cfg(feature = "gzip")]
            Self::Deflate => Some(Box::new(deflate::Deflate::new())),
            #[cfg(feature = "brotli")]
            Self::Brotli => Some(Box::new(brotli::Brotli::new())),
            #[cfg(feature = "zstd")]
            Self::Zstd => Some(Box::new(zstd::Zstd::new())),
            #[cfg(not(all(feature = "gzip", feature = "brotli", feature = "zstd")))]
            _ => None,
        }
    }
}

/// Returns the value of `Accept-Encoding` that asks for what this build can decode.
pub(crate) fn accept_encoding() -> &'static str {
    match (cfg!(feature = "gzip"), cfg!(feature = "brotli"), cfg!(feature = "zstd")) {
        (true, true, true) => "gzip, deflate, br, zstd",
        (true, true, false) => "gzip, deflate, br",
        (true, false, true) => "gzip, deflate, zstd",
        (true, false, false) => "gzip, deflate",
        (false, true, true) => "br, zstd",
        (false, true, false) => "br",
        (false, false, true) => "zstd",
        (false, false, false) => "identity",
    }
}

/// Reads the codings of a body, in the order in which they were applied.
///
/// None if there is one that this build does not know: the body is delivered as it is.
///
/// # Errors
///
/// [`ErrorKind::CannotDecodeContentData`] if there are more than five.
pub(crate) fn codings(headers: &Headers) -> Result<Vec<Coding>, Error> {
    let mut codings = Vec::new();
    let mut unknown = None;
    let mut layers = 0;
    for value in headers.get_all("content-encoding") {
        for name in value.split(',').map(str::trim) {
            if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                continue;
            }
            layers += 1;
            match Coding::named(name) {
                Some(coding) if codings.len() < MOST_LAYERS => codings.push(coding),
                Some(_) => {}
                None => unknown = Some(name),
            }
        }
    }
    if layers > MOST_LAYERS {
        let detail = format!(
            "the body has {layers} layers of content-encoding, and at most {MOST_LAYERS} are decoded"
        );
        return Err(Error::new(ErrorKind::CannotDecodeContentData, detail).at(Stage::Receiving));
    }
    if let Some(name) = unknown {
        log::debug!("the body is delivered undecoded: content-encoding {name:?} is not known");
        codings.clear();
    }
    Ok(codings)
}
