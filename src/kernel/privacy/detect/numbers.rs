//! Numbers issued by states, banks and professions, as one table. Each is detected by its grouping and its
//! check digits and, where those prove little, by its context.
#![allow(clippy::arithmetic_side_effects)] // sums of a few group lengths

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::check_digits::{aadhaar, issued_card, itin, luhn, nhs, npi, routing, sin, ssn};
use super::context::Context;
use super::context_words::Hints;
use super::digits::{digits, gap_at, Gap, Group};
use super::text_view::{in_uuid, Text};
use core::ops::RangeInclusive;

/// What a number needs besides valid check digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    /// No other group joined by the same separator.
    Alone,
    Nearby,
    Adjacent,
}
use Need::{Adjacent, Alone, Nearby, Nothing};

/// Kind, context, number of digits, groupings, need if grouped, need if in one group, check. A grouping is
/// the lengths of the groups as digits: 324 is 3-2-4.
type Format = (Kind, Hints, RangeInclusive<usize>, &'static [usize], Need, Need, fn(&[u8]) -> bool);

// [PRIV-110]
const NUMBER_FORMATS: &[Format] = &[
    // ISO/IEC 7812-1.
    (Kind::CreditCard, Hints::CARD, 13..=19, CARDS, Nothing, Nothing, issued_card),
    (Kind::CreditCard, Hints::CARD, 12..=19, ANY, Nearby, Nearby, luhn),
    // Social Security Administration; Internal Revenue Service.
    (Kind::Ssn, Hints::SSN, 9..=9, &[324], Alone, Adjacent, ssn),
    (Kind::Itin, Hints::ITIN, 9..=9, &[324], Nearby, Adjacent, itin),
    // Unique Identification Authority of India.
    (Kind::Aadhaar, Hints::AADHAAR, 12..=12, &[444], Nearby, Nearby, aadhaar),
    // NHS Data Dictionary; Centers for Medicare & Medicaid Services.
    (Kind::Nhs, Hints::NHS, 10..=10, &[334], Nearby, Nearby, nhs),
    (Kind::Npi, Hints::NPI, 10..=10, &[], Nearby, Nearby, npi),
    // Employment and Social Development Canada.
    (Kind::Sin, Hints::SIN, 9..=9, &[333], Nearby, Nearby, sin),
    // American Bankers Association.
    (Kind::Routing, Hints::ROUTING, 9..=9, &[441], Nearby, Nearby, routing),
];

const CARDS: &[usize] = &[44443, 44442, 44441, 4444, 4443, 4442, 4441, 465, 464];
/// Groups of four digits or more, except the last one.
const ANY: &[usize] = &[0];

/// Most groups of a number, least length of the longest of them, and most digits.
const GROUPS_MAX: usize = 5;
const GROUP_MIN: usize = 3;
const DIGITS_MAX: usize = 19;
/// Fewest digits in the table.
pub(super) const DIGITS_MIN: usize = 9;

/// Adds the longest number of each row of the table from each group on.
pub(super) fn find(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    if groups.iter().all(|group| group.len() < GROUP_MIN) {
        return;
    }
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    let open = |row: &&Format| {
        *row.2.start() <= digits && (context.nearby.has(row.1) || matches!(row.4, Nothing | Alone))
    };
    for row in NUMBER_FORMATS.iter().filter(open) {
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
                if count >= *row.2.start() && is_number(row, text, value, shape, context) {
                    found = Some(group.end);
                }
            }
            if let Some(end) = found {
                matches.add((row.0, first.start, end));
            }
        }
    }
}

fn is_number(row: &Format, text: Text, value: &[Group], shape: usize, context: Context) -> bool {
    let (_, hint, _, shapes, grouped, whole, check) = row;
    let (need, shaped) = match value {
        [group] => (*whole, group.is_whole() || *whole != Nothing),
        [all @ .., _] if *shapes == ANY => (*grouped, all.iter().all(|group| group.len() >= 4)),
        _ => (*grouped, shapes.contains(&shape)),
    };
    let named = match need {
        Nothing | Alone => true,
        Nearby => context.nearby.has(*hint),
        Adjacent => context.adjacent.has(*hint),
    };
    // Equal digits come from examples and memory dumps, even if the check passes.
    let is_proven = || {
        let mut number = [0; DIGITS_MAX];
        let filled = number.iter_mut().zip(digits(text, value)).map(|(to, digit)| *to = digit);
        let count = filled.count();
        let number = number.get(..count).unwrap_or_default();
        number.iter().any(|digit| Some(digit) != number.first()) && check(number)
    };
    shaped && named && is_proven() && is_apart(text, value, need)
}

/// Returns `true` if the groups are joined by one separator, or any if the context names the number, and
/// are not part of a longer row.
// [PRIV-111]
fn is_apart(text: Text, value: &[Group], need: Need) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return false };
    let mut gaps = value.iter().skip(1).map(|group| group.gap);
    let separator = gaps.clone().next().unwrap_or(Gap::Dot);
    let named = matches!(need, Nearby | Adjacent);
    let joins = |gap| matches!(gap, Gap::Space | Gap::Dash | Gap::Dot);
    let joined = gaps.all(|gap| joins(gap) && (gap == separator || named));
    let tied = |gap| match need {
        _ if gap == Gap::Dot => true,
        Nothing => false,
        Alone => gap == separator,
        Nearby | Adjacent => gap == separator && gap == Gap::Dash,
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
