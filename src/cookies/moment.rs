//! Points in time as cookies keep them: microseconds after 1970, which differ for cookies that
//! were set one after the other.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds after 1970, by 292,000 years at most.
pub(super) type Moment = i64;

pub(super) const SECOND: Moment = 1_000_000;

/// RFC 6265bis §5.5: an expiry further ahead is brought to this, 400 days.
pub(super) const LONGEST_LIFE: Moment = 400 * 86_400 * SECOND;

pub(super) fn moment(date: SystemTime) -> Moment {
    let micros = |by: Duration| Moment::try_from(by.as_micros()).unwrap_or(Moment::MAX);
    match date.duration_since(UNIX_EPOCH) {
        Ok(after) => micros(after),
        Err(before) => -micros(before.duration()),
    }
}

pub(super) fn date(moment: Moment) -> SystemTime {
    let distance = Duration::from_micros(moment.unsigned_abs());
    let date = if moment < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    // Windows has fewer dates: what lies beyond them is as far as 1970 from any expiry.
    date.unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_moments_and_back() {
        for micros in [0, 1, -1, 784_111_777 * SECOND, -11_644_473_600 * SECOND] {
            assert_eq!(moment(date(micros)), micros);
        }
        assert_eq!(moment(UNIX_EPOCH + Duration::from_nanos(1_999)), 1);
    }
}
