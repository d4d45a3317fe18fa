//! What went wrong: [`Error`], its [`ErrorKind`], and the [`Stage`] it happened at.
//!
//! One opaque error type, one word wide and cheap to clone, because the same failure goes
//! to whoever asked and stays on the task. Other crates' errors are reachable through
//! [`source`](std::error::Error::source) and appear in no signature.

mod cause;
mod groups;
#[cfg(feature = "json")]
mod json;
mod kind;
#[cfg(feature = "background")]
mod names;

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use url::{Position, Url};

use crate::foreign::Foreign;

pub use kind::{ErrorKind, Stage};

/// Why a load failed.
///
/// A status of 400 or more is not an error: the response is delivered with its body, unless
/// the request [accepts](crate::Request::accepts_status) others only.
/// Errors are about what happened on this side or on the way: no connection, a deadline
/// that passed, an answer that cannot be understood, a cancel.
///
/// Cloning copies a pointer. `Display` is one line for people: what was tried, the cause that
/// decides, how far it had come, and on which URL, as in `cannot connect to the host:
/// connection refused, while connecting: http://shop.test/cart`. User names, passwords, queries
/// and fragments of URLs never appear in it, nor in `Debug`. What errors of the program's own
/// say, as of a reader that it sends, is had by [`source`](StdError::source) alone.
///
/// Programs decide by the [`kind`](Self::kind), or by what it has in common with others:
///
/// | question | the kinds that say yes |
/// |---|---|
/// | [`is_timeout`](Self::is_timeout) | `TimedOut` |
/// | [`is_cancelled`](Self::is_cancelled) | `Cancelled` |
/// | [`is_connect`](Self::is_connect) | `CannotFindHost`, `CannotConnectToHost`, `NotConnectedToInternet`, `SecureConnectionFailed`, `ClientCertificateRequired`, those of `is_certificate`; `TimedOut` until the connection is made |
/// | [`is_certificate`](Self::is_certificate) | the four `ServerCertificate...` |
/// | [`is_request`](Self::is_request) | `BadUrl`, `InvalidRequest`, `UnsupportedUrl` |
/// | [`is_decode`](Self::is_decode) | `CannotParseResponse`, `CannotParseJson`, `CannotDecodeRawData`, `CannotDecodeContentData` |
/// | [`is_file`](Self::is_file) | those about files, folders and the disk |
/// | [`is_transient`](Self::is_transient) | `TimedOut`, `CannotFindHost`, `CannotConnectToHost`, `NotConnectedToInternet`, `NetworkConnectionLost`, `ZeroByteResource`, `OutOfResources`; `UnacceptableStatus` with 408, 425, 429, 500, 502, 503, 504 |
///
/// # Examples
///
/// ```
/// use urlsession::{ErrorKind, Session};
///
/// let error = Session::shared().data("http://shop.test:99999/").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::BadUrl);
/// assert_eq!(error.code(), -1000);
/// ```
#[doc(alias = "NSError")]
#[doc(alias = "URLError")]
#[doc(alias = "userInfo")]
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    stage: Option<Stage>,
    detail: Cow<'static, str>,
    url: Option<Box<str>>,
    /// It may be the program's.
    source: Option<Foreign<Arc<dyn StdError + Send + Sync>>>,
    /// What somebody above this room has for whoever looks at it.
    attached: Option<Foreign<Arc<dyn Any + Send + Sync>>>,
}

impl Error {
    /// Makes an error; `detail` is lower-case, without a full stop, and says what was
    /// tried and what to do about it.
    #[inline]
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::made(kind, detail.into())
    }

    #[cold]
    fn made(kind: ErrorKind, detail: Cow<'static, str>) -> Self {
        Self(Arc::new(Inner { kind, stage: None, detail, url: None, source: None, attached: None }))
    }

    /// The error of every load that was ended by a [`CancelToken`](crate::CancelToken).
    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "the load was cancelled")
    }

    /// Adds the stage, unless a place closer to the failure has named one.
    #[cold]
    pub(crate) fn at(mut self, stage: Stage) -> Self {
        if self.0.stage.is_none() {
            Arc::make_mut(&mut self.0).stage = Some(stage);
        }
        self
    }

    /// Adds the URL, unless a place closer to the failure has named one.
    #[cold]
    pub(crate) fn on(mut self, url: &Url) -> Self {
        if self.0.url.is_none() {
            Arc::make_mut(&mut self.0).url = Some(without_secrets(url).into());
        }
        self
    }

    /// Adds what caused it.
    pub(crate) fn because(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.from(Arc::new(source))
    }

    #[cold]
    fn from(mut self, source: Arc<dyn StdError + Send + Sync>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Foreign::new(source));
        self
    }

    /// Adds what the system said: `Display` names it, [`source`](StdError::source) is it.
    #[cold]
    pub(crate) fn by_system(mut self, source: io::Error) -> Self {
        if let Some(words) = cause::words(&source) {
            let inner = Arc::make_mut(&mut self.0);
            inner.detail = format!("{}: {words}", inner.detail).into();
        }
        self.because(source)
    }

    /// Adds something of this crate's for whoever looks at the error.
    #[cold]
    pub(crate) fn attaching(mut self, what: Arc<dyn Any + Send + Sync>) -> Self {
        Arc::make_mut(&mut self.0).attached = Some(Foreign::new(what));
        self
    }

    /// Takes away what was added so.
    #[cfg(feature = "background")]
    #[cold]
    pub(crate) fn detached(mut self) -> Self {
        Arc::make_mut(&mut self.0).attached = None;
        self
    }

    /// Adds the URL, which has no secrets, as it was once written down.
    #[cfg(feature = "background")]
    pub(crate) fn on_text(mut self, url: &str) -> Self {
        Arc::make_mut(&mut self.0).url = Some(url.into());
        self
    }

    /// Returns what was tried, in words.
    #[cfg(feature = "background")]
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn attached<T: Any>(&self) -> Option<&T> {
        self.0.attached.as_ref()?.downcast_ref()
    }

    /// Returns the kind, which is what programs decide by.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns Apple's number for the kind, such as -1001 for a timeout.
    #[doc(alias = "NSURLErrorDomain")]
    pub fn code(&self) -> i32 {
        self.0.kind.code()
    }

    /// Returns how far the load had come, if it had begun.
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// Returns the URL that failed, after redirects, without user name, password, query
    /// and fragment.
    #[doc(alias = "NSURLErrorFailingURLStringErrorKey")]
    #[doc(alias = "failingURL")]
    pub fn failing_url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Returns the error inside `error`, if a reader of this crate reported it.
    ///
    /// [`Read`](std::io::Read) can only fail with [`std::io::Error`]; this finds the
    /// reason again.
    ///
    /// ```
    /// use std::io;
    /// use urlsession::{Error, ErrorKind, Session};
    ///
    /// let error = Session::shared().data("gopher://old.test/").unwrap_err();
    /// let wrapped = io::Error::from(error);
    /// let found = Error::from_io(&wrapped).map(Error::kind);
    /// assert_eq!(found, Some(ErrorKind::UnsupportedUrl));
    /// ```
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// Returns `url` without what may be secret: user name, password, query, fragment.
pub(crate) fn without_secrets(url: &Url) -> String {
    let path = &url[Position::BeforePath..Position::AfterPath];
    match url.host_str() {
        Some(_) => {
            let host = &url[Position::BeforeHost..Position::AfterPort];
            format!("{}://{host}{path}", url.scheme())
        }
        // `data:` and the like: the rest may be anything.
        None => format!("{}:", url.scheme()),
    }
}

/// Displays a URL [without secrets](without_secrets), made only if it is displayed.
pub(crate) struct Redacted<'a>(pub(crate) &'a Url);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_secrets(self.0))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)?;
        if let Some(stage) = self.0.stage {
            write!(f, ", while {stage}")?;
        }
        if let Some(url) = &self.0.url {
            write!(f, ": {url}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind).field("detail", &self.0.detail);
        if let Some(stage) = &self.0.stage {
            out.field("stage", stage);
        }
        if let Some(url) = &self.0.url {
            out.field("url", url);
        }
        match &self.0.source {
            // What it says of itself holds values.
            #[cfg(feature = "json")]
            Some(source) if json::is_of_json(&***source) => {
                out.field("source", &format_args!("serde_json::Error"));
            }
            Some(source) => {
                out.field("source", &**source);
            }
            None => {}
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &***source as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::NetworkConnectionLost => io::ErrorKind::ConnectionReset,
            ErrorKind::CannotConnectToHost => io::ErrorKind::ConnectionRefused,
            ErrorKind::CannotDecodeRawData
            | ErrorKind::CannotParseResponse
            | ErrorKind::CannotParseJson => io::ErrorKind::InvalidData,
            ErrorKind::StorageFull => io::ErrorKind::StorageFull,
            ErrorKind::FileAlreadyExists => io::ErrorKind::AlreadyExists,
            ErrorKind::FolderDoesNotExist => io::ErrorKind::NotFound,
            // Never `Interrupted`: std repeats a read that says so.
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_on_which_url_without_secrets() {
        let url = Url::parse("https://ann:pw@shop.test:8443/cart?token=1#x").unwrap();
        let error = Error::new(ErrorKind::TimedOut, "the request timed out: no byte for 60 s")
            .at(Stage::WaitingForResponse)
            .on(&url);
        let text = "the request timed out: no byte for 60 s, while waiting for the response: \
                    https://shop.test:8443/cart";
        assert_eq!(error.to_string(), text);
        assert_eq!(error.failing_url(), Some("https://shop.test:8443/cart"));
        for secret in ["ann", "pw", "token"] {
            assert!(!format!("{error:?}").contains(secret), "{error:?} shows {secret}");
        }
    }

    #[test]
    fn the_first_stage_and_url_named_stay() {
        let (here, there) = (Url::parse("http://a/").unwrap(), Url::parse("http://b/").unwrap());
        let error = Error::cancelled().at(Stage::LookingUp).on(&here);
        let error = error.at(Stage::Receiving).on(&there);
        assert_eq!(error.stage(), Some(Stage::LookingUp));
        assert_eq!(error.failing_url(), Some("http://a/"));
    }

    #[test]
    fn an_error_survives_the_way_through_io() {
        let through = io::Error::from(Error::cancelled());
        assert_ne!(through.kind(), io::ErrorKind::Interrupted);
        assert_eq!(Error::from_io(&through).map(Error::kind), Some(ErrorKind::Cancelled));
        assert!(Error::from_io(&io::Error::other("foreign")).is_none());
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
