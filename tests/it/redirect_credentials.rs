//! Redirects and whatever says who one is: the table of every secret, every change of origin
//! and every chain. After the first change of origin nothing secret is sent any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    Challenge, Configuration, Credential, CredentialStorage, Delegate, DeliveryQueue, Disposition,
    Reply, Request, Resolver, Session, Task,
};

/// What is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    Authorization,
    Cookie,
    ProxyAuthorization,
    MarkedHeader,
    UserInfo,
    AcceptedBasic,
    #[cfg(feature = "digest")]
    AcceptedDigest,
}

const SECRETS: &[Secret] = &[
    Secret::Authorization,
    Secret::Cookie,
    Secret::ProxyAuthorization,
    Secret::MarkedHeader,
    Secret::UserInfo,
    Secret::AcceptedBasic,
    #[cfg(feature = "digest")]
    Secret::AcceptedDigest,
];

/// Fields that could show one.
const FIELDS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

impl Secret {
    /// A request for `url` that has it.
    fn request(self, url: &str) -> Request {
        let request = Request::get(url);
        match self {
            Self::Authorization => request.header("Authorization", "Bearer s3cret"),
            Self::Cookie => request.header("Cookie", "sid=s3cret"),
            Self::ProxyAuthorization => request.header("Proxy-Authorization", "Basic s3cret"),
            Self::MarkedHeader => request.sensitive_header("X-Api-Key", "s3cret"),
            Self::UserInfo => Request::get(url.replace("://", "://ann:s3cret@")),
            _ => request,
        }
    }

    /// What a server asks with for the secret to be accepted there beforehand.
    fn challenge(self) -> Option<&'static str> {
        match self {
            Self::AcceptedBasic => Some("Basic realm=r"),
            #[cfg(feature = "digest")]
            Self::AcceptedDigest => Some("Digest realm=r, nonce=n, qop=auth"),
            _ => None,
        }
    }
}

/// Two origins, and what differs between them.
struct Origins {
    change: &'static str,
    servers: Vec<Arc<Server>>,
    configuration: Configuration,
    first: Box<dyn Fn(&str) -> String>,
    second: Box<dyn Fn(&str) -> String>,
}

/// One origin for each server.
fn origins(change: &'static str, servers: [Server; 2], configuration: Configuration) -> Origins {
    let [one, two] = servers.map(Arc::new);
    let (first, second) = (one.clone(), two.clone());
    Origins {
        change,
        servers: vec![one, two],
        configuration,
        first: Box::new(move |path| first.url(path)),
        second: Box::new(move |path| second.url(path)),
    }
}

fn another_host() -> Origins {
    let server = Arc::new(Server::start());
    let mut configuration = Configuration::ephemeral();
    configuration.resolver = Some(Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()])));
    let (first, second) = (server.clone(), server.clone());
    Origins {
        change: "host",
        servers: vec![server],
        configuration,
        first: Box::new(move |path| first.url(path)),
        second: Box::new(move |path| second.url_with_host("localhost", path)),
    }
}

#[cfg(feature = "tls")]
fn another_scheme() -> [Origins; 2] {
    let authority = urlsession::testing::Authority::new();
    let secure = || Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let mut configuration = Configuration::ephemeral();
    configuration.trusts_system_roots = false;
    configuration.allows_insecure_redirects = true;
    let root = urlsession::Certificate::from_der(authority.certificate_der());
    configuration.additional_roots.push(root);
    let down = origins("https to http", [secure(), Server::start()], configuration.clone());
    [origins("http to https", [Server::start(), secure()], configuration), down]
}

#[cfg(not(feature = "tls"))]
fn another_scheme() -> [Origins; 0] {
    []
}

/// Every change of origin.
fn changes() -> Vec<Origins> {
    let servers = [Server::start(), Server::start()];
    let mut all = vec![another_host(), origins("port", servers, Configuration::ephemeral())];
    all.extend(another_scheme());
    all
}

/// `A` is the first origin and `B` the second: where each hop leads.
const CHAINS: [&str; 5] = ["AB", "ABA", "ABB", "AABA", "ABAB"];

struct Ann;

impl Delegate for Ann {
    fn did_receive_challenge(&self, _: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        assert_eq!(challenge.previous_failure_count(), 0);
        reply.answer(Disposition::UseCredential(Credential::new("ann", "s3cret")));
    }
}

/// Answers `/accept` to whoever says who it is, and leads from `/0` along `hops`.
fn lead(server: &Server, hops: Vec<String>, challenge: Option<&'static str>) {
    server.handle(move |request: &Recorded| {
        if request.path() == "/accept" {
            let asks = challenge.filter(|_| request.header("authorization").is_none());
            return match asks {
                Some(asks) => Answer::status(401).header("WWW-Authenticate", asks),
                None => Answer::ok("accepted"),
            };
        }
        let hop: usize = request.path()[1..].parse().unwrap();
        match hops.get(hop + 1) {
            Some(next) => Answer::redirect(302, next),
            None => Answer::ok("here"),
        }
    });
}

#[test]
fn nothing_secret_is_sent_after_the_first_change_of_origin() {
    for origins in changes() {
        for chain in CHAINS {
            for secret in SECRETS {
                check(&origins, chain, *secret);
            }
        }
    }
}

fn check(origins: &Origins, chain: &str, secret: Secret) {
    let case = format!("another {}, {chain}, {secret:?}", origins.change);
    let hop = |(at, origin): (usize, char)| match origin {
        'A' => (origins.first)(&format!("/{at}")),
        _ => (origins.second)(&format!("/{at}")),
    };
    let hops: Vec<String> = chain.chars().enumerate().map(hop).collect();
    for server in &origins.servers {
        lead(server, hops.clone(), secret.challenge());
    }
    let mut configuration = origins.configuration.clone();
    configuration.credential_storage = Some(CredentialStorage::new());
    let session =
        Session::with_delegate(configuration, Arc::new(Ann), DeliveryQueue::serial()).unwrap();
    // Both have accepted it; the second does not get it from a redirect either.
    if secret.challenge().is_some() {
        session.data((origins.first)("/accept")).unwrap();
        session.data((origins.second)("/accept")).unwrap();
    }
    assert_eq!(session.data(secret.request(&hops[0])).unwrap().text(), "here", "{case}");
    let mut seen = BTreeMap::new();
    for server in &origins.servers {
        while let Some(request) = server.try_take_request() {
            if let Ok(hop) = request.path()[1..].parse::<usize>() {
                let secrets: Vec<_> =
                    FIELDS.iter().filter(|name| request.header(name).is_some()).collect();
                assert_eq!(seen.insert(hop, secrets.len()), None, "{case}");
            }
        }
    }
    let same = chain.chars().take_while(|origin| *origin == 'A').count();
    let expected: Vec<_> = (0..chain.len()).map(|hop| (hop, usize::from(hop < same))).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected, "{case}");
}

#[test]
fn what_stood_in_the_url_answers_nobody_after_a_change_of_origin() {
    for origins in changes() {
        let (there, back) = ((origins.second)("/there"), (origins.first)("/back"));
        for chain in [vec![there.clone()], vec![there, back]] {
            for server in &origins.servers {
                let chain = chain.clone();
                server.handle(move |request| match request.path() {
                    "/" => Answer::redirect(302, &chain[0]),
                    "/there" if chain.len() > 1 => Answer::redirect(302, &chain[1]),
                    _ => Answer::status(401)
                        .header("WWW-Authenticate", "Basic realm=r")
                        .header("WWW-Authenticate", "Digest realm=r, nonce=n, qop=auth"),
                });
            }
            let session = Session::new(origins.configuration.clone()).unwrap();
            let request = Secret::UserInfo.request(&(origins.first)("/"));
            let data = session.data(request).unwrap();
            assert_eq!(data.response.status(), 401, "{}", origins.change);
            let mut sent = Vec::new();
            for server in &origins.servers {
                while let Some(request) = server.try_take_request() {
                    sent.push((
                        request.path().to_owned(),
                        request.header("authorization").is_some(),
                    ));
                }
            }
            assert_eq!(sent.len(), chain.len() + 1, "{}: {sent:?}", origins.change);
            assert!(sent.iter().all(|(path, has)| *has == (path == "/")), "{sent:?}");
        }
    }
}
