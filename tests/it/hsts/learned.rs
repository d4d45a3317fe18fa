//! What is learned, from whom, and for how long.

use std::time::Duration;

use urlsession::testing::Answer;
use urlsession::{Clock, Configuration, DeliveryQueue, Hsts, Session};

use super::{Web, answered, load};
use crate::support::deciding::Deciding;

const HERE: &str = "http://shop.test/a";

#[test]
fn a_host_that_has_asked_for_it_is_loaded_from_by_https() {
    let web = Web::that_says("max-age=60");
    let session = web.seen_by(Configuration::ephemeral());
    assert_eq!(load(&session, HERE), answered("plain", HERE));
    load(&session, "https://shop.test/");
    assert_eq!(load(&session, HERE), answered("secure", "https://shop.test/a"));
    let first = web.secure.take_request();
    let second = web.secure.take_request();
    assert_eq!((first.path(), second.path()), ("/", "/a"));
    assert_eq!(second.header("host"), Some("shop.test"));
    // Neither its sub-domains nor others are.
    for url in ["http://a.shop.test/", "http://other.test/"] {
        assert_eq!(load(&session, url), answered("plain", url));
    }
    assert_eq!(web.plain.request_count(), 3);
    assert_eq!(web.secure.request_count(), 2);
}

#[test]
fn sub_domains_are_included_if_the_host_says_so() {
    let web = Web::that_says("includeSubDomains; max-age=\"60\"; preload");
    let session = web.seen_by(Configuration::ephemeral());
    load(&session, "https://shop.test/");
    let secured = answered("secure", "https://a.shop.test/");
    assert_eq!(load(&session, "http://a.shop.test/"), secured);
    assert_eq!(web.plain.request_count(), 0);
}

#[test]
fn it_ends_with_its_time_and_when_the_host_says_so() {
    let web = Web::with(|path| {
        let value = if path == "/no-more" { "max-age=0" } else { "max-age=60" };
        Answer::ok("secure").header("Strict-Transport-Security", value)
    });
    let clock = Clock::by_hand();
    let session = web.seen_by(Configuration::ephemeral().clock(clock.clone()));
    load(&session, "https://shop.test/");
    clock.advance(Duration::from_secs(59));
    assert_eq!(load(&session, "http://shop.test/").0, "secure");
    // That has begun it anew.
    clock.advance(Duration::from_secs(59));
    assert_eq!(load(&session, "http://shop.test/").0, "secure");
    clock.advance(Duration::from_secs(60));
    assert_eq!(load(&session, "http://shop.test/").0, "plain");
    load(&session, "https://shop.test/");
    assert_eq!(load(&session, "http://shop.test/no-more").0, "secure");
    assert_eq!(load(&session, "http://shop.test/").0, "plain");
}

#[test]
fn every_answer_teaches_whatever_its_status() {
    for status in [204, 302, 401, 404, 500] {
        let web = Web::with(move |_| {
            let answer = Answer::status(status).header("Location", "https://other.test/");
            answer.header("Strict-Transport-Security", "max-age=60")
        });
        let session = web.seen_by(Configuration::ephemeral().follows_redirects(false));
        session.data("https://shop.test/").unwrap();
        let data = session.data("http://shop.test/").unwrap();
        assert_eq!(data.response.url().scheme(), "https", "{status}");
    }
}

#[test]
fn nothing_is_learned_without_tls_nor_from_what_means_nothing() {
    let web = Web::that_says("max-age=60; max-age=60");
    web.plain.handle(|_| {
        Answer::ok("plain").header("Strict-Transport-Security", "max-age=60; includeSubDomains")
    });
    let session = web.seen_by(Configuration::ephemeral());
    for _ in 0..2 {
        assert_eq!(load(&session, HERE), answered("plain", HERE));
        load(&session, "https://shop.test/");
    }
}

#[test]
fn nothing_is_learned_from_a_server_whose_certificate_is_not_good() {
    let web = Web::that_says("max-age=60");
    let own = web.seen_by(Configuration::ephemeral());
    let mut configuration = own.configuration();
    configuration.additional_roots = Vec::new();
    let queue = DeliveryQueue::inline();
    let session = Session::with_delegate(configuration, Deciding::accepting(), queue).unwrap();
    assert_eq!(load(&session, "https://shop.test/").0, "secure");
    assert_eq!(load(&session, HERE), answered("plain", HERE));
}

#[test]
fn it_can_be_turned_off() {
    let web = Web::that_says("max-age=60");
    let session = web.seen_by(Configuration::ephemeral().hsts(Hsts::Off));
    load(&session, "https://shop.test/");
    assert_eq!(load(&session, HERE), answered("plain", HERE));
    assert_eq!(Configuration::default().hsts, Hsts::Persistent);
    assert_eq!(Configuration::ephemeral().hsts, Hsts::InMemory);
}

#[test]
fn a_session_forgets_when_it_is_reset_and_none_knows_what_another_has_learned_in_memory() {
    let web = Web::that_says("max-age=60");
    let session = web.seen_by(Configuration::ephemeral());
    load(&session, "https://shop.test/");
    let other = web.seen_by(Configuration::ephemeral());
    assert_eq!(load(&other, HERE).0, "plain");
    session.flush();
    assert_eq!(load(&session, HERE).0, "secure");
    session.reset();
    assert_eq!(load(&session, HERE).0, "plain");
}
