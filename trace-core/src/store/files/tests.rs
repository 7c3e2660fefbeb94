//! Replacing under power cuts, and the lock.

use super::super::disk::RealDisk;
use super::super::disk::faults::{AFTERMATHS, FaultyDisk};
use super::*;

const PATH: &str = "folder/checkpoint";

/// Runs `replacing` with the power cut in each of its calls; whatever the disk
/// kept, the file is the old or the new one, and the new one if it was answered.
fn cut_everywhere(replacing: impl Fn(&Arc<dyn Disk>) -> Result<(), Store>, old: &[u8], new: &[u8]) {
    for call in 1.. {
        let disk = FaultyDisk::default();
        replace(&disk, Path::new(PATH), old, Access::Ordinary).unwrap();
        disk.cut_after(call);
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let answered = replacing(&shared).is_ok();
        for aftermath in AFTERMATHS {
            let disk = disk.after_power_cut(aftermath);
            sweep(&disk, Path::new(PATH)).unwrap();
            let found = read(&disk, Path::new(PATH)).unwrap();
            let found = found.expect("the file is there");
            let whole = found == new || (!answered && found == old);
            assert!(whole, "call {call}, {aftermath:?}: {found:?}");
            assert_eq!(disk.list(Path::new("folder")).unwrap().len(), 1);
            replace(&disk, Path::new(PATH), b"later", Access::Ordinary).unwrap();
        }
        if answered {
            assert!(call > 4, "only {call} calls were cut");
            return;
        }
    }
}

#[test]
fn power_cut_at_any_call_of_replace_leaves_old_or_new_whole() {
    let (old, new) = (b"the old checkpoint, whole", b"a new one");
    let plain = |disk: &Arc<dyn Disk>| replace(&**disk, Path::new(PATH), new, Access::Ordinary);
    cut_everywhere(plain, old, new);
}

#[test]
fn power_cut_at_any_call_of_a_prepared_replace_leaves_old_or_new_whole() {
    let (old, new) = (
        b"the old checkpoint, whole",
        b"a new one, rather longer than the old",
    );
    for prepared in [0, 5, new.len(), 100] {
        let spare = |disk: &Arc<dyn Disk>| {
            let mut replacer = Replacer::new(disk.clone(), Path::new(PATH), Access::Ordinary)?;
            replacer.prepare(prepared)?;
            replacer.prepare(prepared)?;
            replacer.replace(new)
        };
        cut_everywhere(spare, old, new);
    }
}

#[test]
fn a_real_replacer_keeps_only_the_last_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    std::fs::write(beside(&path, SPARE), b"left by a crash").unwrap();
    assert_eq!(read(&RealDisk, &path).unwrap(), None);
    let mut replacer = Replacer::new(Arc::new(RealDisk), &path, Access::Ordinary).unwrap();
    for (round, length) in [10, 300, 20, 0, 7].into_iter().enumerate() {
        if round % 2 == 0 {
            replacer.prepare(50).unwrap();
        }
        let content = vec![u8::try_from(round).unwrap(); length];
        replacer.replace(&content).unwrap();
        assert_eq!(read(&RealDisk, &path).unwrap(), Some(content));
        let beside_it = RealDisk.list(folder.path()).unwrap();
        assert!(
            beside_it
                .iter()
                .all(|it| *it == path || *it == beside(&path, SPARE)),
            "{beside_it:?}"
        );
    }
    // The next owner finds the content, and sweeps the spare.
    drop(replacer);
    Replacer::new(Arc::new(RealDisk), &path, Access::Ordinary).unwrap();
    assert_eq!(
        RealDisk.list(folder.path()).unwrap(),
        std::slice::from_ref(&path)
    );
    assert_eq!(read(&RealDisk, &path).unwrap(), Some(vec![4; 7]));
}

#[test]
fn a_secret_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let building = beside(&path, BUILDING);
    std::fs::write(&building, b"left by a crash").unwrap();
    replace(&RealDisk, &path, b"one", Access::Secret).unwrap();
    assert_eq!(mode(), 0o600);
    let mut replacer = Replacer::new(Arc::new(RealDisk), &path, Access::Secret).unwrap();
    replacer.prepare(3).unwrap();
    replacer.replace(b"two").unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn the_lock_refuses_a_second_opener_until_it_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let held = LockFile::acquire(folder.path()).unwrap();
    let second = LockFile::acquire(folder.path()).unwrap_err();
    assert!(matches!(second, Store::Place { .. }));
    assert!(second.to_string().contains("another process"), "{second}");
    drop(held);
    LockFile::acquire(folder.path()).unwrap();
    let nowhere = LockFile::acquire(&folder.path().join("none")).unwrap_err();
    assert!(matches!(nowhere, Store::Io { .. }), "{nowhere}");
}
