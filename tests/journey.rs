//! One batch from field to cold store, by the public interface alone. Read
//! this first: it shows what the ledger is for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a journey that fails may stop at once")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use trace_core::ident::{CivilDate, LEDGER_OFFSET_MINUTES};
use trace_core::ledger::hosted::HostedKeys;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, Opened, Parts, Settings};
use trace_core::ledger::{Ledger, View};
use trace_core::proof::anchor::Anchor;
use trace_core::proof::bundle::Bundle;
use trace_core::proof::merkle::leaf_hash;
use trace_core::proof::note::NoteSigner;
use trace_core::record::Status;
use trace_core::record::submission::Submission;
use trace_fixtures::{Who, World};

/// A ledger of the world, with a clock that the test moves.
struct Stage {
    folder: TempDir,
    world: World,
    now_ms: Arc<AtomicU64>,
    ledger: Ledger,
}

fn parts(world: &World) -> Parts {
    Parts {
        origin: world.origin().clone(),
        signer: Arc::new(NoteSigner::new(world.origin().as_str(), world.ledger_key()).unwrap()),
        hosted: HostedKeys::absent(),
        // Only keys and nonces of the vault come from here; a test may repeat.
        entropy: Box::new(|bytes| bytes.iter_mut().zip(1u8..).for_each(|(byte, n)| *byte = n)),
    }
}

impl Stage {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut world = World::new(7);
        let now_ms = Arc::new(AtomicU64::new(0));
        let sequencer = opening::create(folder.path(), Settings::default(), parts(&world)).unwrap();
        let genesis = world.genesis();
        now_ms.store(world.now_ms, Ordering::Relaxed);
        let clock = Arc::clone(&now_ms);
        let ledger = Ledger::start(sequencer, Arc::new(move || clock.load(Ordering::Relaxed)), |why| panic!("{why}")).unwrap();
        let mut stage = Self { folder, world, now_ms, ledger };
        for submission in genesis {
            stage.admit(submission);
        }
        stage
    }

    /// Submits one record; its index.
    fn admit(&mut self, submission: Submission) -> u64 {
        match self.offer(submission) {
            Outcome::Admitted(admitted) => admitted.index,
            other => panic!("{other:?}"),
        }
    }

    fn offer(&mut self, submission: Submission) -> Outcome {
        self.now_ms.store(self.world.now_ms, Ordering::Relaxed);
        let item: Item = self.ledger.verify(vec![submission]).pop().unwrap().unwrap();
        let job = Job { items: vec![item], atomic: false, request: None };
        self.ledger.submit_and_wait(job).unwrap().outcomes.pop().unwrap()
    }

    fn view(&self) -> Arc<View> {
        self.ledger.view()
    }

    fn anchor(&self) -> Anchor {
        let leaf0 = leaf_hash(&self.view().entry(0).unwrap().encode());
        Anchor { ledger_key: self.ledger.signer().verifier_key().clone(), leaf0 }
    }

    fn today(&self) -> CivilDate {
        CivilDate::from_ms(self.world.now_ms, LEDGER_OFFSET_MINUTES).unwrap()
    }
}

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
    let Outcome::Refused(refusal) = stage.offer(submission) else { panic!("seven of six 斤 left") };
    assert_eq!(refusal.invalid.rule.code(), "quantity_exceeded", "{}", refusal.invalid);

    // A shopper looks the code up.
    let view = stage.view();
    let now_ms = stage.world.now_ms;
    let mut lookup = Lookup::new(&view, stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(code, 0, 50).unwrap().unwrap();
    assert_eq!(answer.status, Status::Valid);
    assert_eq!(answer.records.len(), 4);
    assert!(answer.records.iter().all(|record| record.trade.is_none()));

    // The bundle verifies with nothing but the trust anchor.
    let bundle = trace_core::ledger::bundling::bundle(&view, stage.ledger.signer(), code).unwrap().unwrap();
    let bytes = bundle.encode();
    let anchor = stage.anchor();
    let verdict = Bundle::decode(&bytes).unwrap().verify(&anchor, &[], stage.today()).unwrap();
    assert_eq!(verdict.judgement.status, Status::Valid);
    assert_eq!(verdict.story().count(), 4);

    // The issuer voids the certificate: it stays findable and says so.
    let voided = stage.world.voided(&certificate_record);
    let submission = stage.world.sign_bare(Who::Producer, voided);
    stage.admit(submission);
    let view = stage.view();
    let mut lookup = Lookup::new(&view, stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    assert_eq!(lookup.unit(code, 0, 50).unwrap().unwrap().status, Status::Voided);
    let bundle = trace_core::ledger::bundling::bundle(&view, stage.ledger.signer(), code).unwrap().unwrap();
    let verdict = bundle.verify(&anchor, &[], stage.today()).unwrap();
    assert_eq!(verdict.judgement.status, Status::Voided);

    // Closed and opened again, the ledger is as it was.
    let before = view.checkpoint().note().to_owned();
    drop(view);
    stage.ledger.stop().unwrap();
    let Opened::Writable(sequencer) = opening::open(stage.folder.path(), Settings::default(), parts(&stage.world)).unwrap() else {
        panic!("opened read-only")
    };
    assert_eq!(sequencer.view().checkpoint().note(), before);
    let mut entries = 0;
    sequencer.view().scan(0, |_, _| { entries += 1; ControlFlow::<Option<()>>::Continue(()) }).unwrap();
    assert_eq!(entries, sequencer.view().size());
}
