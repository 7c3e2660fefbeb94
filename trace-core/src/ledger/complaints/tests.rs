use super::*;
use crate::error::Rule;
use crate::ident::Area;
use crate::ledger::Failed;

fn area(text: &str) -> AreaCode {
    text.parse::<Area>().unwrap().into()
}

fn complaint(place: &str, text: &str) -> Complaint {
    Complaint {
        at_ms: 1_790_000_000_000,
        area: area(place),
        about: Some(TraceCode::from_bytes([3; 10])),
        text: text.into(),
        contact: Some("王某 13800000000".into()),
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn open(&self) -> Complaints {
        Complaints::open(&self.folder.path().join(COMPLAINTS_FILE)).unwrap()
    }
}

#[test]
fn a_complaint_is_there_again_with_what_it_committed_to_until_it_is_erased() {
    let place = Place::new();
    let said = complaint("131023", "韭菜有农药味\n还有泥");
    let (number, commitment) = place.open().take(said.clone(), [7; 16]).unwrap();
    assert_eq!((number, commitment), (1, said.commitment(&[7; 16])));
    assert_ne!(commitment, said.commitment(&[8; 16]));
    let store = place.open();
    let kept = store.get(1).unwrap().unwrap();
    let opened = kept.said.unwrap();
    assert_eq!((opened.complaint, opened.salt), (said, [7; 16]));
    assert_eq!(kept.index, None);
    assert_eq!(store.unrecorded(9).unwrap().len(), 1);
    store.recorded(1, 44).unwrap();
    assert!(store.unrecorded(9).unwrap().is_empty());
    assert!(store.erase(1).unwrap());
    assert!(!store.erase(1).unwrap());
    assert!(!store.erase(2).unwrap());
    let kept = store.get(1).unwrap().unwrap();
    assert_eq!((kept.index, kept.said), (Some(44), None));
    assert_eq!(kept.commitment, commitment);
    assert_eq!(store.get(2).unwrap(), None);
}

#[test]
fn each_area_sees_its_own_newest_first_page_by_page() {
    let store = Place::new().open();
    for number in 0..10 {
        let place = if number % 2 == 0 { "131023" } else { "131081" };
        let said = complaint(place, &format!("第{number}次投诉"));
        store.take(said, [number; 16]).unwrap();
    }
    let sees = |own: AreaCode| own == area("131023");
    let numbers = |page: &Page| page.complaints.iter().map(|it| it.0).collect::<Vec<_>>();
    let first = store.page(u64::MAX, 3, sees).unwrap();
    assert_eq!(numbers(&first), [9, 7, 5]);
    let rest = store.page(first.next_before.unwrap(), 3, sees).unwrap();
    assert_eq!((numbers(&rest), rest.next_before), (vec![3, 1], None));
    let oldest = store.unrecorded(2).unwrap();
    assert_eq!(oldest.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2]);
    // However many come after it, one that was put off is found again.
    for number in 2..=10 {
        store.recorded(number, 100 + number).unwrap();
    }
    let left = store.unrecorded(9).unwrap();
    assert_eq!(left.iter().map(|it| it.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn texts_are_bounded_and_plain_and_what_was_edited_is_named() {
    let place = Place::new();
    let store = place.open();
    let long = "长".repeat(TEXT_LENGTH_MAX + 1);
    for text in [
        "",
        "坏",
        "\n\n\n\n\n\n",
        &long,
        "bidi \u{202e}here",
        "a\tb tab",
    ] {
        let refused = store.take(complaint("131023", text), [1; 16]);
        let Err(Failed::Invalid(invalid)) = refused else {
            panic!("{text:?} was taken");
        };
        assert_eq!(invalid.rule, Rule::Text, "{text:?}");
    }
    let mut said = complaint("131023", "正好五个字");
    said.contact = Some("1".repeat(CONTACT_LENGTH_MAX + 1));
    assert!(store.take(said.clone(), [1; 16]).is_err());
    said.contact = None;
    store.take(said.clone(), [1; 16]).unwrap();
    // Somebody writes another text beside the commitment.
    let mut kept = store.get(1).unwrap().unwrap();
    kept.said.as_mut().unwrap().complaint.text = "一切都好得很".into();
    let edited = store
        .database
        .write(|batch| batch.put(COMPLAINTS, 1, &encode::encode(&kept)));
    edited.unwrap();
    let Err(Store::Damaged { what }) = store.get(1) else {
        panic!("an edited complaint was shown");
    };
    assert!(what.starts_with("complaint 1: it leads to "), "{what}");
}
