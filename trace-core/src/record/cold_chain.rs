//! The cold chain on the ledger: equipment, temperature policies, sealed
//! segments of readings, and where a unit was kept under which policy.
//!
//! A pure fold. The readings themselves lie beside the log, bound by a
//! segment's root; whether goods were kept cold is judged from them by
//! [`keeping`](super::keeping), not here.

use super::alert::AlertSort;
use super::hash::Hash;
use super::keeping::Run;
use super::kinds::unit_created::ProductClass;
use super::status::{Judgement, Reason};
use super::text;
use super::wire::Day;
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, EquipmentId, TraceCode};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most stays of one unit: thirty changes of place, and its state stays within
/// a database page.
pub const STAYS_MAX: usize = 32;

/// Most readings of one segment: a probe's forty-five days at a minute; sorted
/// and hashed in memory they are a megabyte.
pub const SEGMENT_READINGS_MAX: u32 = 65_536;

/// Longest code of a policy.
const POLICY_CODE_MAX: usize = 32;

/// Longest time that a policy can speak of: a year.
const POLICY_SECONDS_MAX: u32 = 366 * 86_400;

/// What a piece of equipment is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum EquipmentKind {
    /// 冷库.
    ColdStore,
    /// 温区: a room or a compartment.
    Zone,
    /// 冷藏车.
    Vehicle,
    /// 冷藏集装箱或保温箱.
    Container,
    /// 测温探头.
    Probe,
}

impl EquipmentKind {
    /// Its name in Chinese.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::ColdStore => "冷库",
            Self::Zone => "温区",
            Self::Vehicle => "冷藏车",
            Self::Container => "冷藏集装箱",
            Self::Probe => "测温探头",
        }
    }

    /// Whether a thing of this kind can be part of one of that kind.
    #[must_use]
    pub fn fits_into(self, whole: Self) -> bool {
        match self {
            Self::Zone => matches!(whole, Self::ColdStore | Self::Vehicle | Self::Container),
            Self::Probe => whole != Self::Probe,
            Self::ColdStore | Self::Vehicle | Self::Container => false,
        }
    }
}

/// When a probe was compared with a standard, and until when that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// 校准日期.
    pub on: Day,
    /// The last day on which it holds.
    pub due: Day,
}

impl Calibration {
    /// Checks both days and their order.
    ///
    /// # Errors
    /// [`Rule::Date`] or [`Rule::DatesDisagree`].
    pub fn check(&self) -> Result<(), Invalid> {
        let (on, due) = (self.on.date()?, self.due.date()?);
        match on <= due {
            true => Ok(()),
            false => Err(Invalid::new(
                Rule::DatesDisagree,
                format!("calibrated on {on}, due on {due}"),
            )),
        }
    }
}

/// Where the temperature of goods is measured when they change hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum MeasuringPoint {
    /// 表面: of the package.
    Surface,
    /// 中心: of the goods.
    Core,
    /// The surface, and the core where that is out of range.
    SurfaceThenCore,
}

/// How goods are to be kept, and what is still tolerated. Numbers that nobody
/// confirmed are marked, and stay data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct TemperaturePolicy {
    /// The coldest that is in the band; none is without limit.
    pub low_milli_c: Option<i32>,
    /// The warmest that is in the band; none is without limit.
    pub high_milli_c: Option<i32>,
    /// The longest single run outside the band that is tolerated.
    pub run_s_max: u32,
    /// The longest time outside in all that is tolerated.
    pub total_s_max: u32,
    /// Within any so many seconds; none is the whole stay.
    pub total_within_s: Option<u32>,
    /// How far outside the band is never tolerated, not for a moment; none has
    /// no such limit.
    pub beyond_milli_c_max: Option<u32>,
    /// How often a store records at least.
    pub store_interval_s: u32,
    /// How often a vehicle or container records at least.
    pub transport_interval_s: u32,
    /// Readings further apart than this leave a gap between them.
    pub gap_s_max: u32,
    /// Where goods are measured when they change hands.
    pub measured_at: MeasuringPoint,
    /// Whose rule it is, 1 to 80 characters: a standard with its number, or a
    /// contract.
    pub source: String,
    /// Whether these numbers were read in that source.
    pub is_confirmed: bool,
    /// For which classes of product, in the order of their table, each once.
    pub product_classes: Vec<ProductClass>,
}

impl TemperaturePolicy {
    /// Checks that it can be kept.
    ///
    /// # Errors
    /// [`Rule::Policy`] naming the numbers, [`Rule::Temperature`], [`Rule::Text`].
    pub fn check(&self) -> Result<(), Invalid> {
        let wrong = |what: String| Err(Invalid::new(Rule::Policy, what));
        let limits = [self.low_milli_c, self.high_milli_c];
        limits
            .into_iter()
            .flatten()
            .try_for_each(super::temperature::check)?;
        match (self.low_milli_c, self.high_milli_c) {
            (None, None) => return wrong("a band without either limit".into()),
            (Some(low), Some(high)) if low > high => {
                return wrong(format!("a band from {low} to {high} milli-degrees C"));
            }
            _ => {}
        }
        let within = self.total_within_s.unwrap_or(POLICY_SECONDS_MAX);
        for (name, found, least) in [
            ("run_s_max", self.run_s_max, 0),
            ("total_s_max", self.total_s_max, 0),
            ("total_within_s", within, 1),
            ("store_interval_s", self.store_interval_s, 1),
            ("transport_interval_s", self.transport_interval_s, 1),
            ("gap_s_max", self.gap_s_max, 1),
        ] {
            if !(least..=POLICY_SECONDS_MAX).contains(&found) {
                return wrong(format!("{name} {found}, {least} to {POLICY_SECONDS_MAX}"));
            }
        }
        if self.run_s_max > self.total_s_max || self.total_s_max > within {
            return wrong(format!(
                "a run of {} s, {} s in all within {within} s: each at most the next",
                self.run_s_max, self.total_s_max
            ));
        }
        let interval = self.store_interval_s.max(self.transport_interval_s);
        if self.gap_s_max < interval {
            return wrong(format!(
                "a gap begins after {} s, but {interval} s may lie between readings",
                self.gap_s_max
            ));
        }
        text::check("source", &self.source, 1, 80)?;
        let classes: Vec<u8> = self
            .product_classes
            .iter()
            .map(|class| *class as u8)
            .collect();
        match !classes.is_empty() && classes.is_sorted_by(|a, b| a < b) {
            true => Ok(()),
            false => {
                wrong("product_classes: not in the order of the table and distinct, or none".into())
            }
        }
    }

    /// How far a temperature lies outside the band; 0 within it, exactly at a
    /// limit too.
    #[must_use]
    pub fn beyond(&self, temperature_milli_c: i32) -> u32 {
        let above = self
            .high_milli_c
            .map_or(0, |high| temperature_milli_c.saturating_sub(high));
        let below = self
            .low_milli_c
            .map_or(0, |low| low.saturating_sub(temperature_milli_c));
        above.max(below).max(0).unsigned_abs()
    }
}

/// Checks the code of a policy: 1 to 32 of `a-z 0-9 -`.
///
/// # Errors
/// [`Rule::TemperaturePolicy`] naming the character or the length.
pub fn check_policy_code(code: &str) -> Result<(), Invalid> {
    let wrong = |what: String| Err(Invalid::new(Rule::TemperaturePolicy, what));
    let length = code.chars().count();
    if !(1..=POLICY_CODE_MAX).contains(&length) {
        return wrong(format!(
            "{length} characters where 1 to {POLICY_CODE_MAX} are allowed"
        ));
    }
    let is_foreign = |c: char| !matches!(c, 'a'..='z' | '0'..='9' | '-');
    match code.chars().zip(1..).find(|(found, _)| is_foreign(*found)) {
        Some((found, place)) => wrong(format!("character {place} is {found:?}, not a-z, 0-9 or -")),
        None => Ok(()),
    }
}

/// What a record of the cold chain asks the ledger to hold true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColdClaim {
    /// A policy has this text from now on.
    Adopts {
        /// Which policy.
        policy: String,
        /// Its version: one more than the last, from 1.
        version: u32,
        /// What it says.
        text: TemperaturePolicy,
    },
    /// A piece of equipment exists and is the signer's.
    Registers {
        /// Its id.
        equipment: EquipmentId,
        /// What it is.
        kind: EquipmentKind,
        /// What it is part of.
        part_of: Option<EquipmentId>,
        /// Where it is, or where it is kept.
        area: Area,
        /// A probe's calibration.
        calibration: Option<Calibration>,
    },
    /// A probe was calibrated.
    Calibrates {
        /// Which.
        equipment: EquipmentId,
        /// When and until when.
        calibration: Calibration,
    },
    /// A piece of equipment is used no more.
    Retires {
        /// Which.
        equipment: EquipmentId,
        /// From when on.
        at_ms: u64,
    },
    /// An alert about a probe was seen.
    Acknowledges {
        /// Which probe.
        equipment: EquipmentId,
        /// Which alert.
        sort: AlertSort,
        /// When.
        at_ms: u64,
    },
    /// A run of readings of a probe is sealed.
    Seals(Segment),
    /// A unit is placed in a piece of equipment.
    Places {
        /// Which unit.
        unit: TraceCode,
        /// Where.
        equipment: EquipmentId,
        /// From when on.
        at_ms: u64,
        /// The policy that it is to be kept under.
        policy: String,
    },
    /// A unit is taken out of a piece of equipment.
    TakesOut {
        /// Which unit.
        unit: TraceCode,
        /// Out of what.
        equipment: EquipmentId,
        /// When.
        at_ms: u64,
    },
}

/// A sealed run of readings of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Whose readings.
    pub probe: EquipmentId,
    /// The probe's segments are numbered from 0, without gaps.
    pub number: u64,
    /// How many distinct readings.
    pub count: u32,
    /// The time of the first.
    pub first_ms: u64,
    /// The time of the last.
    pub last_ms: u64,
    /// The coldest.
    pub lowest_milli_c: i32,
    /// The warmest.
    pub highest_milli_c: i32,
    /// The Merkle root over the readings, sorted by time, then temperature.
    pub root: Hash,
}

impl Segment {
    /// Checks what can be told without the readings.
    ///
    /// # Errors
    /// [`Rule::Segment`] naming the numbers, [`Rule::Temperature`].
    pub fn check(&self) -> Result<(), Invalid> {
        let wrong = |what: String| Err(Invalid::new(Rule::Segment, what));
        let Self {
            count,
            first_ms,
            last_ms,
            lowest_milli_c,
            highest_milli_c,
            ..
        } = *self;
        [lowest_milli_c, highest_milli_c]
            .into_iter()
            .try_for_each(super::temperature::check)?;
        if !(1..=SEGMENT_READINGS_MAX).contains(&count) {
            return wrong(format!("{count} readings, 1 to {SEGMENT_READINGS_MAX}"));
        }
        if first_ms > last_ms || lowest_milli_c > highest_milli_c {
            return wrong(format!(
                "from {first_ms} to {last_ms} ms, from {lowest_milli_c} to {highest_milli_c} milli-degrees C"
            ));
        }
        match count == 1 && (first_ms != last_ms || lowest_milli_c != highest_milli_c) {
            true => wrong("one reading, but two times or two temperatures".into()),
            false => Ok(()),
        }
    }

    /// Whether any of its readings can be of this time, both ends in it.
    #[must_use]
    pub fn is_within(&self, time: Run) -> bool {
        self.first_ms <= time.until_ms && self.last_ms >= time.from_ms
    }
}

/// A piece of equipment, as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EquipmentState {
    /// Whose it is.
    pub entity: EntityId,
    /// What it is.
    pub kind: EquipmentKind,
    /// What it is part of.
    pub part_of: Option<EquipmentId>,
    /// Where it is.
    pub area: u32,
    /// Index of its registration.
    pub registered_index: u64,
    /// A probe's last calibration.
    pub calibration: Option<Calibration>,
    /// When it was retired, and the index of the record.
    pub retired: Option<(u64, u64)>,
    /// The number of its next segment.
    pub next_segment: u64,
    /// The time of the last reading that is sealed.
    pub sealed_until_ms: Option<u64>,
}

/// A sealed segment, as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentState {
    /// What was sealed.
    pub segment: Segment,
    /// Index of its record.
    pub index: u64,
}

/// Where a unit was kept cold, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitStays {
    /// Each placing.
    pub stays: Vec<Stay>,
}

/// A unit in a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// Where.
    pub equipment: EquipmentId,
    /// Whose that is.
    pub entity: EntityId,
    /// From when on.
    pub from_ms: u64,
    /// Index of the record that placed it.
    pub placed_index: u64,
    /// Until when, and the index of the record that took it out.
    pub taken_out: Option<(u64, u64)>,
    /// The policy.
    pub policy: String,
    /// Its version then.
    pub version: u32,
}

impl UnitStays {
    /// The stay in a piece of equipment that has not ended.
    #[must_use]
    pub fn open(&self, equipment: &EquipmentId) -> Option<&Stay> {
        let mut stays = self.stays.iter().rev();
        stays.find(|stay| stay.equipment == *equipment && stay.taken_out.is_none())
    }

    /// Ends the stay in a piece of equipment that has not ended.
    pub fn take_out(&mut self, equipment: &EquipmentId, at_ms: u64, index: u64) {
        let mut stays = self.stays.iter_mut().rev();
        let open = stays.find(|stay| stay.equipment == *equipment && stay.taken_out.is_none());
        if let Some(stay) = open {
            stay.taken_out = Some((at_ms, index));
        }
    }
}

/// The line of a unit's checklist where it was placed under a policy and the
/// readings are not at hand: nothing is said of whether it was kept.
pub fn weigh_unread(judgement: &mut Judgement, placed_index: u64) {
    judgement.reasons.push(Reason {
        check: "temperature",
        holds: None,
        words: "Placed under a temperature policy; no readings are at hand here to judge it by"
            .into(),
        words_zh: "已按温度规则存放;此处没有温度读数,无法判定".into(),
        index: Some(placed_index),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chilled() -> TemperaturePolicy {
        TemperaturePolicy {
            low_milli_c: Some(0),
            high_milli_c: Some(4_000),
            run_s_max: 1_800,
            total_s_max: 3_600,
            total_within_s: Some(86_400),
            beyond_milli_c_max: Some(3_000),
            store_interval_s: 1_800,
            transport_interval_s: 600,
            gap_s_max: 3_600,
            measured_at: MeasuringPoint::SurfaceThenCore,
            source: "GB/T 24616-2019".into(),
            is_confirmed: false,
            product_classes: vec![ProductClass::LivestockAndPoultry],
        }
    }

    #[test]
    fn a_policy_that_cannot_be_kept_is_refused() {
        assert_eq!(chilled().check(), Ok(()));
        let changes: [fn(&mut TemperaturePolicy); 9] = [
            |it| (it.low_milli_c, it.high_milli_c) = (None, None),
            |it| it.low_milli_c = Some(4_001),
            |it| it.high_milli_c = Some(100_001),
            |it| it.run_s_max = 3_601,
            |it| it.total_s_max = 86_401,
            |it| it.total_within_s = Some(0),
            |it| it.gap_s_max = 1_799,
            |it| it.source = String::new(),
            |it| it.product_classes.clear(),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut policy = chilled();
            change(&mut policy);
            assert!(policy.check().is_err(), "change {place}");
        }
    }

    #[test]
    fn a_temperature_exactly_at_a_limit_is_within_the_band() {
        let policy = chilled();
        for (found, beyond) in [
            (0, 0),
            (4_000, 0),
            (-1, 1),
            (4_001, 1),
            (i32::MIN, i32::MAX.unsigned_abs()),
        ] {
            assert_eq!(policy.beyond(found), beyond, "{found}");
        }
        let frozen = TemperaturePolicy {
            low_milli_c: None,
            high_milli_c: Some(-18_000),
            ..policy
        };
        assert_eq!(frozen.beyond(-200_000), 0);
        assert_eq!(frozen.beyond(-17_999), 1);
    }

    #[test]
    fn the_code_of_a_policy_is_short_and_plain() {
        for code in ["a", "frozen-2", &"x".repeat(32)] {
            assert_eq!(check_policy_code(code), Ok(()), "{code}");
        }
        for code in ["", "Frozen", "a b", "冷", &"x".repeat(33)] {
            assert!(check_policy_code(code).is_err(), "{code}");
        }
    }

    #[test]
    fn what_a_segment_says_of_itself_agrees() {
        let segment = Segment {
            probe: EquipmentId::from_bytes([1; 10]),
            number: 0,
            count: 2,
            first_ms: 5,
            last_ms: 6,
            lowest_milli_c: -18_000,
            highest_milli_c: -17_900,
            root: Hash::default(),
        };
        assert_eq!(segment.check(), Ok(()));
        let wrong = [
            Segment {
                count: 0,
                ..segment
            },
            Segment {
                count: SEGMENT_READINGS_MAX + 1,
                ..segment
            },
            Segment {
                count: 1,
                ..segment
            },
            Segment {
                first_ms: 7,
                ..segment
            },
            Segment {
                lowest_milli_c: -17_899,
                ..segment
            },
            Segment {
                highest_milli_c: 100_001,
                ..segment
            },
        ];
        for segment in wrong {
            assert!(segment.check().is_err(), "{segment:?}");
        }
    }

    #[test]
    fn parts_fit_only_where_they_can_be() {
        use EquipmentKind::{ColdStore, Container, Probe, Vehicle, Zone};
        let all = [ColdStore, Zone, Vehicle, Container, Probe];
        for part in all {
            for whole in all {
                let fits = match part {
                    Probe => whole != Probe,
                    Zone => [ColdStore, Vehicle, Container].contains(&whole),
                    _ => false,
                };
                assert_eq!(part.fits_into(whole), fits, "{part:?} in {whole:?}");
            }
        }
    }
}
