//! 出库: a quantity of a unit leaves the signer's cold store.

crate::record::warehouse::warehouse_kind!(WarehouseOut, LeavesStore);
