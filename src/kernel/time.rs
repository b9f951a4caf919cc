//! Timestamps with one text form: `2026-01-01T00:00:00Z`.
//!
//! Whole seconds, UTC, years 1970 to 9999. Code that needs the time takes a [`Timestamp`] as a parameter,
//! so that tests and conformance vectors can choose it.

use crate::kernel::document::text_form;
use crate::kernel::prelude::*;
use core::time::Duration;

/// A time in whole seconds since 1970-01-01T00:00:00Z, without leap seconds (as in POSIX).
///
/// ```
/// use mpp::Timestamp;
/// let time = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
/// assert_eq!(time.unix_seconds(), 1_767_225_600);
/// assert_eq!(time.to_string(), "2026-01-01T00:00:00Z");
/// assert_eq!(Timestamp::parse("2026-01-01 00:00:00"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z: the last time with four digits for the year.
const UNIX_SECONDS_MAX: u64 = 253_402_300_799;
const DAY_SECONDS: u64 = 86_400;

text_form!(Timestamp, "a time such as 2026-01-01T00:00:00Z");

impl Timestamp {
    /// Returns the time this many seconds after the epoch, or `None` after the year 9999.
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        (seconds <= UNIX_SECONDS_MAX).then_some(Timestamp(seconds))
    }

    /// Returns the time this long after the epoch, at most the last one.
    pub fn since_epoch(time: Duration) -> Self {
        Timestamp(time.as_secs().min(UNIX_SECONDS_MAX))
    }

    /// Returns the time this many seconds later, at most the last one.
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Timestamp(self.0.saturating_add(seconds).min(UNIX_SECONDS_MAX))
    }

    /// Returns the seconds since the epoch.
    pub fn unix_seconds(self) -> u64 {
        self.0
    }

    /// Parses the canonical form of RFC 3339: capital `T` and `Z`, no fraction, no offset.
    // [SIG-05]
    pub fn parse(text: &str) -> Option<Self> {
        let seconds = parse_seconds(text)?;
        let time = Timestamp::from_unix_seconds(seconds)?;
        // Formatting it again refuses every other spelling and dates that do not exist.
        (time.to_string() == text).then_some(time)
    }
}

fn parse_seconds(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day)?;
    let in_day = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?;
    days.checked_mul(DAY_SECONDS)?.checked_add(in_day)?.checked_add(second)
}

/// Returns the days since 1970-01-01 in the Gregorian calendar. The year is counted from March, so that the
/// leap day is its last, and five months have 153 days.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let from_march = month.checked_add(9)?.checked_rem(12)?;
    let in_year = from_march
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?
        .checked_add(day)?
        .checked_sub(1)?;
    let leap_days = (year / 4).checked_sub(year / 100)?.checked_add(year / 400)?;
    let days = year.checked_mul(365)?.checked_add(leap_days)?.checked_add(in_year)?;
    days.checked_sub(719_468)
}

/// The inverse of `days_from_civil`: (year, month, day).
#[allow(clippy::arithmetic_side_effects)] // `days` is at most UNIX_SECONDS_MAX / DAY_SECONDS
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let in_era = days % 146_097;
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0 / DAY_SECONDS);
        let in_day = self.0 % DAY_SECONDS;
        let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/time.rs"]
mod tests;

/// Returns a duration in whole milliseconds, or the most that fit.
pub(in crate::kernel) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
