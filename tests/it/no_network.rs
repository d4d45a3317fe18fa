//! Machines without a network, and networks whose hosts are switched off: each test program has
//! a network namespace for itself alone.

#![cfg(target_os = "linux")]

use std::env;
use std::process::Command;

use urlsession::{Configuration, ErrorKind, Session, Stage};

/// Tells the test that it was started anew.
const AGAIN: &str = "URLSESSION_IT_NO_NETWORK";

/// Starts the test `name` anew where there is no network but what `setup` makes, and returns
/// whether this process is it.
pub(crate) fn is_alone(name: &str, setup: &str) -> bool {
    if env::var_os(AGAIN).is_some() {
        return true;
    }
    let script = format!("{{ {setup}; }} || exit 77; exec \"$@\"");
    let ways: [&[&str]; 2] =
        [&["unshare", "--net"], &["unshare", "--user", "--map-root-user", "--net"]];
    let passes = ways.iter().any(|unshare| {
        let mut command = Command::new(unshare[0]);
        command.args(&unshare[1..]).args(["sh", "-c", &script, "sh"]);
        command.arg(env::current_exe().unwrap()).args(["--exact", name]).env(AGAIN, "1");
        let Ok(output) = command.output() else { return false };
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let refused = errors.contains("unshare: ") || output.status.code() == Some(77);
        assert!(refused || text.contains("test result: ok. 1 passed"), "{text}\n{errors}");
        !refused
    });
    if !passes {
        println!("skipped: this process may not make a network of its own");
    }
    false
}

/// Loads a URL, and expects it to fail so, with these words.
fn fails(url: &str, kind: ErrorKind, stage: Stage, words: &str) {
    let session = Session::new(Configuration::ephemeral()).unwrap();
    let error = session.data(url).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (kind, Some(stage)), "{url}: {error}");
    assert!(error.to_string().contains(words), "{url}: {error}");
    assert!(error.is_connect() && error.is_transient(), "{url}: {error}");
    session.invalidate_and_cancel();
}

#[test]
fn a_machine_without_a_network_says_so_of_names_and_of_addresses() {
    const NAME: &str = "no_network::a_machine_without_a_network_says_so_of_names_and_of_addresses";
    if !is_alone(NAME, "ip link set lo up") {
        return;
    }
    let none = ErrorKind::NotConnectedToInternet;
    let words = "this machine has no network";
    fails("http://shop.test/", none, Stage::LookingUp, words);
    fails("http://no-such-host.example/", none, Stage::LookingUp, words);
    fails("http://192.0.2.1/", none, Stage::Connecting, "no network: network unreachable, while");
    fails("http://[2001:db8::1]/", none, Stage::Connecting, words);
    // This machine itself is there.
    let refused = "cannot connect to the host: connection refused, while connecting: http://127";
    fails("http://127.0.0.1:1/", ErrorKind::CannotConnectToHost, Stage::Connecting, refused);
}

#[test]
fn a_host_of_the_local_network_that_is_switched_off_is_one_that_cannot_be_connected_to() {
    const NAME: &str = "no_network::a_host_of_the_local_network_that_is_switched_off_is_one_that_\
                        cannot_be_connected_to";
    let lan = "ip link set lo up && ip link add name lan0 type veth peer name lan1 && \
               ip addr add 10.9.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up";
    if !is_alone(NAME, lan) {
        return;
    }
    let refused = ErrorKind::CannotConnectToHost;
    fails("http://10.9.0.2/", refused, Stage::Connecting, "host unreachable");
    fails("http://10.9.0.1:1/", refused, Stage::Connecting, "connection refused");
    // Beyond this network there is none.
    fails("http://192.0.2.1/", ErrorKind::NotConnectedToInternet, Stage::Connecting, "no network");
}

#[test]
fn an_address_that_no_route_leads_to_is_none_of_a_machine_that_has_a_network() {
    const NAME: &str = "no_network::an_address_that_no_route_leads_to_is_none_of_a_machine_that_\
                        has_a_network";
    let lan = "ip link set lo up && ip link add name lan0 type veth peer name lan1 && \
               ip addr add 10.9.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up && \
               ip route add default via 10.9.0.2";
    if !is_alone(NAME, lan) {
        return;
    }
    let refused = ErrorKind::CannotConnectToHost;
    fails("http://[2001:db8::1]/", refused, Stage::Connecting, "network unreachable");
}
