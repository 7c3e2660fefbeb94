//! Who may say it: roles, areas, delegation, quorums, and whose record it is.

use super::scene::scenarios;
use trace_core::error::Rule;
use trace_core::ident::Area;
use trace_core::record::Role;
use trace_core::record::chain::countersign;
use trace_core::record::kinds::Body;
use trace_core::record::section::Openings;
use trace_core::record::submission::Submission;
use trace_fixtures::chains::{countersigned, with_countersignatures};
use trace_fixtures::{Who, opening};

scenarios! {
    fn a_role_says_what_is_its_own_and_nothing_else(scene) {
        let unit = scene.world().unit();
        for who in [Who::ColdStore, Who::Inspector, Who::CountyAuthority, Who::Operator] {
            scene.refuse_bare(who, unit.clone(), Rule::Right);
        }
        let key = scene.world().fresh_key("root may");
        let enrolled = scene.world().key_enrolled(Who::Inspector, &key);
        scene.refuse_bare(Who::Root, unit.clone(), Rule::Right);
        scene.admit_bare(Who::Root, enrolled);
        scene.admit_bare(Who::Producer, unit.clone());

        let (body, openings) = scene.world().warehouse_in(unit.unit, "10 斤");
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Right);
        scene.admit(Who::ColdStore, body, openings);

        let sealed = scene.world().lookups_sealed(3);
        scene.refuse_bare(Who::CityAuthority, sealed.clone(), Rule::Right);
        scene.admit_bare(Who::Operator, sealed);

        let erasure = scene.world().erasure_requested(Who::Household);
        scene.refuse_bare(Who::Household, erasure.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, erasure);
    }

    fn every_role_is_refused_every_kind_that_the_table_does_not_give_it(scene) {
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit.clone());
        let newcomer = scene.world().newcomer();
        let key = scene.world().fresh_key("table");
        let world = scene.world();
        let bodies: Vec<(Body, Openings)> = vec![
            (world.ledger_opened().into(), Openings::default()),
            { let (body, openings) = world.entity_registered(&newcomer); (body.into(), openings) },
            (world.key_enrolled(Who::Producer, &key).into(), Openings::default()),
            (world.role_granted(Who::Producer, Role::Laboratory).into(), Openings::default()),
            (world.role_withdrawn(Who::Producer, Role::Producer).into(), Openings::default()),
            (world.lookups_sealed(1).into(), Openings::default()),
            { let (body, openings) = world.certificate(&unit); (body.into(), openings) },
            { let (body, openings) = world.certificate_2026_producer(&unit); (body.into(), openings) },
            { let (body, openings) = world.certificate_2026_buyer(&unit, &["131023-0001"]); (body.into(), openings) },
            (world.imported_unit().into(), Openings::default()),
            { let (body, openings) = world.warehouse_in(unit.unit, "1 斤"); (body.into(), openings) },
            { let (body, openings) = world.warehouse_out(unit.unit, "1 斤"); (body.into(), openings) },
            (world.erasure_requested(Who::Producer).into(), Openings::default()),
            (world.personal_data_erased(Who::Producer).into(), Openings::default()),
        ];
        let mut refused = 0;
        for who in Who::ALL {
            let role = match who {
                Who::Root => Role::Root,
                _ => scene.world().entity(who).role,
            };
            for (body, openings) in &bodies {
                if !body.kind().signers.contains(&role) {
                    scene.refuse(who, body.clone(), openings.clone(), Rule::Right);
                    refused += 1;
                }
            }
        }
        assert!(refused > 100, "{refused}");
    }

    fn an_authority_governs_its_area_and_below(scene) {
        let newcomer = scene.world().newcomer();
        let (body, openings) = scene.world().entity_registered(&newcomer);
        scene.refuse(Who::OtherCountyAuthority, body.clone(), openings.clone(), Rule::Right);
        scene.admit(Who::CountyAuthority, body, openings);

        let key = scene.world().fresh_key("newcomer");
        let origin = scene.world().origin().clone();
        let enrolled = opening::key_enrolled(&origin, newcomer.id, &key, "1号设备");
        scene.refuse_bare(Who::OtherCountyAuthority, enrolled.clone(), Rule::Right);
        // The city is above the county.
        scene.admit_bare(Who::CityAuthority, enrolled);

        let granted = opening::role_granted(newcomer.id, Role::ColdStore, newcomer.area);
        scene.refuse_bare(Who::OtherCountyAuthority, granted.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, granted);

        let withdrawn = scene.world().role_withdrawn(Who::Buyer, Role::Buyer);
        scene.refuse_bare(Who::OtherCountyAuthority, withdrawn.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, withdrawn);
        // And with the role goes the right.
        let unit = scene.world().unit();
        scene.refuse_bare(Who::Buyer, unit, Rule::Right);

        let unit = scene.world().unit();
        let record = scene.record(Who::Producer, unit, Openings::default());
        let voided = scene.world().voided(&record);
        scene.refuse_bare(Who::OtherCountyAuthority, voided.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, voided);

        let device = scene.device(Who::Producer, "lost");
        let revoked = scene.world().key_revoked(Who::Producer, device.id());
        scene.refuse_bare(Who::OtherCountyAuthority, revoked.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, revoked);
    }

    fn an_authority_delegates_below_itself_and_never_to_its_own_area(scene) {
        let county = scene.world().entity(Who::Producer).area;
        let inspector = scene.world().id(Who::Inspector);
        let peer = opening::role_granted(inspector, Role::Authority, county);
        scene.refuse_bare(Who::CountyAuthority, peer.clone(), Rule::Right);
        scene.admit_bare(Who::CityAuthority, peer);
        let above = opening::role_granted(inspector, Role::Authority, Area::LANGFANG);
        scene.refuse_bare(Who::CountyAuthority, above.clone(), Rule::Right);
        scene.refuse_bare(Who::CityAuthority, above.clone(), Rule::Right);
        scene.admit_bare(Who::Root, above);
        // Nor does it take the right from an authority for its own area.
        let withdrawn = scene.world().role_withdrawn(Who::CountyAuthority, Role::Authority);
        scene.refuse_bare(Who::CountyAuthority, withdrawn.clone(), Rule::Right);
        scene.admit_bare(Who::CityAuthority, withdrawn);
        let key = scene.world().fresh_key("after");
        let enrolled = scene.world().key_enrolled(Who::Producer, &key);
        scene.refuse_bare(Who::CountyAuthority, enrolled, Rule::Right);
    }

    fn the_operator_is_named_by_the_root_and_the_root_by_nobody(scene) {
        let operator = scene.world().role_granted(Who::Inspector, Role::Operator);
        scene.refuse_bare(Who::CityAuthority, operator.clone(), Rule::Right);
        scene.admit_bare(Who::Root, operator);
        let withdrawn = scene.world().role_withdrawn(Who::Inspector, Role::Operator);
        scene.refuse_bare(Who::CityAuthority, withdrawn.clone(), Rule::Right);
        scene.admit_bare(Who::Root, withdrawn);
        let root = scene.world().role_granted(Who::CityAuthority, Role::Root);
        scene.refuse_bare(Who::CityAuthority, root.clone(), Rule::Right);
        scene.refuse_bare(Who::Root, root, Rule::Right);
    }

    fn an_act_of_the_root_needs_its_quorum_of_different_keys(scene) {
        let body = scene.world().role_granted(Who::Inspector, Role::Laboratory);
        for too_few in [&[][..], &[0], &[0, 0]] {
            let stage = &mut scene.stage;
            let submission =
                stage.world.sign_countersigned(Who::Root, body.clone(), Openings::default(), too_few);
            let statement = submission.signed.statement().clone();
            scene.refuse_submission(submission, Rule::Countersignature);
            scene.world().chain(Who::Root).resume(statement.sequence, statement.link);
        }
        // Somebody else's agreement is no root key's.
        let at_ms = scene.world().now_ms;
        let stranger = scene.world().fresh_key("stranger");
        let agreed = countersigned(scene.world().chain(Who::Root), &body.clone().into(), at_ms, &[&stranger]);
        let chain = scene.world().chain(Who::Root);
        let next = chain.next();
        let signed = chain.sign(&agreed, at_ms);
        scene.refuse_submission(Submission::bare(signed), Rule::Countersignature);
        scene.world().chain(Who::Root).resume(next.0, next.1);
        // A root key's agreement to other words is none to these.
        let other: Body = scene.world().role_granted(Who::Buyer, Role::Laboratory).into();
        let key = scene.world().root_key(1);
        let chain = scene.world().chain(Who::Root);
        let given = countersign(&key, &chain.state(&other, at_ms), &other);
        let signed = chain.sign(&with_countersignatures(body.clone().into(), vec![given]), at_ms);
        scene.refuse_submission(Submission::bare(signed), Rule::Countersignature);
        scene.world().chain(Who::Root).resume(next.0, next.1);

        scene.admit_bare(Who::Root, body);
    }

    fn a_ledger_opens_once(scene) {
        let again = scene.world().ledger_opened();
        scene.refuse_bare(Who::Root, again.clone(), Rule::Right);
        // Nor can anybody bring root keys of their own.
        let key = scene.world().fresh_key("usurper");
        let mut usurped = again;
        usurped.root_keys = vec![trace_core::record::wire::Bytes32(*key.public().as_bytes())];
        usurped.policy.root_quorum = 1;
        let mut chain = scene.chain(key);
        let submission = scene.sign_on(&mut chain, usurped);
        scene.refuse_submission(submission, Rule::KeyUnknown);
    }

    fn only_the_maker_certifies_and_only_the_issuer_replaces(scene) {
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit.clone());
        let (body, openings) = scene.world().certificate(&unit);
        scene.refuse(Who::Cooperative, body.clone(), openings.clone(), Rule::Right);
        let record = scene.record(Who::Producer, body, openings);

        let voided = scene.world().voided(&record);
        scene.refuse_bare(Who::Cooperative, voided.clone(), Rule::Right);
        let superseded = scene.world().superseded(&record, unit.unit);
        scene.refuse_bare(Who::Cooperative, superseded.clone(), Rule::Right);
        // An authority voids what it finds wrong, but does not rewrite it.
        scene.refuse_bare(Who::CountyAuthority, superseded.clone(), Rule::Right);
        scene.admit_bare(Who::Producer, superseded);
    }

    fn an_unregistered_entity_is_given_nothing(scene) {
        let newcomer = scene.world().newcomer();
        let key = scene.world().fresh_key("nobody's");
        let origin = scene.world().origin().clone();
        let enrolled = opening::key_enrolled(&origin, newcomer.id, &key, "1号设备");
        let granted = opening::role_granted(newcomer.id, Role::ColdStore, newcomer.area);
        for who in [Who::CountyAuthority, Who::Root] {
            scene.refuse_bare(who, enrolled.clone(), Rule::EntityUnknown);
            scene.refuse_bare(who, granted.clone(), Rule::EntityUnknown);
        }
        let (body, openings) = scene.world().entity_registered(&newcomer);
        scene.admit(Who::CountyAuthority, body, openings);
        scene.admit_bare(Who::CountyAuthority, enrolled);
        scene.admit_bare(Who::CountyAuthority, granted);
    }
}
