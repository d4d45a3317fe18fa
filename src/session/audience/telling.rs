//! Telling delegates and updates what happens while a transfer goes on.

use std::fmt;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use super::asking::{LOOK, SOON};
use super::calls::{Calls, call_here, call_now};
use super::pace::Pace;
use crate::delivery::{Credit, Loan};
use crate::download::{self, StartOver};
use crate::error::Error;
use crate::response::Response;
use crate::session::delegate::{Delegate, HeldDelegate, ResponseDisposition};
use crate::session::task::{
    Core, DownloadTask, Item, Listener, Progress, Reports, SendUpdate, Task, Update, voice,
};
use crate::sync::{Mutex, Rank};
use crate::wire::Question;

/// A piece of a body on its way counts as at least so many bytes.
const LEAST_LOAN: usize = 1024;

/// What it takes to tell somebody while the transfer goes on.
pub(super) struct Telling {
    whom: Whom,
    credit: Credit,
    pace: Mutex<Pace>,
}

enum Whom {
    Delegate(Addressee),
    Updates(SendUpdate),
}

/// A delegate that is told, and whom it forwards to.
#[derive(Clone)]
struct Addressee {
    first: HeldDelegate,
    next: Option<HeldDelegate>,
    calls: Calls,
    /// Of what is sent only: the rest is somebody else's.
    only_of_sending: bool,
}

impl Core {
    /// Finds out whom to tell while the transfer goes on, at its beginning.
    pub(crate) fn start_telling(&self) -> Option<Arc<dyn Listener>> {
        voice()?.listener(self)
    }

    /// The same, where there is anybody at all.
    pub(super) fn listener_to_tell(&self) -> Option<Arc<dyn Listener>> {
        let (updates, is_callers, own, only_of_sending) = {
            let state = self.state.lock();
            let recipients = &state.recipients;
            if recipients.listener().is_some() {
                return recipients.listener();
            }
            let updates = match recipients.reports() {
                Reports::Updates(sender) => Some(sender.clone()),
                _ => None,
            };
            let is_callers = recipients.is_caller();
            let only = matches!(recipients.reports(), Reports::Closure(_) | Reports::Channel(_));
            (updates, is_callers, recipients.delegate(), only)
        };
        let sends = self.sends();
        let whom = if let Some(sender) = updates {
            Whom::Updates(sender)
        } else {
            if only_of_sending && !sends {
                return None;
            }
            // A task with a caller tells the session's delegate what it sends, and no more.
            let session = if is_callers && !sends { None } else { self.shared.delegate() };
            let is_own = own.is_some();
            let next = if is_callers { None } else { session.clone() };
            let (first, next) = match own {
                Some(own) => (own, next),
                None => (session?, None),
            };
            let only_of_sending = only_of_sending || (is_callers && !is_own);
            Whom::Delegate(Addressee { first, next, calls: Calls::of(self), only_of_sending })
        };
        let pace = Pace::new(self.shared.configuration.progress_interval);
        let pace = Mutex::new(Rank::Pace, pace);
        let telling: Arc<dyn Listener> = Arc::new(Telling { whom, credit: Credit::new(), pace });
        self.listen(&mut self.state.lock(), telling.clone());
        Some(telling)
    }
}

impl Listener for Telling {
    fn takes_body(&self) -> bool {
        !matches!(&self.whom, Whom::Delegate(addressee) if addressee.only_of_sending)
    }

    fn response(
        &self,
        core: &Arc<Core>,
        response: &Response,
        question: &mut Question,
    ) -> Result<ResponseDisposition, Error> {
        let progress = core.progress();
        let before = self.pace.lock().tells_sent(progress);
        if let Some(before) = before {
            self.tell(core, before, progress);
        }
        let addressee = match &self.whom {
            Whom::Updates(sender) => {
                send(core, sender, Update::Response(response.clone()), None);
                return Ok(ResponseDisposition::Allow);
            }
            Whom::Delegate(addressee) if addressee.only_of_sending => {
                return Ok(ResponseDisposition::Allow);
            }
            Whom::Delegate(addressee) => addressee,
        };
        let (delegates, response) =
            ([Some(addressee.first.clone()), addressee.next.clone()], response.clone());
        let asks = move |delegate: &dyn Delegate, task: &Task, reply| {
            delegate.did_receive_response(task, &response, reply);
        };
        let answer = core.ask_each(delegates, Arc::new(asks), question)?;
        Ok(answer.unwrap_or(ResponseDisposition::Allow))
    }

    fn informed(&self, core: &Arc<Core>, response: Response) {
        if let Whom::Delegate(addressee) = &self.whom
            && !addressee.only_of_sending
        {
            addressee.tell(core, None, move |delegate, task| {
                delegate.did_receive_informational_response(task, &response);
            });
        }
    }

    fn became_download(&self, core: &Arc<Core>) {
        download::give_maker();
        if let Whom::Delegate(addressee) = &self.whom {
            addressee.tell(core, None, |delegate, task| {
                delegate.did_become_download(task, &DownloadTask::of(&task.core));
            });
        }
    }

    fn resumed(&self, core: &Arc<Core>, offset: u64, total: Option<u64>) {
        // What was there before is no news.
        let progress = core.progress();
        let _ = self.pace.lock().tells_last(progress);
        match &self.whom {
            Whom::Updates(sender) => {
                send(core, sender, Update::Resumed { offset, expected: total }, None);
            }
            Whom::Delegate(addressee) if addressee.only_of_sending => {}
            Whom::Delegate(addressee) => addressee.tell(core, None, move |delegate, task| {
                delegate.did_resume_at_offset(task, offset, total);
            }),
        }
    }

    fn started_over(&self, core: &Arc<Core>, reason: StartOver) {
        let progress = core.progress();
        let _ = self.pace.lock().tells_last(progress);
        match &self.whom {
            Whom::Updates(sender) => send(core, sender, Update::StartedOver(reason), None),
            Whom::Delegate(addressee) if addressee.only_of_sending => {}
            Whom::Delegate(addressee) => addressee.tell(core, None, move |delegate, task| {
                delegate.did_start_over(task, reason);
            }),
        }
    }

    fn data(&self, core: &Arc<Core>, data: &mut Vec<u8>) -> Result<(), Error> {
        match &self.whom {
            Whom::Updates(sender) => {
                let loan = self.lend(core, data.len(), Duration::ZERO)?;
                send(core, sender, Update::Data(take(data)), Some(loan));
            }
            Whom::Delegate(addressee) => {
                let loan = match &addressee.calls {
                    Calls::Here => None,
                    Calls::Posted(_) => Some(self.lend(core, data.len(), SOON)?),
                };
                let data = take(data);
                addressee.tell(core, loan, |delegate, task| delegate.did_receive_data(task, data));
            }
        }
        Ok(())
    }

    fn progress(&self, core: &Arc<Core>) {
        let progress = core.progress();
        let before = self.pace.lock().tells(progress, core.shared.now());
        if let Some(before) = before {
            self.tell(core, before, progress);
        }
    }

    fn last_progress(&self, core: &Arc<Core>) {
        let progress = core.progress();
        let Some(before) = self.pace.lock().tells_last(progress) else { return };
        match &self.whom {
            Whom::Updates(sender) => send(core, sender, Update::Progress(progress), None),
            Whom::Delegate(Addressee { first, next, calls, only_of_sending }) => {
                let how = (*only_of_sending, core.is_download());
                let tell = |task: &Task| tell_of(&***first, task, before, progress, how);
                match calls {
                    Calls::Posted(_) => call_now(core, next.clone(), tell),
                    // The task has failed if it panics.
                    Calls::Here => drop(call_here(core, tell)),
                }
            }
        }
    }
}

impl Telling {
    /// Takes credit for a piece of the body. Where there is none for longer than `patience`,
    /// the place is given to others: whoever has to take what was told may wait for one of
    /// them. The task may have to leave its thread, which the error says.
    fn lend(&self, core: &Arc<Core>, bytes: usize, patience: Duration) -> Result<Loan, Error> {
        // A small piece costs memory, too.
        let bytes = bytes.max(LEAST_LOAN);
        if !self.credit.try_take(bytes) {
            let attempt = core.state.lock().attempts.token();
            let waker = || self.credit.waker();
            let _registered = attempt.as_ref().map(|token| token.on_cancel(waker()));
            if !self.credit.take_slice(bytes, patience) {
                core.shared.scheduler().step_aside(core);
                loop {
                    let now = core.look_around(attempt.as_ref())?;
                    if self.credit.take_slice(bytes, core.slice(now).min(LOOK)) {
                        break;
                    }
                }
            }
            let loan = self.credit.loan(bytes);
            core.rest()?;
            return Ok(loan);
        }
        Ok(self.credit.loan(bytes))
    }

    /// Tells of a progress, where `before` was the last.
    fn tell(&self, core: &Arc<Core>, before: Progress, progress: Progress) {
        match &self.whom {
            Whom::Updates(sender) => send(core, sender, Update::Progress(progress), None),
            Whom::Delegate(addressee) => {
                let (only_of_sending, downloads) = (addressee.only_of_sending, core.is_download());
                addressee.tell(core, None, move |delegate, task| {
                    tell_of(delegate, task, before, progress, (only_of_sending, downloads));
                });
            }
        }
    }
}

/// Tells a delegate what has changed; `(only_of_sending, downloads)` say what it is told of.
fn tell_of(
    delegate: &dyn Delegate,
    task: &Task,
    before: Progress,
    now: Progress,
    (only_of_sending, downloads): (bool, bool),
) {
    if now.bytes_sent != before.bytes_sent {
        let sent = now.bytes_sent.saturating_sub(before.bytes_sent);
        delegate.did_send_body_data(task, sent, now.bytes_sent, now.bytes_expected_to_send);
    }
    if only_of_sending {
        return;
    }
    if downloads && now.bytes_received != before.bytes_received {
        let (total, expected) = (now.bytes_received, now.bytes_expected_to_receive);
        // It is less than before if the transfer had to start over.
        let written = total.checked_sub(before.bytes_received).unwrap_or(total);
        delegate.did_write_data(task, written, total, expected);
    }
    delegate.did_make_progress(task, now);
}

impl Addressee {
    /// Calls the delegate, unless the task was cancelled before its turn.
    fn tell(
        &self,
        core: &Arc<Core>,
        loan: Option<Loan>,
        call: impl FnOnce(&dyn Delegate, &Task) + Send + 'static,
    ) {
        let Self { first, next, .. } = self.clone();
        self.calls.make(core, next, move |task| {
            let _loan = loan;
            call(&**first, task);
        });
    }
}

/// Sends an update; nobody at the other end any more cancels the task.
pub(super) fn send(core: &Arc<Core>, sender: &SendUpdate, update: Update, loan: Option<Loan>) {
    if !sender(Item { update, _loan: loan }) {
        core.cancel();
    }
    core.shared.queue.wake();
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("credit", &self.credit).finish_non_exhaustive()
    }
}
