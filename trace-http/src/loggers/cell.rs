//! What stands in a cell of temperatures: a number of degrees, or a word that
//! means no reading. It is never rounded to zero and never made up.

use super::{
    Said,
    mapping::{Decimal, Degrees},
};

/// Words by which loggers say that there is no reading, in lower case.
const NO_READING: [&str; 25] = [
    "", "-", "--", "---", "----", "n/a", "na", "nan", "#n/a", "null", "none", "err", "error",
    "fault", "fail", "open", "short", "ol", "lo", "hi", "断线", "故障", "离线", "无", "异常",
];

/// Most digits before and after the point: no thermometer has more.
const DIGITS_MAX: usize = 9;

/// How cells are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'m> {
    pub(super) decimal: Decimal,
    pub(super) unit: Degrees,
    pub(super) no_reading: &'m [String],
}

impl Cells<'_> {
    /// Thousandths of a degree Celsius, or nothing where there is no reading.
    ///
    /// # Errors
    /// When it is neither.
    pub(super) fn read(self, text: &str) -> Result<Option<i32>, Said> {
        let text = text.trim();
        let lower = text.to_lowercase();
        if NO_READING.contains(&lower.as_str())
            || self.no_reading.iter().any(|word| word.trim() == text)
        {
            return Ok(None);
        }
        let wrong = |english: &str, chinese: &str| {
            let found: String = text.chars().take(40).collect();
            Said::new(
                format!("{found:?} {english}"),
                format!("{found:?} {chinese}"),
            )
        };
        let number = self.without_unit(text).ok_or_else(|| {
            wrong(
                "is in another unit than the mapping says",
                "的单位与映射不符",
            )
        })?;
        let micro = micro(number, self.decimal).ok_or_else(|| {
            wrong(
                "is no temperature, nor a word known to mean no reading (list it in `no_reading` if it does)",
                "不是温度,也不是已知的无读数标记(若是,请列入 no_reading)",
            )
        })?;
        let micro_c = match self.unit {
            Degrees::Celsius => micro,
            // At most 10^9 degrees: far within range.
            Degrees::Fahrenheit => nearest((micro - 32_000_000) * 5, 9),
        };
        i32::try_from(nearest(micro_c, 1_000))
            .map(Some)
            .map_err(|_| wrong("is no temperature", "不是温度"))
    }

    /// The number of a cell that may carry its unit; none when that is the other.
    fn without_unit(self, text: &str) -> Option<&str> {
        let units: [(Degrees, [&str; 3]); 2] = [
            (Degrees::Celsius, ["°C", "℃", "C"]),
            (Degrees::Fahrenheit, ["°F", "℉", "F"]),
        ];
        for (unit, written) in units {
            for ending in written {
                if let Some(number) = text.strip_suffix(ending) {
                    return (unit == self.unit).then(|| number.trim_end());
                }
            }
        }
        Some(text)
    }
}

/// Millionths, exactly; further digits are cut off.
fn micro(text: &str, decimal: Decimal) -> Option<i64> {
    let point = match decimal {
        Decimal::Point => '.',
        Decimal::Comma => ',',
    };
    let (is_below, digits) = match text.strip_prefix(['-', '−']) {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once(point).unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
    let is_number = !(whole.is_empty() && fraction.is_empty())
        && are_digits(whole)
        && are_digits(fraction)
        && whole.len() <= DIGITS_MAX;
    if !is_number {
        return None;
    }
    let fraction = fraction.get(..6.min(fraction.len()))?;
    let micro: i64 = format!("{whole}{fraction:0<6}").parse().ok()?;
    Some(if is_below { -micro } else { micro })
}

/// A quotient, to the nearest whole number, half away from zero.
fn nearest(number: i64, by: i64) -> i64 {
    (number + number.signum() * (by / 2)) / by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, decimal: Decimal, unit: Degrees) -> Result<Option<i32>, String> {
        let no_reading = &["-999.9".to_owned()];
        let cells = Cells {
            decimal,
            unit,
            no_reading,
        };
        cells.read(text).map_err(|it| it.english)
    }

    #[test]
    fn numbers_are_read_exactly_in_either_unit() {
        for (text, milli) in [
            ("-18.5", -18_500),
            ("2", 2_000),
            ("+2.50", 2_500),
            (".5", 500),
            ("-0.001", -1),
            ("2.3399999", 2_340),
            ("2.5 ℃", 2_500),
            ("2.5°C", 2_500),
            ("−18.0", -18_000),
        ] {
            assert_eq!(
                read(text, Decimal::Point, Degrees::Celsius),
                Ok(Some(milli)),
                "{text}"
            );
        }
        assert_eq!(
            read("-18,5", Decimal::Comma, Degrees::Celsius),
            Ok(Some(-18_500))
        );
        for (text, milli) in [
            ("32", 0),
            ("-0.4", -18_000),
            ("40 °F", 4_444),
            ("35.6F", 2_000),
        ] {
            assert_eq!(
                read(text, Decimal::Point, Degrees::Fahrenheit),
                Ok(Some(milli)),
                "{text}"
            );
        }
    }

    #[test]
    fn no_reading_is_none_and_never_zero_and_anything_else_is_refused() {
        for text in ["", " ", "-", "---", "ERR", "NaN", "断线", "Open", "-999.9"] {
            assert_eq!(
                read(text, Decimal::Point, Degrees::Celsius),
                Ok(None),
                "{text}"
            );
        }
        for text in [
            "2,5",
            "1e3",
            "two",
            "2.5.1",
            "--5",
            "1234567890",
            "2.5 °F",
            "0x10",
            ".",
        ] {
            let found = read(text, Decimal::Point, Degrees::Celsius);
            assert!(found.is_err(), "{text}: {found:?}");
        }
    }
}
