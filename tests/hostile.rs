//! Bytes made to harm: everything that a stranger can hand to a decoder is
//! refused when one bit of it is another, and no bytes make a decoder panic or
//! take memory that it was not given.
//!
//! | file | what is tried |
//! |---|---|
//! | `samples` | sound bytes of every form, from a real ledger and the golden files |
//! | `decoders` | every door through which bytes come in |
//! | `files` | the same for what people bring in files and addresses |
//! | `spoilt` | each sample cut at every place, with every bit flipped, with a byte more |
//! | `noise` | random bytes, and samples randomly cut and joined |
//! | `lengths` | declared lengths far beyond what is there; memory counted |
//!
//! Random inputs are drawn from a seed that is printed. `TRACE_HOSTILE_INPUTS`
//! sets how many each decoder gets (500,000 unless told).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod hostile {
    mod decoders;
    mod files;
    mod lengths;
    mod noise;
    mod samples;
    mod spoilt;
}
