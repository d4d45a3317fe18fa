//! A server's answers to requests for parts of a file (RFC 9110 §14).

use std::ops::Range;

use urlsession::testing::{Answer, Recorded};

/// Returns what a request asks for of so many bytes; `None` if that is the whole.
pub(crate) fn asked(request: &Recorded, total: usize) -> Option<Range<usize>> {
    let (first, last) = request.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
    let end = if last.is_empty() { total } else { last.parse::<usize>().unwrap() + 1 };
    Some(first.parse().unwrap()..end)
}

/// Answers with what is asked for of a file of this version, or with the whole if the request goes
/// on with another one.
pub(crate) fn answer(request: &Recorded, film: &[u8], tag: &str) -> Answer {
    let named = |answer: Answer| answer.header("ETag", tag).header("Accept-Ranges", "bytes");
    match asked(request, film.len()) {
        Some(part) if request.header("if-range").is_none_or(|condition| condition == tag) => {
            let range = format!("bytes {}-{}/{}", part.start, part.end - 1, film.len());
            named(Answer::status(206).body(&film[part])).header("Content-Range", range)
        }
        _ => named(Answer::ok(film)),
    }
}
