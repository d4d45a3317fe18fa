//! How a program comes to a background session, and looks at it.

#[cfg(feature = "background")]
use super::client::Client;
#[cfg(feature = "daemon")]
use super::relaunch::LaunchCompletion;
#[cfg(feature = "background")]
use super::report::{BackgroundHost, BackgroundReport};
use crate::configuration::Configuration;
#[cfg(feature = "background")]
use crate::session::Session;
use crate::session::give_host;

impl Configuration {
    /// Settings for a session whose transfers outlive the program: downloads, and uploads of
    /// files. What they are to do is written down, and how far they have come is kept; the
    /// program may end or crash at any moment. When it makes a session with the same `identifier`
    /// again, everything goes on, and the delegate is told what happened.
    ///
    /// A program has one session with an identifier at a time. A delegate is required, and tasks
    /// report to it. Without the feature `background` making a session fails with
    /// [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported).
    ///
    /// Other than a default session it waits for connectivity, and tries again what passes by
    /// itself: answers with 408, 425, 429 and every 5xx but 501 and 505, connections that broke,
    /// timeouts; first after 5 s, then twice as long each time, 15 min at most, until
    /// [`timeout_for_resource`](Self::timeout_for_resource), seven days, has passed while it is
    /// hosted. A [`retry_policy`](Self::retry_policy) of its own says how often and when. Downloads
    /// accept 2xx only.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use urlsession::{Configuration, Delegate, DeliveryQueue, DownloadedFile, Session, Task};
    ///
    /// struct Films;
    ///
    /// impl Delegate for Films {
    ///     fn did_finish_downloading(&self, _task: &Task, mut file: DownloadedFile) {
    ///         file.persist("film.mp4").expect("there is room for it");
    ///     }
    /// }
    ///
    /// let session = Session::with_delegate(
    ///     Configuration::background("films"),
    ///     Arc::new(Films),
    ///     DeliveryQueue::serial(),
    /// )?;
    /// if session.all_tasks().is_empty() {
    ///     session.download_task("https://shop.test/film.mp4").resume();
    /// }
    /// session.wait_until_idle(Duration::MAX);
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "backgroundSessionConfigurationWithIdentifier")]
    #[doc(alias = "backgroundSessionConfigurationWithIdentifier:")]
    pub fn background(identifier: impl Into<String>) -> Self {
        #[cfg(feature = "background")]
        give_host(Client::open);
        #[cfg(not(feature = "background"))]
        give_host(|_, _, _| {
            let detail = "background sessions need the feature background of this crate";
            Err(crate::error::Error::new(crate::error::ErrorKind::NotSupported, detail))
        });
        Self { identifier: Some(identifier.into()), ..Self::default() }
    }
}

#[cfg(feature = "background")]
impl Session {
    /// Returns where the transfers of a background session run; `None` for another session.
    pub fn background_host(&self) -> Option<BackgroundHost> {
        self.background_report().map(|report| report.host)
    }

    /// Returns what a background session is doing, for people: its tasks, how far each has come,
    /// and what it waits for; `None` for another session.
    pub fn background_report(&self) -> Option<BackgroundReport> {
        Some(Client::of(self.scheduler())?.report())
    }

    /// Returns what says that this program has done what a daemon has [started it for]; `None`
    /// where none has for this session, and from the second call on.
    ///
    /// Hold it until the events are handled, as until
    /// [`did_finish_events`](crate::Delegate::did_finish_events) or
    /// [`wait_until_idle`](Self::wait_until_idle), and then drop it.
    ///
    /// [started it for]: crate::background::launched_for
    #[cfg(feature = "daemon")]
    #[doc(alias = "handleEventsForBackgroundURLSession")]
    pub fn launch_completion(&self) -> Option<LaunchCompletion> {
        Client::of(self.scheduler())?.launch_completion()
    }
}
