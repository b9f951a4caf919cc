//! Check digits, and the ranges of issued numbers. A number is a slice of digits from 0 to 9.
#![allow(clippy::arithmetic_side_effects)] // sums of at most 34 characters

use core::ops::Range;

/// Returns some of the digits as a number.
fn number(digits: &[u8], places: Range<usize>) -> u32 {
    digits.get(places).unwrap_or_default().iter().fold(0, |n, digit| n * 10 + u32::from(*digit))
}

fn weighted_sum(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights.iter().cycle()).map(|(digit, by)| u32::from(*digit) * by).sum()
}

/// From the right, every second digit is doubled and the digits of the product are added.
fn luhn_sum(digits: &[u8]) -> u32 {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let values = digits.iter().rev().map(|digit| u32::from(*digit)).enumerate();
    values.map(|(place, digit)| if place % 2 == 0 { digit } else { doubled(digit) }).sum()
}

// [PRIV-33]
pub(in crate::kernel) fn luhn(digits: &[u8]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// Verhoeff's check over the dihedral group of order ten. Elements 0 to 4 are rotations, 5 to 9 reflections
/// of the pentagon.
fn verhoeff(digits: &[u8]) -> bool {
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
    sum == 0
}

/// Returns the remainder modulo 97 (ISO 7064) of letters and digits, letters being numbers from 10 (A) to
/// 35 (Z).
pub(super) fn modulo_97(characters: &[u8]) -> u32 {
    characters.iter().fold(0, |remainder, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or(0);
        (remainder * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// A card number of a known issuer and its length, and not an article number (EAN-13).
// [PRIV-31] [PRIV-32]
pub(super) fn issued_card(digits: &[u8]) -> bool {
    let article = digits.len() == 13 && weighted_sum(digits, &[1, 3]).is_multiple_of(10);
    let prefix = number(digits, 0..4);
    let issuer = ISSUERS.iter().find(|(first, last, _)| (*first..=*last).contains(&prefix));
    issuer.is_some_and(|issuer| issuer.2.contains(&digits.len())) && !article && luhn(digits)
}

/// Range of the first four digits of an issuer's numbers, and their lengths.
// [PRIV-31]
const ISSUERS: &[(u32, u32, &[usize])] = &[
    // Visa.
    (4000, 4999, &[13, 16, 19]),
    // Mastercard; Mir; Troy.
    (5100, 5599, &[16]),
    (2221, 2720, &[16]),
    (2200, 2204, &[16]),
    (9792, 9792, &[16]),
    // American Express; JCB of old.
    (3400, 3499, &[15]),
    (3700, 3799, &[15]),
    (1800, 1800, &[15]),
    (2131, 2131, &[15]),
    // Diners Club.
    (3000, 3059, &[14]),
    (3095, 3095, &[14]),
    (3600, 3699, &[14]),
    (3800, 3999, &[14]),
    // JCB; Discover; UnionPay.
    (3528, 3589, &[16, 17, 18, 19]),
    (6011, 6011, &[16, 17, 18, 19]),
    (6440, 6599, &[16, 17, 18, 19]),
    (6200, 6299, &[16, 17, 18, 19]),
    // Maestro and others in its ranges. 18 digits are excluded: time-based identifiers often have 18, cards
    // hardly ever.
    (5000, 5099, &[16, 19]),
    (5600, 6999, &[16, 19]),
];

/// Excludes values that were never issued, and two that were published too often to be personal.
// [PRIV-41]
pub(super) fn ssn(digits: &[u8]) -> bool {
    let (area, pair, serial) = (number(digits, 0..3), number(digits, 3..5), number(digits, 5..9));
    let printed = matches!((area, pair, serial), (123, 45, 6789) | (78, 5, 1120));
    !matches!(area, 0 | 666 | 900..) && pair != 0 && serial != 0 && !printed
}

/// 9dd-dd-dddd with these groups in the middle.
// [PRIV-112]
pub(super) fn itin(digits: &[u8]) -> bool {
    digits.starts_with(&[9])
        && matches!(number(digits, 3..5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// Not a palindrome, and not starting with 0 or 1.
// [PRIV-113]
pub(super) fn aadhaar(digits: &[u8]) -> bool {
    number(digits, 0..1) >= 2 && !digits.iter().eq(digits.iter().rev()) && verhoeff(digits)
}

// [PRIV-114]
pub(super) fn nhs(digits: &[u8]) -> bool {
    weighted_sum(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// With the prefix 80840 of US health providers, which adds 24 to the sum.
// [PRIV-115]
pub(super) fn npi(digits: &[u8]) -> bool {
    matches!(digits, [1 | 2, ..]) && (luhn_sum(digits) + 24).is_multiple_of(10)
}

/// Excludes numbers that start with 8, which are issued to businesses.
// [PRIV-116]
pub(super) fn sin(digits: &[u8]) -> bool {
    !digits.starts_with(&[8]) && luhn(digits)
}

/// A Federal Reserve district, and weights 3, 7, 1.
// [PRIV-117]
pub(super) fn routing(digits: &[u8]) -> bool {
    matches!(number(digits, 0..2), 1..=12 | 21..=32 | 61..=72 | 80)
        && weighted_sum(digits, &[3, 7, 1]).is_multiple_of(10)
}
