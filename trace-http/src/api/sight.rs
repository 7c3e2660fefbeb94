//! How far a token sees: which entities, units and acts it may be shown in full.
//!
//! One rule everywhere: an inspector's or authority's token sees in full what
//! concerns entities of the area that it reaches, and a unit where one of them
//! made it, holds or held some of it, was handed some of it, or keeps or kept it
//! in a cold store. Whoever answers for a market must be able to look into what
//! passed through it, also when all of it went on and even when it was turned
//! away: goods that are found bad later were there. A county through which
//! nothing of a unit went sees what everybody sees. A right is looked up once for
//! each entity of an answer, and every answer in full is logged.

use std::collections::HashMap;

use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, EntityId, TraceCode},
    ledger::{Failed, View, parties::parties, tokens::TokenGrant},
    record::{Role, rights::Registry, unit::Made},
};

use super::{answer::not_on_ledger, bearer::Bearer};
use crate::problem::Problem;

/// Most holders, and most transfers, of one unit that are looked through for one
/// in the token's area: a wholesale batch goes to some hundred buyers.
const PARTIES_MAX: usize = 1_024;

/// Most units of one answer whose parties are looked through; a graph that goes
/// on is asked for from where it does.
const UNITS_MAX: usize = 1_024;

/// What one token sees of one moment.
pub struct Sight<'a> {
    view: &'a View,
    token: Option<&'a TokenGrant>,
    known: HashMap<EntityId, bool>,
    units: HashMap<TraceCode, bool>,
}

impl<'a> Sight<'a> {
    /// The sight of a token, or of anyone.
    #[must_use]
    pub fn new(view: &'a View, token: Option<&'a TokenGrant>) -> Self {
        Self {
            view,
            token,
            known: HashMap::new(),
            units: HashMap::new(),
        }
    }

    /// Whether a unit that `maker` made is shown in full.
    ///
    /// # Errors
    /// [`Store`](trace_core::error::Store).
    pub fn sees(&mut self, unit: TraceCode, maker: &EntityId) -> Result<bool, Failed> {
        if self.oversees(maker)? {
            return Ok(true);
        }
        if !self.token.is_some_and(is_overseers) {
            return Ok(false);
        }
        if let Some(known) = self.units.get(&unit) {
            return Ok(*known);
        }
        if self.units.len() >= UNITS_MAX {
            return Ok(false);
        }
        let mut sees = false;
        for party in parties(self.view, unit, PARTIES_MAX)? {
            if self.oversees(&party)? {
                sees = true;
                break;
            }
        }
        self.units.insert(unit, sees);
        Ok(sees)
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
    if !is_overseers(token) || !grant.covers(area) {
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

/// Whether a token was made for one who oversees others.
#[must_use]
pub fn is_overseers(token: &TokenGrant) -> bool {
    matches!(token.grant.role, Role::Inspector | Role::Authority)
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

/// Refuses a token that does not see a unit in full; how it began, otherwise.
///
/// # Errors
/// As of [`made`]; [`Rule::Right`], naming neither the parties nor the token's
/// area.
pub fn check_sees(view: &View, Bearer(token): &Bearer, code: TraceCode) -> Result<Made, Problem> {
    let made = made(view, code)?;
    match Sight::new(view, Some(token)).sees(code, &made.entity)? {
        true => Ok(made),
        false => Err(not_overseen()),
    }
}

/// That a token does not oversee what was asked for.
#[must_use]
pub fn not_overseen() -> Problem {
    let what = "wanted an inspector's or authority's token that reaches the area";
    Invalid::new(Rule::Right, what).into()
}
