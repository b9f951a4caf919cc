//! The tests of the whole crate, in one binary.

#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::unwrap_used)]

mod example;
mod package;
mod support;
mod vectors;
