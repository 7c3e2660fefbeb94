//! Readings over MQTT: the program itself, a real broker, and its own clients.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the city serves more tests than these")]

mod cli {
    pub mod broker;
    pub mod city;
    pub mod program;
    pub mod served;
}

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use cli::{
    broker::{Broker, LOGIN},
    city::{City, text},
    served::Served,
};
use serde_json::{Value, json};
use trace_core::{
    ident::{EquipmentId, LEDGER_OFFSET_MINUTES, format_ms},
    record::{readings, temperature::Reading},
};
use trace_fixtures::draw::Draw;
use trace_http::{client::Client, language::Language, machine::now_ms};

const MINUTE_MS: u64 = 60_000;
const PATIENCE: Duration = Duration::from_secs(30);
const KEY: [&str; 2] = ["--key", "store.key"];
/// Under the pattern that is subscribed to by default.
const TOPIC: &str = "trace/readings/1";
const SUBSCRIBED: &str = "trace_mqtt_subscribed 1";

/// A cold store with a probe, its token, and a broker.
struct Store {
    city: City,
    broker: Broker,
    probe: String,
    authorization: String,
    from_ms: u64,
}

impl Store {
    fn new(wants_login: bool) -> Self {
        let city = City::new();
        let register = |arguments: &[&str]| {
            let all = [&["cold", "register"], arguments, &KEY].concat();
            text(&city.place.json(&all), "equipment").to_owned()
        };
        let room = register(&["--kind", "cold_store", "--name", "一号库"]);
        let probe = register(&["--kind", "probe", "--name", "探头", "--part-of", &room]);
        let of = ["--entity", &city.cold_store, "--role", "cold_store"];
        let made = [&["token", "make"], &of[..]].concat();
        let token = text(&city.place.json(&made), "token").to_owned();
        let broker = Broker::start(&city.place.path("broker"), wants_login);
        Self {
            city,
            broker,
            probe,
            authorization: format!("Bearer {token}"),
            from_ms: now_ms() - 600 * MINUTE_MS,
        }
    }

    /// The server, when the broker has granted its subscription.
    fn serve(&self, more: &[&str]) -> Served {
        let broker = self.broker.address();
        let flags = [&["--mqtt-broker", &broker], more].concat();
        let served = Served::start(&self.city.place, &flags);
        wait_for(&served, SUBSCRIBED);
        served
    }

    fn readings(&self, from_minute: u64, minutes: u64) -> Vec<(u64, i32)> {
        let at_ms = |minute| self.from_ms + minute * MINUTE_MS;
        let mut draw = Draw::new(from_minute, "noise and jitter");
        let mut noise = |most: u64| {
            i64::try_from(draw.below(2 * most + 1)).unwrap() - i64::try_from(most).unwrap()
        };
        (from_minute..from_minute + minutes)
            .map(|minute| {
                let at_ms = at_ms(minute).saturating_add_signed(noise(3_000));
                (at_ms, i32::try_from(2_000 + noise(100)).unwrap())
            })
            .collect()
    }

    fn json_file(&self, name: &str, readings: &[(u64, i32)]) -> PathBuf {
        let body = json!({"probes": [{"probe": self.probe, "readings": readings}]});
        self.file(name, body.to_string())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.city.place.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn token(&self) -> (&str, &str) {
        ("authorization", &self.authorization)
    }
}

/// Waits until a figure of the server is this.
fn wait_for(served: &Served, figure: &str) {
    let started = Instant::now();
    let client = Client::new(&served.address, Language::English).unwrap();
    loop {
        let figures = client.get("/metrics").unwrap().unwrap();
        let figures = String::from_utf8(figures).unwrap();
        if figures.lines().any(|line| line == figure) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{figure}\n{figures}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What an answer says: fresh and known.
fn counts(answer: &Value) -> (Option<u64>, Option<u64>) {
    (answer["fresh"].as_u64(), answer["known"].as_u64())
}

fn taken(fresh: u64, known: u64) -> (u16, (Option<u64>, Option<u64>)) {
    (201, (Some(fresh), Some(known)))
}

#[test]
fn a_message_is_answered_as_a_request_is_and_counts_once() {
    let store = Store::new(false);
    let served = store.serve(&[]);
    let file = store.json_file("a.json", &store.readings(0, 60));
    let (status, answer) = store.broker.ask(TOPIC, &file, &[store.token()]);
    assert_eq!((status, counts(&answer)), taken(60, 0), "{answer}");
    let (status, answer) = store.broker.ask(TOPIC, &file, &[store.token()]);
    assert_eq!((status, counts(&answer)), taken(0, 60), "{answer}");

    let probe = EquipmentId::parse(&store.probe).unwrap();
    let of = |(at_ms, temperature_milli_c)| Reading {
        at_ms,
        temperature_milli_c,
    };
    let batch: Vec<_> = store.readings(50, 20).into_iter().map(of).collect();
    let binary = store.file("b.bin", readings::encode(&[(probe, batch)]).unwrap());
    let octets = ("content-type", "application/octet-stream");
    let (status, answer) = store.broker.ask(TOPIC, &binary, &[octets, store.token()]);
    assert_eq!(status, 201, "{answer}");

    let mut rows = "时间,温度(℃)\n".to_owned();
    for (at_ms, _) in store.readings(100, 30) {
        rows.push_str(&format!(
            "{},2.5\n",
            format_ms(at_ms, LEDGER_OFFSET_MINUTES)
        ));
    }
    let csv = store.file("c.csv", rows);
    let of_csv = [
        ("content-type", "text/csv"),
        ("equipment", &store.probe),
        store.token(),
    ];
    let (status, answer) = store.broker.ask(TOPIC, &csv, &of_csv);
    assert_eq!((status, &answer["code"]), (422, &json!("mapping_absent")));
    let map = ["cold", "map", "c.csv"];
    let mapping = store.city.place.text(&map);
    store.file("mapping.json", mapping);
    let save = [
        &map[..],
        &["--mapping", "mapping.json", "--save", &store.probe],
    ]
    .concat();
    drop(served);
    store.city.place.json(&save);
    let served = store.serve(&[]);
    let (status, answer) = store.broker.ask(TOPIC, &csv, &of_csv);
    assert_eq!((status, counts(&answer)), taken(30, 0), "{answer}");

    drop(served);
    let seal = ["cold", "seal", &store.probe, "--key", "store.key"];
    assert!(store.city.place.json(&seal)["index"].is_u64());
}

#[test]
fn what_is_refused_is_said_why_and_holds_up_nothing() {
    let store = Store::new(false);
    let _served = store.serve(&[]);
    let file = store.json_file("a.json", &store.readings(0, 10));
    let foreign = {
        let probe = EquipmentId::from_bytes([9; 10]).to_string();
        let body = json!({"probes": [{"probe": probe, "readings": store.readings(0, 1)}]});
        store.file("foreign.json", body.to_string())
    };
    let broken = store.file("broken.json", "{\"probes\": [");
    let english = ("accept-language", "en");
    for (file, properties, status, code) in [
        (&file, &[][..], 401, "token_wrong"),
        (&file, &[("authorization", "Bearer x")], 401, "token_wrong"),
        (
            &file,
            &[store.token(), ("equipment", "a b")],
            400,
            "query_unexpected",
        ),
        (
            &file,
            &[store.token(), ("content-type", "text/html")],
            415,
            "media_type_unsupported",
        ),
        (&broken, &[store.token(), english], 400, "json_malformed"),
        (&foreign, &[store.token()], 422, "equipment_unknown"),
    ] {
        let (found, answer) = store.broker.ask(TOPIC, file, properties);
        assert_eq!((found, &answer["code"]), (status, &json!(code)), "{answer}");
    }
    // More of them than may be unacknowledged, by somebody who asks for no answer.
    for _ in 0..20 {
        store.broker.publish(TOPIC, &broken, &[store.token()]);
    }
    let (status, answer) = store.broker.ask(TOPIC, &file, &[store.token()]);
    assert_eq!((status, counts(&answer)), taken(10, 0), "{answer}");
}

/// Messages keep coming while the server is killed, and its broker ends and starts
/// again: whatever the broker acknowledged is on the disk in the end, once.
#[test]
fn nothing_that_the_broker_has_is_lost_when_the_server_is_killed_or_the_broker_ends() {
    const MESSAGES: u64 = 60;
    const EACH: u64 = 5;
    let mut store = Store::new(false);
    let mut served = store.serve(&[]);
    let mut all = Vec::new();
    for number in 0..MESSAGES {
        let readings = store.readings(number * EACH, EACH);
        let file = store.json_file("a.json", &readings);
        all.extend(readings);
        store.broker.publish(TOPIC, &file, &[store.token()]);
        if number % 20 == 9 {
            served.kill();
        }
        if number % 20 == 14 {
            served = store.serve(&[]);
        }
        if number == 36 {
            store.broker.restart();
        }
    }
    wait_for(&served, SUBSCRIBED);
    // The broker delivers in order: when this one is answered, all of them have
    // come, and when none is being stored, all are settled.
    let last = store.json_file("last.json", &store.readings(MESSAGES * EACH, 1));
    let (status, _) = store.broker.ask(TOPIC, &last, &[store.token()]);
    assert_eq!(status, 201);
    wait_for(&served, "trace_mqtt_storing 0");
    let file = store.json_file("all.json", &all);
    let (status, answer) = store.broker.ask(TOPIC, &file, &[store.token()]);
    assert_eq!(
        (status, counts(&answer)),
        taken(0, MESSAGES * EACH),
        "{answer}"
    );
}

#[test]
fn a_broker_that_wants_a_login_gets_the_one_that_is_set() {
    let store = Store::new(true);
    let broker = store.broker.address();
    let served = Served::start(&store.city.place, &["--mqtt-broker", &broker]);
    // Refused, and the rest is served.
    wait_for(&served, "trace_mqtt_subscribed 0");
    drop(served);
    let file = store.file("password", format!("{}\n", LOGIN.1));
    let login = [
        "--mqtt-user",
        LOGIN.0,
        "--mqtt-password-file",
        file.to_str().unwrap(),
    ];
    store.serve(&login);
    let alone = ["serve", "--mqtt-broker", &broker, "--mqtt-user", "trace"];
    let refused = store.city.place.run(&alone);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("--mqtt-password-file")
    );
    let absent = [
        &alone[..],
        &["--mqtt-password-file", "nowhere", "--listen", "127.0.0.1:0"],
    ];
    let refused = store.city.place.run(&absent.concat());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains("password") && refused.status.code() != Some(0),
        "{told}"
    );
}
