//! What `urlsessiond` is told to do: pure.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What is printed for `--help`.
pub(super) const HELP: &str = "\
Hosts the background sessions of programs that use urlsession.

Programs start it when they need it, and it leaves when nothing is left to do.

Usage: urlsessiond run [--detached] [--state DIR] [--idle SECONDS]
       urlsessiond status [--state DIR]
       urlsessiond --version | --help

  run              hosts sessions until SIGTERM, or until there is nothing to do
  status           says whether a daemon runs

  --detached       starts a daemon behind the scenes, unless one runs, and returns
  --state DIR      the state folder whose sessions are hosted; without it the user's
  --idle SECONDS   how long it stays without programs and work; without it 60

Exit codes: 0 done, 1 failed (of status: none runs), 2 not understood, 3 another one runs
";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Run { detached: bool, state: Option<PathBuf>, idle: Option<Duration> },
    Status { state: Option<PathBuf> },
    Version,
    Help,
}

/// Reads the arguments behind the name of the program; an error is what was not understood.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Verb, String> {
    let mut arguments = arguments.into_iter();
    let verb = arguments.next().ok_or("no verb was given")?;
    let mut verb = match verb.to_str() {
        Some("run") => Verb::Run { detached: false, state: None, idle: None },
        Some("status") => Verb::Status { state: None },
        Some("--version" | "-V") => Verb::Version,
        Some("--help" | "-h") => Verb::Help,
        _ => return Err(format!("no verb is called {}", verb.display())),
    };
    while let Some(option) = arguments.next() {
        let mut value = || {
            let value = arguments.next().filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("{} has no value", option.display()))
        };
        match (option.to_str(), &mut verb) {
            (Some("--state"), Verb::Run { state, .. } | Verb::Status { state }) => {
                *state = Some(value()?.into());
            }
            (Some("--idle"), Verb::Run { idle, .. }) => *idle = Some(seconds(&value()?)?),
            (Some("--detached"), Verb::Run { detached, .. }) => *detached = true,
            _ => return Err(format!("{} is not understood", option.display())),
        }
    }
    Ok(verb)
}

fn seconds(text: &OsString) -> Result<Duration, String> {
    let seconds = text.to_str().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    seconds.ok_or_else(|| format!("{} is no number of seconds", text.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_understood_or_named() {
        let run = |detached, state: Option<&str>, idle: Option<u64>| {
            let state = state.map(PathBuf::from);
            Ok(Verb::Run { detached, state, idle: idle.map(Duration::from_secs) })
        };
        for (arguments, expected) in [
            (&["run"][..], run(false, None, None)),
            (&["run", "--state", "a b", "--idle", "1"], run(false, Some("a b"), Some(1))),
            (&["run", "--detached"], run(true, None, None)),
            (&["status"], Ok(Verb::Status { state: None })),
            (&["status", "--state", "s"], Ok(Verb::Status { state: Some("s".into()) })),
            (&["--version"], Ok(Verb::Version)),
            (&["-h"], Ok(Verb::Help)),
            (&[], Err("no verb was given".to_owned())),
            (&["stop"], Err("no verb is called stop".to_owned())),
            (&["run", "--state"], Err("--state has no value".to_owned())),
            (&["run", "--idle", "x"], Err("x is no number of seconds".to_owned())),
            (&["status", "--idle", "1"], Err("--idle is not understood".to_owned())),
            (&["--version", "now"], Err("now is not understood".to_owned())),
        ] {
            let arguments = arguments.iter().map(OsString::from);
            assert_eq!(parse(arguments), expected);
        }
    }
}
