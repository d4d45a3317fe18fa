//! Whether a session has a daemon.

use std::sync::Arc;

use super::{Opening, Remote};
use crate::background::form;
use crate::background::launch;
use crate::background::place::Place;
use crate::background::protocol::Reader;
use crate::census::Census;
use crate::configuration::{BackgroundDaemon, Configuration};
use crate::error::{Error, ErrorKind};
use crate::{log, program};

/// Opens a session at the daemon of its user; none if there is none to be had.
///
/// # Errors
///
/// What the daemon refuses it with, as [`ErrorKind::BackgroundSessionInUse`].
pub(in crate::background) fn host(
    configuration: &Configuration,
    identifier: &str,
    census: &Census,
) -> Result<Option<Arc<Remote>>, Error> {
    if configuration.daemon == BackgroundDaemon::Never
        || form::configuration_refusal(configuration).is_some()
    {
        return Ok(None);
    }
    let Some(name) = program::name(configuration.program.as_deref()) else { return Ok(None) };
    let Ok(place) = Place::of(configuration.state_directory.as_deref()) else { return Ok(None) };
    let executable = match &configuration.daemon {
        BackgroundDaemon::At(path) => Some(path.clone()),
        BackgroundDaemon::Search | BackgroundDaemon::Never => None,
    };
    let opening = Opening {
        program: name,
        identifier: identifier.to_owned(),
        configuration: form::write_configuration(configuration, true),
        reader: Reader::new(configuration)?,
        own: configuration.clone(),
    };
    let connect = Box::new(move || launch::connect(&place, executable.as_deref(), &[]));
    match Remote::open(connect, opening, census) {
        Ok(remote) => Ok(Some(remote)),
        // Most programs have none.
        Err(error) if error.kind() == ErrorKind::NotSupported => {
            log::info!("this program hosts its background session itself: {error}");
            Ok(None)
        }
        Err(error) if is_of_daemon(&error) => {
            log::warn!("this program hosts its background session itself: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether it says that there is no daemon to be had, rather than that the session cannot be
/// opened.
fn is_of_daemon(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NetworkConnectionLost
            | ErrorKind::CannotConnectToHost
            | ErrorKind::BadServerResponse
            | ErrorKind::ResourceUnavailable
            | ErrorKind::TimedOut
            | ErrorKind::CannotOpenFile
    )
}
