//! Room: passport and driving licence numbers. They have no check digit that proves them, so only
//! what the surroundings name counts.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context::Context;
use super::context_words::Hints;
use super::text_view::Text;
use core::ops::RangeInclusive;

/// What hints at it, how many letters and digits it has, and the most dashes between them.
type Row = (Kind, Hints, RangeInclusive<usize>, usize);

// [PRIV-58] [PRIV-59]
const ROWS: &[Row] = &[
    (Kind::Passport, Hints::PASSPORT, 6..=9, 0),
    (Kind::DriversLicense, Hints::LICENSE, 5..=17, 4),
];

/// The longest number with its dashes.
const TOKEN_MAX: usize = 21;
/// Nothing with fewer digits is such a number.
pub(in crate::kernel) const DIGITS_MIN: usize = 4;

/// Adds the token around the digit at `at` if it is what the surroundings speak of.
pub(in crate::kernel) fn find(text: Text<'_>, at: usize, around: Context, hits: &mut Matches) {
    for (kind, _, length, dashes_max) in ROWS.iter().filter(|row| around.nearby.has(row.1)) {
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let start = text.back(at, TOKEN_MAX, belongs);
        let end = text.forth(start, TOKEN_MAX + 1, belongs);
        let token = text.slice(start, end);
        let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
        let dashes = token.iter().filter(|byte| **byte == b'-').count();
        if length.contains(&(token.len() - dashes))
            && digits >= DIGITS_MIN
            && dashes <= *dashes_max
            && text.bounds(start, end)
            && !matches!(token, [b'-', ..] | [.., b'-'])
        {
            hits.add((*kind, start, end));
        }
    }
}
