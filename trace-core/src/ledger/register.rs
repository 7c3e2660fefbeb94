//! Who is registered, page by page, by id.

use super::view::View;
use super::{Failed, rows};
use crate::ident::EntityId;
use crate::record::rights::EntityState;

/// Entities behind an id, at most so many, by id.
///
/// # Errors
/// From the store.
pub fn entities_after(
    view: &View,
    after: Option<EntityId>,
    limit: usize,
) -> Result<Vec<(EntityId, EntityState)>, Failed> {
    let from = match after {
        Some(id) => [rows::entity(&id), vec![0]].concat(),
        None => rows::ENTITIES.to_vec(),
    };
    let mut page = Vec::new();
    let take = |key: &[u8], state| page.extend(rows::entity_at_end(key).map(|id| (id, state)));
    view.folded()
        .values(rows::ENTITIES, &from, limit, "entity", take)?;
    Ok(page)
}
