//! The inspector's pages: what the box takes, what is answered and why, who is
//! shown how much, and that nothing is shown in full before it is logged.

use trace_core::{
    ident::EntityId,
    ledger::lookups::Lookups,
    record::{Hash, Role, kinds::held::Held, movement::Process},
};
use trace_fixtures::Who;

use crate::{
    cases::{
        Case,
        What::{Absent, Bad, Forbidden, Good},
    },
    documents::pdf,
    signing_in::cookie,
    town::{Answer, Town, bearer},
};

/// Each page in each case.
pub fn cases(town: &mut Town, code: &str, nothing: &str) -> Vec<Case> {
    let inspector = cookie(&town.token(Who::Inspector, Role::Inspector));
    let elsewhere = cookie(&town.token(Who::OtherCountyAuthority, Role::Authority));
    let producer = cookie(&town.token(Who::Producer, Role::Producer));
    let ask = |what: &str| format!("/inspect?ask={what}");
    let sheet = |code: &str, format: &str| format!("/inspect/codes/{code}/recall/{format}");
    let stranger = EntityId::from_bytes([3; 10]);
    let entity = town.world.id(Who::Producer);
    let balance = |id: &EntityId, format: &str| format!("/inspect/entities/{id}/balance/{format}");
    let document = |hash: Hash| format!("/inspect/documents/{hash}");
    let stored = Hash::of(&[&pdf("a photo")]);
    [
        (Good, ask(code), &inspector, 200),
        (Good, ask(&entity.to_string()), &inspector, 200),
        (Good, "/inspect".into(), &inspector, 200),
        (Bad, ask("%3Cscript%3E"), &inspector, 400),
        (Bad, "/inspect?asks=1".into(), &inspector, 400),
        (Absent, ask(nothing), &inspector, 404),
        (Absent, ask("NONE-0001"), &inspector, 404),
        (Absent, ask(&stranger.to_string()), &inspector, 404),
        (Forbidden, ask(code), &producer, 403),
        (Good, sheet(code, "csv"), &inspector, 200),
        (Good, sheet(code, "xlsx"), &inspector, 200),
        (Bad, sheet(code, "gif"), &inspector, 400),
        (Absent, sheet(nothing, "csv"), &inspector, 404),
        (Forbidden, sheet(code, "csv"), &elsewhere, 403),
        (Good, balance(&entity, "csv"), &inspector, 200),
        (Bad, balance(&entity, "gif"), &inspector, 400),
        (Absent, balance(&stranger, "csv"), &inspector, 404),
        (Forbidden, balance(&entity, "csv"), &elsewhere, 403),
        (Good, "/inspect/questions/csv".into(), &inspector, 200),
        (
            Bad,
            "/inspect/questions/csv?about=x".into(),
            &inspector,
            400,
        ),
        (Forbidden, "/inspect/questions/csv".into(), &producer, 403),
        (Good, document(stored), &inspector, 200),
        (Bad, "/inspect/documents/00".into(), &inspector, 400),
        (Absent, document(Hash::of(&[b"nobody"])), &inspector, 404),
        (Forbidden, document(stored), &producer, 403),
        (Good, "/inspect/acts/hold".into(), &inspector, 200),
        (Bad, "/inspect/acts/hold?off=1".into(), &inspector, 400),
        (Absent, "/inspect/acts/dance".into(), &inspector, 404),
        (Forbidden, "/inspect/acts/hold".into(), &producer, 403),
    ]
    .into_iter()
    .map(|(what, path, lines, status)| Case {
        what,
        method: "GET",
        path,
        lines: lines.clone(),
        body: Vec::new(),
        status,
        code: "",
    })
    .collect()
}

fn inspect(town: &Town, token: &str, ask: &str) -> Answer {
    let lines = format!("{}accept-language: en\r\n", cookie(token));
    town.ask("GET", &format!("/inspect?ask={ask}"), &lines, b"")
}

/// What a page says of a check: ✓, ✗ or –, and why.
fn check(page: &str, name: &str) -> String {
    let begin = format!("data-check=\"{name}\"");
    let found = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("{name}: {page}"));
    let line = found.1.split_once("</li>").unwrap_or(found).0;
    line.split_once('>').unwrap_or_default().1.to_owned()
}

#[test]
fn one_box_takes_a_code_a_number_and_a_pasted_address() {
    let mut town = Town::new();
    let mut unit = town.world.unit();
    unit.gtin = Some("6901234567892".parse().unwrap());
    unit.lot = Some("A".into());
    let (unit, certified) = town.batch_of(unit);
    let token = town.token(Who::Inspector, Role::Inspector);
    let code = unit.unit.to_string();
    let body = serde_json::to_value(certified.signed.body().unwrap()).unwrap();
    let number = body
        .as_object()
        .and_then(|body| {
            body.values()
                .find_map(|it| it["number"].as_str().map(str::to_owned))
        })
        .or_else(|| body["number"].as_str().map(str::to_owned))
        .unwrap_or_else(|| panic!("{body}"));
    for ask in [
        code.clone(),
        code.to_lowercase().replace('-', "+"),
        number,
        format!("https%3A%2F%2Fa.example%2Ft%2F{}", unit.unit.compact()),
        format!(
            "%2F01%2F06901234567892%2F10%2FA%3Ft%3D{}",
            unit.unit.compact()
        ),
    ] {
        let page = inspect(&town, &token, &ask).with(200).text();
        assert!(page.contains("data-status=\"valid\""), "{ask}: {page}");
        assert!(page.contains(&code), "{ask}");
    }
    // An address without a code may mean several: it leads to each.
    let page = inspect(&town, &token, "%2F01%2F06901234567892%2F10%2FA");
    let page = page.with(200).text();
    assert!(
        page.contains(&format!("/inspect?ask={}", code.replace('-', "%2D"))),
        "{page}"
    );
    // A code with a slip in it says which character.
    let slip = code.replace(&code[18..], "-U");
    let page = inspect(&town, &token, &slip).text();
    assert!(page.contains("role=\"alert\""), "{page}");
}

#[test]
fn each_check_is_made_and_says_its_numbers() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    town.store(&unit, "10 斤");
    let token = town.token(Who::Inspector, Role::Inspector);
    let code = unit.unit.to_string();
    let page = inspect(&town, &token, &code).with(200).text();
    let size = town.office.view().size();
    for (name, sign, part) in [
        ("signature", "✓", "records verify under"),
        ("link", "✓", "stand in their order"),
        ("inclusion", "✓", &format!("at size {size}, root")),
        ("right", "✓", "producer"),
        ("complete", "–", "operator"),
        ("quantity", "✓", "made "),
        ("temperature", "–", "placed in no equipment"),
        ("scans", "✓", "Opened 0 times"),
    ] {
        let line = check(&page, name);
        assert!(
            line.starts_with(sign) && line.contains(part),
            "{name}: {line}"
        );
    }
    town.say_bare(
        Who::CountyAuthority,
        Held {
            unit: unit.unit,
            reason: "等待检验".into(),
            acted_by: None,
        },
    );
    let page = inspect(&town, &token, &code).with(200).text();
    assert!(page.contains("data-status=\"on_hold\""), "{page}");
    assert!(check(&page, "hold").starts_with('✗'), "{page}");
}

#[test]
fn who_oversees_a_unit_is_shown_its_quantities_and_that_is_logged_first() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let code = unit.unit.to_string();
    let own = town.token(Who::Inspector, Role::Inspector);
    let other = town.token(Who::OtherCountyAuthority, Role::Authority);
    let before = lookups(&town);
    let page = inspect(&town, &other, &code).with(200).text();
    assert!(page.contains("does not oversee"), "{page}");
    assert!(check(&page, "quantity").starts_with('–'), "{page}");
    assert_eq!(lookups(&town), before);
    let page = inspect(&town, &own, &format!("{code}&purpose=complaint+7"));
    let page = page.with(200).text();
    assert!(!page.contains("does not oversee"), "{page}");
    assert_eq!(lookups(&town), before + 1);
}

fn lookups(town: &Town) -> u64 {
    let log: &Lookups = &town.office.lookups;
    log.head().count
}

#[test]
fn an_entity_is_shown_with_roles_grades_findings_and_certificates() {
    let mut town = Town::new();
    town.batch();
    let inspected = town.world.inspection(Who::Producer, &[3]);
    town.say(Who::Inspector, inspected);
    let id = town.world.id(Who::Producer).to_string();
    let own = town.token(Who::Inspector, Role::Inspector);
    let page = inspect(&town, &own, &id).with(200).text();
    for part in [
        "producer",
        "risk ",
        "credit ",
        "1 open",
        "未索取供货者合格证明",
        "tel:",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let other = town.token(Who::OtherCountyAuthority, Role::Authority);
    let page = inspect(&town, &other, &id).with(200).text();
    assert!(
        !page.contains("tel:") && !page.contains("credit "),
        "{page}"
    );
}

#[test]
fn what_was_typed_is_text_and_nothing_else() {
    let town = Town::new();
    let token = town.token(Who::Inspector, Role::Inspector);
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE";
    let page = inspect(&town, &token, hostile).with(400).text();
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn lineage_is_a_picture_and_tables_and_receivers_have_contacts() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let output = town.world.output(&unit);
    let part = output.unit;
    let inputs = [(unit.unit, "1000 斤")];
    let split = (town.world).transformed(Process::Repack, &inputs, vec![(output, "1000 斤")], None);
    town.say(Who::Producer, split);
    let given = town.world.handed_over(part, Who::Buyer, "300 斤");
    let given = town.say(Who::Producer, given);
    let received = town.world.received(part, &given, "300 斤");
    town.say(Who::Buyer, received);
    let own = town.token(Who::Inspector, Role::Inspector);
    let page = inspect(&town, &own, &part.to_string()).with(200).text();
    for wanted in [
        "<svg class=\"lineage\" role=\"img\"",
        "aria-labelledby=\"lineage-title lineage-what\"",
        "marker-end=\"url(#tip)\"",
        "2 units, 1 steps",
        "500 kg",
        "accepted 150 kg",
        "tel:",
        &format!("/inspect/codes/{}/recall/xlsx", part.compact()),
        "Record a sample",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(page.contains(&unit.unit.to_string()), "{page}");
    assert!(page.len() < 60_000, "{} bytes", page.len());
    let other = town.token_of(None, Role::Inspector, Some("131081".parse().unwrap()));
    let page = inspect(&town, &other, &part.to_string()).with(200).text();
    for secret in [
        "500000",
        "150000",
        "tel:",
        "/recall/xlsx",
        "Record a sample",
    ] {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
}

#[test]
fn a_sheet_on_the_page_is_the_sheet_of_the_api_and_is_logged() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let token = town.token(Who::Inspector, Role::Inspector);
    let code = unit.unit.compact();
    let path = format!("/inspect/codes/{code}/recall/csv?purpose=recall");
    let before = lookups(&town);
    let page = town.ask("GET", &path, &cookie(&token), b"").with(200);
    assert_eq!(lookups(&town), before + 1);
    assert_eq!(page.field("content-type"), Some("text/csv; charset=utf-8"));
    let lines = format!("{}accept: text/csv\r\n", bearer(&token));
    let api = town.ask("GET", &format!("/v1/codes/{code}/recall"), &lines, b"");
    assert_eq!(page.body, api.with(200).body);
    // Without signing in there is nothing, and the way to sign in.
    let answer = town.get(&path).with(303);
    assert!(
        answer.head.contains("location: /sign-in?next="),
        "{}",
        answer.head
    );
}

#[test]
fn without_a_question_the_page_tells_what_is_going_on_in_the_area_alone() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let held = Held {
        unit: unit.unit,
        reason: "等待检验".into(),
        acted_by: None,
    };
    town.say_bare(Who::CountyAuthority, held);
    let inspected = town.world.inspection(Who::Producer, &[3]);
    town.say(Who::Inspector, inspected);
    let own = town.token(Who::Inspector, Role::Inspector);
    let before = lookups(&town);
    let page = inspect(&town, &own, "").with(200).text();
    assert_eq!(lookups(&town), before + 2, "the area, and its complaints");
    for part in [
        "id=\"map-title\"",
        "issued 1",
        "open 2",
        "未索取供货者合格证明",
        &format!("/inspect?ask={}", unit.unit.to_string().replace('-', "%2D")),
        "Holds and recalls",
        "/inspect/questions/csv?about=transfers",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.len() < 60_000, "{} bytes", page.len());
    let other = town.token(Who::OtherCountyAuthority, Role::Authority);
    let page = inspect(&town, &other, "").with(200).text();
    assert!(
        !page.contains("issued 1") && !page.contains("open 2"),
        "{page}"
    );
    assert!(!page.contains("未索取供货者合格证明"), "{page}");
}
