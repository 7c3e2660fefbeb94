//! Making a bundle: every record about a unit, the holds and recalls of all
//! that it was made from with how each of that was made, and the governance that gave
//! each of its signers the right, up to the ledger's first record; and where it
//! was kept cold, the readings of its stays.

mod temperatures;

use super::Failed;
use super::readings::Readings;
use super::view::View;
use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::proof::bundle::{BUNDLE_RECORDS_MAX, Bundle, BundleRecord, numbers_of};
use crate::proof::completeness::Completeness;
use crate::proof::note::NoteSigner;
use crate::record::claim::Claim;
use crate::record::rights::Registry;
use crate::record::section::Openings;
use crate::record::subject::SUBJECTS_MAX;
use crate::record::unit::Standing;
use crate::record::{Entry, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Makes the bundle of a trace code, with the ledger's completeness statement but
/// without readings, where those are not kept beside the log; `None` when no
/// record makes the unit.
///
/// # Errors
/// [`Rule::TooLarge`] when the story passes a bundle's limits; a store's failure.
pub fn bundle(view: &View, signer: &NoteSigner, code: TraceCode) -> Result<Option<Bundle>, Failed> {
    made(view, signer, code, None)
}

/// The same with the readings of the unit's stays, as of `now_ms`. Where they
/// pass a bundle's limits it says so in their place.
///
/// # Errors
/// As [`bundle`]; [`Store::Damaged`](crate::error::Store::Damaged) when readings
/// are not those that were sealed.
pub fn bundle_with(
    view: &View,
    signer: &NoteSigner,
    code: TraceCode,
    readings: &Readings,
    now_ms: u64,
) -> Result<Option<Bundle>, Failed> {
    made(view, signer, code, Some((readings, now_ms)))
}

fn made(
    view: &View,
    signer: &NoteSigner,
    code: TraceCode,
    readings: Option<(&Readings, u64)>,
) -> Result<Option<Bundle>, Failed> {
    let Some(state) = view.folded().unit(&code)? else {
        return Ok(None);
    };
    if state.made.is_none() {
        return Ok(None);
    }
    let mut gathering = Gathering {
        view,
        subjects: BTreeMap::new(),
        entries: BTreeMap::new(),
        followed: BTreeSet::new(),
    };
    gathering.entry(0)?;
    gathering.subject(SubjectId::unit(code))?;
    gathering.certificates(code)?;
    for held in &state.certificates {
        if let Standing::Superseded { unit, number, .. } = &held.standing {
            gathering.certificate(unit, number)?;
        }
    }
    gathering.lineage(code)?;
    let temperatures = match readings {
        None => None,
        Some((readings, now_ms)) => gathering.temperatures(code, readings, now_ms)?,
    };
    gathering.follow_signers()?;
    let checkpoint = view.checkpoint();
    let statement = Completeness {
        checkpoint: checkpoint.checkpoint().clone(),
        subjects: gathering.subjects,
    };
    let completeness = statement.sign(signer)?;
    let mut records = Vec::with_capacity(gathering.entries.len());
    for (index, entry) in gathering.entries {
        let path = view.prove_inclusion(index, view.size())?;
        records.push(BundleRecord {
            index,
            entry: entry.encode(),
            path,
        });
    }
    Ok(Some(Bundle::new(
        code,
        checkpoint.note().to_owned(),
        completeness,
        records,
        temperatures.map(|own| own.sign(signer)).transpose()?,
    )?))
}

/// What has been gathered: subjects with all their indexes, the entries there,
/// and those whose signers were followed already.
struct Gathering<'a> {
    view: &'a View,
    subjects: BTreeMap<SubjectId, BTreeSet<u64>>,
    entries: BTreeMap<u64, Entry>,
    followed: BTreeSet<u64>,
}

impl Gathering<'_> {
    fn entry(&mut self, index: u64) -> Result<(), Failed> {
        if self.entries.contains_key(&index) {
            return Ok(());
        }
        if self.entries.len() >= BUNDLE_RECORDS_MAX {
            let what = format!(
                "the story has more than {BUNDLE_RECORDS_MAX} records; read it page by page"
            );
            return Err(Invalid::new(Rule::TooLarge, what).into());
        }
        self.entries.insert(index, self.view.entry(index)?);
        Ok(())
    }

    fn subject(&mut self, subject: SubjectId) -> Result<(), Failed> {
        if self.subjects.contains_key(&subject) {
            return Ok(());
        }
        let indexes: BTreeSet<u64> = self
            .view
            .about(&subject, 0, BUNDLE_RECORDS_MAX + 1)?
            .into_iter()
            .collect();
        for index in &indexes {
            self.entry(*index)?;
        }
        self.subjects.insert(subject, indexes);
        Ok(())
    }

    /// The stories of the certificates that the unit's records name: its own, and
    /// those of another unit under which its goods went on after a correction.
    fn certificates(&mut self, code: TraceCode) -> Result<(), Failed> {
        let mut numbers = BTreeSet::new();
        for entry in self.entries.values() {
            numbers.extend(numbers_of(code, &entry.signed.body()?));
        }
        let mut numbers = numbers.iter();
        numbers.try_for_each(|number| self.subject(SubjectId::certificate(number)))
    }

    /// The record of a certificate, once it is issued.
    fn certificate(&mut self, unit: &TraceCode, number: &str) -> Result<(), Failed> {
        let state = self.view.folded().unit(unit)?.unwrap_or_default();
        match state.certificate(number) {
            Some(held) => self.entry(held.index),
            None => Ok(()),
        }
    }

    /// The holds and recalls of the unit and of everything that it was made
    /// from, and how each of those was made.
    fn lineage(&mut self, code: TraceCode) -> Result<(), Failed> {
        let mut found = vec![code];
        let mut known = BTreeSet::from([code]);
        while let Some(unit) = found.pop() {
            self.subject(SubjectId::marks(unit))?;
            let state = self.view.folded().unit(&unit)?;
            if let Some(made) = state.and_then(|state| state.made) {
                self.entry(made.index)?;
            }
            // One act makes a unit, out of at most 64 others.
            for (_, parent, _) in self.view.folded().parents(&unit, None, SUBJECTS_MAX)? {
                self.replaced_onto(&parent, &unit)?;
                if known.insert(parent) {
                    found.push(parent);
                }
            }
        }
        Ok(())
    }

    /// The records that replaced certificates of one unit by such of another,
    /// which then began with what was left of the first.
    fn replaced_onto(&mut self, unit: &TraceCode, onto: &TraceCode) -> Result<(), Failed> {
        let state = self.view.folded().unit(unit)?.unwrap_or_default();
        for held in &state.certificates {
            match &held.standing {
                Standing::Superseded { index, unit, .. } if unit == onto => self.entry(*index)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Until nothing new is found: for each record here, the governance of the
    /// keys that signed or countersigned it and of the entities it is about,
    /// and the record that it voids or replaces.
    fn follow_signers(&mut self) -> Result<(), Failed> {
        loop {
            let new: Vec<(u64, Entry)> = {
                let unseen = self
                    .entries
                    .iter()
                    .filter(|(index, _)| !self.followed.contains(*index));
                unseen
                    .map(|(index, entry)| (*index, entry.clone()))
                    .collect()
            };
            if new.is_empty() {
                return Ok(());
            }
            for (index, entry) in new {
                self.followed.insert(index);
                self.follow(&entry)?;
            }
        }
    }

    fn follow(&mut self, entry: &Entry) -> Result<(), Failed> {
        let body = entry.signed.body()?;
        let countersigners = body.countersignatures().iter().map(|given| given.key);
        for key in std::iter::once(entry.signed.statement().key).chain(countersigners) {
            let Some(state) = self.view.key(&key)? else {
                continue;
            };
            self.subject(SubjectId::key(key))?;
            self.subject(SubjectId::signer(state.entity))?;
        }
        for claim in body.claims(&Openings::default())? {
            if let Some(entity) = claim.governance_of() {
                self.subject(SubjectId::signer(entity))?;
            }
            if let Claim::Voids { target, .. } | Claim::Supersedes { target, .. } = claim
                && let Some(index) = self.view.index_of(&target)?
            {
                self.entry(index)?;
            }
        }
        Ok(())
    }
}
