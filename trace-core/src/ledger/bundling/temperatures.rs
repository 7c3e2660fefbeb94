//! The readings of a unit's stays for its bundle: which records bind them, and the
//! shelves they lie on.
//!
//! Planned before anything is taken: whole segments are carried, so that their
//! roots can be made again, and where they and what is not sealed pass a bundle's
//! limits, nothing of them is carried and the statement says so. What is
//! carried was held against its record here first.

use super::Gathering;
use crate::error::Store;
use crate::ident::{EquipmentId, TraceCode};
use crate::ledger::Failed;
use crate::ledger::cold_chain::{
    PARTS_MAX, parts_of, policy_text, probes_of, read_within, segments_of, segments_within,
};
use crate::ledger::readings::Readings;
use crate::proof::bundle::{BUNDLE_READINGS_BYTES_MAX, BUNDLE_READINGS_MAX, BUNDLE_RECORDS_MAX};
use crate::proof::checkpoint::Checkpoint;
use crate::proof::note::NoteSigner;
use crate::proof::readings::chunk::{self, COUNT_MAX};
use crate::proof::temperatures::{
    Carried, Shelf, TemperatureStatement, Temperatures, WINDOWS_MAX, digest,
};
use crate::record::SubjectId;
use crate::record::cold_chain::{EquipmentKind, SegmentState};
use crate::record::keeping::{Run, run_of, window};
use crate::record::temperature::Reading;
use crate::rules::ColdFacts;
use std::collections::{BTreeMap, BTreeSet};

/// Records that a bundle's readings may bring: half of all.
const SEGMENTS_MAX: usize = BUNDLE_RECORDS_MAX / 2;

/// What was gathered, before it is signed.
pub(super) struct Gathered {
    statement: TemperatureStatement,
    readings: Vec<Shelf>,
}

impl Gathered {
    pub(super) fn sign(self, signer: &NoteSigner) -> Result<Temperatures, Failed> {
        Ok(Temperatures {
            statement: self.statement.sign(signer)?,
            readings: self.readings,
        })
    }
}

/// Which readings the stays need.
#[derive(Default)]
struct Plan {
    windows: BTreeMap<(EquipmentId, u64, u64), BTreeSet<u64>>,
    /// The segments that reach into a stay, by probe and number.
    segments: BTreeMap<(EquipmentId, u64), SegmentState>,
    /// Records of those, and of the segments between them.
    records: BTreeSet<u64>,
    readings: u64,
}

impl Plan {
    fn is_too_much(&self) -> bool {
        self.readings > BUNDLE_READINGS_MAX
            || self.records.len() > SEGMENTS_MAX
            || self.windows.len() > WINDOWS_MAX
    }
}

impl Gathering<'_> {
    /// The readings of a unit's stays, and the records that judging by them needs;
    /// `None` when it was placed nowhere.
    pub(super) fn temperatures(
        &mut self,
        code: TraceCode,
        readings: &Readings,
        now_ms: u64,
    ) -> Result<Option<Gathered>, Failed> {
        let stays = self.view.folded().stays(&code)?.stays;
        if stays.is_empty() {
            return Ok(None);
        }
        let mut plan = Plan::default();
        let mut probes = BTreeMap::new();
        for stay in &stays {
            if !self.equipment(stay.equipment)? {
                return Ok(Some(self.left_out(plan.readings, now_ms)));
            }
            let policy = policy_text(self.view.folded(), &stay.policy, stay.version)?;
            let time = window(&policy, run_of(stay, now_ms));
            for (probe, state) in probes_of(self.view, &stay.equipment)? {
                self.plan(&mut plan, probe, state.next_segment, time)?;
                probes.entry(probe).or_insert_with(Vec::new).push(time);
                if plan.is_too_much() {
                    return Ok(Some(self.left_out(plan.readings, now_ms)));
                }
            }
        }
        for index in &plan.records {
            self.entry(*index)?;
        }
        let mut shelves = Vec::new();
        let mut bytes = 0;
        let mut count = plan.readings;
        for ((probe, number), state) in &plan.segments {
            let segment = &state.segment;
            readings.check(probe, *number, segment.count, &segment.root)?;
            let chunks = readings.chunks(probe, *number)?.unwrap_or_default();
            bytes += chunks.iter().map(Vec::len).sum::<usize>();
            shelves.push(Shelf {
                probe: *probe,
                segment: Some(*number),
                chunks,
            });
        }
        for (probe, times) in probes {
            let sealed = shelves.iter().filter(|shelf| shelf.probe == probe);
            let unsealed = unsealed(readings, probe, &times, sealed, &mut count)?;
            let Some(shelf) = unsealed else { continue };
            bytes += shelf.chunks.iter().map(Vec::len).sum::<usize>();
            shelves.push(shelf);
        }
        if count > BUNDLE_READINGS_MAX || bytes > BUNDLE_READINGS_BYTES_MAX {
            return Ok(Some(self.left_out(count, now_ms)));
        }
        shelves.sort_by_key(Shelf::place);
        Ok(Some(Gathered {
            statement: TemperatureStatement {
                checkpoint: self.checkpoint(),
                until_ms: now_ms,
                carried: Carried::Whole(digest(&shelves)),
                windows: plan.windows,
            },
            readings: shelves,
        }))
    }

    fn left_out(&self, readings: u64, now_ms: u64) -> Gathered {
        Gathered {
            statement: TemperatureStatement {
                checkpoint: self.checkpoint(),
                until_ms: now_ms,
                carried: Carried::LeftOut(readings),
                windows: BTreeMap::new(),
            },
            readings: Vec::new(),
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        self.view.checkpoint().checkpoint().clone()
    }

    /// A piece of equipment and its parts, with what is stated of them; false when
    /// it has more parts than are gone through.
    fn equipment(&mut self, place: EquipmentId) -> Result<bool, Failed> {
        let mut waiting = vec![place];
        while let Some(whole) = waiting.pop() {
            if let Some(state) = self.view.folded().equipment(&whole)? {
                self.entry(state.registered_index)?;
            }
            let parts = parts_of(self.view, &whole)?;
            if parts.len() >= PARTS_MAX {
                return Ok(false);
            }
            let mut indexes = BTreeSet::new();
            for (part, state) in parts {
                indexes.insert(state.registered_index);
                self.entry(state.registered_index)?;
                if state.kind != EquipmentKind::Probe {
                    waiting.push(part);
                }
            }
            self.subjects.insert(SubjectId::parts(whole), indexes);
        }
        Ok(true)
    }

    /// Adds a probe's segments that reach into a time.
    fn plan(
        &self,
        plan: &mut Plan,
        probe: EquipmentId,
        sealed: u64,
        time: Run,
    ) -> Result<(), Failed> {
        let within = segments_within(self.view, &probe, sealed, time)?;
        let indexes = within.iter().map(|state| state.index).collect();
        let key = (probe, time.from_ms, time.until_ms);
        plan.windows.insert(key, indexes);
        if let (Some(first), Some(last)) = (within.first(), within.last()) {
            // Those between them too: numbers without a gap show that none is
            // left out there.
            let (first, last) = (first.segment.number, last.segment.number);
            let between = usize::try_from(last - first).unwrap_or(usize::MAX);
            let wanted = between.saturating_add(1).min(SEGMENTS_MAX + 1);
            let all = segments_of(self.view, &probe, first, wanted)?;
            plan.records.extend(all.iter().map(|state| state.index));
        }
        for state in within {
            let place = (probe, state.segment.number);
            if plan.segments.insert(place, state).is_none() {
                plan.readings = plan.readings.saturating_add(state.segment.count.into());
            }
        }
        Ok(())
    }
}

/// What a probe read in these times and no record under this view binds: also
/// what was drafted, or bound since.
fn unsealed<'a>(
    readings: &Readings,
    probe: EquipmentId,
    times: &[Run],
    sealed: impl Iterator<Item = &'a Shelf>,
    count: &mut u64,
) -> Result<Option<Shelf>, Failed> {
    let mut bound: Vec<Reading> = Vec::new();
    for chunk in sealed.flat_map(|shelf| &shelf.chunks) {
        bound.extend(chunk::decode(&probe, chunk)?);
    }
    bound.sort_unstable();
    let mut found: Vec<Reading> = Vec::new();
    let most = usize::try_from(BUNDLE_READINGS_MAX).unwrap_or(usize::MAX);
    for time in times {
        let mut budget = usize::MAX;
        let read = read_within(readings, &probe, *time, &mut budget)?;
        found.extend(
            read.into_iter()
                .filter(|it| bound.binary_search(it).is_err()),
        );
        if found.len() > most {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    *count = count.saturating_add(u64::try_from(found.len()).unwrap_or(u64::MAX));
    if found.is_empty() || *count > BUNDLE_READINGS_MAX {
        return Ok(None);
    }
    let chunks = found.chunks(COUNT_MAX);
    let chunks = chunks.map(|part| chunk::encode(&probe, part));
    Ok(Some(Shelf {
        probe,
        segment: None,
        chunks: chunks.collect::<Result<_, Store>>()?,
    }))
}
