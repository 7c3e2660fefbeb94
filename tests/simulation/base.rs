//! What every seed begins with: a ledger with everybody registered, devices of
//! one producer and of the county's authority enrolled, and one key hosted. Made
//! once; each seed starts from a copy of its disk.

use std::collections::HashMap;
use std::sync::Arc;
use trace_core::ident::{EntityId, TraceCode};
use trace_core::ledger::hosted::{HostedKeys, Kek};
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::opening::{HOSTED, Parts};
use trace_core::proof::checkpoint::VerifiedCheckpoint;
use trace_core::proof::note::NoteSigner;
use trace_core::record::certificate::Elements;
use trace_core::record::kinds::electronic_traceability_certificate::ElectronicTraceabilityCertificate;
use trace_core::record::kinds::handed_over::{HandedOver, HandedOverTrade};
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::Party;
use trace_core::record::quantity::{BaseUnit, Quantity};
use trace_core::record::section::{Opening, Openings};
use trace_core::record::sign::{Key, KeyId, SigningKey};
use trace_core::record::submission::Submission;
use trace_core::record::wire::PersonId;
use trace_core::record::{Body, Origin};
use trace_core::store::disk::Disk;
use trace_fixtures::disk::{Kept, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;
use trace_fixtures::ledger_on_disk::{self, path};
use trace_fixtures::{Who, World, clock, opening};

/// Devices of the producer; the last is revoked on the way.
pub const DEVICES: usize = 4;

/// Firms that may be registered.
const NEWCOMERS: usize = 24;

/// A body, and what opens its sections.
pub type Said = (Body, Openings);

pub struct Base {
    pub origin: Origin,
    pub signer: Arc<NoteSigner>,
    pub medium: Medium,
    /// Everybody who signs.
    pub keys: HashMap<KeyId, Key>,
    pub producer: EntityId,
    pub devices: Vec<[u8; 32]>,
    pub authority: [u8; 32],
    pub newcomers: Vec<(Said, PersonId)>,
    pub checkpoint: VerifiedCheckpoint,
    pub now_ms: u64,
    buyer: EntityId,
    unit: UnitCreated,
    elements: Elements,
    revoked: Body,
}

fn kek() -> Kek {
    Kek::from_hex(&"5a".repeat(32)).unwrap()
}

impl Base {
    pub fn new() -> Self {
        let mut world = World::new(7);
        let city = world.city();
        let roots = (0..3).map(|place| world.root_key(place).key());
        let members = (0..city.entities().len())
            .map(|place| city.signing_key(city.first_signer(place)).key());
        let mut keys: HashMap<KeyId, Key> = roots
            .chain(members)
            .map(|key| (key.public().id(), key))
            .collect();
        let mut submissions = world.genesis();
        let mut enrol = |world: &mut World, by: Who, whose: Who, label: &str| {
            let key = world.fresh_key(label);
            keys.insert(key.public().id(), key.key());
            let enrolled = world.key_enrolled(whose, &key);
            submissions.push(world.sign_bare(by, enrolled));
            *key.seed()
        };
        let devices: Vec<[u8; 32]> = (0..DEVICES)
            .map(|place| {
                let label = format!("device {place}");
                enrol(&mut world, Who::CountyAuthority, Who::Producer, &label)
            })
            .collect();
        let authority = enrol(
            &mut world,
            Who::CityAuthority,
            Who::CountyAuthority,
            "the authority's",
        );
        let hosted_seed = enrol(&mut world, Who::CountyAuthority, Who::Producer, "hosted");
        let producer = world.id(Who::Producer);
        let signer = NoteSigner::new(world.origin().as_str(), world.ledger_key()).unwrap();
        let newcomers = (0..NEWCOMERS).map(|_| {
            let newcomer = world.newcomer();
            let (body, openings) = world.entity_registered(&newcomer);
            ((body.into(), openings), newcomer.contact.id)
        });
        let newcomers = newcomers.collect();
        let unit = world.unit();
        let (certificate, _) = world.certificate(&unit);
        let last = SigningKey::from_seed(devices[DEVICES - 1]);
        let mut base = Self {
            origin: world.origin().clone(),
            signer: Arc::new(signer),
            medium: Medium::default(),
            keys,
            producer,
            devices,
            authority,
            newcomers,
            checkpoint: nothing(&world),
            now_ms: world.now_ms,
            buyer: world.id(Who::Buyer),
            unit,
            elements: Elements {
                persons: Vec::new(),
                ..certificate.0
            },
            revoked: world.key_revoked(Who::Producer, last.public().id()).into(),
        };
        base.begin(submissions, hosted_seed);
        base
    }

    /// Admits what registers everybody, and keeps the disk.
    fn begin(&mut self, submissions: Vec<Submission>, hosted_seed: [u8; 32]) {
        let disk = SimulatedDisk::default();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let hosted = HostedKeys::create(shared, &path(HOSTED), kek(), [1; 12]);
        let mut hosted = hosted.unwrap();
        hosted
            .add(self.producer, hosted_seed.into(), [2; 12])
            .unwrap();
        let parts = self.parts_with(hosted, Draw::new(0, "simulated base"));
        let mut sequencer = ledger_on_disk::create(&disk, parts).unwrap();
        let items = submissions.into_iter().map(|submission| {
            let key = &self.keys[&submission.signed.statement().key];
            Item::Signed {
                record: Box::new(submission.signed.verify(key).unwrap()),
                openings: submission.openings,
            }
        });
        let job = Job {
            items: items.collect(),
            atomic: true,
            request: None,
        };
        let outcomes = sequencer.admit(vec![job], self.now_ms).unwrap();
        let refused = outcomes[0]
            .iter()
            .find(|outcome| !matches!(outcome, Outcome::Admitted(_)));
        assert_eq!(refused, None);
        self.checkpoint = sequencer.view().checkpoint().clone();
        sequencer.close().unwrap();
        self.medium = disk.medium().after_power_cut(Kept::Nothing);
    }

    fn parts_with(&self, hosted: HostedKeys, mut draw: Draw) -> Parts {
        Parts {
            origin: self.origin.clone(),
            signer: Arc::clone(&self.signer),
            hosted,
            entropy: Box::new(move |bytes| bytes.fill_with(|| draw.bytes::<1>()[0])),
        }
    }

    /// What opening the ledger on this disk takes.
    pub fn parts(&self, disk: &SimulatedDisk, draw: Draw) -> Parts {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let hosted = HostedKeys::open(shared, &path(HOSTED), kek()).unwrap();
        self.parts_with(hosted, draw)
    }

    pub fn creates(&self, unit: TraceCode, grams: u64) -> Said {
        let body = UnitCreated {
            unit,
            quantity: amount(grams),
            ..self.unit.clone()
        };
        (body.into(), Openings::default())
    }

    pub fn certifies(&self, unit: TraceCode, number: String, grams: u64) -> Said {
        let body = ElectronicTraceabilityCertificate(Elements {
            number,
            unit,
            quantity: amount(grams),
            ..self.elements.clone()
        });
        (body.into(), Openings::default())
    }

    pub fn hands_over(&self, unit: TraceCode, grams: u64, salt: [u8; 16], at_ms: u64) -> Said {
        let trade = HandedOverTrade {
            to: Party::Entity(self.buyer),
            quantity: amount(grams),
            vehicle: None,
            price_fen: None,
        };
        let opening = Opening::new(salt, &trade);
        let body = HandedOver {
            unit,
            certificate: None,
            happened: clock::moment(at_ms),
            on_behalf_of: None,
            trade: opening.commitment(),
            acted_by: None,
        };
        let openings = Openings {
            trade: Some(opening),
            persons: Vec::new(),
        };
        (body.into(), openings)
    }

    /// The last device's key is revoked.
    pub fn revokes(&self) -> Said {
        (self.revoked.clone(), Openings::default())
    }

    /// A role that nobody below the city may give.
    pub fn oversteps(&self) -> Said {
        use trace_core::ident::Area;
        use trace_core::record::Role;
        let body = opening::role_granted(self.producer, Role::Operator, Area::LANGFANG);
        (body.into(), Openings::default())
    }
}

fn amount(grams: u64) -> Quantity {
    Quantity::of_base(grams, BaseUnit::Gram).unwrap()
}

/// The checkpoint of the empty log, until there is another.
fn nothing(world: &World) -> VerifiedCheckpoint {
    use trace_core::proof::checkpoint::Checkpoint;
    use trace_core::proof::merkle::Frontier;
    let signer = NoteSigner::new(world.origin().as_str(), world.ledger_key()).unwrap();
    let empty = Checkpoint {
        origin: world.origin().clone(),
        size: 0,
        root: Frontier::default().root(),
    };
    let signed = empty.sign(&signer).unwrap();
    signed.verify(signer.verifier_key()).unwrap()
}
