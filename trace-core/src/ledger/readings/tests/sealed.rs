//! Segments from draft to pruning, and what a check finds.

use super::*;
use crate::ledger::readings::rows::{SEGMENT_READINGS_MAX, SEGMENT_SPAN_MS_MAX, chunk_key};
use crate::proof::readings::chunk::{self, COUNT_MAX};
use crate::proof::readings::{prove_reading, segment_root, verify_reading};
use crate::record::{Hash, cold_chain};

fn readings_of(shelves: &Shelves, number: u64) -> Vec<Reading> {
    match shelves.segment(&probe(1), number).unwrap() {
        Some(Segment::Readings(readings)) => readings,
        other => panic!("segment {number}: {other:?}"),
    }
}

fn minute_ms(minute: u64) -> u64 {
    BEGIN_MS + minute * MINUTE_MS
}

#[test]
fn a_draft_holds_the_oldest_readings_and_binds_what_a_record_needs() {
    let shelves = shelves();
    assert_eq!(shelves.draft(&probe(1), 0, u64::MAX).unwrap(), None);
    let all = minutes(0..3_000);
    shelves.store(vec![(probe(1), all.clone())]);
    assert_eq!(shelves.draft(&probe(1), 0, BEGIN_MS - 1).unwrap(), None);
    let draft = shelves
        .draft(&probe(1), 0, minute_ms(2_499))
        .unwrap()
        .unwrap();
    let sealed = &all[..2_500];
    assert_eq!(
        draft,
        cold_chain::Segment {
            probe: probe(1),
            number: 0,
            count: 2_500,
            first_ms: BEGIN_MS,
            last_ms: minute_ms(2_499),
            lowest_milli_c: -18_000,
            highest_milli_c: -17_700,
            root: segment_root(sealed),
        }
    );
    assert_eq!(readings_of(&shelves, 0), sealed);
    assert_eq!(shelves.rows(probe(1), 0), 2);
    assert_eq!(shelves.all(probe(1)), all);
    let path = prove_reading(sealed, 77).unwrap();
    assert_eq!(
        verify_reading(&all[77], 77, 2_500, &path, &draft.root),
        Ok(())
    );
    // asked again, it is the same, whatever came meanwhile
    shelves.store(vec![(probe(1), vec![reading(3, 9)])]);
    assert_eq!(shelves.draft(&probe(1), 0, u64::MAX).unwrap(), Some(draft));
    assert_eq!(shelves.segment(&probe(1), 1).unwrap(), None);
    assert_eq!(shelves.segment(&probe(2), 0).unwrap(), None);
}

#[test]
fn the_ledger_s_number_confirms_a_lower_draft_and_puts_a_higher_one_back() {
    let shelves = shelves();
    let all = minutes(0..900);
    shelves.store(vec![(probe(1), all.clone())]);
    let draft = |number, minute| shelves.draft(&probe(1), number, minute_ms(minute));
    assert_eq!(draft(7, 99).unwrap().unwrap().count, 100);
    // the ledger is at 4 after all
    let fourth = draft(4, 199).unwrap().unwrap();
    assert_eq!((fourth.count, fourth.first_ms), (200, BEGIN_MS));
    assert_eq!(shelves.segment(&probe(1), 7).unwrap(), None);
    // asking for 5 says that 4 was admitted
    let fifth = draft(5, 299).unwrap().unwrap();
    assert_eq!((fifth.count, fifth.first_ms), (100, minute_ms(200)));
    shelves.confirm(&probe(1), 4).unwrap();
    let Err(Failed::Invalid(refused)) = draft(4, 500) else {
        panic!("a confirmed segment was drafted again");
    };
    assert_eq!(refused.rule, Rule::Sequence);
    // which put 5 back; its readings are there still
    assert_eq!(shelves.segment(&probe(1), 5).unwrap(), None);
    assert_eq!(shelves.all(probe(1)), all);
    assert!(matches!(draft(UNSEALED, 500), Err(Failed::Invalid(_))));
    let Err(Failed::Invalid(refused)) = shelves.confirm(&probe(1), 5) else {
        panic!("what is not there was confirmed");
    };
    assert_eq!(refused.rule, Rule::Range);
    shelves.withdraw(&probe(1), 4).unwrap(); // no draft any more: nothing happens
    assert_eq!(readings_of(&shelves, 4).len(), 200);
}

#[test]
fn late_readings_of_a_sealed_time_are_sealed_in_a_later_segment() {
    let shelves = shelves();
    let all = minutes(0..1_000);
    let (odd, even): (Vec<_>, Vec<_>) = all
        .iter()
        .copied()
        .partition(|it| it.at_ms / MINUTE_MS % 2 == 1);
    shelves.store(vec![(probe(1), odd.clone())]);
    shelves.draft(&probe(1), 0, u64::MAX).unwrap().unwrap();
    shelves.confirm(&probe(1), 0).unwrap();
    let taken = shelves.store(vec![(probe(1), all.clone())]);
    assert_eq!(
        taken,
        Taken {
            fresh: 500,
            known: 500
        }
    );
    let second = shelves.draft(&probe(1), 1, u64::MAX).unwrap().unwrap();
    assert_eq!(second.root, segment_root(&even));
    assert_eq!(readings_of(&shelves, 1), even);
    check_range(&shelves, probe(1), &all, 0..=u64::MAX);
    check_range(&shelves, probe(1), &all, minute_ms(300)..=minute_ms(310));
}

#[test]
fn a_segment_is_as_long_and_as_large_as_it_may_be_and_the_rest_waits() {
    let shelves = shelves();
    let last_ms = BEGIN_MS + SEGMENT_SPAN_MS_MAX;
    let ends = [BEGIN_MS, last_ms, last_ms + 1].map(|at_ms| Reading {
        at_ms,
        temperature_milli_c: 1,
    });
    shelves.store(vec![(probe(1), ends.to_vec())]);
    let draft = shelves.draft(&probe(1), 0, u64::MAX).unwrap().unwrap();
    assert_eq!((draft.count, draft.last_ms), (2, last_ms));
    // from the far end of the longest segment everything is found
    check_range(&shelves, probe(1), &ends, last_ms..=last_ms);
    check_range(&shelves, probe(1), &ends, last_ms + 1..=u64::MAX);

    let most = SEGMENT_READINGS_MAX as u64;
    let dense: Vec<_> = (0..most + 5)
        .map(|n| Reading {
            at_ms: BEGIN_MS + n,
            temperature_milli_c: 0,
        })
        .collect();
    shelves.store(vec![(probe(2), dense.clone())]);
    let draft = shelves.draft(&probe(2), 0, u64::MAX).unwrap().unwrap();
    assert_eq!(u64::from(draft.count), most);
    assert_eq!(draft.root, segment_root(&dense[..SEGMENT_READINGS_MAX]));
    let rest = shelves.draft(&probe(2), 1, u64::MAX).unwrap().unwrap();
    assert_eq!(rest.count, 5);
    assert_eq!(shelves.all(probe(2)), dense);
}

#[test]
fn reopening_after_each_step_of_sealing_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(READINGS_FILE);
    let all = minutes(0..700);
    let settings = Settings::default();
    let readings = Readings::create(&path, settings).unwrap();
    readings
        .append(vec![(probe(1), all.clone())], NOW_MS, 0)
        .unwrap();
    drop(readings);
    let open = |expected: u64| {
        let readings = Readings::open(&path, settings, Check::Full, |_| Ok(expected)).unwrap();
        let range = readings.range(probe(1), 0..=u64::MAX).unwrap();
        assert_eq!(range.collect::<Result<Vec<_>, _>>().unwrap(), all);
        readings
    };
    let segment = |readings: &Readings, number| readings.segment(&probe(1), number).unwrap();
    let draft = |readings: &Readings, number, minute| {
        readings
            .draft(&probe(1), number, minute_ms(minute))
            .unwrap()
            .unwrap()
    };
    // the power fails after the draft and before the record
    let first = draft(&open(0), 0, 299);
    let readings = open(0);
    assert_eq!(segment(&readings, 0), None);
    assert_eq!(draft(&readings, 0, 299), first);
    drop(readings);
    // after the record and before it is confirmed
    let readings = open(1);
    assert_eq!(
        segment(&readings, 0),
        Some(Segment::Readings(all[..300].to_vec()))
    );
    // from here on it stays, whatever is said
    drop(readings);
    let readings = open(0);
    assert!(segment(&readings, 0).is_some());
    draft(&readings, 1, 399);
    readings.confirm(&probe(1), 1).unwrap();
    drop(readings);
    let readings = open(2);
    assert_eq!(
        segment(&readings, 1),
        Some(Segment::Readings(all[300..400].to_vec()))
    );
    draft(&readings, 2, 499);
    readings.withdraw(&probe(1), 2).unwrap();
    drop(readings);
    assert_eq!(segment(&open(2), 2), None);
    let refused = Readings::create(&path, settings);
    assert!(matches!(refused, Err(Store::Place { .. })), "{refused:?}");
}

/// The chunks of segment 0 with one of them put anew, its checksum sound: what an
/// editor would leave. Whoever checks names that chunk.
#[test]
fn one_altered_reading_is_found_and_its_chunk_named() {
    let all = minutes(0..5_000);
    let altered = |change: &dyn Fn(usize, &mut Vec<Reading>)| {
        let shelves = shelves();
        shelves.store(vec![(probe(1), all.clone())]);
        let draft = shelves.draft(&probe(1), 0, u64::MAX).unwrap().unwrap();
        let check = |count, root: &Hash| shelves.check(&probe(1), 0, count, root);
        assert_eq!(check(draft.count, &draft.root).unwrap(), Checked::Sound);
        assert!(check(draft.count + 1, &draft.root).is_err());
        assert!(check(draft.count, &segment_root(&all[1..])).is_err());
        for (place, part) in all.chunks(COUNT_MAX).enumerate() {
            let mut part = part.to_vec();
            let old = chunk_key(&probe(1), 0, part[0]);
            change(place, &mut part);
            let write = shelves.database.write(|batch| {
                batch.delete(CHUNKS, &old)?;
                let Some(first) = part.first() else {
                    return Ok(());
                };
                let bytes = chunk::encode(&probe(1), &part)?;
                batch.put(CHUNKS, &chunk_key(&probe(1), 0, *first), &bytes)
            });
            write.unwrap();
        }
        match shelves.check(&probe(1), 0, draft.count, &draft.root) {
            Err(Store::Damaged { what }) => what,
            other => panic!("{other:?}"),
        }
    };
    let wrong = altered(&|place, part| {
        if place == 1 {
            part[70].temperature_milli_c += 1;
        }
    });
    assert!(wrong.contains("chunk 1, readings 2048 to 4095"), "{wrong}");
    let moved = altered(&|place, part| {
        if place == 2 {
            part[0].at_ms += 1;
        }
    });
    assert!(moved.contains("chunk 2, readings 4096 to 4999"), "{moved}");
    let left_out = altered(&|place, part| {
        if place == 0 {
            part.remove(9);
        }
    });
    assert!(left_out.contains("chunk 0, "), "{left_out}");
    let last_gone = altered(&|place, part| {
        if place == 2 {
            part.clear();
        }
    });
    assert!(
        last_gone.contains("found 4096 readings, wanted 5000"),
        "{last_gone}"
    );
    let shelves = shelves();
    let missing = shelves.check(&probe(1), 0, 1, &Hash::ZERO).unwrap_err();
    assert!(missing.to_string().contains("missing"), "{missing}");
}

#[test]
fn pruning_says_what_would_go_and_what_went_is_told_from_what_never_was() {
    let shelves = shelves();
    let all = minutes(0..40_000);
    shelves.store(vec![(probe(1), all.clone()), (probe(2), minutes(0..9))]);
    for number in 0..100 {
        let draft = shelves.draft(&probe(1), number, minute_ms(400 * number + 399));
        assert_eq!(draft.unwrap().unwrap().count, 400);
    }
    let draft = shelves.draft(&probe(1), 99, u64::MAX).unwrap().unwrap();
    let prune = |before, dry_run| shelves.prune(&probe(1), before, dry_run).unwrap();
    let dry = prune(70, true);
    assert_eq!((dry.segments, dry.readings), (70, 28_000));
    assert!(dry.bytes > 28_000 / 4, "{dry:?}");
    assert_eq!(shelves.all(probe(1)), all);
    let stored = shelves.stored(&probe(1)).unwrap();
    assert_eq!((stored.readings, stored.chunks), (40_000, 100));
    assert_eq!(prune(70, false), dry);
    let left = shelves.stored(&probe(1)).unwrap();
    assert_eq!((left.readings, left.chunks), (12_000, 30));
    assert_eq!(left.bytes, stored.bytes - dry.bytes);
    assert_eq!(shelves.stored(&probe(7)).unwrap(), Stored::default());
    assert_eq!(shelves.all(probe(1)), all[28_000..]);
    check_range(&shelves, probe(1), &all[28_000..], 0..=minute_ms(30_000));
    for number in [0, 69] {
        let segment = shelves.segment(&probe(1), number).unwrap();
        assert_eq!(segment, Some(Segment::Pruned));
        let checked = shelves.check(&probe(1), number, 400, &Hash::ZERO).unwrap();
        assert_eq!(checked, Checked::Pruned);
        assert_eq!(shelves.rows(probe(1), number), 0);
    }
    assert_eq!(readings_of(&shelves, 70), all[28_000..28_400]);
    assert_eq!(shelves.segment(&probe(1), 100).unwrap(), None);
    assert_eq!(prune(70, false), Pruned::default());
    // a draft is never pruned
    let rest = prune(u64::MAX, false);
    assert_eq!(rest.segments, 29);
    assert_eq!(
        shelves.segment(&probe(1), 99).unwrap(),
        Some(Segment::Readings(all[39_600..].to_vec()))
    );
    assert_eq!(
        shelves.check(&probe(1), 99, 400, &draft.root).unwrap(),
        Checked::Sound
    );
    assert_eq!(shelves.all(probe(2)), minutes(0..9));
    // sent again, it is new: nothing is left to know it by
    let taken = shelves.store(vec![(probe(1), all[..10].to_vec())]);
    assert_eq!(taken.fresh, 10);
}

#[test]
fn probes_with_unsealed_readings_are_listed_in_order_and_in_pages() {
    let shelves = shelves();
    for number in [5, 3, 9, 1] {
        shelves.store(vec![(probe(number), minutes(u64::from(number)..20))]);
    }
    shelves.draft(&probe(3), 0, u64::MAX).unwrap();
    shelves.draft(&probe(9), 0, minute_ms(14)).unwrap();
    let wanted = [
        (probe(1), minute_ms(1)),
        (probe(5), minute_ms(5)),
        (probe(9), minute_ms(15)),
    ];
    assert_eq!(shelves.unsealed(None, 10).unwrap(), wanted);
    assert_eq!(shelves.unsealed(None, 2).unwrap(), wanted[..2]);
    assert_eq!(shelves.unsealed(Some(probe(5)), 2).unwrap(), wanted[2..]);
    assert_eq!(shelves.unsealed(Some(probe(9)), 2).unwrap(), []);
}
