//! Which HTTP status a refused record is answered with: one table.
//!
//! | status | when |
//! |---|---|
//! | 400 | what is written has not the form it should have |
//! | 401 | the token is not one in force |
//! | 403 | this signer may not say this |
//! | 409 | it stands against what the ledger holds: used, taken, out of order |
//! | 413 | too much at a time |
//! | 503 | not now |
//! | 422 | every other rule: well written, and not true or not allowed |

use axum::http::StatusCode;
use trace_core::error::Rule;

/// The status of a rule.
pub fn status_of(rule: Rule) -> StatusCode {
    use Rule::{
        Algorithm, Area, Busy, Countersignature, Date, DigitalLink, EntityId, EntityKnown,
        EntityName, EquipmentId, EquipmentKnown, Gs1, IdempotencyReused, Instant, Key, KeyKnown,
        KeyRevoked, KeyUnknown, Kind, Licence, Lot, NotOpen, Note, Number, NumberUsed, Origin,
        Policy, Quantity, Range, Record, Right, Role, RoleHeld, RoleNotHeld, Section,
        SegmentNumber, Sequence, Serial, Statement, StayOpen, Subjects, TargetNotStanding,
        Temperature, Text, Token, TooLarge, TraceCode, UnitKnown, Uscc, Version,
    };
    match rule {
        TraceCode | EntityId | EquipmentId | Uscc | Area | Licence | Gs1 | Lot | Serial
        | DigitalLink | Text | Date | Instant | Quantity | Record | Version | Origin
        | Algorithm | Key | Note | Range | Kind | Subjects | Section | Number | Role
        | Statement | EntityName | Policy | Temperature => StatusCode::BAD_REQUEST,
        Token => StatusCode::UNAUTHORIZED,
        KeyUnknown | KeyRevoked | Right | Countersignature => StatusCode::FORBIDDEN,
        Sequence | NotOpen | IdempotencyReused | EntityKnown | UnitKnown | NumberUsed
        | KeyKnown | RoleHeld | RoleNotHeld | TargetNotStanding | EquipmentKnown
        | SegmentNumber | StayOpen => StatusCode::CONFLICT,
        TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_tell_its_own_mistake_from_a_conflict_and_from_a_rule() {
        for (rule, status) in [
            (Rule::TraceCode, 400),
            (Rule::Token, 401),
            (Rule::Right, 403),
            (Rule::Sequence, 409),
            (Rule::NumberUsed, 409),
            (Rule::TooLarge, 413),
            (Rule::QuantityExceeded, 422),
            (Rule::BeforeProduction, 422),
            (Rule::Busy, 503),
        ] {
            assert_eq!(status_of(rule).as_u16(), status, "{}", rule.code());
        }
        assert!(Rule::ALL.iter().all(|rule| !status_of(*rule).is_success()));
    }
}
