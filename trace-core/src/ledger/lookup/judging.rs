//! What is true of a unit now: the one judging behind every look-up, as a
//! bundle's verifier judges from the bundle alone.

use super::{Lookup, RecordAnswer};
use crate::error::{Invalid, Store};
use crate::ident::TraceCode;
use crate::ledger::Failed;
use crate::record::Body;
use crate::record::correction;
use crate::record::rights::Registry;
use crate::record::status::{Judgement, judge};
use crate::record::unit::UnitState;
use crate::rules::EvidenceFacts;
use std::collections::BTreeSet;

impl Lookup<'_> {
    /// Judges a unit as of today; `records` are those of it that are at hand.
    pub(super) fn judge(
        &mut self,
        code: TraceCode,
        state: &UnitState,
        records: &[RecordAnswer],
    ) -> Result<Judgement, Failed> {
        let folded = self.view.folded();
        let (evidence, barred) = (folded.evidence(&code)?, folded.barred(&code)?);
        let deciding = state.deciding().into_iter().chain(evidence.deciding());
        let disputed = self.disputed(deciding.collect(), records)?;
        let mut judgement = judge(state, &barred, disputed, self.today);
        evidence.weigh(&mut judgement);
        self.tell_correction(&mut judgement)?;
        Ok(judgement)
    }

    /// Says what a replaced certificate's successor says otherwise, once it is
    /// issued.
    fn tell_correction(&self, judgement: &mut Judgement) -> Result<(), Failed> {
        let (Some(before), Some((unit, number))) =
            (judgement.replaced_index, &judgement.replaced_by)
        else {
            return Ok(());
        };
        let state = self.view.folded().unit(unit)?.unwrap_or_default();
        let Some(after) = state.certificate(number).map(|held| held.index) else {
            return Ok(());
        };
        let (old, new) = (self.body_at(before)?, self.body_at(after)?);
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
