//! When a thing is said: clocks, dates, and the day on which the forms change.
//! Civil dates are the ledger's, eight hours east of UTC.

use super::scene::{Scene, scenarios};
use trace_core::error::Rule;
use trace_core::ident::parse_ms;
use trace_core::record::chain::countersign;
use trace_core::record::claim::Form;
use trace_core::record::kinds::Body;
use trace_core::record::kinds::electronic_traceability_certificate::ElectronicTraceabilityCertificate;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::section::Openings;
use trace_core::record::sign::SigningKey;
use trace_core::record::submission::Submission;
use trace_core::record::wire::Day;
use trace_fixtures::chains::with_countersignatures;
use trace_fixtures::stage::Stage;
use trace_fixtures::{Who, form};

/// What the policy of these ledgers allows.
const AHEAD_MAX_MS: u64 = 5 * 60 * 1_000;
const BACKDATE_MAX_DAYS: i32 = 3;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A unit made ten days ago, admitted.
fn old_unit(scene: &mut Scene) -> UnitCreated {
    let mut unit = scene.world().unit();
    unit.produced_on = Day(unit.produced_on.0 - 10);
    unit.durability = None;
    scene.admit_bare(Who::Producer, unit.clone());
    unit
}

/// A certificate of 100 斤 of the unit, issued so many days ago.
fn issued(
    scene: &mut Scene,
    unit: &UnitCreated,
    days_ago: i32,
) -> (ElectronicTraceabilityCertificate, Openings) {
    let (mut body, openings) = scene.world().certificate(unit);
    body.0.quantity = "100 斤".parse().unwrap();
    body.0.issued_on = Day(body.0.issued_on.0 - days_ago);
    (body, openings)
}

scenarios! {
    fn a_signer_s_clock_is_ahead_by_what_the_policy_allows_and_no_more(scene) {
        let clock_ms = scene.world().now_ms;
        let sign_at = |scene: &mut Scene, at_ms: u64| {
            let unit = scene.world().unit();
            let signed = scene.world().chain(Who::Producer).sign(&unit.into(), at_ms);
            Submission::bare(signed)
        };
        let (sequence, link) = scene.world().chain(Who::Producer).next();
        for ahead_ms in [AHEAD_MAX_MS + 1, DAY_MS, u64::MAX - clock_ms] {
            let submission = sign_at(scene, clock_ms + ahead_ms);
            scene.refuse_submission(submission, Rule::SignedAhead);
            scene.world().chain(Who::Producer).resume(sequence, link);
        }
        for at_ms in [clock_ms + AHEAD_MAX_MS, clock_ms, clock_ms - 400 * DAY_MS, 0] {
            let submission = sign_at(scene, at_ms);
            scene.stage.admit(submission);
        }
    }

    fn a_certificate_is_dated_today_or_a_little_back(scene) {
        let unit = old_unit(scene);
        for days_ahead in [1, 2, 400] {
            let (body, openings) = issued(scene, &unit, -days_ahead);
            scene.refuse(Who::Producer, body, openings, Rule::IssueAhead);
        }
        for days_ago in 0..=BACKDATE_MAX_DAYS {
            let (body, openings) = issued(scene, &unit, days_ago);
            scene.admit(Who::Producer, body, openings);
        }
        for days_ago in BACKDATE_MAX_DAYS + 1..=10 {
            let (body, openings) = issued(scene, &unit, days_ago);
            scene.refuse(Who::Producer, body, openings, Rule::IssueBackdated);
        }
    }

    fn further_back_only_with_an_authority_of_the_place(scene) {
        let unit = old_unit(scene);
        let (body, openings) = issued(scene, &unit, BACKDATE_MAX_DAYS + 1);
        let body = Body::from(body);
        let at_ms = scene.world().now_ms;
        let (sequence, link) = scene.world().chain(Who::Producer).next();
        // Agreed to by somebody: what comes of it.
        let agreed = |scene: &mut Scene, who: Who, to: &Body| {
            let seed = *scene.world().chain(who).key().seed();
            let key = SigningKey::from_seed(seed);
            let chain = scene.world().chain(Who::Producer);
            let given = countersign(&key, &chain.state(to, at_ms), to);
            let signed = chain.sign(&with_countersignatures(body.clone(), vec![given]), at_ms);
            Submission { signed, openings: openings.clone() }
        };
        for who in [Who::OtherCountyAuthority, Who::Cooperative, Who::Producer, Who::Operator] {
            let submission = agreed(scene, who, &body);
            scene.refuse_submission(submission, Rule::IssueBackdated);
            scene.world().chain(Who::Producer).resume(sequence, link);
        }
        let other = issued(scene, &unit, 9).0.into();
        let submission = agreed(scene, Who::CountyAuthority, &other);
        scene.refuse_submission(submission, Rule::Countersignature);
        scene.world().chain(Who::Producer).resume(sequence, link);

        let submission = agreed(scene, Who::CountyAuthority, &body);
        scene.stage.admit(submission);
    }

    fn nothing_is_certified_or_stored_before_it_was_made(scene) {
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit.clone());
        let (body, openings) = issued(scene, &unit, 1);
        scene.refuse(Who::Producer, body, openings, Rule::BeforeProduction);
        let (body, openings) = issued(scene, &unit, 0);
        scene.admit(Who::Producer, body, openings);

        // The clock stands at five in the morning: six hours ago was yesterday.
        let (mut body, openings) = scene.world().warehouse_in(unit.unit, "10 斤");
        body.0.at_ms -= 6 * 60 * 60 * 1_000;
        scene.refuse(Who::ColdStore, body.clone(), openings.clone(), Rule::BeforeProduction);
        body.0.at_ms += 2 * 60 * 60 * 1_000;
        scene.admit(Who::ColdStore, body, openings);
        let (mut body, openings) = scene.world().warehouse_out(unit.unit, "5 斤");
        body.0.at_ms -= DAY_MS;
        scene.refuse(Who::ColdStore, body.clone(), openings.clone(), Rule::BeforeProduction);
        body.0.at_ms += DAY_MS;
        scene.admit(Who::ColdStore, body, openings);
    }

    fn a_certificate_expires_no_earlier_than_it_is_issued(scene) {
        let unit = scene.world().unit();
        scene.admit_bare(Who::Producer, unit.clone());
        let (mut body, openings) = issued(scene, &unit, 0);
        let today = body.0.issued_on;
        body.0.expires_on = Some(Day(today.0 - 1));
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::DatesDisagree);
        body.0.expires_on = Some(today);
        scene.admit(Who::Producer, body, openings);
    }

    fn an_event_is_recorded_after_it_happened(scene) {
        let mut unit = scene.world().unit();
        let today = unit.produced_on;
        unit.durability = None;
        unit.produced_on = Day(today.0 + 1);
        scene.refuse_bare(Who::Producer, unit.clone(), Rule::EventAhead);
        unit.produced_on = today;
        scene.admit_bare(Who::Producer, unit.clone());

        for ahead_ms in [AHEAD_MAX_MS + 1, DAY_MS] {
            let (mut body, openings) = scene.world().warehouse_in(unit.unit, "10 斤");
            // The clock goes on by a second while the record is signed.
            body.0.at_ms += 1_000 + ahead_ms;
            scene.refuse(Who::ColdStore, body, openings, Rule::EventAhead);
        }
        let (mut body, openings) = scene.world().warehouse_in(unit.unit, "10 斤");
        body.0.at_ms += 1_000 + AHEAD_MAX_MS;
        scene.admit(Who::ColdStore, body, openings);
    }

    fn the_forms_change_at_local_midnight_and_not_in_utc(scene) {
        *scene = Scene::on(Stage::opened_at(parse_ms("2026-01-31T12:00:00+08:00").unwrap()));
        let last = Day(form::new_forms_from().days() - 1);
        let first = Day(last.0 + 1);
        for (time, today) in [
            ("2026-01-31T23:59:59+08:00", last),
            ("2026-02-01T00:00:00+08:00", first),
            ("2026-02-01T07:59:59+08:00", first),
            ("2026-02-01T08:00:00+08:00", first),
        ] {
            // Signing takes a second of the world's clock, and admission is
            // judged behind it: so the record is signed a second before.
            let at_ms = parse_ms(time).unwrap();
            for (form, issued_on) in [
                (Form::Conformity2021, last),
                (Form::Conformity2021, first),
                (Form::Conformity2026Producer, last),
                (Form::Conformity2026Producer, first),
            ] {
                scene.world().now_ms = at_ms - 1_000;
                let mut unit = scene.world().unit();
                unit.produced_on = Day(last.0 - 1);
                unit.durability = None;
                scene.admit_bare(Who::Producer, unit.clone());
                scene.world().now_ms = at_ms - 1_000;
                let is_new = form == Form::Conformity2026Producer;
                let date = issued_on.date().unwrap();
                let (mut elements, openings) = scene.world().elements(Who::Producer, &unit, form);
                elements.issued_on = issued_on;
                // Whatever the date: exactly what this form itself demands.
                let own = if is_new { first } else { last }.date().unwrap();
                elements.bases = form::bases(form, own)[..1].to_vec();
                elements.pledges = form::pledges(form, own);
                let body: Body = match is_new {
                    true => trace_core::record::kinds::conformity_certificate_2026_producer::ConformityCertificate2026Producer(elements).into(),
                    false => trace_core::record::kinds::conformity_certificate_2021::ConformityCertificate2021(elements).into(),
                };
                let what = format!("{form:?} of {date} at {time}");
                println!("{what}");
                if is_new != (issued_on == first) {
                    scene.refuse(Who::Producer, body, openings, Rule::FormFields);
                } else if issued_on > today {
                    scene.refuse(Who::Producer, body, openings, Rule::IssueAhead);
                } else {
                    scene.admit(Who::Producer, body, openings);
                }
                assert_eq!(scene.world().now_ms, at_ms);
            }
        }
    }
}
