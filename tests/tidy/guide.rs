//! Pages of the guide show programs of `examples/`, as they are.

use super::{assert_none, files, text};

/// The pages with programs, and how many each has.
const PAGES: &[(&str, usize)] = &[
    ("nsurlsession", 5),
    ("coming_from_ureq", 1),
    ("coming_from_reqwest", 1),
    ("coming_from_urlsession_in_swift", 1),
    ("coming_from_urlsession_in_objective_c", 1),
];

/// Returns the programs that a page shows: the path of each, which its first line names, and its
/// text after that line.
fn programs(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let shown = blocks.filter_map(|block| block.strip_prefix("rust,no_run\n// "));
    shown
        .filter_map(|block| block.split_once('\n'))
        .map(|(path, code)| (path.into(), code.trim().into()))
        .collect()
}

/// Returns the text of a program after the lines that say what it is.
fn after_its_head(source: &str) -> String {
    let lines = source.lines().skip_while(|line| line.starts_with("//!"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Returns what is wrong with a page that should show `count` programs.
fn complaints(page: &str, count: usize, source: impl Fn(&str) -> String) -> Vec<String> {
    let programs = programs(page);
    let mut wrong = Vec::new();
    if programs.len() != count {
        wrong.push(format!("{} programs are shown, and should be {count}", programs.len()));
    }
    for (path, code) in programs {
        if code != after_its_head(&source(&path)) {
            wrong.push(format!("{path} has another text than its page"));
        }
    }
    wrong
}

#[test]
fn a_page_shows_its_examples_as_they_are() {
    for (page, count) in PAGES {
        assert_none(complaints(&text(&format!("src/guide/{page}.md")), *count, text));
    }
    let pages = files("src/guide").into_iter().filter(|(_, text)| !programs(text).is_empty());
    assert_eq!(pages.count(), PAGES.len(), "a page with programs is not in the table");
}

#[test]
fn a_program_that_is_not_as_its_page_shows_it_is_found() {
    let page =
        "A\n\n```objc\n[a b];\n```\n\n```rust,no_run\n// examples/a.rs\nfn main() {}\n```\nB\n";
    for (count, source, found) in [
        (1, "//! Head.\n//!\n//!     run\n\nfn main() {}\n", 0),
        (1, "//! Head.\n\nfn main() { }\n", 1),
        (1, "", 1),
        (2, "fn main() {}", 1),
        (0, "fn f() {}", 2),
    ] {
        assert_eq!(complaints(page, count, |_| source.into()).len(), found, "{source}");
    }
}
