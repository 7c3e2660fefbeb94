//! A tiny world for tests: a root authority of three, one authority, one
//! producer, one cold store, their chains, and a clock that goes a second with
//! every record. Everything follows from one number.

use super::hosted::HostedKeys;
use super::job::{Admitted, Item, Job, Outcome};
use super::opening::{self, Opened, Parts, Settings};
use super::sequencer::Sequencer;
use crate::ident::{Area, CivilDate, EntityId, LEDGER_OFFSET_MINUTES, TraceCode};
use crate::proof::note::{NoteSigner, VerifierKey};
use crate::record::chain::{Chain, countersign};
use crate::record::claim::{Form, Policy};
use crate::record::kinds::entity_registered::{EntityCategory, EntityRegistered};
use crate::record::kinds::key_enrolled::{KeyEnrolled, enrolment_message};
use crate::record::kinds::ledger_opened::LedgerOpened;
use crate::record::kinds::personal_data_erased::PersonalDataErased;
use crate::record::kinds::role_granted::RoleGranted;
use crate::record::kinds::unit_created::{Beginning, ProductClass, UnitCreated};
use crate::record::kinds::voided::Voided;
use crate::record::kinds::warehouse_in::WarehouseIn;
use crate::record::kinds::warehouse_out::WarehouseOut;
use crate::record::section::{Opening, Openings, Person};
use crate::record::sign::SigningKey;
use crate::record::warehouse::{WarehouseEntry, WarehouseTrade};
use crate::record::wire::{AreaCode, Bytes32, Countersignature, PersonId, PersonRef};
use crate::record::{Body, Hash, Origin, Quantity, Role};
use crate::rules::forms;
use crate::store::overlay::Merging;
use std::path::Path;
use std::sync::Arc;

/// 2026-05-11T05:00:00+08:00.
const BEGIN_MS: u64 = 1_778_446_800_000;

/// People, their keys and a clock.
pub(crate) struct World {
    seed: u64,
    pub(crate) origin: Origin,
    pub(crate) now_ms: u64,
    drawn: u64,
    roots: Vec<Chain>,
    pub(crate) authority: Chain,
    pub(crate) producer: Chain,
    pub(crate) store: Chain,
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Authority,
    Producer,
    Store,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let origin = Origin::parse("test.example/trace").unwrap();
        let chain = |name: &str| Chain::new(origin.clone(), key_of(seed, name));
        Self {
            seed,
            now_ms: BEGIN_MS,
            drawn: 0,
            roots: vec![chain("root 0"), chain("root 1"), chain("root 2")],
            authority: chain("authority"),
            producer: chain("producer"),
            store: chain("store"),
            origin,
        }
    }

    /// The ledger's signer of checkpoints.
    pub(crate) fn signer(&self) -> NoteSigner {
        NoteSigner::new(self.origin.as_str(), key_of(self.seed, "ledger")).unwrap()
    }

    /// The ledger's key, for readers.
    pub(crate) fn key(&self) -> VerifierKey {
        self.signer().verifier_key().clone()
    }

    /// What a ledger of this world is opened with.
    pub(crate) fn parts(&self) -> Parts {
        let mut drawn = 0u64;
        Parts {
            origin: self.origin.clone(),
            signer: Arc::new(self.signer()),
            hosted: HostedKeys::absent(),
            entropy: Box::new(move |bytes| {
                for chunk in bytes.chunks_mut(32) {
                    drawn += 1;
                    let random = Hash::of(&[b"entropy", &drawn.to_be_bytes()]);
                    chunk.copy_from_slice(&random.as_bytes()[..chunk.len()]);
                }
            }),
        }
    }

    /// Small caches, and merging in the call itself.
    pub(crate) fn settings() -> Settings {
        Settings {
            cache_bytes: 4 << 20,
            merge_threshold_bytes: 1 << 20,
            merging: Merging::Inline,
            ..Settings::default()
        }
    }

    /// A new ledger in `folder`, with everybody registered.
    pub(crate) fn create(&mut self, folder: &Path) -> Sequencer {
        let mut sequencer = opening::create(folder, Self::settings(), self.parts()).unwrap();
        let genesis = self.genesis();
        self.admit(&mut sequencer, genesis);
        sequencer
    }

    /// Opens the ledger in `folder`, whatever comes of it.
    pub(crate) fn open(&self, folder: &Path) -> Opened {
        opening::open(folder, Self::settings(), self.parts()).unwrap()
    }

    /// Opens the ledger in `folder`, which must be writable.
    pub(crate) fn open_writable(&self, folder: &Path) -> Sequencer {
        match self.open(folder) {
            Opened::Writable(sequencer) => *sequencer,
            Opened::ReadOnly { why, .. } => panic!("read-only: {why}"),
        }
    }

    /// Admits items, all of which must pass.
    pub(crate) fn admit(&mut self, sequencer: &mut Sequencer, items: Vec<Item>) -> Vec<Admitted> {
        let job = Job {
            items,
            atomic: false,
            request: None,
        };
        let outcomes = sequencer.admit(vec![job], self.now_ms).unwrap();
        sequencer.settle().unwrap();
        let admitted = outcomes.concat().into_iter().map(|outcome| match outcome {
            Outcome::Admitted(admitted) => admitted,
            other => panic!("{other:?}"),
        });
        admitted.collect()
    }

    /// The records that open the ledger and register everybody, in order.
    pub(crate) fn genesis(&mut self) -> Vec<Item> {
        let mut root_keys: Vec<_> = self.roots.iter().map(public).collect();
        root_keys.sort();
        let ledger_key = Bytes32(*self.signer().verifier_key().public().as_bytes());
        let mut items = vec![self.by_root(|countersignatures| {
            LedgerOpened {
                name: "试验账本".into(),
                area: AreaCode(131_000),
                root_keys: root_keys.clone(),
                ledger_key,
                policy: Policy {
                    rule_set: 1,
                    root_quorum: 2,
                    civil_offset_minutes: 480,
                    signed_ahead_max_ms: 300_000,
                    issue_backdate_max_days: 7,
                },
                continues: None,
                countersignatures,
            }
            .into()
        })];
        let authority = [
            self.registered(Who::Authority, EntityCategory::PublicBody, Vec::new()),
            self.enrolled(Who::Authority),
            self.granted(Who::Authority, Role::Authority, Area::LANGFANG),
        ];
        items.extend(authority.map(|body| {
            self.by_root(|given| match body.clone() {
                Body::EntityRegistered(mut body) => {
                    body.countersignatures = given;
                    body.into()
                }
                Body::KeyEnrolled(mut body) => {
                    body.countersignatures = given;
                    body.into()
                }
                Body::RoleGranted(mut body) => {
                    body.countersignatures = given;
                    body.into()
                }
                other => panic!("{other:?}"),
            })
        }));
        for (who, role) in [
            (Who::Producer, Role::Producer),
            (Who::Store, Role::ColdStore),
        ] {
            let registered = self.registered(who, EntityCategory::Enterprise, Vec::new());
            let area = Area::LANGFANG_ECONOMIC_ZONE;
            let bodies = [
                registered,
                self.enrolled(who),
                self.granted(who, role, area),
            ];
            items.extend(bodies.map(|body| self.sign(Who::Authority, body, Openings::default())));
        }
        items
    }

    /// `count` units, each created, certified with a contact's personal section,
    /// and put into the cold store with its trade section: three records each.
    pub(crate) fn goods(&mut self, count: usize) -> Vec<Item> {
        let mut items = Vec::new();
        for _ in 0..count {
            let unit = self.unit();
            items.push(self.created(unit));
            items.push(self.certificate(unit));
            items.push(self.warehouse(unit, true, "40 公斤"));
        }
        items
    }

    /// A fresh trace code.
    pub(crate) fn unit(&mut self) -> TraceCode {
        let [bytes @ .., _, _, _, _, _, _] = self.draw::<16>();
        TraceCode::from_bytes(bytes)
    }

    /// The producer creates 100 公斤.
    pub(crate) fn created(&mut self, unit: TraceCode) -> Item {
        let body = UnitCreated {
            unit,
            beginning: Beginning::Harvest,
            product: "黄瓜".into(),
            product_class: ProductClass::Vegetable,
            specification: None,
            gtin: None,
            lot: None,
            quantity: Quantity::parse("100 公斤").unwrap(),
            produced_on: self.today().into(),
            durability: None,
            origin_area: Some(AreaCode(131_071)),
            origin_place: "开发区".into(),
            storage: None,
            foreign_codes: Vec::new(),
            acted_by: None,
        };
        self.sign(Who::Producer, body, Openings::default())
    }

    /// The producer certifies 50 公斤 of it, naming a contact.
    pub(crate) fn certificate(&mut self, unit: TraceCode) -> Item {
        let person = PersonId(self.draw());
        self.certificate_of(unit, person)
    }

    /// The same, naming this person.
    pub(crate) fn certificate_of(&mut self, unit: TraceCode, person: PersonId) -> Item {
        let section = Person {
            name: "张三".into(),
            phone: Some("13800000000".into()),
            identity_number: None,
        };
        let opening = Opening::new(self.draw(), &section);
        let form = Form::ElectronicTraceability;
        let (bases, pledges) = forms::choices(form, self.today());
        let elements = crate::record::certificate::Elements {
            number: format!("LF-{:08}", self.drawn),
            unit,
            product: "黄瓜".into(),
            quantity: Quantity::parse("50 公斤").unwrap(),
            origin_area: Some(AreaCode(131_071)),
            origin_place: "开发区".into(),
            issued_on: self.today().into(),
            expires_on: None,
            bases: bases[..1].to_vec(),
            pledges: pledges.to_vec(),
            persons: vec![PersonRef {
                person,
                commitment: opening.commitment(),
            }],
            acted_by: None,
            countersignatures: Vec::new(),
        };
        let openings = Openings {
            trade: None,
            persons: vec![opening],
        };
        let body = crate::record::kinds::electronic_traceability_certificate::ElectronicTraceabilityCertificate(elements);
        self.sign(Who::Producer, body, openings)
    }

    /// The cold store takes in, or gives out, a quantity.
    pub(crate) fn warehouse(&mut self, unit: TraceCode, enters: bool, quantity: &str) -> Item {
        let trade = WarehouseTrade {
            quantity: Quantity::parse(quantity).unwrap(),
            counterparty: None,
            counterparty_name: Some("某超市".into()),
            position: None,
            vehicle: Some("冀R00000".into()),
        };
        let opening = Opening::new(self.draw(), &trade);
        let entry = WarehouseEntry {
            unit,
            at_ms: self.now_ms,
            offset_minutes: 480,
            temperature_milli_c: Some(3_500),
            trade: opening.commitment(),
            acted_by: None,
        };
        let body: Body = match enters {
            true => WarehouseIn(entry).into(),
            false => WarehouseOut(entry).into(),
        };
        let openings = Openings {
            trade: Some(opening),
            persons: Vec::new(),
        };
        self.sign(Who::Store, body, openings)
    }

    /// The producer voids what it said of a unit.
    pub(crate) fn voided(&mut self, target: Hash, unit: TraceCode) -> Item {
        let body = Voided {
            target,
            unit,
            number: None,
            reason: "登记有误".into(),
            acted_by: None,
        };
        self.sign(Who::Producer, body, Openings::default())
    }

    /// The authority says that a person's data are destroyed.
    pub(crate) fn erased(&mut self, person: PersonId) -> Item {
        let body = PersonalDataErased {
            person,
            acted_by: None,
        };
        self.sign(Who::Authority, body, Openings::default())
    }

    /// Signs a body as somebody's next record, a second later.
    pub(crate) fn sign(&mut self, who: Who, body: impl Into<Body>, openings: Openings) -> Item {
        self.now_ms += 1_000;
        let now_ms = self.now_ms;
        let chain = self.chain(who);
        let record = chain.sign(&body.into(), now_ms);
        let record = Box::new(record.verify(&chain.key().key()).unwrap());
        Item::Signed { record, openings }
    }

    /// A person's id that no record names yet.
    pub(crate) fn person(&mut self) -> PersonId {
        PersonId(self.draw())
    }

    pub(crate) fn chain(&mut self, who: Who) -> &mut Chain {
        match who {
            Who::Authority => &mut self.authority,
            Who::Producer => &mut self.producer,
            Who::Store => &mut self.store,
        }
    }

    /// The entity that somebody is.
    pub(crate) fn entity(&self, who: Who) -> EntityId {
        let hash = Hash::of(&[b"entity", &self.seed.to_be_bytes(), &[who as u8]]);
        EntityId::from_bytes(*hash.as_bytes().first_chunk().unwrap())
    }

    fn by_root(&mut self, body: impl Fn(Vec<Countersignature>) -> Body) -> Item {
        self.now_ms += 1_000;
        let bare = body(Vec::new());
        let statement = self.roots[0].state(&bare, self.now_ms);
        let given = countersign(self.roots[1].key(), &statement, &bare);
        let record = self.roots[0].sign(&body(vec![given]), self.now_ms);
        let record = Box::new(record.verify(&self.roots[0].key().key()).unwrap());
        Item::Signed {
            record,
            openings: Openings::default(),
        }
    }

    fn registered(&self, who: Who, category: EntityCategory, persons: Vec<PersonRef>) -> Body {
        EntityRegistered {
            entity: self.entity(who),
            category,
            name: Some(format!("{who:?}")),
            area: AreaCode(131_071),
            place: None,
            uscc: None,
            licences: Vec::new(),
            persons,
            acted_by: None,
            countersignatures: Vec::new(),
        }
        .into()
    }

    fn enrolled(&mut self, who: Who) -> Body {
        let (origin, entity) = (self.origin.clone(), self.entity(who));
        let key = self.chain(who).key();
        let possession = key.sign(&enrolment_message(&origin, entity, &key.public()));
        let (r, s) = possession.as_bytes().split_at(32);
        KeyEnrolled {
            entity,
            algorithm: 1,
            public_key: Bytes32(*key.public().as_bytes()),
            possession_r: Bytes32(r.try_into().unwrap()),
            possession_s: Bytes32(s.try_into().unwrap()),
            hosted: false,
            device: None,
            acted_by: None,
            countersignatures: Vec::new(),
        }
        .into()
    }

    fn granted(&self, who: Who, role: Role, area: Area) -> Body {
        RoleGranted {
            entity: self.entity(who),
            role,
            area: area.into(),
            acted_by: None,
            countersignatures: Vec::new(),
        }
        .into()
    }

    fn today(&self) -> CivilDate {
        CivilDate::from_ms(self.now_ms, LEDGER_OFFSET_MINUTES).unwrap()
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        self.drawn += 1;
        let hash = Hash::of(&[b"draw", &self.seed.to_be_bytes(), &self.drawn.to_be_bytes()]);
        *hash.as_bytes().first_chunk().unwrap()
    }
}

fn key_of(seed: u64, name: &str) -> SigningKey {
    let seed = Hash::of(&[b"key", &seed.to_be_bytes(), name.as_bytes()]);
    SigningKey::from_seed(seed.into())
}

fn public(chain: &Chain) -> Bytes32 {
    Bytes32(*chain.key().public().as_bytes())
}
