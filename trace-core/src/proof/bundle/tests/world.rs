//! A small ledger made by hand: real signatures, a real tree, and nobody who
//! refuses a record, so that what must never be admitted can be.

use crate::error::Invalid;
use crate::ident::{CivilDate, EntityId, TraceCode};
use crate::proof::anchor::Anchor;
use crate::proof::bundle::{Bundle, BundleRecord};
use crate::proof::checkpoint::Checkpoint;
use crate::proof::completeness::Completeness;
use crate::proof::merkle::{Frontier, Nodes, leaf_hash, node_place, prove_inclusion};
use crate::proof::note::NoteSigner;
use crate::record::certificate::Elements;
use crate::record::chain::{Chain, countersign};
use crate::record::claim::Policy;
use crate::record::kinds::conformity_certificate_2026_producer::ConformityCertificate2026Producer;
use crate::record::kinds::entity_registered::{EntityCategory, EntityRegistered};
use crate::record::kinds::key_enrolled::{KeyEnrolled, enrolment_message};
use crate::record::kinds::key_revoked::{KeyRevoked, RevocationReason};
use crate::record::kinds::ledger_opened::LedgerOpened;
use crate::record::kinds::role_granted::RoleGranted;
use crate::record::kinds::role_withdrawn::RoleWithdrawn;
use crate::record::kinds::superseded::Superseded;
use crate::record::kinds::unit_created::{Beginning, ProductClass, UnitCreated};
use crate::record::kinds::voided::Voided;
use crate::record::rights::root_entity;
use crate::record::sign::{KeyId, SigningKey};
use crate::record::wire::{AreaCode, Bytes32, Countersignature};
use crate::record::{Body, Entry, Hash, Origin, Quantity, Role, Signed, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ORIGIN: &str = "langfang.example/trace";
pub(super) const NUMBER: &str = "LF-0001";
const AREA: u32 = 131_000;

pub(super) fn origin() -> Origin {
    Origin::parse(ORIGIN).unwrap()
}

pub(super) fn seed(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

pub(super) fn entity(place: u8) -> EntityId {
    EntityId::from_bytes([place; 10])
}

pub(super) fn unit(place: u8) -> TraceCode {
    TraceCode::from_bytes([place; 10])
}

pub(super) fn date(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

pub(super) const AUTHORITY: u8 = 0x41;
pub(super) const PRODUCER: u8 = 0x50;
pub(super) const OTHER: u8 = 0x60;
pub(super) const UNIT: u8 = 0x55;

/// The log, its tree, and the chains of those who sign.
pub(super) struct World {
    pub(super) ledger: NoteSigner,
    pub(super) roots: Vec<SigningKey>,
    pub(super) root: Chain,
    pub(super) authority: Chain,
    pub(super) producer: Chain,
    pub(super) entries: Vec<Vec<u8>>,
    rows: Vec<Vec<Hash>>,
    frontier: Frontier,
}

impl Nodes for World {
    type Error = Invalid;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Invalid> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.rows[usize::try_from(leaf).unwrap()][place])
    }
}

impl World {
    /// Leaf 0 alone.
    pub(super) fn new() -> Self {
        Self::opened_with(|_| {})
    }

    pub(super) fn opened_with(change: impl Fn(&mut LedgerOpened)) -> Self {
        let mut roots: Vec<SigningKey> = (1..=3).map(seed).collect();
        roots.sort_by_key(|key| *key.public().as_bytes());
        let mut world = Self {
            ledger: NoteSigner::new(ORIGIN, seed(9)).unwrap(),
            root: Chain::new(origin(), seed(1)),
            authority: Chain::new(origin(), seed(4)),
            producer: Chain::new(origin(), seed(5)),
            roots,
            entries: Vec::new(),
            rows: Vec::new(),
            frontier: Frontier::default(),
        };
        let mut body = world.opening();
        change(&mut body);
        world.append_root(body.into());
        world
    }

    pub(super) fn opening(&self) -> LedgerOpened {
        LedgerOpened {
            name: "廊坊".into(),
            area: AreaCode(AREA),
            root_keys: self
                .roots
                .iter()
                .map(|key| Bytes32(*key.public().as_bytes()))
                .collect(),
            ledger_key: Bytes32(*self.ledger.verifier_key().public().as_bytes()),
            policy: Policy {
                rule_set: 1,
                root_quorum: 2,
                civil_offset_minutes: 480,
                signed_ahead_max_ms: 60_000,
                issue_backdate_max_days: 3,
            },
            continues: None,
            countersignatures: Vec::new(),
        }
    }

    /// Authority and producer with their rights, the last at index 6.
    pub(super) fn governed() -> Self {
        let mut world = Self::new();
        world.append_root(registered(AUTHORITY));
        let enrolled = enrolled(AUTHORITY, world.authority.key(), false);
        world.append_root(enrolled);
        world.append_root(granted(AUTHORITY, Role::Authority));
        world.append_authority(registered(PRODUCER));
        let enrolled = self::enrolled(PRODUCER, world.producer.key(), true);
        world.append_authority(enrolled);
        world.append_authority(granted(PRODUCER, Role::Producer));
        world
    }

    /// That, the unit, another unit, and the unit's certificate at index 9.
    pub(super) fn certified() -> Self {
        let mut world = Self::governed();
        world.append_producer(created(UNIT));
        world.append_producer(created(UNIT + 1));
        world.append_producer(certified(UNIT, NUMBER));
        world
    }

    /// The same with the certificate voided, at index 10.
    pub(super) fn voided() -> Self {
        let mut world = Self::certified();
        let void = voided(UNIT, NUMBER, world.hash(9));
        world.append_producer(void);
        world
    }

    /// Appends a record signed by a root key and countersigned by another.
    pub(super) fn append_root(&mut self, body: Body) -> u64 {
        let statement = self.root.state(&body, 1);
        let agreed = countersign(&seed(2), &statement, &body);
        let signed = self.root.sign(&with(body, vec![agreed]), 1);
        self.append(&signed)
    }

    pub(super) fn append_authority(&mut self, body: Body) -> u64 {
        let signed = self.authority.sign(&body, 1);
        self.append(&signed)
    }

    pub(super) fn append_producer(&mut self, body: Body) -> u64 {
        let signed = self.producer.sign(&body, 1);
        self.append(&signed)
    }

    /// Another producer, by three records.
    pub(super) fn append_other(&mut self) -> Chain {
        self.append_authority(registered(OTHER));
        self.append_authority(enrolled(OTHER, &seed(6), false));
        self.append_authority(granted(OTHER, Role::Producer));
        Chain::new(origin(), seed(6))
    }

    /// Leaves the log empty.
    pub(super) fn reset(&mut self) {
        self.entries.clear();
        self.rows.clear();
        self.frontier = Frontier::default();
    }

    /// Appends whatever it is given, admitted a second after the last.
    pub(super) fn append(&mut self, signed: &Signed) -> u64 {
        let index = u64::try_from(self.entries.len()).unwrap();
        self.append_entry(signed.entry(1_770_000_000_000 + index * 1000))
    }

    pub(super) fn append_entry(&mut self, entry: Vec<u8>) -> u64 {
        let index = u64::try_from(self.entries.len()).unwrap();
        let row = self.frontier.push(leaf_hash(&entry)).unwrap();
        self.rows.push(row);
        self.entries.push(entry);
        index
    }

    pub(super) fn hash(&self, index: usize) -> Hash {
        Entry::decode(&self.entries[index]).unwrap().signed.hash()
    }

    pub(super) fn anchor(&self) -> Anchor {
        Anchor {
            ledger_key: self.ledger.verifier_key().clone(),
            leaf0: leaf_hash(&self.entries[0]),
        }
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: origin(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// What a bundle about the unit must speak of.
    pub(super) fn subjects(&self) -> BTreeSet<SubjectId> {
        BTreeSet::from([
            SubjectId::unit(unit(UNIT)),
            SubjectId::certificate(NUMBER),
            SubjectId::signer(root_entity()),
            SubjectId::key(self.root.id()),
            SubjectId::signer(entity(AUTHORITY)),
            SubjectId::key(self.authority.id()),
            SubjectId::signer(entity(PRODUCER)),
            SubjectId::key(self.producer.id()),
        ])
    }

    /// The same where the other producer signed something, and where the unit
    /// has another certificate.
    pub(super) fn subjects_with_other(&self, number: &str) -> BTreeSet<SubjectId> {
        let mut subjects = self.subjects();
        subjects.insert(SubjectId::signer(entity(OTHER)));
        subjects.insert(SubjectId::key(seed(6).public().id()));
        subjects.insert(SubjectId::certificate(number));
        subjects
    }

    /// The true statement about these subjects.
    pub(super) fn completeness(&self, subjects: &BTreeSet<SubjectId>) -> Completeness {
        let mut lists: BTreeMap<SubjectId, BTreeSet<u64>> =
            subjects.iter().map(|own| (*own, BTreeSet::new())).collect();
        for (index, entry) in (0u64..).zip(&self.entries) {
            let Ok(entry) = Entry::decode(entry) else {
                continue;
            };
            for subject in &entry.signed.statement().subjects {
                if let Some(list) = lists.get_mut(subject) {
                    list.insert(index);
                }
            }
        }
        Completeness {
            checkpoint: self.checkpoint(),
            subjects: lists,
        }
    }

    /// The bundle of a statement: leaf 0 and every record that it lists.
    pub(super) fn bundle_of(&self, completeness: &Completeness) -> Bundle {
        let mut indexes: BTreeSet<u64> =
            completeness.subjects.values().flatten().copied().collect();
        indexes.insert(0);
        self.bundle_with(completeness, indexes)
    }

    /// A bundle of whatever records.
    pub(super) fn bundle_with(
        &self,
        completeness: &Completeness,
        indexes: impl IntoIterator<Item = u64>,
    ) -> Bundle {
        let checkpoint = self.checkpoint().sign(&self.ledger).unwrap();
        let records = indexes.into_iter().map(|index| self.record(index));
        Bundle::new(
            unit(UNIT),
            checkpoint.note().to_owned(),
            completeness.sign(&self.ledger).unwrap(),
            records.collect(),
            None,
        )
        .unwrap()
    }

    pub(super) fn record(&self, index: u64) -> BundleRecord {
        BundleRecord {
            index,
            entry: self.entries[usize::try_from(index).unwrap()].clone(),
            path: prove_inclusion(self, index, self.frontier.size()).unwrap(),
        }
    }

    pub(super) fn bundle(&self) -> Bundle {
        self.bundle_of(&self.completeness(&self.subjects()))
    }
}

/// The body with these countersignatures.
pub(super) fn with(mut body: Body, agreed: Vec<Countersignature>) -> Body {
    match &mut body {
        Body::LedgerOpened(own) => own.countersignatures = agreed,
        Body::EntityRegistered(own) => own.countersignatures = agreed,
        Body::KeyEnrolled(own) => own.countersignatures = agreed,
        Body::KeyRevoked(own) => own.countersignatures = agreed,
        Body::RoleGranted(own) => own.countersignatures = agreed,
        Body::RoleWithdrawn(own) => own.countersignatures = agreed,
        other => panic!("{} takes no countersignature", other.kind().name),
    }
    body
}

pub(super) fn registered(who: u8) -> Body {
    EntityRegistered {
        entity: entity(who),
        category: EntityCategory::Enterprise,
        name: Some(format!("主体{who}")),
        area: AreaCode(AREA + 82),
        place: None,
        uscc: None,
        licences: Vec::new(),
        persons: Vec::new(),
        acted_by: None,
        countersignatures: Vec::new(),
    }
    .into()
}

pub(super) fn enrolled(who: u8, key: &SigningKey, hosted: bool) -> Body {
    let public = key.public();
    let possession = key.sign(&enrolment_message(&origin(), entity(who), &public));
    let half = |at: usize| Bytes32(possession.as_bytes()[at..at + 32].try_into().unwrap());
    KeyEnrolled {
        entity: entity(who),
        algorithm: 1,
        public_key: Bytes32(*public.as_bytes()),
        possession_r: half(0),
        possession_s: half(32),
        hosted,
        device: None,
        acted_by: None,
        countersignatures: Vec::new(),
    }
    .into()
}

pub(super) fn revoked(who: u8, key: KeyId, compromised_from_index: Option<u64>) -> Body {
    KeyRevoked {
        entity: entity(who),
        key,
        reason: RevocationReason::Compromised,
        compromised_from_index,
        acted_by: None,
        countersignatures: Vec::new(),
    }
    .into()
}

pub(super) fn granted(who: u8, role: Role) -> Body {
    RoleGranted {
        entity: entity(who),
        role,
        area: AreaCode(AREA),
        acted_by: None,
        countersignatures: Vec::new(),
    }
    .into()
}

pub(super) fn withdrawn(who: u8, role: Role) -> Body {
    RoleWithdrawn {
        entity: entity(who),
        role,
        area: AreaCode(AREA),
        acted_by: None,
        countersignatures: Vec::new(),
    }
    .into()
}

pub(super) fn created(place: u8) -> Body {
    UnitCreated {
        unit: unit(place),
        beginning: Beginning::Harvest,
        product: "韭菜".into(),
        product_class: ProductClass::Vegetable,
        specification: None,
        gtin: None,
        lot: None,
        quantity: Quantity::parse("100 kg").unwrap(),
        produced_on: date("2026-02-01").into(),
        durability: None,
        origin_area: None,
        origin_place: "河北廊坊".into(),
        storage: None,
        foreign_codes: Vec::new(),
        acted_by: None,
    }
    .into()
}

pub(super) fn certified(place: u8, number: &str) -> Body {
    ConformityCertificate2026Producer(Elements {
        number: number.into(),
        unit: unit(place),
        product: "韭菜".into(),
        quantity: Quantity::parse("100 kg").unwrap(),
        origin_area: None,
        origin_place: "河北廊坊".into(),
        issued_on: date("2026-02-02").into(),
        expires_on: Some(date("2026-02-10").into()),
        bases: Vec::new(),
        pledges: Vec::new(),
        persons: Vec::new(),
        acted_by: None,
        countersignatures: Vec::new(),
    })
    .into()
}

pub(super) fn voided(place: u8, number: &str, target: Hash) -> Body {
    Voided {
        target,
        unit: unit(place),
        number: Some(number.into()),
        reason: "重量有误".into(),
        acted_by: None,
    }
    .into()
}

pub(super) fn superseded(from: (u8, &str), target: Hash, to: (u8, &str)) -> Body {
    Superseded {
        target,
        unit: unit(from.0),
        number: from.1.into(),
        replacement_unit: unit(to.0),
        replacement_number: to.1.into(),
        reason: "品名有误".into(),
        acted_by: None,
    }
    .into()
}
