//! Making sessions.

use std::sync::{Arc, OnceLock};

use url::Url;

use super::audience::give_voice;
use super::delegate::Delegate;
use super::handle::{Calls, Session, Shared};
use super::hosting;
use super::local::Local;
use super::task::Scheduler;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::delivery::DeliveryQueue;
use crate::error::{Error, ErrorKind};
use crate::foreign::Foreign;
use crate::request;

/// Refuses what no relative URL can be resolved against, or nobody loads.
fn check_base(url: &str) -> Result<(), Error> {
    let parsed = Url::parse(url).map_err(|error| {
        let detail = format!("the configuration's base_url cannot be parsed: {error}");
        Error::new(ErrorKind::BadUrl, detail)
    })?;
    if !matches!(parsed.scheme(), "http" | "https") {
        let detail = "the configuration's base_url is no http or https URL";
        return Err(Error::new(ErrorKind::UnsupportedUrl, detail).on(&parsed));
    }
    Ok(())
}

impl Session {
    /// Makes a session without a delegate from a copy of `configuration`. Nothing is
    /// opened or started yet. Closures are called on a serial queue of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] for TLS versions that exclude each other, for
    /// [`uses_netrc`](Configuration::uses_netrc) without the feature `netrc`, and for a
    /// [background configuration](Configuration::background) without the feature `background`;
    /// [`ErrorKind::InvalidRequest`] for `Content-Length` or `Transfer-Encoding` among the
    /// [`additional_headers`](Configuration::additional_headers), which follow from each
    /// body, and for one there that no server must accept (see
    /// [`Request::header`](crate::Request::header));
    /// [`ErrorKind::BadUrl`] or [`ErrorKind::UnsupportedUrl`] for a
    /// [`base_url`](Configuration::base_url) that is none;
    /// [`ErrorKind::ServerCertificateUntrusted`] if one of
    /// [`additional_roots`](Configuration::additional_roots) is no certificate.
    #[doc(alias = "sessionWithConfiguration")]
    #[doc(alias = "sessionWithConfiguration:")]
    #[doc(alias = "init(configuration:)")]
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        Self::with_queue(configuration, DeliveryQueue::serial())
    }

    /// Makes a session without a delegate, whose closures are called on `queue`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(alias = "delegateQueue")]
    pub fn with_queue(configuration: Configuration, queue: DeliveryQueue) -> Result<Self, Error> {
        Self::make(configuration, Calls { delegate: None, queue }, Census::default(), false)
    }

    /// Makes a session whose delegate is told, and asked, on `queue`.
    ///
    /// The session keeps the delegate until it is invalid, and calls
    /// [`did_become_invalid`](Delegate::did_become_invalid) last.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(alias = "init(configuration:delegate:delegateQueue:)")]
    #[doc(alias = "sessionWithConfiguration:delegate:")]
    #[doc(alias = "sessionWithConfiguration:delegate:delegateQueue:")]
    pub fn with_delegate(
        configuration: Configuration,
        delegate: Arc<dyn Delegate>,
        queue: DeliveryQueue,
    ) -> Result<Self, Error> {
        give_voice();
        let calls = Calls { delegate: Some(Foreign::new(delegate)), queue };
        Self::make(configuration, calls, Census::default(), false)
    }

    /// Makes a session with a delegate that is counted with another one.
    #[cfg(feature = "background")]
    pub(crate) fn counted_with(
        configuration: Configuration,
        delegate: Arc<dyn Delegate>,
        queue: DeliveryQueue,
        census: &Census,
    ) -> Result<Self, Error> {
        give_voice();
        let calls = Calls { delegate: Some(Foreign::new(delegate)), queue };
        Self::make(configuration, calls, census.clone(), false)
    }

    fn make(
        configuration: Configuration,
        calls: Calls,
        census: Census,
        is_everybodys: bool,
    ) -> Result<Self, Error> {
        if configuration.uses_netrc && !cfg!(feature = "netrc") {
            let detail = "uses_netrc needs the feature netrc of this crate";
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        configuration.base_url.as_deref().map_or(Ok(()), check_base)?;
        request::rules::check_of_session(&configuration.additional_headers)?;
        let scheduler: Arc<dyn Scheduler> = match &configuration.identifier {
            Some(_) => hosting::host()?(&configuration, &census, calls.delegate.is_some())?,
            None => Local::new(&configuration, &census)?,
        };
        calls.queue.serve(&census, &configuration.clock);
        let shared = Shared::new((configuration, census), calls, scheduler, is_everybodys);
        let session = Self::of(&shared);
        shared.scheduler().serves(&shared);
        Ok(session)
    }

    /// Returns the session that the whole program shares, made with the default
    /// configuration and without a delegate. It cannot be invalidated.
    ///
    /// # Panics
    ///
    /// Never: the default configuration can always be served.
    #[doc(alias = "sharedSession")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Session> = OnceLock::new();
        SHARED.get_or_init(|| {
            let calls = Calls { delegate: None, queue: DeliveryQueue::serial() };
            Self::make(Configuration::default(), calls, Census::default(), true)
                .expect("the default configuration can be served")
        })
    }
}
