use super::*;
use crate::store::disk::RealDisk;
use crate::store::disk::faults::{AFTERMATHS, FaultyDisk};

const FOLDER: &str = "ledger/documents";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n";
const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01";

fn documents(disk: &FaultyDisk) -> Documents {
    Documents::open(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap()
}

fn refusal(outcome: Result<StoredDocument, Failed>) -> Rule {
    match outcome {
        Err(Failed::Invalid(invalid)) => invalid.rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_stored_comes_back_as_what_it_is() {
    let disk = FaultyDisk::default();
    let documents = documents(&disk);
    let mut hashes = Vec::new();
    for (bytes, document_type, media_type) in [
        (PDF, DocumentType::Pdf, "application/pdf"),
        (JPEG, DocumentType::Jpeg, "image/jpeg"),
        (PNG, DocumentType::Png, "image/png"),
    ] {
        let stored = documents.put(bytes).unwrap();
        assert_eq!(
            (stored.document_type, stored.length),
            (document_type, bytes.len())
        );
        assert_eq!(stored.hash, Hash::of(&[bytes]));
        assert_eq!(documents.put(bytes).unwrap(), stored);
        let read = documents.read(&stored.hash).unwrap().unwrap();
        assert_eq!((read.document_type, &*read.bytes), (document_type, bytes));
        assert_eq!(read.document_type.media_type(), media_type);
        hashes.push(stored.hash);
    }
    hashes.sort();
    assert_eq!(documents.hashes().unwrap(), hashes);
    assert_eq!(documents.read(&Hash::of(&[b"other"])).unwrap(), None);
}

#[test]
fn what_is_no_document_or_too_long_is_refused_and_leaves_nothing() {
    let disk = FaultyDisk::default();
    let documents = documents(&disk);
    for bytes in [
        &b""[..],
        b"<html><script>alert(1)</script>",
        b"MZ\x90\0",
        b"GIF89a",
        b"PK\x03\x04",
        b"%PDF-1.7 without an end",
        b"%PDF-9.9\n%%EOF",
        b" %PDF-1.7\n%%EOF",
        b"<html>%PDF-1.7\n%%EOF",
        &[0xff, 0xd8],
        &[0xff, 0xd8, 0xff, 0xff],
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\n\x1a\n\0\0\0\x0dIHDR",
    ] {
        assert_eq!(refusal(documents.put(bytes)), Rule::Document, "{bytes:?}");
    }
    let mut longest = PNG.to_vec();
    longest.resize(DOCUMENT_BYTES_MAX, 7);
    let stored = documents.put(&longest).unwrap();
    longest.push(7);
    assert_eq!(refusal(documents.put(&longest)), Rule::TooLarge);
    assert_eq!(documents.hashes().unwrap(), [stored.hash]);
}

#[test]
fn power_cut_at_any_call_leaves_a_document_whole_or_absent_and_an_answered_one_there() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let before = documents(&disk);
        let kept = before.put(PNG).unwrap();
        disk.cut_after(call);
        let answered = before.put(PDF).is_ok();
        for aftermath in AFTERMATHS {
            let disk = disk.after_power_cut(aftermath);
            let documents = documents(&disk);
            let found = documents.read(&Hash::of(&[PDF])).unwrap();
            assert_eq!(
                found.as_ref().map(|found| &*found.bytes),
                found.as_ref().map(|_| PDF),
                "call {call}, {aftermath:?}"
            );
            assert!(
                found.is_some() || !answered,
                "call {call}, {aftermath:?}: lost"
            );
            assert!(documents.read(&kept.hash).unwrap().is_some());
            // Nothing half made is left, and it can be stored now.
            let there = 1 + usize::from(found.is_some());
            assert_eq!(disk.list(Path::new(FOLDER)).unwrap().len(), there);
            documents.put(PDF).unwrap();
        }
        if answered {
            assert!(call > 4, "only {call} calls were cut");
            return;
        }
    }
}

#[test]
fn a_document_that_rotted_is_reported_and_mended_by_storing_it_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("documents");
    let open = || Documents::open(Arc::new(RealDisk), &path).unwrap();
    let stored = open().put(PDF).unwrap();
    let file = path.join(stored.hash.to_string());
    for damage in [&PDF[..PDF.len() - 1], b"%PDF-1.4\n%%EOF\n", b""] {
        std::fs::write(&file, damage).unwrap();
        let documents = open();
        assert!(matches!(
            documents.read(&stored.hash),
            Err(Store::Damaged { .. })
        ));
        assert_eq!(documents.put(PDF).unwrap(), stored);
        assert_eq!(documents.read(&stored.hash).unwrap().unwrap().bytes, PDF);
    }
    // What an interrupted storing left is swept; what is no document's is not
    // taken for one.
    std::fs::write(path.join(format!("{}.new", stored.hash)), b"half").unwrap();
    std::fs::write(path.join("notes.txt"), b"a person's").unwrap();
    assert_eq!(open().hashes().unwrap(), [stored.hash]);
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 2);
}

#[test]
fn a_destroyed_document_is_on_no_block_of_the_disk_after_any_power_cut() {
    let disk = FaultyDisk::default();
    let documents = documents(&disk);
    let (gone, kept) = (documents.put(PDF).unwrap(), documents.put(PNG).unwrap());
    let path = Path::new(FOLDER).join(gone.hash.to_string());
    let open = disk.open(&path).unwrap();
    assert!(documents.destroy(&gone.hash).unwrap());
    assert!(!documents.destroy(&gone.hash).unwrap());
    let mut left = vec![1; PDF.len()];
    open.read_at(0, &mut left).unwrap();
    assert_eq!(left, vec![0; PDF.len()]);
    for aftermath in AFTERMATHS {
        let documents = self::documents(&disk.after_power_cut(aftermath));
        assert_eq!(documents.read(&gone.hash).unwrap(), None, "{aftermath:?}");
        assert!(documents.read(&kept.hash).unwrap().is_some());
    }
}
