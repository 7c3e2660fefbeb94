//! Labels as a producer fetches them: what stands on one of a real certificate,
//! and what no label is drawn for. That they are read again is tested beside
//! the drawing.

use serde_json::json;
use trace_core::record::{Role, claim::Form, kinds::unit_created::UnitCreated};
use trace_fixtures::Who;

use crate::town::{JSON, Town, bearer};

/// What an SVG says, for who cannot see it.
fn said(svg: &str) -> &str {
    let (_, rest) = svg.split_once("<title>").unwrap();
    rest.split_once("</title>").unwrap().0
}

/// A unit with its certificate in a form, by who may issue it.
fn certified(town: &mut Town, form: Form) -> UnitCreated {
    let unit = town.world.unit();
    let who = match form {
        Form::Conformity2026Buyer => Who::Buyer,
        _ => Who::Producer,
    };
    town.say_bare(who, unit.clone());
    match form {
        Form::Conformity2021 => {
            let said = town.world.certificate_2021(&unit);
            town.say(who, said);
        }
        Form::Conformity2026Producer => {
            let said = town.world.certificate_2026_producer(&unit);
            town.say(who, said);
        }
        Form::Conformity2026Buyer => {
            let said = town.world.certificate_2026_buyer(&unit, &["131023-A-0001"]);
            town.say(who, said);
        }
        _ => {
            let said = town.world.certificate(&unit);
            town.say(who, said);
        }
    }
    unit
}

#[test]
fn a_label_says_what_its_certificates_form_demands_and_nothing_personal() {
    let promise = "承诺达标合格证";
    let forms = [
        (
            Form::ElectronicTraceability,
            "电子追溯合格证",
            3,
            "未使用禁用农药、兽药及其他化合物",
        ),
        (
            Form::Conformity2026Producer,
            promise,
            3,
            "使用的常规农药、兽药残留不超标",
        ),
        (
            Form::Conformity2026Buyer,
            promise,
            3,
            "已按规定收取并保存该批次承诺达标合格证",
        ),
        (Form::Conformity2021, promise, 4, "对承诺的真实性负责"),
    ];
    for (form, heading, bases, pledge) in forms {
        let mut town = match form {
            Form::Conformity2021 => Town::opened_at("2026-01-15T08:00:00+08:00"),
            _ => Town::new(),
        };
        let unit = certified(&mut town, form);
        let path = format!("/v1/codes/{}/label.svg?size=58", unit.unit);
        // The address comes from the setting, whatever the request says.
        let answer = town.ask("GET", &path, "x-forwarded-host: evil.example\r\n", b"");
        let answer = answer.with(200);
        assert_eq!(answer.field("content-type"), Some("image/svg+xml"));
        let policy = answer.field("content-security-policy");
        assert_eq!(policy, Some("default-src 'none'"));
        let svg = answer.text();
        let said = said(&svg);
        for part in [
            "产品名称",
            "数量(重量)",
            &unit.quantity.to_string(),
            "产地",
            &unit.origin_place,
            "开具时间",
            "承诺主体",
            "联系方式\u{ff1a}________",
            pledge,
            "承诺依据",
            &unit.unit.to_string(),
        ] {
            assert!(said.contains(part), "{form:?}: {part}\n{said}");
        }
        assert!(said.starts_with(heading), "{said}");
        assert!(!said.contains("待入账"));
        // Four lines a box, and a mark where it is ticked.
        let lines = svg.matches("<rect x=").count();
        assert!(lines >= 4 * bases, "{form:?}: {lines}");
        // The page shows the contact masked; goods that nobody calls back do not.
        let page = town.get(&format!("/t/{}", unit.unit)).text();
        assert!(page.contains("****") && !said.contains("****"), "{form:?}");
        assert!(!svg.contains("evil.example"));
        for other in ["pdf", "png", "tspl"] {
            let path = format!("/v1/codes/{}/label.{other}?size=80", unit.unit);
            town.get(&path).with(200);
        }
    }
}

#[test]
fn what_a_producer_types_is_printed_and_no_label_is_drawn_for_what_was_voided() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    let own = bearer(&town.token(Who::Producer, Role::Producer));
    let code = unit.unit.to_string();
    let post = |town: &Town, order: serde_json::Value| {
        let lines = format!("{JSON}{own}");
        town.ask("POST", "/v1/labels", &lines, order.to_string().as_bytes())
    };
    let order = |contact: &str| json!({"codes": [code], "form": "svg", "size": "40x60", "contact": contact});
    let answer = post(&town, order("0316-0000000")).with(200);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert!(said(&answer.text()).contains("0316-0000000"));
    post(&town, order("a\u{202e}b")).refused(400, "text_malformed");
    post(&town, order(&"长".repeat(41))).refused(400, "text_malformed");
    let two = json!({"codes": [code, code], "form": "svg", "size": "58"});
    let refused = post(&town, two).refused(413, "label_count");
    assert!(
        refused["detail"].as_str().unwrap().contains("2 labels"),
        "{refused}"
    );
    let sheet = json!({"codes": [code, code], "form": "tspl", "size": "a4"});
    post(&town, sheet).refused(400, "label_unknown");
    let many = json!({"codes": vec![&code; 10_001], "form": "pdf", "size": "a4"});
    let refused = post(&town, many).refused(413, "label_count");
    assert!(
        refused["detail"].as_str().unwrap().contains("10001"),
        "{refused}"
    );

    let voided = town.world.voided(&certified.signed);
    let voided = town.sign(Who::Producer, voided);
    town.admit(vec![voided]);
    let refused = town
        .get(&format!("/v1/codes/{code}/label.pdf"))
        .refused(422, "label_impossible");
    assert!(
        refused["detail"].as_str().unwrap().contains("voided"),
        "{refused}"
    );
}

#[test]
fn a_household_is_not_named_on_a_label() {
    let mut town = Town::new();
    let unit = town.world.unit();
    let code = unit.unit;
    town.say_bare(Who::Household, unit);
    let path = format!("/v1/codes/{code}/label.svg");
    let svg = town.get(&path).with(200).text();
    let said = said(&svg);
    assert!(
        said.starts_with("追溯标签") && !said.contains("生产者"),
        "{said}"
    );
}
