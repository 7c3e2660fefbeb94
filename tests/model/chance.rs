//! Which act comes next: mostly what an honest day brings, and with known odds
//! each of the ways to get it wrong.

use super::acts::{Act, Amount};
use super::plain::{Fate, Made, Model, Unit};
use super::verdict::{Place, Step};
use std::collections::HashMap;
use trace_core::ident::{Area, TraceCode};
use trace_core::record::chain::Chain;
use trace_core::record::quantity::BaseUnit;
use trace_core::record::sign::{KeyId, SigningKey};
use trace_core::record::{Hash, Role};
use trace_fixtures::draw::Draw;
use trace_fixtures::{Who, World};

const MAKERS: [Who; 5] = [
    Who::Producer,
    Who::Cooperative,
    Who::Household,
    Who::Buyer,
    Who::Importer,
];

/// Those whose keys and roles come and go.
const GOVERNED: [Who; 7] = [
    Who::Producer,
    Who::Cooperative,
    Who::Household,
    Who::Buyer,
    Who::Importer,
    Who::ColdStore,
    Who::Inspector,
];

const HOUR_MS: u64 = 3_600_000;

/// A key as its holder has it.
pub struct Held {
    pub chain: Chain,
    pub owner: Who,
    /// Enrolled in an earlier batch, so that a client may use it.
    pub is_ready: bool,
    /// The one that each began with: never revoked.
    pub is_first: bool,
}

/// Draws acts.
pub struct Chance {
    pub draw: Draw,
    pub ring: Vec<Held>,
    places: HashMap<KeyId, usize>,
    codes: Vec<TraceCode>,
    numbers: Vec<String>,
    stranger: KeyId,
    county: Area,
    other_county: Area,
}

impl Chance {
    pub fn new(seed: u64, world: &mut World) -> Self {
        let stranger = Chain::new(world.origin().clone(), world.fresh_key("stranger"));
        let mut chance = Self {
            draw: Draw::new(seed, "model"),
            ring: Vec::new(),
            places: HashMap::new(),
            codes: Vec::new(),
            numbers: Vec::new(),
            stranger: stranger.id(),
            county: world.entity(Who::Producer).area,
            other_county: world.entity(Who::OtherCountyAuthority).area,
        };
        for who in Who::ALL.into_iter().filter(|who| *who != Who::Root) {
            let seed = *world.chain(who).key().seed();
            let mut chain = Chain::new(world.origin().clone(), SigningKey::from_seed(seed));
            let (sequence, link) = world.chain(who).next();
            chain.resume(sequence, link);
            chance.keep(chain, who, true);
        }
        chance.keep(stranger, Who::Producer, true);
        chance
    }

    fn keep(&mut self, chain: Chain, owner: Who, is_first: bool) {
        self.places.insert(chain.id(), self.ring.len());
        self.ring.push(Held {
            chain,
            owner,
            is_ready: is_first,
            is_first,
        });
    }

    pub fn held(&mut self, key: &KeyId) -> &mut Held {
        let place = self.places[key];
        &mut self.ring[place]
    }

    /// Keys that the ledger has by now may be used.
    pub fn batch_ends(&mut self, model: &Model) {
        for held in &mut self.ring {
            held.is_ready |= model.keys.contains_key(&held.chain.id());
        }
    }

    /// The next act and how it is signed.
    pub fn step(&mut self, model: &Model, world: &World) -> Step {
        let (by, act) = self.act(model, world);
        let key = self.key_of(model, by);
        let next = model.keys.get(&key).map_or(0, |key| key.next.0);
        let place = match self.draw.below(100) {
            0..=1 if next > 0 => Place::Behind,
            0..=3 => Place::Ahead,
            4..=5 => Place::OtherLink,
            _ => Place::Next,
        };
        let signed_at_ms = match self.draw.below(100) {
            0..=2 => model.now_ms + 5 * 60_000 + 1 + self.draw.below(HOUR_MS),
            3 => model.now_ms + 5 * 60_000,
            4..=9 => model.now_ms - self.draw.below(100 * 24 * HOUR_MS),
            _ => model.now_ms,
        };
        let is_forged = self.draw.chance(2, 100);
        Step {
            act,
            key,
            place,
            signed_at_ms,
            is_forged,
        }
    }

    fn key_of(&mut self, model: &Model, by: Who) -> KeyId {
        let own = self
            .ring
            .iter()
            .filter(|held| held.owner == by && held.is_ready);
        let own: Vec<KeyId> = own.map(|held| held.chain.id()).collect();
        let is_revoked = |key: &&KeyId| model.keys.get(*key).is_none_or(|key| key.is_revoked);
        let (revoked, live): (Vec<&KeyId>, Vec<&KeyId>) = own.iter().partition(is_revoked);
        match self.draw.below(100) {
            0..=2 => self.stranger,
            3..=9 if !revoked.is_empty() => *revoked[self.draw.place(revoked.len())],
            _ => *live[self.draw.place(live.len())],
        }
    }

    /// Mostly somebody who may, sometimes anybody.
    fn who(&mut self, model: &Model, roles: &[Role], among: &[Who]) -> Who {
        let may: Vec<Who> = among
            .iter()
            .copied()
            .filter(|who| roles.iter().any(|role| model.holds(*who, *role)))
            .collect();
        match may.is_empty() || self.draw.chance(5, 100) {
            true => *self.draw.pick(&Who::ALL[1..]),
            false => *self.draw.pick(&may),
        }
    }

    fn authority(&mut self) -> Who {
        match self.draw.below(100) {
            0..=74 => Who::CountyAuthority,
            75..=89 => Who::CityAuthority,
            _ => Who::OtherCountyAuthority,
        }
    }

    fn act(&mut self, model: &Model, world: &World) -> (Who, Act) {
        match self.draw.below(100) {
            0..=17 => self.create(model),
            18..=47 => self.certify(model),
            48..=56 => self.void(model),
            57..=65 => self.supersede(model),
            66..=79 => self.store(model),
            80..=86 => self.enrol(world),
            87..=89 => self.revoke(model),
            _ => self.role(model),
        }
    }

    fn create(&mut self, model: &Model) -> (Who, Act) {
        let makers = [Role::Producer, Role::Buyer, Role::Importer];
        let mut by = self.who(model, &makers, &MAKERS);
        let mut unit = self.draw.trace_code();
        if self.draw.chance(18, 100) && !self.codes.is_empty() {
            // One that is there, or that is kept for a replacement.
            unit = self.code();
            let reserver = model.units.get(&unit).and_then(|unit| unit.reserver);
            by = reserver.filter(|_| self.draw.chance(2, 3)).unwrap_or(by);
        }
        let today = model.today();
        let produced = match self.draw.below(100) {
            0..=6 => today + 1 + self.days(3),
            _ => today - self.days(12),
        };
        let last = self.draw.chance(2, 5).then(|| produced + 4 + self.days(16));
        let measure = match self.draw.chance(1, 8) {
            true => BaseUnit::Piece,
            false => BaseUnit::Gram,
        };
        let base = self.draw.between(1, 2_000_000);
        self.codes.push(unit);
        let amount = Amount { base, measure };
        let act = Act::Create {
            unit,
            amount,
            produced,
            last,
        };
        (by, act)
    }

    fn certify(&mut self, model: &Model) -> (Who, Act) {
        let (unit, state) = self.unit(model, |unit| !unit.is_voided());
        let made = state.as_ref().and_then(|state| state.made.as_ref());
        let makers = [Role::Producer, Role::Buyer];
        let by = match made {
            Some(made) if self.draw.chance(93, 100) => made.by,
            _ => self.who(model, &makers, &MAKERS),
        };
        let reserved = state.as_ref().and_then(|state| state.reserved.first());
        let number = match (self.draw.below(100), reserved) {
            (0..=49, Some(reserved)) => reserved.clone(),
            (50..=57, _) => self.used_number(model),
            _ => self.number(),
        };
        let already = state.as_ref().map_or(0, Unit::certified);
        let amount = self.amount(made, already);
        let today = model.today();
        let produced = made.map_or(today, |made| made.produced);
        let issued = match self.draw.below(100) {
            0..=7 => today + 1,
            8..=19 => (today - 4 - self.days(4)).max(produced),
            20..=25 => produced - 1,
            26..=54 => (today - self.days(3)).max(produced),
            _ => today,
        };
        let expires = match self.draw.below(100) {
            0..=9 => Some(issued - 1),
            10..=22 => Some(issued + self.days(4)),
            _ => None,
        };
        let act = Act::Certify {
            unit,
            number,
            amount,
            issued,
            expires,
            is_filled_in: !self.draw.chance(5, 100),
        };
        (by, act)
    }

    fn void(&mut self, model: &Model) -> (Who, Act) {
        let is_whole = self.draw.chance(1, 3);
        let (unit, state) = self.unit(model, |unit| {
            is_whole || !unit.is_voided() && !unit.certificates.is_empty()
        });
        let state = state.unwrap_or_default();
        let is_whole = is_whole || state.certificates.is_empty();
        let found = match is_whole {
            true => state.made.as_ref().map(|made| (None, made.hash, made.by)),
            false => Some(self.draw.pick(&state.certificates))
                .map(|held| (Some(held.number.clone()), held.hash, held.by)),
        };
        let (number, hash, issuer) = found.unwrap_or((None, Hash::ZERO, Who::Producer));
        let by = match self.draw.below(100) {
            0..=74 => issuer,
            75..=92 => self.authority(),
            _ => *self.draw.pick(&Who::ALL[1..]),
        };
        let target = self.target(hash);
        let act = Act::Void {
            unit,
            number,
            target,
        };
        (by, act)
    }

    fn supersede(&mut self, model: &Model) -> (Who, Act) {
        let (unit, state) = self.unit(model, |unit| {
            !unit.is_voided() && !unit.certificates.is_empty()
        });
        let state = state.unwrap_or_default();
        let standing = state.certificates.iter().rev();
        let standing = standing.clone().find(|held| held.fate == Fate::Stands);
        let held = match self.draw.chance(1, 6) {
            true => state.certificates.first(),
            false => standing.or(state.certificates.last()),
        };
        let (number, hash, issuer) = match held {
            Some(held) => (held.number.clone(), held.hash, held.by),
            None => (self.number(), Hash::ZERO, Who::Producer),
        };
        let by = match self.draw.chance(9, 10) {
            true => issuer,
            false => *self.draw.pick(&Who::ALL[1..]),
        };
        let new_unit = match self.draw.below(100) {
            0..=49 => unit,
            50..=84 => self.draw.trace_code(),
            _ => self.code(),
        };
        let mut new_number = self.number();
        if self.draw.chance(1, 8) {
            let used = self.used_number(model);
            new_number = if used == number { new_number } else { used };
        }
        self.codes.push(new_unit);
        let act = Act::Supersede {
            unit,
            number,
            target: self.target(hash),
            new_unit,
            new_number,
        };
        (by, act)
    }

    fn store(&mut self, model: &Model) -> (Who, Act) {
        let (unit, state) = self.unit(model, |unit| !unit.is_voided());
        let state = state.unwrap_or_default();
        let by = self.who(model, &[Role::ColdStore], &GOVERNED);
        let enters = state.stock.is_empty() || self.draw.chance(1, 2);
        let already = match enters {
            true => state.stored(),
            false => {
                let held = state.stock.get(&super::plain::actor(by)).copied();
                let made = state.made.as_ref().map_or(0, |made| made.amount.base);
                made.saturating_sub(held.unwrap_or(0))
            }
        };
        let amount = self.amount(state.made.as_ref(), already);
        let at_ms = match self.draw.below(100) {
            0..=7 => model.now_ms + 5 * 60_000 + 1 + self.draw.below(HOUR_MS),
            8..=19 => model.now_ms - 24 * HOUR_MS * self.draw.between(1, 6),
            _ => model.now_ms - self.draw.below(4 * HOUR_MS),
        };
        let act = Act::Store {
            unit,
            amount,
            at_ms,
            enters,
        };
        (by, act)
    }

    fn enrol(&mut self, world: &World) -> (Who, Act) {
        let owner = *self.draw.pick(&GOVERNED);
        let by = self.authority();
        let key = match self.draw.chance(1, 3) {
            true => self.ring[self.draw.place(self.ring.len())].chain.id(),
            false => self.stranger,
        };
        let key = if key == self.stranger {
            let fresh = world.fresh_key(&format!("device {}", self.ring.len()));
            let chain = Chain::new(world.origin().clone(), fresh);
            let id = chain.id();
            self.keep(chain, owner, false);
            id
        } else {
            key
        };
        let act = Act::Enrol {
            owner,
            key,
            is_proved: !self.draw.chance(22, 100),
        };
        (by, act)
    }

    fn revoke(&mut self, model: &Model) -> (Who, Act) {
        let devices = self.ring.iter().filter(|held| !held.is_first);
        let devices: Vec<(KeyId, Who)> =
            devices.map(|held| (held.chain.id(), held.owner)).collect();
        if devices.is_empty() {
            return self.role(model);
        }
        let recent = &devices[devices.len().saturating_sub(40)..];
        let (key, owner) = *self.draw.pick(recent);
        let by = match self.draw.below(100) {
            0..=39 => owner,
            40..=92 => self.authority(),
            _ => *self.draw.pick(&Who::ALL[1..]),
        };
        let enrolled = model.keys.get(&key).map_or(0, |key| key.enrolled);
        let odds = if by == owner { 10 } else { 65 };
        let from = self
            .draw
            .chance(odds, 100)
            .then(|| match self.draw.below(10) {
                0 => enrolled.saturating_sub(1),
                1 => model.size + 1,
                _ => self.draw.between(enrolled, model.size.max(enrolled)),
            });
        let owner = match self.draw.chance(6, 100) {
            true => *self.draw.pick(&GOVERNED),
            false => owner,
        };
        (by, Act::Revoke { owner, key, from })
    }

    fn role(&mut self, model: &Model) -> (Who, Act) {
        let owner = *self.draw.pick(&GOVERNED);
        let roles = [
            Role::Producer,
            Role::Buyer,
            Role::Importer,
            Role::ColdStore,
            Role::Market,
            Role::Laboratory,
        ];
        let role = *self.draw.pick(&roles);
        let (by, area) = match self.draw.below(100) {
            0..=74 => (self.authority(), self.county),
            75..=84 => (Who::CityAuthority, self.other_county),
            85..=94 => (self.authority(), Area::LANGFANG),
            // What no authority may grant.
            _ => {
                let (by, role) = *self.draw.pick(&[
                    (Who::CountyAuthority, Role::Authority),
                    (Who::CityAuthority, Role::Operator),
                    (Who::CityAuthority, Role::Root),
                ]);
                let area = self.county;
                return (by, Act::Grant { owner, role, area });
            }
        };
        // What is held is mostly left, so that there is somebody to act.
        let is_held = model
            .roles
            .contains(&(super::plain::actor(owner), role, area));
        let grants = match is_held {
            true => self.draw.chance(1, 2),
            false => self.draw.chance(2, 3),
        };
        let act = match grants {
            true => Act::Grant { owner, role, area },
            false => Act::Withdraw { owner, role, area },
        };
        (by, act)
    }

    fn days(&mut self, bound: u64) -> i32 {
        i32::try_from(self.draw.below(bound)).unwrap()
    }

    fn number(&mut self) -> String {
        let number = format!("131023-{}", self.draw.crockford(10));
        self.numbers.push(number.clone());
        number
    }

    /// A code that was used before, mostly a recent one.
    fn code(&mut self) -> TraceCode {
        let recent = match self.draw.chance(9, 10) {
            true => &self.codes[self.codes.len().saturating_sub(40)..],
            false => &self.codes[..],
        };
        match recent.is_empty() {
            true => self.draw.trace_code(),
            false => *self.draw.pick(recent),
        }
    }

    /// A number that is in use or reserved, where there is one.
    fn used_number(&mut self, model: &Model) -> String {
        for _ in 0..8 {
            let found = self.numbers.get(self.draw.place(self.numbers.len()));
            if let Some(number) = found.filter(|number| model.numbers.contains_key(*number)) {
                return number.clone();
            }
        }
        self.number()
    }

    /// Mostly a unit that was made and is as wanted; sometimes any, or none.
    fn unit(&mut self, model: &Model, wanted: impl Fn(&Unit) -> bool) -> (TraceCode, Option<Unit>) {
        let (is_any, is_voided) = match self.draw.below(100) {
            0..=2 => return (self.draw.trace_code(), None),
            3..=9 => (true, false),
            10..=14 => (false, true),
            _ => (false, false),
        };
        let is_found = |unit: &Unit| match is_voided {
            true => unit.is_voided(),
            false => is_any || unit.made.is_some() && wanted(unit),
        };
        let mut code = self.code();
        for _ in 0..16 {
            if model.units.get(&code).is_some_and(is_found) {
                break;
            }
            code = self.code();
        }
        (code, model.units.get(&code).cloned())
    }

    fn target(&mut self, hash: Hash) -> Hash {
        match self.draw.chance(7, 100) {
            true => Hash::of(&[hash.as_bytes()]),
            false => hash,
        }
    }

    /// Some of what is left, all of it, or one more.
    fn amount(&mut self, made: Option<&Made>, already: u64) -> Amount {
        let most = made.map_or(1_000, |made| made.amount.base);
        let measure = made.map_or(BaseUnit::Gram, |made| made.amount.measure);
        let left = most.saturating_sub(already);
        let base = match self.draw.below(100) {
            0..=9 => left,
            10..=19 => left + 1,
            20..=79 => self.draw.between(1, (left / 4).max(1)),
            _ => self.draw.between(1, left.max(1)),
        };
        let measure = match (self.draw.chance(5, 100), measure) {
            (false, own) => own,
            (true, BaseUnit::Gram) => BaseUnit::Millilitre,
            (true, _) => BaseUnit::Gram,
        };
        Amount {
            base: base.max(1),
            measure,
        }
    }
}
