//! Entities, roles and persons: each once, and what is taken away was there.

use super::scene::scenarios;
use trace_core::error::Rule;
use trace_core::ident::Area;
use trace_core::record::Role;
use trace_core::record::rights::GRANTS_MAX;
use trace_core::record::wire::{Day, PersonId};
use trace_fixtures::{Who, opening};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

scenarios! {
    fn an_entity_and_its_credit_code_are_registered_once(scene) {
        let (first, second) = (scene.world().newcomer(), scene.world().newcomer());
        let (body, openings) = scene.world().entity_registered(&first);
        scene.admit(Who::CountyAuthority, body.clone(), openings.clone());
        scene.refuse(Who::CountyAuthority, body.clone(), openings, Rule::EntityKnown);
        let (mut other, openings) = scene.world().entity_registered(&second);
        let own = std::mem::replace(&mut other.uscc, body.uscc.clone());
        scene.refuse(Who::CountyAuthority, other.clone(), openings.clone(), Rule::EntityKnown);
        let own_id = std::mem::replace(&mut other.entity, first.id);
        other.uscc = own;
        scene.refuse(Who::CountyAuthority, other.clone(), openings.clone(), Rule::EntityKnown);
        other.entity = own_id;
        scene.admit(Who::CountyAuthority, other, openings);
    }

    fn a_role_is_granted_where_it_is_not_held_and_withdrawn_where_it_is(scene) {
        let granted = scene.world().role_granted(Who::Producer, Role::Producer);
        let withdrawn = scene.world().role_withdrawn(Who::Producer, Role::Producer);
        scene.refuse_bare(Who::CountyAuthority, granted.clone(), Rule::RoleHeld);
        scene.admit_bare(Who::CountyAuthority, withdrawn.clone());
        scene.refuse_bare(Who::CountyAuthority, withdrawn, Rule::RoleNotHeld);
        scene.admit_bare(Who::CountyAuthority, granted.clone());
        scene.refuse_bare(Who::CountyAuthority, granted, Rule::RoleHeld);
        // Held for the county is not held for the city.
        let id = scene.world().id(Who::Producer);
        let mut wider = scene.world().role_withdrawn(Who::Producer, Role::Producer);
        wider.area = Area::LANGFANG.into();
        scene.refuse_bare(Who::CityAuthority, wider, Rule::RoleNotHeld);
        scene.admit_bare(
            Who::CityAuthority,
            opening::role_granted(id, Role::Producer, Area::LANGFANG),
        );
    }

    fn an_entity_holds_a_most_of_roles(scene) {
        let id = scene.world().id(Who::Producer);
        let roles = [Role::Buyer, Role::Importer, Role::ColdStore, Role::Market];
        let mut grants = roles.into_iter().flat_map(|role| {
            Area::LANGFANG_COUNTIES.into_iter().map(move |area| opening::role_granted(id, role, area))
        });
        // It is a producer already.
        for granted in grants.by_ref().take(GRANTS_MAX - 1) {
            scene.admit_bare(Who::CityAuthority, granted);
        }
        let one_more = grants.next().unwrap();
        scene.refuse_bare(Who::CityAuthority, one_more.clone(), Rule::TooMany);
        let withdrawn = scene.world().role_withdrawn(Who::Producer, Role::Producer);
        scene.admit_bare(Who::CountyAuthority, withdrawn);
        scene.admit_bare(Who::CityAuthority, one_more);
    }

    fn a_person_is_erased_when_the_retention_has_run_and_named_no_more(scene) {
        let mut requested = scene.world().erasure_requested(Who::Household);
        let erased = scene.world().personal_data_erased(Who::Household);
        let today = scene.world().today();
        requested.destroy_on = Day(today.days() + 1);
        let nobody = PersonId([9; 16]);
        let (mut unknown_request, mut unknown_erasure) = (requested.clone(), erased.clone());
        (unknown_request.person, unknown_erasure.person) = (nobody, nobody);
        scene.refuse_bare(Who::CountyAuthority, unknown_request, Rule::PersonUnknown);
        scene.refuse_bare(Who::CountyAuthority, unknown_erasure, Rule::PersonUnknown);

        scene.admit_bare(Who::CountyAuthority, requested.clone());
        scene.refuse_bare(Who::CountyAuthority, erased.clone(), Rule::RetentionRuns);
        scene.world().now_ms += DAY_MS;
        scene.admit_bare(Who::CountyAuthority, erased.clone());
        scene.refuse_bare(Who::CountyAuthority, erased, Rule::PersonErased);
        scene.refuse_bare(Who::CountyAuthority, requested, Rule::PersonErased);

        // Nobody brings the person back under the same id.
        let unit = scene.world().unit();
        scene.admit_bare(Who::Household, unit.clone());
        let form = trace_core::record::claim::Form::ElectronicTraceability;
        let (elements, openings) = scene.world().elements(Who::Household, &unit, form);
        let mut body = trace_core::record::kinds::electronic_traceability_certificate
            ::ElectronicTraceabilityCertificate(elements);
        scene.refuse(Who::Household, body.clone(), openings.clone(), Rule::PersonErased);
        body.0.persons[0].person = PersonId([7; 16]);
        scene.admit(Who::Household, body, openings);
    }
}
