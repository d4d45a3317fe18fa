//! What becomes of a certificate that a server shows while the program is away.

use std::fs;

use urlsession::testing::{Answer, Authority, Event, OnChallenge, Recorder, Server};
use urlsession::{Certificate, DeliveryQueue, Session};

use crate::hosted::Scene;

/// Opens a session that trusts what lies in the folder of the test.
fn open(scene: &Scene, recorder: &Recorder) -> Session {
    recorder.keeps_files(scene.taken(""));
    let roots = fs::read(scene.taken("root.pem"))
        .map_or(Vec::new(), |pem| Certificate::from_pem(pem).unwrap());
    let configuration = scene.configuration("films").additional_roots(roots);
    Session::with_delegate(configuration, recorder.delegate(), DeliveryQueue::serial()).unwrap()
}

/// The program that is killed with the question in its hands.
fn ask_and_wait(scene: &Scene, base: &str) -> ! {
    let recorder = Recorder::new();
    recorder.on_challenge(OnChallenge::Hold);
    recorder.on_session_challenge(OnChallenge::Hold);
    let session = open(scene, &recorder);
    let _ = session.download_task(format!("{base}film")).resume();
    let _held = recorder.take_challenge();
    scene.has_begun()
}

fn served(authority: &Authority) -> (Server, Vec<u8>) {
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let bytes = vec![7; 10_000];
    server.enqueue(Answer::ok(&bytes));
    (server, bytes)
}

#[test]
fn one_that_is_not_trusted_waits_for_the_program() {
    if let Some((scene, base)) = Scene::of_program() {
        ask_and_wait(&scene, &base);
    }
    let scene = Scene::new("untrusted");
    let (server, bytes) = served(&Authority::new());
    scene.run_and_kill("certificates::one_that_is_not_trusted_waits_for_the_program", &server);
    let recorder = Recorder::new();
    recorder.on_challenge(OnChallenge::Trust);
    recorder.on_session_challenge(OnChallenge::Trust);
    let session = open(&scene, &recorder);
    scene.comes_to_its_end(&recorder, session, &bytes);
    let is_challenge =
        |event: &Event| matches!(event, Event::Challenge { .. } | Event::SessionChallenge { .. });
    assert!(recorder.events().iter().any(is_challenge));
}

#[test]
fn one_that_is_trusted_is_accepted_without_the_program() {
    if let Some((scene, base)) = Scene::of_program() {
        ask_and_wait(&scene, &base);
    }
    let scene = Scene::new("trusted");
    let authority = Authority::new();
    fs::write(scene.taken("root.pem"), authority.certificate_pem()).unwrap();
    let (server, bytes) = served(&authority);
    let test = "certificates::one_that_is_trusted_is_accepted_without_the_program";
    scene.run_and_kill(test, &server);
    scene.is_whole("films", 1);
    let recorder = Recorder::new();
    let session = open(&scene, &recorder);
    scene.comes_to_its_end(&recorder, session, &bytes);
}
