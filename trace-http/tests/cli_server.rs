//! The command line against a server: the same commands as on a folder, with
//! an own key or with a token.
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
    city::{RIGHT, basis, text, today},
    program::Place,
    served::Served,
};
use serde_json::{Value, json};
use trace_core::record::{Hash, base64, sign::SigningKey};
use trace_fixtures::World;
use trace_http::{client::Client, language::Language};

/// A served ledger with a producer of each sort and a cold store.
struct Town {
    place: Place,
    anchor: String,
    /// The authority's entity; its key is kept in the folder.
    authority: String,
    server: Served,
}

impl Town {
    fn new() -> Self {
        let place = Place::new();
        let open = ["--origin", "a.example/trace", "--name", "甲", "--area"];
        let keys = ["131000", "--keys", "keys", "--kek-file", "kek"];
        let authority = ["--authority", "农业农村局"];
        let made = place.json(&[&["init"][..], &open, &keys, &authority].concat());
        let authority = text(&made["authority"], "entity").to_owned();
        let anchor = text(&made, "anchor").to_owned();
        let add = |name: &str, role: &str, more: &[&str]| -> String {
            let by = ["entity", "add", "--as", &authority, "--kek-file", "kek"];
            let who = ["--name", name, "--area", "131023", "--role", role];
            let added = place.json(&[&by[..], &who, more].concat());
            text(&added, "entity").to_owned()
        };
        add("自有密钥社", "producer", &["--own-key", "producer.key"]);
        add("自有密钥库", "cold_store", &["--own-key", "store.key"]);
        let hosted = add("托管密钥社", "producer", &["--hosted"]);
        let token = place.json(&["token", "make", "--entity", &hosted, "--role", "producer"]);
        fs::write(place.path("token"), text(&token, "token")).unwrap();

        let server = Served::start(&place, &["--kek-file", "kek"]);
        Self {
            place,
            anchor,
            authority,
            server,
        }
    }

    fn at<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        self.server.at(arguments)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.place.json(&self.at(arguments))
    }

    fn issue(&self, by: &[&str]) -> Value {
        let today = today();
        let dated = ["--produced-on", today.as_str(), "--basis", basis()];
        self.json(&[&["issue"][..], RIGHT, &dated, by].concat())
    }

    fn verify(&self, code: &str) -> String {
        self.json(&["bundle", code, "--out", "b.json"]);
        let verify = ["verify", "b.json", "--anchor", self.anchor.as_str()];
        text(&self.place.json(&verify), "status").to_owned()
    }
}

#[test]
fn an_own_key_issues_moves_and_voids_over_http_and_the_evidence_holds() {
    let town = Town::new();
    let own = ["--key", "producer.key"];
    let contact = ["--contact-name", "王某某", "--contact-phone", "13800000000"];
    let issued = town.issue(&[&own[..], &contact].concat());
    let (code, number) = (text(&issued, "code"), text(&issued, "number"));
    let store = ["--key", "store.key", "--quantity"];
    town.json(&[&["warehouse", "in", code][..], &store, &["10 斤"]].concat());
    let too_much = [&["warehouse", "out", code][..], &store, &["11 斤"]].concat();
    let refused = town.place.run(&town.at(&too_much));
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("quantity_exceeded"), "{told}");
    town.json(&[&["warehouse", "out", code][..], &store, &["4 斤"]].concat());
    let shown = town.json(&["show", number]);
    assert_eq!(shown["status"], "valid");
    assert_eq!(shown["records"].as_array().unwrap().len(), 4);
    assert_eq!(town.verify(code), "valid");
    let people = town
        .place
        .text(&town.at(&["show", code, "--language", "zh"]));
    assert!(
        people.contains("王**") && people.contains("出库"),
        "{people}"
    );
    town.json(&[&["void", number, "--reason", "重复开具"][..], &own].concat());
    assert_eq!(town.verify(code), "voided");
}

#[test]
fn a_unit_that_only_a_paper_speaks_for_is_voided_over_http_too() {
    let town = Town::new();
    let key = fs::read_to_string(town.place.path("producer.key")).unwrap();
    let seed = key.trim().rsplit(' ').next().and_then(Hash::from_hex);
    let key = SigningKey::from_seed(seed.unwrap().into());
    let declared = World::new(7).unit_declared();
    let client = Client::new(&town.server.address, Language::English).unwrap();
    let order = json!({
        "key": key.public().id().to_string(), "kind": "unit_declared", "statement": declared,
    });
    let prepared: Value = client.post_json("/v1/prepare", None, &order).unwrap();
    let bytes = base64::decode(text(&prepared, "bytes")).unwrap();
    let record = [&bytes[..], &[1], key.sign(&bytes).as_bytes()].concat();
    let order = json!({"records": [{"record": base64::encode(&record)}]});
    let _: Value = client.post_json("/v1/records", None, &order).unwrap();

    let code = declared.unit.to_string();
    let void = ["void", &code, "--reason", "登记有误", "--key"];
    let other = town.at(&[&void[..], &["store.key"]].concat());
    assert_eq!(town.place.run(&other).status.code(), Some(1));
    town.json(&[&void[..], &["producer.key"]].concat());
    assert_eq!(town.json(&["show", &code])["status"], "voided");
}

#[test]
fn a_token_issues_and_voids_and_nothing_goes_without_one() {
    let town = Town::new();
    let issued = town.issue(&["--token-file", "token", "--number", "LF-TOKEN-1"]);
    assert_eq!(issued["number"], "LF-TOKEN-1");
    let shown = town.json(&["show", text(&issued, "code")]);
    assert_eq!(town.json(&["show", "LF-TOKEN-1"])["code"], shown["code"]);
    assert_eq!(shown["status"], "valid");
    assert_eq!(shown["records"][0]["signer"]["is_hosted"], true);
    let void = ["void", "LF-TOKEN-1", "--reason", "货物未出场"];
    assert_eq!(town.place.run(&town.at(&void)).status.code(), Some(2));
    fs::write(
        town.place.path("forged"),
        format!("trt_{}_{}", "0".repeat(16), "A".repeat(43)),
    )
    .unwrap();
    let forged = [&void[..], &["--token-file", "forged"]].concat();
    assert_eq!(town.place.run(&town.at(&forged)).status.code(), Some(1));
    town.json(&[&void[..], &["--token-file", "token"]].concat());
    let code = text(&shown, "code");
    assert_eq!(town.verify(code), "voided");
}

#[test]
fn an_authority_registers_at_a_server_by_its_own_key_or_by_its_token() {
    let town = Town::new();
    let token = ["token", "make", "--entity", &town.authority];
    let token = town
        .place
        .json(&[&token[..], &["--role", "authority", "--area", "131000"]].concat());
    fs::write(town.place.path("office"), text(&token, "token")).unwrap();
    let by = [
        "entity",
        "add",
        "--token-file",
        "office",
        "--area",
        "131023",
    ];
    let household = ["--category", "household", "--contact-name", "李某"];
    let role = ["--role", "producer"];
    let added = town.json(&[&by[..], &household, &role, &["--hosted"]].concat());
    assert_eq!(text(&added, "key_id").len(), 64);
    assert_eq!(text(&added, "person").len(), 32);
    // It can act at once, by a token of its own.
    let token = ["token", "make", "--entity", text(&added, "entity")];
    let token = town.place.json(&[&token[..], &role].concat());
    fs::write(town.place.path("own"), text(&token, "token")).unwrap();
    let issued = town.issue(&["--token-file", "own", "--number", "LF-NEW-1"]);
    assert_eq!(town.verify(text(&issued, "code")), "valid");
    // By an own key, with a key of its own.
    let enrolled = ["--name", "永清冷库", "--role", "cold_store"];
    let own = [&by[..], &enrolled, &["--own-key", "new.key"]].concat();
    let refused = town.place.run(&town.at(&own));
    assert_eq!(refused.status.code(), Some(2));
    let added = town.json(&[&by[..], &enrolled].concat());
    assert_eq!(added["key_id"], Value::Null);
    // Nobody registers what is not its to register.
    let size = town.json(&["show", "LF-NEW-1"])["checkpoint"].clone();
    for (token, named) in [("own", "right_missing"), ("forged", "token_wrong")] {
        fs::write(town.place.path("forged"), "trt_x").unwrap();
        let by = ["entity", "add", "--token-file", token, "--area", "131023"];
        let output = town.place.run(&town.at(&[&by[..], &enrolled].concat()));
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(named), "{told}");
    }
    assert_eq!(town.json(&["show", "LF-NEW-1"])["checkpoint"], size);
}

#[test]
fn a_table_goes_to_a_server_by_either_and_a_wrong_row_is_named() {
    let town = Town::new();
    let head = "产品名称,产品类别,数量,生产日期,产地,承诺依据,证号\n";
    let rows = |prefix: &str, count: usize| {
        let row = |row: usize| {
            let (today, basis) = (today(), basis());
            format!("韭菜,蔬菜,1 斤,{today},永清县,{basis},{prefix}-{row:03}\n")
        };
        head.to_owned() + &(0..count).map(row).collect::<String>()
    };
    let issue = ["issue", "--csv", "t.csv"];
    for (prefix, by) in [
        ("OWN", ["--key", "producer.key"]),
        ("TOKEN", ["--token-file", "token"]),
    ] {
        fs::write(town.place.path("t.csv"), rows(prefix, 5)).unwrap();
        let issued = town.json(&[&issue[..], &by].concat());
        assert_eq!(issued["issued"].as_array().unwrap().len(), 5);
        let shown = town.json(&["show", &format!("{prefix}-004")]);
        assert_eq!(shown["status"], "valid");
        assert_eq!(shown["code"], issued["issued"][4]["code"]);
        // One more row under numbers that are taken: only it is issued.
        fs::write(town.place.path("t.csv"), rows(prefix, 6)).unwrap();
        let only = [&issue[..], &["--valid-rows-only", "--json"], &by].concat();
        let output = town.place.run(&town.at(&only));
        assert_eq!(output.status.code(), Some(1));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["issued"].as_array().unwrap().len(), 1);
        assert_eq!(told["issued"][0]["row"], 7);
        assert_eq!(told["wrong"].as_array().unwrap().len(), 5);
    }
}

#[test]
fn a_server_that_is_not_there_or_lies_elsewhere_is_the_machines_failure() {
    let place = Place::new();
    let code = trace_core::ident::TraceCode::from_bytes([7; 10]).to_string();
    // Nothing listens on the port that was just let go.
    let port = {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        taken.local_addr().unwrap().port()
    };
    let address = format!("http://127.0.0.1:{port}");
    let output = place.run(&["show", &code, "--server", &address]);
    assert_eq!(output.status.code(), Some(6));
    let output = place.run(&["show", &code, "--server", "ftp://a"]);
    assert_eq!(output.status.code(), Some(2));
}
