//! Passport and driving license numbers. They have no check digits, so they are detected only by their
//! context.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context::Context;
use super::context_words::Hints;
use super::text_view::Text;
use core::ops::RangeInclusive;

/// Kind, context, number of letters and digits, most dashes between them.
type Format = (Kind, Hints, RangeInclusive<usize>, usize);

// [PRIV-58] [PRIV-59]
const FORMATS: &[Format] = &[
    (Kind::Passport, Hints::PASSPORT, 6..=9, 0),
    (Kind::DriversLicense, Hints::LICENSE, 5..=17, 4),
];

/// The longest number with its dashes.
const TOKEN_MAX: usize = 21;
/// Fewest digits of a number.
pub(super) const DIGITS_MIN: usize = 4;

/// Adds the token around the digit at `at` if the context names it.
pub(super) fn find(text: Text, at: usize, context: Context, matches: &mut Matches) {
    for (kind, _, length, dashes_max) in FORMATS.iter().filter(|row| context.nearby.has(row.1)) {
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let start = text.run_start(at, TOKEN_MAX, belongs);
        let end = text.run_end(start, TOKEN_MAX + 1, belongs);
        let token = text.slice(start, end);
        let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
        let dashes = token.iter().filter(|byte| **byte == b'-').count();
        if length.contains(&(token.len() - dashes))
            && digits >= DIGITS_MIN
            && dashes <= *dashes_max
            && text.bounds(start, end)
            && !matches!(token, [b'-', ..] | [.., b'-'])
        {
            matches.add((*kind, start, end));
        }
    }
}
