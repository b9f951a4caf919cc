//! Room: payment cards. A number proves itself by the check digit of Luhn (ISO/IEC 7812-1) and an
//! issuer that gives out numbers of this length; where the surroundings speak of a card, by Luhn alone.
#![allow(clippy::arithmetic_side_effects)] // sums of at most 19 digits

use super::digits::{digits, Gap, Group};
use super::hint::{Around, Hints};
use super::text::{in_uuid, is_alnum, Text};

const DIGITS_MIN: usize = 12;
const DIGITS_MAX: usize = 19;
/// Enough for 4-4-4-4-3 and one group more.
const GROUPS_MAX: usize = 6;

/// Reports every card among the groups, the longest from each group on.
// [PRIV-30]
pub(crate) fn find(
    text: Text<'_>,
    groups: &[Group],
    around: Around,
    report: &mut impl FnMut(usize, usize),
) {
    for (first, group) in groups.iter().enumerate() {
        let free = match group.gap {
            Gap::Start => !is_alnum(text.before(group.start)),
            // A digit and a point before: the fraction of a decimal number.
            gap => gap != Gap::Dot,
        };
        if free && group.len() >= 3 {
            if let Some(end) = longest(text, groups.get(first..).unwrap_or_default(), around) {
                report(group.start, end);
            }
        }
    }
}

/// The end of the longest card that begins with the first group.
fn longest(text: Text<'_>, groups: &[Group], around: Around) -> Option<usize> {
    let mut found = None;
    let mut luhn = Luhn::default();
    let mut broken_lines = 0;
    for (index, group) in groups.iter().take(GROUPS_MAX).enumerate() {
        let joined =
            index == 0 || matches!(group.gap, Gap::Space | Gap::Dash | Gap::Dot | Gap::Line);
        if !joined || luhn.length + group.len() > DIGITS_MAX {
            break;
        }
        broken_lines += usize::from(index > 0 && group.gap == Gap::Line);
        luhn.add(text.slice(group.start, group.end));
        let next = groups.get(index + 1).map(|next| next.gap);
        let ends = match next {
            None => !is_alnum(text.at(group.end)),
            Some(gap) => gap != Gap::Dot,
        };
        if ends && luhn.length >= DIGITS_MIN && luhn.holds() {
            let value = groups.get(..=index).unwrap_or_default();
            if plausible(text, value, luhn.length, broken_lines, around) {
                found = Some(group.end);
            }
        }
        if group.len() < 3 {
            break;
        }
    }
    found
}

/// The check digit holds; is it a card?
fn plausible(text: Text<'_>, value: &[Group], length: usize, lines: usize, around: Around) -> bool {
    let mut prefix = 0u32;
    digits(text, value).take(4).for_each(|digit| prefix = prefix * 10 + u32::from(digit));
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return false };
    let dashed = text.before(first.start) == b'-' || text.at(last.end) == b'-';
    // [PRIV-34]
    if dashed && in_uuid(text, first.start) || digits(text, value).all(|digit| digit == 0) {
        return false;
    }
    // Points join groups of four only: elsewhere they belong to decimal numbers.
    let pointed = value.iter().skip(1).any(|group| group.gap == Gap::Dot);
    let fours = value.iter().rev().skip(1).all(|group| group.len() == 4);
    if pointed && !(fours && value.len() >= 4) {
        return false;
    }
    // [PRIV-31] [PRIV-32]
    let alone = lines == 0 && issued(prefix, length) && !(length == 13 && is_ean(text, value));
    // [PRIV-33]
    alone || lines <= 1 && around.loosely.say(Hints::CARD)
}

/// Whether an issuer gives out numbers of this length beginning with these four digits.
// [PRIV-31]
pub(crate) fn issued(prefix: u32, length: usize) -> bool {
    match (prefix, length) {
        // Visa
        (4000..=4999, 13 | 16 | 19) => true,
        // Mastercard
        (5100..=5599 | 2221..=2720, 16) => true,
        // American Express
        (3400..=3499 | 3700..=3799, 15) => true,
        // Diners Club
        (3000..=3059 | 3095 | 3600..=3699 | 3800..=3999, 14) => true,
        // JCB
        (3528..=3589, 16..=19) | (2131 | 1800, 15) => true,
        // Discover
        (6011 | 6440..=6599, 16..=19) => true,
        // UnionPay
        (6200..=6299, 16..=19) => true,
        // Maestro and others of its ranges. 18 digits are left out: there are too many numbers
        // of that length that count upwards (snowflake identifiers), and hardly a card.
        (5000..=5099 | 5600..=6999, 16 | 19) => true,
        // Mir, Troy
        (2200..=2204 | 9792, 16) => true,
        _ => false,
    }
}

/// Thirteen digits whose last is also the check digit of an EAN-13 article number.
fn is_ean(text: Text<'_>, value: &[Group]) -> bool {
    let weighted = digits(text, value).zip([1u32, 3].into_iter().cycle());
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
            let even = self.length % 2 == 0;
            self.even_doubled += if even { doubled } else { plain };
            self.odd_doubled += if even { plain } else { doubled };
            self.length += 1;
        }
    }

    /// The last digit is never doubled.
    fn holds(&self) -> bool {
        let sum = if self.length % 2 == 0 { self.even_doubled } else { self.odd_doubled };
        sum % 10 == 0
    }
}

/// Whether an integer of a JSON document is a card number.
// [PRIV-71]
pub(crate) fn is_card(decimal: &str, hints: Hints) -> bool {
    let mut luhn = Luhn::default();
    luhn.add(decimal.as_bytes());
    let whole = [Group { gap: Gap::Start, start: 0, end: decimal.len() }];
    (DIGITS_MIN..=DIGITS_MAX).contains(&luhn.length)
        && luhn.holds()
        && plausible(Text(decimal.as_bytes()), &whole, luhn.length, 0, Around::given(hints))
}
