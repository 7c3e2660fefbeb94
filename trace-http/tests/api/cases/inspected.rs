//! What an inspector's or an entity's own token is shown, and documents: each
//! route in each case.

use trace_core::{
    ident::EntityId,
    ledger::questions::About,
    record::{
        Hash, Quantity, Role,
        kinds::received::{Outcome, ReceivedTrade},
    },
};
use trace_fixtures::Who;

use super::{
    Case,
    What::{Absent, Bad, Forbidden, Good},
};
use crate::{
    documents::pdf,
    town::{Town, bearer},
};

/// Half of what was handed over is missing: a question.
fn missing(town: &mut Town) {
    let (unit, _) = town.batch();
    let given = town.world.handed_over(unit.unit, Who::Buyer, "200 斤");
    let given = town.say(Who::Producer, given);
    let half = Some(Quantity::parse("100 斤").unwrap());
    let trade = ReceivedTrade {
        accepted: half,
        missing: half,
        refused: None,
        excess: None,
    };
    let hash = given.hash();
    let short = town
        .world
        .received_as(unit.unit, hash, Outcome::Short, &trade);
    town.say(Who::Buyer, short);
}

/// What an inspector's token is shown, and documents.
pub(super) fn cases(town: &mut Town, code: &str, nothing: &str) -> Vec<Case> {
    let inspector = bearer(&town.token(Who::Inspector, Role::Inspector));
    let elsewhere = bearer(&town.token(Who::OtherCountyAuthority, Role::Authority));
    let own = bearer(&town.token(Who::Producer, Role::Producer));
    let pdf = pdf("a photo");
    let (mut inspected, openings) = town.world.inspection(Who::Producer, &[3]);
    inspected.document = Some(Hash::of(&[&pdf]));
    town.say(Who::Inspector, (inspected, openings));
    missing(town);
    let hash = Hash::of(&[&pdf]);
    let nobody = Hash::of(&[b"nobody"]);
    let mut cases = Vec::new();
    let mut put = |what, lines: &str, body: &[u8], status, code| {
        cases.push(Case {
            what,
            method: "POST",
            path: "/v1/documents".into(),
            lines: format!("content-type: application/pdf\r\n{lines}"),
            body: body.to_vec(),
            status,
            code,
        });
    };
    put(Bad, &inspector, b"<html>", 422, "document_malformed");
    put(Forbidden, "", &pdf, 401, "token_wrong");
    put(Good, &inspector, &pdf, 201, "");
    let mut get = |what, path: String, lines: &str, status, code| {
        cases.push(Case {
            what,
            method: "GET",
            path,
            lines: lines.to_owned(),
            body: Vec::new(),
            status,
            code,
        });
    };
    for more in ["balance", "recall"] {
        let of = |code: &str| format!("/v1/codes/{code}/{more}");
        get(Good, of(code), &inspector, 200, "");
        get(Bad, of("UUUU"), &inspector, 400, "trace_code_malformed");
        get(Absent, of(nothing), &inspector, 404, "not_on_ledger");
        get(Forbidden, of(code), &elsewhere, 403, "right_missing");
    }
    let of = |town: &Town, who| format!("/v1/entities/{}", town.world.id(who));
    let (producer, store) = (of(town, Who::Producer), of(town, Who::ColdStore));
    let stranger = EntityId::from_bytes([3; 10]);
    for (more, wrong) in [
        ("balance", "first_day=yesterday"),
        ("grade", "on=yesterday"),
    ] {
        get(Good, format!("{producer}/{more}"), &inspector, 200, "");
        let wrong = format!("{producer}/{more}?{wrong}");
        get(Bad, wrong, &inspector, 400, "date_malformed");
        let absent = format!("/v1/entities/{stranger}/{more}");
        get(Absent, absent, &inspector, 404, "not_on_ledger");
        let path = format!("{producer}/{more}");
        get(Forbidden, path, &elsewhere, 403, "right_missing");
        // An entity's own token is shown its own, and nobody else's.
        get(Good, format!("{producer}/{more}"), &own, 200, "");
        get(
            Forbidden,
            format!("{store}/{more}"),
            &own,
            403,
            "right_missing",
        );
    }
    let area = town.world.entity(Who::Producer).area;
    let path = format!("/v1/areas/{area}/balance");
    get(Good, path.clone(), &inspector, 200, "");
    let wrong = "/v1/areas/131/balance".to_owned();
    get(Bad, wrong, &inspector, 400, "area_malformed");
    let wrong = format!("{path}?first_day=2026-05-02&last_day=2026-05-01");
    get(Bad, wrong, &inspector, 400, "range_wrong");
    get(Forbidden, path.clone(), &elsewhere, 403, "right_missing");
    get(Forbidden, path, &own, 403, "right_missing");
    let path = "/v1/questions".to_owned();
    for about in About::ALL {
        let path = format!("{path}?about={}", about.name());
        get(Good, path.clone(), &inspector, 200, "");
        get(
            Bad,
            format!("{path}&after=x"),
            &inspector,
            400,
            "range_wrong",
        );
    }
    let wrong = format!("{path}?about=weather");
    get(Bad, wrong, &inspector, 400, "query_unexpected");
    get(Good, path.clone(), &inspector, 200, "");
    get(
        Bad,
        format!("{path}?after=x"),
        &inspector,
        400,
        "range_wrong",
    );
    get(Forbidden, path, "", 401, "token_wrong");
    let path = "/v1/documents/";
    get(
        Bad,
        format!("{path}00"),
        &inspector,
        400,
        "record_malformed",
    );
    get(
        Absent,
        format!("{path}{nobody}"),
        &inspector,
        404,
        "not_on_ledger",
    );
    get(Good, format!("{path}{hash}"), &inspector, 200, "");
    cases
}
