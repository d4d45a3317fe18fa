//! Where a task is on its way from the waiting line to a thread, and back.
//!
//! Its scheduler alone changes it, under the task's lock. A scheduler without places leaves
//! a task [`Idle`](Dispatch::Idle) until it is [`Retired`](Dispatch::Retired).

use std::mem;
use std::sync::Arc;

/// Names a waiting job; no two jobs of a line ever have the same one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ticket(pub(crate) u64);

/// The right of one job to run, among those of its host and of the session.
///
/// It is given back to the line that gave it; one that is dropped instead stays taken for
/// good.
#[derive(Debug)]
#[must_use = "a place that is not given back to its line stays taken"]
pub(crate) struct Place(pub(crate) Arc<str>);

/// Where a task is.
#[derive(Debug, Default)]
pub(crate) enum Dispatch {
    /// No thread has it, and it does not wait for one.
    #[default]
    Idle,
    /// It waits for a worker.
    Queued(Ticket),
    /// A thread has it.
    OnThread(Slot),
    /// It has ended.
    Retired,
}

/// What a task has that a thread has.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    place: Option<Place>,
    /// It waits to get its place back.
    ticket: Option<Ticket>,
    /// Its thread waits for something else first.
    is_aside: bool,
    /// It is counted as keeping a thread without a place.
    is_parked: bool,
    /// The thread is the program's own.
    is_callers: bool,
    /// It needs no place, and has none.
    is_unbound: bool,
    /// It runs inside code of the program that another task waits for, and would never
    /// get a place back that it gave up.
    keeps_place: bool,
}

/// What a task had when it left its thread.
#[derive(Debug, Default)]
#[must_use = "places and tickets are given back"]
pub(crate) struct Leaving {
    pub(crate) place: Option<Place>,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) was_parked: bool,
}

impl Dispatch {
    /// Where a task is whose scheduler has no places.
    #[cfg(feature = "test-util")]
    pub(crate) fn on_thread() -> Self {
        Self::OnThread(Slot::default())
    }

    /// The same for one that runs on its caller's thread.
    #[cfg(feature = "test-util")]
    pub(crate) fn on_callers_thread() -> Self {
        Self::OnThread(Slot { is_callers: true, ..Slot::default() })
    }

    /// Whether its thread is the program's own.
    #[cfg(feature = "test-util")]
    pub(crate) fn is_callers(&self) -> bool {
        matches!(self, Self::OnThread(slot) if slot.is_callers)
    }

    /// Whether no thread has it, and it does not wait for one.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// Whether it waits in line without a thread.
    pub(crate) fn is_queued(&self) -> bool {
        matches!(self, Self::Queued(_))
    }

    /// Whether a thread has it with a place at another host than this.
    pub(crate) fn is_elsewhere(&self, host: &str) -> bool {
        let Self::OnThread(slot) = self else { return false };
        slot.place.as_ref().is_some_and(|place| &*place.0 != host)
    }

    /// Returns what it has of its thread, if one has it.
    pub(crate) fn slot(&mut self) -> Option<&mut Slot> {
        if let Self::OnThread(slot) = self { Some(slot) } else { None }
    }

    /// Gives it to the worker that has `place` for the job that `ticket` stood for, unless
    /// it does not wait for that any more.
    pub(crate) fn attach(&mut self, ticket: Ticket, place: Place) -> Result<(), Place> {
        match self {
            Self::Queued(waiting) if *waiting == ticket => {
                *self = Self::OnThread(Slot { place: Some(place), ..Slot::default() });
                Ok(())
            }
            _ => Err(place),
        }
    }

    /// Gives a place to a task whose thread waits for it; returns it if it does not.
    pub(crate) fn grant(&mut self, ticket: Ticket, place: Place) -> Result<bool, Place> {
        match self {
            Self::OnThread(slot) if slot.ticket == Some(ticket) => {
                slot.ticket = None;
                slot.place = Some(place);
                Ok(mem::take(&mut slot.is_parked))
            }
            _ => Err(place),
        }
    }

    /// Takes it from its thread, or out of the line, for `next`.
    pub(crate) fn leave(&mut self, next: Self) -> Leaving {
        match mem::replace(self, next) {
            Self::OnThread(Slot { place, ticket, is_parked, .. }) => {
                Leaving { place, ticket, was_parked: is_parked }
            }
            Self::Queued(ticket) => Leaving { ticket: Some(ticket), ..Leaving::default() },
            Self::Idle | Self::Retired => Leaving::default(),
        }
    }
}

impl Slot {
    /// The slot of a task that runs on its caller's thread: with its place, or with the
    /// ticket that it waits with.
    pub(crate) fn callers(place: Result<Place, Ticket>, keeps_place: bool) -> Self {
        let (place, ticket) = match place {
            Ok(place) => (Some(place), None),
            Err(ticket) => (None, Some(ticket)),
        };
        Self { place, ticket, is_callers: true, keeps_place, ..Self::default() }
    }

    /// The slot of a task that runs on its caller's thread and needs no place.
    pub(crate) fn unbound() -> Self {
        Self { is_callers: true, is_unbound: true, ..Self::default() }
    }

    /// Whether it has what it needs to run.
    pub(crate) fn has_place(&self) -> bool {
        self.place.is_some() || self.is_unbound
    }

    /// Whether it never gives up its place.
    pub(crate) fn keeps_place(&self) -> bool {
        self.keeps_place
    }

    /// Whether it keeps others from running.
    pub(crate) fn holds_place(&self) -> bool {
        self.place.is_some()
    }

    pub(crate) fn has_ticket(&self) -> bool {
        self.ticket.is_some()
    }

    pub(crate) fn is_callers(&self) -> bool {
        self.is_callers
    }

    /// Whether it has to ask for a place, unless it waits for something else first.
    pub(crate) fn wants_place(&self) -> bool {
        !self.has_place() && self.ticket.is_none() && !self.is_aside
    }

    /// Its thread waits with this for a place.
    pub(crate) fn wait_with(&mut self, ticket: Ticket) {
        self.ticket = Some(ticket);
    }

    pub(crate) fn take_ticket(&mut self) -> Option<Ticket> {
        self.ticket.take()
    }

    /// Takes the place, if there is one to be given up.
    pub(crate) fn give_up(&mut self) -> Option<Place> {
        if self.keeps_place { None } else { self.place.take() }
    }

    /// Notes that it is counted as keeping a thread without a place.
    pub(crate) fn park(&mut self) {
        self.is_parked = true;
    }

    /// Its thread waits for something else, or does so no more.
    pub(crate) fn set_aside(&mut self, is_aside: bool) {
        self.is_aside = is_aside;
    }
}
