//! The readings of a bundle: each segment's under the root that its record signs,
//! and from them the verdict over each stay, by the same judge as the ledger's.
//!
//! | found | said |
//! |---|---|
//! | a sealed reading altered, added or left out | refused: the root is another |
//! | a segment that reaches into a stay left out, or one between two others | refused |
//! | a probe of the place left out, or what is stated of it | refused |
//! | readings that are not the stated ones | refused |
//! | more readings than a bundle carries | the cold chain cannot be checked |
//! | none at all, as in bundles of version 1 | nothing is said of the temperature |
//!
//! Proved is what the sealed readings say. Stated is that no probe and no segment
//! is missing beyond those that the statements name, what is not sealed yet, and
//! that the readings of a segment were taken away after their time.

use super::Bundle;
use super::cold::Cold;
use super::established::Established;
use super::format::BUNDLE_READINGS_MAX;
use crate::error::{Store, Verify};
use crate::ident::EquipmentId;
use crate::proof::checkpoint::VerifiedCheckpoint;
use crate::proof::completeness::VerifiedCompleteness;
use crate::proof::note::VerifierKey;
use crate::proof::readings::{chunk, sealed_of, verify_order};
use crate::proof::temperatures::{Carried, Shelf, TemperatureStatement};
use crate::record::SubjectId;
use crate::record::cold_chain::{Segment, SegmentState, Stay, weigh_unread};
use crate::record::keeping::{Kept, KeptStay, Run, leave_neighbours, run_of, window};
use crate::record::status::{Judgement, Reason, Status};
use crate::record::temperature::Reading;
use std::collections::{BTreeMap, BTreeSet};

/// Most probes of one place, as of the ledger.
const PROBES_MAX: usize = 256;

/// What a bundle tells of how its unit was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The unit was placed nowhere under a policy.
    NotPlaced,
    /// It was placed, last by the record with this index; the bundle carries no
    /// readings.
    Unread(u64),
    /// The stays have more readings than a bundle carries, at least so many: the
    /// cold chain cannot be checked by it.
    LeftOut {
        /// The record that placed it last.
        placed_index: u64,
        /// How many readings at least, by the operator's word.
        readings: u64,
    },
    /// Judged from the readings.
    Kept(Box<ProvedKept>),
}

/// How the unit was kept, and how much of it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedKept {
    /// The verdict, as the ledger tells it. Until when readings are sealed is told
    /// by the segments that reach into a stay.
    pub kept: Kept,
    /// Until when a stay that lasts was judged: when the bundle was made.
    pub until_ms: u64,
    /// Segments whose readings were hashed and led to the root of their record.
    pub segments: u64,
    /// The readings in them: proved.
    pub sealed_readings: u64,
    /// Readings that no record binds yet: stated.
    pub unsealed_readings: u64,
    /// Segments of which the readings were taken away after their time: stated,
    /// and a gap.
    pub pruned_segments: u64,
}

/// The statement of a bundle that carries temperatures, under the ledger's key.
pub(super) fn open(
    bundle: &Bundle,
    key: &VerifierKey,
    checkpoint: &VerifiedCheckpoint,
) -> Result<Option<TemperatureStatement>, Verify> {
    let own = bundle.temperatures.as_ref();
    own.map(|own| own.open(key, checkpoint)).transpose()
}

/// How the unit was kept, from what the records establish and the readings; until
/// `until_ms` where that is said, though all that is carried is checked.
pub(super) fn told(
    bundle: &Bundle,
    statement: Option<&TemperatureStatement>,
    established: &Established,
    completeness: &VerifiedCompleteness,
    until_ms: Option<u64>,
) -> Result<Told, Verify> {
    let cold = established.cold();
    let (Some(last), temperatures) = (cold.stays().last(), bundle.temperatures.as_ref()) else {
        return match statement {
            None => Ok(Told::NotPlaced),
            Some(_) => Err(malformed(
                "readings of a unit that was placed nowhere".into(),
            )),
        };
    };
    let (Some(statement), Some(temperatures)) = (statement, temperatures) else {
        // A ledger that speaks of the probes of a place speaks of their readings.
        let mut places = cold.stays().iter().map(|stay| stay.equipment);
        let is_spoken_of = |place| completeness.indexes(&SubjectId::parts(place)).is_some();
        return match places.find(|place| is_spoken_of(*place)) {
            None => Ok(Told::Unread(last.placed_index)),
            Some(place) => Err(incomplete(format!("the readings of the stay in {place}"))),
        };
    };
    if let Carried::LeftOut(readings) = statement.carried {
        return Ok(Told::LeftOut {
            placed_index: last.placed_index,
            readings,
        });
    }
    let mut reading = Checking {
        cold,
        completeness,
        statement,
        shelves: Shelves::of(&temperatures.readings)?,
    };
    let stays = cold.stays().iter();
    let whole = stays.map(|stay| reading.stay(stay, u64::MAX));
    let mut kept = whole.collect::<Result<Vec<KeptStay>, Verify>>()?;
    if let Some(until_ms) = until_ms {
        let stays = cold.stays().iter().filter(|stay| stay.from_ms <= until_ms);
        let cut = stays.map(|stay| reading.stay(stay, until_ms));
        kept = cut.collect::<Result<_, _>>()?;
    }
    let Shelves { by_place, found } = reading.shelves;
    if let Some((probe, segment)) = by_place
        .into_keys()
        .find(|place| !found.used.contains(place))
    {
        let why = format!("readings of probe {probe}, shelf {segment}, that no stay needs");
        return Err(malformed(why));
    }
    if kept.is_empty() {
        return Ok(Told::NotPlaced); // until then
    }
    Ok(Told::Kept(Box::new(ProvedKept {
        kept: Kept::of(kept),
        until_ms: statement.until_ms,
        segments: found.segments,
        sealed_readings: found.sealed_readings,
        unsealed_readings: found.unsealed_readings,
        pruned_segments: found.pruned_segments,
    })))
}

impl Told {
    /// Adds its line to the unit's checklist, and the status that follows.
    pub(super) fn weigh(&self, judgement: &mut Judgement) {
        match self {
            Self::NotPlaced => {}
            Self::Unread(placed_index) => weigh_unread(judgement, *placed_index),
            Self::Kept(proved) => proved.kept.weigh(judgement),
            Self::LeftOut {
                placed_index,
                readings,
            } => {
                judgement.reasons.push(Reason {
                    check: "temperature",
                    holds: None,
                    words: format!(
                        "Cannot check the cold chain: its stays have at least {readings} readings, \
                         a bundle carries at most {BUNDLE_READINGS_MAX}; ask the ledger"
                    ),
                    words_zh: format!(
                        "无法核对冷链:存放期间至少有 {readings} 个温度读数,证据包最多带 \
                         {BUNDLE_READINGS_MAX} 个;请向账本查询"
                    ),
                    index: Some(*placed_index),
                });
                if judgement.status != Status::Unknown {
                    judgement.status = judgement.status.min(Status::CannotCheck);
                }
            }
        }
    }
}

type Place = (EquipmentId, u64);

/// What a bundle carries, decoded where a stay needs it.
struct Shelves<'a> {
    by_place: BTreeMap<Place, &'a Shelf>,
    found: Found,
}

#[derive(Default)]
struct Found {
    used: BTreeSet<Place>,
    decoded: BTreeMap<Place, Vec<Reading>>,
    segments: u64,
    sealed_readings: u64,
    unsealed_readings: u64,
    pruned_segments: u64,
}

impl<'a> Shelves<'a> {
    /// Refuses more readings than may be before any is decoded.
    fn of(shelves: &'a [Shelf]) -> Result<Self, Verify> {
        let mut readings = 0u64;
        for shelf in shelves {
            for bytes in &shelf.chunks {
                let header = chunk::header(bytes).map_err(|error| of_chunk(shelf, &error))?;
                readings = readings.saturating_add(u64::try_from(header.count).unwrap_or(u64::MAX));
            }
        }
        if readings > BUNDLE_READINGS_MAX {
            let why = format!("{readings} readings, at most {BUNDLE_READINGS_MAX}");
            return Err(malformed(why));
        }
        Ok(Self {
            by_place: shelves.iter().map(|it| (it.place(), it)).collect(),
            found: Found::default(),
        })
    }

    /// A segment's readings, which lead to the root that its record signs; none
    /// where they were taken away.
    fn sealed(&mut self, segment: &Segment) -> Result<&[Reading], Verify> {
        let place = (segment.probe, segment.number);
        let Some(shelf) = self.by_place.get(&place) else {
            let (probe, number) = place;
            return Err(incomplete(format!(
                "the readings of segment {number} of probe {probe}"
            )));
        };
        let found = &mut self.found;
        if found.used.insert(place) {
            let readings = decode(shelf)?;
            match shelf.chunks.is_empty() {
                true => found.pruned_segments += 1,
                false => {
                    is_sealed(segment, &readings)?;
                    found.segments += 1;
                    found.sealed_readings += u64::from(segment.count);
                }
            }
            found.decoded.insert(place, readings);
        }
        Ok(self.found.decoded.get(&place).map_or(&[], Vec::as_slice))
    }

    /// The readings of a probe that are not sealed.
    fn unsealed(&mut self, probe: EquipmentId) -> Result<&[Reading], Verify> {
        let place = (probe, u64::MAX);
        let Some(shelf) = self.by_place.get(&place) else {
            return Ok(&[]);
        };
        let found = &mut self.found;
        if found.used.insert(place) {
            let readings = decode(shelf)?;
            if readings.is_empty() {
                return Err(malformed(format!(
                    "no readings of probe {probe} on its shelf"
                )));
            }
            found.unsealed_readings += u64::try_from(readings.len()).unwrap_or(u64::MAX);
            found.decoded.insert(place, readings);
        }
        Ok(self.found.decoded.get(&place).map_or(&[], Vec::as_slice))
    }
}

/// A shelf's readings, in order, each once.
fn decode(shelf: &Shelf) -> Result<Vec<Reading>, Verify> {
    let mut readings = Vec::new();
    for bytes in &shelf.chunks {
        let chunk = chunk::decode(&shelf.probe, bytes).map_err(|error| of_chunk(shelf, &error))?;
        readings.extend(chunk);
    }
    verify_order(&readings)?;
    Ok(readings)
}

/// Whether readings are those that a record binds.
fn is_sealed(segment: &Segment, readings: &[Reading]) -> Result<(), Verify> {
    let found = sealed_of(segment.probe, segment.number, readings);
    match found == *segment {
        true => Ok(()),
        false => {
            let (probe, number) = (segment.probe, segment.number);
            let why = format!(
                "the readings of segment {number} of probe {probe} are {found:?}, its record \
                 binds {segment:?}: one was altered, added or left out"
            );
            Err(Verify::Proof { why })
        }
    }
}

struct Checking<'a> {
    cold: &'a Cold,
    completeness: &'a VerifiedCompleteness,
    statement: &'a TemperatureStatement,
    shelves: Shelves<'a>,
}

impl Checking<'_> {
    /// Judges a stay, until a time where that comes before its end.
    fn stay(&mut self, stay: &Stay, until_ms: u64) -> Result<KeptStay, Verify> {
        let (code, version) = (&stay.policy, stay.version);
        let policy = self.cold.policy(code, version).ok_or_else(|| {
            incomplete(format!(
                "the record that adopts version {version} of policy {code}"
            ))
        })?;
        let whole = run_of(stay, self.statement.until_ms);
        let stated = window(policy, whole);
        let until_ms = whole.until_ms.min(until_ms);
        let run = Run { until_ms, ..whole };
        let window = window(policy, run);
        let probes = self.probes(stay.equipment)?;
        let mut read = Vec::with_capacity(probes.len());
        let mut sealed_until: Vec<Option<u64>> = Vec::with_capacity(probes.len());
        for probe in &probes {
            let segments = self.segments(*probe, stated)?;
            let mut readings = Vec::new();
            for segment in &segments {
                readings.extend_from_slice(self.shelves.sealed(segment)?);
            }
            readings.extend_from_slice(self.shelves.unsealed(*probe)?);
            readings.retain(|it| (window.from_ms..=window.until_ms).contains(&it.at_ms));
            readings.sort_unstable();
            readings.dedup();
            leave_neighbours(run, &mut readings);
            read.push(readings);
            sealed_until.push(segments.iter().map(|it| it.last_ms).max());
        }
        let sealed_until_ms = sealed_until.into_iter().min().flatten();
        let policy = policy.clone();
        Ok(KeptStay::judged(
            stay.clone(),
            run,
            policy,
            probes,
            &read,
            sealed_until_ms,
        ))
    }

    /// The probes that watch over a place: its own and its parts', of each of
    /// which something must be stated.
    fn probes(&self, place: EquipmentId) -> Result<Vec<EquipmentId>, Verify> {
        let (mut waiting, mut probes) = (vec![place], Vec::new());
        let mut known = BTreeSet::from([place]);
        while let Some(whole) = waiting.pop() {
            if self
                .completeness
                .indexes(&SubjectId::parts(whole))
                .is_none()
            {
                return Err(incomplete(format!(
                    "what is stated about the parts of {whole}"
                )));
            }
            for (part, is_probe) in self.cold.parts(&whole) {
                match is_probe {
                    true => probes.push(part),
                    false if known.insert(part) => waiting.push(part),
                    false => {}
                }
            }
            probes.truncate(PROBES_MAX);
        }
        probes.sort_unstable();
        Ok(probes)
    }

    /// A probe's segments that reach into a time: exactly those stated, and none
    /// between two of them left out.
    fn segments(&self, probe: EquipmentId, time: Run) -> Result<Vec<Segment>, Verify> {
        let stated = self.statement.segments(&probe, time).ok_or_else(|| {
            let Run { from_ms, until_ms } = time;
            incomplete(format!(
                "what is stated about the segments of probe {probe} from {from_ms} to {until_ms} ms"
            ))
        })?;
        let within: Vec<&SegmentState> = self
            .cold
            .segments(&probe)
            .filter(|state| state.segment.is_within(time))
            .collect();
        let held: BTreeSet<u64> = within.iter().map(|state| state.index).collect();
        if let Some(index) = stated.difference(&held).next() {
            return Err(incomplete(format!(
                "record {index}, a segment of probe {probe}"
            )));
        }
        // Both the statement and the record's place are the ledger's own word.
        if let Some(index) = held.difference(stated).next() {
            let why = format!(
                "record {index} seals readings of probe {probe} in a time of which the ledger \
                 states that no such record reaches into it"
            );
            return Err(Verify::Fork { why });
        }
        if let (Some(first), Some(last)) = (within.first(), within.last()) {
            let mut wanted = first.segment.number;
            for state in self.cold.segments(&probe) {
                let number = state.segment.number;
                if number == wanted && number <= last.segment.number {
                    wanted = wanted.saturating_add(1);
                }
            }
            if wanted <= last.segment.number {
                let (first, last) = (first.segment.number, last.segment.number);
                return Err(incomplete(format!(
                    "segment {wanted} of probe {probe}, between its segments {first} and {last}"
                )));
            }
        }
        Ok(within.into_iter().map(|state| state.segment).collect())
    }
}

fn incomplete(what: String) -> Verify {
    Verify::Incomplete {
        why: format!("left out: {what}"),
    }
}

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "readings of a bundle",
        why,
    }
}

fn of_chunk(shelf: &Shelf, error: &Store) -> Verify {
    let (probe, _) = shelf.place();
    let of = match shelf.segment {
        Some(number) => format!("segment {number} of probe {probe}"),
        None => format!("what probe {probe} read and is not sealed"),
    };
    malformed(format!("{of}: {error}"))
}
