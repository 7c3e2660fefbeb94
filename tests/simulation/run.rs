//! One seed, from its first message to its last answer: some minutes of storm,
//! then calm until every client has its answers.

use super::base::{Base, DEVICES, Said};
use super::bugs::Bug;
use super::device::Device;
use super::hosted::{Hosted, Named};
use super::messages::{Answer, Ask, Question, Told};
use super::network::{Network, Weather};
use super::oracle;
use super::server::{Server, TICK_MS, Troubles};
use std::collections::BTreeMap;
use std::sync::Arc;
use trace_core::error::Rule;
use trace_core::ident::TraceCode;
use trace_core::proof::checkpoint::VerifiedCheckpoint;
use trace_core::record::Hash;
use trace_core::record::kinds::personal_data_erased::PersonalDataErased;
use trace_core::record::section::Openings;
use trace_fixtures::draw::Draw;

/// The storm's length.
const STORM_TICKS: u64 = 70;

/// By then everybody has an answer, or something is wrong.
const TICKS_MAX: u64 = 600;

/// Clients whose keys the ledger keeps.
const HOSTED: usize = 2;

const AUTHORITY: usize = DEVICES;
const READER: usize = DEVICES + 1 + HOSTED;

/// What each unit holds: less than is asked of it.
const UNIT_GRAMS: u64 = 10_000;

/// What a seed came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Over the log, the derived rows, every receipt and every checkpoint seen.
    pub state: Hash,
    pub admitted: u64,
    pub refused: u64,
    pub rules: BTreeMap<Rule, u64>,
    pub weather: Weather,
    pub troubles: Troubles,
    pub absent: u64,
    pub ticks: u64,
}

pub struct Run<'b> {
    pub base: &'b Base,
    pub devices: Vec<Device>,
    pub hosted: Vec<Hosted>,
    /// All that is ever asked under a name.
    pub named: Vec<Named>,
    /// Reported absent, at which size.
    pub absent: Vec<(Hash, u64)>,
    pub found: Vec<(Hash, u64)>,
    /// Every checkpoint that any client saw.
    pub seen: BTreeMap<(u64, Hash), Arc<VerifiedCheckpoint>>,
    draw: Draw,
    questions: Network<Question>,
    answers: Network<Answer>,
}

impl<'b> Run<'b> {
    /// Runs a seed; what is wrong, if something is.
    pub fn go(base: &'b Base, seed: u64, bug: Option<Bug>) -> Result<Report, String> {
        let mut run = Self::new(base, seed);
        let mut server = Server::new(base, seed, bug);
        let mut tick = 0;
        loop {
            let is_calm = tick >= STORM_TICKS;
            run.ask(tick, is_calm);
            let questions = run.questions.arrive(tick);
            for answer in server.step(tick, is_calm, questions)? {
                run.answers.send(tick, is_calm, &mut run.draw, answer);
            }
            for answer in run.answers.arrive(tick) {
                run.hear(tick, &answer)?;
            }
            tick += 1;
            if is_calm && run.is_done() && server.is_up() {
                break;
            }
            if tick == TICKS_MAX {
                return Err(format!("after {tick} ticks somebody still waits"));
            }
        }
        let (troubles, admitted, refused) = (server.troubles, server.admitted, server.refused);
        let Some((sequencer, disk)) = server.into_parts() else {
            return Err("the ledger is down in calm weather".into());
        };
        let state = oracle::check(&run, seed, sequencer, &disk)?;
        let mut rules = BTreeMap::new();
        let of_devices = run.devices.iter().map(|device| &device.refused);
        for refused in of_devices.chain(run.hosted.iter().map(|hosted| &hosted.refused)) {
            for (rule, count) in refused {
                *rules.entry(*rule).or_default() += count;
            }
        }
        let (asked, answered) = (run.questions.weather, run.answers.weather);
        Ok(Report {
            state,
            admitted,
            refused,
            rules,
            weather: Weather {
                sent: asked.sent + answered.sent,
                lost: asked.lost + answered.lost,
                doubled: asked.doubled + answered.doubled,
                overtaken: asked.overtaken + answered.overtaken,
            },
            troubles,
            absent: run.absent.len() as u64,
            ticks: tick,
        })
    }

    fn new(base: &'b Base, seed: u64) -> Self {
        let mut draw = Draw::new(seed, "simulated clients");
        let units: Vec<TraceCode> = (0..5).map(|_| draw.trace_code()).collect();
        let devices = (0..DEVICES).map(|place| {
            let intents = producers_day(base, &mut draw, &units, place);
            Device::new(&base.origin, base.devices[place], intents)
        });
        let mut devices: Vec<Device> = devices.collect();
        let day = authoritys_day(base, &mut draw);
        devices.push(Device::new(&base.origin, base.authority, day));
        let mut named = Vec::new();
        let hosted = (0..HOSTED).map(|place| {
            let requests = requests(base, &mut draw, &units, place);
            named.extend(requests.iter().cloned());
            Hosted::new(requests)
        });
        let hosted = hosted.collect();
        Self {
            base,
            devices,
            hosted,
            named,
            absent: Vec::new(),
            found: Vec::new(),
            seen: BTreeMap::new(),
            draw,
            questions: Network::new(),
            answers: Network::new(),
        }
    }

    fn now_ms(&self, tick: u64) -> u64 {
        self.base.now_ms + tick * TICK_MS
    }

    fn ask(&mut self, tick: u64, is_calm: bool) {
        let now_ms = self.now_ms(tick);
        let mut asked = Vec::new();
        for (from, device) in self.devices.iter_mut().enumerate() {
            let ask = device.act(tick, now_ms, &mut self.draw);
            asked.extend(ask.map(|ask| Question { from, ask }));
        }
        for (place, hosted) in self.hosted.iter_mut().enumerate() {
            let from = AUTHORITY + 1 + place;
            let ask = hosted.act(tick, &mut self.draw);
            asked.extend(ask.map(|ask| Question { from, ask }));
        }
        if self.draw.chance(1, 3) {
            let device = self.draw.place(self.devices.len());
            let hash = self.devices[device].any_hash(&mut self.draw);
            asked.extend(hash.map(|hash| Question {
                from: READER,
                ask: Ask::LookUp(hash),
            }));
        }
        for question in asked {
            self.questions.send(tick, is_calm, &mut self.draw, question);
        }
    }

    fn hear(&mut self, tick: u64, answer: &Answer) -> Result<(), String> {
        let checkpoint = &answer.checkpoint;
        let place = (checkpoint.size(), *checkpoint.root());
        self.seen.insert(place, Arc::clone(checkpoint));
        let now_ms = self.now_ms(tick);
        match &answer.told {
            Told::Records(outcomes) => {
                let device = &mut self.devices[answer.to];
                let heard = device.hear(answer, outcomes, now_ms);
                heard.map_err(|why| format!("device {}: {why}", answer.to))
            }
            Told::Request(named, outcomes) => {
                let hosted = &mut self.hosted[answer.to - AUTHORITY - 1];
                hosted.hear(named, outcomes)
            }
            Told::Found(hash, Some(index)) => {
                self.found.push((*hash, *index));
                Ok(())
            }
            Told::Found(hash, None) => {
                self.absent.push((*hash, checkpoint.size()));
                Ok(())
            }
        }
    }

    fn is_done(&self) -> bool {
        self.devices.iter().all(Device::is_done)
            && self.hosted.iter().all(Hosted::is_done)
            && self.questions.is_empty()
            && self.answers.is_empty()
    }
}

/// A producer's device: it makes units, of which one is claimed by two devices,
/// certifies, and hands over until nothing is left.
fn producers_day(base: &Base, draw: &mut Draw, units: &[TraceCode], place: usize) -> Vec<Said> {
    let mut day = Vec::new();
    if place < 3 {
        day.push(base.creates(units[place], UNIT_GRAMS));
    }
    if place == 0 || place == 2 {
        day.push(base.creates(units[4], UNIT_GRAMS));
    }
    for act in 0..draw.between(4, 8) {
        let unit = *draw.pick(units);
        let grams = 500 * draw.between(1, 6);
        day.push(match draw.below(6) {
            0 => {
                let number = format!("S{place}{act}{}", draw.crockford(8));
                base.certifies(unit, number, grams)
            }
            _ => base.hands_over(unit, grams, draw.salt(), base.now_ms),
        });
    }
    day
}

fn authoritys_day(base: &Base, draw: &mut Draw) -> Vec<Said> {
    let first = draw.place(base.newcomers.len() - 3);
    let newcomers = &base.newcomers[first..first + 3];
    let mut day: Vec<Said> = newcomers.iter().map(|(said, _)| said.clone()).collect();
    let gone = PersonalDataErased {
        person: newcomers[1].1,
        acted_by: None,
    };
    day.push((gone.into(), Openings::default()));
    day.insert(draw.place(day.len()), base.oversteps());
    let revoked = draw.place(day.len());
    day.insert(revoked, base.revokes());
    day
}

fn requests(base: &Base, draw: &mut Draw, units: &[TraceCode], place: usize) -> Vec<Named> {
    let mut requests = Vec::new();
    if place == 0 {
        requests.push(vec![base.creates(units[3], UNIT_GRAMS)]);
    }
    for _ in 0..draw.between(3, 6) {
        let items = (0..draw.between(1, 2)).map(|_| {
            let grams = 500 * draw.between(1, 6);
            base.hands_over(*draw.pick(units), grams, draw.salt(), base.now_ms)
        });
        requests.push(items.collect());
    }
    let mut named: Vec<Named> = requests
        .into_iter()
        .enumerate()
        .map(|(at, items)| Named {
            key: format!("{place}-{at}"),
            items,
            is_reused: false,
        })
        .collect();
    let first = named[0].key.clone();
    let again = base.hands_over(units[0], 500, draw.salt(), base.now_ms);
    named.push(Named {
        key: first,
        items: vec![again],
        is_reused: true,
    });
    named
}
