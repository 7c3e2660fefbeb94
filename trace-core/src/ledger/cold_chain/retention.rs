//! How long a probe's sealed readings are needed, and by which unit.
//!
//! 食品安全法 art. 50 and 51: records are kept six months past the end of the
//! product's durability, or two years where it has none; those two years count
//! from the day on which the unit left the equipment. While it lies there, or
//! nobody said that it left, its readings are needed without end. Readings that
//! cover no unit are kept for six months, in which a late record may still place
//! one there. Months differ in length: the longest that so many can be is taken.

use super::{probes_of, segments_of};
use crate::error::{Invalid, Rule, Store};
use crate::ident::{CivilDate, EquipmentId, TraceCode};
use crate::ledger::{Failed, View, rows};
use crate::record::cold_chain::{Segment, Stay, UnitStays};
use crate::record::rights::Registry;
use serde::Serialize;
use std::collections::{HashMap, hash_map::Entry};

/// Six months: July to December have 184 days.
const SIX_MONTHS_DAYS: i32 = 184;
/// Two years, one of them a leap year.
const TWO_YEARS_DAYS: i32 = 731;
/// Segments asked for at a time.
const SEGMENTS_PAGE: usize = 256;

/// Why readings are needed, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// The last day on which they are; none while that cannot be said.
    pub until: Option<CivilDate>,
    /// The unit that needs them longest.
    pub unit: Option<TraceCode>,
    /// By which rule.
    pub rule: NeededBy,
}

/// The rules of retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NeededBy {
    /// A unit lies in the equipment still.
    UnitStillThere,
    /// Six months past the durability of a unit.
    SixMonthsPastDurability,
    /// Two years after a unit without durability left.
    TwoYearsAfterLeaving,
    /// Six months after the last reading, where no unit is covered.
    NoUnitCovered,
}

/// A unit's stay as far as retention goes: when it was there, and its need.
#[derive(Debug, Clone, Copy)]
struct Need {
    from_ms: u64,
    until_ms: u64,
    needed: Needed,
}

/// The needs of all units, by probe; made once for a whole ledger.
#[derive(Debug)]
pub struct Retention {
    needs: HashMap<EquipmentId, Vec<Need>>,
    offset_minutes: i32,
}

impl Retention {
    /// Goes through every unit that was ever placed.
    ///
    /// # Errors
    /// From the store.
    pub fn of(view: &View, offset_minutes: i32) -> Result<Self, Failed> {
        let mut all: Vec<(TraceCode, UnitStays)> = Vec::new();
        let mut failed = None;
        let prefix = rows::all_stays();
        view.folded().visit(&prefix, &prefix, |key, value| {
            match (rows::code_at_end(key), rows::decode("stays", value)) {
                (Some(code), Ok(stays)) => all.push((code, stays)),
                (_, Err(error)) => failed = Some(error),
                (None, _) => {
                    let what = "index: a unit's stays under no code".to_owned();
                    failed = Some(Store::Damaged { what });
                }
            }
            failed.is_none()
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let mut probes = HashMap::new();
        let mut needs: HashMap<EquipmentId, Vec<Need>> = HashMap::new();
        for (code, stays) in all {
            let made = view.folded().unit(&code)?.and_then(|unit| unit.made);
            let durable = made
                .and_then(|made| made.durability)
                .map(|(_, on)| on.date());
            let durable = durable.transpose()?;
            for stay in stays.stays {
                let need = need(&stay, code, durable, offset_minutes)?;
                let within = match probes.entry(stay.equipment) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(probes_of(view, &stay.equipment)?),
                };
                for (probe, _) in within.iter() {
                    needs.entry(*probe).or_default().push(need);
                }
            }
        }
        Ok(Self {
            needs,
            offset_minutes,
        })
    }

    /// Until when a segment is needed, by the unit that needs it longest.
    ///
    /// # Errors
    /// [`Rule::Date`] for times beyond the calendar.
    pub fn needed(&self, segment: &Segment) -> Result<Needed, Invalid> {
        let needs = self.needs.get(&segment.probe).into_iter().flatten();
        let covering = needs
            .filter(|need| need.from_ms <= segment.last_ms && segment.first_ms <= need.until_ms);
        // Without an end is longer than any day.
        let longest = covering
            .map(|need| need.needed)
            .max_by_key(|needed| (needed.until.is_none(), needed.until));
        if let Some(longest) = longest {
            return Ok(longest);
        }
        let last = CivilDate::from_ms(segment.last_ms, self.offset_minutes)?;
        Ok(Needed {
            until: Some(last.add_days(SIX_MONTHS_DAYS)?),
            unit: None,
            rule: NeededBy::NoUnitCovered,
        })
    }

    /// How many of a probe's first segments are needed no more on `today`, and
    /// what needs the next one, where there is one.
    ///
    /// # Errors
    /// From the store.
    pub fn prunable(
        &self,
        view: &View,
        probe: &EquipmentId,
        today: CivilDate,
    ) -> Result<(u64, Option<Needed>), Failed> {
        let mut number = 0;
        loop {
            let page = segments_of(view, probe, number, SEGMENTS_PAGE)?;
            if page.is_empty() {
                return Ok((number, None));
            }
            for state in page {
                let needed = self.needed(&state.segment)?;
                if needed.until.is_none_or(|until| today <= until) {
                    return Ok((number, Some(needed)));
                }
                number = state.segment.number.checked_add(1).ok_or_else(|| {
                    Invalid::new(Rule::Range, format!("segment {number} has no next"))
                })?;
            }
        }
    }
}

fn need(
    stay: &Stay,
    unit: TraceCode,
    durable: Option<CivilDate>,
    offset_minutes: i32,
) -> Result<Need, Invalid> {
    let (until_ms, until, rule) = match (stay.taken_out, durable) {
        (None, _) => (u64::MAX, None, NeededBy::UnitStillThere),
        (Some((out_ms, _)), Some(last)) => {
            let until = last.add_days(SIX_MONTHS_DAYS)?;
            (out_ms, Some(until), NeededBy::SixMonthsPastDurability)
        }
        (Some((out_ms, _)), None) => {
            let until = CivilDate::from_ms(out_ms, offset_minutes)?.add_days(TWO_YEARS_DAYS)?;
            (out_ms, Some(until), NeededBy::TwoYearsAfterLeaving)
        }
    };
    let needed = Needed {
        until,
        unit: Some(unit),
        rule,
    };
    Ok(Need {
        from_ms: stay.from_ms,
        until_ms,
        needed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Hash;

    const DAY_MS: u64 = 24 * 3_600_000;
    const OFFSET: i32 = 480;

    fn date(text: &str) -> CivilDate {
        CivilDate::parse(text).unwrap()
    }

    fn ms(text: &str) -> u64 {
        date(text).start_ms(OFFSET).unwrap()
    }

    fn segment(first: &str, last: &str) -> Segment {
        Segment {
            probe: EquipmentId::from_bytes([1; 10]),
            number: 0,
            count: 2,
            first_ms: ms(first),
            last_ms: ms(last),
            lowest_milli_c: 0,
            highest_milli_c: 0,
            root: Hash::ZERO,
        }
    }

    fn stay(from: &str, until: Option<&str>) -> Stay {
        Stay {
            equipment: EquipmentId::from_bytes([2; 10]),
            entity: crate::ident::EntityId::from_bytes([3; 10]),
            from_ms: ms(from),
            placed_index: 1,
            taken_out: until.map(|day| (ms(day), 2)),
            policy: "frozen".into(),
            version: 1,
        }
    }

    fn retention(stays: &[(Stay, Option<&str>)]) -> Retention {
        let unit = TraceCode::from_bytes([4; 10]);
        let needs = stays
            .iter()
            .map(|(stay, durable)| need(stay, unit, durable.map(date), OFFSET).unwrap());
        let needs = HashMap::from([(EquipmentId::from_bytes([1; 10]), needs.collect())]);
        Retention {
            needs,
            offset_minutes: OFFSET,
        }
    }

    #[test]
    fn the_unit_that_needs_a_segment_longest_decides_and_by_which_rule_is_said() {
        let of = segment("2026-03-01", "2026-03-07");
        let durable = (stay("2026-03-05", Some("2026-03-20")), Some("2026-09-01"));
        let plain = (stay("2026-03-07", Some("2026-03-09")), None);
        let there = (stay("2026-03-07", None), None);
        let elsewhen = (stay("2026-03-08", Some("2026-03-09")), None);
        for (stays, until, rule) in [
            (
                vec![durable.clone()],
                Some("2027-03-04"),
                NeededBy::SixMonthsPastDurability,
            ),
            (
                vec![durable.clone(), plain],
                Some("2028-03-09"),
                NeededBy::TwoYearsAfterLeaving,
            ),
            (vec![there, durable], None, NeededBy::UnitStillThere),
            (vec![elsewhen], Some("2026-09-07"), NeededBy::NoUnitCovered),
            (vec![], Some("2026-09-07"), NeededBy::NoUnitCovered),
        ] {
            let needed = retention(&stays).needed(&of).unwrap();
            assert_eq!((needed.until, needed.rule), (until.map(date), rule));
            assert_eq!(needed.unit.is_some(), rule != NeededBy::NoUnitCovered);
        }
    }

    #[test]
    fn a_stay_touches_a_segment_to_the_millisecond() {
        let of = segment("2026-03-01", "2026-03-07");
        let mut before = stay("2026-02-01", Some("2026-03-01"));
        let touches = |stay: &Stay| {
            let needed = retention(&[(stay.clone(), None)]).needed(&of).unwrap();
            needed.unit.is_some()
        };
        assert!(touches(&before));
        before.taken_out = Some((of.first_ms - 1, 2));
        assert!(!touches(&before));
        let mut after = stay("2026-03-07", None);
        assert!(touches(&after));
        after.from_ms += DAY_MS;
        assert!(!touches(&after));
    }
}
