//! A unit on an inspector's page: the verdict and why, where all of it is and with
//! whom, its history, and what can be done about it.

use maud::{Markup, html};
use trace_core::record::quantity::BaseUnit;

use super::{
    acting, picture,
    seen::{Checked, Party, Seen},
};
use crate::{
    chart::{Local, Size, chart, tables},
    desk::{
        frame::{self, measured},
        session::SignedIn,
    },
    language::Language,
    page::{cold, goods, papers, story, template},
};

/// The page.
pub(super) fn page(language: Language, signed_in: &SignedIn, seen: &Seen) -> Markup {
    let (shown, code) = (&seen.shown, seen.shown.code);
    let answer = &shown.answer;
    let product = shown.state.made.as_ref().map(|made| made.product.as_str());
    let compact = code.compact();
    html! {
        (template::verdict(language, answer.status, &html! {
            p.quiet { (language.of("Checked on ", "核验日期 ")) (answer.judged_on) }
        }))
        @if let Some(product) = product { p.product { (product) } }
        p.code { (code) }
        @if !seen.is_full { p { (language.of(
            "No part of it was in the area of your token: you are shown what everybody sees.",
            "该单元未经过您令牌所辖地区,以下为公开信息。",
        )) } }
        (why(language, seen))
        (acting::buttons(language, signed_in, seen))
        (goods::what_it_is(language, shown))
        (picture::lineage(language, &seen.back, &seen.forward))
        (whereabouts(language, seen))
        @if let Some(kept) = &answer.kept {
            @let local = Local { language, offset_minutes: shown.offset_minutes };
            h2 { (language.of("Temperatures", "温度")) }
            (chart(kept, Size::Full, local))
            details { summary { (language.of("The same in numbers", "数值表")) } (tables(kept, local)) }
        } @else { (cold::line(language, shown)) }
        (papers::certificates(language, shown))
        (documents(language, seen))
        (story::told(language, shown))
        (contacts(language, seen))
        h2 { (language.of("To take along", "导出")) }
        ul {
            li { a.act href=(format!("/v1/codes/{compact}/bundle")) { (language.of("Signed bundle, checked offline by anybody", "签名证据包(可离线核验)")) } }
            @if seen.is_full {
                li { a.act href=(format!("/inspect/{compact}/recall.xlsx")) { (language.of("Recall sheet, XLSX", "召回清单 XLSX")) } }
                li { a.act href=(format!("/inspect/{compact}/recall.csv")) { (language.of("Recall sheet, CSV", "召回清单 CSV")) } }
            }
            li { a.act href=(format!("/t/{compact}")) { (language.of("The page that shoppers see", "消费者看到的页面")) } }
            li { a.act href="/check" { (language.of("Check a bundle that somebody gave you", "核验他人提供的证据包")) } }
        }
    }
}

/// The checklist: what was just checked, what decides the verdict, what adds up.
fn why(language: Language, seen: &Seen) -> Markup {
    let (sign, words) = match &seen.checked {
        Checked::Sound { records, size } => {
            let words = match language {
                Language::English => format!(
                    "Checked just now: {records} records as they were signed, linked and logged among {size}, \
                     each by a key that had the right. That none was left out is the operator's signed word."
                ),
                Language::Chinese => format!(
                    "刚刚核验:{records} 条记录的签名、链接、收录证明(账本共 {size} 条)及签发权限均成立;\
                     无遗漏一项为运营方的签名声明。"
                ),
            };
            ("✓", words)
        }
        Checked::Unsound(why) => (
            "✗",
            format!(
                "{}{why}",
                language.of("The evidence does not hold: ", "证据不成立:")
            ),
        ),
        Checked::TooLong => (
            "–",
            language
                .of(
                    "Too long a story for one bundle: not checked anew here.",
                    "记录过多,超出单个证据包,此处未重新核验。",
                )
                .to_owned(),
        ),
    };
    let balanced = seen.balance.as_ref().map(|found| {
        let adds_up = found.balance.adds_up(found.made);
        let words = match (adds_up, found.balance.unexplained) {
            (true, 0) => language.of("Quantities add up", "数量平衡").to_owned(),
            (true, missing) => format!(
                "{}{}",
                language.of("Unexplained: ", "去向不明:"),
                measured(language, missing, found.base)
            ),
            (false, _) => language
                .of("Quantities do not add up", "数量不平衡")
                .to_owned(),
        };
        let is_right = adds_up && found.balance.unexplained == 0;
        (if is_right { "✓" } else { "✗" }, words)
    });
    html! {
        h2 { (language.of("Why", "核验项目")) }
        ul.why {
            li data-check="evidence" { (sign) " " (words) }
            @for reason in &seen.shown.answer.reasons {
                li data-check=(reason.check) { (template::reason_line(language, reason)) }
            }
            @if let Some((sign, words)) = &balanced { li data-check="balance" { (sign) " " (words) } }
            @if let Some(sum) = seen.shown.scans {
                li data-check="scans" {
                    (if sum.is_suspicious { "✗" } else { "✓" }) " " (template::scanned(language, sum))
                }
            }
        }
    }
}

/// Where all of it is, and with whom.
fn whereabouts(language: Language, seen: &Seen) -> Markup {
    let Some(found) = &seen.balance else {
        return html! {};
    };
    let (balance, base) = (&found.balance, found.base);
    let lines = [
        (language.of("Made", "产出"), found.made),
        (language.of("Held", "在库"), balance.held),
        (
            language.of("Of that, in cold stores", "其中冷库"),
            found.stored,
        ),
        (language.of("On its way", "在途"), balance.in_transit),
        (
            language.of("Used for other units", "用于加工"),
            balance.transformed,
        ),
        (language.of("Sold", "已售"), balance.sold),
        (language.of("Used", "自用"), balance.consumed),
        (language.of("Destroyed", "已销毁"), balance.destroyed),
        (
            language.of("Returned outside", "退出账本外"),
            balance.returned,
        ),
        (language.of("Handed outside", "交付账本外"), balance.outside),
        (
            language.of("Lost, within the policy", "合理损耗"),
            balance.lost,
        ),
        (language.of("Unexplained", "去向不明"), balance.unexplained),
    ];
    html! {
        h2 { (language.of("Where all of it is", "数量去向")) }
        table { tbody {
            @for (name, amount) in lines.into_iter().filter(|(_, amount)| *amount > 0) {
                tr { th scope="row" { (name) } td { (measured(language, amount, base)) } }
            }
        } }
        h2 { (language.of("Through whose hands", "经手主体")) }
        @if seen.parties.is_empty() { p { (language.of("Nobody but its maker.", "仅生产者。")) } }
        @if !seen.parties.is_empty() {
            div.wide tabindex="0" role="group" aria-label=(language.of("Parties", "经手主体")) {
                table {
                    thead { tr {
                        th scope="col" { (language.of("Who", "主体")) }
                        th scope="col" { (language.of("Area", "所在地")) }
                        th scope="col" { (language.of("Holds", "现存")) }
                        th scope="col" { (language.of("Contact", "联系方式")) }
                    } }
                    tbody { @for party in &seen.parties { (party_row(language, party, base)) } }
                }
            }
        }
    }
}

fn party_row(language: Language, party: &Party, base: BaseUnit) -> Markup {
    let who = &party.who;
    html! {
        tr {
            td {
                a href=(format!("/inspect?ask={}", who.entity)) {
                    (who.name.as_deref().unwrap_or(language.of("a natural person", "自然人")))
                }
            }
            td { (frame::area_name(language, &who.area)) }
            td { (party.held.map_or_else(|| "–".to_owned(), |held| measured(language, held, base))) }
            td {
                @for person in &who.contacts {
                    (person.name) " "
                    @if let Some(phone) = &person.phone { a href=(format!("tel:{phone}")) { (phone) } }
                    br;
                }
            }
        }
    }
}

/// The persons that the records name: who answers for what.
fn contacts(language: Language, seen: &Seen) -> Markup {
    let records = seen.shown.answer.records.iter();
    let named: Vec<_> = records
        .filter(|record| !record.persons.is_empty())
        .collect();
    html! {
        @if seen.is_full && !named.is_empty() {
            h2 { (language.of("Persons named by the records", "记录中的联系人")) }
            ul {
                @for record in named {
                    li {
                        (language.of(record.kind.replace('_', " ").as_str(), record.kind_zh)) ": "
                        @for person in &record.persons {
                            (person.name) " "
                            @if let Some(phone) = &person.phone { a href=(format!("tel:{phone}")) { (phone) } " " }
                        }
                    }
                }
            }
        }
    }
}

/// The documents that its records name by their hashes.
fn documents(language: Language, seen: &Seen) -> Markup {
    let mut hashes = Vec::new();
    for record in &seen.shown.answer.records {
        let said = serde_json::to_value(&record.statement).unwrap_or_default();
        let own = said.get("document").and_then(|it| it.as_str());
        hashes.extend(own.map(|hash| (record.kind_zh, record.kind, hash.to_owned())));
    }
    html! {
        @if !hashes.is_empty() {
            h2 { (language.of("Documents", "文件")) }
            ul {
                @for (kind_zh, kind, hash) in &hashes {
                    li { a.act href=(format!("/inspect/documents/{hash}")) {
                        (language.of(kind.replace('_', " ").as_str(), kind_zh)) " · "
                        span.code { (hash.chars().take(12).collect::<String>()) "…" }
                    } }
                }
            }
        }
    }
}
