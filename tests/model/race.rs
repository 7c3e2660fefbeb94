//! Several submitters for one thing that can be had once: exactly one gets it.

use std::collections::BTreeMap;
use trace_core::error::Rule;
use trace_core::record::chain::Chain;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::section::Openings;
use trace_core::record::{Body, Quantity};
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const SUBMITTERS: usize = 4;
const ROUNDS: usize = 25;

/// A stage, and as many devices of the producer and of the cold store as there
/// are submitters.
struct Race {
    stage: Stage,
    producers: Vec<Chain>,
    stores: Vec<Chain>,
}

impl Race {
    fn new() -> Self {
        let mut stage = Stage::new();
        let producers = stage.devices(Who::Producer, SUBMITTERS);
        let stores = stage.devices(Who::ColdStore, SUBMITTERS);
        Self {
            stage,
            producers,
            stores,
        }
    }

    /// A unit of 10 kg, of which 9 kg are certified and stored.
    fn unit(&mut self) -> UnitCreated {
        let world = &mut self.stage.world;
        let mut unit = world.unit();
        unit.quantity = Quantity::parse("10 公斤").unwrap();
        let created = world.sign_bare(Who::Producer, unit.clone());
        let (mut body, openings) = world.certificate(&unit);
        body.0.quantity = Quantity::parse("9 公斤").unwrap();
        let certified = world.sign(Who::Producer, body, openings);
        let (body, openings) = world.warehouse_in(unit.unit, "9 公斤");
        let stored = world.sign(Who::ColdStore, body, openings);
        for submission in [created, certified, stored] {
            self.stage.admit(submission);
        }
        unit
    }

    /// Everybody submits at once; what became of each.
    fn run(&mut self, of_stores: bool, bodies: Vec<(Body, Openings)>) -> Vec<Result<u64, Rule>> {
        let at_ms = self.stage.world.now_ms - 1_000;
        let devices = match of_stores {
            true => &mut self.stores,
            false => &mut self.producers,
        };
        self.stage.race(devices, bodies, at_ms)
    }
}

#[test]
fn of_several_who_race_for_one_thing_exactly_one_gets_it() {
    let mut race = Race::new();
    let mut first = BTreeMap::new();
    for _ in 0..ROUNDS {
        let unit = race.unit();
        let kilogram = Quantity::parse("1 公斤").unwrap();
        let last_certified = (0..SUBMITTERS).map(|_| {
            let (mut body, openings) = race.stage.world.certificate(&unit);
            body.0.quantity = kilogram;
            (body.into(), openings)
        });
        let last_certified: Vec<(Body, Openings)> = last_certified.collect();
        let last_room = (0..SUBMITTERS).map(|_| {
            let (body, openings) = race.stage.world.warehouse_in(unit.unit, "1 公斤");
            (body.into(), openings)
        });
        let last_room: Vec<(Body, Openings)> = last_room.collect();
        // Ten kilograms lie there by then, and one can have them all.
        let all_out = (0..SUBMITTERS).map(|_| {
            let (body, openings) = race.stage.world.warehouse_out(unit.unit, "10 公斤");
            (body.into(), openings)
        });
        let all_out: Vec<(Body, Openings)> = all_out.collect();
        let one_code = race.stage.world.unit();
        let one_code = vec![(one_code.into(), Openings::default()); SUBMITTERS];

        for (of_stores, bodies, rule) in [
            (false, last_certified, Rule::QuantityExceeded),
            (true, last_room, Rule::QuantityExceeded),
            (true, all_out, Rule::QuantityExceeded),
            (false, one_code, Rule::UnitKnown),
        ] {
            let size = race.stage.view().size();
            let outcomes = race.run(of_stores, bodies);
            let winners: Vec<usize> = (0..SUBMITTERS)
                .filter(|place| outcomes[*place].is_ok())
                .collect();
            assert_eq!(winners.len(), 1, "{outcomes:?}");
            *first.entry(winners[0]).or_insert(0) += 1;
            let lost = outcomes.iter().filter(|it| **it == Err(rule)).count();
            assert_eq!(lost, SUBMITTERS - 1, "{outcomes:?}");
            assert_eq!(outcomes[winners[0]], Ok(size));
            assert_eq!(race.stage.view().size(), size + 1);
        }
    }
    println!("who was first, and how often: {first:?}");
    assert_eq!(first.values().sum::<usize>(), 4 * ROUNDS);
}
