//! Room: passport and driving licence numbers. They have no check digit that proves them, so only
//! what the surroundings name counts.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::digits::Group;
use super::kind::{Kind, Kinds};
use super::text::{is_alnum, Text};
use super::words::Hints;

/// The longest licence numbers have 17 characters; separators come on top.
const TOKEN_MAX: usize = 20;
/// Nothing with fewer digits is such a number.
pub(crate) const DIGITS_MIN: usize = 4;

/// Whether the only group is no part of a longer token: four digits are no document.
pub(crate) fn is_alone(text: Text<'_>, groups: &[Group]) -> bool {
    let [group] = groups else { return false };
    let (before, after) = (text.before(group.start), text.at(group.end));
    ![before, after].iter().any(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Looks at the token around the digit at `at`; what it is, by what `hints` say around it.
// [PRIV-58] [PRIV-59]
pub(crate) fn find(
    text: Text<'_>,
    at: usize,
    hints: Hints,
    on: Kinds,
) -> Option<(Kind, usize, usize)> {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let start = text.back(at, TOKEN_MAX, belongs);
    let end = text.forth(start, TOKEN_MAX + 1, belongs);
    let token = text.slice(start, end);
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    let dashes = token.iter().filter(|byte| **byte == b'-').count();
    let characters = token.len() - dashes;
    let bounded = !is_alnum(text.before(start)) && !is_alnum(text.at(end));
    if !bounded || dashes > 4 || token.starts_with(b"-") || token.ends_with(b"-") {
        return None;
    }
    let passport = (6..=9).contains(&characters) && digits >= DIGITS_MIN && dashes == 0;
    let license = (5..=17).contains(&characters) && digits >= DIGITS_MIN;
    if passport && on.has(Kind::Passport) && hints.say(Hints::PASSPORT) {
        return Some((Kind::Passport, start, end));
    }
    let named = license && on.has(Kind::DriversLicense) && hints.say(Hints::LICENSE);
    named.then_some((Kind::DriversLicense, start, end))
}
