//! A program that sets `Authorization` itself.

use urlsession::{Request, Session};

use crate::support::asked::{Asked, authorizations, basic, guarded, storing};

const OWN: &str = "Bearer of-the-program";

#[test]
fn nothing_known_is_used_in_place_of_it() {
    let server = guarded("r", "pw");
    let (configuration, _) = storing(&server, "r", "ann", "pw");
    let session = Session::new(configuration).unwrap();
    let request = Request::get(server.url("/")).header("Authorization", OWN);
    assert_eq!(session.data(&request).unwrap().text(), "who?");
    assert_eq!(authorizations(&server), [Some(OWN.to_owned())]);
    // Neither what the server has accepted meanwhile.
    session.data(server.url("/")).unwrap();
    authorizations(&server);
    session.data(&request).unwrap();
    assert_eq!(authorizations(&server), [Some(OWN.to_owned())]);
}

#[test]
fn a_delegate_is_asked_and_replaces_it() {
    let server = guarded("r", "pw");
    let (configuration, _) = storing(&server, "r", "ann", "pw");
    let asked = Asked::trying("ann", &["no", "pw"]);
    let session = asked.session_with(configuration);
    let request = Request::get(server.url("/")).header("Authorization", OWN);
    assert_eq!(session.data(request).unwrap().text(), "in");
    let questions = asked.take_questions();
    let shown: Vec<_> = questions.iter().map(|one| (one.failures, one.proposed.clone())).collect();
    assert_eq!(shown, [(0, None), (1, Some("ann:no".to_owned()))]);
    let sent = [OWN.to_owned(), basic("ann", "no"), basic("ann", "pw")].map(Some);
    assert_eq!(authorizations(&server), sent);
}
