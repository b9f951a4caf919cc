//! Room: payment cards. A number proves itself by the check digit of Luhn (ISO/IEC 7812-1) and an
//! issuer that gives out numbers of this length; where the surroundings speak of a card, by Luhn alone.
#![allow(clippy::arithmetic_side_effects)] // sums of at most 19 digits

use super::digits::{digits, gap_at, Gap, Group};
use super::hint::Around;
use super::text::{in_uuid, is_alnum, Text};
use super::words::Hints;

const DIGITS_MIN: usize = 12;
const DIGITS_MAX: usize = 19;
/// As in 4-4-4-4-3.
const GROUPS_MAX: usize = 5;
/// Only the last group may be shorter.
const GROUP_MIN: usize = 4;

/// Reports every card among the groups, the longest from each group on.
// [PRIV-30]
pub(crate) fn find(
    text: Text<'_>,
    groups: &[Group],
    around: Around,
    report: &mut impl FnMut(usize, usize),
) {
    let told = around.loosely.say(Hints::CARD);
    for (first, group) in groups.iter().enumerate() {
        let free = match group.gap {
            Gap::Start => !is_alnum(text.before(group.start)),
            // A digit and a point before: the fraction of a decimal number.
            gap => gap != Gap::Dot,
        };
        if free && group.len() >= GROUP_MIN {
            if let Some(end) = longest(text, groups.get(first..).unwrap_or_default(), told) {
                report(group.start, end);
            }
        }
    }
}

/// The end of the longest card that begins with the first group.
fn longest(text: Text<'_>, groups: &[Group], told: bool) -> Option<usize> {
    let issued = lengths(prefix(text, groups));
    // Without a hint, a number that nobody issues cannot be a card, whatever its check digit.
    if issued.is_empty() && !told {
        return None;
    }
    let (mut found, mut luhn) = (None, Luhn::default());
    for (index, group) in groups.iter().take(GROUPS_MAX).enumerate() {
        let joins = matches!(group.gap, Gap::Space | Gap::Dash | Gap::Dot | Gap::Line);
        if index > 0 && !joins || luhn.length + group.len() > DIGITS_MAX {
            break;
        }
        luhn.add(text.slice(group.start, group.end));
        let ends = !is_alnum(text.at(group.end)) && gap_at(text, group.end).1 != Gap::Dot;
        let value = groups.get(..=index).unwrap_or_default();
        if ends && luhn.length >= DIGITS_MIN && luhn.holds() && !is_something_else(text, value) {
            // [PRIV-31] [PRIV-32]
            let article = luhn.length == 13 && is_ean(digits(text, value));
            let proven = issued.contains(&luhn.length) && is_written(value) && !article;
            // [PRIV-33]
            let lines = value.iter().skip(1).filter(|group| group.gap == Gap::Line).count();
            if proven || told && lines <= 1 {
                found = Some(group.end);
            }
        }
        if group.len() < GROUP_MIN {
            break;
        }
    }
    found
}

/// Whether digits are grouped as on cards: all together, in fours with a shorter end, or 4-6-5 and
/// 4-6-4; with one separator throughout. Other groups are columns of a table.
// [PRIV-32]
fn is_written(value: &[Group]) -> bool {
    let mut lengths = value.iter().map(|group| group.len());
    let mut gaps = value.iter().skip(1).map(|group| group.gap);
    let separator = gaps.next().unwrap_or(Gap::Space);
    let even = separator != Gap::Line && gaps.all(|gap| gap == separator);
    let fours = value.len() >= 4 && lengths.clone().take(value.len() - 1).all(|length| length == 4);
    let last = lengths.clone().next_back().unwrap_or(0);
    let four_six = lengths.len() == 3 && lengths.next() == Some(4) && lengths.next() == Some(6);
    let four_six = four_six && matches!(last, 4 | 5) && separator != Gap::Dot;
    value.len() == 1 || even && (fours && last <= 4 || four_six)
}

/// Numbers with the right check digit that are no cards: zeros, parts of a UUID, and decimal
/// numbers that happen to stand together.
// [PRIV-34]
fn is_something_else(text: Text<'_>, value: &[Group]) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return true };
    let dashed = text.before(first.start) == b'-' || text.at(last.end) == b'-';
    let uuid = dashed && in_uuid(text, first.start);
    let points = value.iter().skip(1).any(|group| group.gap == Gap::Dot);
    let zeros = digits(text, value).all(|digit| digit == 0);
    uuid || zeros || points && !is_written(value)
}

/// The number that the first four digits make, which stand in the first group.
fn prefix(text: Text<'_>, groups: &[Group]) -> u32 {
    let four = groups.first().map_or(&[][..], |first| text.upto(first.start, GROUP_MIN));
    four.iter().fold(0, |prefix, digit| prefix * 10 + u32::from(digit.wrapping_sub(b'0')))
}

/// How long the numbers are that issuers give out beginning with these four digits.
// [PRIV-31]
pub(crate) fn lengths(prefix: u32) -> &'static [usize] {
    match prefix {
        // Visa
        4000..=4999 => &[13, 16, 19],
        // Mastercard; Mir; Troy
        5100..=5599 | 2221..=2720 | 2200..=2204 | 9792 => &[16],
        // American Express; JCB of old
        3400..=3499 | 3700..=3799 | 1800 | 2131 => &[15],
        // Diners Club
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => &[14],
        // JCB; Discover; UnionPay
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 => &[16, 17, 18, 19],
        // Maestro and others in its ranges. 18 digits are left out: identifiers that count up with
        // time have as many, cards hardly ever.
        5000..=5099 | 5600..=6999 => &[16, 19],
        _ => &[],
    }
}

/// Thirteen digits whose last is also the check digit of an EAN-13 article number.
fn is_ean(digits: impl Iterator<Item = u8>) -> bool {
    let weighted = digits.zip([1u32, 3].into_iter().cycle());
    weighted.map(|(digit, weight)| u32::from(digit) * weight).sum::<u32>() % 10 == 0
}

/// The sum of Luhn over digits as they come, for either parity of their final number.
#[derive(Default)]
struct Luhn {
    length: usize,
    /// Every digit at an even (odd) place counted from the left doubled.
    even_doubled: u32,
    odd_doubled: u32,
}

impl Luhn {
    fn add(&mut self, digits: &[u8]) {
        for digit in digits {
            let plain = u32::from(digit.wrapping_sub(b'0'));
            let doubled = if plain < 5 { plain * 2 } else { plain * 2 - 9 };
            let even = self.length.is_multiple_of(2);
            self.even_doubled += if even { doubled } else { plain };
            self.odd_doubled += if even { plain } else { doubled };
            self.length += 1;
        }
    }

    /// The last digit is never doubled.
    fn holds(&self) -> bool {
        let sum = if self.length.is_multiple_of(2) { self.even_doubled } else { self.odd_doubled };
        sum % 10 == 0
    }
}
