//! A network that loses three messages in ten, doubles every second one and
//! lets each take its own time, so that later ones overtake earlier ones.

use std::collections::BTreeMap;
use trace_fixtures::draw::Draw;

const LOST_PER_CENT: u64 = 30;
const DOUBLED_PER_CENT: u64 = 50;

/// A message takes at most so many ticks.
const DELAY_TICKS_MAX: u64 = 6;

/// What happened to messages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    pub sent: u64,
    pub lost: u64,
    pub doubled: u64,
    pub overtaken: u64,
}

pub struct Network<M> {
    /// By when they arrive, and in which order they were sent.
    flying: BTreeMap<(u64, u64), M>,
    serial: u64,
    newest: u64,
    pub weather: Weather,
}

impl<M: Clone> Network<M> {
    pub fn new() -> Self {
        Self {
            flying: BTreeMap::new(),
            serial: 0,
            newest: 0,
            weather: Weather::default(),
        }
    }

    /// Sends a message; in calm weather it arrives once, and at the next tick.
    pub fn send(&mut self, tick: u64, is_calm: bool, draw: &mut Draw, message: M) {
        self.weather.sent += 1;
        if is_calm {
            return self.fly(tick + 1, message);
        }
        let is_doubled = draw.chance(DOUBLED_PER_CENT, 100);
        self.weather.doubled += u64::from(is_doubled);
        for _ in 0..=u64::from(is_doubled) {
            if draw.chance(LOST_PER_CENT, 100) {
                self.weather.lost += 1;
            } else {
                let due = tick + 1 + draw.below(DELAY_TICKS_MAX);
                self.fly(due, message.clone());
            }
        }
    }

    fn fly(&mut self, due: u64, message: M) {
        self.flying.insert((due, self.serial), message);
        self.serial += 1;
    }

    /// What arrives by now.
    pub fn arrive(&mut self, tick: u64) -> Vec<M> {
        let later = self.flying.split_off(&(tick + 1, 0));
        let now = std::mem::replace(&mut self.flying, later);
        let mut arrived = Vec::with_capacity(now.len());
        for ((_, serial), message) in now {
            self.weather.overtaken += u64::from(serial < self.newest);
            self.newest = self.newest.max(serial);
            arrived.push(message);
        }
        arrived
    }

    pub fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }
}
