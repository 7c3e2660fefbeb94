//! Kept keys sign again, under the right key-encryption key alone; a wrong one
//! is never taken for damage, nor damage for a wrong one.

use super::*;
use crate::store::disk::RealDisk;
use crate::store::disk::faults::{AFTERMATHS, FaultyDisk};
use std::path::PathBuf;

const PATH: &str = "folder/hosted.keys";

fn kek(n: u8) -> Kek {
    Kek::from_hex(&format!("{n:02x}").repeat(32)).unwrap()
}

fn entity(n: u8) -> EntityId {
    EntityId::from_bytes([n; 10])
}

fn seed(n: u8) -> Zeroizing<[u8; 32]> {
    Zeroizing::new([n; 32])
}

fn id(n: u8) -> KeyId {
    SigningKey::from_seed([n; 32]).public().id()
}

fn real() -> (tempfile::TempDir, Arc<dyn Disk>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosted.keys");
    (folder, Arc::new(RealDisk), path)
}

fn kept(disk: &Arc<dyn Disk>, path: &Path) -> HostedKeys {
    let mut keys = HostedKeys::create(disk.clone(), path, kek(1), [0; NONCE_BYTES]).unwrap();
    for n in 1..=3 {
        let added = keys.add(entity(n), seed(n), [n; NONCE_BYTES]).unwrap();
        assert_eq!(added, id(n));
    }
    keys
}

#[test]
fn a_kept_key_signs_again_after_reopening_and_an_unknown_one_is_none() {
    let (_folder, disk, path) = real();
    let mut keys = kept(&disk, &path);
    keys.add(entity(1), seed(9), [9; NONCE_BYTES]).unwrap();
    drop(keys);
    let keys = HostedKeys::open(disk, &path, kek(1)).unwrap();
    assert!(keys.is_present());
    for n in [1, 2, 3, 9] {
        let key = keys.signing_key(&id(n)).unwrap().unwrap();
        let wanted = SigningKey::from_seed([n; 32]);
        assert_eq!(key.sign(b"m"), wanted.sign(b"m"));
    }
    assert!(keys.signing_key(&id(4)).unwrap().is_none());
    let newest_first: Vec<_> = keys.keys_of(&entity(1)).collect();
    assert_eq!(newest_first, [id(9), id(1)]);
    assert_eq!(keys.keys_of(&entity(2)).next(), Some(id(2)));
    assert_eq!(keys.keys_of(&entity(4)).next(), None);
    assert_eq!(
        format!("{keys:?} {:?}", kek(7)),
        "HostedKeys(4 keys) Kek(..)"
    );
}

#[test]
fn the_file_holds_no_seed_in_the_clear() {
    let (_folder, disk, path) = real();
    kept(&disk, &path);
    let bytes = std::fs::read(&path).unwrap();
    assert!((1..=3).all(|n| !bytes.windows(32).any(|window| window == [n; 32])));
}

#[test]
fn a_key_kept_twice_is_refused_and_the_first_still_signs() {
    let (_folder, disk, path) = real();
    let mut keys = kept(&disk, &path);
    let again = keys.add(entity(4), seed(1), [4; NONCE_BYTES]);
    assert!(matches!(again, Err(Store::Engine { .. })), "{again:?}");
    assert_eq!(keys.keys_of(&entity(4)).next(), None);
    assert!(keys.signing_key(&id(1)).unwrap().is_some());
}

#[test]
fn a_wrong_key_encryption_key_is_told_apart_from_damage() {
    let (_folder, disk, path) = real();
    let mut keys = kept(&disk, &path);
    let before_last = std::fs::read(&path).unwrap().len();
    keys.add(entity(4), seed(4), [4; NONCE_BYTES]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let wrong = HostedKeys::open(disk.clone(), &path, kek(2)).unwrap_err();
    assert!(matches!(wrong, Store::Place { .. }), "{wrong}");
    assert!(wrong.to_string().contains("another key-encryption key"));
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    // what rots in the last group cannot be told from a torn tail
    for at in 0..before_last {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        for n in [1, 2] {
            let error = HostedKeys::open(disk.clone(), &path, kek(n)).unwrap_err();
            assert!(matches!(error, Store::Damaged { .. }), "byte {at}: {error}");
        }
    }
}

/// Someone who edits the file mends its checksums.
#[test]
fn an_edited_seed_or_holder_is_damage_that_names_the_key() {
    let one = SigningKey::from_seed([1; 32]);
    let good = Hosted::seal(&kek(1), entity(1), &one, [1; NONCE_BYTES]);
    let mut other_holder = good.clone();
    other_holder.entity = entity(2);
    let mut other_seed = good.clone();
    other_seed.sealed_seed[0] ^= 1;
    let mut other_key = good.clone();
    other_key.key = id(2);
    let why = |key| format!("the seed of key {key} does not open");
    for (lines, why) in [
        (vec![other_holder], why(id(1))),
        (vec![other_seed], why(id(1))),
        (vec![other_key], why(id(2))),
        (
            vec![good.clone(), good],
            format!("key {} stands twice", id(1)),
        ),
    ] {
        let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
        let note = kek(1).check([0; NONCE_BYTES]);
        let mut file = TitledFile::create(disk.clone(), Path::new(PATH), TITLE, &note).unwrap();
        for line in &lines {
            file.append(&encode::encode(line)).unwrap();
        }
        file.sync().unwrap();
        let error = HostedKeys::open(disk, Path::new(PATH), kek(1)).unwrap_err();
        assert!(matches!(error, Store::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(&why), "{error}");
    }
}

#[test]
fn after_rotation_only_the_new_key_opens_and_the_latest_stays_the_latest() {
    let (_folder, disk, path) = real();
    let mut keys = kept(&disk, &path);
    keys.add(entity(2), seed(7), [7; NONCE_BYTES]).unwrap();
    let mut n = 100;
    let mut nonce = || {
        n += 1;
        [n; NONCE_BYTES]
    };
    keys.rotate(kek(2), &mut nonce).unwrap();
    keys.add(entity(5), seed(5), [5; NONCE_BYTES]).unwrap();
    assert!(keys.signing_key(&id(1)).unwrap().is_some());
    let old = HostedKeys::open(disk.clone(), &path, kek(1)).unwrap_err();
    assert!(matches!(old, Store::Place { .. }), "{old}");
    let keys = HostedKeys::open(disk, &path, kek(2)).unwrap();
    for n in [1, 2, 3, 5, 7] {
        assert!(keys.signing_key(&id(n)).unwrap().is_some(), "{n}");
    }
    assert_eq!(keys.keys_of(&entity(2)).next(), Some(id(7)));
}

#[test]
fn without_a_key_encryption_key_hosting_is_off_and_says_so() {
    let mut keys = HostedKeys::absent();
    assert!(!keys.is_present());
    assert_eq!(keys.keys_of(&entity(1)).next(), None);
    let refusals = [
        keys.add(entity(1), seed(1), [1; NONCE_BYTES]).map(|_| ()),
        keys.signing_key(&id(1)).map(|_| ()),
        keys.rotate(kek(1), &mut || [0; NONCE_BYTES]),
    ];
    for refused in refusals {
        let error = refused.unwrap_err();
        assert!(
            error.to_string().contains("no key-encryption key"),
            "{error}"
        );
    }
}

#[test]
fn a_key_encryption_key_is_64_hexadecimal_digits_and_nothing_else() {
    let digits = "0123456789abcdefABCDEF".repeat(3)[..64].to_string();
    assert!(Kek::from_hex(&format!(" {digits}\n")).is_some());
    assert_eq!(kek(0xAB).0.as_slice(), [0xAB; 32]);
    for wrong in [
        String::new(),
        digits[1..].into(),
        format!("{digits}0"),
        digits.replace('0', "g"),
        digits.replace("01", "+1"),
        digits.replace("01", "é"),
    ] {
        assert!(Kek::from_hex(&wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_tail_torn_at_any_byte_loses_no_key_that_was_answered_for() {
    let (_folder, disk, path) = real();
    let mut keys = kept(&disk, &path);
    let answered = std::fs::read(&path).unwrap().len();
    keys.add(entity(4), seed(4), [4; NONCE_BYTES]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in answered..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let keys = HostedKeys::open(disk.clone(), &path, kek(1)).unwrap();
        assert_eq!(keys.cut_bytes(), (length - answered) as u64);
        assert!((1..=3).all(|n| keys.keys_of(&entity(n)).next() == Some(id(n))));
        assert_eq!(keys.keys_of(&entity(4)).next(), None);
    }
}

#[test]
fn a_power_cut_at_any_call_loses_no_answered_key_and_leaves_one_right_kek() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let mut keys = kept(&(Arc::new(disk.clone()) as _), Path::new(PATH));
        disk.cut_after(call);
        let mut answered = vec![1, 2, 3];
        let mut story = || -> Result<(), Store> {
            keys.add(entity(4), seed(4), [4; NONCE_BYTES])?;
            answered.push(4);
            let mut nonces = 100..;
            keys.rotate(kek(2), &mut || [nonces.next().unwrap(); NONCE_BYTES])?;
            keys.add(entity(5), seed(5), [5; NONCE_BYTES])?;
            answered.push(5);
            Ok(())
        };
        let finished = story().is_ok();
        if !finished {
            let later = keys.add(entity(6), seed(6), [6; NONCE_BYTES]);
            assert!(matches!(later, Err(Store::ReadOnly { .. })), "{later:?}");
            assert_eq!(keys.keys_of(&entity(6)).next(), None);
        }
        for aftermath in AFTERMATHS {
            let disk: Arc<dyn Disk> = Arc::new(disk.after_power_cut(aftermath));
            let opened: Vec<_> = [1, 2]
                .into_iter()
                .filter_map(|n| HostedKeys::open(disk.clone(), Path::new(PATH), kek(n)).ok())
                .collect();
            let [keys] = opened.as_slice() else {
                panic!("{} keys open the file", opened.len());
            };
            for n in &answered {
                assert!(keys.signing_key(&id(*n)).unwrap().is_some(), "{n}");
            }
        }
        if finished {
            assert!(call > 12, "only {call} calls were cut");
            break;
        }
    }
}
