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

    use urlsession::background::{launched_for, register_launch};
    use urlsession::testing::{Answer, Event, Recorder, Server};
    use urlsession::{BackgroundHost, Configuration, DeliveryQueue, Session};

    const PLACE: &str = "URLSESSION_TEST_PLACE";
    const URL: &str = "URLSESSION_TEST_URL";

    /// A generous limit for what cannot hang.
    const HANG: Duration = Duration::from_secs(60);

    pub(super) fn main() {
        urlsession::background::run_daemon_if_asked();
        if let Some(identifier) = launched_for() {
            return launched(&identifier);
        }
        match (env::var_os(PLACE), env::var(URL)) {
            (Some(place), Ok(url)) => program(Path::new(&place), &url),
            _ => test(),
        }
    }

    /// Starts a download, and ends before that does.
    fn program(place: &Path, url: &str) {
        let configuration = configuration(place);
        let recorder = Recorder::new();
        let session = Session::with_delegate(
            configuration.clone(),
            recorder.delegate(),
            DeliveryQueue::serial(),
        )
        .unwrap();
        assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
        register_launch(&configuration, env::current_exe().unwrap(), [place]).unwrap();
        let task = session.download_task(url);
        task.save_to(place.join("film")).unwrap();
        let _ = task.resume();
        session.flush();
        process::exit(0);
    }

    fn configuration(place: &Path) -> Configuration {
        Configuration::background("films")
            .program("self-hosted")
            .state_directory(place.join("state"))
    }

    /// Is started by the daemon, which is this program as well, and says what it has found.
    fn launched(identifier: &str) {
        let place: PathBuf = env::args_os().nth(1).unwrap().into();
        let open = open_descriptors();
        let recorder = Recorder::new();
        let queue = DeliveryQueue::serial();
        let session =
            Session::with_delegate(configuration(&place), recorder.delegate(), queue).unwrap();
        let completion = session.launch_completion().unwrap();
        assert!(session.wait_until_idle(HANG));
        let is_told = recorder.events_of(1).last() == Some(&Event::done(1));
        let role = env::var_os("URLSESSIOND_ROLE");
        let words = format!("{identifier} {is_told} {role:?} {} {open:?}", process::id());
        fs::write(place.join("words.new"), words).unwrap();
        fs::rename(place.join("words.new"), place.join("words")).unwrap();
        drop(completion);
        // Until somebody has looked at it.
        wait_until(|| place.join("seen").exists());
    }

    /// What this process has been given, where the system lists that.
    fn open_descriptors() -> Vec<String> {
        let listed = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let open = listed.filter_map(|entry| fs::read_link(entry.path()).ok());
        // The list itself is one of them.
        let open = open.filter(|path| !path.starts_with("/proc"));
        open.map(|path| path.display().to_string()).collect()
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
        wait_until(|| place.join("words").exists());
        let words = fs::read_to_string(place.join("words")).unwrap();
        let mut words = words.splitn(5, ' ');
        assert_eq!([(); 3].map(|()| words.next().unwrap()), ["films", "true", "None"]);
        let (process, open) = (words.next().unwrap(), words.next().unwrap());
        if cfg!(target_os = "linux") {
            assert_eq!(open, "[\"/dev/null\", \"/dev/null\", \"/dev/null\"]");
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
            // Behind the name: state, parent, group, session (proc_pid_stat(5)).
            let (_, numbers) = stat.rsplit_once(')').unwrap();
            let numbers: Vec<&str> = numbers.split_whitespace().collect();
            assert_eq!(numbers[1..4], [&*daemon, process, process]);
        }
        fs::write(place.join("seen"), "").unwrap();
        // The daemon has waited for it.
        wait_until(|| !Command::new("kill").args(["-0", process]).status().unwrap().success());
        let told = Command::new("kill").arg(&daemon).status().unwrap();
        assert!(told.success());
        wait_until(|| !place.join("state/daemon/socket").exists());
        // The daemon may write its last words.
        wait_until(|| fs::remove_dir_all(&place).is_ok());
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
