//! Files of loggers over HTTP, mappings saved by equipment, and readings that come
//! faster than the disk takes them.

use std::io::Read;

use serde_json::{Value, json};
use trace_core::{
    ident::{EquipmentId, format_ms},
    record::{Role, readings},
};
use trace_fixtures::{Who, world_cold::minutely};

use crate::{
    cold::{Store, store},
    town::{Answer, JSON, Town, bearer},
};

const MINUTE_MS: u64 = 60_000;

/// A logger of which every file has a page of remarks before its columns.
fn mapping() -> Value {
    json!({
        "delimiter": "semicolon", "decimal": "comma", "skip_lines": 1, "has_headers": true,
        "time": ["Zeit"], "time_format": "iso8601", "temperatures": [{"column": "T"}],
    })
}

/// A file of these cells, a minute apart, from an hour ago on.
fn file(town: &Town, cells: &[&str]) -> String {
    let mut text = "Logger 7\nZeit;T\n".to_owned();
    for (place, cell) in cells.iter().enumerate() {
        let at_ms = town.world.now_ms - 60 * MINUTE_MS + place as u64 * MINUTE_MS;
        text.push_str(&format!("{};{cell}\n", format_ms(at_ms, 480)));
    }
    text
}

fn send(town: &Town, store: &Store, query: &str, text: &str) -> Answer {
    let lines = format!(
        "content-type: text/csv\r\naccept-language: en\r\n{}",
        bearer(&store.token)
    );
    let path = format!("/v1/readings?{query}");
    town.ask("POST", &path, &lines, text.as_bytes())
}

fn save(town: &Town, token: &str, id: &str, mapping: &Value) -> Answer {
    let lines = format!("{JSON}{}", bearer(token));
    let path = format!("/v1/equipment/{id}/mapping");
    town.ask("POST", &path, &lines, mapping.to_string().as_bytes())
}

#[test]
fn a_mapping_is_saved_once_and_reads_the_next_files_of_its_probe() {
    let mut town = Town::new();
    let store = store(&mut town);
    let query = format!("equipment={}", store.probe);
    let text = file(&town, &["2,5", "---", "2,6"]);
    send(&town, &store, &query, &text).refused(422, "mapping_absent");
    save(&town, &store.token, &store.probe, &mapping()).with(201);
    let path = format!("/v1/equipment/{}/mapping", store.probe);
    let saved = town.get_with(&path, &store.token).with(200).json();
    assert_eq!(saved["time_format"], json!("iso8601"));
    let taken = send(&town, &store, &query, &text).with(201).json();
    assert_eq!((&taken["fresh"], &taken["known"]), (&json!(2), &json!(0)));
    assert_eq!(taken["file"]["no_reading"], json!({"---": 1}));
    // The next export begins where the last one did.
    let longer = file(&town, &["2,5", "---", "2,6", "2,7"]);
    let taken = send(&town, &store, &query, &longer).with(201).json();
    assert_eq!((&taken["fresh"], &taken["known"]), (&json!(1), &json!(2)));
}

#[test]
fn a_file_with_wrong_rows_is_refused_whole_or_taken_without_them() {
    let mut town = Town::new();
    let store = store(&mut town);
    save(&town, &store.token, &store.probe, &mapping()).with(201);
    let query = format!("equipment={}", store.probe);
    let text = file(&town, &["2,5", "warm", "2,6"]);
    let refused = send(&town, &store, &query, &text);
    let document = refused.json();
    refused.refused(422, "table_malformed");
    assert_eq!(document["complaints"][0]["row"], json!(4));
    assert_eq!(document["complaints"][0]["column"], json!("T"));
    let body = json!({"probe": store.probe});
    town.order("/v1/segments", &store.token, "s", &body)
        .refused(422, "nothing_to_seal");
    let valid = format!("{query}&rows=valid");
    let taken = send(&town, &store, &valid, &text).with(201).json();
    assert_eq!(
        (&taken["fresh"], &taken["file"]["complaint_count"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn a_file_is_read_for_the_probes_owner_alone_by_a_mapping_that_holds() {
    let mut town = Town::new();
    let store = store(&mut town);
    let query = format!("equipment={}", store.probe);
    let text = file(&town, &["2,5"]);
    let other = town.token(Who::Producer, Role::Producer);
    save(&town, &other, &store.probe, &mapping()).refused(403, "right_missing");
    let without_zone = json!({
        "delimiter": "comma", "has_headers": true, "time": ["t"],
        "time_format": "%Y/%m/%d %H:%M", "temperatures": [{"column": 2}],
    });
    save(&town, &store.token, &store.probe, &without_zone).refused(400, "mapping_malformed");
    save(&town, &store.token, &store.zone, &mapping()).refused(400, "mapping_malformed");
    save(&town, &store.token, &store.probe, &json!({})).refused(400, "json_unexpected");
    save(&town, &store.token, &store.probe, &mapping()).with(201);
    let stranger = Store {
        token: other,
        zone: store.zone.clone(),
        probe: store.probe.clone(),
    };
    send(&town, &stranger, &query, &text).refused(403, "right_missing");
    send(&town, &store, "", &text).refused(400, "query_unexpected");
    send(&town, &store, "equipment=x", &text).refused(400, "equipment_id_malformed");
    // A batch names its probes itself.
    let path = format!("/v1/readings?{query}");
    let lines = format!("{JSON}{}", bearer(&store.token));
    town.ask("POST", &path, &lines, br#"{"probes":[]}"#)
        .refused(400, "query_unexpected");
    // Columns of a store's file name their probes, which must be the token's own.
    let absent = EquipmentId::from_bytes([9; 10]).to_string();
    let mut foreign = mapping();
    foreign["temperatures"][0]["probe"] = json!(absent);
    save(&town, &store.token, &store.zone, &foreign).refused(422, "equipment_unknown");
}

/// More at once than may wait: whoever is refused is told when to come again, and
/// in the end every reading is there once.
#[test]
fn a_burst_beyond_what_may_wait_is_refused_with_a_time_and_nothing_is_lost() {
    const BATCHES: u64 = 12;
    let mut town = Town::new();
    let store = store(&mut town);
    let probe = EquipmentId::parse(&store.probe).unwrap();
    let lines = format!(
        "content-type: application/octet-stream\r\n{}",
        bearer(&store.token)
    );
    let each = readings::READINGS_MAX;
    let from_ms = trace_core::ledger::readings::EARLIEST_MS;
    let batch = |number: u64| {
        let start_ms = from_ms + number * each as u64 * MINUTE_MS / 100;
        let mut of = minutely(start_ms, each as u64, -18_000);
        for (place, reading) in of.iter_mut().enumerate() {
            reading.at_ms = start_ms + place as u64 * MINUTE_MS / 100;
        }
        readings::encode(&[(probe, of)]).unwrap()
    };
    let batches: Vec<Vec<u8>> = (0..BATCHES).map(batch).collect();
    let (mut fresh, mut refused) = (0, 0);
    let mut waiting: Vec<&Vec<u8>> = batches.iter().collect();
    for _ in 0..100 {
        let streams: Vec<_> = waiting
            .iter()
            .map(|bytes| (*bytes, town.send("POST", "/v1/readings", &lines, bytes)))
            .collect();
        waiting.clear();
        for (bytes, mut stream) in streams {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            let answer = String::from_utf8(answer).unwrap();
            if answer.starts_with("HTTP/1.1 201") {
                let body = answer.split("\r\n\r\n").nth(1).unwrap();
                let body: Value = serde_json::from_str(body).unwrap();
                fresh += body["fresh"].as_u64().unwrap();
                continue;
            }
            assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
            assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
            assert!(answer.contains("readings_busy"), "{answer}");
            refused += 1;
            waiting.push(bytes);
        }
        if waiting.is_empty() {
            break;
        }
    }
    assert!(
        waiting.is_empty(),
        "{} batches were never taken",
        waiting.len()
    );
    assert!(refused > 0, "the burst was never too much");
    assert_eq!(fresh, BATCHES * each as u64);
}
