//! What serde says about JSON, without the values that stand in it.

use std::error::Error as StdError;
use std::sync::Arc;

use serde_json::error::Category;

use super::Error;

/// What serde found, in its words.
const FOUND: [&str; 16] = [
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "byte array",
    "unit value",
    "Option value",
    "newtype struct",
    "sequence",
    "map",
    "enum",
    "unit variant",
    "newtype variant",
    "tuple variant",
    "struct variant",
];

impl Error {
    /// Adds what is wrong with JSON, of which `Display` names what holds no values.
    #[cold]
    pub(crate) fn by_json(mut self, source: serde_json::Error) -> Self {
        let words = words(&source);
        if !words.is_empty() {
            let inner = Arc::make_mut(&mut self.0);
            inner.detail = format!("{}: {words}", inner.detail).into();
        }
        self.because(source)
    }
}

/// Whether what an error says of itself may hold values of JSON.
pub(super) fn is_of_json(error: &(dyn StdError + 'static)) -> bool {
    error.is::<serde_json::Error>()
}

/// Returns serde's text, as far as it holds no values. Its errors of syntax never do. Of the
/// others the beginning tells what they are: a field's name comes from the type that is read, and
/// so does what stands behind `expected`; what was found, and what a program says itself, may be
/// anything.
fn words(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    if error.classify() != Category::Data || error.line() == 0 {
        return if error.is_data() { shown(&whole).unwrap_or_default() } else { whole };
    }
    let place = format!("at line {} column {}", error.line(), error.column());
    let text = whole.strip_suffix(&place).map_or(&*whole, str::trim_end);
    match shown(text) {
        Some(shown) => format!("{shown} {place}"),
        None => place,
    }
}

/// Returns what may be shown of it.
fn shown(text: &str) -> Option<String> {
    if ["missing field `", "duplicate field `"].iter().any(|begin| text.starts_with(begin)) {
        return Some(text.to_owned());
    }
    if text == "key must be a string" {
        return Some(text.to_owned());
    }
    let what =
        ["invalid type", "invalid value", "invalid length", "unknown field", "unknown variant"]
            .into_iter()
            .find(|what| text.starts_with(what))?;
    let found = text[what.len()..].strip_prefix(": ").and_then(found);
    let found = found.map(|found| format!(": {found}")).unwrap_or_default();
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    let expected = expected.map(|expected| format!(", expected {expected}")).unwrap_or_default();
    Some(format!("{what}{found}{expected}"))
}

/// Names the type of what was found, without its value.
fn found(text: &str) -> Option<&'static str> {
    let is_it = |name: &&str| {
        text.strip_prefix(*name).is_some_and(|rest| matches!(rest.chars().next(), Some(' ' | ',')))
    };
    if text.starts_with("null") {
        return Some("null");
    }
    FOUND.into_iter().find(is_it)
}

#[cfg(test)]
mod tests;
