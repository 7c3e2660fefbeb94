//! The model: lists and numbers, and what an admitted act changes in them.

use super::acts::{Act, Amount};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use trace_core::ident::{Area, TraceCode};
use trace_core::record::sign::KeyId;
use trace_core::record::{Hash, Role, Status};
use trace_fixtures::Who;

/// Everything that the ledger should hold true.
#[derive(Clone, Default)]
pub struct Model {
    /// How many records there are.
    pub size: u64,
    pub now_ms: u64,
    pub keys: HashMap<KeyId, Key>,
    /// Who holds which role, for which area.
    pub roles: BTreeSet<(Actor, Role, Area)>,
    /// Where everybody is.
    pub areas: HashMap<Who, Area>,
    pub units: HashMap<TraceCode, Unit>,
    /// Numbers in use or reserved, and for which unit.
    pub numbers: HashMap<String, TraceCode>,
}

/// Somebody, in an order.
pub type Actor = usize;

pub fn actor(who: Who) -> Actor {
    Who::ALL.iter().position(|other| *other == who).unwrap()
}

#[derive(Clone)]
pub struct Key {
    pub owner: Who,
    pub enrolled: u64,
    pub is_revoked: bool,
    pub compromised_from: Option<u64>,
    /// Sequence and link of its next record.
    pub next: (u64, Hash),
}

#[derive(Clone, Default)]
pub struct Unit {
    pub made: Option<Made>,
    pub certificates: Vec<Certificate>,
    pub reserved: Vec<String>,
    pub reserver: Option<Who>,
    /// The unit of the certificate that was replaced onto this one first.
    pub described: Option<TraceCode>,
    /// How much of it other units describe anew.
    pub moved: u64,
    /// The record that voided it, and by which key.
    pub voided: Option<(KeyId, u64)>,
    /// In base units, by store.
    pub stock: BTreeMap<Actor, u64>,
}

#[derive(Clone)]
pub struct Made {
    pub index: u64,
    pub hash: Hash,
    pub by: Who,
    pub key: KeyId,
    pub amount: Amount,
    pub produced: i32,
    pub last: Option<i32>,
}

#[derive(Clone)]
pub struct Certificate {
    pub number: String,
    pub index: u64,
    pub hash: Hash,
    pub by: Who,
    pub key: KeyId,
    pub base: u64,
    pub expires: Option<i32>,
    pub fate: Fate,
    /// The record that voided or replaced it, and by which key.
    pub fate_said: Option<(KeyId, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Stands,
    Voided,
    Replaced,
}

impl Unit {
    /// Certified by what stands, in base units.
    pub fn certified(&self) -> u64 {
        let standing = self.certificates.iter();
        let standing = standing.filter(|held| held.fate == Fate::Stands);
        standing.map(|held| held.base).sum()
    }

    pub fn certificate(&self, number: &str) -> Option<&Certificate> {
        self.certificates.iter().find(|held| held.number == number)
    }

    pub fn stored(&self) -> u64 {
        self.stock.values().sum()
    }

    pub fn is_voided(&self) -> bool {
        self.voided.is_some()
    }

    fn mark(&mut self, number: &str, fate: Fate, said: (KeyId, u64)) {
        for held in &mut self.certificates {
            if held.number == number {
                (held.fate, held.fate_said) = (fate, Some(said));
            }
        }
    }
}

impl Model {
    pub fn today(&self) -> i32 {
        day(self.now_ms)
    }

    pub fn holds(&self, who: Who, role: Role) -> bool {
        let own = actor(who);
        self.roles
            .iter()
            .any(|(actor, held, _)| *actor == own && *held == role)
    }

    /// The record of an act stands behind all others; its index.
    pub fn admit(&mut self, act: &Act, key: KeyId, hash: Hash) -> u64 {
        let index = self.size;
        self.size += 1;
        let signer = self.keys.get_mut(&key).unwrap();
        signer.next = (signer.next.0 + 1, hash);
        let by = signer.owner;
        match act {
            Act::Create {
                unit,
                amount,
                produced,
                last,
            } => {
                let described = self.units.get(unit).and_then(|unit| unit.described);
                if let Some(before) = described {
                    self.units.entry(before).or_default().moved += amount.base;
                }
                self.units.entry(*unit).or_default().made = Some(Made {
                    index,
                    hash,
                    by,
                    key,
                    amount: *amount,
                    produced: *produced,
                    last: *last,
                });
            }
            Act::Certify {
                unit,
                number,
                amount,
                expires,
                ..
            } => {
                self.numbers.insert(number.clone(), *unit);
                let unit = self.units.entry(*unit).or_default();
                unit.reserved.retain(|reserved| reserved != number);
                unit.certificates.push(Certificate {
                    number: number.clone(),
                    index,
                    hash,
                    by,
                    key,
                    base: amount.base,
                    expires: *expires,
                    fate: Fate::Stands,
                    fate_said: None,
                });
            }
            Act::Void { unit, number, .. } => {
                let unit = self.units.entry(*unit).or_default();
                match number {
                    None => unit.voided = Some((key, index)),
                    Some(number) => unit.mark(number, Fate::Voided, (key, index)),
                }
            }
            Act::Supersede {
                unit,
                number,
                new_unit,
                new_number,
                ..
            } => {
                self.numbers.insert(new_number.clone(), *new_unit);
                self.units
                    .entry(*unit)
                    .or_default()
                    .mark(number, Fate::Replaced, (key, index));
                let is_other = unit != new_unit;
                let new_unit = self.units.entry(*new_unit).or_default();
                if is_other {
                    new_unit.described = new_unit.described.or(Some(*unit));
                }
                new_unit.reserved.push(new_number.clone());
                new_unit.reserver = Some(by);
            }
            Act::Store {
                unit,
                amount,
                enters,
                ..
            } => {
                let stock = &mut self.units.entry(*unit).or_default().stock;
                let held = stock.entry(actor(by)).or_default();
                match enters {
                    true => *held += amount.base,
                    false => *held -= amount.base,
                }
            }
            Act::Enrol { owner, key, .. } => {
                let enrolled = Key {
                    owner: *owner,
                    enrolled: index,
                    is_revoked: false,
                    compromised_from: None,
                    next: (0, Hash::ZERO),
                };
                self.keys.insert(*key, enrolled);
            }
            Act::Revoke { key, from, .. } => {
                let key = self.keys.get_mut(key).unwrap();
                (key.is_revoked, key.compromised_from) = (true, *from);
            }
            Act::Grant { owner, role, area } => {
                self.roles.insert((actor(*owner), *role, *area));
            }
            Act::Withdraw { owner, role, area } => {
                self.roles.remove(&(actor(*owner), *role, *area));
            }
        }
        index
    }

    /// What a look-up should say of a unit today; none where it was never made.
    pub fn status(&self, code: &TraceCode) -> Option<Status> {
        let unit = self.units.get(code)?;
        let made = unit.made.as_ref()?;
        let signed = unit.certificates.iter().map(|held| (held.key, held.index));
        let fates = unit.certificates.iter().filter_map(|held| held.fate_said);
        let mut signed = signed
            .chain([(made.key, made.index)])
            .chain(fates)
            .chain(unit.voided);
        let is_disputed = signed.any(|(key, index)| {
            let from = self.keys.get(&key).and_then(|key| key.compromised_from);
            from.is_some_and(|from| from <= index)
        });
        let mut standing = unit.certificates.iter().rev();
        let standing = standing.find(|held| held.fate == Fate::Stands);
        let judged = standing.or(unit.certificates.last());
        let fate = judged.map(|held| held.fate);
        let is_over = |last: Option<i32>| last.is_some_and(|last| last < self.today());
        Some(if unit.is_voided() || fate == Some(Fate::Voided) {
            Status::Voided
        } else if is_disputed {
            Status::Disputed
        } else if fate == Some(Fate::Replaced) {
            Status::Superseded
        } else if is_over(made.last) {
            Status::PastDate
        } else if standing.is_some_and(|held| is_over(held.expires)) {
            Status::CertificateExpired
        } else {
            Status::Valid
        })
    }
}

/// The civil day, eight hours east of UTC.
pub fn day(at_ms: u64) -> i32 {
    i32::try_from((at_ms + 8 * 3_600_000) / 86_400_000).unwrap()
}
