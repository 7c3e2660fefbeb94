//! Making a demo: a simulated year, signed by everybody's own keys.
//!
//! One thread plans acts, signs and verifies them on all cores and keeps a few
//! batches ahead; this one hands them to the writer. The writer's clock is
//! simulated: it stands at each batch's last act, so that what was signed in
//! March is admitted in March. A batch spans a limited time, so that nothing is
//! admitted long after it was signed.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use trace_core::{
    ident::{Area, CivilDate, LEDGER_OFFSET_MINUTES, TraceCode},
    ledger::{
        Settings,
        hosted::Kek,
        job::{GROUP_RECORDS_MAX, Item},
        lookup::{Audience, Lookup},
        readings::Readings,
        tokens::Grant,
    },
    record::{
        Body, Hash, Role, Status,
        sign::{Key, SigningKey},
        submission::Submission,
    },
    store::{
        disk::{Access, RealDisk},
        files,
    },
};
use trace_fixtures::{Act, Chains, City, SignerIndex, entity::Entity, opening};
use zeroize::Zeroizing;

use super::{
    cheats,
    cold::{self, Judged},
    marks::{self, Marks},
};
use crate::{
    api::entities::key_enrolled,
    cli::{
        Failure, Manner,
        local::{Denied, Local},
        progress::{Interrupt, bar},
        token,
    },
    home::Home,
    machine,
};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// The year up to now.
const SPAN_MS: u64 = 365 * DAY_MS;
/// Longest time that a record waits to be admitted: as when devices send what
/// they signed three times a working day. Shorter batches cost a commit each,
/// and a commit is what a disk is slow at: four hours make some two thousand.
const BATCH_SPAN_MS: u64 = 4 * 60 * MINUTE_MS;
/// Batches signed ahead of the writer.
const BATCHES_AHEAD: usize = 8;
/// Trace codes remembered while looking for one that is still valid at the end.
const RECENT_MAX: usize = 2_000;
/// The file of the key-encryption key.
pub(super) const KEK: &str = "demo.kek";

/// Records to be admitted together.
struct Batch {
    items: Vec<Item>,
    /// The time of the last of them.
    at_ms: u64,
}

/// Where time goes.
#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    planning: Duration,
    signing: Duration,
    verifying: Duration,
    admitting: Duration,
    waiting: Duration,
}

/// Codes worth showing, as they pass.
#[derive(Debug, Default)]
struct Worth {
    recent: std::collections::VecDeque<TraceCode>,
    voided: Option<TraceCode>,
    superseded: Option<TraceCode>,
    recalled: Option<TraceCode>,
    /// Units that lie or lay in stores with loggers.
    placed: Vec<TraceCode>,
}

pub(super) fn make(data: &Path, seed: u64, scale: f64, manner: &Manner) -> Result<Marks, Failure> {
    let started = Instant::now();
    marks::begin(data)?;
    let interrupt = Interrupt::watch();
    let city = City::new(seed, scale);
    let until_ms = machine::now_ms();
    // From midnight on: the same seed makes the same ledger all day long.
    let today = CivilDate::from_ms(until_ms, LEDGER_OFFSET_MINUTES)?;
    let from_ms = today
        .start_ms(LEDGER_OFFSET_MINUTES)?
        .saturating_sub(SPAN_MS);
    let now_ms = Arc::new(AtomicU64::new(from_ms));
    let local = create(data, &city, Arc::clone(&now_ms))?;

    let chains = Chains::new(&city);
    let (batches, ready) = sync_channel(BATCHES_AHEAD);
    let bar = year_bar(from_ms, until_ms, manner);
    let mut worth = Worth::default();
    let mut spent = Spent::default();
    let (mut chains, admitted) = thread::scope(|scope| {
        let city = &city;
        let maker = scope.spawn(move || {
            let acts = city.acts(from_ms, until_ms);
            prepare(acts, city, chains, &batches)
        });
        let admitted = admit(
            &local,
            &now_ms,
            &ready,
            &bar,
            &interrupt,
            (&mut worth, &mut spent),
        );
        // A maker that waits for room ends when nobody takes any more.
        drop(ready);
        let made = maker.join();
        let (chains, prepared) =
            made.map_err(|_| Failure::Machine("making the demo panicked".to_owned()))?;
        spent.planning = prepared.planning;
        spent.signing = prepared.signing;
        spent.verifying = prepared.verifying;
        Ok::<_, Failure>((chains, admitted))
    })?;
    bar.finish_and_clear();
    let records = match admitted {
        Ok(records) => records,
        Err(failure) => {
            local.close()?;
            return Err(failure);
        }
    };
    told_time(records, started.elapsed(), spent, manner);

    now_ms.store(until_ms, Ordering::Relaxed);
    let first = |role| city.places(role).first().copied().unwrap_or_default();
    let mut keep = |place| hosted(&local, city.entity(place), &city, &mut chains, until_ms);
    let producer = keep(first(Role::Producer))?;
    let cold_store = keep(first(Role::ColdStore))?;
    // The authority of the county where that producer is.
    let county = city.entity(first(Role::Producer)).area;
    let authority = keep(city.authority(county))?;
    let grant = |entity, role| Grant {
        entity,
        role,
        area: Some(Area::LANGFANG),
        expires_ms: until_ms.saturating_add(10 * SPAN_MS),
    };
    let issued = |grant| -> Result<String, Failure> {
        let (_, text) = token::issue(data, grant, machine::now_ms())?;
        Ok(text.to_string())
    };
    let text = |entity, role| issued(grant(entity, role));
    let of_county = Grant {
        area: Some(county),
        ..grant(Some(authority), Role::Authority)
    };
    let logged_from_ms = city.acts(from_ms, until_ms).logged_from_ms();
    let logged_ms = (logged_from_ms.unwrap_or(until_ms), until_ms);
    let readings = cold::read(
        data,
        &local,
        &city,
        &mut chains,
        logged_ms,
        manner,
        &interrupt,
    )?;
    let judged = cold::judged(&local, &readings, &worth.placed, until_ms)?;
    told_judged(&judged, manner);
    let refused = cheats::tried(&local, &city, &mut chains, worth.recalled, until_ms)?;
    let valid = valid(&local, &readings, &worth, until_ms)?;
    let said = |code: TraceCode| code.to_string();
    let marks = Marks {
        anchor: local.anchor()?.to_string(),
        records: local.ledger().view().size(),
        valid: valid.0.to_string(),
        entity: valid.1,
        voided: worth.voided.map(said),
        superseded: worth.superseded.map(said),
        recalled: worth.recalled.map(said),
        kept: judged.kept.last.map(said),
        exceeded: judged.exceeded.last.map(said),
        gaps: judged.gaps.last.map(said),
        inspector_token: text(None, Role::Inspector)?,
        producer: (producer.to_string(), text(Some(producer), Role::Producer)?),
        authority: (authority.to_string(), issued(of_county)?),
        cold_store: (
            cold_store.to_string(),
            text(Some(cold_store), Role::ColdStore)?,
        ),
        refused,
    };
    local.close()?;
    marks::complete(data, &marks)?;
    Ok(marks)
}

/// An empty ledger under the city's key, with a writer whose clock is told.
fn create(data: &Path, city: &City, now_ms: Arc<AtomicU64>) -> Result<Local, Failure> {
    let kek = Zeroizing::new(Hash::from(machine::random::<32>()).to_string());
    files::replace(&RealDisk, &data.join(KEK), kek.as_bytes(), Access::Secret)?;
    let settings = Settings {
        // The simulated clock runs a year ahead in a minute, and rests over
        // nights and, at small scales, months.
        clock_jump_max_ms: 2 * SPAN_MS,
        ..Settings::default()
    };
    let (home, sequencer) = Home::create(
        data,
        city.origin().clone(),
        city.ledger_key(),
        Kek::from_hex(&kek),
        settings,
    )?;
    Local::start(
        home,
        sequencer,
        Arc::new(move || now_ms.load(Ordering::Relaxed)),
    )
}

/// Plans, signs and verifies, batch after batch, until nobody takes them.
fn prepare(
    acts: impl Iterator<Item = Act>,
    city: &City,
    mut chains: Chains,
    batches: &SyncSender<Batch>,
) -> (Chains, Spent) {
    let threads = thread::available_parallelism().map_or(1, |count| count.get());
    let keys: Vec<Key> = (0..city.signer_count())
        .map(|place| chains.key(SignerIndex(place)))
        .collect();
    let mut spent = Spent::default();
    let mut acts = acts.peekable();
    loop {
        let clock = Instant::now();
        let mut batch: Vec<Act> = Vec::new();
        let mut first_ms = None;
        while let Some(act) = acts.next_if(|act| {
            let first_ms = *first_ms.get_or_insert(act.at_ms);
            act.at_ms.saturating_sub(first_ms) <= BATCH_SPAN_MS
        }) {
            batch.push(act);
            if batch.len() == GROUP_RECORDS_MAX {
                break;
            }
        }
        let Some(last) = batch.last() else {
            return (chains, spent);
        };
        let at_ms = last.at_ms;
        let signers: Vec<SignerIndex> = batch.iter().map(|act| act.signer).collect();
        spent.planning += clock.elapsed();
        let clock = Instant::now();
        let signed = chains.sign_all(batch, threads);
        spent.signing += clock.elapsed();
        let clock = Instant::now();
        let items = verify(signed, &signers, &keys, threads);
        spent.verifying += clock.elapsed();
        if batches.send(Batch { items, at_ms }).is_err() {
            return (chains, spent);
        }
    }
}

/// Verifies on all cores; what does not verify is left out, and its signer's
/// next record is then refused by its sequence.
fn verify(
    signed: Vec<Submission>,
    signers: &[SignerIndex],
    keys: &[Key],
    threads: usize,
) -> Vec<Item> {
    let verify_one = |(submission, signer): (Submission, &SignerIndex)| {
        let key = keys.get(signer.0)?;
        let record = submission.signed.verify(key).ok()?;
        Some(Item::Signed {
            record: Box::new(record),
            openings: submission.openings,
        })
    };
    let share = signed.len().div_ceil(threads).max(1);
    let mut signed = signed.into_iter();
    let shares: Vec<Vec<(Submission, &SignerIndex)>> = signers
        .chunks(share)
        .map(|signers| signed.by_ref().zip(signers).collect())
        .collect();
    thread::scope(|scope| {
        let hands: Vec<_> = shares
            .into_iter()
            .map(|share| {
                scope.spawn(move || share.into_iter().filter_map(verify_one).collect::<Vec<_>>())
            })
            .collect();
        hands
            .into_iter()
            .flat_map(|hand| hand.join().unwrap_or_default())
            .collect()
    })
}

/// Hands batches to the writer, each at its own time; how many records there
/// are then.
fn admit(
    local: &Local,
    now_ms: &AtomicU64,
    ready: &Receiver<Batch>,
    bar: &ProgressBar,
    interrupt: &Interrupt,
    seen: (&mut Worth, &mut Spent),
) -> Result<u64, Failure> {
    let (worth, spent) = seen;
    let from_ms = now_ms.load(Ordering::Relaxed);
    let mut records = 0;
    loop {
        let clock = Instant::now();
        let Ok(batch) = ready.recv() else {
            return Ok(records);
        };
        spent.waiting += clock.elapsed();
        if interrupt.is_wanted() {
            return Err(Failure::Interrupted(format!(
                "stopped by Ctrl-C after {records} records; the demo is not finished, --fresh makes it anew"
            )));
        }
        let clock = Instant::now();
        batch.items.iter().for_each(|item| worth.note(item));
        now_ms.store(batch.at_ms, Ordering::Relaxed);
        let stands = local
            .admit(batch.items)
            .map_err(|Denied { failure, .. }| failure)?;
        records += stands.len() as u64;
        spent.admitting += clock.elapsed();
        bar.set_position(batch.at_ms.saturating_sub(from_ms) / DAY_MS);
        bar.set_prefix(records.to_string());
    }
}

fn year_bar(from_ms: u64, until_ms: u64, manner: &Manner) -> ProgressBar {
    let days = until_ms / DAY_MS - from_ms / DAY_MS;
    let bar = bar(days, manner.of("a year", "一年"));
    let template = "{msg} [{bar:32}] {pos}/{len} {prefix} {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

impl Worth {
    fn note(&mut self, item: &Item) {
        let Item::Signed { record, .. } = item else {
            return;
        };
        match record.body() {
            Body::ElectronicTraceabilityCertificate(body) => {
                if self.recent.len() == RECENT_MAX {
                    self.recent.pop_front();
                }
                self.recent.push_back(body.0.unit);
            }
            Body::Recalled(body) => self.recalled = Some(body.unit),
            Body::Placed(body) => self.placed.push(body.unit),
            Body::Voided(body) => self.voided = Some(body.unit),
            Body::Superseded(body) if body.unit != body.replacement_unit => {
                self.superseded = Some(body.unit);
            }
            _ => {}
        }
    }
}

/// Looks the codes up as a guest would: the newest one that is valid, if can be
/// with a way through a cold store, and who issued its certificate.
fn valid(
    local: &Local,
    readings: &Readings,
    worth: &Worth,
    at_ms: u64,
) -> Result<(TraceCode, String), Failure> {
    let view = local.ledger().view();
    let lookup = Lookup::new(&view, local.ledger().vault(), Audience::Public, at_ms)?;
    let mut lookup = lookup.with_readings(Some(readings));
    let mut valid: Option<(TraceCode, String, usize)> = None;
    for code in worth.recent.iter().rev() {
        let Some(answer) = lookup.unit(*code, 0, 8)? else {
            continue;
        };
        let length = answer.records.len();
        let is_longer = valid.as_ref().is_none_or(|(_, _, known)| length > *known);
        if answer.status == Status::Valid && is_longer {
            let issuer = answer.records.first().map(|first| first.signer.entity);
            valid = issuer.map(|issuer| (*code, issuer.to_string(), length));
        }
        if valid.as_ref().is_some_and(|(_, _, length)| *length >= 4) {
            break;
        }
    }
    let newest = || {
        let code = worth.recent.back().copied();
        code.map(|code| (code, String::new(), 0))
    };
    let (code, entity, _) = valid
        .or_else(newest)
        .ok_or_else(|| Failure::Machine("the demo holds no certificate".to_owned()))?;
    Ok((code, entity))
}

/// Gives an entity a hosted key, enrolled by its authority.
fn hosted(
    local: &Local,
    entity: &Entity,
    city: &City,
    chains: &mut Chains,
    at_ms: u64,
) -> Result<trace_core::ident::EntityId, Failure> {
    let seed = Zeroizing::new(machine::random::<32>());
    let key = SigningKey::from_seed(*seed);
    local
        .ledger()
        .host_key(entity.id, seed, machine::random())?;
    let (registrar, _) = opening::registrar(city, entity);
    let body = key_enrolled(city.origin(), entity.id, &key, true).into();
    let signed = chains.chain(registrar).sign(&body, at_ms);
    let verified = local.ledger().verify(vec![Submission::bare(signed)]);
    let items = verified
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|refusal| refusal.invalid)?;
    local
        .admit(items)
        .map_err(|Denied { failure, .. }| failure)?;
    Ok(entity.id)
}

fn told_time(records: u64, elapsed: Duration, spent: Spent, manner: &Manner) {
    let whole_ms = elapsed.as_millis().max(1);
    let rate = u128::from(records) * 1_000 / whole_ms;
    let s = |duration: Duration| format!("{:.1}", duration.as_secs_f64());
    let (planning, signing, verifying) = (s(spent.planning), s(spent.signing), s(spent.verifying));
    let (admitting, waiting, all) = (s(spent.admitting), s(spent.waiting), s(elapsed));
    manner.remark(
        &format!(
            "{records} records in {all} s ({rate} a second): planning {planning} s, signing {signing} s, \
             verifying {verifying} s; beside it admitting {admitting} s, and {waiting} s waiting for signatures"
        ),
        &format!(
            "{records} 条记录,用时 {all} 秒(每秒 {rate} 条):生成 {planning} 秒,签名 {signing} 秒,验签 {verifying} 秒;\
             同时收录 {admitting} 秒,等待签名 {waiting} 秒"
        ),
    );
}

fn told_judged(judged: &Judged, manner: &Manner) {
    let (kept, exceeded, gaps) = (judged.kept.count, judged.exceeded.count, judged.gaps.count);
    manner.remark(
        &format!(
            "batches in cold stores with loggers: {kept} kept as their policies demand, \
             {exceeded} exceeded, {gaps} with gaps"
        ),
        &format!("装有记录仪的冷库中的批次:温度达标 {kept},曾超温 {exceeded},记录有缺口 {gaps}"),
    );
}
