//! What is said of equipment and of goods in it: registering, placing, taking
//! out, sealing. Each is one record, signed by a key at hand or ordered by a
//! token.

use clap::Args;
use serde_json::{Value, json};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, EquipmentId, LEDGER_OFFSET_MINUTES, TraceCode, format_ms, parse_ms},
    ledger::cold_chain,
    record::{
        cold_chain::{Calibration, EquipmentKind},
        kinds::{
            equipment_registered::EquipmentRegistered, placed::Placed,
            segment_sealed::SegmentSealed, taken_out::TakenOut,
        },
        movement::Moment,
        text::normalise,
        wire::Day,
    },
    rules::ColdFacts,
};

use super::{kind_of, readings};
use crate::{
    cli::{
        Failure, Manner,
        local::Denied,
        voice::{self, Said, Session, Speaking, Stands, Voice},
    },
    machine,
};

/// A piece of equipment to register.
#[derive(Debug, Args)]
pub struct Register {
    #[command(flatten)]
    speaking: Speaking,

    /// cold_store, zone, vehicle, container or probe
    #[arg(long, value_name = "KIND", value_parser = word::<EquipmentKind>)]
    kind: EquipmentKind,

    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: String,

    /// What it is part of
    #[arg(long, value_name = "EQUIPMENT", value_parser = EquipmentId::parse)]
    part_of: Option<EquipmentId>,

    /// Six digits of where it is [default: the signer's own]
    #[arg(long, value_name = "AREA")]
    area: Option<Area>,

    /// The maker's serial number
    #[arg(long, value_name = "TEXT")]
    serial: Option<String>,

    /// Of a probe: the day of its calibration
    #[arg(long, value_name = "DATE", value_parser = word::<Day>, requires = "calibration_due")]
    calibrated_on: Option<Day>,

    /// Of a probe: the last day on which that holds
    #[arg(long, value_name = "DATE", value_parser = word::<Day>, requires = "calibrated_on")]
    calibration_due: Option<Day>,
}

/// A unit to be placed.
#[derive(Debug, Args)]
pub struct Place {
    /// The unit's trace code
    #[arg(value_name = "CODE")]
    unit: TraceCode,

    /// Where
    #[arg(value_name = "EQUIPMENT", value_parser = EquipmentId::parse)]
    equipment: EquipmentId,

    /// The code of the temperature policy
    #[arg(long, value_name = "POLICY")]
    policy: String,

    /// When it happened [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_ms)]
    at: Option<u64>,

    #[command(flatten)]
    speaking: Speaking,
}

/// A unit to be taken out.
#[derive(Debug, Args)]
pub struct TakeOut {
    /// The unit's trace code
    #[arg(value_name = "CODE")]
    unit: TraceCode,

    /// Of where
    #[arg(value_name = "EQUIPMENT", value_parser = EquipmentId::parse)]
    equipment: EquipmentId,

    /// When it happened [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_ms)]
    at: Option<u64>,

    #[command(flatten)]
    speaking: Speaking,
}

/// Readings to be sealed.
#[derive(Debug, Args)]
pub struct Seal {
    /// Which probe
    #[arg(value_name = "PROBE", value_parser = EquipmentId::parse)]
    probe: EquipmentId,

    /// Readings up to this time [default: all, at most 65,536]
    #[arg(long, value_name = "TIME", value_parser = parse_ms)]
    until: Option<u64>,

    #[command(flatten)]
    speaking: Speaking,
}

/// A word as JSON has it, so that its list stands once.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string())
}

impl Register {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let calibration = self.calibrated_on.zip(self.calibration_due);
        let name = normalise(&self.name);
        let order = json!({
            "kind": self.kind, "name": name, "part_of": self.part_of.map(|it| it.to_string()),
            "area": self.area.map(|it| it.to_string()), "serial": self.serial,
            "calibrated_on": self.calibrated_on, "calibration_due": self.calibration_due,
        });
        let mut session = self.speaking.open(manner)?;
        let (id, index) = match ordered(&session, "/v1/equipment", &order)? {
            Some((answer, index)) => (
                answer
                    .get("equipment")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                index,
            ),
            None => {
                let area = match (self.area, session.signer()?) {
                    (Some(area), _) => area,
                    (None, Some((_, Some(own)))) => Area::try_from(own)?,
                    (None, _) => {
                        return Err(Failure::usage(
                            manner,
                            "in which area? give --area",
                            "在哪个区划?请用 --area 给出",
                        ));
                    }
                };
                let equipment = EquipmentId::from_bytes(machine::random());
                let body = EquipmentRegistered {
                    equipment,
                    kind: self.kind,
                    part_of: self.part_of,
                    name,
                    area: area.into(),
                    serial: self.serial.as_deref().map(normalise),
                    calibration: calibration.map(|(on, due)| Calibration { on, due }),
                    acted_by: None,
                };
                (equipment.to_string(), say(&mut session, Said::bare(body))?)
            }
        };
        session.close()?;
        let value = json!({ "equipment": id, "index": index });
        manner.tell(&value, || {
            manner.of(
                format!("{id}: registered at index {index}"),
                format!("{id}:已登记,序号 {index}"),
            )
        })
    }
}

impl Place {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let happened = moment(self.at);
        let order = json!({
            "unit": self.unit.to_string(), "equipment": self.equipment.to_string(),
            "policy": self.policy, "at": format_ms(happened.at_ms, LEDGER_OFFSET_MINUTES),
        });
        let body = Placed {
            unit: self.unit,
            equipment: self.equipment,
            happened,
            policy: self.policy,
            acted_by: None,
        };
        moved(
            manner,
            &self.speaking,
            "/v1/placed",
            &order,
            Said::bare(body),
            self.unit,
        )
    }
}

impl TakeOut {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let happened = moment(self.at);
        let order = json!({
            "unit": self.unit.to_string(), "equipment": self.equipment.to_string(),
            "at": format_ms(happened.at_ms, LEDGER_OFFSET_MINUTES),
        });
        let body = TakenOut {
            unit: self.unit,
            equipment: self.equipment,
            happened,
            acted_by: None,
        };
        moved(
            manner,
            &self.speaking,
            "/v1/taken-out",
            &order,
            Said::bare(body),
            self.unit,
        )
    }
}

fn moment(at_ms: Option<u64>) -> Moment {
    Moment {
        at_ms: at_ms.unwrap_or_else(machine::now_ms),
        offset_minutes: i16::try_from(LEDGER_OFFSET_MINUTES).unwrap_or(480),
    }
}

fn moved(
    manner: &Manner,
    speaking: &Speaking,
    path: &str,
    order: &Value,
    said: Said,
    unit: TraceCode,
) -> Result<(), Failure> {
    let mut session = speaking.open(manner)?;
    let index = match ordered(&session, path, order)? {
        Some((_, index)) => index,
        None => say(&mut session, said)?,
    };
    session.close()?;
    let value = json!({ "code": unit.to_string(), "index": index });
    manner.tell(&value, || {
        manner.of(
            format!("{unit}: recorded at index {index}"),
            format!("{unit}:已记入账本,序号 {index}"),
        )
    })
}

/// By a token at a server: the server's answer, and the index of the record.
fn ordered(session: &Session, path: &str, order: &Value) -> Result<Option<(Value, u64)>, Failure> {
    let (voice::Place::Server(remote), Voice::Token) = (&session.place, &session.voice) else {
        return Ok(None);
    };
    let made = remote
        .order(path, order)
        .map_err(|Denied { failure, .. }| failure)?;
    let (answer, stands) = made;
    Ok(Some((answer, first(&stands))))
}

fn say(session: &mut Session, said: Said) -> Result<u64, Failure> {
    let stands = session.admit(vec![said]);
    let stands = stands.map_err(|Denied { failure, .. }| failure)?;
    Ok(first(&stands))
}

fn first(stands: &[Stands]) -> u64 {
    stands.first().map(|it| it.index).unwrap_or_default()
}

impl Seal {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let until = self.until.map(|ms| format_ms(ms, LEDGER_OFFSET_MINUTES));
        let order = json!({ "probe": self.probe.to_string(), "until": until });
        let mut session = self.speaking.open(manner)?;
        let index = match ordered(&session, "/v1/segments", &order)? {
            Some((_, index)) => index,
            None => self.sealed(&mut session)?,
        };
        session.close()?;
        let probe = self.probe;
        let value = json!({ "probe": probe.to_string(), "index": index });
        manner.tell(&value, || {
            manner.of(
                format!("{probe}: sealed at index {index}"),
                format!("{probe}:已封存,序号 {index}"),
            )
        })
    }

    fn sealed(&self, session: &mut Session) -> Result<u64, Failure> {
        let voice::Place::Local(local) = &session.place else {
            return Err(Failure::Usage(
                "the readings lie with the server: give --token-file, so that it seals them"
                    .to_owned(),
            ));
        };
        let view = local.ledger().view();
        kind_of(&view, &self.probe)?;
        let state = view.folded().equipment(&self.probe)?;
        let owner = state.as_ref().map(|state| state.entity);
        if let Some((signer, _)) = session.signer()?
            && owner != Some(signer)
        {
            let what = format!("{} belongs to another than the signer", self.probe);
            return Err(Invalid::new(Rule::Right, what).into());
        }
        let store = readings(self.speaking.folder(), &view)?;
        let next = state.map_or(0, |state| state.next_segment);
        let until_ms = self.until.unwrap_or(u64::MAX);
        let segment = cold_chain::to_seal(&store, &self.probe, next, until_ms)?;
        let said = Said::bare(SegmentSealed::of(segment, None));
        // A refused draft goes back when the readings are opened next: whether its
        // record stands, the ledger alone says.
        let index = say(session, said)?;
        store.confirm(&self.probe, segment.number)?;
        Ok(index)
    }
}
