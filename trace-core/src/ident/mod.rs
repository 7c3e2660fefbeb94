//! Codes that people and systems write, each a type that cannot hold a wrong
//! value: parsed once, at the edge, and trusted from there on.
//!
//! | type | what it is | a failed check digit |
//! |---|---|---|
//! | [`TraceCode`], [`EntityId`], [`EquipmentId`], [`InvitationCode`] | the ledger's own codes, 80 random bits | refuses |
//! | [`Gtin`], [`Gln`], [`Sscc`] | GS1 numbers | refuses |
//! | [`Lot`], [`Serial`] | GS1 character set 82 | has none |
//! | [`DigitalLink`] | addresses made of the above | refuses |
//! | [`Uscc`], [`Licence`] | Chinese registers | warns ([`Checked`]) |
//! | [`Area`] | GB/T 2260, by form | has none |
//! | [`CivilDate`] | a date by the calendar on the wall | has none |
//!
//! A value of these types is well formed; that it was ever issued to anybody
//! is not known here. Nothing here is a wire type: records hold plain integers
//! and strings, and these are made from them after decoding. A refusal names
//! the character and its position, from 1, counted in what was typed.

mod area;
mod ascii;
mod code80;
mod date;
mod digital_link;
mod entity_id;
mod equipment_id;
mod gs1;
mod instant;
mod invitation_code;
mod licence;
mod lot;
#[cfg(test)]
mod never_panics;
mod reading;
mod trace_code;
mod uscc;

pub use area::Area;
pub use date::{CivilDate, LEDGER_OFFSET_MINUTES};
pub use digital_link::{DigitalLink, percent_decoded};
pub use entity_id::EntityId;
pub use equipment_id::EquipmentId;
pub use gs1::{Gln, Gtin, Sscc};
pub use instant::{format_ms, parse_ms};
pub use invitation_code::InvitationCode;
pub use licence::{Licence, LicenceKind};
pub use lot::{Lot, Serial};
pub use trace_code::TraceCode;
pub use uscc::Uscc;

/// Whether a check digit fits, where a misfit warns and never refuses: some
/// codes in lawful use were issued with a check digit that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use]
pub enum Checked {
    /// The check digit is the one that follows from the rest.
    Passed,
    /// It is another: mistyped, or lawfully odd. Ask a person.
    Failed,
}

impl Checked {
    /// Passed if the check digit found is the one wanted.
    fn of<T: PartialEq>(found: &T, wanted: &T) -> Self {
        if found == wanted {
            Self::Passed
        } else {
            Self::Failed
        }
    }
}
