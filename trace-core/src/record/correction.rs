//! Corrections: who may correct a record of each kind, until when, and what
//! that does to balances; what a replacing certificate says, in one hash; and
//! what it says otherwise than the one before, in words.
//!
//! A record is never edited: each correction is a later record of the kinds
//! that the table names.

use super::hash::Hash;
use super::kinds::{Body, KindInfo};
use super::status::{Judgement, Reason};
use serde::Serialize;
use serde_json::Value;

/// Who may correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Corrector {
    /// Nobody: what it says happened is followed by what happened next.
    Nobody,
    /// Its issuer; once somebody received goods under it, the receivers or an
    /// inspector must agree.
    IssuerThenAgreed,
    /// Who issued, made or recalled it, or an authority of that one's area.
    IssuerOrAuthority,
    /// Its receiver, in receiving.
    Receiver,
    /// Who said it.
    Signer,
    /// Who holds the key, or an authority of the holder's area.
    SignerOrAuthority,
    /// Who said it, or an authority or inspector of the maker's area.
    SignerOrOverseer,
    /// Whoever may say it anew: laboratory, inspector or authority.
    Overseer,
    /// An authority of the area, or the root authority.
    Authority,
}

/// Until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Never.
    Never,
    /// As long as it stands.
    WhileStanding,
    /// Until it was used.
    Spent,
    /// Until it was received.
    Received,
    /// At any time; the past stays as it was.
    Always,
}

/// What a correction does to balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// What was spent is carried over, and the new covers no less than that.
    CarriesSpent,
    /// Nothing comes back that was spent; what was made of it is marked.
    RefundsNothing,
    /// What is refused goes back to who handed over.
    GoesBack,
    /// What was barred is free again.
    Frees,
}

/// One way in which records of some kinds are corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CorrectionInfo {
    /// The kinds, by name.
    #[serde(skip)]
    pub kinds: &'static [&'static str],
    /// By a record of one of these kinds; none where nothing corrects it.
    pub through: &'static [&'static str],
    /// By whom.
    pub by: Corrector,
    /// Until when.
    pub until: Until,
    /// With what effect on balances.
    pub effect: Effect,
}

const fn line(
    kinds: &'static [&'static str],
    through: &'static [&'static str],
    by: Corrector,
    until: Until,
    effect: Effect,
) -> CorrectionInfo {
    CorrectionInfo {
        kinds,
        through,
        by,
        until,
        effect,
    }
}

/// How a record of each kind is corrected: every kind has a line, and one for
/// each way.
#[rustfmt::skip]
pub const CORRECTIONS: &[CorrectionInfo] = &[
    line(
        &[
            "electronic_traceability_certificate", "conformity_certificate_2021",
            "conformity_certificate_2026_producer", "conformity_certificate_2026_buyer",
            "quarantine_animal", "quarantine_product", "meat_quality",
        ],
        &["superseded"], Corrector::IssuerThenAgreed, Until::WhileStanding, Effect::CarriesSpent,
    ),
    line(
        &[
            "electronic_traceability_certificate", "conformity_certificate_2021",
            "conformity_certificate_2026_producer", "conformity_certificate_2026_buyer",
            "quarantine_animal", "quarantine_product", "meat_quality",
            "inbound_inspection", "warehouse_released",
        ],
        &["voided", "certificate_voided"], Corrector::IssuerOrAuthority, Until::WhileStanding,
        Effect::RefundsNothing,
    ),
    line(
        &["unit_created", "unit_declared", "transformed"],
        &["voided", "unit_voided"], Corrector::IssuerOrAuthority, Until::WhileStanding, Effect::RefundsNothing,
    ),
    line(&["handed_over"], &["received"], Corrector::Receiver, Until::Received, Effect::GoesBack),
    line(&["held", "sampling_failed"], &["released"], Corrector::SignerOrOverseer, Until::WhileStanding, Effect::Frees),
    line(&["recalled"], &["recall_closed"], Corrector::IssuerOrAuthority, Until::WhileStanding, Effect::Frees),
    line(
        &["laboratory_report", "sampling_result", "sampling_failed"],
        &["laboratory_report", "sampling_result"], Corrector::Overseer, Until::Always, Effect::Nothing,
    ),
    line(&["inspection"], &["finding_rectified"], Corrector::Overseer, Until::WhileStanding, Effect::Nothing),
    line(&["correction_agreed"], &["correction_agreed"], Corrector::Signer, Until::Spent, Effect::Nothing),
    line(&["key_enrolled"], &["key_revoked"], Corrector::SignerOrAuthority, Until::WhileStanding, Effect::Nothing),
    line(&["role_granted"], &["role_withdrawn"], Corrector::Authority, Until::WhileStanding, Effect::Nothing),
    line(&["role_withdrawn"], &["role_granted"], Corrector::Authority, Until::Always, Effect::Nothing),
    line(&["rule_set_adopted"], &["rule_set_adopted"], Corrector::Authority, Until::Always, Effect::Nothing),
    line(&["tolerance_adopted"], &["tolerance_adopted"], Corrector::Authority, Until::Always, Effect::Nothing),
    line(
        &["supervision_policy_adopted"],
        &["supervision_policy_adopted"], Corrector::Authority, Until::Always, Effect::Nothing,
    ),
    line(&["sampling_policy_adopted"], &["sampling_policy_adopted"], Corrector::Authority, Until::Always, Effect::Nothing),
    line(&["temperature_policy_adopted"], &["temperature_policy_adopted"], Corrector::Authority, Until::Always, Effect::Nothing),
    line(&["equipment_registered"], &["equipment_retired"], Corrector::Signer, Until::WhileStanding, Effect::Nothing),
    line(&["equipment_calibrated"], &["equipment_calibrated"], Corrector::Signer, Until::Always, Effect::Nothing),
    line(&["warehouse_booked"], &["warehouse_booked"], Corrector::Signer, Until::WhileStanding, Effect::Nothing),
    // What happened, happened: what follows is recorded in its turn.
    line(
        &[
            "ledger_opened", "entity_registered", "key_revoked", "lookups_sealed",
            "complaint_received",
            "equipment_retired", "segment_sealed", "placed", "taken_out", "alert_acknowledged",
            "received", "checked_in", "disposed", "warehouse_in", "warehouse_out", "warehouse_entered",
            "finding_rectified", "document_published", "voided", "unit_voided", "certificate_voided",
            "superseded",
            "released", "recall_closed", "erasure_requested", "personal_data_erased",
        ],
        &[], Corrector::Nobody, Until::Never, Effect::Nothing,
    ),
];

/// The ways in which records of a kind are corrected.
pub fn of(kind: &KindInfo) -> impl Iterator<Item = &'static CorrectionInfo> {
    CORRECTIONS
        .iter()
        .filter(move |line| line.kinds.contains(&kind.name))
}

/// The fields that say nothing about the goods: who acted, who agreed, and
/// commitments to sections.
const NOT_TERMS: [&str; 4] = ["acted_by", "countersignatures", "persons", "trade"];

/// Where kinds keep the fields that several share.
const SHARED: [&str; 2] = ["certificate", "elements"];

/// What a certificate says, without who acted, who agreed, and its sections:
/// SHA-256(`trace/terms/v1\n` ‖ kind (2) ‖ JSON).
#[must_use]
pub fn terms(body: &Body) -> Hash {
    let mut json = String::new();
    write_terms(&body.to_json(), &mut json);
    let number = body.kind().number.to_be_bytes();
    Hash::of(&[b"trace/terms/v1\n", &number, json.as_bytes()])
}

/// JSON without spaces, keys in order of their bytes.
fn write_terms(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.retain(|(name, _)| !NOT_TERMS.contains(&name.as_str()));
            fields.sort_unstable_by_key(|(name, _)| name.as_bytes());
            out.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_terms(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_terms(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// A field that a replacing certificate says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub field: String,
    /// What was said; empty where nothing was.
    pub before: String,
    /// What is said now.
    pub after: String,
}

/// What the one certificate says otherwise than the other, by field; the
/// numbers differ always and are left out.
#[must_use]
pub fn changes(before: &Body, after: &Body) -> Vec<Change> {
    let (old, new) = (fields(before), fields(after));
    let mut names: Vec<&String> = old.iter().chain(&new).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let said = |all: &[(String, String)], name: &str| {
        let found = all.iter().find(|(own, _)| own == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let changes = names.into_iter().filter_map(|name| {
        let (before, after) = (said(&old, name), said(&new, name));
        (before != after).then(|| Change {
            field: name.clone(),
            before,
            after,
        })
    });
    changes.collect()
}

fn fields(body: &Body) -> Vec<(String, String)> {
    let mut found = vec![("form".to_owned(), body.kind().name_zh.to_owned())];
    let mut collect = |fields: &serde_json::Map<String, Value>| {
        for (name, value) in fields {
            let is_left_out = NOT_TERMS.contains(&name.as_str())
                || SHARED.contains(&name.as_str())
                || name == "number";
            if is_left_out {
                continue;
            }
            let said = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            found.push((name.clone(), said));
        }
    };
    if let Value::Object(own) = body.to_json() {
        collect(&own);
        for shared in SHARED {
            if let Some(Value::Object(shared)) = own.get(shared) {
                collect(shared);
            }
        }
    }
    found
}

/// The words of the forms for the fields that are corrected most.
fn name_zh(field: &str) -> &str {
    match field {
        "form" => "表样",
        "product" => "产品名称",
        "quantity" => "数量",
        "unit" => "追溯码",
        "origin_area" => "产地区划",
        "origin_place" => "产地",
        "issued_on" => "开具日期",
        "produced_on" => "生产日期",
        "expires_on" => "有效期至",
        "bases" => "承诺依据",
        "pledges" => "承诺事项",
        other => other,
    }
}

/// Says in a unit's checklist what its replaced certificate says otherwise,
/// once the new one, issued at `index`, is there.
pub fn tell(judgement: &mut Judgement, before: &Body, after: &Body, index: u64) {
    let changes = changes(before, after);
    let said = |text: &str| match text.is_empty() {
        true => "—".to_owned(),
        false => text.to_owned(),
    };
    let list = |name: fn(&str) -> &str, between: &str| {
        let lines = changes.iter().map(|change| {
            let (before, after) = (said(&change.before), said(&change.after));
            format!("{} {before} → {after}", name(&change.field))
        });
        lines.collect::<Vec<_>>().join(between)
    };
    let (words, words_zh) = match changes.is_empty() {
        true => (
            "Corrected: nothing of what it says changed but its number".to_owned(),
            "已更正:除证号外内容未变".to_owned(),
        ),
        false => (
            format!("Corrected: {}", list(|name| name, "; ")),
            format!("已更正:{}", list(name_zh, ";")),
        ),
    };
    judgement.reasons.push(Reason {
        check: "correction",
        holds: None,
        words,
        words_zh,
        index: Some(index),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kinds::KINDS;

    #[test]
    fn every_kind_declares_how_it_is_corrected_and_by_kinds_that_there_are() {
        for kind in KINDS {
            let ways: Vec<_> = of(kind).collect();
            assert!(!ways.is_empty(), "{}", kind.name);
            for way in &ways {
                let is_final = way.by == Corrector::Nobody;
                assert_eq!(is_final, way.through.is_empty(), "{}", kind.name);
                assert!(!is_final || ways.len() == 1, "{}", kind.name);
            }
        }
        for line in CORRECTIONS {
            for name in line.kinds.iter().chain(line.through) {
                let is_kind = KINDS.iter().any(|kind| kind.name == *name);
                assert!(is_kind, "{name}");
            }
        }
    }
}
