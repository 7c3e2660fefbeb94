//! A rolled-back ledger is mended by exactly the entries that it signed, and by
//! no others.

use super::*;
use crate::ledger::audit::{AuditFailed, AuditReport, Options, audit};
use crate::ledger::backup::{backup, restore};
use crate::ledger::opening::{Opened, VAULT};
use crate::ledger::sequencer::Sequencer;
use crate::ledger::view::View;
use crate::ledger::world::World;
use tempfile::TempDir;

/// A ledger that came back older than its last checkpoint, and what it was.
struct Scene {
    world: World,
    _before: TempDir,
    sequencer: Sequencer,
    folder: TempDir,
    last: VerifiedCheckpoint,
}

fn sealed(view: &View, world: &World) -> Vec<u8> {
    let mut bytes = Vec::new();
    backup(view, &world.signer(), &mut bytes, &mut |_, _| {}).unwrap();
    bytes
}

impl Scene {
    /// 19 entries are left of 28.
    fn new() -> Self {
        let before = tempfile::tempdir().unwrap();
        let mut world = World::new(7);
        let mut sequencer = world.create(before.path());
        let goods = world.goods(3);
        world.admit(&mut sequencer, goods);
        let bytes = sealed(&sequencer.view(), &world);
        let goods = world.goods(3);
        world.admit(&mut sequencer, goods);
        let last = sequencer.view().checkpoint().clone();
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(before.path().join(VAULT), folder.path().join(VAULT)).unwrap();
        let (key, mut source) = (world.key(), bytes.as_slice());
        restore(
            &mut source,
            folder.path(),
            None,
            &key,
            Some(&last),
            &mut |_, _| {},
        )
        .unwrap();
        Self {
            world,
            _before: before,
            sequencer,
            folder,
            last,
        }
    }

    /// What clients hold: entries from their receipts, openings of their own.
    fn rows(&self) -> Vec<SuppliedRow> {
        let view = self.sequencer.view();
        let row = |index| {
            let entry = view.entry(index).unwrap().encode();
            let trade = view.trade_openings(index).unwrap().trade;
            SuppliedRow::new(index, entry, trade.as_ref())
        };
        (15..28).map(row).collect()
    }

    fn supply(&self, rows: Vec<SuppliedRow>) -> Result<Supplied, RestoreFailed> {
        supply(self.folder.path(), &self.last, rows.into_iter().map(Ok))
    }

    fn read_only(&self) -> String {
        match self.world.open(self.folder.path()) {
            Opened::ReadOnly { why, .. } => why,
            Opened::Writable(_) => panic!("opened for writing"),
        }
    }

    fn audit(&self) -> Result<AuditReport, AuditFailed> {
        let temporary = tempfile::tempdir().unwrap();
        let options = Options::new(self.world.key(), temporary.path().into());
        audit(self.folder.path(), &options, &mut |_, _| {})
    }
}

#[test]
fn a_rolled_back_ledger_says_what_it_lost_and_the_exact_entries_mend_it() {
    let mut scene = Scene::new();
    let why = scene.read_only();
    assert!(
        why.contains("covers 28") && why.contains("holds 19; 9 are missing"),
        "{why}"
    );
    let supplied = scene.supply(scene.rows()).unwrap();
    assert_eq!(supplied, Supplied { from: 19, to: 28 });
    let mut back = scene.world.open_writable(scene.folder.path());
    assert_eq!(back.view().checkpoint(), &scene.last);
    let goods = scene.world.goods(1);
    scene.world.admit(&mut back, goods);
    back.close().unwrap();
    let report = scene.audit().unwrap();
    // three certificates' personal sections came from no client
    assert_eq!(
        (
            report.size,
            report.personal_sections,
            report.personal_sections_gone
        ),
        (31, 4, 3)
    );
    let failed = scene.supply(scene.rows()).unwrap_err();
    assert!(
        failed.to_string().contains("nothing is missing"),
        "{failed}"
    );
}

#[test]
fn a_newer_backup_mends_it_with_personal_sections_and_a_changed_one_does_not() {
    let scene = Scene::new();
    let bytes = sealed(&scene.sequencer.view(), &scene.world);
    let key = scene.world.key();
    let mend = |bytes: &[u8]| {
        let mut source = bytes;
        let rows = rows_of_backup(BackupReader::open(&mut source, &key)?);
        supply(scene.folder.path(), &scene.last, rows)
    };
    for at in [bytes.len() - 300, bytes.len() - 700, bytes.len() - 10] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        mend(&changed).unwrap_err();
        assert!(scene.read_only().contains("holds 19"));
    }
    mend(&bytes).unwrap();
    scene
        .world
        .open_writable(scene.folder.path())
        .close()
        .unwrap();
    let report = scene.audit().unwrap();
    assert_eq!(
        (report.personal_sections, report.personal_sections_gone),
        (6, 0)
    );
}

#[test]
fn every_forged_supply_is_refused_and_nothing_of_it_is_written() {
    let scene = Scene::new();
    let sound = scene.rows();
    let refused = |rows: Vec<SuppliedRow>, wanted: &str| {
        let failed = scene.supply(rows).unwrap_err();
        assert!(failed.to_string().contains(wanted), "{failed}");
        assert!(scene.read_only().contains("holds 19; 9 are missing"));
    };
    // an admission time changed by a millisecond
    let mut rows = sound.clone();
    rows[6].0.entry[7] ^= 1;
    refused(rows, "fork");
    // two entries in each other's place
    let mut rows = sound.clone();
    let other = rows[8].0.entry.clone();
    rows[8].0.entry = std::mem::replace(&mut rows[11].0.entry, other);
    refused(rows, "fork");
    // one left out, the last left out, all left out
    let mut rows = sound.clone();
    rows.remove(9);
    refused(rows, "entry 24 of the 28");
    let mut rows = sound.clone();
    rows.pop();
    refused(rows, "entry 27 of the 28");
    refused(Vec::new(), "entry 19 of the 28");
    // a trade section that opens nothing, one that is missing, one too many
    let mut rows = sound.clone();
    let at = rows.iter().position(|row| row.0.index == 21).unwrap();
    let trade = rows[at].0.trade.clone().unwrap();
    rows[at].0.trade.as_mut().unwrap()[3] ^= 1;
    refused(rows, "section");
    let mut rows = sound.clone();
    rows[at].0.trade = None;
    refused(rows, "section");
    let mut rows = sound.clone();
    rows[at - 1].0.trade = Some(trade);
    refused(rows, "section");
    // a personal section that the record does not name
    let mut rows = sound.clone();
    rows[at].0.persons = vec![(0, vec![1; 40])];
    refused(rows, "personal section");
    // bytes that are no entry
    let mut rows = sound.clone();
    rows[at].0.entry.truncate(100);
    refused(rows, "21:");
    scene.supply(sound).unwrap();
}

#[test]
fn a_supply_cannot_mend_a_log_that_was_changed_before_it() {
    let scene = Scene::new();
    let path = scene.folder.path().join(LOG);
    let database = Database::open(&path, TABLES, Check::Quick, 1 << 20).unwrap();
    let mut nodes = database
        .snapshot()
        .unwrap()
        .get(log::TREE, 15)
        .unwrap()
        .unwrap();
    let last = nodes.len() - 1;
    nodes[last] ^= 1;
    database
        .write(|batch| batch.put(log::TREE, 15, &nodes))
        .unwrap();
    database.close().unwrap();
    let failed = scene.supply(scene.rows()).unwrap_err();
    assert!(
        matches!(failed, RestoreFailed::Verify(Verify::Fork { .. })),
        "{failed}"
    );
}

#[test]
fn a_ledger_in_use_is_not_supplied() {
    let scene = Scene::new();
    let path = scene.folder.path().join(LOG);
    let open = Database::open(&path, TABLES, Check::Quick, 1 << 20).unwrap();
    let failed = scene.supply(scene.rows()).unwrap_err();
    assert!(
        matches!(failed, RestoreFailed::Store(Store::Place { .. })),
        "{failed}"
    );
    open.close().unwrap();
    scene.supply(scene.rows()).unwrap();
}
