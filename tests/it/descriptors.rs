//! A process that has no descriptor free when it first needs one: what fails then is not
//! remembered. Each scene is played in a process of its own, whose server is in the process of
//! the test.

use std::fs::File;
use std::process::Command;
use std::{env, fs};

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Configuration, Data, Error, Request, Session};

use crate::support::folder::Folder;

const SCENE: &str = "URLSESSION_TEST_DESCRIPTORS_SCENE";
const URL: &str = "URLSESSION_TEST_DESCRIPTORS_URL";
const FILE: &str = "URLSESSION_TEST_DESCRIPTORS_FILE";
const FREE: &str = "URLSESSION_TEST_DESCRIPTORS_FREE";
const TEST: &str = "descriptors::what_fails_without_a_descriptor_works_once_there_is_one";

/// As many as every scene needs.
const ENOUGH: usize = 8;

/// What a scene loads with a session.
type Load = fn(&Session, &str) -> Result<String, Error>;

fn get(session: &Session, url: &str) -> Result<String, Error> {
    session.data(url).map(|data| said(&data))
}

fn said(data: &Data) -> String {
    format!("{} {}", data.response.status().as_u16(), data.text())
}

/// The scenes, each with what it loads.
const SCENES: [(&str, Load); 6] = [
    ("https", get),
    ("netrc", get),
    ("look-up", get),
    ("upload", |session, url| {
        let body = Body::file(env::var(FILE).unwrap());
        session.data(Request::put(url).body(body)).map(|data| said(&data))
    }),
    ("download", |session, url| {
        let download = session.download(url)?;
        let text = fs::read_to_string(download.file.path()).unwrap();
        Ok(format!("{} {text}", download.response.status().as_u16()))
    }),
    ("task", |session, url| {
        let (sender, outcome) = std::sync::mpsc::channel();
        session.data_task_to(url, &sender).resume();
        outcome.recv().unwrap().outcome.map(|data| said(&data))
    }),
];

/// Takes all descriptors but so many.
fn taken_but(free: usize) -> Vec<File> {
    let mut taken: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(taken.len() > 10, "nothing bounds the descriptors");
    taken.truncate(taken.len() - free);
    taken
}

/// What has become of a load, in words that scenes name.
fn became(outcome: &Result<String, Error>) -> String {
    match outcome {
        Ok(said) => said.clone(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// What the process that the test started does in place of the test.
fn play(scene: &str, url: &str) {
    let (_, load) = SCENES.into_iter().find(|(name, _)| *name == scene).unwrap();
    let session = || {
        let mut configuration = Configuration::ephemeral();
        configuration.uses_netrc = scene == "netrc";
        Session::new(configuration).unwrap()
    };
    let first = session();
    let free = env::var(FREE).unwrap().parse().unwrap();
    let taken = taken_but(free);
    for _ in 0..2 {
        println!("became {}", became(&load(&first, url)));
    }
    let second = session();
    let _ = load(&second, url);
    drop(taken);
    for (which, session) in [("first", first), ("second", second), ("new", session())] {
        assert_eq!(load(&session, url).unwrap(), "200 here", "{which}");
    }
}

#[test]
fn what_fails_without_a_descriptor_works_once_there_is_one() {
    if let (Ok(scene), Ok(url)) = (env::var(SCENE), env::var(URL)) {
        play(&scene, &url);
        println!("played");
        return;
    }
    let folder = Folder::new();
    let body = folder.file("body", "here");
    let netrc = folder.file("netrc", "machine 127.0.0.1 login ann password pw");
    for (scene, _) in SCENES {
        let Some((server, url)) = server(scene, &folder) else { continue };
        let mut became = Vec::new();
        for free in 0..=ENOUGH {
            let output = Command::new("sh")
                .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
                .arg(env::current_exe().unwrap())
                .args(["--exact", "--nocapture", TEST])
                .env(SCENE, scene)
                .env(URL, &url)
                .env(FILE, &body)
                .env(FREE, free.to_string())
                .env("NETRC", &netrc)
                .env("SSL_CERT_FILE", folder.path().join("root.pem"))
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && text.contains("played"), "{scene}, {free}: {text}");
            became.extend(
                text.lines().filter_map(|line| line.strip_prefix("became ").map(str::to_owned)),
            );
        }
        assert_ne!(became[0], "200 here", "{scene}: {became:?}");
        assert_eq!(became.last().unwrap(), "200 here", "{scene}: {became:?}");
        drop(server);
    }
}

/// The server of a scene, and what is loaded from it.
fn server(scene: &str, folder: &Folder) -> Option<(Server, String)> {
    let server = if scene == "https" { tls(folder)? } else { Server::start() };
    let asks = scene == "netrc";
    if asks && !cfg!(feature = "netrc") {
        return None;
    }
    server.handle(move |request| {
        if asks && request.header("authorization").is_none() {
            return Answer::status(401)
                .header("WWW-Authenticate", "Basic realm=\"x\"")
                .body("who?");
        }
        Answer::ok("here").close_after_answer()
    });
    let url = match scene {
        "look-up" => server.url_with_host("localhost", "/"),
        _ => server.url("/"),
    };
    Some((server, url))
}

#[cfg(feature = "tls")]
fn tls(folder: &Folder) -> Option<Server> {
    let authority = urlsession::testing::Authority::new();
    folder.file("root.pem", authority.certificate_pem());
    Some(Server::start_tls(&authority.identity(&["127.0.0.1"])))
}

#[cfg(not(feature = "tls"))]
fn tls(_: &Folder) -> Option<Server> {
    None
}
