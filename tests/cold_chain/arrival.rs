//! Whatever way readings come, they lead to the same: orders of arrival, clocks
//! that leap, zones and summer time, and what happens where goods change hands.

use super::store::{MINUTE_MS, Store};
use trace_core::record::keeping::Verdict;
use trace_core::record::status::ColdChain;
use trace_core::record::temperature::Reading;
use trace_fixtures::Who;
use trace_fixtures::draw::Draw;
use trace_fixtures::world_cold::minutely;

/// A logger's readings with gaps, a warm hour, repeats, and other temperatures of
/// the same moment.
fn drawn(draw: &mut Draw, from_ms: u64) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut at_ms = from_ms;
    let warm = draw.below(150);
    while at_ms < from_ms + 170 * MINUTE_MS {
        let minute = (at_ms - from_ms) / MINUTE_MS;
        let is_warm = (warm..warm + 15).contains(&minute) && draw.chance(2, 3);
        let temperature_milli_c = if is_warm { 6_000 } else { 2_000 };
        readings.push(Reading {
            at_ms,
            temperature_milli_c,
        });
        if draw.chance(1, 12) {
            readings.push(Reading {
                at_ms,
                temperature_milli_c: 2_500,
            });
        }
        let lost = if draw.chance(1, 60) {
            45 * MINUTE_MS
        } else {
            0
        };
        at_ms += lost + draw.between(20_000, 9 * MINUTE_MS);
    }
    readings
}

fn shuffled(draw: &mut Draw, readings: &[Reading]) -> Vec<Reading> {
    let mut all: Vec<Reading> = readings.to_vec();
    // Some come again.
    let again: Vec<Reading> = all.iter().copied().filter(|_| draw.chance(1, 5)).collect();
    all.extend(again);
    for place in (1..all.len()).rev() {
        let other = draw.below(place as u64 + 1);
        all.swap(place, usize::try_from(other).unwrap());
    }
    all
}

#[test]
fn every_order_of_arrival_of_the_same_readings_gives_the_same_verdict() {
    let seed = 20_260_512;
    println!("seed {seed}");
    let mut states = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..12 {
        let mut draw = Draw::new(seed, &format!("round {round}"));
        let mut store = Store::new();
        let readings = drawn(&mut draw, store.from_ms);
        let zone = store.zone;
        store.take_out(zone);
        // One place has them all at once and in order; others piece by piece, with
        // parts sealed between, now and late.
        let places: Vec<_> = (0..4).map(|_| store.vehicle()).collect();
        let placed_ms = store.stage.world.now_ms;
        for (vehicle, _) in &places {
            store.place(*vehicle);
            // Placed at one moment, however long it takes to say so.
            store.stage.world.now_ms = placed_ms;
        }
        store.wait(120);
        store.read(places[0].1, &readings);
        for (_, probe) in &places[1..] {
            let all = shuffled(&mut draw, &readings);
            let mut rest = all.as_slice();
            while !rest.is_empty() {
                let count = usize::try_from(draw.between(1, 30)).unwrap();
                let (now, later) = rest.split_at(count.min(rest.len()));
                store.read(*probe, now);
                let last_ms = now.iter().map(|it| it.at_ms).max().unwrap();
                let first_ms = store.first_unsealed_ms(*probe);
                if draw.chance(1, 3) && first_ms.is_some_and(|it| it <= last_ms) {
                    store.seal(*probe, last_ms);
                }
                rest = later;
            }
        }
        let ended_ms = store.stage.world.now_ms;
        for (vehicle, _) in &places {
            store.stage.world.now_ms = ended_ms;
            store.take_out(*vehicle);
        }
        let kept = store.kept();
        let verdicts: Vec<&Verdict> = kept.stays[1..].iter().map(|it| &it.verdict).collect();
        assert_eq!(verdicts.len(), 4);
        for verdict in &verdicts[1..] {
            assert_eq!(*verdict, verdicts[0], "round {round}");
        }
        // And offline they come to the same once more.
        store.agreed();
        *states
            .entry(format!("{:?}", verdicts[0].state))
            .or_default() += 1;
    }
    println!("{states:?}");
    assert!(states.len() > 1, "{states:?}");
}

#[test]
fn a_clock_that_is_set_back_or_forward_loses_nothing_and_hides_nothing() {
    let mut store = Store::new();
    let (from_ms, probe) = (store.from_ms, store.probes[0]);
    store.wait(240);
    // Set back by an hour after two: the hour from one to two is told twice, the
    // second time warm; both are kept, and the warmer stands.
    store.read(probe, &minutely(from_ms, 120, 2_000));
    store.read(probe, &minutely(from_ms + 60 * MINUTE_MS, 60, 7_500));
    store.read(probe, &minutely(from_ms + 120 * MINUTE_MS, 175, 2_000));
    let verdict = store.agreed().kept.stays.remove(0).verdict;
    assert_eq!(
        (verdict.state, verdict.conflicts),
        (ColdChain::Exceeded, 60)
    );
    assert_eq!(verdict.outside_ms, 60 * MINUTE_MS);

    // Set forward by an hour: the hour between is a gap, and never compliance.
    let mut store = Store::new();
    let (from_ms, probe) = (store.from_ms, store.probes[0]);
    store.wait(240);
    store.read(probe, &minutely(from_ms, 120, 2_000));
    store.read(probe, &minutely(from_ms + 180 * MINUTE_MS, 120, 2_000));
    let verdict = store.agreed().kept.stays.remove(0).verdict;
    assert_eq!((verdict.state, verdict.gap_count), (ColdChain::Gaps, 1));
    assert_eq!(verdict.gap_ms, 61 * MINUTE_MS);
}

#[test]
fn the_zone_in_which_a_moment_is_told_changes_nothing() {
    let mut verdicts = Vec::new();
    // At +08:00; in Sydney before and after its summer time ends; in Lisbon.
    for (into, out) in [(480, 480), (660, 600), (0, 60), (480, -720)] {
        let mut store = Store::new();
        let (zone, probe, unit) = (store.zone, store.probes[0], store.unit);
        store.take_out(zone);
        let (vehicle, driven) = store.vehicle();
        let mut placed = store.stage.world.placed(unit, vehicle, "chilled");
        placed.happened.offset_minutes = into;
        store.say(Who::ColdStore, placed);
        store.wait(60);
        let from_ms = store.from_ms;
        store.read(driven, &minutely(from_ms, 110, 2_000));
        store.read(probe, &minutely(from_ms, 110, 2_000));
        store.wait(10);
        let mut taken = store.stage.world.taken_out(unit, vehicle);
        taken.happened.offset_minutes = out;
        store.say(Who::ColdStore, taken);
        let stay = store.agreed().kept.stays.remove(1);
        verdicts.push((stay.from_ms, stay.until_ms, stay.verdict));
    }
    assert_eq!(verdicts[0].2.state, ColdChain::Kept);
    assert!(verdicts.iter().all(|it| *it == verdicts[0]), "{verdicts:?}");
}

#[test]
fn a_gap_across_a_handover_is_a_gap_on_both_sides_and_the_time_between_is_told() {
    let mut store = Store::new();
    let (zone, from_ms, probe) = (store.zone, store.from_ms, store.probes[0]);
    let (vehicle, driven) = store.vehicle();
    store.wait(60);
    store.take_out(zone);
    store.wait(15);
    store.place(vehicle);
    store.wait(60);
    store.take_out(vehicle);
    // Nothing is read in the store's last forty minutes, nor in the vehicle's
    // first forty.
    store.read(probe, &minutely(from_ms, 80, 2_000));
    let begins_ms = from_ms + 175 * MINUTE_MS;
    store.read(driven, &minutely(begins_ms, 20, 2_000));
    let kept = store.agreed().kept;
    for stay in &kept.stays {
        assert_eq!(stay.verdict.state, ColdChain::Gaps, "{stay:?}");
        assert_eq!(stay.verdict.gap_count, 1);
    }
    assert!(kept.outside_stays_ms >= 15 * MINUTE_MS);
    assert!(kept.outside_stays_ms < 16 * MINUTE_MS);
    // Read without a break on both sides, all is known.
    store.read(probe, &minutely(from_ms + 80 * MINUTE_MS, 45, 2_000));
    store.read(driven, &minutely(begins_ms - 45 * MINUTE_MS, 45, 2_000));
    assert_eq!(store.agreed().kept.state, ColdChain::Kept);
}
