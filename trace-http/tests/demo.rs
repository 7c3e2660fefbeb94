//! The demo as its guest meets it: what it prints is opened and typed.
#![cfg(unix)]
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
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use cli::program::{Place, trace};
use trace_http::{client::Client, language::Language};

/// A city of a fiftieth of a percent, unoptimised, and its server's start.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is tried, the rule that refuses it, and a part of its numbers.
const REFUSED: [(&str, &str, &str); 6] = [
    (
        "over-selling a batch",
        "quantity_exceeded",
        "5000000 Gram of",
    ),
    (
        "one certificate used in two places",
        "certificate_spent",
        "covers 0 with",
    ),
    (
        "selling what is being recalled",
        "recalled",
        "is recalled by the record at index",
    ),
    ("a certificate dated back", "issued_too_far_back", "6 days"),
    (
        "a certificate by a key without the right",
        "right_missing",
        "may sign as cold_store",
    ),
    (
        "goods that arrive before they were produced",
        "before_production",
        "produced on",
    ),
];

/// The demo, serving until this is dropped.
struct Demo {
    process: Child,
    printed: Receiver<String>,
}

impl Demo {
    fn start(place: &Place) -> Self {
        let mut command = trace();
        command.args(["demo", "--scale", "0.002", "--port", "0"]);
        command.current_dir(place.path("")).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (say, printed) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // Whoever listened may have heard enough.
                let _ = say.send(line);
            }
        });
        Self { process, printed }
    }

    /// What it prints, up to the last command.
    fn text(&self) -> String {
        let mut text = String::new();
        while !text.contains("--basis") {
            text += &self.printed.recv_timeout(PATIENCE).unwrap();
            text.push('\n');
        }
        text
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn wait_until_ready(client: &Client) {
    let started = Instant::now();
    while client.get("/readyz").is_err() {
        assert!(started.elapsed() < PATIENCE, "it does not serve");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A printed command line as a shell would split it.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate();
    let parts = quoted.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    parts.filter(|word| word != "\\").collect()
}

#[test]
fn what_a_demo_prints_can_be_opened_and_typed() {
    let place = Place::new();
    let demo = Demo::start(&place);
    let text = demo.text();
    // Of port 0 the address that was taken is printed.
    let (_, address) = text.split_once("http://").unwrap();
    let (address, _) = address.split_once("/t/").unwrap();
    let address = format!("http://{address}");
    assert!(!address.ends_with(":0"), "{address}");
    let client = Client::new(&address, Language::English).unwrap();
    wait_until_ready(&client);

    // Six addresses worth opening, each what it is said to be.
    let rows = text.lines().filter_map(|line| {
        let (what, url) = line.split_once("http")?;
        let is_row = !line.starts_with(' ');
        is_row.then(|| (what.trim().to_owned(), format!("http{}", url.trim())))
    });
    let rows: Vec<_> = rows.collect();
    let wanted = [
        ("valid", "data-status=\"valid\""),
        ("voided", "data-status=\"voided\""),
        ("superseded", "data-status=\"superseded\""),
        ("recalled", "data-status=\"recalled\""),
        ("the issuer", "\"roles\""),
        ("the API's description", "\"openapi\""),
    ];
    assert_eq!(rows.len(), wanted.len(), "{text}");
    for ((what, url), (named, part)) in rows.iter().zip(wanted) {
        assert_eq!(what, named);
        let path = url.strip_prefix(&address).unwrap();
        let shown = client.get(path).unwrap().expect(path);
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains(part), "{url}\n{shown}");
    }

    // What was tried in vain: each by its rule, with its numbers.
    for (tried, rule, numbers) in REFUSED {
        let (_, said) = text.split_once(&format!("  {tried}\n")).expect(tried);
        let said = said.lines().next().unwrap().trim_start();
        assert!(said.contains(numbers), "{said}");
        assert!(said.starts_with(rule), "{said}");
    }

    // One batch's evidence, taken and checked without the server.
    let line = |begins: &str| text.lines().find(|line| line.contains(begins)).unwrap();
    let fetch = words(line("curl -o bundle.json"));
    let path = fetch.last().unwrap().strip_prefix(&address).unwrap();
    fs::write(
        place.path("bundle.json"),
        client.get(path).unwrap().unwrap(),
    )
    .unwrap();
    let check = words(line(" verify "));
    let check: Vec<&str> = check[1..].iter().map(String::as_str).collect();
    assert!(place.text(&check).contains("Proved:"));

    // Nothing of it stands in the log, and a guest may read of it in Chinese.
    let (chinese, json) = (
        place.text(&["demo", "--no-serve", "--language", "zh"]),
        place.text(&["demo", "--no-serve", "--json"]),
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let refused = json["demo"]["refused"].as_array().unwrap();
    assert_eq!(refused.len(), REFUSED.len());
    for (refused, (tried, rule, _)) in refused.iter().zip(REFUSED) {
        assert_eq!(
            (&refused["tried"][0], &refused["rule"]),
            (&tried.into(), &rule.into())
        );
        let record = refused["record"].as_str().unwrap();
        assert_eq!(client.get(&format!("/v1/records/{record}")).unwrap(), None);
        for words in [&refused["tried"][1], &refused["said"][1]] {
            assert!(chinese.contains(words.as_str().unwrap()), "{chinese}");
        }
    }

    // The pages of those who sign in, each opened with the token beside it.
    for (who, part) in [
        ("inspector", "id=\"ask\""),
        ("producer", "href=\"/issue/new\""),
        ("authority", "action=\"/authority/register\""),
    ] {
        let row = words(line(&format!("  {who}")));
        let page = row[1].strip_prefix(&address).unwrap();
        let shown = signed_in(&address, page, &row[2]);
        assert!(shown.starts_with("HTTP/1.1 200"), "{shown}");
        assert!(shown.contains(part), "{who}: {shown}");
    }

    // And a certificate issued with one of the tokens.
    let token = words(line("  producer"))[2].clone();
    let at = text.find("TRACE_TOKEN=...").unwrap();
    let mut issue = words(&text[at..]);
    let issue = issue.split_off(2);
    let today = today();
    let issue = issue.iter().map(|word| match word.as_str() {
        "DATE" => today.as_str(),
        word => word,
    });
    let mut command: Command = trace();
    command.env("TRACE_TOKEN", token).args(issue).arg("--json");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
}

/// A page as a browser that signed in with a token is answered it.
fn signed_in(address: &str, page: &str, token: &str) -> String {
    let host = address.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {page} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncookie: trace_session={token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The ledger's civil date, as the machine has it.
fn today() -> String {
    let ms = trace_http::machine::now_ms();
    let offset = trace_core::ident::LEDGER_OFFSET_MINUTES;
    let date = trace_core::ident::CivilDate::from_ms(ms, offset);
    date.unwrap().to_string()
}
