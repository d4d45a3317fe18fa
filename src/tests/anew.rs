//! Tests that need a process of their own, which is this program started anew.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::Scratch;

/// Tells a test that it is the one that was started anew, and where.
const PLACE: &str = "URLSESSION_TEST_PLACE";

/// Exit code of a wrapper that was not allowed to do its part.
const NOT_ALLOWED: i32 = 77;

/// Mounts a tmpfs with the options of the variable at the first argument.
const MOUNT: &str = r#"mount -t tmpfs -o "$OPTIONS" tmpfs "$1" || exit 77; shift; exec "$@""#;

pub(crate) fn place() -> Option<PathBuf> {
    env::var_os(PLACE).map(PathBuf::from)
}

/// Starts this test program anew for `test`, named whole, at the end of the command `wrapper`, and returns
/// whether the wrapper could do its part. The test has to pass.
pub(crate) fn passes_under(
    wrapper: &[&str],
    test: &str,
    place: &Path,
    variables: &[(&str, &str)],
) -> bool {
    let program = env::current_exe().unwrap();
    passes(program, wrapper, test, place, variables)
}

/// The same of another copy of this program.
pub(crate) fn passes(
    program: impl Into<OsString>,
    wrapper: &[&str],
    test: &str,
    place: &Path,
    variables: &[(&str, &str)],
) -> bool {
    let mut words: Vec<OsString> = wrapper.iter().map(OsString::from).collect();
    words.extend([program.into(), "--exact".into(), test.into()]);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env(PLACE, place).envs(variables.iter().copied());
    let mut output = command.output().unwrap();
    // A program that was just copied is open for writing in every process that another thread
    // starts meanwhile, until that executes its own (execve(2), ETXTBSY).
    while String::from_utf8_lossy(&output.stderr).contains("Text file busy") {
        thread::sleep(Duration::from_millis(10));
        output = command.output().unwrap();
    }
    let (text, errors) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&text);
    let refused = errors.contains("unshare: ") || output.status.code() == Some(NOT_ALLOWED);
    assert!(refused || text.contains("test result: ok. 1 passed"), "{text}\n{errors}");
    !refused
}

/// Starts `test` anew with a tmpfs of its own, which no other process sees, at its place.
pub(crate) fn passes_on_volume(options: &str, test: &str) {
    let scratch = Scratch::new();
    let volume = scratch.folder("volume");
    let text = volume.to_str().unwrap();
    let ways: [&[&str]; 2] =
        [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
    let ran = ways.iter().any(|unshare| {
        let wrapper = [unshare, &["sh", "-c", MOUNT, "sh", text][..]].concat();
        passes_under(&wrapper, test, &volume, &[("OPTIONS", options)])
    });
    if !ran {
        println!("skipped: this process may not mount");
    }
}
