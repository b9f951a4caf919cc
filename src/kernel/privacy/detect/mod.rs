//! The detectors: a text and what surrounds it in, spans out. A defect here is personal data that leaks, or an
//! answer altered wrongly; nothing here can do anything else.
//!
//! [`scan`] hands each place of a folded text to the detectors, most of which are tables.

pub(super) mod checks;
mod dates;
mod digits;
mod document;
mod email;
mod hint;
pub(super) mod iban;
mod ip;
mod numbers;
pub(super) mod phone;
mod scan;
mod secret;
pub(super) mod text;
mod words;

pub(super) use scan::{scan, worth_it};
pub(super) use text::{LETTER, OTHER};
pub(super) use words::{of_key, Hints};
