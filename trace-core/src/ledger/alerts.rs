//! Alerts about probes: what a cold store must look after now.
//!
//! Nothing here is stored but what was acknowledged: an alert follows from the
//! ledger, the readings and the time that is passed in, and ends when its cause
//! does.
//!
//! | alert | from when on |
//! |---|---|
//! | excursion | the first reading of the run outside the band that lasts still |
//! | silent | the last reading, or when goods came where there never was one |
//! | calibration overdue | the first day on which it does not hold |
//!
//! The policies of a probe are those of the goods that lie where it measures: in
//! its own place, or in what that is part of. Where nothing lies, neither silence
//! nor warmth is alarming. A probe that is silent is not said to be outside its
//! band: nobody knows.
//!
//! An acknowledgement holds for the alert that was on when it was given: one that
//! began later is new.

use super::readings::Readings;
use super::view::View;
use super::{Failed, rows};
use crate::error::Store;
use crate::ident::{Area, CivilDate, EntityId, EquipmentId};
use crate::record::alert::{Acknowledgement, AlertSort, LyingState};
use crate::record::cold_chain::{EquipmentKind, EquipmentState, TemperaturePolicy};
use crate::record::temperature::Reading;
use crate::record::wire::Day;
use crate::rules::ColdFacts;
use serde::{Deserialize, Serialize};

/// Pieces of equipment looked at for one page: a probe's last reading is found in
/// some 20 microseconds.
const SCANNED_MAX: usize = 2_000;

/// Wholes of wholes: probe, zone, store.
const DEPTH_MAX: usize = 4;

/// How far back the beginning of an excursion is sought first; then eight times as
/// far, and so on.
const LOOK_BACK_MS: u64 = 6 * 3_600_000;

/// Something to look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// About what.
    pub sort: AlertSort,
    /// The probe.
    pub equipment: EquipmentId,
    /// Whose it is.
    pub entity: EntityId,
    /// Where.
    pub area: u32,
    /// Since when.
    pub since_ms: u64,
    /// The code of the policy that it breaks; none of a calibration.
    pub policy: Option<String>,
    /// How many units lie there under that policy.
    pub units: u64,
    /// What the probe read last.
    pub last: Option<Reading>,
    /// What it read furthest outside since.
    pub peak_milli_c: Option<i32>,
    /// The last day on which its calibration held.
    pub calibration_due: Option<Day>,
    /// Who acknowledged it and when.
    pub acknowledged: Option<Acknowledgement>,
}

/// Some alerts, by probe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alerts {
    /// Those found.
    pub alerts: Vec<Alert>,
    /// Where to go on; none at the end.
    pub next_after: Option<EquipmentId>,
}

/// The time for which alerts are derived.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// In milliseconds since the epoch.
    pub ms: u64,
    /// Civil time: minutes east of UTC.
    pub offset_minutes: i32,
}

/// Alerts about the probes behind `after` that `sees` lets through, at most about
/// `limit`. Looks at a bounded number of probes: an empty answer that says where to
/// go on is not the end.
///
/// # Errors
/// From the store, and from `sees`.
pub fn alerts<E: From<Failed>>(
    view: &View,
    readings: &Readings,
    now: Now,
    after: Option<EquipmentId>,
    limit: usize,
    mut sees: impl FnMut(&EquipmentState) -> Result<bool, E>,
) -> Result<Alerts, E> {
    let mut found = Alerts::default();
    let page = equipment_after(view, after)?;
    let is_all = page.len() < SCANNED_MAX;
    for (equipment, state) in page {
        if found.alerts.len() >= limit {
            return Ok(found);
        }
        found.next_after = Some(equipment);
        let is_watched = state.kind == EquipmentKind::Probe && state.retired.is_none();
        if is_watched && sees(&state)? {
            let about = of_probe(view, readings, now, &equipment, &state)?;
            found.alerts.extend(about);
        }
    }
    if is_all {
        found.next_after = None;
    }
    Ok(found)
}

fn equipment_after(
    view: &View,
    after: Option<EquipmentId>,
) -> Result<Vec<(EquipmentId, EquipmentState)>, Failed> {
    let from = match after {
        Some(id) => [rows::equipment(&id), vec![0]].concat(),
        None => rows::EQUIPMENT.to_vec(),
    };
    let mut page = Vec::new();
    let take = |key: &[u8], state| page.extend(rows::equipment_at_end(key).map(|id| (id, state)));
    view.folded()
        .values(rows::EQUIPMENT, &from, SCANNED_MAX, "equipment", take)?;
    Ok(page)
}

/// The alerts about one probe.
fn of_probe(
    view: &View,
    readings: &Readings,
    now: Now,
    probe: &EquipmentId,
    state: &EquipmentState,
) -> Result<Vec<Alert>, Failed> {
    let blank = |sort, since_ms| Alert {
        sort,
        equipment: *probe,
        entity: state.entity,
        area: state.area,
        since_ms,
        policy: None,
        units: 0,
        last: None,
        peak_milli_c: None,
        calibration_due: None,
        acknowledged: None,
    };
    let mut alerts = Vec::new();
    if let Some(calibration) = state.calibration {
        let over = calibration.due.date()?.add_days(1)?;
        let since_ms = over.start_ms(now.offset_minutes)?;
        if over <= CivilDate::from_ms(now.ms, now.offset_minutes)? {
            alerts.push(Alert {
                calibration_due: Some(calibration.due),
                ..blank(AlertSort::CalibrationOverdue, since_ms)
            });
        }
    }
    let policies = policies_at(view, probe, state)?;
    let last = readings.last_before(probe, u64::MAX)?;
    let strictest = policies.iter().min_by_key(|it| it.text.gap_s_max);
    if let Some(strictest) = strictest {
        let since_ms = last.map_or(strictest.lying.since_ms, |last| last.at_ms);
        let gap_ms = u64::from(strictest.text.gap_s_max) * 1_000;
        if now.ms.saturating_sub(since_ms) > gap_ms {
            alerts.push(Alert {
                policy: Some(strictest.code.clone()),
                units: strictest.lying.units,
                last,
                ..blank(AlertSort::Silent, since_ms)
            });
        } else if let Some(last) = last {
            alerts.extend(excursion(readings, probe, &policies, last)?.map(
                |(policy, since_ms, peak_milli_c)| Alert {
                    policy: Some(policy.code.clone()),
                    units: policy.lying.units,
                    last: Some(last),
                    peak_milli_c: Some(peak_milli_c),
                    ..blank(AlertSort::Excursion, since_ms)
                },
            ));
        }
    }
    for alert in &mut alerts {
        let key = rows::acknowledgement(probe, alert.sort);
        let given: Option<Acknowledgement> = view.folded().read("acknowledgement", &key)?;
        alert.acknowledged = given.filter(|it| it.at_ms >= alert.since_ms);
    }
    Ok(alerts)
}

/// A policy of goods that lie where a probe measures.
struct Demanded {
    code: String,
    text: TemperaturePolicy,
    lying: LyingState,
}

fn policies_at(
    view: &View,
    probe: &EquipmentId,
    state: &EquipmentState,
) -> Result<Vec<Demanded>, Failed> {
    let folded = view.folded();
    let (mut place, mut whole) = (*probe, state.part_of);
    let mut demanded = Vec::new();
    for _ in 0..DEPTH_MAX {
        let prefix = rows::lying_in(&place);
        let mut lying = Vec::new();
        folded.values(&prefix, &prefix, usize::MAX, "lying", |key, state| {
            lying.push((rows::policy_of_lying(key), state));
        })?;
        for (policy, lying) in lying {
            let lying: LyingState = lying;
            let Some((code, version)) = policy else {
                let what = format!("index: what lies in {place}");
                return Err(Store::Damaged { what }.into());
            };
            if lying.units > 0 {
                demanded.push(Demanded {
                    text: super::cold_chain::policy_text(folded, &code, version)?,
                    code,
                    lying,
                });
            }
        }
        let Some(next) = whole else { break };
        place = next;
        whole = folded.equipment(&next)?.and_then(|state| state.part_of);
    }
    Ok(demanded)
}

/// The run outside the band that lasts still, of the policy that it has broken for
/// longest: since when, and what was furthest outside.
fn excursion<'a>(
    readings: &Readings,
    probe: &EquipmentId,
    policies: &'a [Demanded],
    last: Reading,
) -> Result<Option<(&'a Demanded, u64, i32)>, Failed> {
    let mut longest: Option<(&Demanded, u64, i32)> = None;
    for policy in policies {
        if policy.text.beyond(last.temperature_milli_c) == 0 {
            continue;
        }
        let (since_ms, peak) = begun(readings, probe, &policy.text, last)?;
        if longest.is_none_or(|(_, earlier, _)| since_ms < earlier) {
            longest = Some((policy, since_ms, peak));
        }
    }
    Ok(longest)
}

/// Where the run outside the band began that `last` belongs to.
fn begun(
    readings: &Readings,
    probe: &EquipmentId,
    policy: &TemperaturePolicy,
    last: Reading,
) -> Result<(u64, i32), Failed> {
    let gap_ms = u64::from(policy.gap_s_max) * 1_000;
    let mut back_ms = LOOK_BACK_MS;
    loop {
        let from_ms = last.at_ms.saturating_sub(back_ms);
        let mut range = readings.range(*probe, from_ms..=last.at_ms)?;
        // Whether the run may have begun before what is looked at.
        let mut is_open = range.before().is_some();
        let (mut run, mut before_ms) = (None::<(u64, i32)>, None::<u64>);
        while let Some(chunk) = range.next_run()? {
            for reading in chunk {
                let beyond = policy.beyond(reading.temperature_milli_c);
                let is_apart = before_ms.is_some_and(|it| reading.at_ms - it > gap_ms);
                if is_apart {
                    (run, is_open) = (None, false);
                }
                if beyond == 0 && before_ms != Some(reading.at_ms) {
                    (run, is_open) = (None, false);
                } else if beyond > 0 {
                    let found = reading.temperature_milli_c;
                    let (since_ms, peak) = run.unwrap_or((reading.at_ms, found));
                    let is_further = beyond > policy.beyond(peak);
                    run = Some((since_ms, if is_further { found } else { peak }));
                }
                before_ms = Some(reading.at_ms);
            }
        }
        let found = run.unwrap_or((last.at_ms, last.temperature_milli_c));
        if !is_open || from_ms == 0 {
            return Ok(found);
        }
        back_ms = back_ms.saturating_mul(8);
    }
}

impl Alert {
    /// Whether it concerns an area.
    #[must_use]
    pub fn is_in(&self, area: Area) -> bool {
        Area::try_from(self.area).is_ok_and(|own| area.covers(own))
    }
}
