//! Files for those who signed in: the API's own sheets and documents, byte for
//! byte, for a browser that has a cookie and no way to send a token. The API's
//! handlers answer, so that right, log and bytes are theirs.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use trace_core::error::{Invalid, Rule};

use super::check_overseer;
use crate::{
    api::{
        Office, balances,
        bearer::{Bearer, MaybeBearer},
        documents, questions, recall,
    },
    body::Parameters,
    desk::{frame, session::SignedIn},
    language::Language,
    problem::Problem,
    sheet::grid::SheetFormat,
};

/// `GET /inspect/codes/{code}/recall/{format}`: the recall sheet.
pub async fn recall(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Path((code, format)): Path<(String, String)>,
    headers: HeaderMap,
    page: Result<Parameters<recall::Page>, Problem>,
) -> Response {
    let asked = asked(&office, &signed_in, &format, &headers, page);
    let answer = match asked {
        Ok((bearer, page, headers)) => {
            recall::sheet(State(office), bearer, Path(code), page, headers).await
        }
        Err(problem) => Err(problem),
    };
    answered(&signed_in, &headers, answer)
}

/// `GET /inspect/entities/{id}/balance/{format}`: an entity's balance.
pub async fn balance(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Path((id, format)): Path<(String, String)>,
    headers: HeaderMap,
    page: Result<Parameters<balances::PeriodPage>, Problem>,
) -> Response {
    let asked = asked(&office, &signed_in, &format, &headers, page);
    let answer = match asked {
        Ok((bearer, page, headers)) => {
            balances::of_entity(State(office), bearer, Path(id), page, headers).await
        }
        Err(problem) => Err(problem),
    };
    answered(&signed_in, &headers, answer)
}

/// `GET /inspect/questions/{format}`: open questions of the token's area.
pub async fn questions(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Path(format): Path<String>,
    headers: HeaderMap,
    page: Result<Parameters<questions::Page>, Problem>,
) -> Response {
    let asked = asked(&office, &signed_in, &format, &headers, page);
    let answer = match asked {
        Ok((bearer, page, headers)) => {
            questions::questions(State(office), bearer, page, headers).await
        }
        Err(problem) => Err(problem),
    };
    answered(&signed_in, &headers, answer)
}

/// `GET /inspect/documents/{hash}`: a document that a record names.
pub async fn document(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Path(hash): Path<String>,
    headers: HeaderMap,
    page: Result<Parameters<documents::Purpose>, Problem>,
) -> Response {
    let token = MaybeBearer(Some(signed_in.0));
    let answer = match check_overseer(&signed_in).map_err(Problem::from).and(page) {
        Ok(page) => documents::document(State(office), token, Path(hash), page).await,
        Err(problem) => Err(problem),
    };
    answered(&signed_in, &headers, answer)
}

/// What the API is asked: by the token of the cookie, for a sheet of this format.
fn asked<T>(
    office: &Office,
    signed_in: &SignedIn,
    format: &str,
    headers: &HeaderMap,
    page: Result<T, Problem>,
) -> Result<(Bearer, T, HeaderMap), Problem> {
    check_overseer(signed_in)?;
    office.readable()?;
    let mut known = SheetFormat::ALL.iter();
    let format = known.find(|known| known.ending() == format);
    let format = format.ok_or_else(|| {
        let what = "a sheet is csv or xlsx";
        Invalid::new(Rule::Range, what)
    })?;
    let mut headers = headers.clone();
    let accepted = HeaderValue::from_static(format.media_range());
    headers.insert(header::ACCEPT, accepted);
    Ok((Bearer(signed_in.0), page?, headers))
}

/// The API's answer; a refusal as a page.
fn answered(
    signed_in: &SignedIn,
    headers: &HeaderMap,
    answer: Result<Response, Problem>,
) -> Response {
    answer.unwrap_or_else(|problem| {
        frame::refused(Language::preferred(headers), Some(signed_in), &problem)
    })
}
