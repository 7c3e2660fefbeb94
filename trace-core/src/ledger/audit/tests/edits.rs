//! Edits of what is stored, each with checksums that hold, each named.

use super::*;

#[test]
fn a_changed_byte_of_an_entry_is_named_by_its_index() {
    let scene = Scene::new(3);
    let at = GENESIS + 4;
    let sound = scene.get(ENTRIES, at);
    for place in [0, 30, 120, sound.len() - 1] {
        let mut changed = sound.clone();
        changed[place] ^= 1;
        scene.put(ENTRIES, at, &changed);
        let damage = scene.damage();
        assert_eq!(damage.index, Some(at), "{place}: {damage}");
        assert!(damage.why.contains("leaf"), "{damage}");
    }
    scene.put(ENTRIES, at, &sound);
    scene.audit().unwrap();
}

#[test]
fn a_changed_entry_whose_tree_was_made_to_fit_fails_by_its_signature() {
    let scene = Scene::new(3);
    let at = GENESIS + 3;
    let mut entries = scene.entries(at);
    let last = entries[0].len() - 1;
    entries[0][last - 40] ^= 1;
    scene.rewrite(at, entries);
    let damage = scene.damage();
    assert_eq!(
        (damage.index, damage.rule),
        (Some(at), Some(Rule::Signature))
    );
    assert!(damage.hash.is_some());
}

#[test]
fn a_changed_admission_time_whose_tree_was_made_to_fit_is_back_dating_or_a_fork() {
    let scene = Scene::new(3);
    let at = GENESIS + 3;
    let sound = scene.entries(at);
    let mut back = sound.clone();
    back[0][..8].copy_from_slice(&1_778_000_000_000u64.to_be_bytes());
    scene.rewrite(at, back);
    let damage = scene.damage();
    assert_eq!(damage.index, Some(at));
    assert!(damage.why.contains("admitted at"), "{damage}");
    // later than it was, within what every rule allows: only the root tells
    let mut late = sound;
    for entry in &mut late {
        let stamp = u64::from_be_bytes(*entry.first_chunk().unwrap()) + 1;
        entry[..8].copy_from_slice(&stamp.to_be_bytes());
    }
    scene.rewrite(at, late);
    let failed = scene.audit().unwrap_err();
    assert!(matches!(failed, AuditFailed::Fork(_)), "{failed}");
    assert_eq!(failed.exit_code(), 4);
}

#[test]
fn a_dropped_tail_is_a_rollback_that_says_how_much_is_missing() {
    let scene = Scene::new(3);
    let size = GENESIS + 9;
    scene.drop_from(size - 4, size);
    let failed = scene.audit().unwrap_err();
    assert!(matches!(failed, AuditFailed::Rollback(_)), "{failed}");
    assert_eq!(failed.exit_code(), 3);
    let said = failed.to_string();
    assert!(
        said.contains(&format!("covers {size}")) && said.contains("4 are missing"),
        "{said}"
    );
}

#[test]
fn a_swapped_pair_is_named_with_and_without_a_tree_that_fits() {
    let scene = Scene::new(3);
    let at = GENESIS + 3;
    let mut entries = scene.entries(at);
    entries.swap(0, 1);
    let (first, second) = (entries[0].clone(), entries[1].clone());
    scene.put(ENTRIES, at, &first);
    scene.put(ENTRIES, at + 1, &second);
    assert_eq!(scene.damage().index, Some(at));
    scene.rewrite(at, entries);
    let damage = scene.damage();
    // the certificate came before the unit, by the same key
    assert_eq!(
        (damage.index, damage.rule),
        (Some(at), Some(Rule::Sequence)),
        "{damage}"
    );
}

#[test]
fn a_record_that_stands_twice_is_named() {
    let scene = Scene::new(2);
    let at = GENESIS + 3;
    let mut entries = scene.entries(at);
    entries[2] = entries[0].clone();
    scene.rewrite(at, entries);
    let damage = scene.damage();
    assert_eq!(damage.index, Some(at + 2));
    assert!(
        damage.why.contains(&format!("stands at index {at}")),
        "{damage}"
    );
}

#[test]
fn a_missing_entry_in_the_middle_and_rows_that_belong_to_none_are_named() {
    let scene = Scene::new(2);
    let gap = GENESIS + 2;
    let sound = scene.get(ENTRIES, gap);
    scene.edit(|database| {
        database.write(|batch| batch.delete(ENTRIES, gap)).unwrap();
    });
    assert_eq!(scene.damage().index, Some(gap));
    scene.put(ENTRIES, gap, &sound);
    for (table, key) in [(TREE, 500), (ANNEX, 500), (REQUESTS, 500), (VAULT, 500 * 8)] {
        scene.put(table, key, &[0; 32]);
        assert!(
            scene.damage().why.contains(&format!("row {key}")),
            "{}",
            scene.damage()
        );
        scene.edit(|database| {
            database.write(|batch| batch.delete(table, key)).unwrap();
        });
    }
    scene.put(VAULT, gap * 8, &[0; 32]);
    assert_eq!(scene.damage().index, Some(gap));
}

#[test]
fn a_changed_row_of_the_tree_is_named_at_its_leaf() {
    let scene = Scene::new(3);
    let at = GENESIS + 5; // index 15 completes four nodes above its leaf
    let sound = scene.get(TREE, at);
    assert_eq!(sound.len(), 5 * 32);
    for place in [0, 33, 159] {
        let mut changed = sound.clone();
        changed[place] ^= 1;
        scene.put(TREE, at, &changed);
        assert_eq!(scene.damage().index, Some(at));
    }
    scene.put(TREE, at, &sound[..128]);
    assert_eq!(scene.damage().index, Some(at));
    scene.edit(|database| {
        database.write(|batch| batch.delete(TREE, at)).unwrap();
    });
    assert_eq!(scene.damage().index, Some(at));
}

#[test]
fn a_changed_a_missing_and_an_added_opening_of_the_annex_are_named() {
    let scene = Scene::new(2);
    let at = GENESIS + 2;
    let sound = scene.get(ANNEX, at);
    let mut opening: Opening = encode::decode("annex", &sound).unwrap();
    opening.salt[0] ^= 1;
    scene.put(ANNEX, at, &encode::encode(&opening));
    let damage = scene.damage();
    assert_eq!((damage.index, damage.rule), (Some(at), Some(Rule::Section)));
    scene.edit(|database| {
        database.write(|batch| batch.delete(ANNEX, at)).unwrap();
    });
    assert_eq!(scene.damage().rule, Some(Rule::Section));
    scene.put(ANNEX, at, &sound);
    scene.put(ANNEX, at - 1, &sound);
    let damage = scene.damage();
    assert_eq!(
        (damage.index, damage.rule),
        (Some(at - 1), Some(Rule::Section))
    );
}

/// The derived tables' rows.
const ROWS: OrderedTable = OrderedTable("rows");

fn edit_index(scene: &Scene, edit: impl FnOnce(&Database)) {
    let tables = Tables {
        sequences: &[SequenceTable("state")],
        ordered: &[ROWS],
    };
    let path = scene.folder.path().join(INDEX);
    let database = Database::open(&path, tables, Check::Quick, 1 << 20).unwrap();
    edit(&database);
    database.close().unwrap();
}

#[test]
fn a_changed_a_missing_and_an_added_derived_row_are_named_by_their_key() {
    let scene = Scene::new(3);
    let key = crate::ledger::rows::chain(&scene.world.producer.id());
    let shown: String = key[1..].iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = format!("c:{shown}");
    let mut sound = Vec::new();
    edit_index(&scene, |database| {
        sound = database
            .snapshot()
            .unwrap()
            .get(ROWS, &*key)
            .unwrap()
            .unwrap();
        database
            .write(|batch| batch.put(ROWS, &key, &[0; 33]))
            .unwrap();
    });
    let damage = scene.damage();
    assert!(
        damage.why.contains(&shown) && damage.why.contains("another value"),
        "{damage}"
    );
    edit_index(&scene, |database| {
        database.write(|batch| batch.delete(ROWS, &key)).unwrap();
    });
    let damage = scene.damage();
    assert!(
        damage.why.contains(&shown) && damage.why.contains("missing"),
        "{damage}"
    );
    edit_index(&scene, |database| {
        database
            .write(|batch| batch.put(ROWS, &key, &sound))
            .unwrap();
    });
    scene.audit().unwrap();
    for extra in [&b""[..], b"a", b"h", b"zz"] {
        edit_index(&scene, |database| {
            database
                .write(|batch| batch.put(ROWS, extra, &[1]))
                .unwrap();
        });
        let damage = scene.damage();
        assert!(damage.why.contains("follows from no record"), "{damage}");
        edit_index(&scene, |database| {
            database.write(|batch| batch.delete(ROWS, extra)).unwrap();
        });
    }
}

#[test]
fn a_record_that_no_rule_allows_is_named_with_its_rule_although_all_else_fits() {
    let mut scene = Scene::new(1);
    let size = GENESIS + 3;
    // the cold store, which is no producer, says that it made something
    let unit = scene.world.unit();
    let Item::Signed { record, .. } = scene.world.created(unit) else {
        panic!()
    };
    let Body::UnitCreated(body) = record.body().clone() else {
        panic!()
    };
    let forged = scene
        .world
        .sign(Who::Store, UnitCreated { ..body }, Openings::default());
    let Item::Signed { record, .. } = forged else {
        panic!()
    };
    scene.rewrite(size, vec![record.entry(scene.world.now_ms)]);
    let damage = scene.damage();
    assert_eq!(
        (damage.index, damage.rule),
        (Some(size), Some(Rule::Right)),
        "{damage}"
    );
    assert_eq!(damage.hash, Some(record.hash()));
}

#[test]
fn a_record_by_a_key_that_is_enrolled_later_or_never_is_named() {
    let scene = Scene::new(1);
    // the producer's enrolment is record 5; its unit is moved before it
    let mut entries = scene.entries(4);
    let unit = entries[6].clone();
    entries.insert(0, unit);
    scene.rewrite(4, entries);
    let damage = scene.damage();
    assert_eq!(
        (damage.index, damage.rule),
        (Some(4), Some(Rule::KeyUnknown)),
        "{damage}"
    );
}
