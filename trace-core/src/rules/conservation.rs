//! Conservation: what goes into a transformation is what comes out of it and
//! the declared loss, exactly. Integers in base units; where measures differ,
//! by declared ratios, rounded down once for each measure.

use super::custody::{self, Mover};
use super::halting::Way;
use super::{At, Facts, quantities, units};
use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::Quantity;
use crate::record::claim::{Claim, Share};
use crate::record::movement::{Conversion, Process};
use crate::record::quantity::BaseUnit;
use crate::record::unit::Made;

/// What a transformation says, apart from what it makes.
pub(super) struct Transformation<'a> {
    pub process: Process,
    pub inputs: &'a [Share],
    pub outputs: &'a [Share],
    pub loss: Option<&'a Quantity>,
    pub conversions: &'a [Conversion],
}

/// The mover holds all that goes in, and it adds up; what keeps its product
/// keeps its dates. `claims` are the record's, among them what is made.
pub(super) fn transforms<F: Facts>(
    facts: &F,
    at: &At,
    mover: &Mover,
    said: &Transformation,
    claims: &[Claim],
) -> Result<(), F::Error> {
    let mut used = Vec::with_capacity(said.inputs.len());
    for input in said.inputs {
        let (_, made) = units::existing(facts, &input.unit)?;
        let quantity = input.quantity.as_ref();
        let amount = custody::leaves(facts, at, mover, &input.unit, &made, quantity, Way::Onward)?;
        used.push((made, amount));
    }
    if at.knows_corrections() {
        for output in said.outputs {
            not_reserved(facts, &output.unit)?;
        }
    }
    adds_up(said, &used)?;
    for claim in claims {
        kept(said.process, &used, claim)?;
    }
    Ok(())
}

/// What describes another unit anew takes over what is left of that one, and so
/// cannot come of others too.
fn not_reserved<F: Facts>(facts: &F, unit: &TraceCode) -> Result<(), F::Error> {
    match facts.unit(unit)?.and_then(|state| state.reserver) {
        None => Ok(()),
        Some(reserver) => {
            let what = format!("{unit} is reserved for a replacement by {reserver}");
            Err(Invalid::new(Rule::UnitKnown, what).into())
        }
    }
}

fn adds_up(said: &Transformation, used: &[(Made, u64)]) -> Result<(), Invalid> {
    let malformed = |what: String| Err(Invalid::new(Rule::Transformation, what));
    let mut made: u128 = 0;
    let mut measure: Option<BaseUnit> = None;
    for output in said.outputs {
        let quantity = quantities::stated(output.quantity.as_ref())?;
        measured(&mut measure, quantity)?;
        made += u128::from(quantity.base_amount());
    }
    let lost = said.loss.map_or(0, Quantity::base_amount);
    if let Some(loss) = said.loss {
        measured(&mut measure, loss)?;
    }
    let Some(measure) = measure else {
        return malformed("nothing comes out".into());
    };
    let keeps = said.process.keeps_product();
    if keeps && !said.conversions.is_empty() {
        return malformed(format!("{:?} converts nothing", said.process));
    }
    let mut given: u128 = 0;
    for from in [BaseUnit::Gram, BaseUnit::Millilitre, BaseUnit::Piece] {
        let of = used.iter().filter(|(made, _)| made.base == from);
        let (count, sum) = of.fold((0u32, 0u128), |(count, sum), (_, amount)| {
            (count + 1, sum + u128::from(*amount))
        });
        let conversion = said.conversions.iter().find(|own| own.from == from);
        given += match conversion {
            Some(conversion) if count == 0 || conversion.to != measure => {
                return malformed(format!(
                    "a conversion of {from:?} into {:?} that nothing needs",
                    conversion.to
                ));
            }
            // 64 inputs of at most 10^15 are below 2^56, times 2^64: within u128.
            Some(conversion) => {
                sum.saturating_mul(u128::from(conversion.numerator))
                    / u128::from(conversion.denominator.max(1))
            }
            None if count == 0 || from == measure => sum,
            None => {
                let what = format!(
                    "{from:?} goes in, {measure:?} comes out, and no conversion is declared"
                );
                return Err(Invalid::new(Rule::QuantityUnit, what));
            }
        };
    }
    let taken = made + u128::from(lost);
    if taken == given {
        return Ok(());
    }
    let (rule, against) = match taken > given {
        true => (Rule::QuantityExceeded, used.first()),
        false => (Rule::DoesNotAddUp, None),
    };
    let what = format!("{given} {measure:?} go in, {made} come out and {lost} are lost");
    let refusal = Invalid::new(rule, what);
    Err(match against {
        Some((made, _)) => refusal.against(made.hash.into()),
        None => refusal,
    })
}

fn measured(measure: &mut Option<BaseUnit>, quantity: &Quantity) -> Result<(), Invalid> {
    match *measure {
        Some(other) if other != quantity.base() => Err(Invalid::new(
            Rule::QuantityUnit,
            format!("{other:?} and {:?} come out of one act", quantity.base()),
        )),
        _ => {
            *measure = Some(quantity.base());
            Ok(())
        }
    }
}

/// What is made is not older than what it was made of; and where it is the same
/// product, it is called the same and may be sold no longer.
fn kept(process: Process, used: &[(Made, u64)], claim: &Claim) -> Result<(), Invalid> {
    let Claim::CreatesUnit {
        unit,
        product,
        product_class,
        produced_on,
        durability,
        ..
    } = claim
    else {
        return Ok(());
    };
    let keeps = process.keeps_product();
    let dates = used.iter().map(|(made, _)| (made.produced_on, made));
    let bound = match keeps {
        true => dates.min_by_key(|(on, _)| *on),
        false => dates.max_by_key(|(on, _)| *on),
    };
    if let Some((on, made)) = bound
        && produced_on.days() < on.0
    {
        let what = format!("{unit} was produced on {produced_on}, what it was made of on {on}");
        return Err(Invalid::new(Rule::BeforeProduction, what).against(made.hash.into()));
    }
    if !keeps {
        return Ok(());
    }
    for (made, _) in used {
        if made.product != *product || made.product_class != *product_class {
            let what = format!("{product} out of {} by {process:?}", made.product);
            return Err(Invalid::new(Rule::ProductDiffers, what).against(made.hash.into()));
        }
        let Some((_, last)) = made.durability else {
            continue;
        };
        let is_longer = durability.is_none_or(|(_, own)| own.days() > last.0);
        if is_longer {
            let what = format!("{unit} may be sold longer than {last}, as what it was made of");
            return Err(Invalid::new(Rule::DatesDisagree, what).against(made.hash.into()));
        }
    }
    Ok(())
}
