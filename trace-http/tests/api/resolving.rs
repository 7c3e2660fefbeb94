//! GS1 Digital Links: scanned from a package by somebody who knows nothing of
//! this ledger.

use serde_json::Value;
use trace_core::ident::TraceCode;
use trace_fixtures::Who;

use crate::town::{PUBLIC_URL, Town};

const GTIN: &str = "06901234567892";

/// A unit of that product and batch.
fn batch(town: &mut Town, lot: &str) -> TraceCode {
    let mut unit = town.world.unit();
    unit.gtin = Some(GTIN.parse().unwrap());
    unit.lot = Some(lot.into());
    town.say_bare(Who::Producer, unit.clone());
    unit.unit
}

fn linkset(town: &Town, path: &str) -> Value {
    let answer = town
        .ask("GET", path, "accept: application/linkset+json\r\n", b"")
        .with(200);
    assert_eq!(
        answer.field("content-type"),
        Some("application/linkset+json")
    );
    answer.json()["linkset"][0].clone()
}

#[test]
fn a_label_leads_to_the_page_of_its_unit_and_names_all_its_links() {
    let mut town = Town::new();
    let code = batch(&mut town, "A/1%");
    let path = format!("/01/{GTIN}/10/A%2F1%25?t={}", code.compact());
    let answer = town.get(&path).with(307);
    let page = format!("{PUBLIC_URL}/t/{}", code.compact());
    assert_eq!(answer.field("location"), Some(page.as_str()));
    let link = answer.field("link").unwrap();
    assert!(link.contains("rel=\"linkset\""), "{link}");
    // A shorter GTIN is the same product; the serial is the label's own.
    let short = format!("/01/6901234567892/10/A%2F1%25/21/7?t={}", code.compact());
    assert_eq!(
        town.get(&short).with(307).field("location"),
        Some(page.as_str())
    );
    assert_eq!(answer.field("access-control-allow-origin"), Some("*"));
    let rather_a_page = "accept: text/html, application/linkset+json;q=0.5\r\n";
    town.ask("GET", &path, rather_a_page, b"").with(307);
    let set = linkset(&town, &path);
    let default = &set["https://ref.gs1.org/voc/defaultLink"];
    assert_eq!(default[0]["href"], page);
    assert_eq!(set["anchor"], format!("{PUBLIC_URL}/01/{GTIN}/10/A%2F1%25"));
    let pages = &set["https://ref.gs1.org/voc/traceability"];
    assert_eq!(pages[0]["href"], page);
    let all = town
        .get(&format!("{path}&linkType=linkset"))
        .with(200)
        .json();
    assert_eq!(all["linkset"][0], set);
    let bundle = town
        .get(&format!("{path}&linkType=gs1:verificationService"))
        .with(307);
    let wanted = format!("{PUBLIC_URL}/v1/codes/{}/bundle", code.compact());
    assert_eq!(bundle.field("location"), Some(wanted.as_str()));
    town.get(&format!("{path}&linkType=a&linkType=b"))
        .refused(400, "query_unexpected");
    town.get(&format!("{path}&linkType=gs1:recipeInfo"))
        .refused(404, "not_on_ledger");
    let known = town.get("/.well-known/gs1resolver").with(200).json();
    assert_eq!(known["resolverRoot"], PUBLIC_URL);
    assert_eq!(known["supportedPrimaryKeys"][0], "01");
}

#[test]
fn a_batch_that_several_units_have_lists_them_and_a_code_of_another_batch_leads_nowhere() {
    let mut town = Town::new();
    let (one, two) = (batch(&mut town, "A"), batch(&mut town, "A"));
    let other = batch(&mut town, "B");
    let listed = town.get(&format!("/01/{GTIN}/10/A")).with(200);
    let set = listed.json()["linkset"][0].clone();
    let pages = set["https://ref.gs1.org/voc/traceability"]
        .as_array()
        .unwrap();
    let codes: Vec<&str> = pages
        .iter()
        .map(|page| page["title"].as_str().unwrap())
        .collect();
    assert_eq!(codes.len(), 2);
    for code in [one, two] {
        assert!(codes.contains(&code.to_string().as_str()));
    }
    let copied = format!("/01/{GTIN}/10/A?t={}", other.compact());
    town.get(&copied).refused(404, "not_on_ledger");
    town.get(&format!("/01/{GTIN}/10/C"))
        .refused(404, "not_on_ledger");
    // On every package of the product: it lists nothing.
    town.get(&format!("/01/{GTIN}"))
        .refused(404, "not_on_ledger");
}

#[test]
fn lots_are_guessed_at_a_bounded_pace_and_whoever_has_the_code_is_answered() {
    let mut town = Town::new();
    let code = batch(&mut town, "A");
    let now_ms = town.world.now_ms;
    town.set_clock(now_ms);
    let bare = format!("/01/{GTIN}/10/A");
    let mut answered = 0;
    let refused = loop {
        let answer = town.get(&bare);
        match answer.status {
            307 if answered < 1_000 => answered += 1,
            _ => break answer,
        }
    };
    assert_eq!(answered, 60);
    assert_eq!(refused.field("retry-after"), Some("1"));
    refused.refused(429, "too_often");
    // The same list by its other address, and lots that are not there.
    town.get(&format!("/v1/units/{GTIN}/A"))
        .refused(429, "too_often");
    town.get(&format!("/01/{GTIN}/10/B"))
        .refused(429, "too_often");
    town.get(&format!("{bare}?t={}", code.compact())).with(307);
    town.set_clock(now_ms + 500);
    town.get(&bare).with(307);
    town.get(&bare).refused(429, "too_often");
}

#[test]
fn what_is_no_digital_link_is_refused_with_what_is_wrong() {
    let town = Town::new();
    for (path, code, said) in [
        ("/01/06901234567893/10/A", "gs1_malformed", "check digit"),
        (
            "/01/06901234567892/22/A",
            "digital_link_malformed",
            "known are 10 and 21",
        ),
        ("/01/06901234567892/10/", "lot_malformed", "0 characters"),
        (
            "/01/06901234567892/10/A?t=UUUU",
            "trace_code_malformed",
            "position 1",
        ),
    ] {
        let refused = town.get(path).refused(400, code);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{path}: {detail}");
    }
}
