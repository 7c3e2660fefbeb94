//! A client with a key of its own. It signs ahead, sends what it has no receipt
//! for again and again, and after a refusal signs the rest anew, never a
//! sequence for which it holds a receipt.
//!
//! What was refused once may be admitted later: old bytes still travel, and by
//! the time they arrive they may be right. The expected link in a refusal then
//! names bytes that this client gave up; it sends those for their receipt, goes
//! on behind them, and does not say again what they have said.

use super::base::Said;
use super::messages::{Answer, Ask};
use std::collections::{BTreeMap, HashMap, VecDeque};
use trace_core::error::Rule;
use trace_core::ledger::ChainState;
use trace_core::ledger::job::{Outcome, Refusal};
use trace_core::record::chain::Chain;
use trace_core::record::sign::SigningKey;
use trace_core::record::submission::Submission;
use trace_core::record::{Hash, Origin};
use trace_fixtures::draw::Draw;

/// Signed ahead of the last receipt at most.
const AHEAD_MAX: usize = 3;

#[derive(Clone)]
struct Sent {
    sequence: u64,
    submission: Submission,
    /// What it wants, however often that is signed.
    intent: (usize, Said),
}

impl Sent {
    fn hash(&self) -> Hash {
        self.submission.signed.hash()
    }

    fn link(&self) -> Hash {
        self.submission.signed.statement().link
    }
}

pub struct Device {
    chain: Chain,
    intents: VecDeque<(usize, Said)>,
    tail: VecDeque<Sent>,
    given_up: HashMap<Hash, Sent>,
    /// Given up, and on the ledger all the same: to be sent for their receipts.
    fetch: Vec<Hash>,
    /// Sequence → what stands there.
    pub receipts: BTreeMap<u64, (Hash, u64)>,
    pub refused: BTreeMap<Rule, u64>,
    next_tick: u64,
    is_revoked: bool,
}

impl Device {
    pub fn new(origin: &Origin, seed: [u8; 32], intents: Vec<Said>) -> Self {
        Self {
            chain: Chain::new(origin.clone(), SigningKey::from_seed(seed)),
            intents: intents.into_iter().enumerate().collect(),
            tail: VecDeque::new(),
            given_up: HashMap::new(),
            fetch: Vec::new(),
            receipts: BTreeMap::new(),
            refused: BTreeMap::new(),
            next_tick: 0,
            is_revoked: false,
        }
    }

    pub fn is_done(&self) -> bool {
        self.is_revoked || self.intents.is_empty() && self.tail.is_empty() && self.fetch.is_empty()
    }

    /// What it says at this tick, if anything.
    pub fn act(&mut self, tick: u64, now_ms: u64, draw: &mut Draw) -> Option<Ask> {
        if self.is_revoked {
            return None;
        }
        while self.tail.len() < AHEAD_MAX && draw.chance(1, 2) {
            let Some(intent) = self.intents.pop_front() else {
                break;
            };
            self.sign(intent, now_ms);
        }
        if tick < self.next_tick {
            return None;
        }
        self.next_tick = tick + 2 + draw.below(4);
        if !self.fetch.is_empty() {
            let fetched = self.fetch.iter().map(|hash| &self.given_up[hash]);
            let submissions = fetched.map(|sent| sent.submission.clone());
            return Some(Ask::Records(submissions.collect()));
        }
        // Sometimes only the end of it, as when an earlier message is delayed.
        let from = match draw.chance(1, 6) {
            true => draw.place(self.tail.len().max(1)),
            false => 0,
        };
        let submissions = self.tail.iter().skip(from);
        let submissions: Vec<_> = submissions.map(|sent| sent.submission.clone()).collect();
        (!submissions.is_empty()).then_some(Ask::Records(submissions))
    }

    /// Something that it has said at some time, for others to look up.
    pub fn any_hash(&self, draw: &mut Draw) -> Option<Hash> {
        let tail = self.tail.iter().map(Sent::hash);
        let receipts = self.receipts.values().map(|(hash, _)| *hash);
        let all: Vec<Hash> = tail.chain(receipts).collect();
        (!all.is_empty()).then(|| *draw.pick(&all))
    }

    fn sign(&mut self, intent: (usize, Said), now_ms: u64) {
        let (sequence, _) = self.chain.next();
        let (_, (body, openings)) = &intent;
        let submission = Submission {
            signed: self.chain.sign(body, now_ms),
            openings: openings.clone(),
        };
        self.tail.push_back(Sent {
            sequence,
            submission,
            intent,
        });
    }

    /// Signs again all of the tail from `from` on, behind this record.
    fn sign_again(&mut self, from: usize, sequence: u64, link: Hash, now_ms: u64) {
        let old = self.tail.split_off(from);
        self.chain.resume(sequence, link);
        for sent in old {
            let intent = sent.intent.clone();
            self.given_up.insert(sent.hash(), sent);
            self.sign(intent, now_ms);
        }
    }

    pub fn hear(
        &mut self,
        answer: &Answer,
        outcomes: &[(Hash, Outcome)],
        now_ms: u64,
    ) -> Result<(), String> {
        for (hash, outcome) in outcomes {
            match outcome {
                Outcome::Admitted(admitted) if admitted.hash != *hash => {
                    return Err(format!("asked for {hash}, answered of {}", admitted.hash));
                }
                Outcome::Admitted(admitted) => self.admitted(hash, admitted.index, now_ms)?,
                Outcome::Refused(refusal) => self.refused(answer, hash, refusal, now_ms)?,
                Outcome::Unavailable(_) => {}
            }
        }
        Ok(())
    }

    fn admitted(&mut self, hash: &Hash, index: u64, now_ms: u64) -> Result<(), String> {
        self.fetch.retain(|fetched| fetched != hash);
        let at = self.tail.iter().position(|sent| sent.hash() == *hash);
        let sequence = match (at, self.given_up.get(hash)) {
            (Some(at), _) => self.tail[at].sequence,
            (None, Some(sent)) => sent.sequence,
            (None, None) => {
                let mut known = self.receipts.iter();
                let known = known.find(|(_, (known, _))| known == hash);
                let (sequence, _) = known.ok_or(format!("{hash} was never said"))?;
                *sequence
            }
        };
        match self.receipts.insert(sequence, (*hash, index)) {
            Some(before) if before != (*hash, index) => {
                return Err(format!(
                    "sequence {sequence} was acknowledged as {} at {}, now as {hash} at {index}",
                    before.0, before.1
                ));
            }
            _ => {}
        }
        let wanted = self.given_up.get(hash).map(|sent| sent.intent.0);
        if let Some(at) = at {
            self.tail.remove(at);
            return Ok(());
        }
        // Old bytes have done what newer ones were to do: those are not signed
        // once more, or it would be done twice.
        let done = self
            .tail
            .iter()
            .position(|sent| Some(sent.intent.0) == wanted);
        let done = done.and_then(|at| self.tail.remove(at).map(|sent| (at, sent)));
        if let Some((at, sent)) = done {
            self.given_up.insert(sent.hash(), sent);
            self.sign_again(at, sequence + 1, *hash, now_ms);
        } else if self.receipts.range(sequence + 1..).next().is_some() {
            // What follows it is known already.
        } else if let Some(at) = self.tail.iter().position(|sent| sent.sequence >= sequence)
            && (self.tail[at].sequence == sequence || self.tail[at].link() != *hash)
        {
            // What was given up stands there after all.
            self.sign_again(at, sequence + 1, *hash, now_ms);
        } else if self.tail.is_empty() && self.chain.next().0 <= sequence + 1 {
            self.chain.resume(sequence + 1, *hash);
        }
        Ok(())
    }

    fn refused(
        &mut self,
        answer: &Answer,
        hash: &Hash,
        refusal: &Refusal,
        now_ms: u64,
    ) -> Result<(), String> {
        let rule = refusal.invalid.rule;
        *self.refused.entry(rule).or_default() += 1;
        if let Some(expected) = &refusal.expected {
            return self.expected(answer, expected);
        }
        let Some(at) = self.tail.iter().position(|sent| sent.hash() == *hash) else {
            return Ok(());
        };
        let (sequence, link) = (self.tail[at].sequence, self.tail[at].link());
        if self.receipts.range(sequence..).next().is_some() {
            return Ok(()); // An old answer.
        }
        if rule == Rule::KeyRevoked {
            self.is_revoked = true;
            return Ok(());
        }
        let refused = self.tail.remove(at).unwrap();
        self.given_up.insert(*hash, refused);
        self.sign_again(at, sequence, link, now_ms);
        Ok(())
    }

    /// The ledger says what should have come next.
    fn expected(&mut self, answer: &Answer, expected: &ChainState) -> Result<(), String> {
        let at = expected.sequence;
        if let Some((hash, index)) = self.receipts.get(&at)
            && answer.size_before > *index
        {
            return Err(format!(
                "rollback: sequence {at} was acknowledged as {hash} at {index}, at size {} it is \
                 expected",
                answer.size_before
            ));
        }
        if at == 0 || self.receipts.contains_key(&(at - 1)) {
            return Ok(());
        }
        let mut link = expected.link;
        if self.tail.iter().any(|sent| sent.hash() == link) {
            return Ok(()); // Its receipt is on the way, or was lost.
        }
        while let Some(sent) = self.given_up.get(&link) {
            if self.receipts.contains_key(&sent.sequence) {
                return Ok(());
            }
            self.fetch.insert(0, link);
            link = sent.link();
        }
        let is_own = link == Hash::ZERO
            || self.tail.iter().any(|sent| sent.hash() == link)
            || self.receipts.values().any(|(hash, _)| *hash == link);
        self.fetch.dedup();
        match is_own {
            true => Ok(()),
            false => Err(format!("{link} stands in this chain and was never signed")),
        }
    }
}
