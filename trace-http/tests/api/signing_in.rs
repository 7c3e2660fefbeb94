//! Signing in on pages: who gets in, for how long, and that no other site's page
//! acts in anybody's name.

use trace_core::record::Role;
use trace_fixtures::Who;

use crate::{
    cases::{
        Case,
        What::{Bad, Good},
    },
    town::{Answer, Town, bearer},
};

pub const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// The header line of a browser that signed in with a token.
pub fn cookie(token: &str) -> String {
    format!("cookie: theme=dark; trace_session={token}\r\n")
}

pub fn cases(town: &Town) -> Vec<Case> {
    let token = town.token(Who::Producer, Role::Producer);
    let foreign = format!("{}sec-fetch-site: cross-site\r\n", cookie(&token));
    [
        (
            Good,
            "/sign-in",
            FORM.into(),
            format!("token={token}"),
            303,
            "",
        ),
        (Bad, "/sign-in", FORM.into(), "token=trt_x".into(), 401, ""),
        (Bad, "/sign-in", FORM.into(), "tokens=x".into(), 400, ""),
        (Good, "/sign-out", cookie(&token), String::new(), 303, ""),
        (Bad, "/sign-out", foreign, String::new(), 403, ""),
    ]
    .into_iter()
    .map(|(what, path, lines, body, status, code)| Case {
        what,
        method: "POST",
        path: path.into(),
        lines,
        body: body.into_bytes(),
        status,
        code,
    })
    .collect()
}

fn sign_in(town: &Town, form: &str, more: &str) -> Answer {
    let lines = format!("{FORM}accept-language: en\r\n{more}");
    town.ask("POST", "/sign-in", &lines, form.as_bytes())
}

#[test]
fn a_token_leads_to_its_own_pages_and_the_cookie_is_for_this_site_alone() {
    let town = Town::new();
    for (who, role, page) in [
        (Who::Producer, Role::Producer, "/issue"),
        (Who::Inspector, Role::Inspector, "/inspect"),
        (Who::CountyAuthority, Role::Authority, "/authority"),
    ] {
        let token = town.token(who, role);
        let answer = sign_in(&town, &format!("token={token}"), "").with(303);
        assert!(
            answer.head.contains(&format!("location: {page}\r\n")),
            "{}",
            answer.head
        );
        let kept = format!(
            "set-cookie: trace_session={token}; HttpOnly; SameSite=Strict; Secure; Path=/\r\n"
        );
        assert!(answer.head.contains(&kept), "{}", answer.head);
    }
}

#[test]
fn whoever_signs_in_comes_back_to_the_page_asked_for_and_never_to_another_host() {
    let town = Town::new();
    let token = town.token(Who::Inspector, Role::Inspector);
    for (next, led) in [
        ("%2Finspect%3Fask%3D1", "/inspect?ask=1"),
        ("https%3A%2F%2Fevil.example%2F", "/inspect"),
        ("%2F%2Fevil.example%2Finspect", "/inspect"),
        ("%2Finspect%0D%0Aset-cookie%3A+a%3Db", "/inspect"),
    ] {
        let answer = sign_in(&town, &format!("token={token}&next={next}"), "").with(303);
        assert!(
            answer.head.contains(&format!("location: {led}\r\n")),
            "{}",
            answer.head
        );
        assert_eq!(
            answer.head.matches("set-cookie").count(),
            1,
            "{}",
            answer.head
        );
    }
}

#[test]
fn a_wrong_token_says_so_and_is_not_shown_again() {
    let town = Town::new();
    let wrong = "trt_0123456789abcdef_nobodys";
    let answer = sign_in(&town, &format!("token={wrong}"), "").with(401);
    let page = answer.text();
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(!page.contains(wrong), "{page}");
    assert!(!answer.head.contains("set-cookie"), "{}", answer.head);
    let token = town.token(Who::Producer, Role::Producer);
    let foreign = sign_in(
        &town,
        &format!("token={token}"),
        "sec-fetch-site: cross-site\r\n",
    );
    assert!(!foreign.with(403).head.contains("set-cookie"));
}

#[test]
fn the_api_takes_no_cookie() {
    let town = Town::new();
    let token = town.token(Who::Inspector, Role::Inspector);
    let path = "/v1/alerts";
    town.ask("GET", path, &bearer(&token), b"").with(200);
    town.ask("GET", path, &cookie(&token), b"").with(401);
}
