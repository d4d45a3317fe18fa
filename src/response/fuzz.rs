//! What always holds of the names that servers suggest.

use url::Url;

use super::filename::suggested;

/// No name is a path, hidden or too long.
pub fn disposition(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (disposition, path) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(url) = Url::parse("http://s.test/").and_then(|url| url.join(path)) else { return };
    for mime_type in [None, Some("text/html"), Some(disposition)] {
        let name = suggested(Some(disposition), &url, mime_type);
        assert!(!name.is_empty() && name.len() <= 255, "{name:?}");
        let is_bad = |char: char| char.is_control() || "/\\:".contains(char);
        assert!(
            !name.contains(is_bad) && !name.starts_with('.') && !name.ends_with('.'),
            "{name:?}"
        );
    }
}
