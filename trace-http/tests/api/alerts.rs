//! Alerts: what is on, who sees it, that it was seen, and that receivers are told
//! once and for all, whatever they and this server go through.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    record::{
        Hash, Role, base64,
        sign::{Signature, verify_strict},
    },
};
use trace_fixtures::{Who, world_cold::minutely};
use trace_http::alerting::{AlertSettings, Alerting};

use crate::{
    cold::{Store, placed, send, store},
    town::{PATIENCE, Town},
};

const MINUTE_MS: u64 = 60_000;

/// The town with goods in its store, and the time from which on they lie there.
fn stocked() -> (Town, Store, TraceCode, u64) {
    let mut town = Town::new();
    let store = store(&mut town);
    let code = placed(&mut town, &store);
    let from_ms = town.world.now_ms;
    (town, store, code, from_ms)
}

fn at(town: &mut Town, now_ms: u64) {
    town.world.now_ms = now_ms;
    town.tick();
}

fn on(town: &Town, token: &str) -> Vec<Value> {
    let answer = town.get_with("/v1/alerts", token).with(200).json();
    assert_eq!(answer["next_after"], Value::Null);
    answer["alerts"].as_array().unwrap().clone()
}

fn acknowledge(town: &Town, store: &Store, key: &str, sort: &str) {
    let body = json!({"equipment": store.probe, "sort": sort});
    town.order("/v1/alerts/acknowledged", &store.token, key, &body)
        .with(201);
}

#[test]
fn an_excursion_is_on_until_it_ends_and_what_was_seen_stays_seen_until_then() {
    let (mut town, store, _, from_ms) = stocked();
    send(
        &town,
        &store.token,
        &store.probe,
        &minutely(from_ms, 10, 2_000),
    )
    .with(201);
    at(&mut town, from_ms + 10 * MINUTE_MS);
    assert_eq!(on(&town, &store.token), Vec::<Value>::new());

    let warm = minutely(from_ms + 10 * MINUTE_MS, 20, 5_000);
    at(&mut town, from_ms + 25 * MINUTE_MS);
    send(&town, &store.token, &store.probe, &warm[..15]).with(201);
    let alerts = on(&town, &store.token);
    let alert = &alerts[0];
    assert_eq!((alerts.len(), &alert["sort"]), (1, &json!("excursion")));
    assert_eq!(
        (&alert["since_ms"], &alert["policy"], &alert["units"]),
        (
            &json!(from_ms + 10 * MINUTE_MS),
            &json!("chilled"),
            &json!(1)
        )
    );
    assert_eq!(
        (&alert["peak_milli_c"], &alert["acknowledged"]),
        (&json!(5_000), &Value::Null)
    );

    acknowledge(&town, &store, "a1", "excursion");
    at(&mut town, from_ms + 31 * MINUTE_MS);
    send(&town, &store.token, &store.probe, &warm[15..]).with(201);
    let alert = &on(&town, &store.token)[0];
    let owner = town.world.id(Who::ColdStore).to_string();
    assert_eq!(alert["acknowledged"]["by"], json!(owner));
    assert_eq!(
        alert["acknowledged"]["at_ms"],
        json!(from_ms + 25 * MINUTE_MS)
    );

    // It ends; the next is new, and nobody has seen it.
    let cold = minutely(from_ms + 30 * MINUTE_MS, 2, 3_000);
    send(&town, &store.token, &store.probe, &cold).with(201);
    assert_eq!(on(&town, &store.token), Vec::<Value>::new());
    let again = minutely(from_ms + 33 * MINUTE_MS, 2, 6_000);
    at(&mut town, from_ms + 35 * MINUTE_MS);
    send(&town, &store.token, &store.probe, &again).with(201);
    let alert = &on(&town, &store.token)[0];
    assert_eq!(
        (&alert["since_ms"], &alert["acknowledged"]),
        (&json!(from_ms + 33 * MINUTE_MS), &Value::Null)
    );
}

#[test]
fn a_silent_probe_is_alarming_only_where_goods_lie_and_longer_than_their_policy_allows() {
    let (mut town, store, code, from_ms) = stocked();
    send(
        &town,
        &store.token,
        &store.probe,
        &minutely(from_ms, 1, 2_000),
    )
    .with(201);
    at(&mut town, from_ms + 30 * MINUTE_MS);
    assert_eq!(on(&town, &store.token), Vec::<Value>::new());
    at(&mut town, from_ms + 30 * MINUTE_MS + 1);
    let alert = &on(&town, &store.token)[0];
    assert_eq!(
        (&alert["sort"], &alert["since_ms"]),
        (&json!("silent"), &json!(from_ms))
    );
    acknowledge(&town, &store, "a1", "silent");
    assert!(on(&town, &store.token)[0]["acknowledged"].is_object());
    let body = json!({"unit": code.to_string(), "equipment": store.zone});
    town.order("/v1/taken-out", &store.token, "out", &body)
        .with(201);
    assert_eq!(on(&town, &store.token), Vec::<Value>::new());
}

#[test]
fn a_calibration_is_overdue_from_the_day_after_it_held_in_local_time() {
    let mut town = Town::opened_at("2027-02-28T12:00:00+08:00");
    let store = store(&mut town);
    let noon_ms = town.world.now_ms;
    let midnight_ms = trace_core::ident::parse_ms("2027-03-01T00:00:00+08:00").unwrap();
    assert!(noon_ms < midnight_ms);
    at(&mut town, midnight_ms - 1);
    assert_eq!(on(&town, &store.token), Vec::<Value>::new());
    at(&mut town, midnight_ms);
    let alert = &on(&town, &store.token)[0];
    assert_eq!(
        (
            &alert["sort"],
            &alert["since_ms"],
            &alert["calibration_due"]
        ),
        (
            &json!("calibration_overdue"),
            &json!(midnight_ms),
            &json!("2027-02-28")
        )
    );
}

#[test]
fn alerts_are_seen_by_the_owner_and_by_who_oversees_the_area_and_acknowledged_by_the_owner() {
    let (mut town, store, _, from_ms) = stocked();
    at(&mut town, from_ms + 31 * MINUTE_MS);
    let inspector = town.token(Who::Inspector, Role::Inspector);
    let other = town.token(Who::Producer, Role::Producer);
    assert_eq!(on(&town, &store.token).len(), 1);
    assert_eq!(on(&town, &inspector).len(), 1);
    assert_eq!(on(&town, &other).len(), 0);
    let owner = town.world.id(Who::ColdStore);
    let path = format!("/v1/alerts?entity={owner}");
    town.get_with(&path, &inspector).with(200);
    town.get_with(&path, &other).refused(403, "right_missing");
    let elsewhere = town
        .get_with("/v1/alerts?area=110000", &inspector)
        .with(200);
    assert_eq!(elsewhere.json()["alerts"], json!([]));
    let of_sort = town
        .get_with("/v1/alerts?sort=excursion", &store.token)
        .with(200);
    assert_eq!(of_sort.json()["alerts"], json!([]));
    let body = json!({"equipment": store.probe, "sort": "silent"});
    town.order("/v1/alerts/acknowledged", &other, "o", &body)
        .refused(403, "right_missing");
    let zone = json!({"equipment": store.zone, "sort": "silent"});
    town.order("/v1/alerts/acknowledged", &store.token, "z", &zone)
        .refused(422, "equipment_unfit");
}

/// What a receiver does with one message.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Closes without a word.
    HangUp,
    /// Says nothing for longer than it may.
    Stall,
    Answer(&'static str),
}

const TAKEN: Manner = Manner::Answer("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");

/// A receiver that treats each message as it is told, and what came.
fn receiver(manners: Vec<Manner>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/alerts", listener.local_addr().unwrap());
    let (sender, came) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stalled = Vec::new();
        for manner in manners {
            let (mut stream, _) = listener.accept().unwrap();
            sender.send(message(&mut stream)).unwrap();
            match manner {
                Manner::HangUp => {}
                Manner::Stall => stalled.push(stream),
                Manner::Answer(answer) => stream.write_all(answer.as_bytes()).unwrap(),
            }
        }
    });
    (address, came)
}

/// Head and content of one request.
fn message(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, content)) = text.split_once("\r\n\r\n") {
            let length: usize = field(head, "content-length").parse().unwrap();
            if content.len() == length {
                return text;
            }
        }
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "cut short: {text}");
        bytes.extend(&buffer[..count]);
    }
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .unwrap_or_else(|| panic!("{name}: {head}"))
        .1
}

/// Checks a message as its receiver would, from the standard alone.
fn verified(town: &Town, address: &str, message: &str) -> Value {
    let (head, content) = message.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /alerts HTTP/1.1\r\n"), "{head}");
    let digest = base64::encode(Hash::of(&[content.as_bytes()]).as_bytes());
    assert_eq!(field(head, "content-digest"), format!("sha-256=:{digest}:"));
    let input = field(head, "signature-input")
        .strip_prefix("trace=")
        .unwrap();
    let names = input.strip_prefix('(').unwrap().split_once(')').unwrap().0;
    let lines = names.split(' ').map(|name| {
        let name = name.trim_matches('"');
        let value = match name {
            "@method" => "POST",
            "@target-uri" => address,
            name => field(head, name),
        };
        format!("\"{name}\": {value}\n")
    });
    let base = format!(
        "{}\"@signature-params\": {input}",
        lines.collect::<String>()
    );
    let signature = field(head, "signature");
    let signature = signature.strip_prefix("trace=:").unwrap().strip_suffix(':');
    let signature = base64::decode(signature.unwrap()).unwrap();
    let key = town.anchor().ledger_key.clone();
    assert!(input.contains(&format!("keyid=\"{key}\"")), "{input}");
    let signature = Signature::from_bytes(<[u8; 64]>::try_from(signature).unwrap());
    verify_strict(&key.public(), base.as_bytes(), &signature).unwrap();
    let created = format!(";created={};", town.world.now_ms / 1_000);
    assert!(input.contains(&created), "{input}");
    let content: Value = serde_json::from_str(content).unwrap();
    assert_eq!(content["event"], field(head, "trace-event"));
    content
}

fn alerting(town: &Town, addresses: &str, folder: &Path) -> Alerting {
    let settings = AlertSettings {
        receivers: addresses.parse().unwrap(),
        interval: Duration::from_secs(60),
        answer_time: Duration::from_millis(300),
    };
    Alerting::open(
        Arc::clone(&town.office),
        &settings,
        &folder.join("alerts.json"),
    )
    .unwrap()
}

#[test]
fn a_receiver_that_fails_is_told_again_until_it_takes_it_also_after_a_restart() {
    let (mut town, store, _, from_ms) = stocked();
    let folder = tempfile::tempdir().unwrap();
    let (elsewhere, lured) = receiver(vec![TAKEN]);
    let redirect = format!("HTTP/1.1 307 x\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
    let failed = "HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n";
    let (address, came) = receiver(vec![
        Manner::HangUp,
        Manner::Answer(failed),
        Manner::Stall,
        Manner::Answer(redirect.leak()),
        TAKEN,
        TAKEN,
    ]);
    let mut sending = alerting(&town, &address, folder.path());
    sending.round().unwrap();
    assert_eq!(came.try_recv(), Err(mpsc::TryRecvError::Empty));

    at(&mut town, from_ms + 31 * MINUTE_MS);
    let mut ids = Vec::new();
    for attempt in 0..5u32 {
        sending.round().unwrap();
        let content = verified(&town, &address, &came.recv_timeout(PATIENCE).unwrap());
        assert_eq!(
            (&content["happening"], &content["alert"]["sort"]),
            (&json!("began"), &json!("silent"))
        );
        ids.push(content["event"].as_str().unwrap().to_owned());
        // Not before its time: five seconds, then twice as long each time.
        sending.round().unwrap();
        assert_eq!(came.try_recv(), Err(mpsc::TryRecvError::Empty), "{attempt}");
        drop(sending);
        sending = alerting(&town, &address, folder.path());
        let next_ms = town.world.now_ms + (5_000 << attempt);
        at(&mut town, next_ms);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one event has one id");
    // Taken: it is not told again, and that it ends is another event.
    sending.round().unwrap();
    assert_eq!(came.try_recv(), Err(mpsc::TryRecvError::Empty));
    let now_ms = town.world.now_ms;
    send(
        &town,
        &store.token,
        &store.probe,
        &minutely(now_ms, 1, 2_000),
    )
    .with(201);
    sending.round().unwrap();
    let content = verified(&town, &address, &came.recv_timeout(PATIENCE).unwrap());
    assert_eq!(content["happening"], "ended");
    assert_ne!(content["event"].as_str(), Some(ids[0].as_str()));
    assert_eq!(lured.try_recv(), Err(mpsc::TryRecvError::Empty));
}

#[test]
fn receivers_do_not_wait_for_each_other_and_the_writer_waits_for_none() {
    let (mut town, _, _, from_ms) = stocked();
    let folder = tempfile::tempdir().unwrap();
    let (slow, slowly) = receiver(vec![Manner::Stall, Manner::Stall]);
    let (quick, quickly) = receiver(vec![TAKEN]);
    at(&mut town, from_ms + 31 * MINUTE_MS);
    let sending = alerting(&town, &format!("{slow},{quick}"), folder.path());
    let running = sending.start(Duration::from_secs(3_600)).unwrap();
    verified(&town, &quick, &quickly.recv_timeout(PATIENCE).unwrap());
    slowly.recv_timeout(PATIENCE).unwrap();
    town.batch();
    drop(running);
}
