//! The server of all programs, which knows what was asked of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Recorded, Server};

use crate::wishes::{Plot, Verb, Wish};

/// What was asked for one thing of one program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Where each request for it began.
    pub(crate) from: Vec<usize>,
    /// Bodies that came and were not what was to be sent.
    pub(crate) wrong: usize,
    /// How often it was said to have moved.
    pub(crate) moved: usize,
}

type Known = Arc<Mutex<HashMap<(u64, String), Asked>>>;

pub(crate) struct Origin {
    server: Server,
    known: Known,
}

impl Origin {
    pub(crate) fn start(plot: &'static Plot) -> Self {
        let server = Server::builder().recording(false).start();
        let known = Known::default();
        let own = Arc::clone(&known);
        server.handle(move |request| answer(plot, &own, request));
        Self { server, known }
    }

    /// Returns the URL in front of which the program of a story finds its things.
    pub(crate) fn base(&self, story: u64) -> String {
        self.server.url(&format!("/{story}"))
    }

    /// Returns what the program of a story has asked for.
    pub(crate) fn asked(&self, story: u64, key: &str) -> Asked {
        self.known.lock().unwrap().get(&(story, key.to_owned())).cloned().unwrap_or_default()
    }
}

/// Answers `/{story}/{key}`, and `/{story}/{key}/there`, to which some have moved.
fn answer(plot: &Plot, known: &Known, request: &Recorded) -> Answer {
    let mut parts = request.path().split('/').skip(1);
    let story = parts.next().unwrap().parse().unwrap();
    let wish = plot.wish(parts.next().unwrap());
    let has_moved = parts.next().is_some();
    if wish.key == "moved" && !has_moved {
        let mut known = known.lock().unwrap();
        known.entry((story, wish.key.to_owned())).or_default().moved += 1;
        return Answer::redirect(302, &format!("/{story}/moved/there"));
    }
    let bytes = plot.bytes(wish);
    let mut known = known.lock().unwrap();
    let asked = known.entry((story, wish.key.to_owned())).or_default();
    let from = request.header("range").map_or(0, first_of);
    asked.from.push(from);
    if wish.is_upload() && request.body() != bytes {
        asked.wrong += 1;
    }
    let is_first = asked.from.len() == 1;
    drop(known);
    match wish.key {
        "busy" if is_first => Answer::status(503),
        key if key.ends_with("never-there") => Answer::status(503),
        _ if wish.is_gone() => Answer::status(404).body("gone"),
        _ if wish.is_upload() => Answer::ok(format!("has {}", wish.key)),
        _ => part(wish, bytes, from),
    }
}

/// Returns where a range begins.
pub(crate) fn first_of(range: &str) -> usize {
    let first = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
    first.unwrap().parse().unwrap()
}

fn part(wish: &Wish, bytes: &[u8], from: usize) -> Answer {
    let answer = match from {
        0 => Answer::ok(bytes),
        _ => {
            let (last, all) = (bytes.len() - 1, bytes.len());
            let range = format!("bytes {from}-{last}/{all}");
            Answer::status(206).header("Content-Range", range).body(&bytes[from..])
        }
    };
    match wish.verb {
        Verb::Get { tagged: true } => answer.header("ETag", format!("\"{}\"", wish.key)),
        _ => answer,
    }
}
