//! The system's roots, and the variables that replace them, in a process of its own: they are
//! read once in the life of a program, unless they cannot be.

use std::path::Path;
use std::process::Command;
use std::{env, str};

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{Certificate, Configuration, Session};

use crate::support::folder::Folder;

const FILE: &str = "SSL_CERT_FILE";
const DIR: &str = "SSL_CERT_DIR";
const URL: &str = "URLSESSION_TEST_URL";
const ROOT: &str = "URLSESSION_TEST_ROOT";
const IGNORES_SYSTEM: &str = "URLSESSION_TEST_IGNORES_SYSTEM";
/// What is to be found where `SSL_CERT_FILE` says, after the first load.
const LATER: &str = "URLSESSION_TEST_LATER";

/// What the process that a test started does in place of the test.
fn load_as_told(url: &str) {
    let mut configuration = Configuration::ephemeral();
    configuration.trusts_system_roots = env::var_os(IGNORES_SYSTEM).is_none();
    if let Some(path) = env::var_os(ROOT) {
        configuration.additional_roots =
            Certificate::from_pem(std::fs::read(path).unwrap()).unwrap();
    }
    let load = |session: &Session| match session.data(url) {
        Ok(data) => data.text().into_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    let session = Session::new(configuration.clone()).unwrap();
    let mut outcome = load(&session);
    if let Some(later) = env::var_os(LATER) {
        std::fs::copy(later, env::var_os(FILE).unwrap()).unwrap();
        let other = Session::new(configuration).unwrap();
        outcome = format!("{outcome}, then {} and {}", load(&session), load(&other));
    }
    println!("outcome: {outcome}");
}

/// Starts this test program anew for this test alone, under `variables`.
fn outcome(url: &str, variables: &[(&str, &Path)]) -> String {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", "--nocapture"]).arg(format!("{}::{TEST}", module()));
    program.env_remove(FILE).env_remove(DIR).env(URL, url).envs(variables.iter().copied());
    let output = program.output().unwrap();
    let text = str::from_utf8(&output.stdout).unwrap();
    let outcome = text.split_once("outcome: ").and_then(|(_, rest)| rest.lines().next());
    outcome.unwrap_or_else(|| panic!("no outcome: {output:?}")).to_owned()
}

/// This module's path as the test harness writes it.
fn module() -> &'static str {
    module_path!().split_once("::").unwrap().1
}

const TEST: &str = "variables_replace_the_systems_roots";

#[test]
fn variables_replace_the_systems_roots() {
    if let Ok(url) = env::var(URL) {
        return load_as_told(&url);
    }
    let (known, stranger) = (Authority::new(), Authority::new());
    let server = Server::start_tls(&known.identity(&["127.0.0.1"]));
    server.handle(|_| Answer::ok("trusted"));
    let folder = Folder::new();
    let (right, wrong) = (Folder::new(), Folder::new());
    let file = folder.file("known.pem", known.certificate_pem());
    let other = folder.file("stranger.pem", stranger.certificate_pem());
    let both = [stranger.certificate_pem(), known.certificate_pem()].concat();
    let bundle = folder.file("bundle.pem", format!("# two roots\n{both}"));
    let garbage_text = "-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned();
    let garbage = folder.file("garbage.pem", &garbage_text);
    let missing = folder.path().join("missing.pem");
    let marked = folder.file("marked.pem", format!("\u{feff}{}", known.certificate_pem()));
    let old = known.certificate_pem().replace("CERTIFICATE", "X509 CERTIFICATE");
    let old = folder.file("old.pem", format!("{}{old}", stranger.certificate_pem()));
    let later = |name: &str| folder.path().join(name);
    let (absent, partial) = (later("absent.pem"), folder.file("partial.pem", &garbage_text));
    let nowhere = later("nowhere");
    right.file("12345678.0", known.certificate_pem());
    wrong.file("12345678.0", stranger.certificate_pem());
    let (right, wrong, yes) = (right.path(), wrong.path(), Path::new("yes"));

    let unknown = "ServerCertificateHasUnknownRoot";
    let then_trusted = "ServerCertificateHasUnknownRoot, then trusted and trusted";
    let cases: &[(&[(&str, &Path)], &str)] = &[
        (&[], unknown),
        (&[(FILE, &file)], "trusted"),
        (&[(FILE, &bundle)], "trusted"),
        (&[(FILE, &other)], unknown),
        (&[(FILE, &missing)], unknown),
        (&[(FILE, &garbage)], unknown),
        (&[(FILE, &marked)], "trusted"),
        (&[(FILE, &old)], "trusted"),
        // What could not be read is looked for again: all of it, and some of it.
        (&[(FILE, &absent), (LATER, &file)], then_trusted),
        (&[(FILE, &partial), (LATER, &file)], then_trusted),
        (&[(FILE, &later("late.pem")), (DIR, wrong), (LATER, &file)], then_trusted),
        (&[(FILE, &other), (DIR, &nowhere), (ROOT, &other)], unknown),
        (&[(DIR, right)], "trusted"),
        (&[(DIR, wrong)], unknown),
        (&[(FILE, &other), (DIR, right)], "trusted"),
        (&[(FILE, &file), (DIR, wrong)], "trusted"),
        (&[(FILE, &file), (IGNORES_SYSTEM, yes)], unknown),
        (&[(FILE, &other), (ROOT, &file)], "trusted"),
        (&[(FILE, &file), (ROOT, &other)], "trusted"),
        (&[(ROOT, &file)], "trusted"),
        (&[(FILE, &other), (ROOT, &file), (IGNORES_SYSTEM, yes)], "trusted"),
    ];
    for (variables, expected) in cases {
        assert_eq!(outcome(&server.url("/"), variables), *expected, "{variables:?}");
    }
}
