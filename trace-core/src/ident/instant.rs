//! Instants as people and JSON write them: RFC 3339, section 5.6.
//!
//! Inside, an instant is a count of milliseconds after 1970-01-01T00:00:00Z
//! without leap seconds, and has no type of its own. It is not a civil date:
//! that is [`CivilDate`](super::CivilDate).

use super::date::{DAY_MS, MINUTE_MS, calendar, offset_ms, read_days};
use super::reading::Cursor;
use crate::error::{Invalid, Rule};

const SECOND_MS: i64 = 1000;

/// The instant in RFC 3339, to the millisecond, as clocks show it that are
/// `offset_minutes` ahead of UTC.
///
/// It never fails, since a signer's clock may claim anything: with an offset
/// of a day or more the same instant is shown at +00:00, and what is past the
/// year 9999 is shown as its bare count.
///
/// ```
/// use trace_core::ident::{LEDGER_OFFSET_MINUTES, format_ms};
///
/// let text = format_ms(1_769_889_600_000, LEDGER_OFFSET_MINUTES);
/// assert_eq!(text, "2026-02-01T04:00:00.000+08:00");
/// ```
#[must_use]
pub fn format_ms(ms: u64, offset_minutes: i32) -> String {
    let (offset_minutes, offset_ms) = match offset_ms(Rule::Instant, offset_minutes) {
        Ok(offset_ms) => (offset_minutes, offset_ms),
        Err(_) => (0, 0),
    };
    let local_ms = i64::try_from(ms)
        .unwrap_or(i64::MAX)
        .saturating_add(offset_ms);
    let Some((year, month, day)) = calendar(local_ms.div_euclid(DAY_MS)) else {
        return format!("{ms} ms after 1970-01-01T00:00:00Z");
    };
    let of_day_ms = local_ms.rem_euclid(DAY_MS);
    let (minutes, of_minute_ms) = (of_day_ms / MINUTE_MS, of_day_ms % MINUTE_MS);
    let (hour, minute) = (minutes / 60, minutes % 60);
    let (second, ms) = (of_minute_ms / SECOND_MS, of_minute_ms % SECOND_MS);
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let offset = offset_minutes.unsigned_abs();
    let (ahead_hours, ahead_minutes) = (offset / 60, offset % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}\
         {sign}{ahead_hours:02}:{ahead_minutes:02}"
    )
}

/// Reads an instant of RFC 3339: date, `T` (or a space), time with seconds,
/// up to nine digits of fraction, and `Z` or an offset, without which it would
/// not be an instant.
///
/// Digits after the millisecond are dropped: the instant is the millisecond
/// that it falls in. A leap second `:60` is refused, since the count has none.
///
/// ```
/// use trace_core::ident::parse_ms;
///
/// let ms = parse_ms("2026-02-01T04:00:00+08:00")?;
/// assert_eq!(ms, 1_769_889_600_000);
/// assert_eq!(parse_ms("2026-01-31 20:00:00.000999z"), Ok(ms));
/// assert!(parse_ms("2026-02-01T04:00:00").is_err());
/// # Ok::<(), trace_core::error::Invalid>(())
/// ```
///
/// # Errors
///
/// Names the character that cannot stand where it stands, or the part that is
/// out of its range; an instant before 1970.
pub fn parse_ms(text: &str) -> Result<u64, Invalid> {
    let mut cursor = Cursor::new(Rule::Instant, text)?;
    let colon = |found| (found == ':').then_some(());
    // 1969 since it may still be that year west of Greenwich.
    let days = read_days(&mut cursor, 1969..=9999)?;
    cursor.take("T", |found| matches!(found, 'T' | 't' | ' ').then_some(()))?;
    let hour = cursor.number(2, "hour", 0..=23)?;
    cursor.take(":", colon)?;
    let minute = cursor.number(2, "minute", 0..=59)?;
    cursor.take(":", colon)?;
    let second = cursor.number(2, "second", 0..=59)?;
    let ms = match cursor.peek() {
        Some('.') => read_fraction_ms(&mut cursor)?,
        _ => 0,
    };
    let offset_minutes = read_offset_minutes(&mut cursor)?;
    cursor.end()?;

    let minutes = i64::from(hour) * 60 + i64::from(minute) - offset_minutes;
    let epoch_ms =
        days * DAY_MS + minutes * MINUTE_MS + i64::from(second) * SECOND_MS + i64::from(ms);
    u64::try_from(epoch_ms).map_err(|_| {
        Invalid::new(
            Rule::Instant,
            format!("found {epoch_ms} ms, before 1970-01-01T00:00:00Z, wanted 0 or more"),
        )
    })
}

/// `.` and one to nine digits, as whole milliseconds.
fn read_fraction_ms(cursor: &mut Cursor<'_>) -> Result<u32, Invalid> {
    cursor.take(".", |found| (found == '.').then_some(()))?;
    let mut ms = 0;
    let mut worth = 100;
    for count in 0..9 {
        let more = cursor.peek().is_some_and(|found| found.is_ascii_digit());
        if count > 0 && !more {
            break;
        }
        ms += cursor.digits(1)? * worth;
        worth /= 10;
    }
    Ok(ms)
}

/// `Z`, or a sign, hours, a colon and minutes.
fn read_offset_minutes(cursor: &mut Cursor<'_>) -> Result<i64, Invalid> {
    let sign = cursor.take("Z, + or -", |found| match found {
        'Z' | 'z' => Some(0),
        '+' => Some(1),
        '-' => Some(-1),
        _ => None,
    })?;
    if sign == 0 {
        return Ok(0);
    }
    let hours = cursor.number(2, "offset's hours", 0..=23)?;
    cursor.take(":", |found| (found == ':').then_some(()))?;
    let minutes = cursor.number(2, "offset's minutes", 0..=59)?;
    Ok(sign * i64::from(hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::LEDGER_OFFSET_MINUTES;

    /// RFC 3339, section 5.8, and moments about midnight in Langfang.
    #[test]
    fn examples_are_read_and_shown() {
        for (typed, ms, shown) in [
            (
                "1985-04-12T23:20:50.52Z",
                482_196_050_520,
                "1985-04-13T07:20:50.520+08:00",
            ),
            (
                "1996-12-19T16:39:57-08:00",
                851_042_397_000,
                "1996-12-20T08:39:57.000+08:00",
            ),
            (
                "1969-12-31T23:00:00-01:00",
                0,
                "1970-01-01T08:00:00.000+08:00",
            ),
            (
                "2026-01-31T16:00:00Z",
                1_769_875_200_000,
                "2026-02-01T00:00:00.000+08:00",
            ),
            (
                "2026-02-01T07:59:59.999+08:00",
                1_769_903_999_999,
                "2026-02-01T07:59:59.999+08:00",
            ),
            (
                "2026-02-01T00:00:00-00:00",
                1_769_904_000_000,
                "2026-02-01T08:00:00.000+08:00",
            ),
            (
                "9999-12-31T15:59:59.999Z",
                253_402_271_999_999,
                "9999-12-31T23:59:59.999+08:00",
            ),
        ] {
            assert_eq!(parse_ms(typed), Ok(ms), "{typed}");
            assert_eq!(format_ms(ms, LEDGER_OFFSET_MINUTES), shown);
        }
    }

    #[test]
    fn shown_and_read_again_is_the_same_at_every_offset() {
        let mut ms = 0u64;
        while ms < 253_370_764_800_000 {
            for minutes in [-1439, -720, -1, 0, 1, 345, 480, 840, 1439] {
                let shown = format_ms(ms, minutes);
                assert_eq!(parse_ms(&shown), Ok(ms), "{shown}");
                assert_eq!(shown.len(), 29);
            }
            // A prime near three months, so that every part varies.
            ms += 7_777_777_777;
        }
    }

    #[test]
    fn a_clock_that_claims_nonsense_is_still_shown() {
        let past = "253402300800000 ms after 1970-01-01T00:00:00Z";
        assert_eq!(format_ms(253_402_300_800_000, 0), past);
        let shown = format_ms(u64::MAX, LEDGER_OFFSET_MINUTES);
        assert_eq!(shown, format!("{} ms after 1970-01-01T00:00:00Z", u64::MAX));
        for minutes in [i32::MIN, -1440, 1440, i32::MAX] {
            assert_eq!(format_ms(0, minutes), "1970-01-01T00:00:00.000+00:00");
        }
    }

    #[test]
    fn digits_after_the_millisecond_are_dropped() {
        for (fraction, ms) in [
            ("", 0),
            (".1", 100),
            (".05", 50),
            (".9999", 999),
            (".123456789", 123),
        ] {
            let typed = format!("1970-01-01T00:00:00{fraction}Z");
            assert_eq!(parse_ms(&typed), Ok(ms), "{typed}");
        }
    }

    #[test]
    fn a_refusal_says_which_part_and_where() {
        for (typed, wanted) in [
            ("2026-02-01", "the text ends after position 10, wanted T"),
            (
                "2026-02-01T04:00:00",
                "the text ends after position 19, wanted Z, + or -",
            ),
            (
                "2026-02-01T04:00",
                "the text ends after position 16, wanted :",
            ),
            (
                "2026-02-29T04:00:00Z",
                "the day at position 9 is 29, wanted 1 to 28",
            ),
            (
                "2026-02-01T24:00:00Z",
                "the hour at position 12 is 24, wanted 0 to 23",
            ),
            (
                "2026-02-01T04:60:00Z",
                "the minute at position 15 is 60, wanted 0 to 59",
            ),
            (
                "2016-12-31T23:59:60Z",
                "the second at position 18 is 60, wanted 0 to 59",
            ),
            (
                "2026-02-01T04:00:00.Z",
                "position 21 is 'Z', wanted a digit 0 to 9",
            ),
            (
                "2026-02-01T04:00:00.1234567890Z",
                "position 30 is '0', wanted Z, + or -",
            ),
            (
                "2026-02-01T04:00:00,5Z",
                "position 20 is ',', wanted Z, + or -",
            ),
            (
                "2026-02-01T04:00:00+24:00",
                "the offset's hours at position 21 is 24, wanted 0 to 23",
            ),
            ("2026-02-01T04:00:00+0800", "position 23 is '0', wanted :"),
            (
                "2026-02-01T04:00:00Z[UTC]",
                "position 21 is '[', wanted nothing more",
            ),
            (
                "1937-01-01T12:00:27.87+00:20",
                "the year at position 1 is 1937, wanted 1969 to 9999",
            ),
            (
                "1970-01-01T00:00:00+00:01",
                "found -60000 ms, before 1970-01-01T00:00:00Z, wanted 0 or more",
            ),
            ("", "the text ends after position 0, wanted a digit 0 to 9"),
        ] {
            let refused = parse_ms(typed).unwrap_err();
            assert_eq!(
                (refused.rule, refused.what.as_str()),
                (Rule::Instant, wanted)
            );
        }
    }
}
