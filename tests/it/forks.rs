//! A process and its copy, by `fork`: each has connections of its own. Each scene is played
//! in a process of its own, whose server is in the process of the test.

use std::ffi::c_int;
use std::io::Read;
use std::process::Command;
use std::{env, panic};

use urlsession::testing::{Answer, Server};
use urlsession::{Certificate, Configuration, Request, Session};

use crate::support::folder::Folder;

const SCENE: &str = "URLSESSION_TEST_FORKS_SCENE";
const URL: &str = "URLSESSION_TEST_FORKS_URL";
const ROOT: &str = "URLSESSION_TEST_FORKS_ROOT";
const TEST: &str = "forks::a_process_leaves_connections_to_the_one_that_made_them";

#[allow(unsafe_code, reason = "nothing else copies a process")]
mod system {
    use std::ffi::c_int;

    unsafe extern "C" {
        pub(super) safe fn fork() -> c_int;
        pub(super) safe fn _exit(status: c_int) -> !;
        fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    }

    /// Waits for a child, and returns how it ended.
    pub(super) fn wait_for(child: c_int) -> c_int {
        let mut status = -1;
        // SAFETY: the status is a place of this function.
        unsafe { waitpid(child, &raw mut status, 0) };
        status
    }
}

/// Does something in a copy of this process.
fn in_a_child(act: impl FnOnce()) -> c_int {
    match system::fork() {
        0 => {
            let acted = panic::catch_unwind(panic::AssertUnwindSafe(act));
            system::_exit(c_int::from(acted.is_err()))
        }
        child => child,
    }
}

fn ends_well(child: c_int) {
    assert_eq!(system::wait_for(child), 0, "the child has failed");
}

/// What the process that the test started does in place of the test.
fn play(scene: &str, url: &str) {
    let mut configuration = Configuration::ephemeral();
    if let Some(root) = env::var_os(ROOT) {
        configuration.trusts_system_roots = false;
        configuration.additional_roots =
            Certificate::from_pem(std::fs::read(root).unwrap()).unwrap();
    }
    let session = Session::new(configuration).unwrap();
    let loads = |session: &Session, who: &str| {
        // A POST is not sent again where its connection breaks.
        let request = Request::post(format!("{url}{who}")).body("x");
        assert_eq!(session.data(request).unwrap().text(), "here", "{who}");
    };
    loads(&session, "parent");
    match scene {
        "both load" => {
            for _ in 0..5 {
                let copy = session.clone();
                let child = in_a_child(move || {
                    for _ in 0..3 {
                        loads(&copy, "child");
                    }
                });
                loads(&session, "parent");
                ends_well(child);
                loads(&session, "parent");
            }
        }
        "the child drops what it has" => {
            for is_used in [false, true] {
                let child = system::fork();
                if child == 0 {
                    if is_used {
                        loads(&session, "child");
                    }
                    // The last handle there is.
                    drop(session);
                    system::_exit(0);
                }
                ends_well(child);
                loads(&session, "parent");
            }
        }
        "in the middle of a body" => {
            let mut bytes = session.bytes(format!("{url}parent/large")).unwrap();
            let mut begin = vec![0; 100_000];
            bytes.read_exact(&mut begin).unwrap();
            let child = system::fork();
            if child == 0 {
                // What has arrived before is its own.
                let read = bytes.read_to_end(&mut Vec::new());
                drop(bytes);
                system::_exit(c_int::from(read.is_ok()));
            }
            ends_well(child);
            let mut rest = Vec::new();
            bytes.read_to_end(&mut rest).unwrap();
            assert_eq!(begin.len() + rest.len(), LARGE);
        }
        _ => panic!("an unknown scene: {scene}"),
    }
}

const LARGE: usize = 3 << 20;

#[test]
fn a_process_leaves_connections_to_the_one_that_made_them() {
    if let (Ok(scene), Ok(url)) = (env::var(SCENE), env::var(URL)) {
        play(&scene, &url);
        println!("played");
        return;
    }
    let folder = Folder::new();
    for scene in ["both load", "the child drops what it has", "in the middle of a body"] {
        for server in servers(&folder) {
            server.handle(|request| match request.path() {
                "/parent/large" => Answer::ok(vec![b'x'; LARGE]),
                _ => Answer::ok("here"),
            });
            // A host that has to be looked up: the child has no helper of the parent's.
            let url = server.url_with_host("localhost", "/");
            let mut program = Command::new(env::current_exe().unwrap());
            program.args(["--exact", "--nocapture", TEST]).env(SCENE, scene).env(URL, &url);
            if url.starts_with("https") {
                program.env(ROOT, folder.path().join("root.pem"));
            }
            let output = program.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("played"), "{scene}, {url}: {output:?}");
            let requests = std::iter::from_fn(|| server.try_take_request());
            for request in requests.filter(|request| request.path().starts_with("/parent")) {
                assert_eq!(request.connection(), 0, "{scene}, {url}: the parent's connection");
            }
        }
    }
}

/// A plain server, and one that speaks TLS if this build does.
#[cfg(feature = "tls")]
fn servers(folder: &Folder) -> Vec<Server> {
    let authority = urlsession::testing::Authority::new();
    folder.file("root.pem", authority.certificate_pem());
    vec![Server::start(), Server::start_tls(&authority.identity(&["localhost"]))]
}

#[cfg(not(feature = "tls"))]
fn servers(_: &Folder) -> Vec<Server> {
    vec![Server::start()]
}
