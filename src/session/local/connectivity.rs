//! Waiting for a connection: whoever waits tries again when the network changes, and now and then
//! without.

use super::Local;
use super::pool::Effects;

impl Local {
    /// Has all who wait to connect try again, and begin anew with how long they wait. Returns
    /// whether there is anybody.
    pub(super) fn try_to_connect(&self) -> bool {
        let mut anybody = false;
        for core in self.pool.alive() {
            let mut state = core.state.lock();
            // Who tries at this moment may have begun before the change.
            state.attempts.network_has_changed();
            if !state.attempts.waits_to_connect() {
                continue;
            }
            anybody = true;
            state.attempts.go_on();
            self.timer.forget(&core, &mut state);
            // One that is suspended tries when it is resumed, and a thread of its own is woken.
            let effects = if state.life.is_running() {
                self.stand_in_line(&core, &mut state)
            } else {
                Effects::default()
            };
            drop(state);
            core.changed.notify_all();
            self.act(effects);
        }
        anybody
    }
}
