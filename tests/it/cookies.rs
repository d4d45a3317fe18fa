//! Cookies, as servers set them and see them again.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::url::Url;
use urlsession::{
    Clock, Configuration, Cookie, CookieAcceptPolicy, CookieStorage, Credential, CredentialStorage,
    Request, Resolver, Session,
};

use crate::support::asked::space;

/// Answers with what was sent of cookies, and sets what the query says, separated by `&`; leads
/// to where `to` says.
fn mirror(request: &Recorded) -> Answer {
    let query = request.target().split_once('?').map_or("", |(_, query)| query);
    let query = query.replace("%3B", ";");
    let to = query.split('&').find_map(|part| part.strip_prefix("to:"));
    let sent = request.header("cookie").unwrap_or("none");
    let to = to.map(|to| to.replace("%3F", "?").replace("%26", "&"));
    let answer = to.map_or_else(|| Answer::ok(sent), |to| Answer::redirect(302, &to));
    let sets = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("to:"));
    sets.fold(answer, |answer, cookie| answer.header("Set-Cookie", cookie))
}

fn server() -> Server {
    let server = Server::start();
    server.handle(mirror);
    server
}

/// A session whose hosts are all on this machine, and its cookies.
fn session(change: impl FnOnce(Configuration) -> Configuration) -> (Session, CookieStorage) {
    let storage = CookieStorage::new();
    let here = Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()]));
    let configuration = Configuration::ephemeral().cookie_storage(storage.clone()).resolver(here);
    (Session::new(change(configuration)).unwrap(), storage)
}

fn get(session: &Session, request: impl Into<Request>) -> String {
    session.data(request).unwrap().text().into_owned()
}

fn pairs(storage: &CookieStorage) -> Vec<String> {
    let cookies = storage.cookies();
    cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect()
}

#[test]
fn what_a_server_sets_it_sees_again() {
    let (server, (session, storage)) = (server(), session(|usual| usual));
    assert_eq!(get(&session, server.url("/?sid=31d4&lang=en%3BPath=/shop")), "none");
    assert_eq!(get(&session, server.url("/")), "sid=31d4");
    assert_eq!(get(&session, server.url("/shop/cart")), "lang=en; sid=31d4");
    assert_eq!(get(&session, server.url("/?sid=%3BMax-Age=0")), "sid=31d4");
    assert_eq!(get(&session, server.url("/shop/")), "lang=en");
    assert_eq!(pairs(&storage), ["lang=en"]);
    // Ports do not matter, hosts do.
    let other = Server::start();
    other.handle(mirror);
    assert_eq!(get(&session, other.url("/shop/")), "lang=en");
    assert_eq!(get(&session, other.url_with_host("localhost", "/shop/")), "none");
    // What is for a domain goes to the hosts below.
    let set =
        other.url_with_host("www.shop.test", "/?a=1%3BDomain=shop.test&b=2&c=3%3BDomain=test");
    assert_eq!(get(&session, set), "none");
    assert_eq!(get(&session, other.url_with_host("www.shop.test", "/")), "a=1; b=2");
    assert_eq!(get(&session, other.url_with_host("img.SHOP.test", "/")), "a=1");
    // Nothing that is protected comes or goes without TLS.
    get(&session, server.url("/x?safe=1%3BSecure"));
    let safe = Cookie::new("safe", "1", "127.0.0.1").unwrap().with_secure(true);
    assert!(storage.set(safe));
    assert_eq!(get(&session, server.url("/")), "none");
}

/// O37: cookies of a response are stored before its redirect target or completion is processed.
#[test]
fn guarantee_o37_cookies_are_kept_before_a_redirect_is_followed_and_before_the_end_is_told() {
    let (server, (session, storage)) = (server(), session(|usual| usual));
    assert_eq!(get(&session, server.url("/?a=1&to:/next")), "a=1");
    assert_eq!(get(&session, server.url("/?b=2&to:/%3Fc=3%26to:/last")), "a=1; b=2; c=3");
    let elsewhere = server.url_with_host("shop.test", "/");
    assert_eq!(get(&session, server.url(&format!("/?d=4&to:{elsewhere}"))), "none");
    let (sender, told) = mpsc::channel();
    let inside = storage;
    let task = session.data_task_with(server.url("/?e=5"), move |_| {
        sender.send(pairs(&inside)).unwrap();
    });
    let _task = task.resume();
    assert!(told.recv().unwrap().contains(&"e=5".to_owned()));
}

#[test]
fn cookies_of_a_challenge_go_along_with_its_answer() {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        None => Answer::status(401)
            .header("WWW-Authenticate", "Basic realm=r")
            .header("Set-Cookie", "round=1"),
        Some(_) => mirror(request),
    });
    let credentials = CredentialStorage::new();
    let basic = space(&server, urlsession::AuthenticationMethod::Basic, "r");
    credentials.set(&Credential::new("ann", "pw"), &basic);
    let (session, _) = session(|usual| usual.credential_storage(credentials));
    assert_eq!(get(&session, server.url("/")), "round=1");
    // A challenge that nobody answers sets some, too.
    let (bare, storage) = session_without_credentials();
    assert_eq!(bare.data(server.url("/")).unwrap().status(), 401);
    assert_eq!(pairs(&storage), ["round=1"]);
}

fn session_without_credentials() -> (Session, CookieStorage) {
    session(|usual| usual.credential_storage(None))
}

#[test]
fn a_cookie_header_of_the_programs_own_is_sent_alone_and_to_its_origin() {
    let (server, (session, storage)) = (server(), session(|usual| usual));
    get(&session, server.url("/?a=1"));
    let own = |url: String| Request::get(url).header("cookie", "own=1");
    assert_eq!(get(&session, own(server.url("/"))), "own=1");
    assert_eq!(get(&session, own(server.url("/?b=2&to:/next"))), "own=1");
    assert_eq!(pairs(&storage), ["a=1", "b=2"], "those that come are kept");
    let elsewhere = server.url_with_host("shop.test", "/");
    assert_eq!(get(&session, own(server.url(&format!("/?to:{elsewhere}")))), "none");
    get(&session, server.url_with_host("shop.test", "/?s=1"));
    assert_eq!(get(&session, own(server.url(&format!("/?to:{elsewhere}")))), "s=1");
    let (session, storage) = self::session(|usual| usual.additional_headers([("Cookie", "all=1")]));
    assert_eq!(get(&session, server.url("/?a=1")), "all=1");
    assert_eq!((get(&session, server.url("/")), pairs(&storage).len()), ("all=1".to_owned(), 1));
}

#[test]
fn a_session_and_a_request_say_whether_cookies_are_sent_and_kept() {
    let server = server();
    let url = |path: &str| server.url(path);
    let (session, storage) = session(|usual| usual.sends_cookies(false));
    get(&session, url("/?a=1"));
    assert_eq!((get(&session, url("/")), pairs(&storage).len()), ("none".to_owned(), 1));

    let (session, storage) = self::session(|usual| usual);
    get(&session, url("/?a=1"));
    let apart = Request::get(url("/?b=2&to:/?c=3")).handles_cookies(false);
    assert_eq!((get(&session, apart), pairs(&storage)), ("none".to_owned(), vec!["a=1".into()]));
    assert_eq!(get(&session, Request::get(url("/")).handles_cookies(true)), "a=1");

    let never = CookieAcceptPolicy::Never;
    let (session, storage) = self::session(|usual| usual.cookie_accept_policy(never));
    storage.set(Cookie::new("own", "1", "127.0.0.1").unwrap());
    get(&session, url("/?a=1"));
    assert_eq!((get(&session, url("/")), pairs(&storage).len()), ("own=1".to_owned(), 1));

    let (session, _) = self::session(|usual| usual.cookie_storage(None));
    get(&session, url("/?a=1"));
    assert_eq!(get(&session, url("/")), "none");
}

#[test]
fn only_those_of_the_main_document_are_kept_over_redirects_too() {
    let (server, (session, storage)) = (server(), session(|usual| usual));
    let at = |host: &str, path: &str| server.url_with_host(host, path);
    let load = |url: String, main: &str| {
        get(&session, Request::get(url).main_document_url(format!("https://{main}/")));
    };
    load(at("ads.test", "/?a=1"), "www.shop.test");
    load(at("shop.test", "/?b=2"), "www.shop.test");
    load(at("www.shop.test", &format!("/?c=3&to:{}", at("ads.test", "/?d=4"))), "www.shop.test");
    assert_eq!(pairs(&storage), ["b=2", "c=3"]);
    let always = CookieAcceptPolicy::Always;
    let configuration = Configuration::ephemeral()
        .cookie_storage(storage.clone())
        .cookie_accept_policy(always)
        .resolver(Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()])));
    let lenient = Session::new(configuration).unwrap();
    let image = Request::get(at("ads.test", "/?a=1")).main_document_url("https://shop.test/");
    get(&lenient, image);
    assert_eq!(pairs(&storage), ["b=2", "c=3", "a=1"]);
    let wrong = Request::get(at("shop.test", "/")).main_document_url("no URL");
    assert!(wrong.check().unwrap_err().to_string().contains("main_document_url"));
}

#[test]
fn default_sessions_share_their_cookies_and_ephemeral_ones_have_their_own() {
    const HOST: &str = "shared-cookies.test";
    let server = server();
    let here = || Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()]));
    let url = server.url_with_host(HOST, "/");
    let open = |usual: Configuration| Session::new(usual.resolver(here())).unwrap();
    get(&open(Configuration::default()), server.url_with_host(HOST, "/?a=1"));
    assert_eq!(get(&open(Configuration::default()), &url), "a=1");
    assert_eq!(CookieStorage::shared().cookies_for(&Url::parse(&url).unwrap()).len(), 1);
    let (one, other) = (open(Configuration::ephemeral()), open(Configuration::ephemeral()));
    get(&one, server.url_with_host(HOST, "/?b=1"));
    assert_eq!((get(&one, &url), get(&other, &url)), ("b=1".to_owned(), "none".to_owned()));
    let ephemeral = Configuration::ephemeral();
    let (one, other) = (open(ephemeral.clone()), open(ephemeral));
    get(&one, server.url_with_host(HOST, "/?c=1"));
    assert_eq!(get(&other, &url), "c=1", "of one configuration");
    for cookie in CookieStorage::shared().cookies_for(&Url::parse(&url).unwrap()) {
        CookieStorage::shared().delete(&cookie);
    }
}

#[test]
fn a_cookie_ends_by_the_clock_of_the_session() {
    let (server, clock) = (server(), Clock::by_hand());
    let (session, _) = session(|usual| usual.clock(clock.clone()));
    get(&session, server.url("/?a=1%3BMax-Age=60&b=2%3BMax-Age=99999999"));
    clock.advance(Duration::from_secs(59));
    assert_eq!(get(&session, server.url("/")), "a=1; b=2");
    clock.advance(Duration::from_secs(1));
    assert_eq!(get(&session, server.url("/")), "b=2");
    clock.advance(Duration::from_secs(400 * 86_400));
    assert_eq!(get(&session, server.url("/")), "none");
}

#[test]
fn a_reset_empties_the_storage_and_observers_hear_of_loads() {
    let (server, (session, storage)) = (server(), session(|usual| usual));
    let (sender, heard) = mpsc::channel();
    let _observer = storage.on_change(move || sender.send(()).unwrap());
    get(&session, server.url("/?a=1&b=2"));
    get(&session, server.url("/?a=1"));
    get(&session, server.url("/"));
    session.reset();
    session.reset();
    assert_eq!(heard.try_iter().count(), 2);
    assert_eq!((get(&session, server.url("/")), pairs(&storage).len()), ("none".to_owned(), 0));
}

#[test]
fn of_one_response_fifty_are_kept_and_others_come_whole_through_all_forms_of_a_load() {
    let server = Server::start();
    server.handle(|_| {
        (0..60).fold(Answer::ok(""), |all, n| all.header("Set-Cookie", format!("n{n}=1")))
    });
    let (session, storage) = session(|usual| usual);
    let server = Arc::new(server);
    for load in [0, 1, 2] {
        storage.remove_all();
        match load {
            0 => drop(session.upload(Request::post(server.url("/")), "body").unwrap()),
            1 => drop(session.download(server.url("/")).unwrap()),
            _ => drop(session.bytes(server.url("/")).unwrap()),
        }
        assert_eq!((pairs(&storage).len(), &*pairs(&storage)[49]), (50, "n49=1"));
    }
}
