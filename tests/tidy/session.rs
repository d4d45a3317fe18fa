//! The rooms inside `session`, held as the rooms of the whole house are.

use std::collections::BTreeSet;

use crate::tables::SESSION_MAY_USE;
use crate::{assert_none, first_names, is_word, production, sources, words};

/// The rows of the table that may name each other: the public API is so, as a session has a
/// delegate, which is told of tasks, which have a session.
const KNOT: [&str; 3] = ["delegate", "handle", "task"];

/// The room of a file of `src/session`, and how deep it lies in there.
pub(crate) fn room_of(path: &str) -> Option<(&str, usize)> {
    let path = path.strip_prefix("session/")?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let room = path.split('/').next()?;
    // The rest of `mod.rs` is a handle, which may use everything.
    (room != "mod").then(|| (room, path.split('/').count()))
}

/// Returns what the code names right under `session`.
pub(crate) fn named(code: &str, depth: usize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for at in words(code, "session") {
        let follows = code[..at].ends_with("crate::") && !code[..at].ends_with("in crate::");
        if let Some(rest) = code[at + "session".len()..].strip_prefix("::").filter(|_| follows) {
            names.extend(first_names(rest));
        }
    }
    for at in words(code, "super") {
        let mut rest = &code[at..];
        let mut steps = 0;
        while let Some(further) = rest.strip_prefix("super::") {
            (rest, steps) = (further, steps + 1);
        }
        let is_start = !code[..at].ends_with("super::");
        if is_start && steps == depth && rest.starts_with(|c: char| is_word(c) || c == '{') {
            names.extend(first_names(rest));
        }
    }
    names
}

fn rooms_beyond_the_table(path: &str, source: &str) -> Vec<String> {
    let Some((room, depth)) = room_of(path) else { return Vec::new() };
    let Some((_, allowed)) = SESSION_MAY_USE.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: the room `{room}` has no row in SESSION_MAY_USE")];
    };
    named(&production(path, source), depth)
        .into_iter()
        .filter(|name| name != room && !allowed.contains(&name.as_str()))
        .map(|name| format!("{path}: `{room}` may not name `session::{name}`"))
        .collect()
}

#[test]
fn rooms_inside_the_session_name_only_the_rooms_that_they_may_use() {
    sources(rooms_beyond_the_table);
}

#[test]
fn the_table_of_the_session_goes_downstairs_but_for_its_knot() {
    let mut complaints = Vec::new();
    for (row, (room, allowed)) in SESSION_MAY_USE.iter().enumerate() {
        for named in *allowed {
            let is_below = SESSION_MAY_USE[..row].iter().any(|(name, _)| name == named);
            let is_knot = KNOT.contains(room) && KNOT.contains(named);
            if !is_below && !is_knot {
                complaints.push(format!("`{room}` may use `{named}`, which is not below it"));
            }
        }
    }
    assert_none(complaints);
}

#[test]
fn an_import_upstairs_inside_the_session_is_found_however_it_is_written() {
    for source in [
        "use crate::session::local::Local;",
        "use crate::session::{task::Core, local::Local};",
        "use super::super::local::Local;",
        "fn f(x: crate::session::local::Local) {}",
        "use crate::session::Session;",
    ] {
        let found = rooms_beyond_the_table("session/task/inner.rs", source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
    }
    for source in [
        "use crate::session::handle::Session;",
        "use super::life::Life;",
        "use super::super::delegate::Delegate;",
        "pub(in crate::session) fn f() {}",
        "// crate::session::local",
    ] {
        assert_eq!(rooms_beyond_the_table("session/task/inner.rs", source), [""; 0], "{source}");
    }
    assert_eq!(rooms_beyond_the_table("session/attic.rs", "").len(), 1);
    assert_eq!(rooms_beyond_the_table("session/mod.rs", "use self::local::Local;"), [""; 0]);
}
