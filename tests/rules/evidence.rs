//! Evidence and documents: of what exists, not in the future, each finding put
//! right once, each document published by who named it.

use super::official::grant;
use super::scene::{Scene, scenarios};
use std::sync::Arc;
use trace_core::error::{Rule, Store};
use trace_core::ident::{CivilDate, TraceCode};
use trace_core::ledger::audit::{self, Options};
use trace_core::ledger::bundling;
use trace_core::ledger::documents::Documents;
use trace_core::ledger::lookup::{Audience, FindingsAsked, FindingsCount, Lookup, UnitAnswer};
use trace_core::record::evidence::{FAILURES_MAX, FindingStanding};
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::quarantine::Reach;
use trace_core::record::{Hash, Status};
use trace_core::rules::EvidenceFacts;
use trace_core::store::disk::RealDisk;
use trace_fixtures::official::{papers, pdf, pdf_hash, residue};
use trace_fixtures::stage::Stage;
use trace_fixtures::{Who, World};

fn unit(scene: &mut Scene) -> UnitCreated {
    let unit = scene.world().unit();
    scene.admit_bare(Who::Producer, unit.clone());
    unit
}

fn answer(scene: &mut Scene, code: TraceCode) -> UnitAnswer {
    let now_ms = scene.world().now_ms;
    let view = scene.stage.view();
    let mut lookup =
        Lookup::new(&view, scene.stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(code, 0, 100).unwrap().unwrap();
    // A reader of the bundle alone comes to the same.
    let bundle = bundling::bundle(&view, scene.stage.ledger.signer(), code);
    let bundle = bundle.unwrap().unwrap();
    let verdict = bundle.verify(&scene.stage.anchor(), &[], scene.stage.today());
    let judged = verdict.unwrap().judgement;
    assert_eq!(
        (judged.status, &judged.reasons),
        (answer.status, &answer.reasons)
    );
    answer
}

fn line(answer: &UnitAnswer, check: &str) -> Option<bool> {
    let mut lines = answer.reasons.iter().filter(|line| line.check == check);
    lines.next().and_then(|line| line.holds)
}

fn count(open: u64, due: u64, overdue: u64, closed: u64) -> FindingsCount {
    FindingsCount {
        open,
        due,
        overdue,
        closed,
    }
}

scenarios! {
    fn a_failed_sample_stands_against_a_unit_until_its_retest_passes(scene) {
        grant(scene);
        let unit = unit(scene);
        assert_eq!(line(&answer(scene, unit.unit), "sampling"), None);
        let (good, openings) = scene.world().laboratory_report(&unit, vec![residue("毒死蜱", "0.01", "0.02")]);
        scene.admit(Who::Cooperative, good, openings);
        let body = scene.world().sampling_result(&unit, vec![residue("腐霉利", "0.21", "0.2")]);
        assert!(!body.passed);
        let failed = scene.record(Who::Inspector, body, Default::default());
        let shown = answer(scene, unit.unit);
        assert_eq!(shown.status, Status::TestFailed);
        assert_eq!((line(&shown, "laboratory"), line(&shown, "sampling")), (Some(true), Some(false)));
        assert!(shown.records.iter().any(|record| record.kind == "sampling_result"));
        // A later sample that passes is no retest of that one.
        let pass = scene.world().sampling_result(&unit, vec![residue("腐霉利", "0.2", "0.2")]);
        scene.admit_bare(Who::Inspector, pass.clone());
        assert_eq!(answer(scene, unit.unit).status, Status::TestFailed);
        let mut retest = pass.clone();
        retest.retest_of = Some(Hash::of(&[b"none"]));
        scene.refuse_bare(Who::Inspector, retest.clone(), Rule::TargetUnknown);
        let other = self::unit(scene);
        retest.retest_of = Some(failed.hash());
        retest.unit = Some(other.unit);
        scene.refuse_bare(Who::Inspector, retest.clone(), Rule::TargetUnknown);
        retest.unit = Some(unit.unit);
        scene.admit_bare(Who::Inspector, retest.clone());
        let shown = answer(scene, unit.unit);
        assert_eq!((shown.status, line(&shown, "sampling")), (Status::Valid, Some(true)));
        scene.refuse_bare(Who::Inspector, retest, Rule::TargetUnknown);
    }

    fn tests_are_of_what_exists_and_not_of_the_future(scene) {
        let unit = unit(scene);
        let items = vec![residue("毒死蜱", "0.01", "0.02")];
        let (report, openings) = scene.world().laboratory_report(&unit, items.clone());
        scene.refuse(Who::Cooperative, report.clone(), openings.clone(), Rule::Right);
        grant(scene);
        let absent = scene.world().unit();
        let (unknown, unknown_openings) = scene.world().laboratory_report(&absent, items.clone());
        scene.refuse(Who::Cooperative, unknown, unknown_openings, Rule::UnitUnknown);
        let mut early = report.clone();
        early.tested_on.0 = unit.produced_on.0 - 1;
        scene.refuse(Who::Cooperative, early, openings.clone(), Rule::BeforeProduction);
        let mut late = report.clone();
        late.tested_on.0 += 1;
        scene.refuse(Who::Cooperative, late, openings.clone(), Rule::EventAhead);
        scene.admit(Who::Cooperative, report, openings);

        let sample = scene.world().sampling_result(&unit, items);
        let mut elsewhere = sample.clone();
        elsewhere.area = scene.world().entity(Who::OtherCountyAuthority).area.into();
        // The inspector's area does not reach there, and nobody is there.
        scene.refuse_bare(Who::Inspector, elsewhere.clone(), Rule::Right);
        scene.refuse_bare(Who::OtherCountyAuthority, elsewhere, Rule::Right);
        let mut nobody = sample.clone();
        nobody.entity = scene.world().newcomer().id;
        scene.refuse_bare(Who::Inspector, nobody, Rule::EntityUnknown);
        scene.refuse_bare(Who::Producer, sample.clone(), Rule::Right);
        scene.admit_bare(Who::Inspector, sample);
    }

    fn a_verdict_agrees_with_its_numbers(scene) {
        let unit = unit(scene);
        let right = scene.world().sampling_result(&unit, vec![residue("腐霉利", "0.2", "0.2"), residue("毒死蜱", "0.03", "0.02")]);
        let mut whitewashed = right.clone();
        whitewashed.items[1].passed = true;
        whitewashed.passed = true;
        scene.refuse_bare(Who::Inspector, whitewashed, Rule::Evidence);
        let mut whole = right.clone();
        whole.passed = true;
        scene.refuse_bare(Who::Inspector, whole, Rule::Evidence);
        let mut blackened = right.clone();
        blackened.items[0].passed = false;
        scene.refuse_bare(Who::Inspector, blackened, Rule::Evidence);
        let mut empty = right.clone();
        empty.items.clear();
        empty.passed = true;
        scene.refuse_bare(Who::Inspector, empty, Rule::Evidence);
        scene.admit_bare(Who::Inspector, right);
    }

    fn against_one_unit_stand_no_endless_failures(scene) {
        let unit = unit(scene);
        for _ in 0..FAILURES_MAX {
            let body = scene.world().sampling_result(&unit, vec![residue("腐霉利", "9", "0.2")]);
            scene.admit_bare(Who::Inspector, body);
        }
        let body = scene.world().sampling_result(&unit, vec![residue("腐霉利", "9", "0.2")]);
        scene.refuse_bare(Who::Inspector, body, Rule::TooMany);
        let body = scene.world().sampling_result(&unit, vec![residue("腐霉利", "0.1", "0.2")]);
        scene.admit_bare(Who::Inspector, body);
    }

    fn a_finding_is_open_then_due_then_overdue_and_put_right_once(scene) {
        let (body, openings) = scene.world().inspection(Who::Producer, &[0, 1, 2]);
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Right);
        let mut tomorrow = body.clone();
        tomorrow.inspected_on.0 += 1;
        tomorrow.findings.clear();
        scene.refuse(Who::Inspector, tomorrow, openings.clone(), Rule::EventAhead);
        let found_on = body.inspected_on.date().unwrap();
        let inspected = scene.record(Who::Inspector, body, openings);
        let entity = scene.world().id(Who::Producer);
        let ask = |scene: &mut Scene, days: i32, standing: Option<FindingStanding>| {
            let now_ms = scene.world().now_ms;
            let view = scene.stage.view();
            let lookup = Lookup::new(&view, scene.stage.ledger.vault(), Audience::Full, now_ms).unwrap();
            let on: CivilDate = found_on.add_days(days).unwrap();
            let asked = FindingsAsked { entity: Some(entity), on: Some(on), standing, after: None, limit: 10 };
            let of_entity = lookup.findings(asked).unwrap();
            let of_all = lookup.findings(FindingsAsked { entity: None, ..asked }).unwrap();
            assert_eq!(of_entity, of_all);
            of_entity
        };
        for (days, wanted) in [
            (-1, count(0, 0, 0, 0)),
            (0, count(2, 1, 0, 0)),
            (1, count(1, 1, 1, 0)),
            (2, count(0, 1, 2, 0)),
            (3, count(0, 0, 3, 0)),
        ] {
            assert_eq!(ask(scene, days, None).count, wanted, "after {days} days");
        }
        let overdue = ask(scene, 1, Some(FindingStanding::Overdue));
        assert_eq!(overdue.findings.len(), 1);
        assert_eq!((overdue.findings[0].position, overdue.findings[0].standing_zh), (0, "逾期未改"));
        assert!(overdue.findings[0].problem.contains("合格证明"));

        let right = scene.world().finding_rectified(Who::Producer, inspected.hash(), 1);
        scene.refuse_bare(Who::Producer, right.clone(), Rule::Right);
        let mut early = right.clone();
        early.rectified_on.0 -= 1;
        scene.refuse_bare(Who::Inspector, early, Rule::DatesDisagree);
        for wrong in [
            scene.world().finding_rectified(Who::Producer, inspected.hash(), 3),
            scene.world().finding_rectified(Who::Buyer, inspected.hash(), 1),
            scene.world().finding_rectified(Who::Producer, Hash::of(&[b"none"]), 1),
        ] {
            scene.refuse_bare(Who::Inspector, wrong, Rule::TargetUnknown);
        }
        scene.world().now_ms += 86_400_000;
        let mut right = right;
        right.rectified_on.0 += 1;
        scene.admit_bare(Who::Inspector, right.clone());
        scene.refuse_bare(Who::Inspector, right, Rule::TargetNotStanding);
        // As of the day before, it was still open.
        assert_eq!(ask(scene, 0, None).count, count(2, 1, 0, 0));
        assert_eq!(ask(scene, 1, None).count, count(1, 0, 1, 1));
        let closed = ask(scene, 5, Some(FindingStanding::Closed));
        assert_eq!((closed.findings.len(), closed.findings[0].position), (1, 1));
        assert!(closed.findings[0].rectified_index.is_some());
        let view = scene.stage.view();
        let now_ms = scene.world().now_ms;
        let mut lookup = Lookup::new(&view, scene.stage.ledger.vault(), Audience::Public, now_ms).unwrap();
        let kinds: Vec<_> = lookup.conduct(entity, 0, 10).unwrap().records.iter().map(|record| record.kind).collect();
        assert_eq!(kinds, ["inspection", "finding_rectified"]);
        // They do not crowd what proves the entity's rights.
        let about = lookup.entity(entity).unwrap().unwrap().records;
        assert!(about.iter().all(|record| record.kind != "inspection"));
    }

    fn pages_of_findings_follow_each_other_without_a_gap(scene) {
        for who in [Who::Producer, Who::Buyer] {
            let (body, openings) = scene.world().inspection(who, &[1, 1, 1]);
            scene.admit(Who::Inspector, body, openings);
        }
        let now_ms = scene.world().now_ms;
        let view = scene.stage.view();
        let lookup = Lookup::new(&view, scene.stage.ledger.vault(), Audience::Full, now_ms).unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let asked = FindingsAsked { after, limit: 2, ..FindingsAsked::default() };
            let page = lookup.findings(asked).unwrap();
            assert_eq!(page.count, count(6, 0, 0, 0));
            seen.extend(page.findings.iter().map(|one| (one.entity, one.index, one.position)));
            after = seen.last().copied();
            if !page.has_more { break; }
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.is_sorted_by(|a, b| a < b));
    }

    fn a_papers_photograph_is_a_named_document_since_rule_set_3(scene) {
        for (rule_set, is_named) in [(2, false), (3, true)] {
            *scene = Scene::on(Stage::of(World::with_rule_set(7, rule_set)));
            let declared = scene.world().unit_declared();
            let photo = declared.paper.photo.unwrap();
            scene.admit_bare(Who::Buyer, declared.clone());
            let view = scene.stage.view();
            assert_eq!(view.folded().document(&photo).unwrap().is_some(), is_named);
            let mut publish = scene.world().document_published(photo, None);
            publish.unit = Some(declared.unit);
            if is_named {
                // Whoever named it, or an authority; once.
                scene.refuse_bare(Who::Importer, publish.clone(), Rule::Right);
                scene.admit_bare(Who::CountyAuthority, publish.clone());
                scene.refuse_bare(Who::CountyAuthority, publish, Rule::TargetNotStanding);
            } else {
                scene.refuse_bare(Who::CountyAuthority, publish, Rule::DocumentUnknown);
            }
        }
    }

    fn a_document_is_for_inspectors_until_who_named_it_publishes_it(scene) {
        grant(scene);
        let unit = unit(scene);
        let folder = scene.stage.folder().join("documents");
        let documents = Documents::open(Arc::new(RealDisk), &folder).unwrap();
        let stored = documents.put(&pdf("检验报告")).unwrap();
        let show = |scene: &Scene, audience| documents.show(scene.stage.view().folded(), audience, &stored.hash).unwrap();
        // Before a record names it, it is for nobody.
        assert_eq!(show(scene, Audience::Full), None);
        let publish = scene.world().document_published(stored.hash, Some(&unit));
        scene.refuse_bare(Who::Cooperative, publish.clone(), Rule::DocumentUnknown);
        let items = vec![residue("毒死蜱", "0.01", "0.02")];
        let (report, openings) = scene.world().laboratory_report(&unit, items);
        assert_eq!(report.document, Some(stored.hash));
        scene.admit(Who::Cooperative, report, openings);
        assert_eq!(show(scene, Audience::Full).unwrap().bytes, pdf("检验报告"));
        assert_eq!(show(scene, Audience::Public), None);
        // Somebody who names the same hash later gains nothing by it.
        let (mut also, openings) = scene.world().inspection(Who::Producer, &[]);
        also.document = Some(stored.hash);
        scene.admit(Who::Inspector, also, openings);
        scene.refuse_bare(Who::Inspector, publish.clone(), Rule::Right);
        let absent = scene.world().unit();
        let elsewhere = scene.world().document_published(stored.hash, Some(&absent));
        scene.refuse_bare(Who::Cooperative, elsewhere, Rule::UnitUnknown);
        scene.admit_bare(Who::Cooperative, publish.clone());
        scene.refuse_bare(Who::Cooperative, publish, Rule::TargetNotStanding);
        let shown = show(scene, Audience::Public).unwrap();
        assert_eq!(shown.document_type.media_type(), "application/pdf");
        // An authority may publish what others named.
        let other = pdf_hash("整改照片");
        let (body, openings) = scene.world().inspection(Who::Producer, &[0]);
        let inspected = scene.record(Who::Inspector, body, openings);
        let rectified = scene.world().finding_rectified(Who::Producer, inspected.hash(), 0);
        assert_eq!(rectified.document, Some(other));
        scene.admit_bare(Who::Inspector, rectified);
        let publish = scene.world().document_published(other, None);
        scene.admit_bare(Who::CountyAuthority, publish);
        // Published, and still not here: nothing is shown, and nothing made up.
        let none = documents.show(scene.stage.view().folded(), Audience::Public, &other).unwrap();
        assert_eq!(none, None);
        // An editor's file is reported, not served.
        std::fs::write(folder.join(stored.hash.to_string()), pdf("另一份报告")).unwrap();
        let edited = documents.read(&stored.hash);
        assert!(matches!(edited, Err(Store::Damaged { .. })));
    }
}

#[test]
fn an_audit_finds_every_derived_row_as_the_log_makes_it() {
    let mut scene = Scene::new();
    grant(&mut scene);
    let unit = unit(&mut scene);
    let pork = scene.world().pork();
    scene.admit_bare(Who::Producer, pork.clone());
    let beef = scene.world().imported_unit();
    scene.admit_bare(Who::Importer, beef.clone());
    let policy = scene.world().supervision_policy(24, vec![]);
    scene.admit_bare(Who::CountyAuthority, policy);
    let (body, openings) = scene
        .world()
        .quarantine_product(&pork, Reach::AcrossProvinces);
    scene.admit(Who::Inspector, body, openings);
    let body = scene.world().meat_quality(&pork);
    scene.admit_bare(Who::Producer, body);
    let (body, openings) = scene.world().inbound_inspection(&beef);
    scene.admit(Who::Importer, body, openings);
    let (body, openings) = scene.world().warehouse_booked(&beef);
    scene.admit(Who::Importer, body, openings);
    let (body, openings) = scene.world().warehouse_entered(&beef, "2 吨", papers());
    scene.admit(Who::ColdStore, body, openings);
    let body = scene.world().warehouse_released(&beef, "1 吨", vec![]);
    scene.admit_bare(Who::ColdStore, body);
    let (body, openings) = scene
        .world()
        .laboratory_report(&unit, vec![residue("毒死蜱", "0.01", "0.02")]);
    scene.admit(Who::Cooperative, body, openings);
    let body = scene
        .world()
        .sampling_result(&unit, vec![residue("腐霉利", "0.3", "0.2")]);
    scene.admit_bare(Who::Inspector, body);
    let (body, openings) = scene.world().inspection(Who::Producer, &[7, 30]);
    let inspected = scene.record(Who::Inspector, body, openings);
    let body = scene
        .world()
        .finding_rectified(Who::Producer, inspected.hash(), 1);
    scene.admit_bare(Who::Inspector, body);
    let body = scene
        .world()
        .document_published(pdf_hash("检验报告"), Some(&unit));
    scene.admit_bare(Who::Cooperative, body);

    let size = scene.stage.view().size();
    let copy = tempfile::TempDir::new().unwrap();
    let key = scene.stage.ledger.signer().verifier_key().clone();
    let folder = scene.stage.folder().to_path_buf();
    scene.stage.ledger.stop().unwrap();
    let report = audit::audit(
        &folder,
        &Options::new(key, copy.path().into()),
        &mut |_, _| {},
    );
    assert_eq!(report.unwrap().size, size);
}
