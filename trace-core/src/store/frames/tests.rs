//! Torn tails are cut, damage is named, and what was synced stays.

use super::super::disk::RealDisk;
use super::super::disk::faults::{AFTERMATHS, FaultyDisk};
use super::*;

const PATH: &str = "folder/annex";

fn payload(n: u64) -> Vec<u8> {
    let length = usize::try_from(n * 37 % 61).unwrap();
    vec![u8::try_from(n % 251).unwrap(); length]
}

/// Groups of one, two and three payloads; the ends of all groups.
fn append_groups(frames: &mut Frames, groups: std::ops::Range<u64>) -> Result<Vec<u64>, Store> {
    let mut ends = Vec::new();
    for group in groups {
        for n in 0..=group % 3 {
            frames.append(&payload(group * 3 + n))?;
        }
        ends.push(frames.sync()?);
    }
    Ok(ends)
}

/// How many whole groups a file holds; fails on part of one.
fn whole_groups(frames: &Frames) -> u64 {
    let mut seen = Vec::new();
    frames
        .scan(|position, payload| {
            assert_eq!(frames.reader().read(position).unwrap(), payload);
            seen.push(payload.to_vec());
            Ok(())
        })
        .unwrap();
    let mut groups = 0;
    let mut wanted = Vec::new();
    while wanted.len() < seen.len() {
        wanted.extend((0..=groups % 3).map(|n| payload(groups * 3 + n)));
        groups += 1;
    }
    assert_eq!(seen, wanted);
    groups
}

fn written(groups: u64) -> (tempfile::TempDir, PathBuf, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("annex");
    let mut frames = Frames::create(&RealDisk, &path, Access::Ordinary).unwrap();
    let ends = append_groups(&mut frames, 0..groups).unwrap();
    assert_eq!(whole_groups(&frames), groups);
    (folder, path, ends)
}

fn open(path: &Path, answered_to: u64) -> Result<(Frames, u64), Store> {
    Frames::open(&RealDisk, path, answered_to, Check::Full)
}

#[test]
fn payloads_are_read_back_where_append_said_they_would_be() {
    let (_folder, path, ends) = written(7);
    let (mut frames, cut) = Frames::open(&RealDisk, &path, ends[6], Check::Quick).unwrap();
    assert_eq!((cut, frames.durable_to()), (0, ends[6]));
    let empty = frames.append(b"").unwrap();
    let long = frames.append(&[9; 5_000]).unwrap();
    let early = frames.reader().read(long);
    assert!(matches!(early, Err(Store::Damaged { .. })), "{early:?}");
    frames.sync().unwrap();
    assert_eq!(frames.reader().read(empty).unwrap(), b"");
    assert_eq!(frames.reader().read(long).unwrap(), [9; 5_000]);
    let between = frames.reader().read(long + 1);
    assert!(matches!(between, Err(Store::Damaged { .. })), "{between:?}");
    let too_long = frames.append(&vec![0; PAYLOAD_MAX_BYTES + 1]);
    assert!(matches!(too_long, Err(Store::Engine { .. })));
    frames.append(b"still good").unwrap();
}

#[test]
fn create_refuses_what_exists_and_open_refuses_what_does_not() {
    let (_folder, path, _) = written(1);
    let again = Frames::create(&RealDisk, &path, Access::Ordinary);
    assert!(matches!(again, Err(Store::Place { .. })), "{again:?}");
    let missing = open(&path.with_extension("none"), 0);
    assert!(matches!(missing, Err(Store::Place { .. })), "{missing:?}");
    assert!(!path.with_extension("none").exists());
    std::fs::write(&path, b"something else, long enough").unwrap();
    let other = open(&path, 0);
    assert!(matches!(other, Err(Store::Damaged { .. })), "{other:?}");
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_to_the_last_whole_group() {
    let (_folder, path, ends) = written(5);
    let whole = std::fs::read(&path).unwrap();
    let first = FILE_HEADER.len();
    for length in first..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let kept = ends.iter().filter(|end| **end <= length as u64).count() as u64;
        let (mut frames, cut) = open(&path, 0).unwrap();
        assert_eq!(whole_groups(&frames), kept, "cut at {length}");
        assert_eq!(frames.durable_to() + cut, length as u64);
        append_groups(&mut frames, kept..6).unwrap();
        drop(frames);
        let (frames, cut) = open(&path, 0).unwrap();
        assert_eq!((whole_groups(&frames), cut), (6, 0));
    }
}

#[test]
fn what_was_answered_for_is_never_cut() {
    let (_folder, path, ends) = written(5);
    let whole = std::fs::read(&path).unwrap();
    for check in [Check::Quick, Check::Full] {
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let opened = Frames::open(&RealDisk, &path, ends[4], check);
            assert!(matches!(opened, Err(Store::Damaged { .. })), "{opened:?}");
            assert_eq!(std::fs::read(&path).unwrap().len(), length);
        }
    }
    // the last group rotted: by the file alone it might be a torn tail
    let mut rotten = whole.clone();
    *rotten.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &rotten).unwrap();
    let error = open(&path, ends[4]).unwrap_err().to_string();
    assert!(error.contains(&format!("offset {}", ends[3])), "{error}");
    assert_eq!(open(&path, ends[3]).unwrap().1, ends[4] - ends[3]);
}

#[test]
fn any_flipped_bit_before_the_last_group_is_damage_at_its_group() {
    let (_folder, path, ends) = written(5);
    let whole = std::fs::read(&path).unwrap();
    let last = usize::try_from(ends[3]).unwrap();
    for at in 0..last {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            std::fs::write(&path, &flipped).unwrap();
            let error = open(&path, 0).expect_err("a flipped bit was believed");
            let start = ends.iter().rfind(|end| **end <= at as u64);
            let start = match start {
                Some(end) => *end,
                None if at < FILE_HEADER.len() => 0,
                None => FILE_HEADER.len() as u64,
            };
            let named = format!("at offset {start}:");
            assert!(matches!(error, Store::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(&named), "byte {at}: {error}");
        }
    }
}

#[test]
fn a_power_cut_at_any_call_keeps_every_synced_group_and_no_part_of_one() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let mut frames = Frames::create(&disk, Path::new(PATH), Access::Ordinary).unwrap();
        disk.cut_after(call);
        let mut synced = 0;
        let failed = loop {
            if synced == 6 {
                break None;
            }
            match append_groups(&mut frames, synced..synced + 1) {
                Ok(_) => synced += 1,
                Err(error) => break Some(error),
            }
        };
        if failed.is_some() {
            let after = frames.append(b"later");
            assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
        }
        for aftermath in AFTERMATHS {
            let disk = disk.after_power_cut(aftermath);
            for check in [Check::Quick, Check::Full] {
                let answered_to = frames.durable_to();
                let (frames, _) = Frames::open(&disk, Path::new(PATH), answered_to, check).unwrap();
                let kept = whole_groups(&frames);
                assert!(kept == synced || kept == synced + 1, "{kept} of {synced}");
            }
        }
        if failed.is_none() {
            assert!(call > 12, "only {call} calls were cut");
            break;
        }
    }
}
