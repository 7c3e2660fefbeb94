//! A sound bundle is accepted; every other one, by whomever it was made, is
//! refused with the reason that it deserves.

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

fn inadmissible(world: &World) -> (u64, String) {
    match refused(world) {
        Verify::Inadmissible { index, why } => (index, why),
        other => panic!("{other}"),
    }
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
        assert_eq!(inadmissible(&world).0, 10, "from {from}");
    }
    // Nor does a holder say so of its own key.
    let mut world = World::certified();
    world.append_producer(revoked(PRODUCER, world.producer.id(), Some(9)));
    assert!(inadmissible(&world).1.starts_with("right_missing"));
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let world = World::voided();
    let (anchor, sound) = (world.anchor(), world.bundle().encode());
    let open = |bytes: &[u8]| Bundle::decode(bytes)?.verify(&anchor, &[], date(TODAY));
    assert!(open(&sound).is_ok());
    for length in 0..sound.len() {
        assert!(open(&sound[..length]).is_err(), "cut at {length}");
    }
    let mut flipped = sound.clone();
    for bit in 0..sound.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&flipped).is_err(), "bit {bit}");
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(flipped, sound);
}

#[test]
fn any_other_spelling_is_refused() {
    let sound = String::from_utf8(World::certified().bundle().encode()).unwrap();
    let code = unit(UNIT).to_string();
    for other in [
        format!("{sound}\n"),
        format!("{sound} "),
        sound.replacen(':', ": ", 1),
        sound.replacen(&code, &code.to_lowercase(), 1),
        sound.replacen(&code, &code.replace('-', ""), 1),
        sound.replacen("\\n", "\\u000a", 1),
        sound.replacen('—', "\\u2014", 1),
        sound.replacen("\"version\":1,", "", 1),
        sound.replacen("\"version\":1", "\"version\":1,\"version\":1", 1),
        sound.replacen("\"version\":1", "\"version\":1.0", 1),
        sound.replacen("\"version\":1", "\"version\":1,\"more\":[]", 1),
        sound.replacen("\"index\":0", "\"index\":00", 1),
        sound.replacen("\"index\":1,", "\"index\":0,", 1),
        sound.replacen("\"index\":1,", "\"index\":3,", 1),
        String::new(),
        "{}".into(),
        "[".repeat(100_000),
    ] {
        let refused = Bundle::decode(other.as_bytes()).unwrap_err();
        assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
    }
    let later = sound.replacen("\"version\":1", "\"version\":2,\"more\":[]", 1);
    let refused = Bundle::decode(later.as_bytes()).unwrap_err();
    assert!(matches!(refused, Verify::CannotCheck { .. }), "{refused}");
}

#[test]
fn what_is_too_large_is_neither_made_nor_read() {
    let record = |index, length| BundleRecord {
        index,
        entry: vec![0; length],
        path: Vec::new(),
    };
    let made = |records| Bundle::new(unit(UNIT), String::new(), String::new(), records);
    let rule = |records| made(records).unwrap_err().rule;
    let most = u64::try_from(BUNDLE_RECORDS_MAX).unwrap();
    assert!(made((0..most).map(|index| record(index, 1)).collect()).is_ok());
    assert_eq!(
        rule((0..=most).map(|index| record(index, 1)).collect()),
        Rule::TooLarge
    );
    assert_eq!(
        rule(vec![record(0, BUNDLE_BYTES_MAX / 4 * 3)]),
        Rule::TooLarge
    );
    assert_eq!(
        rule(vec![record(1, 1), record(0, 1), record(1, 2)]),
        Rule::Range
    );
    let refused = Bundle::decode(&vec![b' '; BUNDLE_BYTES_MAX + 1]).unwrap_err();
    assert!(matches!(refused, Verify::Malformed { .. }));
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

#[test]
fn a_right_that_comes_after_the_act_or_was_taken_before_it_does_not_count() {
    let starts = |world: &World, index: u64, code: &str| {
        let (found, why) = inadmissible(world);
        assert!(found == index && why.contains(code), "{found}: {why}");
    };
    // The grant after the act.
    let mut world = World::new();
    world.append_root(registered(AUTHORITY));
    world.append_root(enrolled(AUTHORITY, &seed(4), false));
    world.append_root(granted(AUTHORITY, Role::Authority));
    world.append_authority(registered(PRODUCER));
    world.append_authority(enrolled(PRODUCER, &seed(5), true));
    world.append_producer(created(UNIT));
    world.append_authority(granted(PRODUCER, Role::Producer));
    world.append_producer(certified(UNIT, NUMBER));
    starts(&world, 6, "right_missing");

    // The role, or that of the authority that granted it, was withdrawn before.
    let mut world = World::certified();
    world.append_authority(withdrawn(PRODUCER, Role::Producer));
    world.append_producer(voided(UNIT, NUMBER, world.hash(9)));
    starts(&world, 11, "right_missing");
    let mut world = World::certified();
    world.append_root(withdrawn(AUTHORITY, Role::Authority));
    world.append_authority(granted(PRODUCER, Role::Buyer));
    starts(&world, 11, "right_missing");

    // The key was revoked before; enrolling it again does not bring it back.
    let mut world = World::certified();
    world.append_authority(revoked(PRODUCER, world.producer.id(), None));
    world.append_producer(voided(UNIT, NUMBER, world.hash(9)));
    starts(&world, 11, "key_revoked");
    let mut world = World::certified();
    world.append_authority(revoked(PRODUCER, world.producer.id(), None));
    world.append_authority(enrolled(PRODUCER, &seed(5), true));
    starts(&world, 11, "key_enrolled_before");

    // A key that was enrolled for somebody without proof of having it.
    let mut world = World::certified();
    let mut stolen = enrolled(PRODUCER, &seed(6), false);
    if let Body::KeyEnrolled(body) = &mut stolen {
        body.possession_s.0[0] ^= 1;
    }
    world.append_authority(stolen);
    starts(&world, 10, "possession_unproved");

    // A root act by one root key alone.
    let mut world = World::certified();
    let alone = world.root.sign(&granted(AUTHORITY, Role::Operator), 1);
    world.append(&alone);
    starts(&world, 10, "countersignature_missing");

    // Somebody else certifies the unit, voids its certificate, or makes it anew.
    let other = 0x60;
    for body in [
        certified(UNIT, "LF-0009"),
        voided(UNIT, NUMBER, World::certified().hash(9)),
        created(UNIT),
    ] {
        let mut world = World::certified();
        world.append_authority(registered(other));
        world.append_authority(enrolled(other, &seed(6), false));
        world.append_authority(granted(other, Role::Producer));
        let mut chain = crate::record::Chain::new(world::origin(), seed(6));
        world.append(&chain.sign(&body, 1));
        let mut subjects = world.subjects();
        subjects.insert(SubjectId::signer(entity(other)));
        subjects.insert(SubjectId::key(chain.id()));
        subjects.insert(SubjectId::certificate("LF-0009"));
        let bundle = world.bundle_of(&world.completeness(&subjects));
        let refused = check(&world, &bundle).unwrap_err();
        assert!(
            matches!(refused, Verify::Inadmissible { index: 13, .. }),
            "{refused}"
        );
    }
}

#[test]
fn nobody_becomes_root_by_opening_the_ledger_again() {
    let mut world = World::certified();
    let mut body = world.opening();
    body.root_keys = vec![crate::record::wire::Bytes32(*seed(5).public().as_bytes())];
    body.policy.root_quorum = 1;
    let again = world.producer.sign(&body.into(), 1);

    // As the right to it is judged, by ledger and bundle alike.
    let mut governance = World::certified();
    let statement = governance.completeness(&governance.subjects());
    let note = statement.sign(&governance.ledger).unwrap();
    let stated = Completeness::open(&note, governance.ledger.verifier_key()).unwrap();
    let (origin, key) = (world::origin(), governance.ledger.verifier_key().public());
    let mut replay = replay::Replay::new(unit(UNIT), &origin, key, &stated);
    for (index, entry) in (0u64..).zip(&governance.entries) {
        replay.append(index, Entry::decode(entry).unwrap()).unwrap();
    }
    let verified = again
        .clone()
        .verify(&Key::parse(&seed(5).public()).unwrap())
        .unwrap();
    let claims = verified.body().claims(&Openings::default()).unwrap();
    let refused = rights::authorise(&replay, &verified, &claims).unwrap_err();
    assert_eq!(refused.rule, Rule::Right);
    // Nor may the root authority itself.
    let opening = governance.opening();
    let statement = governance.root.state(&opening.clone().into(), 1);
    let agreed = crate::record::chain::countersign(&seed(2), &statement, &opening.clone().into());
    let by_root = governance.root.sign(&with(opening.into(), vec![agreed]), 1);
    let verified = by_root
        .verify(&Key::parse(&seed(1).public()).unwrap())
        .unwrap();
    let refused = rights::authorise(&replay, &verified, &claims).unwrap_err();
    assert_eq!(refused.rule, Rule::Right);

    world.append(&again);
    assert_eq!(inadmissible(&world).0, 10);
}

#[test]
fn a_record_of_an_unknown_kind_cannot_be_checked() {
    let mut world = World::certified();
    let mut statement = world.producer.state(&created(UNIT), 1);
    statement.kind = 0x7abc;
    world.append(&statement.sign(&seed(5)));
    let refused = refused(&world);
    assert!(matches!(refused, Verify::CannotCheck { .. }), "{refused}");
    assert!(refused.to_string().contains("0x7abc"), "{refused}");
    // About another unit it concerns nobody here.
    let mut world = World::certified();
    let mut statement = world.producer.state(&created(UNIT + 1), 1);
    statement.kind = 0x7abc;
    world.append(&statement.sign(&seed(5)));
    assert!(check(&world, &world.bundle()).is_ok());
}

#[test]
fn sequences_and_links_of_one_key_are_held_to() {
    let sign = |sequence: u64, link: fn(&World) -> Hash| {
        let mut world = World::certified();
        let link = link(&world);
        world.producer.resume(sequence, link);
        let void = voided(UNIT, NUMBER, world.hash(9));
        world.append_producer(void);
        world
    };
    assert!(
        check(
            &sign(3, |world| world.hash(9)),
            &sign(3, |world| world.hash(9)).bundle()
        )
        .is_ok()
    );
    // Two records with one sequence, an older one, a wrong link.
    for world in [
        sign(2, |world| world.hash(8)),
        sign(0, |_| Hash::ZERO),
        sign(3, |world| world.hash(8)),
    ] {
        let (index, why) = inadmissible(&world);
        assert!(index == 10 && why.contains("sequence"), "{why}");
    }
    // A first record that is linked to something.
    let mut world = World::certified();
    world.authority.resume(0, Hash::of(&[b"x"]));
    let mut fresh = World::new();
    fresh.append_root(registered(AUTHORITY));
    fresh.append_root(enrolled(AUTHORITY, &seed(4), false));
    fresh.append_root(granted(AUTHORITY, Role::Authority));
    fresh.append(&world.authority.sign(&registered(PRODUCER), 1));
    assert_eq!(inadmissible(&fresh).0, 4);
}

#[test]
fn a_bad_signature_foreign_origin_or_earlier_time_in_the_log_is_refused() {
    // A signature by another key than the one that is named.
    let mut world = World::certified();
    let statement = world
        .producer
        .state(&voided(UNIT, NUMBER, world.hash(9)), 1);
    world.append(&statement.sign(&seed(6)));
    let found = refused(&world);
    assert!(matches!(found, Verify::Signature { .. }), "{found}");

    let mut world = World::certified();
    let void = voided(UNIT, NUMBER, world.hash(9));
    let statement = Statement {
        origin: "other.example/trace".parse().unwrap(),
        ..world.producer.state(&void, 1)
    };
    world.append(&statement.sign(&seed(5)));
    let found = refused(&world);
    assert!(matches!(found, Verify::WrongLedger { .. }), "{found}");

    let mut world = World::certified();
    let void = voided(UNIT, NUMBER, world.hash(9));
    let earlier = world.producer.sign(&void, 1).entry(1_769_999_999_999);
    world.append_entry(earlier);
    assert_eq!(inadmissible(&world).0, 10);

    // Subjects that do not follow from the body: a void that hides from its unit
    // is found by its certificate, and refused.
    let mut world = World::certified();
    let void = voided(UNIT, NUMBER, world.hash(9));
    let mut statement = world.producer.state(&void, 1);
    statement
        .subjects
        .retain(|subject| *subject == SubjectId::certificate(NUMBER));
    world.append(&statement.sign(&seed(5)));
    let (index, why) = inadmissible(&world);
    assert!(index == 10 && why.contains("subjects_wrong"), "{why}");
}

/// A unit that replaces another rests on a certificate of that other one.
#[test]
fn what_another_units_record_names_must_be_at_hand() {
    let mut world = World::certified();
    // The other unit's certificate is replaced by one of this unit.
    let certificate = world.append_producer(certified(UNIT + 1, "LF-0008"));
    let target = world.hash(10);
    world.append_producer(superseded((UNIT + 1, "LF-0008"), target, (UNIT, "LF-0010")));
    let mut subjects = world.subjects();
    subjects.insert(SubjectId::certificate("LF-0010"));
    let statement = world.completeness(&subjects);
    let refused = check(&world, &world.bundle_of(&statement)).unwrap_err();
    assert!(matches!(refused, Verify::Incomplete { .. }), "{refused}");
    let listed = world.bundle_of(&statement);
    let with_target = listed
        .records()
        .iter()
        .map(|record| record.index)
        .chain([certificate]);
    let verdict = check(&world, &world.bundle_with(&statement, with_target)).unwrap();
    assert_eq!(verdict.judgement.status, Status::Valid);
    assert_eq!(verdict.about_unit, [7, 9, 11].into());
}

#[test]
fn no_input_makes_the_verifier_panic() {
    let seed_of_run = fastrand::u64(..);
    println!("seed {seed_of_run}");
    let mut random = fastrand::Rng::with_seed(seed_of_run);
    for _ in 0..2_000 {
        let length = random.usize(..200);
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
            .take(length)
            .collect();
        assert!(Bundle::decode(&bytes).is_err());
    }
    // Entries of any bytes, which the ledger logged and signed: half of them a
    // real one with some bytes changed, cut or lengthened.
    let sound = World::voided();
    for _ in 0..300 {
        let mut world = World::certified();
        let mut entry = sound.entries[random.usize(..sound.entries.len())].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..entry.len());
            match random.u8(..4) {
                0 => entry.truncate(at.max(1)),
                1 => entry.insert(at, random.u8(..)),
                _ => entry[at] = random.u8(..),
            }
        }
        let statement = world.completeness(&world.subjects());
        let index = world.append_entry(entry);
        let statement = Completeness {
            checkpoint: world.checkpoint(),
            ..statement
        };
        let mut records: Vec<u64> = world
            .bundle_of(&statement)
            .records
            .iter()
            .map(|own| own.index)
            .collect();
        records.push(index);
        assert!(check(&world, &world.bundle_with(&statement, records)).is_err());
    }
}
