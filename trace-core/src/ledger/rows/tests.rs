use super::*;
use crate::record::sign::PublicKey;

/// Of two tables no key may begin with another's beginning: a row would be
/// found where it does not belong.
#[test]
fn no_table_begins_as_another_does() {
    let (code, entity) = (
        TraceCode::from_bytes([1; 10]),
        EntityId::from_bytes([1; 10]),
    );
    let (equipment, hash) = (EquipmentId::from_bytes([1; 10]), Hash::from([1; 32]));
    let key_id = PublicKey::from_bytes([1; 32]).id();
    let area: Area = "131000".parse().unwrap();
    let person = PersonId([1; 16]);
    let tables = [
        POLICY.to_vec(),
        by_hash(&hash),
        by_subject(&SubjectId(hash)),
        unit(&code),
        number("1"),
        signer_key(&key_id),
        chain(&key_id),
        super::entity(&entity),
        uscc("1"),
        issued(&entity),
        gtin_lot(1, "1"),
        foreign("1"),
        stock(&code),
        PERSONS.to_vec(),
        person_sections(&person),
        evidence(&code),
        supervision(&code),
        supervision_policy(area),
        FINDINGS.to_vec(),
        DOCUMENTS.to_vec(),
        EQUIPMENT.to_vec(),
        parts(&equipment),
        equipment_of(&entity),
        SEGMENTS.to_vec(),
        lying_in(&equipment),
        acknowledgement(&equipment, AlertSort::Silent),
        temperature_version("1"),
        temperature_policy("1", 1),
        all_stays(),
        request(&entity, "1"),
        balance(&code),
        holdings(&code),
        transfer(&hash),
        transfers_of_unit(&code),
        transfers_of_entity(&entity),
        certificate_use("1"),
        cover("1", &entity),
        receivers("1"),
        reservation("1"),
        agreements(&hash),
        sampling_policy(area),
        COMPROMISED.to_vec(),
        paper(&hash),
        marks(&code),
        mark(&hash),
        tolerance(ProductClass::Egg),
        children(&code),
        parents(&code),
        QUESTIONS.to_vec(),
        EXPIRED_USES.to_vec(),
        NEARLY_SPENT.to_vec(),
        PENDING.to_vec(),
        recalls_of(&entity),
        FLOWS.to_vec(),
        TOTALS.to_vec(),
    ];
    for (place, one) in tables.iter().enumerate() {
        for other in tables.iter().skip(place + 1) {
            assert!(
                !one.starts_with(other) && !other.starts_with(one),
                "{one:?} {other:?}"
            );
        }
    }
    // A table that is added has its line above.
    let source = include_str!("../rows.rs");
    let (product, _) = source.split_once("#[cfg(test)]").unwrap();
    let calls = ["key(b'", "of_unit(code, b'", "&[u8] = b\""];
    let mut letters: Vec<&str> = Vec::new();
    for call in calls {
        letters.extend(product.split(call).skip(1).filter_map(|rest| {
            let letter = rest.get(..1)?;
            Some(letter)
        }));
    }
    letters.sort_unstable();
    letters.dedup();
    let beginnings = tables.iter().map(|key| match key.as_slice() {
        [b'u', .., last] if key.len() == 12 => *last,
        [first, ..] => *first,
        [] => 0,
    });
    let mut known: Vec<u8> = beginnings.collect();
    known.sort_unstable();
    known.dedup();
    let letters: Vec<u8> = letters.iter().flat_map(|it| it.bytes()).collect();
    assert_eq!(letters, known);
}
