//! Signed records: admitted, known already, refused, one by one and together.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use trace_core::{
    proof::receipt::Receipt,
    record::{
        Signed, base64,
        section::Opening,
        sign::{Signature, SigningKey},
        submission::{REQUEST_RECORDS_MAX, Submission},
    },
};
use trace_fixtures::Who;

use crate::town::Town;

fn opening(opening: &Opening) -> Value {
    json!({"salt": base64::encode(&opening.salt), "bytes": base64::encode(&opening.bytes)})
}

fn in_json(submission: &Submission) -> Value {
    let openings = &submission.openings;
    json!({
        "record": base64::encode(&submission.signed.encode()),
        "trade": openings.trade.as_ref().map(opening),
        "persons": openings.persons.iter().map(opening).collect::<Vec<_>>(),
    })
}

#[test]
fn records_are_admitted_with_receipts_that_verify_and_sent_again_they_are_known() {
    let mut town = Town::new();
    let unit = town.world.unit();
    let created = town.sign(Who::Producer, unit.clone());
    let (certificate, openings) = town.world.certificate(&unit);
    let certified = town.world.sign(Who::Producer, certificate, openings);
    town.tick();
    let both = [created, certified];
    let answer = town.post_records("/v1/records", &both).with(201).json();
    for (result, sent) in answer["results"].as_array().unwrap().iter().zip(&both) {
        let admitted = &result["admitted"];
        assert_eq!(admitted["hash"], sent.signed.hash().to_string());
        assert_eq!(admitted["duplicate"], false);
        let receipt: Receipt = serde_json::from_value(admitted["receipt"].clone()).unwrap();
        let anchor = town.anchor();
        let verified = receipt.verify(sent.signed.signed_bytes(), &anchor.ledger_key);
        assert_eq!(
            verified.unwrap().index(),
            admitted["index"].as_u64().unwrap()
        );
    }
    let again = town.post_records("/v1/records", &both).with(200).json();
    for (result, first) in again["results"]
        .as_array()
        .unwrap()
        .iter()
        .zip(answer["results"].as_array().unwrap())
    {
        assert_eq!(result["admitted"]["duplicate"], true);
        assert_eq!(result["admitted"]["index"], first["admitted"]["index"]);
    }
    // The same in JSON.
    let body = json!({"records": both.iter().map(in_json).collect::<Vec<_>>()});
    let in_json = town.post_json("/v1/records", &body).with(200).json();
    assert_eq!(in_json, again);
}

#[test]
fn a_wrong_sequence_is_answered_with_the_expected_one() {
    let mut town = Town::new();
    let (_, certified) = town.batch();
    // A device that forgot its last record and signs its sequence again.
    let sequence = certified.signed.statement().sequence;
    let link = certified.signed.statement().link;
    town.world.chain(Who::Producer).resume(sequence, link);
    let other = town.world.unit();
    let wrong = town.sign(Who::Producer, other);
    let document = town
        .post_records("/v1/records", std::slice::from_ref(&wrong))
        .refused(409, "sequence_wrong");
    assert_eq!(document["expected_sequence"], sequence + 1);
    assert_eq!(
        document["expected_link"],
        certified.signed.hash().to_string()
    );
    // Beside others it is one result of several.
    let hash = certified.signed.hash();
    let answer = town
        .post_records("/v1/records", &[certified, wrong])
        .with(200)
        .json();
    assert_eq!(answer["results"][0]["admitted"]["hash"], hash.to_string());
    let refused = &answer["results"][1]["refused"];
    assert_eq!(refused["code"], "sequence_wrong");
    assert_eq!(refused["expected_sequence"], sequence + 1);
    assert!(
        refused["remedy"]
            .as_str()
            .unwrap()
            .contains("expected sequence")
    );
}

#[test]
fn a_refusal_names_the_rule_the_record_and_the_numbers() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    town.store(&unit, "10 斤");
    let (body, openings) = town.world.warehouse_out(unit.unit, "11 斤");
    let out = town.world.sign(Who::ColdStore, body, openings);
    town.tick();
    let document = town
        .post_records("/v1/records", &[out])
        .refused(422, "quantity_exceeded");
    assert!(
        document["detail"].as_str().unwrap().contains("5500"),
        "{document}"
    );
    let again = town.sign(Who::Producer, unit.clone());
    let document = town
        .post_records("/v1/records", &[again])
        .refused(409, "trace_code_used");
    assert_eq!(document["record"].as_str().unwrap().len(), 64);
    // Whoever has no right to it.
    let stolen = town.world.voided(&certified.signed);
    let stolen = town.sign(Who::Buyer, stolen);
    town.post_records("/v1/records", &[stolen])
        .refused(403, "right_missing");
}

#[test]
fn what_reads_badly_or_is_signed_wrongly_never_reaches_the_writer() {
    let mut town = Town::new();
    let size = town.office.view().size();
    let octets = "content-type: application/octet-stream\r\n";
    let ask = |bytes: &[u8]| town.ask("POST", "/v1/records", octets, bytes);
    ask(b"").refused(400, "record_malformed");
    ask(b"\0\0\0\x01").refused(400, "record_malformed");
    ask(&[0xff; 64]).refused(413, "too_large");
    town.ask("POST", "/v1/records", "content-type: text/plain\r\n", b"x")
        .refused(415, "media_type_unsupported");
    town.post_json("/v1/records", &json!({"records": [], "automic": true}))
        .refused(400, "json_unexpected");
    town.post_json("/v1/records", &json!({"records": [{"record": "!"}]}))
        .refused(400, "record_malformed");
    let unit = town.world.unit();
    let good = town.sign(Who::Producer, unit);
    let mut forged = *good.signed.signature().as_bytes();
    forged[0] ^= 1;
    let forged =
        Signed::from_parts(good.signed.signed_bytes(), &Signature::from_bytes(forged)).unwrap();
    town.post_records("/v1/records", &[Submission::bare(forged)])
        .refused(422, "signature_wrong");
    let bad_salt = json!({"record": base64::encode(&good.signed.encode()), "trade": {"salt": "AA==", "bytes": ""}});
    town.post_json("/v1/records", &json!({"records": [bad_salt]}))
        .refused(400, "section_wrong");
    assert_eq!(town.office.view().size(), size);
    town.post_records("/v1/records", &[good]).with(201);
}

#[test]
fn an_atomic_request_stands_whole_or_not_at_all() {
    let mut town = Town::new();
    let size = town.office.view().size();
    let unit = town.world.unit();
    let created = town.sign(Who::Producer, unit.clone());
    let (mut certificate, openings) = town.world.certificate(&unit);
    certificate.0.quantity = trace_core::record::Quantity::parse("2000 斤").unwrap();
    let too_much = town.world.sign(Who::Producer, certificate, openings);
    town.tick();
    let both = [created, too_much];
    let document = town
        .post_records("/v1/records?atomic=true", &both)
        .refused(422, "quantity_exceeded");
    assert_eq!(document["results"][0]["refused"]["code"], "group_refused");
    assert_eq!(
        document["results"][1]["refused"]["code"],
        "quantity_exceeded"
    );
    assert_eq!(town.office.view().size(), size);
    // One that reads badly refuses the others too.
    let body = json!({"records": [in_json(&both[0]), {"record": ""}], "atomic": true});
    let document = town
        .post_json("/v1/records", &body)
        .refused(400, "record_malformed");
    assert_eq!(document["results"][0]["refused"]["code"], "group_refused");
    assert_eq!(town.office.view().size(), size);
    // One by one, the first stands.
    let answer = town.post_records("/v1/records", &both).with(200).json();
    assert_eq!(answer["results"][0]["admitted"]["duplicate"], false);
    assert_eq!(answer["results"][1]["refused"]["code"], "quantity_exceeded");
    assert_eq!(town.office.view().size(), size + 1);
}

#[test]
fn a_reader_in_the_middle_of_the_log_holds_up_no_writer_and_sees_what_it_began_with() {
    let mut town = Town::new();
    let view = town.office.view();
    let size = view.size();
    let unit = town.world.unit();
    let created = town.sign(Who::Producer, unit.clone());
    let mut seen = 0;
    let scanned = view.scan(0, |index, _| {
        // While the log is being read a record is admitted, and found.
        if index == size / 2 {
            town.post_records("/v1/records", std::slice::from_ref(&created))
                .with(201);
            town.get(&format!("/v1/codes/{}", unit.unit)).with(200);
        }
        seen += 1;
        ControlFlow::<Option<()>>::Continue(())
    });
    scanned.unwrap();
    assert_eq!((seen, view.size()), (size, size));
    assert_eq!(view.index_of(&created.signed.hash()).unwrap(), None);
    assert_eq!(town.office.view().size(), size + 1);
}

#[test]
fn a_full_request_is_taken_and_one_more_record_is_not() {
    let mut town = Town::new();
    let mut many = Vec::new();
    for _ in 0..REQUEST_RECORDS_MAX {
        let unit = town.world.unit();
        many.push(town.world.sign_bare(Who::Producer, unit));
    }
    town.tick();
    let answer = town.post_records("/v1/records", &many).with(201).json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), REQUEST_RECORDS_MAX);
    for (result, sent) in results.iter().zip(&many) {
        assert_eq!(result["admitted"]["hash"], sent.signed.hash().to_string());
    }
    let unit = town.world.unit();
    let one_more = town.sign(Who::Producer, unit);
    many.push(one_more);
    town.post_records("/v1/records", &many)
        .refused(413, "too_large");
    let body = json!({"records": vec![json!({"record": ""}); REQUEST_RECORDS_MAX + 1]});
    town.post_json("/v1/records", &body)
        .refused(413, "too_large");
}

/// Signs prepared bytes and sends them, as a client that knows Ed25519 alone.
fn sign_prepared(town: &Town, key: &SigningKey, prepared: &Value) -> crate::town::Answer {
    let bytes = base64::decode(prepared["bytes"].as_str().unwrap()).unwrap();
    let signature = key.sign(&bytes);
    let record = [&bytes, &[1][..], signature.as_bytes()].concat();
    let body = json!({"records": [{
        "record": base64::encode(&record),
        "trade": prepared["trade"],
        "persons": prepared["persons"],
    }]});
    town.post_json("/v1/records", &body)
}

#[test]
fn a_thin_client_prepares_signs_and_sends() {
    let mut town = Town::new();
    let key = town.world.fresh_key("thin");
    let enrolled = town.world.key_enrolled(Who::Buyer, &key);
    let enrolled = town.sign(Who::CountyAuthority, enrolled);
    town.admit(vec![enrolled]);
    let id = key.public().id().to_string();
    let unit = town.world.unit();
    let statement = serde_json::to_value(&unit).unwrap();
    let order = json!({"key": id, "kind": "unit_created", "statement": statement});
    let prepared = town.post_json("/v1/prepare", &order).with(200).json();
    assert_eq!(prepared["sequence"], 0);
    let answer = sign_prepared(&town, &key, &prepared).with(201).json();
    assert_eq!(answer["results"][0]["admitted"]["hash"], prepared["hash"]);

    // With a trade section and a person, whose commitments the server fills in.
    let (mut body, _) = town.world.certificate_2026_buyer(&unit, &["PAPER-1"]);
    body.certificate.persons.clear();
    let mut statement = serde_json::to_value(&body).unwrap();
    statement.as_object_mut().unwrap().remove("trade");
    statement["certificate"]
        .as_object_mut()
        .unwrap()
        .remove("persons");
    let mut order = json!({
        "key": id, "kind": "conformity_certificate_2026_buyer", "statement": statement,
        "trade": {"collected": ["PAPER-1"]},
        "persons": [{"name": "甲某", "phone": "13800000000"}],
    });
    let prepared = town.post_json("/v1/prepare", &order).with(200).json();
    assert_eq!(prepared["sequence"], 1);
    assert_eq!(prepared["person_ids"][0].as_str().unwrap().len(), 32);
    sign_prepared(&town, &key, &prepared).with(201);
    let shown = town
        .get(&format!("/v1/codes/{}", unit.unit))
        .with(200)
        .text();
    assert!(shown.contains("138****0000"));

    // What a client gets wrong is named.
    order["statement"]["trade"] = json!("00");
    let document = town
        .post_json("/v1/prepare", &order)
        .refused(400, "statement_malformed");
    assert!(
        document["detail"].as_str().unwrap().contains("`trade`"),
        "{document}"
    );
    order["kind"] = json!("wish");
    order["statement"] = json!({});
    order["trade"] = Value::Null;
    town.post_json("/v1/prepare", &order)
        .refused(400, "kind_unknown");
    order["key"] = json!("00".repeat(32));
    town.post_json("/v1/prepare", &order)
        .refused(403, "key_unknown");
    let order = json!({"key": id, "kind": "voided", "statement": [], "persons": []});
    town.post_json("/v1/prepare", &order)
        .refused(400, "statement_malformed");
    let order = json!({"key": id, "kind": "voided", "statement": {}, "persons": [{"name": "x"}]});
    town.post_json("/v1/prepare", &order)
        .refused(400, "statement_malformed");
}
