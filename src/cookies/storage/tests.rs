use std::sync::Mutex as StdMutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn cookie(name: &str, value: &str) -> Cookie {
    Cookie::new(name, value, "shop.test").unwrap()
}

fn names(cookies: &[Cookie]) -> Vec<&str> {
    cookies.iter().map(Cookie::name).collect()
}

#[test]
fn a_cookie_of_the_program_is_what_it_says() {
    for (domain, kept, host_only) in [
        ("shop.test", "shop.test", true),
        (".shop.test", "shop.test", false),
        (".SHOP.test.", "shop.test", false),
        ("b\u{fc}cher.test", "xn--bcher-kva.test", true),
        ("localhost", "localhost", true),
        ("127.0.0.1", "127.0.0.1", true),
        ("[::1]", "[::1]", true),
    ] {
        let cookie = Cookie::new("a", "b", domain).unwrap();
        assert_eq!((cookie.domain(), cookie.is_host_only()), (kept, host_only), "{domain}");
    }
    for domain in ["", ".", "..", "a b", ".127.0.0.1", ".test", "http://shop.test", "..shop.test"] {
        assert!(Cookie::new("a", "b", domain).is_err(), "{domain}");
    }
    for (name, value) in [
        ("", ""),
        ("a=b", ""),
        ("a;", ""),
        (" a", ""),
        ("a", "b;c"),
        ("a", "b "),
        ("a", "b\r\nX: y"),
        ("a", "\u{0}"),
        ("", "a=b"),
        ("a", &"b".repeat(4_096)),
    ] {
        assert!(Cookie::new(name, value, "shop.test").is_err(), "{name:?} {value:?}");
    }
    assert_eq!(cookie("a", "b").with_path("x").path(), "/");
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(4);
    let all = cookie("a", "secret")
        .with_path("/x")
        .with_expires(until)
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(super::super::SameSite::Lax);
    assert_eq!((all.expires(), all.is_session_only()), (Some(until), false));
    assert_eq!(all.to_string(), "a=***; Path=/x; Secure; HttpOnly; SameSite=Lax");
    assert!(!format!("{all:?}").contains("secret"), "{all:?}");
    assert!(cookie("a", "b").with_expires(until).with_expires(None).is_session_only());
}

#[test]
fn cookies_are_set_listed_and_removed() {
    let storage = CookieStorage::new();
    assert!(!storage.has_any());
    assert!(storage.set(cookie("b", "1")));
    let between = storage.cookies()[0].created() + Duration::from_micros(1);
    assert!(storage.set(cookie("a", "2")));
    assert!(storage.set(cookie("b", "3").with_path("/x")));
    assert_eq!(names(&storage.cookies()), ["b", "a", "b"]);
    let by_name = |one: &Cookie, two: &Cookie| one.name().cmp(two.name());
    assert_eq!(names(&storage.sorted(by_name)), ["a", "b", "b"]);
    assert_eq!(names(&storage.cookies_for(&url("http://shop.test/x/y"))), ["b", "b", "a"]);
    assert!(storage.cookies_for(&url("http://www.shop.test/")).is_empty());
    assert!(storage.delete(&cookie("b", "whatever")));
    assert!(!storage.delete(&cookie("b", "1")));
    assert!(storage.set(cookie("c", "1")));
    storage.remove_since(between);
    assert!(storage.cookies().is_empty() && !storage.has_any());
    // One that has expired removes the one that was there.
    storage.set(cookie("a", "1"));
    assert!(!storage.set(cookie("a", "1").with_expires(SystemTime::UNIX_EPOCH)));
    assert!(storage.cookies().is_empty());
    // What a prefix promises holds for the program, too.
    assert!(!storage.set(cookie("__Host-a", "1")));
    assert!(storage.set(cookie("__Host-a", "1").with_secure(true)));
    storage.remove_all();
    assert!(!storage.has_any());
}

#[test]
fn a_policy_says_whose_cookies_are_kept() {
    let storage = CookieStorage::new();
    let (shop, main) = (url("https://shop.test/"), url("https://news.test/"));
    let both = || [cookie("a", "1"), Cookie::new("b", "1", "other.test").unwrap()];
    storage.set_for(both(), &shop, Some(&main));
    assert!(storage.cookies().is_empty());
    storage.set_for(both(), &shop, None);
    assert_eq!(names(&storage.cookies()), ["a"]);
    storage.set_accept_policy(CookieAcceptPolicy::Always);
    storage.set_for([cookie("c", "1")], &shop, Some(&main));
    assert_eq!(names(&storage.cookies()), ["a", "c"]);
    storage.set_accept_policy(CookieAcceptPolicy::Never);
    storage.set_for([cookie("d", "1")], &shop, None);
    assert!(!storage.set(cookie("d", "1")));
    assert_eq!(names(&storage.cookies()), ["a", "c"]);
    assert_eq!(storage.accept_policy(), CookieAcceptPolicy::Never);
    // For the hosts below, a host may set what is for all of them, and not what is for another.
    let storage = CookieStorage::new();
    let all = Cookie::new("all", "1", ".shop.test").unwrap();
    storage.set_for([all, cookie("own", "1")], &url("https://www.shop.test/"), None);
    assert_eq!(names(&storage.cookies()), ["all"]);
}

#[test]
fn fields_are_read_and_written() {
    let shop = url("https://shop.test/cart/");
    let fields = (0..60).map(|n| ("Set-Cookie", format!("n{n}=1")));
    let cookies = Cookie::from_header_fields(&Headers::from_iter(fields), &shop);
    assert_eq!((cookies.len(), cookies[49].name()), (50, "n49"));
    let headers = Cookie::header_fields(&cookies[..2]);
    assert_eq!((headers.len(), headers.get("cookie")), (1, Some("n0=1; n1=1")));
    assert!(Cookie::header_fields([]).is_empty());
    assert!(!format!("{headers:?}").contains("=1"), "{headers:?}");
}

#[cfg(feature = "test-util")]
#[test]
fn time_goes_by_the_clock() {
    let clock = Clock::by_hand();
    let storage = CookieStorage::with_clock(&clock);
    storage.set(cookie("a", "1").with_expires(clock.date() + Duration::from_secs(10)));
    let far = clock.date() + Duration::from_secs(1_000 * 86_400);
    storage.set(cookie("b", "1").with_expires(far));
    assert_eq!(names(&storage.cookies()), ["a", "b"]);
    clock.advance(Duration::from_secs(11));
    assert_eq!(names(&storage.cookies()), ["b"]);
    clock.advance(Duration::from_secs(400 * 86_400));
    assert!(storage.cookies().is_empty(), "none lives longer than 400 days");
}

#[test]
fn observers_hear_of_changes_and_may_use_the_storage() {
    let storage = CookieStorage::new();
    let heard = Arc::new(StdMutex::new(Vec::new()));
    let (inside, list) = (storage.clone(), Arc::clone(&heard));
    let panics = storage.on_change(|| panic!("an observer's own"));
    let observer = storage.on_change(move || {
        let names = inside.cookies().iter().map(|one| one.name().to_owned()).collect::<String>();
        list.lock().unwrap().push(names);
        drop(inside.on_change(|| ()));
    });
    storage.set(cookie("a", "1"));
    storage.set(cookie("a", "1"));
    assert!(!storage.delete(&cookie("b", "1")));
    storage.set(cookie("b", "1"));
    storage.keep(
        &Headers::from_iter([("Set-Cookie", "c=1"), ("Set-Cookie", "d=1")]),
        &url("http://shop.test/"),
        &Clock::system(),
    );
    storage.remove_all();
    storage.remove_all();
    drop((observer, panics));
    storage.set(cookie("a", "1"));
    assert_eq!(*heard.lock().unwrap(), ["a", "ab", "abcd", ""]);
}

#[test]
fn threads_use_one_storage_at_once() {
    let (storage, changes) = (CookieStorage::new(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&changes);
    let _observer = storage.on_change(move || {
        count.fetch_add(1, atomic::Ordering::SeqCst);
    });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let storage = &storage;
            scope.spawn(move || {
                for n in 0..40 {
                    assert!(storage.set(cookie(&format!("n{thread}-{n}"), "1")));
                    storage.cookies_for(&url("http://shop.test/"));
                }
            });
        }
    });
    let cookies = storage.cookies();
    assert_eq!((cookies.len(), changes.load(atomic::Ordering::SeqCst)), (160, 160));
    assert!(cookies.windows(2).all(|two| two[0].created < two[1].created));
}
