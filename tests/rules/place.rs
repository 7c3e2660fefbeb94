//! Where a record stands: in which ledger, at which sequence, behind which
//! record; what comes first; and what a request of several is.

use super::scene::{Scene, outcome, scenarios};
use std::sync::Arc;
use trace_core::error::Rule;
use trace_core::ledger::job::{Admitted, GROUP_RECORDS_MAX, Item, Job, JobRequest, Outcome};
use trace_core::ledger::opening::{self, Settings};
use trace_core::ledger::writer::Answered;
use trace_core::ledger::{Failed, Ledger};
use trace_core::record::chain::Chain;
use trace_core::record::section::Openings;
use trace_core::record::submission::Submission;
use trace_core::record::{Hash, Origin};
use trace_fixtures::stage::parts;
use trace_fixtures::{Who, World};

scenarios! {
    fn a_record_stands_at_the_next_sequence_behind_the_last_one(scene) {
        let unit = scene.world().unit();
        let right = scene.world().chain(Who::Producer).next();
        let (sequence, link) = right;
        for (wrong_sequence, wrong_link) in [
            (sequence + 1, link),
            (u64::MAX, link),
            (sequence, Hash::of(&[b"another"])),
            (sequence + 1, Hash::ZERO),
            (sequence + 7, Hash::of(&[b"another"])),
        ] {
            scene.world().chain(Who::Producer).resume(wrong_sequence, wrong_link);
            let refusal = scene.refuse_bare(Who::Producer, unit.clone(), Rule::Sequence);
            // The answer says where the chain stands: enough to sign again.
            let expected = refusal.expected.unwrap();
            assert_eq!((expected.sequence, expected.link), right);
        }
        scene.world().chain(Who::Producer).resume(sequence, link);
        let first = scene.record(Who::Producer, unit, Openings::default());

        // A second record of the same sequence is a fork of the chain.
        scene.world().chain(Who::Producer).resume(sequence, link);
        let other = scene.world().unit();
        let refusal = scene.refuse_bare(Who::Producer, other.clone(), Rule::Sequence);
        let expected = refusal.expected.unwrap();
        assert_eq!((expected.sequence, expected.link), (sequence + 1, first.hash()));
        scene.world().chain(Who::Producer).resume(expected.sequence, expected.link);
        scene.admit_bare(Who::Producer, other);
    }

    fn a_record_sent_again_is_the_same_entry_whatever_came_between(scene) {
        let unit = scene.world().unit();
        let submission = scene.world().sign_bare(Who::Producer, unit);
        let index = scene.stage.admit(submission.clone());
        let device = scene.device(Who::Producer, "between");
        let more = scene.world().unit();
        scene.admit_bare(Who::Producer, more);
        let size = scene.stage.view().size();
        let again = scene.stage.offer(submission.clone());
        let hash = submission.signed.hash();
        let wanted = Admitted { index, hash, is_duplicate: true };
        assert_eq!(again, Outcome::Admitted(wanted));
        assert_eq!(scene.stage.view().size(), size);
        // Even once the key is revoked: what was answered stays answered.
        let mine = scene.world().key_id(Who::Producer);
        let revoked = scene.world().key_revoked(Who::Producer, mine);
        scene.admit_bare(Who::CountyAuthority, revoked);
        assert_eq!(scene.stage.offer(submission), Outcome::Admitted(wanted));
        let unit = scene.world().unit();
        scene.refuse_bare(Who::Producer, unit, Rule::KeyRevoked);
        assert_eq!(device.next().0, 0);
    }

    fn a_record_of_another_ledger_is_refused_here(scene) {
        // The same people with the same keys, in a ledger of another name.
        let origin = Origin::parse("elsewhere.example/trace").unwrap();
        let mut elsewhere = World::with_origin(7, origin);
        elsewhere.now_ms = scene.world().now_ms;
        assert_eq!(elsewhere.key_id(Who::Producer), scene.world().key_id(Who::Producer));
        let unit = elsewhere.unit();
        let replayed = elsewhere.sign_bare(Who::Producer, unit.clone());
        scene.refuse_submission(replayed, Rule::WrongOrigin);
        scene.admit_bare(Who::Producer, unit);
    }

    fn a_request_is_admitted_record_by_record_or_whole(scene) {
        let mut signed = |count: usize| -> Vec<Submission> {
            let world = &mut scene.stage.world;
            (0..count).map(|_| { let unit = world.unit(); world.sign_bare(Who::Producer, unit) }).collect()
        };
        // The third is the first again under another hash: its code is taken.
        let mut three = signed(2);
        let body = three[0].signed.body().unwrap();
        three.push(scene.world().sign_bare(Who::Producer, body));
        let outcomes = scene.unchanged(Rule::Group, |scene| scene.request(three.clone(), true));
        let rules: Vec<Rule> =
            outcomes.into_iter().map(|it| outcome(it).unwrap_err().invalid.rule).collect();
        assert_eq!(rules, [Rule::Group, Rule::Group, Rule::UnitKnown]);

        let outcomes = scene.request(three.clone(), false);
        let indexes: Vec<_> = outcomes.into_iter().map(|it| outcome(it).ok()).collect();
        let first = indexes[0].unwrap();
        assert_eq!(indexes, [Some(first), Some(first + 1), None]);
        let last = three[2].signed.statement().clone();
        scene.world().chain(Who::Producer).resume(last.sequence, last.link);

        // Later records of a request build upon earlier ones, whole or not.
        let world = &mut scene.stage.world;
        let unit = world.unit();
        let created = world.sign_bare(Who::Producer, unit.clone());
        let (body, openings) = world.certificate(&unit);
        let certified = world.sign(Who::Producer, body, openings);
        let outcomes = scene.request(vec![created, certified], true);
        assert!(outcomes.iter().all(|it| matches!(it, Outcome::Admitted(_))));
    }

    fn a_request_has_a_most(scene) {
        let unit = scene.world().unit();
        let submission = scene.world().sign_bare(Who::Producer, unit);
        let item = scene.stage.ledger.verify(vec![submission]).pop().unwrap().unwrap();
        let job = |count| Job { items: vec![item.clone(); count], atomic: false, request: None };
        let refused = scene.unchanged(Rule::TooLarge, |scene| {
            scene.stage.ledger.submit_and_wait(job(GROUP_RECORDS_MAX + 1))
        });
        let Err(Failed::Invalid(invalid)) = refused else { panic!("taken") };
        assert_eq!(invalid.rule, Rule::TooLarge);
        // As many as may be are taken; here one record and its repetitions.
        let outcomes = scene.stage.ledger.submit_and_wait(job(GROUP_RECORDS_MAX)).unwrap().outcomes;
        assert_eq!(outcomes.len(), GROUP_RECORDS_MAX);
        let fresh = |it: &&Outcome| matches!(it, Outcome::Admitted(one) if !one.is_duplicate);
        assert_eq!(outcomes.iter().filter(fresh).count(), 1);
    }

    fn a_full_queue_is_said_to_be_full_and_loses_nothing(scene) {
        let unit = scene.world().unit();
        let submission = scene.world().sign_bare(Who::Producer, unit);
        let item = scene.stage.ledger.verify(vec![submission]).pop().unwrap().unwrap();
        let job = || Job { items: vec![item.clone()], atomic: false, request: None };
        // The first answer is not taken until the queue is full.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (answer, answers) = std::sync::mpsc::channel();
        let (enter, entered) = std::sync::mpsc::channel();
        let first = Box::new(move |_| {
            enter.send(()).unwrap();
            let _ = held.recv();
        });
        scene.stage.ledger.submit(job(), first).unwrap();
        // It is in the queue no more: all of that is for those who come now.
        entered.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        let mut taken = 0u64;
        let busy = loop {
            let answer = answer.clone();
            let reply = Box::new(move |it: Answered| answer.send(it.outcomes).unwrap());
            match scene.stage.ledger.submit(job(), reply) {
                Ok(()) => taken += 1,
                Err(invalid) => break invalid,
            }
        };
        assert_eq!(busy.rule, Rule::Busy);
        assert!(taken >= 4 * GROUP_RECORDS_MAX as u64, "{taken}");
        release.send(()).unwrap();
        drop(answer);
        assert_eq!(answers.iter().count() as u64, taken);
        scene.unchanged(Rule::Busy, |_| ());
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit);
    }

    fn what_is_asked_for_lies_within_the_ledger(scene) {
        let view = scene.stage.view();
        let size = view.size();
        let refused = |outcome: Option<Failed>| match outcome {
            Some(Failed::Invalid(invalid)) => invalid.rule,
            other => panic!("{other:?}"),
        };
        for beyond in [size, size + 1, u64::MAX] {
            assert_eq!(refused(view.entry(beyond).err()), Rule::Range);
            assert_eq!(refused(view.prove_inclusion(beyond, size).err()), Rule::Range);
        }
        assert_eq!(refused(view.prove_inclusion(0, size + 1).err()), Rule::Range);
        assert_eq!(refused(view.prove_consistency(1, size + 1).err()), Rule::Range);
        assert_eq!(refused(view.prove_consistency(size, 1).err()), Rule::Range);
        scene.unchanged(Rule::Range, |_| ());
        view.entry(size - 1).unwrap();
        view.prove_inclusion(size - 1, size).unwrap();
        view.prove_consistency(1, size).unwrap();
    }

    fn an_idempotency_key_names_one_request(scene) {
        let entity = scene.world().id(Who::Producer);
        let ask = |scene: &mut Scene, content: &[u8]| {
            let unit = scene.world().unit();
            let submission = scene.world().sign_bare(Who::Producer, unit);
            let statement = submission.signed.statement().clone();
            let items = scene.stage.ledger.verify(vec![submission]);
            let items: Vec<Item> = items.into_iter().map(Result::unwrap).collect();
            let request_hash = Hash::of(&[content]);
            let request = Some(JobRequest { entity, key: "harvest-1".into(), request_hash });
            let job = Job { items, atomic: true, request };
            let outcome = scene.stage.ledger.submit_and_wait(job).unwrap().outcomes.pop().unwrap();
            (outcome, statement)
        };
        let (Outcome::Admitted(first), _) = ask(scene, b"one") else { panic!("refused") };
        // The same request again is answered, not asked: nothing new is signed.
        let (Outcome::Admitted(again), unused) = ask(scene, b"one") else { panic!("refused") };
        assert_eq!((again.index, again.hash, again.is_duplicate), (first.index, first.hash, true));
        scene.world().chain(Who::Producer).resume(unused.sequence, unused.link);
        let (refused, unused) = scene.unchanged(Rule::IdempotencyReused, |scene| ask(scene, b"two"));
        assert_eq!(outcome(refused).unwrap_err().invalid.rule, Rule::IdempotencyReused);
        scene.world().chain(Who::Producer).resume(unused.sequence, unused.link);
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit);
    }

    fn nothing_is_signed_for_an_entity_without_a_hosted_key(scene) {
        let entity = scene.world().id(Who::Producer);
        let body = Box::new(scene.world().unit().into());
        let items = vec![Item::Hosted { entity, body, openings: Openings::default() }];
        let job = Job { items, atomic: false, request: None };
        let mut outcomes = scene.unchanged(Rule::KeyUnknown, |scene| {
            scene.stage.ledger.submit_and_wait(job).unwrap().outcomes
        });
        let refusal = outcome(outcomes.pop().unwrap()).unwrap_err();
        assert_eq!(refusal.invalid.rule, Rule::KeyUnknown);
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit);
    }

    fn nothing_comes_before_the_first_record(scene) {
        let folder = tempfile::TempDir::new().unwrap();
        let mut world = World::new(7);
        let sequencer =
            opening::create(folder.path(), Settings::default(), parts(&world)).unwrap();
        let now_ms = world.now_ms;
        let ledger =
            Ledger::start(sequencer, Arc::new(move || now_ms), |why| panic!("{why}")).unwrap();
        let before = ledger.view().checkpoint().note().to_owned();
        let submit = |submission: Submission, key| {
            // Its key is on no ledger yet, so the client's own is taken.
            let record = Box::new(submission.signed.verify(&key).unwrap());
            let items = vec![Item::Signed { record, openings: submission.openings }];
            let job = Job { items, atomic: false, request: None };
            outcome(ledger.submit_and_wait(job).unwrap().outcomes.pop().unwrap())
        };
        let unit = world.unit();
        let early = world.sign_bare(Who::Producer, unit);
        let refused = |submission: &Submission| {
            let mut verified = ledger.verify(vec![submission.clone()]);
            verified.pop().unwrap().unwrap_err().invalid.rule
        };
        assert_eq!(refused(&early), Rule::KeyUnknown);
        let key = world.key(Who::Producer);
        assert_eq!(submit(early, key).unwrap_err().invalid.rule, Rule::NotOpen);

        // The first record by somebody whom it does not name, and by too few.
        let opened = world.ledger_opened();
        let stranger = world.fresh_key("stranger");
        let mut chain = Chain::new(world.origin().clone(), stranger);
        let by_stranger = Submission::bare(chain.sign(&opened.clone().into(), now_ms));
        assert_eq!(refused(&by_stranger), Rule::KeyUnknown);
        let key = chain.key().key();
        assert_eq!(submit(by_stranger, key).unwrap_err().invalid.rule, Rule::Right);
        let alone =
            world.sign_countersigned(Who::Root, opened, Openings::default(), &[]);
        let key = world.key(Who::Root);
        let refusal = submit(alone, key).unwrap_err();
        assert_eq!(refusal.invalid.rule, Rule::Countersignature);
        assert_eq!(ledger.view().checkpoint().note(), before);

        let first = World::new(7).genesis().swap_remove(0);
        assert_eq!(submit(first, key).unwrap(), 0);
        scene.unchanged(Rule::NotOpen, |_| ());
    }
}
