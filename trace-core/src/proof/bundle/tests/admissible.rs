//! Records that stand in the log without the right to, though the ledger
//! signed for them.

use super::*;

fn inadmissible(world: &World) -> (u64, String) {
    match refused(world) {
        Verify::Inadmissible { index, why } => (index, why),
        other => panic!("{other}"),
    }
}

fn assert_starts(world: &World, index: u64, code: &str) {
    let (found, why) = inadmissible(world);
    assert!(found == index && why.contains(code), "{found}: {why}");
}

#[test]
fn a_right_that_comes_after_the_act_or_was_taken_before_it_does_not_count() {
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
    assert_starts(&world, 6, "right_missing");

    // The role, or that of the authority that granted it, was withdrawn before.
    let mut world = World::certified();
    world.append_authority(withdrawn(PRODUCER, Role::Producer));
    world.append_producer(voided(UNIT, NUMBER, world.hash(9)));
    assert_starts(&world, 11, "right_missing");
    let mut world = World::certified();
    world.append_root(withdrawn(AUTHORITY, Role::Authority));
    world.append_authority(granted(PRODUCER, Role::Buyer));
    assert_starts(&world, 11, "right_missing");

    // The key was revoked before; enrolling it again does not bring it back.
    let mut world = World::certified();
    world.append_authority(revoked(PRODUCER, world.producer.id(), None));
    world.append_producer(voided(UNIT, NUMBER, world.hash(9)));
    assert_starts(&world, 11, "key_revoked");
    let mut world = World::certified();
    world.append_authority(revoked(PRODUCER, world.producer.id(), None));
    world.append_authority(enrolled(PRODUCER, &seed(5), true));
    assert_starts(&world, 11, "key_enrolled_before");

    // A key that was enrolled for somebody without proof of having it.
    let mut world = World::certified();
    let mut stolen = enrolled(PRODUCER, &seed(6), false);
    if let Body::KeyEnrolled(body) = &mut stolen {
        body.possession_s.0[0] ^= 1;
    }
    world.append_authority(stolen);
    assert_starts(&world, 10, "possession_unproved");

    // A root act by one root key alone.
    let mut world = World::certified();
    let alone = world.root.sign(&granted(AUTHORITY, Role::Operator), 1);
    world.append(&alone);
    assert_starts(&world, 10, "countersignature_missing");
}

#[test]
fn a_unit_begins_once_and_only_who_made_it_certifies_and_voids() {
    for body in [
        certified(UNIT, "LF-0009"),
        voided(UNIT, NUMBER, World::certified().hash(9)),
        created(UNIT),
    ] {
        let mut world = World::certified();
        let mut other = world.append_other();
        world.append(&other.sign(&body, 1));
        let subjects = world.subjects_with_other("LF-0009");
        let bundle = world.bundle_of(&world.completeness(&subjects));
        let refused = check(&world, &bundle).unwrap_err();
        let wanted = matches!(refused, Verify::Inadmissible { index: 13, .. });
        assert!(wanted, "{refused}");
    }
    let mut world = World::governed();
    world.append_producer(certified(UNIT, NUMBER));
    assert_starts(&world, 7, "unit_unknown");
    let mut world = World::certified();
    world.append_producer(certified(UNIT, NUMBER));
    assert_starts(&world, 10, "certificate_number_used");

    // A code that the producer reserved for a replacement, made by another.
    for by_reserver in [true, false] {
        let mut world = World::governed();
        world.append_producer(created(UNIT + 1));
        world.append_producer(certified(UNIT + 1, "LF-0008"));
        let target = world.hash(8);
        let replaced = superseded((UNIT + 1, "LF-0008"), target, (UNIT, NUMBER));
        world.append_producer(replaced);
        let mut other = world.append_other();
        match by_reserver {
            true => world.append_producer(created(UNIT)),
            false => world.append(&other.sign(&created(UNIT), 1)),
        };
        let statement = world.completeness(&world.subjects_with_other("LF-0008"));
        let found = check(&world, &world.bundle_of(&statement));
        assert_eq!(found.is_ok(), by_reserver);
        if let Err(refused) = found {
            assert!(refused.to_string().contains("trace_code_used"), "{refused}");
        }
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
    let refused = rights::authorise(replay.established(), &verified, &claims).unwrap_err();
    assert_eq!(refused.rule, Rule::Right);
    // Nor may the root authority itself.
    let opening = governance.opening();
    let statement = governance.root.state(&opening.clone().into(), 1);
    let agreed = crate::record::chain::countersign(&seed(2), &statement, &opening.clone().into());
    let by_root = governance.root.sign(&with(opening.into(), vec![agreed]), 1);
    let verified = by_root
        .verify(&Key::parse(&seed(1).public()).unwrap())
        .unwrap();
    let refused = rights::authorise(replay.established(), &verified, &claims).unwrap_err();
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
