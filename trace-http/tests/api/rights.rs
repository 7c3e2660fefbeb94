//! Every route, by every method, for every caller: no token, tokens not in force,
//! and tokens of every role for an entity's own, for others' and for nobody, in its
//! own area, in another and in none. Who is granted what stands in one table here;
//! the requests are those of the routes' own cases.
//!
//! Whoever is not granted is told nothing and changes nothing; whoever is, is not
//! turned away; nothing fails.

mod table;

use std::collections::BTreeSet;

use trace_core::{
    ident::Area,
    ledger::tokens::Grant,
    record::{Role, wire::TokenId},
};
use trace_fixtures::Who;
use trace_http::{
    api::routes::{Caller as Whose, ROUTES, Route},
    machine,
};
use zeroize::Zeroizing;

use self::table::{
    Of, RIGHTS,
    Right::{
        self, AnyEntity, AnyOverseer, AnyParty, AnyToken, Everybody, EverybodyInPart, Hidden,
        Inviters, Once, Overseers, OverseersAndOwn, OverseersAndOwnAsSuch, Own, Registrars,
        Signers,
    },
};
use crate::{
    cases::{self, Case, What},
    signing_in::cookie,
    town::{Answer, Town, bearer},
};

/// Those for whom tokens are made, and the one role that each holds, in its area.
const HOLDS: [(Who, Role); 5] = [
    (Who::Producer, Role::Producer),
    (Who::ColdStore, Role::ColdStore),
    (Who::Inspector, Role::Inspector),
    (Who::CountyAuthority, Role::Authority),
    (Who::OtherCountyAuthority, Role::Authority),
];

/// Methods that some route could have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Who asks: what a token in force says, or what is wrong with what is shown.
#[derive(Debug, Clone, Copy)]
enum Caller {
    Token {
        entity: Option<Who>,
        role: Role,
        area: Option<Area>,
    },
    WithoutToken,
    Revoked,
    Expired,
    Forged,
    OfAnotherScheme,
}

/// A caller with its header lines.
type Armed = (Caller, String);

/// What a caller is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Refused,
    InPart,
    InFull,
    Granted,
}

fn area_of(town: &Town, who: Who) -> Area {
    town.world.entity(who).area
}

/// Whether a token reads in full what concerns an area: it is made for an
/// inspector or an authority, reaches there, and its entity holds that role there.
fn oversees(town: &Town, caller: Caller, target: Area) -> bool {
    let Caller::Token { entity, role, area } = caller else {
        return false;
    };
    let holds = |who: Who| HOLDS.contains(&(who, role)) && area_of(town, who).covers(target);
    matches!(role, Role::Inspector | Role::Authority)
        && area.is_some_and(|own| own.covers(target))
        && entity.is_none_or(holds)
}

fn oversees_all(town: &Town, caller: Caller, of: Of) -> bool {
    let any = |all: &[Who]| {
        all.iter()
            .any(|who| oversees(town, caller, area_of(town, *who)))
    };
    match of {
        Of::Unit => any(&[Who::Producer, Who::ColdStore]),
        Of::Entity(who) => any(&[who]),
        Of::Area => any(&[Who::Producer]),
    }
}

/// What the table says.
fn due(town: &Town, caller: Caller, right: Right) -> Due {
    let is_token = matches!(caller, Caller::Token { .. });
    let is_of = |who: Who| matches!(caller, Caller::Token { entity: Some(own), .. } if own == who);
    let granted = match right {
        Everybody | Once => true,
        AnyOverseer => matches!(caller, Caller::Token { role, .. }
            if matches!(role, Role::Inspector | Role::Authority)),
        AnyEntity => matches!(
            caller,
            Caller::Token {
                entity: Some(_),
                ..
            }
        ),
        Inviters => {
            let home = area_of(town, Who::Producer);
            matches!(caller, Caller::Token {
                entity: Some(Who::CountyAuthority), role: Role::Authority, area: Some(area),
            } if area.covers(home))
        }
        EverybodyInPart(of) => match caller {
            Caller::Revoked | Caller::Expired | Caller::Forged | Caller::OfAnotherScheme => false,
            _ if oversees_all(town, caller, of) => return Due::InFull,
            _ => return Due::InPart,
        },
        Hidden(of) | Overseers(of) => oversees_all(town, caller, of),
        AnyToken => is_token,
        AnyParty => matches!(caller, Caller::Token { entity, role, .. }
            if entity.is_some() || matches!(role, Role::Inspector | Role::Authority)),
        OverseersAndOwnAsSuch(who) => matches!(caller, Caller::Token { role, .. }
            if matches!(role, Role::Inspector | Role::Authority)
                && (is_of(who) || oversees_all(town, caller, Of::Entity(who)))),
        OverseersAndOwn(who) => is_of(who) || oversees_all(town, caller, Of::Entity(who)),
        Own(who) => is_of(who),
        Signers(all) => matches!(caller, Caller::Token { entity: Some(own), role, .. }
            if all.contains(&(own, role))),
        Registrars => {
            let home = area_of(town, Who::Producer);
            matches!(caller, Caller::Token { entity: Some(own), role: Role::Authority, area }
                if HOLDS.contains(&(own, Role::Authority))
                    && area_of(town, own).covers(home)
                    && area.is_none_or(|area| area.covers(home)))
        }
    };
    match granted {
        true => Due::Granted,
        false => Due::Refused,
    }
}

fn token(town: &Town, grant: Grant) -> (TokenId, String) {
    let (id, secret) = (
        TokenId(machine::random()),
        Zeroizing::new(machine::random()),
    );
    let now_ms = town.office.now_ms();
    let made = town.office.tokens.issue(id, &secret, grant, now_ms);
    (id, made.unwrap().reveal().to_owned())
}

/// Every caller, with what it shows.
fn callers(town: &Town) -> Vec<Armed> {
    let now_ms = town.office.now_ms();
    let (home, away) = (
        area_of(town, Who::Producer),
        area_of(town, Who::OtherCountyAuthority),
    );
    assert!(!home.covers(away) && !away.covers(home), "{home} {away}");
    let everybody = HOLDS.iter().map(|(who, _)| Some(*who)).chain([None]);
    let mut armed = Vec::new();
    for entity in everybody {
        for role in Role::ALL.iter().copied() {
            for area in [Some(home), Some(away), None] {
                let grant = Grant {
                    entity: entity.map(|who| town.world.id(who)),
                    role,
                    area,
                    expires_ms: now_ms + 86_400_000,
                };
                if grant.check().is_ok() {
                    let (_, text) = token(town, grant);
                    armed.push((Caller::Token { entity, role, area }, bearer(&text)));
                }
            }
        }
    }
    // The same with which most is granted, not in force.
    let strong = |who: Who, role| Grant {
        entity: Some(town.world.id(who)),
        role,
        area: Some(home),
        expires_ms: now_ms + 86_400_000,
    };
    for (who, role) in HOLDS {
        let grant = strong(who, role);
        let ended = Grant {
            expires_ms: now_ms,
            ..grant
        };
        let (revoked, text) = token(town, grant);
        assert!(town.office.tokens.revoke(revoked, now_ms).unwrap());
        armed.push((Caller::Revoked, bearer(&text)));
        let (_, text) = token(town, ended);
        armed.push((Caller::Expired, bearer(&text)));
        let (_, text) = token(town, grant);
        let (last, text) = (text.chars().next_back().unwrap(), &text[..text.len() - 1]);
        let other = if last == '0' { '1' } else { '0' };
        let forged = bearer(&format!("{text}{other}"));
        armed.push((Caller::Forged, forged));
    }
    let basic = "authorization: Basic dHJhY2U6dHJhY2U=\r\n".to_owned();
    armed.push((Caller::OfAnotherScheme, basic));
    armed.push((Caller::WithoutToken, String::new()));
    armed
}

/// A case's request by another caller, under a name of its own.
fn ask(town: &Town, method: &str, case: &Case, caller: &Armed, name: &mut u64) -> Answer {
    *name += 1;
    let own = case.lines.split_inclusive("\r\n").filter(|line| {
        !line.starts_with("authorization:")
            && !line.starts_with("idempotency-key:")
            && !line.starts_with("cookie:")
    });
    // Pages take a token as the browser keeps it, and no other way.
    let token = caller.1.strip_prefix("authorization: Bearer ");
    let shown = match (case.route().caller, token) {
        (Whose::SignedIn, Some(token)) => cookie(token.trim_end()),
        _ => caller.1.clone(),
    };
    let lines = format!(
        "{}{shown}idempotency-key: {name}\r\n",
        own.collect::<String>(),
    );
    let answer = town.ask(method, &case.path, &lines, &case.body);
    assert!(
        answer.status < 500,
        "{method} {} by {:?}: {}",
        case.path,
        caller.0,
        answer.text()
    );
    answer
}

fn right_of(route: &Route) -> Right {
    let found = RIGHTS
        .iter()
        .find(|(method, path, _)| (*method, *path) == (route.method, route.path));
    found
        .unwrap_or_else(|| panic!("no right for {} {}", route.method, route.path))
        .2
}

fn is_success(answer: &Answer) -> bool {
    let is_led_to_sign_in = answer
        .field("location")
        .is_some_and(|to| to.starts_with("/sign-in?"));
    (200..400).contains(&answer.status) && !is_led_to_sign_in
}

/// Holds an answer against what was due; whether it was a success.
fn check(due: Due, answer: &Answer, whose: &str) -> bool {
    let shown = answer.field("trace-audience");
    match due {
        Due::Refused => {
            assert!(!is_success(answer), "{whose}: granted, {}", answer.head);
            assert!(
                matches!(answer.status, 303 | 401 | 403 | 404 | 409 | 422),
                "{whose}: {}",
                answer.head
            );
        }
        Due::InPart => {
            assert_eq!(answer.status, 200, "{whose}: {}", answer.head);
            assert_ne!(shown, Some("full"), "{whose}");
        }
        Due::InFull => {
            assert_eq!(answer.status, 200, "{whose}: {}", answer.head);
            assert_eq!(shown, Some("full"), "{whose}");
        }
        // Granted twice, a thing may be done already, or too often.
        Due::Granted => assert!(
            is_success(answer) || matches!(answer.status, 409 | 422 | 429),
            "{whose}: refused, {}",
            answer.head
        ),
    }
    is_success(answer)
}

/// The good requests of the routes' cases, each about what the table speaks of.
fn requests(town: &mut Town) -> Vec<Case> {
    let home = area_of(town, Who::Producer);
    let store = town.world.id(Who::ColdStore);
    let mut requests = cases::cases(town);
    // Without a question the page is of the token's own area, whichever that is:
    // there is no one target to hold it against.
    requests.retain(|case| case.what == What::Good && case.path != "/inspect");
    let code = requests
        .iter()
        .find(|case| case.route().path == "/v1/codes/{code}");
    let first = town.get(&code.unwrap().path).with(200).json();
    let created = first["records"][0]["index"].as_u64().unwrap();
    for case in &mut requests {
        match case.path.as_str() {
            "/v1/alerts" => case.path = format!("/v1/alerts?entity={store}"),
            "/v1/complaints" if case.method == "GET" => {
                case.path = format!("/v1/complaints?area={home}");
            }
            path if path.starts_with("/v1/changes") => {
                case.path = format!("/v1/changes?after={}&limit=1", created - 1);
            }
            _ => {}
        }
    }
    requests
}

#[test]
fn the_table_of_rights_has_one_line_for_each_route() {
    let routes = ROUTES.iter().map(|route| (route.method, route.path));
    let rights = RIGHTS.iter().map(|(method, path, _)| (*method, *path));
    let (routes, rights): (BTreeSet<_>, BTreeSet<_>) = (routes.collect(), rights.collect());
    assert_eq!(routes, rights);
    assert_eq!(rights.len(), RIGHTS.len(), "a route has two lines");
}

#[test]
fn no_route_grants_any_caller_more_or_less_than_the_table() {
    let mut town = Town::new();
    let requests = requests(&mut town);
    let callers = callers(&town);
    let (mut name, mut granted, mut refused) = (0, 0_u64, 0_u64);
    // First those who are not granted: had one of them done a thing, it would be
    // there when those come who may.
    let size = town.office.view().size();
    let (producer, buyer) = (town.world.id(Who::Producer), town.world.id(Who::Buyer));
    for case in &requests {
        let right = right_of(case.route());
        for caller in &callers {
            let due = due(&town, caller.0, right);
            if due == Due::Granted {
                continue;
            }
            let whose = format!("{} {} by {:?}", case.method, case.path, caller.0);
            let answer = ask(&town, case.method, case, caller, &mut name);
            match check(due, &answer, &whose) {
                true => granted += 1,
                false => refused += 1,
            }
            if case.method == "GET" {
                let head = ask(&town, "HEAD", case, caller, &mut name);
                assert_eq!(head.status, answer.status, "{whose}");
                assert!(head.body.is_empty(), "{whose}");
                refused += u64::from(due == Due::Refused);
                granted += u64::from(due != Due::Refused);
            }
        }
    }
    assert_eq!(town.office.view().size(), size, "a refusal made a record");
    // Then one of those who are, for each; then the others.
    for others in [false, true] {
        for case in &requests {
            let right = right_of(case.route());
            let own = callers
                .iter()
                .filter(|caller| due(&town, caller.0, right) == Due::Granted);
            for (place, caller) in own.enumerate() {
                if (place > 0) != others || others && matches!(right, Once) {
                    continue;
                }
                let whose = format!("{} {} by {:?}", case.method, case.path, caller.0);
                let answer = ask(&town, case.method, case, caller, &mut name);
                let is_done = check(Due::Granted, &answer, &whose);
                assert!(others || is_done, "{whose}: {}", answer.head);
                granted += 1;
                if case.route().path == "/v1/questions" {
                    let text = answer.text();
                    for entity in [producer, buyer] {
                        let own = matches!(caller.0, Caller::Token { entity: Some(own), .. }
                            if town.world.id(own) == entity);
                        let oversees = oversees(&town, caller.0, area_of(&town, Who::Producer))
                            || oversees(&town, caller.0, area_of(&town, Who::Buyer));
                        let shown = text.contains(&entity.to_string());
                        assert!(own || oversees || !shown, "{whose}: {text}");
                    }
                }
                if case.method == "GET" {
                    let head = ask(&town, "HEAD", case, caller, &mut name);
                    assert_eq!(head.status, answer.status, "{whose}");
                    granted += 1;
                }
            }
        }
    }
    println!(
        "{} routes, {} callers: {} combinations, {granted} granted, {refused} refused",
        ROUTES.len(),
        callers.len(),
        granted + refused
    );
    assert!(granted > 5_000 && refused > 5_000, "{granted} {refused}");
}

#[test]
fn no_caller_is_granted_a_method_that_the_route_does_not_have() {
    let mut town = Town::new();
    let requests = requests(&mut town);
    let callers = callers(&town);
    let size = town.office.view().size();
    // With the right area and one's own entity the right is strongest.
    let strong = |caller: &Caller| match caller {
        Caller::Token { entity, role, area } => {
            entity.is_some_and(|who| HOLDS.contains(&(who, *role)))
                && *area == Some(area_of(&town, Who::Producer))
        }
        _ => true,
    };
    let callers: Vec<_> = callers.iter().filter(|(it, _)| strong(it)).collect();
    let (mut name, mut tried, mut paths) = (0, 0, BTreeSet::new());
    for case in &requests {
        let path = case.route().path;
        if !paths.insert(path) {
            continue;
        }
        let has = |method: &str| {
            let method = if method == "HEAD" { "GET" } else { method };
            ROUTES
                .iter()
                .any(|it| it.path == path && it.method.eq_ignore_ascii_case(method))
        };
        for method in METHODS.into_iter().filter(|method| !has(method)) {
            for caller in &callers {
                let answer = ask(&town, method, case, caller, &mut name);
                let whose = format!("{method} {} by {:?}", case.path, caller.0);
                assert_eq!(answer.status, 405, "{whose}: {}", answer.head);
                tried += 1;
            }
        }
    }
    assert_eq!(
        town.office.view().size(),
        size,
        "a wrong method made a record"
    );
    let all: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
    assert_eq!(paths, all);
    println!("{tried} combinations of a wrong method, none granted");
}

/// A cold store's token for producers could register equipment, which both may:
/// a role that was withdrawn went on in the tokens that were made for it.
#[test]
fn a_token_for_a_role_that_its_entity_does_not_hold_signs_nothing() {
    let town = Town::new();
    let body = serde_json::json!({"kind": "cold_store", "name": "一号库"});
    let other = town.token(Who::ColdStore, Role::Producer);
    let refused = town.order("/v1/equipment", &other, "store", &body);
    let document = refused.refused(403, "right_missing");
    let detail = document["detail"].to_string();
    assert!(detail.contains("producer"), "{detail}");
    let own = town.token(Who::ColdStore, Role::ColdStore);
    town.order("/v1/equipment", &own, "store", &body).with(201);
}
