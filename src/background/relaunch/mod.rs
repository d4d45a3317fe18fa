//! How a program has itself started again when one of its sessions needs it.
//!
//! The command stands in a file that the program has written beforehand, beside its sessions
//! (`registration.rs`); a daemon that hosts these starts it (`daemon/launcher.rs`).

#[cfg(unix)]
mod registration;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[cfg(unix)]
pub(in crate::background) use registration::Registration;

use super::host::Host;
use crate::configuration::Configuration;
use crate::error::Error;
#[cfg(not(unix))]
use crate::error::ErrorKind;

/// Names, in the environment of a program that a daemon has started, the session that needs it.
pub(in crate::background) const LAUNCHED_FOR: &str = "URLSESSION_LAUNCHED_FOR";

/// Registers the command by which a daemon starts this program when one of its background sessions
/// needs it and the program is not there: all its tasks have ended, or one waits for an answer.
///
/// It counts for all sessions with the [`program`](Configuration::program) and the
/// [`state_directory`](Configuration::state_directory) of this configuration, from now on, and takes
/// the place of what was registered before. The program is found by [`launched_for`] why it runs.
///
/// The command is `executable`, an absolute path, with these `arguments`, as they are: no shell
/// reads them, and no task can change them. It stands in a file that only this user can read and
/// write. A daemon runs it detached, with `/` as its working directory and no standard streams, a
/// mask of 077 for the files that it makes, and an environment of `HOME`, `TMPDIR`, `LANG`,
/// `URLSESSION_HOME`, `XDG_*` and `URLSESSION_LAUNCHED_FOR`.
///
/// It is started 1 s after the program has gone at the earliest, and twice as late each time that
/// it was in vain: it could not be run, has failed before it said that it is
/// [done](LaunchCompletion), or has not heard or answered what it was started for. After ten times
/// it is not started any more, until the program comes by itself or the next daemon begins.
///
/// A session that its program hosts itself starts nothing.
///
/// # Errors
///
/// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for what is no absolute path of
/// an executable file, or an argument with a zero byte;
/// [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported) if nothing lasts where this program
/// runs, and on Windows, where there is no daemon; those of files.
///
/// # Examples
///
/// ```no_run
/// use urlsession::Configuration;
/// use urlsession::background::register_launch;
///
/// // What an installer does, or the program at its start.
/// let configuration = Configuration::background("films");
/// register_launch(&configuration, std::env::current_exe().unwrap(), ["--fetched"])?;
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "sessionSendsLaunchEvents")]
pub fn register_launch(
    configuration: &Configuration,
    executable: impl AsRef<Path>,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<(), Error> {
    let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
    let arguments: Vec<OsString> = arguments.collect();
    #[cfg(unix)]
    return Registration::of(configuration)?.write(executable.as_ref(), arguments);
    #[cfg(not(unix))]
    {
        let _ = (configuration, executable.as_ref(), arguments);
        Err(Error::new(ErrorKind::NotSupported, "this system has no daemon that starts programs"))
    }
}

/// Has no daemon start this program any more; nothing if nothing was registered.
///
/// # Errors
///
/// [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported) if nothing lasts where this program
/// runs; those of files.
pub fn unregister_launch(configuration: &Configuration) -> Result<(), Error> {
    #[cfg(unix)]
    return Registration::of(configuration)?.remove();
    #[cfg(not(unix))]
    {
        let _ = configuration;
        Ok(())
    }
}

/// Returns the identifier of the background session for which a daemon has started this program;
/// `None` if somebody else has.
///
/// The program makes that session, is told what has happened and asked what is to be answered, and
/// says by [`Session::launch_completion`](crate::Session::launch_completion) when it is done. What
/// it starts itself inherits the variable: remove `URLSESSION_LAUNCHED_FOR` from its environment.
///
/// # Examples
///
/// ```
/// match urlsession::background::launched_for() {
///     Some(identifier) => println!("the session {identifier} needs its program"),
///     None => println!("a user has started it"),
/// }
/// ```
#[doc(alias = "handleEventsForBackgroundURLSession")]
#[doc(alias = "application:handleEventsForBackgroundURLSession:completionHandler:")]
#[doc(alias = "application(_:handleEventsForBackgroundURLSession:completionHandler:)")]
#[must_use]
pub fn launched_for() -> Option<String> {
    env::var(LAUNCHED_FOR).ok().filter(|identifier| !identifier.is_empty())
}

/// Says, when it is dropped, that this program has done what a daemon has started it for: what
/// Apple calls the completion handler of `handleEventsForBackgroundURLSession`.
///
/// [`Session::launch_completion`](crate::Session::launch_completion) brings it. As long as it is
/// there, the program is not started once more, for whichever of its sessions; afterwards it is
/// when one needs it and the program is not connected. To invalidate the session says the same, and
/// so does the end of a process that has neither failed nor left anything unheard. A program that
/// dies with it is started again, later each time. Dropped by a panic it says nothing.
#[doc(alias = "handleEventsForBackgroundURLSession")]
#[must_use = "dropped, it says that the program is done"]
pub struct LaunchCompletion(Arc<dyn Host>);

impl LaunchCompletion {
    /// Returns it for the session with this identifier, if this process was started for it; once.
    pub(in crate::background) fn of(identifier: &str, host: &Arc<dyn Host>) -> Option<Self> {
        static IS_TAKEN: AtomicBool = AtomicBool::new(false);
        let is_for_it = launched_for().is_some_and(|launched| launched == identifier);
        let is_first = is_for_it && !IS_TAKEN.swap(true, Ordering::Relaxed);
        is_first.then(|| Self(Arc::clone(host)))
    }

    /// Says it now, as dropping it does.
    pub fn complete(self) {}
}

impl Drop for LaunchCompletion {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.0.complete_launch();
        }
    }
}

impl fmt::Debug for LaunchCompletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchCompletion").finish_non_exhaustive()
    }
}
