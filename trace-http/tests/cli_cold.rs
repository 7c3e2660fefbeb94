//! The cold chain on the command line, by the program itself, in temporary
//! folders and at a server.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the city serves more tests than these")]

mod cli {
    pub mod city;
    pub mod program;
    pub mod served;
}

use std::fs;

use cli::{
    city::{City, RIGHT, basis, text},
    served::Served,
};
use serde_json::{Value, json};
use trace_core::ident::{LEDGER_OFFSET_MINUTES, format_ms};
use trace_http::machine::now_ms;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const KEY: [&str; 2] = ["--key", "store.key"];

/// A cold store with a probe, and a unit that lies in none yet.
struct Store {
    city: City,
    code: String,
    vehicle: String,
    probe: String,
    from_ms: u64,
}

fn register(city: &City, arguments: &[&str]) -> String {
    let all = [&["cold", "register"], arguments, &KEY].concat();
    text(&city.place.json(&all), "equipment").to_owned()
}

impl Store {
    fn new() -> Self {
        let city = City::new();
        let adopt = [
            "cold",
            "policy",
            "adopt",
            "chilled",
            "--key",
            "keys/root-1.key",
        ];
        let adopt = [&adopt[..], &["--countersign", "keys/root-2.key"]].concat();
        assert_eq!(city.place.json(&adopt)["version"], 1);
        let code = text(&city.issue(&[]), "code").to_owned();
        let vehicle = register(&city, &["--kind", "cold_store", "--name", "一号库"]);
        let probe = ["--kind", "probe", "--name", "探头", "--part-of", &vehicle];
        let probe = register(&city, &probe);
        Self {
            city,
            code,
            vehicle,
            probe,
            from_ms: now_ms() - 60 * MINUTE_MS,
        }
    }

    /// A unit of yesterday, in the cold store from an hour ago on.
    fn placed(&self) -> String {
        let yesterday = format_ms(now_ms() - DAY_MS, LEDGER_OFFSET_MINUTES);
        let yesterday = yesterday.split('T').next().unwrap();
        let issue = ["issue", "--key", "producer.key", "--basis", basis()];
        let made = ["--produced-on", yesterday];
        let issued = self.city.place.json(&[&issue[..], RIGHT, &made].concat());
        let code = text(&issued, "code").to_owned();
        let enters = ["warehouse", "in", &code, "--quantity", "10 斤"];
        self.city.place.json(&[&enters[..], &KEY].concat());
        let at = format_ms(self.from_ms + MINUTE_MS, LEDGER_OFFSET_MINUTES);
        let place = ["cold", "place", &code, &self.vehicle, "--policy", "chilled"];
        let place = [&place[..], &["--at", &at], &KEY].concat();
        self.city.place.json(&place);
        code
    }

    /// A file of a reading a minute, from an hour ago to now.
    fn file(&self, name: &str, cell: impl Fn(u64) -> String) {
        self.file_from(self.from_ms, name, cell);
    }

    /// A file of an hour of readings, one a minute.
    fn file_from(&self, from_ms: u64, name: &str, cell: impl Fn(u64) -> String) {
        let mut rows = "时间,温度(℃)\n".to_owned();
        for minute in 0..60 {
            // Without a zone, as many loggers write.
            let at = format_ms(from_ms + minute * MINUTE_MS, LEDGER_OFFSET_MINUTES);
            let at = at
                .split('+')
                .next()
                .unwrap()
                .replace('T', " ")
                .replace('-', "/");
            rows.push_str(&format!("{at},{}\n", cell(minute)));
        }
        fs::write(self.city.place.path(name), rows).unwrap();
    }

    fn map(&self, file: &str) {
        let map = ["cold", "map", file, "--zone", "+08:00"];
        let mapping = self.city.place.text(&map);
        fs::write(self.city.place.path("mapping.json"), mapping).unwrap();
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str], code: i32, named: &str) {
        let output = self.city.place.run(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(named), "{told}");
    }
}

#[test]
fn a_file_is_understood_saved_read_once_and_sealed() {
    let store = Store::new();
    store.file("a.csv", |minute| match minute {
        7 => "断线".into(),
        _ => format!("{}.5", minute % 3),
    });
    let read = ["cold", "read", "a.csv", "--equipment", &store.probe];
    store.refuses(&read, 2, "no mapping is saved");
    // Which zone is never guessed.
    let unsure = store.city.place.run(&["cold", "map", "a.csv"]);
    assert!(String::from_utf8(unsure.stderr).unwrap().contains("--zone"));
    store.map("a.csv");
    let save = [
        "cold",
        "map",
        "a.csv",
        "--mapping",
        "mapping.json",
        "--save",
    ];
    store
        .city
        .place
        .json(&[&save[..], &[&store.probe]].concat());
    let taken = store.city.place.json(&read);
    assert_eq!(
        (&taken["fresh"], &taken["known"]),
        (&json!(59), &json!(0)),
        "{taken}"
    );
    assert_eq!(taken["no_reading"], json!({"断线": 1}));
    assert_eq!(store.city.place.json(&read)["known"], 59);

    let seal = [&["cold", "seal", &store.probe], &KEY[..]].concat();
    assert!(store.city.place.json(&seal)["index"].is_u64());
    store.refuses(&seal, 1, "nothing_to_seal");
    let other = ["cold", "seal", &store.probe, "--key", "producer.key"];
    store.refuses(&other, 1, "right_missing");
    // A fresh segment is needed: nobody was placed there, but somebody may be.
    let pruned = store.city.place.json(&["cold", "prune", "--dry-run"]);
    assert_eq!(pruned["segments"], 0, "{pruned}");
    let needed = &pruned["probes"][0]["next_needed"];
    assert_eq!(needed["rule"], "no_unit_covered", "{pruned}");
}

#[test]
fn wrong_rows_are_named_and_nothing_is_stored_unless_the_rest_is_wanted() {
    let store = Store::new();
    store.file("a.csv", |minute| {
        if minute == 4 {
            "warm".into()
        } else {
            "2.0".into()
        }
    });
    store.map("a.csv");
    let read = [
        "cold",
        "read",
        "a.csv",
        "--equipment",
        &store.probe,
        "--mapping",
        "mapping.json",
    ];
    store.refuses(&read, 1, "row 6, column 温度(℃)");
    let valid = [&read[..], &["--valid-rows-only"]].concat();
    let taken = store.city.place.json(&valid);
    assert_eq!(
        (&taken["fresh"], &taken["complaint_count"]),
        (&json!(59), &json!(1))
    );
    let elsewhere = [
        "cold",
        "read",
        "a.csv",
        "--equipment",
        &store.vehicle,
        "--mapping",
        "mapping.json",
    ];
    store.refuses(&elsewhere, 2, "of which probe");
    store.refuses(&["cold", "map", "mapping.json"], 1, "no row has a time");
}

#[test]
fn readings_go_to_a_server_by_a_token_with_the_mapping_that_it_keeps() {
    let store = Store::new();
    store.file("a.csv", |_| "2.0".into());
    store.map("a.csv");
    let unit = store.placed();
    let all = store.city.place.json(&["show", &unit]);
    let signers = all["records"].as_array().unwrap().iter();
    let signers: Vec<&str> = signers.map(|it| text(&it["signer"], "entity")).collect();
    let producer = signers[0];
    let owner = signers.iter().find(|it| **it != producer).unwrap();
    for (role, entity, file) in [
        ("producer", producer, "other.token"),
        ("cold_store", owner, "store.token"),
    ] {
        let make = ["token", "make", "--role", role, "--entity", entity];
        let made = store.city.place.json(&make);
        fs::write(store.city.place.path(file), text(&made, "token")).unwrap();
    }
    let server = Served::start(&store.city.place, &[]);
    let own = ["--token-file", "store.token"];
    let read = server.at(&["cold", "read", "a.csv", "--equipment", &store.probe]);
    let given = [&read[..], &["--mapping", "mapping.json"]].concat();
    store.refuses(&given, 1, "token_wrong");
    let other = [&given[..], &["--token-file", "other.token"]].concat();
    store.refuses(&other, 1, "right_missing");
    let unsaved = [&read[..], &own].concat();
    store.refuses(&unsaved, 2, "no mapping is saved");
    let map = ["cold", "map", "a.csv", "--mapping", "mapping.json"];
    let save = server.at(&[&map[..], &["--save", &store.probe], &own].concat());
    store.city.place.json(&save);
    let taken = store.city.place.json(&unsaved);
    assert_eq!((&taken["fresh"], &taken["known"]), (&json!(60), &json!(0)));
    let taken = store.city.place.json(&[&given[..], &own].concat());
    assert_eq!((&taken["fresh"], &taken["known"]), (&json!(0), &json!(60)));
    // A column of no probe is the probe's that is named, and a store is none.
    let whole = ["cold", "read", "a.csv", "--equipment", &store.vehicle];
    let whole = [&whole[..], &["--mapping", "mapping.json"], &own].concat();
    store.refuses(&server.at(&whole), 1, "equipment_unfit");

    let shown = store.city.place.json(&server.at(&["cold", "show", &unit]));
    assert_eq!(shown["state"], "kept", "{shown}");
    assert_eq!(shown["stays"][0]["equipment"], json!(store.vehicle));
    let absent = server.at(&["cold", "show", &store.code]);
    store.refuses(&absent, 1, "unit_unknown");
}

#[test]
fn a_unit_is_shown_as_it_was_kept_and_when_it_was_too_warm() {
    let store = Store::new();
    let unit = store.placed();
    let show = ["cold", "show", &unit];
    assert_eq!(store.city.place.json(&show)["state"], "not_monitored");
    store.file("a.csv", |minute| match minute {
        20..55 => "9.0".into(),
        _ => "2.0".into(),
    });
    store.map("a.csv");
    let read = ["cold", "read", "a.csv", "--equipment", &store.probe];
    let read = [&read[..], &["--mapping", "mapping.json"]].concat();
    store.city.place.json(&read);
    let shown = store.city.place.json(&show);
    assert_eq!(shown["state"], "exceeded", "{shown}");
    let verdict = &shown["stays"][0]["verdict"];
    assert_eq!(verdict["excursion_count"], 1, "{shown}");
    let people = store
        .city
        .place
        .text(&[&show[..], &["--language", "zh"]].concat());
    let minute = |number| format_ms(store.from_ms + number * MINUTE_MS, LEDGER_OFFSET_MINUTES);
    assert!(people.contains("仍在库"), "{people}");
    let second = |text: String| text.get(..16).unwrap().to_owned();
    let excursion = people
        .lines()
        .find(|it| it.starts_with("  超温  "))
        .unwrap();
    assert!(excursion.contains(&second(minute(20))), "{people}");
}

#[test]
fn sealed_readings_go_after_their_time_and_what_is_needed_stays() {
    let store = Store::new();
    let old_ms = now_ms() - 200 * DAY_MS;
    store.file_from(old_ms, "old.csv", |_| "2.0".into());
    store.file("new.csv", |_| "2.0".into());
    store.map("new.csv");
    let seal = [&["cold", "seal", &store.probe], &KEY[..]].concat();
    for file in ["old.csv", "new.csv"] {
        let read = ["cold", "read", file, "--equipment", &store.probe];
        let read = [&read[..], &["--mapping", "mapping.json"]].concat();
        assert_eq!(store.city.place.json(&read)["fresh"], 60);
        store.city.place.json(&seal);
    }
    let dry = ["cold", "prune", "--dry-run"];
    for arguments in [&dry[..], &dry, &dry[..2]] {
        let gone = store.city.place.json(arguments);
        assert_eq!(
            (&gone["segments"], &gone["readings"]),
            (&json!(1), &json!(60)),
            "{gone}"
        );
        assert!(gone["bytes"].as_u64().unwrap() > 0, "{gone}");
        assert_eq!(gone["probes"][0]["next_needed"]["rule"], "no_unit_covered");
    }
    let again = store.city.place.json(&dry[..2]);
    assert_eq!(again["segments"], 0, "{again}");
    // Their record and root stand on the ledger, which is as sound as before.
    assert_eq!(store.city.place.json(&["audit"])["sound"], true);
    store.refuses(&["cold", "prune", "--probe", "x"], 2, "equipment_id");
    let absent = trace_core::ident::EquipmentId::from_bytes([9; 10]).to_string();
    store.refuses(
        &["cold", "prune", "--probe", &absent],
        1,
        "equipment_unknown",
    );
}

#[test]
fn policies_are_listed_and_adopted_by_the_root_alone() {
    let store = Store::new();
    let all = store.city.place.json(&["cold", "policy", "list"]);
    let version = |code: &str| {
        let all = all.as_array().unwrap();
        all.iter().find(|it| it["policy"] == code).unwrap()["version"].clone()
    };
    assert_eq!(
        (version("chilled"), version("frozen")),
        (json!(1), Value::Null)
    );
    let adopt = ["cold", "policy", "adopt", "frozen", "--key", "store.key"];
    let refused = store.city.place.run(&adopt);
    assert_eq!(refused.status.code(), Some(1));
    let unknown = [
        "cold",
        "policy",
        "adopt",
        "lukewarm",
        "--key",
        "keys/root-1.key",
    ];
    store.refuses(&unknown, 2, "chilled");
    let people = store
        .city
        .place
        .text(&["cold", "policy", "list", "--language", "zh"]);
    assert!(
        people.contains("第1版") && people.contains("未采用"),
        "{people}"
    );
}
