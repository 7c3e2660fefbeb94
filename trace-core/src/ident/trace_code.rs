//! The trace code 追溯码: the public, unguessable code of a trace unit.
//!
//! It encodes no counter, name or place: whoever reads one learns of no other.
//! The coding and its check are [`code80`](super::code80)'s.

use super::code80::{Coding, code80};
use crate::error::Rule;

code80! {
    /// The public code of a trace unit, shown as `XXXX-XXXX-XXXX-XXXX-X`.
    ///
    /// ```
    /// use trace_core::ident::TraceCode;
    ///
    /// let code = TraceCode::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    /// assert_eq!(code.to_string(), "000G-40R4-0M30-E209-P");
    /// assert_eq!(TraceCode::parse("ooog 4or4 om3o e2o9 p"), Ok(code));
    /// assert!(TraceCode::parse("000G-40R4-0M30-E209-S").is_err());
    /// ```
    TraceCode,
    Coding { prefix: None, sum: 1, rule: Rule::TraceCode }
}
