//! When a task is to begin, and how much it is said to transfer.

use std::time::SystemTime;

use super::handles::Task;
use crate::error::{Error, ErrorKind};

/// What the program has said of it beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Not before that.
    pub(crate) begins: Option<SystemTime>,
    /// So many bytes go out.
    pub(crate) sends: Option<u64>,
    /// So many come in.
    pub(crate) receives: Option<u64>,
}

impl Task {
    /// Returns the date before which the task does not begin; `None` unless it was set.
    #[doc(alias = "earliestBeginDate")]
    pub fn earliest_begin_date(&self) -> Option<SystemTime> {
        self.schedule().begins
    }

    /// Sets the date before which the task does not begin, or `None` for at once, which is the
    /// default.
    ///
    /// Only a [background session](crate::Configuration::background) goes by it; the tasks of
    /// another begin when they are resumed. A task that was resumed waits for its date, in every
    /// run of the program, without a thread and with no timer running. Once the date has come,
    /// [`will_begin_delayed_request`](crate::Delegate::will_begin_delayed_request) is asked: as
    /// late as the program is away until then. A clock that is set is followed within a minute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::{Duration, SystemTime};
    /// use urlsession::{DownloadTask, Error};
    ///
    /// /// Starts a download of the background in the night.
    /// fn start(task: &DownloadTask) -> Result<(), Error> {
    ///     task.set_earliest_begin_date(SystemTime::now() + Duration::from_secs(8 * 3600))?;
    ///     task.resume();
    ///     Ok(())
    /// }
    /// ```
    #[doc(alias = "earliestBeginDate")]
    pub fn set_earliest_begin_date(
        &self,
        date: impl Into<Option<SystemTime>>,
    ) -> Result<(), Error> {
        let date = date.into();
        self.plan(|schedule| schedule.begins = date)
    }

    /// Returns how many bytes the program expects the task to send; `None` unless it was set.
    #[doc(alias = "countOfBytesClientExpectsToSend")]
    pub fn bytes_client_expects_to_send(&self) -> Option<u64> {
        self.schedule().sends
    }

    /// Sets how many bytes the program expects the task to send, or `None` for unknown, which is
    /// the default.
    ///
    /// It is shown as [`bytes_expected_to_send`](crate::Progress::bytes_expected_to_send) as long
    /// as nothing better is known and no more were sent, in the
    /// [report](crate::BackgroundReport) of a background session too. Nothing is checked by it,
    /// and no order follows from it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already.
    #[doc(alias = "countOfBytesClientExpectsToSend")]
    pub fn set_bytes_client_expects_to_send(
        &self,
        bytes: impl Into<Option<u64>>,
    ) -> Result<(), Error> {
        let bytes = bytes.into();
        self.plan(|schedule| schedule.sends = bytes)
    }

    /// Returns how many bytes the program expects the task to receive; `None` unless it was set.
    #[doc(alias = "countOfBytesClientExpectsToReceive")]
    pub fn bytes_client_expects_to_receive(&self) -> Option<u64> {
        self.schedule().receives
    }

    /// Sets how many bytes the program expects the task to receive, or `None` for unknown, which
    /// is the default.
    ///
    /// It is shown as [`bytes_expected_to_receive`](crate::Progress::bytes_expected_to_receive)
    /// as long as the server has said nothing of it and no more were received, in the
    /// [report](crate::BackgroundReport) of a background session too. Nothing is checked by it,
    /// as by [`expects_length`](crate::DownloadTask::expects_length), and no order follows from it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already.
    #[doc(alias = "countOfBytesClientExpectsToReceive")]
    pub fn set_bytes_client_expects_to_receive(
        &self,
        bytes: impl Into<Option<u64>>,
    ) -> Result<(), Error> {
        let bytes = bytes.into();
        self.plan(|schedule| schedule.receives = bytes)
    }

    fn schedule(&self) -> Schedule {
        self.core.state.lock().schedule.as_deref().copied().unwrap_or_default()
    }

    /// Changes what is said of the task beforehand, as long as it has not begun.
    fn plan(&self, change: impl FnOnce(&mut Schedule)) -> Result<(), Error> {
        let mut state = self.core.state.lock();
        if state.life.has_begun() {
            let detail = "a task that has begun cannot be scheduled";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        change(state.schedule.get_or_insert_default());
        Ok(())
    }
}
