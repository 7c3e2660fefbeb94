//! Which act comes next: mostly what an honest day brings, and with known odds
//! each of the ways to get it wrong.

use super::acts::{Act, Amount, What};
use super::plain::{Model, Unit};
use trace_core::ident::TraceCode;
use trace_core::record::Hash;
use trace_core::record::movement::Manner;
use trace_core::record::quantity::BaseUnit;
use trace_fixtures::Who;
use trace_fixtures::draw::Draw;

/// Who makes, moves and sells.
pub const TRADERS: [Who; 6] = [
    Who::Producer,
    Who::Cooperative,
    Who::Household,
    Who::Buyer,
    Who::Importer,
    Who::ColdStore,
];

const MAKERS: [Who; 5] = [
    Who::Producer,
    Who::Cooperative,
    Who::Household,
    Who::Buyer,
    Who::Importer,
];

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Draws acts.
pub struct Chance {
    pub draw: Draw,
    codes: Vec<TraceCode>,
    sent: Vec<(Hash, TraceCode)>,
    least: usize,
}

impl Chance {
    /// Of a seed and a label; until there are `least` units, only such are made.
    pub fn new(seed: u64, label: &str, least: usize) -> Self {
        Self {
            draw: Draw::new(seed, label),
            codes: Vec::new(),
            sent: Vec::new(),
            least,
        }
    }

    /// What was admitted is spoken of later.
    pub fn admitted(&mut self, act: &Act, hash: Hash) {
        match &act.what {
            What::Create { unit, .. } => self.codes.push(*unit),
            What::Transform { outputs, .. } => {
                self.codes.extend(outputs.iter().map(|(unit, _)| *unit));
            }
            What::Give {
                unit, to: Some(_), ..
            } => self.sent.push((hash, *unit)),
            _ => {}
        }
    }

    pub fn act(&mut self, model: &Model) -> Act {
        if self.codes.len() < self.least {
            return self.create(model);
        }
        match self.draw.below(100) {
            0..=8 => self.create(model),
            9..=16 => self.certify(model),
            17..=33 => self.transform(model),
            34..=53 => self.give(model),
            54..=71 => self.receive(model),
            72..=77 => self.check_in(model),
            78..=83 => self.dispose(model),
            84..=89 => self.store(model),
            90..=94 => self.bar(model),
            _ => self.unbar(model),
        }
    }

    fn say(&mut self, model: &Model, by: Who, what: What) -> Act {
        let at_ms = match self.draw.below(100) {
            0..=1 => model.now_ms + 5 * MINUTE_MS + 1 + self.draw.below(HOUR_MS),
            2..=3 => model.now_ms - 24 * HOUR_MS * self.draw.between(4, 9),
            4..=9 => model.now_ms - self.draw.below(2 * HOUR_MS),
            _ => model.now_ms,
        };
        Act { by, at_ms, what }
    }

    fn create(&mut self, model: &Model) -> Act {
        let by = *self.draw.pick(&MAKERS);
        let is_used = self.draw.chance(8, 100) && !self.codes.is_empty();
        let unit = match is_used {
            true => self.code(),
            false => self.draw.trace_code(),
        };
        let measure = match self.draw.chance(1, 8) {
            true => BaseUnit::Piece,
            false => BaseUnit::Gram,
        };
        let amount = Amount {
            base: self.draw.between(1_000, 2_000_000),
            measure,
        };
        self.say(model, by, What::Create { unit, amount })
    }

    fn certify(&mut self, model: &Model) -> Act {
        let (unit, state) = self.unit(model, |unit| {
            unit.certified() < unit.amount && unit.by != Who::ColdStore && unit.by != Who::Importer
        });
        let by = self.mostly(state.as_ref().map(|unit| unit.by), &MAKERS[..4]);
        let left = state
            .as_ref()
            .map_or(1_000, |unit| unit.amount.saturating_sub(unit.certified()));
        let amount = self.amount(left, state.as_ref());
        let number = format!("131023-{}", self.draw.crockford(10));
        self.say(
            model,
            by,
            What::Certify {
                unit,
                number,
                amount,
            },
        )
    }

    fn transform(&mut self, model: &Model) -> Act {
        let by = *self.draw.pick(&TRADERS);
        let count = *self.draw.pick(&[1usize, 1, 1, 2, 2, 3]);
        let mut inputs: Vec<(TraceCode, Amount)> = Vec::new();
        let mut first: Option<Unit> = None;
        let keeps = self.draw.chance(2, 3);
        for _ in 0..count {
            let like = first.clone();
            let (unit, state) = self.unit(model, |unit| {
                let is_like = like.as_ref().is_none_or(|like| {
                    like.measure == unit.measure
                        && (!keeps
                            || like.is_raw == unit.is_raw && like.is_named_so == unit.is_named_so)
                });
                unit.lot(by).is_some() && is_like
            });
            if inputs.iter().any(|(known, _)| *known == unit) {
                continue;
            }
            let held = state
                .as_ref()
                .and_then(|unit| unit.lot(by))
                .map_or(100, |lot| lot.amount);
            inputs.push((unit, self.amount(held, state.as_ref())));
            first = first.or(state);
        }
        inputs.sort_unstable_by_key(|(unit, _)| *unit);
        let given: u64 = inputs.iter().map(|(_, amount)| amount.base).sum();
        let loss = if self.draw.chance(1, 3) {
            given / 50
        } else {
            0
        };
        let given = match self.draw.below(100) {
            0..=4 => given + 1,
            5..=9 => given.saturating_sub(1).max(2),
            _ => given,
        };
        let rest = given.saturating_sub(loss).max(1);
        let parts = self.draw.between(1, 4).min(rest);
        let mut outputs = Vec::new();
        for part in 0..parts {
            let unit = match self.draw.chance(3, 100) {
                true => self.code(),
                false => self.draw.trace_code(),
            };
            let is_named = inputs.iter().any(|(known, _)| *known == unit)
                || outputs.iter().any(|(known, _)| *known == unit);
            let unit = if is_named {
                self.draw.trace_code()
            } else {
                unit
            };
            let share = if part + 1 == parts {
                rest - (rest / parts) * part
            } else {
                rest / parts
            };
            outputs.push((unit, share));
        }
        let measure = first.map_or(BaseUnit::Gram, |unit| unit.measure);
        let what = What::Transform {
            keeps,
            inputs,
            outputs,
            measure,
            loss,
            is_renamed: self.draw.chance(if keeps { 18 } else { 50 }, 100),
            is_undated: self.draw.chance(26, 100),
        };
        self.say(model, by, what)
    }

    fn give(&mut self, model: &Model) -> Act {
        let by = *self.draw.pick(&TRADERS);
        let (unit, state) = self.unit(model, |unit| unit.lot(by).is_some());
        let barred = model.barred(&unit);
        let to = match self.draw.below(100) {
            0..=9 => None,
            10..=12 => Some(by),
            _ if barred.1.is_some() && self.draw.chance(1, 2) => state.as_ref().map(|unit| unit.by),
            _ => Some(*self.draw.pick(&TRADERS)),
        };
        let held = state
            .as_ref()
            .and_then(|unit| unit.lot(by))
            .map_or(100, |lot| lot.amount);
        let mut amount = self.amount(held, state.as_ref());
        let number = self.number(state.as_ref(), 2, 3);
        let certificate = number.as_ref().zip(state.as_ref());
        let cover = certificate
            .and_then(|(number, unit)| unit.certificates.get(number))
            .and_then(|held| held.cover.get(&super::plain::actor(by)).copied());
        if let Some(cover) = cover.filter(|cover| *cover > 0)
            && self.draw.chance(3, 4)
        {
            amount.base = amount.base.min(cover);
        }
        self.say(
            model,
            by,
            What::Give {
                unit,
                to,
                amount,
                number,
            },
        )
    }

    fn receive(&mut self, model: &Model) -> Act {
        let mut found = None;
        for _ in 0..12 {
            let recent = &self.sent[self.sent.len().saturating_sub(30)..];
            if recent.is_empty() {
                return self.give(model);
            }
            let (hash, _) = *self.draw.pick(recent);
            let is_open = !model.transfers[&hash].is_done;
            found = Some(hash);
            if is_open || self.draw.chance(3, 100) {
                break;
            }
        }
        let target = found.unwrap();
        let transfer = model.transfers[&target].clone();
        let by = self.mostly(Some(transfer.to), &TRADERS);
        let (mut unit, all) = (transfer.unit, transfer.amount);
        let mut measure = model.units[&unit].measure;
        let (mut accepted, mut missing, mut refused, mut excess) = (all, 0, 0, 0);
        match self.draw.below(100) {
            0..=9 => missing = self.draw.between(0, all / 50 + 1).min(all),
            10..=17 => refused = self.draw.between(1, all),
            18..=21 => refused = all,
            22..=27 => excess = self.draw.between(1, all / 100 + 1),
            28..=29 => (missing, refused) = (all / 3, all / 3),
            _ => {}
        }
        accepted -= missing + refused;
        match self.draw.below(100) {
            0..=2 => accepted += 1,
            3..=5 => accepted = accepted.saturating_sub(1),
            6..=7 => unit = self.code(),
            8..=10 => measure = BaseUnit::Millilitre,
            _ => {}
        }
        let what = What::Receive {
            unit,
            target,
            accepted,
            missing,
            refused,
            excess,
            measure,
        };
        self.say(model, by, what)
    }

    fn check_in(&mut self, model: &Model) -> Act {
        let (unit, state) = self.unit(model, |unit| !unit.certificates.is_empty());
        let number = self.number(state.as_ref(), 4, 5);
        let left = state.as_ref().map_or(100, |unit| unit.held().max(1));
        let mut amount = self.amount(left, state.as_ref());
        if self.draw.chance(1, 2) {
            amount.base = amount.base.div_ceil(10);
        }
        let is_admitted = self.draw.chance(9, 10);
        let what = What::CheckIn {
            unit,
            number,
            amount,
            is_admitted,
        };
        self.say(model, Who::ColdStore, what)
    }

    fn dispose(&mut self, model: &Model) -> Act {
        let by = *self.draw.pick(&TRADERS);
        let (unit, state) = self.unit(model, |unit| unit.lot(by).is_some());
        let manner = *self.draw.pick(&[
            Manner::Sold,
            Manner::Sold,
            Manner::Consumed,
            Manner::Destroyed,
            Manner::Returned,
            Manner::Lost,
        ]);
        let held = state
            .as_ref()
            .and_then(|unit| unit.lot(by))
            .map_or(100, |lot| lot.amount);
        let mut amount = self.amount(held, state.as_ref());
        if manner == Manner::Lost {
            amount.base = amount.base.div_ceil(60);
        } else if self.draw.chance(1, 4) {
            amount.base = held.max(1);
        }
        self.say(
            model,
            by,
            What::Dispose {
                unit,
                manner,
                amount,
            },
        )
    }

    fn store(&mut self, model: &Model) -> Act {
        let (unit, state) = self.unit(model, |unit| unit.held() > 0);
        let stored = state.as_ref().map_or(0, |unit| unit.stored);
        let held = state.as_ref().map_or(100, Unit::held);
        let enters = stored == 0 || self.draw.chance(2, 5);
        let left = if enters {
            held.saturating_sub(stored)
        } else {
            stored
        };
        let amount = self.amount(left.max(1), state.as_ref());
        self.say(
            model,
            Who::ColdStore,
            What::Store {
                unit,
                amount,
                enters,
            },
        )
    }

    fn bar(&mut self, model: &Model) -> Act {
        // Not too near the roots, or little is left that moves.
        let (unit, state) = self.unit(model, |unit| !unit.parents.is_empty());
        let by = match self.draw.below(100) {
            0..=39 => state.map_or(Who::Producer, |unit| unit.by),
            40..=79 => Who::CountyAuthority,
            _ => *self.draw.pick(&TRADERS),
        };
        let what = match self.draw.chance(5, 8) {
            true => What::Hold { unit },
            false => What::Recall {
                unit,
                until_ms: self
                    .draw
                    .chance(1, 3)
                    .then(|| model.now_ms - self.draw.below(6 * HOUR_MS)),
            },
        };
        self.say(model, by, what)
    }

    fn unbar(&mut self, model: &Model) -> Act {
        if model.marks.is_empty() {
            return self.bar(model);
        }
        let mut mark = self.draw.pick(&model.marks);
        for _ in 0..16 {
            if !mark.is_lifted && !mark.is_completed || self.draw.chance(4, 100) {
                break;
            }
            mark = self.draw.pick(&model.marks);
        }
        let by = match self.draw.below(100) {
            0..=39 => mark.by,
            40..=84 => Who::CountyAuthority,
            _ => *self.draw.pick(&TRADERS),
        };
        let unit = match self.draw.chance(5, 100) {
            true => self.code(),
            false => mark.unit,
        };
        let target = match self.draw.chance(4, 100) {
            true => Hash::of(&[mark.hash.as_bytes()]),
            false => mark.hash,
        };
        let what = match mark.is_recall != self.draw.chance(4, 100) {
            true => What::Close {
                unit,
                target,
                is_withdrawn: self.draw.chance(7, 8),
            },
            false => What::Release { unit, target },
        };
        self.say(model, by, what)
    }

    fn mostly(&mut self, wanted: Option<Who>, others: &[Who]) -> Who {
        match wanted {
            Some(wanted) if !self.draw.chance(6, 100) => wanted,
            _ => *self.draw.pick(others),
        }
    }

    fn number(&mut self, unit: Option<&Unit>, some: u64, of: u64) -> Option<String> {
        let numbers: Vec<&String> = unit
            .map(|unit| unit.certificates.keys().collect())
            .unwrap_or_default();
        if numbers.is_empty() || !self.draw.chance(some, of) {
            return self.draw.chance(2, 100).then(|| "131023-NONE".to_owned());
        }
        Some((*self.draw.pick(&numbers)).clone())
    }

    /// Some of what there is, all of it, or one more; sometimes in another measure.
    fn amount(&mut self, most: u64, unit: Option<&Unit>) -> Amount {
        let base = match self.draw.below(100) {
            0..=14 => most,
            15..=19 => most + 1,
            20..=79 => self.draw.between(1, (most / 3).max(1)),
            _ => self.draw.between(1, most.max(1)),
        };
        let measure = unit.map_or(BaseUnit::Gram, |unit| unit.measure);
        let measure = match self.draw.chance(2, 100) {
            true => BaseUnit::Millilitre,
            false => measure,
        };
        Amount {
            base: base.max(1),
            measure,
        }
    }

    fn code(&mut self) -> TraceCode {
        let recent = &self.codes[self.codes.len().saturating_sub(60)..];
        match self.draw.chance(9, 10) {
            true => *self.draw.pick(recent),
            false => *self.draw.pick(&self.codes),
        }
    }

    /// Mostly a unit that is as wanted and not barred; sometimes any, or none.
    fn unit(&mut self, model: &Model, wanted: impl Fn(&Unit) -> bool) -> (TraceCode, Option<Unit>) {
        let is_any = match self.draw.below(100) {
            0..=1 => return (self.draw.trace_code(), None),
            2..=6 => true,
            _ => false,
        };
        let wants_gone = self.draw.chance(4, 100);
        let takes_barred = self.draw.chance(30, 100);
        let mut code = self.code();
        for _ in 0..24 {
            let unit = &model.units[&code];
            let is_found = match wants_gone {
                true => unit.held() == 0,
                false => is_any || wanted(unit),
            };
            if is_found && (takes_barred || model.barred(&code) == (None, None)) {
                break;
            }
            code = self.code();
        }
        (code, model.units.get(&code).cloned())
    }
}
