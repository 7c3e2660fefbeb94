//! How far a token sees: which makers' units and acts it may be shown in full.
//!
//! One rule everywhere: an inspector's or authority's token sees in full what
//! concerns entities of the area that it reaches. A right is looked up once for
//! each entity of an answer.

use std::collections::HashMap;

use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, EntityId, TraceCode},
    ledger::{Failed, View, tokens::TokenGrant},
    record::{Role, rights::Registry, unit::Made},
};

use super::{answer::not_on_ledger, bearer::Bearer};
use crate::problem::Problem;

/// What one token sees of one moment.
pub struct Sight<'a> {
    view: &'a View,
    token: Option<&'a TokenGrant>,
    known: HashMap<EntityId, bool>,
}

impl<'a> Sight<'a> {
    /// The sight of a token, or of anyone.
    #[must_use]
    pub fn new(view: &'a View, token: Option<&'a TokenGrant>) -> Self {
        Self {
            view,
            token,
            known: HashMap::new(),
        }
    }

    /// Whether what concerns an entity is shown in full.
    ///
    /// # Errors
    /// [`Store`](trace_core::error::Store).
    pub fn oversees(&mut self, entity: &EntityId) -> Result<bool, Failed> {
        let Some(token) = self.token else {
            return Ok(false);
        };
        if let Some(known) = self.known.get(entity) {
            return Ok(*known);
        }
        let state = self.view.folded().entity(entity)?;
        let area = state.and_then(|state| Area::try_from(state.area).ok());
        let oversees = match area {
            Some(area) => reads_in_full(self.view, token, area)?,
            None => false,
        };
        self.known.insert(*entity, oversees);
        Ok(oversees)
    }

    /// Whether what concerns all of an area is shown in full.
    ///
    /// # Errors
    /// [`Store`](trace_core::error::Store).
    pub fn reaches(&self, area: Area) -> Result<bool, Failed> {
        match self.token {
            Some(token) => reads_in_full(self.view, token, area),
            None => Ok(false),
        }
    }
}

/// Whether a token reads in full what concerns an area: made for an inspector
/// or an authority, reaching there, and its entity still holds that role there.
fn reads_in_full(view: &View, token: &TokenGrant, area: Area) -> Result<bool, Failed> {
    let grant = &token.grant;
    if !matches!(grant.role, Role::Inspector | Role::Authority) || !grant.covers(area) {
        return Ok(false);
    }
    let Some(entity) = grant.entity else {
        return Ok(true);
    };
    let held = view.folded().entity(&entity)?;
    Ok(held.is_some_and(|held| {
        held.grants.iter().any(|own| {
            own.role == grant.role && Area::try_from(own.area).is_ok_and(|own| own.covers(area))
        })
    }))
}

/// How a unit on the ledger began.
///
/// # Errors
/// [`Refusal::NotOnLedger`](crate::problem::Refusal::NotOnLedger).
pub fn made(view: &View, code: TraceCode) -> Result<Made, Problem> {
    let state = view.folded().unit(&code)?;
    state
        .and_then(|state| state.made)
        .ok_or_else(|| not_on_ledger(code))
}

/// Refuses a token that does not oversee an entity.
///
/// # Errors
/// [`Rule::Right`], naming neither the entity's area nor the token's.
pub fn check_oversees(
    view: &View,
    Bearer(token): &Bearer,
    entity: &EntityId,
) -> Result<(), Problem> {
    match Sight::new(view, Some(token)).oversees(entity)? {
        true => Ok(()),
        false => Err(not_overseen()),
    }
}

/// That a token does not oversee what was asked for.
#[must_use]
pub fn not_overseen() -> Problem {
    let what = "wanted an inspector's or authority's token that reaches the area";
    Invalid::new(Rule::Right, what).into()
}
