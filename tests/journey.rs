//! One batch from field to cold store, by the public interface alone. Read
//! this first: it shows what the ledger is for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a journey that fails may stop at once"
)]

use std::ops::ControlFlow;
use trace_core::ledger::bundling;
use trace_core::ledger::job::Outcome;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, Opened, Settings};
use trace_core::proof::bundle::Bundle;
use trace_core::record::Status;
use trace_fixtures::Who;
use trace_fixtures::stage::{Stage, parts};

#[test]
fn a_batch_goes_from_field_to_cold_store_and_anyone_can_check_it() {
    let mut stage = Stage::new();

    // The producer makes a trace unit and certifies it.
    let unit = stage.world.unit();
    let code = unit.unit;
    let submission = stage.world.sign_bare(Who::Producer, unit.clone());
    stage.admit(submission);
    let (certificate, openings) = stage.world.certificate(&unit);
    let certified = stage.world.sign(Who::Producer, certificate, openings);
    let certificate_record = certified.signed.clone();
    let index = stage.admit(certified.clone());

    // Sent again, it is the same entry at the same index.
    assert_eq!(stage.admit(certified), index);

    // A cold store takes some of it in and lets less of it out.
    let (body, openings) = stage.world.warehouse_in(code, "10 斤");
    let submission = stage.world.sign(Who::ColdStore, body, openings);
    stage.admit(submission);
    let (body, openings) = stage.world.warehouse_out(code, "4 斤");
    let submission = stage.world.sign(Who::ColdStore, body, openings);
    stage.admit(submission);

    // More than lies there cannot leave.
    let (body, openings) = stage.world.warehouse_out(code, "7 斤");
    let submission = stage.world.sign(Who::ColdStore, body, openings);
    let Outcome::Refused(refusal) = stage.offer(submission) else {
        panic!("seven of six 斤 left")
    };
    assert_eq!(
        refusal.invalid.rule.code(),
        "quantity_exceeded",
        "{}",
        refusal.invalid
    );

    // A shopper looks the code up.
    let view = stage.view();
    let now_ms = stage.world.now_ms;
    let mut lookup = Lookup::new(&view, stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(code, 0, 50).unwrap().unwrap();
    assert_eq!(answer.status, Status::Valid);
    assert_eq!(answer.records.len(), 4);
    assert!(answer.records.iter().all(|record| record.trade.is_none()));

    // The bundle verifies with nothing but the trust anchor.
    let bundle = bundling::bundle(&view, stage.ledger.signer(), code)
        .unwrap()
        .unwrap();
    let bytes = bundle.encode();
    let anchor = stage.anchor();
    let verdict = Bundle::decode(&bytes)
        .unwrap()
        .verify(&anchor, &[], stage.today())
        .unwrap();
    assert_eq!(verdict.judgement.status, Status::Valid);
    assert_eq!(verdict.story().count(), 4);

    // The issuer voids the certificate: it stays findable and says so.
    let voided = stage.world.voided(&certificate_record);
    let submission = stage.world.sign_bare(Who::Producer, voided);
    stage.admit(submission);
    let view = stage.view();
    let mut lookup = Lookup::new(&view, stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    assert_eq!(
        lookup.unit(code, 0, 50).unwrap().unwrap().status,
        Status::Voided
    );
    let bundle = bundling::bundle(&view, stage.ledger.signer(), code)
        .unwrap()
        .unwrap();
    let verdict = bundle.verify(&anchor, &[], stage.today()).unwrap();
    assert_eq!(verdict.judgement.status, Status::Voided);

    // Closed and opened again, the ledger is as it was.
    let before = view.checkpoint().note().to_owned();
    drop(view);
    stage.ledger.stop().unwrap();
    let Opened::Writable(sequencer) =
        opening::open(stage.folder(), Settings::default(), parts(&stage.world)).unwrap()
    else {
        panic!("opened read-only")
    };
    assert_eq!(sequencer.view().checkpoint().note(), before);
    let mut entries = 0;
    sequencer
        .view()
        .scan(0, |_, _| {
            entries += 1;
            ControlFlow::<Option<()>>::Continue(())
        })
        .unwrap();
    assert_eq!(entries, sequencer.view().size());
}
