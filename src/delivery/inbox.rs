//! [`Inbox`]: what other threads tell the loop of a program.

use std::collections::VecDeque;
use std::sync::Arc;
use std::{fmt, mem};

use crate::foreign::{Foreign, caught};
use crate::sync::{Mutex, Rank, assert_unlocked};

/// Messages of the program's own type, from closures and delegates on any thread to the
/// program's loop: the choice for a GUI, whose widgets only the toolkit's thread may touch.
///
/// Closures and delegate methods have to be `Send`, so they cannot own a widget, on whatever
/// queue they are called. They own an [`InboxSender`] instead, and say what has happened;
/// what is done about it is said where the loop is, by code that may own an `Rc`.
///
/// The session needs no queue of a special kind: leave it the default, whose thread makes
/// the calls that send. With a [`DeliveryQueue::manual`](crate::DeliveryQueue::manual) the
/// calls themselves are made on the loop's thread, which has then two things to run, and is
/// what a program wants whose delegate has to *decide* there: about a redirect, a password.
///
/// What [`updates`](crate::DataTask::updates) returns is a channel of its own. It needs
/// neither an inbox nor any `run_pending`: whoever has it reads it, on whatever thread, and a
/// thread of the program that waits for it may send what it brings into an inbox.
///
/// An inbox takes all that is sent and slows nobody down; messages about a long transfer
/// should be small, such as its progress. Messages come in the order in which they were
/// sent. One that nobody will read, as the inbox has been dropped, is dropped.
///
/// # Examples
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
/// use std::sync::mpsc;
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Error, Inbox, Session};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("tea"));
/// let url = server.url("/cart");
///
/// enum Message {
///     Loaded(String),
///     Failed(Error),
/// }
///
/// // With a toolkit: what posts an event to its loop, or asks for a new frame.
/// let (wake, events) = mpsc::channel();
/// let inbox = Inbox::new(move || wake.send(()).unwrap_or_default());
/// let label = Rc::new(RefCell::new(String::new()));
///
/// let sender = inbox.sender();
/// let task = Session::shared().data_task_with(url, move |outcome| {
///     sender.send(match outcome {
///         Ok(data) => Message::Loaded(data.text().into_owned()),
///         Err(error) => Message::Failed(error),
///     });
/// });
/// task.resume();
///
/// // The program's loop.
/// while label.borrow().is_empty() {
///     events.recv()?;
///     inbox.run_pending(|message| match message {
///         Message::Loaded(text) => *label.borrow_mut() = text,
///         Message::Failed(error) => *label.borrow_mut() = error.to_string(),
///     });
/// }
/// assert_eq!(*label.borrow(), "tea");
/// Ok::<(), mpsc::RecvError>(())
/// ```
pub struct Inbox<M> {
    shared: Arc<Shared<M>>,
}

/// What puts messages into an [`Inbox`], from any thread: a closure or a delegate owns one.
///
/// Clones send into the same inbox, and do not keep it alive.
pub struct InboxSender<M> {
    shared: Arc<Shared<M>>,
}

struct Shared<M> {
    wake: Foreign<Box<dyn Fn() + Send + Sync>>,
    state: Mutex<Contents<M>>,
}

struct Contents<M> {
    messages: VecDeque<M>,
    /// The loop was woken and has not looked since.
    woken: bool,
    /// Nobody will look any more.
    abandoned: bool,
}

impl<M> Inbox<M> {
    /// Makes an empty inbox.
    ///
    /// `wake` is called when something was put into the empty inbox, once until the program
    /// looks. It runs on the thread that sends, with no lock held, and should only tell the
    /// loop to look: post an event, ask for a new frame. If it panics, that is logged.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use urlsession::Inbox;
    ///
    /// let (wake, events) = mpsc::channel();
    /// let inbox = Inbox::new(move || wake.send(()).unwrap_or_default());
    /// let sender = inbox.sender();
    /// sender.send("one");
    /// sender.send("two");
    /// assert_eq!(events.try_iter().count(), 1);
    /// assert_eq!(inbox.pending().collect::<Vec<_>>(), ["one", "two"]);
    /// ```
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let contents = Contents { messages: VecDeque::new(), woken: false, abandoned: false };
        let state = Mutex::new(Rank::Inbox, contents);
        Self { shared: Arc::new(Shared { wake: Foreign::new(Box::new(wake)), state }) }
    }

    /// Returns a sender, to be cloned and given away as often as is needed.
    pub fn sender(&self) -> InboxSender<M> {
        InboxSender { shared: Arc::clone(&self.shared) }
    }

    /// Calls `handler` with each message that is there, on this thread, and returns how many
    /// there were. The loop calls it when it was woken.
    ///
    /// What is sent meanwhile, by `handler` or others, stays for the next time, and `wake` is
    /// called for it, so that a loop is not held up by a busy session. `handler` may own what
    /// belongs to this thread, and may run a loop of its own, as a dialogue does: that one
    /// finds the rest of the messages in the inbox. If it panics, that is logged, and it is
    /// called with the next message all the same.
    ///
    /// ```
    /// use urlsession::Inbox;
    ///
    /// let inbox = Inbox::new(|| ());
    /// inbox.sender().send(7);
    /// let mut sum = 0;
    /// assert_eq!(inbox.run_pending(|message| sum += message), 1);
    /// assert_eq!(sum, 7);
    /// ```
    pub fn run_pending(&self, mut handler: impl FnMut(M)) -> usize {
        let mut handled = 0;
        for message in self.pending() {
            handled += 1;
            // It was logged.
            let _ = caught("the handler of an inbox", || handler(message));
        }
        handled
    }

    /// Returns the messages that are there now, one by one, for a program that handles them
    /// in a loop of its own, where a panic is the program's.
    ///
    /// It ends before what is sent meanwhile, as [`run_pending`](Self::run_pending) does. It
    /// does not borrow the inbox, which may be a field of what the messages change. Messages
    /// that are left when it is dropped stay in the inbox, and `wake` is called for them.
    ///
    /// ```
    /// use urlsession::Inbox;
    ///
    /// struct Window {
    ///     inbox: Inbox<String>,
    ///     lines: Vec<String>,
    /// }
    ///
    /// impl Window {
    ///     fn look(&mut self) {
    ///         for line in self.inbox.pending() {
    ///             self.show(line);
    ///         }
    ///     }
    ///
    ///     fn show(&mut self, line: String) {
    ///         self.lines.push(line);
    ///     }
    /// }
    /// let mut window = Window { inbox: Inbox::new(|| ()), lines: vec![] };
    /// window.inbox.sender().send("tea".into());
    /// window.look();
    /// assert_eq!(window.lines, ["tea"]);
    /// ```
    pub fn pending(&self) -> impl Iterator<Item = M> + use<M> {
        let mut state = self.shared.state.lock();
        state.woken = false;
        let left = state.messages.len();
        drop(state);
        Pending { shared: Arc::clone(&self.shared), left }
    }
}

impl<M> Drop for Inbox<M> {
    /// Drops what waits, and all that will come.
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.abandoned = true;
        let messages = mem::take(&mut state.messages);
        drop(state);
        for message in messages {
            drop(Foreign::new(message));
        }
    }
}

impl<M> fmt::Debug for Inbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.shared.state.lock().messages.len();
        f.debug_struct("Inbox").field("waiting", &waiting).finish()
    }
}

impl<M> InboxSender<M> {
    /// Puts `message` into the inbox, and returns whether there still is one: a delegate whose
    /// window was closed may cancel its task.
    ///
    /// Never waits. Wakes the loop if it was not woken since it has last looked.
    ///
    /// ```
    /// use urlsession::Inbox;
    ///
    /// let inbox = Inbox::new(|| ());
    /// let sender = inbox.sender();
    /// assert!(sender.send("seen"));
    /// drop(inbox);
    /// assert!(!sender.send("unseen"));
    /// ```
    pub fn send(&self, message: M) -> bool {
        assert_unlocked("an inbox is sent to");
        let mut state = self.shared.state.lock();
        if state.abandoned {
            drop(state);
            drop(Foreign::new(message));
            return false;
        }
        state.messages.push_back(message);
        let woken = mem::replace(&mut state.woken, true);
        drop(state);
        if !woken {
            self.shared.wake();
        }
        true
    }
}

impl<M> Clone for InboxSender<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M> fmt::Debug for InboxSender<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_read = !self.shared.state.lock().abandoned;
        f.debug_struct("InboxSender").field("is_read", &is_read).finish()
    }
}

impl<M> Shared<M> {
    fn wake(&self) {
        // It was logged.
        let _ = caught("the wake function of an inbox", || (self.wake)());
    }
}

/// The messages that were there when the program looked.
struct Pending<M> {
    shared: Arc<Shared<M>>,
    left: usize,
}

impl<M> Iterator for Pending<M> {
    type Item = M;

    fn next(&mut self) -> Option<M> {
        self.left = self.left.checked_sub(1)?;
        // Fewer are there where somebody has looked meanwhile.
        self.shared.state.lock().messages.pop_front()
    }
}

impl<M> Drop for Pending<M> {
    /// Whoever leaves early is woken for the rest.
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        let wakes = !state.messages.is_empty() && !mem::replace(&mut state.woken, true);
        drop(state);
        if wakes {
            self.shared.wake();
        }
    }
}
