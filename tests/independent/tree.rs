//! Roots and proofs, against `ct-merkle` and `tlog_tiles`.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::Sha256;
use std::convert::Infallible;
use tlog_tiles::{Hash as TlogHash, HashReader};
use trace_core::proof::merkle::{
    Frontier, Hash, Nodes, leaf_hash, node_place, prove_consistency, prove_inclusion,
    verify_consistency, verify_inclusion,
};
use trace_fixtures::draw::Draw;

/// The largest tree grown here.
const SIZE_MAX: u64 = 5_000;

/// Up to this size every index and every pair is tried.
const EXHAUSTIVE: u64 = 130;

/// The same leaves in three trees.
#[derive(Default)]
struct Trees {
    frontier: Frontier,
    rows: Vec<Vec<Hash>>,
    roots: Vec<Hash>,
    ct: MemoryBackedTree<Sha256, Vec<u8>>,
    tlog: Stored,
}

/// What `tlog_tiles` stores, in the order in which it stores it.
#[derive(Default)]
struct Stored(Vec<TlogHash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<TlogHash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|at| self.0[*at as usize]).collect())
    }
}

impl Nodes for Trees {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.rows[leaf as usize][place])
    }
}

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

impl Trees {
    fn grown(size: u64) -> Self {
        let mut trees = Self::default();
        trees.roots.push(trees.frontier.root());
        while trees.frontier.size() < size {
            trees.push();
        }
        trees
    }

    fn push(&mut self) {
        let index = self.frontier.size();
        let entry = entry(index);
        let row = self.frontier.push(leaf_hash(&entry)).unwrap();
        self.rows.push(row);
        self.roots.push(self.frontier.root());
        let stored = tlog_tiles::stored_hashes(index, &entry, &self.tlog).unwrap();
        self.tlog.0.extend(stored);
        self.ct.push(entry);
    }

    fn size(&self) -> u64 {
        self.frontier.size()
    }

    fn root(&self, size: u64) -> Hash {
        self.roots[size as usize]
    }

    /// Our inclusion proof verifies there, theirs verifies here.
    fn check_inclusion(&self, index: u64, size: u64) {
        let what = format!("index {index} of {size}");
        let (leaf, root) = (leaf_hash(&entry(index)), self.root(size));
        let own = prove_inclusion(self, index, size).unwrap();
        verify_inclusion(&leaf, index, size, &own, &root).unwrap();

        let theirs = tlog_tiles::prove_record(size, index, &self.tlog).unwrap();
        assert_eq!(own, from_tlog(&theirs), "{what}");
        let check = |path: &[Hash], index| {
            tlog_tiles::check_record(&tlog(path), size, one(&root), index, one(&leaf))
        };
        check(&own, index).unwrap_or_else(|error| panic!("{what}: {error}"));

        let ct_root = ct_root(root, size);
        let ct = |path: &[Hash]| InclusionProof::from_bytes(bytes(path));
        ct_root
            .verify_inclusion(&entry(index), index, &ct(&own))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        if size == self.size() {
            let theirs = self.ct.prove_inclusion(index as usize);
            assert_eq!(theirs.as_bytes(), bytes(&own), "{what}");
        }

        // What is wrong is refused by all three.
        for wrong in spoilt(&own) {
            let here = verify_inclusion(&leaf, index, size, &wrong, &root);
            assert!(here.is_err(), "{what}");
            assert!(check(&wrong, index).is_err(), "{what}");
            let there = ct_root.verify_inclusion(&entry(index), index, &ct(&wrong));
            assert!(there.is_err(), "{what}");
        }
        if size > 1 {
            let other = (index + 1) % size;
            assert!(verify_inclusion(&leaf, other, size, &own, &root).is_err());
            assert!(check(&own, other).is_err());
        }
    }

    /// Our consistency proof verifies there, theirs verifies here.
    fn check_consistency(&self, size1: u64, size2: u64) {
        let what = format!("{size1} to {size2}");
        let (root1, root2) = (self.root(size1), self.root(size2));
        let own = prove_consistency(self, size1, size2).unwrap();
        verify_consistency(size1, size2, &root1, &root2, &own).unwrap();
        // Neither crate has proofs from the empty tree: they prove nothing.
        if size1 == 0 {
            return assert!(own.is_empty());
        }
        let theirs = tlog_tiles::prove_tree(size2, size1, &self.tlog).unwrap();
        assert_eq!(own, from_tlog(&theirs), "{what}");
        let check = |path: &[Hash]| {
            tlog_tiles::check_tree(&tlog(path), size2, one(&root2), size1, one(&root1))
        };
        check(&own).unwrap_or_else(|error| panic!("{what}: {error}"));

        let (old, new) = (ct_root(root1, size1), ct_root(root2, size2));
        let ct = |path: &[Hash]| ConsistencyProof::<Sha256>::try_from_bytes(bytes(path)).unwrap();
        new.verify_consistency(&old, &ct(&own))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        if size2 == self.size() {
            let theirs = self.ct.prove_consistency((size2 - size1) as usize);
            assert_eq!(theirs.as_bytes(), bytes(&own), "{what}");
        }

        for wrong in spoilt(&own) {
            let here = verify_consistency(size1, size2, &root1, &root2, &wrong);
            assert!(here.is_err(), "{what}");
            assert!(check(&wrong).is_err(), "{what}");
            assert!(new.verify_consistency(&old, &ct(&wrong)).is_err(), "{what}");
        }
    }
}

/// One hash with a bit flipped, one too few, one too many.
fn spoilt(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    if let Some((last, rest)) = path.split_last() {
        let mut flipped = *last.as_bytes();
        flipped[31] ^= 1;
        all.push([rest, &[Hash::from(flipped)]].concat());
        all.push(rest.to_vec());
    }
    all.push([path, &[Hash::ZERO]].concat());
    all
}

fn one(hash: &Hash) -> TlogHash {
    TlogHash(*hash.as_bytes())
}

fn tlog(path: &[Hash]) -> Vec<TlogHash> {
    path.iter().map(one).collect()
}

fn from_tlog(path: &[TlogHash]) -> Vec<Hash> {
    path.iter().map(|hash| Hash::from(hash.0)).collect()
}

fn bytes(path: &[Hash]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn ct_root(root: Hash, size: u64) -> RootHash<Sha256> {
    RootHash::new((*root.as_bytes()).into(), size)
}

#[test]
fn roots_agree_at_every_size_to_5000() {
    let mut trees = Trees::grown(0);
    while trees.size() < SIZE_MAX {
        let (size, root) = (trees.size(), trees.frontier.root());
        assert_eq!(
            trees.ct.root().as_bytes()[..],
            root.as_bytes()[..],
            "{size}"
        );
        let theirs = tlog_tiles::tree_hash(size, &trees.tlog).unwrap();
        assert_eq!(theirs, one(&root), "{size}");
        trees.push();
    }
}

#[test]
fn every_leaf_of_every_size_to_130_is_proved_alike() {
    let mut trees = Trees::grown(0);
    for size in 1..=EXHAUSTIVE {
        trees.push();
        (0..size).for_each(|index| trees.check_inclusion(index, size));
    }
}

#[test]
fn every_pair_of_sizes_to_130_is_proved_alike() {
    let mut trees = Trees::grown(0);
    for size2 in 1..=EXHAUSTIVE {
        trees.push();
        (0..=size2).for_each(|size1| trees.check_consistency(size1, size2));
    }
}

#[test]
fn random_sizes_to_5000_are_proved_alike() {
    let seed = 6_962;
    println!("seed {seed}");
    let mut draw = Draw::new(seed, "independent");
    let trees = Trees::grown(SIZE_MAX);
    for _ in 0..500 {
        let size = draw.between(EXHAUSTIVE, SIZE_MAX);
        trees.check_inclusion(draw.below(size), size);
        trees.check_consistency(draw.between(0, size), size);
    }
    for _ in 0..100 {
        trees.check_inclusion(draw.below(SIZE_MAX), SIZE_MAX);
        trees.check_consistency(draw.between(1, SIZE_MAX), SIZE_MAX);
    }
}

/// The leaves that the tests of Certificate Transparency publish, and the roots
/// of the trees of the first 0 to 8 of them (RFC 6962 section 2.1).
#[test]
fn published_leaves_have_the_published_roots_in_all_three() {
    let leaves: [&[u8]; 8] = [
        b"",
        b"\0",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"PQRSTUVW",
        b"`abcdefghijklmno",
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
    let (mut frontier, mut ct) = (
        Frontier::default(),
        MemoryBackedTree::<Sha256, &[u8]>::new(),
    );
    let mut stored = Stored::default();
    for (size, published) in roots.iter().enumerate() {
        let published = Hash::from_hex(published).unwrap();
        assert_eq!(frontier.root(), published, "{size}");
        assert_eq!(ct.root().as_bytes()[..], published.as_bytes()[..], "{size}");
        let theirs = tlog_tiles::tree_hash(size as u64, &stored).unwrap();
        assert_eq!(theirs, one(&published), "{size}");
        if let Some(leaf) = leaves.get(size) {
            frontier.push(leaf_hash(leaf)).unwrap();
            ct.push(leaf);
            let hashes = tlog_tiles::stored_hashes(size as u64, leaf, &stored).unwrap();
            stored.0.extend(hashes);
        }
    }
}
