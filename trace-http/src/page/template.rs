//! The page itself: the verdict first, then what it is about, the reasons, the
//! story, and how to check all of it without believing this server.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use trace_core::{
    ledger::lookup::{RecordAnswer, UnitAnswer},
    record::{
        Body, Status,
        claim::DurabilityKind,
        status::{ColdChain, Reason},
        unit::Standing,
    },
};

use super::{Shown, story, style::STYLE};
use crate::{api::certificates::elements_of, language::Language};

/// A page without a unit to show.
pub(super) fn bare(language: Language, status: Status, typed: &str, why: &str) -> Markup {
    let advice = match status {
        Status::Malformed => language.of(
            "Check it against the label: 17 digits and letters.",
            "请对照标签核对:共17位数字和字母。",
        ),
        Status::Unknown => language.of(
            "Check it against the label. It may be on another ledger; that it is not on this one \
             says nothing about the goods.",
            "请对照标签核对。该追溯码可能登记在其他账本,此处查不到不代表商品有问题。",
        ),
        _ => language.of(
            "This says nothing about the goods. Try again in a few minutes.",
            "这不代表商品有问题,请稍后再试。",
        ),
    };
    let typed: String = typed.chars().take(64).collect();
    let body = html! {
        (verdict(language, status))
        p.code { (typed) }
        @if !why.is_empty() { p { (why) } }
        p { (advice) }
    };
    shell(language, words(language, status), &body)
}

/// A page about a unit.
pub(super) fn unit(language: Language, public_url: &str, shown: &Shown) -> Markup {
    let answer = &shown.answer;
    let product = shown.state.made.as_ref().map(|made| made.product.clone());
    let title = format!(
        "{} · {}",
        product.as_deref().unwrap_or_default(),
        words(language, answer.status)
    );
    let body = html! {
        (verdict(language, answer.status))
        (barred(language, answer))
        @if let Some(product) = &product { h1 { (product) } }
        p.code { (shown.code) }
        @if let Some(to) = &answer.replaced_by {
            p {
                (language.of("Replaced by certificate ", "已更正为合格证 ")) (to.number) " · "
                a href=(format!("/t/{}", to.code.compact())) { (to.code) }
            }
        }
        (what_it_is(language, shown))
        (made_of(language, shown))
        (certificates(language, shown))
        (reasons(language, answer))
        (told(language, shown))
        (check_yourself(language, public_url, shown))
    };
    shell(language, &title, &body)
}

pub(super) fn shell(language: Language, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
}

fn words(language: Language, status: Status) -> &'static str {
    language.of(status.words(), status.words_zh())
}

fn verdict(language: Language, status: Status) -> Markup {
    let (tone, sign) = match status {
        Status::Valid => ("good", "✓"),
        Status::Unknown | Status::Malformed | Status::CannotCheck => ("", "?"),
        Status::OnHold
        | Status::TestFailed
        | Status::SourceVoided
        | Status::Superseded
        | Status::TemperatureAlert
        | Status::PastDate
        | Status::CertificateExpired
        | Status::SuspiciousScans => ("warn", "!"),
        Status::IntegrityFailure | Status::Recalled | Status::Voided | Status::Disputed => {
            ("bad", "✗")
        }
    };
    html! {
        div class=(format!("verdict {tone}")) data-status=(status.name()) {
            h1 { (sign) " " (words(language, status)) }
        }
    }
}

/// Recall and hold are said before anything else, also where another status
/// outweighs them.
fn barred(language: Language, answer: &UnitAnswer) -> Markup {
    let is_bar =
        |reason: &&Reason| reason.holds == Some(false) && matches!(reason.check, "recall" | "hold");
    html! {
        @for reason in answer.reasons.iter().filter(is_bar) {
            p { strong { (reason_line(language, reason)) } }
        }
    }
}

/// What it was made of, by code; where only a paper speaks for the origin, that.
fn made_of(language: Language, shown: &Shown) -> Markup {
    let unproved = language.of("Origin not proved on this ledger", "来源未在本账本证明");
    let is_declared = shown
        .state
        .made
        .as_ref()
        .is_some_and(|made| made.is_declared);
    html! {
        @if is_declared { p { strong { (unproved) } } }
        @if !shown.parents.is_empty() {
            h2 { (language.of("Made from", "由以下追溯单元制成")) }
            ul {
                @for parent in &shown.parents {
                    li {
                        (parent.product) " · "
                        a.code href=(format!("/t/{}", parent.code.compact())) { (parent.code) }
                        br; span.quiet {
                            (parent.maker.as_deref().unwrap_or(language.of("a natural person", "自然人")))
                            @if parent.is_declared { " · " (unproved) }
                        }
                    }
                }
            }
        }
    }
}

fn what_it_is(language: Language, shown: &Shown) -> Markup {
    let Some(record) = &shown.made else {
        return html! {};
    };
    let Body::UnitCreated(unit) = &record.statement else {
        return html! {};
    };
    let durability = unit.durability.map(|durability| match durability.kind {
        DurabilityKind::BestBefore => (language.of("Best before", "保质期至"), durability.on),
        DurabilityKind::UseBy => (language.of("Use by", "食用截止"), durability.on),
    });
    html! {
        dl {
            (line(language.of("Quantity", "数量"), Some(&unit.quantity.to_string())))
            (line(language.of("Produced on", "生产日期"), Some(&unit.produced_on.to_string())))
            @if let Some((name, on)) = durability { (line(name, Some(&on.to_string()))) }
            (line(language.of("Origin", "产地"), Some(&unit.origin_place)))
            (line(language.of("Specification", "规格"), unit.specification.as_deref()))
            (line(language.of("Batch", "批次"), unit.lot.as_deref()))
            (line("GTIN", unit.gtin.map(|gtin| gtin.to_string()).as_deref()))
            (line(language.of("Storage", "贮存"), unit.storage.as_deref()))
            (line(language.of("Made by", "生产者"), Some(&story::signer(language, record))))
            (line(language.of("Cold chain", "冷链"), Some(cold(language, shown.answer.cold_chain))))
        }
    }
}

fn line(name: &str, value: Option<&str>) -> Markup {
    html! { @if let Some(value) = value { dt { (name) } dd { (value) } } }
}

fn cold(language: Language, cold: ColdChain) -> &'static str {
    match cold {
        ColdChain::Kept => language.of("kept", "温度合格"),
        ColdChain::Exceeded => language.of("exceeded", "曾超温"),
        ColdChain::Gaps => language.of("gaps in the readings", "温度记录有缺失"),
        ColdChain::NotMonitored => language.of("not monitored", "未监测"),
    }
}

fn certificates(language: Language, shown: &Shown) -> Markup {
    html! {
        @if !shown.state.certificates.is_empty() {
            h2 { (language.of("Certificates", "合格证")) }
            ul {
                @for held in &shown.state.certificates {
                    li {
                        strong { (language.of(held.form.name(), held.form.name_zh())) }
                        br; span.code { (held.number) } " · "
                        (language.of("issued on ", "开具于 ")) (held.issued_on)
                        @if let Some(last) = held.expires_on {
                            (language.of(", valid until ", ",有效期至 ")) (last)
                        }
                        " · " (standing(language, &held.standing))
                        @if let Some(record) = recorded(shown, held.index) {
                            (promised(language, record))
                        }
                    }
                }
            }
        }
    }
}

fn standing(language: Language, standing: &Standing) -> String {
    match standing {
        Standing::InForce => language.of("stands", "有效").to_owned(),
        Standing::Voided { .. } => language.of("voided", "已作废").to_owned(),
        Standing::Superseded { number, .. } => {
            format!("{} {number}", language.of("replaced by", "已更正为"))
        }
    }
}

fn recorded(shown: &Shown, index: u64) -> Option<&RecordAnswer> {
    let records = &shown.answer.records;
    records.iter().find(|record| record.index == index)
}

/// The words of the form: what is promised and on what it rests, and whom to
/// ask.
fn promised(language: Language, record: &RecordAnswer) -> Markup {
    let Some((elements, _)) = elements_of(&record.statement) else {
        return html! {};
    };
    html! {
        br; (language.of("By ", "开具人 ")) (story::signer(language, record))
        ul lang="zh-CN" {
            @for pledge in &elements.pledges { li { (pledge.name_zh()) } }
        }
        (language.of("On the basis of: ", "承诺依据:"))
        span lang="zh-CN" {
            @for (place, basis) in elements.bases.iter().enumerate() {
                @if place > 0 { "、" }
                (basis.name_zh())
            }
        }
        @for person in &record.persons {
            br; (language.of("Contact: ", "联系方式:")) (person.name)
            @if let Some(phone) = &person.phone { " " (phone) }
        }
    }
}

fn reasons(language: Language, answer: &UnitAnswer) -> Markup {
    html! {
        h2 { (language.of("Why", "核验项目")) }
        ul { @for reason in &answer.reasons { li { (reason_line(language, reason)) } } }
        p.quiet {
            (language.of("Judged on ", "核验日期 ")) (answer.judged_on) ". "
            (language.of(
                "This says what is recorded and proved, not that food is safe to eat.",
                "以上为账本所记录并可证明的内容,不等于食用安全结论。",
            ))
        }
    }
}

fn reason_line(language: Language, reason: &Reason) -> Markup {
    let sign = match reason.holds {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "–",
    };
    html! { (sign) " " (language.of(&reason.words, &reason.words_zh)) }
}

fn told(language: Language, shown: &Shown) -> Markup {
    html! {
        h2 { (language.of("The story, newest first", "追溯记录(由近及远)")) }
        ol reversed {
            @for record in shown.answer.records.iter().rev() {
                li value=(record.index) {
                    strong { (language.of(record.kind.replace('_', " ").as_str(), record.kind_zh)) }
                    " · " (record.admitted_at) br;
                    (story::said(language, &record.statement))
                    @if record.is_disputed {
                        " · " strong { (language.of("disputed", "存疑")) }
                    }
                    br; span.quiet { (story::signer(language, record)) }
                }
            }
        }
        @if let Some(before) = shown.older_before {
            p {
                a href=(format!("/t/{}?before={before}", shown.code.compact())) {
                    (language.of("Older records", "更早的记录"))
                }
            }
        }
    }
}

fn check_yourself(language: Language, public_url: &str, shown: &Shown) -> Markup {
    let code = shown.code.compact();
    let file = format!("{code}.bundle.json");
    let bundle = format!("/v1/codes/{code}/bundle");
    html! {
        h2 { (language.of("Check it yourself", "自行核验")) }
        p {
            (language.of(
                "You need not believe this page. The evidence is one file, checked without this server:",
                "您不必相信本页面。以下证据包可脱离本服务器核验:",
            ))
            " " a href=(bundle) { (file) }
        }
        pre { (format!(
            "curl -o {file} {public_url}{bundle}\ntrace verify {file} --anchor '{}'",
            shown.anchor
        )) }
        p.quiet {
            (language.of(
                "Compare the anchor with one from a source you trust: a newspaper, the authority, the label's maker.",
                "请将上述信任锚与可信来源(报纸、主管部门等)公布的相对照。",
            ))
        }
    }
}
