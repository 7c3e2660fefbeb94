//! A temperature segment's readings under one root, and the proof that one of
//! them is among them.
//!
//! A segment is a sorted list of distinct readings; a leaf is the twelve bytes of
//! [`Reading::to_bytes`], the tree is RFC 6962's, as the log's is. Not here: whose
//! probe it was and that the root was sealed, which a signed record says; nor
//! that the readings are true, which nobody can prove.

pub mod chunk;

use super::merkle::{
    Frontier, Hash, Nodes, Unproved, leaf_hash, node_place, prove_inclusion, verify_inclusion,
};
use crate::error::{Invalid, Rule, Verify};
use crate::ident::EquipmentId;
use crate::record::cold_chain::Segment;
use crate::record::temperature::Reading;

/// Checks that readings are a segment's: sorted, each once.
///
/// # Errors
/// [`Verify::Malformed`] naming the first reading that does not follow the one
/// before it.
pub fn verify_order(readings: &[Reading]) -> Result<(), Verify> {
    let pairs = readings.iter().zip(readings.iter().skip(1));
    match pairs.zip(1u64..).find(|((one, next), _)| one >= next) {
        None => Ok(()),
        Some(((one, next), place)) => Err(Verify::Malformed {
            what: "segment",
            why: format!("reading {place} is {next:?}, wanted one after {one:?}"),
        }),
    }
}

/// The root over readings, as they stand; that of no readings is the empty
/// tree's.
#[must_use]
pub fn segment_root(readings: &[Reading]) -> Hash {
    root_of(readings.iter().map(|it| leaf_hash(&it.to_bytes())))
}

/// The root of a segment from the roots of its parts, where every part but the
/// last holds the same power of two of readings: a part is then a complete node,
/// and the tree over the parts is the upper end of the tree over the readings.
#[must_use]
pub fn segment_root_of_parts(parts: &[Hash]) -> Hash {
    root_of(parts.iter().copied())
}

/// What a record would have to bind of a probe's readings, as they stand; of no
/// readings it would be refused.
#[must_use]
pub fn sealed_of(probe: EquipmentId, number: u64, readings: &[Reading]) -> Segment {
    let temperatures = readings.iter().map(|it| it.temperature_milli_c);
    let (first, last) = (readings.first(), readings.last());
    Segment {
        probe,
        number,
        count: u32::try_from(readings.len()).unwrap_or(u32::MAX),
        first_ms: first.map_or(0, |it| it.at_ms),
        last_ms: last.map_or(0, |it| it.at_ms),
        lowest_milli_c: temperatures.clone().min().unwrap_or_default(),
        highest_milli_c: temperatures.max().unwrap_or_default(),
        root: segment_root(readings),
    }
}

fn root_of(leaves: impl Iterator<Item = Hash>) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        if frontier.push(leaf).is_err() {
            break; // after 2^64 - 1 leaves, which no memory holds
        }
    }
    frontier.root()
}

/// The proof that the reading at `place`, from 0, is under the root.
///
/// # Errors
/// [`Rule::Range`] when there is no such place.
pub fn prove_reading(readings: &[Reading], place: u64) -> Result<Vec<Hash>, Invalid> {
    let mut frontier = Frontier::default();
    let leaves = readings.iter().map(|it| leaf_hash(&it.to_bytes()));
    let rows = leaves.map(|leaf| frontier.push(leaf));
    let rows = Rows(rows.collect::<Result<_, _>>()?);
    prove_inclusion(&rows, place, frontier.size()).map_err(|error| match error {
        Unproved::Range(invalid) | Unproved::Nodes(invalid) => invalid,
    })
}

/// Checks that a reading is at `place` among the `count` under the root.
///
/// A pass does not prove that there are `count` readings: count and root belong
/// together only by the record that sealed them.
///
/// # Errors
/// [`Verify::Proof`] when the path does not lead from this reading at this place
/// to the root.
pub fn verify_reading(
    reading: &Reading,
    place: u64,
    count: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), Verify> {
    verify_inclusion(&leaf_hash(&reading.to_bytes()), place, count, path, root)
}

/// The rows that the growing tree gave, one for each leaf.
struct Rows(Vec<Vec<Hash>>);

impl Nodes for Rows {
    type Error = Invalid;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Invalid> {
        let found = node_place(level, index).and_then(|(leaf, place)| {
            let row = self.0.get(usize::try_from(leaf).ok()?)?;
            row.get(place).copied()
        });
        found.ok_or_else(|| Invalid::new(Rule::Range, format!("no node {index} on level {level}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::merkle::{empty_root, node_hash};

    fn readings(count: u64) -> Vec<Reading> {
        let reading = |n: u64| Reading {
            at_ms: 1_790_000_000_000 + 60_000 * (n / 2),
            temperature_milli_c: -18_000 + i32::try_from(n).unwrap(),
        };
        (0..count).map(reading).collect()
    }

    #[test]
    fn roots_of_none_one_two_and_three_are_the_definition_s() {
        let [a, b, c] = [0, 1, 2].map(|n| {
            let bytes = readings(3)[n].to_bytes();
            Hash::of(&[&[0], &bytes])
        });
        let wanted = [
            empty_root(),
            a,
            node_hash(&a, &b),
            node_hash(&node_hash(&a, &b), &c),
        ];
        for (count, wanted) in (0..).zip(wanted) {
            assert_eq!(segment_root(&readings(count)), wanted);
        }
    }

    #[test]
    fn every_reading_of_every_count_to_70_is_proved_and_none_beyond() {
        for count in 0..=70 {
            let readings = readings(count);
            let root = segment_root(&readings);
            for (place, reading) in (0..).zip(&readings) {
                let path = prove_reading(&readings, place).unwrap();
                assert_eq!(verify_reading(reading, place, count, &path, &root), Ok(()));
            }
            for beyond in [count, count + 1, u64::MAX] {
                let refused = prove_reading(&readings, beyond).unwrap_err();
                assert_eq!(refused.rule, Rule::Range);
            }
        }
    }

    #[test]
    fn parts_of_a_power_of_two_have_the_root_of_the_whole() {
        for count in 0..=70 {
            let readings = readings(count);
            for width in [1, 2, 4, 8, 16, 64, 128] {
                let parts: Vec<Hash> = readings.chunks(width).map(segment_root).collect();
                assert_eq!(segment_root_of_parts(&parts), segment_root(&readings));
            }
        }
    }

    /// What a claimant alters of `reading`: each bit of its twelve bytes.
    fn altered(reading: Reading) -> impl Iterator<Item = Reading> {
        let bits = move |n: u32| Reading {
            at_ms: reading.at_ms ^ 1u64.checked_shl(n).unwrap_or(0),
            temperature_milli_c: reading.temperature_milli_c
                ^ n.checked_sub(64).map_or(0, |bit| 1 << bit),
        };
        (0..96).map(bits)
    }

    #[test]
    fn an_altered_moved_or_foreign_reading_is_refused() {
        for count in 1..=20u64 {
            let readings = readings(count);
            let root = segment_root(&readings);
            for (place, reading) in (0..).zip(&readings) {
                let path = prove_reading(&readings, place).unwrap();
                for altered in altered(*reading) {
                    assert_ne!(altered, *reading);
                    let checked = verify_reading(&altered, place, count, &path, &root);
                    assert!(checked.is_err(), "{altered:?} passed for {reading:?}");
                }
                for moved in (0..count + 2).filter(|it| *it != place) {
                    assert!(verify_reading(reading, moved, count, &path, &root).is_err());
                }
                for foreign in readings.iter().filter(|it| *it != reading) {
                    assert!(verify_reading(foreign, place, count, &path, &root).is_err());
                }
            }
        }
    }

    #[test]
    fn another_path_or_root_is_refused() {
        let readings = readings(13);
        let root = segment_root(&readings);
        let path = prove_reading(&readings, 5).unwrap();
        let check = |path: &[Hash], root: &Hash| verify_reading(&readings[5], 5, 13, path, root);
        assert_eq!(check(&path, &root), Ok(()));
        assert!(check(&path[1..], &root).is_err());
        assert!(check(&[&path[..], &[root]].concat(), &root).is_err());
        assert!(check(&path, &segment_root(&readings[..12])).is_err());
    }

    #[test]
    fn order_is_checked_and_the_first_reading_out_of_it_named() {
        let mut readings = readings(9);
        assert_eq!(verify_order(&readings), Ok(()));
        assert_eq!(verify_order(&[]), Ok(()));
        readings.swap(4, 5);
        let swapped = verify_order(&readings).unwrap_err().to_string();
        assert!(swapped.contains("reading 5 "), "{swapped}");
        readings.swap(4, 5);
        readings[8] = readings[7];
        let twice = verify_order(&readings).unwrap_err().to_string();
        assert!(twice.contains("reading 8 "), "{twice}");
    }
}
