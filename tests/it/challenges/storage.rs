//! The credential storage: what loads take from it, and what they put there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use urlsession::{
    AuthenticationMethod, Configuration, Credential, CredentialStorage, Disposition, Persistence,
    Session,
};

use crate::support::asked::{Asked, authorizations, basic, guard, guarded, space, storing};

const BASIC: AuthenticationMethod = AuthenticationMethod::Basic;

#[test]
fn a_stored_credential_is_used_once_without_a_delegate() {
    let server = guarded("r", "pw");
    for (password, sent, text) in [("pw", 1, "in"), ("old", 1, "who?")] {
        let (configuration, _) = storing(&server, "r", "ann", password);
        let data = Session::new(configuration).unwrap().data(server.url("/")).unwrap();
        assert_eq!(data.text(), text);
        let seen = authorizations(&server);
        assert_eq!((seen.len(), &seen[0]), (1 + sent, &None));
        assert_eq!(seen[1], Some(basic("ann", password)));
    }
}

#[test]
fn a_stored_credential_is_for_its_space_only() {
    let server = guarded("r", "pw");
    let of = |method, realm| space(&server, method, realm);
    let port = server.port();
    let elsewhere = |host, port, protocol| {
        urlsession::ProtectionSpace::new(host, port, protocol, BASIC).with_realm("r")
    };
    for (stored, used) in [
        (of(BASIC, "r"), true),
        (of(BASIC, "s"), false),
        (of(AuthenticationMethod::Digest, "r"), false),
        (of(BASIC, "r").for_proxy(), false),
        (elsewhere("localhost", port, "http"), false),
        (elsewhere("127.0.0.1", port ^ 1, "http"), false),
        (elsewhere("127.0.0.1", port, "https"), false),
    ] {
        let mut configuration = Configuration::ephemeral();
        let storage = CredentialStorage::new();
        storage.set(&Credential::new("ann", "pw"), &stored);
        configuration.credential_storage = Some(storage);
        Session::new(configuration).unwrap().data(server.url("/")).unwrap();
        assert_eq!(authorizations(&server).len(), if used { 2 } else { 1 }, "{stored:?}");
    }
}

#[test]
fn a_stored_credential_is_proposed_and_after_it_failed_only_shown() {
    let server = guarded("r", "pw");
    let (configuration, _) = storing(&server, "r", "ann", "old");
    let asked = Asked::default_handling();
    assert_eq!(asked.session_with(configuration).data(server.url("/")).unwrap().text(), "who?");
    let questions = asked.take_questions();
    let shown: Vec<_> =
        questions.iter().map(|one| (one.failures, one.proposed.as_deref())).collect();
    assert_eq!(shown, [(0, Some("ann:old")), (1, Some("ann:old"))]);
    assert_eq!(authorizations(&server).len(), 2);
}

#[test]
fn what_a_delegate_gave_is_stored_when_it_is_accepted() {
    for (given, accepted, stored) in [
        (Credential::new("ann", "pw"), true, true),
        (Credential::new("ann", "no"), false, false),
        (Credential::new("ann", "pw").with_persistence(Persistence::None).unwrap(), true, false),
    ] {
        let server = guarded("r", "pw");
        let mut configuration = Configuration::ephemeral();
        let storage = CredentialStorage::new();
        configuration.credential_storage = Some(storage.clone());
        let changes = Arc::new(AtomicUsize::new(0));
        let (count, again) = (changes.clone(), storage.clone());
        let _observer = storage.on_change(move || {
            // No lock is held: the storage can be asked.
            again.all_credentials();
            count.fetch_add(1, Ordering::SeqCst);
        });
        let answer = given.clone();
        let asked = Asked::new(move |challenge| {
            let is_first = challenge.previous_failure_count() == 0;
            is_first.then(|| Disposition::UseCredential(answer.clone()))
        });
        let data = asked.session_with(configuration).data(server.url("/")).unwrap();
        assert_eq!(data.text() == "in", accepted);
        let found = storage.default_credential(&space(&server, BASIC, "r"));
        assert_eq!(found, stored.then_some(given), "{accepted}");
        assert_eq!(changes.load(Ordering::SeqCst), usize::from(stored));
    }
}

#[test]
fn a_credential_for_once_answers_one_challenge() {
    let server = guarded("r", "pw");
    let asked = Asked::new(|_| {
        let once = Credential::new("ann", "pw").with_persistence(Persistence::None).unwrap();
        Some(Disposition::UseCredential(once))
    });
    let session = asked.session();
    for _ in 0..2 {
        session.data(server.url("/")).unwrap();
        assert_eq!(asked.take_questions().len(), 1);
        assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))]);
    }
}

#[test]
fn a_session_without_a_storage_keeps_nothing() {
    let server = guarded("r", "pw");
    let mut configuration = Configuration::ephemeral();
    configuration.credential_storage = None;
    let asked = Asked::giving("ann", "pw");
    let session = asked.session_with(configuration);
    for _ in 0..2 {
        session.data(server.url("/")).unwrap();
        assert_eq!(asked.take_questions().len(), 1);
    }
}

#[test]
fn sessions_with_one_storage_share_it_and_nothing_else() {
    let server = guarded("r", "pw");
    let storage = CredentialStorage::new();
    let mut configuration = Configuration::ephemeral();
    configuration.credential_storage = Some(storage);
    let asked = Asked::giving("ann", "pw");
    asked.session_with(configuration.clone()).data(server.url("/")).unwrap();
    authorizations(&server);
    let other = Session::new(configuration).unwrap();
    assert_eq!(other.data(server.url("/")).unwrap().text(), "in");
    // The other one has to be asked by the server before it uses it.
    assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))]);
}

#[test]
fn what_the_program_removed_does_not_come_back() {
    let server = guarded("r", "pw");
    let (configuration, storage) = storing(&server, "r", "ann", "pw");
    let session = Session::new(configuration).unwrap();
    session.data(server.url("/")).unwrap();
    storage.remove_all();
    session.data(server.url("/")).unwrap();
    assert!(storage.all_credentials().is_empty());
}

#[test]
fn a_newer_stored_credential_is_used_instead_of_the_accepted_one() {
    let server = guarded("r", "old");
    let (configuration, storage) = storing(&server, "r", "ann", "old");
    let session = Session::new(configuration).unwrap();
    session.data(server.url("/")).unwrap();
    server.handle(guard("r", "new"));
    storage.set(&Credential::new("ann", "new"), &space(&server, BASIC, "r"));
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    let expected = [None, Some("old"), None, Some("new")];
    let expected = expected.map(|password| password.map(|password| basic("ann", password)));
    assert_eq!(authorizations(&server), expected);
}

#[test]
fn a_reset_forgets_what_was_accepted_and_empties_the_storage_and_a_flush_does_not() {
    let server = guarded("r", "pw");
    let (configuration, storage) = storing(&server, "r", "ann", "pw");
    let session = Session::new(configuration).unwrap();
    session.data(server.url("/")).unwrap();
    session.flush();
    session.data(server.url("/")).unwrap();
    let sent = Some(basic("ann", "pw"));
    assert_eq!(authorizations(&server), [None, sent.clone(), sent]);
    session.reset();
    assert!(storage.all_credentials().is_empty());
    assert_eq!(session.data(server.url("/")).unwrap().text(), "who?");
    assert_eq!(authorizations(&server), [None]);
}

#[test]
fn what_the_program_takes_out_of_the_storage_is_not_sent_unasked_any_more() {
    let server = guarded("r", "pw");
    let credential = Credential::new("ann", "pw");
    let changes: [fn(&CredentialStorage, &Credential, &urlsession::ProtectionSpace); 2] = [
        |storage, credential, space| assert!(storage.remove(credential, space)),
        |storage, _, space| storage.set(&Credential::new("ann", "new"), space),
    ];
    for change in changes {
        let (configuration, storage) = storing(&server, "r", "ann", "pw");
        let session = Session::new(configuration).unwrap();
        for sent in [2, 1] {
            session.data(server.url("/")).unwrap();
            assert_eq!(authorizations(&server).len(), sent);
        }
        change(&storage, &credential, &space(&server, BASIC, "r"));
        session.data(server.url("/")).unwrap();
        assert_eq!(authorizations(&server)[0], None);
    }
}
