//! A program that is its own daemon: nothing is installed, and its downloads outlive it.
//!
//! A test program of its own, without libtest, which would read the arguments that are the
//! daemon's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(unix)]
mod unix {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    use std::{env, fs, process, thread};

    use urlsession::testing::{Answer, Recorder, Server};
    use urlsession::{BackgroundHost, Configuration, DeliveryQueue, Session};

    const PLACE: &str = "URLSESSION_TEST_PLACE";
    const URL: &str = "URLSESSION_TEST_URL";

    /// A generous limit for what cannot hang.
    const HANG: Duration = Duration::from_secs(60);

    pub(super) fn main() {
        urlsession::background::run_daemon_if_asked();
        match (env::var_os(PLACE), env::var(URL)) {
            (Some(place), Ok(url)) => program(Path::new(&place), &url),
            _ => test(),
        }
    }

    /// Starts a download, and ends before that does.
    fn program(place: &Path, url: &str) {
        let configuration = Configuration::background("films")
            .program("self-hosted")
            .state_directory(place.join("state"));
        let recorder = Recorder::new();
        let session =
            Session::with_delegate(configuration, recorder.delegate(), DeliveryQueue::serial())
                .unwrap();
        assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
        let task = session.download_task(url);
        task.save_to(place.join("film")).unwrap();
        let _ = task.resume();
        session.flush();
        process::exit(0);
    }

    fn test() {
        let place = env::temp_dir().join(format!("urlsession-self-hosted-{}", process::id()));
        fs::create_dir(&place).unwrap();
        let server = Server::start();
        let film = vec![7; 100_000];
        let answer = Answer::ok(film.clone());
        server.enqueue(answer.delay_head(Duration::from_millis(300)));
        let own = env::current_exe().unwrap();
        let mut program = Command::new(&own);
        // Without a search path there is no other daemon.
        program.env_clear().env("HOME", &place).env(PLACE, &place).env(URL, server.url("/film"));
        let output = program.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let daemon = daemon(&place);
        if cfg!(target_os = "linux") {
            let executable = fs::read_link(format!("/proc/{daemon}/exe")).unwrap();
            assert_eq!(executable, own.canonicalize().unwrap());
        }
        wait_until(|| fs::read(place.join("film")).is_ok_and(|found| found == film));
        let told = Command::new("kill").arg(&daemon).status().unwrap();
        assert!(told.success());
        wait_until(|| !place.join("state/daemon/socket").exists());
        fs::remove_dir_all(&place).unwrap();
        println!("a program was its own daemon");
    }

    /// Returns the number of its process.
    fn daemon(place: &Path) -> String {
        let lock: PathBuf = place.join("state/daemon/lock");
        fs::read_to_string(lock).unwrap().trim().to_owned()
    }

    fn wait_until(mut happened: impl FnMut() -> bool) {
        let began = Instant::now();
        while !happened() {
            assert!(began.elapsed() < HANG, "it did not happen");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn main() {
    #[cfg(unix)]
    unix::main();
}
