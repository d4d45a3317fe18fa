//! What a server says about how long it keeps a connection: `Keep-Alive: timeout=5, max=100`.
//!
//! No standard requires it (RFC 9112 appendix C.2.2 knows the field, RFC 2068 §19.7.1.1 wrote
//! it down, draft-thomson-hybi-http-timeout-03 the timeout), so it is a hint that can make a
//! connection's life shorter, and never an error.

use std::time::Duration;

/// What the parameters say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeepAlive {
    /// How long the server lets the connection be idle.
    pub(super) timeout: Option<Duration>,
    /// It takes no further request. Apache serves one more after `max=1`, so that any other
    /// number means nothing to a client that sends one request after the other.
    pub(super) is_last: bool,
}

/// Reads the values of the field; of several timeouts, the least counts.
///
/// A number may be quoted, and more may follow its digits, as node and Firefox read it. What is
/// none says nothing.
pub(super) fn parse<'a>(values: impl Iterator<Item = &'a str>) -> KeepAlive {
    let mut said = KeepAlive::default();
    for parameter in values.flat_map(|value| value.split([',', ';'])) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let Some(number) = number(value) else { continue };
        let name = name.trim();
        if name.eq_ignore_ascii_case("timeout") {
            let timeout = Duration::from_secs(number);
            said.timeout = Some(said.timeout.map_or(timeout, |other| other.min(timeout)));
            said.is_last |= number == 0;
        } else if name.eq_ignore_ascii_case("max") {
            said.is_last |= number == 0;
        }
    }
    said
}

/// Reads the digits at the beginning; more of them than fit are very many.
fn number(value: &str) -> Option<u64> {
    let value = value.trim().trim_start_matches('"').trim_start();
    let end = value.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    let digits = &value[..end];
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Decides whether a connection that was idle for so long may carry a request, if the server
/// keeps it for `timeout`.
///
/// Near its end, the server may close it while the request is on its way. That harms only what
/// may not be repeated, which has to be there a second before (as node and undici do it), or
/// after half of a timeout that is shorter than two.
pub(super) fn serves(timeout: Duration, idle: Duration, may_be_repeated: bool) -> bool {
    let margin = Duration::from_secs(1).min(timeout / 2);
    idle < if may_be_repeated { timeout } else { timeout - margin }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_read_in_any_way_that_it_is_written() {
        for (values, timeout, is_last) in [
            (&["timeout=5, max=100"][..], Some(5), false),
            (&["max=100,timeout=5"], Some(5), false),
            (&["timeout=5"], Some(5), false),
            (&["timeout=\"5\""], Some(5), false),
            (&["Timeout = 5"], Some(5), false),
            (&["TIMEOUT=5;MAX=100"], Some(5), false),
            (&[" ,timeout=5,, x=y"], Some(5), false),
            (&["timeout=05"], Some(5), false),
            (&["timeout=5s"], Some(5), false),
            (&["timeout=5.9"], Some(5), false),
            (&["max=100"], None, false),
            (&["max=1"], None, false),
            (&["max=0"], None, true),
            (&["timeout=5, max=0"], Some(5), true),
            (&["timeout=0"], Some(0), true),
            (&["timeout=abc"], None, false),
            (&["timeout="], None, false),
            (&["timeout=\""], None, false),
            (&["timeout=-1"], None, false),
            (&["timeout"], None, false),
            (&["5"], None, false),
            (&["300"], None, false),
            (&["mytimeout=5"], None, false),
            (&[""], None, false),
            (&[], None, false),
            (&["timeout=18446744073709551615"], Some(u64::MAX), false),
            (&["timeout=99999999999999999999999"], Some(u64::MAX), false),
            (&["timeout=15", "timeout=5"], Some(5), false),
            (&["timeout=5, timeout=15"], Some(5), false),
            (&["max=0", "timeout=5"], Some(5), true),
            (&["timeout=\u{b2}"], None, false),
        ] {
            let said = parse(values.iter().copied());
            let expected = KeepAlive { timeout: timeout.map(Duration::from_secs), is_last };
            assert_eq!(said, expected, "{values:?}");
        }
    }

    #[test]
    fn what_may_not_be_repeated_keeps_away_from_the_end() {
        for (timeout, last, last_if_repeated) in [
            (60_000, 58_999, 59_999),
            (5_000, 3_999, 4_999),
            (2_000, 999, 1_999),
            (1_000, 499, 999),
        ] {
            let at = Duration::from_millis;
            for (may_be_repeated, last) in [(false, last), (true, last_if_repeated)] {
                let serves = |idle| serves(at(timeout), at(idle), may_be_repeated);
                assert_eq!((serves(last), serves(last + 1)), (true, false), "{timeout}, {last}");
            }
        }
        assert!(!serves(Duration::ZERO, Duration::ZERO, true));
        assert!(serves(Duration::MAX, Duration::from_secs(1 << 40), false));
    }
}
