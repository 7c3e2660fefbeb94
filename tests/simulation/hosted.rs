//! A client whose key the ledger keeps. It names each request, and sends it
//! under that name until it is answered; once it reuses a name by mistake.

use super::base::Said;
use super::messages::Ask;
use std::collections::{BTreeMap, VecDeque};
use trace_core::error::Rule;
use trace_core::ledger::job::Outcome;
use trace_core::record::Hash;
use trace_fixtures::draw::Draw;

/// What is asked under one name.
#[derive(Clone)]
pub struct Named {
    pub key: String,
    pub items: Vec<Said>,
    /// It uses again the name of what was answered.
    pub is_reused: bool,
}

impl Named {
    /// What tells one request from another under the same name.
    pub fn hash(&self) -> Hash {
        let reused = [u8::from(self.is_reused)];
        Hash::of(&[b"simulated request", self.key.as_bytes(), &reused])
    }
}

pub struct Hosted {
    requests: VecDeque<Named>,
    /// Name → where its records stand.
    pub receipts: BTreeMap<String, Vec<(Hash, u64)>>,
    pub refused: BTreeMap<Rule, u64>,
    next_tick: u64,
}

impl Hosted {
    pub fn new(requests: Vec<Named>) -> Self {
        Self {
            requests: requests.into(),
            receipts: BTreeMap::new(),
            refused: BTreeMap::new(),
            next_tick: 0,
        }
    }

    pub fn is_done(&self) -> bool {
        self.requests.is_empty()
    }

    pub fn act(&mut self, tick: u64, draw: &mut Draw) -> Option<Ask> {
        if tick < self.next_tick {
            return None;
        }
        self.next_tick = tick + 2 + draw.below(4);
        self.requests.front().cloned().map(Ask::Request)
    }

    pub fn hear(&mut self, named: &Named, outcomes: &[Outcome]) -> Result<(), String> {
        let (key, hash) = (&named.key, named.hash());
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Unavailable(_)))
        {
            return Ok(());
        }
        let admitted: Vec<(Hash, u64)> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Admitted(admitted) => Some((admitted.hash, admitted.index)),
                _ => None,
            })
            .collect();
        if !admitted.is_empty() && admitted.len() < named.items.len() {
            return Err(format!("request {key} was admitted in part: {outcomes:?}"));
        }
        for outcome in outcomes {
            if let Outcome::Refused(refusal) = outcome {
                *self.refused.entry(refusal.invalid.rule).or_default() += 1;
            }
        }
        if !admitted.is_empty() && named.is_reused && self.receipts.contains_key(key) {
            return Err(format!(
                "request {key} was answered, and again with other content"
            ));
        }
        if !admitted.is_empty() && !named.is_reused {
            match self.receipts.insert(key.clone(), admitted.clone()) {
                Some(before) if before != admitted => {
                    return Err(format!(
                        "request {key} was answered with {before:?}, now with {admitted:?}"
                    ));
                }
                _ => {}
            }
        }
        if self
            .requests
            .front()
            .is_some_and(|first| first.hash() == hash)
        {
            self.requests.pop_front();
        }
        Ok(())
    }
}
