//! Where a plain run seldom comes: several submitters for one thing that can be
//! had once, and a lineage so deep that no stack could hold it.

use super::run::told;
use std::ops::ControlFlow;
use trace_core::error::Rule;
use trace_core::ledger::bundling;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::lineage::{self, Direction, Limits, Open};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::recall_sheet::recall_sheet;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::{Manner, Process};
use trace_core::record::section::Openings;
use trace_core::record::{Body, Status};
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const SUBMITTERS: usize = 4;
const ROUNDS: usize = 20;
/// So many records are sent at a time.
const TOGETHER: usize = 250;
/// How deep the deep lineage is in the suite.
const DEPTH: u64 = 1_000;

fn unit(stage: &mut Stage) -> UnitCreated {
    let unit = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, unit.clone());
    stage.admit(created);
    unit
}

#[test]
fn of_several_who_race_for_the_last_kilogram_exactly_one_gets_it() {
    let mut stage = Stage::new();
    let (mut producers, mut buyers) = (
        stage.devices(Who::Producer, SUBMITTERS),
        stage.devices(Who::Buyer, SUBMITTERS),
    );
    for round in 0..ROUNDS {
        // Half of it may go once, and no second half and a gram.
        let of = unit(&mut stage);
        let code = of.unit;
        let bodies: Vec<(Body, Openings)> = (0..SUBMITTERS)
            .map(|place| match (round + place) % 3 {
                0 => {
                    let (body, openings) = stage.world.handed_over(code, Who::Buyer, "501 斤");
                    (body.into(), openings)
                }
                1 => {
                    let (body, openings) = stage.world.disposed(code, Manner::Sold, "501 斤");
                    (body.into(), openings)
                }
                _ => {
                    let output = stage.world.output(&of);
                    let (body, openings) = stage.world.transformed(
                        Process::Split,
                        &[(code, "501 斤")],
                        vec![(output, "501 斤")],
                        None,
                    );
                    (body.into(), openings)
                }
            })
            .collect();
        let at_ms = stage.world.now_ms;
        stage.tick();
        let outcomes = stage.race(&mut producers, bodies, at_ms);
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes
            .iter()
            .filter(|outcome| **outcome == Err(Rule::QuantityExceeded))
            .count();
        assert_eq!((won, lost), (1, SUBMITTERS - 1), "{outcomes:?}");
        let found = lineage::balance(&stage.view(), code).unwrap().unwrap();
        assert!(found.balance.adds_up(found.made), "{found:?}");
        assert_eq!(found.balance.held, 500_000 - 250_500);

        // One transfer arrives once, however many say so.
        let (body, openings) = stage.world.handed_over(code, Who::Buyer, "1 斤");
        let given = stage.world.sign(Who::Producer, body, openings);
        stage.admit(given.clone());
        let bodies = (0..SUBMITTERS)
            .map(|_| {
                let (body, openings) = stage.world.received(code, &given.signed, "1 斤");
                (body.into(), openings)
            })
            .collect();
        let at_ms = stage.world.now_ms;
        stage.tick();
        let outcomes = stage.race(&mut buyers, bodies, at_ms);
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes
            .iter()
            .filter(|outcome| **outcome == Err(Rule::TransferReceived))
            .count();
        assert_eq!((won, lost), (1, SUBMITTERS - 1), "{outcomes:?}");
    }
}

#[test]
fn a_lineage_however_deep_is_recalled_followed_and_proved() {
    let depth = usize::try_from(told("TRACE_LINEAGE_DEPTH", DEPTH)).unwrap();
    let mut stage = Stage::new();
    let first = unit(&mut stage);
    let (mut last, mut acts) = (first.clone(), Vec::new());
    for _ in 0..depth {
        stage.world.now_ms -= 1_000; // All of it in one moment.
        let output = stage.world.output(&last);
        let made = UnitCreated {
            unit: output.unit,
            ..last.clone()
        };
        let (body, openings) = stage.world.transformed(
            Process::Repack,
            &[(last.unit, "1000 斤")],
            vec![(output, "1000 斤")],
            None,
        );
        acts.push(stage.world.sign(Who::Producer, body, openings));
        last = made;
    }
    stage.tick();
    for some in acts.chunks(TOGETHER) {
        let items = stage.ledger.verify(some.to_vec()).into_iter();
        let items: Vec<Item> = items.map(Result::unwrap).collect();
        let job = Job {
            items,
            atomic: false,
            request: None,
        };
        let outcomes = stage.ledger.submit_and_wait(job).unwrap().outcomes;
        let is_admitted = |outcome: &Outcome| matches!(outcome, Outcome::Admitted(_));
        assert!(outcomes.iter().all(is_admitted), "{outcomes:#?}");
    }
    let recalled = stage.world.recalled(first.unit);
    let recalled = stage.world.sign_bare(Who::Producer, recalled);
    let index = stage.admit(recalled);
    let (view, now_ms) = (stage.view(), stage.world.now_ms);
    let mut lookup = Lookup::new(&view, stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(last.unit, 0, 10).unwrap().unwrap();
    assert_eq!(answer.status, Status::Recalled);
    let reason = answer
        .reasons
        .iter()
        .find(|reason| reason.check == "recall")
        .unwrap();
    assert_eq!(reason.index, Some(index));

    let forward = lineage::trace_forward(&view, first.unit, Limits::default()).unwrap();
    let shown = depth.min(lineage::GRAPH_UNITS_MAX - 1);
    assert_eq!(
        (forward.units.len(), forward.edges.len()),
        (shown + 1, shown)
    );
    assert_eq!(forward.units.last().unwrap().depth as usize, shown);
    let back = lineage::trace_back(&view, last.unit, Limits::default()).unwrap();
    assert_eq!(back.units.len(), shown + 1);
    // In pieces, each going on where the one before left off.
    let limits = Limits {
        units_max: 97,
        ..Limits::default()
    };
    let (mut open, mut steps) = (vec![Open::at(first.unit)], 0);
    while !open.is_empty() {
        let graph = lineage::follow(&view, Direction::Forward, open, limits).unwrap();
        steps += graph.edges.len();
        open = graph.open;
    }
    assert_eq!(steps, depth);
    let mut rows = Vec::new();
    recall_sheet(&view, first.unit, None, |row| {
        rows.push((row.unit, row.depth, row.amount));
        ControlFlow::Continue(())
    })
    .unwrap();
    let deepest = u32::try_from(depth).unwrap();
    assert_eq!(rows, [(last.unit, deepest, 500_000)]);
    // A bundle holds so many records and no more.
    let bundle = bundling::bundle(&view, stage.ledger.signer(), last.unit);
    match depth {
        0..=3_000 => {
            let verdict = bundle
                .unwrap()
                .unwrap()
                .verify(&stage.anchor(), &[], stage.today());
            assert_eq!(verdict.unwrap().judgement.status, Status::Recalled);
        }
        _ => assert!(bundle.is_err()),
    }
}
