//! Keys that are unknown, revoked or compromised, and what they leave disputed.

use super::scene::scenarios;
use trace_core::error::Rule;
use trace_core::ledger::bundling;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::record::kinds::key_revoked::RevocationReason;
use trace_core::record::section::Openings;
use trace_core::record::sign::{PublicKey, Signature};
use trace_core::record::submission::Submission;
use trace_core::record::{Signed, Status};
use trace_fixtures::Who;

scenarios! {
    fn a_key_signs_from_its_enrolment_to_its_revocation(scene) {
        let key = scene.world().fresh_key("second");
        let enrolled = scene.world().key_enrolled(Who::Producer, &key);
        let mut device = scene.chain(key);
        let next = device.next();
        let early = scene.world().unit();
        let submission = scene.sign_on(&mut device, early.clone());
        scene.refuse_submission(submission.clone(), Rule::KeyUnknown);

        scene.admit_bare(Who::CountyAuthority, enrolled);
        // The very same bytes, now that the key is known.
        scene.stage.admit(submission);
        assert_eq!(next.0 + 1, device.next().0);

        let revoked = scene.world().key_revoked(Who::Producer, device.id());
        scene.admit_bare(Who::Producer, revoked.clone());
        // Signed before, arriving after.
        let unit = scene.world().unit();
        let submission = scene.sign_on(&mut device, unit);
        scene.refuse_submission(submission, Rule::KeyRevoked);
        scene.refuse_bare(Who::Producer, revoked, Rule::KeyRevoked);
        // What stood before stands.
        let view = scene.stage.view();
        let now_ms = scene.world().now_ms;
        let mut lookup =
            Lookup::new(&view, scene.stage.ledger.vault(), Audience::Public, now_ms).unwrap();
        let status = lookup.unit(early.unit, 0, 10).unwrap().unwrap().status;
        assert_eq!(status, Status::Valid);
    }

    fn a_key_is_revoked_by_its_entity_or_an_authority_above_it(scene) {
        let device = scene.device(Who::Producer, "revoked");
        let revoked = scene.world().key_revoked(Who::Producer, device.id());
        scene.refuse_bare(Who::Cooperative, revoked.clone(), Rule::Right);
        scene.refuse_bare(Who::Operator, revoked.clone(), Rule::Right);
        let nobody = scene.world().fresh_key("nobody").public().id();
        let unknown = scene.world().key_revoked(Who::Producer, nobody);
        scene.refuse_bare(Who::Producer, unknown, Rule::KeyUnknown);
        // Under one's own name, the key of another.
        let others = scene.world().key_id(Who::Cooperative);
        let taken = scene.world().key_revoked(Who::Producer, others);
        scene.refuse_bare(Who::Producer, taken, Rule::KeyUnknown);
        scene.admit_bare(Who::Producer, revoked);
    }

    fn compromise_is_dated_by_an_authority_between_enrolment_and_now(scene) {
        let mut device = scene.device(Who::Producer, "stolen");
        let enrolled_index = scene.stage.view().size() - 1;
        let (before, after) = (scene.world().unit(), scene.world().unit());
        let signed = [&before, &after].map(|unit| scene.sign_on(&mut device, unit.clone()));
        let [kept_index, disputed_index] = signed.map(|submission| scene.stage.admit(submission));

        let mut revoked = scene.world().key_revoked(Who::Producer, device.id());
        revoked.reason = RevocationReason::Compromised;
        revoked.compromised_from_index = Some(disputed_index);
        scene.refuse_bare(Who::Producer, revoked.clone(), Rule::Right);
        scene.refuse_bare(Who::OtherCountyAuthority, revoked.clone(), Rule::Right);
        let mut too_early = revoked.clone();
        too_early.compromised_from_index = Some(enrolled_index - 1);
        scene.refuse_bare(Who::CountyAuthority, too_early, Rule::TargetUnknown);
        let mut not_yet = revoked.clone();
        not_yet.compromised_from_index = Some(scene.stage.view().size() + 1);
        scene.refuse_bare(Who::CountyAuthority, not_yet, Rule::TargetUnknown);
        scene.admit_bare(Who::CountyAuthority, revoked);

        // Disputed is what was signed from there on, and nothing earlier; the
        // same in the look-up and in the bundle.
        let (view, now_ms) = (scene.stage.view(), scene.world().now_ms);
        let (anchor, today) = (scene.stage.anchor(), scene.stage.today());
        for (unit, index, status) in [
            (&before, kept_index, Status::Valid),
            (&after, disputed_index, Status::Disputed),
        ] {
            let mut lookup =
                Lookup::new(&view, scene.stage.ledger.vault(), Audience::Public, now_ms).unwrap();
            let answer = lookup.unit(unit.unit, 0, 10).unwrap().unwrap();
            assert_eq!(answer.status, status);
            let disputed = answer.records.iter().filter(|record| record.is_disputed);
            let disputed: Vec<u64> = disputed.map(|record| record.index).collect();
            let wanted: Vec<u64> = (status == Status::Disputed).then_some(index).into_iter().collect();
            assert_eq!(disputed, wanted);
            let bundle = bundling::bundle(&view, scene.stage.ledger.signer(), unit.unit);
            let verdict = bundle.unwrap().unwrap().verify(&anchor, &[], today).unwrap();
            assert_eq!(verdict.judgement.status, status);
        }
    }

    fn a_signature_is_of_exactly_these_bytes_by_the_key_they_name(scene) {
        let unit = scene.world().unit();
        let submission = scene.world().sign_bare(Who::Producer, unit);
        let bytes = submission.signed.signed_bytes().to_vec();
        let mut flipped = *submission.signed.signature().as_bytes();
        flipped[0] ^= 1;
        let wrong = Signed::from_parts(&bytes, &Signature::from_bytes(flipped)).unwrap();
        scene.refuse_submission(Submission::bare(wrong), Rule::Signature);
        // A signature by another enrolled key.
        let other = scene.world().chain(Who::Cooperative).key().sign(&bytes);
        let wrong = Signed::from_parts(&bytes, &other).unwrap();
        scene.refuse_submission(Submission::bare(wrong), Rule::Signature);
        scene.stage.admit(submission);
    }

    fn a_key_is_enrolled_once_ever_by_who_holds_it(scene) {
        let key = scene.world().fresh_key("once");
        let enrolled = scene.world().key_enrolled(Who::Producer, &key);
        // The holder's proof is for one entity, one ledger and one key.
        let mut other_entity = enrolled.clone();
        other_entity.entity = scene.world().id(Who::Cooperative);
        scene.refuse_bare(Who::CountyAuthority, other_entity, Rule::Possession);
        let mut other_key = enrolled.clone();
        let public = scene.world().fresh_key("another").public();
        other_key.public_key.0 = *public.as_bytes();
        scene.refuse_bare(Who::CountyAuthority, other_key, Rule::Possession);
        let mut spoilt = enrolled.clone();
        spoilt.possession_s.0[0] ^= 1;
        scene.refuse_bare(Who::CountyAuthority, spoilt, Rule::Possession);
        let elsewhere = trace_core::record::Origin::parse("elsewhere.example/trace").unwrap();
        let id = scene.world().id(Who::Producer);
        let replayed = trace_fixtures::opening::key_enrolled(&elsewhere, id, &key, "2号设备");
        scene.refuse_bare(Who::CountyAuthority, replayed, Rule::Possession);

        scene.admit_bare(Who::CountyAuthority, enrolled.clone());
        scene.refuse_bare(Who::CountyAuthority, enrolled, Rule::KeyKnown);
        let again = scene.world().key_enrolled(Who::Cooperative, &key);
        scene.refuse_bare(Who::CountyAuthority, again.clone(), Rule::KeyKnown);
        // Not even after its revocation.
        let revoked = scene.world().key_revoked(Who::Producer, key.public().id());
        scene.admit_bare(Who::Producer, revoked);
        scene.refuse_bare(Who::CountyAuthority, again, Rule::KeyKnown);
        // A root key has its place in the first record.
        let root = scene.world().root_key(2);
        let root = scene.world().key_enrolled(Who::Producer, &root);
        scene.refuse_bare(Who::CountyAuthority, root, Rule::KeyKnown);
    }

    fn a_weak_key_is_enrolled_by_nobody(scene) {
        let key = scene.world().fresh_key("sound");
        let sound = scene.world().key_enrolled(Who::Producer, &key);
        // The identity, all ones, a point of order 8, a y that no x belongs to,
        // and the identity again, written above the prime.
        let mut weak = vec![[0; 32], [0xff; 32]];
        weak[0][0] = 1;
        for digits in [
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "0200000000000000000000000000000000000000000000000000000000000000",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            weak.push(trace_core::record::Hash::from_hex(digits).unwrap().into());
        }
        for bytes in weak {
            assert!(PublicKey::from_bytes(bytes).accept().is_err());
            let mut body = sound.clone();
            body.public_key.0 = bytes;
            scene.refuse_bare(Who::CountyAuthority, body, Rule::Key);
        }
        scene.admit(Who::CountyAuthority, sound, Openings::default());
    }
}
