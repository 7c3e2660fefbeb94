//! The demo's loggers: readings of weeks, day after day in the order in which
//! they arrive, sealed by the week by each store's own key.
//!
//! Today's readings stay unsealed, as they do where a logger is at work.

use std::path::Path;

use trace_core::{
    ident::{EquipmentId, TraceCode},
    ledger::{
        Ledger, cold_chain,
        job::{GROUP_RECORDS_MAX, Item},
        readings::{READINGS_FILE, Readings, Settings},
    },
    record::{
        kinds::segment_sealed::SegmentSealed, readings::READINGS_MAX, status::ColdChain,
        submission::Submission, temperature::Reading,
    },
};
use trace_fixtures::{
    Chains, City, SignerIndex,
    temperatures::{Sent, sent},
};

use crate::cli::{
    Failure, Manner,
    local::{Denied, Local},
    progress::{Interrupt, bar},
};

/// Days of readings that a store seals at a time.
const SEALED_DAYS: u64 = 7;
const DAY_MS: u64 = 24 * 3_600_000;

/// Stores everything that loggers sent from `from_ms` to `until_ms`, and seals
/// the whole days of it.
///
/// # Errors
/// [`Failure`]; [`Failure::Interrupted`] on Ctrl-C.
pub(super) fn read(
    data: &Path,
    local: &Local,
    city: &City,
    chains: &mut Chains,
    (from_ms, until_ms): (u64, u64),
    manner: &Manner,
    interrupt: &Interrupt,
) -> Result<Readings, Failure> {
    let readings = Readings::create(&data.join(READINGS_FILE), Settings::default())?;
    let days = until_ms.saturating_sub(from_ms).div_ceil(DAY_MS);
    let bar = bar(days, manner.of("temperatures", "温度记录"));
    let all = city.logged_stores().iter();
    let mut arriving: Vec<Sent> = all
        .flat_map(|store| sent(city, store, from_ms, until_ms))
        .collect();
    // Of one probe, what comes on one day stays in its order.
    arriving.sort_by_key(|sent| sent.day);
    for day in arriving.chunk_by(|a, b| a.day == b.day) {
        if interrupt.is_wanted() {
            return Err(stopped(manner));
        }
        append(&readings, day, until_ms)?;
        bar.inc(1);
        if let Some(today) = day.first().map(|sent| sent.day)
            && (today + 1).is_multiple_of(SEALED_DAYS)
        {
            let midnight_ms = from_ms + (today + 1) * DAY_MS;
            seal(local, city, chains, &readings, midnight_ms, until_ms)?;
        }
    }
    bar.finish_and_clear();
    Ok(readings)
}

fn stopped(manner: &Manner) -> Failure {
    Failure::Interrupted(
        manner
            .of(
                "stopped by Ctrl-C; the demo is not finished, --fresh makes it anew",
                "已被 Ctrl-C 停止;演示账本未制作完成,请用 --fresh 重新制作",
            )
            .to_owned(),
    )
}

/// A day's readings, in as many calls as they need.
fn append(readings: &Readings, day: &[Sent], now_ms: u64) -> Result<(), Failure> {
    let mut call: Vec<(EquipmentId, Vec<Reading>)> = Vec::new();
    let mut count = 0;
    for sent in day {
        if count + sent.readings.len() > READINGS_MAX {
            readings.append(std::mem::take(&mut call), now_ms, 0)?;
            count = 0;
        }
        count += sent.readings.len();
        call.push((sent.probe, sent.readings.clone()));
    }
    readings.append(call, now_ms, 0)?;
    Ok(())
}

/// Every probe's readings before a time become its next segment, signed now by its
/// store.
fn seal(
    local: &Local,
    city: &City,
    chains: &mut Chains,
    readings: &Readings,
    before_ms: u64,
    now_ms: u64,
) -> Result<(), Failure> {
    let probes: Vec<(SignerIndex, EquipmentId)> = city
        .logged_stores()
        .iter()
        .flat_map(|store| {
            let signer = city.first_signer(store.place);
            let probes = store.zones.iter().flat_map(|zone| &zone.probes);
            probes.map(move |probe| (signer, *probe))
        })
        .collect();
    for group in probes.chunks(GROUP_RECORDS_MAX) {
        let ledger = local.ledger();
        let mut drafts = Vec::with_capacity(group.len());
        for (signer, probe) in group {
            let next = next_segment(ledger, probe)?;
            if let Some(segment) = readings.draft(probe, next, before_ms.saturating_sub(1))? {
                drafts.push((*signer, segment));
            }
        }
        let signed = drafts.iter().map(|(signer, segment)| {
            let body = SegmentSealed::of(*segment, None).into();
            Submission::bare(chains.chain(*signer).sign(&body, now_ms))
        });
        let items: Vec<Item> = ledger
            .verify(signed.collect())
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|refusal| refusal.invalid)?;
        local
            .admit(items)
            .map_err(|Denied { failure, .. }| failure)?;
        for (_, segment) in drafts {
            readings.confirm(&segment.probe, segment.number)?;
        }
    }
    Ok(())
}

fn next_segment(ledger: &Ledger, probe: &EquipmentId) -> Result<u64, Failure> {
    use trace_core::rules::ColdFacts;
    let state = ledger.view().folded().equipment(probe)?;
    Ok(state.map_or(0, |state| state.next_segment))
}

/// Units that lay in stores with loggers, by how they were kept: how many, and
/// the last one, if can be that has left: what lies there still has a gap as soon
/// as the demo rests.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) kept: Sort,
    pub(super) exceeded: Sort,
    pub(super) gaps: Sort,
}

/// Units kept alike.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sort {
    pub(super) count: u64,
    pub(super) last: Option<TraceCode>,
}

/// Judges units, in the order in which they were placed.
///
/// # Errors
/// [`Failure`].
pub(super) fn judged(
    local: &Local,
    readings: &Readings,
    units: &[TraceCode],
    now_ms: u64,
) -> Result<Judged, Failure> {
    let view = local.ledger().view();
    let mut found = Judged::default();
    for unit in units {
        let Some(kept) = cold_chain::kept(&view, readings, unit, now_ms)? else {
            continue;
        };
        let sort = match kept.state {
            ColdChain::Kept => &mut found.kept,
            ColdChain::Exceeded => &mut found.exceeded,
            ColdChain::Gaps => &mut found.gaps,
            ColdChain::NotMonitored => continue,
        };
        sort.count += 1;
        if sort.last.is_none() || kept.stays.iter().all(|stay| !stay.is_open) {
            sort.last = Some(*unit);
        }
    }
    Ok(found)
}
