use super::*;
use crate::cookies::changes::Changes;
use url::Url;

const NOW: Moment = 1_796_000_000_000_000;

fn cookie(line: &str) -> Cookie {
    let url = Url::parse("https://www.shop.test/a/b").unwrap();
    Cookie::set_by(line.as_bytes(), &url, NOW).unwrap()
}

fn jar(lines: &[&str]) -> Jar {
    let mut jar = Jar::default();
    for line in lines {
        assert!(jar.put(cookie(line), NOW), "{line}");
    }
    jar
}

/// Names and values.
fn pairs(jar: &Jar) -> Vec<String> {
    jar.all(NOW).iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect()
}

#[test]
fn what_is_written_is_read_again_but_for_what_ends_with_the_session() {
    let lasting = [
        "a=1; Max-Age=100; Path=/x; Secure; HttpOnly; SameSite=Lax",
        "b=2; Max-Age=100; Domain=shop.test; SameSite=Strict",
        "=\\t\\n\\; Max-Age=100; SameSite=None",
        "c=d\te\\; Max-Age=100; Path=/\\n\t",
        "\u{fc}=\u{2028}\u{85}; Max-Age=100",
    ];
    let mut written = jar(&lasting);
    assert!(written.put(cookie("session=1"), NOW));
    let url = Url::parse("https://www.shop.test/").unwrap();
    let latin1 = Cookie::set_by(b"\xfc=\xff; Max-Age=9", &url, NOW).unwrap();
    assert!(written.put(latin1, NOW));
    let text = to_text(&written, NOW);
    assert_eq!(text.lines().count(), 6);
    let read = from_text(&text);
    let expected: Vec<_> =
        written.all(NOW).into_iter().filter(|cookie| !cookie.is_session_only()).collect();
    let all = read.all(NOW);
    assert_eq!(all, expected);
    assert!(all.last().unwrap().latin1);
    let created = |cookies: &[Cookie]| cookies.iter().map(|one| one.created).collect::<Vec<_>>();
    assert_eq!(created(&all), created(&expected));
    assert_eq!(to_text(&read, NOW), text);
    // Those that have expired are not written.
    assert_eq!(to_text(&read, NOW + 200_000_000), "");
}

#[test]
fn a_line_that_is_no_cookie_is_passed_over() {
    let good = to_text(&jar(&["a=1; Max-Age=100"]), NOW);
    let line = good.trim_end();
    for bad in [
        "",
        "x",
        &line[1..].replace('\t', " "),
        &line.replace("a\t1", "a\t1\t2"),
        &line.replace("\ta\t1", "\ta"),
        &line.replace("a\t1", "a\t\\x"),
        &line.replace("a\t1", "a\t\\"),
        // What no server could have set is not sent to one.
        &line.replace("a\t1", "a\t1\r"),
        &line.replace("a\t1", "a\t1;b=2"),
        &line.replace("a\t1", "a\t1\\nb"),
        &line.replace("a\t1", "\t"),
        &line.replace("www.shop.test", ""),
        &line.replace("1796000000000000", "now"),
    ] {
        assert_ne!(bad, line);
        let read = from_text(&format!("{bad}\n{good}"));
        assert_eq!(pairs(&read), ["a=1"], "{bad:?}");
    }
    assert_eq!(pairs(&from_text(&good[..good.len() - 1])), ["a=1"], "without its end");
}

#[test]
fn the_changes_of_several_processes_come_together() {
    let file = to_text(&jar(&["a=1; Max-Age=9", "b=1; Max-Age=9", "c=1; Max-Age=9"]), NOW);
    let open = || {
        let mut jar = from_text(&file);
        jar.changes = Some(Changes::default());
        jar
    };
    let (mut one, mut other) = (open(), open());
    one.put(cookie("a=2; Max-Age=9"), NOW);
    one.put(cookie("d=1; Max-Age=9"), NOW);
    one.put(cookie("session=1"), NOW);
    one.remove(&cookie("b=1"));
    // What ends with the session now is not in the file any more.
    other.put(cookie("c=2"), NOW);
    other.put(cookie("e=1; Max-Age=9"), NOW);
    other.put(cookie("e=2; Max-Age=9"), NOW);
    other.put(cookie("a=2; Max-Age=9"), NOW);
    other.remove(&cookie("d=1"));
    let mut merged = from_text(&file);
    one.changes.take().unwrap().apply_to(&mut merged);
    assert_eq!(pairs(&merged), ["a=2", "c=1", "d=1"]);
    let mut merged = from_text(&to_text(&merged, NOW));
    let changes = other.changes.take().unwrap();
    assert!(!changes.is_empty());
    changes.apply_to(&mut merged);
    assert_eq!(pairs(&merged), ["a=2", "d=1", "e=2"]);
}
