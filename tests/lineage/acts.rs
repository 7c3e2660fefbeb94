//! What can be done with goods, in plain words, and the records that say it.

use std::collections::HashMap;
use trace_core::ident::TraceCode;
use trace_core::record::claim::DurabilityKind;
use trace_core::record::kinds::checked_in::Admission;
use trace_core::record::kinds::received::{Outcome, ReceivedTrade};
use trace_core::record::kinds::transformed::Output;
use trace_core::record::kinds::unit_created::{Durability, ProductClass, UnitCreated};
use trace_core::record::movement::{Manner, Party, Process, RecallOutcome};
use trace_core::record::quantity::{BaseUnit, Quantity};
use trace_core::record::section::Openings;
use trace_core::record::wire::Day;
use trace_core::record::{Body, Hash};
use trace_fixtures::{Who, World};

/// So much of something, counted in this.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    pub base: u64,
    pub measure: BaseUnit,
}

/// Something that somebody does with goods at a time.
#[derive(Debug, Clone)]
pub struct Act {
    pub by: Who,
    pub at_ms: u64,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Create {
        unit: TraceCode,
        amount: Amount,
    },
    Certify {
        unit: TraceCode,
        number: String,
        amount: Amount,
    },
    /// Of these, so much each, come these.
    Transform {
        keeps: bool,
        inputs: Vec<(TraceCode, Amount)>,
        outputs: Vec<(TraceCode, u64)>,
        measure: BaseUnit,
        loss: u64,
        is_renamed: bool,
        is_undated: bool,
    },
    Give {
        unit: TraceCode,
        to: Option<Who>,
        amount: Amount,
        number: Option<String>,
    },
    Receive {
        unit: TraceCode,
        target: Hash,
        accepted: u64,
        missing: u64,
        refused: u64,
        excess: u64,
        measure: BaseUnit,
    },
    CheckIn {
        unit: TraceCode,
        number: Option<String>,
        amount: Amount,
        is_admitted: bool,
    },
    Dispose {
        unit: TraceCode,
        manner: Manner,
        amount: Amount,
    },
    Store {
        unit: TraceCode,
        amount: Amount,
        enters: bool,
    },
    Hold {
        unit: TraceCode,
    },
    Release {
        unit: TraceCode,
        target: Hash,
    },
    Recall {
        unit: TraceCode,
        until_ms: Option<u64>,
    },
    Close {
        unit: TraceCode,
        target: Hash,
        is_withdrawn: bool,
    },
}

/// Makes records, from what each unit's first one said.
pub struct Bodies {
    first: UnitCreated,
    units: HashMap<TraceCode, UnitCreated>,
}

fn text(base: u64, measure: BaseUnit) -> String {
    let sign = match measure {
        BaseUnit::Gram => "克",
        BaseUnit::Millilitre => "毫升",
        BaseUnit::Piece => "件",
    };
    format!("{base} {sign}")
}

impl Amount {
    fn text(self) -> String {
        text(self.base, self.measure)
    }

    fn quantity(self) -> Quantity {
        Quantity::of_base(self.base, self.measure).unwrap()
    }
}

impl Bodies {
    pub fn new(world: &mut World) -> Self {
        Self {
            first: world.unit(),
            units: HashMap::new(),
        }
    }

    fn like(&self, unit: &TraceCode) -> UnitCreated {
        self.units.get(unit).unwrap_or(&self.first).clone()
    }

    /// What the unit's label says: for acts yet to come.
    pub fn admitted(&mut self, body: &Body) {
        match body {
            Body::UnitCreated(body) => {
                self.units.insert(body.unit, body.clone());
            }
            Body::Transformed(body) => {
                for output in &body.outputs {
                    let made = UnitCreated {
                        unit: output.unit,
                        product: output.product.clone(),
                        product_class: output.product_class,
                        produced_on: output.produced_on,
                        durability: output.durability,
                        ..self.first.clone()
                    };
                    self.units.insert(output.unit, made);
                }
            }
            _ => {}
        }
    }

    /// The record's body, and what opens it.
    pub fn body(&self, world: &mut World, act: &Act) -> (Body, Openings) {
        let bare = |body: Body| (body, Openings::default());
        let at_ms = act.at_ms;
        match &act.what {
            What::Create { unit, amount } => {
                let fresh = world.unit();
                let last = Day(fresh.produced_on.0 + 3);
                bare(
                    UnitCreated {
                        unit: *unit,
                        quantity: amount.quantity(),
                        durability: Some(Durability {
                            kind: DurabilityKind::BestBefore,
                            on: last,
                        }),
                        ..fresh
                    }
                    .into(),
                )
            }
            What::Certify {
                unit,
                number,
                amount,
            } => {
                let like = UnitCreated {
                    unit: *unit,
                    quantity: amount.quantity(),
                    ..self.like(unit)
                };
                let (mut body, openings) = world.certificate(&like);
                body.0.number = number.clone();
                (body.into(), openings)
            }
            What::Transform { .. } => self.transformed(world, act),
            What::Give {
                unit,
                to,
                amount,
                number,
            } => {
                let to = match to {
                    Some(to) => Party::Entity(world.id(*to)),
                    None => Party::Outside("某食堂(示例)".into()),
                };
                let (mut body, openings) = world.handed_to(*unit, to, &amount.text());
                (body.happened.at_ms, body.certificate) = (at_ms, number.clone());
                (body.into(), openings)
            }
            What::Receive {
                unit,
                target,
                accepted,
                missing,
                refused,
                excess,
                measure,
            } => {
                let some =
                    |base: u64| (base > 0).then(|| Quantity::of_base(base, *measure).unwrap());
                let trade = ReceivedTrade {
                    accepted: some(*accepted),
                    missing: some(*missing),
                    refused: some(*refused),
                    excess: some(*excess),
                };
                let outcome = match (accepted, missing, refused) {
                    (_, 0, 0) => Outcome::Accepted,
                    (0, 0, _) => Outcome::Refused,
                    _ => Outcome::Short,
                };
                let (mut body, openings) = world.received_as(*unit, *target, outcome, &trade);
                body.happened.at_ms = at_ms;
                (body.into(), openings)
            }
            What::CheckIn {
                unit,
                number,
                amount,
                is_admitted,
            } => {
                let (mut body, openings) = world.checked_in(*unit, number.clone(), &amount.text());
                body.happened.at_ms = at_ms;
                if !is_admitted {
                    body.admission = Admission::TurnedAway;
                }
                (body.into(), openings)
            }
            What::Dispose {
                unit,
                manner,
                amount,
            } => {
                let (mut body, openings) = world.disposed(*unit, *manner, &amount.text());
                body.happened.at_ms = at_ms;
                (body.into(), openings)
            }
            What::Store {
                unit,
                amount,
                enters: true,
            } => {
                let (mut body, openings) = world.warehouse_in(*unit, &amount.text());
                body.0.at_ms = at_ms;
                (body.into(), openings)
            }
            What::Store { unit, amount, .. } => {
                let (mut body, openings) = world.warehouse_out(*unit, &amount.text());
                body.0.at_ms = at_ms;
                (body.into(), openings)
            }
            What::Hold { unit } => bare(world.held(*unit).into()),
            What::Release { unit, target } => bare(world.released(*unit, *target).into()),
            What::Recall { unit, until_ms } => {
                let mut body = world.recalled(*unit);
                body.until_ms = *until_ms;
                bare(body.into())
            }
            What::Close {
                unit,
                target,
                is_withdrawn,
            } => {
                let outcome = match is_withdrawn {
                    true => RecallOutcome::Withdrawn,
                    false => RecallOutcome::Completed,
                };
                bare(world.recall_closed(*unit, *target, outcome).into())
            }
        }
    }

    fn transformed(&self, world: &mut World, act: &Act) -> (Body, Openings) {
        let What::Transform {
            keeps,
            inputs,
            outputs,
            measure,
            loss,
            is_renamed,
            is_undated,
        } = &act.what
        else {
            panic!("{act:?}");
        };
        let labels: Vec<UnitCreated> = inputs.iter().map(|(unit, _)| self.like(unit)).collect();
        let mut like = labels[0].clone();
        // A product kept is sold no longer than the first of its parts; another
        // is no older than the last.
        let last = labels.iter().filter_map(|label| label.durability);
        like.durability = last.min_by_key(|durability| durability.on);
        like.produced_on = labels.iter().map(|label| label.produced_on).max().unwrap();
        if *keeps {
            like.produced_on = labels.iter().map(|label| label.produced_on).min().unwrap();
        } else {
            like.product_class = ProductClass::Other;
            like.durability = None;
        }
        if *is_renamed {
            like.product = "韭菜馅".into();
        }
        if *is_undated {
            like.durability = None;
        }
        let outputs: Vec<(Output, String)> = outputs
            .iter()
            .map(|(unit, base)| {
                let output = Output {
                    unit: *unit,
                    ..world.output(&like)
                };
                (output, text(*base, *measure))
            })
            .collect();
        let outputs = outputs
            .iter()
            .map(|(output, text)| (output.clone(), text.as_str()));
        let inputs: Vec<(TraceCode, String)> = inputs
            .iter()
            .map(|(unit, amount)| (*unit, amount.text()))
            .collect();
        let inputs: Vec<(TraceCode, &str)> = inputs
            .iter()
            .map(|(unit, text)| (*unit, text.as_str()))
            .collect();
        let process = match keeps {
            true => Process::Repack,
            false => Process::Manufacture,
        };
        let loss = (*loss > 0).then(|| text(*loss, *measure));
        let outputs = outputs.collect();
        let (mut body, openings) = world.transformed(process, &inputs, outputs, loss.as_deref());
        body.happened.at_ms = act.at_ms;
        (body.into(), openings)
    }
}
