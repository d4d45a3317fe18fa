//! Paths of cookies (RFC 6265bis §5.1.4).

/// Returns the path of a cookie whose response says none: the folder of the URL.
pub(super) fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(last) if last > 0 && path.starts_with('/') => &path[..last],
        _ => "/",
    }
}

/// Returns whether the path of a request lies in that of a cookie.
#[inline]
pub(super) fn matches(request: &str, cookie: &str) -> bool {
    let (request, cookie) = (request.as_bytes(), cookie.as_bytes());
    let Some(rest) = request.strip_prefix(cookie) else { return false };
    matches!(rest.first(), None | Some(b'/')) || cookie.last() == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_without_path_belongs_to_the_folder_of_its_url() {
        for (path, default) in [
            ("", "/"),
            ("x", "/"),
            ("x/y", "/"),
            ("/", "/"),
            ("/a", "/"),
            ("/a/", "/a"),
            ("/a/b", "/a"),
            ("/a/b/", "/a/b"),
            ("//", "/"),
            ("/a//", "/a/"),
            ("/a%2Fb", "/"),
        ] {
            assert_eq!(default_path(path), default, "{path:?}");
        }
    }

    #[test]
    fn a_path_matches_itself_and_what_lies_below() {
        for (request, cookie, matched) in [
            ("/", "/", true),
            ("/a", "/", true),
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a/b", "/a", true),
            ("/a/b", "/a/", true),
            ("/a//b", "/a/", true),
            ("/a", "/a/", false),
            ("/ab", "/a", false),
            ("/ab", "/a/", false),
            ("/A", "/a", false),
            ("/", "/a", false),
            ("/a/b", "/b", false),
            ("/foo/bar", "/f%6Fo/bar", false),
            ("/f%6Fo/bar", "/f%6fo/bar", false),
            ("/a", "/a?", false),
        ] {
            assert_eq!(matches(request, cookie), matched, "{request} in {cookie}");
        }
    }
}
