//! The page in its order: the verdict first, then what it is about, the cold
//! chain, the journey, the certificates, and how to check all of it without
//! believing this server.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use trace_core::{
    ledger::{lookup::UnitAnswer, scans::Sum},
    record::{Status, status::Reason},
};

use super::{Shown, cold, goods, papers, script::script, state, story, style::STYLE};
use crate::language::Language;

/// A page without a unit to show.
pub(super) fn bare(language: Language, status: Status, typed: &str, why: &str) -> Markup {
    let typed: String = typed.chars().take(64).collect();
    let advice = state::of(status).advice;
    let body = html! {
        (tongues(language, ""))
        (verdict(language, status, &html! {
            p { (language.of(advice.0, advice.1)) }
        }))
        p.code { (typed) }
        @if !why.is_empty() { p { (why) } }
        (report(language, None))
    };
    shell(language, words(language, status), &body)
}

/// A page about a unit.
pub(super) fn unit(language: Language, public_url: &str, shown: &Shown) -> Markup {
    let answer = &shown.answer;
    let made = shown.state.made.as_ref();
    let product = made.map(|made| made.product.as_str());
    let title = format!(
        "{} · {}",
        product.unwrap_or_default(),
        words(language, answer.status)
    );
    let advice = match answer.status {
        Status::PastDate => goods::past_date(language, shown, &answer.judged_on),
        _ => None,
    };
    let general = state::of(answer.status).advice;
    let body = html! {
        (tongues(language, &before(shown)))
        (verdict(language, answer.status, &html! {
            p { (advice.unwrap_or(language.of(general.0, general.1))) }
            (barred(language, answer))
            @if let Some(to) = &answer.replaced_by {
                p {
                    (language.of("Replaced by certificate ", "已更正为合格证 ")) (to.number) ": "
                    a href=(format!("/t/{}", to.code.compact())) { (to.code) }
                }
            }
            p.quiet { (language.of("Checked on ", "核验日期 ")) (answer.judged_on) }
        }))
        @if let Some(product) = product { p.product data-shows="product" { (product) } }
        p.code data-shows="code" { (shown.code) }
        (goods::what_it_is(language, shown))
        (goods::made_of(language, shown))
        (cold::line(language, shown, true))
        (story::told(language, shown))
        (papers::certificates(language, shown))
        (reasons(language, answer))
        (scans(language, shown.scans))
        (report(language, shown.takes_reports.then_some(shown)))
        (check_yourself(language, public_url, shown))
    };
    shell(language, &title, &body)
}

/// A whole page with the pages' style.
pub(crate) fn shell(language: Language, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
}

pub(crate) fn words(language: Language, status: Status) -> &'static str {
    language.of(status.words(), status.words_zh())
}

/// The same page in the other language.
pub(crate) fn tongues(language: Language, before: &str) -> Markup {
    let (tag, lang, name) = match language {
        Language::Chinese => ("en", "en", "English"),
        Language::English => ("zh", "zh-CN", "中文"),
    };
    html! {
        nav aria-label=(language.of("Language", "语言")) {
            a href=(format!("?lang={tag}{before}")) lang=(lang) hreflang=(lang) { (name) }
        }
    }
}

/// What of the address a link to the same part repeats.
fn before(shown: &Shown) -> String {
    match (shown.is_older, shown.answer.records.last()) {
        (true, Some(last)) => format!("&before={}", last.index + 1),
        _ => String::new(),
    }
}

/// Picture, words in both languages, and what to do.
pub(crate) fn verdict(language: Language, status: Status, more: &Markup) -> Markup {
    let tone = state::of(status).tone;
    let (other, lang) = match language {
        Language::Chinese => (status.words(), "en"),
        Language::English => (status.words_zh(), "zh-CN"),
    };
    html! {
        div class=(format!("verdict {}", tone.class())) data-status=(status.name()) {
            (tone.icon())
            div {
                h1 { (words(language, status)) " " small lang=(lang) { (other) } }
                (more)
            }
        }
    }
}

/// Recall and hold are said before anything else, also where another status
/// outweighs them.
pub(crate) fn barred(language: Language, answer: &UnitAnswer) -> Markup {
    let is_bar =
        |reason: &&Reason| reason.holds == Some(false) && matches!(reason.check, "recall" | "hold");
    html! {
        @for reason in answer.reasons.iter().filter(is_bar) {
            p { strong { (reason_line(language, reason)) } }
        }
    }
}

pub(crate) fn reasons(language: Language, answer: &UnitAnswer) -> Markup {
    html! {
        h2 { (language.of("Why", "核验项目")) }
        ul { @for reason in &answer.reasons { li { (reason_line(language, reason)) } } }
        p.quiet {
            (language.of(
                "This says what is recorded and proved, not that food is safe to eat.",
                "以上为账本所记录并可证明的内容,不等于食用安全结论。",
            ))
        }
    }
}

/// How often the page was opened: the server's word, and only of one thing a
/// reason to suspect.
fn scans(language: Language, sum: Option<Sum>) -> Markup {
    html! {
        h2 { (language.of("Scans", "扫码情况")) }
        @match sum {
            Some(sum) => {
                p { (scanned(language, sum)) }
                p.quiet { (language.of(
                    "The server's own count; of who opened the page nothing is kept. The same code on two things means that one was copied.",
                    "由本服务器统计,不保留扫码者的任何信息。同一追溯码出现在两件商品上,说明其中之一系复制。",
                )) }
            }
            None => {
                p { (language.of(
                    "Scans of this code are not counted. The same code on two things means that one was copied.",
                    "本账本未统计扫码次数。同一追溯码出现在两件商品上,说明其中之一系复制。",
                )) }
            }
        }
    }
}

pub(crate) fn scanned(language: Language, sum: Sum) -> String {
    let Sum {
        today,
        week,
        prefectures,
        is_suspicious,
    } = sum;
    match language {
        Language::Chinese => {
            let places = match prefectures {
                0 => String::new(),
                count => format!(",来自 {count} 个地市"),
            };
            let more = if is_suspicious {
                "。一件商品不会如此:可能有人复制了追溯码"
            } else {
                ""
            };
            format!("今日 {today} 次,近七日 {week} 次{places}{more}。")
        }
        Language::English => {
            let places = match prefectures {
                0 => String::new(),
                1 => ", in one prefecture".into(),
                count => format!(", in {count} prefectures"),
            };
            let more = match is_suspicious {
                true => ": more than one thing can be, so the code may have been copied",
                false => "",
            };
            let times = |count: u64| match count {
                1 => "once".to_owned(),
                count => format!("{count} times"),
            };
            let (today, week) = (times(today), times(week));
            format!("Opened {today} today, {week} in seven days{places}{more}.")
        }
    }
}

pub(crate) fn reason_line(language: Language, reason: &Reason) -> Markup {
    let sign = match reason.holds {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "–",
    };
    html! { (sign) " " (language.of(&reason.words, &reason.words_zh)) }
}

/// How to report: 12315 and 12331 are the nation's telephone lines for
/// consumers and for food.
fn report(language: Language, shown: Option<&Shown>) -> Markup {
    html! {
        h2 { (language.of("Something wrong? Report it", "发现问题?投诉举报")) }
        p {
            (language.of(
                "Keep the goods, the label and the receipt. Telephone ",
                "请保留商品、标签和购物凭证,拨打",
            ))
            a.act href="tel:12315" { "12315" }
            (language.of(" and give the trace code.", "并提供追溯码。"))
        }
        @if let Some(shown) = shown {
            p { a.act href=(format!("/t/{}/report", shown.code.compact())) {
                (language.of("Write to the inspectors of the area", "在线投诉举报"))
            } }
        }
    }
}

fn check_yourself(language: Language, public_url: &str, shown: &Shown) -> Markup {
    let code = shown.code.compact();
    let file = format!("{code}.bundle.json");
    let bundle = format!("/v1/codes/{code}/bundle");
    let check = script();
    html! {
        h2 { (language.of("Check it yourself", "自行核验")) }
        div id="checked" class="checked" role="status"
            data-anchor=(shown.anchor) data-bundle=(bundle)
            data-judged=(shown.answer.judged_on) data-size=(shown.size) {
            p { (language.of(
                "Not checked in this browser yet: that needs JavaScript. All of the page can be read without.",
                "尚未在此浏览器中核验(需要 JavaScript);阅读本页不需要。",
            )) }
        }
        p {
            (language.of(
                "You need not believe this page. The evidence is one file, checked without this server:",
                "您不必相信本页面。以下证据包可脱离本服务器核验:",
            ))
            " " a.act href=(bundle) download=(file) { (file) }
        }
        pre tabindex="0" { (format!(
            "curl -o {file} {public_url}{bundle}\ntrace verify {file} --anchor '{}'",
            shown.anchor
        )) }
        p {
            a.act href="/check" {
                (language.of("A page to keep, which checks saved files offline", "可保存的离线核验页面"))
            }
        }
        p.quiet {
            (language.of(
                "Compare the anchor with one from a source you trust: a newspaper, the authority, the label's maker.",
                "请将上述信任锚与可信来源(报纸、主管部门等)公布的相对照。",
            ))
        }
        script type="module" src=(check.path) integrity=(format!("sha256-{}", check.hash)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_page_with_its_own_words_in_both_languages_and_a_picture() {
        for status in Status::ALL {
            for language in [Language::Chinese, Language::English] {
                let page = bare(language, *status, "<b>", "").into_string();
                let name = format!("data-status=\"{}\"", status.name());
                for part in [
                    &name,
                    status.words(),
                    status.words_zh(),
                    "<svg",
                    "&lt;b&gt;",
                ] {
                    assert!(page.contains(part), "{status:?}: {part}");
                }
                assert!(!page.contains("<b>"));
            }
        }
    }
}
