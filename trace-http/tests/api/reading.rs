//! What anyone may ask: good, malformed, absent; and what only some may see.

use serde_json::Value;
use trace_core::{
    ident::TraceCode,
    ledger::lookup::PAGE_RECORDS_MAX,
    proof::{
        anchor::Anchor,
        bundle::Bundle,
        checkpoint::SignedCheckpoint,
        merkle::{leaf_hash, verify_consistency, verify_inclusion},
    },
    record::{Hash, Role, Status, base64},
};
use trace_fixtures::Who;

use crate::town::Town;

fn hashes(path: &Value) -> Vec<Hash> {
    let texts = path.as_array().unwrap().iter();
    texts
        .map(|text| {
            let bytes = base64::decode(text.as_str().unwrap()).unwrap();
            Hash::from(<[u8; 32]>::try_from(bytes).unwrap())
        })
        .collect()
}

fn number_of(town: &Town, code: TraceCode) -> String {
    let answer = town.get(&format!("/v1/codes/{code}")).with(200).json();
    let records = answer["records"].as_array().unwrap();
    let certificate = records
        .iter()
        .find(|record| record["statement"]["number"].is_string());
    certificate.unwrap()["statement"]["number"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_code_is_answered_with_its_verdict_and_a_proof_of_every_record() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    town.store(&unit, "10 斤");
    let code = unit.unit;
    let answer = town.get(&format!("/v1/codes/{code}")).with(200);
    assert_eq!(answer.field("trace-audience"), Some("public"));
    let answer = answer.json();
    assert_eq!(answer["status"], "valid");
    assert_eq!(answer["code"], code.to_string());
    let checkpoint = answer["checkpoint"].as_str().unwrap();
    let anchor = town.anchor();
    let checkpoint = SignedCheckpoint::open(checkpoint, &anchor.ledger_key).unwrap();
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records.len(), 3);
    for record in records {
        let entry = base64::decode(record["entry"].as_str().unwrap()).unwrap();
        verify_inclusion(
            &leaf_hash(&entry),
            record["index"].as_u64().unwrap(),
            checkpoint.size(),
            &hashes(&record["path"]),
            checkpoint.root(),
        )
        .unwrap();
    }
    // However it is typed.
    let typed = code.compact().to_lowercase().replace('0', "o");
    let again = town.get(&format!("/v1/codes/{typed}")).with(200).json();
    assert_eq!(again, answer);
}

#[test]
fn a_malformed_code_is_named_by_its_character_and_an_unknown_one_is_never_called_false() {
    let town = Town::new();
    for path in ["/v1/codes/UUUU", "/v1/codes/UUUU/bundle"] {
        let document = town.get(path).refused(400, "trace_code_malformed");
        assert!(
            document["detail"].as_str().unwrap().contains("'U'"),
            "{document}"
        );
        assert_eq!(document["trace_status"], "malformed");
    }
    let code = TraceCode::from_bytes([9; 10]);
    for path in [
        format!("/v1/codes/{code}"),
        format!("/v1/codes/{code}/bundle"),
    ] {
        let document = town.get(&path).refused(404, "not_on_ledger");
        assert_eq!(document["trace_status"], "unknown");
        assert!(!document.to_string().contains("fake"));
    }
}

#[test]
fn a_story_is_read_page_by_page() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    for _ in 0..3 {
        town.store(&unit, "1 斤");
    }
    let whole = town
        .get(&format!("/v1/codes/{}", unit.unit))
        .with(200)
        .json();
    let mut records = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let path = format!("/v1/codes/{}?from={from}&limit=2", unit.unit);
        let page = town.get(&path).with(200).json();
        records.extend(page["records"].as_array().unwrap().clone());
        next = page["next_index"].as_u64();
    }
    assert_eq!(Value::from(records), whole["records"]);
    let path = format!("/v1/codes/{}?form=0", unit.unit);
    town.get(&path).refused(400, "query_unexpected");
}

#[test]
fn a_bundle_verifies_with_the_anchor_that_the_server_names_and_no_other() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let answer = town
        .get(&format!("/v1/codes/{}/bundle", unit.unit))
        .with(200);
    let name = answer.field("content-disposition").unwrap();
    assert!(
        name.contains(&format!("{}.bundle.json", unit.unit.compact())),
        "{name}"
    );
    let anchor = town.get("/v1/anchor").with(200).json();
    let anchor: Anchor = anchor["anchor"].as_str().unwrap().parse().unwrap();
    assert_eq!(anchor, town.anchor());
    let bundle = Bundle::decode(&answer.body).unwrap();
    let verdict = bundle.verify(&anchor, &[], town.world.today()).unwrap();
    assert_eq!(verdict.judgement.status, Status::Valid);
    let other = Anchor {
        leaf0: Hash::ZERO,
        ..anchor
    };
    bundle.verify(&other, &[], town.world.today()).unwrap_err();
}

#[test]
fn a_unit_is_found_by_certificate_record_gtin_lot_and_foreign_code() {
    let mut town = Town::new();
    let mut unit = town.world.unit();
    unit.gtin = Some("6901234567892".parse().unwrap());
    unit.lot = Some("A/1%".into());
    unit.foreign_codes = vec!["冀A/123".into()];
    let (unit, certified) = town.batch_of(unit);
    let code = unit.unit.to_string();
    let whole = town.get(&format!("/v1/codes/{code}")).with(200).json();

    let number = number_of(&town, unit.unit);
    let found = town
        .get(&format!("/v1/certificates/{number}"))
        .with(200)
        .json();
    assert_eq!(found, whole);
    town.get("/v1/certificates/NONE-0001")
        .refused(404, "not_on_ledger");
    town.get("/v1/certificates/no")
        .refused(400, "certificate_number_malformed");

    let hash = certified.signed.hash();
    let found = town.get(&format!("/v1/records/{hash}")).with(200).json();
    assert_eq!(found["records"][0]["hash"], hash.to_string());
    town.get(&format!("/v1/records/{}", Hash::ZERO))
        .refused(404, "not_on_ledger");
    town.get("/v1/records/00").refused(400, "record_malformed");

    let found = town
        .get("/v1/units/6901234567892/A%2F1%25")
        .with(200)
        .json();
    assert_eq!(found["units"][0]["code"], code);
    assert_eq!(found["units"][0]["status"], "valid");
    let found = town.get("/v1/units/6901234567892/B").with(200).json();
    assert_eq!(found["units"], Value::Array(Vec::new()));
    town.get("/v1/units/6901234567893/B")
        .refused(400, "gs1_malformed");

    let found = town.get("/v1/foreign/%E5%86%80A%2F123").with(200).json();
    assert_eq!(found["units"][0]["code"], code);
    let found = town.get("/v1/foreign/other").with(200).json();
    assert_eq!(found["units"], Value::Array(Vec::new()));
    town.get("/v1/foreign/x").refused(400, "text_malformed");
}

#[test]
fn many_units_of_a_lot_are_listed_page_by_page() {
    let mut town = Town::new();
    let mut codes = Vec::new();
    for _ in 0..3 {
        let mut unit = town.world.unit();
        unit.gtin = Some("6901234567892".parse().unwrap());
        unit.lot = Some("L".into());
        codes.push(unit.unit.to_string());
        town.batch_of(unit);
    }
    codes.sort();
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/units/6901234567892/L?limit=2{after}");
        let page = town.get(&path).with(200).json();
        let units = page["units"].as_array().unwrap();
        found.extend(
            units
                .iter()
                .map(|unit| unit["code"].as_str().unwrap().to_owned()),
        );
        match page["next_after"].as_str() {
            Some(code) => after = format!("&after={code}"),
            None => break,
        }
    }
    found.sort();
    assert_eq!(found, codes);
}

#[test]
fn an_entity_is_shown_with_its_roles_and_what_it_issued() {
    let mut town = Town::new();
    town.batch();
    let id = town.world.id(Who::Producer);
    let entity = town.get(&format!("/v1/entities/{id}")).with(200).json();
    assert_eq!(entity["roles"][0]["role"], "producer");
    assert_eq!(
        entity["name"].as_str(),
        town.world.entity(Who::Producer).name.as_deref()
    );
    let issued = town
        .get(&format!("/v1/entities/{id}/certificates?limit=5"))
        .with(200)
        .json();
    assert_eq!(issued["records"].as_array().unwrap().len(), 1);
    let other = trace_core::ident::EntityId::from_bytes([3; 10]);
    for path in [
        format!("/v1/entities/{other}"),
        format!("/v1/entities/{other}/certificates"),
    ] {
        town.get(&path).refused(404, "not_on_ledger");
    }
    town.get("/v1/entities/E-0")
        .refused(400, "entity_id_malformed");
}

#[test]
fn the_log_proves_itself() {
    let mut town = Town::new();
    let anchor = town.anchor();
    let older = town.get("/checkpoint").with(200).text();
    let older = SignedCheckpoint::open(&older, &anchor.ledger_key).unwrap();
    let (_, certified) = town.batch();
    let note = town.get("/checkpoint").with(200).text();
    let newer = SignedCheckpoint::open(&note, &anchor.ledger_key).unwrap();
    assert!(newer.size() > older.size());

    let path = format!("/v1/proof/consistency?from={}", older.size());
    let proof = town.get(&path).with(200).json();
    let path = hashes(&proof["path"]);
    verify_consistency(
        older.size(),
        newer.size(),
        older.root(),
        newer.root(),
        &path,
    )
    .unwrap();

    let hash = certified.signed.hash();
    let proof = town
        .get(&format!("/v1/proof/inclusion?hash={hash}"))
        .with(200)
        .json();
    let (index, leaf) = (
        proof["index"].as_u64().unwrap(),
        hashes(&Value::from(vec![proof["leaf"].clone()])),
    );
    verify_inclusion(
        &leaf[0],
        index,
        newer.size(),
        &hashes(&proof["path"]),
        newer.root(),
    )
    .unwrap();
    let by_index = town
        .get(&format!("/v1/proof/inclusion?index={index}"))
        .with(200)
        .json();
    assert_eq!(by_index, proof);

    let size = newer.size();
    town.get(&format!("/v1/proof/inclusion?index={size}"))
        .refused(400, "range_wrong");
    town.get("/v1/proof/inclusion?index=0&size=100000")
        .refused(400, "range_wrong");
    town.get(&format!("/v1/proof/inclusion?hash={}", Hash::ZERO))
        .refused(404, "not_on_ledger");
    town.get("/v1/proof/inclusion")
        .refused(400, "query_unexpected");
    town.get(&format!("/v1/proof/consistency?from={size}&to=1"))
        .refused(400, "range_wrong");
    town.get("/v1/proof/consistency")
        .refused(400, "query_unexpected");
}

#[test]
fn an_inspector_of_the_area_sees_all_and_the_look_up_is_logged_before_the_answer() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    town.store(&unit, "10 斤");
    let path = format!("/v1/codes/{}", unit.unit);
    let phone = town
        .world
        .entity(Who::Producer)
        .contact
        .person
        .phone
        .clone()
        .unwrap();
    let public = town.get(&path).with(200).text();
    assert!(
        !public.contains(&phone) && !public.contains("\"trade\":{"),
        "{public}"
    );
    assert!(public.contains("****"));

    let token = town.token(Who::Inspector, Role::Inspector);
    let answer = town
        .get_with(&format!("{path}?purpose=routine"), &token)
        .with(200);
    assert_eq!(answer.field("trace-audience"), Some("full"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert!(answer.text().contains(&phone) && answer.text().contains("\"trade\":{"));
    let mut lines = Vec::new();
    town.office
        .lookups
        .scan(|line| {
            lines.push(line.clone());
            Ok(())
        })
        .unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].lookup.looked_up, unit.unit.to_string());
    assert_eq!(lines[0].lookup.purpose.as_deref(), Some("routine"));
    assert_eq!(lines[0].lookup.entity, Some(town.world.id(Who::Inspector)));

    // An authority of the area too; by certificate number too.
    let authority = town.token(Who::CountyAuthority, Role::Authority);
    let number = number_of(&town, unit.unit);
    let answer = town
        .get_with(&format!("/v1/certificates/{number}"), &authority)
        .with(200);
    assert!(answer.text().contains(&phone));
    assert_eq!(town.office.lookups.head().count, 2);

    // A purpose that cannot be written down is refused before anything is shown.
    let refused = town.get_with(&format!("{path}?purpose=%00"), &token);
    assert!(!refused.text().contains(&phone));
    refused.refused(400, "text_malformed");
}

#[test]
fn a_token_of_another_area_or_role_shows_what_anyone_sees_and_logs_nothing() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    town.store(&unit, "10 斤");
    let path = format!("/v1/codes/{}", unit.unit);
    let public = town.get(&path).with(200).text();
    let elsewhere = town.token(Who::OtherCountyAuthority, Role::Authority);
    let producer = town.token(Who::Producer, Role::Producer);
    // A token that claims a role which its entity does not hold on the ledger.
    let pretended = town.token(Who::Producer, Role::Inspector);
    for token in [elsewhere, producer, pretended] {
        let answer = town.get_with(&path, &token).with(200);
        assert_eq!(answer.text(), public);
    }
    assert_eq!(town.office.lookups.head().count, 0);
}

#[test]
fn a_token_that_is_not_in_force_is_refused_even_where_none_is_needed() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let path = format!("/v1/codes/{}", unit.unit);
    let token = town.token(Who::Inspector, Role::Inspector);
    town.get_with(&path, &token).with(200);
    let answer = town.get_with(&path, "trt_x");
    assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
    answer.refused(401, "token_wrong");
    for lines in [
        "authorization: Basic eDp5\r\n".to_owned(),
        "authorization: Bearer\r\n".to_owned(),
        format!("authorization: Bearer {token}\r\nauthorization: Bearer {token}\r\n"),
    ] {
        town.ask("GET", &path, &lines, b"")
            .refused(401, "token_wrong");
    }
    let revoked = town.office.tokens.list()[0].id;
    assert!(
        town.office
            .tokens
            .revoke(revoked, town.world.now_ms)
            .unwrap()
    );
    town.get_with(&path, &token).refused(401, "token_wrong");
    let late = town.token(Who::Inspector, Role::Inspector);
    town.set_clock(town.world.now_ms + 2 * 86_400_000);
    town.get_with(&path, &late).refused(401, "token_wrong");
}

#[test]
fn an_erased_person_is_seen_by_nobody_any_more_and_every_proof_holds() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let path = format!("/v1/codes/{}", unit.unit);
    let token = town.token(Who::Inspector, Role::Inspector);
    let person = town.world.entity(Who::Producer).contact.person.clone();
    let phone = person.phone.unwrap();
    assert!(town.get_with(&path, &token).text().contains(&phone));
    assert!(
        town.get(&format!("/t/{}", unit.unit))
            .text()
            .contains("****")
    );

    let erased = town.world.personal_data_erased(Who::Producer);
    let erased = town.sign(Who::CountyAuthority, erased);
    town.post_records("/v1/records", &[erased]).with(201);

    let full = town.get_with(&path, &token).with(200);
    assert!(!full.text().contains(&phone) && !full.text().contains(&person.name));
    let public = town.get(&path).with(200);
    assert!(!public.text().contains("****"));
    assert!(
        !town
            .get(&format!("/t/{}", unit.unit))
            .text()
            .contains("****")
    );
    let bundle = town.get(&format!("{path}/bundle")).with(200).body;
    let verdict = Bundle::decode(&bundle).unwrap();
    verdict
        .verify(&town.anchor(), &[], town.world.today())
        .unwrap();
}

#[test]
fn kinds_are_published_and_pages_are_bounded() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let kinds = town.get("/v1/kinds").with(200).json();
    let names: Vec<_> = kinds
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["name"].clone())
        .collect();
    assert_eq!(names.len(), trace_core::record::kinds::KINDS.len());
    let path = format!("/v1/codes/{}?limit={}", unit.unit, PAGE_RECORDS_MAX * 1000);
    town.get(&path).with(200);
    let page = town.get("/v1/changes?limit=100000").with(200).json();
    assert!(page["records"].as_array().unwrap().len() <= PAGE_RECORDS_MAX);
}
