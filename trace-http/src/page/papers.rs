//! The certificates on the page, each openable: issuer, basis, validity, and the
//! words of its form.

use maud::{Markup, html};
use trace_core::{
    ledger::lookup::RecordAnswer,
    record::unit::{CertificateState, Standing},
};

use super::{Shown, story};
use crate::{api::certificates::elements_of, language::Language};

/// All of a unit's certificates.
pub(crate) fn certificates(language: Language, shown: &Shown) -> Markup {
    html! {
        h2 { (language.of("Certificates", "合格证")) }
        @if shown.state.certificates.is_empty() {
            p { (language.of("No certificate is recorded.", "没有合格证记录。")) }
        }
        @for held in &shown.state.certificates { (certificate(language, shown, held)) }
    }
}

fn certificate(language: Language, shown: &Shown, held: &CertificateState) -> Markup {
    let (name, words) = standing(language, &held.standing);
    html! {
        details data-certificate=(held.number) data-standing=(name) {
            summary {
                (language.of(held.form.name(), held.form.name_zh()))
                " · " (words) " · " span.code { (held.number) }
            }
            dl {
                dt { (language.of("Issued on", "开具日期")) }
                dd data-paper="issued_on" { (held.issued_on) }
                @if let Some(last) = held.expires_on {
                    dt { (language.of("Valid until", "有效期至")) }
                    dd data-paper="expires_on" { (last) }
                }
                @if let Some(record) = recorded(shown, held.index) { (promised(language, record)) }
            }
            @if let Standing::Superseded { unit, number, .. } = &held.standing {
                p {
                    (language.of("The new one: ", "新证:")) (number) " · "
                    a.code href=(format!("/t/{}", unit.compact())) { (unit) }
                }
            }
        }
    }
}

/// A standing's name, as the check knows it, and its words.
fn standing(language: Language, standing: &Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::InForce => ("in_force", language.of("stands", "有效")),
        Standing::Voided { .. } => ("voided", language.of("voided", "已作废")),
        Standing::Superseded { .. } => ("superseded", language.of("replaced", "已更正")),
    }
}

fn recorded(shown: &Shown, index: u64) -> Option<&RecordAnswer> {
    let records = &shown.answer.records;
    records.iter().find(|record| record.index == index)
}

/// Who issued it, what is promised and on what it rests, and whom to ask.
fn promised(language: Language, record: &RecordAnswer) -> Markup {
    html! {
        dt { (language.of("Issued by", "开具人")) }
        dd { (story::signer(language, record)) }
        @if let Some((elements, _)) = elements_of(&record.statement) {
            dt { (language.of("Quantity", "数量")) } dd { (elements.quantity) }
            dt { (language.of("Basis", "承诺依据")) }
            dd lang="zh-CN" {
                @for (place, basis) in elements.bases.iter().enumerate() {
                    @if place > 0 { "、" }
                    (basis.name_zh())
                }
            }
            dt { (language.of("Promises", "承诺事项")) }
            dd lang="zh-CN" { @for pledge in &elements.pledges { (pledge.name_zh()) br; } }
        }
        @for person in &record.persons {
            dt { (language.of("Contact", "联系方式")) }
            dd { (person.name) @if let Some(phone) = &person.phone { " " (phone) } }
        }
    }
}
