//! Bad input of every kind on the command line: a clear error by its rule, the
//! right exit code, and the ledger as it was, in a folder and behind a server.
#![cfg(unix)]
#![allow(
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
use trace_http::{client::Client, language::Language};

/// Where a command goes.
enum At<'a> {
    Folder,
    Server(&'a Served),
}

/// A city, and where its commands go.
struct Door<'a> {
    city: &'a City,
    at: At<'a>,
}

impl Door<'_> {
    fn arguments<'b>(&'b self, arguments: &[&'b str]) -> Vec<&'b str> {
        match &self.at {
            At::Folder => arguments.to_vec(),
            At::Server(server) => server.at(arguments),
        }
    }

    /// The last checkpoint: the same text is the same log.
    fn checkpoint(&self) -> Vec<u8> {
        match &self.at {
            At::Folder => fs::read(self.city.place.path("ledger/last-checkpoint")).unwrap(),
            At::Server(server) => {
                let client = Client::new(&server.address, Language::English).unwrap();
                client.get("/checkpoint").unwrap().unwrap()
            }
        }
    }

    /// It ends with this code, names the rule, and nothing has changed.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], code: i32, named: &str) {
        let before = self.checkpoint();
        let output = self.city.place.run(&self.arguments(arguments));
        let told = String::from_utf8(output.stderr).unwrap();
        let brief: String = format!("{arguments:?}").chars().take(300).collect();
        assert_eq!(output.status.code(), Some(code), "{brief}\n{told}");
        assert!(told.contains(named), "{brief}\n{told}");
        assert!(
            told.len() < 2_000,
            "{} bytes were told: {told:?}",
            told.len()
        );
        assert_eq!(self.checkpoint(), before, "{brief}");
    }

    /// Issues from flags, with `change` in the place of what is right.
    #[track_caller]
    fn refuses_issue(&self, key: &str, change: [&str; 2], code: i32, named: &str) {
        let today = self.city.today.as_str();
        let dated = ["--produced-on", today, "--basis", basis()];
        let right = [RIGHT, &dated[..]].concat();
        let mut arguments = vec!["issue", "--key", key];
        for pair in right.chunks(2).filter(|pair| pair[0] != change[0]) {
            arguments.extend(pair);
        }
        arguments.extend(change);
        self.refuses(&arguments, code, named);
    }

    fn refuses_everything_bad(&self, code: &str, number: &str) {
        let huge = "长".repeat(30_000);
        let own = "producer.key";
        for (change, named) in [
            (["--product", ""], "is wanted"),
            (["--product", &huge], "text_malformed"),
            (["--product", "韭\u{202e}菜"], "text_malformed"),
            (["--product-class", "龙"], "class"),
            (["--quantity", "12.5"], "quantity_malformed"),
            (["--quantity", "0.3 克"], "quantity_malformed"),
            (["--produced-on", "2026-02-30"], "date_malformed"),
            (["--produced-on", "2099-01-01"], "after the date of issue"),
            (["--issued-on", "2099-01-01"], "after today"),
            (["--issued-on", "2001-01-01"], "no basis of the form"),
            (["--number", number], "certificate_number_used"),
            (["--number", "x"], "certificate_number_malformed"),
            (["--form", "form-of-2099"], "form"),
        ] {
            self.refuses_issue(own, change, 1, named);
        }
        for flag in [
            "--product-class",
            "--quantity",
            "--produced-on",
            "--origin-place",
            "--basis",
            "--form",
            "--number",
        ] {
            self.refuses_issue(own, [flag, &huge], 1, "");
        }
        self.refuses_issue(own, ["--quantity", "-1 斤"], 2, "unexpected argument");
        let any = ["--product", "韭菜"];
        self.refuses_issue("nobody.key", any, 1, "key_unknown");
        self.refuses_issue("store.key", any, 1, "right_missing");
        self.refuses_issue("spoilt.key", any, 6, "spoilt.key");
        self.refuses_issue("absent.key", any, 6, "absent.key");

        let store = |code, quantity| {
            [
                "warehouse",
                "in",
                code,
                "--key",
                "store.key",
                "--quantity",
                quantity,
            ]
        };
        self.refuses(&store(code, ""), 2, "quantity_malformed");
        self.refuses(&store(code, "1000000 吨"), 1, "quantity_exceeded");
        self.refuses(&store("UUUU", "1 斤"), 2, "trace_code_malformed");
        let nothing = trace_core::ident::TraceCode::from_bytes([7; 10]).to_string();
        self.refuses(&store(&nothing, "1 斤"), 1, "unit_unknown");
        let void = |what, reason| ["void", what, "--key", own, "--reason", reason];
        self.refuses(&void("NONE-0001", "x"), 1, "target_unknown");
        self.refuses(&void(number, ""), 1, "text_malformed");

        let table = ["issue", "--key", own, "--csv", "t.csv"];
        for (bytes, named) in [
            (&b""[..], "empty"),
            (&[0; 5_000], ""),
            (b"\xff\xff\xff\n\xff", ""),
            ("产品名称,数量\n\"韭菜,1 斤\n".as_bytes(), "row 2"),
            ("产品名称,数量\n韭菜\n".as_bytes(), "row 2"),
        ] {
            fs::write(self.city.place.path("t.csv"), bytes).unwrap();
            self.refuses(&table, 1, named);
        }
    }
}

#[test]
fn a_folder_and_a_server_refuse_alike_and_stay_as_they_were() {
    let city = City::new();
    let issued = city.issue(&["--number", "LF-FIRST-1"]);
    let code = text(&issued, "code");
    city.place.json(&["key", "new", "nobody.key"]);
    fs::write(city.place.path("spoilt.key"), "no key").unwrap();
    let door = Door {
        city: &city,
        at: At::Folder,
    };
    door.refuses_everything_bad(code, "LF-FIRST-1");
    let server = Served::start(&city.place, &[]);
    let door = Door {
        city: &city,
        at: At::Server(&server),
    };
    door.refuses_everything_bad(code, "LF-FIRST-1");
    drop(server);
    let audited = city.place.json(&["audit"]);
    assert_eq!(audited["sound"], true);
    // What is right goes in as before.
    city.issue(&["--number", "LF-FIRST-2"]);
}

#[test]
fn a_file_that_is_no_bundle_is_refused_wherever_it_is_cut() {
    let city = City::new();
    let file = city.bundle(text(&city.issue(&[]), "code"));
    let sound = fs::read(&file).unwrap();
    let path = file.to_str().unwrap();
    let mut spoilt = vec![
        Vec::new(),
        b"{}".to_vec(),
        vec![0xff; 100_000],
        [&sound[..], b"x"].concat(),
        [&b"\xEF\xBB\xBF"[..], &sound].concat(),
    ];
    spoilt.extend((1..8).map(|part| sound[..sound.len() * part / 8].to_vec()));
    let (gb, _, _) = encoding_rs::GB18030.encode("一个证据包");
    spoilt.push(gb.into_owned());
    for bytes in spoilt {
        fs::write(&file, &bytes).unwrap();
        assert_eq!(city.verify(path, &city.anchor), Some(1), "{}", bytes.len());
    }
    // A later version than this program reads is no damage.
    let later = String::from_utf8(sound.clone()).unwrap();
    let later = later.replacen("\"version\":1", "\"version\":9", 1);
    fs::write(&file, later).unwrap();
    assert_eq!(city.verify(path, &city.anchor), Some(6));
    fs::write(&file, &sound).unwrap();
    assert_eq!(city.verify(path, &city.anchor), Some(0));
}
