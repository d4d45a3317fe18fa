//! Links in headers (RFC 8288 §3).

use url::Url;

use super::media;

/// Something that a response links to; see [`Response::links`](crate::Response::links).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    url: Url,
    parameters: Vec<(String, String)>,
}

impl Link {
    /// Returns where it leads: resolved against the URL of the response.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns whether `relation`, as `next` or `stylesheet`, is one of its relations, in any
    /// case.
    pub fn is(&self, relation: &str) -> bool {
        let all = self.parameter("rel").unwrap_or_default().split_ascii_whitespace();
        all.into_iter().any(|one| one.eq_ignore_ascii_case(relation))
    }

    /// Returns the first parameter `name`, in any case, its quotes undone: `rel`, `title`,
    /// `type`, `hreflang`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }
}

/// Reads the links of one field; what is none is passed over.
pub(super) fn parse(value: &str, base: &Url) -> Vec<Link> {
    let mut links = Vec::new();
    for one in elements(value) {
        let Some((target, rest)) = one.strip_prefix('<').and_then(|one| one.split_once('>')) else {
            continue;
        };
        let Ok(url) = base.join(target.trim()) else { continue };
        let parameters = media::parameters(rest)
            .map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned()));
        links.push(Link { url, parameters: parameters.collect() });
    }
    links
}

/// Cuts a list at its commas that stand neither in a target nor between quotation marks.
fn elements(value: &str) -> Vec<&str> {
    let (mut elements, mut start) = (Vec::new(), 0);
    let (mut in_target, mut in_quotes, mut escaped) = (false, false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' if !in_target => in_quotes = !in_quotes,
            b'<' if !in_quotes => in_target = true,
            b'>' if !in_quotes => in_target = false,
            b',' if !in_target && !in_quotes => {
                elements.push(value[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    elements.push(value[start..].trim());
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_with_their_parameters() {
        let base = Url::parse("https://a.test/b/c?d").unwrap();
        for (value, expected) in [
            ("<x>; rel=next", &[("https://a.test/b/x", "next")][..]),
            ("</x>;rel=\"next last\"", &[("https://a.test/x", "next last")]),
            ("<https://b.test/,;>; rel=up", &[("https://b.test/,;", "up")]),
            ("<x> ; title=\"a, <b>\\\"; rel=no\" ; rel=yes", &[("https://a.test/b/x", "yes")]),
            (
                "<1>; rel=prev,<2>;rel=next , ",
                &[("https://a.test/b/1", "prev"), ("https://a.test/b/2", "next")],
            ),
            ("<x>; REL=a; rel=b", &[("https://a.test/b/x", "a")]),
            ("<>", &[("https://a.test/b/c?d", "")]),
            ("x; rel=next, <y", &[]),
            ("<http://[>; rel=next", &[]),
            ("", &[]),
        ] {
            let links = parse(value, &base);
            let found: Vec<_> = links
                .iter()
                .map(|link| (link.url().as_str(), link.parameter("rel").unwrap_or_default()))
                .collect();
            assert_eq!(found, expected, "{value}");
        }
    }
}
