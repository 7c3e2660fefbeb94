//! `/authority`: how those get in who issue and keep, and what happens when a
//! telephone is lost. An authority acts in its area and below; the ledger's rules
//! judge that, the pages only offer no more.
//!
//! | file | what it is |
//! |---|---|
//! | `list` | who is registered in the area; one entity |
//! | `registering` | one entity, or many from a sheet |
//! | `inviting` | invitations, and a device that is lost |
//! | `joining` | what the invited sees |

pub mod inviting;
pub mod joining;
mod list;
pub mod registering;

pub use list::show;
