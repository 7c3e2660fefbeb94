//! The answer about a trace unit: the verdict as the shopper sees it, why, and
//! all that the token may see of it.

use std::sync::Arc;

use maud::{Markup, html};
use trace_core::{
    error::Rule,
    ident::TraceCode,
    ledger::{Failed, lineage, lookup::Audience},
    record::{Status, status::Reason},
};

use super::{
    Answer, Reader,
    checks::{self, Evidence},
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

/// What is found of a unit.
struct Found {
    shown: Shown,
    audience: Audience,
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
    let found = beside(move || -> Result<_, Problem> {
        let view = office.view();
        let audience = audience(&view, Some(&token), code)?;
        find(&office, audience, code, before)
    });
    let mut found = found.await??;
    let language = reader.language;
    if found.shown.limits.is_some() {
        found.shown.chart = cold::small_chart(&reader.office, code, language).await;
    }
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
    audience: Audience,
    code: TraceCode,
    before: Option<u64>,
) -> Result<Found, Problem> {
    let view = office.view();
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
        Audience::Full => lineage::balance(&view, code)?,
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
        reasons,
    })
}

fn told(language: Language, found: &Found) -> Markup {
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
        (goods::made_of(language, shown))
        h2 id="why" { (language.of("Why", "核验项目")) }
        (checklist(language, &found.reasons))
        (cold::line(language, shown))
        (papers::certificates(language, shown))
        (story::told(language, shown))
        (elsewhere(language, shown.code))
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

/// The same elsewhere: what a shopper sees, and the evidence as a file.
fn elsewhere(language: Language, code: TraceCode) -> Markup {
    let code = code.compact();
    let bundle = format!("/v1/codes/{code}/bundle");
    html! {
        h2 { (language.of("Elsewhere", "其他")) }
        p {
            a.act href=(format!("/t/{code}")) { (language.of("What a shopper sees", "消费者页面")) }
            a.act href=(bundle) download=(format!("{code}.bundle.json")) {
                (language.of("The signed bundle", "签名证据包"))
            }
            a.act href="/check" { (language.of("Check a saved bundle", "核验已保存的证据包")) }
        }
    }
}
