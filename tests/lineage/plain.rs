//! The model: who has how much of what, what was made of what, and what is
//! barred; and what an admitted act changes in them.

use super::acts::{Act, What};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use trace_core::ident::TraceCode;
use trace_core::record::Hash;
use trace_core::record::movement::Manner;
use trace_core::record::quantity::BaseUnit;
use trace_fixtures::Who;

/// Of leeks a hundredth may be missing, half of that gained; of all else nothing.
pub const SHRINKAGE: u64 = 10;
pub const GAIN: u64 = 5;

/// Somebody, in an order.
pub type Actor = usize;

pub fn actor(who: Who) -> Actor {
    Who::ALL.iter().position(|other| *other == who).unwrap()
}

#[derive(Default)]
pub struct Model {
    pub size: u64,
    pub now_ms: u64,
    pub units: HashMap<TraceCode, Unit>,
    pub transfers: HashMap<Hash, Transfer>,
    pub marks: Vec<Mark>,
    pub numbers: HashMap<String, TraceCode>,
    pub questions: u64,
}

#[derive(Clone)]
pub struct Unit {
    pub by: Who,
    pub amount: u64,
    pub measure: BaseUnit,
    /// Leeks, or what was made of them.
    pub is_raw: bool,
    pub is_named_so: bool,
    pub produced: i32,
    pub last: Option<i32>,
    pub lots: BTreeMap<Actor, Lot>,
    pub parents: Vec<TraceCode>,
    /// The act that made it out of others: when.
    pub made_at_ms: u64,
    pub gained: u64,
    pub lost: u64,
    pub unexplained: u64,
    pub outside: u64,
    pub used: u64,
    pub disposed: HashMap<Manner, u64>,
    pub stored: u64,
    pub certificates: BTreeMap<String, Certificate>,
}

#[derive(Clone, Copy)]
pub struct Lot {
    pub amount: u64,
    pub since_ms: u64,
}

#[derive(Clone, Default)]
pub struct Certificate {
    pub amount: u64,
    pub cover: BTreeMap<Actor, u64>,
    pub admitted: u64,
}

#[derive(Clone)]
pub struct Transfer {
    pub unit: TraceCode,
    pub from: Who,
    pub to: Who,
    pub amount: u64,
    pub at_ms: u64,
    pub number: Option<String>,
    pub is_done: bool,
}

pub struct Mark {
    pub hash: Hash,
    pub index: u64,
    pub unit: TraceCode,
    pub is_recall: bool,
    pub by: Who,
    pub is_lifted: bool,
    pub is_completed: bool,
    /// All that it reached when it was made.
    pub reached: BTreeSet<TraceCode>,
}

impl Unit {
    pub fn held(&self) -> u64 {
        self.lots.values().map(|lot| lot.amount).sum()
    }

    pub fn lot(&self, who: Who) -> Option<Lot> {
        self.lots
            .get(&actor(who))
            .copied()
            .filter(|lot| lot.amount > 0)
    }

    pub fn certified(&self) -> u64 {
        self.certificates.values().map(|held| held.amount).sum()
    }

    fn take(&mut self, who: Who, amount: u64) {
        self.lots.get_mut(&actor(who)).unwrap().amount -= amount;
    }

    fn bring(&mut self, who: Who, amount: u64, at_ms: u64) {
        let lot = self.lots.entry(actor(who)).or_insert(Lot {
            amount: 0,
            since_ms: 0,
        });
        lot.since_ms = match lot.amount {
            0 => at_ms,
            _ => lot.since_ms.min(at_ms),
        };
        lot.amount += amount;
    }
}

impl Model {
    pub fn today(&self) -> i32 {
        day(self.now_ms)
    }

    pub fn in_transit(&self, unit: &TraceCode) -> u64 {
        let open = self.transfers.values();
        let open = open.filter(|transfer| transfer.unit == *unit && !transfer.is_done);
        open.map(|transfer| transfer.amount).sum()
    }

    /// What bars a unit: the first hold and the first recall in force.
    pub fn barred(&self, unit: &TraceCode) -> (Option<u64>, Option<u64>) {
        let first = |is_recall| {
            let marks = self.marks.iter();
            let marks = marks.filter(|mark| mark.is_recall == is_recall && !mark.is_lifted);
            marks
                .filter(|mark| mark.reached.contains(unit))
                .map(|mark| mark.index)
                .min()
        };
        (first(false), first(true))
    }

    /// All that was made of a unit until then: what has a part of it, again and
    /// again until nothing new is found.
    pub fn made_of(&self, unit: TraceCode, until_ms: Option<u64>) -> BTreeSet<TraceCode> {
        let mut reached = BTreeSet::from([unit]);
        loop {
            let before = reached.len();
            for (code, other) in &self.units {
                let is_within = until_ms.is_none_or(|until_ms| other.made_at_ms <= until_ms);
                if is_within && other.parents.iter().any(|parent| reached.contains(parent)) {
                    reached.insert(*code);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// The record of an act stands behind all others; its index.
    pub fn admit(&mut self, act: &Act, hash: Hash) -> u64 {
        let index = self.size;
        self.size += 1;
        let (by, at_ms, today) = (act.by, act.at_ms, self.today());
        match &act.what {
            What::Create { unit, amount } => {
                let made = Unit {
                    by,
                    amount: amount.base,
                    measure: amount.measure,
                    is_raw: true,
                    is_named_so: true,
                    produced: today,
                    last: Some(today + 3),
                    ..Unit::nothing(by)
                };
                self.units.insert(*unit, made.begun());
            }
            What::Certify {
                unit,
                number,
                amount,
            } => {
                self.numbers.insert(number.clone(), *unit);
                let certificate = Certificate {
                    amount: amount.base,
                    cover: BTreeMap::from([(actor(by), amount.base)]),
                    admitted: 0,
                };
                let unit = self.units.get_mut(unit).unwrap();
                unit.certificates.insert(number.clone(), certificate);
            }
            What::Transform {
                keeps,
                inputs,
                outputs,
                measure,
                is_renamed,
                is_undated,
                ..
            } => {
                let used: Vec<Unit> = inputs
                    .iter()
                    .map(|(unit, _)| self.units[unit].clone())
                    .collect();
                let produced = used.iter().map(|unit| unit.produced);
                let last = used.iter().filter_map(|unit| unit.last).min();
                let made = Unit {
                    measure: *measure,
                    is_raw: *keeps && used[0].is_raw,
                    is_named_so: !*is_renamed && used[0].is_named_so,
                    produced: if *keeps {
                        produced.min()
                    } else {
                        produced.max()
                    }
                    .unwrap(),
                    last: last.filter(|_| *keeps && !*is_undated),
                    parents: inputs.iter().map(|(unit, _)| *unit).collect(),
                    made_at_ms: at_ms,
                    ..Unit::nothing(by)
                };
                for (unit, amount) in outputs {
                    let made = Unit {
                        amount: *amount,
                        ..made.clone()
                    };
                    self.units.insert(*unit, made.begun());
                }
                for (unit, amount) in inputs {
                    let unit = self.units.get_mut(unit).unwrap();
                    unit.take(by, amount.base);
                    unit.used += amount.base;
                }
            }
            What::Give {
                unit,
                to,
                amount,
                number,
            } => {
                let code = *unit;
                let unit = self.units.get_mut(&code).unwrap();
                unit.take(by, amount.base);
                if let Some(number) = number {
                    let certificate = unit.certificates.get_mut(number).unwrap();
                    *certificate.cover.get_mut(&actor(by)).unwrap() -= amount.base;
                }
                match to {
                    None => unit.outside += amount.base,
                    Some(to) => {
                        let transfer = Transfer {
                            unit: code,
                            from: by,
                            to: *to,
                            amount: amount.base,
                            at_ms,
                            number: number.clone(),
                            is_done: false,
                        };
                        self.transfers.insert(hash, transfer);
                    }
                }
            }
            What::Receive {
                target,
                accepted,
                missing,
                refused,
                excess,
                ..
            } => {
                let transfer = self.transfers.get_mut(target).unwrap();
                transfer.is_done = true;
                let transfer = transfer.clone();
                let unit = self.units.get_mut(&transfer.unit).unwrap();
                let covered = |rate: u64| {
                    if unit.is_raw {
                        transfer.amount * rate / 1_000
                    } else {
                        0
                    }
                };
                let (lost, gained) = (
                    (*missing).min(covered(SHRINKAGE)),
                    (*excess).min(covered(GAIN)),
                );
                self.questions += u64::from(lost < *missing || gained < *excess);
                unit.lost += lost;
                unit.unexplained += missing - lost;
                unit.gained += gained;
                if accepted + gained > 0 {
                    unit.bring(by, accepted + gained, at_ms);
                }
                unit.lots.get_mut(&actor(transfer.from)).unwrap().amount += refused;
                if let Some(number) = &transfer.number {
                    let cover = &mut unit.certificates.get_mut(number).unwrap().cover;
                    *cover.entry(actor(by)).or_default() += accepted;
                    *cover.entry(actor(transfer.from)).or_default() += refused;
                }
            }
            What::CheckIn {
                unit,
                number,
                amount,
                is_admitted,
            } => {
                if let (true, Some(number)) = (is_admitted, number) {
                    let unit = self.units.get_mut(unit).unwrap();
                    unit.certificates.get_mut(number).unwrap().admitted += amount.base;
                }
            }
            What::Dispose {
                unit,
                manner,
                amount,
            } => {
                let unit = self.units.get_mut(unit).unwrap();
                unit.take(by, amount.base);
                if *manner == Manner::Lost {
                    let all = if unit.is_raw {
                        unit.amount * SHRINKAGE / 1_000
                    } else {
                        0
                    };
                    let lost = amount.base.min(all.saturating_sub(unit.lost));
                    unit.lost += lost;
                    unit.unexplained += amount.base - lost;
                    self.questions += u64::from(lost < amount.base);
                } else {
                    *unit.disposed.entry(*manner).or_default() += amount.base;
                }
            }
            What::Store {
                unit,
                amount,
                enters,
            } => {
                let stored = &mut self.units.get_mut(unit).unwrap().stored;
                match enters {
                    true => *stored += amount.base,
                    false => *stored -= amount.base,
                }
            }
            What::Hold { unit } => self.mark(*unit, by, hash, index, false, None),
            What::Recall { unit, until_ms } => self.mark(*unit, by, hash, index, true, *until_ms),
            What::Release { target, .. } => self.marked(target).unwrap().is_lifted = true,
            What::Close {
                target,
                is_withdrawn,
                ..
            } => {
                let mark = self.marked(target).unwrap();
                match is_withdrawn {
                    true => mark.is_lifted = true,
                    false => mark.is_completed = true,
                }
            }
        }
        index
    }

    fn mark(
        &mut self,
        unit: TraceCode,
        by: Who,
        hash: Hash,
        index: u64,
        is_recall: bool,
        until_ms: Option<u64>,
    ) {
        let reached = self.made_of(unit, until_ms);
        self.marks.push(Mark {
            hash,
            index,
            unit,
            is_recall,
            by,
            is_lifted: false,
            is_completed: false,
            reached,
        });
    }

    fn marked(&mut self, target: &Hash) -> Option<&mut Mark> {
        self.marks.iter_mut().find(|mark| mark.hash == *target)
    }
}

impl Unit {
    fn nothing(by: Who) -> Self {
        Self {
            by,
            amount: 0,
            measure: BaseUnit::Gram,
            is_raw: true,
            is_named_so: true,
            produced: 0,
            last: None,
            lots: BTreeMap::new(),
            parents: Vec::new(),
            made_at_ms: 0,
            gained: 0,
            lost: 0,
            unexplained: 0,
            outside: 0,
            used: 0,
            disposed: HashMap::new(),
            stored: 0,
            certificates: BTreeMap::new(),
        }
    }

    /// All of it with its maker.
    fn begun(mut self) -> Self {
        let lot = Lot {
            amount: self.amount,
            since_ms: 0,
        };
        self.lots.insert(actor(self.by), lot);
        self
    }
}

/// The civil day, eight hours east of UTC.
pub fn day(at_ms: u64) -> i32 {
    i32::try_from((at_ms + 8 * 3_600_000) / 86_400_000).unwrap()
}
