//! Completeness statements that others hold, against the log: the answer to an
//! operator who leaves a recall out of a bundle and signs that nothing is left
//! out.
//!
//! A verifier without the log can only take such a statement as the operator's
//! word. With the log it is a claim like any other: every record says by itself
//! what it is about, and the replay has held that against its body.

use super::super::log::LogView;
use super::{AuditFailed, Held};
use crate::error::{Store, Verify};
use crate::proof::completeness::{Completeness, VerifiedCompleteness};
use crate::proof::note::VerifierKey;
use crate::record::{Entry, SubjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The statement that somebody holds, where there is one.
pub(super) fn opened(
    held: &Held,
    key: &VerifierKey,
) -> Result<Option<VerifiedCompleteness>, AuditFailed> {
    let Some(note) = &held.statement else {
        return Ok(None);
    };
    match Completeness::open(note, key) {
        Ok(statement) => Ok(Some(statement)),
        Err(error) => Err(AuditFailed::of_evidence(&held.name, error)),
    }
}

/// How a log of `size` entries, replayed, contradicts a statement, if it does.
pub(super) fn contradiction(
    name: &str,
    stated: &Completeness,
    log: &LogView,
    size: u64,
) -> Result<Option<Verify>, Store> {
    let covered = stated.checkpoint.size;
    if covered > size {
        let why = format!("{name} states what {covered} entries hold, the log has {size}");
        return Ok(Some(Verify::Rollback { why }));
    }
    let (root, wanted) = (log.root(covered)?, stated.checkpoint.root);
    if root != wanted {
        let why = format!("{name} states what root {wanted} holds, {covered} entries have {root}");
        return Ok(Some(Verify::Fork { why }));
    }
    let found = about(&stated.subjects, log, covered)?;
    for (subject, stated) in &stated.subjects {
        let found = found.get(subject).unwrap_or(&EMPTY);
        let left_out = found.difference(stated).next();
        let made_up = stated.difference(found).next();
        let what = match (left_out, made_up) {
            (Some(index), _) => format!("leaves out record {index}"),
            (None, Some(index)) => format!("names record {index}, which is not about it"),
            (None, None) => continue,
        };
        let (said, wanted) = (stated.len(), found.len());
        let why = format!(
            "{name}: the ledger signed that {said} of {covered} records are about subject \
             {}; the log has {wanted}, and the statement {what}",
            subject.0
        );
        return Ok(Some(Verify::Fork { why }));
    }
    Ok(None)
}

static EMPTY: BTreeSet<u64> = BTreeSet::new();

type Found = BTreeMap<SubjectId, BTreeSet<u64>>;

/// Which of the first `covered` records are about these subjects.
fn about(subjects: &Found, log: &LogView, covered: u64) -> Result<Found, Store> {
    let mut found = Found::new();
    log.scan(0, |index, bytes| {
        if index >= covered {
            return ControlFlow::Break(());
        }
        // What does not decode was named by the replay.
        let entry = Entry::decode(bytes).ok();
        let own = entry
            .iter()
            .flat_map(|entry| &entry.signed.statement().subjects);
        for subject in own.filter(|subject| subjects.contains_key(*subject)) {
            found.entry(*subject).or_default().insert(index);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
