//! What can be said: kinds and bodies, canonical bytes, signing.

pub mod base64;
pub mod hash;
pub mod origin;
pub mod sign;
pub use hash::Hash;
