//! An audit finds one altered reading, a backup carries readings and documents,
//! and a restored ledger tells what the lost one told.

use super::store::{MINUTE_MS, Store};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use trace_core::ident::{EquipmentId, TraceCode};
use trace_core::ledger::audit::{AuditFailed, AuditReport, Damage, Options, audit};
use trace_core::ledger::backup::{Beside, RestoreFailed, backup_with, restore, verify_backup};
use trace_core::ledger::cold_chain::{Kept, kept};
use trace_core::ledger::documents::{DOCUMENTS, Documents};
use trace_core::ledger::opening::{self, LOG, Opened};
use trace_core::ledger::readings::{self, READINGS_FILE, Readings};
use trace_core::ledger::{LAST_CHECKPOINT, Settings};
use trace_core::proof::checkpoint::VerifiedCheckpoint;
use trace_core::proof::note::{NoteSigner, VerifierKey};
use trace_core::proof::readings::chunk;
use trace_core::record::Hash;
use trace_core::record::kinds::segment_sealed::SegmentSealed;
use trace_core::record::temperature::Reading;
use trace_core::rules::ColdFacts;
use trace_core::store::disk::RealDisk;
use trace_core::store::redb::Database;
use trace_core::store::table::{Check, Direction, OrderedTable, Tables};
use trace_fixtures::stage::parts;
use trace_fixtures::world_cold::minutely;
use trace_fixtures::{Who, World};

const CHUNKS: OrderedTable = OrderedTable("chunks");
const TABLES: Tables = Tables {
    sequences: &[],
    ordered: &[
        CHUNKS,
        OrderedTable("segments"),
        OrderedTable("spans"),
        OrderedTable("waiting"),
        OrderedTable("horizons"),
    ],
};

/// A store with two sealed segments of the first probe, a draft of the second and
/// readings that are not sealed.
fn sealed() -> Store {
    let mut store = Store::new();
    let (from_ms, probes) = (store.from_ms, store.probes.clone());
    store.wait(120);
    for probe in &probes {
        store.read(*probe, &minutely(from_ms, 170, 2_000));
    }
    store.seal(probes[0], from_ms + 79 * MINUTE_MS);
    store.seal(probes[0], from_ms + 139 * MINUTE_MS);
    store
        .readings
        .draft(&probes[1], 0, from_ms + 99 * MINUTE_MS)
        .unwrap();
    store
}

/// What is left when everything is closed.
struct Closed {
    folder: TempDir,
    world: World,
    key: VerifierKey,
    signer: NoteSigner,
    last: VerifiedCheckpoint,
    probe: EquipmentId,
    unit: TraceCode,
    kept: Kept,
}

impl Closed {
    fn of(store: Store) -> Self {
        let kept = store.kept();
        let (probe, unit) = (store.probes[0], store.unit);
        let last = store.stage.view().checkpoint().clone();
        let Store {
            stage, readings, ..
        } = store;
        readings.stop();
        drop(readings);
        let origin = stage.world.origin().as_str().to_owned();
        let signer = NoteSigner::new(&origin, stage.world.ledger_key()).unwrap();
        let (folder, world) = stage.close();
        Self {
            folder,
            key: signer.verifier_key().clone(),
            signer,
            world,
            last,
            probe,
            unit,
            kept,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn audit_of(&self, folder: &Path) -> Result<AuditReport, AuditFailed> {
        let temporary = tempfile::tempdir().unwrap();
        let options = Options::new(self.key.clone(), temporary.path().into());
        audit(folder, &options, &mut |_, _| {})
    }

    fn damage(&self) -> Damage {
        match self.audit_of(self.path()) {
            Err(AuditFailed::Damaged(damage)) => *damage,
            other => panic!("{other:?}"),
        }
    }

    /// Edits the second segment of the first probe through the engine, so that all
    /// its checksums hold.
    fn edit(&self, change: impl Fn(&mut Vec<Reading>)) {
        let path = self.path().join(READINGS_FILE);
        let database = Database::open(&path, TABLES, Check::Quick, 1 << 20).unwrap();
        let snapshot = database.snapshot().unwrap();
        let prefix = [&self.probe.as_bytes()[..], &1u64.to_be_bytes()].concat();
        let mut rows = snapshot
            .rows(CHUNKS, &prefix[..].., Direction::Forward)
            .unwrap();
        let row = rows.next_row().unwrap().unwrap();
        let key = row.key().to_vec();
        assert!(key.starts_with(&prefix));
        let mut readings = chunk::decode(&self.probe, row.value()).unwrap();
        change(&mut readings);
        let bytes = chunk::encode(&self.probe, &readings).unwrap();
        drop((row, rows, snapshot));
        database
            .write(|batch| batch.put(CHUNKS, &key, &bytes))
            .unwrap();
        database.close().unwrap();
    }

    /// How the ledger in a folder tells that the unit was kept.
    fn kept_in(&self, folder: &Path) -> Kept {
        let opened = opening::open(folder, Settings::default(), parts(&self.world)).unwrap();
        let Opened::Writable(sequencer) = opened else {
            panic!("opened read-only");
        };
        let view = sequencer.view();
        let path = folder.join(READINGS_FILE);
        let expected = |probe: &EquipmentId| {
            let state = view.folded().equipment(probe).unwrap();
            Ok(state.map_or(0, |state| state.next_segment))
        };
        let settings = readings::Settings::default();
        let readings = Readings::open(&path, settings, Check::Full, expected).unwrap();
        let kept = kept(&view, &readings, &self.unit, self.world.now_ms);
        let kept = kept.unwrap().unwrap();
        drop((view, readings));
        sequencer.close().unwrap();
        kept
    }

    /// A backup of everything in the folder.
    fn backup(&self) -> Vec<u8> {
        let opened = opening::open(self.path(), Settings::default(), parts(&self.world));
        let Opened::Writable(sequencer) = opened.unwrap() else {
            panic!("opened read-only");
        };
        let path = self.path().join(READINGS_FILE);
        let settings = readings::Settings::default();
        let readings = Readings::open(&path, settings, Check::Quick, |_| Ok(0)).unwrap();
        let documents = self.documents();
        let beside = Beside {
            readings: Some(&readings),
            documents: Some(&documents),
        };
        let mut bytes = Vec::new();
        let view = sequencer.view();
        let sealed = backup_with(
            &view,
            Some(beside),
            &self.signer,
            &mut bytes,
            &mut |_, _| {},
        )
        .unwrap();
        let count = sealed.beside.unwrap();
        assert!(count.reading_rows > 6, "{count:?}");
        assert_eq!((count.documents, count.unnamed), (1, 1));
        // The one that no record names is not read back: it is not in it.
        let mut read = verify_backup(&mut &*bytes, &self.key).unwrap();
        read.beside.as_mut().unwrap().unnamed = 1;
        assert_eq!(read, sealed);
        drop((view, readings));
        sequencer.close().unwrap();
        bytes
    }

    fn documents(&self) -> Documents {
        Documents::open(Arc::new(RealDisk), &self.path().join(DOCUMENTS)).unwrap()
    }

    fn restore(&self, bytes: &[u8], folder: &Path) -> Result<(), RestoreFailed> {
        let last = Some(&self.last);
        restore(&mut &*bytes, folder, None, &self.key, last, &mut |_, _| {}).map(|_| ())
    }
}

fn pdf(title: &str) -> Vec<u8> {
    format!("%PDF-1.4\n% made up: {title}\ntrailer<<>>\n%%EOF\n").into_bytes()
}

#[test]
fn an_audit_passes_sound_readings_and_says_how_many() {
    let closed = Closed::of(sealed());
    let report = closed.audit_of(closed.path()).unwrap();
    let found = report.readings;
    assert_eq!((found.segments, found.sealed), (2, 140));
    // The draft has no record: it is not sealed.
    assert_eq!((found.unsealed, found.pruned_segments), (30 + 170, 0));
    assert_eq!(report.kinds["segment_sealed"], 2);
}

#[test]
fn one_altered_reading_is_found_by_its_segment_although_every_checksum_holds() {
    let changes: [fn(&mut Vec<Reading>); 4] = [
        |it| it[7].temperature_milli_c += 1,
        |it| it[7].at_ms += 1,
        |it| {
            it.retain({
                let gone = it[7];
                move |it| *it != gone
            })
        },
        |it| {
            it.insert(
                8,
                Reading {
                    at_ms: it[7].at_ms + 1,
                    ..it[7]
                },
            )
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let closed = Closed::of(sealed());
        closed.edit(change);
        let damage = closed.damage();
        let wanted = format!("segment 1 of probe {}", closed.probe);
        assert!(damage.why.contains(&wanted), "change {place}: {damage}");
        assert!(damage.index.is_some(), "{damage}");
    }
}

#[test]
fn a_record_that_tells_other_ends_than_its_readings_is_named() {
    let mut store = sealed();
    let (from_ms, probe) = (store.from_ms, store.probes[0]);
    let draft = store.readings.draft(&probe, 2, from_ms + 150 * MINUTE_MS);
    let mut segment = draft.unwrap().unwrap();
    segment.lowest_milli_c -= 1;
    let index = store.say(Who::ColdStore, SegmentSealed::of(segment, None));
    store.readings.confirm(&probe, 2).unwrap();
    let damage = Closed::of(store).damage();
    assert_eq!(damage.index, Some(index), "{damage}");
    assert!(damage.why.contains("its record binds"), "{damage}");
}

#[test]
fn readings_that_are_gone_or_torn_are_damage_and_a_document_that_is_another_too() {
    let closed = Closed::of(sealed());
    let path = closed.path().join(READINGS_FILE);
    let sound = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let damage = closed.damage();
    assert!(
        damage.why.contains("missing, and 2 records bind"),
        "{damage}"
    );
    std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    let damage = closed.damage();
    assert!(damage.why.contains(READINGS_FILE), "{damage}");
    std::fs::write(&path, &sound).unwrap();

    let stored = closed.documents().put(&pdf("a")).unwrap();
    let report = closed.audit_of(closed.path()).unwrap();
    let found = report.documents;
    assert_eq!((found.named, found.unnamed, found.gone), (0, 1, 0));
    let path = closed.path().join(DOCUMENTS).join(stored.hash.to_string());
    std::fs::write(&path, pdf("b")).unwrap();
    let damage = closed.damage();
    assert!(damage.why.contains(&stored.hash.to_string()), "{damage}");
}

/// A closed ledger with a document that a record names and one that none does.
fn with_documents() -> (Closed, Hash, Hash) {
    let mut store = sealed();
    let (named, unnamed) = (pdf("calibration"), pdf("nobody's"));
    let mut body = store.stage.world.calibrated(store.probes[0]);
    body.document = Some(Hash::of(&[&named]));
    store.say(Who::ColdStore, body);
    let closed = Closed::of(store);
    let documents = closed.documents();
    let named = documents.put(&named).unwrap().hash;
    let unnamed = documents.put(&unnamed).unwrap().hash;
    (closed, named, unnamed)
}

#[test]
fn a_restored_ledger_gives_the_same_verdicts_and_has_every_document_that_is_named() {
    let (closed, named, unnamed) = with_documents();
    let bytes = closed.backup();
    let to = tempfile::tempdir().unwrap();
    closed.restore(&bytes, to.path()).unwrap();
    let report = closed.audit_of(to.path()).unwrap();
    assert_eq!(
        (report.readings.segments, report.readings.unsealed),
        (2, 30 + 170)
    );
    assert_eq!((report.documents.named, report.documents.unnamed), (1, 0));
    assert_eq!(closed.kept_in(to.path()), closed.kept);
    let documents = Documents::open(Arc::new(RealDisk), &to.path().join(DOCUMENTS)).unwrap();
    assert!(documents.read(&named).unwrap().is_some());
    assert!(documents.read(&unnamed).unwrap().is_none());
    // It is made once, and nothing of the restoring is left.
    let left: Vec<_> = std::fs::read_dir(to.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("restoring") || name.contains("building"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(to.path().join(LAST_CHECKPOINT).exists());
    // Readings that lie in a folder are never replaced.
    let to = tempfile::tempdir().unwrap();
    std::fs::write(to.path().join(READINGS_FILE), b"somebody's").unwrap();
    let failed = closed.restore(&bytes, to.path()).unwrap_err();
    assert!(failed.to_string().contains("move them away"), "{failed}");
    assert!(!to.path().join(LOG).exists());
}

#[test]
fn a_backup_of_which_a_reading_or_a_document_was_altered_restores_nothing() {
    let (closed, ..) = with_documents();
    let bytes = closed.backup();
    let begins = bytes.len() - bytes.len() / 3;
    let refused = |bytes: &[u8]| {
        let outcome = verify_backup(&mut &*bytes, &closed.key);
        assert!(
            matches!(outcome, Err(RestoreFailed::Verify(_))),
            "{outcome:?}"
        );
    };
    // The last third: documents, readings and the seal.
    let mut altered = bytes.clone();
    for at in begins..bytes.len() {
        altered[at] ^= 1 << (at % 8);
        refused(&altered);
        altered[at] = bytes[at];
    }
    for cut in (begins..bytes.len()).step_by(3) {
        refused(&bytes[..cut]);
    }
    let to = tempfile::tempdir().unwrap();
    for at in (begins..bytes.len()).step_by(bytes.len() / 30) {
        altered[at] ^= 0x10;
        let failed = closed.restore(&altered, to.path()).unwrap_err();
        let why = failed.to_string();
        assert!(matches!(failed, RestoreFailed::Verify(_)), "{at}: {why}");
        assert_eq!(
            std::fs::read_dir(to.path()).unwrap().count(),
            0,
            "{at}: {why}"
        );
        altered[at] = bytes[at];
    }
    closed.restore(&bytes, to.path()).unwrap();
}
