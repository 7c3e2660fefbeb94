use super::*;

fn code(number: u8) -> TraceCode {
    TraceCode::from_bytes([number; 10])
}

fn day(days: i32) -> CivilDate {
    CivilDate::from_days(20_500 + days).unwrap()
}

fn store(folder: &tempfile::TempDir) -> Scans {
    Scans::open(&folder.path().join(SCANS_FILE)).unwrap()
}

#[test]
fn counts_are_the_same_before_and_after_they_are_written_and_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let scans = store(&folder);
    for (number, on, at) in [
        (1, 0, "131023"),
        (1, 0, "131023"),
        (1, 0, ""),
        (1, 1, "110101"),
        (2, 0, "131023"),
        (1, -40, "131023"),
    ] {
        scans.count(code(number), day(on), place(at)).unwrap();
    }
    let line = |on: i32, at: &str, count| Scanned {
        day: day(on).days(),
        place: place(at),
        count,
    };
    let wanted = [line(0, "", 1), line(0, "131023", 2), line(1, "110101", 1)];
    assert_eq!(scans.of(&code(1), day(0)).unwrap(), wanted);
    scans.write().unwrap();
    assert_eq!(scans.of(&code(1), day(0)).unwrap(), wanted);
    scans.count(code(1), day(1), place("110101")).unwrap();
    scans.write().unwrap();
    drop(scans);
    let scans = store(&folder);
    let found = scans.of(&code(1), day(0)).unwrap();
    assert_eq!(found.last(), Some(&line(1, "110101", 2)));
    assert_eq!(scans.of(&code(1), day(-40)).unwrap().len(), 4);
    assert!(scans.of(&code(3), day(-40)).unwrap().is_empty());
}

#[test]
fn invented_places_are_counted_together_past_some() {
    let folder = tempfile::tempdir().unwrap();
    let scans = store(&folder);
    for number in 0..100 {
        let text = format!("{}", 110_100 + number);
        scans.count(code(1), day(0), place(&text)).unwrap();
        scans.write().unwrap();
    }
    let found = scans.of(&code(1), day(0)).unwrap();
    assert!(found.len() <= PLACES_MAX + 1, "{}", found.len());
    assert_eq!(found.iter().map(|it| it.count).sum::<u64>(), 100);
    for wrong in ["", "13", "abcdef", "1310231", "000000"] {
        assert_eq!(place(wrong), None, "{wrong}");
    }
}

#[test]
fn one_thing_in_many_far_places_is_suspicious_and_a_batch_never_is() {
    let of = |places: &[&str], each: u64, on: i32| -> Vec<Scanned> {
        let lines = places.iter().map(|at| Scanned {
            day: day(on).days(),
            place: place(at),
            count: each,
        });
        lines.collect()
    };
    let far = ["131023", "110101", "120101"];
    let sum = Sum::of(&of(&far, 4, 0), day(0), true);
    assert_eq!((sum.today, sum.week, sum.prefectures), (12, 12, 3));
    assert!(sum.is_suspicious);
    assert!(!Sum::of(&of(&far, 4, 0), day(0), false).is_suspicious);
    // Nine scans, two prefectures, a week ago: each is not enough.
    assert!(!Sum::of(&of(&far, 3, 0), day(0), true).is_suspicious);
    let near = ["131023", "131081", "110101"];
    assert!(!Sum::of(&of(&near, 9, 0), day(0), true).is_suspicious);
    let unknown = ["131023", "110101", ""];
    assert!(!Sum::of(&of(&unknown, 9, 0), day(0), true).is_suspicious);
    let sum = Sum::of(&of(&far, 9, -6), day(0), true);
    assert_eq!((sum.today, sum.week, sum.is_suspicious), (0, 27, true));
    let sum = Sum::of(&of(&far, 9, -7), day(0), true);
    assert_eq!((sum.week, sum.is_suspicious), (0, false));
}
