//! Numbers that states, banks and professions give out, as one table. Each proves itself by how its digits
//! are grouped and by its check; where that is little proof, the surroundings have to name it.
#![allow(clippy::arithmetic_side_effects)] // sums of a few group lengths

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::check_digits::{aadhaar, issued_card, itin, luhn, nhs, npi, routing, sin, ssn};
use super::context::Context;
use super::context_words::Hints;
use super::digits::{digits, gap_at, Gap, Group};
use super::text_view::{in_uuid, Text};
use core::ops::RangeInclusive;

/// What a number needs beside its check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    /// No further group joined by the same mark.
    Alone,
    Hint,
    CloseHint,
}
use Need::{Alone, CloseHint, Hint, Nothing};

/// Kind, what hints at it, how many digits, how they are grouped, what they need then and what in one group, check.
/// Groups are given by their lengths, one digit for each: 324 is 3-2-4.
type Row = (Kind, Hints, RangeInclusive<usize>, &'static [usize], Need, Need, fn(&[u8]) -> bool);

// [PRIV-110]
const ROWS: &[Row] = &[
    // ISO/IEC 7812-1.
    (Kind::CreditCard, Hints::CARD, 13..=19, CARDS, Nothing, Nothing, issued_card),
    (Kind::CreditCard, Hints::CARD, 12..=19, ANY, Hint, Hint, luhn),
    // Social Security Administration; Internal Revenue Service.
    (Kind::Ssn, Hints::SSN, 9..=9, &[324], Alone, CloseHint, ssn),
    (Kind::Itin, Hints::ITIN, 9..=9, &[324], Hint, CloseHint, itin),
    // Unique Identification Authority of India.
    (Kind::Aadhaar, Hints::AADHAAR, 12..=12, &[444], Hint, Hint, aadhaar),
    // NHS Data Dictionary; Centers for Medicare & Medicaid Services.
    (Kind::Nhs, Hints::NHS, 10..=10, &[334], Hint, Hint, nhs),
    (Kind::Npi, Hints::NPI, 10..=10, &[], Hint, Hint, npi),
    // Employment and Social Development Canada.
    (Kind::Sin, Hints::SIN, 9..=9, &[333], Hint, Hint, sin),
    // American Bankers Association.
    (Kind::Routing, Hints::ROUTING, 9..=9, &[441], Hint, Hint, routing),
];

const CARDS: &[usize] = &[44443, 44442, 44441, 4444, 4443, 4442, 4441, 465, 464];
/// Groups of four digits or more, but for the last one.
const ANY: &[usize] = &[0];

/// The most groups of a number, what the longest of them has at least, and the most digits.
const GROUPS_MAX: usize = 5;
const GROUP_MIN: usize = 3;
const DIGITS_MAX: usize = 19;
/// No row has fewer.
pub(in crate::kernel) const DIGITS_MIN: usize = 9;

/// Adds every such number among the groups, of each row the longest from each group on.
pub(in crate::kernel) fn find(
    text: Text<'_>,
    groups: &[Group],
    around: Context,
    hits: &mut Matches,
) {
    if groups.iter().all(|group| group.len() < GROUP_MIN) {
        return;
    }
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    let open = |row: &&Row| {
        *row.2.start() <= digits && (around.nearby.has(row.1) || matches!(row.4, Nothing | Alone))
    };
    for row in ROWS.iter().filter(open) {
        for (index, first) in groups.iter().enumerate() {
            let rest = groups.get(index..).unwrap_or_default();
            let (mut count, mut shape, mut found) = (0, 0, None);
            for (place, group) in rest.iter().take(GROUPS_MAX).enumerate() {
                count += group.len();
                if count > *row.2.end() {
                    break;
                }
                shape = shape * 10 + group.len();
                let value = rest.get(..=place).unwrap_or_default();
                if count >= *row.2.start() && is_number(row, text, value, shape, around) {
                    found = Some(group.end);
                }
            }
            if let Some(end) = found {
                hits.add((row.0, first.start, end));
            }
        }
    }
}

fn is_number(row: &Row, text: Text<'_>, value: &[Group], shape: usize, around: Context) -> bool {
    let (_, hint, _, shapes, grouped, whole, check) = row;
    let (need, shaped) = match value {
        [group] => (*whole, group.is_whole() || *whole != Nothing),
        [all @ .., _] if *shapes == ANY => (*grouped, all.iter().all(|group| group.len() >= 4)),
        _ => (*grouped, shapes.contains(&shape)),
    };
    let named = match need {
        Nothing | Alone => true,
        Hint => around.nearby.has(*hint),
        CloseHint => around.adjacent.has(*hint),
    };
    // Whatever digits prove, equal ones come from examples and dumps of memory.
    let is_proven = || {
        let mut number = [0; DIGITS_MAX];
        let filled = number.iter_mut().zip(digits(text, value)).map(|(to, digit)| *to = digit);
        let count = filled.count();
        let number = number.get(..count).unwrap_or_default();
        number.iter().any(|digit| Some(digit) != number.first()) && check(number)
    };
    shaped && named && is_proven() && is_apart(text, value, need)
}

/// Whether the groups are joined by the same mark throughout, unless they are named, and to nothing else.
// [PRIV-111]
fn is_apart(text: Text<'_>, value: &[Group], need: Need) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return false };
    let mut gaps = value.iter().skip(1).map(|group| group.gap);
    let separator = gaps.clone().next().unwrap_or(Gap::Dot);
    let named = matches!(need, Hint | CloseHint);
    let joins = |gap| matches!(gap, Gap::Space | Gap::Dash | Gap::Dot);
    let joined = gaps.all(|gap| joins(gap) && (gap == separator || named));
    let tied = |gap| match need {
        _ if gap == Gap::Dot => true,
        Nothing => false,
        Alone => gap == separator,
        Hint | CloseHint => gap == separator && gap == Gap::Dash,
    };
    let dashed = text.before(first.start) == b'-' || text.at(last.end) == b'-';
    joined
        && !tied(first.gap)
        && !tied(gap_at(text, last.end).1)
        && text.bounds(first.start, last.end)
        && !(dashed && in_uuid(text, first.start))
}

#[cfg(test)]
#[path = "../../../../conformance/unit/kernel/privacy/detect/numbers.rs"]
mod tests;
