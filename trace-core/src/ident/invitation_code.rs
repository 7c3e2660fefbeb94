//! The invitation code 邀请码: what an invited entity types, once, to be given a
//! token.
//!
//! It says nothing of who is invited. The coding and its check are
//! [`code80`](super::code80)'s.

use super::code80::{Coding, code80};
use crate::error::Rule;

code80! {
    /// An invitation's code, shown as `J-XXXX-XXXX-XXXX-XXXX-X`.
    ///
    /// ```
    /// use trace_core::ident::{EntityId, InvitationCode};
    ///
    /// let code = InvitationCode::from_bytes([7; 10]);
    /// assert_eq!(InvitationCode::parse(&code.to_string().to_lowercase()), Ok(code));
    /// assert!(EntityId::parse(&code.to_string().replace('J', "E")).is_err());
    /// ```
    InvitationCode,
    Coding { prefix: Some('J'), sum: 4, rule: Rule::Token }
}
