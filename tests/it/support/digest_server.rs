//! A server that asks by Digest, and computes by itself what the answer has to be.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use ring::digest::{SHA256, SHA512_256, digest};
use urlsession::testing::{Answer, Recorded, Server};

/// What a server asks for, and what it has seen.
#[derive(Clone)]
pub(crate) struct Digest {
    pub(crate) algorithm: Option<&'static str>,
    pub(crate) qop: Option<&'static str>,
    /// Further parameters of the challenge, each with a comma before it.
    pub(crate) more: &'static str,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The nonce that is good now.
    nonce: String,
    /// The counts that came with it: each is good once.
    used: BTreeSet<u64>,
    stale: bool,
    session_cnonce: Option<String>,
    /// The nonce count of each request that was let in.
    counts: Vec<String>,
}

/// An `Authorization` field, read.
pub(crate) type Fields = HashMap<String, String>;

impl Digest {
    pub(crate) fn new(algorithm: Option<&'static str>, qop: Option<&'static str>) -> Self {
        let state = State { nonce: "n1".to_owned(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        Self { algorithm, qop, more: "", user: "ann", password: "pw", state }
    }

    /// Serves what `answer` says to whoever is let in, with the fields of the request.
    pub(crate) fn serve(
        &self,
        answer: impl Fn(&Recorded, &Fields) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let (server, guard) = (Server::start(), self.clone());
        server.handle(move |request| match guard.check(request) {
            Ok(fields) => answer(request, &fields),
            Err(challenge) => super::asked::unauthorized(&[&challenge]),
        });
        server
    }

    /// Takes another nonce from now on, and says, or does not say, that the old one is stale.
    pub(crate) fn take_nonce(&self, nonce: &str, says_stale: bool) {
        let mut state = self.state.lock().unwrap();
        (state.nonce, state.stale) = (nonce.to_owned(), says_stale);
        state.used.clear();
    }

    pub(crate) fn take_counts(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().counts)
    }

    pub(crate) fn hash(&self, text: &str) -> String {
        let bytes = match self.algorithm.unwrap_or("MD5").trim_end_matches("-sess") {
            "MD5" => md5::compute(text).0.to_vec(),
            "SHA-256" => digest(&SHA256, text.as_bytes()).as_ref().to_vec(),
            "SHA-512-256" => digest(&SHA512_256, text.as_bytes()).as_ref().to_vec(),
            other => panic!("no such algorithm: {other}"),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key of the user for a request with these fields (RFC 7616 §3.4.2).
    ///
    /// It is that of the session's first request for a server that remembers it, as the
    /// client sends the same nonce of its own all along.
    fn key(&self, fields: &Fields) -> String {
        let key = self.hash(&format!("{}:r:{}", self.user, self.password));
        if self.algorithm.is_some_and(|name| name.ends_with("-sess")) {
            return self.hash(&format!("{key}:{}:{}", fields["nonce"], fields["cnonce"]));
        }
        key
    }

    /// The hash of a request, or with an empty method of its response.
    pub(crate) fn response(&self, method: &str, body: &str, fields: &Fields) -> String {
        let mut request = format!("{method}:{}", fields["uri"]);
        if fields.get("qop").is_some_and(|qop| qop == "auth-int") {
            request = format!("{request}:{}", self.hash(body));
        }
        let (key, nonce, request) = (self.key(fields), &fields["nonce"], self.hash(&request));
        match fields.get("qop") {
            None => self.hash(&format!("{key}:{nonce}:{request}")),
            Some(qop) => self.hash(&format!(
                "{key}:{nonce}:{}:{}:{qop}:{request}",
                fields["nc"], fields["cnonce"]
            )),
        }
    }

    fn challenge(&self, stale: bool) -> String {
        let nonce = self.state.lock().unwrap().nonce.clone();
        let mut challenge = format!("Digest realm=\"r\", nonce=\"{nonce}\", opaque=\"op\\\"aque\"");
        if let Some(algorithm) = self.algorithm {
            challenge += &format!(", algorithm={algorithm}");
        }
        if let Some(qop) = self.qop {
            challenge += &format!(", qop=\"{qop}\"");
        }
        if stale {
            challenge += ", stale=true";
        }
        challenge + self.more
    }

    /// Lets a request in, or asks.
    fn check(&self, request: &Recorded) -> Result<Fields, String> {
        let Some(sent) =
            request.header("authorization").and_then(|sent| sent.strip_prefix("Digest "))
        else {
            return Err(self.challenge(false));
        };
        let fields = read(sent);
        let right = self.response(request.method(), request.body_text(), &fields);
        assert_eq!(fields["uri"], request.target());
        assert_eq!((&*fields["realm"], &*fields["opaque"]), ("r", "op\"aque"));
        assert_eq!(fields.get("qop").map(String::as_str), self.qop, "{sent}");
        assert_eq!(fields.get("algorithm").map(String::as_str), self.algorithm, "{sent}");
        let mut state = self.state.lock().unwrap();
        if self.algorithm.is_some_and(|name| name.ends_with("-sess")) {
            let first = state.session_cnonce.get_or_insert_with(|| fields["cnonce"].clone());
            assert_eq!(*first, fields["cnonce"]);
        }
        if fields["nonce"] != state.nonce {
            let says = state.stale;
            drop(state);
            return Err(self.challenge(says));
        }
        let count = fields.get("nc").map_or("none", String::as_str).to_owned();
        let number = u64::from_str_radix(&count, 16).unwrap_or(u64::MAX);
        let is_repeated = self.qop.is_some() && state.used.contains(&number);
        if fields["response"] != right || is_repeated {
            drop(state);
            return Err(self.challenge(false));
        }
        state.used.insert(number);
        state.counts.push(count);
        Ok(fields)
    }
}

/// Reads `name=value, name="quoted"`.
pub(crate) fn read(mut rest: &str) -> Fields {
    let mut fields = Fields::new();
    while let Some((name, after)) = rest.split_once('=') {
        let mut value = String::new();
        let mut chars = after.chars();
        if after.starts_with('"') {
            chars.next();
            while let Some(char) = chars.next().filter(|char| *char != '"') {
                value.push(if char == '\\' { chars.next().unwrap() } else { char });
            }
        } else {
            value.extend(after.chars().take_while(|char| *char != ','));
            chars = after[value.len()..].chars();
        }
        let before = fields.insert(name.trim().to_owned(), value);
        assert_eq!(before, None, "twice: {name}");
        rest = chars.as_str().trim_start_matches([',', ' ']);
    }
    fields
}
