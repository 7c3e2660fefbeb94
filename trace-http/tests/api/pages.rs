//! The page behind a QR code.

use trace_core::{
    ident::TraceCode,
    record::{Hash, base64},
};
use trace_fixtures::Who;

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
    assert!(chinese.contains("lang=\"zh-CN\"") && chinese.contains("✓ 有效"));
    assert!(!chinese.contains("speaks against it"));

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
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"));
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
    for part in [
        "<script", "src=", "@import", "url(", " style=", "onclick", "<form",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    // Whatever is linked to is this server's own.
    for link in page.split("href=\"").skip(1) {
        assert!(link.starts_with('/'), "{link:.40}");
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
        let older = page.split("href=\"").find(|rest| rest.contains("?before="));
        next = older.map(|rest| rest.split('"').next().unwrap().to_owned());
        pages += 1;
    }
    assert_eq!(pages, 2);
    assert_eq!(shown.len(), 47);
    assert!(shown.is_sorted_by(|a, b| a > b), "{shown:?}");
}
