//! Every way to load something asks and is answered, whoever it reports to.

use std::sync::mpsc::channel;

use urlsession::testing::Server;
use urlsession::{Request, Session, Update};

use crate::support::asked::{Asked, authorizations, basic, guarded};
use crate::support::running::{HANG, Way};

/// Loads `server`'s page in one way and returns its text.
fn load(way: &str, session: &Session, server: &Server) -> String {
    let url = server.url("/");
    match way {
        "data" => session.data(url).unwrap().text().into_owned(),
        "bytes" => String::from_utf8(Way::Bytes.load(session, url.into()).unwrap()).unwrap(),
        "upload" => session.upload(Request::put(url), "body").unwrap().text().into_owned(),
        "download" => {
            let download = session.download(url).unwrap();
            std::fs::read_to_string(download.file.path()).unwrap()
        }
        "closure" => {
            let (sender, outcome) = channel();
            let task = session.data_task_with(url, move |outcome| sender.send(outcome).unwrap());
            task.resume();
            outcome.recv_timeout(HANG).unwrap().unwrap().text().into_owned()
        }
        "channel" => {
            let (sender, outcomes) = channel();
            session.data_task_to(url, &sender).resume();
            outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text().into_owned()
        }
        "updates" => {
            let updates = session.data_task(url).updates();
            let mut text = String::new();
            while let Some(update) = updates.recv() {
                match update {
                    Update::Response(response) => assert_eq!(response.status(), 200),
                    Update::Data(data) => text += std::str::from_utf8(&data).unwrap(),
                    Update::Finished(outcome) => outcome.unwrap(),
                    _ => {}
                }
            }
            text
        }
        other => panic!("no such way: {other}"),
    }
}

#[test]
fn every_way_to_load_asks_and_is_answered() {
    for way in ["data", "bytes", "upload", "download", "closure", "channel", "updates"] {
        let (server, asked) = (guarded("r", "pw"), Asked::giving("ann", "pw"));
        let session = asked.session();
        assert_eq!(load(way, &session, &server), "in", "{way}");
        assert_eq!(asked.take_questions().len(), 1, "{way}");
        assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))], "{way}");
        assert_eq!(server.connection_count(), 1, "{way}");
    }
}
