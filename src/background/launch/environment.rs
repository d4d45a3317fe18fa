//! What a process that hosts sessions gets from the environment of a program.

use std::env;
use std::ffi::{OsStr, OsString};

/// Names, in its environment, what a process is that was started to host sessions; of who is
/// started by a daemon it is taken away.
pub(in crate::background) const ROLE: &str = "URLSESSIOND_ROLE";

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::background) enum Role {
    /// It starts the daemon, and ends.
    Starter,
    Daemon,
    /// It becomes a program that a daemon starts.
    Launcher,
}

impl Role {
    pub(in crate::background) fn name(self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Daemon => "daemon",
            Self::Launcher => "launcher",
        }
    }

    /// Returns what this process is; none if it is a program as any other.
    pub(in crate::background) fn of_process() -> Option<Self> {
        let name = env::var_os(ROLE)?;
        [Self::Starter, Self::Daemon, Self::Launcher].into_iter().find(|role| name == role.name())
    }
}

/// Returns what says where things lie, and how to write: no search path, no secrets.
pub(in crate::background) fn minimal() -> Vec<(OsString, OsString)> {
    env::vars_os().filter(|(name, _)| is_kept(name)).collect()
}

fn is_kept(name: &OsStr) -> bool {
    let is_named = ["HOME", "TMPDIR", "LANG", "URLSESSION_HOME"].iter().any(|kept| name == *kept);
    // A test ends the daemon of a program as well.
    let is_test =
        cfg!(feature = "test-util") && name.as_encoded_bytes().starts_with(b"URLSESSION_CRASH_");
    is_named || is_test || name.as_encoded_bytes().starts_with(b"XDG_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_things_lie_is_kept_alone() {
        for (name, kept) in [
            ("HOME", true),
            ("XDG_RUNTIME_DIR", true),
            ("URLSESSION_HOME", true),
            ("PATH", false),
            ("HOMEPAGE", false),
            ("LD_PRELOAD", false),
            ("HTTPS_PROXY", false),
            ("AWS_SECRET_ACCESS_KEY", false),
            (ROLE, false),
        ] {
            assert_eq!(is_kept(name.as_ref()), kept, "{name}");
        }
    }
}
