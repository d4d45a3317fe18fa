//! Passwords, with apache and httpbin. The numbers are those of requests on each connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use urlsession::{
    AuthenticationMethod, Challenge, Credential, CredentialStorage, Delegate, DeliveryQueue,
    Disposition, ProtectionSpace, Reply, Session, Task,
};

use crate::relay::Relay;
use crate::{APACHE, HTTPBIN, configuration, given, session};

const REALM: &str = r#"orders, "new" ones"#;

/// Answers challenges with one credential after the other, and notes what was asked.
#[derive(Default)]
struct Keeper {
    answers: Mutex<VecDeque<Credential>>,
    asked: Mutex<Vec<(AuthenticationMethod, String, u32)>>,
    nonces: Mutex<Vec<String>>,
}

impl Keeper {
    fn asked(&self) -> Vec<(AuthenticationMethod, String, u32)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Delegate for Keeper {
    fn did_receive_challenge(&self, _: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        let space = challenge.protection_space();
        let realm = space.realm().unwrap_or_default().to_owned();
        let asked = (space.method(), realm, challenge.previous_failure_count());
        self.asked.lock().unwrap().push(asked);
        let header = challenge.failure_response().unwrap().header("www-authenticate").unwrap();
        if let Some((_, nonce)) = header.split_once("nonce=\"") {
            self.nonces.lock().unwrap().push(nonce.split('"').next().unwrap().to_owned());
        }
        reply.answer(match self.answers.lock().unwrap().pop_front() {
            Some(credential) => Disposition::UseCredential(credential),
            None => Disposition::PerformDefaultHandling,
        });
    }
}

/// A session whose delegate has these answers; the password is `open sesame` everywhere.
fn keeping<const N: usize>(answers: [(&str, &str); N]) -> (Session, Arc<Keeper>) {
    let keeper = Arc::new(Keeper::default());
    let answers = answers.map(|(user, password)| Credential::new(user, password));
    keeper.answers.lock().unwrap().extend(answers);
    let queue = DeliveryQueue::serial();
    (Session::with_delegate(configuration(), keeper.clone(), queue).unwrap(), keeper)
}

fn asked(
    method: AuthenticationMethod,
    realm: &str,
    failures: u32,
) -> (AuthenticationMethod, String, u32) {
    (method, realm.to_owned(), failures)
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn without_an_answer_the_refusal_is_delivered() {
    let apache = given(APACHE);
    for path in ["/basic/page.txt", "/digest/page.txt"] {
        let relay = Relay::to(&apache);
        let data = session().data(relay.url(path)).unwrap();
        assert_eq!(data.response.status(), 401, "{path}");
        assert!(data.text().contains("<title>401 Unauthorized</title>"), "{path}");
        assert_eq!(relay.requests(), [1], "{path}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_stored_password_is_sent_unasked_where_it_was_accepted_and_nowhere_else() {
    let apache = given(APACHE);
    let relay = Relay::to(&apache);
    let mut configuration = configuration();
    let storage = CredentialStorage::new();
    let space =
        ProtectionSpace::new("127.0.0.1", relay.port(), "http", AuthenticationMethod::Basic);
    storage.set_default(&Credential::new("ann", "open sesame"), &space.with_realm(REALM));
    configuration.credential_storage = Some(storage);
    let session = Session::new(configuration).unwrap();
    for (path, requests, signed) in [
        ("/basic/page.txt", 2, 1),
        ("/basic/deep/page.txt", 3, 2),
        ("/open/page.txt", 4, 2),
        ("/basic/page.txt", 5, 3),
    ] {
        let data = session.data(relay.url(path)).unwrap();
        assert_eq!(data.response.status(), 200, "{path}");
        assert_eq!(relay.requests(), [requests], "{path}");
        assert_eq!(relay.values("Authorization").len(), signed, "{path}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_delegate_is_asked_again_after_a_wrong_password() {
    let apache = given(APACHE);
    let basic = AuthenticationMethod::Basic;
    let relay = Relay::to(&apache);
    let (session, keeper) = keeping([("ann", "wrong"), ("ann", "open sesame")]);
    let data = session.data_task(relay.url("/basic/page.txt")).run().unwrap();
    assert_eq!((data.response.status().as_u16(), &*data.text()), (200, "the page of basic\n"));
    assert_eq!(keeper.asked(), [asked(basic, REALM, 0), asked(basic, REALM, 1)]);
    assert_eq!(relay.requests(), [3]);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_user_in_the_url_needs_one_request() {
    let httpbin = given(HTTPBIN);
    for path in ["/basic-auth/ann/open%20sesame", "/hidden-basic-auth/ann/open%20sesame"] {
        let relay = Relay::to(&httpbin);
        let url = relay.url(path).replace("http://", "http://ann:open%20sesame@");
        assert_eq!(session().data(url).unwrap().response.status(), 200, "{path}");
        assert_eq!(relay.requests(), [1], "{path}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn httpbin_accepts_the_delegates_password() {
    let httpbin = given(HTTPBIN);
    let relay = Relay::to(&httpbin);
    let (session, keeper) = keeping([("ann", "sesame")]);
    let data = session.data_task(relay.url("/basic-auth/ann/sesame")).run().unwrap();
    assert_eq!(data.response.status(), 200);
    assert_eq!(keeper.asked(), [asked(AuthenticationMethod::Basic, "Fake Realm", 0)]);
    assert_eq!(relay.requests().iter().sum::<usize>(), 2);
}

#[cfg(feature = "digest")]
mod digest {
    use super::*;

    const DIGEST: AuthenticationMethod = AuthenticationMethod::Digest;

    #[test]
    #[ignore = "needs the servers of .ci/run"]
    fn apache_is_asked_once_and_its_nonce_used_again() {
        let apache = given(APACHE);
        let relay = Relay::to(&apache);
        let (session, keeper) = keeping([("ann", "open sesame")]);
        for requests in [2, 3, 4] {
            let data = session.data_task(relay.url("/digest/page.txt")).run().unwrap();
            assert_eq!(data.text(), "the page of digest\n");
            // Its proof that it knows the password, too, was looked at on the way.
            assert!(data.response.header("authentication-info").unwrap().contains("rspauth="));
            assert_eq!(relay.requests(), [requests]);
        }
        assert_eq!(keeper.asked(), [asked(DIGEST, "ledger", 0)]);
        let counted = relay.values("Authorization");
        let counts = ["nc=00000001", "nc=00000002", "nc=00000003"];
        assert_eq!(counted.len(), counts.len());
        for (value, count) in counted.iter().zip(counts) {
            assert!(value.contains(count), "{count} is not in {value}");
        }
    }

    #[test]
    #[ignore = "needs the servers of .ci/run"]
    fn a_wrong_password_is_turned_down_by_apache() {
        let apache = given(APACHE);
        let relay = Relay::to(&apache);
        let (session, keeper) = keeping([("ann", "wrong"), ("ann", "open sesame")]);
        let data = session.data_task(relay.url("/digest/page.txt")).run().unwrap();
        assert_eq!(data.response.status(), 200);
        assert_eq!(keeper.asked(), [asked(DIGEST, "ledger", 0), asked(DIGEST, "ledger", 1)]);
        assert_eq!(relay.requests(), [3]);
    }

    #[test]
    #[ignore = "needs the servers of .ci/run"]
    fn httpbin_accepts_every_quality_and_hash_that_rfc_7616_knows() {
        let httpbin = given(HTTPBIN);
        for (quality, algorithm) in [
            ("auth", "MD5"),
            ("auth", "SHA-256"),
            ("auth-int", "MD5"),
            ("auth-int", "SHA-256"),
            // Both are offered.
            ("either", "MD5"),
            ("either", "SHA-256"),
        ] {
            let name = format!("{quality} {algorithm}");
            let relay = Relay::to(&httpbin);
            let (session, keeper) = keeping([("ann", "sesame")]);
            let path = format!("/digest-auth/{quality}/ann/sesame/{algorithm}");
            let data = session.data_task(relay.url(&path)).run().unwrap();
            assert_eq!(data.response.status(), 200, "{name}");
            assert!(data.text().contains(r#""authenticated":true"#), "{name}: {}", data.text());
            assert_eq!(keeper.asked().len(), 1, "{name}");
            assert_eq!(relay.requests().iter().sum::<usize>(), 2, "{name}");
            let value = relay.values("Authorization").remove(0);
            assert!(value.contains(&format!("algorithm={algorithm}")), "{name}: {value}");
        }
    }

    #[test]
    #[ignore = "needs the servers of .ci/run"]
    fn a_hash_that_is_in_no_rfc_is_not_answered() {
        let httpbin = given(HTTPBIN);
        let relay = Relay::to(&httpbin);
        let (session, keeper) = keeping([("ann", "sesame")]);
        let url = relay.url("/digest-auth/auth/ann/sesame/SHA-512");
        assert_eq!(session.data_task(url).run().unwrap().response.status(), 401);
        assert_eq!((keeper.asked(), relay.requests()), (Vec::new(), vec![1]));
    }

    #[test]
    #[ignore = "needs the servers of .ci/run"]
    fn a_nonce_that_went_stale_is_replaced_without_asking() {
        let httpbin = given(HTTPBIN);
        let relay = Relay::to(&httpbin);
        let (session, keeper) = keeping([("ann", "sesame")]);
        let url = relay.url("/digest-auth/auth/ann/sesame/SHA-256");
        assert_eq!(session.data_task(url.as_str()).run().unwrap().response.status(), 200);
        // This is how httpbin is told that a nonce is too old.
        let nonce = keeper.nonces.lock().unwrap()[0].clone();
        let again = urlsession::Request::get(&url).header("Cookie", format!("last_nonce={nonce}"));
        assert_eq!(session.data_task(again).run().unwrap().response.status(), 200);
        assert_eq!(keeper.asked().len(), 1);
        let signed = relay.values("Authorization");
        let with_old = signed.iter().filter(|value| value.contains(&nonce)).count();
        assert_eq!((signed.len(), with_old), (3, 2));
        assert_eq!(relay.requests().iter().sum::<usize>(), 4);
    }
}
