//! Unit tests that belong to no single module, and what the others share.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod after_guest;
#[cfg(feature = "sdk")]
mod sdk;
pub(crate) mod support;
