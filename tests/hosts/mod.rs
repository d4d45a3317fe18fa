//! Tests of background sessions that are made for both of their hosts.

#[cfg(all(unix, feature = "daemon"))]
use std::path::Path;

/// Who runs the transfers of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Program,
    /// A daemon, which is started with it.
    #[cfg(all(unix, feature = "daemon"))]
    Daemon,
}

/// A test in one of the hosts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Its name, by which it is started anew.
    #[allow(dead_code, reason = "not all tests start themselves anew")]
    pub(crate) test: &'static str,
    pub(crate) host: Host,
}

impl Row {
    pub(crate) fn new(path: &'static str, host: Host) -> Self {
        // Tests are named without their crate.
        Self { test: path.split_once("::").unwrap().1, host }
    }
}

/// Makes of each of these functions, which take a row, a test by the program and one by a daemon.
macro_rules! rows {
    ($($row:ident),+ $(,)?) => {$(
        mod $row {
            use crate::hosts::{Host, Row};

            #[test]
            fn by_the_program() {
                let test = concat!(module_path!(), "::by_the_program");
                super::$row(&Row::new(test, Host::Program));
            }

            #[cfg(all(unix, feature = "daemon"))]
            #[test]
            fn by_a_daemon() {
                let test = concat!(module_path!(), "::by_a_daemon");
                super::$row(&Row::new(test, Host::Daemon));
            }
        }
    )+};
}

/// The daemon that is built with the tests.
#[cfg(all(unix, feature = "daemon"))]
pub(crate) const URLSESSIOND: &str = env!("CARGO_BIN_EXE_urlsessiond");

/// Ends the daemon of a state folder, if it has one, and what is about to become one.
#[cfg(all(unix, feature = "daemon"))]
pub(crate) fn stop_daemon(state: &Path) {
    use std::fs;
    use std::process::{Command, Stdio};

    let state = state.to_str().unwrap();
    let is_of_it = |process: &str| {
        let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        command.contains("urlsessiond") && command.split('\0').any(|argument| argument == state)
    };
    loop {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let processes: Vec<String> = names.filter(|name| is_of_it(name)).collect();
        if processes.is_empty() {
            return;
        }
        let _ = Command::new("kill").arg("-9").args(&processes).stderr(Stdio::null()).status();
    }
}
