//! Devices that sign for themselves, ask as fast as they can and keep their
//! receipts.
//!
//! After a kill a device goes on from what it holds. Mostly that is the very
//! bytes that had no answer: sending them again is harmless. Sometimes it has
//! lost them; then it signs another record in their place, and where the lost
//! ones stand in the log it is told so, and goes on behind them.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use trace_core::{
    proof::receipt::Receipt,
    record::{
        Body, Hash, Signed, chain::Chain, kinds::personal_data_erased::PersonalDataErased,
        section::Openings, submission::Submission, wire::PersonId,
    },
};
use trace_fixtures::{Who, World, draw::Draw, opening};
use trace_http::{
    client::{Client, ClientError},
    language::Language,
    machine,
};

use crate::{
    door::{Door, Way, is_no_answer},
    town::Town,
};

/// One request in so many erases the person it has just named.
const ERASURE_ONE_IN: u64 = 8;
/// One device in so many has lost what it had no answer to.
const FORGETS_ONE_IN: u64 = 3;

/// What an answered record was answered with.
pub struct Acknowledged {
    pub signed: Signed,
    pub index: u64,
    pub receipt: Receipt,
    /// Which server said so.
    pub generation: u64,
}

/// What a device lived through.
#[derive(Default)]
pub struct Tally {
    /// Requests without an answer.
    pub cut: u64,
    /// Of those, how many stood in the log when they came again.
    pub known: u64,
    /// How often the server had to say where the chain stands.
    pub told: u64,
    pub erased: u64,
}

/// A body, its openings, and whether the producer says it.
type Wanted = (Body, Openings, bool);

/// What was signed and has no answer.
struct Held {
    request: Vec<Submission>,
    erased: Option<PersonId>,
    is_atomic: bool,
    was_cut: bool,
}

/// A device: a key of the producer's, and one of the authority's to erase with.
pub struct Device {
    place: usize,
    world: Arc<Mutex<World>>,
    draw: Draw,
    producer: Chain,
    authority: Chain,
    pub acknowledged: Vec<Acknowledged>,
    pub erased: Vec<PersonId>,
    pub tally: Tally,
    /// What it lost: it may stand in the log.
    pub lost: Vec<Hash>,
    made: u64,
}

impl Device {
    pub fn new(town: &Town, place: usize, seed: u64) -> Self {
        let world = town.world.lock().unwrap();
        let chain = |who| {
            let key = world.fresh_key(&Town::device_label(who, place));
            Chain::new(world.origin().clone(), key)
        };
        Self {
            place,
            draw: Draw::new(seed, &format!("device {place}")),
            producer: chain(Who::Producer),
            authority: chain(Who::CountyAuthority),
            acknowledged: Vec::new(),
            erased: Vec::new(),
            tally: Tally::default(),
            lost: Vec::new(),
            made: 0,
            world: Arc::clone(&town.world),
        }
    }

    /// Asks until the door says that it is enough and nothing is unanswered.
    pub fn work(&mut self, door: &Door) {
        let mut way = door.next(&Way::default());
        let mut client = Client::new(&way.address, Language::English).unwrap();
        let mut held: Option<Held> = None;
        loop {
            let mut asked = match held.take() {
                Some(held) => held,
                None if door.is_ending() => return,
                None => {
                    let erases = self.draw.chance(1, ERASURE_ONE_IN);
                    self.sign_next(erases)
                }
            };
            match door.ask(|| post(&client, &asked)) {
                Ok(answer) => held = self.answered(asked, &answer, way.generation),
                Err(error) if is_no_answer(&error) => {
                    self.tally.cut += 1;
                    asked.was_cut = true;
                    held = Some(self.remember(asked));
                    way = door.next(&way);
                    client = Client::new(&way.address, Language::English).unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// A unit with its certificate, sometimes with the erasure of whom it names.
    fn sign_next(&mut self, erases: bool) -> Held {
        let (wanted, erased) = self.wanted(erases);
        let request = self.sign(wanted);
        Held {
            request,
            erased,
            is_atomic: self.draw.chance(1, 2),
            was_cut: false,
        }
    }

    fn wanted(&mut self, erases: bool) -> (Vec<Wanted>, Option<PersonId>) {
        let mut world = self.world.lock().unwrap();
        world.now_ms = machine::now_ms();
        let entity = world.entity(Who::Producer).clone();
        let (mut named, openings) = opening::contact(&entity, &mut self.draw);
        named.person = self.draw.person_id();
        let unit = world.unit();
        let (mut certificate, _) = world.certificate(&unit);
        drop(world);
        certificate.0.persons = vec![named];
        certificate.0.number = format!("D{}-{:06}", self.place, self.made);
        self.made += 1;
        let mut wanted = vec![
            (unit.into(), Openings::default(), true),
            (certificate.into(), openings, true),
        ];
        let erased = erases.then_some(named.person);
        if let Some(person) = erased {
            let body = PersonalDataErased {
                person,
                acted_by: None,
            };
            wanted.push((body.into(), Openings::default(), false));
        }
        (wanted, erased)
    }

    fn sign(&mut self, wanted: Vec<Wanted>) -> Vec<Submission> {
        let now_ms = machine::now_ms();
        let sign = |(body, openings, is_producers): Wanted| {
            let chain = match is_producers {
                true => &mut self.producer,
                false => &mut self.authority,
            };
            Submission {
                signed: chain.sign(&body, now_ms),
                openings,
            }
        };
        wanted.into_iter().map(sign).collect()
    }

    /// What a device still holds of a request without an answer: mostly all.
    fn remember(&mut self, cut: Held) -> Held {
        if cut.erased.is_some() || !self.draw.chance(1, FORGETS_ONE_IN) {
            return cut;
        }
        let first = cut.request[0].signed.statement();
        self.producer.resume(first.sequence, first.link);
        let lost = cut.request.iter().map(|sent| sent.signed.hash());
        self.lost.extend(lost);
        Held {
            is_atomic: false,
            ..self.sign_next(false)
        }
    }

    /// Keeps what was answered, or signs again behind what was lost.
    fn answered(&mut self, asked: Held, answer: &Value, generation: u64) -> Option<Held> {
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), asked.request.len());
        if results[0].get("refused").is_some() {
            return Some(self.go_on_behind(asked, results));
        }
        let mut known = 0;
        for (sent, result) in asked.request.iter().zip(results) {
            let admitted = &result["admitted"];
            let hash = sent.signed.hash();
            assert_eq!(admitted["hash"], hash.to_string(), "{result}");
            known += usize::from(admitted["duplicate"] == true);
            self.acknowledged.push(Acknowledged {
                signed: sent.signed.clone(),
                index: admitted["index"].as_u64().unwrap(),
                receipt: serde_json::from_value(admitted["receipt"].clone()).unwrap(),
                generation,
            });
        }
        // A request is one part of one commit: it is there whole or not at all.
        assert!([0, results.len()].contains(&known), "{answer}");
        assert!(asked.was_cut || known == 0, "new, and known: {answer}");
        self.tally.known += u64::from(known > 0);
        self.tally.erased += u64::from(asked.erased.is_some());
        self.erased.extend(asked.erased);
        None
    }

    /// The chain stands behind a record that this device has lost.
    fn go_on_behind(&mut self, asked: Held, results: &[Value]) -> Held {
        let refused = &results[0]["refused"];
        assert_eq!(refused["code"], "sequence_wrong", "{refused}");
        let link: Hash = refused["expected_link"].as_str().unwrap().parse().unwrap();
        assert!(self.lost.contains(&link), "not what it lost: {refused}");
        let sequence = refused["expected_sequence"].as_u64().unwrap();
        assert!(
            asked.erased.is_none(),
            "none is signed in place of what was lost"
        );
        for result in results {
            assert!(result.get("refused").is_some(), "{result}");
        }
        self.producer.resume(sequence, link);
        self.tally.told += 1;
        let wanted = asked.request.into_iter();
        let wanted = wanted.map(|sent| (sent.signed.body().unwrap(), sent.openings, true));
        let request = self.sign(wanted.collect());
        Held { request, ..asked }
    }
}

fn post(client: &Client, asked: &Held) -> Result<Value, ClientError> {
    let mut bytes = Vec::new();
    for submission in &asked.request {
        submission.encode_into(&mut bytes);
    }
    let path = format!("/v1/records?atomic={}", asked.is_atomic);
    let answer = client.post(&path, &bytes)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}
