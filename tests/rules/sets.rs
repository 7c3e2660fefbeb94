//! Sets of rules: adopted by the root authority, only ever upwards, and judged
//! by index.

use super::scene::{Scene, scenarios};
use trace_core::error::Rule;
use trace_core::ledger::bundling;
use trace_core::record::claim::{Policy, RULE_SET_NEWEST};
use trace_core::record::kinds::{KINDS, KindInfo};
use trace_core::record::rights::Registry;
use trace_core::record::section::Openings;
use trace_fixtures::stage::Stage;
use trace_fixtures::{Who, World, opening};

/// A ledger that opened under the first set.
pub fn under_set_1() -> Scene {
    under_set(1)
}

/// A ledger that opened under this set.
pub fn under_set(rule_set: u16) -> Scene {
    Scene::on(Stage::of(World::with_rule_set(7, rule_set)))
}

fn in_force(scene: &Scene) -> u16 {
    let view = scene.stage.view();
    view.folded().policy().unwrap().unwrap().rule_set
}

#[test]
fn a_policy_admits_the_kinds_of_its_own_set_and_of_those_before() {
    let newest = opening::policy(RULE_SET_NEWEST);
    for kind in KINDS {
        assert!(
            (1..=RULE_SET_NEWEST).contains(&kind.rule_set),
            "{}",
            kind.name
        );
        assert_eq!(newest.admits(kind), Ok(()));
        for rule_set in 1..=RULE_SET_NEWEST {
            let policy = Policy { rule_set, ..newest };
            assert_eq!(policy.admits(kind).is_ok(), kind.rule_set <= rule_set);
        }
    }
    let later = KindInfo {
        rule_set: RULE_SET_NEWEST + 1,
        ..KINDS[0]
    };
    assert_eq!(newest.admits(&later).unwrap_err().rule, Rule::RuleSet);
    let first = KINDS.iter().filter(|kind| kind.rule_set == 1).count();
    assert_eq!(first, 19, "the kinds of set 1 are settled");
}

scenarios! {
    fn a_ledger_moves_to_a_higher_set_by_its_root_authority_alone(scene) {
        *scene = under_set_1();
        assert_eq!(in_force(scene), 1);
        let adopted = scene.world().rule_set_adopted(2);
        scene.refuse_bare(Who::CityAuthority, adopted.clone(), Rule::Right);
        scene.refuse_bare(Who::Producer, adopted.clone(), Rule::Right);
        let same = scene.world().rule_set_adopted(1);
        scene.refuse_bare(Who::Root, same.clone(), Rule::RuleSetNotHigher);
        let alone = scene.world().sign_countersigned(
            Who::Root,
            adopted.clone(),
            Openings::default(),
            &[],
        );
        let statement = alone.signed.statement().clone();
        scene.refuse_submission(alone, Rule::Countersignature);
        scene.world().chain(Who::Root).resume(statement.sequence, statement.link);
        let index = scene.admit_bare(Who::Root, adopted.clone());
        assert_eq!((in_force(scene), index), (2, scene.stage.view().size() - 1));
        // Never twice, never back.
        scene.refuse_bare(Who::Root, adopted, Rule::RuleSetNotHigher);
        scene.refuse_bare(Who::Root, same, Rule::RuleSetNotHigher);
    }

    fn a_bundle_carries_the_adoption_that_its_records_were_judged_by(scene) {
        *scene = under_set_1();
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit.clone());
        let adopted = scene.world().rule_set_adopted(2);
        let index = scene.admit_bare(Who::Root, adopted);
        let view = scene.stage.view();
        let signer = scene.stage.ledger.signer();
        let bundle = bundling::bundle(&view, signer, unit.unit).unwrap().unwrap();
        let verdict = bundle.verify(&scene.stage.anchor(), &[], scene.stage.today()).unwrap();
        assert!(verdict.proved.iter().any(|record| record.index == index));
    }
}
