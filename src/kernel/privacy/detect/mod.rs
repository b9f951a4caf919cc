//! Detectors: from a text and its context to the ranges of values. A defect here leaks personal data or
//! redacts the wrong text, and has no other effect.
//!
//! [`scan`] runs over a folded text and calls the detectors, most of which are tables.

pub(super) mod check_digits;
mod columns;
mod context;
mod context_words;
mod dates;
mod digits;
mod email;
pub(super) mod iban;
mod id_document;
mod ip;
mod numbers;
pub(super) mod phone;
mod scan;
mod secret;
pub(super) mod text_view;

pub(super) use context_words::{key_hints, Hints};
pub(super) use scan::{may_match, scan};
pub(super) use text_view::{IDEOGRAPH, LETTER, OTHER};
