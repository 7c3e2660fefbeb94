//! temp
use crate::error::Store;
use crate::ident::EntityId;
use crate::record::sign::{KeyId, SigningKey};
/// t
pub struct HostedKeys;
impl HostedKeys {
    /// t
    pub fn signing_key(&self, _k: &KeyId) -> Option<SigningKey> {
        None
    }
    /// t
    pub fn add(&mut self, _e: EntityId, _s: [u8; 32], _n: [u8; 12]) -> Result<KeyId, Store> {
        Err(Store::ReadOnly { why: String::new() })
    }
}
