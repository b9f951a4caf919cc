//! Room: what stands where a value was. By default its label, such as `[EMAIL]`; where the host wants to tell
//! values apart, a number or a pseudonym behind it. Whatever it is, no scanner takes it for a value.

use super::fold::fold;
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
        /// `[EMAIL]`: nothing of the value leaves.
        #[default]
        Label = "label",
        /// `[EMAIL:1]`: equal values have equal numbers within one answer.
        Numbered = "numbered",
        /// `[CREDIT_CARD:1881]`: the last four digits of cards, as receipts show them; other kinds as `Label`.
        LastFour = "last-four",
        /// `[EMAIL:BKDGHAAOPNMLCDEF]`: equal values have equal pseudonyms in all answers under one key.
        Pseudonym = "pseudonym",
    }
}

/// The longest label: `SECRET`, a colon, and the name of a secret.
pub(in crate::kernel) const LABEL_MAX: usize = 135;

/// What stands between the brackets of a label such as `[EMAIL]`, `[EMAIL:1]` or `[SECRET:key]`, if a text
/// behind a bracket is one.
pub(in crate::kernel) fn inside(text: &[u8]) -> Option<&[u8]> {
    let text = text.get(..text.iter().take(LABEL_MAX + 1).position(|byte| *byte == b']')?)?;
    let mut parts = text.splitn(2, |byte| *byte == b':');
    let name = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    (parts.next()?.iter().all(name) && parts.all(|part| part.iter().all(word))).then_some(text)
}

/// Writes labels, and remembers what it numbered.
pub(in crate::kernel) struct Labeler {
    replacement: Replacement,
    key: [u8; 32],
    /// The number of each value, by its tag and its canonical form.
    numbers: BTreeMap<MatchSource, BTreeMap<String, usize>>,
}

impl Labeler {
    pub(in crate::kernel) fn new(replacement: Replacement, key: [u8; 32]) -> Self {
        Labeler { replacement, key, numbers: BTreeMap::new() }
    }

    /// Writes what stands for `value`.
    // [PRIV-76] [PRIV-77]
    pub(in crate::kernel) fn write(
        &mut self,
        out: &mut String,
        tag: MatchSource,
        label: &str,
        value: &str,
    ) {
        out.push('[');
        out.push_str(label);
        match self.replacement {
            // Nothing that was made from a secret stands in its place.
            _ if matches!(tag, MatchSource::KnownSecret(_)) => {}
            Replacement::LastFour if tag == MatchSource::Kind(Kind::CreditCard) => {
                let digits = canonical(tag, value);
                out.push(':');
                out.push_str(digits.get(digits.len().saturating_sub(4)..).unwrap_or_default());
            }
            Replacement::Label | Replacement::LastFour => {}
            Replacement::Numbered => {
                let known = self.numbers.entry(tag).or_default();
                let next = known.len().saturating_add(1);
                let number = known.entry(canonical(tag, value)).or_insert(next);
                // Writing to a string cannot fail.
                let _ = write!(out, ":{number}");
            }
            Replacement::Pseudonym => {
                out.push(':');
                let named = format!("{label}\0{}", canonical(tag, value));
                let code = hmac_sha256(&self.key, named.as_bytes());
                // Letters only: digits might be taken for a number.
                let letters = code.iter().take(8).flat_map(|byte| [byte >> 4, byte & 15]);
                out.extend(letters.map(|nibble| char::from(b'A'.saturating_add(nibble))));
            }
        }
        out.push(']');
    }
}

/// What equal values have in common: numbers may be grouped in several ways, and case matters to some
/// kinds only.
// [PRIV-78]
fn canonical(tag: MatchSource, value: &str) -> String {
    match tag {
        MatchSource::KnownSecret(_)
        | MatchSource::Custom(_)
        | MatchSource::Kind(Kind::PrivateKey | Kind::Jwt | Kind::ApiKey) => value.to_owned(),
        MatchSource::Kind(Kind::Email | Kind::IpAddress) => value.to_lowercase(),
        MatchSource::Kind(_) => {
            let shadow = fold(value);
            let kept = shadow.bytes.iter().filter(|byte| byte.is_ascii_alphanumeric());
            kept.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
        }
    }
}
