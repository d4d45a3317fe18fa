//! IPv6 addresses with a zone: through which network interface they are reached.

use std::fs;
use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Server};
use urlsession::{ErrorKind, Request, Resolver, Stage};

use crate::support::running::{nothing_is_left, session};

/// A server at an address of this machine; none if that cannot be had.
fn answering(host: &str) -> Option<Server> {
    let server = Server::builder().address(host).try_start().ok()?;
    server.handle(|_| Answer::ok("here"));
    Some(server)
}

fn loopback() -> Option<Server> {
    let server = answering("[::1]");
    if server.is_none() {
        println!("skipped: this machine has no IPv6");
    }
    server
}

#[test]
fn an_address_with_a_zone_is_reached_and_the_server_sees_none_of_it() {
    let Some(server) = loopback() else { return };
    let port = server.address().port();
    for zone in ["%25lo", "%lo", "%251", "%1", "%25l%6F"] {
        let session = session(|_| {});
        let url = format!("http://[::1{zone}]:{port}/a?b");
        let data = session.data(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(data.text(), "here", "{url}");
        assert_eq!(data.response.url().as_str(), format!("http://[::1]:{port}/a?b"));
        let request = server.take_request();
        assert_eq!(request.header("Host"), Some(&*format!("[::1]:{port}")), "{url}");
        assert_eq!(request.target(), "/a?b", "{url}");
        nothing_is_left(session, &[&server]);
    }
    let request = Request::get("http://[fe80::1%25lo]/");
    request.check().unwrap();
    assert_eq!(
        (request.url().unwrap().as_str(), request.zone()),
        ("http://[fe80::1]/", Some("lo"))
    );
    assert_eq!(Request::get("http://[fe80::1]/").zone(), None);
}

/// The link-local addresses that this machine has, each with its interface.
fn link_local() -> Vec<(Ipv6Addr, String)> {
    let listed = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let addresses = listed.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let ip = Ipv6Addr::from(u128::from_str_radix(words.next()?, 16).ok()?);
        Some((ip, words.last()?.to_owned()))
    });
    addresses.filter(|(ip, _)| ip.is_unicast_link_local()).collect()
}

#[test]
fn a_link_local_address_is_reached_through_its_interface_alone() {
    for (ip, interface) in link_local() {
        let Some(server) = answering(&format!("{ip}%{interface}")) else { continue };
        let session = session(|_| {});
        let port = server.address().port();
        let url = format!("http://[{ip}%25{interface}]:{port}/");
        assert_eq!(session.data(&url).unwrap().text(), "here", "{url}");
        let without = format!("http://[{ip}]:{port}/");
        assert!(session.data(&without).is_err(), "{without}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_zone_that_is_no_interface_is_named() {
    let session = session(|_| {});
    let error = session.data("http://[fe80::1%25nowhere7]/?secret").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotFindHost, "{error}");
    assert_eq!(error.stage(), Some(Stage::LookingUp));
    assert!(error.to_string().contains("\"nowhere7\""), "{error}");
    for url in ["http://[fe80::1%25]/x", "http://[fe80::1%25a%00b]/", "http://shop.test%25lo/"] {
        let kind = Request::get(url).check().map_err(|error| error.kind());
        let expected = if url.ends_with('x') { Ok(()) } else { Err(ErrorKind::BadUrl) };
        assert_eq!(kind, expected, "{url}");
    }
    nothing_is_left(session, &[]);
}

#[test]
fn a_redirect_stays_in_the_zone_as_long_as_it_stays_at_the_address() {
    let Some(server) = loopback() else { return };
    let (port, asked) = (server.address().port(), Arc::new(Mutex::new(Vec::new())));
    server.handle(move |request| match request.path() {
        "/1" => Answer::redirect(302, "/2"),
        "/2" => Answer::redirect(302, &format!("http://[::1]:{port}/3")),
        "/3" => Answer::redirect(302, &format!("http://[0:0::1]:{port}/4")),
        "/4" => Answer::redirect(302, &format!("http://[::2]:{port}/5")),
        _ => Answer::ok("here").close_after_answer().header("Connection", "close"),
    });
    let (notes, address) = (asked.clone(), server.address());
    let session = session(|configuration| {
        configuration.maximum_idle_connections_per_host = Some(0);
        configuration.resolver = Some(Resolver::new(move |host, _| {
            notes.lock().unwrap().push(host.to_owned());
            Ok(vec![address])
        }));
    });
    assert_eq!(session.data(format!("http://[::1%25lo]:{port}/1")).unwrap().text(), "here");
    assert_eq!(*asked.lock().unwrap(), ["::1%lo", "::1%lo", "::1%lo", "::1%lo", "::2"]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_connection_serves_its_own_zone() {
    let Some(server) = loopback() else { return };
    let (port, session) = (server.address().port(), session(|_| {}));
    for (zone, connection) in [("%25lo", 0), ("", 1), ("%25lo", 0), ("%251", 2), ("", 1)] {
        session.data(format!("http://[::1{zone}]:{port}/")).unwrap();
        assert_eq!(server.take_request().connection(), connection, "{zone}");
    }
    nothing_is_left(session, &[&server]);
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_is_for_the_address_without_its_zone() {
    let authority = urlsession::testing::Authority::new();
    let identity = authority.identity(&["::1"]);
    let Ok(server) = Server::builder().address("[::1]").tls(&identity).try_start() else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    server.handle(|_| Answer::ok("here"));
    let session = session(|configuration| {
        configuration.trusts_system_roots = false;
        let root = urlsession::Certificate::from_der(authority.certificate_der());
        configuration.additional_roots = vec![root];
    });
    let url = format!("https://[::1%25lo]:{}/", server.address().port());
    assert_eq!(session.data(url).unwrap().text(), "here");
    assert_eq!(server.take_request().sni(), None);
    nothing_is_left(session, &[&server]);
}
