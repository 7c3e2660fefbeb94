//! 承诺达标合格证 in the form of 2021: four bases, three promises; issued until
//! 2026-01-31.

crate::record::certificate::certificate_kind!(ConformityCertificate2021, Form::Conformity2021);
