//! What a daemon looks at in the folder of a session before it goes on with it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::{self, Folder};
use super::form;
use super::journal::Records;
use super::ledger::Ledger;
use crate::configuration::Configuration;
use crate::files::private;
use crate::log;

/// More than a configuration has.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Keeps the configuration of a session that is open, without its secrets unless they may be
/// written down. One whose clock is turned by hand is its program's alone; what else is code, no
/// background session has, and a storage of credentials is the daemon's own there.
pub(super) fn keep(folder: &Folder, configuration: &Configuration) {
    let path = path_in(folder.path());
    if !configuration.clock.is_system() {
        return private::remove(&path);
    }
    let form = form::write_configuration(configuration, configuration.persists_secrets);
    let text = form.to_string();
    if private::read(&path, LONGEST).ok().flatten().as_ref() == Some(&text) {
        return;
    }
    if let Err(error) = private::replace(&path, &path.with_extension("new"), text.as_bytes()) {
        log::warn!("the configuration of a background session cannot be kept: {error}");
    }
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("configuration")
}

/// Returns the configuration of the session in a folder, if a daemon can go on with it.
pub(super) fn read(folder: &Path) -> Option<Value> {
    let text = private::read(&path_in(folder), LONGEST).ok().flatten()?;
    let form: Value = serde_json::from_str(&text).ok()?;
    // What was secret only its program has.
    form.get("omitted").is_none().then_some(form)
}

/// Whether something in the journal of a session is running, of which another process may have
/// the folder. It is not taken for that: whoever opens the session meanwhile finds it free.
pub(super) fn is_running(folder: &Path) -> bool {
    let Some(records) = Records::read(&folder::journal_in(folder)) else { return false };
    let mut ledger = Ledger::default();
    for record in records {
        // What is not understood is said when it is opened.
        let _ = ledger.apply(&record);
    }
    ledger.jobs.values().any(|job| job.is_running())
}
