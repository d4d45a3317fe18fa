//! What a later run of the program knows of the request of a task.

use urlsession::testing::{Answer, Event, Recorder, Server};
use urlsession::{DeliveryQueue, ErrorKind, NewRequestReason, Request, RetryPolicy, Session};

use super::{Home, close, configuration, open, told};
use crate::hosts::Row;
use crate::support::running::HANG;

rows! {
    what_a_request_accepts_and_how_it_is_tried_again_holds_in_the_next_run,
    a_user_of_a_url_is_asked_for_again_unless_secrets_may_be_written_down,
}

fn what_a_request_accepts_and_how_it_is_tried_again_holds_in_the_next_run(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let accepts = Request::get(server.url("/1")).accepts_status(404..=404);
    let _ = session.download_task(accepts);
    let gives_up = Request::get(server.url("/2")).retry_policy(RetryPolicy::off());
    let _ = session.download_task(gives_up);
    close(&recorder, session);

    let (recorder, session) = open(&folder);
    for answer in [Answer::status(404).body("nothing"), Answer::status(503)] {
        server.enqueue(answer);
        let next = session.all_tasks().remove(0);
        let _ = next.resume();
        assert!(session.wait_until_idle(HANG));
    }
    assert_eq!(
        told(&recorder),
        [
            Event::File { id: 1, length: 7 },
            Event::done(1),
            Event::failed(2, ErrorKind::UnacceptableStatus)
        ]
    );
    close(&recorder, session);
}

fn a_user_of_a_url_is_asked_for_again_unless_secrets_may_be_written_down(row: &Row) {
    for persists in [false, true] {
        let (folder, server) = (Home::new(row), Server::start());
        let begin = || {
            let (recorder, queue) = (Recorder::new(), DeliveryQueue::serial());
            let configuration = configuration(&folder, &recorder).persists_secrets(persists);
            let session = Session::with_delegate(configuration, recorder.delegate(), queue);
            (recorder, session.unwrap())
        };
        let url = server.url("/film").replace("://", "://t0ken:hush@");
        let (recorder, session) = begin();
        let _ = session.download_task(&url);
        close(&recorder, session);
        let journal = super::journal(&folder);
        assert_eq!(journal.contains("hush"), persists, "{journal}");
        assert_eq!(journal.contains("t0ken"), persists, "{journal}");

        let (recorder, session) = begin();
        recorder.on_new_request(Request::get(&url));
        server.enqueue(Answer::ok("film"));
        let _ = session.all_tasks().remove(0).resume();
        assert!(session.wait_until_idle(HANG));
        let asked = Event::NewRequest { id: 1, reason: NewRequestReason::SecretsLost };
        let came = [Event::File { id: 1, length: 4 }, Event::done(1)];
        let expected = (!persists).then_some(asked).into_iter().chain(came);
        let events = told(&recorder).into_iter().filter(|event| *event != Event::EventsFinished);
        assert_eq!(events.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let sent = server.take_request();
        assert_eq!(sent.header("authorization"), Some("Basic dDBrZW46aHVzaA=="));
        close(&recorder, session);
    }
}
