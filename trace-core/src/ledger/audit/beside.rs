//! What lies beside the log, against the log: every sealed segment's readings
//! under its record, what is not sealed, and every document under its name.
//!
//! A document that a record names may be gone, for persons may ask for that; so
//! it is counted. Readings may be gone where they were pruned, which the store
//! says of each segment; a store that is gone altogether is damage.

use super::{AuditFailed, Damage};
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::ledger::documents::DOCUMENTS;
use crate::ledger::folded::Folded;
use crate::ledger::readings::{Checked, READINGS_FILE, Readings, Segment, Settings};
use crate::ledger::{Failed, rows};
use crate::proof::readings::sealed_of;
use crate::record::Hash;
use crate::record::cold_chain::SegmentState;
use crate::rules::{ColdFacts, EvidenceFacts};
use crate::store::table::Check;
use std::path::Path;

/// The engine's cache while readings are checked.
const CACHE_BYTES: usize = 32 << 20;

/// What readings lie beside a sound ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadingsAudited {
    /// Segments whose readings are what their records bind.
    pub segments: u64,
    /// The readings in them.
    pub sealed: u64,
    /// Segments whose readings were taken away after their time.
    pub pruned_segments: u64,
    /// Readings that no record binds yet.
    pub unsealed: u64,
}

/// What documents lie beside a sound ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DocumentsAudited {
    /// There, whole, and named by a record.
    pub named: u64,
    /// There and whole, but no record names them: the next backup leaves them out.
    pub unnamed: u64,
    /// Named by a record, and not there: destroyed, or lost.
    pub gone: u64,
}

fn of_readings(why: String) -> AuditFailed {
    AuditFailed::damaged(format!("{READINGS_FILE}: {why}"))
}

/// Checks the readings in a copy at `path`; none is no file.
pub(super) fn readings(
    folded: &Folded,
    path: Option<&Path>,
) -> Result<ReadingsAudited, AuditFailed> {
    let mut found = ReadingsAudited::default();
    let Some(path) = path else {
        let mut bound = 0u64;
        folded.visit(rows::SEGMENTS, rows::SEGMENTS, |_, _| {
            bound += 1;
            true
        })?;
        return match bound {
            0 => Ok(found),
            _ => Err(of_readings(format!(
                "missing, and {bound} records bind readings in it; restore them from a backup"
            ))),
        };
    };
    let settings = Settings {
        cache_bytes: CACHE_BYTES,
        ..Settings::default()
    };
    let expected = |probe: &EquipmentId| match folded.equipment(probe) {
        Ok(state) => Ok(state.map_or(0, |state| state.next_segment)),
        Err(Failed::Store(error)) => Err(error),
        Err(Failed::Invalid(why)) => Err(Store::Damaged {
            what: format!("equipment {probe}: {why}"),
        }),
    };
    let store = Readings::open(path, settings, Check::Full, expected);
    let store = store.map_err(|error| match error {
        Store::Damaged { what } => of_readings(what),
        other => other.into(),
    })?;
    let mut failed = None;
    folded.values(
        rows::SEGMENTS,
        rows::SEGMENTS,
        usize::MAX,
        "segment",
        |_, state: SegmentState| {
            if failed.is_none() {
                failed = segment(&store, &state, &mut found).err();
            }
        },
    )?;
    if let Some(failed) = failed {
        return Err(failed);
    }
    found.unsealed = store.check_unsealed().map_err(|error| match error {
        Store::Damaged { what } => of_readings(what),
        other => other.into(),
    })?;
    Ok(found)
}

fn segment(
    store: &Readings,
    state: &SegmentState,
    found: &mut ReadingsAudited,
) -> Result<(), AuditFailed> {
    let SegmentState { segment, index } = state;
    let damaged = |why: String| {
        AuditFailed::Damaged(Box::new(Damage {
            index: Some(*index),
            hash: None,
            rule: None,
            why: format!("{READINGS_FILE}: {why}"),
        }))
    };
    let of_store = |error: Store| match error {
        Store::Damaged { what } => damaged(what),
        other => other.into(),
    };
    let (probe, number) = (&segment.probe, segment.number);
    let checked = store.check(probe, number, segment.count, &segment.root);
    match checked.map_err(of_store)? {
        Checked::Pruned => {
            found.pruned_segments += 1;
            return Ok(());
        }
        Checked::Sound => {}
    }
    let kept = store.segment(probe, number).map_err(of_store)?;
    let Some(Segment::Readings(readings)) = kept else {
        return Err(damaged(format!(
            "segment {number} of probe {probe} is gone"
        )));
    };
    let made = sealed_of(*probe, number, &readings);
    if made != *segment {
        return Err(damaged(format!(
            "the readings of segment {number} of probe {probe} are {made:?}, its record binds \
             {segment:?}"
        )));
    }
    found.segments += 1;
    found.sealed += u64::from(segment.count);
    Ok(())
}

/// Checks the documents in a ledger's folder, which is only read.
pub(super) fn documents(folded: &Folded, folder: &Path) -> Result<DocumentsAudited, AuditFailed> {
    let mut found = DocumentsAudited::default();
    let folder = folder.join(DOCUMENTS);
    let names = match std::fs::read_dir(&folder) {
        Ok(names) => names.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    for entry in names.map_err(Store::io("list", &folder))? {
        let name = entry.file_name();
        let Some(hash) = name.to_str().and_then(Hash::from_hex) else {
            continue; // what an interrupted storing left; opening removes it
        };
        let path = entry.path();
        let bytes = std::fs::read(&path).map_err(Store::io("read", &path))?;
        let made = Hash::of(&[&bytes]);
        if made != hash {
            let path = path.display();
            return Err(AuditFailed::damaged(format!(
                "document {path}: its bytes hash to {made}"
            )));
        }
        match folded.document(&hash) {
            Ok(Some(_)) => found.named += 1,
            Ok(None) => found.unnamed += 1,
            Err(Failed::Store(error)) => return Err(error.into()),
            Err(Failed::Invalid(why)) => return Err(AuditFailed::damaged(why.to_string())),
        }
    }
    let mut named = 0u64;
    folded.visit(rows::DOCUMENTS, rows::DOCUMENTS, |_, _| {
        named += 1;
        true
    })?;
    found.gone = named.saturating_sub(found.named);
    Ok(found)
}
