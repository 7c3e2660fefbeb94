//! What reading a lineage asks beside its graph: how each unit stands by itself,
//! and who the entities are.

use super::{Lookup, PersonAnswer};
use crate::error::{Invalid, Store};
use crate::ident::{EntityId, TraceCode};
use crate::ledger::Failed;
use crate::record::Body;
use crate::record::rights::Registry;
use crate::record::status::Judgement;
use serde::Serialize;

/// Who an entity is and how to reach it.
#[derive(Debug, Clone, Serialize)]
pub struct PartyAnswer {
    /// Its id.
    pub entity: EntityId,
    /// Registered name; none for natural persons.
    pub name: Option<String>,
    /// Six digits of its area.
    pub area: String,
    /// The persons of its registration: masked, or whole in full answers; none
    /// once erased.
    pub contacts: Vec<PersonAnswer>,
}

impl Lookup<'_> {
    /// What is true of a unit now, without its story; `None` when no record
    /// makes it.
    ///
    /// # Errors
    /// [`Store`].
    pub fn judged(&mut self, code: TraceCode) -> Result<Option<Judgement>, Failed> {
        let folded = self.view.folded();
        let state = folded.unit(&code)?.filter(|state| state.made.is_some());
        let Some(state) = state else {
            return Ok(None);
        };
        let judgement = self.judge(code, &state, &[])?;
        Ok(Some(judgement))
    }

    /// Who an entity is; `None` when it is not registered.
    ///
    /// # Errors
    /// [`Store`].
    pub fn party(&mut self, entity: EntityId) -> Result<Option<PartyAnswer>, Failed> {
        let Some(state) = self.view.folded().entity(&entity)? else {
            return Ok(None);
        };
        let index = state.registered_index;
        let damaged = |error: Invalid| Store::Damaged {
            what: format!("entry {index}: {error}"),
        };
        let body = self.view.entry(index)?.signed.body().map_err(damaged)?;
        let contacts = self.persons(&body, index)?;
        let name = match body {
            Body::EntityRegistered(body) => body.name,
            _ => None,
        };
        Ok(Some(PartyAnswer {
            entity,
            name,
            area: format!("{:06}", state.area),
            contacts,
        }))
    }
}
