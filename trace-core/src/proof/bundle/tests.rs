//! A sound bundle is accepted; every other one, by whomever it was made, is
//! refused with the reason that it deserves.

mod admissible;
mod format;
mod world;

use super::*;
use crate::proof::checkpoint::Checkpoint;
use crate::proof::completeness::Completeness;
use crate::proof::note::{NoteSigner, sign_note};
use crate::record::rights;
use crate::record::section::Openings;
use crate::record::sign::Key;
use crate::record::{Body, Entry, Role, Statement, Status, SubjectId};
use world::{
    AUTHORITY, NUMBER, ORIGIN, PRODUCER, UNIT, World, certified, created, date, enrolled, entity,
    granted, registered, revoked, seed, superseded, unit, voided, with, withdrawn,
};

const TODAY: &str = "2026-02-03";

fn check(world: &World, bundle: &Bundle) -> Result<Verdict, Verify> {
    bundle.verify(&world.anchor(), &[], date(TODAY))
}

/// The refusal of the world's own bundle, which the ledger signed in earnest.
fn refused(world: &World) -> Verify {
    check(world, &world.bundle()).unwrap_err()
}

#[test]
fn a_sound_bundle_is_accepted_and_says_what_is_proved_and_what_is_stated() {
    let world = World::certified();
    let bundle = Bundle::decode(&world.bundle().encode()).unwrap();
    let verdict = check(&world, &bundle).unwrap();
    assert_eq!(verdict.judgement.status, Status::Valid);
    assert_eq!(verdict.about_unit, [7, 9].into());
    let indexes: Vec<_> = verdict.proved.iter().map(|record| record.index).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4, 5, 6, 7, 9]);
    let story: Vec<_> = verdict.story().collect();
    assert_eq!(
        story[1].body.kind().name,
        "conformity_certificate_2026_producer"
    );
    assert_eq!(story[1].signer, entity(PRODUCER));
    assert_eq!((story[1].role, story[1].hosted), (Role::Producer, true));
    assert_eq!(story[1].key, world.producer.id());

    let words = verdict.words(false).join("\n");
    let root = world.checkpoint().root;
    for wanted in [
        "Nothing on the ledger speaks against it",
        "Proved: 9 records are genuine, 2 of them about this code",
        &format!("stands in {ORIGIN} at size 10 (root {root})"),
        "admitted at 2026-02-02T10:40:09.000+08:00",
        "Stated by the operator, not proved: that at size 10 there is no other record",
        "Judged as of 2026-02-03",
        "2 of the records about this code were signed with keys that the ledger's operator keeps",
        "No witness was asked for",
    ] {
        assert!(words.contains(wanted), "{wanted:?} is not in:\n{words}");
    }
    let words = verdict.words(true).join("\n");
    for wanted in [
        "已证明:9 条记录真实,其中 2 条",
        "运营方声明(未经证明)",
        "判断日期 2026-02-03",
    ] {
        assert!(words.contains(wanted), "{wanted:?} is not in:\n{words}");
    }
}

#[test]
fn voided_superseded_and_expired_are_said() {
    let world = World::voided();
    let verdict = check(&world, &world.bundle()).unwrap();
    assert_eq!(verdict.judgement.status, Status::Voided);

    let world = World::certified();
    let late = world
        .bundle()
        .verify(&world.anchor(), &[], date("2026-02-11"));
    assert_eq!(late.unwrap().judgement.status, Status::CertificateExpired);

    let mut world = World::certified();
    let replaced = superseded((UNIT, NUMBER), world.hash(9), (UNIT + 2, "LF-0002"));
    world.append_producer(replaced);
    let verdict = check(&world, &world.bundle()).unwrap();
    assert_eq!(verdict.judgement.status, Status::Superseded);
    let to = Some((unit(UNIT + 2), "LF-0002".to_owned()));
    assert_eq!(verdict.judgement.replaced_by, to);
}

#[test]
fn a_code_without_records_is_unknown_by_the_operators_word() {
    let world = World::new();
    let subjects = [SubjectId::unit(unit(UNIT)), SubjectId::key(world.root.id())];
    let bundle = world.bundle_of(&world.completeness(&subjects.into()));
    let verdict = check(&world, &bundle).unwrap();
    assert_eq!(verdict.judgement.status, Status::Unknown);
    assert!(verdict.about_unit.is_empty());
}

#[test]
fn a_certificate_signed_with_a_key_compromised_before_is_disputed() {
    for (from, wanted) in [
        (10, Status::Valid),
        (9, Status::Disputed),
        (5, Status::Disputed),
    ] {
        let mut world = World::certified();
        world.append_authority(revoked(PRODUCER, world.producer.id(), Some(from)));
        let verdict = check(&world, &world.bundle()).unwrap();
        assert_eq!(verdict.judgement.status, wanted, "from {from}");
        let disputed = verdict.proved.iter().filter(|record| record.disputed);
        let wanted: Vec<u64> = [7, 9].into_iter().filter(|index| *index >= from).collect();
        assert_eq!(
            disputed.map(|record| record.index).collect::<Vec<_>>(),
            wanted
        );
    }
    // Nobody disputes what was signed before a key was enrolled, or is to come.
    for from in [4, 11] {
        let mut world = World::certified();
        world.append_authority(revoked(PRODUCER, world.producer.id(), Some(from)));
        let refused = refused(&world);
        assert!(
            matches!(refused, Verify::Inadmissible { index: 10, .. }),
            "from {from}"
        );
    }
    // Nor does a holder say so of its own key.
    let mut world = World::certified();
    world.append_producer(revoked(PRODUCER, world.producer.id(), Some(9)));
    assert!(refused(&world).to_string().contains("right_missing"));
}

#[test]
fn another_key_origin_or_first_leaf_is_another_ledger() {
    let world = World::certified();
    let bundle = world.bundle();
    let anchor = world.anchor();
    let key = |name: &str, seed_of: u8| VerifierKey::new(name, &seed(seed_of).public()).unwrap();
    for ledger_key in [key(ORIGIN, 8), key("other.example/trace", 9)] {
        let other = Anchor {
            ledger_key,
            ..anchor.clone()
        };
        let refused = bundle.verify(&other, &[], date(TODAY)).unwrap_err();
        assert!(matches!(refused, Verify::WrongLedger { .. }), "{refused}");
    }
    let other = Anchor {
        leaf0: Hash::ZERO,
        ..anchor
    };
    let refused = bundle.verify(&other, &[], date(TODAY)).unwrap_err();
    assert!(matches!(refused, Verify::WrongLedger { .. }), "{refused}");

    // The ledger's first record names another key than the anchor's.
    let world = World::opened_with(|body| body.ledger_key.0 = *seed(8).public().as_bytes());
    assert!(matches!(
        refused_opening(&world),
        Verify::WrongLedger { .. }
    ));
    // One root key of three agrees where two must.
    let mut world = World::new();
    let body = world.opening();
    world.root.resume(0, Hash::ZERO);
    let alone = world.root.sign(&body.into(), 1);
    let mut lone = World::new();
    lone.reset();
    lone.append(&alone);
    let refused = refused_opening(&lone).to_string();
    assert!(refused.contains("countersignature_missing"), "{refused}");
}

fn refused_opening(world: &World) -> Verify {
    let subjects = [SubjectId::unit(unit(UNIT)), SubjectId::key(world.root.id())];
    check(
        world,
        &world.bundle_of(&world.completeness(&subjects.into())),
    )
    .unwrap_err()
}

#[test]
fn a_witness_that_is_asked_for_must_have_signed_and_no_other_may() {
    let world = World::certified();
    let witness = NoteSigner::new("witness.example", seed(7)).unwrap();
    let own = world.bundle();
    let cosigned = Bundle {
        checkpoint: sign_note(&world.checkpoint().text(), &[&world.ledger, &witness]).unwrap(),
        ..own.clone()
    };
    let verify = |bundle: &Bundle, witnesses: &[VerifierKey]| {
        bundle.verify(&world.anchor(), witnesses, date(TODAY))
    };
    let asked = [witness.verifier_key().clone()];
    let verdict = verify(&cosigned, &asked).unwrap();
    assert_eq!(verdict.witnesses, ["witness.example"]);
    assert!(
        verdict
            .words(false)
            .join("\n")
            .contains("witnessed by witness.example")
    );
    let other = NoteSigner::new("witness.example", seed(6)).unwrap();
    for (bundle, witnesses) in [
        (&own, &asked[..]),
        (&cosigned, &[]),
        (&cosigned, &[other.verifier_key().clone()]),
    ] {
        let refused = verify(bundle, witnesses).unwrap_err();
        assert!(matches!(refused, Verify::WrongLedger { .. }), "{refused}");
    }
    // A witness alone does not speak for the ledger.
    let alone = Bundle {
        checkpoint: sign_note(&world.checkpoint().text(), &[&witness]).unwrap(),
        ..own
    };
    assert!(verify(&alone, &asked).is_err());
}

#[test]
fn a_record_left_out_though_listed_is_missed_whichever_it_is() {
    let mut world = World::voided();
    world.append_authority(revoked(PRODUCER, world.producer.id(), None));
    let statement = world.completeness(&world.subjects());
    let all: Vec<u64> = world
        .bundle()
        .records()
        .iter()
        .map(|record| record.index)
        .collect();
    assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);
    for left_out in &all {
        let rest = all.iter().copied().filter(|index| index != left_out);
        let refused = check(&world, &world.bundle_with(&statement, rest)).unwrap_err();
        assert!(
            matches!(refused, Verify::Incomplete { .. }),
            "{left_out}: {refused}"
        );
    }
}

#[test]
fn a_subject_of_which_nothing_is_stated_is_missed_whichever_it_is() {
    let world = World::voided();
    for left_out in world.subjects() {
        let mut subjects = world.subjects();
        subjects.remove(&left_out);
        // With all records at hand, and with only those that are listed.
        let statement = world.completeness(&subjects);
        let all = world
            .bundle()
            .records()
            .iter()
            .map(|record| record.index)
            .collect::<Vec<_>>();
        for bundle in [
            world.bundle_with(&statement, all),
            world.bundle_of(&statement),
        ] {
            let refused = check(&world, &bundle).unwrap_err();
            assert!(matches!(refused, Verify::Incomplete { .. }), "{refused}");
        }
    }
}

#[test]
fn a_void_withheld_with_a_false_statement_passes_as_the_operators_word_and_convicts_it() {
    let world = World::voided();
    let mut lie = world.completeness(&world.subjects());
    for list in lie.subjects.values_mut() {
        list.remove(&10);
    }
    let verdict = check(&world, &world.bundle_of(&lie)).unwrap();
    assert_eq!(verdict.judgement.status, Status::Valid);
    assert!(
        verdict
            .words(false)
            .join("\n")
            .contains("Stated by the operator, not proved")
    );
    // Whoever has the void as well holds two words of the ledger that disagree.
    let both = world
        .bundle()
        .records()
        .iter()
        .map(|record| record.index)
        .collect::<Vec<_>>();
    let refused = check(&world, &world.bundle_with(&lie, both)).unwrap_err();
    assert!(matches!(refused, Verify::Fork { .. }), "{refused}");
}

#[test]
fn a_record_in_the_place_of_another_is_refused() {
    let world = World::voided();
    let sound = world.bundle();
    let places = sound.records.len();
    for (a, b) in (0..places).flat_map(|a| (a + 1..places).map(move |b| (a, b))) {
        let mut swapped = sound.clone();
        swapped.records[a].index = sound.records[b].index;
        swapped.records[b].index = sound.records[a].index;
        swapped.records.swap(a, b);
        // Each record with its own proof, but at the other's index; then with
        // the proof of the index at which it is shown.
        assert!(check(&world, &swapped).is_err(), "{a} {b}");
        swapped.records[a].path = sound.records[a].path.clone();
        swapped.records[b].path = sound.records[b].path.clone();
        let refused = check(&world, &swapped).unwrap_err();
        let wanted = matches!(refused, Verify::Proof { .. } | Verify::WrongLedger { .. });
        assert!(wanted, "{a} {b}: {refused}");
    }
}

#[test]
fn checkpoint_and_statement_of_two_sizes_or_roots_are_refused() {
    let world = World::certified();
    let (earlier, sound) = (world.bundle(), World::voided());
    let later = sound.bundle();
    let mixed = Bundle {
        completeness: earlier.completeness.clone(),
        ..later.clone()
    };
    let refused = check(&sound, &mixed).unwrap_err();
    assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
    let mixed = Bundle {
        checkpoint: earlier.checkpoint.clone(),
        ..later.clone()
    };
    assert!(check(&sound, &mixed).is_err());

    let mut statement = sound.completeness(&sound.subjects());
    statement.checkpoint.root = Hash::ZERO;
    let forked = Bundle {
        completeness: statement.sign(&sound.ledger).unwrap(),
        ..later.clone()
    };
    let refused = check(&sound, &forked).unwrap_err();
    assert!(matches!(refused, Verify::Fork { .. }), "{refused}");

    let root = Checkpoint {
        root: Hash::ZERO,
        ..sound.checkpoint()
    };
    let checkpoint = root.sign(&sound.ledger).unwrap().note().to_owned();
    let refused = check(
        &sound,
        &Bundle {
            checkpoint,
            ..later.clone()
        },
    )
    .unwrap_err();
    assert!(matches!(refused, Verify::Proof { .. }), "{refused}");

    // Neither note stands for the other.
    for (checkpoint, completeness) in [
        (&later.completeness, &later.completeness),
        (&later.checkpoint, &later.checkpoint),
    ] {
        let (checkpoint, completeness) = (checkpoint.clone(), completeness.clone());
        let refused = check(
            &sound,
            &Bundle {
                checkpoint,
                completeness,
                ..later.clone()
            },
        );
        assert!(matches!(refused, Err(Verify::Malformed { .. })));
    }
}
