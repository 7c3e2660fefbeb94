//! What is true of a unit now: the one judging behind every look-up, as a
//! bundle's verifier judges from the bundle alone.

use super::{Lookup, RecordAnswer};
use crate::error::{Invalid, Store};
use crate::ident::TraceCode;
use crate::ledger::lineage::GRAPH_UNITS_MAX;
use crate::ledger::{Failed, rows};
use crate::record::Body;
use crate::record::correction;
use crate::record::rights::Registry;
use crate::record::status::{Judgement, Reason, Status, judge};
use crate::record::subject::SUBJECTS_MAX;
use crate::record::unit::UnitState;
use crate::rules::EvidenceFacts;
use std::collections::{BTreeSet, HashSet};

impl Lookup<'_> {
    /// Judges a unit as of today; `records` are those of it that are at hand.
    pub(super) fn judge(
        &mut self,
        code: TraceCode,
        state: &UnitState,
        records: &[RecordAnswer],
    ) -> Result<Judgement, Failed> {
        let folded = self.view.folded();
        let (evidence, mut barred) = (folded.evidence(&code)?, folded.barred(&code)?);
        let (disputed_source, is_whole) = self.disputed_source(code)?;
        barred.disputed_source = disputed_source;
        let deciding = state.deciding().into_iter().chain(evidence.deciding());
        let disputed = self.disputed(deciding.collect(), records)?;
        let mut judgement = judge(state, &barred, disputed, self.today);
        evidence.weigh(&mut judgement);
        if !is_whole {
            judgement.status = judgement.status.min(Status::CannotCheck);
            judgement.reasons.push(Reason {
                check: "sources",
                holds: None,
                words: format!(
                    "It was made from more than {GRAPH_UNITS_MAX} units: not all were looked at \
                     for disputed keys"
                ),
                words_zh: format!("来源单元超过 {GRAPH_UNITS_MAX} 个,未能全部核对泄露密钥"),
                index: None,
            });
        }
        self.tell_correction(&mut judgement)?;
        Ok(judgement)
    }

    /// The first making of what a unit was made from that was signed with a key
    /// disputed there. Only makings are looked at, as a bundle carries no more of
    /// those units: a certificate of one that such a key signed is disputed with
    /// that unit alone. Most ledgers have no such key, or none whose range holds
    /// any of these, so that following back reads little.
    /// Also whether all of it was followed.
    fn disputed_source(&mut self, code: TraceCode) -> Result<(Option<u64>, bool), Failed> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let folded = self.view.folded();
        folded.values(
            rows::COMPROMISED,
            rows::COMPROMISED,
            usize::MAX,
            "compromised key",
            |_, range| ranges.push(range),
        )?;
        if ranges.is_empty() {
            return Ok((None, true));
        }
        let (mut found, mut known) = (vec![code], HashSet::from([code]));
        let mut within = BTreeSet::new();
        while let Some(unit) = found.pop() {
            if known.len() > GRAPH_UNITS_MAX {
                return Ok((self.disputed(within, &[])?, false));
            }
            let made = folded.unit(&unit)?.and_then(|state| state.made);
            if let Some(made) = made.filter(|_| unit != code) {
                let is_within = |(from, to): &(u64, u64)| (*from..=*to).contains(&made.index);
                if ranges.iter().any(is_within) {
                    within.insert(made.index);
                }
            }
            for (_, parent, _) in folded.parents(&unit, None, SUBJECTS_MAX)? {
                if known.insert(parent) {
                    found.push(parent);
                }
            }
        }
        Ok((self.disputed(within, &[])?, true))
    }

    /// Says what a replaced certificate's successor says otherwise, once it is
    /// issued.
    fn tell_correction(&self, judgement: &mut Judgement) -> Result<(), Failed> {
        let Some(corrected) = &judgement.corrected else {
            return Ok(());
        };
        let state = self
            .view
            .folded()
            .unit(&corrected.unit)?
            .unwrap_or_default();
        let Some(after) = state.certificate(&corrected.number).map(|held| held.index) else {
            return Ok(());
        };
        let (old, new) = (self.body_at(corrected.before_index)?, self.body_at(after)?);
        correction::tell(judgement, &old, &new, after);
        Ok(())
    }

    fn body_at(&self, index: u64) -> Result<Body, Failed> {
        let damaged = |error: Invalid| Store::Damaged {
            what: format!("entry {index}: {error}"),
        };
        Ok(self.view.entry(index)?.signed.body().map_err(damaged)?)
    }

    /// The first of the records that decide the unit's status whose signer's key
    /// is disputed there.
    fn disputed(
        &mut self,
        deciding: BTreeSet<u64>,
        records: &[RecordAnswer],
    ) -> Result<Option<u64>, Failed> {
        for index in deciding {
            let is_disputed = match records.iter().find(|record| record.index == index) {
                Some(record) => record.is_disputed,
                None => {
                    let entry = self.view.entry(index)?;
                    self.signer(&entry.signed.statement().key, index)?
                        .0
                        .is_disputed_at(index)
                }
            };
            if is_disputed {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}
