//! Pages of the guide show programs of `examples/`, as they are, and tables of features are whole.

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

/// Returns the features of a manifest that a text has no row for.
fn features_without_a_row(manifest: &str, text: &str) -> Vec<String> {
    let features = manifest.split("[features]\n").nth(1).unwrap_or_default();
    let lines = features.lines().take_while(|line| !line.starts_with('['));
    let names =
        lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("| `")).collect();
    let has_row = |name: &str| rows.iter().any(|row| row.contains(&format!("`{name}`")));
    names
        .map(|(name, _)| name)
        .filter(|name| *name != "default" && !has_row(name))
        .map(Into::into)
        .collect()
}

#[test]
fn every_feature_stands_in_the_tables() {
    let manifest = text("Cargo.toml");
    for table in ["README.md", "src/lib.rs"] {
        assert_eq!(features_without_a_row(&manifest, &text(table)), [""; 0], "{table}");
    }
}

#[test]
fn a_feature_without_a_row_is_found() {
    let manifest = "[package]\n\n[features]\ndefault = [\"a\"]\n# says\na = []\nb-c = [\"a\"]\n\n[lints]\nd = 1\n";
    assert_eq!(features_without_a_row(manifest, "| `a`, `b-c` | |"), [""; 0]);
    assert_eq!(features_without_a_row(manifest, "`b-c`\n//! | `a` | yes |"), ["b-c"]);
}
