//! Labels that replace values: `[EMAIL]`, or with a number, the last four digits or a pseudonym. No
//! detector matches any of them.

use super::folded_text::fold;
use super::kind::Kind;
use super::matches::MatchSource;
use crate::kernel::document::string_enum;
use crate::kernel::encoding::hmac_sha256;
use crate::kernel::prelude::*;
use core::fmt::Write as _;

string_enum! {
    /// How values are replaced, as a policy states it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Replacement {
        /// `[EMAIL]`: nothing of the value remains.
        #[default]
        Label = "label",
        /// `[EMAIL:1]`: equal values have equal numbers within one result.
        Numbered = "numbered",
        /// `[CREDIT_CARD:1881]`: the last four digits of a card, as on receipts; other kinds as `Label`.
        LastFour = "last-four",
        /// `[EMAIL:BKDGHAAOPNMLCDEF]`: equal values have equal pseudonyms in all results under one key.
        Pseudonym = "pseudonym",
    }
}

/// The longest label: `SECRET`, a colon, and the name of a secret.
pub(super) const LABEL_MAX: usize = 135;

/// Returns the text inside a label such as `[EMAIL]`, `[EMAIL:1]` or `[SECRET:key]`, if the text after a
/// bracket is one.
pub(super) fn content(text: &[u8]) -> Option<&[u8]> {
    let text = text.get(..text.iter().take(LABEL_MAX + 1).position(|byte| *byte == b']')?)?;
    let mut parts = text.splitn(2, |byte| *byte == b':');
    let name = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    (parts.next()?.iter().all(name) && parts.all(|part| part.iter().all(word))).then_some(text)
}

/// Writes labels and numbers values.
pub(super) struct Labeler {
    replacement: Replacement,
    key: [u8; 32],
    /// The number of each value, by its source and canonical form.
    numbers: BTreeMap<MatchSource, BTreeMap<String, usize>>,
}

impl Labeler {
    pub(super) fn new(replacement: Replacement, key: [u8; 32]) -> Self {
        Labeler { replacement, key, numbers: BTreeMap::new() }
    }

    /// Writes the label that replaces `value`.
    // [PRIV-76] [PRIV-77]
    pub(super) fn write(
        &mut self,
        out: &mut String,
        source: MatchSource,
        label: &str,
        value: &str,
    ) {
        out.push('[');
        out.push_str(label);
        match self.replacement {
            // A label must not depend on a secret's value.
            _ if matches!(source, MatchSource::KnownSecret(_)) => {}
            Replacement::LastFour if source == MatchSource::Kind(Kind::CreditCard) => {
                let digits = Form::of_source(source).of(value);
                out.push(':');
                out.push_str(digits.get(digits.len().saturating_sub(4)..).unwrap_or_default());
            }
            Replacement::Label | Replacement::LastFour => {}
            Replacement::Numbered => {
                let known = self.numbers.entry(source).or_default();
                let next = known.len().saturating_add(1);
                let number = known.entry(Form::of_source(source).of(value)).or_insert(next);
                // Writing to a string cannot fail.
                let _ = write!(out, ":{number}");
            }
            Replacement::Pseudonym => {
                out.push(':');
                let named = format!("{label}\0{}", Form::of_source(source).of(value));
                let code = hmac_sha256(&self.key, named.as_bytes());
                // Letters only: digits could match as a number.
                let letters = code.iter().take(8).flat_map(|byte| [byte >> 4, byte & 15]);
                out.extend(letters.map(|nibble| char::from(b'A'.saturating_add(nibble))));
            }
        }
        out.push(']');
    }
}

/// How values are compared: digits can be grouped in several ways, and case counts for some kinds only.
// [PRIV-78]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Verbatim,
    LowerCase,
    LettersAndDigits,
}

impl Form {
    pub(super) const ALL: [Form; 3] = [Form::Verbatim, Form::LowerCase, Form::LettersAndDigits];

    pub(super) fn of_source(source: MatchSource) -> Form {
        match source {
            MatchSource::KnownSecret(_)
            | MatchSource::Custom(_)
            | MatchSource::Kind(Kind::PrivateKey | Kind::Jwt | Kind::ApiKey) => Form::Verbatim,
            MatchSource::Kind(Kind::Email | Kind::IpAddress) => Form::LowerCase,
            MatchSource::Kind(_) => Form::LettersAndDigits,
        }
    }

    /// Returns this form of a value.
    pub(super) fn of(self, value: &str) -> String {
        match self {
            Form::Verbatim => value.to_owned(),
            Form::LowerCase => value.to_lowercase(),
            Form::LettersAndDigits => {
                let folded = fold(value);
                let kept = folded.bytes.iter().filter(|byte| byte.is_ascii_alphanumeric());
                kept.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
            }
        }
    }
}
