//! Corrections: who must agree, what is carried over, what is never created.

use super::custody::{certified, give, pass, unit};
use super::lineage::{split, status};
use super::scene::{Scene, scenarios};
use super::sets::under_set;
use trace_core::error::Rule;
use trace_core::ledger::audit;
use trace_core::ledger::lineage;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::record::kinds::electronic_traceability_certificate::ElectronicTraceabilityCertificate;
use trace_core::record::kinds::sampling_failed::SamplingFailed;
use trace_core::record::kinds::superseded::Superseded;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::section::Openings;
use trace_core::record::{Hash, Signed, Status};
use trace_fixtures::Who;
use trace_fixtures::official::residue;

/// A certificate of a unit, replaced by one for so much; not yet said.
pub fn correction(
    scene: &mut Scene,
    certificate: &Signed,
    onto: &UnitCreated,
    text: &str,
) -> (Superseded, ElectronicTraceabilityCertificate, Openings) {
    let superseded = scene.world().superseded(certificate, onto.unit);
    let (mut body, openings) = scene.world().certificate(onto);
    body.0.number = superseded.replacement_number.clone();
    body.0.quantity = text.parse().unwrap();
    (superseded, body, openings)
}

/// So much goes on under a certificate.
pub fn under(
    scene: &mut Scene,
    unit: &UnitCreated,
    number: &str,
    from: Who,
    to: Who,
    text: &str,
) -> Signed {
    let (mut body, openings) = scene.world().handed_over(unit.unit, to, text);
    body.certificate = Some(number.to_owned());
    scene.record(from, body, openings)
}

pub fn refuse_under(
    scene: &mut Scene,
    unit: &UnitCreated,
    number: &str,
    from: Who,
    text: &str,
    rule: Rule,
) {
    let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Household, text);
    body.certificate = Some(number.to_owned());
    scene.refuse(from, body, openings, rule);
}

pub fn arrives(scene: &mut Scene, unit: &UnitCreated, given: &Signed, who: Who, text: &str) {
    let (body, openings) = scene.world().received(unit.unit, given, text);
    scene.admit(who, body, openings);
}

/// What the look-up says of a correction.
fn told(scene: &mut Scene, unit: &UnitCreated) -> (String, String) {
    let view = scene.stage.view();
    let now_ms = scene.world().now_ms;
    let mut lookup =
        Lookup::new(&view, scene.stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(unit.unit, 0, 10).unwrap().unwrap();
    let line = answer
        .reasons
        .iter()
        .find(|reason| reason.check == "correction");
    let line = line.unwrap();
    (line.words.clone(), line.words_zh.clone())
}

scenarios! {
    fn before_anybody_received_the_issuer_corrects_alone_and_what_went_is_carried_over(scene) {
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        let given = under(scene, &unit, &number, Who::Producer, Who::Buyer, "400 斤");
        let (superseded, body, openings) = correction(scene, &certificate, &unit, "399 斤");
        scene.admit_bare(Who::Producer, superseded);
        let new = body.0.number.clone();
        // Less than is on its way cannot be what it was.
        let refusal = scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::CertificateSpent);
        assert!(refusal.invalid.what.contains(&given.hash().to_string()), "{}", refusal.invalid);
        let mut body = body;
        body.0.quantity = "900 斤".parse().unwrap();
        scene.admit(Who::Producer, body, openings);
        // 500 of its 900 are left, whatever is left of the goods.
        refuse_under(scene, &unit, &new, Who::Producer, "501 斤", Rule::CertificateSpent);
        refuse_under(scene, &unit, &number, Who::Producer, "1 斤", Rule::TargetNotStanding);
        under(scene, &unit, &new, Who::Producer, Who::Household, "500 斤");
        refuse_under(scene, &unit, &new, Who::Producer, "1 斤", Rule::CertificateSpent);
        // What was on its way arrives under the new one.
        arrives(scene, &unit, &given, Who::Buyer, "400 斤");
        under(scene, &unit, &new, Who::Buyer, Who::Cooperative, "400 斤");
    }

    fn under_set_2_what_goods_went_under_is_not_replaced(scene) {
        *scene = under_set(2);
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        under(scene, &unit, &number, Who::Producer, Who::Buyer, "400 斤");
        let (superseded, ..) = correction(scene, &certificate, &unit, "900 斤");
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::CertificateSpent);
        let adopted = scene.world().rule_set_adopted(3);
        scene.admit_bare(Who::Root, adopted);
        scene.admit_bare(Who::Producer, superseded);
    }

    fn after_receipt_the_receivers_agree_to_exactly_what_will_change(scene) {
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        let given = under(scene, &unit, &number, Who::Producer, Who::Buyer, "400 斤");
        arrives(scene, &unit, &given, Who::Buyer, "400 斤");
        let given = under(scene, &unit, &number, Who::Producer, Who::Cooperative, "100 斤");
        arrives(scene, &unit, &given, Who::Cooperative, "100 斤");
        let (superseded, body, openings) = correction(scene, &certificate, &unit, "800 斤");
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::AgreementMissing);
        let agreed = scene.world().correction_agreed(&superseded, &body.clone().into());
        // Not by somebody who received nothing, nor to less than went.
        scene.refuse_bare(Who::ColdStore, agreed.clone(), Rule::Right);
        scene.refuse_bare(Who::OtherCountyAuthority, agreed.clone(), Rule::Right);
        let mut less = agreed.clone();
        less.quantity = "499 斤".parse().unwrap();
        scene.refuse_bare(Who::Buyer, less, Rule::CertificateSpent);
        let mut other = agreed.clone();
        other.target = Hash::of(&[b"another"]);
        scene.refuse_bare(Who::Buyer, other, Rule::TargetUnknown);
        let mut taken = agreed.clone();
        taken.replacement_number = certified_more(scene, &unit);
        scene.refuse_bare(Who::Buyer, taken, Rule::NumberUsed);
        scene.admit_bare(Who::Buyer, agreed.clone());
        // One of two agreed; the other agrees to the same or not at all.
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::AgreementMissing);
        let mut differs = agreed.clone();
        differs.terms = Hash::of(&[b"other terms"]);
        scene.refuse_bare(Who::Cooperative, differs, Rule::CorrectionDiffers);
        scene.admit_bare(Who::Cooperative, agreed.clone());
        // The agreement is to this replacement alone.
        let mut elsewhere = superseded.clone();
        elsewhere.replacement_number = format!("{}-2", &superseded.replacement_number[..20]);
        scene.refuse_bare(Who::Producer, elsewhere, Rule::AgreementMissing);
        scene.admit_bare(Who::Producer, superseded.clone());
        // It is spent with that: nobody agrees again, nothing is replaced again.
        scene.refuse_bare(Who::Buyer, agreed, Rule::TargetNotStanding);
        scene.refuse_bare(Who::Producer, superseded, Rule::TargetNotStanding);
        // And what is issued says what was agreed, to the letter.
        let mut more = body.clone();
        more.0.quantity = "850 斤".parse().unwrap();
        scene.refuse(Who::Producer, more, openings.clone(), Rule::CorrectionDiffers);
        let mut renamed = body.clone();
        renamed.0.product = "韭黄".into();
        scene.refuse(Who::Producer, renamed, openings.clone(), Rule::CorrectionDiffers);
        let new = body.0.number.clone();
        scene.admit(Who::Producer, body, openings);
        refuse_under(scene, &unit, &new, Who::Producer, "301 斤", Rule::CertificateSpent);
        under(scene, &unit, &new, Who::Buyer, Who::Household, "400 斤");
        refuse_under(scene, &unit, &new, Who::Buyer, "1 斤", Rule::NotHolder);
    }

    fn an_inspector_agrees_for_all_receivers(scene) {
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        let given = under(scene, &unit, &number, Who::Producer, Who::Buyer, "400 斤");
        arrives(scene, &unit, &given, Who::Buyer, "400 斤");
        let (superseded, body, openings) = correction(scene, &certificate, &unit, "800 斤");
        let agreed = scene.world().correction_agreed(&superseded, &body.clone().into());
        scene.admit_bare(Who::CountyAuthority, agreed);
        scene.admit_bare(Who::Producer, superseded);
        scene.admit(Who::Producer, body, openings);
        // The certificate stands; nothing of the correction is left to say.
        assert_eq!(status(scene, unit.unit), Status::Valid);
    }

    fn the_old_code_leads_to_the_new_certificate_and_says_what_changed(scene) {
        let unit = unit(scene);
        let (_, certificate) = certified(scene, &unit);
        let right = scene.world().unit();
        let (superseded, mut body, openings) = correction(scene, &certificate, &right, "900 斤");
        body.0.product = "韭黄".into();
        let mut right = right;
        right.product = "韭黄".into();
        scene.admit_bare(Who::Producer, superseded);
        assert_eq!(status(scene, unit.unit), Status::Superseded);
        scene.admit_bare(Who::Producer, right.clone());
        scene.admit(Who::Producer, body, openings);
        assert_eq!(status(scene, unit.unit), Status::Superseded);
        assert_eq!(status(scene, right.unit), Status::Valid);
        let (words, words_zh) = told(scene, &unit);
        assert!(words.contains("quantity 1000 斤 → 900 斤"), "{words}");
        assert!(words_zh.contains("已更正") && words_zh.contains("→ 韭黄"), "{words_zh}");
    }

    fn a_unit_described_anew_takes_over_what_is_left_and_creates_nothing(scene) {
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        pass(scene, &unit, Who::Producer, Who::Buyer, "100 斤");
        under(scene, &unit, &number, Who::Producer, Who::Buyer, "300 斤");
        let mut right = scene.world().unit();
        right.product = "韭黄".into();
        let (superseded, mut body, openings) = correction(scene, &certificate, &right, "880 斤");
        body.0.product = "韭黄".into();
        scene.admit_bare(Who::Producer, superseded);
        for (text, rule) in [
            ("900.002 斤", Rule::QuantityExceeded),
            ("299 斤", Rule::QuantityExceeded),
            ("500 件", Rule::QuantityUnit),
        ] {
            let mut wrong = right.clone();
            wrong.quantity = text.parse().unwrap();
            scene.refuse_bare(Who::Producer, wrong, rule);
        }
        // Nor does it come of others beside.
        let other = self::unit(scene);
        let mut output = scene.world().output(&other);
        output.unit = right.unit;
        let (body_of_split, trade) = scene.world().transformed(
            trace_core::record::movement::Process::Split,
            &[(other.unit, "1 斤")],
            vec![(output, "1 斤")],
            None,
        );
        scene.refuse(Who::Producer, body_of_split, trade, Rule::UnitKnown);
        right.quantity = "880 斤".parse().unwrap();
        scene.admit_bare(Who::Producer, right.clone());
        scene.admit(Who::Producer, body, openings);
        let view = scene.stage.view();
        let old = lineage::balance(&view, unit.unit).unwrap().unwrap();
        let new = lineage::balance(&view, right.unit).unwrap().unwrap();
        assert!(old.balance.adds_up(old.made) && new.balance.adds_up(new.made));
        assert_eq!((old.balance.held, old.balance.in_transit, old.balance.transformed), (60_000, 150_000, 290_000));
        assert_eq!((new.balance.held, new.balance.carried), (290_000, 150_000));
        drop(view);
        // The rest stays under the old code: 20 of it, and no more.
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Household, "21 斤");
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        let number = new_number(scene, &right);
        refuse_under(scene, &right, &number, Who::Producer, "581 斤", Rule::QuantityExceeded);
        let given = under(scene, &right, &number, Who::Producer, Who::Household, "580 斤");
        arrives(scene, &right, &given, Who::Household, "580 斤");
        // What was the one is the other: a recall reaches both.
        let child = split(scene, Who::Household, &right, "10 斤");
        let recalled = scene.world().recalled(unit.unit);
        scene.admit_bare(Who::Producer, recalled);
        for code in [unit.unit, right.unit, child.unit] {
            assert_eq!(status(scene, code), Status::Recalled);
        }
    }

    fn goods_on_hold_are_not_freed_under_another_code(scene) {
        let unit = unit(scene);
        let (_, certificate) = certified(scene, &unit);
        let right = scene.world().unit();
        let (superseded, ..) = correction(scene, &certificate, &right, "900 斤");
        let held = scene.world().held(unit.unit);
        let hold = scene.record(Who::CountyAuthority, held.clone(), Openings::default());
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::OnHold);
        let released = scene.world().released(unit.unit, hold.hash());
        scene.admit_bare(Who::CountyAuthority, released);
        scene.admit_bare(Who::Producer, superseded);
        scene.admit_bare(Who::CountyAuthority, held);
        scene.refuse_bare(Who::Producer, right, Rule::OnHold);
    }

    fn voiding_what_was_spent_refunds_nothing(scene) {
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        under(scene, &unit, &number, Who::Producer, Who::Buyer, "400 斤");
        let voided = scene.world().voided(&certificate);
        scene.admit_bare(Who::Producer, voided);
        let (mut body, openings) = scene.world().certificate(&unit);
        body.0.quantity = "601 斤".parse().unwrap();
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::QuantityExceeded);
        body.0.quantity = "600 斤".parse().unwrap();
        scene.admit(Who::Producer, body, openings);
        give(scene, &unit, Who::Producer, Who::Buyer, "1 斤");
    }

    fn what_was_made_of_a_voided_unit_says_so_before_and_after(scene) {
        let unit = scene.world().unit();
        let made = scene.record(Who::Producer, unit.clone(), Openings::default());
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let grandchild = split(scene, Who::Producer, &child, "200 斤");
        // What something was made from is not voided without marking that.
        let voided = scene.world().voided(&made);
        let refusal = scene.refuse_bare(Who::Producer, voided, Rule::DescendantsUnmarked);
        assert!(refusal.invalid.what.contains(&child.unit.to_string()), "{}", refusal.invalid);
        let voided = scene.world().unit_voided(&made);
        scene.refuse_bare(Who::Buyer, voided.clone(), Rule::Right);
        scene.admit_bare(Who::Producer, voided.clone());
        scene.refuse_bare(Who::Producer, voided, Rule::UnitVoided);
        assert_eq!(status(scene, unit.unit), Status::Voided);
        for code in [child.unit, grandchild.unit] {
            assert_eq!(status(scene, code), Status::SourceVoided);
        }
        // Nothing comes back, nothing is barred, and what is made later is marked.
        let view = scene.stage.view();
        let old = lineage::balance(&view, unit.unit).unwrap().unwrap();
        assert_eq!((old.balance.held, old.balance.transformed), (250_000, 250_000));
        drop(view);
        let later = split(scene, Who::Producer, &grandchild, "100 斤");
        assert_eq!(status(scene, later.unit), Status::SourceVoided);
        // A unit of which nothing was made is voided either way.
        let alone = scene.world().unit();
        let made = scene.record(Who::Producer, alone, Openings::default());
        let voided = scene.world().voided(&made);
        scene.admit_bare(Who::Producer, voided);
    }

    fn what_was_made_of_what_a_compromised_key_recorded_is_disputed(scene) {
        let mut device = scene.device(Who::Producer, "stolen");
        let unit = scene.world().unit();
        let submission = scene.sign_on(&mut device, unit.clone());
        let from = scene.stage.admit(submission);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let other = self::unit(scene);
        let merged = scene.world().output(&child);
        let code = merged.unit;
        let (body, trade) = scene.world().transformed(
            trace_core::record::movement::Process::Merge,
            &[(child.unit, "10 斤"), (other.unit, "10 斤")],
            vec![(merged, "20 斤")],
            None,
        );
        scene.admit(Who::Producer, body, trade);
        for unit in [unit.unit, child.unit, code, other.unit] {
            assert_eq!(status(scene, unit), Status::Valid);
        }
        let mut revoked = scene.world().key_revoked(Who::Producer, device.id());
        revoked.reason = trace_core::record::kinds::key_revoked::RevocationReason::Compromised;
        revoked.compromised_from_index = Some(from);
        scene.admit_bare(Who::CountyAuthority, revoked);
        for unit in [unit.unit, child.unit, code] {
            assert_eq!(status(scene, unit), Status::Disputed);
        }
        assert_eq!(status(scene, other.unit), Status::Valid);
        // What is made of it from now on is so too.
        let later = split(scene, Who::Producer, &child, "10 斤");
        assert_eq!(status(scene, later.unit), Status::Disputed);
    }

    fn a_failed_sample_holds_by_rule_where_the_policy_says_so(scene) {
        let unit = unit(scene);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let bad = || vec![residue("腐霉利", "0.21", "0.2")];
        let plain = scene.world().sampling_result(&unit, bad());
        let holding = SamplingFailed(plain.clone());
        // Where no policy says so it does not.
        scene.refuse_bare(Who::Inspector, holding.clone(), Rule::Right);
        let adopted = scene.world().sampling_policy_adopted(true);
        scene.refuse_bare(Who::OtherCountyAuthority, adopted.clone(), Rule::Right);
        scene.refuse_bare(Who::Producer, adopted.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, adopted);
        scene.refuse_bare(Who::Inspector, plain, Rule::HoldDemanded);
        scene.refuse_bare(Who::Producer, holding.clone(), Rule::Right);
        let failed = scene.record(Who::Inspector, holding, Openings::default());
        for code in [unit.unit, child.unit] {
            assert_eq!(status(scene, code), Status::OnHold);
        }
        let (body, openings) = scene.world().handed_over(child.unit, Who::Buyer, "1 斤");
        scene.refuse(Who::Producer, body, openings, Rule::OnHold);
        // The look-up names the sample.
        let index = scene.stage.view().size() - 1;
        let view = scene.stage.view();
        let now_ms = scene.world().now_ms;
        let vault = scene.stage.ledger.vault();
        let mut lookup = Lookup::new(&view, vault, Audience::Public, now_ms).unwrap();
        let answer = lookup.unit(child.unit, 0, 10).unwrap().unwrap();
        let line = answer.reasons.iter().find(|reason| reason.check == "hold").unwrap();
        assert_eq!(line.index, Some(index));
        assert!(line.words.contains(&format!("sample of record {index}")), "{}", line.words);
        drop(lookup);
        drop(view);
        // Not released while it stands; by who took it once a retest passed.
        let released = scene.world().released(unit.unit, failed.hash());
        scene.refuse_bare(Who::Producer, released.clone(), Rule::Right);
        let refusal = scene.refuse_bare(Who::Inspector, released.clone(), Rule::FailureStands);
        assert_eq!(refusal.invalid.record, Some(failed.hash().into()));
        let mut retest = scene.world().sampling_result(&unit, vec![residue("腐霉利", "0.2", "0.2")]);
        retest.retest_of = Some(failed.hash());
        scene.admit_bare(Who::Inspector, retest);
        assert_eq!(status(scene, child.unit), Status::OnHold);
        scene.admit_bare(Who::Inspector, released.clone());
        scene.refuse_bare(Who::Inspector, released, Rule::MarkEnded);
        for code in [unit.unit, child.unit] {
            assert_eq!(status(scene, code), Status::Valid);
        }
        // A county may say otherwise again.
        let adopted = scene.world().sampling_policy_adopted(false);
        scene.admit_bare(Who::CountyAuthority, adopted);
        let plain = scene.world().sampling_result(&unit, bad());
        scene.admit_bare(Who::Inspector, plain);
        assert_eq!(status(scene, child.unit), Status::Valid);
    }
}

/// What look-ups and audits rest on: the fold of a log, made again from it, is
/// the same, byte for byte.
#[test]
fn the_fold_of_corrections_made_again_is_the_same() {
    let mut scene = Scene::new();
    let scene = &mut scene;
    let unit = scene.world().unit();
    let made = scene.record(Who::Producer, unit.clone(), Openings::default());
    let (number, certificate) = certified(scene, &unit);
    let given = under(scene, &unit, &number, Who::Producer, Who::Buyer, "400 斤");
    arrives(scene, &unit, &given, Who::Buyer, "400 斤");
    let right = scene.world().unit();
    let (superseded, mut body, openings) = correction(scene, &certificate, &right, "900 斤");
    body.0.quantity = "1000 斤".parse().unwrap();
    let agreed = scene
        .world()
        .correction_agreed(&superseded, &body.clone().into());
    scene.admit_bare(Who::Buyer, agreed);
    scene.admit_bare(Who::Producer, superseded);
    scene.admit_bare(Who::Producer, right.clone());
    scene.admit(Who::Producer, body, openings);
    let child = split(scene, Who::Producer, &right, "10 斤");
    let adopted = scene.world().sampling_policy_adopted(true);
    scene.admit_bare(Who::CountyAuthority, adopted);
    let sample = scene
        .world()
        .sampling_result(&child, vec![residue("腐霉利", "0.21", "0.2")]);
    scene.admit_bare(Who::Inspector, SamplingFailed(sample));
    let voided = scene.world().unit_voided(&made);
    scene.admit_bare(Who::Producer, voided);
    assert_eq!(status(scene, child.unit), Status::OnHold);
    assert_eq!(status(scene, right.unit), Status::SourceVoided);

    let size = scene.stage.view().size();
    let copy = tempfile::TempDir::new().unwrap();
    let key = scene.stage.ledger.signer().verifier_key().clone();
    let folder = scene.stage.folder().to_path_buf();
    scene.stage.ledger.stop().unwrap();
    let options = audit::Options::new(key, copy.path().into());
    let report = audit::audit(&folder, &options, &mut |_, _| {}).unwrap();
    assert_eq!(report.size, size);
    assert!(
        matches!(report.derived, audit::DerivedTables::Agree { .. }),
        "{:?}",
        report.derived
    );
}

/// A number that is taken.
fn certified_more(scene: &mut Scene, like: &UnitCreated) -> String {
    let other = UnitCreated {
        unit: scene.world().unit().unit,
        ..like.clone()
    };
    scene.admit_bare(Who::Producer, other.clone());
    certified(scene, &other).0
}

/// The number of a unit's one certificate.
fn new_number(scene: &mut Scene, unit: &UnitCreated) -> String {
    use trace_core::record::rights::Registry;
    let view = scene.stage.view();
    let state = view.folded().unit(&unit.unit).unwrap().unwrap();
    state.certificates[0].number.clone()
}
