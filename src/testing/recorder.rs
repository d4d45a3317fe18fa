//! A delegate that writes down what it is told, and answers by a script.

mod delegate;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use super::event::{Call, Event};
use super::script::{
    HeldChallenge, HeldRedirect, HeldResponse, OnChallenge, OnRedirect, OnResponse,
};
use crate::files::DownloadedFile;
use crate::request::Request;
use crate::session::{DelayedRequestDisposition, Delegate, Task};
use crate::sync::{Condvar, Mutex, Rank};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A [`Delegate`] for tests: it turns calls into [`Event`]s, which can be compared, and
/// answers questions as the test says.
///
/// Cloning is cheap; clones write into the same log. One recorder may serve any number of
/// sessions and tasks at the same time; [`named`](Self::named) makes one with another name
/// and script for the same log, so that a test sees which of them was called when.
///
/// Without a script it drops each reply, as a delegate does that implements nothing.
/// Nothing is forwarded: what a task's recorder is told the session's delegate is not.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Event, Recorder, Server};
/// use urlsession::{Configuration, DeliveryQueue, Session};
///
/// let server = Server::start();
/// server.enqueue(Answer::redirect(302, "/new"));
/// server.enqueue(Answer::ok("hello"));
///
/// let recorder = Recorder::new();
/// let session = Session::with_delegate(
///     Configuration::ephemeral(),
///     recorder.delegate(),
///     DeliveryQueue::serial(),
/// )?;
/// session.data_task(server.url("/old")).resume();
/// recorder.wait_for_completions(1);
/// assert_eq!(
///     recorder.events(),
///     [
///         Event::Created(1),
///         Event::Redirect { id: 1, status: 302, to: "/new".to_owned() },
///         Event::Response { id: 1, status: 200 },
///         Event::data(1, "hello"),
///         Event::done(1),
///     ]
/// );
/// Ok::<(), urlsession::Error>(())
/// ```
#[derive(Clone)]
pub struct Recorder {
    name: Arc<str>,
    script: Arc<Mutex<Script>>,
    log: Arc<(Mutex<Log>, Condvar)>,
}

#[derive(Default)]
struct Log {
    calls: Vec<Call>,
    redirects: VecDeque<HeldRedirect>,
    responses: VecDeque<HeldResponse>,
    challenges: VecDeque<HeldChallenge>,
    /// The tasks of which a method is running.
    under_way: BTreeSet<u64>,
    overlaps: usize,
}

#[derive(Clone, Default)]
struct Script {
    on_redirect: OnRedirect,
    on_response: OnResponse,
    on_challenge: OnChallenge,
    on_session_challenge: OnChallenge,
    on_new_request: Option<Request>,
    on_delayed_request: Option<DelayedRequestDisposition>,
    keeps_files: Option<PathBuf>,
    gives_files: Option<Sender<DownloadedFile>>,
    counts_data: bool,
    records_progress: bool,
    on_call: Option<OnCall>,
}

type OnCall = Arc<dyn Fn(&Event, Option<&Task>) + Send + Sync>;

impl Recorder {
    /// Makes a recorder with an empty log, and an empty name.
    pub fn new() -> Self {
        let log = (Mutex::new(Rank::Log, Log::default()), Condvar::new());
        Self { name: Arc::from(""), script: Self::no_script(), log: Arc::new(log) }
    }

    /// Returns a recorder of that name with an empty script, which writes into the log of
    /// this one.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self { name: Arc::from(name), script: Self::no_script(), log: Arc::clone(&self.log) }
    }

    fn no_script() -> Arc<Mutex<Script>> {
        Arc::new(Mutex::new(Rank::Script, Script::default()))
    }

    /// Returns it as what sessions and tasks take.
    pub fn delegate(&self) -> Arc<dyn Delegate> {
        Arc::new(self.clone())
    }

    // ---- the script ----

    /// Says what it answers about redirects from now on.
    pub fn on_redirect(&self, answer: OnRedirect) -> &Self {
        let before = std::mem::replace(&mut self.script.lock().on_redirect, answer);
        drop(before);
        self
    }

    /// Says which request it has from now on for a task that needs another one.
    pub fn on_new_request(&self, answer: impl Into<Request>) -> &Self {
        let before = self.script.lock().on_new_request.replace(answer.into());
        drop(before);
        self
    }

    /// Says what it answers from now on about a task whose date has come.
    pub fn on_delayed_request(&self, answer: DelayedRequestDisposition) -> &Self {
        let before = self.script.lock().on_delayed_request.replace(answer);
        drop(before);
        self
    }

    /// Has it move the files of downloads to `folder`, each to the number of its task, and write
    /// that down. Otherwise it drops them.
    pub fn keeps_files(&self, folder: impl Into<PathBuf>) -> &Self {
        self.script.lock().keeps_files = Some(folder.into());
        self
    }

    /// Has it send the files of downloads to `files`, without writing that down.
    pub fn gives_files_to(&self, files: Sender<DownloadedFile>) -> &Self {
        self.script.lock().gives_files = Some(files);
        self
    }

    /// Has it drop the files of downloads, which is what it does first.
    pub fn drops_files(&self) -> &Self {
        self.script.lock().keeps_files = None;
        self
    }

    /// Says what it answers about responses from now on.
    pub fn on_response(&self, answer: OnResponse) -> &Self {
        self.script.lock().on_response = answer;
        self
    }

    /// Says what it answers about challenges of tasks from now on.
    pub fn on_challenge(&self, answer: OnChallenge) -> &Self {
        let before = std::mem::replace(&mut self.script.lock().on_challenge, answer);
        drop(before);
        self
    }

    /// Says what it answers about challenges of the session from now on.
    pub fn on_session_challenge(&self, answer: OnChallenge) -> &Self {
        let before = std::mem::replace(&mut self.script.lock().on_session_challenge, answer);
        drop(before);
        self
    }

    /// Has `code` run in every call, after that was written down: with the task, unless the
    /// call is about the session. It may block, call the crate, and panic; replaces what
    /// was given before.
    pub fn on_call(&self, code: impl Fn(&Event, Option<&Task>) + Send + Sync + 'static) -> &Self {
        let before = self.script.lock().on_call.replace(Arc::new(code));
        drop(before);
        self
    }

    /// Has it panic in every call that `chosen` is true for, with the reply in hand if
    /// there is one; replaces what [`on_call`](Self::on_call) was given.
    pub fn panic_in(&self, chosen: impl Fn(&Event) -> bool + Send + Sync + 'static) -> &Self {
        self.on_call(move |event, _| assert!(!chosen(event), "a recorder panics on purpose"))
    }

    /// Has it write down how much data came, not what it was: for long bodies.
    pub fn counts_data(&self) -> &Self {
        self.script.lock().counts_data = true;
        self
    }

    /// Has it write down progress, too.
    pub fn records_progress(&self) -> &Self {
        self.script.lock().records_progress = true;
        self
    }

    // ---- the log ----

    /// Returns what was told so far, neighbouring data of one task joined.
    pub fn events(&self) -> Vec<Event> {
        joined(self.log.0.lock().calls.iter().map(|call| &call.event))
    }

    /// Returns what was told of one task so far, its data joined.
    pub fn events_of(&self, id: u64) -> Vec<Event> {
        let log = self.log.0.lock();
        let events = log.calls.iter().map(|call| &call.event);
        joined(events.filter(|event| event.id() == Some(id)))
    }

    /// Returns what was told so far and forgets it.
    pub fn take_events(&self) -> Vec<Event> {
        let calls = std::mem::take(&mut self.log.0.lock().calls);
        joined(calls.iter().map(|call| &call.event))
    }

    /// Returns every call so far, with the recorder that was called and the thread.
    pub fn calls(&self) -> Vec<Call> {
        self.log.0.lock().calls.clone()
    }

    /// Returns how often a method was called while another call for the same task had not
    /// returned. That must never happen.
    pub fn overlaps(&self) -> usize {
        self.log.0.lock().overlaps
    }

    /// Waits until what was told, unjoined, is as `reached` wants it.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    pub fn wait_for(&self, reached: impl Fn(&[Event]) -> bool) {
        self.wait(|log| {
            let events: Vec<_> = log.calls.iter().map(|call| call.event.clone()).collect();
            reached(&events).then_some(())
        });
    }

    /// Waits until so many tasks have completed, in all.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    pub fn wait_for_completions(&self, count: usize) {
        self.wait(|log| {
            let ended = log.calls.iter().filter(|call| call.event.is_completion()).count();
            (ended >= count).then_some(())
        });
    }

    /// Waits for a question about a redirect that is held, and returns it.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    #[must_use]
    pub fn take_redirect(&self) -> HeldRedirect {
        self.wait(|log| log.redirects.pop_front())
    }

    /// Waits for a question about a response that is held, and returns it.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    #[must_use]
    pub fn take_response(&self) -> HeldResponse {
        self.wait(|log| log.responses.pop_front())
    }

    /// Waits for a question about a challenge that is held, and returns it.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    #[must_use]
    pub fn take_challenge(&self) -> HeldChallenge {
        self.wait(|log| log.challenges.pop_front())
    }

    fn wait<T>(&self, mut reached: impl FnMut(&mut Log) -> Option<T>) -> T {
        let mut result = None;
        let log = self.log.0.lock();
        let waited = self.log.1.wait_timeout_while(log, PATIENCE, |log| {
            result = reached(log);
            result.is_none()
        });
        drop(waited);
        result.unwrap_or_else(|| panic!("not told within {PATIENCE:?}: {:?}", self.events()))
    }

    // ---- being called ----

    fn change<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        let changed = change(&mut self.log.0.lock());
        self.log.1.notify_all();
        changed
    }

    /// Writes a call down and does what the script has for every call.
    fn called(&self, event: Event, task: Option<&Task>) -> UnderWay<'_> {
        let thread = thread::current();
        let call = Call {
            recorder: self.name.to_string(),
            event: event.clone(),
            thread: thread.id(),
            thread_name: thread.name().map(str::to_owned),
        };
        // The thread that creates a task is not bound to the order of the queue.
        let id = event.id().filter(|_| !matches!(event, Event::Created(_)));
        let is_first = self.change(|log| {
            log.calls.push(call);
            let is_first = id.is_none_or(|id| log.under_way.insert(id));
            log.overlaps += usize::from(!is_first);
            is_first
        });
        let under_way = UnderWay { recorder: self, id: id.filter(|_| is_first) };
        let on_call = self.script.lock().on_call.clone();
        if let Some(on_call) = on_call {
            on_call(&event, task);
        }
        under_way
    }
}

/// A call of a method for one task, until it returns.
struct UnderWay<'a> {
    recorder: &'a Recorder,
    id: Option<u64>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.recorder.change(|log| log.under_way.remove(&id));
        }
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns the events with neighbouring data of one task joined.
fn joined<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    for event in events {
        let rest = match all.last_mut() {
            Some(last) => last.join(event.clone()),
            None => Some(event.clone()),
        };
        all.extend(rest);
    }
    all
}
