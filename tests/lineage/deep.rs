//! Lineages so deep that no stack could hold them, and so wide that no page
//! does: recalled, followed, balanced, listed and proved, on a real ledger.

use super::run::told;
use std::collections::HashSet;
use std::ops::ControlFlow;
use trace_core::error::Rule;
use trace_core::ident::TraceCode;
use trace_core::ledger::bundling;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::lineage::{self, Direction, Limits, Open};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::recall_sheet::recall_sheet;
use trace_core::proof::bundle::BUNDLE_RECORDS_MAX;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::Process;
use trace_core::record::submission::Submission;
use trace_core::record::{Signed, Status};
use trace_core::rules::REACH_MAX;
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

/// So many records are sent at a time.
const TOGETHER: usize = 500;
/// How deep the deep lineage is in the suite.
const DEPTH: u64 = 20_000;
/// Into how many units the wide one goes.
const WIDTH: usize = 3_000;
/// Units that one act makes of one.
const PARTS: usize = 60;

/// What was taken of one unit is another.
fn repacked(stage: &mut Stage, of: &UnitCreated) -> (UnitCreated, Submission) {
    stage.world.now_ms -= 1_000; // All of it in one moment.
    let output = stage.world.output(of);
    let made = UnitCreated {
        unit: output.unit,
        ..of.clone()
    };
    let (body, openings) = stage.world.transformed(
        Process::Repack,
        &[(of.unit, "1000 斤")],
        vec![(output, "1000 斤")],
        None,
    );
    (made, stage.world.sign(Who::Producer, body, openings))
}

fn admit_all(stage: &Stage, acts: Vec<Submission>) {
    let items = stage.ledger.verify(acts).into_iter();
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

/// 1,000 斤 and all that it is packed into, one after the other.
fn line(stage: &mut Stage, depth: usize) -> Vec<TraceCode> {
    let mut last = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, last.clone());
    stage.admit(created);
    let mut codes = vec![last.unit];
    while codes.len() <= depth {
        let mut acts = Vec::new();
        for _ in 0..TOGETHER.min(depth + 1 - codes.len()) {
            let (made, act) = repacked(stage, &last);
            codes.push(made.unit);
            acts.push(act);
            last = made;
        }
        stage.tick();
        admit_all(stage, acts);
    }
    codes
}

/// Recalls a unit; the record, or the rule that refuses.
fn recall(stage: &mut Stage, unit: TraceCode) -> Result<(u64, Signed), Rule> {
    let recalled = stage.world.recalled(unit);
    let submission = stage.world.sign_bare(Who::Producer, recalled);
    let statement = submission.signed.statement().clone();
    match stage.offer(submission.clone()) {
        Outcome::Admitted(admitted) => Ok((admitted.index, submission.signed)),
        Outcome::Refused(refusal) => {
            let chain = stage.world.chain(Who::Producer);
            chain.resume(statement.sequence, statement.link);
            Err(refusal.invalid.rule)
        }
        Outcome::Unavailable(why) => panic!("{why}"),
    }
}

/// The record by which a unit is recalled, as a look-up says.
fn recalled_by(stage: &Stage, unit: TraceCode) -> Option<u64> {
    let (view, now_ms) = (stage.view(), stage.world.now_ms);
    let mut lookup = Lookup::new(&view, stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(unit, 0, 1).unwrap().unwrap();
    let mut reasons = answer.reasons.iter();
    let index = reasons
        .find(|reason| reason.check == "recall")
        .unwrap()
        .index;
    assert_eq!(index.is_some(), answer.status == Status::Recalled);
    index
}

#[test]
fn a_lineage_however_deep_is_recalled_followed_and_proved() {
    let depth = usize::try_from(told("TRACE_LINEAGE_DEPTH", DEPTH)).unwrap();
    let mut stage = Stage::new();
    let codes = line(&mut stage, depth);
    let (first, last) = (codes[0], codes[depth]);

    // A recall reaches so many units and no more; beyond that it is refused, and
    // what was made of the unit is recalled instead.
    let from = match recall(&mut stage, first) {
        Ok((index, _)) => {
            assert!(depth < REACH_MAX);
            assert_eq!(recalled_by(&stage, codes[depth / 2]), Some(index));
            (0, index)
        }
        Err(rule) => {
            assert_eq!((rule, depth >= REACH_MAX), (Rule::TooMany, true));
            let from = depth + 1 - REACH_MAX;
            assert_eq!(
                recall(&mut stage, codes[from - 1]).err(),
                Some(Rule::TooMany)
            );
            let (index, _) = recall(&mut stage, codes[from]).unwrap();
            assert_eq!(recalled_by(&stage, codes[from - 1]), None);
            (from, index)
        }
    };
    assert_eq!(recalled_by(&stage, codes[from.0]), Some(from.1));
    assert_eq!(recalled_by(&stage, last), Some(from.1));

    let view = stage.view();
    let forward = lineage::trace_forward(&view, first, Limits::default()).unwrap();
    let shown = depth.min(lineage::GRAPH_UNITS_MAX - 1);
    assert_eq!(
        (forward.units.len(), forward.edges.len()),
        (shown + 1, shown)
    );
    assert_eq!(forward.open.is_empty(), shown == depth);
    assert_eq!(forward.units.last().unwrap().depth as usize, shown);
    let back = lineage::trace_back(&view, last, Limits::default()).unwrap();
    assert_eq!(back.units.len(), shown + 1);
    // In pieces, each going on where the one before left off, both ways.
    let limits = Limits {
        units_max: 997,
        ..Limits::default()
    };
    for (direction, from) in [(Direction::Forward, first), (Direction::Back, last)] {
        let (mut open, mut met) = (vec![Open::at(from)], HashSet::from([from]));
        while !open.is_empty() {
            let graph = lineage::follow(&view, direction, open, limits).unwrap();
            for edge in &graph.edges {
                let (known, new) = match direction {
                    Direction::Forward => (edge.from, edge.to),
                    Direction::Back => (edge.to, edge.from),
                };
                assert!(met.contains(&known) && met.insert(new));
                assert_eq!((edge.edge.used, edge.edge.made), (500_000, 500_000));
            }
            open = graph.open;
        }
        assert_eq!(met.len(), depth + 1);
    }
    for unit in [first, codes[depth / 2], last] {
        let found = lineage::balance(&view, unit).unwrap().unwrap();
        let is_last = unit == last;
        let wanted = if is_last { (500_000, 0) } else { (0, 500_000) };
        assert_eq!((found.balance.held, found.balance.transformed), wanted);
        assert!(found.balance.adds_up(found.made), "{found:?}");
    }
    let mut rows = Vec::new();
    recall_sheet(&view, first, None, |row| {
        rows.push((row.unit, row.depth, row.amount));
        ControlFlow::Continue(())
    })
    .unwrap();
    let deepest = u32::try_from(depth).unwrap();
    assert_eq!(rows, [(last, deepest, 500_000)]);
    // A bundle holds so many records and no more.
    let enough = BUNDLE_RECORDS_MAX - 100;
    for near in [depth, enough.min(depth)] {
        let bundle = bundling::bundle(&view, stage.ledger.signer(), codes[near]);
        if near > enough {
            assert!(bundle.is_err());
            continue;
        }
        let bundle = bundle.unwrap().unwrap();
        let verdict = bundle.verify(&stage.anchor(), &[], stage.today()).unwrap();
        let wanted = match near >= from.0 {
            true => Status::Recalled,
            false => Status::Valid,
        };
        assert_eq!(verdict.judgement.status, wanted);
    }
}

#[test]
fn a_lineage_however_wide_is_recalled_followed_and_brought_together_again() {
    let mut stage = Stage::new();
    let root = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, root.clone());
    stage.admit(created);
    // 1,000 斤 are 500,000 g: the parts are 100 g each, and there is a rest.
    let mut parts: Vec<UnitCreated> = Vec::new();
    while parts.len() < WIDTH {
        let outputs: Vec<_> = (0..PARTS)
            .map(|_| (stage.world.output(&root), "100 克"))
            .collect();
        parts.extend(outputs.iter().map(|(output, _)| UnitCreated {
            unit: output.unit,
            ..root.clone()
        }));
        let used = format!("{} 克", 100 * PARTS);
        let inputs = [(root.unit, used.as_str())];
        let (body, openings) = stage
            .world
            .transformed(Process::Split, &inputs, outputs, None);
        let submission = stage.world.sign(Who::Producer, body, openings);
        stage.admit(submission);
    }
    // Brought together by sixties, and those again.
    let mut merged = Vec::new();
    for some in parts.chunks(PARTS) {
        let inputs: Vec<_> = some.iter().map(|part| (part.unit, "100 克")).collect();
        let output = stage.world.output(&root);
        merged.push(output.unit);
        let text = format!("{} 克", 100 * some.len());
        let outputs = vec![(output, text.as_str())];
        let (body, openings) = stage
            .world
            .transformed(Process::Merge, &inputs, outputs, None);
        let submission = stage.world.sign(Who::Producer, body, openings);
        stage.admit(submission);
    }
    let (index, _) = recall(&mut stage, root.unit).unwrap();
    for unit in [parts[0].unit, parts[WIDTH - 1].unit, merged[0]] {
        assert_eq!(recalled_by(&stage, unit), Some(index));
    }
    let view = stage.view();
    let (width, ends) = (parts.len(), merged.len());
    let forward = lineage::trace_forward(&view, root.unit, Limits::default()).unwrap();
    assert_eq!(forward.units.len(), 1 + width + ends);
    assert_eq!(forward.edges.len(), 2 * width);
    let used: u64 = forward.edges.iter().map(|edge| edge.edge.made).sum();
    // Each part once; each merged unit with every part of it.
    let whole = 100 * u64::try_from(width).unwrap();
    let of_merged = 100 * u64::try_from(PARTS).unwrap() * u64::try_from(width).unwrap();
    assert_eq!(used, whole + of_merged);
    let back = lineage::trace_back(&view, merged[0], Limits::default()).unwrap();
    assert_eq!(back.units.len(), 2 + PARTS);
    let found = lineage::balance(&view, root.unit).unwrap().unwrap();
    assert_eq!(found.balance.transformed, whole);
    let (mut held, mut rows) = (0, 0);
    recall_sheet(&view, root.unit, None, |row| {
        (held, rows) = (held + row.amount, rows + 1);
        ControlFlow::Continue(())
    })
    .unwrap();
    // What is left of the root, and all that was merged.
    assert_eq!((held, rows), (found.made, 1 + ends));
}
