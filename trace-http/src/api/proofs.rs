//! The log's own evidence: checkpoint, inclusion, consistency (RFC 9162,
//! sections 2.1.3 and 2.1.4; C2SP tlog-checkpoint).

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trace_core::{
    proof::merkle::leaf_hash,
    record::{Hash, base64},
};
use utoipa::ToSchema;

use super::{
    answer::{found, not_on_ledger},
    office::Office,
};
use crate::{
    body::Parameters,
    problem::{Problem, Refusal},
};

/// Which entry, in a log of which size.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionWanted {
    index: Option<u64>,
    hash: Option<String>,
    size: Option<u64>,
}

/// Between which sizes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyWanted {
    from: u64,
    to: Option<u64>,
}

/// That an entry is among the first so many.
#[derive(Debug, Serialize, ToSchema)]
pub struct InclusionAnswer {
    /// The entry's index.
    index: u64,
    /// The size of the log that the path leads to.
    size: u64,
    /// The entry's leaf hash, base 64.
    leaf: String,
    /// From the leaf to the root of that size, base 64.
    path: Vec<String>,
    /// The last checkpoint, which signs the root where `size` is its own.
    checkpoint: String,
}

/// That the first `to` entries begin with the first `from`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsistencyAnswer {
    /// The smaller size.
    from: u64,
    /// The larger size.
    to: u64,
    /// The proof, base 64.
    path: Vec<String>,
    /// The last checkpoint, which signs the root where `to` is its own.
    checkpoint: String,
}

/// `GET /checkpoint`.
pub async fn checkpoint(State(office): State<Arc<Office>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let note = office.view().checkpoint().note().to_owned();
    (headers, note).into_response()
}

/// `GET /v1/proof/inclusion`.
pub async fn inclusion(
    State(office): State<Arc<Office>>,
    Parameters(wanted): Parameters<InclusionWanted>,
) -> Result<Response, Problem> {
    let view = office.view();
    let index = match (wanted.index, wanted.hash) {
        (Some(index), None) => index,
        (None, Some(text)) => {
            let hash: Hash = text.parse()?;
            let index = view.index_of(&hash)?;
            index.ok_or_else(|| not_on_ledger(format_args!("record {hash}")))?
        }
        _ => {
            let problem = Problem::new(Refusal::QueryUnexpected);
            return Err(problem.detail("wanted either index or hash"));
        }
    };
    let size = wanted.size.unwrap_or(view.size());
    let path = view.prove_inclusion(index, size)?;
    let leaf = leaf_hash(&view.entry(index)?.encode());
    found(&InclusionAnswer {
        index,
        size,
        leaf: base64::encode(leaf.as_bytes()),
        path: path_text(&path),
        checkpoint: view.checkpoint().note().to_owned(),
    })
}

/// `GET /v1/proof/consistency`.
pub async fn consistency(
    State(office): State<Arc<Office>>,
    Parameters(wanted): Parameters<ConsistencyWanted>,
) -> Result<Response, Problem> {
    let view = office.view();
    let (from, to) = (wanted.from, wanted.to.unwrap_or(view.size()));
    let path = view.prove_consistency(from, to)?;
    found(&ConsistencyAnswer {
        from,
        to,
        path: path_text(&path),
        checkpoint: view.checkpoint().note().to_owned(),
    })
}

fn path_text(path: &[Hash]) -> Vec<String> {
    path.iter()
        .map(|hash| base64::encode(hash.as_bytes()))
        .collect()
}
