//! 电子追溯合格证 (Hebei): certificate and trace code in one, "二合一".
//!
//! No published field list was found; it is kept as the promise of conformity
//! plus trace code and batch (unconfirmed), with the bases of its date.

crate::record::certificate::certificate_kind!(ElectronicTraceabilityCertificate, Form::ElectronicTraceability);
