//! What std has and this crate has in a form of its own.

use crate::{production, sources, words};

/// The files that may look at the machine's clock: what else has a time has it from a `Clock`,
/// which a test can turn. A guard against a test that hangs goes by the machine's.
const CLOCKS: &[&str] = &["clock.rs", "session/steps.rs", "testing/"];

/// Locks of std are unranked, and hand out a panic of somebody else.
fn locks_of_std(path: &str, source: &str) -> Vec<String> {
    const NAMES: &[&str] = &["Mutex", "MutexGuard", "Condvar", "RwLock", "PoisonError"];
    if path == "sync.rs" || path.starts_with("sync/") {
        return Vec::new();
    }
    let code = production(path, source);
    let imports: Vec<&str> = words(&code, "use")
        .into_iter()
        .filter_map(|at| code[at + "use".len()..].split(';').next())
        .filter(|path| path.trim_start().starts_with("std::") && !words(path, "sync").is_empty())
        .collect();
    let is_named = |name: &&&str| {
        let imported = imports.iter().any(|path| !words(path, name).is_empty());
        let path = |at: usize| {
            code[..at].strip_suffix("sync::").is_some_and(|before| !before.ends_with("crate::"))
        };
        imported || words(&code, name).into_iter().any(path)
    };
    let complain = |name| format!("{path}: `{name}` of std has a door, `crate::sync`");
    NAMES.iter().filter(is_named).map(complain).collect()
}

fn clocks_of_the_machine(path: &str, source: &str) -> Vec<String> {
    if CLOCKS.iter().any(|door| path.starts_with(door)) {
        return Vec::new();
    }
    let code = production(path, source);
    let reads = |clock: &&str| {
        words(&code, clock).into_iter().any(|at| code[at + clock.len()..].starts_with("::now"))
    };
    let complain = |clock| format!("{path}: `{clock}::now` has a door, `crate::clock`");
    ["Instant", "SystemTime", "UnixTime"].into_iter().filter(reads).map(complain).collect()
}

#[test]
fn locks_of_std_have_one_door() {
    sources(locks_of_std);
}

#[test]
fn the_machines_clock_has_one_door() {
    sources(clocks_of_the_machine);
}

#[test]
fn a_lock_of_std_is_found_however_it_is_named() {
    let cases = [
        ("load/mod.rs", "use std::sync::{Arc, Condvar, Mutex};", 2),
        ("load/mod.rs", "use std::{fmt, sync::{Arc, Mutex}};", 1),
        ("load/mod.rs", "struct S(std::sync::Mutex<u32>);", 1),
        ("load/mod.rs", "use std::sync; struct S(sync::RwLock<u32>);", 1),
        ("load/mod.rs", "use std::sync::Arc; use crate::sync::Mutex;", 0),
        ("load/mod.rs", "struct S(crate::sync::Mutex<u32>);", 0),
        ("load/mod.rs", "#[cfg(test)] mod tests { use std::sync::Mutex; }", 0),
        ("load/tests.rs", "use std::sync::Mutex;", 0),
        ("sync.rs", "use std::sync::{self, PoisonError};", 0),
    ];
    for (path, source, complaints) in cases {
        assert_eq!(locks_of_std(path, source).len(), complaints, "{path}: {source}");
    }
}

#[test]
fn a_look_at_the_machines_clock_is_found() {
    let cases = [
        ("load/mod.rs", "let now = Instant::now();", 1),
        ("trust/policy.rs", "let now = rustls::pki_types::UnixTime::now();", 1),
        ("trust/policy.rs", "let now = std::time::SystemTime::now;", 1),
        ("load/mod.rs", "let now = self.clock.now(); // Instant::now()", 0),
        ("load/mod.rs", "#[cfg(test)] mod tests { fn f() { Instant::now(); } }", 0),
        ("clock.rs", "Instant::now()", 0),
    ];
    for (path, source, complaints) in cases {
        assert_eq!(clocks_of_the_machine(path, source).len(), complaints, "{path}: {source}");
    }
}
