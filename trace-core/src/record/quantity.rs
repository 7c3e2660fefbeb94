//! Quantities: an integer in a base unit, and the amount and unit as stated.
//!
//! Arithmetic and rules use the base amount; people are shown what they typed.
//! The factors are exact (GB 3100-1993; 市制: 1 斤 = 500 g, 1 两 = 50 g). What
//! is not exact in the base unit is refused, never rounded.

use crate::error::{Invalid, Rule};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest base amount: 10^15 g is a thousand million tonnes, more than the
/// nation's yearly harvest; sums of 10^4 of them still fit 64 bits.
pub const BASE_AMOUNT_MAX: u64 = 1_000_000_000_000_000;

/// Most digits behind the decimal point: 0.000001 t is one gram.
const DECIMALS_MAX: u8 = 6;

/// What base amounts count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum BaseUnit {
    /// Mass in grams.
    Gram,
    /// Volume in millilitres.
    Millilitre,
    /// Things counted: pieces, boxes without declared content, animals.
    Piece,
}

macro_rules! units {
    ($($variant:ident $zh:literal $base:ident $factor:literal [$($alias:literal),*] $doc:literal;)*) => {
        /// A unit as people state it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema)]
        #[serde(rename_all = "snake_case")]
        pub enum Unit { $(#[doc = $doc] $variant,)* }

        impl Unit {
            /// Every unit there is.
            pub const ALL: &'static [Unit] = &[$(Unit::$variant,)*];

            /// The unit's Chinese sign, as shown.
            #[must_use]
            pub fn sign(self) -> &'static str {
                match self { $(Unit::$variant => $zh,)* }
            }

            /// Base unit and how many of it make one; a box has no fixed factor.
            fn base(self) -> (BaseUnit, u64) {
                match self { $(Unit::$variant => (BaseUnit::$base, $factor),)* }
            }

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($zh $(| $alias)* => Some(Unit::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

units! {
    Gram "克" Gram 1 ["g"] "克, g";
    Liang "两" Gram 50 ["liang"] "两, 50 g";
    Jin "斤" Gram 500 ["jin", "市斤"] "斤, 500 g exactly";
    Kilogram "公斤" Gram 1_000 ["kg", "千克"] "公斤, 1,000 g";
    Tonne "吨" Gram 1_000_000 ["t"] "吨, 1,000,000 g";
    Millilitre "毫升" Millilitre 1 ["mL", "ml"] "毫升";
    Litre "升" Millilitre 1_000 ["L", "l"] "升, 1,000 mL";
    Piece "件" Piece 1 ["piece", "pieces", "个", "枚"] "件, one piece";
    Crate "箱" Piece 0 ["box", "boxes"] "箱: needs its declared content";
    Head "头" Piece 1 ["head"] "头, one large animal";
    Bird "羽" Piece 1 ["bird", "birds", "只"] "羽, one bird";
}

/// A quantity: base amount, and amount and unit as stated.
///
/// In JSON, CSV and on pages it is text, `12.5 斤`, or for a box with its
/// content `20 箱×5 公斤`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quantity {
    base_amount: u64,
    base: BaseUnit,
    stated: Stated,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Schema)]
struct Stated {
    digits: u64,
    decimals: u8,
    unit: Unit,
    content: Option<Content>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Schema)]
struct Content {
    digits: u64,
    decimals: u8,
    unit: Unit,
}

/// The plain fields of a quantity as they stand in a body.
#[derive(Serialize, Deserialize, Schema)]
#[serde(rename = "Quantity")]
struct Plain {
    base_amount: u64,
    base: BaseUnit,
    stated: Stated,
}

impl Quantity {
    /// Reads `12.5 斤`, `3 t`, or `20 箱×5 公斤` (also `20 box x 5 kg`).
    ///
    /// # Errors
    /// [`Rule::Quantity`]: no number, an unknown unit, a box without content,
    /// more than 6 decimals, zero, more than [`BASE_AMOUNT_MAX`], or an amount
    /// that is not a whole number of base units.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        // Two numbers of 16 digits with their units, generously.
        if text.len() > 80 {
            return refuse(format!(
                "{} bytes where a quantity has at most 80",
                text.len()
            ));
        }
        let halves = ["×", "*", " x "]
            .iter()
            .find_map(|sign| text.split_once(sign));
        let (outer, inner) = match halves {
            Some((outer, inner)) => (outer, Some(inner)),
            None => (text, None),
        };
        let (digits, decimals, unit) = amount(outer)?;
        let content = match inner {
            None => None,
            Some(inner) => {
                let (digits, decimals, unit) = amount(inner)?;
                Some(Content {
                    digits,
                    decimals,
                    unit,
                })
            }
        };
        Self::from_stated(Stated {
            digits,
            decimals,
            unit,
            content,
        })
    }

    /// `base_amount` of a base unit, stated in that unit.
    ///
    /// # Errors
    /// [`Rule::Quantity`] for zero or more than [`BASE_AMOUNT_MAX`].
    pub fn of_base(base_amount: u64, base: BaseUnit) -> Result<Self, Invalid> {
        let unit = match base {
            BaseUnit::Gram => Unit::Gram,
            BaseUnit::Millilitre => Unit::Millilitre,
            BaseUnit::Piece => Unit::Piece,
        };
        Self::from_stated(Stated {
            digits: base_amount,
            decimals: 0,
            unit,
            content: None,
        })
    }

    fn from_stated(stated: Stated) -> Result<Self, Invalid> {
        let (base, factor) = match (stated.unit, stated.content) {
            (Unit::Crate, None) => {
                return refuse("箱 needs its declared content, e.g. 20 箱×5 公斤".into());
            }
            (Unit::Crate, Some(content)) if content.unit != Unit::Crate => {
                let (base, factor) = content.unit.base();
                (base, whole(content.digits, content.decimals, factor)?)
            }
            (_, Some(_)) => return refuse("only 箱 has a content, and it is not 箱 again".into()),
            (unit, None) => unit.base(),
        };
        let base_amount = whole(stated.digits, stated.decimals, factor)?;
        Ok(Self {
            base_amount,
            base,
            stated,
        })
    }

    /// The amount in base units, 1 to [`BASE_AMOUNT_MAX`].
    #[must_use]
    pub fn base_amount(&self) -> u64 {
        self.base_amount
    }

    /// The base unit.
    #[must_use]
    pub fn base(&self) -> BaseUnit {
        self.base
    }

    /// Checks what was decoded: the base amount is exactly what was stated.
    ///
    /// # Errors
    /// [`Rule::Quantity`] with both amounts.
    pub fn check(&self) -> Result<(), Invalid> {
        let wanted = Self::from_stated(self.stated)?;
        if wanted.base_amount != self.base_amount || wanted.base != self.base {
            return refuse(format!(
                "{wanted} is {} {:?}, not {} {:?}",
                wanted.base_amount, wanted.base, self.base_amount, self.base
            ));
        }
        Ok(())
    }
}

fn amount(text: &str) -> Result<(u64, u8, Unit), Invalid> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
        .unwrap_or(text.len());
    let Some((number, unit)) = text.split_at_checked(end) else {
        return refuse(format!("{text:?} is not a quantity"));
    };
    let unit = unit.trim();
    let Some(unit) = Unit::parse(unit) else {
        let known: Vec<_> = Unit::ALL.iter().map(|unit| unit.sign()).collect();
        return refuse(format!(
            "{unit:?} is not a unit; known: {}",
            known.join(" ")
        ));
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return refuse(format!("{number:?} ends in a point")),
        None => (number, ""),
    };
    let decimals = u8::try_from(fraction.len()).unwrap_or(u8::MAX);
    if decimals > DECIMALS_MAX {
        return refuse(format!(
            "{decimals} decimals where at most {DECIMALS_MAX} are exact"
        ));
    }
    let joined = format!("{whole}{fraction}");
    match joined.parse::<u64>() {
        Ok(digits) if !whole.is_empty() => Ok((digits, decimals, unit)),
        _ => refuse(format!("{number:?} is not a number such as 12.5")),
    }
}

fn whole(digits: u64, decimals: u8, factor: u64) -> Result<u64, Invalid> {
    if decimals > DECIMALS_MAX {
        return refuse(format!(
            "{decimals} decimals where at most {DECIMALS_MAX} are exact"
        ));
    }
    let scale = 10u128.pow(u32::from(decimals));
    let product = u128::from(digits) * u128::from(factor);
    if product % scale != 0 {
        return refuse(format!(
            "{digits}/{scale} × {factor} is not a whole number of base units"
        ));
    }
    match u64::try_from(product / scale) {
        Ok(0) => refuse("a quantity of zero".into()),
        Ok(amount) if amount <= BASE_AMOUNT_MAX => Ok(amount),
        _ => refuse(format!("more than {BASE_AMOUNT_MAX} base units")),
    }
}

fn refuse<T>(what: String) -> Result<T, Invalid> {
    Err(Invalid::new(Rule::Quantity, what))
}

fn show(f: &mut fmt::Formatter<'_>, digits: u64, decimals: u8, unit: Unit) -> fmt::Result {
    let scale = 10u64.checked_pow(u32::from(decimals)).unwrap_or(u64::MAX);
    match decimals {
        0 => write!(f, "{digits} {}", unit.sign()),
        _ => write!(
            f,
            "{}.{:0width$} {}",
            digits / scale,
            digits % scale,
            unit.sign(),
            width = usize::from(decimals)
        ),
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(
            f,
            self.stated.digits,
            self.stated.decimals,
            self.stated.unit,
        )?;
        match self.stated.content {
            None => Ok(()),
            Some(content) => {
                f.write_str("×")?;
                show(f, content.digits, content.decimals, content.unit)
            }
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let Self {
            base_amount,
            base,
            stated,
        } = *self;
        Plain {
            base_amount,
            base,
            stated,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return Self::parse(&text).map_err(serde::de::Error::custom);
        }
        let Plain {
            base_amount,
            base,
            stated,
        } = Plain::deserialize(deserializer)?;
        Ok(Self {
            base_amount,
            base,
            stated,
        })
    }
}

impl Schema for Quantity {
    const SCHEMA: &'static postcard_schema::schema::NamedType = Plain::SCHEMA;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::encode::{decode, encode};

    fn base(text: &str) -> Option<(u64, BaseUnit)> {
        Quantity::parse(text)
            .ok()
            .map(|quantity| (quantity.base_amount(), quantity.base()))
    }

    #[test]
    fn stated_amounts_are_exact_in_their_base_unit_and_shown_as_typed() {
        for (text, amount, unit) in [
            ("12.5 斤", 6_250, BaseUnit::Gram),
            ("3两", 150, BaseUnit::Gram),
            ("0.000001 吨", 1, BaseUnit::Gram),
            ("20 箱×5 公斤", 100_000, BaseUnit::Gram),
            ("20 box x 5 kg", 100_000, BaseUnit::Gram),
            ("2 boxes*12 件", 24, BaseUnit::Piece),
            ("1.5 升", 1_500, BaseUnit::Millilitre),
            ("120 头", 120, BaseUnit::Piece),
            ("900 羽", 900, BaseUnit::Piece),
        ] {
            assert_eq!(base(text), Some((amount, unit)), "{text}");
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
            assert_eq!(quantity.check(), Ok(()));
            assert_eq!(decode::<Quantity>("q", &encode(&quantity)), Ok(quantity));
        }
        assert_eq!(Quantity::parse("12.50 斤").unwrap().to_string(), "12.50 斤");
    }

    #[test]
    fn what_is_not_exact_or_not_declared_is_refused() {
        for text in [
            "",
            "斤",
            "12",
            "12 stone",
            "0 斤",
            "-1 斤",
            "1.0000001 吨",
            "0.1 克",
            "0.5 件",
            "5 箱",
            "5 箱×2 箱",
            "5 斤×2 件",
            "1. 斤",
            ".5 斤",
            "1,5 斤",
            "99999999999999999999 克",
            "1000000001 吨",
            "1 斤 2 两",
            "5 boxed",
            "1e3 斤",
            "１ 斤",
            "١ 斤",
        ] {
            assert!(base(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_base_amount_that_disagrees_with_what_was_stated_is_refused() {
        let honest = Quantity::parse("10 斤").unwrap();
        let lying = Quantity {
            base_amount: 50_000,
            ..honest
        };
        assert!(lying.check().unwrap_err().what.contains("5000"));
    }
}
