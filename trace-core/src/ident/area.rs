//! Administrative areas 行政区划 by the six digits of GB/T 2260: province (2),
//! city (2), county (2).
//!
//! It is not a register of areas: any code of the right form is an area, since
//! areas are made and merged every year. Names are known for Hebei, its cities
//! and Langfang's counties alone. The economic zone 131071 is a statistical
//! division and not one of GB/T 2260 (unconfirmed).

use super::reading::Cursor;
use crate::error::{Invalid, Rule};
use std::fmt;

/// An administrative area.
///
/// ```
/// use trace_core::ident::Area;
///
/// let sanhe: Area = "131082".parse()?;
/// assert_eq!(sanhe.name_zh(), Some("三河市"));
/// assert_eq!(sanhe.parent(), Some(Area::LANGFANG));
/// assert!(Area::HEBEI.covers(sanhe));
/// assert!("931082".parse::<Area>().is_err());
/// # Ok::<(), trace_core::error::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area(u32);

/// Names by code: the province, its cities, Langfang's counties and its zone.
const NAMES: [(u32, &str, &str); 23] = [
    (130_000, "河北省", "Hebei Province"),
    (130_100, "石家庄市", "Shijiazhuang City"),
    (130_200, "唐山市", "Tangshan City"),
    (130_300, "秦皇岛市", "Qinhuangdao City"),
    (130_400, "邯郸市", "Handan City"),
    (130_500, "邢台市", "Xingtai City"),
    (130_600, "保定市", "Baoding City"),
    (130_700, "张家口市", "Zhangjiakou City"),
    (130_800, "承德市", "Chengde City"),
    (130_900, "沧州市", "Cangzhou City"),
    (131_000, "廊坊市", "Langfang City"),
    (131_002, "安次区", "Anci District"),
    (131_003, "广阳区", "Guangyang District"),
    (131_022, "固安县", "Gu'an County"),
    (131_023, "永清县", "Yongqing County"),
    (131_024, "香河县", "Xianghe County"),
    (131_025, "大城县", "Dacheng County"),
    (131_026, "文安县", "Wen'an County"),
    (131_028, "大厂回族自治县", "Dachang Hui Autonomous County"),
    (
        131_071,
        "廊坊经济技术开发区",
        "Langfang Economic and Technological Development Zone",
    ),
    (131_081, "霸州市", "Bazhou City"),
    (131_082, "三河市", "Sanhe City"),
    (131_100, "衡水市", "Hengshui City"),
];

impl Area {
    /// Hebei province 河北省.
    pub const HEBEI: Area = Area(130_000);
    /// The city of Langfang 廊坊市.
    pub const LANGFANG: Area = Area(131_000);
    /// Langfang's economic zone: statistical, not of GB/T 2260.
    pub const LANGFANG_ECONOMIC_ZONE: Area = Area(131_071);
    /// Langfang's ten districts, counties and county-level cities, in order of
    /// code; the economic zone, which is none of them, is left out.
    pub const LANGFANG_COUNTIES: [Area; 10] = [
        Area(131_002),
        Area(131_003),
        Area(131_022),
        Area(131_023),
        Area(131_024),
        Area(131_025),
        Area(131_026),
        Area(131_028),
        Area(131_081),
        Area(131_082),
    ];

    /// The six digits as a number.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The Chinese name, where it is known here.
    #[must_use]
    pub fn name_zh(self) -> Option<&'static str> {
        self.names().map(|(zh, _)| zh)
    }

    /// The English name, where it is known here.
    #[must_use]
    pub fn name_en(self) -> Option<&'static str> {
        self.names().map(|(_, en)| en)
    }

    fn names(self) -> Option<(&'static str, &'static str)> {
        let at = NAMES.binary_search_by_key(&self.0, |(code, ..)| *code);
        let (_, zh, en) = NAMES.get(at.ok()?)?;
        Some((*zh, *en))
    }

    /// Whether it is known to be a statistical division and not one of
    /// GB/T 2260.
    #[must_use]
    pub fn is_statistical(self) -> bool {
        self == Self::LANGFANG_ECONOMIC_ZONE
    }

    /// Whether `other` is this area or lies in it, by code: a province covers
    /// all that share its first two digits, a city its first four, a county
    /// itself.
    #[must_use]
    pub fn covers(self, other: Area) -> bool {
        let step = self.step();
        self.0 / step == other.0 / step
    }

    /// The area above, by code: a county's city, a city's province. A province
    /// has none here.
    #[must_use]
    pub fn parent(self) -> Option<Area> {
        // Zeros may stand at two levels at once (a county directly under its
        // province), so go up until the code changes.
        [100, 10_000]
            .into_iter()
            .map(|step| Area(self.0 / step * step))
            .find(|above| *above != self)
    }

    /// How many codes share the digits that this area fixes.
    fn step(self) -> u32 {
        if self.0.is_multiple_of(10_000) {
            10_000
        } else if self.0.is_multiple_of(100) {
            100
        } else {
            1
        }
    }
}

impl TryFrom<u32> for Area {
    type Error = Invalid;

    /// Six digits, the first of them 1 to 8.
    fn try_from(code: u32) -> Result<Self, Invalid> {
        if (100_000..900_000).contains(&code) {
            return Ok(Self(code));
        }
        Err(Invalid::new(
            Rule::Area,
            format!("found {code:06}, wanted six digits, at position 1 a digit 1 to 8"),
        ))
    }
}

impl std::str::FromStr for Area {
    type Err = Invalid;

    /// Exactly six ASCII digits.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut cursor = Cursor::new(Rule::Area, text)?;
        let first = cursor.take("a digit 1 to 8", |found| {
            found.to_digit(10).filter(|digit| (1..=8).contains(digit))
        })?;
        let rest = cursor.digits(5)?;
        cursor.end()?;
        Ok(Self(first * 100_000 + rest))
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Area({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_of_code_and_every_code_is_an_area() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        for (code, zh, en) in NAMES {
            let area = Area::try_from(code).unwrap();
            assert_eq!((area.name_zh(), area.name_en()), (Some(zh), Some(en)));
            assert!(Area::HEBEI.covers(area), "{zh}");
        }
        assert_eq!(Area::try_from(110_000).unwrap().name_zh(), None);
    }

    #[test]
    fn langfang_has_ten_named_counties_and_one_statistical_zone() {
        assert!(Area::LANGFANG_COUNTIES.is_sorted());
        for county in Area::LANGFANG_COUNTIES {
            assert!(county.name_zh().is_some(), "{county}");
            assert_eq!(county.parent(), Some(Area::LANGFANG));
            assert!(Area::LANGFANG.covers(county) && !county.covers(Area::LANGFANG));
            assert!(!county.is_statistical());
        }
        let zone = Area::LANGFANG_ECONOMIC_ZONE;
        assert!(zone.is_statistical() && Area::LANGFANG.covers(zone));
        assert_eq!(zone.name_zh(), Some("廊坊经济技术开发区"));
    }

    /// Every seventh number of six digits, so that all last digits occur.
    #[test]
    fn every_area_is_covered_by_itself_and_by_what_is_above_it() {
        for code in (0..1_000_000).step_by(7).chain([100_000, 899_999]) {
            let Ok(area) = Area::try_from(code) else {
                assert!(!(100_000..900_000).contains(&code), "{code}");
                continue;
            };
            assert!(area.covers(area), "{area}");
            if let Some(above) = area.parent() {
                assert!(above.covers(area) && !area.covers(above), "{area}");
                assert!(above < area);
            } else {
                assert_eq!(code % 10_000, 0);
            }
        }
    }

    #[test]
    fn neighbours_do_not_cover_each_other() {
        let area = |code| Area::try_from(code).unwrap();
        assert!(!area(130_900).covers(area(131_002)));
        assert!(!area(131_002).covers(area(131_003)));
        assert!(!area(120_000).covers(Area::HEBEI));
        assert_eq!(area(130_000).parent(), None);
        assert_eq!(area(131_000).parent(), Some(Area::HEBEI));
        // A county directly under its province.
        assert_eq!(area(130_012).parent(), Some(Area::HEBEI));
    }

    #[test]
    fn what_is_no_area_by_form_is_refused() {
        for (typed, wanted) in [
            ("000000", "position 1 is '0', wanted a digit 1 to 8"),
            ("931000", "position 1 is '9', wanted a digit 1 to 8"),
            ("13100", "the text ends after position 5, wanted a digit"),
            ("1310000", "position 7 is '0', wanted nothing more"),
            ("13100O", "position 6 is 'O', wanted a digit 0 to 9"),
            ("１31000", "position 1 is '１', wanted a digit 1 to 8"),
            ("", "the text ends after position 0"),
        ] {
            let refused = typed.parse::<Area>().unwrap_err();
            assert!(refused.what.starts_with(wanted), "{typed}: {refused}");
        }
        for code in [0, 99_999, 900_000, u32::MAX] {
            assert_eq!(Area::try_from(code).unwrap_err().rule, Rule::Area);
        }
    }
}
