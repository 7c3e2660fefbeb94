//! 承诺达标合格证 样式一: a producer's promise, in the form of 2026-02-01: three
//! bases, two promises.

crate::record::certificate::certificate_kind!(ConformityCertificate2026Producer, Form::Conformity2026Producer);
