//! Room: numbers that a state or a profession gives to people. Each proves itself by little more than
//! one check digit, which every tenth number has as well; so the surroundings have to name it.
#![allow(clippy::arithmetic_side_effects)] // sums of at most 15 digits

use super::digits::{digits, Gap, Group};
use super::hint::Around;
use super::kind::{Kind, Kinds};
use super::text::{is_alnum, Text};
use super::words::Hints;

/// A kind, the hint it needs, how its digits are grouped if they are, and its check.
struct Rule {
    kind: Kind,
    hint: Hints,
    grouped: &'static [usize],
    check: fn(&[u8]) -> bool,
}

// [PRIV-110]
const RULES: &[Rule] = &[
    Rule { kind: Kind::Itin, hint: Hints::ITIN, grouped: &[3, 2, 4], check: itin },
    Rule { kind: Kind::Aadhaar, hint: Hints::AADHAAR, grouped: &[4, 4, 4], check: aadhaar },
    Rule { kind: Kind::Nhs, hint: Hints::NHS, grouped: &[3, 3, 4], check: nhs },
    Rule { kind: Kind::Npi, hint: Hints::NPI, grouped: &[10], check: npi },
    Rule { kind: Kind::Sin, hint: Hints::SIN, grouped: &[3, 3, 3], check: sin },
    Rule { kind: Kind::Routing, hint: Hints::ROUTING, grouped: &[4, 4, 1], check: routing },
];

/// Reports every such number among the groups that `around` names.
pub(crate) fn find(
    text: Text<'_>,
    groups: &[Group],
    around: Around,
    on: Kinds,
    report: &mut impl FnMut(Kind, usize, usize),
) {
    for rule in RULES.iter().filter(|rule| around.loosely.say(rule.hint) && on.has(rule.kind)) {
        for index in 0..groups.len() {
            let rest = groups.get(index..).unwrap_or_default();
            let [first, ..] = rest else { continue };
            let whole = rule.grouped.iter().sum::<usize>() == first.len();
            let grouped = rest.iter().map(|group| group.len()).take(rule.grouped.len());
            let count = match whole {
                true => 1,
                false if grouped.eq(rule.grouped.iter().copied()) => rule.grouped.len(),
                false => continue,
            };
            // Without separators, there is nothing to tell a taxpayer number by.
            if rule.kind == Kind::Itin && whole && !around.closely.say(rule.hint) {
                continue;
            }
            let value = rest.get(..count).unwrap_or_default();
            let next = rest.get(count).map_or(Gap::Start, |group| group.gap);
            let number: Vec<u8> = digits(text, value).collect();
            let Some(last) = value.last().filter(|_| is_apart(value, next)) else { continue };
            let bounded = !is_alnum(text.before(first.start)) && !is_alnum(text.at(last.end));
            if bounded && (rule.check)(&number) {
                report(rule.kind, first.start, last.end);
            }
        }
    }
}

/// Joined by the same space, dash or point throughout, and to nothing else by a point or by the same.
// [PRIV-111]
fn is_apart(value: &[Group], next: Gap) -> bool {
    let (before, separator) = match value {
        [first] => (first.gap, Gap::Dot),
        [first, second, ..] => (first.gap, second.gap),
        [] => return false,
    };
    let even = value.iter().skip(1).all(|group| group.gap == separator);
    let joins = |gap: Gap| gap == Gap::Dot || gap == Gap::Dash && separator == Gap::Dash;
    even && matches!(separator, Gap::Space | Gap::Dash | Gap::Dot) && !joins(before) && !joins(next)
}

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights.iter().cycle()).map(|(digit, by)| u32::from(*digit) * by).sum()
}

/// The check of Luhn over digits behind others that already sum up to `before`.
fn luhn(digits: &[u8], before: u32) -> bool {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let values = digits.iter().rev().zip([false, true].into_iter().cycle());
    let sum = values.map(|(digit, double)| match double {
        true => doubled(u32::from(*digit)),
        false => u32::from(*digit),
    });
    (sum.sum::<u32>() + before).is_multiple_of(10)
}

/// US taxpayer numbers: 9dd-dd-dddd with these groups in the middle.
// [PRIV-112]
fn itin(digits: &[u8]) -> bool {
    let middle = digits.get(3..5).map_or(0, |pair| weighted(pair, &[10, 1]));
    digits.starts_with(&[9]) && matches!(middle, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// Verhoeff's check over the dihedral group of ten; no palindrome, and no 0 or 1 in front.
// [PRIV-113]
fn aadhaar(digits: &[u8]) -> bool {
    let reflects = digits.iter().eq(digits.iter().rev());
    digits.first().is_some_and(|first| *first >= 2) && !reflects && verhoeff(digits) == 0
}

/// Elements 0 to 4 are turns, 5 to 9 turns of the mirrored pentagon.
fn verhoeff(digits: &[u8]) -> u32 {
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8| PERMUTED.get(usize::from(digit)).copied().unwrap_or(0);
    let product = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a - b % 5) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    digits.iter().rev().enumerate().fold(0, |check, (place, digit)| {
        let digit = (0..place % 8).fold(*digit, |digit, _| permuted(digit));
        product(check, u32::from(digit))
    })
}

/// Weights 10 to 1 over all ten digits, modulo 11.
// [PRIV-114]
fn nhs(digits: &[u8]) -> bool {
    let equal = digits.windows(2).all(|pair| pair.first() == pair.last());
    !equal && weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Luhn over the number behind 80840, the issuer prefix of US health providers, which adds 24.
// [PRIV-115]
fn npi(digits: &[u8]) -> bool {
    matches!(digits.first(), Some(1 | 2)) && luhn(digits, 24)
}

/// Canadian social insurance numbers; those with an 8 are of businesses.
// [PRIV-116]
fn sin(digits: &[u8]) -> bool {
    !matches!(digits.first(), Some(8)) && digits.iter().any(|digit| *digit != 0) && luhn(digits, 0)
}

/// US bank routing numbers: a Federal Reserve district, and weights 3, 7, 1.
// [PRIV-117]
fn routing(digits: &[u8]) -> bool {
    let district = digits.get(..2).map_or(0, |pair| weighted(pair, &[10, 1]));
    matches!(district, 1..=12 | 21..=32 | 61..=72 | 80)
        && weighted(digits, &[3, 7, 1]).is_multiple_of(10)
}
