//! Telling, in the log, of a line that does not move.

use super::Local;
use crate::error::Redacted;
use crate::log;
use std::time::Duration;

/// How long somebody waits in line before it is told.
pub(super) const LONG: Duration = Duration::from_secs(10);

/// How many of those who hold places are named.
const MOST_NAMED: usize = 6;

impl Local {
    /// Looks whether tasks without a thread wait for long, for the timer.
    pub(super) fn look_at_waiting(&self) {
        let (stuck, waits) = self.pool.look_at_line();
        if waits {
            self.timer.look_at_line(self.now() + LONG);
        }
        for host in stuck {
            self.complain(&host);
        }
    }

    /// Tells, at most once a minute, that a thread waits for a place of this host for long.
    #[cold]
    pub(super) fn complain_once(&self, host: &str) {
        if self.pool.may_tell(host) {
            self.complain(host);
        }
    }

    /// Tells who holds the places of a host; called with no lock held.
    fn complain(&self, host: &str) {
        let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
        for core in self.pool.alive() {
            let mut state = core.state.lock();
            if !state.dispatch.slot().is_some_and(|slot| slot.holds_place()) {
                continue;
            }
            let current = core.current(&state);
            let url = current.url().map(|url| Redacted(url).to_string()).unwrap_or_default();
            let named = format!("task {} ({} {url})", core.id, current.method());
            let of_host = self.host(&core, &state) == host;
            drop(state);
            if of_host { here.push(named) } else { elsewhere.push(named) }
        }
        let is_full = here.len() >= self.per_host;
        let (whose, setting) = match is_full {
            true => ("its places", "maximum_connections_per_host"),
            false => ("the session's places", "maximum_concurrent_tasks"),
        };
        let mut holders = here;
        if !is_full {
            holders.append(&mut elsewhere);
        }
        let others = holders.len().saturating_sub(MOST_NAMED);
        holders.truncate(MOST_NAMED);
        let (holders, seconds) = (holders.join(", "), LONG.as_secs());
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        log::warn!(
            "loads wait in line for {host} for more than {seconds} s: {whose} are held by \
             {holders}{others}; {setting} says how many there are, and a body that is not read \
             holds one"
        );
    }
}
