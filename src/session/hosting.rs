//! What runs the tasks of background sessions.
//!
//! It is known by a pointer, which is there from the moment on that the program makes its first
//! background configuration: so a program that never does is linked without it.

use std::sync::{Arc, OnceLock};

use super::task::Scheduler;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::error::{Error, ErrorKind};

/// Makes what runs the tasks of a background session, which has a delegate or not.
pub(crate) type Host = fn(&Configuration, &Census, bool) -> Result<Arc<dyn Scheduler>, Error>;

static HOST: OnceLock<Host> = OnceLock::new();

/// Has background sessions be run by this; all later ones are the same.
pub(crate) fn give_host(host: Host) {
    // It was there before.
    let _ = HOST.set(host);
}

/// Returns what runs them.
pub(super) fn host() -> Result<Host, Error> {
    HOST.get().copied().ok_or_else(|| {
        let detail =
            "only Configuration::background makes the configuration of a background session";
        Error::new(ErrorKind::InvalidRequest, detail)
    })
}
