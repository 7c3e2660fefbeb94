//! The order in which a bundle is checked: who speaks, what stands in the log,
//! whether the statements and the records agree, and only then what they say,
//! record by record. Nothing of a record is believed before its proof, nor of a
//! sealed reading before its record.

use super::lineage;
use super::replay::Replay;
use super::temperatures;
use super::verdict::{ProvedRecord, Verdict};
use super::{Anchor, Bundle};
use crate::error::Verify;
use crate::ident::{CivilDate, EquipmentId, TraceCode};
use crate::proof::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::proof::completeness::{Completeness, VerifiedCompleteness};
use crate::proof::merkle::{leaf_hash, verify_inclusion};
use crate::proof::note::{Note, VerifierKey};
use crate::record::claim::Claim;
use crate::record::correction;
use crate::record::kinds::kind_by_name;
use crate::record::section::Openings;
use crate::record::status::{self, Judgement};
use crate::record::subject::SubjectId;
use crate::record::{Body, Entry};
use std::collections::{BTreeMap, BTreeSet};

/// Checks all of a bundle; how the unit was kept is told until `until_ms`, where
/// that is said.
pub(super) fn verify(
    bundle: &Bundle,
    anchor: &Anchor,
    witnesses: &[VerifierKey],
    as_of: CivilDate,
    until_ms: Option<u64>,
) -> Result<Verdict, Verify> {
    let key = &anchor.ledger_key;
    let checkpoint = open_checkpoint(&bundle.checkpoint, key, witnesses)?;
    let entries = included(bundle, anchor, &checkpoint)?;
    let completeness = Completeness::open(&bundle.completeness, key)?;
    completeness.verify_of(&checkpoint)?;
    let temperatures = temperatures::open(bundle, key, &checkpoint)?;
    held_as_stated(bundle.code, &entries, &completeness)?;

    let origin = checkpoint.origin();
    let mut replay = Replay::new(bundle.code, origin, key.public(), &completeness);
    for (index, entry) in entries {
        replay.append(index, entry)?;
    }
    let about = about_unit(bundle.code, replay.records(), &completeness)?;

    let established = replay.established();
    let disputed: BTreeSet<u64> = replay
        .records()
        .iter()
        .filter(|record| {
            let key = established.key_state(&record.key);
            key.is_some_and(|key| key.is_disputed_at(record.index))
        })
        .map(|record| record.index)
        .collect();
    let state = established.unit_state();
    let evidence = established.evidence();
    let mut deciding = state.deciding();
    deciding.extend(evidence.deciding());
    let disputing = deciding.intersection(&disputed).next().copied();
    let sources = lineage::sources(bundle.code, established);
    let barred = lineage::barred(bundle.code, &sources, established, &completeness, &disputed)?;
    let mut judgement = status::judge(&state, &barred, disputing, as_of);
    evidence.weigh(&mut judgement);
    tell_correction(&mut judgement, replay.records());
    let told = temperatures::told(
        bundle,
        temperatures.as_ref(),
        established,
        &completeness,
        until_ms,
    )?;
    told.weigh(&mut judgement);
    let policy = established.policy_in_force();
    let admitted_ms = replay.admitted_ms();
    let mut proved = replay.into_records();
    for record in &mut proved {
        record.disputed = disputed.contains(&record.index);
    }
    Ok(Verdict {
        code: bundle.code,
        judgement,
        checkpoint,
        witnesses: witnesses.iter().map(|key| key.name().to_owned()).collect(),
        as_of,
        civil_offset_minutes: policy.map_or(0, |policy| policy.civil_offset_minutes),
        latest_admitted_ms: admitted_ms,
        about_unit: about,
        sources,
        told,
        proved,
    })
}

/// Says what a replaced certificate's successor says otherwise, where both are
/// here.
fn tell_correction(judgement: &mut Judgement, records: &[ProvedRecord]) {
    let Some(corrected) = &judgement.corrected else {
        return;
    };
    let (before, number) = (corrected.before_index, &corrected.number);
    let certifies = |record: &&ProvedRecord| {
        let claims = record.body.claims(&Openings::default()).unwrap_or_default();
        claims
            .iter()
            .any(|claim| matches!(claim, Claim::Certifies { number: own, .. } if own == number))
    };
    let before = records.iter().find(|record| record.index == before);
    if let (Some(before), Some(after)) = (before, records.iter().find(certifies)) {
        correction::tell(judgement, &before.body, &after.body, after.index);
    }
}

/// The checkpoint under the ledger's key and those of all witnesses, and no
/// other signature.
fn open_checkpoint(
    note: &str,
    key: &VerifierKey,
    witnesses: &[VerifierKey],
) -> Result<VerifiedCheckpoint, Verify> {
    if witnesses.is_empty() {
        return SignedCheckpoint::open(note, key);
    }
    let known: Vec<_> = std::iter::once(key).chain(witnesses).cloned().collect();
    let parsed = Note::parse(note)?;
    let verified = parsed.verify_all_known(&known)?;
    if let Some(missing) = known.iter().find(|key| !verified.keys().contains(key)) {
        return Err(Verify::WrongLedger {
            found: "a checkpoint without its signature".to_owned(),
            wanted: missing.to_string(),
        });
    }
    SignedCheckpoint::open_cosigned(note, key)
}

/// Every record is in the log where it says, and the first is the anchor's.
fn included(
    bundle: &Bundle,
    anchor: &Anchor,
    checkpoint: &VerifiedCheckpoint,
) -> Result<Vec<(u64, Entry)>, Verify> {
    match bundle.records.first() {
        Some(first) if first.index == 0 => {
            let found = leaf_hash(&first.entry);
            if found != anchor.leaf0 {
                return Err(Verify::WrongLedger {
                    found: format!("leaf 0 {found}"),
                    wanted: anchor.leaf0.to_string(),
                });
            }
        }
        _ => {
            return Err(Verify::Incomplete {
                why: "leaf 0, from which every right follows".to_owned(),
            });
        }
    }
    let mut entries = Vec::with_capacity(bundle.records.len());
    for record in &bundle.records {
        let (leaf, index) = (leaf_hash(&record.entry), record.index);
        let (size, root) = (checkpoint.size(), checkpoint.root());
        verify_inclusion(&leaf, index, size, &record.path, root)?;
        // It stands in the log, so bytes that are no entry are the ledger's.
        let entry = Entry::decode(&record.entry).map_err(|invalid| Verify::Inadmissible {
            index,
            why: invalid.to_string(),
        })?;
        entries.push((index, entry));
    }
    Ok(entries)
}

/// The bundle holds exactly what is stated of each subject, and something is
/// stated of the unit and of every key that signed.
fn held_as_stated(
    code: TraceCode,
    entries: &[(u64, Entry)],
    completeness: &VerifiedCompleteness,
) -> Result<(), Verify> {
    let mut held: BTreeMap<SubjectId, BTreeSet<u64>> = BTreeMap::new();
    for (index, entry) in entries {
        for subject in &entry.signed.statement().subjects {
            held.entry(*subject).or_default().insert(*index);
        }
        if let Some(whole) = part_of(entry) {
            let parts = held.entry(SubjectId::parts(whole)).or_default();
            parts.insert(*index);
        }
    }
    let none = BTreeSet::new();
    for (subject, stated) in &completeness.statement().subjects {
        let held = held.get(subject).unwrap_or(&none);
        if let Some(index) = stated.difference(held).next() {
            return Err(Verify::Incomplete {
                why: format!(
                    "record {index}, listed about subject {}, is left out",
                    subject.0
                ),
            });
        }
        // Both the statement and the record's place are the ledger's own word.
        if let Some(index) = held.difference(stated).next() {
            return Err(Verify::Fork {
                why: format!(
                    "record {index} is about subject {}, of which the ledger states that it has \
                     no such record",
                    subject.0
                ),
            });
        }
    }
    let unit = (SubjectId::unit(code), format!("unit {code}"));
    let keys = entries.iter().map(|(index, entry)| {
        let key = entry.signed.statement().key;
        (SubjectId::key(key), format!("key {key} of record {index}"))
    });
    std::iter::once(unit)
        .chain(keys)
        .try_for_each(|(subject, what)| stated(completeness, &subject, &what).map(|_| ()))
}

/// What a record registers a part of; a body that cannot be read is the replay's
/// to refuse.
fn part_of(entry: &Entry) -> Option<EquipmentId> {
    let registers = kind_by_name("equipment_registered").map(|kind| kind.number);
    if registers != Some(entry.signed.statement().kind) {
        return None;
    }
    match entry.signed.body() {
        Ok(Body::EquipmentRegistered(body)) => body.part_of,
        _ => None,
    }
}

fn stated<'a>(
    completeness: &'a VerifiedCompleteness,
    subject: &SubjectId,
    what: &str,
) -> Result<&'a BTreeSet<u64>, Verify> {
    completeness
        .indexes(subject)
        .ok_or_else(|| Verify::Incomplete {
            why: format!("nothing is stated about {what}"),
        })
}

/// The records about the unit and all its certificates, of each of which
/// something must be stated.
fn about_unit(
    code: TraceCode,
    records: &[ProvedRecord],
    completeness: &VerifiedCompleteness,
) -> Result<BTreeSet<u64>, Verify> {
    let what = format!("unit {code}");
    let mut about = stated(completeness, &SubjectId::unit(code), &what)?.clone();
    for record in records {
        for number in numbers_of(code, &record.body) {
            let what = format!("certificate {number}");
            let subject = SubjectId::certificate(&number);
            about.extend(stated(completeness, &subject, &what)?);
        }
    }
    Ok(about)
}

/// The certificate numbers that a record about the unit names: what a bundle of it
/// states all records of.
pub(crate) fn numbers_of(code: TraceCode, body: &Body) -> Vec<String> {
    let claims = body.claims(&Openings::default()).unwrap_or_default();
    let mut numbers = Vec::new();
    for claim in claims {
        match claim {
            Claim::Certifies { unit, number, .. }
            | Claim::HandsOver {
                unit,
                certificate: Some(number),
                ..
            }
            | Claim::ChecksIn {
                unit,
                certificate: Some(number),
                ..
            }
            | Claim::Voids {
                unit,
                number: Some(number),
                ..
            } if unit == code => numbers.push(number),
            Claim::Supersedes {
                unit,
                number,
                replacement_unit,
                replacement_number,
                ..
            } => {
                if unit == code {
                    numbers.push(number);
                }
                if replacement_unit == code {
                    numbers.push(replacement_number);
                }
            }
            _ => {}
        }
    }
    numbers
}
