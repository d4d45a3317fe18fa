//! The program that downloads: a session that finds the server wherever it is now, and a process
//! of its own, which can be killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, process};

use urlsession::{
    Configuration, DownloadTask, Error, ErrorKind, Resolver, ResumeData, RetryPolicy, Session,
};

/// Tells the program that it is to download, and how.
const PLACE: &str = "URLSESSION_TEST_PLACE";
const RETRIES: &str = "URLSESSION_TEST_RETRIES";
const DIGEST: &str = "URLSESSION_TEST_DIGEST";
const SEGMENTS: &str = "URLSESSION_TEST_SEGMENTS";
const WITH_TEXT: &str = "URLSESSION_TEST_WITH_TEXT";

/// How the process of a download ends.
pub(crate) const DONE: i32 = 0;
pub(crate) const INTERRUPTED: i32 = 10;
pub(crate) const ALREADY_THERE: i32 = 11;

/// A download, as the program wants it.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// A folder with a folder for the file, and what is beside it for the test.
    pub(crate) place: PathBuf,
    /// It tries again by itself.
    pub(crate) retries: bool,
    pub(crate) digest: Option<String>,
    /// In how many parts it may come at once.
    pub(crate) segments: usize,
}

impl Wish {
    pub(crate) fn folder(&self) -> PathBuf {
        self.place.join("films")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("film")
    }

    /// Where the address of the server stands.
    pub(crate) fn address(&self) -> PathBuf {
        self.place.join("address")
    }

    /// Where resume data is passed from process to process.
    pub(crate) fn text(&self) -> PathBuf {
        self.place.join("text")
    }

    pub(crate) fn session(&self) -> Session {
        let mut configuration = Configuration::ephemeral();
        let address = self.address();
        configuration.resolver = Some(Resolver::new(move |_, _| found(&address)));
        if self.retries {
            let at_once = RetryPolicy::attempts(100).first_delay(Duration::ZERO);
            configuration.retry_policy = at_once;
        }
        Session::new(configuration).unwrap()
    }

    /// Makes a download that goes on with `resume_data`, or begins.
    pub(crate) fn task(
        &self,
        session: &Session,
        resumable: bool,
        resume_data: Option<ResumeData>,
    ) -> DownloadTask {
        if let Some(resume_data) = resume_data {
            let task = session.download_task_with_resume_data(resume_data);
            task.segments(self.segments).unwrap();
            return task;
        }
        let task = session.download_task("http://films.test/film");
        task.save_to(self.file()).unwrap();
        task.resumable(resumable).unwrap();
        task.segments(self.segments).unwrap();
        if let Some(digest) = &self.digest {
            task.expects_sha256(digest).unwrap();
        }
        task
    }

    /// Starts a process that downloads, with resume data from a text or beside the place.
    pub(crate) fn start(&self, test: &str, with_text: bool) -> Child {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", test, "--test-threads=1"]).env(PLACE, &self.place);
        command.env(SEGMENTS, self.segments.to_string());
        if self.retries {
            command.env(RETRIES, "yes");
        }
        if with_text {
            command.env(WITH_TEXT, "yes");
        }
        if let Some(digest) = &self.digest {
            command.env(DIGEST, digest);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    }
}

fn found(address: &Path) -> std::io::Result<Vec<SocketAddr>> {
    let text = fs::read_to_string(address)?;
    text.parse().map(|address| vec![address]).map_err(std::io::Error::other)
}

/// Whether a download may end so when connections break and servers refuse.
pub(crate) fn is_interruption(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NetworkConnectionLost
            | ErrorKind::CannotConnectToHost
            | ErrorKind::ZeroByteResource
            | ErrorKind::UnacceptableStatus
            | ErrorKind::Cancelled
    )
}

/// Downloads, if this is the process for that, and ends it.
pub(crate) fn download_if_asked() {
    let Some(place) = env::var_os(PLACE) else { return };
    let (retries, digest) = (env::var_os(RETRIES).is_some(), env::var(DIGEST).ok());
    let segments = env::var(SEGMENTS).unwrap().parse().unwrap();
    let wish = Wish { place: place.into(), retries, digest, segments };
    let code = download(&wish, env::var_os(WITH_TEXT).is_some());
    process::exit(code);
}

fn download(wish: &Wish, with_text: bool) -> i32 {
    let resume_data = with_text.then(|| {
        let text = fs::read_to_string(wish.text()).unwrap();
        ResumeData::from_text(&text).unwrap()
    });
    let Err(error) = wish.task(&wish.session(), !with_text, resume_data).run() else {
        return DONE;
    };
    if error.kind() == ErrorKind::FileAlreadyExists {
        return ALREADY_THERE;
    }
    assert!(is_interruption(&error), "{error}");
    if with_text {
        let text = error.resume_data().map(|data| data.to_text().unwrap());
        fs::write(wish.text(), text.unwrap_or_default()).unwrap();
    }
    INTERRUPTED
}
