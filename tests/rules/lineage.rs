//! What becomes of what: transformations that add up, and holds and recalls
//! that reach all that was made.

use super::custody::{give, pass, unit};
use super::scene::{Scene, scenarios};
use trace_core::error::Rule;
use trace_core::ident::TraceCode;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::{bundling, lineage};
use trace_core::record::kinds::transformed::{Output, Transformed};
use trace_core::record::kinds::unit_created::{ProductClass, UnitCreated};
use trace_core::record::movement::{Conversion, Manner, Process, RecallOutcome};
use trace_core::record::quantity::BaseUnit;
use trace_core::record::section::Openings;
use trace_core::record::wire::Day;
use trace_core::record::{Hash, Role, Status};
use trace_fixtures::Who;

/// So much of a unit becomes another of the same, by its holder.
pub fn split(scene: &mut Scene, who: Who, of: &UnitCreated, text: &str) -> UnitCreated {
    let output = scene.world().output(of);
    let made = UnitCreated {
        unit: output.unit,
        ..of.clone()
    };
    let (body, openings) = scene.world().transformed(
        Process::Split,
        &[(of.unit, text)],
        vec![(output, text)],
        None,
    );
    scene.admit(who, body, openings);
    made
}

/// The status that look-up and bundle both give.
pub fn status(scene: &mut Scene, code: TraceCode) -> Status {
    let (view, today) = (scene.stage.view(), scene.stage.today());
    let now_ms = scene.world().now_ms;
    let vault = scene.stage.ledger.vault();
    let mut lookup = Lookup::new(&view, vault, Audience::Public, now_ms).unwrap();
    let online = lookup.unit(code, 0, 10).unwrap().unwrap();
    let bundle = bundling::bundle(&view, scene.stage.ledger.signer(), code)
        .unwrap()
        .unwrap();
    let offline = bundle.verify(&scene.stage.anchor(), &[], today).unwrap();
    assert_eq!(online.status, offline.judgement.status);
    let reasons = |list: &[trace_core::record::status::Reason]| {
        list.iter()
            .map(|reason| (reason.check, reason.holds, reason.index))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        reasons(&online.reasons),
        reasons(&offline.judgement.reasons)
    );
    online.status
}

fn refuse_all(scene: &mut Scene, who: Who, of: &UnitCreated, rule: Rule) {
    let (body, openings) = scene.world().handed_over(of.unit, Who::Household, "1 斤");
    scene.refuse(who, body, openings, rule);
    let (body, openings) = scene.world().disposed(of.unit, Manner::Sold, "1 斤");
    scene.refuse(who, body, openings, rule);
    let output = scene.world().output(of);
    let (body, openings) = scene.world().transformed(
        Process::Split,
        &[(of.unit, "1 斤")],
        vec![(output, "1 斤")],
        None,
    );
    scene.refuse(who, body, openings, rule);
    let (body, openings) = scene.world().warehouse_in(of.unit, "1 斤");
    scene.refuse(Who::ColdStore, body, openings, rule);
}

fn simple(
    scene: &mut Scene,
    of: &UnitCreated,
    input: &str,
    output: &str,
) -> (Transformed, Openings) {
    let made = scene.world().output(of);
    scene.world().transformed(
        Process::Split,
        &[(of.unit, input)],
        vec![(made, output)],
        None,
    )
}

scenarios! {
    fn what_goes_in_is_what_comes_out_and_is_lost(scene) {
        let unit = unit(scene);
        let outputs = |scene: &mut Scene, texts: [&'static str; 2]| {
            texts.map(|text| (scene.world().output(&unit), text)).to_vec()
        };
        let inputs = [(unit.unit, "900 斤")];
        for (texts, loss, rule) in [
            (["600 斤", "301 斤"], None, Rule::QuantityExceeded),
            (["600 斤", "290 斤"], Some("10.002 斤"), Rule::QuantityExceeded),
            (["600 斤", "290 斤"], Some("9.998 斤"), Rule::DoesNotAddUp),
            (["600 斤", "290 斤"], None, Rule::DoesNotAddUp),
            (["600 斤", "300 件"], None, Rule::QuantityUnit),
        ] {
            let made = outputs(scene, texts);
            let (body, openings) = scene.world().transformed(Process::Split, &inputs, made, loss);
            scene.refuse(Who::Producer, body, openings, rule);
        }
        let made = outputs(scene, ["600 斤", "290 斤"]);
        let codes: Vec<TraceCode> = made.iter().map(|(output, _)| output.unit).collect();
        let (body, openings) = scene.world().transformed(Process::Split, &inputs, made, Some("10 斤"));
        scene.refuse(Who::Buyer, body.clone(), openings.clone(), Rule::NotHolder);
        scene.admit(Who::Producer, body.clone(), openings.clone());
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        let view = scene.stage.view();
        let found = lineage::balance(&view, codes[1]).unwrap().unwrap();
        assert_eq!((found.made, found.balance.held), (145_000, 145_000));
        let found = lineage::balance(&view, unit.unit).unwrap().unwrap();
        assert_eq!((found.balance.held, found.balance.transformed), (50_000, 450_000));
    }

    fn what_comes_out_is_new_so_that_no_cycle_can_be(scene) {
        let unit = unit(scene);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let grandchild = split(scene, Who::Producer, &child, "500 斤");
        for back in [&unit, &child] {
            let (mut body, openings) = simple(scene, &grandchild, "1 斤", "1 斤");
            body.outputs[0].unit = back.unit;
            scene.refuse(Who::Producer, body, openings, Rule::UnitKnown);
        }
        let (mut body, openings) = simple(scene, &grandchild, "1 斤", "1 斤");
        body.outputs[0].unit = grandchild.unit;
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Transformation);
        body.outputs.clear();
        scene.refuse(Who::Producer, body, openings, Rule::Transformation);
        let (mut body, openings) = simple(scene, &grandchild, "1 斤", "1 斤");
        let absent = scene.world().unit().unit;
        body.inputs = vec![absent];
        scene.refuse(Who::Producer, body, openings, Rule::UnitUnknown);
    }

    fn measures_convert_by_a_declared_ratio_alone(scene) {
        let mut pigs = scene.world().unit();
        pigs.quantity = "20 头".parse().unwrap();
        pigs.product = "生猪".into();
        pigs.durability = None;
        scene.admit_bare(Who::Producer, pigs.clone());
        let meat = |scene: &mut Scene| Output {
            product: "冷鲜猪肉".into(),
            product_class: ProductClass::LivestockAndPoultry,
            durability: None,
            ..scene.world().output(&pigs)
        };
        let ratio = Conversion { from: BaseUnit::Piece, to: BaseUnit::Gram, numerator: 110_500, denominator: 1 };
        let inputs = [(pigs.unit, "9 头")];
        let made = meat(scene);
        let (mut body, openings) =
            scene.world().transformed(Process::Slaughter, &inputs, vec![(made, "990 公斤")], Some("4.5 公斤"));
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::QuantityUnit);
        body.conversions = vec![Conversion { numerator: 110_501, ..ratio }];
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::DoesNotAddUp);
        body.conversions = vec![Conversion { numerator: 110_499, ..ratio }];
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::QuantityExceeded);
        body.conversions = vec![Conversion { denominator: 0, ..ratio }];
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Transformation);
        let idle = Conversion { from: BaseUnit::Millilitre, ..ratio };
        body.conversions = vec![ratio, idle];
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Transformation);
        body.conversions = vec![Conversion { numerator: u64::MAX, ..ratio }];
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::DoesNotAddUp);
        body.conversions = vec![ratio];
        body.process = Process::Repack;
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Transformation);
        body.process = Process::Slaughter;
        scene.admit(Who::Producer, body, openings);
    }

    fn a_split_keeps_product_and_dates_and_nothing_is_older_than_its_source(scene) {
        let unit = unit(scene);
        let (body, openings) = simple(scene, &unit, "10 斤", "10 斤");
        let mut other = body.clone();
        other.outputs[0].product = "韭黄".into();
        scene.refuse(Who::Producer, other.clone(), openings.clone(), Rule::ProductDiffers);
        other.process = Process::Manufacture;
        scene.admit(Who::Producer, other, openings.clone());
        let mut longer = body.clone();
        longer.outputs[0].durability = None;
        scene.refuse(Who::Producer, longer.clone(), openings.clone(), Rule::DatesDisagree);
        longer.outputs[0].durability = unit.durability.map(|mut durability| {
            durability.on = Day(durability.on.0 + 1);
            durability
        });
        scene.refuse(Who::Producer, longer, openings.clone(), Rule::DatesDisagree);
        let mut older = body.clone();
        older.outputs[0].unit = scene.world().unit().unit;
        older.outputs[0].produced_on = Day(unit.produced_on.0 - 1);
        scene.refuse(Who::Producer, older, openings.clone(), Rule::BeforeProduction);
        let mut fresh = body;
        fresh.outputs[0].unit = scene.world().unit().unit;
        scene.admit(Who::Producer, fresh, openings);
    }

    fn a_hold_bars_a_unit_and_all_that_was_made_of_it_until_released(scene) {
        let unit = unit(scene);
        let adopted = scene.world().tolerance_adopted(&unit);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        pass(scene, &child, Who::Producer, Who::Buyer, "500 斤");
        let grandchild = split(scene, Who::Buyer, &child, "200 斤");
        assert_eq!(status(scene, grandchild.unit), Status::Valid);
        let held = scene.world().held(unit.unit);
        scene.refuse_bare(Who::OtherCountyAuthority, held.clone(), Rule::Right);
        scene.refuse_bare(Who::Cooperative, held.clone(), Rule::Right);
        // A maker only where the policy lets it.
        scene.refuse_bare(Who::Producer, held.clone(), Rule::Right);
        scene.admit_bare(Who::Root, adopted);
        let own = scene.record(Who::Producer, held.clone(), Openings::default());
        let by_inspector = scene.record(Who::CountyAuthority, held, Openings::default());
        for unit in [&unit, &child, &grandchild] {
            assert_eq!(status(scene, unit.unit), Status::OnHold);
        }
        refuse_all(scene, Who::Producer, &unit, Rule::OnHold);
        refuse_all(scene, Who::Buyer, &grandchild, Rule::OnHold);
        let (body, openings) = scene.world().certificate(&unit);
        scene.refuse(Who::Producer, body, openings, Rule::OnHold);
        let (body, openings) = scene.world().disposed(grandchild.unit, Manner::Destroyed, "1 斤");
        scene.refuse(Who::Buyer, body, openings, Rule::OnHold);
        // Each hold ends by itself.
        let released = scene.world().released(unit.unit, by_inspector.hash());
        scene.refuse_bare(Who::Producer, released.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, released.clone());
        scene.refuse_bare(Who::CountyAuthority, released, Rule::MarkEnded);
        assert_eq!(status(scene, grandchild.unit), Status::OnHold);
        let released = scene.world().released(unit.unit, own.hash());
        let mut wrong = released.clone();
        wrong.target = Hash::of(&[b"none"]);
        scene.refuse_bare(Who::Producer, wrong, Rule::TargetUnknown);
        scene.admit_bare(Who::Producer, released);
        assert_eq!(status(scene, grandchild.unit), Status::Valid);
        pass(scene, &grandchild, Who::Buyer, Who::Household, "100 斤");
    }

    fn a_recall_reaches_all_descendants_and_leaves_only_the_way_back(scene) {
        let unit = unit(scene);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        pass(scene, &child, Who::Producer, Who::Buyer, "500 斤");
        let grandchild = split(scene, Who::Buyer, &child, "200 斤");
        let on_the_way = give(scene, &grandchild, Who::Buyer, Who::Household, "50 斤");
        let recalled = scene.world().recalled(unit.unit);
        scene.refuse_bare(Who::Buyer, recalled.clone(), Rule::Right);
        scene.refuse_bare(Who::OtherCountyAuthority, recalled.clone(), Rule::Right);
        let held = scene.world().held(grandchild.unit);
        scene.admit_bare(Who::CountyAuthority, held);
        let recall = scene.record(Who::Producer, recalled, Openings::default());
        for unit in [&unit, &child, &grandchild] {
            assert_eq!(status(scene, unit.unit), Status::Recalled);
        }
        refuse_all(scene, Who::Buyer, &grandchild, Rule::Recalled);
        // What was on its way arrives, and goes no further.
        let (body, openings) = scene.world().received(grandchild.unit, &on_the_way, "50 斤");
        scene.admit(Who::Household, body, openings);
        let (body, openings) = scene.world().handed_over(grandchild.unit, Who::Cooperative, "1 斤");
        scene.refuse(Who::Household, body, openings, Rule::Recalled);
        // The way back: to who recalled it, destroyed, returned.
        pass(scene, &grandchild, Who::Household, Who::Producer, "50 斤");
        for manner in [Manner::Destroyed, Manner::Returned] {
            let (body, openings) = scene.world().disposed(grandchild.unit, manner, "10 斤");
            scene.admit(Who::Producer, body, openings);
        }
        let closed = scene.world().recall_closed(unit.unit, recall.hash(), RecallOutcome::Completed);
        scene.refuse_bare(Who::Buyer, closed.clone(), Rule::Right);
        scene.admit_bare(Who::Producer, closed.clone());
        scene.refuse_bare(Who::Producer, closed, Rule::MarkEnded);
        // Carried out: what is left stays recalled.
        assert_eq!(status(scene, grandchild.unit), Status::Recalled);
    }

    fn a_recall_without_ground_frees_what_it_reached_and_one_with_an_end_spares_what_is_later(scene) {
        let unit = unit(scene);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        scene.world().now_ms += 3_600_000;
        let until_ms = scene.world().now_ms;
        scene.world().now_ms += 3_600_000;
        let later = split(scene, Who::Producer, &unit, "100 斤");
        let mut recalled = scene.world().recalled(unit.unit);
        recalled.until_ms = Some(until_ms);
        let recall = scene.record(Who::CountyAuthority, recalled, Openings::default());
        assert_eq!(status(scene, child.unit), Status::Recalled);
        assert_eq!(status(scene, later.unit), Status::Valid);
        let after = split(scene, Who::Producer, &later, "10 斤");
        assert_eq!(status(scene, after.unit), Status::Valid);
        let closed = scene.world().recall_closed(unit.unit, recall.hash(), RecallOutcome::Withdrawn);
        scene.admit_bare(Who::CountyAuthority, closed);
        for unit in [&unit, &child, &later] {
            assert_eq!(status(scene, unit.unit), Status::Valid);
        }
        split(scene, Who::Producer, &child, "1 斤");
    }

    fn goods_recalled_come_out_of_the_cold_store_and_go_in_no_more(scene) {
        let unit = unit(scene);
        let (body, openings) = scene.world().warehouse_in(unit.unit, "700 斤");
        scene.admit(Who::ColdStore, body, openings);
        let held = scene.world().held(unit.unit);
        let hold = scene.record(Who::CountyAuthority, held, Openings::default());
        let (body, openings) = scene.world().warehouse_out(unit.unit, "700 斤");
        scene.refuse(Who::ColdStore, body, openings, Rule::OnHold);
        let recalled = scene.world().recalled(unit.unit);
        scene.admit_bare(Who::Producer, recalled);
        let (body, openings) = scene.world().disposed(unit.unit, Manner::Destroyed, "301 斤");
        scene.refuse(Who::Producer, body, openings, Rule::InColdStore);
        let (body, openings) = scene.world().warehouse_out(unit.unit, "700 斤");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = scene.world().disposed(unit.unit, Manner::Destroyed, "1000 斤");
        scene.admit(Who::Producer, body, openings);
        let released = scene.world().released(unit.unit, hold.hash());
        scene.admit_bare(Who::CountyAuthority, released);
    }

    fn a_declared_origin_is_said_to_be_unproved(scene) {
        let declared = scene.world().unit_declared();
        scene.admit_bare(Who::Buyer, declared.clone());
        let household = scene.world().id(Who::Household);
        let mut other = scene.world().unit_declared();
        other.on_behalf_of = Some(household);
        scene.refuse_bare(Who::Cooperative, other.clone(), Rule::Right);
        let granted = scene.world().role_granted(Who::Cooperative, Role::Market);
        scene.admit_bare(Who::CountyAuthority, granted);
        scene.admit_bare(Who::Cooperative, other.clone());
        assert_eq!(status(scene, other.unit), Status::Valid);
        let view = scene.stage.view();
        let now_ms = scene.world().now_ms;
        let vault = scene.stage.ledger.vault();
        let mut lookup = Lookup::new(&view, vault, Audience::Public, now_ms).unwrap();
        for code in [declared.unit, other.unit] {
            let answer = lookup.unit(code, 0, 10).unwrap().unwrap();
            let origin = answer.reasons.iter().find(|reason| reason.check == "origin").unwrap();
            assert_eq!((origin.holds, origin.words_zh.contains("来源未在本账本证明")), (None, true));
        }
        // The household's own, which the market signed for.
        let (body, openings) = scene.world().handed_over(other.unit, Who::Buyer, "1 斤");
        scene.admit(Who::Household, body, openings);
    }
}
