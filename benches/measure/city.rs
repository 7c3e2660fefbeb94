//! A ledger of the made-up city, and records for it that need no other: what
//! the benches append and look up.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use trace_core::ledger::Ledger;
use trace_core::ledger::hosted::HostedKeys;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::opening::{self, Parts, Settings};
use trace_core::proof::note::NoteSigner;
use trace_core::record::Body;
use trace_core::record::submission::Submission;
use trace_fixtures::{Act, Chains, City, Wants};

/// An open ledger with everybody registered.
pub struct Site {
    pub folder: TempDir,
    pub ledger: Ledger,
    now_ms: Arc<AtomicU64>,
}

/// Everybody's registration, and pairs of "unit created" and "certificate"
/// which only need each other.
pub struct Material {
    pub city: City,
    pub opening: Vec<Submission>,
    pub records: Vec<Submission>,
    pub until_ms: u64,
}

pub fn parts(city: &City) -> Parts {
    Parts {
        origin: city.origin().clone(),
        signer: Arc::new(NoteSigner::new(city.origin().as_str(), city.ledger_key()).unwrap()),
        hosted: HostedKeys::absent(),
        entropy: Box::new(|bytes| bytes.fill(7)),
    }
}

impl Material {
    /// At least `count` records, signed by their issuers' own keys.
    pub fn new(seed: u64, count: usize) -> Self {
        // At scale 1 the city issues 61,770 electronic certificates: 123,540 records.
        let city = City::new(seed, (count as f64 / 120_000.0).max(0.002));
        // All within the days that an issue date may precede admission, so that
        // one time of admission serves for all.
        let until_ms = 1_779_000_000_000;
        // The opening takes a second for each of its acts, before any of them.
        let opening_ms = 1_000 * trace_fixtures::opening::act_count(&city) as u64;
        let from_ms = until_ms - 71 * 3_600_000 - opening_ms;
        let mut chains = Chains::new(&city);
        let mut all = city.acts(from_ms, until_ms);
        let opening: Vec<Act> = all
            .by_ref()
            .take(trace_fixtures::opening::act_count(&city))
            .collect();
        let first_keys: HashSet<_> = (0..city.entities().len())
            .map(|place| city.first_signer(place))
            .collect();
        let acts: Vec<Act> = all
            .filter(|act| {
                matches!(
                    act.body,
                    Body::UnitCreated(_) | Body::ElectronicTraceabilityCertificate(_)
                )
            })
            .filter(|act| act.wants == Wants::Nothing && first_keys.contains(&act.signer))
            .collect();
        let opening = chains.sign_all(opening, 2);
        let pairs = paired(acts, count);
        let records = chains.sign_all(pairs, 2);
        Self {
            city,
            opening,
            records,
            until_ms,
        }
    }
}

/// Certificates with the units that they are about, and no unit without one.
fn paired(acts: Vec<Act>, count: usize) -> Vec<Act> {
    let certified: HashSet<_> = acts
        .iter()
        .filter_map(|act| match &act.body {
            Body::ElectronicTraceabilityCertificate(body) => Some(body.0.unit),
            _ => None,
        })
        .collect();
    let created: HashSet<_> = acts
        .iter()
        .filter_map(|act| match &act.body {
            Body::UnitCreated(body) => Some(body.unit),
            _ => None,
        })
        .collect();
    // A corrected certificate follows a record that is left out here.
    let mut seen = HashSet::new();
    let is_paired = |act: &Act| match &act.body {
        Body::ElectronicTraceabilityCertificate(body) => {
            created.contains(&body.0.unit) && seen.insert(body.0.unit)
        }
        Body::UnitCreated(body) => certified.contains(&body.unit),
        _ => false,
    };
    acts.into_iter().filter(is_paired).take(count).collect()
}

impl Site {
    /// A fresh ledger with everybody of `material` registered.
    pub fn new(material: &Material, settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let sequencer = opening::create(folder.path(), settings, parts(&material.city)).unwrap();
        let now_ms = Arc::new(AtomicU64::new(material.until_ms));
        let clock = Arc::clone(&now_ms);
        let ledger = Ledger::start(
            sequencer,
            Arc::new(move || clock.load(Ordering::Relaxed)),
            |why| panic!("{why}"),
        )
        .unwrap();
        let site = Self {
            folder,
            ledger,
            now_ms,
        };
        site.admit_all(&material.opening);
        site
    }

    /// Admits records in order, in whole groups.
    pub fn admit_all(&self, records: &[Submission]) {
        for (at, group) in records.chunks(1000).enumerate() {
            let items: Vec<Item> = match at {
                // The first records enrol the keys of the next: they go one by one.
                0 => {
                    for one in group {
                        self.admit_group(self.verify(std::slice::from_ref(one)));
                    }
                    continue;
                }
                _ => self.verify(group),
            };
            self.admit_group(items);
        }
    }

    pub fn verify(&self, records: &[Submission]) -> Vec<Item> {
        self.ledger
            .verify(records.to_vec())
            .into_iter()
            .map(|item| item.unwrap_or_else(|refusal| panic!("{}", refusal.invalid)))
            .collect()
    }

    fn admit_group(&self, items: Vec<Item>) {
        let answered = self
            .ledger
            .submit_and_wait(Job {
                items,
                atomic: false,
                request: None,
            })
            .unwrap();
        for outcome in answered.outcomes {
            match outcome {
                Outcome::Admitted(_) => {}
                Outcome::Refused(refusal) => panic!("{}", refusal.invalid),
                Outcome::Unavailable(why) => panic!("{why}"),
            }
        }
    }

    /// Moves the ledger's clock.
    pub fn set_clock(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
    }
}
