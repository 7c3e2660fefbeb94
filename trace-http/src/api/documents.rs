//! `POST /v1/documents` and `GET /v1/documents/{hash}`: documents beside the log.
//!
//! A document is stored first, and named by its hash in a record after. What it
//! is follows from its bytes, and it is served as that alone. Until a record
//! publishes it, it is for inspectors and authorities who oversee whoever named
//! it: to others it looks no different from one that is not there.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trace_core::{
    ledger::{
        documents::{Document, DocumentType, Documents},
        lookup::Audience,
    },
    record::Hash,
    rules::EvidenceFacts,
};
use utoipa::ToSchema;

use super::{
    answer::{json, not_on_ledger, to_json},
    bearer::{Bearer, MaybeBearer},
    office::{Office, beside},
    sight::Sight,
};
use crate::{
    body::{DocumentBody, Parameters},
    problem::{Problem, Refusal},
};

/// What for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    pub(crate) purpose: Option<String>,
}

/// A document that was stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentStored {
    /// SHA-256 of its bytes, hexadecimal: what a record names it by.
    hash: String,
    /// What it is, by its content.
    #[schema(example = "application/pdf")]
    media_type: &'static str,
    /// How long it is.
    bytes: usize,
    /// Where it is served.
    link: String,
}

/// `POST /v1/documents`.
pub async fn put(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    DocumentBody(bytes): DocumentBody,
) -> Result<Response, Problem> {
    let documents = kept(&office)?;
    // Nothing is taken that no record could name.
    office.writer()?;
    // Hashed, written and synced: not on a thread that others wait for.
    let stored = beside(move || documents.put(&bytes)).await??;
    tracing::info!(token = %token.id, hash = %stored.hash, "a document was stored");
    let answer = DocumentStored {
        hash: stored.hash.to_string(),
        media_type: stored.document_type.media_type(),
        bytes: stored.length,
        link: format!("{}/v1/documents/{}", office.public_url, stored.hash),
    };
    Ok(json(StatusCode::CREATED, to_json(&answer)?))
}

/// `GET /v1/documents/{hash}`.
pub async fn document(
    State(office): State<Arc<Office>>,
    MaybeBearer(token): MaybeBearer,
    Path(hash): Path<String>,
    Parameters(Purpose { purpose }): Parameters<Purpose>,
) -> Result<Response, Problem> {
    let hash: Hash = hash.parse()?;
    let absent = || not_on_ledger(format_args!("document {hash}"));
    let view = office.view();
    let state = view.folded().document(&hash)?.ok_or_else(absent)?;
    let is_public = state.published_index.is_some();
    let oversees = Sight::new(&view, token.as_ref()).oversees(&state.named_by)?;
    let audience = match oversees && !is_public {
        true => Audience::Full,
        false => Audience::Public,
    };
    let documents = kept(&office)?;
    let shown = beside(move || documents.show(view.folded(), audience, &hash));
    let document = shown.await??.ok_or_else(absent)?;
    if let (Audience::Full, Some(token)) = (audience, token) {
        office
            .log_lookup(&token, format!("document {hash}"), purpose)
            .await?;
    }
    served(&hash, document, audience)
}

/// The documents of a ledger that can be read: of one that cannot, nobody knows
/// what may be shown to whom.
fn kept(office: &Office) -> Result<Documents, Problem> {
    office.view().entry(0)?;
    let documents = office.documents.clone();
    documents
        .ok_or_else(|| Problem::new(Refusal::ReadOnly).detail("this server keeps no documents"))
}

/// The ending of a file of this type.
fn ending(document_type: DocumentType) -> &'static str {
    match document_type {
        DocumentType::Pdf => "pdf",
        DocumentType::Jpeg => "jpg",
        DocumentType::Png => "png",
    }
}

/// As what it is and nothing else: no sniffing, no scripts, to be kept and not
/// to be shown within the page that led here.
fn served(hash: &Hash, document: Document, audience: Audience) -> Result<Response, Problem> {
    let fixed = HeaderValue::from_static;
    let name = format!(
        "attachment; filename=\"{hash}.{}\"",
        ending(document.document_type)
    );
    let name = HeaderValue::try_from(name).map_err(|_| Problem::new(Refusal::Failed))?;
    let (caching, audience) = match audience {
        Audience::Full => ("no-store", "full"),
        // It may be destroyed: whoever keeps it asks again.
        Audience::Public => ("no-cache", "public"),
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            fixed(document.document_type.media_type()),
        ),
        (header::CONTENT_DISPOSITION, name),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            fixed("default-src 'none'; sandbox"),
        ),
        (header::CACHE_CONTROL, fixed(caching)),
        (header::VARY, fixed("authorization")),
        (
            header::HeaderName::from_static("trace-audience"),
            fixed(audience),
        ),
    ];
    Ok((headers, document.bytes).into_response())
}
