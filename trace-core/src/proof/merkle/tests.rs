//! The tree against the published vectors, against the recursive definitions of
//! RFC 9162 section 2.1 written out plainly, and against every small forgery.

use super::*;
use crate::error::{Rule, Verify};
use std::convert::Infallible;

/// The rows as a ledger stores them: one for each leaf.
struct Rows(Vec<Vec<Hash>>);

impl Nodes for Rows {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.0[usize::try_from(leaf).unwrap()][place])
    }
}

fn leaf(number: u64) -> Hash {
    leaf_hash(&number.to_be_bytes())
}

fn grow(size: u64) -> (Rows, Frontier) {
    let mut frontier = Frontier::default();
    let rows = (0..size).map(|n| frontier.push(leaf(n)).unwrap()).collect();
    (Rows(rows), frontier)
}

fn roots(size: u64) -> Vec<Hash> {
    let mut frontier = Frontier::default();
    let mut roots = vec![frontier.root()];
    for n in 0..size {
        frontier.push(leaf(n)).unwrap();
        roots.push(frontier.root());
    }
    roots
}

fn at(roots: &[Hash], size: u64) -> Hash {
    roots[usize::try_from(size).unwrap()]
}

/// Section 2.1.1, word for word.
fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            node_hash(&defined_root(left), &defined_root(right))
        }
    }
}

/// Section 2.1.3.1, word for word.
fn defined_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = if m < k {
        (defined_path(m, left), right)
    } else {
        (defined_path(m - k, right), left)
    };
    path.push(defined_root(other));
    path
}

/// Section 2.1.4.1, word for word.
fn defined_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![defined_root(leaves)]
        };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = if m <= k {
        (defined_subproof(m, left, whole), right)
    } else {
        (defined_subproof(m - k, right, false), left)
    };
    path.push(defined_root(other));
    path
}

/// The leaves and roots that the tests of Certificate Transparency publish.
#[test]
fn published_leaves_have_the_published_roots() {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root().to_string(), roots[0]);
    for (hex, root) in leaves.iter().zip(&roots[1..]) {
        let entry: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        frontier.push(leaf_hash(&entry)).unwrap();
        assert_eq!(frontier.root().to_string(), *root);
    }
}

#[test]
fn frontier_and_stored_nodes_agree_with_the_definition_at_every_size_to_300() {
    let leaves: Vec<Hash> = (0..300).map(leaf).collect();
    let (rows, _) = grow(300);
    let mut frontier = Frontier::default();
    for size in 0..=300u64 {
        let wanted = defined_root(&leaves[..usize::try_from(size).unwrap()]);
        assert_eq!(frontier.root(), wanted);
        assert_eq!(frontier.size(), size);
        assert_eq!(root(&rows, size), Ok(wanted));
        assert_eq!(Frontier::from_nodes(&rows, size).as_ref(), Ok(&frontier));
        if size < 300 {
            let row = frontier.push(leaf(size)).unwrap();
            assert_eq!(row.len(), 1 + size.trailing_ones() as usize);
            assert_eq!(row[0], leaf(size));
            for (level, hash) in row.iter().enumerate() {
                let width = 1usize << level;
                let end = usize::try_from(size).unwrap() + 1;
                assert_eq!(*hash, defined_root(&leaves[end - width..end]));
                let index = (size >> level, u8::try_from(level).unwrap());
                assert_eq!(node_place(index.1, index.0), Some((size, level)));
            }
        }
    }
}

#[test]
fn every_leaf_of_every_size_to_300_is_proved_in() {
    let (rows, _) = grow(300);
    let roots = roots(300);
    for size in 0..=300u64 {
        let root = &at(&roots, size);
        for index in 0..size {
            let path = prove_inclusion(&rows, index, size).unwrap();
            assert_eq!(
                verify_inclusion(&leaf(index), index, size, &path, root),
                Ok(())
            );
        }
        for beyond in [size, size + 1, u64::MAX] {
            let refusal = prove_inclusion(&rows, beyond, size).unwrap_err();
            assert!(matches!(refusal, Unproved::Range(invalid) if invalid.rule == Rule::Range));
            assert!(verify_inclusion(&leaf(0), beyond, size, &[], root).is_err());
        }
    }
}

#[test]
fn every_pair_of_sizes_to_130_is_proved_consistent() {
    let (rows, _) = grow(130);
    let roots = roots(130);
    for size2 in 0..=130u64 {
        for size1 in 0..=size2 {
            let (older, newer) = (&at(&roots, size1), &at(&roots, size2));
            let path = prove_consistency(&rows, size1, size2).unwrap();
            assert_eq!(
                verify_consistency(size1, size2, older, newer, &path),
                Ok(())
            );
            if size1 != size2 {
                let refusal = prove_consistency(&rows, size2, size1).unwrap_err();
                assert!(matches!(refusal, Unproved::Range(invalid) if invalid.rule == Rule::Range));
                assert!(verify_consistency(size2, size1, newer, older, &path).is_err());
            }
        }
    }
}

#[test]
fn paths_are_those_of_the_recursive_definition() {
    let leaves: Vec<Hash> = (0..70).map(leaf).collect();
    let (rows, _) = grow(70);
    for size in 1..=70usize {
        for m in 0..size {
            let path = prove_inclusion(&rows, m as u64, size as u64).unwrap();
            assert_eq!(path, defined_path(m, &leaves[..size]));
        }
        for m in 1..=size {
            let path = prove_consistency(&rows, m as u64, size as u64).unwrap();
            assert_eq!(path, defined_subproof(m, &leaves[..size], true));
        }
    }
}

/// Every hash with each of its bits flipped, one at a time.
fn flips(hash: Hash) -> impl Iterator<Item = Hash> {
    (0..256).map(move |bit| {
        let mut bytes = *hash.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Hash::from(bytes)
    })
}

/// Paths with something put in, left out, exchanged or repeated.
fn misshapen(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for place in 0..=path.len() {
        for extra in [
            Hash::ZERO,
            leaf(0),
            path.first().copied().unwrap_or_default(),
        ] {
            let mut longer = path.to_vec();
            longer.insert(place, extra);
            all.push(longer);
        }
        if place < path.len() {
            let mut shorter = path.to_vec();
            shorter.remove(place);
            all.push(shorter);
        }
        for other in place + 1..path.len() {
            let mut swapped = path.to_vec();
            swapped.swap(place, other);
            all.push(swapped);
        }
    }
    all.push([path, path].concat());
    all.retain(|other| other != path);
    all
}

#[test]
fn every_forged_inclusion_is_refused() {
    let (rows, _) = grow(16);
    let roots = roots(16);
    for size in 1..=16u64 {
        let root = &at(&roots, size);
        for index in 0..size {
            let path = prove_inclusion(&rows, index, size).unwrap();
            let refused = |leaf: &Hash, index, size, path: &[Hash], root: &Hash| {
                let verdict = verify_inclusion(leaf, index, size, path, root);
                assert!(matches!(verdict, Err(Verify::Proof { .. })));
            };
            let known = leaf(index);
            for flipped in flips(known) {
                refused(&flipped, index, size, &path, root);
            }
            for flipped in flips(*root) {
                refused(&known, index, size, &path, &flipped);
            }
            for place in 0..path.len() {
                for flipped in flips(path[place]) {
                    let mut path = path.clone();
                    path[place] = flipped;
                    refused(&known, index, size, &path, root);
                }
            }
            for path in misshapen(&path) {
                refused(&known, index, size, &path, root);
            }
            for other in (0..=size + 2).filter(|other| *other != index) {
                refused(&known, other, size, &path, root);
                refused(&leaf(other), index, size, &path, root);
            }
            for other in (0..=16).filter(|other| *other != size) {
                refused(&known, index, other, &path, &at(&roots, other));
                refused(&known, index, size, &path, &at(&roots, other));
                // The same root, under a size whose proof has another length.
                if index < other
                    && prove_inclusion(&rows, index, other).unwrap().len() != path.len()
                {
                    refused(&known, index, other, &path, root);
                }
            }
        }
    }
}

#[test]
fn every_forged_consistency_is_refused() {
    let (rows, _) = grow(14);
    let roots = roots(14);
    for size2 in 1..=14u64 {
        for size1 in 0..=size2 {
            let (older, newer) = (at(&roots, size1), at(&roots, size2));
            let path = prove_consistency(&rows, size1, size2).unwrap();
            let refused = |size1, size2, older: &Hash, newer: &Hash, path: &[Hash]| {
                let verdict = verify_consistency(size1, size2, older, newer, path);
                assert!(matches!(verdict, Err(Verify::Proof { .. })));
            };
            for flipped in flips(older) {
                refused(size1, size2, &flipped, &newer, &path);
            }
            // Everything extends the empty tree.
            if size1 > 0 {
                for flipped in flips(newer) {
                    refused(size1, size2, &older, &flipped, &path);
                }
            }
            for place in 0..path.len() {
                for flipped in flips(path[place]) {
                    let mut path = path.clone();
                    path[place] = flipped;
                    refused(size1, size2, &older, &newer, &path);
                }
            }
            for path in misshapen(&path) {
                refused(size1, size2, &older, &newer, &path);
            }
            if size1 != size2 {
                refused(size1, size2, &newer, &older, &path);
                refused(size2, size1, &newer, &older, &path);
            }
            // A size whose proof has another length, under the same roots.
            for other in 1..=14u64 {
                if size1 > other || size1 == 0 {
                    continue;
                }
                if prove_consistency(&rows, size1, other).unwrap().len() != path.len() {
                    refused(size1, other, &older, &newer, &path);
                }
            }
            // Another pair of true sizes with its true roots needs another path.
            for other2 in 1..=14u64 {
                for other1 in 1..=other2 {
                    let wanted = prove_consistency(&rows, other1, other2).unwrap();
                    let verdict = verify_consistency(
                        other1,
                        other2,
                        &at(&roots, other1),
                        &at(&roots, other2),
                        &path,
                    );
                    assert_eq!(verdict.is_ok(), wanted == path);
                }
            }
        }
    }
}

#[test]
fn empty_tree_takes_only_the_empty_path_and_the_empty_root() {
    let some = leaf(0);
    let empty = empty_root();
    assert_eq!(verify_consistency(0, 0, &empty, &empty, &[]), Ok(()));
    assert_eq!(verify_consistency(0, 7, &empty, &some, &[]), Ok(()));
    assert!(verify_consistency(0, 7, &some, &some, &[]).is_err());
    assert!(verify_consistency(0, 7, &empty, &some, &[some]).is_err());
    assert!(verify_consistency(0, 0, &empty, &some, &[]).is_err());
    assert!(verify_consistency(0, 0, &some, &some, &[]).is_err());
    assert!(verify_consistency(0, 0, &empty, &empty, &[some]).is_err());
    assert!(verify_consistency(5, 5, &some, &some, &[some]).is_err());
    assert!(verify_inclusion(&some, 0, 0, &[], &some).is_err());
    assert!(verify_inclusion(&some, 0, 0, &[], &empty).is_err());
}

/// A tree whose leaves are all alike: its complete nodes are alike on each
/// level, so that trees of any size can be computed with.
struct Alike(Vec<Hash>);

impl Alike {
    fn new() -> Self {
        let next = |node: &Hash| Some(node_hash(node, node));
        Self(
            std::iter::successors(Some(leaf(0)), next)
                .take(64)
                .collect(),
        )
    }
}

impl Nodes for Alike {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        assert!(node_place(level, index).is_some(), "level {level}, {index}");
        Ok(self.0[usize::from(level)])
    }
}

fn edges() -> Vec<u64> {
    let mut edges: Vec<u64> = (0..64)
        .flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1, 3 << bit])
        .chain([u64::MAX - 2, u64::MAX - 1, u64::MAX, 0x5555_5555_5555_5555])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

#[test]
fn trees_of_up_to_the_largest_size_are_proved() {
    let alike = Alike::new();
    for size in edges() {
        let newer = root(&alike, size).unwrap();
        assert_eq!(Frontier::from_nodes(&alike, size).unwrap().root(), newer);
        for other in edges().into_iter().filter(|other| *other < size) {
            let path = prove_inclusion(&alike, other, size).unwrap();
            assert!(path.len() <= 64);
            assert_eq!(
                verify_inclusion(&leaf(0), other, size, &path, &newer),
                Ok(())
            );
            assert!(verify_inclusion(&leaf(1), other, size, &path, &newer).is_err());
            let older = root(&alike, other).unwrap();
            let path = prove_consistency(&alike, other, size).unwrap();
            assert!(path.len() <= 65);
            assert_eq!(
                verify_consistency(other, size, &older, &newer, &path),
                Ok(())
            );
            assert!(verify_consistency(other, size, &leaf(1), &newer, &path).is_err());
        }
    }
}

#[test]
fn leaf_after_the_last_possible_one_is_refused() {
    let mut full = Frontier::from_nodes(&Alike::new(), u64::MAX).unwrap();
    let before = full.clone();
    assert_eq!(full.push(leaf(0)).unwrap_err().rule, Rule::Range);
    assert_eq!(full, before);
    let mut nearly = Frontier::from_nodes(&Alike::new(), u64::MAX - 1).unwrap();
    assert_eq!(nearly.push(leaf(0)).map(|row| row.len()), Ok(1));
    assert_eq!(nearly, full);
}

#[test]
fn node_that_no_tree_holds_has_no_place() {
    assert_eq!(node_place(0, 0), Some((0, 0)));
    assert_eq!(node_place(63, 0), Some(((1 << 63) - 1, 63)));
    for (level, index) in [
        (63, 1),
        (64, 0),
        (255, 0),
        (0, u64::MAX),
        (1, u64::MAX >> 1),
    ] {
        assert_eq!(node_place(level, index), None);
    }
}

/// Sizes, indexes and path lengths that nobody made with care.
#[test]
fn no_input_makes_a_verifier_panic_and_no_stray_one_passes() {
    let seed = 0x9e37_79b9_7f4a_7c15u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let path: Vec<Hash> = (0..140).map(leaf).collect();
    let root = Hash::ZERO;
    let mut edges = edges();
    edges.extend((0..20).map(|_| next()));
    for &one in &edges {
        for &two in &edges {
            for length in [0, 1, 63, 64, 65, 140] {
                let path = &path[..length];
                assert!(verify_inclusion(&leaf(0), one, two, path, &root).is_err());
                let verdict = verify_consistency(one, two, &root, &root, path);
                assert_eq!(verdict.is_ok(), one == two && one > 0 && length == 0);
            }
        }
    }
}
