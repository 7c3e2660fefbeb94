//! `trace erase`: a person's data are locked away while a statute still demands
//! them, and destroyed when it no longer does. Every proof still holds.

use clap::{Args, Subcommand};
use serde_json::json;
use trace_core::{
    error::{Invalid, Rule},
    ident::{CivilDate, LEDGER_OFFSET_MINUTES, TraceCode},
    ledger::View,
    record::{
        Body,
        claim::Claim,
        kinds::{erasure_requested::ErasureRequested, personal_data_erased::PersonalDataErased},
        rights::Registry,
        section::Openings,
        unit::units_of,
        wire::PersonId,
    },
};

use super::{
    Failure, Manner,
    local::Denied,
    voice::{Place, Said, Session, Speaking, Stands},
};

/// Food safety law of the People's Republic of China, art. 50: records are kept
/// six months past the shelf life, or two years where there is none.
const RETENTION_MONTHS: i32 = 24;
const PAST_SHELF_LIFE_MONTHS: i32 = 6;

/// Erasing.
#[derive(Debug, Subcommand)]
pub enum EraseCommand {
    /// Lock a person's data away now, to be destroyed when retention ends
    #[command(after_help = "\
Example:
  trace erase request 0123456789abcdef0123456789abcdef --key authority.key

The day is computed from the records that name the person (two years after the last of
them, or six months past the shelf life where that is later), unless --destroy-on gives it.")]
    Request(RequestErasure),
    /// Destroy a person's data for ever; refused while retention runs
    #[command(after_help = "\
Example:
  trace erase destroy 0123456789abcdef0123456789abcdef --key authority.key

The person's key is destroyed and the values with it; hashes, signatures and proofs stay
valid. `trace entity add` and look-ups in full show a person's number.")]
    Destroy(DestroyPerson),
}

/// Everything `trace erase request` can be told.
#[derive(Debug, Args)]
pub struct RequestErasure {
    /// The person's number
    #[arg(value_name = "PERSON")]
    person: PersonId,

    #[command(flatten)]
    speaking: Speaking,

    /// The day on which the last retention period ends [default: computed]
    #[arg(long, value_name = "DATE", value_parser = CivilDate::parse)]
    destroy_on: Option<CivilDate>,
}

/// Everything `trace erase destroy` can be told.
#[derive(Debug, Args)]
pub struct DestroyPerson {
    /// The person's number
    #[arg(value_name = "PERSON")]
    person: PersonId,

    #[command(flatten)]
    speaking: Speaking,
}

impl EraseCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match self {
            Self::Request(request) => {
                let mut session = request.speaking.open(manner)?;
                let outcome = request.say(&mut session, manner);
                session.close()?;
                let (destroy_on, stands) = outcome?;
                let index = stands.first().map(|stands| stands.index);
                let value = json!({
                    "person": request.person.to_string(),
                    "destroy_on": destroy_on.to_string(),
                    "index": index,
                });
                manner.tell(&value, || {
                    manner.of(
                        format!("Locked away now, to be destroyed on {destroy_on}"),
                        format!("已限制访问,将于 {destroy_on} 删除"),
                    )
                })
            }
            Self::Destroy(destroy) => {
                let mut session = destroy.speaking.open(manner)?;
                let body = PersonalDataErased {
                    person: destroy.person,
                    acted_by: None,
                };
                let outcome = session.admit(vec![Said::bare(body)]);
                session.close()?;
                let stands = outcome.map_err(|Denied { failure, .. }| failure)?;
                let index = stands.first().map(|stands| stands.index);
                let value = json!({ "person": destroy.person.to_string(), "index": index });
                manner.tell(&value, || {
                    manner
                        .of(
                            "Destroyed; every proof still holds",
                            "已删除;所有证明仍然有效",
                        )
                        .to_owned()
                })
            }
        }
    }
}

impl RequestErasure {
    fn say(
        &self,
        session: &mut Session,
        manner: &Manner,
    ) -> Result<(CivilDate, Vec<Stands>), Failure> {
        let destroy_on = match (self.destroy_on, &session.place) {
            (Some(date), _) => date,
            (None, Place::Local(local)) => retention_end(&local.ledger().view(), &self.person)?,
            (None, Place::Server(_)) => {
                return Err(Failure::usage(
                    manner,
                    "a server does not tell which records name a person: give --destroy-on DATE",
                    "服务器不提供某人相关记录:请用 --destroy-on 给出日期",
                ));
            }
        };
        let body = ErasureRequested {
            person: self.person,
            destroy_on: destroy_on.into(),
            acted_by: None,
        };
        let stands = session
            .admit(vec![Said::bare(body)])
            .map_err(|Denied { failure, .. }| failure)?;
        Ok((destroy_on, stands))
    }
}

/// The day on which nothing demands any more that the person's data be kept.
fn retention_end(view: &View, person: &PersonId) -> Result<CivilDate, Failure> {
    let mut latest: Option<CivilDate> = None;
    for place in view.folded().sections_of(person)? {
        let entry = view.entry(place.index)?;
        let admitted = CivilDate::from_ms(entry.admitted_ms, LEDGER_OFFSET_MINUTES)?;
        let mut end = add_months(admitted, RETENTION_MONTHS)?;
        for unit in units(&entry.signed.body()?)? {
            let made = view.folded().unit(&unit)?.and_then(|state| state.made);
            if let Some((_, last)) = made.and_then(|made| made.durability) {
                end = end.max(add_months(last.date()?, PAST_SHELF_LIFE_MONTHS)?);
            }
        }
        latest = latest.max(Some(end));
    }
    latest.ok_or_else(|| {
        Invalid::new(
            Rule::PersonUnknown,
            format!("no record names person {person}"),
        )
        .into()
    })
}

/// The units that a record is about, whatever its kind.
fn units(body: &Body) -> Result<Vec<TraceCode>, Invalid> {
    let claims = body.claims(&Openings::default())?;
    let units = claims.iter().flat_map(|claim| match claim {
        Claim::Supervision(step) => step.unit().into_iter().collect(),
        claim => units_of(claim),
    });
    Ok(units.collect())
}

/// The same day so many months later; where that month is shorter, the first
/// day after it: data are kept no day too short.
fn add_months(date: CivilDate, months: i32) -> Result<CivilDate, Invalid> {
    let (year, month, day) = date.ymd();
    let months = i32::from(year) * 12 + i32::from(month) - 1 + months;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let at = |year: i32, month: i32, day: i32| {
        CivilDate::parse(&format!("{year:04}-{month:02}-{day:02}"))
    };
    at(year, month, i32::from(day)).or_else(|_| {
        let next = months + 1;
        at(next.div_euclid(12), next.rem_euclid(12) + 1, 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::record::quarantine::Reach;
    use trace_fixtures::{Who, World};

    #[test]
    fn every_sort_of_record_that_names_a_person_tells_which_unit_it_is_about() {
        let mut world = World::new(7);
        let unit = world.unit();
        let bodies: [Body; 3] = [
            world.certificate(&unit).0.into(),
            world
                .quarantine_product(&unit, Reach::WithinProvince)
                .0
                .into(),
            world.warehouse_booked(&unit).0.into(),
        ];
        for body in bodies {
            assert!(!body.persons().is_empty());
            let units = units(&body).unwrap();
            assert!(units.contains(&unit.unit), "{}", body.kind().name);
        }
        // An inspection is about an entity.
        let inspection = world.inspection(Who::Producer, &[3]).0;
        assert_eq!(units(&inspection.into()), Ok(Vec::new()));
    }

    #[test]
    fn months_are_added_and_never_end_a_day_early() {
        for (date, months, wanted) in [
            ("2026-03-01", 24, "2028-03-01"),
            ("2024-02-29", 24, "2026-03-01"),
            ("2026-08-31", 6, "2027-03-01"),
            ("2026-12-31", 6, "2027-07-01"),
            ("2026-06-30", 6, "2026-12-30"),
        ] {
            let date = CivilDate::parse(date).unwrap();
            assert_eq!(add_months(date, months).unwrap().to_string(), wanted);
        }
    }
}
