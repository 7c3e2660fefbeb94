//! Bearer tokens of requests (RFC 6750, section 2.1: the header alone).
//!
//! A token says who asks; whether that is enough is decided where it is asked
//! for. A token that is given and not in force is refused even where none is
//! needed: its holder would think to be shown more than is.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use trace_core::{
    error::{Invalid, Rule},
    ledger::tokens::TokenGrant,
};

use super::office::Office;
use crate::problem::Problem;

/// The token of a request that needs one.
#[derive(Debug, Clone, Copy)]
pub struct Bearer(pub TokenGrant);

/// The token of a request that may have one.
#[derive(Debug, Clone, Copy)]
pub struct MaybeBearer(pub Option<TokenGrant>);

impl FromRequestParts<Arc<Office>> for MaybeBearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, office: &Arc<Office>) -> Result<Self, Problem> {
        check(&parts.headers, office).map(Self)
    }
}

impl FromRequestParts<Arc<Office>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, office: &Arc<Office>) -> Result<Self, Problem> {
        let wanted = || Invalid::new(Rule::Token, "wanted Authorization: Bearer and a token");
        let found = check(&parts.headers, office)?;
        found.map(Self).ok_or_else(|| wanted().into())
    }
}

fn check(headers: &HeaderMap, office: &Office) -> Result<Option<TokenGrant>, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    let refuse = |what: &str| Err(Invalid::new(Rule::Token, what).into());
    if given.next().is_some() {
        return refuse("more than one Authorization");
    }
    let text = value.to_str().unwrap_or_default();
    let Some((scheme, token)) = text.split_once(' ') else {
        return refuse("wanted Authorization: Bearer and a token");
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return refuse("wanted the scheme Bearer");
    }
    in_force(office, token.trim_start()).map(Some)
}

/// What a token was made for, if it is in force now.
///
/// # Errors
/// [`Rule::Token`], the same for whatever is wrong with it; a store that fails.
pub(crate) fn in_force(office: &Office, text: &str) -> Result<TokenGrant, Problem> {
    // What the command line revoked a moment ago is refused from now on.
    office.tokens.refresh()?;
    Ok(office.tokens.check(text, office.now_ms())?)
}
