//! Snippets of the docs stand alone: what is copied from a page compiles where it is pasted.

use super::{assert_none, files};

/// Returns the lines of snippets that their readers do not see, but their compiler does.
fn hidden_lines(path: &str, text: &str) -> Vec<String> {
    let mut is_snippet = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            is_snippet = false;
            continue;
        };
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("```") {
            is_snippet = !is_snippet;
        } else if is_snippet && line.starts_with("# ") && is_missed(&line[2..]) {
            found.push(format!("{path}:{}: a snippet hides `{}`", index + 1, &line[2..]));
        }
    }
    found
}

/// Whether a snippet without this line does not compile: one that a feature leaves out still
/// does, and so does one with a value that nobody uses.
fn is_missed(hidden: &str) -> bool {
    !(hidden.starts_with("let _ = ") || hidden.starts_with("#[cfg(feature = ") || hidden == "}")
}

#[test]
fn snippets_hide_nothing_that_they_need() {
    assert_none(files("src").iter().flat_map(|(path, text)| hidden_lines(path, text)).collect());
}

#[test]
fn a_snippet_that_hides_something_is_found() {
    for (text, found) in [
        ("/// ```\n/// f();\n/// ```\n", 0),
        ("/// ```\n/// # use a::f;\n/// f();\n/// ```\n", 1),
        ("//! ```no_run\n//! f()?;\n//! # Ok::<(), Error>(())\n//! ```\n", 1),
        (
            "    /// ```\n    /// # let _ = f;\n    /// # #[cfg(feature = \"a\")] {\n    /// # }\n",
            0,
        ),
        ("/// # Errors\n///\n/// If `f` fails.\n", 0),
        ("/// ```\n/// f();\n/// ```\n/// # Errors\n", 0),
    ] {
        assert_eq!(hidden_lines("a.rs", text).len(), found, "{text}");
    }
}
