//! A bundle comes to the ledger's own verdict, and says what of it is proved.

use super::store::{MINUTE_MS, Store};
use trace_core::ledger::bundling;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::proof::bundle::{BUNDLE_READINGS_MAX, Bundle, Told};
use trace_core::record::Status;
use trace_core::record::readings::READINGS_MAX;
use trace_core::record::status::ColdChain;
use trace_core::record::temperature::Reading;
use trace_fixtures::world_cold::minutely;

/// The bundle's status and its line about the temperature are the look-up's.
fn is_told_alike(store: &Store) -> Status {
    let (view, now_ms) = (store.stage.view(), store.stage.world.now_ms);
    let vault = store.stage.ledger.vault();
    let lookup = Lookup::new(&view, vault, Audience::Public, now_ms).unwrap();
    let mut lookup = lookup.with_readings(Some(&store.readings));
    let answer = lookup.unit(store.unit, 0, 10).unwrap().unwrap();
    let verdict = store.verdict(&store.bundle());
    assert_eq!(verdict.judgement.status, answer.status);
    assert_eq!(verdict.judgement.reasons, answer.reasons);
    answer.status
}

#[test]
fn kept_exceeded_gaps_and_not_monitored_are_told_as_the_ledger_tells_them() {
    let mut store = Store::new();
    let (from_ms, probes) = (store.from_ms, store.probes.clone());
    store.wait(120);
    let proved = store.agreed();
    assert_eq!(proved.kept.state, ColdChain::NotMonitored);
    assert_eq!((proved.segments, proved.unsealed_readings), (0, 0));
    is_told_alike(&store);

    // Sealed in three segments, of which the last is of late readings and between
    // the others in time; a part is not sealed.
    for probe in &probes {
        store.read(*probe, &minutely(from_ms, 60, 2_000));
        store.read(*probe, &minutely(from_ms + 80 * MINUTE_MS, 75, 2_100));
    }
    store.seal(probes[0], from_ms + 59 * MINUTE_MS);
    store.seal(probes[0], from_ms + 120 * MINUTE_MS);
    store.seal(probes[1], from_ms + 59 * MINUTE_MS);
    let proved = store.agreed();
    assert_eq!(proved.kept.state, ColdChain::Kept);
    assert_eq!(proved.kept.stays[0].probes, probes);
    // The neighbours within half an hour before the stay are of the first segments.
    assert_eq!((proved.segments, proved.pruned_segments), (3, 0));
    assert_eq!(proved.sealed_readings, 60 + 41 + 60);
    assert_eq!(proved.unsealed_readings, 34 + 75);
    assert_eq!(is_told_alike(&store), Status::Valid);

    store.wait(31);
    assert_eq!(store.agreed().kept.state, ColdChain::Gaps);
    store.read(probes[0], &minutely(from_ms + 155 * MINUTE_MS, 40, 2_000));
    let late = minutely(from_ms + 60 * MINUTE_MS + 1, 11, 5_000);
    store.read(probes[0], &late);
    store.seal(probes[0], u64::MAX);
    let proved = store.agreed();
    assert_eq!(proved.kept.state, ColdChain::Exceeded);
    assert_eq!(is_told_alike(&store), Status::TemperatureAlert);
    let words = store.verdict(&store.bundle()).words(false).join("\n");
    let (sealed, segments) = (proved.sealed_readings, proved.segments);
    for wanted in [
        "Temperature alert",
        "Outside what its policy tolerates: 2.0 … 5.0 °C, 20 min outside",
        &format!("Proved of the temperature: {sealed} readings are those that {segments} sealed"),
        "Stated by the operator, not proved: 75 readings that no record binds yet",
    ] {
        assert!(words.contains(wanted), "{wanted:?} is not in:\n{words}");
    }
    let words = store.verdict(&store.bundle()).words(true).join("\n");
    assert!(words.contains("温度已证明") && words.contains("温度由运营方声明"));
}

#[test]
fn stays_in_several_places_share_their_probes_and_segments() {
    let mut store = Store::new();
    let (zone, from_ms) = (store.zone, store.from_ms);
    let (vehicle, driven) = store.vehicle();
    let probe = store.probes[1];
    store.read(probe, &minutely(from_ms, 225, 1_000));
    store.read(driven, &minutely(from_ms, 225, 3_000));
    store.wait(60);
    store.take_out(zone);
    store.wait(20);
    store.place(vehicle);
    store.wait(60);
    store.take_out(vehicle);
    store.place(zone);
    store.wait(30);
    store.seal(probe, u64::MAX);
    let proved = store.agreed();
    assert_eq!(proved.kept.state, ColdChain::Kept);
    assert_eq!(proved.kept.stays.len(), 3);
    assert!(proved.kept.outside_stays_ms >= 20 * MINUTE_MS);
    // The segment lies under two stays and is carried once.
    assert_eq!((proved.segments, proved.sealed_readings), (1, 225));
    assert!(proved.unsealed_readings >= 60);
}

#[test]
fn what_is_drafted_or_pruned_is_told_as_it_is() {
    let mut store = Store::new();
    let (from_ms, probe) = (store.from_ms, store.probes[0]);
    store.wait(60);
    store.read(probe, &minutely(from_ms, 119, 2_000));
    // A draft without its record binds nothing: its readings are stated.
    store.readings.draft(&probe, 0, u64::MAX).unwrap().unwrap();
    let proved = store.agreed();
    assert_eq!(proved.kept.state, ColdChain::Kept);
    assert_eq!((proved.segments, proved.sealed_readings), (0, 0));
    store.seal(probe, u64::MAX);
    assert_eq!(store.agreed().segments, 1);
    let pruned = store.readings.prune(&probe, 1, false).unwrap();
    assert_eq!(pruned.segments, 1);
    let proved = store.agreed();
    assert_eq!(proved.kept.state, ColdChain::NotMonitored);
    assert_eq!((proved.segments, proved.pruned_segments), (0, 1));
}

#[test]
fn a_bundle_without_readings_says_nothing_of_the_temperature() {
    let mut store = Store::new();
    store.wait(60);
    store.read(store.probes[0], &minutely(store.from_ms, 130, 9_000));
    let (view, signer) = (store.stage.view(), store.stage.ledger.signer());
    // As a ledger without readings at hand made them, and makes them still.
    let bundle = bundling::bundle(&view, signer, store.unit)
        .unwrap()
        .unwrap();
    assert!(bundle.encode().starts_with(b"{\"version\":1,"));
    let bundle = Bundle::decode(&bundle.encode()).unwrap();
    let verdict = store.verdict(&bundle);
    assert!(
        matches!(verdict.told, Told::Unread(_)),
        "{:?}",
        verdict.told
    );
    assert_eq!(verdict.judgement.status, Status::Valid);
    let line = verdict.judgement.reasons.last().unwrap();
    assert_eq!((line.check, line.holds), ("temperature", None));
    // Of a unit that was placed nowhere both are the same.
    let unit = store.stage.world.unit();
    store.say(trace_fixtures::Who::Producer, unit.clone());
    store.unit = unit.unit;
    let bundle = store.bundle();
    assert!(bundle.encode().starts_with(b"{\"version\":1,"));
    assert_eq!(store.verdict(&bundle).told, Told::NotPlaced);
}

#[test]
fn more_readings_than_a_bundle_carries_cannot_be_checked() {
    let mut store = Store::new();
    let probe = store.probes[0];
    store.wait(240);
    // A hundred a second for three hours.
    let begins_ms = store.placed_ms();
    let reading = |n: u64| Reading {
        at_ms: begins_ms + 10 * n,
        temperature_milli_c: 2_000,
    };
    let all: Vec<Reading> = (0..BUNDLE_READINGS_MAX).map(reading).collect();
    for part in all.chunks(READINGS_MAX) {
        store.read(probe, part);
    }
    for _ in 0..BUNDLE_READINGS_MAX / 65_536 {
        store.seal(probe, u64::MAX);
    }
    let verdict = store.verdict(&store.bundle());
    let Told::Kept(proved) = verdict.told else {
        panic!("{:?}", verdict.told);
    };
    assert_eq!(proved.sealed_readings, BUNDLE_READINGS_MAX);
    // One more, which nothing binds yet.
    store.read(probe, &[reading(BUNDLE_READINGS_MAX)]);
    let bundle = store.bundle();
    let verdict = store.verdict(&bundle);
    let Told::LeftOut { readings, .. } = verdict.told else {
        panic!("{:?}", verdict.told);
    };
    assert_eq!(readings, BUNDLE_READINGS_MAX + 1);
    assert_eq!(verdict.judgement.status, Status::CannotCheck);
    let line = verdict.judgement.reasons.last().unwrap();
    assert_eq!((line.check, line.holds), ("temperature", None));
    assert!(line.words.contains("1048577 readings"), "{}", line.words);
    assert!(bundle.encode().len() < 100_000);
}
