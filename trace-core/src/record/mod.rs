//! What can be said: kinds and bodies, canonical bytes, signing.

pub mod hash;
pub use hash::Hash;
