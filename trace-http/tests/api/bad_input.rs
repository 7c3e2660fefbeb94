//! Bad input of every kind, in every way in: each has a clear error, and the
//! ledger is as it was, to the byte of its checkpoint.

use serde_json::{Value, json};
use trace_core::ident::TraceCode;
use trace_core::record::{
    base64, chain::Chain, layout::ENTRY_BYTES_MAX, section::Openings, sign::SigningKey,
    submission::Submission,
};
use trace_fixtures::Who;

use crate::town::{Answer, JSON, Town, bearer, order_lines};

const OCTETS: &str = "content-type: application/octet-stream\r\n";

/// The last checkpoint: the same text is the same log.
fn checkpoint(town: &Town) -> String {
    town.get("/checkpoint").with(200).text()
}

/// A record's bytes, signed anew: what no honest encoder would make.
fn signed_anew(key: &SigningKey, bytes: &[u8]) -> Vec<u8> {
    [bytes, &[1][..], key.sign(bytes).as_bytes()].concat()
}

/// One record in the binary form, whatever its bytes are.
fn framed(record: &[u8]) -> Vec<u8> {
    let length = u32::try_from(record.len()).unwrap().to_be_bytes();
    [&length[..], record, &[0, 0]].concat()
}

fn post_binary(town: &Town, record: &[u8]) -> Answer {
    town.ask("POST", "/v1/records", OCTETS, &framed(record))
}

fn post_in_json(town: &Town, record: &[u8]) -> Answer {
    let body = json!({"records": [{"record": base64::encode(record)}]});
    town.post_json("/v1/records", &body)
}

fn post_atomic(town: &Town, record: &[u8]) -> Answer {
    town.ask("POST", "/v1/records?atomic=true", OCTETS, &framed(record))
}

/// The bytes with `change` made in them at `at`.
fn changed(bytes: &[u8], at: usize, change: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + change.len()].copy_from_slice(change);
    bytes
}

#[test]
fn a_bad_record_is_refused_by_its_rule_in_every_form_and_changes_nothing() {
    let mut town = Town::new();
    let (known, _) = town.batch();
    let key = SigningKey::from_seed(*town.world.chain(Who::Producer).key().seed());
    let unit = town.world.unit();
    let good = town.sign(Who::Producer, unit.clone());
    let bytes = good.signed.signed_bytes().to_vec();
    // origin stands behind the title, and the kind behind the origin.
    let kind_at = 16 + 1 + usize::from(bytes[16]);
    let product = unit.product.as_bytes();
    let product_at = bytes
        .windows(product.len())
        .position(|it| it == product)
        .unwrap();

    // Signed by a key that nobody enrolled, by another key than it names, from
    // the future, of another ledger.
    let sequence = good.signed.statement().sequence;
    let link = good.signed.statement().link;
    let now_ms = town.world.now_ms;
    let mut stranger = Chain::new(town.world.origin().clone(), town.world.fresh_key("nobody"));
    let strange = stranger.sign(&unit.clone().into(), now_ms);
    let theirs = town.world.fresh_key("nobody").sign(&bytes);
    let theirs = [&bytes[..], &[1], theirs.as_bytes()].concat();
    let chain = |origin| {
        let mut chain = Chain::new(origin, SigningKey::from_seed(*key.seed()));
        chain.resume(sequence, link);
        chain
    };
    let origin = town.world.origin().clone();
    let ahead = chain(origin.clone()).sign(&unit.clone().into(), now_ms + 3_600_000);
    let elsewhere = trace_core::record::Origin::parse("b.example/trace").unwrap();
    let elsewhere = chain(elsewhere).sign(&unit.clone().into(), now_ms);
    let twice = chain(origin.clone()).sign(&known.into(), now_ms);
    let mut other = chain(origin);
    other.resume(sequence + 1, good.signed.hash());
    let early = other.sign(&town.world.unit().into(), now_ms);

    let own = |bytes: &[u8]| signed_anew(&key, bytes);
    let table: [(&str, Vec<u8>, u16, &str); 14] = [
        ("empty", Vec::new(), 400, "record_malformed"),
        (
            "cut short",
            good.signed.encode()[..100].into(),
            400,
            "record_malformed",
        ),
        ("huge", vec![0; ENTRY_BYTES_MAX + 1], 413, "too_large"),
        (
            "unknown version",
            own(&changed(&bytes, 14, b"2")),
            400,
            "version_unknown",
        ),
        (
            "unknown kind",
            own(&changed(&bytes, kind_at, &[0xff, 0xfe])),
            400,
            "kind_unknown",
        ),
        (
            "unknown algorithm",
            [&bytes[..], &[9], &[0; 64]].concat(),
            400,
            "algorithm_unknown",
        ),
        // 韭 in GB18030, padded: no UTF-8.
        (
            "wrong charset",
            own(&changed(&bytes, product_at, b"\xBE\xC2\xBE")),
            400,
            "record_malformed",
        ),
        ("unknown key", strange.encode(), 403, "key_unknown"),
        ("wrong key", theirs, 422, "signature_wrong"),
        (
            "from the future",
            ahead.encode(),
            422,
            "signed_in_the_future",
        ),
        ("of another ledger", elsewhere.encode(), 422, "origin_wrong"),
        ("duplicate code", twice.encode(), 409, "trace_code_used"),
        ("before its turn", early.encode(), 409, "sequence_wrong"),
        (
            "left over",
            [&good.signed.encode()[..], &[0]].concat(),
            400,
            "record_malformed",
        ),
    ];
    let before = checkpoint(&town);
    for (what, record, status, code) in table {
        for post in [post_binary, post_in_json, post_atomic] {
            println!("{what}");
            let answer = post(&town, &record);
            let document = answer.refused(status, code);
            assert!(!document["remedy"].as_str().unwrap().is_empty());
            assert!(document["detail"].is_string(), "{what}: {document}");
        }
        assert_eq!(checkpoint(&town), before, "{what}");
    }
    // A good record beside bad ones is admitted, and alone is known again.
    let hash = good.signed.hash().to_string();
    let early = Submission::bare(early);
    let answer = town.post_records("/v1/records", &[early.clone(), good.clone()]);
    let answer = answer.with(200).json();
    assert_eq!(answer["results"][0]["refused"]["code"], "sequence_wrong");
    assert_eq!(answer["results"][1]["admitted"]["hash"], hash);
    let after = checkpoint(&town);
    assert_ne!(after, before);
    let replayed = town.post_records("/v1/records", &[good.clone(), good]);
    for result in replayed.with(200).json()["results"].as_array().unwrap() {
        assert_eq!(result["admitted"]["duplicate"], true);
        assert_eq!(result["admitted"]["hash"], hash);
    }
    assert_eq!(checkpoint(&town), after);
    // And its turn has come for the one that was early.
    town.post_records("/v1/records", &[early]).with(201);
}

#[test]
fn a_request_cut_short_anywhere_is_refused_whole() {
    let mut town = Town::new();
    let unit = town.world.unit();
    let created = town.sign(Who::Producer, unit.clone());
    let (certificate, openings) = town.world.certificate(&unit);
    let certified = town.world.sign(Who::Producer, certificate, openings);
    town.tick();
    let mut bytes = Vec::new();
    created.encode_into(&mut bytes);
    let whole = bytes.len();
    certified.encode_into(&mut bytes);
    let before = checkpoint(&town);
    for end in (0..bytes.len()).filter(|end| *end != whole) {
        let answer = town.ask("POST", "/v1/records", OCTETS, &bytes[..end]);
        answer.refused(400, "record_malformed");
    }
    assert_eq!(checkpoint(&town), before);
    let text = json!({"records": [{"record": base64::encode(&created.signed.encode())}]});
    let text = text.to_string();
    for end in 0..text.len() {
        let answer = town.ask("POST", "/v1/records", JSON, &text.as_bytes()[..end]);
        answer.refused(400, "json_malformed");
    }
    assert_eq!(checkpoint(&town), before);
    town.ask("POST", "/v1/records", OCTETS, &bytes).with(201);
}

#[test]
fn sections_that_do_not_belong_to_the_record_are_refused() {
    let mut town = Town::new();
    let unit = town.world.unit();
    let created = town.sign(Who::Producer, unit.clone());
    town.admit(vec![created]);
    let (certificate, openings) = town.world.certificate(&unit);
    let certified = town
        .world
        .sign(Who::Producer, certificate, openings.clone());
    town.tick();
    let before = checkpoint(&town);
    let mut other_salt = openings.clone();
    other_salt.persons[0].salt[0] ^= 1;
    let mut other_text = openings.clone();
    other_text.persons[0].bytes[1] ^= 1;
    let mut one_more = openings.clone();
    one_more.persons.push(openings.persons[0].clone());
    let mut with_trade = openings;
    with_trade.trade = Some(with_trade.persons[0].clone());
    for openings in [
        other_salt,
        other_text,
        one_more,
        with_trade,
        Openings::default(),
    ] {
        let signed = certified.signed.clone();
        town.post_records("/v1/records", &[Submission { signed, openings }])
            .refused(400, "section_wrong");
    }
    assert_eq!(checkpoint(&town), before);
    town.post_records("/v1/records", &[certified]).with(201);
}

#[test]
fn a_bad_order_is_refused_by_its_rule_and_changes_nothing() {
    let town = Town::new();
    let token = town.token(
        trace_fixtures::Who::Producer,
        trace_core::record::Role::Producer,
    );
    let order = json!({
        "product": "黄瓜", "product_class": "vegetable", "quantity": "12.5 斤",
        "origin": "河北省廊坊市", "produced_on": town.world.today().to_string(),
    });
    let text = order.to_string();
    let before = checkpoint(&town);
    let lines = order_lines(&token, "bad");
    let ask = |body: &[u8]| town.ask("POST", "/v1/certificates", &lines, body);
    ask(b"").refused(400, "json_malformed");
    for end in 0..text.len() {
        let code = match text.is_char_boundary(end) {
            true => "json_malformed",
            false => "text_malformed_utf8",
        };
        ask(&text.as_bytes()[..end]).refused(400, code);
    }
    let (gb, _, _) = encoding_rs::GB18030.encode(&text);
    ask(&gb).refused(400, "text_malformed_utf8");
    ask(&vec![b' '; 32 << 20]).refused(413, "body_too_large");
    for (field, value, status, code) in [
        ("product", json!(""), 400, "text_malformed"),
        (
            "product",
            json!("长".repeat(100_000)),
            400,
            "text_malformed",
        ),
        ("form", json!("form_of_2099"), 400, "json_unexpected"),
        ("version", json!(2), 400, "json_unexpected"),
        (
            "produced_on",
            json!("2099-01-01"),
            422,
            "event_in_the_future",
        ),
        (
            "issued_on",
            json!("2099-01-01"),
            422,
            "issued_in_the_future",
        ),
        (
            "unit",
            json!(TraceCode::from_bytes([9; 10]).to_string()),
            422,
            "unit_unknown",
        ),
    ] {
        let mut wrong = order.clone();
        if field == "unit" {
            wrong = json!({"quantity": "1 斤"});
        }
        wrong[field] = value;
        println!("{field}");
        town.order("/v1/certificates", &token, "bad", &wrong)
            .refused(status, code);
        assert_eq!(checkpoint(&town), before, "{field}");
    }
    // Whatever is too long is not said back whole.
    for field in [
        "product",
        "product_class",
        "quantity",
        "origin",
        "produced_on",
        "issued_on",
        "expires_on",
        "number",
        "form",
        "unit",
        "gtin",
        "lot",
    ] {
        let mut wrong = order.clone();
        wrong[field] = json!("长".repeat(100_000));
        let answer = town.order("/v1/certificates", &token, "bad", &wrong);
        assert_eq!(answer.status, 400, "{field}");
        assert!(answer.body.len() < 2_000, "{field}: {}", answer.text());
    }
    let long = format!("/v1/changes?{}=1", "x".repeat(10_000));
    let document = town.get(&long).refused(400, "query_unexpected");
    assert!(document.to_string().len() < 2_000, "{document}");
    // The wrong key to the door.
    let mut wrong = token.clone();
    wrong.pop();
    for wrong in [wrong.as_str(), "trt_0123456789abcdef_", "", "x"] {
        let lines = format!("{JSON}{}idempotency-key: k\r\n", bearer(wrong));
        let answer = town.ask("POST", "/v1/certificates", &lines, text.as_bytes());
        answer.refused(401, "token_wrong");
    }
    assert_eq!(checkpoint(&town), before);
    // None of it used up the name; replayed, it is the same.
    let first = ask(text.as_bytes()).with(201).json();
    let after = checkpoint(&town);
    let again: Value = ask(text.as_bytes()).with(200).json();
    assert_eq!(again["certificate_number"], first["certificate_number"]);
    assert_eq!(checkpoint(&town), after);
}
