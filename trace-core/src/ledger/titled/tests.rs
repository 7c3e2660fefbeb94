//! A file says what it is, is old or new when rewritten, and loses only what
//! was never durable.

use super::*;
use crate::store::disk::RealDisk;
use crate::store::disk::faults::{AFTERMATHS, FaultyDisk};

const PATH: &str = "folder/file";
const KIND: &[u8] = b"trace/test/v1\n";

type Lines = Vec<Vec<u8>>;

fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<(TitledFile, Vec<u8>, Lines), Store> {
    let (mut note, mut lines) = (Vec::new(), Vec::new());
    let file = TitledFile::open(
        disk.clone(),
        path,
        KIND,
        |found| {
            note = found.to_vec();
            Ok(())
        },
        |found| {
            lines.push(found.to_vec());
            Ok(())
        },
    )?;
    Ok((file, note, lines))
}

fn real() -> (tempfile::TempDir, Arc<dyn Disk>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    (folder, Arc::new(RealDisk), path)
}

fn lines(lines: &[&[u8]]) -> std::vec::IntoIter<Zeroizing<Vec<u8>>> {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| Zeroizing::new(line.to_vec()))
        .collect();
    lines.into_iter()
}

#[test]
fn lines_are_read_back_in_order_and_rewriting_replaces_them() {
    let (_folder, disk, path) = real();
    let mut file = TitledFile::create(disk.clone(), &path, KIND, b"one").unwrap();
    file.append(b"a").unwrap();
    file.append(b"").unwrap();
    file.sync().unwrap();
    let (mut file, note, found) = open(&disk, &path).unwrap();
    assert_eq!(
        (note, found),
        (b"one".to_vec(), vec![b"a".to_vec(), vec![]])
    );
    file.rewrite(b"two", lines(&[b"b", b"c"])).unwrap();
    file.append(b"d").unwrap();
    file.sync().unwrap();
    let (_, note, found) = open(&disk, &path).unwrap();
    assert_eq!(note, b"two");
    assert_eq!(found, [b"b", b"c", b"d"]);
    let names = disk.list(path.parent().unwrap()).unwrap();
    assert_eq!(names, [path]);
}

#[test]
fn the_old_file_holds_only_zeros_after_a_rewriting() {
    let (_folder, disk, path) = real();
    let mut file = TitledFile::create(disk.clone(), &path, KIND, b"").unwrap();
    file.append(&[0xA5; 99]).unwrap();
    file.sync().unwrap();
    let old = disk.open(&path).unwrap();
    file.rewrite(b"", lines(&[])).unwrap();
    let mut bytes = vec![1; usize::try_from(old.length().unwrap()).unwrap()];
    old.read_at(0, &mut bytes).unwrap();
    assert!(bytes.len() > 99 && bytes.iter().all(|byte| *byte == 0));
}

#[test]
fn a_file_of_another_kind_is_named_and_create_never_replaces() {
    let (_folder, disk, path) = real();
    TitledFile::create(disk.clone(), &path, b"trace/other/v1\n", b"").unwrap();
    let error = open(&disk, &path).unwrap_err();
    assert!(matches!(error, Store::Place { .. }), "{error}");
    assert!(error.to_string().contains("wanted trace/test/v1"));
    let again = TitledFile::create(disk.clone(), &path, KIND, b"");
    assert!(matches!(again, Err(Store::Place { .. })));
    let none = open(&disk, &path.with_extension("none")).unwrap_err();
    assert!(matches!(none, Store::Place { .. }), "{none}");
}

#[test]
fn only_an_appended_tail_is_cut_and_what_was_written_whole_is_damage() {
    let (_folder, disk, path) = real();
    let mut file = TitledFile::create(disk.clone(), &path, KIND, b"").unwrap();
    file.rewrite(b"", lines(&[b"kept", b"also kept"])).unwrap();
    let whole_to = usize::try_from(file.durable_to()).unwrap();
    file.append(b"torn").unwrap();
    file.sync().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        match open(&disk, &path) {
            Ok((file, _, found)) => {
                assert!(length >= whole_to, "{length}");
                assert_eq!(found, [b"kept".to_vec(), b"also kept".to_vec()]);
                assert_eq!(file.cut_bytes(), (length - whole_to) as u64);
            }
            Err(error) => {
                assert!(length < whole_to, "{length}: {error}");
                assert!(matches!(error, Store::Damaged { .. }), "{error}");
            }
        }
    }
    for at in 0..whole_to {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            std::fs::write(&path, &flipped).unwrap();
            let error = open(&disk, &path).unwrap_err();
            assert!(matches!(error, Store::Damaged { .. }), "{error}");
            assert!(error.to_string().contains("offset"), "{error}");
        }
    }
}

#[test]
fn a_power_cut_at_any_call_of_a_rewriting_leaves_the_old_or_the_new_file() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let mut file = TitledFile::create(shared, Path::new(PATH), KIND, b"").unwrap();
        file.append(b"old").unwrap();
        file.sync().unwrap();
        disk.cut_after(call);
        let done = file.rewrite(b"", lines(&[b"new"])).is_ok();
        if !done {
            let later = file.append(b"later");
            assert!(matches!(later, Err(Store::ReadOnly { .. })), "{later:?}");
            let later = file.catch_up();
            assert!(matches!(later, Err(Store::ReadOnly { .. })), "{later:?}");
        }
        for aftermath in AFTERMATHS {
            let disk: Arc<dyn Disk> = Arc::new(disk.after_power_cut(aftermath));
            let (_, _, found) = open(&disk, Path::new(PATH)).unwrap();
            if done {
                assert_eq!(found, [b"new"]);
            } else {
                assert!(found == [b"old"] || found == [b"new"], "{found:?}");
            }
            let names = disk.list(Path::new("folder")).unwrap();
            assert_eq!(names, [Path::new(PATH)], "leftovers hold keys");
        }
        if done {
            assert!(call > 8, "only {call} calls were cut");
            break;
        }
    }
}
