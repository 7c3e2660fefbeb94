//! placeholder
#![allow(dead_code)]
mod chunk;
