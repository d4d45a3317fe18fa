//! User name and password in a URL.

use urlsession::{Configuration, CredentialStorage, Session};

use crate::support::asked::{Asked, authorizations, basic, guarded, space, storing};

fn with(url: &str, userinfo: &str) -> String {
    url.replace("http://", &format!("http://{userinfo}@"))
}

#[test]
fn they_are_sent_before_the_server_asks_and_proposed_when_they_were_turned_down() {
    let server = guarded("r", "pw");
    let asked = Asked::trying("ann", &["", "pw"]);
    let session = asked.session();
    assert_eq!(session.data(with(&server.url("/"), "ann:pw")).unwrap().text(), "in");
    assert_eq!(asked.take_questions(), []);
    assert_eq!(authorizations(&server), [Some(basic("ann", "pw"))]);

    assert_eq!(session.data(with(&server.url("/"), "ann:no")).unwrap().text(), "in");
    let asked_once = asked.take_questions();
    assert_eq!(asked_once.len(), 1);
    assert_eq!((asked_once[0].failures, asked_once[0].proposed.as_deref()), (1, Some("ann:no")));
    assert_eq!(authorizations(&server), ["no", "pw"].map(|one| Some(basic("ann", one))));
}

#[test]
fn they_are_tried_once_by_default() {
    let server = guarded("r", "pw");
    let session = Session::new(Configuration::ephemeral()).unwrap();
    assert_eq!(session.data(with(&server.url("/"), "ann:no")).unwrap().text(), "who?");
    assert_eq!(authorizations(&server), [Some(basic("ann", "no"))]);
}

#[test]
fn they_are_not_stored_and_name_the_only_user_who_is_meant() {
    let server = guarded("r", "pw");
    let (configuration, storage) = storing(&server, "r", "bob", "other");
    let session = Session::new(configuration).unwrap();
    assert_eq!(session.data(with(&server.url("/"), "ann:no")).unwrap().text(), "who?");
    assert_eq!(authorizations(&server), [Some(basic("ann", "no"))]);
    assert_eq!(session.data(with(&server.url("/"), "ann:pw")).unwrap().text(), "in");
    let basic = urlsession::AuthenticationMethod::Basic;
    assert_eq!(storage.credentials(&space(&server, basic, "r")).len(), 1);
}

#[test]
fn a_user_without_a_password_has_the_stored_one() {
    let server = guarded("r", "pw");
    let (configuration, _) = storing(&server, "r", "ann", "pw");
    let session = Session::new(configuration).unwrap();
    assert_eq!(session.data(with(&server.url("/"), "ann")).unwrap().text(), "in");
    assert_eq!(authorizations(&server), ["", "pw"].map(|one| Some(basic("ann", one))));
    // From now on it is known that the server takes it.
    session.data(with(&server.url("/"), "ann")).unwrap();
    assert_eq!(authorizations(&server), [Some(basic("ann", "pw"))]);
}

#[test]
fn another_user_than_the_accepted_one_is_sent_as_the_url_says() {
    let server = guarded("r", "pw");
    let session = Asked::giving("ann", "pw").session();
    session.data(server.url("/")).unwrap();
    authorizations(&server);
    session.data(with(&server.url("/"), "bob:pw")).unwrap();
    assert_eq!(authorizations(&server)[0], Some(basic("bob", "pw")));
}

#[test]
fn they_appear_in_no_url_header_or_error() {
    let server = guarded("r", "pw");
    let asked = Asked::default_handling();
    let mut configuration = Configuration::ephemeral();
    configuration.credential_storage = Some(CredentialStorage::new());
    let session = asked.session_with(configuration);
    let task = session.data_task(with(&server.url("/"), "ann:s3cret"));
    let data = task.run().unwrap();
    let shown = format!(
        "{:?} {:?} {:?} {:?} {data:?} {:?}",
        task.original_request(),
        task.current_request(),
        task.current_request().headers(),
        task.response(),
        asked.take_challenges(),
    );
    assert!(!shown.contains("s3cret") && !shown.contains(&basic("ann", "s3cret")), "{shown}");
    assert_eq!(task.current_request().headers().get("authorization"), None);
    assert_eq!(data.response.url().as_str(), server.url("/"));
}
