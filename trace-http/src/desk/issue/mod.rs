//! `/issue`: a producer's, buyer's or importer's pages, made for a telephone at four
//! in the morning. Everything works without JavaScript; the key that signs is kept
//! at this server, and the pages say so.
//!
//! | file | what it is |
//! |---|---|
//! | `home` | one's own certificates, goods to be confirmed, alerts |
//! | `filled` | what is typed, and what is wrong with it, field by field |
//! | `new` | the three steps: product, batch, look and sign |
//! | `ending` | void a certificate, confirm what arrived |

pub mod ending;
mod filled;
mod home;
pub mod new;

pub use home::show;
