//! `/join`: what the invited sees. The code leads to a token, once; the browser keeps
//! it, and it is shown for another device.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    ident::InvitationCode,
    ledger::{invitations::Invited, lookup::Audience, tokens::Grant},
    record::wire::TokenId,
};
use zeroize::Zeroizing;

use super::inviting::kept;
use crate::{
    api::Office,
    body::{FormBody, Parameters},
    desk::{
        frame::{self, area_name, role_words},
        session::{check_site, cookie, home},
    },
    language::Language,
    machine,
    page::Tongue,
    problem::Problem,
};

/// How long a token that was given so holds: a year, after which the authority
/// invites anew.
const TOKEN_LIFE_MS: u64 = 365 * 24 * 3_600_000;

/// Which invitation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coming {
    code: Option<String>,
    lang: Option<Tongue>,
}

/// What the form holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    code: String,
}

/// `GET /join`.
pub async fn form(
    State(office): State<Arc<Office>>,
    Parameters(coming): Parameters<Coming>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::or_preferred(coming.lang, &headers);
    let typed = coming.code.unwrap_or_default();
    if typed.trim().is_empty() {
        return frame::respond(
            StatusCode::OK,
            language,
            asked(language, &typed, None, None),
        );
    }
    match looked_up(&office, &typed) {
        Ok((invited, name)) => {
            let page = asked(language, &typed, Some((&invited, name.as_deref())), None);
            frame::respond(StatusCode::OK, language, page)
        }
        Err(problem) => {
            let page = asked(language, &typed, None, Some(&problem));
            frame::respond(problem.status(), language, page)
        }
    }
}

fn looked_up(office: &Office, typed: &str) -> Result<(Invited, Option<String>), Problem> {
    let code = InvitationCode::parse(typed.trim())?;
    let invited = kept(office)?.look(&code, office.now_ms())?.invited;
    let view = office.readable()?;
    let party = office
        .lookup(&view, Audience::Public)?
        .party(invited.entity)?;
    Ok((invited, party.and_then(|party| party.name)))
}

/// `POST /join`.
pub async fn enter(
    State(office): State<Arc<Office>>,
    headers: HeaderMap,
    typed: Result<FormBody<Typed>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let (typed, made) = match check_site(&headers).and(typed) {
        Ok(FormBody(typed)) => {
            let made = joined(&office, &typed.code);
            (typed.code, made)
        }
        Err(problem) => (String::new(), Err(problem)),
    };
    match made {
        Ok((text, invited)) => {
            let page = welcome(language, &text, &invited);
            let mut response = frame::respond(StatusCode::CREATED, language, page);
            let kept = cookie(&office, text.to_string()).to_string();
            if let Ok(kept) = HeaderValue::try_from(kept) {
                response.headers_mut().insert(header::SET_COOKIE, kept);
            }
            response
        }
        Err(problem) => {
            let page = asked(language, &typed, None, Some(&problem));
            frame::respond(problem.status(), language, page)
        }
    }
}

/// Uses the invitation up, durably, then makes the token.
fn joined(office: &Office, typed: &str) -> Result<(Zeroizing<String>, Invited), Problem> {
    let code = InvitationCode::parse(typed.trim())?;
    let (id, now_ms) = (TokenId(machine::random()), office.now_ms());
    // A ledger that only reads, or cannot be read, gives nobody a way to write.
    office.writer()?;
    office.readable()?;
    let invited = kept(office)?.redeem(&code, id, now_ms)?;
    let grant = Grant {
        entity: Some(invited.entity),
        role: invited.role,
        area: invited.area,
        expires_ms: now_ms.saturating_add(TOKEN_LIFE_MS),
    };
    let secret = Zeroizing::new(machine::random());
    let token = office.tokens.issue(id, &secret, grant, now_ms)?;
    tracing::info!(token = %id, entity = %invited.entity, "an invitation was used");
    Ok((Zeroizing::new(token.reveal().to_owned()), invited))
}

fn asked(
    language: Language,
    typed: &str,
    invited: Option<(&Invited, Option<&str>)>,
    problem: Option<&Problem>,
) -> Markup {
    let title = language.of("You are invited", "加入追溯账本");
    let typed: String = typed.chars().take(40).collect();
    let body = html! {
        h1 { (title) }
        @if let Some(problem) = problem { (frame::wrong(language, problem)) }
        @if let Some((invited, name)) = invited {
            p.product { (name.unwrap_or(language.of("A natural person", "自然人"))) }
            p {
                (role_words(language, invited.role))
                @if let Some(area) = invited.area { " · " (area_name(language, &area.to_string())) }
            }
        }
        form method="post" action="/join" {
            label for="code" { (language.of("The code of your invitation", "邀请码")) }
            input id="code" name="code" required maxlength="40" value=(typed) autocomplete="off"
                autocapitalize="characters" spellcheck="false" placeholder="J-XXXX-XXXX-XXXX-XXXX-X";
            button type="submit" { (language.of("Join with this device", "使用此设备加入")) }
        }
    };
    frame::bare(language, title, &body)
}

fn welcome(language: Language, token: &str, invited: &Invited) -> Markup {
    let title = language.of("Welcome", "已加入");
    let body = html! {
        h1 { (title) }
        p role="status" { (language.of(
            "This device is signed in for a year. The invitation is used up.",
            "此设备已登录,有效期一年。邀请已使用。",
        )) }
        p { a.big href=(home(invited.role)) { (language.of("Begin", "开始使用")) } }
        details {
            summary { (language.of("For another device: your token", "其他设备登录用令牌")) }
            p { (language.of(
                "Shown once. Whoever has it acts as you: tell nobody.",
                "仅显示一次。持有令牌者可以您的名义操作,请勿告诉他人。",
            )) }
            pre tabindex="0" { (token) }
        }
    };
    frame::bare(language, title, &body)
}
