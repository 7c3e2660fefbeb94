//! The ledger's folder: who is registered, whose keys are in it, and what must
//! be true of it when all is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tempfile::TempDir;
use trace_core::{
    ident::EquipmentId,
    ledger::{
        Ledger, Opened, Settings, View,
        hosted::Kek,
        job::{Job, Outcome},
        opening::VAULT,
        readings::READINGS_FILE,
        tokens::Grant,
        vault::Vault,
    },
    proof::{
        checkpoint::{SignedCheckpoint, VerifiedCheckpoint},
        note::VerifierKey,
    },
    record::{
        Body, Entry, Hash, Role, base64, cold_chain::EquipmentKind,
        kinds::key_enrolled::KeyEnrolled, sign::KeyId, submission::Submission,
        temperature::Reading, wire::TokenId,
    },
    store::disk::RealDisk,
};
use trace_fixtures::{Who, World, chains::certificate_number};
use trace_http::{
    client::Client,
    home::{Home, LEDGER_KEY, TOKENS, verifier_key},
    language::Language,
    machine,
    serve::{open_tokens, readings_under},
};
use zeroize::Zeroizing;

use crate::{
    DEVICES, LOGGERS,
    loggers::Logger,
    orders::Holder,
    program::{self, Program},
    signers::{Acknowledged, Device},
};

/// The key under which this ledger keeps hosted keys.
pub const KEK: &str = "5ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7";

/// A ledger in a folder, with everybody registered and every key enrolled.
pub struct Town {
    folder: TempDir,
    pub world: Arc<Mutex<World>>,
    /// A token of the producer's.
    pub token: Zeroizing<String>,
    hosted: KeyId,
    /// Probes of the producer's, in a vehicle of its own.
    pub probes: Vec<EquipmentId>,
}

impl Town {
    pub fn new(seed: u64) -> Self {
        Self::new_in(&std::env::temp_dir(), seed)
    }

    /// The same on a disk of the test's choice.
    pub fn new_in(disk: &Path, seed: u64) -> Self {
        let folder = tempfile::tempdir_in(disk).unwrap();
        let mut world = World::new(seed);
        world.now_ms = machine::now_ms() - 120_000;
        let (origin, key) = (world.origin().clone(), world.ledger_key());
        let (kek, settings) = (Kek::from_hex(KEK), Settings::default());
        let (home, sequencer) = Home::create(folder.path(), origin, key, kek, settings).unwrap();
        let writer = Ledger::start(sequencer, machine::clock(), |why| panic!("{why}")).unwrap();
        let mut records = world.genesis();
        records.extend((0..DEVICES).flat_map(|place| enrol_device(&mut world, place)));
        let key = world.fresh_key("hosted");
        let kept = writer.host_key(
            world.id(Who::Producer),
            Zeroizing::new(*key.seed()),
            machine::random(),
        );
        let hosted = kept.unwrap();
        let body = KeyEnrolled {
            hosted: true,
            ..world.key_enrolled(Who::Producer, &key)
        };
        records.push(world.sign_bare(Who::CountyAuthority, body));
        let mut of_producer = |kind, part_of| {
            let body = world.equipment(Who::Producer, kind, part_of);
            let equipment = body.equipment;
            records.push(world.sign_bare(Who::Producer, body));
            equipment
        };
        let vehicle = of_producer(EquipmentKind::Vehicle, None);
        let probes = (0..LOGGERS).map(|_| of_producer(EquipmentKind::Probe, Some(vehicle)));
        let probes = probes.collect();
        admit(&writer, records);
        writer.stop().unwrap();
        let token = token(&world, folder.path());
        drop(home);
        Self {
            folder,
            world: Arc::new(Mutex::new(world)),
            token,
            hosted,
            probes,
        }
    }

    pub fn device_label(who: Who, place: usize) -> String {
        format!("device/{who:?}/{place}")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program itself finds what is left sound.
    pub fn audit(&self) {
        let output = program::audit(self);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
    }

    fn key(&self) -> VerifierKey {
        verifier_key(&self.folder().join(LEDGER_KEY)).unwrap()
    }

    /// What each server answered last is shown, by the last one, to be what
    /// its log begins with; how many servers that were.
    pub fn check_over_http(&self, server: &Program, devices: &[Device]) -> usize {
        let key = self.key();
        let client = Client::new(&server.address, Language::English).unwrap();
        let mut last: BTreeMap<u64, &Acknowledged> = BTreeMap::new();
        for kept in devices.iter().flat_map(|device| &device.acknowledged) {
            last.insert(kept.generation, kept);
        }
        for kept in last.values() {
            let verified = kept.receipt.verify(kept.signed.signed_bytes(), &key);
            let verified = verified.unwrap();
            let older = verified.checkpoint();
            let path = format!("/v1/proof/consistency?from={}", older.size());
            let answer: Value = client.get_json(&path).unwrap().unwrap();
            let note = answer["checkpoint"].as_str().unwrap();
            let newer = SignedCheckpoint::open(note, &key).unwrap();
            newer
                .verify_extends(older, &hashes(&answer["path"]))
                .unwrap();
        }
        last.len()
    }

    /// Opens what is left and holds it to everything that was answered; how
    /// many entries there are.
    pub fn check(&self, devices: &[Device], holders: &[Holder], loggers: &[Logger]) -> u64 {
        let opened = Home::open(self.folder(), Kek::from_hex(KEK), Settings::default());
        let (_home, Opened::Writable(sequencer)) = opened.unwrap() else {
            panic!("opened read-only")
        };
        let view = sequencer.view();
        self.check_receipts(&view, devices);
        self.check_orders(&view, holders);
        self.check_readings(&view, loggers);
        let size = view.size();
        drop((view, sequencer));
        let vault = Vault::open(Arc::new(RealDisk), &self.folder().join(VAULT)).unwrap();
        let persons = vault.persons();
        for person in devices.iter().flat_map(|device| &device.erased) {
            assert!(!persons.contains(person), "erased, and has a key");
        }
        size
    }

    fn check_receipts(&self, view: &View, devices: &[Device]) {
        let key = self.key();
        let mut seen: BTreeMap<u64, VerifiedCheckpoint> = BTreeMap::new();
        let mut indexes = BTreeSet::new();
        for kept in devices.iter().flat_map(|device| &device.acknowledged) {
            assert!(indexes.insert(kept.index), "two records at {}", kept.index);
            let entry = view.entry(kept.index).unwrap();
            assert_eq!(entry.signed, kept.signed, "entry {}", kept.index);
            let verified = kept.receipt.verify(kept.signed.signed_bytes(), &key);
            let verified = verified.unwrap();
            assert_eq!(verified.index(), kept.index);
            assert_eq!(verified.admitted_ms(), entry.admitted_ms);
            let checkpoint = verified.checkpoint().clone();
            let size = checkpoint.size();
            let before = seen.insert(size, checkpoint.clone());
            assert!(before.is_none_or(|it| it.root() == checkpoint.root()));
        }
        for (size, older) in seen {
            let path = view.prove_consistency(size, view.size()).unwrap();
            view.checkpoint().verify_extends(&older, &path).unwrap();
        }
    }

    /// Every acknowledged reading is there, once, whichever shelf it lies on.
    fn check_readings(&self, view: &View, loggers: &[Logger]) {
        let readings = readings_under(&self.folder().join(READINGS_FILE), view).unwrap();
        for logger in loggers {
            let range = readings.range(logger.probe, 0..=u64::MAX).unwrap();
            let found: Vec<Reading> = range.map(Result::unwrap).collect();
            let wanted = &logger.acknowledged;
            let there = found.iter().filter(|it| wanted.binary_search(it).is_ok());
            assert_eq!(there.count(), wanted.len(), "a reading is lost");
            let stored = readings.stored(&logger.probe).unwrap();
            assert_eq!(
                stored.readings,
                found.len() as u64,
                "a reading lies on two shelves"
            );
        }
    }

    /// As many certificates by the hosted key as orders, each number once.
    fn check_orders(&self, view: &View, holders: &[Holder]) {
        let mut issued = Vec::new();
        let scanned = view.scan(0, |_, bytes| {
            let entry = Entry::decode(bytes).unwrap();
            if entry.signed.statement().key == self.hosted {
                let body: Body = entry.signed.body().unwrap();
                issued.extend(certificate_number(&body).map(str::to_owned));
            }
            ControlFlow::<Option<()>>::Continue(())
        });
        scanned.unwrap();
        issued.sort();
        let ordered = holders.iter().flat_map(Holder::numbers);
        let mut ordered: Vec<_> = ordered.map(str::to_owned).collect();
        ordered.sort();
        assert_eq!(issued, ordered);
    }
}

/// Keys for a device: of the producer, and of the county's authority.
fn enrol_device(world: &mut World, place: usize) -> Vec<Submission> {
    let enrolments = [
        (Who::Producer, Who::CountyAuthority),
        (Who::CountyAuthority, Who::CityAuthority),
    ];
    let enrol = |(who, by)| {
        let key = world.fresh_key(&Town::device_label(who, place));
        let body = world.key_enrolled(who, &key);
        world.sign_bare(by, body)
    };
    enrolments.into_iter().map(enrol).collect()
}

fn admit(writer: &Ledger, records: Vec<Submission>) {
    let items = writer.verify(records).into_iter().map(Result::unwrap);
    let job = Job {
        items: items.collect(),
        atomic: false,
        request: None,
    };
    for outcome in writer.submit_and_wait(job).unwrap().outcomes {
        assert!(matches!(outcome, Outcome::Admitted(_)), "{outcome:?}");
    }
}

fn token(world: &World, folder: &Path) -> Zeroizing<String> {
    let producer = world.entity(Who::Producer);
    let grant = Grant {
        entity: Some(producer.id),
        role: Role::Producer,
        area: Some(producer.area),
        expires_ms: u64::MAX,
    };
    let tokens = open_tokens(&folder.join(TOKENS)).unwrap();
    let secret = Zeroizing::new(machine::random());
    let made = tokens.issue(TokenId(machine::random()), &secret, grant, 0);
    Zeroizing::new(made.unwrap().reveal().to_owned())
}

fn hashes(path: &Value) -> Vec<Hash> {
    let path = path.as_array().unwrap().iter();
    let hash = |it: &Value| {
        let bytes = base64::decode(it.as_str().unwrap()).unwrap();
        Hash::from(<[u8; 32]>::try_from(bytes).unwrap())
    };
    path.map(hash).collect()
}
