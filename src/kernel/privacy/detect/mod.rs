//! Detectors: from a text and its context to the ranges of values. A defect here leaks personal data or
//! redacts the wrong text, and has no other effect.
//!
//! [`scan`] runs over a folded text and calls the detectors, most of which are tables.

mod account_numbers;
mod check_digits;
mod columns;
mod context;
mod context_words;
mod credential_words;
mod credentials;
mod dates;
mod digits;
mod email;
pub(super) mod iban;
mod id_document;
mod ip;
pub(super) mod key_formats;
mod national_numbers;
mod numbers;
pub(super) mod phone;
mod phone_words;
mod scan;
mod secret;
pub(super) mod text_view;
mod word_table;

pub(super) use context_words::Hints;
pub(super) use credentials::key_hints;
pub(super) use numbers::{digits_of, proves_itself};
pub(super) use phone_words::phone_word;
pub(super) use scan::{may_match, scan};
pub(super) use text_view::{IDEOGRAPH, LETTER, OTHER};

#[cfg(test)]
#[path = "../../../../conformance/unit/kernel/privacy/detect/tables.rs"]
mod tests;
