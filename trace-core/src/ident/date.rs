//! A date by the calendar on the wall, as forms carry it: at +08:00, a policy
//! of the ledger, never UTC. The only file that knows the crate `jiff`.
//!
//! It is not an instant and has no clock behind it: "today" is made from an
//! admission's time by [`CivilDate::from_ms`]. At four in the morning in
//! Langfang it is still yesterday in UTC, and same-day validity and the form
//! in force hang on which day it is.
//!
//! The calendar is the proleptic Gregorian one of ISO 8601.

use super::reading::Cursor;
use crate::error::{Invalid, Rule};
use jiff::SignedDuration;
use jiff::civil::Date;
use std::fmt;
use std::ops::RangeInclusive;

/// +08:00, the offset at which the ledger's civil dates are dates.
pub const LEDGER_OFFSET_MINUTES: i32 = 8 * 60;

/// 24 hours: neither UTC nor +08:00 has a longer or shorter day.
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;
pub(super) const MINUTE_MS: i64 = 60 * 1000;
/// What RFC 3339 can write: 23 hours and 59 minutes either way.
pub(super) const OFFSETS: RangeInclusive<i32> = -(24 * 60 - 1)..=24 * 60 - 1;

const EPOCH: Date = Date::constant(1970, 1, 1);
/// Days from 1970-01-01 to 2000-01-01: 30 years, 7 of them leap years.
const FIRST: i32 = 30 * 365 + 7;
/// Days from 1970-01-01 to 2199-12-31: those, and 200 years of which 49 are
/// leap years (every fourth but 2100), less one.
const LAST: i32 = FIRST + 200 * 365 + 49 - 1;

/// A date from 2000-01-01 to 2199-12-31.
///
/// ```
/// use trace_core::ident::{CivilDate, LEDGER_OFFSET_MINUTES, parse_ms};
///
/// let date = CivilDate::parse("2026-01-31")?;
/// assert_eq!(date.add_days(1)?.to_string(), "2026-02-01");
/// let loading = parse_ms("2026-01-31T20:00:00Z")?; // four in the morning
/// let today = CivilDate::from_ms(loading, LEDGER_OFFSET_MINUTES)?;
/// assert_eq!(today.ymd(), (2026, 2, 1));
/// assert!(date < today);
/// assert!(CivilDate::parse("2026-02-29").is_err());
/// # Ok::<(), trace_core::error::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(i32);

impl CivilDate {
    /// The first date, 2000-01-01.
    pub const FIRST: CivilDate = CivilDate(FIRST);
    /// The last date, 2199-12-31.
    pub const LAST: CivilDate = CivilDate(LAST);

    /// Reads `YYYY-MM-DD`, exactly.
    ///
    /// # Errors
    ///
    /// Names the character that cannot stand where it stands, or the year,
    /// month or day that there is not.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut cursor = Cursor::new(Rule::Date, text)?;
        let days = read_days(&mut cursor, 2000..=2199)?;
        cursor.end()?;
        Self::of(days)
    }

    /// The date so many days after 1970-01-01.
    ///
    /// # Errors
    ///
    /// Refuses what lies outside 2000-01-01 to 2199-12-31.
    pub fn from_days(days: i32) -> Result<Self, Invalid> {
        Self::of(days.into())
    }

    /// The date on the wall where clocks are `offset_minutes` ahead of UTC, so
    /// many milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// Refuses what lies outside 2000-01-01 to 2199-12-31, and an offset of a
    /// day or more.
    pub fn from_ms(epoch_ms: u64, offset_minutes: i32) -> Result<Self, Invalid> {
        let offset_ms = offset_ms(Rule::Date, offset_minutes)?;
        // What is past the range of i64 is past the range of dates.
        let local_ms = i64::try_from(epoch_ms)
            .unwrap_or(i64::MAX)
            .saturating_add(offset_ms);
        Self::of(local_ms.div_euclid(DAY_MS))
    }

    fn of(days: i64) -> Result<Self, Invalid> {
        match i32::try_from(days) {
            Ok(inside) if (FIRST..=LAST).contains(&inside) => Ok(Self(inside)),
            _ => Err(Invalid::new(
                Rule::Date,
                format!(
                    "found day {days} after 1970-01-01, wanted {FIRST} to {LAST}, \
                     2000-01-01 to 2199-12-31"
                ),
            )),
        }
    }

    /// Days after 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The instant at which the date begins where clocks are `offset_minutes`
    /// ahead of UTC, in milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// Refuses an offset of a day or more.
    pub fn start_ms(self, offset_minutes: i32) -> Result<u64, Invalid> {
        let start_ms = i64::from(self.0) * DAY_MS - offset_ms(Rule::Date, offset_minutes)?;
        // No date is before 2000 and no offset reaches a day: never negative.
        Ok(start_ms.unsigned_abs())
    }

    /// The date so many days later, or earlier if negative.
    ///
    /// # Errors
    ///
    /// Refuses what lies outside 2000-01-01 to 2199-12-31.
    pub fn add_days(self, days: i32) -> Result<Self, Invalid> {
        Self::of(i64::from(self.0) + i64::from(days))
    }

    /// Year, month from 1, day from 1.
    #[must_use]
    pub fn ymd(self) -> (u16, u8, u8) {
        // Every date of the range has four digits to its year.
        calendar(self.0.into()).unwrap_or_default()
    }
}

impl std::str::FromStr for CivilDate {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CivilDate({self})")
    }
}

/// The offset in milliseconds, if it is less than a day.
pub(super) fn offset_ms(rule: Rule, offset_minutes: i32) -> Result<i64, Invalid> {
    if !OFFSETS.contains(&offset_minutes) {
        let (first, last) = (OFFSETS.start(), OFFSETS.end());
        return Err(Invalid::new(
            rule,
            format!("found an offset of {offset_minutes} minutes, wanted {first} to {last}"),
        ));
    }
    Ok(i64::from(offset_minutes) * MINUTE_MS)
}

/// Reads `YYYY-MM-DD` as days after 1970-01-01.
pub(super) fn read_days(
    cursor: &mut Cursor<'_>,
    years: RangeInclusive<u32>,
) -> Result<i64, Invalid> {
    let hyphen = |found| (found == '-').then_some(());
    let year = cursor.number(4, "year", years)?;
    cursor.take("-", hyphen)?;
    let month = cursor.number(2, "month", 1..=12)?;
    cursor.take("-", hyphen)?;
    let last_day = date(year, month, 1).map_or(31, Date::days_in_month);
    let position = cursor.position();
    let day = cursor.number(2, "day", 1..=u32::from(last_day.unsigned_abs()))?;
    date(year, month, day)
        .map(|date| date.duration_since(EPOCH).as_hours() / 24)
        .ok_or_else(|| cursor.absent("day", position))
}

fn date(year: u32, month: u32, day: u32) -> Option<Date> {
    let (year, month) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?);
    Date::new(year, month, i8::try_from(day).ok()?).ok()
}

/// Year, month and day so many days after 1970-01-01; `None` where the year
/// has not four digits.
pub(super) fn calendar(days: i64) -> Option<(u16, u8, u8)> {
    let after = SignedDuration::try_from_hours(days.checked_mul(24)?)?;
    let date = EPOCH.checked_add(after).ok()?;
    let year = u16::try_from(date.year()).ok()?;
    Some((year, date.month().unsigned_abs(), date.day().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::parse_ms;

    fn date(text: &str) -> CivilDate {
        CivilDate::parse(text).unwrap()
    }

    #[test]
    fn the_day_turns_at_midnight_in_langfang_and_not_in_utc() {
        for (utc, wanted) in [
            // 00:00, 04:00, 07:59 and 08:00 on the wall on 1 February.
            ("2026-01-31T15:59:59.999Z", "2026-01-31"),
            ("2026-01-31T16:00:00.000Z", "2026-02-01"),
            ("2026-01-31T20:00:00.000Z", "2026-02-01"),
            ("2026-01-31T23:59:00.000Z", "2026-02-01"),
            ("2026-02-01T00:00:00.000Z", "2026-02-01"),
            ("2026-02-01T15:59:59.999Z", "2026-02-01"),
            ("2026-02-01T16:00:00.000Z", "2026-02-02"),
        ] {
            let ms = parse_ms(utc).unwrap();
            let there = CivilDate::from_ms(ms, LEDGER_OFFSET_MINUTES).unwrap();
            assert_eq!(there, date(wanted), "{utc}");
            let utc_date = CivilDate::from_ms(ms, 0).unwrap();
            assert_eq!(utc_date, date(&utc[..10]), "{utc}");
        }
    }

    #[test]
    fn a_date_starts_at_its_first_millisecond_at_every_offset() {
        let february = date("2026-02-01");
        for minutes in OFFSETS {
            let start_ms = february.start_ms(minutes).unwrap();
            assert_eq!(CivilDate::from_ms(start_ms, minutes), Ok(february));
            let before = CivilDate::from_ms(start_ms - 1, minutes);
            assert_eq!(before, Ok(date("2026-01-31")));
        }
        let start_ms = february.start_ms(LEDGER_OFFSET_MINUTES);
        assert_eq!(start_ms, parse_ms("2026-02-01T00:00:00+08:00"));
        for minutes in [-1440, 1440, i32::MIN, i32::MAX] {
            let refused = february.start_ms(minutes).unwrap_err();
            let wanted = format!("found an offset of {minutes} minutes, wanted -1439 to 1439");
            assert_eq!(refused.what, wanted);
            assert!(CivilDate::from_ms(0, minutes).is_err());
        }
    }

    /// All 73,049 dates, against a calendar counted by hand.
    #[test]
    fn every_date_is_read_and_shown_and_follows_the_one_before() {
        let (mut year, mut month, mut day) = (2000u16, 1u8, 1u8);
        for days in FIRST..=LAST {
            let date = CivilDate::from_days(days).unwrap();
            assert_eq!(date.ymd(), (year, month, day));
            assert_eq!(date.days(), days);
            assert_eq!(CivilDate::parse(&date.to_string()), Ok(date));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            if day < length {
                day += 1;
            } else if month < 12 {
                (month, day) = (month + 1, 1);
            } else {
                (year, month, day) = (year + 1, 1, 1);
            }
        }
        assert_eq!((year, month, day), (2200, 1, 1));
    }

    #[test]
    fn the_range_ends_where_it_says() {
        assert_eq!(CivilDate::FIRST, date("2000-01-01"));
        assert_eq!(CivilDate::LAST, date("2199-12-31"));
        for days in [FIRST - 1, LAST + 1, 0, i32::MIN, i32::MAX] {
            assert_eq!(CivilDate::from_days(days).unwrap_err().rule, Rule::Date);
        }
        assert!(CivilDate::FIRST.add_days(-1).is_err());
        assert!(CivilDate::LAST.add_days(1).is_err());
        assert!(CivilDate::LAST.add_days(i32::MAX).is_err());
        assert!(CivilDate::LAST.add_days(i32::MIN).is_err());
        assert_eq!(CivilDate::FIRST.add_days(LAST - FIRST), Ok(CivilDate::LAST));
        for ms in [0, u64::MAX, i64::MAX.unsigned_abs()] {
            assert!(CivilDate::from_ms(ms, 0).is_err(), "{ms}");
        }
    }

    #[test]
    fn months_and_leap_days_are_added_over() {
        let january = date("2026-01-31");
        assert_eq!(january.add_days(1), Ok(date("2026-02-01")));
        assert_eq!(date("2026-02-01").add_days(-1), Ok(january));
        assert_eq!(date("2028-02-28").add_days(2), Ok(date("2028-03-01")));
        assert_eq!(date("2100-02-28").add_days(1), Ok(date("2100-03-01")));
    }

    #[test]
    fn a_refusal_says_which_part_and_where() {
        for (typed, wanted) in [
            ("2026-02-29", "the day at position 9 is 29, wanted 1 to 28"),
            ("2026-04-31", "the day at position 9 is 31, wanted 1 to 30"),
            ("2026-01-00", "the day at position 9 is 0, wanted 1 to 31"),
            (
                "2026-13-01",
                "the month at position 6 is 13, wanted 1 to 12",
            ),
            (
                "1999-12-31",
                "the year at position 1 is 1999, wanted 2000 to 2199",
            ),
            ("2026/02/01", "position 5 is '/', wanted -"),
            ("2026-2-1", "position 7 is '-', wanted a digit 0 to 9"),
            ("2026-02-01 ", "position 11 is ' ', wanted nothing more"),
            (" 2026-02-01", "position 1 is ' ', wanted a digit 0 to 9"),
            ("2026-02", "the text ends after position 7, wanted -"),
            ("２026-02-01", "position 1 is '２', wanted a digit 0 to 9"),
            ("+026-02-01", "position 1 is '+', wanted a digit 0 to 9"),
            ("", "the text ends after position 0, wanted a digit 0 to 9"),
        ] {
            assert_eq!(CivilDate::parse(typed).unwrap_err().what, wanted, "{typed}");
        }
    }
}
