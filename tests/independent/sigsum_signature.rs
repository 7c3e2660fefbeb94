//! Inclusion proofs and Ed25519 against `sigsum`, which takes them only within
//! a whole Sigsum signature: so one is made, with the leaf in a tree of ours.

use sigsum::{PolicyBuilder, PublicKey, Signature, SigsumSignature};
use std::convert::Infallible;
use std::fmt::Write;
use trace_core::proof::merkle::{Frontier, Hash, Nodes, leaf_hash, node_place, prove_inclusion};
use trace_core::record::base64;
use trace_core::record::sign::{self, SigningKey};

struct Rows(Vec<Vec<Hash>>);

impl Nodes for Rows {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.0[leaf as usize][place])
    }
}

const MESSAGE: &[u8] = b"a harvest of leeks";

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::from_seed([1; 32]),
        SigningKey::from_seed([2; 32]),
    )
}

/// What Sigsum keeps of a key: SHA-256 of the 32 bytes.
fn key_hash(key: &SigningKey) -> Hash {
    Hash::of(&[key.public().as_bytes()])
}

/// SHA-256 twice over, as the client hashes and the log hashes again.
fn checksum() -> Hash {
    Hash::of(&[Hash::of(&[MESSAGE]).as_bytes()])
}

/// A Sigsum signature whose leaf stands at `index` of a tree of `size`.
fn signature(index: u64, size: u64, change: impl FnOnce(&mut Vec<Hash>)) -> String {
    let (signer, log) = keys();
    let message = [b"sigsum.org/v1/tree-leaf\0", &checksum().as_bytes()[..]].concat();
    let leaf_signature = signer.sign(&message);
    let leaf = [
        &checksum().as_bytes()[..],
        leaf_signature.as_bytes(),
        key_hash(&signer).as_bytes(),
    ]
    .concat();
    let mut frontier = Frontier::default();
    let mut rows = Vec::new();
    for place in 0..size {
        let entry = match place == index {
            true => leaf.clone(),
            false => place.to_be_bytes().to_vec(),
        };
        rows.push(frontier.push(leaf_hash(&entry)).unwrap());
    }
    let mut path = prove_inclusion(&Rows(rows), index, size).unwrap();
    change(&mut path);
    let root = frontier.root();
    let log_hash = key_hash(&log);
    let head = format!(
        "sigsum.org/v1/tree/{log_hash}\n{size}\n{}\n",
        base64::encode(root.as_bytes())
    );
    let mut text = format!(
        "version=2\nlog={log_hash}\nleaf={} {leaf_signature}\n\nsize={size}\nroot_hash={root}\nsignature={}\n",
        key_hash(&signer),
        log.sign(head.as_bytes()),
    );
    write!(text, "\nleaf_index={index}\n").unwrap();
    for hash in path {
        writeln!(text, "node_hash={hash}").unwrap();
    }
    text
}

fn verify(text: &str) -> Result<(), String> {
    let (signer, log) = keys();
    let parsed = SigsumSignature::from_ascii(text).map_err(|error| error.to_string())?;
    let mut policy = PolicyBuilder::new();
    policy
        .add_log(PublicKey::from(*log.public().as_bytes()), None)
        .unwrap();
    let message = sigsum::Hash::new(MESSAGE);
    let signers = [PublicKey::from(*signer.public().as_bytes())];
    sigsum::verify(&message, &parsed, &signers, &policy.build()).map_err(|error| error.to_string())
}

#[test]
fn a_leaf_at_any_place_of_any_size_to_40_is_proved_to_sigsum() {
    for size in 1..=40 {
        for index in 0..size {
            let text = signature(index, size, |_| {});
            verify(&text).unwrap_or_else(|error| panic!("{index} of {size}: {error}"));
        }
    }
    for (index, size) in [
        (0, 130),
        (64, 130),
        (129, 130),
        (999, 1_000),
        (4_095, 5_000),
    ] {
        verify(&signature(index, size, |_| {})).unwrap();
    }
}

#[test]
fn a_spoilt_path_is_refused_by_sigsum() {
    for size in 2..=40 {
        for index in 0..size {
            let swapped = signature(index, size, |path| {
                let last = path.last_mut().unwrap();
                *last = Hash::of(&[last.as_bytes()]);
            });
            let shorter = signature(index, size, |path| {
                path.pop();
            });
            let longer = signature(index, size, |path| path.push(Hash::ZERO));
            for text in [swapped, shorter, longer] {
                assert_eq!(
                    verify(&text).unwrap_err(),
                    "verify error: bad inclusion proof"
                );
            }
        }
    }
}

/// RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
#[test]
fn published_signatures_are_made_here_and_verified_by_both() {
    let published: [(&str, &str, &[u8], &str); 3] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            b"",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            &[0x72],
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            &[0xaf, 0x82],
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (seed, public, message, wanted) in published {
        let key = SigningKey::from_seed(Hash::from_hex(seed).unwrap().into());
        let signature = key.sign(message);
        assert_eq!(key.public().to_string(), public);
        assert_eq!(signature.to_string(), wanted);
        sign::verify_strict(&key.public(), message, &signature).unwrap();
        let theirs = PublicKey::from(*key.public().as_bytes());
        assert!(theirs.verify_signature(message, &Signature::from(*signature.as_bytes())));

        let longer = [message, b"x"].concat();
        assert!(sign::verify_strict(&key.public(), &longer, &signature).is_err());
        assert!(!theirs.verify_signature(&longer, &Signature::from(*signature.as_bytes())));
    }
}
