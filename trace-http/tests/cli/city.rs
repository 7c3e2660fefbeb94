//! A city's ledger as the command line makes it, for tests to act upon.

use std::path::PathBuf;

use serde_json::Value;

use super::program::Place;

/// What `trace issue` takes for one certificate that is right.
pub const RIGHT: &[&str] = &[
    "--product",
    "韭菜",
    "--product-class",
    "蔬菜",
    "--quantity",
    "12.5 斤",
    "--origin-place",
    "永清县",
];

/// A city's ledger with a producer and a cold store, in a temporary folder.
pub struct City {
    pub place: Place,
    pub anchor: String,
    pub today: String,
    /// The cold store's entity.
    #[allow(dead_code, reason = "not every file of tests needs it")]
    pub cold_store: String,
}

impl City {
    pub fn new() -> Self {
        let place = Place::new();
        let made = place.json(&[
            "init",
            "--origin",
            "a.example/trace",
            "--name",
            "甲",
            "--area",
            "131000",
            "--keys",
            "keys",
            "--authority",
            "农业农村局",
        ]);
        let anchor = made["anchor"].as_str().unwrap().to_owned();
        let people = [
            ("合作社", "producer", "producer.key"),
            ("冷库", "cold_store", "store.key"),
        ];
        let [_, cold_store] = people.map(|(name, role, key)| {
            let added = place.json(&[
                "entity",
                "add",
                "--key",
                "keys/authority.key",
                "--name",
                name,
                "--area",
                "131023",
                "--role",
                role,
                "--own-key",
                key,
            ]);
            text(&added, "entity").to_owned()
        });
        let today = today();
        Self {
            place,
            anchor,
            today,
            cold_store,
        }
    }

    pub fn issue(&self, more: &[&str]) -> Value {
        let mut arguments = vec!["issue", "--key", "producer.key"];
        arguments.extend(RIGHT);
        arguments.extend(["--produced-on", &self.today, "--basis", basis()]);
        arguments.extend(more);
        self.place.json(&arguments)
    }

    pub fn bundle(&self, code: &str) -> PathBuf {
        let file = self.place.path("bundle.json");
        let file_text = file.to_str().unwrap();
        self.place.json(&["bundle", code, "--out", file_text]);
        file
    }

    pub fn verify(&self, file: &str, anchor: &str) -> Option<i32> {
        let output = self.place.run(&["verify", file, "--anchor", anchor]);
        output.status.code()
    }
}

/// The ledger's civil date, as the tests' machine has it.
pub fn today() -> String {
    let ms = trace_http::machine::now_ms();
    let offset = trace_core::ident::LEDGER_OFFSET_MINUTES;
    let date = trace_core::ident::CivilDate::from_ms(ms, offset);
    date.unwrap().to_string()
}

/// A basis of the form in force today.
pub fn basis() -> &'static str {
    match today().as_str() < "2026-02-01" {
        true => "自我承诺",
        false => "自行检测合格",
    }
}

pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}
