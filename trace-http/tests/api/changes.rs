//! The feed of changes: complete, resumable, and as full as the token allows.

use serde_json::Value;
use trace_core::record::Role;
use trace_fixtures::Who;

use crate::town::Town;

#[test]
fn whoever_resumes_behind_the_last_index_misses_nothing_and_sees_nothing_twice() {
    let mut town = Town::new();
    town.batch();
    let mut indexes = Vec::new();
    let mut after = String::new();
    loop {
        let page = town
            .get(&format!("/v1/changes?limit=7{after}"))
            .with(200)
            .json();
        let records = page["records"].as_array().unwrap();
        let Some(last) = records.last() else { break };
        after = format!("&after={}", last["index"]);
        indexes.extend(
            records
                .iter()
                .map(|record| record["index"].as_u64().unwrap()),
        );
    }
    let size = town.office.view().size();
    assert_eq!(indexes, (0..size).collect::<Vec<_>>());
    // New records come when the same is asked again.
    town.batch();
    let page = town
        .get(&format!("/v1/changes?limit=7{after}"))
        .with(200)
        .json();
    assert_eq!(page["records"].as_array().unwrap().len(), 2);
    assert_eq!(page["records"][0]["index"], size);
    let page = town
        .get(&format!("/v1/changes?after={}", u64::MAX))
        .with(200)
        .json();
    assert_eq!(page["records"], Value::Array(Vec::new()));
    town.get("/v1/changes?after=x")
        .refused(400, "query_unexpected");
}

#[test]
fn an_inspector_follows_its_own_area_in_full_and_the_rest_as_anyone_does() {
    let mut town = Town::new();
    let before = town.office.view().size() - 1;
    let (unit, _) = town.batch();
    town.store(&unit, "10 斤");
    let path = format!("/v1/changes?after={before}");
    let phone = town
        .world
        .entity(Who::Producer)
        .contact
        .person
        .phone
        .clone()
        .unwrap();
    let public = town.get(&path).with(200);
    assert!(!public.text().contains(&phone) && !public.text().contains("\"trade\":{"));
    let token = town.token(Who::Inspector, Role::Inspector);
    let full = town.get_with(&path, &token).with(200);
    assert_eq!(full.field("trace-audience"), Some("full"));
    assert!(full.text().contains(&phone) && full.text().contains("\"trade\":{"));
    assert_eq!(town.office.lookups.head().count, 1);
    // The same records in the same order, only more of each.
    let indexes = |answer: Value| -> Vec<Value> {
        let records = answer["records"].as_array().unwrap().iter();
        records.map(|record| record["index"].clone()).collect()
    };
    assert_eq!(indexes(full.json()), indexes(public.json()));

    let elsewhere = town.token(Who::OtherCountyAuthority, Role::Authority);
    let answer = town.get_with(&path, &elsewhere).with(200);
    assert_eq!(answer.text(), public.text());
    assert_eq!(town.office.lookups.head().count, 1);
}
