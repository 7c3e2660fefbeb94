//! The inspector's pages: one box that takes anything, the reasons behind a
//! verdict, who has the goods, what is done about them, what is open in an area.

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    record::{
        Body, Hash, Role, base64,
        kinds::unit_created::UnitCreated,
        movement::{Manner, Process},
        submission::Submission,
    },
};
use trace_fixtures::Who;

use crate::{
    browser::walk,
    cases::{
        Case,
        What::{Absent, Bad, Forbidden, Good},
    },
    documents::pdf,
    signing_in::{FORM, cookie},
    town::{Answer, Town, bearer},
};

const FORGED: &str = "trt_0123456789abcdef_x";

/// A document that an inspection of the producer names.
fn stored(town: &mut Town) -> Hash {
    let bytes = pdf("a sheet of paper");
    let inspector = bearer(&town.token(Who::Inspector, Role::Inspector));
    let lines = format!("content-type: application/pdf\r\n{inspector}");
    town.ask("POST", "/v1/documents", &lines, &bytes).with(201);
    let hash = Hash::of(&[&bytes]);
    let (mut inspected, openings) = town.world.inspection(Who::Producer, &[]);
    inspected.document = Some(hash);
    town.say(Who::Inspector, (inspected, openings));
    hash
}

pub fn cases(town: &mut Town, nothing: &str) -> Vec<Case> {
    let code = town.batch().0.unit.compact();
    let own = cookie(&town.token(Who::CountyAuthority, Role::Authority));
    let other = cookie(&town.token(Who::OtherCountyAuthority, Role::Authority));
    let household = cookie(&town.token(Who::Household, Role::Producer));
    let nobody = cookie(FORGED);
    let form = format!("{FORM}{own}");
    let act = |code: &str, act: &str| format!("act={act}&code={code}&reason=x&key=k&confirmed=yes");
    let ask = |text: &str| format!("/inspect?ask={text}");
    let sheet = |code: &str, ending: &str| format!("/inspect/{code}/recall.{ending}");
    let document = |hash: &str| format!("/inspect/documents/{hash}");
    let stored = stored(town).to_string();
    let nobodys = Hash::of(&[b"nobody"]).to_string();
    let mut rows = vec![
        (Good, "GET", ask(&code), own.clone(), String::new(), 200),
        (Bad, "GET", ask("%3Cx%3E"), own.clone(), String::new(), 400),
        (Absent, "GET", ask(nothing), own.clone(), String::new(), 404),
        (
            Forbidden,
            "GET",
            ask(&code),
            nobody.clone(),
            String::new(),
            303,
        ),
        (
            Good,
            "POST",
            "/inspect/act".into(),
            form.clone(),
            act(&code, "hold"),
            201,
        ),
        (
            Bad,
            "POST",
            "/inspect/act".into(),
            form.clone(),
            act(&code, "eat"),
            400,
        ),
        (
            Absent,
            "POST",
            "/inspect/act".into(),
            form,
            act(nothing, "hold"),
            404,
        ),
        (
            Forbidden,
            "POST",
            "/inspect/act".into(),
            format!("{FORM}{household}"),
            act(&code, "hold"),
            403,
        ),
        (
            Good,
            "GET",
            document(&stored),
            own.clone(),
            String::new(),
            200,
        ),
        (Bad, "GET", document("x"), own.clone(), String::new(), 400),
        (
            Absent,
            "GET",
            document(&nobodys),
            own.clone(),
            String::new(),
            404,
        ),
        (
            Forbidden,
            "GET",
            document(&stored),
            other.clone(),
            String::new(),
            404,
        ),
    ];
    for ending in ["xlsx", "csv"] {
        rows.push((
            Good,
            "GET",
            sheet(&code, ending),
            own.clone(),
            String::new(),
            200,
        ));
        rows.push((
            Bad,
            "GET",
            sheet("UUUU", ending),
            own.clone(),
            String::new(),
            400,
        ));
        rows.push((
            Absent,
            "GET",
            sheet(nothing, ending),
            own.clone(),
            String::new(),
            404,
        ));
        rows.push((
            Forbidden,
            "GET",
            sheet(&code, ending),
            other.clone(),
            String::new(),
            403,
        ));
    }
    rows.into_iter()
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

/// A batch of the producer of which the buyer has some, and has split some.
fn told(town: &mut Town) -> UnitCreated {
    let (unit, _) = town.batch();
    let given = town.world.handed_over(unit.unit, Who::Buyer, "200 斤");
    let given = town.say(Who::Producer, given);
    let received = town.world.received(unit.unit, &given, "200 斤");
    town.say(Who::Buyer, received);
    let sold = town.world.disposed(unit.unit, Manner::Sold, "20 斤");
    town.say(Who::Buyer, sold);
    let outputs = [town.world.output(&unit), town.world.output(&unit)];
    let outputs = outputs.map(|output| (output, "50 斤")).into();
    let split = town
        .world
        .transformed(Process::Split, &[(unit.unit, "100 斤")], outputs, None);
    town.say(Who::Buyer, split);
    unit
}

/// The number of a certificate.
pub fn number_of(certified: &Submission) -> String {
    match certified.signed.body() {
        Ok(Body::ElectronicTraceabilityCertificate(body)) => body.0.number,
        other => panic!("{other:?}"),
    }
}

fn look(town: &Town, token: &str, ask: &str) -> Answer {
    let lines = format!("accept-language: en\r\n{}", cookie(token));
    town.ask("GET", &format!("/inspect?ask={ask}"), &lines, b"")
}

fn logged(town: &Town) -> u64 {
    town.office.lookups.head().count
}

#[test]
fn the_answer_says_why_who_has_it_and_how_to_reach_them_and_is_logged() {
    let mut town = Town::new();
    let unit = told(&mut town);
    let token = town.token(Who::Inspector, Role::Inspector);
    let before = logged(&town);
    let page = look(&town, &token, &unit.unit.compact()).with(200).text();
    assert_eq!(logged(&town), before + 1);
    for part in [
        "data-status=\"valid\"",
        "Checked just now: ",
        "Quantities add up",
        "Made</th><td>500 kg",
        "Sold</th><td>10 kg",
        "Through whose hands",
        "id=\"lineage-title\"",
        "25 kg",
        "href=\"tel:",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.len() < 60_000, "{} bytes", page.len());
}

#[test]
fn another_countys_inspector_sees_what_everybody_sees_and_nothing_is_logged() {
    let mut town = Town::new();
    let unit = told(&mut town);
    let token = town.token(Who::OtherCountyAuthority, Role::Authority);
    let before = logged(&town);
    let page = look(&town, &token, &unit.unit.compact()).with(200).text();
    assert_eq!(logged(&town), before);
    assert!(page.contains("you are shown what everybody sees"), "{page}");
    for part in [
        "href=\"tel:",
        "Through whose hands",
        "action=\"/inspect/act\"",
        "recall.xlsx",
    ] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn the_box_takes_codes_numbers_addresses_entities_and_equipment() {
    let mut town = Town::new();
    let mut unit = town.world.unit();
    unit.gtin = Some("6901234567892".parse().unwrap());
    unit.lot = Some("A".into());
    let (unit, certified) = town.batch_of(unit);
    let number = number_of(&certified);
    let token = town.token(Who::Inspector, Role::Inspector);
    let code = unit.unit.to_string();
    for ask in [
        code.to_lowercase(),
        number,
        format!("https%3A%2F%2Fa.example%2Ft%2F{}", unit.unit.compact()),
        format!(
            "https%3A%2F%2Fa.example%2F01%2F06901234567892%2F10%2FA%3Ft%3D{}",
            unit.unit.compact()
        ),
    ] {
        let page = look(&town, &token, &ask).with(200).text();
        assert!(
            page.contains("data-status=\"valid\"") && page.contains(&code),
            "{ask}"
        );
    }
    let link = look(&town, &token, "%2F01%2F06901234567892%2F10%2FA")
        .with(200)
        .text();
    assert!(link.contains(&code), "{link}");
    let maker = town.world.id(Who::Producer).to_string();
    let page = look(&town, &token, &maker).with(200).text();
    assert!(page.contains("producer") && page.contains(&code), "{page}");
    look(&town, &token, "NONE-0001").with(404);
    let store = crate::cold::store(&mut town);
    let page = look(&town, &token, &store.probe).with(200).text();
    assert!(page.contains("Cold-chain equipment"), "{page}");
    let hostile = look(&town, &token, "%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        .with(400)
        .text();
    assert!(!hostile.contains("<script>alert"), "{hostile}");
}

#[test]
fn a_hold_is_confirmed_recorded_once_and_ended_from_the_page() {
    let mut town = Town::new();
    let code = town.batch().0.unit;
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let lines = format!("{FORM}accept-language: en\r\n{}", cookie(&token));
    let post = |town: &Town, form: &str| town.ask("POST", "/inspect/act", &lines, form.as_bytes());
    let form = format!(
        "act=hold&code={}&reason=suspected&key=hold-1",
        code.compact()
    );
    let size = town.office.view().size();
    let asked = post(&town, &form).with(200).text();
    assert!(
        asked.contains("suspected") && asked.contains("name=\"confirmed\""),
        "{asked}"
    );
    assert_eq!(town.office.view().size(), size, "asking records nothing");
    let confirmed = format!("{form}&confirmed=yes");
    post(&town, &confirmed).with(201);
    post(&town, &confirmed).with(201);
    assert_eq!(
        town.office.view().size(),
        size + 1,
        "sent twice, recorded once"
    );
    let page = look(&town, &token, &code.compact()).with(200).text();
    assert!(page.contains("data-status=\"on_hold\""), "{page}");
    assert!(
        page.contains("value=\"release\"")
            && page.contains(&format!("name=\"target\" value=\"{size}\"")),
        "{page}"
    );
    let release = format!(
        "act=release&code={}&target={size}&reason=clean&key=r&confirmed=yes",
        code.compact()
    );
    post(&town, &release).with(201);
    let page = look(&town, &token, &code.compact()).with(200).text();
    assert!(page.contains("data-status=\"valid\""), "{page}");
    let wrong = format!(
        "act=release&code={}&target=99999&reason=clean&key=w&confirmed=yes",
        code.compact()
    );
    let refused = post(&town, &wrong);
    assert!(
        refused.status >= 400 && refused.text().contains("role=\"alert\""),
        "{}",
        refused.text()
    );
}

#[test]
fn an_inspector_may_hold_and_not_recall_and_a_foreign_form_does_neither() {
    let mut town = Town::new();
    town.host(Who::Inspector, Who::CountyAuthority);
    let code = town.batch().0.unit;
    let token = town.token(Who::Inspector, Role::Inspector);
    let page = look(&town, &token, &code.compact()).with(200).text();
    assert!(
        page.contains("value=\"hold\"") && !page.contains("value=\"recall\""),
        "{page}"
    );
    let form = |act: &str| {
        format!(
            "act={act}&code={}&reason=x&key={act}&confirmed=yes",
            code.compact()
        )
    };
    let lines = format!("{FORM}{}", cookie(&token));
    let recall = town.ask("POST", "/inspect/act", &lines, form("recall").as_bytes());
    recall.with(403);
    let foreign = format!("{lines}sec-fetch-site: cross-site\r\n");
    town.ask("POST", "/inspect/act", &foreign, form("hold").as_bytes())
        .with(403);
    town.ask("POST", "/inspect/act", &lines, form("hold").as_bytes())
        .with(201);
}

#[test]
fn the_first_page_counts_what_is_open_in_the_area_and_names_it() {
    let mut town = Town::new();
    let inspected = town.world.inspection(Who::Producer, &[0, 5]);
    town.say(Who::Inspector, inspected);
    town.world.now_ms += 3 * 86_400_000;
    town.tick();
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let page = look(&town, &token, "").with(200).text();
    assert!(page.contains("finding overdue: 1<"), "{page}");
    let maker = town.world.id(Who::Producer).to_string();
    assert!(page.contains(&maker), "{page}");
    let elsewhere = town.token(Who::OtherCountyAuthority, Role::Authority);
    let page = look(&town, &elsewhere, "").with(200).text();
    assert!(
        page.contains("finding overdue</p>") && !page.contains(&maker),
        "{page}"
    );
}

#[test]
fn an_inspector_finds_holds_and_takes_along_in_a_real_browser() {
    let mut town = Town::new();
    let unit = told(&mut town);
    town.host(Who::Inspector, Who::CountyAuthority);
    let inspected = town.world.inspection(Who::Producer, &[0]);
    town.say(Who::Inspector, inspected);
    let plan: Value = json!({
        "address": format!("http://{}", town.address),
        "token": town.token(Who::Inspector, Role::Inspector),
        "code": unit.unit.to_string(),
        "nothing": TraceCode::from_bytes([9; 10]).to_string(),
    });
    let shots = walk("inspect", &plan);
    let picture = std::fs::read(shots.join("unit-zh-phone.png")).unwrap();
    assert!(picture.len() > 10_000 && base64::encode(&picture).starts_with("iVBORw0KGgo"));
}
