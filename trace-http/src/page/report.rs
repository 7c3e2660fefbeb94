//! `/t/{code}/report`: a form to report something wrong with a unit, and what its
//! writer keeps of it.
//!
//! Nothing that was typed is lost by a refusal, and nothing of it is shown to
//! anybody but the inspectors of the area.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    error::Rule,
    ident::TraceCode,
    ledger::complaints::{CONTACT_LENGTH_MAX, TEXT_LENGTH_MAX, TEXT_LENGTH_MIN},
    record::{Status, rights::Registry},
};

use super::{Part, Tongue, style, template, under};
use crate::{
    api::{
        Office,
        complaints::{ComplaintTaken, Written, take},
    },
    body::{FormBody, Parameters},
    language::Language,
    problem::{Problem, Refusal},
    server::Peer,
};

/// What the form holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    text: String,
    contact: String,
}

/// `GET /t/{code}/report`.
pub async fn form(
    State(office): State<Arc<Office>>,
    Path(text): Path<String>,
    Parameters(part): Parameters<Part>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::or_preferred(part.lang, &headers);
    let code = match code_of(&text, language) {
        Ok(code) => code,
        Err(response) => return response,
    };
    if office.complaints.is_none() {
        let problem = Problem::new(Refusal::ReadOnly);
        return respond(problem.status(), language, &none_taken(language, code));
    }
    let known = office.readable().and_then(|view| view.folded().unit(&code));
    let problem = match known.map_err(Problem::from) {
        Ok(Some(_)) => None,
        Ok(None) => return respond(StatusCode::NOT_FOUND, language, &unknown(language, code)),
        Err(problem) => Some(problem),
    };
    let status = problem.as_ref().map_or(StatusCode::OK, Problem::status);
    let page = asked(language, code, &Filled::default(), problem.as_ref());
    respond(status, language, &page)
}

/// `POST /t/{code}/report`.
pub async fn send(
    State(office): State<Arc<Office>>,
    peer: Option<Extension<Peer>>,
    Path(text): Path<String>,
    Parameters(part): Parameters<Part>,
    headers: HeaderMap,
    filled: Result<FormBody<Filled>, Problem>,
) -> Response {
    let language = Tongue::or_preferred(part.lang, &headers);
    let code = match code_of(&text, language) {
        Ok(code) => code,
        Err(response) => return response,
    };
    let filled = match filled {
        Ok(FormBody(filled)) => filled,
        Err(problem) => {
            let page = asked(language, code, &Filled::default(), Some(&problem));
            return respond(problem.status(), language, &page);
        }
    };
    if office.complaints.is_none() {
        let problem = Problem::new(Refusal::ReadOnly);
        return respond(problem.status(), language, &none_taken(language, code));
    }
    let written = Written::typed(Some(code), &filled.text, Some(&filled.contact));
    let peer = peer.map(|Extension(peer)| peer);
    match take(&office, peer, written).await {
        Ok(taken) => respond(
            StatusCode::CREATED,
            language,
            &thanked(language, code, &taken),
        ),
        Err(problem) if problem.code() == Refusal::NotOnLedger.code() => {
            respond(problem.status(), language, &unknown(language, code))
        }
        Err(problem) => {
            let page = asked(language, code, &filled, Some(&problem));
            respond(problem.status(), language, &page)
        }
    }
}

fn respond(status: StatusCode, language: Language, body: &Markup) -> Response {
    let title = language.of("Report something wrong", "投诉举报");
    let page = template::shell(language, title, body);
    under(style::policy_of_form(), status, language, page)
}

#[expect(clippy::result_large_err, reason = "the other way is an answer too")]
fn code_of(text: &str, language: Language) -> Result<TraceCode, Response> {
    TraceCode::parse(text).map_err(|invalid| {
        let page = template::bare(language, Status::Malformed, text, &invalid.what);
        super::respond(StatusCode::BAD_REQUEST, language, page)
    })
}

fn head(language: Language, code: TraceCode) -> Markup {
    html! {
        h1 { (language.of("Report something wrong", "投诉举报")) }
        p.code { a href=(format!("/t/{}", code.compact())) { (code) } }
    }
}

fn none_taken(language: Language, code: TraceCode) -> Markup {
    html! {
        (head(language, code))
        p { (language.of(
            "This server takes no reports. Telephone ",
            "本服务器不接收投诉举报,请拨打",
        )) a.act href="tel:12315" { "12315" } }
    }
}

fn unknown(language: Language, code: TraceCode) -> Markup {
    html! {
        (head(language, code))
        p { strong { (language.of(
            "This code is not on this ledger, so that nobody here would see the report.",
            "本账本没有此追溯码,此处无人能够处理该投诉。",
        )) } }
        p { (language.of("Telephone ", "请拨打")) a.act href="tel:12315" { "12315" } }
    }
}

/// What is wrong with what was filled in, in words for whoever filled it in.
fn wrong(language: Language, problem: &Problem) -> String {
    let document = problem.document(language);
    let text = |name: &str| {
        let found = document.get(name).and_then(serde_json::Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let is_of_text = problem.code() == Rule::Text.code();
    match problem.code() {
        code if code == Refusal::TooOften.code() => language
            .of(
                "Many reports have come from here of late. Wait some minutes and send it again.",
                "近期来自此处的投诉较多,请几分钟后再提交。",
            )
            .to_owned(),
        _ if is_of_text => format!(
            "{} ({})",
            language.of(
                "Write 5 to 1,000 characters without unusual signs.",
                "请填写5至1000字,不要使用特殊字符。",
            ),
            text("detail")
        ),
        _ => format!("{} {}", text("title"), text("remedy")),
    }
}

fn asked(
    language: Language,
    code: TraceCode,
    filled: &Filled,
    problem: Option<&Problem>,
) -> Markup {
    let tag = match language {
        Language::Chinese => "zh",
        Language::English => "en",
    };
    html! {
        (template::tongues(language, ""))
        (head(language, code))
        @if let Some(problem) = problem {
            p role="alert" { strong.bad { (wrong(language, problem)) } }
        }
        p { (language.of(
            "The inspectors of the area see what you write, and nobody else. On the ledger stands a commitment to it, so that nobody can say it never came. In urgent cases telephone ",
            "您所写的内容仅所在地监管人员可见;账本只记载其承诺值,任何人不能否认已收到。情况紧急请拨打",
        )) a.act href="tel:12315" { "12315" } }
        form method="post" action=(format!("/t/{}/report?lang={tag}", code.compact())) {
            label for="text" { (language.of("What is wrong?", "问题描述")) }
            p.quiet id="text-help" { (language.of(
                "5 to 1,000 characters: what, where, when.",
                "5至1000字:何物、何地、何时。",
            )) }
            textarea id="text" name="text" rows="6" required aria-describedby="text-help"
                minlength=(TEXT_LENGTH_MIN) maxlength=(TEXT_LENGTH_MAX) { (filled.text) }
            label for="contact" { (language.of(
                "How can you be reached? (may be left empty)",
                "联系方式(可不填)",
            )) }
            input id="contact" name="contact" type="text" autocomplete="tel"
                maxlength=(CONTACT_LENGTH_MAX) value=(filled.contact);
            button type="submit" { (language.of("Send", "提交")) }
        }
    }
}

fn thanked(language: Language, code: TraceCode, taken: &ComplaintTaken) -> Markup {
    html! {
        (head(language, code))
        p role="status" { strong { (language.of("Received. Its number is ", "已收到,编号 ")) (taken.number) } }
        p {
            @match taken.index {
                Some(index) => {
                    (language.of("The ledger has it as record ", "账本已登记,记录序号 ")) (index) "."
                }
                None => {
                    (language.of(
                        "The ledger has it within the hour.",
                        "一小时内登记到账本。",
                    ))
                }
            }
        }
        p { (language.of(
            "Keep these: with what you wrote they show that it came, whatever becomes of it here.",
            "请保存以下内容:与您所写内容一起,可证明此投诉已收到。",
        )) }
        dl {
            dt { (language.of("Commitment", "承诺值")) } dd.code { (taken.commitment) }
            dt { (language.of("Salt", "盐值")) } dd.code { (taken.salt) }
        }
        p { a.act href=(format!("/t/{}", code.compact())) {
            (language.of("Back to the product", "返回产品页面"))
        } }
    }
}
