//! Every door through which a stranger's bytes come in.

use super::files;
use trace_core::ident::{EquipmentId, TraceCode};
use trace_core::proof::anchor::Anchor;
use trace_core::proof::bundle::Bundle;
use trace_core::proof::checkpoint::Checkpoint;
use trace_core::proof::completeness::Completeness;
use trace_core::proof::note::{Note, VerifierKey};
use trace_core::proof::readings::chunk;
use trace_core::proof::receipt::Receipt;
use trace_core::proof::temperatures::TemperatureStatement;
use trace_core::record::kinds::conformity_certificate_2026_buyer::BuyerTrade;
use trace_core::record::kinds::{Body, KINDS};
use trace_core::record::section::Person;
use trace_core::record::submission::decode_many;
use trace_core::record::warehouse::WarehouseTrade;
use trace_core::record::{Entry, Quantity, Signed, Statement, encode};

/// Whose readings are read.
pub const PROBE: EquipmentId = EquipmentId::from_bytes([7; 10]);

/// What a decoder made of some bytes.
pub enum Read {
    /// It refused them.
    Refused,
    /// It read them; written again they are these.
    As(Vec<u8>),
    /// It read them, and what it read has no bytes of its own.
    Whole,
}

/// A decoder, by name.
pub type Decoder = (&'static str, fn(&[u8]) -> Read);

/// Every decoder of untrusted bytes or text.
pub fn all() -> impl Iterator<Item = &'static Decoder> {
    DECODERS.iter().chain(files::DECODERS)
}

/// Those of records, proofs and codes.
const DECODERS: &[Decoder] = &[
    ("signed record", |bytes| {
        as_bytes(Signed::decode(bytes), Signed::encode)
    }),
    ("entry", |bytes| {
        as_bytes(Entry::decode(bytes), Entry::encode)
    }),
    ("statement", |bytes| {
        as_bytes(Statement::decode(bytes), Statement::encode)
    }),
    ("submission", submission),
    ("body", |bytes| body(bytes)),
    ("trade section of a warehouse", |bytes| {
        as_bytes(
            encode::decode::<WarehouseTrade>("section", bytes),
            encode::encode,
        )
    }),
    ("trade section of a buyer", |bytes| {
        as_bytes(
            encode::decode::<BuyerTrade>("section", bytes),
            encode::encode,
        )
    }),
    ("personal section", |bytes| {
        as_bytes(encode::decode::<Person>("section", bytes), encode::encode)
    }),
    ("bundle", |bytes| {
        as_bytes(Bundle::decode(bytes), Bundle::encode)
    }),
    ("receipt", |bytes| {
        as_bytes(Receipt::decode(bytes), Receipt::encode)
    }),
    ("statement in JSON", json),
    ("note", |bytes| {
        text(bytes, |it| Note::parse(it).ok().map(|_| None))
    }),
    ("checkpoint", |bytes| {
        text(bytes, |it| {
            Checkpoint::parse_text(it).ok().map(|it| Some(it.text()))
        })
    }),
    ("completeness statement", |bytes| {
        text(bytes, |it| {
            Completeness::parse_text(it).ok().map(|it| Some(it.text()))
        })
    }),
    ("temperature statement", |bytes| {
        text(bytes, |it| {
            let read = TemperatureStatement::parse_text(it);
            read.ok().map(|it| Some(it.text()))
        })
    }),
    ("chunk of readings", |bytes| {
        // A sum of readings can be spelt otherwise: the statement binds the bytes.
        chunk::decode(&PROBE, bytes).map_or(Read::Refused, |_| Read::Whole)
    }),
    ("anchor", |bytes| {
        text(bytes, |it| {
            Anchor::parse(it).ok().map(|it| Some(it.to_string()))
        })
    }),
    ("verifier key", |bytes| {
        text(bytes, |it| {
            VerifierKey::parse(it).ok().map(|it| Some(it.to_string()))
        })
    }),
    ("trace code", |bytes| {
        text(bytes, |it| it.parse::<TraceCode>().ok().map(|_| None))
    }),
    ("quantity", |bytes| {
        text(bytes, |it| Quantity::parse(it).ok().map(|_| None))
    }),
];

pub fn as_bytes<T, E>(read: Result<T, E>, encode: impl Fn(&T) -> Vec<u8>) -> Read {
    read.map_or(Read::Refused, |value| Read::As(encode(&value)))
}

pub fn text(bytes: &[u8], read: impl Fn(&str) -> Option<Option<String>>) -> Read {
    match std::str::from_utf8(bytes).ok().and_then(read) {
        None => Read::Refused,
        Some(None) => Read::Whole,
        Some(Some(again)) => Read::As(again.into_bytes()),
    }
}

fn submission(bytes: &[u8]) -> Read {
    let Ok(records) = decode_many(bytes) else {
        return Read::Refused;
    };
    let mut again = Vec::new();
    for record in records {
        match record {
            Ok(record) => record.encode_into(&mut again),
            Err(_) => return Read::Refused,
        }
    }
    Read::As(again)
}

/// A kind's place in the table, then the body.
fn body(bytes: &[u8]) -> Read {
    let Some((place, rest)) = bytes.split_first() else {
        return Read::Refused;
    };
    let kind = KINDS[usize::from(*place) % KINDS.len()];
    let again = |body: &Body| [&[*place], body.encode().as_slice()].concat();
    as_bytes(Body::decode(kind.number, rest), again)
}

/// The same in JSON.
fn json(bytes: &[u8]) -> Read {
    let Some((place, rest)) = bytes.split_first() else {
        return Read::Refused;
    };
    let kind = KINDS[usize::from(*place) % KINDS.len()];
    let Ok(value) = serde_json::from_slice(rest) else {
        return Read::Refused;
    };
    match Body::from_json(kind.name, value) {
        // Spaces and order are free in JSON: only what was read must not vary.
        Ok(body) => {
            let again = Body::from_json(kind.name, body.to_json()).unwrap();
            assert_eq!(again, body, "{}", kind.name);
            Read::Whole
        }
        Err(_) => Read::Refused,
    }
}
