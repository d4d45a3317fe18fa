//! Credentials, challenges and identities.

use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Server};
use urlsession::{
    AuthenticationMethod, Challenge, Configuration, Credential, CredentialStorage, Delegate,
    DeliveryQueue, Disposition, ErrorKind, Persistence, ProtectionSpace, Reply, Session, Task,
};

use super::{check_debug, check_error};

/// Answers what it is asked with one credential after the other, and keeps the challenges.
struct Answers(Mutex<Vec<Credential>>, Mutex<Vec<Challenge>>);

impl Delegate for Answers {
    fn did_receive_challenge(&self, _: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        check_debug(&reply, "Reply");
        check_debug(challenge, "Challenge");
        self.1.lock().unwrap().push(challenge.clone());
        let disposition = match self.0.lock().unwrap().pop() {
            Some(credential) => Disposition::UseCredential(credential),
            None => Disposition::PerformDefaultHandling,
        };
        check_debug(&disposition, "Disposition");
        reply.answer(disposition);
    }
}

fn ann() -> Credential {
    Credential::new("s3cret-ann", "s3cret")
}

pub(crate) fn check() {
    check_words();
    check_loads();
    #[cfg(feature = "tls")]
    check_identities();
}

fn check_words() {
    let space = ProtectionSpace::new("shop.test", 443, "https", AuthenticationMethod::Basic);
    let storage = CredentialStorage::new();
    storage.set(&ann(), &space);
    check_debug(&ann(), "Credential");
    check_debug(&Credential::from_token("s3cret"), "Credential of a token");
    check_debug(&storage, "CredentialStorage");
    check_debug(&storage.all_credentials(), "what a storage lists");
    check_debug(&storage.on_change(|| ()), "CredentialObserver");
    for credential in [ann(), Credential::from_token("s3cret")] {
        let error = credential.with_persistence(Persistence::Permanent).unwrap_err();
        check_error(&error, "a credential that cannot be kept");
    }
    let mut configuration = Configuration::ephemeral();
    configuration.credential_storage = Some(storage);
    check_debug(&configuration, "Configuration with a storage");
}

/// Challenges that are answered rightly, wrongly and by what does not fit.
fn check_loads() {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some(field) if field.contains("s3cret-bob") => Answer::status(403),
        Some(field) if request.path() == "/in" && !field.starts_with("Basic ") => Answer::ok("in")
            .header("Authentication-Info", "nextnonce=\"s3cret\", rspauth=\"s3cret\""),
        _ => Answer::status(401)
            .header("WWW-Authenticate", "Digest realm=r, nonce=\"s3cret\", qop=auth, opaque=s3cret")
            .header("WWW-Authenticate", "Negotiate, Basic realm=r"),
    });
    let unsendable = || Credential::new("a\nb", "s3cret");
    for (path, answers) in [
        ("/in", vec![ann(), Credential::from_token("s3cret"), unsendable()]),
        ("/out", vec![ann(), Credential::from_token("s3cret"), unsendable()]),
        // Asked for once more, with the reason.
        ("/again", vec![unsendable(), unsendable(), unsendable(), unsendable()]),
    ] {
        let delegate = Arc::new(Answers(Mutex::new(answers), Mutex::default()));
        let queue = DeliveryQueue::inline();
        let session =
            Session::with_delegate(Configuration::ephemeral(), delegate.clone(), queue).unwrap();
        let task = session.data_task(server.url(path).replace("://", "://ann:s3cret@"));
        match task.run() {
            Ok(data) => check_debug(&data, "Data of a challenge"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::BadServerResponse, "a proof that is none");
                check_error(&error, "an error of a challenge");
            }
        }
        let asked = delegate.1.lock().unwrap();
        assert!(!asked.is_empty());
        let has_reason = asked.iter().any(|challenge| challenge.error().is_some());
        assert_eq!(has_reason, path == "/again", "{asked:?}");
        for error in asked.iter().filter_map(Challenge::error) {
            check_error(error, "Challenge::error");
        }
        check_debug(&task, "Task");
        check_debug(&task.current_request(), "Task::current_request");
        check_debug(&session, "Session");
    }
}

#[cfg(feature = "tls")]
fn check_identities() {
    use urlsession::Identity;
    use urlsession::testing::Authority;

    let made = Authority::new().identity(&["ann"]);
    let (chain, key) = (made.chain_pem(), made.key_pem());
    let identity = Identity::from_pem(chain.clone() + &key, None).unwrap();
    let line = key.lines().nth(1).unwrap();
    let bytes = format!("{:?}", &made.key_der()[20..40]);
    let shown = format!("{identity:?} {:?}", Credential::from_identity(&identity));
    assert!(!shown.contains(line) && !shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
    let broken = key.replace(&line[..8], "s3cret!!");
    for pem in [
        chain.clone() + &broken,
        chain.clone() + &key.replace("PRIVATE KEY", "s3cret KEY"),
        chain + &key.replace(" PRIVATE KEY", " ENCRYPTED PRIVATE KEY"),
        key + &Authority::new().identity(&["bob"]).chain_pem(),
        "s3cret".to_owned(),
    ] {
        check_error(&Identity::from_pem(pem, Some("s3cret")).unwrap_err(), "an identity's PEM");
    }
    check_error(&Identity::from_pkcs12(b"s3cret", Some("s3cret")).unwrap_err(), "PKCS #12");
}
