//! 入库: a quantity of a unit enters the signer's cold store.

crate::record::warehouse::warehouse_kind!(WarehouseIn, EntersStore);
