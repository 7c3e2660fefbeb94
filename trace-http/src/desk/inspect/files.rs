//! What an inspector takes along: the recall sheet for a spreadsheet, documents that
//! are not public. The API's own answers, for whoever signed in on a page.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    api::{
        Office,
        bearer::{Bearer, MaybeBearer},
        documents, recall,
    },
    body::Parameters,
    desk::{frame, session::SignedIn},
    language::Language,
    sheet::grid::SheetFormat,
};

/// `GET /inspect/{code}/recall.xlsx`.
pub async fn xlsx(
    office: State<Arc<Office>>,
    signed_in: SignedIn,
    code: Path<String>,
    headers: HeaderMap,
) -> Response {
    sheet(office, signed_in, code, headers, SheetFormat::Xlsx).await
}

/// `GET /inspect/{code}/recall.csv`.
pub async fn csv(
    office: State<Arc<Office>>,
    signed_in: SignedIn,
    code: Path<String>,
    headers: HeaderMap,
) -> Response {
    sheet(office, signed_in, code, headers, SheetFormat::Csv).await
}

async fn sheet(
    office: State<Arc<Office>>,
    signed_in: SignedIn,
    code: Path<String>,
    mut headers: HeaderMap,
    format: SheetFormat,
) -> Response {
    let language = Language::preferred(&headers);
    let wanted = HeaderValue::from_static(format.media_range());
    headers.insert(header::ACCEPT, wanted);
    let page = Parameters(recall::Page {
        until: None,
        purpose: None,
    });
    let made = recall::sheet(office, Bearer(signed_in.0), code, page, headers);
    made.await
        .unwrap_or_else(|problem| frame::refused(language, Some(&signed_in), &problem))
}

/// `GET /inspect/documents/{hash}`.
pub async fn document(
    office: State<Arc<Office>>,
    signed_in: SignedIn,
    hash: Path<String>,
    headers: HeaderMap,
) -> Response {
    let language = Language::preferred(&headers);
    let purpose = Parameters(documents::Purpose { purpose: None });
    let found = documents::document(office, MaybeBearer(Some(signed_in.0)), hash, purpose).await;
    found
        .map(IntoResponse::into_response)
        .unwrap_or_else(|problem| frame::refused(language, Some(&signed_in), &problem))
}
