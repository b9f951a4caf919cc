//! Check digits, and the ranges of issued numbers. A number is a slice of digits from 0 to 9; a letter is its
//! capital's ASCII code less that of `0`, from 17 (`A`) on.
#![allow(clippy::arithmetic_side_effects)] // sums of at most 34 characters

use super::account_numbers::{ARTICLE, CARD_ISSUERS};
use core::ops::{Range, RangeInclusive};

/// A condition of an issued number. `national_numbers.rs` has them as data.
pub(super) enum Rule {
    /// The digits at these places are a number in one of the ranges.
    In(Range<usize>, &'static [RangeInclusive<u32>]),
    /// The character at this place is one of these.
    OneOf(usize, &'static str),
    /// The characters times these weights sum to 0 modulo the number; or, if there are characters, to the
    /// place among them of the character that follows.
    Sum(&'static [u32], u32, &'static str),
    /// Luhn's sum of the characters from a place on, and a number, is a multiple of ten.
    Luhn(usize, u32),
    /// Another check.
    Is(fn(&[u8]) -> bool),
}

impl Rule {
    fn holds(&self, digits: &[u8]) -> bool {
        match self {
            Rule::In(places, ranges) => {
                let number = number(digits, places.clone());
                ranges.iter().any(|range| range.contains(&number))
            }
            Rule::OneOf(place, characters) => {
                characters.bytes().any(|byte| byte == letter(digits, *place))
            }
            Rule::Sum(weights, modulo, characters) => {
                let weighted = digits.iter().zip(*weights);
                let sum: u32 = weighted.map(|(digit, weight)| u32::from(*digit) * weight).sum();
                let wanted = letter(digits, weights.len());
                match characters.is_empty() {
                    true => sum.is_multiple_of(*modulo),
                    false => (0..).zip(characters.bytes()).any(|at| at == (sum % modulo, wanted)),
                }
            }
            Rule::Luhn(from, plus) => {
                let digits = digits.get(*from..).unwrap_or_default();
                (luhn_sum(digits) + plus).is_multiple_of(10)
            }
            Rule::Is(check) => check(digits),
        }
    }
}

/// Returns `true` if a number fulfils all rules.
pub(super) fn holds(rules: &[Rule], digits: &[u8]) -> bool {
    rules.iter().all(|rule| rule.holds(digits))
}

/// Returns some of the digits as a number.
fn number(digits: &[u8], places: Range<usize>) -> u32 {
    digits.get(places).unwrap_or_default().iter().fold(0, |n, digit| n * 10 + u32::from(*digit))
}

/// Returns the character at a place.
fn letter(number: &[u8], place: usize) -> u8 {
    number.get(place).map_or(0, |value| value.saturating_add(b'0'))
}

/// From the right, every second digit is doubled and the digits of the product are added.
fn luhn_sum(digits: &[u8]) -> u32 {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let values = digits.iter().rev().map(|digit| u32::from(*digit)).enumerate();
    values.map(|(place, digit)| if place % 2 == 0 { digit } else { doubled(digit) }).sum()
}

// [PRIV-33]
pub(super) fn luhn(digits: &[u8]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// No palindrome; Verhoeff's check over the dihedral group of order ten. Elements 0 to 4 are rotations, 5 to
/// 9 reflections of the pentagon.
// [PRIV-113]
pub(super) fn aadhaar(digits: &[u8]) -> bool {
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8| PERMUTED.get(usize::from(digit)).copied().unwrap_or(0);
    let product = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a - b % 5) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let sum = digits.iter().rev().enumerate().fold(0, |sum, (place, digit)| {
        let digit = (0..place % 8).fold(*digit, |digit, _| permuted(digit));
        product(sum, u32::from(digit))
    });
    sum == 0 && !digits.iter().eq(digits.iter().rev())
}

/// Returns the remainder modulo 97 (ISO 7064) of letters and digits, letters being numbers from 10 (A) to
/// 35 (Z).
pub(super) fn modulo_97(characters: &[u8]) -> u32 {
    characters.iter().fold(0, |remainder, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or(0);
        (remainder * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// ISO 7064 modulo 11, 10. Of the first ten digits one or two repeat others.
// [PRIV-126]
pub(super) fn steuer_id(digits: &[u8]) -> bool {
    let seen = digits.iter().take(10).fold(0u32, |seen, digit| seen | 1 << digit).count_ones();
    let product = digits.iter().take(10).fold(10, |product, digit| {
        match (product + u32::from(*digit)) % 10 {
            0 => 20 % 11,
            sum => sum * 2 % 11,
        }
    });
    matches!(seen, 8 | 9) && (product + number(digits, 10..11)) % 10 == 1
}

/// A card number of a known issuer and its length, and not an article number (EAN-13).
// [PRIV-31] [PRIV-32]
pub(super) fn issued_card(digits: &[u8]) -> bool {
    let article = digits.len() == 13 && Rule::Sum(ARTICLE, 10, "").holds(digits);
    let prefix = number(digits, 0..4);
    let issuer = CARD_ISSUERS.iter().find(|row| row.0.contains(&prefix));
    issuer.is_some_and(|row| row.1.contains(&digits.len())) && !article && luhn(digits)
}

/// Not a prefix that was never issued.
// [PRIV-120]
pub(super) fn nino(number: &[u8]) -> bool {
    let prefix = [letter(number, 0), letter(number, 1)];
    ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&prefix)
}

/// Letters replace digits where two persons would have the same code.
// [PRIV-121]
pub(super) fn codice_fiscale(number: &[u8]) -> bool {
    const DIGITS: &[u8] = b"LMNPQRSTUV";
    /// The values at odd places of 0 or A, 1 or B and so on, A being 0.
    const ODD: &[u8] = b"BAFHJNPRTVCESULDGIMOQKWZYX";
    let digit = |place| match letter(number, place) {
        digit @ b'0'..=b'9' => Some(u32::from(digit - b'0')),
        letter => (0..).zip(DIGITS).find(|(_, digit)| **digit == letter).map(|(digit, _)| digit),
    };
    let value = |(place, value): (usize, &u8)| {
        let value = if *value < 10 { *value } else { value.saturating_sub(17) };
        let odd = ODD.get(usize::from(value)).map_or(0, |letter| letter - b'A');
        u32::from(if place % 2 == 0 { odd } else { value })
    };
    let sum: u32 = number.iter().take(15).enumerate().map(value).sum();
    let day = digit(9).zip(digit(10)).map_or(0, |(tens, ones)| tens * 10 + ones);
    [6, 7, 12, 13, 14].into_iter().all(|place| digit(place).is_some())
        && matches!(day, 1..=31 | 41..=71)
        && u32::from(letter(number, 15)) == u32::from(b'A') + sum % 26
}
