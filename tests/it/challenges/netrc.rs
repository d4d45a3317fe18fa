//! The user's `.netrc`, in a process of its own, as a variable names the file.

use std::ffi::OsStr;
use std::process::Command;
use std::{env, fs, str};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Session};

use crate::support::asked::{authorizations, basic, guarded, unauthorized};
use crate::support::folder::Folder;

const URL: &str = "URLSESSION_TEST_NETRC_URL";
const USES: &str = "URLSESSION_TEST_NETRC_USES";
const LATER: &str = "URLSESSION_TEST_NETRC_LATER";
const TEST: &str = "a_password_of_the_file_answers_its_exact_host";

/// What the process that a test started does in place of the test.
fn load_as_told(url: &str) {
    let mut configuration = Configuration::ephemeral();
    configuration.uses_netrc = env::var_os(USES).is_some();
    let session = Session::new(configuration).unwrap();
    let load = || session.data(url).unwrap().text().into_owned();
    let first = load();
    if let Some(text) = env::var_os(LATER) {
        write_file(&env::var_os("NETRC").unwrap(), &text);
    }
    println!("outcome: {first} {}", load());
}

/// Puts a file where one is, or a folder, or nothing.
fn write_file(path: &OsStr, text: &OsStr) {
    let _ = fs::remove_dir(path);
    fs::write(path, text.as_encoded_bytes()).unwrap();
}

/// Starts this test program anew for a test alone, with this text in the file.
fn outcome(url: &str, uses: bool, text: &str) -> String {
    let folder = Folder::new();
    let file = folder.file("netrc", text);
    outcome_of(url, uses, &[("NETRC", file.as_os_str())])
}

/// The same under these variables.
fn outcome_of(url: &str, uses: bool, variables: &[(&str, &OsStr)]) -> String {
    let mut program = Command::new(env::current_exe().unwrap());
    let module = module_path!().split_once("::").unwrap().1;
    program.args(["--exact", "--nocapture"]).arg(format!("{module}::{TEST}"));
    program.env(URL, url).envs(variables.iter().copied());
    if uses {
        program.env(USES, "1");
    }
    let output = program.output().unwrap();
    let text = str::from_utf8(&output.stdout).unwrap();
    let outcome = text.split_once("outcome: ").and_then(|(_, rest)| rest.lines().next());
    outcome.unwrap_or_else(|| panic!("no outcome: {output:?}")).to_owned()
}

#[test]
fn a_password_of_the_file_answers_its_exact_host() {
    if let Ok(url) = env::var(URL) {
        return load_as_told(&url);
    }
    let server = guarded("r", "pw");
    let sent = Some(basic("ann", "pw"));
    let entry = "machine 127.0.0.1 login ann password pw";
    let of_bob = "machine 127.0.0.1 login bob password pw";
    let url = server.url("/");
    let with = |userinfo: &str| url.replace("http://", &format!("http://{userinfo}@"));
    let unasked = |password: &str| Some(basic("ann", password));
    for (url, uses, text, expected) in [
        (url.clone(), true, entry, vec![None, sent.clone(), sent.clone()]),
        (url.clone(), false, entry, vec![None, None]),
        (url.clone(), true, "machine localhost login ann password pw", vec![None, None]),
        (url.clone(), true, "default login ann password pw", vec![None, None]),
        (url.clone(), true, "machine 127.0.0.1 login ann", vec![None, None]),
        (url.clone(), true, "machine \"127.0.0.1", vec![None, None]),
        (with("ann"), true, entry, vec![unasked(""), sent.clone(), sent.clone()]),
        (with("ann"), true, of_bob, vec![unasked(""); 2]),
    ] {
        let outcome = outcome(&url, uses, text);
        assert_eq!(authorizations(&server), expected, "{url} {uses} {text:?}: {outcome}");
        let is_in = expected.contains(&sent);
        assert_eq!(outcome, if is_in { "in in" } else { "who? who?" });
    }
    // Never after a redirect, not even to the same host, nor back at it.
    let both = "machine 127.0.0.1 login ann password pw machine localhost login ann password pw";
    for chain in [
        vec![server.url("/in")],
        vec![server.url_with_host("localhost", "/in")],
        vec!["/1".to_owned(), server.url("/in")],
    ] {
        let from = Server::start();
        let (hops, there) = (chain.len(), server.url("/in"));
        from.handle(move |request| {
            let hop: usize = request.path()[1..].parse().unwrap();
            Answer::redirect(302, chain.get(hop).unwrap_or(&there))
        });
        assert_eq!(outcome(&from.url("/0"), true, both), "who? who?");
        assert_eq!(authorizations(&from), vec![None; 2 * hops]);
        assert_eq!(authorizations(&server), [None, None]);
    }
    let (one, two) = (Server::start(), Server::start());
    let (there, back) = (two.url_with_host("localhost", "/"), one.url("/back"));
    one.handle(move |request| match request.path() {
        "/" => Answer::redirect(302, &there),
        _ => unauthorized(&["Basic realm=r"]),
    });
    two.handle(move |_| Answer::redirect(302, &back));
    assert_eq!(outcome(&one.url("/"), true, both), "who? who?");
    assert_eq!(authorizations(&one), vec![None; 4]);
    assert_eq!(authorizations(&two), [None, None]);
}

#[test]
fn a_file_that_could_not_be_used_is_read_again() {
    let server = guarded("r", "pw");
    let (url, entry) = (server.url("/"), "machine 127.0.0.1 login ann password pw");
    let (folder, later) = (Folder::new(), OsStr::new(entry));
    let path = |name: &str| folder.path().join(name).into_os_string();
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("broken"), "machine \"127.0.0.1").unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::write(path("comment"), "# nothing yet\n").unwrap();
    fs::write(path("large"), vec![b' '; 200_000]).unwrap();
    for name in ["missing", "folder", "broken", "empty", "comment", "large"] {
        let variables = [("NETRC", &*path(name)), (LATER, later)];
        assert_eq!(outcome_of(&url, true, &variables), "who? in", "{name}");
    }
    // One that had an entry is kept.
    fs::write(path("other"), "machine other.test login ann password pw").unwrap();
    let variables = [("NETRC", &*path("other")), (LATER, later)];
    assert_eq!(outcome_of(&url, true, &variables), "who? who?");
}
