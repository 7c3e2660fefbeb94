//! The producer's pages: three steps to a certificate, what is left of each, void and
//! correct, goods confirmed. The same rules refuse as through the API.

use serde_json::json;
use trace_core::record::{Body, Role, base64, submission::Submission};
use trace_fixtures::Who;

use crate::{
    browser::walk,
    cases::{
        Case,
        What::{Absent, Bad, Forbidden, Good},
    },
    signing_in::{FORM, cookie},
    town::{Answer, Town},
};

const CLASS: &str = "product_class=vegetable&origin=%E5%BB%8A%E5%9D%8A";

/// Everything typed, at a step.
fn typed(town: &Town, step: &str, key: &str) -> String {
    let today = town.world.today();
    format!(
        "step={step}&key={key}&product=%E9%BB%84%E7%93%9C&{CLASS}&quantity=12.5%20%E5%85%AC%E6%96%A4\
         &produced_on={today}&durability_kind=best_before&form=electronic_traceability&lot=A1"
    )
}

pub fn cases(town: &mut Town) -> Vec<Case> {
    let token = town.token(Who::Producer, Role::Producer);
    let (unit, certified) = town.batch();
    let number = number_of(&certified);
    let given = town.world.handed_over(unit.unit, Who::Household, "2 斤");
    let given = town.say(Who::Producer, given).hash();
    let own = format!("{FORM}{}", cookie(&token));
    let household = town.token(Who::Household, Role::Producer);
    let household = format!("{FORM}{}", cookie(&household));
    let nobody = format!("{FORM}{}", cookie("trt_0123456789abcdef_x"));
    let void = |number: &str| format!("number={number}&reason=x&key=v-{number}");
    let receive = |record: &str| {
        format!(
            "handed_over={record}&accepted=&outcome=accepted&key=r-{}",
            &record[..record.len().min(9)]
        )
    };
    let none = "00".repeat(32);
    let get = String::new;
    let copy = |number: &str| format!("/issue/new?copy={number}");
    [
        (Good, "GET", "/issue".to_owned(), own.clone(), get(), 200),
        (
            Bad,
            "GET",
            "/issue?before=x".into(),
            own.clone(),
            get(),
            400,
        ),
        (
            Forbidden,
            "GET",
            "/issue".into(),
            nobody.clone(),
            get(),
            303,
        ),
        (Good, "GET", copy(&number), own.clone(), get(), 200),
        (Bad, "GET", copy("x"), own.clone(), get(), 400),
        (Absent, "GET", copy("NONE-0001"), own.clone(), get(), 404),
        (
            Forbidden,
            "GET",
            copy(&number),
            household.clone(),
            get(),
            403,
        ),
        (
            Good,
            "POST",
            "/issue/new".into(),
            own.clone(),
            typed(town, "sign", "case-1"),
            303,
        ),
        (
            Bad,
            "POST",
            "/issue/new".into(),
            own.clone(),
            "step=batch&key=k".into(),
            422,
        ),
        (
            Absent,
            "POST",
            "/issue/new".into(),
            own.clone(),
            format!(
                "{}&corrects=NONE-0001&reason=x",
                typed(town, "sign", "case-3")
            ),
            422,
        ),
        (
            Forbidden,
            "POST",
            "/issue/new".into(),
            nobody,
            typed(town, "sign", "case-2"),
            303,
        ),
        (
            Bad,
            "POST",
            "/issue/receive".into(),
            household.clone(),
            receive("x"),
            400,
        ),
        (
            Absent,
            "POST",
            "/issue/receive".into(),
            household.clone(),
            receive(&none),
            422,
        ),
        (
            Forbidden,
            "POST",
            "/issue/receive".into(),
            own.clone(),
            receive(&given.to_string()),
            422,
        ),
        (
            Good,
            "POST",
            "/issue/receive".into(),
            household.clone(),
            receive(&given.to_string()),
            303,
        ),
        (
            Bad,
            "POST",
            "/issue/void".into(),
            own.clone(),
            void("x"),
            400,
        ),
        (
            Absent,
            "POST",
            "/issue/void".into(),
            own.clone(),
            void("NONE-0001"),
            422,
        ),
        (
            Forbidden,
            "POST",
            "/issue/void".into(),
            household,
            void(&number),
            403,
        ),
        (Good, "POST", "/issue/void".into(), own, void(&number), 303),
    ]
    .into_iter()
    .map(|(what, method, path, lines, body, status)| Case {
        what,
        method,
        path,
        lines,
        body: body.into_bytes(),
        status,
        code: "",
    })
    .collect()
}

/// The number of a certificate.
fn number_of(certified: &Submission) -> String {
    match certified.signed.body() {
        Ok(Body::ElectronicTraceabilityCertificate(body)) => body.0.number,
        other => panic!("{other:?}"),
    }
}

/// A producer at the pages.
struct Signed {
    town: Town,
    token: String,
}

impl Signed {
    fn new() -> Self {
        let town = Town::new();
        let token = town.token(Who::Producer, Role::Producer);
        Self { town, token }
    }

    fn post(&self, path: &str, form: &str) -> Answer {
        let lines = format!("{FORM}accept-language: en\r\n{}", cookie(&self.token));
        self.town.ask("POST", path, &lines, form.as_bytes())
    }

    fn get(&self, path: &str) -> Answer {
        let lines = format!("accept-language: en\r\n{}", cookie(&self.token));
        self.town.ask("GET", path, &lines, b"")
    }

    fn step(&self, step: &str, key: &str) -> Answer {
        self.post("/issue/new", &typed(&self.town, step, key))
    }
}

fn led(answer: &Answer) -> String {
    answer.field("location").unwrap_or_default().to_owned()
}

#[test]
fn three_steps_issue_one_certificate_however_often_the_last_is_sent() {
    let at = Signed::new();
    let size = at.town.office.view().size();
    at.get("/issue/new").with(200);
    at.step("batch", "").with(200);
    let preview = at.step("preview", "").with(200).text();
    for part in [
        "data-status=\"valid\"",
        "12.5 公斤",
        "黄瓜",
        "Nothing is recorded yet",
        "A1",
    ] {
        assert!(preview.contains(part), "{part}: {preview}");
    }
    assert_eq!(at.town.office.view().size(), size, "a look records nothing");
    let first = at.step("sign", "once").with(303);
    let second = at.step("sign", "once").with(303);
    assert_eq!(led(&first), led(&second));
    assert_eq!(
        at.town.office.view().size(),
        size + 2,
        "a unit and its certificate"
    );
    let home = at.get(&led(&first)).with(200).text();
    for part in [
        "Issued. Its trace code is",
        "label.pdf?size=58",
        "黄瓜",
        "12.5 kg",
    ] {
        assert!(home.contains(part), "{part}: {home}");
    }
    let code = led(&first).split_once("made=").unwrap().1.to_owned();
    let shown = at.town.get(&format!("/t/{code}")).with(200).text();
    assert!(shown.contains("data-status=\"valid\""), "{shown}");
}

#[test]
fn what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost() {
    let at = Signed::new();
    let size = at.town.office.view().size();
    let form = "step=batch&key=&product=%3Cb%3E&product_class=&gtin=6901234567893&origin=";
    let page = at.post("/issue/new", form).with(422).text();
    for part in [
        "id=\"wrong-gtin\"",
        "id=\"wrong-origin\"",
        "value=\"&lt;b&gt;\"",
        "6901234567893",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let form = typed(&at.town, "preview", "").replace("12.5%20%E5%85%AC%E6%96%A4", "many");
    let page = at.post("/issue/new", &form).with(422).text();
    assert!(
        page.contains("id=\"wrong-quantity\"") && page.contains("value=\"many\""),
        "{page}"
    );
    // What only the ledger's rules refuse: a harvest of tomorrow.
    let tomorrow = (town_day(&at.town, 1), town_day(&at.town, 0));
    let form = typed(&at.town, "sign", "late").replace(&tomorrow.1, &tomorrow.0);
    let page = at.post("/issue/new", &form);
    assert!(page.status >= 400, "{}", page.status);
    let page = page.text();
    assert!(
        page.contains("role=\"alert\"") && page.contains(&tomorrow.0),
        "{page}"
    );
    assert_eq!(at.town.office.view().size(), size);
}

fn town_day(town: &Town, days: u64) -> String {
    let ms = town.world.now_ms + days * 86_400_000;
    let day = trace_core::ident::CivilDate::from_ms(ms, 480);
    day.map(|day| day.to_string()).unwrap_or_default()
}

#[test]
fn a_certificate_is_copied_corrected_and_voided_and_the_list_says_so() {
    let mut at = Signed::new();
    let (unit, certified) = at.town.batch();
    let number = number_of(&certified);
    let copy = at
        .get(&format!("/issue/new?copy={number}"))
        .with(200)
        .text();
    assert!(
        copy.contains(&format!("value=\"{}\"", unit.product)),
        "{copy}"
    );
    let form = format!(
        "{}&corrects={number}&reason=wrong+weight",
        typed(&at.town, "sign", "c")
    );
    let made = at.post("/issue/new", &form).with(303);
    let home = at.get("/issue").with(200).text();
    assert!(home.contains("replaced"), "{home}");
    let old = at
        .town
        .get(&format!("/t/{}", unit.unit.compact()))
        .with(200)
        .text();
    assert!(old.contains("data-status=\"superseded\""), "{old}");
    let code = led(&made).split_once("made=").unwrap().1.to_owned();
    let answer = at.town.get(&format!("/v1/codes/{code}")).with(200).json();
    let records = answer["records"].as_array().unwrap().clone();
    let number = records
        .iter()
        .filter(|record| record["kind"] == "electronic_traceability_certificate")
        .find_map(|record| record["statement"]["number"].as_str());
    let void = format!("number={}&reason=not+sold&key=v", number.unwrap());
    at.post("/issue/void", &void).with(303);
    at.post("/issue/void", &void).with(303);
    let page = at.town.get(&format!("/t/{code}")).with(200).text();
    assert!(page.contains("data-status=\"voided\""), "{page}");
}

#[test]
fn goods_on_their_way_are_confirmed_in_part_or_refused_from_the_page() {
    let mut at = Signed::new();
    let (unit, _) = at.town.batch();
    for quantity in ["300 斤", "200 斤"] {
        let given = at
            .town
            .world
            .handed_over(unit.unit, Who::Household, quantity);
        at.town.say(Who::Producer, given);
    }
    at.token = at.town.token(Who::Household, Role::Producer);
    let page = at.get("/issue").with(200).text();
    assert!(page.contains("150 kg") && page.contains("100 kg"), "{page}");
    let records: Vec<String> = page
        .split("name=\"handed_over\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|it| it.0.to_owned()))
        .collect();
    assert_eq!(records.len(), 2);
    let form = |record: &str, accepted: &str, outcome: &str| {
        format!(
            "handed_over={record}&accepted={accepted}&outcome={outcome}&key=r-{}",
            &record[..record.len().min(9)]
        )
    };
    at.post(
        "/issue/receive",
        &form(&records[0], "140%20%E5%85%AC%E6%96%A4", "accepted"),
    )
    .with(303);
    at.post("/issue/receive", &form(&records[1], "", "refused"))
        .with(303);
    let page = at.get("/issue").with(200).text();
    assert!(!page.contains("name=\"handed_over\""), "{page}");
    let inspector = at.town.token(Who::Inspector, Role::Inspector);
    let path = format!("/v1/codes/{}/balance", unit.unit.compact());
    let balance = at.town.get_with(&path, &inspector).with(200).json();
    assert_eq!(balance["balance"]["held"], 500_000 - 10_000, "{balance}");
}

#[test]
fn a_producer_issues_without_javascript_in_a_real_browser() {
    let mut at = Signed::new();
    let (unit, _) = at.town.batch();
    let given = at
        .town
        .world
        .handed_over(unit.unit, Who::Household, "30 斤");
    at.town.say(Who::Producer, given);
    let plan = json!({
        "address": format!("http://{}", at.town.address),
        "token": at.token,
        "receiver": at.town.token(Who::Household, Role::Producer),
        "today": at.town.world.today().to_string(),
    });
    let shots = walk("issue", &plan);
    let picture = std::fs::read(shots.join("preview-zh-phone.png")).unwrap();
    assert!(picture.len() > 10_000 && base64::encode(&picture).starts_with("iVBORw0KGgo"));
}
