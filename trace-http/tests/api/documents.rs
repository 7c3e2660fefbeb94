//! Documents: stored by whoever has a token, shown to whom they may be shown,
//! and as what they are.

use trace_core::record::{Hash, Role};
use trace_fixtures::Who;

use crate::town::{Town, bearer};

/// The smallest thing that is a PDF, about something.
pub fn pdf(what: &str) -> Vec<u8> {
    format!("%PDF-1.7\n% {what}\n%%EOF\n").into_bytes()
}

#[test]
fn a_document_is_an_inspectors_until_it_is_published_and_is_served_as_what_it_is() {
    let mut town = Town::new();
    let buyer = bearer(&town.token(Who::Buyer, Role::Buyer));
    let bytes = pdf("a paper");
    let hash = Hash::of(&[&bytes]);
    let lines = format!("content-type: image/png\r\n{buyer}");
    let stored = town.ask("POST", "/v1/documents", &lines, &bytes).with(201);
    let stored = stored.json();
    assert_eq!(stored["hash"], hash.to_string());
    assert_eq!(stored["media_type"], "application/pdf", "its bytes decide");
    let path = format!("/v1/documents/{hash}");
    let inspector = town.token(Who::Inspector, Role::Inspector);
    // No record names it yet: nobody is shown it.
    town.get_with(&path, &inspector)
        .refused(404, "not_on_ledger");

    let (mut inspected, openings) = town.world.inspection(Who::Producer, &[3]);
    inspected.document = Some(hash);
    town.say(Who::Inspector, (inspected, openings));
    town.get(&path).refused(404, "not_on_ledger");
    let elsewhere = town.token(Who::OtherCountyAuthority, Role::Authority);
    town.get_with(&path, &elsewhere)
        .refused(404, "not_on_ledger");
    let before = town.office.lookups.head().count;
    let shown = town.get_with(&path, &inspector).with(200);
    assert_eq!(town.office.lookups.head().count, before + 1);
    assert_eq!(shown.body, bytes);
    assert_eq!(shown.field("cache-control"), Some("no-store"));

    let published = town.world.document_published(hash, None);
    town.say_bare(Who::Inspector, published);
    let shown = town.get(&path).with(200);
    assert_eq!(shown.body, bytes);
    for (field, value) in [
        ("content-type", "application/pdf"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("trace-audience", "public"),
    ] {
        assert_eq!(shown.field(field), Some(value), "{field}");
    }
}

#[test]
fn what_is_no_document_is_not_stored() {
    let town = Town::new();
    let buyer = bearer(&town.token(Who::Buyer, Role::Buyer));
    for body in [&b""[..], b"<svg onload=alert(1)>", b"%PDF-1.7 cut off"] {
        let lines = format!("content-type: application/pdf\r\n{buyer}");
        let answer = town.ask("POST", "/v1/documents", &lines, body);
        answer.refused(422, "document_malformed");
    }
    let lines = format!("content-type: text/html\r\n{buyer}");
    let answer = town.ask("POST", "/v1/documents", &lines, &pdf("x"));
    answer.refused(415, "media_type_unsupported");
}
