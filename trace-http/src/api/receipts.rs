//! What became of records: the receipt of each that was admitted, the refusal
//! of each that was not.

use serde::Serialize;
use trace_core::{
    error::{Invalid, Rule},
    ledger::{
        Failed, View,
        job::{Admitted, Refusal},
    },
    proof::receipt::Receipt,
    record::{Entry, Hash},
};
use utoipa::ToSchema;

use crate::{language::Language, problem::Problem};

/// What became of one record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordResult {
    /// It stands in the log.
    Admitted(AdmittedRecord),
    /// It does not.
    Refused(RefusedRecord),
}

/// A record that stands in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdmittedRecord {
    /// Its index, for ever.
    index: u64,
    /// Its hash.
    #[schema(value_type = String)]
    hash: Hash,
    /// Whether it stood there before this request.
    duplicate: bool,
    /// That it does, to be kept: see the schema `Receipt`.
    #[schema(value_type = Object)]
    receipt: Receipt,
}

/// A record that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedRecord {
    /// The rule, a stable code of `/problems`.
    code: &'static str,
    /// What was found and what was wanted.
    detail: String,
    /// What to do about it.
    remedy: &'static str,
    /// The hash of the record that stands against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    record: Option<Hash>,
    /// Where the signer's chain stands, when that was the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_sequence: Option<u64>,
    /// The link that the next record must state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    expected_link: Option<Hash>,
}

/// The entry at `index` with its receipt, under the checkpoint of `view`.
///
/// # Errors
/// [`Store`](trace_core::error::Store).
pub fn receipt(view: &View, index: u64) -> Result<(Entry, Receipt), Failed> {
    let entry = view.entry(index)?;
    let receipt = Receipt {
        admitted_ms: entry.admitted_ms,
        algorithm: entry.signed.algorithm(),
        signature: *entry.signed.signature(),
        index,
        path: view.prove_inclusion(index, view.size())?,
        checkpoint: view.checkpoint().note().to_owned(),
    };
    Ok((entry, receipt))
}

impl RecordResult {
    /// With its receipt.
    ///
    /// # Errors
    /// As of [`receipt`].
    pub fn admitted(view: &View, admitted: &Admitted) -> Result<Self, Failed> {
        let (_, receipt) = receipt(view, admitted.index)?;
        Ok(Self::Admitted(AdmittedRecord {
            index: admitted.index,
            hash: admitted.hash,
            duplicate: admitted.is_duplicate,
            receipt,
        }))
    }

    /// With the rule and the numbers, in one language.
    #[must_use]
    pub fn refused(refusal: &Refusal, language: Language) -> Self {
        let Invalid { rule, what, record } = &refusal.invalid;
        Self::Refused(RefusedRecord {
            code: rule.code(),
            detail: what.clone(),
            remedy: language.of(rule.remedy(), rule.remedy_zh()),
            record: record.map(Hash::from),
            expected_sequence: refusal.expected.map(|chain| chain.sequence),
            expected_link: refusal.expected.map(|chain| chain.link),
        })
    }

    /// Whether it is new in the log.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self, Self::Admitted(record) if !record.duplicate)
    }

    /// Whether it was refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// One refused record as a whole answer: 409 with what was expected for a
/// chain out of step, else the status of its rule.
#[must_use]
pub fn problem_of(refusal: &Refusal) -> Problem {
    let problem = Problem::from(refusal.invalid.clone());
    match refusal.expected {
        Some(chain) => problem
            .field("expected_sequence", chain.sequence)
            .field("expected_link", chain.link.to_string()),
        None => problem,
    }
}

/// A refusal without expected values.
#[must_use]
pub fn refusal(invalid: Invalid) -> Refusal {
    Refusal {
        invalid,
        expected: None,
    }
}

/// What the other records of an atomic request are refused with.
#[must_use]
pub fn of_group(place: usize, count: usize, cause: &Refusal) -> Refusal {
    let code = cause.invalid.rule.code();
    let what = format!("record {} of {count} was refused by {code}", place + 1);
    refusal(Invalid::new(Rule::Group, what))
}
