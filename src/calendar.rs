//! Days of the Gregorian calendar, as certificates and headers name them and as errors show them.
//!
//! Both ways count years that begin in March, which have the leap day at their end.

/// From 0000-03-01 to 1970-01-01.
const TO_1970: i64 = 719_468;

/// Returns how many days after 1970-01-01 a day of a year is; a month has the number that
/// people give it.
pub(crate) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - TO_1970
}

/// Returns year, month and day of so many days after 1970-01-01.
pub(crate) fn date(days_since_1970: i64) -> (i64, i64, i64) {
    // 400 years are an era: all of them have as many days.
    let days = days_since_1970 + TO_1970;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let since_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_and_named() {
        for (days, named) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (-7_305, (1950, 1, 1)),
            (11_015, (2000, 2, 28)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_782, (2024, 2, 29)),
            (47_541, (2100, 3, 1)),
            (2_932_896, (9999, 12, 31)),
        ] {
            assert_eq!(date(days), named, "{days}");
            assert_eq!(days_since_1970(named.0, named.1, named.2), days, "{named:?}");
        }
        for days in -800_000..800_000 {
            let (year, month, day) = date(days);
            assert_eq!(days_since_1970(year, month, day), days, "{year}-{month}-{day}");
        }
    }
}
