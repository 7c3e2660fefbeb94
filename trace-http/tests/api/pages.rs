//! The page behind a QR code.

use trace_core::{
    ident::TraceCode,
    record::{
        Hash, Signed, base64, claim::DurabilityKind, kinds::unit_created::Durability,
        movement::Process,
    },
};
use trace_fixtures::Who;
use trace_http::page::script::script;

use crate::town::{PUBLIC_URL, Town};

#[test]
fn the_page_says_the_verdict_first_and_how_to_check_it() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    town.store(&unit, "10 斤");
    let path = format!("/t/{}", unit.unit.compact());
    let answer = town.get(&path).with(200);
    assert_eq!(
        answer.field("content-type"),
        Some("text/html; charset=utf-8")
    );
    let page = answer.text();
    for part in [
        "lang=\"en\"",
        "Nothing on the ledger speaks against it",
        "韭菜",
        &unit.quantity.to_string(),
        &unit.origin_place,
        &unit.unit.to_string(),
        "2.0 °C",
        "trace verify",
        &town.anchor().to_string(),
        &format!("{PUBLIC_URL}/v1/codes/{}/bundle", unit.unit.compact()),
        "****",
        "未使用禁用农药、兽药及其他化合物",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let (_, body) = page.split_once("<main>").unwrap();
    let place = |part: &str| body.find(part).unwrap();
    assert!(place("speaks against it") < place("韭菜"));
    assert!(page.len() < 60_000, "{} bytes", page.len());
    let chinese = town.ask("GET", &path, "accept-language: zh-CN\r\n", b"");
    assert_eq!(chinese.field("content-language"), Some("zh-CN"));
    let chinese = chinese.text();
    assert!(chinese.contains("lang=\"zh-CN\"") && chinese.contains("<h1>有效 <small lang=\"en\">"));
    let chosen = town.get(&format!("{path}?lang=zh")).with(200);
    assert_eq!(chosen.field("content-language"), Some("zh-CN"));
    town.get(&format!("{path}?lang=fr"))
        .refused(400, "query_unexpected");

    let voided = town.world.voided(&certified.signed);
    let voided = town.sign(Who::Producer, voided);
    town.admit(vec![voided]);
    let page = town.get(&path).with(200).text();
    assert!(page.contains("data-status=\"voided\"") && page.contains("重复开具"));
}

#[test]
fn names_are_text_on_the_page_whatever_they_look_like() {
    let mut town = Town::new();
    let mut unit = town.world.unit();
    unit.product = "<script>alert(\"1\")</script>&amp;".into();
    unit.origin_place = "</style><img src=x onerror=1>'\"".into();
    unit.storage = Some("<b>".into());
    let (unit, _) = town.batch_of(unit);
    let page = town.get(&format!("/t/{}", unit.unit)).with(200).text();
    assert!(!page.contains("<script>") && !page.contains("<img") && !page.contains("<b>"));
    assert!(page.contains("&lt;script&gt;") && page.contains("&amp;amp;"));
    let typed = town.get("/t/%3Cscript%3E").with(400).text();
    assert!(!typed.contains("<script") && typed.contains("&lt;script&gt;"));
}

#[test]
fn a_page_of_a_wrong_code_says_so_and_blames_nobody() {
    let town = Town::new();
    let page = town.get("/t/UUUU").with(400);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        page.text().contains("&#39;U&#39;") || page.text().contains("'U'"),
        "{}",
        page.text()
    );
    let code = TraceCode::from_bytes([9; 10]);
    let page = town.get(&format!("/t/{code}")).with(404).text();
    assert!(page.contains("This code is not on the ledger"));
    assert!(page.contains("another ledger") && !page.contains("fake"));
}

#[test]
fn a_browser_loads_the_pages_own_style_and_nothing_else() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let answer = town.get(&format!("/t/{}", unit.unit)).with(200);
    let policy = answer.field("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        !policy.contains("unsafe") && policy.contains("script-src 'self'; "),
        "{policy}"
    );
    let page = answer.text();
    let style = page
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let hash = base64::encode(Hash::of(&[style.as_bytes()]).as_bytes());
    assert!(
        policy.contains(&format!("style-src 'sha256-{hash}'")),
        "{policy}"
    );
    // One script, this server's own, named with its hash.
    let own = script();
    let tag = format!(
        "<script type=\"module\" src=\"{}\" integrity=\"sha256-{}\">",
        own.path, own.hash
    );
    assert!(page.contains(&tag), "{tag}");
    let served = town.get(&own.path).with(200);
    let media_type = served.field("content-type");
    assert_eq!(media_type, Some("text/javascript; charset=utf-8"));
    assert_eq!(
        base64::encode(Hash::of(&[&served.body]).as_bytes()),
        own.hash
    );
    let page = page.replace(&tag, "");
    for part in [
        "<script", "src=", "@import", "url(", " style=", "onclick", "<form",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    // Whatever is linked to is this server's own.
    for link in page.split("href=\"").skip(1) {
        let is_own = ["/", "?", "tel:", "data:,\""]
            .iter()
            .any(|it| link.starts_with(it));
        assert!(is_own, "{link:.40}");
    }
    assert_eq!(answer.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
}

#[test]
fn a_long_story_is_shown_newest_first_page_by_page_and_stays_small() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    for _ in 0..45 {
        town.store(&unit, "1 斤");
    }
    let path = format!("/t/{}", unit.unit.compact());
    let mut next = Some(path);
    let mut shown = Vec::new();
    let mut pages = 0;
    while let Some(path) = next {
        let page = town.get(&path).with(200).text();
        assert!(page.len() < 60_000, "{} bytes", page.len());
        assert!(page.contains("韭菜"));
        let indexes = page.split("<li value=\"").skip(1);
        shown.extend(indexes.map(|rest| rest.split('"').next().unwrap().parse::<u64>().unwrap()));
        let older = page.split("href=\"/").skip(1).find(|rest| {
            rest.split('"')
                .next()
                .is_some_and(|it| it.contains("?before="))
        });
        next = older.map(|rest| format!("/{}", rest.split('"').next().unwrap()));
        pages += 1;
    }
    assert_eq!(pages, 2);
    assert_eq!(shown.len(), 47);
    assert!(shown.is_sorted_by(|a, b| a > b), "{shown:?}");
}

/// What a page shows: its status, and the HTTP status it came with.
fn status_of(town: &Town, path: &str) -> (String, u16) {
    let answer = town.get(path);
    let text = answer.text();
    let name = text.split("data-status=\"").nth(1).unwrap();
    (name.split('"').next().unwrap().to_owned(), answer.status)
}

#[test]
fn every_state_that_records_make_is_opened_under_the_name_that_the_api_has() {
    let states: [(&str, fn(&mut Town) -> TraceCode); 9] = [
        ("valid", |town| town.batch().0.unit),
        ("voided", |town| {
            let (unit, certified) = town.batch();
            let body = town.world.voided(&certified.signed);
            town.say_bare(Who::Producer, body);
            unit.unit
        }),
        ("superseded", |town| {
            let (unit, certified) = town.batch();
            let body = town.world.superseded(&certified.signed, unit.unit);
            town.say_bare(Who::Producer, body);
            unit.unit
        }),
        ("recalled", |town| {
            let unit = town.batch().0.unit;
            let body = town.world.recalled(unit);
            town.say_bare(Who::CountyAuthority, body);
            unit
        }),
        ("on_hold", |town| {
            let unit = town.batch().0.unit;
            let body = town.world.held(unit);
            town.say_bare(Who::Inspector, body);
            unit
        }),
        ("source_voided", |town| {
            let (unit, made) = made_of_another(town);
            let (target, by) = (unit.1, Who::Producer);
            let body = town.world.unit_voided(&target);
            town.say_bare(by, body);
            made
        }),
        ("disputed", |town| {
            let unit = town.batch().0.unit;
            let key = town.world.key_id(Who::Producer);
            let mut body = town.world.key_revoked(Who::Producer, key);
            body.compromised_from_index = Some(town.ledger().view().size() - 2);
            town.say_bare(Who::CountyAuthority, body);
            unit
        }),
        ("past_date", |town| {
            let unit = town.batch().0.unit;
            town.set_clock(town.world.now_ms + 400 * 86_400_000);
            unit
        }),
        ("certificate_expired", |town| {
            let mut unit = town.world.unit();
            unit.durability = None;
            let created = town.sign(Who::Producer, unit.clone());
            let (mut body, openings) = town.world.certificate(&unit);
            body.0.expires_on = Some(town.world.today().into());
            let certified = town.world.sign(Who::Producer, body, openings);
            town.admit(vec![created, certified]);
            town.set_clock(town.world.now_ms + 3 * 86_400_000);
            unit.unit
        }),
    ];
    for (wanted, make) in states {
        let mut town = Town::new();
        let code = make(&mut town);
        let found = status_of(&town, &format!("/t/{code}"));
        assert_eq!(found, (wanted.to_owned(), 200));
        let api = town.get(&format!("/v1/codes/{code}")).with(200).json();
        assert_eq!(api["status"], wanted);
    }
    let town = Town::new();
    let nothing = TraceCode::from_bytes([9; 10]);
    let malformed = ("malformed".to_owned(), 400);
    assert_eq!(status_of(&town, "/t/UUUU"), malformed);
    let unknown = ("unknown".to_owned(), 404);
    assert_eq!(status_of(&town, &format!("/t/{nothing}")), unknown);
}

/// A unit of another: that other's code and the record that made it, and itself.
fn made_of_another(town: &mut Town) -> ((TraceCode, Signed), TraceCode) {
    let unit = town.world.unit();
    let created = town.say_bare(Who::Producer, unit.clone());
    let output = town.world.output(&unit);
    let made = output.unit;
    let whole = unit.quantity.to_string();
    let parts = town.world.transformed(
        Process::Repack,
        &[(unit.unit, &whole)],
        vec![(output, &whole)],
        None,
    );
    town.say(Who::Producer, parts);
    ((unit.unit, created), made)
}

#[test]
fn best_before_and_use_by_differ_in_what_is_to_be_done() {
    for (kind, words) in [
        (DurabilityKind::BestBefore, "quality is promised no longer"),
        (DurabilityKind::UseBy, "do not eat it"),
    ] {
        let mut town = Town::new();
        let mut unit = town.world.unit();
        let on = town.world.today().into();
        unit.durability = Some(Durability { kind, on });
        let (unit, _) = town.batch_of(unit);
        town.set_clock(town.world.now_ms + 2 * 86_400_000);
        let page = town.get(&format!("/t/{}", unit.unit)).with(200).text();
        assert!(
            page.contains("data-status=\"past_date\"") && page.contains(words),
            "{words}"
        );
    }
}

#[test]
fn a_recall_is_the_first_thing_said_with_what_to_do() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let body = town.world.recalled(unit.unit);
    town.say_bare(Who::CountyAuthority, body);
    let page = town.get(&format!("/t/{}", unit.unit)).with(200).text();
    let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}"));
    assert!(place("Do not eat or sell it") < place("data-shows=\"product\""));
    assert!(page.contains("农药残留超标") && page.contains("12315"));
}

#[test]
fn the_page_to_keep_carries_all_that_it_needs_and_may_fetch_nothing() {
    let town = Town::new();
    let answer = town.get("/check").with(200);
    let policy = answer.field("content-security-policy").unwrap();
    let hash = &script().hash;
    assert!(
        policy.contains(&format!("script-src 'sha256-{hash}'")),
        "{policy}"
    );
    assert!(
        !policy.contains("connect-src") && !policy.contains("'self'"),
        "{policy}"
    );
    let page = answer.text();
    let (_, rest) = page.split_once("<script type=\"module\">").unwrap();
    let (own, _) = rest.split_once("</script>").unwrap();
    assert_eq!(
        &base64::encode(Hash::of(&[own.as_bytes()]).as_bytes()),
        hash
    );
    assert!(page.contains(&town.anchor().to_string()));
}
