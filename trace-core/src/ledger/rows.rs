//! The keys of the derived index: one ordered keyspace, a letter for each table.
//!
//! Everything here is a pure fold of the log and can be dropped and made again.
//! Ids that are hashes are cut to 16 bytes: 128 bits keep accidental meetings
//! out of reach, and what is found is held against the full hash in the log.

use crate::error::Store;
use crate::ident::{Area, EntityId, EquipmentId, TraceCode};

use crate::record::alert::AlertSort;
use crate::record::kinds::unit_created::ProductClass;
use crate::record::quantity::BaseUnit;
use crate::record::sign::KeyId;
use crate::record::wire::PersonId;
use crate::record::{Hash, SubjectId, encode};
use serde::de::DeserializeOwned;

/// The ledger's policy.
pub(crate) const POLICY: &[u8] = b"o";

fn key(table: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.push(table);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// Everything about a unit lies together: whoever reads one of these rows reads
/// the others soon, and they share a page of the index. Tables with one row for a
/// unit that are mostly wanted together lie from `b` to `u`, without others between.
fn of_unit(code: &TraceCode, table: u8) -> Vec<u8> {
    key(b'u', &[code.as_bytes(), &[table]])
}

fn short(hash: &Hash) -> &[u8] {
    let (head, _) = hash.as_bytes().split_at(16);
    head
}

/// Record hash → index.
pub(crate) fn by_hash(hash: &Hash) -> Vec<u8> {
    key(b'h', &[short(hash)])
}

/// Subject → its indexes: the prefix of their keys.
pub(crate) fn by_subject(subject: &SubjectId) -> Vec<u8> {
    key(b's', &[short(&subject.0)])
}

/// What the one row of a unit with this key says.
pub(crate) enum OneOfUnit {
    State,
    Balance,
    Stock,
    Marks,
}

/// What a row about a unit says; none of a table with several rows for a unit.
pub(crate) fn one_of_unit(key: &[u8]) -> Option<OneOfUnit> {
    match key.get(11)? {
        b'u' => Some(OneOfUnit::State),
        b'b' => Some(OneOfUnit::Balance),
        b't' => Some(OneOfUnit::Stock),
        b'm' => Some(OneOfUnit::Marks),
        _ => None,
    }
}

/// All about a unit: the prefix of their keys.
pub(crate) fn all_of_unit(code: &TraceCode) -> Vec<u8> {
    key(b'u', &[code.as_bytes()])
}

/// Trace code → `UnitState`.
pub(crate) fn unit(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'u')
}

/// Certificate number → trace code of the unit that holds or reserves it.
pub(crate) fn number(number: &str) -> Vec<u8> {
    key(b'n', &[number.as_bytes()])
}

/// Key id → `KeyState`.
pub(crate) fn signer_key(id: &KeyId) -> Vec<u8> {
    key(b'k', &[id.as_bytes()])
}

/// Key id → where its chain stands.
pub(crate) fn chain(id: &KeyId) -> Vec<u8> {
    key(b'c', &[id.as_bytes()])
}

/// All entities: the prefix of their states' keys.
pub(crate) const ENTITIES: &[u8] = b"e";

/// Entity → `EntityState`.
pub(crate) fn entity(id: &EntityId) -> Vec<u8> {
    key(b'e', &[id.as_bytes()])
}

/// Unified social credit code → entity.
pub(crate) fn uscc(code: &str) -> Vec<u8> {
    key(b'r', &[code.as_bytes()])
}

/// Entity → indexes of the certificates it issued: the prefix of their keys.
pub(crate) fn issued(id: &EntityId) -> Vec<u8> {
    key(b'i', &[id.as_bytes()])
}

/// GTIN and lot → trace codes: the prefix of their keys.
pub(crate) fn gtin_lot(gtin: u64, lot: &str) -> Vec<u8> {
    key(b'g', &[&gtin.to_be_bytes(), lot.as_bytes(), &[0]])
}

/// Code of another system → trace codes: the prefix of their keys.
pub(crate) fn foreign(code: &str) -> Vec<u8> {
    key(b'f', &[code.as_bytes(), &[0]])
}

/// Trace code → `StockState`.
pub(crate) fn stock(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b't')
}

/// Person → `PersonState`.
pub(crate) fn person(id: &PersonId) -> Vec<u8> {
    key(b'p', &[&id.0])
}

/// All persons: the prefix of their states' keys.
pub(crate) const PERSONS: &[u8] = b"p";

/// Person → the sections about them: the prefix of their keys.
pub(crate) fn person_sections(id: &PersonId) -> Vec<u8> {
    key(b'q', &[&id.0])
}

/// Trace code → `UnitEvidence`.
pub(crate) fn evidence(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'V')
}

/// Trace code → `SupervisionState`.
pub(crate) fn supervision(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'W')
}

/// Area → `SupervisionPolicy`.
pub(crate) fn supervision_policy(area: Area) -> Vec<u8> {
    key(b'A', &[&area.code().to_be_bytes()])
}

/// All findings: the prefix of their keys.
pub(crate) const FINDINGS: &[u8] = b"Y";

/// Entity → its findings: the prefix of their keys.
pub(crate) fn findings(id: &EntityId) -> Vec<u8> {
    key(b'Y', &[id.as_bytes()])
}

/// Entity, index of the inspection and place in it → `FindingState`.
pub(crate) fn finding(id: &EntityId, index: u64, position: u16) -> Vec<u8> {
    let (index, position) = (index.to_be_bytes(), position.to_be_bytes());
    key(b'Y', &[id.as_bytes(), &index, &position])
}

/// What the key of a finding says: entity, index and place.
pub(crate) fn finding_of(key: &[u8]) -> Option<(EntityId, u64, u16)> {
    let (entity, rest) = key.strip_prefix(FINDINGS)?.split_first_chunk()?;
    let (index, position) = rest.split_first_chunk()?;
    let position = u16::from_be_bytes(<[u8; 2]>::try_from(position).ok()?);
    let index = u64::from_be_bytes(*index);
    Some((EntityId::from_bytes(*entity), index, position))
}

/// All documents that records name.
pub(crate) const DOCUMENTS: &[u8] = b"Z";

/// Document hash → `DocumentState`.
pub(crate) fn document(hash: &Hash) -> Vec<u8> {
    [DOCUMENTS, hash.as_bytes()].concat()
}

/// Equipment → `EquipmentState`.
pub(crate) fn equipment(id: &EquipmentId) -> Vec<u8> {
    key(b'C', &[id.as_bytes()])
}

/// What every key of [`equipment`] begins with.
pub(crate) fn all_equipment() -> Vec<u8> {
    key(b'C', &[])
}

/// Equipment → what is part of it: the prefix of their keys.
pub(crate) fn parts(id: &EquipmentId) -> Vec<u8> {
    key(b'D', &[id.as_bytes()])
}

/// Entity → its equipment: the prefix of their keys.
pub(crate) fn equipment_of(id: &EntityId) -> Vec<u8> {
    key(b'Q', &[id.as_bytes()])
}

/// A prefix continued by an equipment id.
pub(crate) fn with_equipment(mut prefix: Vec<u8>, id: &EquipmentId) -> Vec<u8> {
    prefix.extend_from_slice(id.as_bytes());
    prefix
}

/// The equipment at the end of a key.
pub(crate) fn equipment_at_end(key: &[u8]) -> Option<EquipmentId> {
    key.last_chunk::<10>()
        .map(|bytes| EquipmentId::from_bytes(*bytes))
}

/// All sealed segments, by probe and number.
pub(crate) const SEGMENTS: &[u8] = b"S";

/// Probe → its segments, by number: the prefix of their keys.
pub(crate) fn segments(probe: &EquipmentId) -> Vec<u8> {
    [SEGMENTS, probe.as_bytes()].concat()
}

/// Equipment → what lies there by policy: the prefix of their keys.
pub(crate) fn lying_in(equipment: &EquipmentId) -> Vec<u8> {
    key(b'L', &[equipment.as_bytes()])
}

/// Equipment, code and version of a policy → `LyingState`.
pub(crate) fn lying(equipment: &EquipmentId, code: &str, version: u32) -> Vec<u8> {
    let version = version.to_be_bytes();
    key(
        b'L',
        &[equipment.as_bytes(), code.as_bytes(), &[0], &version],
    )
}

/// Code and version of the policy at the end of such a key.
pub(crate) fn policy_of_lying(key: &[u8]) -> Option<(String, u32)> {
    let (rest, version) = key.split_last_chunk()?;
    let (_, code) = rest.strip_suffix(&[0u8])?.split_at_checked(11)?;
    let code = String::from_utf8(code.to_vec()).ok()?;
    Some((code, u32::from_be_bytes(*version)))
}

/// Probe and sort of alert → `Acknowledgement`.
pub(crate) fn acknowledgement(probe: &EquipmentId, sort: AlertSort) -> Vec<u8> {
    key(b'K', &[probe.as_bytes(), &[sort as u8]])
}

/// All equipment: the prefix of their states' keys.
pub(crate) const EQUIPMENT: &[u8] = b"C";

/// Code of a temperature policy → the version in force.
pub(crate) fn temperature_version(code: &str) -> Vec<u8> {
    key(b'T', &[code.as_bytes(), &[0]])
}

/// Code and version of a temperature policy → what it says.
pub(crate) fn temperature_policy(code: &str, version: u32) -> Vec<u8> {
    key(b'T', &[code.as_bytes(), &[1], &version.to_be_bytes()])
}

/// Trace code → `UnitStays`.
pub(crate) fn stays(code: &TraceCode) -> Vec<u8> {
    key(b'P', &[code.as_bytes()])
}

/// What every key of [`stays`] begins with.
pub(crate) fn all_stays() -> Vec<u8> {
    key(b'P', &[])
}

/// Entity and `Idempotency-Key` → request and record.
pub(crate) fn request(entity: &EntityId, idempotency: &str) -> Vec<u8> {
    key(b'd', &[entity.as_bytes(), idempotency.as_bytes()])
}

/// Trace code → `Balance`, once it moved.
pub(crate) fn balance(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'b')
}

/// Trace code → who ever had some of it: the prefix of their keys.
pub(crate) fn holdings(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'a')
}

/// Trace code and entity → `Holding`.
pub(crate) fn holding(code: &TraceCode, entity: &EntityId) -> Vec<u8> {
    let mut key = holdings(code);
    key.extend_from_slice(entity.as_bytes());
    key
}

/// Hash of the record that hands over → `Transfer`.
pub(crate) fn transfer(record: &Hash) -> Vec<u8> {
    key(b'j', &[record.as_bytes()])
}

/// Trace code → its transfers, by index: the prefix of their keys.
pub(crate) fn transfers_of_unit(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'v')
}

/// Entity → transfers from and to it, by index: the prefix of their keys.
pub(crate) fn transfers_of_entity(id: &EntityId) -> Vec<u8> {
    key(b'y', &[id.as_bytes()])
}

/// Certificate number → `CertificateUse`.
pub(crate) fn certificate_use(number: &str) -> Vec<u8> {
    key(b'x', &[number.as_bytes()])
}

/// Certificate number and entity → how much of its cover the entity has.
pub(crate) fn cover(number: &str, entity: &EntityId) -> Vec<u8> {
    key(b'w', &[number.as_bytes(), &[0], entity.as_bytes()])
}

/// Certificate number and entity → the entity received goods under it: the
/// prefix of their keys.
pub(crate) fn receivers(number: &str) -> Vec<u8> {
    key(b'1', &[number.as_bytes(), &[0]])
}

/// The key of one receiver.
pub(crate) fn receiver(number: &str, entity: &EntityId) -> Vec<u8> {
    key(b'1', &[number.as_bytes(), &[0], entity.as_bytes()])
}

/// A reserved certificate number → `Reservation`.
pub(crate) fn reservation(number: &str) -> Vec<u8> {
    key(b'2', &[number.as_bytes()])
}

/// A certificate's record → the agreements to its correction.
pub(crate) fn agreements(certificate: &Hash) -> Vec<u8> {
    key(b'3', &[certificate.as_bytes()])
}

/// Area → whether a failed sample holds there.
pub(crate) fn sampling_policy(area: Area) -> Vec<u8> {
    key(b'4', &[&area.code().to_be_bytes()])
}

/// Every compromised key: the prefix of their keys.
pub(crate) const COMPROMISED: &[u8] = b"5";

/// Compromised key → from which index on what it signed is disputed, and its
/// revocation's index.
pub(crate) fn compromised(id: &KeyId) -> Vec<u8> {
    key(b'5', &[id.as_bytes()])
}

/// Paper → `PaperUse`.
pub(crate) fn paper(paper: &Hash) -> Vec<u8> {
    key(b'z', &[paper.as_bytes()])
}

/// Trace code → the records of the holds and recalls that reach it.
pub(crate) fn marks(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'm')
}

/// All holds and recalls: the prefix of their keys.
pub(crate) const MARKS: &[u8] = b"M";

/// Record → `MarkState`.
pub(crate) fn mark(record: &Hash) -> Vec<u8> {
    key(b'M', &[record.as_bytes()])
}

/// Product class → `Tolerance`.
pub(crate) fn tolerance(class: ProductClass) -> Vec<u8> {
    key(b'l', &[&encode::encode(&class)])
}

/// Trace code → what it went into, by index and code: the prefix of their keys.
pub(crate) fn children(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'E')
}

/// Trace code → what went into it, by index and code: the prefix of their keys.
pub(crate) fn parents(code: &TraceCode) -> Vec<u8> {
    of_unit(code, b'F')
}

/// Differences that the policy does not cover, by index: the prefix of their keys.
pub(crate) const QUESTIONS: &[u8] = b"O";

/// Certificates used after their last day, by index: the prefix of their keys.
pub(crate) const EXPIRED_USES: &[u8] = b"X";

/// Certificates of which little is left, by the index of the record that brought
/// them there: the prefix of their keys.
pub(crate) const NEARLY_SPENT: &[u8] = b"I";

/// How many transfers are on their way, by bucket of the log: the prefix of
/// their keys.
pub(crate) const PENDING: &[u8] = b"H";

/// Bucket of 256 log indexes → how many of the transfers made there are on their
/// way.
pub(crate) fn pending(index: u64) -> Vec<u8> {
    at(PENDING.to_vec(), index >> 8)
}

/// Maker → the recalls of its units, by index: the prefix of their keys.
pub(crate) fn recalls_of(id: &EntityId) -> Vec<u8> {
    key(b'R', &[id.as_bytes()])
}

/// All flows: the prefix of their keys.
pub(crate) const FLOWS: &[u8] = b"B";

/// Area and entity → its flows, by day, measure and product: the prefix of their
/// keys.
pub(crate) fn flows_of(area: u32, entity: &EntityId) -> Vec<u8> {
    key(b'B', &[&area.to_be_bytes(), entity.as_bytes()])
}

/// A prefix continued by a day, so that rows lie in the order of days.
pub(crate) fn on_day(mut prefix: Vec<u8>, day: i32) -> Vec<u8> {
    // The sign's bit turned: days before 1970 come first.
    let ordered = day.cast_unsigned() ^ (1 << 31);
    prefix.extend_from_slice(&ordered.to_be_bytes());
    prefix
}

/// A prefix continued by a measure and a product.
pub(crate) fn of_product(mut prefix: Vec<u8>, base: BaseUnit, product: &str) -> Vec<u8> {
    prefix.push(match base {
        BaseUnit::Gram => 0,
        BaseUnit::Millilitre => 1,
        BaseUnit::Piece => 2,
    });
    prefix.extend_from_slice(product.as_bytes());
    prefix
}

/// What the key of a flow says: area, entity, day, measure and product.
pub(crate) fn flow_of(key: &[u8]) -> Option<(u32, EntityId, i32, BaseUnit, &str)> {
    let (area, rest) = key.strip_prefix(FLOWS)?.split_first_chunk()?;
    let (entity, rest) = rest.split_first_chunk()?;
    let (day, rest) = rest.split_first_chunk()?;
    let (base, product) = product_of(rest)?;
    let day = (u32::from_be_bytes(*day) ^ (1 << 31)).cast_signed();
    let entity = EntityId::from_bytes(*entity);
    Some((u32::from_be_bytes(*area), entity, day, base, product))
}

fn product_of(rest: &[u8]) -> Option<(BaseUnit, &str)> {
    let (base, product) = rest.split_first()?;
    let base = match base {
        0 => BaseUnit::Gram,
        1 => BaseUnit::Millilitre,
        2 => BaseUnit::Piece,
        _ => return None,
    };
    Some((base, str::from_utf8(product).ok()?))
}

/// All totals of areas: the prefix of their keys.
pub(crate) const TOTALS: &[u8] = b"G";

/// Area → its total flow, by measure and product: the prefix of their keys.
pub(crate) fn totals_of(area: u32) -> Vec<u8> {
    key(b'G', &[&area.to_be_bytes()])
}

/// What the key of a total says: area, measure and product.
pub(crate) fn total_of(key: &[u8]) -> Option<(u32, BaseUnit, &str)> {
    let (area, rest) = key.strip_prefix(TOTALS)?.split_first_chunk()?;
    let (base, product) = product_of(rest)?;
    Some((u32::from_be_bytes(*area), base, product))
}

/// A prefix continued by an index, so that rows lie in the log's order.
pub(crate) fn at(mut prefix: Vec<u8>, index: u64) -> Vec<u8> {
    prefix.extend_from_slice(&index.to_be_bytes());
    prefix
}

/// A prefix continued by a trace code.
pub(crate) fn with_code(mut prefix: Vec<u8>, code: &TraceCode) -> Vec<u8> {
    prefix.extend_from_slice(code.as_bytes());
    prefix
}

/// The index at the end of a key.
pub(crate) fn index_at_end(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>()
        .map(|bytes| u64::from_be_bytes(*bytes))
}

/// The index and the trace code at the end of a key.
pub(crate) fn index_and_code_at_end(key: &[u8]) -> Option<(u64, TraceCode)> {
    let (head, code) = key.split_last_chunk::<10>()?;
    Some((index_at_end(head)?, TraceCode::from_bytes(*code)))
}

/// The entity at the end of a key.
pub(crate) fn entity_at_end(key: &[u8]) -> Option<EntityId> {
    key.last_chunk::<10>()
        .map(|bytes| EntityId::from_bytes(*bytes))
}

/// The trace code at the end of a key.
pub(crate) fn code_at_end(key: &[u8]) -> Option<TraceCode> {
    key.last_chunk::<10>()
        .map(|bytes| TraceCode::from_bytes(*bytes))
}

/// Decodes a derived value; one that does not decode is damage.
pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Store> {
    encode::decode_own(what, bytes).map_err(|error| Store::Damaged {
        what: format!("index: {error}"),
    })
}

#[cfg(test)]
mod tests;
