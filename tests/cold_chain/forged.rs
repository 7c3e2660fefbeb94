//! By whom a bundle's temperatures can be altered, and what a reader then says:
//! whoever carries it alters nothing unseen; the ledger's operator, who signs the
//! statements, can keep back what nothing binds, and no more.

use super::store::{MINUTE_MS, Store};
use std::collections::BTreeSet;
use trace_core::error::Verify;
use trace_core::ident::EquipmentId;
use trace_core::proof::bundle::{Bundle, BundleRecord, Told};
use trace_core::proof::completeness::Completeness;
use trace_core::proof::readings::chunk;
use trace_core::proof::temperatures::{Carried, Shelf, TemperatureStatement, Temperatures, digest};
use trace_core::record::status::ColdChain;
use trace_core::record::temperature::Reading;
use trace_core::record::{Body, Entry, SubjectId};
use trace_fixtures::Who;
use trace_fixtures::world_cold::minutely;

/// A unit that was too warm for twelve minutes, which its first probe's second
/// segment of three binds; the other probe's readings are not sealed.
fn exceeded() -> Store {
    let mut store = Store::new();
    let (from_ms, probes) = (store.from_ms, store.probes.clone());
    store.wait(120);
    let mut readings = minutely(from_ms, 175, 2_000);
    for reading in &mut readings[90..102] {
        reading.temperature_milli_c = 6_000;
    }
    store.read(probes[0], &readings);
    for until in [79, 119, 180] {
        store.seal(probes[0], from_ms + until * MINUTE_MS);
    }
    store.read(probes[1], &minutely(from_ms, 175, 2_100));
    let out = store.zone;
    store.take_out(out);
    assert_eq!(store.agreed().kept.state, ColdChain::Exceeded);
    store
}

/// A bundle's parts, to be altered and put together again.
#[derive(Clone)]
struct Parts {
    bundle: Bundle,
    records: Vec<BundleRecord>,
    completeness: Completeness,
    statement: TemperatureStatement,
    readings: Vec<Shelf>,
}

impl Parts {
    fn of(store: &Store) -> Self {
        let bundle = store.bundle();
        let text = |note: &str| note.rsplit_once("\n\n").unwrap().0.to_owned() + "\n";
        let temperatures = bundle.temperatures().unwrap();
        let statement = text(&temperatures.statement);
        Self {
            records: bundle.records().to_vec(),
            completeness: Completeness::parse_text(&text(bundle.completeness())).unwrap(),
            statement: TemperatureStatement::parse_text(&statement).unwrap(),
            readings: temperatures.readings.clone(),
            bundle,
        }
    }

    /// As whoever carries it can: with the ledger's notes as they are.
    fn carried(&self) -> Bundle {
        let own = self.bundle.temperatures().unwrap();
        let temperatures = Temperatures {
            statement: own.statement.clone(),
            readings: self.readings.clone(),
        };
        self.with(self.bundle.completeness().to_owned(), Some(temperatures))
    }

    /// As the operator can: with both statements signed again.
    fn signed(&mut self, store: &Store) -> Bundle {
        let signer = store.stage.ledger.signer();
        self.readings.sort_by_key(Shelf::place);
        self.statement.carried = Carried::Whole(digest(&self.readings));
        let temperatures = Temperatures {
            statement: self.statement.sign(signer).unwrap(),
            readings: self.readings.clone(),
        };
        self.with(self.completeness.sign(signer).unwrap(), Some(temperatures))
    }

    fn with(&self, completeness: String, temperatures: Option<Temperatures>) -> Bundle {
        let (code, checkpoint) = (self.bundle.code(), self.bundle.checkpoint().to_owned());
        let records = self.records.clone();
        Bundle::new(code, checkpoint, completeness, records, temperatures).unwrap()
    }

    fn shelf(&mut self, probe: EquipmentId, segment: Option<u64>) -> &mut Shelf {
        let mut shelves = self.readings.iter_mut();
        let found = shelves.find(|it| it.probe == probe && it.segment == segment);
        found.unwrap()
    }

    /// The index of the first record of which this is true.
    fn index_of(&self, is_it: impl Fn(&Body) -> bool) -> u64 {
        let mut records = self.records.iter();
        let found = records.find(|record| {
            let entry = Entry::decode(&record.entry).unwrap();
            is_it(&entry.signed.body().unwrap())
        });
        found.unwrap().index
    }

    fn drop_record(&mut self, index: u64) {
        self.records.retain(|record| record.index != index);
    }

    /// The operator says that there is no such record.
    fn deny(&mut self, index: u64) {
        for indexes in self.completeness.subjects.values_mut() {
            indexes.remove(&index);
        }
        for indexes in self.statement.windows.values_mut() {
            indexes.remove(&index);
        }
    }
}

fn refused(store: &Store, bundle: &Bundle) -> Verify {
    let read = Bundle::decode(&bundle.encode()).unwrap();
    read.verify(&store.stage.anchor(), &[], store.stage.today())
        .unwrap_err()
}

/// The shelf's readings, altered.
fn altered(shelf: &Shelf, change: impl Fn(&mut Vec<Reading>)) -> Vec<Vec<u8>> {
    let chunks = shelf.chunks.iter();
    let decoded = chunks.flat_map(|bytes| chunk::decode(&shelf.probe, bytes).unwrap());
    let mut readings: Vec<Reading> = decoded.collect();
    change(&mut readings);
    vec![chunk::encode(&shelf.probe, &readings).unwrap()]
}

#[test]
fn whoever_carries_a_bundle_alters_no_reading_and_leaves_none_out() {
    let store = exceeded();
    let probe = store.probes[0];
    let sound = Parts::of(&store);
    assert_eq!(
        store.verdict(&sound.carried()),
        store.verdict(&sound.bundle)
    );
    let cool = |readings: &mut Vec<Reading>| {
        let all = readings.iter_mut();
        all.for_each(|it| it.temperature_milli_c = it.temperature_milli_c.min(4_000));
    };
    for (probe, segment) in [(probe, Some(1)), (store.probes[1], None)] {
        let mut parts = sound.clone();
        let shelf = parts.shelf(probe, segment);
        shelf.chunks = altered(shelf, cool);
        let is_altered = parts.readings != sound.readings;
        let bundle = parts.carried();
        if is_altered {
            let why = refused(&store, &bundle);
            assert!(matches!(why, Verify::Malformed { .. }), "{why}");
        }
        // Nor are whole shelves left out, emptied or exchanged.
        parts.readings = sound.readings.clone();
        parts.shelf(probe, segment).chunks.clear();
        let why = refused(&store, &parts.carried());
        assert!(matches!(why, Verify::Malformed { .. }), "{why}");
        parts
            .readings
            .retain(|it| (it.probe, it.segment) != (probe, segment));
        let why = refused(&store, &parts.carried());
        assert!(matches!(why, Verify::Malformed { .. }), "{why}");
    }
    // All of it left out: the ledger has said that there are probes.
    let bare = sound.with(sound.bundle.completeness().to_owned(), None);
    let why = refused(&store, &bare);
    assert!(matches!(why, Verify::Incomplete { .. }), "{why}");
    // The readings of another day's bundle, whose statement is as sound.
    let mut later = exceeded();
    let body = later.stage.world.temperature_policy("other");
    later.say(Who::Root, body);
    let other = later.bundle().temperatures().cloned();
    let bundle = sound.with(sound.bundle.completeness().to_owned(), other);
    let why = refused(&store, &bundle);
    assert!(
        matches!(why, Verify::Malformed { .. } | Verify::Fork { .. }),
        "{why}"
    );
}

#[test]
fn every_record_that_the_verdict_rests_on_is_missed() {
    let store = exceeded();
    let sound = Parts::of(&store);
    let probe = store.probes[0];
    type Which<'a> = (&'a str, &'a dyn Fn(&Body) -> bool);
    let of: [Which<'_>; 5] = [
        ("policy", &|it| {
            matches!(it, Body::TemperaturePolicyAdopted(_))
        }),
        ("placed", &|it| matches!(it, Body::Placed(_))),
        ("taken out", &|it| matches!(it, Body::TakenOut(_))),
        (
            "probe",
            &|it| matches!(it, Body::EquipmentRegistered(body) if body.equipment == probe),
        ),
        (
            "segment",
            &|it| matches!(it, Body::SegmentSealed(body) if body.number == 1),
        ),
    ];
    for (what, is_it) in of {
        let mut parts = sound.clone();
        let index = parts.index_of(is_it);
        parts.drop_record(index);
        let why = refused(&store, &parts.carried());
        assert!(matches!(why, Verify::Incomplete { .. }), "{what}: {why}");
    }
}

#[test]
fn an_operator_that_alters_a_sealed_reading_is_found_by_the_root() {
    let store = exceeded();
    let probe = store.probes[0];
    let changes: [fn(&mut Vec<Reading>); 5] = [
        |it| {
            it.iter_mut()
                .for_each(|it| it.temperature_milli_c = it.temperature_milli_c.min(4_000))
        },
        |it| it[5].at_ms += 1,
        |it| {
            it.retain({
                let gone = it[10];
                move |it| *it != gone
            })
        },
        |it| it.truncate(10),
        |it| {
            it.push(Reading {
                at_ms: u64::MAX,
                temperature_milli_c: 0,
            })
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut parts = Parts::of(&store);
        let shelf = parts.shelf(probe, Some(1));
        shelf.chunks = altered(shelf, change);
        let why = refused(&store, &parts.signed(&store));
        assert!(matches!(why, Verify::Proof { .. }), "change {place}: {why}");
        assert!(why.to_string().contains("segment 1 of probe"), "{why}");
    }
    // Readings of another segment or of none that a stay needs.
    let mut parts = Parts::of(&store);
    parts.shelf(probe, Some(1)).chunks = parts.shelf(probe, Some(0)).chunks.clone();
    let why = refused(&store, &parts.signed(&store));
    assert!(matches!(why, Verify::Proof { .. }), "{why}");
    let mut parts = Parts::of(&store);
    let more = Shelf {
        segment: Some(7),
        ..parts.shelf(probe, Some(0)).clone()
    };
    parts.readings.push(more);
    let why = refused(&store, &parts.signed(&store));
    assert!(why.to_string().contains("that no stay needs"), "{why}");
    // A chunk that is none.
    let mut parts = Parts::of(&store);
    parts.shelf(probe, Some(1)).chunks[0].pop();
    let why = refused(&store, &parts.signed(&store));
    assert!(
        matches!(why, Verify::Malformed { .. } | Verify::Proof { .. }),
        "{why}"
    );
}

#[test]
fn an_operator_that_denies_a_segment_between_two_others_is_found_by_their_numbers() {
    let store = exceeded();
    let mut parts = Parts::of(&store);
    let index = parts.index_of(|it| matches!(it, Body::SegmentSealed(body) if body.number == 1));
    let probe = store.probes[0];
    parts.deny(index);
    // Denied, and here.
    let why = refused(&store, &parts.signed(&store));
    assert!(matches!(why, Verify::Fork { .. }), "{why}");
    parts.drop_record(index);
    parts
        .readings
        .retain(|it| (it.probe, it.segment) != (probe, Some(1)));
    let why = refused(&store, &parts.signed(&store));
    assert!(matches!(why, Verify::Incomplete { .. }), "{why}");
    assert!(
        why.to_string().contains("between its segments 0 and 2"),
        "{why}"
    );
    // Listed and not here.
    let mut parts = Parts::of(&store);
    parts.drop_record(index);
    let why = refused(&store, &parts.signed(&store));
    assert!(
        why.to_string()
            .contains(&format!("record {index}, a segment")),
        "{why}"
    );
    // A time of which nothing is stated.
    let mut parts = Parts::of(&store);
    parts.statement.windows.clear();
    let why = refused(&store, &parts.signed(&store));
    assert!(matches!(why, Verify::Incomplete { .. }), "{why}");
}

#[test]
fn an_operator_that_withholds_unsealed_readings_or_a_probe_passes_by_its_own_word_alone() {
    let store = exceeded();
    // What nothing binds yet, of the probe that was cool.
    let mut parts = Parts::of(&store);
    parts.readings.retain(|it| it.segment.is_some());
    let told = store.verdict(&parts.signed(&store)).told;
    let Told::Kept(proved) = told else {
        panic!("{told:?}")
    };
    assert_eq!(
        (proved.unsealed_readings, proved.kept.state),
        (0, ColdChain::Exceeded)
    );
    // The warm probe itself: a false statement, which replaying the log shows.
    let (probe, zone) = (store.probes[0], store.zone);
    let mut parts = Parts::of(&store);
    let is_its = |it: &Body| match it {
        Body::EquipmentRegistered(body) => body.equipment == probe,
        Body::SegmentSealed(body) => body.probe == probe,
        _ => false,
    };
    let its: BTreeSet<u64> = parts
        .records
        .iter()
        .filter(|it| is_its(&Entry::decode(&it.entry).unwrap().signed.body().unwrap()))
        .map(|it| it.index)
        .collect();
    assert_eq!(its.len(), 4);
    for index in its {
        parts.deny(index);
        parts.drop_record(index);
    }
    parts.statement.windows.retain(|(of, ..), _| *of != probe);
    parts.readings.retain(|it| it.probe != probe);
    let told = store.verdict(&parts.signed(&store)).told;
    let Told::Kept(proved) = told else {
        panic!("{told:?}")
    };
    assert_eq!(proved.kept.state, ColdChain::Kept);
    assert_eq!(proved.kept.stays[0].probes, [store.probes[1]]);
    // But nothing at all said of the place's parts is missed.
    let mut parts = Parts::of(&store);
    parts.completeness.subjects.remove(&SubjectId::parts(zone));
    let why = refused(&store, &parts.signed(&store));
    assert!(matches!(why, Verify::Incomplete { .. }), "{why}");
}

#[test]
fn readings_taken_away_after_their_time_are_the_operators_word_and_a_gap() {
    let store = exceeded();
    let mut parts = Parts::of(&store);
    parts.shelf(store.probes[0], Some(1)).chunks.clear();
    let only = store.probes[1];
    parts.readings.retain(|it| it.probe != only);
    let told = store.verdict(&parts.signed(&store)).told;
    let Told::Kept(proved) = told else {
        panic!("{told:?}")
    };
    assert_eq!((proved.segments, proved.pruned_segments), (2, 1));
    assert_eq!(proved.kept.state, ColdChain::Gaps);
}
