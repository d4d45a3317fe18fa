//! A wire that plays rows: each is a request that must come, and the answer that is given.
//!
//! A row is two lines of text, their parts separated by `|`; behind an empty part comes the
//! body. The request is method and URL, fields that must be there, and with `!` names of
//! fields that must not; `own` in front says that it goes over a connection of the load's
//! own. The answer is a status and fields.
//!
//! ```text
//! row("POST http://a.test/|Host: a.test|!Cookie||sent", "302|Location: /b||moved"),
//! row("own GET http://a.test/b", "200||here"),
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use http::{StatusCode, Version};

use crate::error::{Error, ErrorKind};
use crate::headers::Headers;
use crate::wire::{
    Context, Head, Paused, PausedExchange, Wire, WireBody, WireRequest, WireResponse,
};

/// A request that must come, and what becomes of it.
#[derive(Debug)]
pub(in crate::load) struct Row {
    request: String,
    given: Given,
}

#[derive(Debug)]
enum Given {
    Response(String),
    Failure(ErrorKind),
}

/// A request that is answered.
pub(in crate::load) fn row(request: impl Into<String>, response: impl Into<String>) -> Row {
    Row { request: request.into(), given: Given::Response(response.into()) }
}

/// A request that fails on the wire.
pub(in crate::load) fn fails(request: impl Into<String>, kind: ErrorKind) -> Row {
    Row { request: request.into(), given: Given::Failure(kind) }
}

/// What became of the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Fate {
    /// Nobody has touched it yet.
    Untouched,
    Read,
    /// It was not wanted, but its connection was.
    Discarded,
    /// Dropped before its end, which closes the connection.
    Dropped,
}

/// A wire that plays rows in their order.
#[derive(Clone, Debug)]
pub(in crate::load) struct Script {
    rows: Arc<Mutex<VecDeque<Row>>>,
    fates: Arc<Mutex<Vec<Fate>>>,
    /// Whether the load leaves its thread before every answer, twice.
    leaves: bool,
}

impl Script {
    pub(in crate::load) fn new(rows: impl IntoIterator<Item = Row>) -> Self {
        Self {
            rows: Arc::new(Mutex::new(rows.into_iter().collect())),
            fates: Arc::default(),
            leaves: false,
        }
    }

    /// The same, with a load that leaves its thread wherever it may.
    pub(in crate::load) fn leaving(self) -> Self {
        Self { leaves: true, ..self }
    }

    /// Returns what became of the bodies, and checks that every row was played.
    pub(in crate::load) fn end(self) -> Vec<Fate> {
        let left = self.rows.lock().unwrap();
        assert!(left.is_empty(), "these requests did not come: {left:#?}");
        self.fates.lock().unwrap().clone()
    }

    fn play(&self, request: &WireRequest<'_>, own: bool) -> Result<WireResponse, Error> {
        let Some(row) = self.rows.lock().unwrap().pop_front() else {
            panic!("nobody expects {} {}", request.method, request.url);
        };
        expect(&row.request, request, own);
        match row.given {
            Given::Response(text) => Ok(self.response(&text)),
            Given::Failure(kind) => Err(Error::new(kind, "the script says so")),
        }
    }

    fn play_or_leave(
        &self,
        request: &WireRequest<'_>,
        own: bool,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        if !self.leaves {
            return self.play(request, own);
        }
        *paused = Some(Box::new(Left { script: self.clone(), own, again: true }));
        Err(Error::cancelled())
    }

    fn response(&self, text: &str) -> WireResponse {
        let (head, body) = text.split_once("||").unwrap_or((text, ""));
        let mut parts = head.split('|');
        let status: StatusCode = parts.next().unwrap().parse().unwrap();
        let mut headers = Headers::new();
        for part in parts {
            let (name, value) = part.split_once(':').unwrap();
            headers.push(name, value.trim_start());
        }
        let mut fates = self.fates.lock().unwrap();
        fates.push(Fate::Untouched);
        let (place, fates) = (fates.len() - 1, self.fates.clone());
        let known_length = !headers.contains("transfer-encoding");
        let body = Box::new(ScriptedBody {
            left: body.as_bytes().to_vec().into(),
            known_length,
            place,
            fates,
        });
        WireResponse {
            head: Head { status, version: Version::HTTP_11, headers },
            ends: None,
            is_trusted: false,
            body,
        }
    }
}

/// Compares a request with the text of its row.
fn expect(text: &str, request: &WireRequest<'_>, own: bool) {
    let (head, body) = text.split_once("||").unwrap_or((text, ""));
    let mut parts = head.split('|');
    let own = if own { "own " } else { "" };
    let line = format!("{own}{} {}", request.method, request.url);
    assert_eq!(line, parts.next().unwrap(), "another request was expected");
    let fields = || request.headers.iter().chain(request.added.iter());
    for part in parts {
        let found = match (part.strip_prefix('!'), part.split_once(": ")) {
            (Some(name), _) => !fields().any(|(known, _)| known.eq_ignore_ascii_case(name)),
            (None, Some((name, value))) => {
                fields().any(|(known, is)| known.eq_ignore_ascii_case(name) && is == value)
            }
            (None, None) => panic!("no field: {part:?}"),
        };
        let fields: Vec<_> = fields().collect();
        assert!(found, "{line}: not as {part:?} says: {fields:?}");
    }
    let mut sent = Vec::new();
    if let Some(body) = request.body {
        let mut body = body.open().unwrap();
        let mut piece = [0; 1024];
        while let Some(count @ 1..) = body.read(&mut piece).unwrap() {
            sent.extend_from_slice(&piece[..count]);
        }
    }
    assert_eq!(String::from_utf8_lossy(&sent), body, "the body of {line}");
}

impl Wire for Script {
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        context.check()?;
        self.play_or_leave(request, false, paused)
    }

    fn reserved(&self) -> Box<dyn Wire> {
        Box::new(Own(self.clone()))
    }
}

/// The same for the requests of a connection of one's own.
struct Own(Script);

impl Wire for Own {
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        context.check()?;
        self.0.play_or_leave(request, true, paused)
    }

    fn reserved(&self) -> Box<dyn Wire> {
        self.0.reserved()
    }
}

/// An exchange that was left.
struct Left {
    script: Script,
    own: bool,
    /// It is left once more.
    again: bool,
}

impl PausedExchange for Left {
    fn go_on(
        self: Box<Self>,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        context.check()?;
        if !self.again {
            return self.script.play(request, self.own);
        }
        *paused = Some(Box::new(Self { again: false, ..*self }));
        Err(Error::cancelled())
    }
}

struct ScriptedBody {
    left: VecDeque<u8>,
    known_length: bool,
    place: usize,
    fates: Arc<Mutex<Vec<Fate>>>,
}

impl ScriptedBody {
    fn note(&self, fate: Fate) {
        let fates = &mut self.fates.lock().unwrap()[self.place];
        if *fates == Fate::Untouched {
            *fates = fate;
        }
    }
}

impl WireBody for ScriptedBody {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = std::io::Read::read(&mut self.left, buffer).unwrap();
        if self.left.is_empty() {
            self.note(Fate::Read);
        }
        Ok(count)
    }

    fn remaining(&self) -> Option<u64> {
        self.known_length.then_some(self.left.len() as u64)
    }

    fn discard(self: Box<Self>) {
        self.note(Fate::Discarded);
    }
}

impl Drop for ScriptedBody {
    fn drop(&mut self) {
        self.note(Fate::Dropped);
    }
}
