//! Times as loggers write them, made into milliseconds since the epoch.
//!
//! Never guessed: a time without a zone needs the mapping's, and one that the
//! clock on the wall shows twice or never (daylight saving) is refused.

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::strtime,
    tz::{AmbiguousOffset, TimeZone},
};

use super::Said;

/// Longest time that is read: an ISO time with a zone's name has 60 bytes.
const TIME_BYTES_MAX: usize = 100;

/// How times are read.
#[derive(Debug, Clone)]
pub struct Instants {
    form: Form,
    zone: Option<TimeZone>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Iso,
    /// Decimals that a number has before it is milliseconds.
    Epoch(usize),
    Pattern {
        pattern: String,
        has_offset: bool,
    },
}

impl Instants {
    /// Times of this format, at this zone where they have none.
    ///
    /// # Errors
    /// When the format is none, or the zone is unknown or missing.
    pub fn new(format: &str, zone: Option<&str>) -> Result<Self, Said> {
        let zone = zone.map(parse_zone).transpose()?;
        let form = match format {
            "iso8601" => Form::Iso,
            "epoch_s" => Form::Epoch(3),
            "epoch_ms" => Form::Epoch(0),
            pattern if pattern.contains('%') && pattern.len() <= TIME_BYTES_MAX => Form::Pattern {
                pattern: pattern.to_owned(),
                has_offset: ["%z", "%:z", "%Q", "%:Q", "%s"]
                    .iter()
                    .any(|it| pattern.contains(it)),
            },
            other => {
                let found: String = other.chars().take(40).collect();
                return Err(Said::new(
                    format!(
                        "time_format: {found:?}, wanted iso8601, epoch_s, epoch_ms or a pattern such as %Y/%m/%d %H:%M:%S"
                    ),
                    format!(
                        "time_format:{found:?},应为 iso8601、epoch_s、epoch_ms 或 %Y/%m/%d %H:%M:%S 之类的格式"
                    ),
                ));
            }
        };
        // An ISO time may have its own; every other without one needs it here.
        if let Form::Pattern {
            has_offset: false, ..
        } = form
            && zone.is_none()
        {
            return Err(zone_wanted());
        }
        Ok(Self { form, zone })
    }

    /// The milliseconds since the epoch of a time.
    ///
    /// # Errors
    /// Why it is none, or not one alone.
    pub fn read(&self, text: &str) -> Result<u64, Said> {
        let text = text.trim();
        if text.len() > TIME_BYTES_MAX {
            return Err(self.unlike(text));
        }
        let at = match &self.form {
            Form::Epoch(decimals) => {
                return epoch(text, *decimals).ok_or_else(|| self.unlike(text));
            }
            Form::Iso => match text.parse::<Timestamp>() {
                Ok(at) => at,
                Err(_) => {
                    let civil = text.parse::<DateTime>().map_err(|_| self.unlike(text))?;
                    self.at_zone(civil)?
                }
            },
            Form::Pattern {
                pattern,
                has_offset,
            } => {
                let read = strtime::parse(pattern, text).map_err(|_| self.unlike(text))?;
                match has_offset {
                    true => read.to_timestamp().map_err(|_| self.unlike(text))?,
                    false => self.at_zone(read.to_datetime().map_err(|_| self.unlike(text))?)?,
                }
            }
        };
        u64::try_from(at.as_millisecond()).map_err(|_| {
            Said::new(
                format!("{text:?} is before 1970"),
                format!("{text:?} 早于1970年"),
            )
        })
    }

    fn at_zone(&self, civil: DateTime) -> Result<Timestamp, Said> {
        let zone = self.zone.as_ref().ok_or_else(zone_wanted)?;
        let found = zone.to_ambiguous_timestamp(civil);
        let (english, chinese) = match found.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                return found
                    .unambiguous()
                    .map_err(|error| Said::new(error.to_string(), format!("{civil} 无法换算")));
            }
            AmbiguousOffset::Fold { .. } => ("stands twice on the clock", "出现两次"),
            AmbiguousOffset::Gap { .. } => ("never stood on the clock", "不存在"),
        };
        Err(Said::new(
            format!(
                "{civil} {english} that day (daylight saving); export times in UTC or with their offset"
            ),
            format!("{civil} 因夏令时切换在当日{chinese};请导出UTC时间或带时差的时间"),
        ))
    }

    fn unlike(&self, text: &str) -> Said {
        let found: String = text.chars().take(40).collect();
        let wanted = match &self.form {
            Form::Iso => "2026-03-01T05:20:00+08:00",
            Form::Epoch(0) => "1780000000000",
            Form::Epoch(_) => "1780000000",
            Form::Pattern { pattern, .. } => pattern,
        };
        Said::new(
            format!("{found:?} is no time like {wanted}"),
            format!("{found:?} 不符合时间格式 {wanted}"),
        )
    }
}

/// Whether an ISO time carries its own zone.
pub(super) fn has_zone(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}

fn zone_wanted() -> Said {
    Said::new(
        "times have no zone: give `zone` in the mapping, such as +08:00",
        "时间不带时区:请在映射中用 zone 给出,如 +08:00",
    )
}

/// An offset `+08:00`, or the name of a zone.
fn parse_zone(text: &str) -> Result<TimeZone, Said> {
    let fixed = || {
        let read = strtime::parse("%:z", text).ok()?;
        // %:z reads seconds too; no logger has such an offset.
        read.offset()
            .filter(|_| text.len() == 6)
            .map(TimeZone::fixed)
    };
    let named = || {
        let is_name = text.len() <= 40 && text.contains(|it: char| it.is_ascii_alphabetic());
        is_name.then(|| TimeZone::get(text).ok()).flatten()
    };
    fixed().or_else(named).ok_or_else(|| {
        let found: String = text.chars().take(40).collect();
        Said::new(
            format!(
                "zone: {found:?}, wanted an offset such as +08:00 or a name such as Asia/Shanghai"
            ),
            format!("zone:{found:?},应为 +08:00 之类的时差或 Asia/Shanghai 之类的时区名"),
        )
    })
}

/// A number with up to nine decimals, its point moved; what is finer is cut off.
fn epoch(text: &str, decimals: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let kept = fraction.get(..decimals.min(fraction.len()))?;
    format!("{whole}{kept:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::ident::parse_ms;

    #[test]
    fn the_same_moment_is_read_from_every_way_to_write_it() {
        let at = parse_ms("2026-03-01T05:20:00+08:00").unwrap();
        for (format, zone, text) in [
            ("iso8601", None, "2026-03-01T05:20:00+08:00"),
            ("iso8601", None, "2026-02-28T21:20:00Z"),
            ("iso8601", Some("+08:00"), "2026-03-01 05:20:00"),
            ("iso8601", Some("Asia/Shanghai"), "2026-03-01T05:20"),
            ("%Y/%m/%d %H:%M:%S", Some("+08:00"), "2026/3/1 5:20:00"),
            ("%Y/%m/%d %H:%M:%S", Some("+08:00"), "2026/03/01  05:20:00"),
            (
                "%Y/%m/%d %H:%M:%S%.f",
                Some("+08:00"),
                "2026/3/1 5:20:00.000",
            ),
            ("%d.%m.%Y %H:%M", Some("+08:00"), "01.03.2026 05:20"),
            ("%d.%m.%Y %H:%M", Some("Europe/Berlin"), "28.02.2026 22:20"),
            ("%m/%d/%Y %I:%M %p", Some("+08:00"), "3/1/2026 5:20 AM"),
            ("%Y年%m月%d日 %H:%M", Some("+08:00"), "2026年3月1日 05:20"),
            ("%Y-%m-%d %H:%M:%S %:z", None, "2026-03-01 05:20:00 +08:00"),
            ("epoch_s", None, "1772313600"),
            ("epoch_s", None, "1772313600.0004"),
            ("epoch_ms", None, "1772313600000"),
        ] {
            let instants = Instants::new(format, zone).unwrap();
            assert_eq!(
                instants.read(text).map_err(|it| it.english),
                Ok(at),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_or_has_no_zone_is_refused() {
        for (format, zone) in [
            ("%Y/%m/%d %H:%M", None),
            ("hh:mm", Some("+08:00")),
            ("iso8601", Some("08:00")),
            ("iso8601", Some("+8")),
            ("iso8601", Some("Asia/Langfang")),
        ] {
            assert!(Instants::new(format, zone).is_err(), "{format} {zone:?}");
        }
        let iso = Instants::new("iso8601", None).unwrap();
        assert!(
            iso.read("2026-03-01 05:20:00")
                .unwrap_err()
                .english
                .contains("zone")
        );
        for text in ["", "05:20", "2026-02-29T00:00Z", "1969-12-31T23:59:59Z"] {
            assert!(iso.read(text).is_err(), "{text}");
        }
        let seconds = Instants::new("epoch_s", None).unwrap();
        for text in ["", "-1", "1e9", "1,5", "99999999999999999999"] {
            assert!(seconds.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_or_never_is_refused() {
        let berlin = Instants::new("%d.%m.%Y %H:%M", Some("Europe/Berlin")).unwrap();
        let hour = 3_600_000;
        let before = berlin.read("25.10.2026 01:59").unwrap();
        assert!(
            berlin
                .read("25.10.2026 02:30")
                .unwrap_err()
                .english
                .contains("twice")
        );
        let after = berlin.read("25.10.2026 03:00").unwrap();
        assert_eq!(after - before, 2 * hour + 60_000);
        assert!(
            berlin
                .read("29.03.2026 02:30")
                .unwrap_err()
                .english
                .contains("never")
        );
        assert!(berlin.read("29.03.2026 03:00").is_ok());
        // Where the offset never changes nothing is ambiguous.
        let langfang = Instants::new("%d.%m.%Y %H:%M", Some("+08:00")).unwrap();
        assert!(langfang.read("25.10.2026 02:30").is_ok());
    }
}
