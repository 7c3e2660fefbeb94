//! What the public is shown of a demo, page by page and file by file, and that
//! no trade or personal value of it is in there: neither as it was typed nor
//! in another spelling.
//!
//! What is secret is asked of the ledger itself, for whom it may show
//! everything. That the inspector's answers hold these very values is the
//! refusal beside: the search can find them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the program serves more tests than these")]

mod cli {
    pub mod program;
}

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use clap::Parser;
use cli::program::Place;
use serde_json::Value;
use tower::ServiceExt;
use trace_core::{
    ledger::lookup::Audience,
    proof::bundle::Bundle,
    record::{Entry, base64, rights::root_entity},
};
use trace_http::{
    api::{Office, router},
    home::Home,
    metrics::Metrics,
    serve,
    server::Load,
    settings::ServeSettings,
};

/// Every kind of record and every correction is in it already.
const SCALE: &str = "0.002";
/// No answer of a small demo is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

#[derive(Parser)]
struct Served {
    #[command(flatten)]
    settings: ServeSettings,
}

/// A demo, open for whoever asks.
struct Demo {
    router: Router,
    office: Arc<Office>,
    marks: Value,
    runtime: tokio::runtime::Runtime,
    _home: Home,
    _place: Place,
}

impl Demo {
    fn new() -> Self {
        let place = Place::new();
        let arguments = ["demo", "--data", "demo", "--scale", SCALE, "--no-serve"];
        place.text(&arguments);
        let data = place.path("demo");
        let marks = std::fs::read(data.join("demo.json")).unwrap();
        let settings = settings(&data);
        let (home, office) = serve::open(&settings, "http://a.example".into()).unwrap();
        let office = Arc::new(office);
        let metrics = Arc::new(Metrics::new(&Arc::new(Load::default())));
        Self {
            router: router(Arc::clone(&office), metrics, Arc::new(|| Ok(()))),
            office,
            marks: serde_json::from_slice(&marks).unwrap(),
            runtime: tokio::runtime::Runtime::new().unwrap(),
            _home: home,
            _place: place,
        }
    }

    fn get_with(&self, path: &str, token: Option<&str>) -> Vec<u8> {
        let mut request = Request::get(path).header(header::ACCEPT_LANGUAGE, "zh");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let router = self.router.clone();
        let answer = self.runtime.block_on(async {
            let answer = router.oneshot(request).await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            to_bytes(answer.into_body(), ANSWER_BYTES_MAX)
                .await
                .unwrap()
        });
        answer.to_vec()
    }

    fn get(&self, path: &str) -> Vec<u8> {
        self.get_with(path, None)
    }

    /// Every record, page by page, as a token shows it.
    fn records(&self, token: Option<&str>) -> Vec<Value> {
        let mut records = Vec::new();
        loop {
            let after = match records.len() {
                0 => String::new(),
                len => format!("?after={}", len - 1),
            };
            let page = self.get_with(&format!("/v1/changes{after}"), token);
            let page: Value = serde_json::from_slice(&page).unwrap();
            let found = page["records"].as_array().unwrap();
            if found.is_empty() {
                return records;
            }
            records.extend(found.iter().cloned());
        }
    }
}

fn settings(data: &Path) -> ServeSettings {
    let arguments = ["trace".as_ref(), "--data".as_ref(), data.as_os_str()];
    Served::try_parse_from(arguments).unwrap().settings
}

/// What may not be shown.
#[derive(Default)]
struct Secrets {
    /// Names, telephones, identity numbers; who received, vehicle, position.
    /// No public field holds any of them.
    telling: BTreeSet<String>,
    /// Those of them that an inspector of the whole city sees: the root is no
    /// entity of any area, and whom it registered is shown to none.
    overseen: BTreeSet<String>,
    /// Of each record by index, everything in its sections: quantities and ids
    /// too, which other records may state in public.
    own: Vec<BTreeSet<String>>,
    /// Salts of trade sections: with one, a section could be guessed.
    salts: Vec<[u8; 16]>,
    persons: usize,
    trades: usize,
}

/// The values at the ends of a JSON tree, as text.
fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| leaves(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| leaves(value, into)),
        Value::String(text) => drop(into.insert(text.clone())),
        Value::Number(number) => drop(into.insert(number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

fn secrets(demo: &Demo) -> Secrets {
    let mut secrets = Secrets::default();
    let view = demo.office.view();
    let mut full = demo.office.lookup(&view, Audience::Full).unwrap();
    for index in 0..view.size() {
        let answer = full.changes(index, 1).unwrap();
        let record = serde_json::to_value(&answer.records[0]).unwrap();
        let (mut own, mut telling) = (BTreeSet::new(), BTreeSet::new());
        if let Some(trade) = record.get("trade") {
            secrets.trades += 1;
            leaves(trade, &mut own);
            for field in ["counterparty_name", "position", "vehicle"] {
                leaves(&trade[field], &mut telling);
            }
        }
        for person in record["persons"].as_array().into_iter().flatten() {
            secrets.persons += 1;
            for field in ["name", "phone", "identity_number"] {
                leaves(&person[field], &mut own);
                leaves(&person[field], &mut telling);
            }
        }
        secrets.own.push(own);
        if answer.records[0].signer.entity != root_entity() {
            secrets.overseen.extend(telling.iter().cloned());
        }
        secrets.telling.extend(telling);
        if let Some(opening) = view.trade_openings(index).unwrap().trade {
            secrets.salts.push(opening.salt);
        }
    }
    secrets
}

/// A text as HTML, JSON, URLs and bytes in base 64 or hexadecimal may spell it.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let escaped: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let html: String = text
        .chars()
        .map(|it| format!("&#{};", u32::from(it)))
        .collect();
    let mut spelt: Vec<Vec<u8>> = vec![text.into()];
    spelt.extend([escaped, url, html].map(String::into_bytes));
    // Short ones stand in every hash somewhere.
    if hex.len() >= 16 {
        spelt.push(hex.into_bytes());
    }
    if text.len() >= 9 {
        spelt.push(base64::encode(text.as_bytes()).into_bytes());
    }
    spelt
}

/// Looks for all secrets at once, by their first bytes.
struct Search {
    wanted: HashMap<[u8; 4], Vec<(String, Vec<u8>)>>,
}

impl Search {
    fn new(secrets: &Secrets) -> Self {
        let texts = secrets.telling.iter().flat_map(|text| {
            let spelt = spellings(text).into_iter();
            spelt.map(|bytes| (text.clone(), bytes))
        });
        let salts = secrets.salts.iter().flat_map(|salt| {
            let hex: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
            let base64 = base64::encode(salt);
            // In a longer run of base 64 the last signs differ.
            let base64 = base64.get(..20).unwrap().to_owned();
            let spelt = [salt.to_vec(), hex.into_bytes(), base64.into_bytes()];
            spelt.map(|bytes| ("a salt".to_owned(), bytes))
        });
        let mut wanted: HashMap<[u8; 4], Vec<_>> = HashMap::new();
        for (text, bytes) in texts.chain(salts) {
            let head = *bytes.first_chunk().expect(&text);
            wanted.entry(head).or_default().push((text, bytes));
        }
        Self { wanted }
    }

    /// What is found in a document.
    fn find<'a>(&'a self, document: &[u8]) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        for at in 0..document.len() {
            let rest = &document[at..];
            let Some(head) = rest.first_chunk() else {
                break;
            };
            let here = self.wanted.get(head).into_iter().flatten();
            let here = here.filter(|(_, bytes)| rest.starts_with(bytes));
            found.extend(here.map(|(text, _)| text.as_str()));
        }
        found
    }

    #[track_caller]
    fn assert_none(&self, what: &str, document: &[u8]) {
        let found = self.find(document);
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

#[test]
fn no_trade_or_personal_value_is_in_any_public_bundle_or_page_of_the_demo() {
    let demo = Demo::new();
    let secrets = secrets(&demo);
    let (persons, trades) = (secrets.persons, secrets.trades);
    assert!(persons > 50 && trades > 20, "{persons} {trades}");
    let search = Search::new(&secrets);
    let records = demo.records(None);
    assert_eq!(records.len(), secrets.own.len());

    let (mut codes, mut entities) = (BTreeSet::new(), BTreeSet::new());
    for (record, own) in records.iter().zip(&secrets.own) {
        assert_eq!(record.get("trade"), None, "{record}");
        let entry = base64::decode(record["entry"].as_str().unwrap()).unwrap();
        search.assert_none("an entry", &entry);
        search.assert_none("a record", record.to_string().as_bytes());
        let signed = Entry::decode(&entry).unwrap().signed;
        let body = serde_json::to_value(signed.body().unwrap()).unwrap();
        let mut said = BTreeSet::new();
        leaves(&record["statement"], &mut said);
        leaves(&record["persons"], &mut said);
        leaves(&body, &mut said);
        let shown: Vec<_> = own.intersection(&said).collect();
        assert!(shown.is_empty(), "{shown:?} is shown in {record}");
        if record["kind"] == "unit_created" {
            let code = record["statement"]["unit"].as_str().unwrap();
            codes.insert(code.replace('-', ""));
        }
        entities.insert(record["signer"]["entity"].as_str().unwrap().to_owned());
    }
    assert!(codes.len() > 100, "{}", codes.len());
    for code in &codes {
        search.assert_none(code, &demo.get(&format!("/t/{code}")));
        search.assert_none(code, &demo.get(&format!("/v1/codes/{code}")));
        for way in ["back", "forward"] {
            let path = format!("/v1/codes/{code}/trace?direction={way}");
            search.assert_none(code, &demo.get(&path));
        }
        let file = demo.get(&format!("/v1/codes/{code}/bundle"));
        search.assert_none(code, &file);
        for record in Bundle::decode(&file).unwrap().records() {
            search.assert_none(code, &record.entry);
        }
    }
    let root = root_entity().to_string();
    for entity in entities.iter().filter(|entity| **entity != root) {
        search.assert_none(entity, &demo.get(&format!("/v1/entities/{entity}")));
        let issued = format!("/v1/entities/{entity}/certificates");
        search.assert_none(entity, &demo.get(&issued));
    }

    // The search finds what is there: an inspector is shown every value.
    let token = demo.marks["inspector_token"].as_str().unwrap();
    let whole: Vec<u8> = demo
        .records(Some(token))
        .iter()
        .flat_map(|record| record.to_string().into_bytes())
        .collect();
    let found = search.find(&whole);
    let wanted: BTreeSet<&str> = secrets.overseen.iter().map(String::as_str).collect();
    assert_eq!(found, wanted);
}
