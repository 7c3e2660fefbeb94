//! Quantities as a plain list has them: what was made, and what left the
//! maker's hands. It knows nothing of tables, holdings or balances.

use std::collections::BTreeMap;
use trace_core::error::Rule;
use trace_core::ident::TraceCode;
use trace_core::record::Body;
use trace_core::record::encode;
use trace_core::record::kinds::handed_over::HandedOverTrade;
use trace_core::record::section::Openings;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    pub made: u64,
    pub handed_over: u64,
    pub certified: u64,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Plain(pub BTreeMap<TraceCode, Stock>);

impl Plain {
    /// What an admitted record changes; what is wrong if it may not.
    pub fn admit(&mut self, body: &Body, openings: &Openings) -> Result<(), String> {
        match body {
            Body::UnitCreated(body) => {
                let made = Stock {
                    made: body.quantity.base_amount(),
                    ..Stock::default()
                };
                match self.0.insert(body.unit, made) {
                    None => Ok(()),
                    Some(_) => Err(format!("unit {} was made twice", body.unit)),
                }
            }
            Body::HandedOver(body) => {
                let grams = handed(openings)?;
                let stock = self.stock(&body.unit)?;
                stock.handed_over += grams;
                conserved(&body.unit, stock.handed_over, stock.made, "handed over")
            }
            Body::ElectronicTraceabilityCertificate(body) => {
                let stock = self.stock(&body.0.unit)?;
                stock.certified += body.0.quantity.base_amount();
                conserved(&body.0.unit, stock.certified, stock.made, "certified")
            }
            _ => Ok(()),
        }
    }

    /// What is wrong with refusing this by this rule, here and now.
    pub fn refuse(&self, body: &Body, openings: &Openings, rule: Rule) -> Result<(), String> {
        match (body, rule) {
            (Body::HandedOver(body), Rule::QuantityExceeded) => {
                let grams = handed(openings)?;
                let stock = self.0.get(&body.unit).copied().unwrap_or_default();
                match stock.handed_over + grams > stock.made {
                    true => Ok(()),
                    false => Err(format!(
                        "{grams} g of {} were refused, {} of {} g are gone",
                        body.unit, stock.handed_over, stock.made
                    )),
                }
            }
            (Body::UnitCreated(body), Rule::UnitKnown) if !self.0.contains_key(&body.unit) => {
                Err(format!("{} is said to be known, and is not", body.unit))
            }
            _ => Ok(()),
        }
    }

    fn stock(&mut self, unit: &TraceCode) -> Result<&mut Stock, String> {
        let known = self.0.get_mut(unit);
        known.ok_or_else(|| format!("goods of {unit} moved, which nobody made"))
    }
}

fn handed(openings: &Openings) -> Result<u64, String> {
    let trade = openings
        .trade
        .as_ref()
        .ok_or("handed over without a trade section")?;
    let trade: HandedOverTrade =
        encode::decode("trade", &trade.bytes).map_err(|error| error.to_string())?;
    Ok(trade.quantity.base_amount())
}

fn conserved(unit: &TraceCode, gone: u64, made: u64, how: &str) -> Result<(), String> {
    match gone <= made {
        true => Ok(()),
        false => Err(format!("{gone} g of {unit} were {how}, {made} g were made")),
    }
}
