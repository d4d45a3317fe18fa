//! Which daemon hosts background sessions.

use std::path::PathBuf;

/// Which daemon runs the transfers of a background session; see
/// [`Configuration::daemon`](crate::Configuration::daemon).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackgroundDaemon {
    /// The user's, which is started if it does not run: the executable that `URLSESSIOND` names,
    /// else `urlsessiond` beside the program's executable, else the one in `PATH`, else the
    /// program itself, if it calls `background::run_daemon_if_asked`. Without any of these the
    /// program runs its transfers itself.
    #[default]
    Search,
    /// The user's, by this executable if it does not run.
    At(PathBuf),
    /// None: the program runs its transfers itself, and they stop when it ends.
    Never,
}
