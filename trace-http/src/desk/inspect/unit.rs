//! The answer about a trace unit: the verdict as the shopper sees it, why, and
//! all that the token may see of it.

use std::sync::Arc;

use maud::{Markup, html};
use trace_core::{
    error::Rule,
    ident::TraceCode,
    ledger::{Failed, lineage::balance, lookup::Audience, tokens::TokenGrant},
    record::{Role, Status, status::Reason},
};

use super::{
    Answer, Reader,
    checks::{self, Evidence},
    lineage::{self, Lineage},
    parties::{self, Transfers},
};
use crate::{
    api::{
        Office,
        answer::not_on_ledger,
        codes::{audience, bundle_of},
        office::beside,
    },
    language::Language,
    page::{self, Shown, cold, goods, papers, state, story, template},
    problem::Problem,
};

/// Bytes of an answer with its pictures: with style and frame a page stays below
/// 60 kB.
const ANSWER_BYTES_MAX: usize = 48 * 1024;

/// What is found of a unit.
struct Found {
    shown: Shown,
    audience: Audience,
    is_authority: bool,
    lineage: Lineage,
    /// Who received it, for those who oversee it.
    transfers: Option<Transfers>,
    reasons: Vec<Reason>,
}

/// The answer about a unit.
///
/// # Errors
/// [`Refusal::NotOnLedger`](crate::problem::Refusal::NotOnLedger); a store's
/// failure.
pub(super) async fn answer(
    reader: &Reader,
    code: TraceCode,
    before: Option<u64>,
) -> Result<Answer, Problem> {
    let (office, token) = (Arc::clone(&reader.office), reader.signed_in.0);
    // Makes and checks a bundle of up to a thousand records: not on a thread that
    // others wait for.
    let found = beside(move || -> Result<_, Problem> { find(&office, &token, code, before) });
    let found = found.await??;
    let language = reader.language;
    let status = found.shown.answer.status;
    let is_full = found.audience == Audience::Full;
    Ok(Answer {
        status: state::of(status).http,
        title: format!("{code} · {}", template::words(language, status)),
        body: told(language, &found),
        looked_up: is_full.then(|| code.to_string()),
    })
}

fn find(
    office: &Office,
    token: &TokenGrant,
    code: TraceCode,
    before: Option<u64>,
) -> Result<Found, Problem> {
    let view = office.view();
    let audience = audience(&view, Some(token), code)?;
    let shown = page::gather(office, &view, audience, code, before)?;
    let mut shown = shown.ok_or_else(|| not_on_ledger(code))?;
    let today = office.today(&view)?;
    let evidence = match bundle_of(office, &view, code) {
        Ok(Some(bundle)) => match bundle.verify(office.anchor()?, &[], today) {
            Ok(verdict) => Evidence::Sound(Box::new(verdict)),
            Err(error) => Evidence::Unsound(error),
        },
        Ok(None) => return Err(not_on_ledger(code)),
        Err(Failed::Invalid(invalid)) if invalid.rule == Rule::TooLarge => {
            Evidence::NotMade(invalid.what)
        }
        Err(failed) => return Err(failed.into()),
    };
    let balance = match audience {
        Audience::Full => balance(&view, code)?,
        Audience::Public => None,
    };
    let scans = match (&office.scans, &shown.state.made) {
        (Some(desk), Some(made)) => Some(desk.sum(code, made, today)?),
        _ => None,
    };
    let status = shown.answer.status;
    shown.answer.status = match &evidence {
        Evidence::Unsound(_) => Status::IntegrityFailure,
        _ if scans.is_some_and(|sum| sum.is_suspicious) => status.min(Status::SuspiciousScans),
        _ => status,
    };
    let mut reasons = checks::evidence(&evidence);
    reasons.extend(shown.answer.reasons.iter().cloned());
    reasons.push(checks::quantity(balance.as_ref()));
    if reasons.iter().all(|reason| reason.check != "temperature") {
        reasons.push(checks::not_monitored());
    }
    reasons.push(checks::scans(scans));
    Ok(Found {
        shown,
        audience,
        is_authority: token.grant.role == Role::Authority,
        lineage: lineage::follow(office, &view, token, code)?,
        transfers: match audience {
            Audience::Full => Some(parties::transfers(office, &view, code)?),
            Audience::Public => None,
        },
        reasons,
    })
}

/// The whole answer; without pictures where it would pass what a page may weigh.
fn told(language: Language, found: &Found) -> Markup {
    let whole = drawn(language, found, true);
    match whole.0.len() <= ANSWER_BYTES_MAX {
        true => whole,
        false => drawn(language, found, false),
    }
}

fn drawn(language: Language, found: &Found, with_pictures: bool) -> Markup {
    let shown = &found.shown;
    let answer = &shown.answer;
    let made = shown.state.made.as_ref();
    let (english, chinese) = state::of(answer.status).advice;
    html! {
        (template::verdict(language, answer.status, &html! {
            p { (language.of(english, chinese)) }
            (template::barred(language, answer))
            @if let Some(to) = &answer.replaced_by {
                p {
                    (language.of("Replaced by certificate ", "已更正为合格证 ")) (to.number) ": "
                    a href=(super::link(to.code)) { (to.code) }
                }
            }
            p.quiet { (language.of("Checked on ", "核验日期 ")) (answer.judged_on) }
        }))
        @if let Some(made) = made { p.product { (made.product) } }
        p.code { (shown.code) }
        @if found.audience == Audience::Public { (not_overseen(language)) }
        (goods::what_it_is(language, shown))
        h2 id="why" { (language.of("Why", "核验项目")) }
        (checklist(language, &found.reasons))
        @if found.audience == Audience::Full { (acts(language, found)) }
        (lineage::told(language, &found.lineage, with_pictures))
        @if let (Some(transfers), Some(made)) = (&found.transfers, made) {
            (parties::told(language, transfers, made.base))
        }
        (cold::line(language, shown, with_pictures))
        (papers::certificates(language, shown))
        (parties::documents(language, &answer.records))
        (story::told(language, shown))
        (elsewhere(language, shown.code, found.audience))
    }
}

/// That the token sees no more of a thing than anyone.
pub(super) fn not_overseen(language: Language) -> Markup {
    html! {
        p.checked {
            (language.of(
                "Your token does not oversee this: what follows is what anyone is shown, and the look-up is not logged.",
                "您的令牌不监管此对象:以下仅为公开信息,本次查询不记入日志。",
            ))
        }
    }
}

fn checklist(language: Language, reasons: &[Reason]) -> Markup {
    html! {
        ul.checks {
            @for reason in reasons {
                li data-check=(reason.check) data-holds=[reason.holds] {
                    (template::reason_line(language, reason))
                    @if let Some(index) = reason.index {
                        span.quiet { (language.of(" (record ", "(记录 ")) (index) (language.of(")", ")")) }
                    }
                }
            }
        }
    }
}

/// What can be done about it; whether it may, the rules decide.
fn acts(language: Language, found: &Found) -> Markup {
    let code = found.shown.code.compact();
    let of = |act: &str, of: &str| format!("/inspect/acts/{act}?of={of}");
    let begun = |kind: &str| {
        let mut records = found.shown.answer.records.iter();
        records.rfind(|record| record.kind == kind)
    };
    html! {
        h2 { (language.of("Act", "处置")) }
        p.acts {
            a.act href=(of("hold", &code)) { (language.of("Hold", "暂停流通")) }
            @if found.is_authority { a.act href=(of("recall", &code)) { (language.of("Recall", "召回")) } }
            a.act href=(of("sample", &code)) { (language.of("Record a sample", "登记抽检")) }
            @if let Some(held) = begun("held") {
                a.act href=(of("release", &held.hash.to_string())) { (language.of("Release the hold", "解除暂停")) }
            }
            @if let Some(recalled) = begun("recalled").filter(|_| found.is_authority) {
                a.act href=(of("recall-closed", &recalled.hash.to_string())) { (language.of("End the recall", "结束召回")) }
            }
        }
        @if !found.is_authority {
            p.quiet { (language.of(
                "Recalls are signed by the authority, the maker or the seller.",
                "召回由主管部门、生产者或销售者签署。",
            )) }
        }
    }
}

/// The same elsewhere: what a shopper sees, and the evidence as a file.
fn elsewhere(language: Language, code: TraceCode, audience: Audience) -> Markup {
    let code = code.compact();
    let sheet = |format: &str| format!("/inspect/codes/{code}/recall/{format}");
    let bundle = format!("/v1/codes/{code}/bundle");
    html! {
        h2 { (language.of("Elsewhere", "其他")) }
        @if audience == Audience::Full {
            p {
                (language.of("Recall sheet: ", "召回清单:"))
                a.act href=(sheet("csv")) { "CSV" }
                a.act href=(sheet("xlsx")) { "XLSX" }
            }
        }
        p {
            a.act href=(format!("/t/{code}")) { (language.of("What a shopper sees", "消费者页面")) }
            a.act href=(bundle) download=(format!("{code}.bundle.json")) {
                (language.of("The signed bundle", "签名证据包"))
            }
            a.act href="/check" { (language.of("Check a saved bundle", "核验已保存的证据包")) }
        }
    }
}
