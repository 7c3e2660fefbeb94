//! Loggers: bursts of readings of a probe, sent again until they are
//! acknowledged, and segments of them ordered in between.

use serde_json::{Value, json};
use trace_core::{
    ident::EquipmentId,
    record::{readings, temperature::Reading},
};
use trace_fixtures::draw::Draw;
use trace_http::{
    client::{Client, ClientError},
    language::Language,
};
use zeroize::Zeroizing;

use crate::{
    door::{Door, Way, is_no_answer},
    town::Town,
};

/// The time of the first reading, long past.
const BEGIN_MS: u64 = 1_700_000_000_000;
/// Most readings of a burst.
const BURST_MAX: u64 = 400;
/// One burst in so many is followed by the order of a segment.
const SEAL_ONE_IN: u64 = 4;

/// What is sent and has no answer.
enum Held {
    Burst(Vec<Reading>),
    Seal(String),
}

/// A probe with its logger.
pub struct Logger {
    pub probe: EquipmentId,
    token: Zeroizing<String>,
    draw: Draw,
    made: u64,
    /// What the server said that it has.
    pub acknowledged: Vec<Reading>,
    /// Segments that it said are sealed.
    pub sealed: u64,
    /// Requests without an answer.
    pub cut: u64,
    /// Bursts that were there already when they came again.
    pub known: u64,
}

impl Logger {
    pub fn new(town: &Town, probe: EquipmentId, seed: u64) -> Self {
        Self {
            probe,
            token: town.token.clone(),
            draw: Draw::new(seed, &format!("logger {probe}")),
            made: 0,
            acknowledged: Vec::new(),
            sealed: 0,
            cut: 0,
            known: 0,
        }
    }

    /// Sends until the door says that it is enough and nothing is unanswered.
    pub fn work(&mut self, door: &Door) {
        let mut way = door.next(&Way::default());
        let mut client = self.client(&way.address);
        let mut held: Option<Held> = None;
        let mut was_cut = false;
        loop {
            let next = match held.take() {
                Some(held) => held,
                None if door.is_ending() => return,
                None => self.next(),
            };
            match door.ask(|| self.send(&client, &next)) {
                Ok(answer) => {
                    self.answered(next, &answer, was_cut);
                    was_cut = false;
                }
                Err(error) if is_no_answer(&error) => {
                    self.cut += 1;
                    was_cut = true;
                    held = Some(next);
                    way = door.next(&way);
                    client = self.client(&way.address);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn next(&mut self) -> Held {
        if self.acknowledged.len() as u64 == self.made
            && self.made > 0
            && self.draw.chance(1, SEAL_ONE_IN)
        {
            // Something new first: of nothing no segment is made.
            return match self.draw.chance(1, 2) {
                true => self.burst(),
                false => Held::Seal(format!("segment-{}-{}", self.probe, self.made)),
            };
        }
        self.burst()
    }

    fn burst(&mut self) -> Held {
        let count = self.draw.between(1, BURST_MAX);
        let readings = (self.made..self.made + count).map(|n| Reading {
            at_ms: BEGIN_MS + 1_000 * n,
            temperature_milli_c: i32::try_from(n % 4_000).unwrap(),
        });
        let readings: Vec<Reading> = readings.collect();
        self.made += count;
        Held::Burst(readings)
    }

    fn send(&self, client: &Client, held: &Held) -> Result<Value, ClientError> {
        match held {
            Held::Burst(burst) => {
                let bytes = readings::encode(&[(self.probe, burst.clone())]).unwrap();
                let answer = client.post("/v1/readings", &bytes)?;
                Ok(serde_json::from_slice(&answer).unwrap())
            }
            Held::Seal(key) => {
                let order = json!({"probe": self.probe.to_string()});
                match client.post_json("/v1/segments", Some(key), &order) {
                    // Ordered before under another name.
                    Err(ClientError::Refused { problem, .. })
                        if problem.code == "nothing_to_seal" =>
                    {
                        Ok(Value::Null)
                    }
                    answer => answer,
                }
            }
        }
    }

    fn answered(&mut self, held: Held, answer: &Value, was_cut: bool) {
        match held {
            Held::Burst(burst) => {
                let count = |name: &str| answer[name].as_u64().unwrap();
                let (fresh, known) = (count("fresh"), count("known"));
                let sent = burst.len() as u64;
                assert_eq!(fresh + known, sent, "{answer}");
                // A burst of one probe is one part of one commit.
                assert!(known == 0 || known == sent && was_cut, "{answer}");
                self.known += u64::from(known > 0);
                self.acknowledged.extend(burst);
            }
            Held::Seal(_) => self.sealed += u64::from(!answer.is_null()),
        }
    }

    fn client(&self, address: &str) -> Client {
        let client = Client::new(address, Language::English).unwrap();
        client.with_token(self.token.clone())
    }
}
