//! House rules as tests.
//!
//! [`tables`] says who may use whom. Each rule is a function from a file's path and text to
//! complaints, so that the tests at the end can show it a text that breaks it.

#![allow(clippy::unwrap_used)]

mod aliases;
mod guide;
mod session;
mod snippets;
mod std_doors;
mod tables;
mod unused;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tables::{DOORS, MAY_USE, VOCABULARY};

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// Folders that exist only on the machine where something was written.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/"), concat!("/ho", "me/")];

const LONGEST_SOURCE: usize = 400;
const LONGEST_TEST: usize = 600;

// ---- reading Rust, as far as the rules need it ----

/// Returns the source with comments and the insides of literals blanked, line by line
/// and column by column in the same place.
fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = prose_end(&chars, at).unwrap_or(at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { c } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Returns where the comment or literal that starts at `at` ends, if one does.
fn prose_end(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => Some(find(chars, at, |c| c == '\n')),
        '/' if next == Some('*') => Some(block_comment_end(chars, at)),
        '"' => Some(quoted_end(chars, at, '"')),
        '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => {
            Some(quoted_end(chars, at, '\''))
        }
        'r' if !in_word(chars, at) || at > 0 && matches!(chars[at - 1], 'b' | 'c') => {
            raw_string_end(chars, at)
        }
        _ => None,
    }
}

/// Returns the first place from `at` on where `found` holds, or the end.
fn find(chars: &[char], at: usize, found: impl Fn(char) -> bool) -> usize {
    chars[at..].iter().position(|&c| found(c)).map_or(chars.len(), |n| at + n)
}

fn in_word(chars: &[char], at: usize) -> bool {
    at > 0 && is_word(chars[at - 1])
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn quoted_end(chars: &[char], at: usize, quote: char) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let open = find(chars, at + 1, |c| c != '#');
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let hashes = open - at - 1;
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    let end = (open + 1..chars.len()).find(|&i| closes(i)).map(|i| i + 1 + hashes);
    Some(end.unwrap_or(chars.len()))
}

/// Returns the code without the inline modules that are compiled for tests only.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(") {
        let attribute = start + rest[start..].find(']').map_or(rest.len() - start, |n| n + 1);
        let (condition, item) = (&rest[start..attribute], &rest[attribute..]);
        let module = item.trim_start().starts_with("mod ").then(|| item.find(['{', ';'])).flatten();
        match module {
            Some(open) if item[open..].starts_with('{') && is_for_tests(condition) => {
                kept.push_str(&rest[..start]);
                rest = &item[closing(item, open)..];
            }
            _ => {
                kept.push_str(&rest[..attribute]);
                rest = item;
            }
        }
    }
    kept + rest
}

fn is_for_tests(condition: &str) -> bool {
    !condition.contains("not(test") && !words(condition, "test").is_empty()
}

/// Returns where the bracket that opens at `open` is closed, the bracket included.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (i, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + i + 1;
        }
    }
    code.len()
}

/// Returns where `word` stands as a word of its own.
fn words(code: &str, word: &str) -> Vec<usize> {
    let alone = |&(at, _): &(usize, &str)| {
        !code[..at].ends_with(is_word) && !code[at + word.len()..].starts_with(is_word)
    };
    code.match_indices(word).filter(alone).map(|(at, _)| at).collect()
}

/// Returns the first names of the paths that go on at `rest`: one, or those of a group.
fn first_names(rest: &str) -> Vec<String> {
    let rest = rest.trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        return vec![first_name(rest)];
    };
    let (mut depth, mut start, mut names) = (1, 0, Vec::new());
    for (i, c) in group.char_indices() {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 || (depth == 1 && c == ',') {
            names.push(first_name(group[start..i].trim_start()));
            start = i + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    let raw = path.strip_prefix("r#").unwrap_or(path);
    let end = raw.find(|c| !is_word(c)).unwrap_or(raw.len());
    if raw.starts_with('*') { "*".into() } else { raw[..end].into() }
}

/// Returns what the code names right under the crate's root, where `depth` is how many
/// `super` it takes to get there from this file.
fn named_at_root(code: &str, depth: usize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for at in words(code, "crate") {
        let visibility = code[..at].ends_with("in ");
        if let Some(rest) = code[at + "crate".len()..].strip_prefix("::").filter(|_| !visibility) {
            names.extend(first_names(rest));
        }
    }
    for at in words(code, "super") {
        let mut rest = &code[at..];
        let mut steps = 0;
        while let Some(further) = rest.strip_prefix("super::") {
            (rest, steps) = (further, steps + 1);
        }
        if steps >= depth && !code[..at].ends_with("super::") {
            names.extend(first_names(rest).into_iter().filter(|name| is_room(name)));
        }
    }
    names
}

fn is_room(name: &str) -> bool {
    MAY_USE.iter().any(|(room, _)| *room == name)
}

/// Whether the whole file is for tests, as `parsing/tests.rs` and `parsing/tests/` are.
fn is_test_file(path: &str) -> bool {
    path.split(['/', '.']).any(|part| part == "tests")
}

/// Returns the code that is compiled for users.
fn production(path: &str, source: &str) -> String {
    if is_test_file(path) { String::new() } else { without_tests(&code_only(source)) }
}

// ---- the rules ----

/// The room of a file of `src` and how deep it lies; the crate's root belongs to none.
fn room_of(path: &str) -> Option<(&str, usize)> {
    let path = path.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let room = path.split('/').next()?;
    let is_root = matches!(room, "lib" | "main" | "bin");
    (!is_root).then(|| (room, path.split('/').count()))
}

fn rooms_beyond_the_table(path: &str, source: &str) -> Vec<String> {
    let Some((room, depth)) = room_of(path) else { return Vec::new() };
    let Some((_, floors)) = MAY_USE.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: the room `{room}` has no row in MAY_USE")];
    };
    let allowed: Vec<&str> = floors.concat();
    named_at_root(&production(path, source), depth)
        .into_iter()
        .filter(|name| name != room && !allowed.contains(&name.as_str()))
        .map(|name| format!("{path}: `{room}` may not name `crate::{name}`"))
        .collect()
}

fn names_crate(code: &str, krate: &str) -> bool {
    words(code, krate).into_iter().any(|at| {
        let (before, after) = (code[..at].trim_end(), &code[at + krate.len()..]);
        let imported = before.ends_with("use") || before.ends_with("extern crate");
        let inner = before.strip_suffix("::").is_some_and(|path| path.ends_with(is_word));
        imported || (after.starts_with("::") && !inner)
    })
}

/// Whether the name is that of a room of ours, which may be called as the crate it is a door of.
fn is_imported_room(path: &str, code: &str, name: &str) -> bool {
    let depth = room_of(path).map_or(0, |(_, depth)| depth);
    named_at_root(code, depth).contains(name)
}

fn crates_named_outside_their_door(path: &str, source: &str) -> Vec<String> {
    let code = production(path, source);
    DOORS
        .iter()
        .filter(|(_, doors)| !doors.iter().any(|door| path.starts_with(door)))
        .filter(|(krate, _)| names_crate(&code, krate) && !is_imported_room(path, &code, krate))
        .map(|(krate, _)| format!("{path}: `{krate}` has another door"))
        .collect()
}

fn dependencies_without_a_door(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split_once(['=', '.']))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .filter(|name| !name.starts_with('#'))
        .filter(|name| !VOCABULARY.contains(&name.as_str()))
        .filter(|name| !DOORS.iter().any(|(krate, _)| krate == name))
        .map(|name| format!("Cargo.toml: `{name}` is in neither DOORS nor VOCABULARY"))
        .collect()
}

fn too_long(path: &str, source: &str, longest: usize) -> Vec<String> {
    let lines = without_tests(&code_only(source)).lines().count();
    let complaint = format!("{path}: {lines} lines without its tests, {longest} at most");
    if lines > longest { vec![complaint] } else { Vec::new() }
}

fn unwraps(path: &str, source: &str) -> Vec<String> {
    let code = production(path, source);
    let found = words(&code, "unwrap").into_iter().any(|at| code[at..].starts_with("unwrap()"));
    if found { vec![format!("{path}: `unwrap()` outside tests")] } else { Vec::new() }
}

/// A panic that is caught is logged, and what it leaves may panic again: one room knows how.
fn panics_caught_elsewhere(path: &str, source: &str) -> Vec<String> {
    let catches = words(&production(path, source), "catch_unwind");
    if path == "foreign.rs" || catches.is_empty() {
        return Vec::new();
    }
    vec![format!("{path}: `catch_unwind` outside foreign.rs, whose `caught` is the way to it")]
}

fn empty_names(path: &str) -> Vec<String> {
    path.split(['/', '.'])
        .filter(|part| EMPTY_NAMES.contains(part))
        .map(|part| format!("{path}: `{part}` does not say what it holds"))
        .collect()
}

/// A path of this machine starts there; `$folder/tmp` goes on from somewhere else.
fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let starts = |at: usize| !text[..at].ends_with(|c: char| is_word(c) || "./}@-~".contains(c));
    MACHINE_PATHS
        .iter()
        .filter(|word| text.match_indices(**word).any(|(at, _)| starts(at)))
        .map(|word| format!("{path}: names `{word}`"))
        .collect()
}

fn examples_not_mentioned(readme: &str, examples: &[String]) -> Vec<String> {
    let complaint = |name: &&String| words(readme, name).is_empty();
    examples.iter().filter(complaint).map(|name| format!("README.md: no `{name}`")).collect()
}

fn is_in_the_changelog(changelog: &str, version: &str) -> bool {
    changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .any(|heading| heading.split([' ', '[', ']']).any(|word| word == version))
}

// ---- the rules, held to this repository ----

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file under a folder of the repository with its path from there and its text.
fn files(folder: &str) -> Vec<(String, String)> {
    let top = root().join(folder);
    let (mut found, mut folders) = (Vec::new(), vec![top.clone()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let built = path.ends_with("target") || path.ends_with("__pycache__");
            if path.is_dir() && !built {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let inside = path.strip_prefix(&top).unwrap();
                found.push((inside.to_str().unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn sources(rule: impl Fn(&str, &str) -> Vec<String>) {
    let files: Vec<_> =
        files("src").into_iter().filter(|(path, _)| path.ends_with(".rs")).collect();
    assert!(files.len() > 5, "no sources were found");
    assert_none(files.iter().flat_map(|(path, text)| rule(path, text)).collect());
}

#[test]
fn rooms_name_only_the_rooms_that_they_may_use() {
    sources(rooms_beyond_the_table);
}

#[test]
fn each_foreign_crate_has_one_door() {
    sources(crates_named_outside_their_door);
    assert_none(dependencies_without_a_door(&text("Cargo.toml")));
}

#[test]
fn no_file_is_too_long() {
    sources(|path, text| {
        too_long(path, text, if is_test_file(path) { LONGEST_TEST } else { LONGEST_SOURCE })
    });
    for folder in ["tests", "examples", "benches"] {
        let rust = files(folder).into_iter().filter(|(path, _)| path.ends_with(".rs"));
        assert_none(rust.flat_map(|(path, text)| too_long(&path, &text, LONGEST_TEST)).collect());
    }
}

#[test]
fn nothing_outside_tests_unwraps() {
    sources(unwraps);
}

#[test]
fn one_room_catches_panics() {
    sources(panics_caught_elsewhere);
}

#[test]
fn every_file_name_says_what_the_file_holds() {
    for folder in ["src", "tests", "examples", "benches"] {
        assert_none(files(folder).iter().flat_map(|(path, _)| empty_names(path)).collect());
    }
}

#[test]
fn no_file_names_a_path_of_the_machine_it_was_written_on() {
    for folder in ["src", "tests", "examples", "benches", ".ci", ".cargo"] {
        let all = files(folder);
        assert_none(all.iter().flat_map(|(path, text)| machine_paths(path, text)).collect());
    }
    for path in ["README.md", "CHANGELOG.md", "Cargo.toml"] {
        assert_none(machine_paths(path, &text(path)));
    }
}

#[test]
fn the_readme_mentions_every_example() {
    let names = files("examples").into_iter().filter_map(|(path, _)| {
        // A package of its own has its program in `src`.
        let folder = path.strip_suffix("/main.rs").map(|path| path.trim_end_matches("/src").into());
        folder.or_else(|| Some(path.strip_suffix(".rs").filter(|p| !p.contains('/'))?.to_owned()))
    });
    assert_none(examples_not_mentioned(&text("README.md"), &names.collect::<Vec<_>>()));
}

#[test]
fn the_current_version_is_in_the_changelog() {
    assert!(is_in_the_changelog(&text("CHANGELOG.md"), env!("CARGO_PKG_VERSION")));
}

// ---- the rules can fail ----

#[test]
fn the_table_goes_downstairs_only() {
    for (row, (room, floors)) in MAY_USE.iter().enumerate() {
        for named in floors.concat() {
            let below = MAY_USE[..row].iter().any(|(name, _)| *name == named);
            assert!(below, "`{room}` may use `{named}`, which is not below it");
        }
    }
}

#[test]
fn code_is_told_from_prose() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("x \" y", z)"#, "f(        , z)"),
        (r##"r#"a " b"# c"##, "           c"),
        ("'a' 'b: '\\'' c", "    'b:      c"),
        ("/// `use crate::x`\nfn f() {}", "                  \nfn f() {}"),
    ];
    for (source, code) in cases {
        assert_eq!(code_only(source).trim_end(), code.trim_end(), "{source}");
    }
}

#[test]
fn only_test_modules_are_cut_off() {
    let cases = [
        ("a #[cfg(test)] mod tests { fn f() {} } b", "a  b"),
        ("a #[cfg(all(test, unix))] mod tests { } b", "a  b"),
        ("#[cfg(unix)] mod sys { }", "#[cfg(unix)] mod sys { }"),
        ("#[cfg(not(test))] mod sys { }", "#[cfg(not(test))] mod sys { }"),
        ("#[cfg(test)] mod tests; fn f() {}", "#[cfg(test)] mod tests; fn f() {}"),
    ];
    for (code, kept) in cases {
        assert_eq!(without_tests(code), kept, "{code}");
    }
}

#[test]
fn an_import_upstairs_is_found_however_it_is_written() {
    let upstairs = [
        "use crate::session::Session;",
        "use crate::{sync::Mutex, session::{Session, Task}};",
        "fn f(s: crate::session::Session) {}",
        "use super::session::Session;",
        "use crate::Error;",
        "use crate::*;",
    ];
    for source in upstairs {
        assert_eq!(rooms_beyond_the_table("cancel.rs", source).len(), 1, "{source}");
    }
    let fine = [
        "use crate::sync::Mutex;",
        "use crate::{sync::Mutex, cancel::CancelToken};",
        "pub(in crate::session) fn f() {}",
        "// crate::session",
        "#[cfg(test)] mod tests { use crate::session::Session; }",
    ];
    for source in fine {
        assert_eq!(rooms_beyond_the_table("cancel.rs", source), [""; 0], "{source}");
    }
    assert_eq!(rooms_beyond_the_table("load/a.rs", "use super::session::X;"), [""; 0]);
    assert_eq!(rooms_beyond_the_table("load/a.rs", "use super::super::session::X;").len(), 1);
    assert_eq!(rooms_beyond_the_table("attic.rs", "").len(), 1);
    assert_eq!(rooms_beyond_the_table("lib.rs", "pub use crate::session::X;"), [""; 0]);
}

#[test]
fn a_foreign_crate_outside_its_door_is_found() {
    let cases = [
        ("load/mod.rs", "use socket2::Socket;", 1),
        ("load/mod.rs", "fn f(s: socket2::Socket) {}", 1),
        ("load/mod.rs", "use ::rustls::Error; fn f(_: rustls::Error) {}", 1),
        ("load/mod.rs", "use crate::engine::socket2::Socket;", 0),
        ("load/mod.rs", "let socket2 = 1; // socket2::Socket", 0),
        ("engine/socket.rs", "use socket2::Socket;", 0),
        ("engine/tls.rs", "use rustls::ClientConfig;", 0),
        ("load/mod.rs", "fn f() { log::warn!(1) }", 1),
        ("load/mod.rs", "use crate::log; fn f() { log::warn!(1) }", 0),
    ];
    for (path, source, complaints) in cases {
        let found = crates_named_outside_their_door(path, source);
        assert_eq!(found.len(), complaints, "{path}: {source}");
    }
    let manifest = "\n[dependencies]\n# a = 1\nhttp = \"1\"\nuh-oh = \"1\"\n[lints]\nx = 1\n";
    assert_eq!(dependencies_without_a_door(manifest).len(), 1);
}

#[test]
fn the_smaller_rules_find_what_they_look_for() {
    assert_eq!(too_long("a.rs", "fn f() {}\n\n", 1).len(), 1);
    for (path, source, found) in [
        ("body/open.rs", "use std::panic::catch_unwind;", 1),
        ("foreign.rs", "panic::catch_unwind(code)", 0),
        ("a.rs", "// catch_unwind\n#[cfg(test)] mod tests { panic::catch_unwind(code) }", 0),
    ] {
        assert_eq!(panics_caught_elsewhere(path, source).len(), found, "{path}");
    }
    assert_eq!(too_long("a.rs", "a\n#[cfg(test)]\nmod tests {\n\n}", 2), [""; 0]);
    assert_eq!(unwraps("a.rs", "f().unwrap();").len(), 1);
    assert_eq!(unwraps("load/tests/a.rs", "f().unwrap();"), [""; 0]);
    assert_eq!(unwraps("a.rs", "f().unwrap_or(1); // .unwrap()"), [""; 0]);
    assert_eq!(empty_names("load/util.rs").len(), 1);
    assert_eq!(empty_names("load/utility_room.rs"), [""; 0]);
    assert_eq!(machine_paths("a", &format!("in {}x", MACHINE_PATHS[0])).len(), 1);
    assert_eq!(machine_paths("a", &format!("$dir{}x", MACHINE_PATHS[0])), [""; 0]);
    assert_eq!(examples_not_mentioned("see fetches", &["fetch".into()]).len(), 1);
    assert_eq!(examples_not_mentioned("see `fetch`", &["fetch".into()]), [""; 0]);
    assert!(is_in_the_changelog("# C\n\n## [1.2.0] - 2026", "1.2.0"));
    assert!(!is_in_the_changelog("# C\n\n1.2.0\n## 1.2.01", "1.2.0"));
}
