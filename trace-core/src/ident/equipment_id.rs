//! The equipment id 设备编号: the ledger's name for a probe, a vehicle's box or
//! a cold store whose temperature is recorded.
//!
//! It is not a maker's serial number. The coding and its check are
//! [`code80`](super::code80)'s.

use super::code80::{Coding, code80};
use crate::error::Rule;

code80! {
    /// The id of a piece of equipment, shown as `Q-XXXX-XXXX-XXXX-XXXX-X`.
    ///
    /// ```
    /// use trace_core::ident::{EntityId, EquipmentId};
    ///
    /// let id = EquipmentId::from_bytes([7; 10]);
    /// assert_eq!(EquipmentId::parse(&id.compact()), Ok(id));
    /// assert!(EntityId::parse(&id.to_string().replace('Q', "E")).is_err());
    /// ```
    EquipmentId,
    Coding { prefix: Some('Q'), sum: 3, rule: Rule::EquipmentId }
}
