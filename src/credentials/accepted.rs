//! [`Accepted`]: answers that a server took, to be sent along unasked.

use std::fmt;

use url::Url;

use super::challenge::Asker;
use super::digest::{NonceCount, Proof};
use super::signer::Signer;
use super::{AuthenticationMethod, Credential, ProtectionSpace};

/// How many spaces are kept; the oldest goes first.
const MOST_SPACES: usize = 256;

/// How many folders of a space are kept.
const MOST_FOLDERS: usize = 64;

/// The answers that were accepted, each with the part of its server that it is good for.
///
/// An answer is found for the server, or the proxy, that accepted it and for no other,
/// whatever that one says about its domain.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// In the order in which they were accepted, the last one last.
    entries: Vec<Entry>,
    /// The nonces that are in use, accepted or not: a server may give the same one to
    /// several loads, and may refuse a count that it has seen.
    nonces: Vec<Nonce>,
}

struct Nonce {
    space: ProtectionSpace,
    nonce: Box<[u8]>,
    count: NonceCount,
}

#[derive(Debug)]
struct Entry {
    answer: Signer,
    scope: Scope,
}

#[derive(Debug)]
enum Scope {
    /// All of it.
    Everything,
    /// Paths, without a slash at the end, and what is below them.
    Below(Vec<Box<str>>),
}

impl Accepted {
    #[cfg(feature = "digest")]
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Keeps an answer to `asker` that was accepted. Tokens are not kept: they are good for
    /// one request.
    pub(crate) fn keep(&mut self, answer: Signer, asker: Asker<'_>) {
        let mut scope = match (asker, answer.space().method()) {
            (Asker::Proxy(_), AuthenticationMethod::Basic | AuthenticationMethod::Digest) => {
                Scope::Everything
            }
            (Asker::Server(url), AuthenticationMethod::Basic) => Scope::Below(vec![folder(url)]),
            (Asker::Server(url), AuthenticationMethod::Digest) => domain(&answer, url),
            _ => return,
        };
        let known = self.entries.iter().position(|entry| entry.answer.space() == answer.space());
        if let Some(known) = known {
            let known = self.entries.remove(known);
            if known.answer.credential() == answer.credential() {
                scope.join(known.scope);
            }
        }
        if self.entries.len() == MOST_SPACES {
            self.entries.remove(0);
        }
        self.entries.push(Entry { answer, scope });
    }

    /// Finds the answer to send to `asker` unasked: the one for the smallest part of it that
    /// the URL is in, of equals the one accepted last.
    pub(crate) fn find(&mut self, asker: Asker<'_>) -> Option<&mut Signer> {
        let place = asker.space(AuthenticationMethod::Default)?;
        let path = match asker {
            Asker::Server(url) => url.path(),
            Asker::Proxy(_) => "",
        };
        let here = self.entries.iter_mut().filter(|entry| entry.answer.space().same_place(&place));
        let covering = here.filter_map(|entry| Some((entry.scope.covers(path)?, entry)));
        covering.max_by_key(|(depth, _)| *depth).map(|(_, entry)| &mut entry.answer)
    }

    /// Has an answer, not yet accepted, count on where others use its nonce.
    pub(crate) fn share_count(&mut self, answer: &mut Signer) {
        self.nonces.retain(|nonce| !nonce.count.is_alone());
        let space = answer.space().clone();
        let Some(session) = answer.digest_mut() else { return };
        let mut known = self.nonces.iter();
        match known.find(|known| *known.nonce == *session.nonce() && known.space == space) {
            Some(known) => session.share(known.count.clone()),
            None => {
                let (nonce, count) = (session.nonce().into(), session.count().clone());
                self.nonces.push(Nonce { space, nonce, count });
            }
        }
    }

    /// Takes the nonce that the server wants next.
    pub(crate) fn take_nonce(&mut self, space: &ProtectionSpace, proof: &Proof, nonce: &[u8]) {
        let known = self.entries.iter_mut().find(|entry| entry.answer.space() == space);
        if let Some(entry) = known {
            entry.answer.take_nonce(proof, nonce);
        }
    }

    /// Forgets an answer that was turned down, unless another credential was accepted since.
    pub(crate) fn forget(&mut self, space: &ProtectionSpace, credential: &Credential) {
        self.entries.retain(|entry| {
            entry.answer.space() != space || entry.answer.credential() != credential
        });
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonce").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Scope {
    /// Returns how much of the path it names, if it covers that.
    fn covers(&self, path: &str) -> Option<usize> {
        match self {
            Self::Everything => Some(0),
            Self::Below(folders) => folders
                .iter()
                .filter(|folder| is_below(path, folder))
                .map(|folder| folder.len())
                .max(),
        }
    }

    /// Adds what another scope of the same space covers.
    fn join(&mut self, other: Self) {
        let (Self::Below(folders), Self::Below(others)) = (self, other) else { return };
        for folder in others {
            let room = folders.len() < MOST_FOLDERS;
            if room && !folders.iter().any(|known| is_below(&folder, known)) {
                folders.push(folder);
            }
        }
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// RFC 7617 §2.2: the space of a path is all that is at its depth or below.
fn folder(url: &Url) -> Box<str> {
    url.path().rsplit_once('/').map_or("", |(folder, _)| folder).into()
}

/// RFC 7616 §3.3: the URIs of `domain` and what is below them; without any, the whole
/// server. Read more strictly than it is written, `/a` does not cover `/ab`, and other
/// servers are left out: they may ask.
fn domain(answer: &Signer, url: &Url) -> Scope {
    // URIs are in ASCII; what is not text names nothing here.
    let domain = answer.digest().map(|session| String::from_utf8_lossy(session.domain()));
    let domain = domain.unwrap_or_default();
    let (mut below, mut names_any) = (Vec::new(), false);
    for uri in domain.split_ascii_whitespace().take(MOST_FOLDERS) {
        names_any = true;
        if let Ok(uri) = url.join(uri)
            && uri.origin() == url.origin()
        {
            below.push(uri.path().trim_end_matches('/').into());
        }
    }
    if names_any { Scope::Below(below) } else { Scope::Everything }
}

#[cfg(feature = "digest")]
#[cfg(test)]
mod tests {
    use super::super::{Offer, Outgoing, offers};
    use super::*;
    use crate::headers::Headers;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn offer(field: &str, asker: Asker<'_>) -> Offer {
        let mut headers = Headers::new();
        headers.add(asker.challenge_field(), field).unwrap();
        offers(&headers, asker).remove(0)
    }

    fn answer(field: &str, asker: Asker<'_>, user: &str) -> Signer {
        offer(field, asker).answer(&Credential::new(user, "pw")).unwrap()
    }

    /// Keeps an answer to a server, made for `field` and accepted at `at`.
    fn keep(accepted: &mut Accepted, field: &str, at: &str, user: &str) {
        let at = url(at);
        accepted.keep(answer(field, Asker::Server(&at), user), Asker::Server(&at));
    }

    fn found(accepted: &mut Accepted, at: &str) -> Option<String> {
        let at = url(at);
        let answer = accepted.find(Asker::Server(&at))?;
        answer.credential().user().map(str::to_owned)
    }

    #[test]
    fn an_answer_is_sent_unasked_inside_its_space_only() {
        const BASIC: &str = "Basic realm=r";
        const WHOLE: &str = "Digest realm=r, nonce=n, qop=auth";
        const PART: &str = "Digest realm=r, nonce=n, domain=\"/a/b c/ http://s.test/d?x \
                            http://t.test/e\"";
        const ELSEWHERE: &str =
            "Digest realm=r, nonce=n, domain=\"http://t.test/e https://s.test/\"";
        for (field, at, wanted, sent) in [
            (BASIC, "http://s.test/", "http://s.test/", true),
            (BASIC, "http://s.test/", "http://s.test/x/y?z", true),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/docs/", true),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/docs/a/b?c=/", true),
            (BASIC, "http://s.test/docs/index.html?a=/b/c", "http://s.test/docs/x", true),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/docs", true),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/", false),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/docs2/", false),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/docs/../x", false),
            (BASIC, "http://s.test/docs/index.html", "http://s.test/docs/%2e%2e/x", false),
            (BASIC, "http://s.test/", "https://s.test/", false),
            (BASIC, "http://s.test/", "http://s.test:8080/", false),
            (BASIC, "http://s.test/", "http://t.test/", false),
            (BASIC, "http://s.test/", "http://a.s.test/", false),
            (WHOLE, "http://s.test/docs/x", "http://s.test/", true),
            (WHOLE, "http://s.test/docs/x", "http://S.test:80/y", true),
            (WHOLE, "http://s.test/docs/x", "https://s.test/docs/x", false),
            (WHOLE, "http://s.test/docs/x", "http://t.test/", false),
            (PART, "http://s.test/x", "http://s.test/a/b", true),
            (PART, "http://s.test/x", "http://s.test/a/b/c", true),
            (PART, "http://s.test/x", "http://s.test/d/e", true),
            (PART, "http://s.test/x", "http://s.test/de", false),
            (PART, "http://s.test/x", "http://s.test/x", false),
            (PART, "http://s.test/x", "http://t.test/e", false),
            (ELSEWHERE, "http://s.test/x", "http://s.test/x", false),
            (ELSEWHERE, "http://s.test/x", "http://t.test/e", false),
            (ELSEWHERE, "http://s.test/x", "https://s.test/", false),
        ] {
            let mut accepted = Accepted::new();
            keep(&mut accepted, field, at, "ann");
            assert_eq!(found(&mut accepted, wanted).is_some(), sent, "{field} at {at}: {wanted}");
        }
    }

    #[test]
    fn the_smallest_part_wins_and_of_equals_the_last() {
        let mut accepted = Accepted::new();
        keep(&mut accepted, "Digest realm=d, nonce=n", "http://s.test/", "whole");
        keep(&mut accepted, "Basic realm=r", "http://s.test/a/x", "outer");
        keep(&mut accepted, "Basic realm=s", "http://s.test/a/b/x", "inner");
        keep(&mut accepted, "Basic realm=t", "http://s.test/a/b/y", "later");
        for (path, user) in [("/", "whole"), ("/a/", "outer"), ("/a/b/c/", "later")] {
            assert_eq!(found(&mut accepted, &format!("http://s.test{path}")).unwrap(), user);
        }
        let later =
            accepted.find(Asker::Server(&url("http://s.test/a/b/"))).unwrap().space().clone();
        accepted.forget(&later, &Credential::new("inner", "pw"));
        assert_eq!(found(&mut accepted, "http://s.test/a/b/").unwrap(), "later");
        accepted.forget(&later, &Credential::new("later", "pw"));
        assert_eq!(found(&mut accepted, "http://s.test/a/b/").unwrap(), "inner");
        accepted.clear();
        assert_eq!(found(&mut accepted, "http://s.test/a/b/"), None);
    }

    #[test]
    fn a_space_grows_with_the_same_credential_and_starts_over_with_another() {
        let mut accepted = Accepted::new();
        let basic = "Basic realm=r";
        keep(&mut accepted, basic, "http://s.test/a/", "ann");
        keep(&mut accepted, basic, "http://s.test/b/", "ann");
        assert_eq!(found(&mut accepted, "http://s.test/a/").unwrap(), "ann");
        keep(&mut accepted, basic, "http://s.test/c/", "bob");
        assert_eq!(found(&mut accepted, "http://s.test/a/"), None);
        assert_eq!(found(&mut accepted, "http://s.test/c/").unwrap(), "bob");
        for n in 0..2 * MOST_FOLDERS {
            keep(&mut accepted, basic, &format!("http://s.test/{n}/"), "bob");
        }
        let Scope::Below(folders) = &accepted.entries[0].scope else { panic!("not a folder") };
        assert_eq!((accepted.entries.len(), folders.len()), (1, MOST_FOLDERS));
        for n in 0..MOST_SPACES {
            keep(&mut accepted, &format!("Basic realm=r{n}"), "http://s.test/", "eve");
        }
        assert_eq!(accepted.entries.len(), MOST_SPACES);
        assert_eq!(found(&mut accepted, "http://s.test/5/").unwrap(), "eve", "the oldest went");
    }

    #[test]
    fn a_proxy_is_no_server_and_a_token_is_good_once() {
        let proxy = url("http://p.test:3128");
        let mut accepted = Accepted::new();
        let basic = answer("Basic realm=r", Asker::Proxy(&proxy), "ann");
        accepted.keep(basic, Asker::Proxy(&proxy));
        assert!(accepted.find(Asker::Proxy(&proxy)).is_some());
        assert!(accepted.find(Asker::Server(&proxy)).is_none());
        assert!(accepted.find(Asker::Proxy(&url("http://q.test:3128"))).is_none());

        let server = url("http://s.test/");
        let negotiate = offer("Negotiate", Asker::Server(&server));
        let token = negotiate.answer(&Credential::from_token("YII=")).unwrap();
        accepted.keep(token, Asker::Server(&server));
        assert!(accepted.find(Asker::Server(&server)).is_none());
    }

    #[test]
    fn the_requests_of_a_space_share_one_count() {
        let mut accepted = Accepted::new();
        keep(&mut accepted, "Digest realm=r, nonce=n, qop=auth", "http://s.test/", "ann");
        let at = url("http://s.test/x");
        let mut sign = |expected: &str| {
            let answer = accepted.find(Asker::Server(&at)).unwrap();
            let request = Outgoing { method: "GET", target: "/x", body_hash: None, cnonce: "c" };
            let signed = answer.sign(&request).unwrap();
            let value = String::from_utf8(signed.value).unwrap();
            assert!(value.contains(expected), "{value}");
            (answer.space().clone(), signed.proof.unwrap())
        };
        let first = sign("nonce=\"n\"");
        let (space, second) = sign("nc=00000002");
        accepted.take_nonce(&space, &second, b"m");
        // An answer that was on its way brings a nonce for an earlier one.
        accepted.take_nonce(&space, &first.1, b"late");
        let mut sign = |expected: &str| {
            let answer = accepted.find(Asker::Server(&at)).unwrap();
            let request = Outgoing { method: "GET", target: "/x", body_hash: None, cnonce: "c" };
            let signed = answer.sign(&request).unwrap();
            let value = String::from_utf8(signed.value).unwrap();
            assert!(value.contains(expected), "{value}");
        };
        sign("nonce=\"m\"");
        sign("nc=00000002");
    }
}
