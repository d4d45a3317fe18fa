//! The order of locks, and the check of it.

/// The locks of this crate, in the order in which one thread may take them: one while it
/// holds others that stand before it, never one of the same rank.
///
/// The order is that of the house: a room uses those below it, so with a lock held it may
/// take the locks of rooms below, and nobody below calls back with one held. Most locks are
/// held for a few lines and none is taken under them; where one is, it is said here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    // ---- testing: it uses the crate as a program does ----
    /// What the threads of a loopback server share.
    #[cfg(feature = "test-util")]
    Server,
    /// What a recorder answers.
    #[cfg(feature = "test-util")]
    Script,
    /// What a recorder was told.
    #[cfg(feature = "test-util")]
    Log,
    // ---- session ----
    /// Calls of the program on threads that run tasks. The state of a task is taken under it,
    /// as one that is stepped aside must not return meanwhile.
    InPlace,
    /// The state of a task. The pool's is taken under it, as a task and its place change
    /// together, and the waiters of a cancel token, as one that begins is linked to it.
    Task,
    /// When a task's progress was told last.
    Pace,
    /// What tasks go on with that have left a thread.
    Left,
    /// Who waits, who has a place, and who runs.
    Pool,
    /// Who watches over those who wait.
    Timer,
    /// What an engine of background transfers knows of its jobs. The journal's is taken under it,
    /// as records stand in the order in which things happened.
    #[cfg(feature = "background")]
    Engine,
    /// A word of the session: its description, its delegate, its queue.
    Session,
    /// Which types of delegates have nothing to say about challenges.
    Silent,
    // ---- load ----
    /// Answers to challenges that were accepted. The storage's is taken under it: an answer
    /// is good for as long as its credential is stored.
    Accepted,
    // ---- engine ----
    /// Hosts that are asked for, and who asks.
    Lookups,
    /// Idle connections.
    Idle,
    /// The connection that belongs to one load.
    Berth,
    /// Servers of which no handshake is remembered.
    #[cfg(feature = "tls")]
    Tickets,
    // ---- seams ----
    /// What waits in a delivery queue.
    Queue,
    /// What waits in an inbox of the program.
    Inbox,
    /// What one task has yet to say.
    Mailbox,
    /// The decision of a delegate.
    Reply,
    /// What was told and not taken yet.
    Credit,
    /// Who fetches what of a file.
    Shares,
    // ---- background ----
    /// Which sessions a daemon hosts.
    #[cfg(all(feature = "daemon", unix))]
    Hosted,
    /// Which programs a daemon starts.
    #[cfg(all(feature = "daemon", unix))]
    Launches,
    /// Which program has a session at a daemon open, and what it is asked.
    #[cfg(all(feature = "daemon", unix))]
    Seat,
    /// Who writes on a connection to a daemon, or of one.
    #[cfg(all(feature = "daemon", unix))]
    Line,
    /// Whose the folder of a background session is.
    #[cfg(feature = "background")]
    Folder,
    /// Which folders of background sessions this process has open.
    #[cfg(feature = "background")]
    OpenFolders,
    /// What was written to a journal, and what of it is on the disk. A compaction holds it until
    /// its file is on the disk, as nothing may be written meanwhile.
    #[cfg(feature = "background")]
    Journal,
    /// Who is connected to a daemon.
    #[cfg(all(feature = "daemon", unix))]
    Guests,
    // ---- stores ----
    /// Credentials, and who is told when they change.
    Credentials,
    /// Cookies.
    Cookies,
    /// Who is told when they change.
    CookieObservers,
    /// Which files of stores this process has open.
    SharedFiles,
    /// What is in a file that processes share, as far as this one knows.
    SharedFile,
    /// Which of them are to be written.
    SharedFileWriter,
    // ---- words ----
    /// The reader of a body that can be read once.
    Reader,
    /// Who is woken by a cancel.
    Waiters,
    /// What the system trusts. It is read under it, once for all who need it.
    #[cfg(feature = "tls")]
    Roots,
    // ---- everybody ----
    /// The log of a daemon: other crates may log at any moment. It is written under it.
    #[cfg(all(feature = "daemon", unix))]
    LogFile,
}

#[cfg(debug_assertions)]
pub(super) use checked::{Held, Ranked, assert_unlocked};
#[cfg(not(debug_assertions))]
pub(super) use unchecked::{Held, Ranked, assert_unlocked};

/// With the check.
#[cfg(debug_assertions)]
mod checked {
    use std::cell::Cell;
    use std::thread;

    use super::Rank;

    /// How many locks one thread holds at most.
    const DEEPEST: usize = 4;

    thread_local! {
        /// What this thread holds. No rank stands there twice.
        static HELD: Cell<[Option<Rank>; DEEPEST]> = const { Cell::new([None; DEEPEST]) };
    }

    /// The rank of a lock.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Ranked(Rank);

    impl Ranked {
        pub(crate) const fn new(rank: Rank) -> Self {
            Self(rank)
        }

        /// Notes that the lock is about to be held.
        pub(crate) fn hold(self) -> Held {
            let last = HELD.get().into_iter().flatten().max();
            if let Some(last) = last.filter(|last| *last >= self.0) {
                complain(format_args!(
                    "the lock `{:?}` is taken while `{last:?}` is held, against the order in \
                     sync/rank.rs",
                    self.0
                ));
            }
            change(None, Some(self.0));
            Held(self.0)
        }
    }

    /// That a lock is held.
    #[derive(Debug)]
    pub(crate) struct Held(Rank);

    impl Held {
        /// Complains if another one is held as well: nobody else could have it for as long
        /// as this one is waited with.
        pub(crate) fn assert_alone(&self) {
            let other = HELD.get().into_iter().flatten().find(|rank| *rank != self.0);
            if let Some(other) = other {
                let own = self.0;
                complain(format_args!("waiting with the lock `{own:?}` while `{other:?}` is held"));
            }
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            change(Some(self.0), None);
        }
    }

    pub(crate) fn assert_unlocked(what: &str) {
        if let Some(held) = HELD.get().into_iter().flatten().max() {
            complain(format_args!("{what} while the lock `{held:?}` is held"));
        }
    }

    /// Puts `new` where `old` stands.
    fn change(old: Option<Rank>, new: Option<Rank>) {
        let mut held = HELD.get();
        match held.iter_mut().find(|place| **place == old) {
            Some(place) => *place = new,
            None => complain(format_args!("more than {DEEPEST} locks are held at once")),
        }
        HELD.set(held);
    }

    /// A panic that is under way is worth more than one about the locks that it has passed.
    fn complain(about: std::fmt::Arguments<'_>) {
        assert!(thread::panicking(), "{about}");
    }
}

/// Without: everything here is empty.
#[cfg(not(debug_assertions))]
mod unchecked {
    use super::Rank;

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Ranked;

    impl Ranked {
        pub(crate) const fn new(_: Rank) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn hold(self) -> Held {
            Held
        }
    }

    #[derive(Debug)]
    pub(crate) struct Held;

    impl Held {
        #[inline]
        pub(crate) fn assert_alone(&self) {}
    }

    #[inline]
    pub(crate) fn assert_unlocked(_: &str) {}
}
