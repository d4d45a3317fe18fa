//! What always holds of heads and chunks.

use http::Method;

use super::chunked::{Dechunker, Found};
use super::framing::framing;
use super::head::{Scan, read_whole};

/// A head is found where it ends, however it arrives, and what is read of it can be written.
pub fn head(data: &[u8]) {
    let whole = Scan::default().look(data);
    // One place is enough at a time: there are many inputs.
    let split = data.first().map_or(0, |first| usize::from(*first) % data.len());
    let mut scan = Scan::default();
    let early = scan.look(&data[..split]);
    let found = match early {
        Ok(None) => scan.look(data),
        early => early,
    };
    let end = match (whole, found) {
        (Ok(whole), Ok(found)) => {
            assert_eq!(whole, found);
            whole
        }
        // What does not begin as a head is refused early, or else when it is read.
        (Ok(Some(end)), Err(_)) => return assert!(read_whole(&data[..end]).is_err()),
        (Ok(None), Err(_)) => panic!("a head is refused that may go on"),
        (Err(_), found) => return assert!(found.is_err()),
    };
    let Some(end) = end else { return };
    let Ok(head) = read_whole(&data[..end]) else { return };
    let mut written = Vec::new();
    head.headers.write_to(&mut written);
    let lines = written.split(|&byte| byte == b'\n').count() - 1;
    assert_eq!(lines, head.headers.len(), "a value has a line end");
    for method in [Method::GET, Method::HEAD, Method::CONNECT] {
        let _ = framing(&method, head.status, head.version, &head.headers);
    }
}

/// The body in chunks is the same however it arrives.
pub fn chunked(data: &[u8]) {
    let whole = dechunked(data, data.len().max(1));
    let size = data.last().map_or(1, |last| usize::from(*last) % 7 + 1);
    assert_eq!(whole, dechunked(data, size));
}

/// Returns the body, and how much of the input is behind it; `None` if it is broken.
fn dechunked(data: &[u8], size: usize) -> Option<(Vec<u8>, Option<usize>)> {
    let (mut dechunker, mut body, mut used) = (Dechunker::new(), Vec::new(), 0);
    while used < data.len() {
        let piece = &data[used..data.len().min(used + size)];
        match dechunker.advance(piece).ok()? {
            Found::Data(range) => {
                assert!(!range.is_empty() && range.len() as u64 <= dechunker.data_left());
                body.extend_from_slice(&piece[range.clone()]);
                dechunker.consume(range.len());
                used += range.end;
            }
            Found::NeedMore => used += piece.len(),
            Found::Done { consumed } => return Some((body, Some(data.len() - used - consumed))),
        }
    }
    // The end may be seen only when more is asked for.
    match dechunker.advance(&[]).ok()? {
        Found::Done { .. } => Some((body, Some(0))),
        _ => Some((body, None)),
    }
}
