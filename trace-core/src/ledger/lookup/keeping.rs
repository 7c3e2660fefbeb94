//! How units were kept, as far as one answer goes through their readings: a unit
//! by itself, the steps of a lineage, and what a unit was made from.
//!
//! A verdict costs all readings of a unit's stays. So the verdicts of one answer
//! are limited in number and in the time that they go through, the nearest first;
//! beyond, nothing is said of how a unit was kept, which is no word for it and
//! none against it. Most units were never placed: that costs one read each.
//!
//! **What was made of goods that were not kept cold stays what its own records
//! say.** Its checklist has a line of it, its status does not change: whether a
//! cheese may be sold whose milk was once too warm is for those who inspect, and
//! a hold or a recall of the milk reaches the cheese and changes its status. A
//! bundle carries the readings of its own unit alone and comes to the same status;
//! with the bundles of its sources beside it, to the same line.

use super::Lookup;
use crate::error::Store;
use crate::ident::TraceCode;
use crate::ledger::Failed;
use crate::ledger::cold_chain::{kept_and_drawn, kept_until};
use crate::record::cold_chain::{Stay, weigh_unread};
use crate::record::keeping::{Kept, SOURCES_MAX, SourcesKept, run_of};
use crate::record::status::{ColdChain, Judgement, Status};
use crate::record::subject::SUBJECTS_MAX;
use crate::rules::ColdFacts;
use std::collections::{HashMap, VecDeque};

/// Most verdicts over the steps of one lineage.
pub const STEP_VERDICTS_MAX: usize = 64;

/// Most verdicts over what one unit was made from: its look-up is anybody's.
pub const SOURCE_VERDICTS_MAX: usize = 16;

/// Most time in stays that the verdicts of one answer go through: 64 fortnights,
/// 1.3 million readings of a probe that reads every minute.
pub const VERDICT_STAYS_MS_MAX: u64 = 64 * 14 * 86_400_000;

/// How much one answer may still judge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    verdicts: usize,
    stays_ms: u64,
}

impl Budget {
    pub(super) fn of_verdicts(verdicts: usize) -> Self {
        Self {
            verdicts,
            stays_ms: VERDICT_STAYS_MS_MAX,
        }
    }

    /// Whether a unit with these stays may still be judged.
    fn takes(&mut self, stays: &[Stay], now_ms: u64) -> bool {
        let lengths = stays.iter().map(|stay| run_of(stay, now_ms).length_ms());
        let length_ms = lengths.fold(0, u64::saturating_add);
        match (
            self.verdicts.checked_sub(1),
            self.stays_ms.checked_sub(length_ms),
        ) {
            (Some(verdicts), Some(stays_ms)) => {
                *self = Self { verdicts, stays_ms };
                true
            }
            _ => false,
        }
    }
}

impl Lookup<'_> {
    /// What is known of the cold chain, with its line of the checklist where the
    /// unit was placed anywhere.
    pub(super) fn cold_chain(
        &self,
        code: &TraceCode,
        judgement: &mut Judgement,
        columns: u32,
    ) -> Result<(ColdChain, Option<Kept>), Failed> {
        let kept = match self.readings {
            Some(readings) => kept_and_drawn(self.view, readings, code, self.now_ms, columns)?,
            None => None,
        };
        if let Some(kept) = kept {
            kept.weigh(judgement);
            return Ok((kept.state, Some(kept)));
        }
        if let Some(stay) = self.view.folded().stays(code)?.stays.last() {
            weigh_unread(judgement, stay.placed_index);
        }
        Ok((ColdChain::NotMonitored, None))
    }

    /// What is known of the cold chain of a step of a lineage, with its line and
    /// the status that follows; none where it was placed and is not judged here,
    /// for want of readings or behind [`STEP_VERDICTS_MAX`].
    ///
    /// # Errors
    /// [`Store`].
    pub fn step_kept(
        &mut self,
        code: &TraceCode,
        judgement: &mut Judgement,
    ) -> Result<Option<ColdChain>, Failed> {
        let stays = self.view.folded().stays(code)?.stays;
        let Some(last) = stays.last() else {
            return Ok(Some(ColdChain::NotMonitored));
        };
        if self.readings.is_none() || !self.steps.takes(&stays, self.now_ms) {
            weigh_unread(judgement, last.placed_index);
            return Ok(None);
        }
        let (state, _) = self.cold_chain(code, judgement, 0)?;
        Ok(Some(state))
    }

    /// Adds the line of the checklist that says how what a unit was made from
    /// was kept until it was used, where that was not as its policy demands, or
    /// not all of it was looked at.
    pub(super) fn weigh_sources(
        &self,
        code: TraceCode,
        judgement: &mut Judgement,
    ) -> Result<(), Failed> {
        if judgement.status == Status::Unknown {
            return Ok(());
        }
        let line = self.sources_kept(code)?.line();
        judgement.reasons.extend(line);
        Ok(())
    }

    fn sources_kept(&self, code: TraceCode) -> Result<SourcesKept, Failed> {
        let (sources, is_cut) = self.sources(code)?;
        let mut found = SourcesKept::default();
        if is_cut {
            found.cut();
        }
        let mut budget = Budget::of_verdicts(SOURCE_VERDICTS_MAX);
        for (unit, used_ms) in sources {
            // What lay there only after it was used says nothing of what was made.
            let mut stays = self.view.folded().stays(&unit)?.stays;
            stays.retain(|stay| stay.from_ms <= used_ms);
            let Some(last) = stays.last().map(|stay| stay.placed_index) else {
                continue;
            };
            let until_ms = used_ms.min(self.now_ms);
            let readings = self.readings.filter(|_| budget.takes(&stays, until_ms));
            let Some(readings) = readings else {
                found.add_unread(unit, Some(last));
                continue;
            };
            let Some(kept) = kept_until(self.view, readings, &unit, until_ms)? else {
                continue;
            };
            found.add(unit, &kept);
            if found.is_worst() {
                break;
            }
        }
        Ok(found)
    }

    /// What a unit was made from, the nearest first, each with when it was last
    /// used on the way; and whether there is more behind [`SOURCES_MAX`].
    fn sources(&self, code: TraceCode) -> Result<(Vec<(TraceCode, u64)>, bool), Store> {
        let (mut found, mut used_ms) = (Vec::new(), HashMap::new());
        let mut waiting = VecDeque::from([code]);
        let mut is_cut = false;
        while let Some(unit) = waiting.pop_front() {
            let folded = self.view.folded();
            for (_, parent, edge) in folded.parents(&unit, None, SUBJECTS_MAX)? {
                if let Some(known) = used_ms.get_mut(&parent) {
                    *known = edge.at_ms.max(*known);
                    continue;
                }
                if found.len() >= SOURCES_MAX {
                    is_cut = true;
                    continue;
                }
                used_ms.insert(parent, edge.at_ms);
                found.push(parent);
                waiting.push_back(parent);
            }
        }
        let timed = found
            .into_iter()
            .filter_map(|unit| Some((unit, used_ms.get(&unit).copied()?)));
        Ok((timed.collect(), is_cut))
    }
}
