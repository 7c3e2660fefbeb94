//! The authority's pages: who gets in and how, and what happens when a telephone is
//! lost.

use serde_json::json;
use trace_core::{
    ident::{EntityId, InvitationCode},
    ledger::invitations::INVITATION_LIFE_MS,
    record::{Role, base64},
};
use trace_fixtures::Who;

use crate::{
    browser::walk,
    cases::{
        Case,
        What::{Absent, Bad, Forbidden, Good},
    },
    signing_in::{FORM, cookie},
    town::{Answer, Town, bearer},
};

/// The pilot producers of the city.
const PILOTS: usize = 703;

fn register_form(area: &str, key: &str) -> String {
    format!(
        "key={key}&category=enterprise&name=%E7%94%B2&area={area}&uscc=&role=producer&contact_name=&contact_phone="
    )
}

pub fn cases(town: &mut Town) -> Vec<Case> {
    let authority = town.token(Who::CountyAuthority, Role::Authority);
    let own = format!("{FORM}{}", cookie(&authority));
    let other = town.token(Who::OtherCountyAuthority, Role::Authority);
    let other = format!("{FORM}{}", cookie(&other));
    let producer = format!(
        "{FORM}{}",
        cookie(&town.token(Who::Producer, Role::Producer))
    );
    let nobody = format!("{FORM}{}", cookie("trt_0123456789abcdef_x"));
    let area = town.world.entity(Who::Producer).area.to_string();
    let elsewhere = town
        .world
        .entity(Who::OtherCountyAuthority)
        .area
        .to_string();
    let id = town.world.id(Who::Cooperative).to_string();
    let stranger = EntityId::from_bytes([9; 10]).to_string();
    let page = |entity: &str| format!("/authority?entity={entity}");
    let form = |entity: &str, key: &str| format!("entity={entity}&role=producer&key={key}");
    let role = |entity: &str, role: &str, area: &str| {
        format!(
            "entity={entity}&role={role}&area={area}&act=grant&key={role}-{area}-{}",
            &entity[..8]
        )
    };
    let rows = |area: &str| format!("key=i-{area}&rows=%E4%B9%99,enterprise,{area},,producer,,");
    let joined = InvitationCode::from_bytes([3; 10]);
    let invited = trace_core::ledger::invitations::Invited {
        entity: town.world.id(Who::Cooperative),
        role: Role::Producer,
        area: None,
        by: trace_core::record::wire::TokenId([1; 8]),
    };
    let kept = town.office.invitations.as_ref();
    let other_code = InvitationCode::from_bytes([4; 10]);
    for code in [&joined, &other_code] {
        let made = kept.map(|all| all.invite(code, invited, town.world.now_ms));
        assert!(made.is_some_and(|made| made.is_ok()));
    }
    let again = other_code.compact();
    let join = |code: &str| format!("code={code}");
    let none = String::new;
    let code = joined.compact();
    let unknown = InvitationCode::from_bytes([8; 10]).compact();
    [
        (
            Good,
            "GET",
            format!("/join?code={again}"),
            none(),
            none(),
            200,
        ),
        (Bad, "GET", "/join?code=J-0".into(), none(), none(), 401),
        (
            Absent,
            "GET",
            format!("/join?code={unknown}"),
            none(),
            none(),
            401,
        ),
        (Good, "POST", "/join".into(), FORM.into(), join(&code), 201),
        (Bad, "POST", "/join".into(), FORM.into(), join("J-0"), 401),
        (
            Absent,
            "POST",
            "/join".into(),
            FORM.into(),
            join(&unknown),
            401,
        ),
        (Good, "GET", page(&id), own.clone(), none(), 200),
        (Bad, "GET", page("E-0"), own.clone(), none(), 400),
        (Absent, "GET", page(&stranger), own.clone(), none(), 404),
        (Forbidden, "GET", page(&id), other.clone(), none(), 403),
        (
            Good,
            "POST",
            "/authority/register".into(),
            own.clone(),
            register_form(&area, "a"),
            303,
        ),
        (
            Bad,
            "POST",
            "/authority/register".into(),
            own.clone(),
            register_form("x", "b"),
            400,
        ),
        (
            Absent,
            "POST",
            "/authority/register".into(),
            own.clone(),
            "key=c&category=house".into(),
            400,
        ),
        (
            Forbidden,
            "POST",
            "/authority/register".into(),
            producer.clone(),
            register_form(&area, "d"),
            403,
        ),
        (
            Good,
            "POST",
            "/authority/import".into(),
            own.clone(),
            rows(&area),
            201,
        ),
        (
            Bad,
            "POST",
            "/authority/import".into(),
            own.clone(),
            rows("x"),
            422,
        ),
        (
            Absent,
            "POST",
            "/authority/import".into(),
            own.clone(),
            "key=n&rows=%20".into(),
            422,
        ),
        (
            Forbidden,
            "POST",
            "/authority/import".into(),
            own.clone(),
            rows(&elsewhere),
            422,
        ),
        (
            Good,
            "POST",
            "/authority/role".into(),
            own.clone(),
            role(&id, "buyer", &area),
            303,
        ),
        (
            Bad,
            "POST",
            "/authority/role".into(),
            own.clone(),
            role(&id, "king", &area),
            400,
        ),
        (
            Absent,
            "POST",
            "/authority/role".into(),
            own.clone(),
            role(&stranger, "buyer", &area),
            422,
        ),
        (
            Forbidden,
            "POST",
            "/authority/role".into(),
            other.clone(),
            role(&id, "market", &area),
            403,
        ),
        (
            Good,
            "POST",
            "/authority/invite".into(),
            own.clone(),
            form(&id, "e"),
            201,
        ),
        (
            Bad,
            "POST",
            "/authority/invite".into(),
            own.clone(),
            form("x", "f"),
            400,
        ),
        (
            Absent,
            "POST",
            "/authority/invite".into(),
            own.clone(),
            form(&stranger, "g"),
            404,
        ),
        (
            Forbidden,
            "POST",
            "/authority/invite".into(),
            other.clone(),
            form(&id, "h"),
            403,
        ),
        (
            Good,
            "POST",
            "/authority/lost".into(),
            own.clone(),
            form(&id, "i"),
            201,
        ),
        (
            Bad,
            "POST",
            "/authority/lost".into(),
            own.clone(),
            form("x", "j"),
            400,
        ),
        (
            Absent,
            "POST",
            "/authority/lost".into(),
            own,
            form(&stranger, "k"),
            404,
        ),
        (
            Forbidden,
            "POST",
            "/authority/lost".into(),
            nobody,
            form(&id, "l"),
            303,
        ),
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

/// A county's authority at its pages.
struct Desk {
    town: Town,
    token: String,
}

impl Desk {
    fn new() -> Self {
        let town = Town::new();
        let token = town.token(Who::CountyAuthority, Role::Authority);
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

    fn area(&self) -> String {
        self.town.world.entity(Who::Producer).area.to_string()
    }

    /// The code on the page of an invitation.
    fn invited(&self, form: &str) -> String {
        let page = self.post("/authority/invite", form).with(201).text();
        code_in(&page)
    }

    fn join(&self, code: &str) -> Answer {
        let lines = format!("{FORM}accept-language: en\r\n");
        let form = format!("code={code}");
        self.town.ask("POST", "/join", &lines, form.as_bytes())
    }
}

fn code_in(page: &str) -> String {
    let at = page.find(">J-").unwrap_or_else(|| panic!("{page}"));
    page[at + 1..]
        .split('<')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The token that a browser was given.
fn token_in(answer: &Answer) -> String {
    let kept = answer.field("set-cookie").unwrap_or_default();
    let kept = kept.strip_prefix("trace_session=").unwrap_or_default();
    kept.split(';').next().unwrap_or_default().to_owned()
}

fn led(answer: &Answer) -> String {
    answer.field("location").unwrap_or_default().to_owned()
}

/// Issues a certificate with a token; the answer's status.
fn issue(town: &Town, token: &str, name: &str) -> u16 {
    let order = json!({
        "product": "黄瓜", "product_class": "vegetable", "quantity": "1 斤", "origin": "廊坊",
        "produced_on": town.world.today().to_string(),
    });
    town.order("/v1/certificates", token, name, &order).status
}

#[test]
fn an_entity_is_registered_invited_joins_once_and_issues() {
    let desk = Desk::new();
    let form = register_form(&desk.area(), "first");
    let at = led(&desk.post("/authority/register", &form).with(303));
    assert_eq!(
        led(&desk.post("/authority/register", &form).with(303)),
        at,
        "sent twice, made once"
    );
    let id = at.split_once("entity=").unwrap().1.to_owned();
    let invite = format!("entity={id}&role=producer&key=inv");
    let first = desk.invited(&invite);
    let code = desk.invited(&invite);
    desk.join(&first).with(401);
    let form = desk
        .town
        .get(&format!("/join?code={code}"))
        .with(200)
        .text();
    assert!(form.contains("甲") && form.contains(&code), "{form}");
    let joined = desk.join(&code.to_lowercase().replace('-', "")).with(201);
    let token = token_in(&joined);
    desk.join(&code).with(401);
    assert_eq!(issue(&desk.town, &token, "one"), 201);
    let page = desk
        .get(&format!("/authority?entity={id}"))
        .with(200)
        .text();
    assert!(page.contains("used"), "{page}");
}

#[test]
fn an_invitation_ends_after_a_week_and_a_wrong_code_says_no_more_than_that() {
    let mut desk = Desk::new();
    let id = desk.town.world.id(Who::Cooperative);
    let code = desk.invited(&format!("entity={id}&role=producer&key=inv"));
    let unknown = InvitationCode::from_bytes([8; 10]).to_string();
    let wrong = desk.join(&unknown).with(401).text();
    desk.town.world.now_ms += INVITATION_LIFE_MS;
    desk.town.tick();
    let late = desk.join(&code).with(401).text();
    let said = |page: &str| page.split("<input").next().unwrap_or_default().to_owned();
    assert_eq!(said(&wrong), said(&late), "one answer for all");
}

#[test]
fn a_lost_telephone_ends_its_token_and_key_and_what_it_issued_stays_valid() {
    let mut desk = Desk::new();
    let (unit, _) = desk.town.batch();
    let old = desk.town.token(Who::Household, Role::Producer);
    assert_eq!(issue(&desk.town, &old, "before"), 201);
    let id = desk.town.world.id(Who::Household);
    let form = format!("entity={id}&role=producer&key=lost");
    let page = desk.post("/authority/lost", &form).with(201).text();
    assert_eq!(issue(&desk.town, &old, "after"), 401, "its token is ended");
    let new = token_in(&desk.join(&code_in(&page)).with(201));
    assert_eq!(issue(&desk.town, &new, "anew"), 201);
    let certificates = desk
        .town
        .get(&format!("/v1/entities/{id}/certificates"))
        .with(200)
        .json();
    let records = certificates["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    let keys: Vec<_> = records
        .iter()
        .map(|it| it["signer"]["key"].clone())
        .collect();
    assert_ne!(keys[0], keys[1], "another key signs");
    for record in records {
        let code = record["statement"]["unit"].as_str().unwrap();
        let answer = desk.town.get(&format!("/v1/codes/{code}")).with(200).json();
        assert_eq!(answer["status"], "valid", "{answer}");
    }
    let page = desk
        .town
        .get(&format!("/t/{}", unit.unit.compact()))
        .with(200)
        .text();
    assert!(
        page.contains("data-status=\"valid\""),
        "another's goods are untouched"
    );
}

#[test]
fn a_sheet_is_taken_whole_or_not_at_all_or_its_right_rows_and_sent_twice_registers_once() {
    let desk = Desk::new();
    let (area, size) = (desk.area(), desk.town.office.view().size());
    let rows = format!(
        "name,category\n甲农场,企业,{area},,producer,钱某,0316-0000001\n乙,king,{area},,producer,,\n"
    );
    let form = format!("key=s1&rows={}", encoded(&rows));
    let page = desk.post("/authority/import", &form).with(422).text();
    assert!(
        page.contains("nothing was recorded") && page.contains("king"),
        "{page}"
    );
    assert_eq!(desk.town.office.view().size(), size);
    let page = desk
        .post("/authority/import", &format!("{form}&valid_only=on"))
        .with(200)
        .text();
    assert!(page.contains("Registered: 1"), "{page}");
    let size = desk.town.office.view().size();
    desk.post("/authority/import", &format!("{form}&valid_only=on"))
        .with(200);
    assert_eq!(desk.town.office.view().size(), size, "sent twice");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn seven_hundred_and_three_are_invited_join_once_each_and_one_telephone_is_lost() {
    let desk = Desk::new();
    let area = desk.area();
    let rows: String = (0..PILOTS)
        .map(|n| format!("农场{n},企业,{area},,生产者,,\n"))
        .collect();
    let form = format!("key=pilots&rows={}", encoded(&rows));
    let sheet = desk.post("/authority/import", &form).with(201).text();
    let lines: Vec<Vec<&str>> = sheet
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(lines.len(), PILOTS);
    let mut tokens = Vec::new();
    for line in &lines {
        let joined = desk.join(line[3]).with(201);
        tokens.push(token_in(&joined));
        desk.join(line[3]).with(401);
    }
    let all = desk
        .town
        .office
        .invitations
        .as_ref()
        .map(|all| all.counts());
    assert_eq!(all, Some((PILOTS, PILOTS)));
    for (place, token) in tokens.iter().enumerate().step_by(37) {
        assert_eq!(issue(&desk.town, token, &format!("pilot-{place}")), 201);
    }
    let lost = format!("entity={}&role=producer&key=lost", lines[0][0]);
    let page = desk.post("/authority/lost", &lost).with(201).text();
    assert_eq!(issue(&desk.town, &tokens[0], "lost"), 401);
    let anew = token_in(&desk.join(&code_in(&page)).with(201));
    assert_eq!(issue(&desk.town, &anew, "anew"), 201);
    assert_eq!(issue(&desk.town, &tokens[1], "other"), 201);
}

#[test]
fn an_authority_sees_and_changes_its_own_area_alone() {
    let desk = Desk::new();
    let other = desk.town.token(Who::OtherCountyAuthority, Role::Authority);
    let own = desk.town.world.id(Who::Producer).to_string();
    let page = desk.get("/authority").with(200).text();
    assert!(page.contains(&own), "{page}");
    let lines = format!("{FORM}accept-language: en\r\n{}", cookie(&other));
    let page = desk
        .town
        .ask("GET", "/authority", &lines, b"")
        .with(200)
        .text();
    assert!(!page.contains(&own), "{page}");
    let size = desk.town.office.view().size();
    for (path, form) in [
        (
            "/authority/invite",
            format!("entity={own}&role=producer&key=a"),
        ),
        (
            "/authority/lost",
            format!("entity={own}&role=producer&key=b"),
        ),
        ("/authority/register", register_form(&desk.area(), "c")),
    ] {
        desk.town
            .ask("POST", path, &lines, form.as_bytes())
            .with(403);
    }
    assert_eq!(desk.town.office.view().size(), size);
    // Nor does an inspector, who sees all of it, invite anybody.
    let inspector = desk.town.token(Who::Inspector, Role::Inspector);
    let lines = format!("{FORM}{}", cookie(&inspector));
    let form = format!("entity={own}&role=producer&key=d");
    desk.town
        .ask("POST", "/authority/invite", &lines, form.as_bytes())
        .with(403);
    desk.town
        .ask("GET", "/v1/alerts", &bearer(&inspector), b"")
        .with(200);
}

#[test]
fn an_authority_invites_and_the_invited_joins_in_a_real_browser() {
    let desk = Desk::new();
    let plan = json!({
        "address": format!("http://{}", desk.town.address),
        "token": desk.token,
        "entity": desk.town.world.id(Who::Cooperative).to_string(),
    });
    let shots = walk("authority", &plan);
    let picture = std::fs::read(shots.join("invitation-zh-phone.png")).unwrap();
    assert!(picture.len() > 10_000 && base64::encode(&picture).starts_with("iVBORw0KGgo"));
}
