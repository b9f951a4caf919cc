//! International bank account numbers (ISO 13616): the country code determines the length, and the number
//! modulo 97 is 1.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::KindMatch;
use super::account_numbers::IBAN_LENGTHS;
use super::check_digits::modulo_97;
use super::numbers::{is_gap, GAP_MAX};
use super::text_view::{in_uuid, is_alnum, Text};
use crate::kernel::prelude::*;

/// Returns the account number whose check digits are at `at`, after two letters and at most one space, if
/// there is one.
// [PRIV-45]
pub(super) fn find(text: Text, at: usize) -> Option<KindMatch> {
    let spaced = usize::from(text.before(at) == b' ');
    let start = at.checked_sub(2 + spaced).filter(|start| !is_glued(text, *start))?;
    let country = [text.at(start), text.at(start + 1)].map(|c| c.to_ascii_uppercase());
    if !country.iter().all(u8::is_ascii_uppercase) {
        return None; // most numbers, before the countries are compared
    }
    let length = length_of(country)?;
    let (mut end, mut lines, mut number) = (start, 0, Vec::with_capacity(length));
    while number.len() < length {
        // [PRIV-46]
        if number.len() == 2 {
            end += spaced;
        }
        if !number.is_empty() && number.len().is_multiple_of(4) {
            end = text.run_end(end, GAP_MAX, |byte| byte != b'/' && is_gap(byte));
        }
        let broken = number.len() > 4 && lines == 0 && text.at(end) == b'\n';
        lines += usize::from(broken);
        end += usize::from(broken);
        number.push(text.at(end));
        end += 1;
        if !text.before(end).is_ascii_alphanumeric() {
            return None;
        }
    }
    // The country code and check digits move to the end before the division.
    number.rotate_left(4);
    let whole = modulo_97(&number) == 1 && ends(text, end);
    (whole && !in_uuid(text, start)).then_some((Kind::Iban, start, end))
}

/// Returns `true` if a letter or digit touches the start, other than `IBAN` and the number of a field in a
/// bank statement, `?31`.
fn is_glued(text: Text, start: usize) -> bool {
    let before = text.slice(start.saturating_sub(4), start);
    let field = matches!(before, [.., b'?', b'0'..=b'9', b'0'..=b'9']);
    is_alnum(text.before(start)) && !field && !before.eq_ignore_ascii_case(b"iban")
}

/// Returns `true` if no letter or digit touches the end, other than a currency or another three letters:
/// `EUR`, `BIC:`.
fn ends(text: Text, end: usize) -> bool {
    let rest = text.run_end(end, 4, is_alnum);
    rest == end || rest == end + 3 && text.slice(end, rest).iter().all(u8::is_ascii_uppercase)
}

/// Returns the length of a country's account numbers.
pub(in crate::kernel) fn length_of(country: [u8; 2]) -> Option<usize> {
    let listed = |countries: &str| countries.as_bytes().chunks(3).any(|c| c.starts_with(&country));
    IBAN_LENGTHS.iter().find(|row| listed(row.1)).map(|row| row.0)
}
