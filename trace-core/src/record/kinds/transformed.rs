//! 转化: some units are used up and others come of them, in one record: split,
//! merge, mix, re-pack, slaughter, cut, make. What went in is what came out and
//! the declared loss, to the gram.
//!
//! Which units became which is public; how much is trade.

use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::claim::{Claim, Share};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::kinds::unit_created::{Durability, ProductClass, check_goods};
use crate::record::movement::{Conversion, Moment, Process};
use crate::record::quantity::Quantity;
use crate::record::subject::{SUBJECTS_MAX, SubjectId};
use crate::record::text;
use crate::record::wire::{Day, GtinNumber, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most conversions: each of the three measures that went in.
const CONVERSIONS_MAX: usize = 3;

/// A unit that came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its trace code: new, 80 random bits.
    pub unit: TraceCode,
    /// 产品名称, 1 to 60 characters.
    pub product: String,
    /// 产品类别.
    pub product_class: ProductClass,
    /// 品种 or specification, up to 60 characters.
    pub specification: Option<String>,
    /// GTIN on the package.
    pub gtin: Option<GtinNumber>,
    /// 批次, in GS1's character set.
    pub lot: Option<String>,
    /// Day of harvest, slaughter or production.
    pub produced_on: Day,
    /// Last day of sale, where the product has one.
    pub durability: Option<Durability>,
    /// How it is to be kept, up to 60 characters.
    pub storage: Option<String>,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Transformed {
    /// What was done.
    pub process: Process,
    /// When it was done.
    pub happened: Moment,
    /// The units used, sorted and distinct.
    pub inputs: Vec<TraceCode>,
    /// The units that came of them.
    pub outputs: Vec<Output>,
    /// How measures converted, where they differ.
    pub conversions: Vec<Conversion>,
    /// Commitment to the trade section.
    pub trade: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

/// The trade section: how much of each, in the body's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct TransformedTrade {
    /// So much of each input was used.
    pub inputs: Vec<Quantity>,
    /// So much of each output came of it.
    pub outputs: Vec<Quantity>,
    /// What was lost, in the measure of the outputs.
    pub loss: Option<Quantity>,
}

impl Output {
    fn check(&self) -> Result<(), Invalid> {
        text::check("product", &self.product, 1, 60)?;
        text::check_option("specification", self.specification.as_deref(), 60)?;
        text::check_option("storage", self.storage.as_deref(), 60)?;
        check_goods(self.produced_on, self.durability, self.gtin, self.lot.as_deref())
    }

    fn claim(&self, quantity: Option<Quantity>) -> Result<Claim, Invalid> {
        Ok(Claim::CreatesUnit {
            unit: self.unit,
            maker: None,
            product: self.product.clone(),
            product_class: self.product_class,
            quantity,
            produced_on: self.produced_on.date()?,
            durability: self.durability.map(Durability::dated).transpose()?,
            gtin: self.gtin.map(GtinNumber::gtin).transpose()?,
            lot: self.lot.clone(),
            foreign_codes: Vec::new(),
            is_declared: false,
        })
    }
}

impl Transformed {
    /// How many went in and came out, and that no code stands twice.
    fn check_codes(&self) -> Result<(), Invalid> {
        let refuse = |what: String| Err(Invalid::new(Rule::Transformation, what));
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        if inputs == 0 || outputs == 0 {
            return refuse(format!("{inputs} units in, {outputs} out"));
        }
        if inputs + outputs > SUBJECTS_MAX {
            return refuse(format!("{inputs} units in and {outputs} out, at most {SUBJECTS_MAX}; go by way of larger ones"));
        }
        if !self.inputs.is_sorted_by(|a, b| a < b) {
            return refuse("inputs: not sorted and distinct".into());
        }
        let codes: BTreeSet<_> = self.outputs.iter().map(|output| output.unit).chain(self.inputs.iter().copied()).collect();
        match codes.len() == inputs + outputs {
            true => Ok(()),
            false => refuse("a code stands twice: what comes out has new codes".into()),
        }
    }
}

impl Kind for Transformed {
    type Trade = TransformedTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()?;
        self.check_codes()?;
        self.outputs.iter().try_for_each(Output::check)?;
        let refuse = |what: String| Err(Invalid::new(Rule::Transformation, what));
        if self.conversions.len() > CONVERSIONS_MAX {
            return refuse(format!("{} conversions, at most {CONVERSIONS_MAX}", self.conversions.len()));
        }
        for (place, conversion) in self.conversions.iter().enumerate() {
            if conversion.numerator == 0 || conversion.denominator == 0 {
                return refuse("a conversion by nothing".into());
            }
            if self.conversions.iter().take(place).any(|other| other.from == conversion.from) {
                return refuse(format!("two conversions of {:?}", conversion.from));
            }
        }
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        match self.process {
            Process::Split | Process::Slaughter if inputs != 1 => refuse(format!("{:?} of {inputs} units, one is wanted", self.process)),
            Process::Merge if outputs != 1 => refuse(format!("merged into {outputs} units, one is wanted")),
            _ => Ok(()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let outputs = self.outputs.iter().map(|output| output.unit);
        self.inputs.iter().copied().chain(outputs).map(SubjectId::unit).collect()
    }

    fn claims(&self, trade: Option<&TransformedTrade>) -> Result<Vec<Claim>, Invalid> {
        if let Some(trade) = trade {
            let (found, wanted) = ((trade.inputs.len(), trade.outputs.len()), (self.inputs.len(), self.outputs.len()));
            if found != wanted {
                return Err(Invalid::new(Rule::Section, format!("{found:?} quantities in and out for {wanted:?} units")));
            }
        }
        let of = |list: &dyn Fn(&TransformedTrade) -> &Vec<Quantity>, place: usize| trade.and_then(|trade| list(trade).get(place).copied());
        let share = |unit: TraceCode, quantity| Share { unit, quantity };
        let inputs = self.inputs.iter().enumerate().map(|(place, unit)| share(*unit, of(&|trade| &trade.inputs, place)));
        let outputs: Vec<Share> = self.outputs.iter().enumerate().map(|(place, output)| share(output.unit, of(&|trade| &trade.outputs, place))).collect();
        let mut claims = vec![Claim::Transforms {
            process: self.process,
            at_ms: self.happened.at_ms,
            inputs: inputs.collect(),
            outputs: outputs.clone(),
            loss: trade.and_then(|trade| trade.loss),
            conversions: self.conversions.clone(),
        }];
        for (output, share) in self.outputs.iter().zip(outputs) {
            claims.push(output.claim(share.quantity)?);
        }
        Ok(claims)
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &TransformedTrade) -> Result<(), Invalid> {
        trade.inputs.iter().chain(&trade.outputs).chain(&trade.loss).try_for_each(Quantity::check)
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
