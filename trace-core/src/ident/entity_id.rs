//! The entity id 主体编号: the ledger's name for a registered legal or natural
//! person.
//!
//! It is not the USCC: a household has none, and an id says nothing of who it
//! names. The coding and its check are [`code80`](super::code80)'s.

use super::code80::{Coding, code80};
use crate::error::Rule;

code80! {
    /// The id of an entity, shown as `E-XXXX-XXXX-XXXX-XXXX-X`.
    ///
    /// ```
    /// use trace_core::ident::{EntityId, TraceCode};
    ///
    /// let id = EntityId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    /// assert_eq!(EntityId::parse(&id.to_string()), Ok(id));
    /// // With the prefix lost it is nothing, and never a trace code.
    /// let lost = id.to_string().replace("E-", "");
    /// assert!(EntityId::parse(&lost).is_err());
    /// assert!(TraceCode::parse(&lost).is_err());
    /// ```
    EntityId,
    Coding { prefix: Some('E'), sum: 2, rule: Rule::EntityId }
}
