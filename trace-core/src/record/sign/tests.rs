//! Keys and signatures against RFC 8032's vectors and against every way known
//! to make two verifiers disagree.

use super::*;

mod edge_cases;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    assert_eq!(hex.len(), 2 * N);
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

/// RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
const PUBLISHED: [(&str, &str, &[u8], &str); 3] = [
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

/// The eight points of small order in their canonical encodings: of order 1,
/// of order 2, the two of order 4 (y = 0) and the four of order 8.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/// Other encodings that decompress to points of small order.
const NOT_CANONICAL: [&str; 6] = [
    // x = 0 with the sign bit set
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    // y = p (that is 0) and y = p + 1 (that is 1), with either sign bit
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn published_keys_and_signatures_are_made_and_verified() {
    for (seed, public, message, signature) in PUBLISHED {
        let key = SigningKey::from_seed(bytes(seed));
        let public = PublicKey::from_bytes(bytes(public));
        let signature = Signature::from_bytes(bytes(signature));
        assert_eq!(key.public(), public);
        assert_eq!(*key.seed(), bytes::<32>(seed));
        assert_eq!(key.sign(message), signature);
        assert_eq!(verify_strict(&public, message, &signature), Ok(()));
        let accepted = public.accept().unwrap();
        assert_eq!(accepted, key.key());
        assert_eq!(accepted.public(), public);
        assert_eq!(accepted.verify_strict(message, &signature), Ok(()));
    }
}

#[test]
fn every_flipped_bit_of_signature_message_or_key_is_refused() {
    let (seed, _, _, _) = PUBLISHED[0];
    let key = SigningKey::from_seed(bytes(seed));
    let message = *b"two tonnes of cabbage";
    let signature = key.sign(&message);
    assert_eq!(key.key().verify_strict(&message, &signature), Ok(()));
    for bit in 0..64 * 8 {
        let mut flipped = *signature.as_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = Signature::from_bytes(flipped);
        assert!(matches!(
            key.key().verify_strict(&message, &flipped),
            Err(Verify::Signature { .. })
        ));
    }
    for bit in 0..message.len() * 8 {
        let mut flipped = message;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(key.key().verify_strict(&flipped, &signature).is_err());
    }
    for bit in 0..32 * 8 {
        let mut flipped = *key.public().as_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = PublicKey::from_bytes(flipped);
        assert!(verify_strict(&flipped, &message, &signature).is_err());
    }
    assert!(key.key().verify_strict(&message[1..], &signature).is_err());
}

/// S and S + L satisfy the same equation; only one of them is a signature.
#[test]
fn signature_with_the_group_order_added_is_refused() {
    const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = bytes::<32>(ORDER);
    for (_, public, message, signature) in PUBLISHED {
        let mut second = bytes::<64>(signature);
        let mut carry = 0u16;
        for (byte, add) in second[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "S + L fits in 256 bits");
        let public = PublicKey::from_bytes(bytes(public));
        assert!(verify_strict(&public, message, &Signature::from_bytes(second)).is_err());
    }
}

#[test]
fn all_eight_points_of_small_order_are_refused_as_keys() {
    let mut points = Vec::new();
    for hex in SMALL_ORDER {
        let public = PublicKey::from_bytes(bytes(hex));
        let refusal = public.accept().unwrap_err();
        assert_eq!(refusal.rule, Rule::Key);
        assert!(refusal.what.contains("small order"), "{refusal}");
        points.push(Key::parse(&public).unwrap().0.to_edwards());
    }
    for (i, point) in points.iter().enumerate() {
        assert!(point.is_small_order());
        assert!(!points[..i].contains(point), "eight different points");
    }
}

/// Under the identity as a key, (R = sB, S = s) satisfies the plain equation
/// for every message, and the plain verification says so. Only strict
/// verification refuses it.
#[test]
fn key_of_small_order_verifies_nothing() {
    let (seed, _, _, _) = PUBLISHED[0];
    let known = SigningKey::from_seed(bytes(seed));
    let mut forged = [0; 64];
    forged[..32].copy_from_slice(known.public().as_bytes());
    forged[32..].copy_from_slice(known.0.to_scalar().as_bytes());
    let identity = Key::parse(&PublicKey::from_bytes(bytes(SMALL_ORDER[0]))).unwrap();
    #[allow(
        clippy::disallowed_methods,
        reason = "shows what the strict verification is for"
    )]
    let plain = ed25519_dalek::Verifier::verify(
        &identity.0,
        b"anything",
        &ed25519_dalek::Signature::from_bytes(&forged),
    );
    assert!(plain.is_ok());
    for hex in SMALL_ORDER.iter().chain(&NOT_CANONICAL) {
        let key = Key::parse(&PublicKey::from_bytes(bytes(hex))).unwrap();
        for message in 0..64u8 {
            let signature = Signature::from_bytes(forged);
            assert!(key.verify_strict(&[message], &signature).is_err());
        }
    }
}

/// R of small order: the other half of what only strict verification refuses.
#[test]
fn signature_with_a_point_of_small_order_is_refused() {
    let (_, public, message, signature) = PUBLISHED[1];
    let public = PublicKey::from_bytes(bytes(public));
    for hex in SMALL_ORDER.iter().chain(&NOT_CANONICAL) {
        let mut signature = bytes::<64>(signature);
        signature[..32].copy_from_slice(&bytes::<32>(hex));
        assert!(verify_strict(&public, message, &Signature::from_bytes(signature)).is_err());
    }
}

#[test]
fn key_not_in_its_canonical_encoding_is_refused() {
    for hex in NOT_CANONICAL {
        let refusal = PublicKey::from_bytes(bytes(hex)).accept().unwrap_err();
        assert_eq!(refusal.rule, Rule::Key);
        assert!(refusal.what.contains("canonical"), "{refusal}");
    }
    // Every y from p to 2^255 - 1, either sign: 2 * 19 encodings, none canonical.
    for low in 0xed..=0xffu8 {
        for high in [0x7f, 0xff] {
            let mut encoding = [0xff; 32];
            encoding[0] = low;
            encoding[31] = high;
            let refusal = PublicKey::from_bytes(encoding).accept().unwrap_err();
            assert_eq!(refusal.rule, Rule::Key);
        }
    }
}

#[test]
fn key_with_a_part_of_small_order_is_refused() {
    let (seed, _, _, _) = PUBLISHED[1];
    let sound = SigningKey::from_seed(bytes(seed)).key();
    for hex in &SMALL_ORDER[1..] {
        let small = Key::parse(&PublicKey::from_bytes(bytes(hex))).unwrap();
        let mixed = ed25519_dalek::VerifyingKey::from(sound.0.to_edwards() + small.0.to_edwards());
        let mixed = PublicKey::from_bytes(mixed.to_bytes());
        assert!(
            Key::parse(&mixed).is_ok(),
            "it is a point, and not a weak one"
        );
        let refusal = mixed.accept().unwrap_err();
        assert_eq!(refusal.rule, Rule::Key);
        assert!(refusal.what.contains("part of small order"), "{refusal}");
    }
    assert!(sound.public().accept().is_ok());
}

#[test]
fn bytes_that_are_no_point_are_refused() {
    let mut refused = 0;
    for low in 0..=255u8 {
        let mut encoding = [0; 32];
        encoding[0] = low;
        encoding[1] = 7;
        let public = PublicKey::from_bytes(encoding);
        if Key::parse(&public).is_err() {
            refused += 1;
            assert!(public.accept().unwrap_err().what.contains("not a point"));
        }
    }
    assert!(
        (90..166).contains(&refused),
        "about half are no points: {refused}"
    );
}

#[test]
fn key_id_is_the_hash_of_prefix_algorithm_and_key() {
    let (_, public, _, _) = PUBLISHED[0];
    let public = PublicKey::from_bytes(bytes(public));
    let mut written = b"trace/key/v1\n\x01".to_vec();
    written.extend_from_slice(public.as_bytes());
    assert_eq!(public.id().hash(), Hash::of(&[&written]));
    assert_eq!(KeyId::from(public.id().hash()), public.id());
}

#[test]
fn every_byte_but_one_is_an_unknown_algorithm() {
    for byte in 0..=255u8 {
        match Algorithm::from_byte(byte) {
            Ok(algorithm) => assert_eq!((algorithm, algorithm.byte()), (Algorithm::Ed25519, 1)),
            Err(refusal) => {
                assert_ne!(byte, 1);
                assert_eq!(refusal.rule, Rule::Algorithm);
                assert!(refusal.what.contains(&byte.to_string()));
            }
        }
        assert_eq!(
            Algorithm::from_byte(byte).is_ok(),
            byte == Algorithm::Ed25519 as u8
        );
    }
}

#[test]
fn private_key_is_never_shown() {
    let seed = [0x5a; 32];
    let shown = format!("{:?}", SigningKey::from_seed(seed));
    assert!(shown.contains(&SigningKey::from_seed(seed).public().to_string()));
    assert!(!shown.to_lowercase().contains("5a5a") && !shown.contains("90, 90"));
}
