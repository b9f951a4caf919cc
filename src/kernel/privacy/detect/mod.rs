//! The detectors: a text and what surrounds it in, spans out. A defect here is personal data that leaks, or an
//! answer altered wrongly; nothing here can do anything else.
//!
//! [`scan`] hands each place of a folded text to the detectors, most of which are tables.

pub(super) mod check_digits;
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

pub(super) use context_words::{of_key, Hints};
pub(super) use scan::{may_match, scan};
pub(super) use text_view::{LETTER, OTHER};
