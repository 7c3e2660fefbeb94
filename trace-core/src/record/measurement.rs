//! What a laboratory measures: exact decimals, limits and verdicts.
//!
//! A decimal is an integer and its number of decimal places, so that nothing is
//! rounded between the laboratory's sheet and a reader. Whether an item passed is
//! the laboratory's word; where found value and limit decide, the word must agree.

use super::text;
use crate::error::{Invalid, Rule};
use postcard_schema::Schema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Most decimal places: a residue in ng/kg stated in mg/kg has six; nine leave
/// room.
const DECIMALS_MAX: u8 = 9;

/// Most digits: 18 fit 64 bits, and 18 more for bringing two scales together
/// fit 128.
const DIGITS_MAX: usize = 18;

/// Most items of one report: a multi-residue screening has about 60; 48 items of
/// 200 bytes leave an entry of 16 KiB room for the rest, and more go into a
/// second report.
pub const ITEMS_MAX: usize = 48;

/// An exact decimal number, `0.050` in JSON and on pages.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    digits: i64,
    decimals: u8,
}

#[derive(Serialize, Deserialize, Schema)]
#[serde(rename = "Decimal", deny_unknown_fields)]
struct Plain {
    digits: i64,
    decimals: u8,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// So much.
    Amount(Decimal),
    /// Less than this, which is the least that the method quantifies.
    Below(Decimal),
    /// 未检出.
    NotDetected,
}

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most this.
    AtMost(Decimal),
    /// At least this.
    AtLeast(Decimal),
    /// 不得检出.
    Absent,
}

/// One item of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct TestItem {
    /// 检验项目, 1 to 40 characters.
    pub item: String,
    /// 实测值.
    pub found: Found,
    /// 标准指标, where the standard has one.
    pub limit: Option<Limit>,
    /// 单位 of value and limit, up to 16 characters; none where they have none.
    pub unit: Option<String>,
    /// 判定依据 or method, up to 40 characters.
    pub standard: Option<String>,
    /// 单项判定.
    pub passed: bool,
}

impl Decimal {
    /// A number of so many units of its last decimal place.
    ///
    /// # Errors
    /// [`Rule::Evidence`] past 18 digits or 9 decimal places.
    pub fn new(digits: i64, decimals: u8) -> Result<Self, Invalid> {
        let number = Self { digits, decimals };
        number.check()?;
        Ok(number)
    }

    fn check(self) -> Result<(), Invalid> {
        if self.decimals > DECIMALS_MAX || self.digits.unsigned_abs() >= 10u64.pow(18) {
            return refuse(format!(
                "{} units of the {}th decimal place; at most {DIGITS_MAX} digits and {DECIMALS_MAX} places",
                self.digits, self.decimals
            ));
        }
        Ok(())
    }

    /// In units of the last place that any decimal may have.
    fn scaled(self) -> i128 {
        let places = DECIMALS_MAX.saturating_sub(self.decimals);
        i128::from(self.digits) * 10i128.pow(u32::from(places))
    }
}

impl PartialEq for Decimal {
    /// The same number as written: `0.5` and `0.50` are not, because they are
    /// other bytes.
    fn eq(&self, other: &Self) -> bool {
        (self.digits, self.decimals) == (other.digits, other.decimals)
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs();
        let places = usize::from(self.decimals);
        let text = format!("{digits:0>width$}", width = places + 1);
        match text.split_at_checked(text.len() - places) {
            Some((whole, part)) if places > 0 => write!(f, "{sign}{whole}.{part}"),
            _ => write!(f, "{sign}{text}"),
        }
    }
}

impl FromStr for Decimal {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            Invalid::new(
                Rule::Evidence,
                format!("{text:.40?} is not a number such as 0.05"),
            )
        };
        let (sign, plain) = match text.strip_prefix('-') {
            Some(plain) => (-1, plain),
            None => (1, text),
        };
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let all: String = [whole, part].concat();
        let digits = all.parse::<i64>().ok().filter(|_| all.len() <= DIGITS_MAX);
        let decimals = u8::try_from(part.len()).map_err(|_| wrong())?;
        let number = Self::new(sign * digits.ok_or_else(wrong)?, decimals)?;
        // One text for each number: no leading zeros, no plus, no `-0`, no `1.`.
        match number.to_string() == text {
            true => Ok(number),
            false => Err(wrong()),
        }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let plain = Plain {
            digits: self.digits,
            decimals: self.decimals,
        };
        plain.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map_err(serde::de::Error::custom);
        }
        let Plain { digits, decimals } = Plain::deserialize(deserializer)?;
        Ok(Self { digits, decimals })
    }
}

impl Schema for Decimal {
    const SCHEMA: &'static postcard_schema::schema::NamedType = Plain::SCHEMA;
}

impl Found {
    fn number(self) -> Option<Decimal> {
        match self {
            Self::Amount(number) | Self::Below(number) => Some(number),
            Self::NotDetected => None,
        }
    }
}

impl Limit {
    fn number(self) -> Option<Decimal> {
        match self {
            Self::AtMost(number) | Self::AtLeast(number) => Some(number),
            Self::Absent => None,
        }
    }

    /// Whether what was found keeps the limit; none where that cannot be told,
    /// as when less than 0.1 was found and at most 0.05 is allowed.
    #[must_use]
    pub fn kept_by(self, found: Found) -> Option<bool> {
        let order = |one: Decimal, other: Decimal| one.scaled().cmp(&other.scaled());
        match (self, found) {
            (Self::AtMost(limit), Found::Amount(amount)) => {
                Some(order(amount, limit) != Ordering::Greater)
            }
            (Self::AtMost(limit), Found::Below(bound)) => {
                (order(bound, limit) != Ordering::Greater).then_some(true)
            }
            (Self::AtLeast(limit), Found::Amount(amount)) => {
                Some(order(amount, limit) != Ordering::Less)
            }
            (Self::AtLeast(limit), Found::Below(bound)) => {
                (order(bound, limit) != Ordering::Greater).then_some(false)
            }
            (Self::Absent, Found::Amount(amount)) => Some(amount.digits == 0),
            (Self::AtMost(_) | Self::Absent, Found::NotDetected)
            | (Self::Absent, Found::Below(_)) => Some(true),
            (Self::AtLeast(_), Found::NotDetected) => None,
        }
    }
}

impl TestItem {
    fn check(&self) -> Result<(), Invalid> {
        text::check("item", &self.item, 1, 40)?;
        text::check_option("unit", self.unit.as_deref(), 16)?;
        text::check_option("standard", self.standard.as_deref(), 40)?;
        let numbers = [self.found.number(), self.limit.and_then(Limit::number)];
        numbers.into_iter().flatten().try_for_each(Decimal::check)?;
        match self.limit.and_then(|limit| limit.kept_by(self.found)) {
            Some(kept) if kept != self.passed => refuse(format!(
                "{}: found {:?}, limit {:?}, judged {}",
                self.item,
                self.found,
                self.limit,
                if self.passed { "pass" } else { "fail" }
            )),
            _ => Ok(()),
        }
    }
}

/// Checks items and that the whole passed exactly when each of them did.
///
/// # Errors
/// [`Rule::Evidence`] naming the item, or [`Rule::Text`].
pub fn check_items(items: &[TestItem], passed: bool) -> Result<(), Invalid> {
    if items.is_empty() || items.len() > ITEMS_MAX {
        return refuse(format!("{} items, 1 to {ITEMS_MAX}", items.len()));
    }
    items.iter().try_for_each(TestItem::check)?;
    let failed = items.iter().filter(|item| !item.passed).count();
    match passed == (failed == 0) {
        true => Ok(()),
        false => refuse(format!(
            "{failed} of {} items failed, the whole is judged {}",
            items.len(),
            if passed { "pass" } else { "fail" }
        )),
    }
}

fn refuse<T>(what: String) -> Result<T, Invalid> {
    Err(Invalid::new(Rule::Evidence, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_decimal_has_one_text_and_reads_back_as_written() {
        for text in [
            "0",
            "0.05",
            "0.050",
            "-1.5",
            "12",
            "100000000000000000",
            "0.000000001",
        ] {
            assert_eq!(decimal(text).to_string(), text);
        }
        for text in [
            "",
            "-",
            "-0",
            "1.",
            ".5",
            "01",
            "+1",
            "1e3",
            "1,5",
            "0.0000000001",
            "1000000000000000000",
            " 1",
            "1.-5",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_is_kept_to_the_last_decimal_place_and_exactly_at_it() {
        let (limit, at_least) = (decimal("0.05"), decimal("0.05"));
        for (found, most, least) in [
            ("0.05", true, true),
            ("0.050", true, true),
            ("0.051", false, true),
            ("0.049999999", true, false),
            ("-1", true, false),
            ("1", false, true),
        ] {
            let found = Found::Amount(decimal(found));
            assert_eq!(Limit::AtMost(limit).kept_by(found), Some(most), "{found:?}");
            assert_eq!(
                Limit::AtLeast(at_least).kept_by(found),
                Some(least),
                "{found:?}"
            );
            assert_eq!(Limit::Absent.kept_by(found), Some(false), "{found:?}");
        }
        assert_eq!(
            Limit::Absent.kept_by(Found::Amount(decimal("0.0"))),
            Some(true)
        );
    }

    #[test]
    fn what_was_not_quantified_decides_only_where_it_can() {
        let limit = decimal("0.05");
        for (found, most, least, absent) in [
            (
                Found::Below(decimal("0.05")),
                Some(true),
                Some(false),
                Some(true),
            ),
            (Found::Below(decimal("0.1")), None, None, Some(true)),
            (Found::NotDetected, Some(true), None, Some(true)),
        ] {
            assert_eq!(Limit::AtMost(limit).kept_by(found), most, "{found:?}");
            assert_eq!(Limit::AtLeast(limit).kept_by(found), least, "{found:?}");
            assert_eq!(Limit::Absent.kept_by(found), absent, "{found:?}");
        }
    }
}
