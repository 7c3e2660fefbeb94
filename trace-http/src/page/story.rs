//! The journey: records as lines of a story, what each says in words, public
//! fields only.

use std::collections::BTreeSet;

use maud::{Markup, html};
use trace_core::{
    ledger::lookup::RecordAnswer,
    record::{Body, warehouse::WarehouseEntry},
};

use super::Shown;
use crate::{api::certificates::elements_of, language::Language};

/// The journey, newest first: firms, not people.
pub(crate) fn told(language: Language, shown: &Shown) -> Markup {
    let part = shown.is_older.then_some("older");
    html! {
        h2 { (language.of("The journey, newest first", "流转记录(由近及远)")) }
        ol reversed data-part=[part] {
            @for record in shown.answer.records.iter().rev() {
                li value=(record.index) data-record=(record.index) data-kind=(record.kind) {
                    strong { (language.of(record.kind.replace('_', " ").as_str(), record.kind_zh)) }
                    " · " time datetime=(record.admitted_at) { (minute(&record.admitted_at)) }
                    @let said = said(language, &record.statement);
                    @if !said.is_empty() { br; (said) }
                    @if record.is_disputed {
                        " · " strong { (language.of("disputed", "存疑")) }
                    }
                    br; span.quiet data-signer { (signer(language, record)) }
                }
            }
        }
        @if let Some(before) = shown.older_before {
            p {
                a.act href=(format!("/t/{}?before={before}", shown.code.compact())) {
                    (language.of("Older records", "更早的记录"))
                }
            }
        }
    }
}

/// A time as people read it: date, hour and minute where it happened.
fn minute(moment: &str) -> String {
    moment
        .chars()
        .take(16)
        .collect::<String>()
        .replace('T', " ")
}

/// What a record says beyond its kind; empty where the kind says it all.
fn said(language: Language, body: &Body) -> String {
    if let Some((elements, _)) = elements_of(body) {
        return format!("{} · {}", elements.number, elements.quantity);
    }
    match body {
        Body::UnitCreated(body) => format!("{} · {}", body.product, body.quantity),
        Body::WarehouseIn(body) => measured(language, &body.0),
        Body::WarehouseOut(body) => measured(language, &body.0),
        Body::Voided(body) => match &body.number {
            Some(number) => format!("{number} · {}", body.reason),
            None => body.reason.clone(),
        },
        Body::CertificateVoided(body) => format!("{} · {}", body.number, body.reason),
        Body::Superseded(body) => format!(
            "{} → {} · {}",
            body.number, body.replacement_number, body.reason
        ),
        Body::UnitDeclared(body) => format!(
            "{} · {} {}",
            body.product, body.paper.name, body.paper.number
        ),
        Body::Transformed(body) => {
            let products = body.outputs.iter().map(|output| output.product.as_str());
            let products: BTreeSet<&str> = products.collect();
            format!(
                "{} → {} · {}",
                body.inputs.len(),
                body.outputs.len(),
                products.into_iter().collect::<Vec<_>>().join("、")
            )
        }
        Body::Held(body) => body.reason.clone(),
        Body::Released(body) => body.reason.clone(),
        Body::Recalled(body) => body.reason.clone(),
        Body::RecallClosed(body) => body.reason.clone(),
        _ => String::new(),
    }
}

fn measured(language: Language, entry: &WarehouseEntry) -> String {
    match entry.temperature_milli_c {
        Some(found) => celsius(found),
        None => language
            .of("no temperature recorded", "未登记温度")
            .to_owned(),
    }
}

/// Thousandths of a degree as degrees with one decimal, rounded away from zero
/// at the half, so that a limit is never passed by rounding alone unseen.
fn celsius(milli: i32) -> String {
    let tenths = (milli.unsigned_abs() + 50) / 100;
    let sign = if milli < 0 && tenths > 0 { "-" } else { "" };
    format!("{sign}{}.{} °C", tenths / 10, tenths % 10)
}

/// Who signed: the registered name, or that it is a natural person.
pub(crate) fn signer(language: Language, record: &RecordAnswer) -> String {
    match &record.signer.name {
        Some(name) => name.clone(),
        None => language.of("a natural person", "自然人").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_degrees_with_one_decimal() {
        for (milli, text) in [
            (-18_000, "-18.0 °C"),
            (-17_960, "-18.0 °C"),
            (-17_940, "-17.9 °C"),
            (-40, "0.0 °C"),
            (0, "0.0 °C"),
            (2_050, "2.1 °C"),
            (i32::MIN, "-2147483.6 °C"),
        ] {
            assert_eq!(celsius(milli), text);
        }
    }
}
