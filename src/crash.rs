//! Points at which tests kill the process, to see what a start after it finds.
//!
//! Before and after everything that changes what lies on the disk stands a [`point`]. With the
//! feature `test-util` the environment says what happens there, see `testing`; without it a point
//! is nothing.

#[cfg(feature = "test-util")]
pub(crate) use armed::point;

/// Passes the point of that name.
#[cfg(not(feature = "test-util"))]
#[inline]
pub(crate) fn point(_name: &'static str) {}

#[cfg(feature = "test-util")]
mod armed {
    use std::env;
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    /// Whether points may do something: until the environment says that they do nothing.
    static MAY_BE_ARMED: AtomicBool = AtomicBool::new(true);

    /// What the environment says.
    #[derive(Debug)]
    struct Plan {
        at: Option<String>,
        /// The point from which on points count.
        from: Option<String>,
        /// A file that is made by the only process of several that ends, with the name of the point.
        once: Option<PathBuf>,
        log: Option<File>,
        passed: AtomicU64,
    }

    /// Passes the point of that name.
    #[inline]
    pub(crate) fn point(name: &'static str) {
        if MAY_BE_ARMED.load(Ordering::Relaxed) {
            pass(name);
        }
    }

    #[cold]
    fn pass(name: &'static str) {
        static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
        let Some(plan) = PLAN.get_or_init(Plan::of_environment) else {
            MAY_BE_ARMED.store(false, Ordering::Relaxed);
            return;
        };
        let is_ahead = plan.from.as_ref().is_some_and(|from| from != name);
        if is_ahead && plan.passed.load(Ordering::SeqCst) == 0 {
            return;
        }
        let number = plan.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(mut log) = plan.log.as_ref() {
            // By one write, so that lines of threads do not mix.
            let _ = log.write_all(format!("{number} {name}\n").as_bytes());
        }
        if plan.at.as_ref().is_some_and(|at| at == name || *at == number.to_string()) {
            let is_alone = plan.once.as_ref().is_none_or(|once| {
                let made = File::create_new(once);
                made.is_ok_and(|mut file| file.write_all(name.as_bytes()).is_ok())
            });
            if is_alone {
                kill();
            }
        }
    }

    impl Plan {
        fn of_environment() -> Option<Self> {
            let at = env::var("URLSESSION_CRASH_AT").ok();
            let from = env::var("URLSESSION_CRASH_FROM").ok();
            let log = env::var_os("URLSESSION_CRASH_LOG")
                .and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok());
            let once = env::var_os("URLSESSION_CRASH_ONCE").map(PathBuf::from);
            let is_armed = at.is_some() || log.is_some();
            is_armed.then_some(Self { at, from, once, log, passed: AtomicU64::new(0) })
        }
    }

    /// Ends the process without any of its code being run, as a user or the system does.
    #[cfg(unix)]
    fn kill() -> ! {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
        std::process::abort();
    }

    #[cfg(not(unix))]
    fn kill() -> ! {
        std::process::abort();
    }
}
