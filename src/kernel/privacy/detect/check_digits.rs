//! Check digits, and the ranges of issued numbers. A number is a slice of digits from 0 to 9; a letter is its
//! capital's ASCII code less that of `0`, from 17 on.
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
pub(super) const ISSUERS: &[(u32, u32, &[usize])] = &[
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

/// Excludes values that were never issued.
pub(super) fn ssn(digits: &[u8]) -> bool {
    let (area, pair, serial) = (number(digits, 0..3), number(digits, 3..5), number(digits, 5..9));
    !matches!(area, 0 | 666 | 900..) && pair != 0 && serial != 0
}

/// Also excludes two that were published too often to be personal unless they are named.
// [PRIV-41]
pub(super) fn unprinted_ssn(digits: &[u8]) -> bool {
    ssn(digits) && !matches!(number(digits, 0..9), 123_456_789 | 78_051_120)
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

/// Returns the character at a place.
fn letter(number: &[u8], place: usize) -> u8 {
    number.get(place).map_or(0, |value| value.saturating_add(b'0'))
}

/// Month and day of the six digits of a date.
fn is_date(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// The last two digits are each 0 or 11 less the sum, modulo 11, of those before times 2, 3 and so on to
/// `top` from the right, again from 2.
fn two_digits_modulo_11(number: &[u8], top: u32) -> bool {
    let holds = |end: &usize| {
        let before = number.get(..*end).unwrap_or_default().iter().rev();
        let sum: u32 =
            before.zip((2..=top).cycle()).map(|(digit, by)| u32::from(*digit) * by).sum();
        number.get(*end).is_some_and(|digit| u32::from(*digit) == sum * 10 % 11 % 10)
    };
    number.len() >= 2 && [number.len() - 2, number.len() - 1].iter().all(holds)
}

// [PRIV-118]
pub(super) fn cpf(digits: &[u8]) -> bool {
    two_digits_modulo_11(digits, 11)
}

/// Letters count as their codes less 48.
// [PRIV-119]
pub(super) fn cnpj(number: &[u8]) -> bool {
    two_digits_modulo_11(number, 9)
}

/// Two letters of those in use, and a last one from A to D. It has no check digit.
// [PRIV-120]
pub(super) fn nino(number: &[u8]) -> bool {
    let prefix = [letter(number, 0), letter(number, 1)];
    let [first, second] = prefix;
    !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&prefix)
        && matches!(letter(number, 8), b'A'..=b'D')
}

/// Letters replace digits where two persons would have the same code.
// [PRIV-121]
pub(super) fn codice_fiscale(number: &[u8]) -> bool {
    const DIGITS: &[u8] = b"LMNPQRSTUV";
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let digit = |place| match letter(number, place) {
        digit @ b'0'..=b'9' => Some(u32::from(digit - b'0')),
        letter => (0..).zip(DIGITS).find(|(_, digit)| **digit == letter).map(|(digit, _)| digit),
    };
    let value = |(place, value): (usize, &u8)| {
        let value = if *value < 10 { *value } else { value.saturating_sub(17) };
        let odd = || ODD.get(usize::from(value)).copied().unwrap_or(0);
        if place.is_multiple_of(2) {
            odd()
        } else {
            u32::from(value)
        }
    };
    let sum: u32 = number.iter().take(15).enumerate().map(value).sum();
    let day = digit(9).zip(digit(10)).map_or(0, |(tens, ones)| tens * 10 + ones);
    [6, 7, 12, 13, 14].into_iter().all(|place| digit(place).is_some())
        && b"ABCDEHLMPRST".contains(&letter(number, 8))
        && matches!(day, 1..=31 | 41..=71)
        && u32::from(letter(number, 15)) == u32::from(b'A') + sum % 26
}

/// The letter after eight digits is that of their remainder modulo 23.
// [PRIV-122]
pub(super) fn dni(number: &[u8]) -> bool {
    let at = (self::number(number, 0..8) % 23, &letter(number, 8));
    (0..).zip(b"TRWAGMYFPDXBNJZSQVHLCKE").any(|each| each == at)
}

/// As of a Spaniard, X, Y and Z being 0, 1 and 2.
// [PRIV-123]
pub(super) fn nie(number: &[u8]) -> bool {
    let mut digits = [0; 9];
    digits.iter_mut().zip(number).for_each(|(to, value)| *to = *value);
    let [first, ..] = &mut digits;
    *first = letter(number, 0).wrapping_sub(b'X');
    *first <= 2 && dni(&digits)
}

/// Weights 1, 3, 7, 9, and a date of birth whose month has the century.
// [PRIV-124]
pub(super) fn pesel(digits: &[u8]) -> bool {
    is_date(number(digits, 2..4) % 20, number(digits, 4..6))
        && weighted_sum(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

// [PRIV-125]
pub(super) fn bsn(digits: &[u8]) -> bool {
    weighted_sum(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 10]).is_multiple_of(11)
}

/// ISO 7064 modulo 11, 10. Of the first ten digits one or two repeat others.
// [PRIV-126]
pub(super) fn steuer_id(digits: &[u8]) -> bool {
    let (first, last) = digits.split_at_checked(10).unwrap_or_default();
    let seen = first.iter().fold(0u32, |seen, digit| seen | 1 << digit).count_ones();
    let product =
        first.iter().fold(10, |product, digit| match (product + u32::from(*digit)) % 10 {
            0 => 20 % 11,
            sum => sum * 2 % 11,
        });
    !first.starts_with(&[0])
        && matches!(seen, 8 | 9)
        && last.first().is_some_and(|last| (product + u32::from(*last)) % 10 == 1)
}

/// Luhn of the last ten digits, and a day of birth, plus 60 in a coordination number.
// [PRIV-127]
pub(super) fn personnummer(digits: &[u8]) -> bool {
    let (century, rest) =
        digits.split_at_checked(digits.len().saturating_sub(10)).unwrap_or_default();
    matches!(century, [] | [1, 8 | 9] | [2, 0])
        && is_date(number(rest, 2..4), number(rest, 4..6) % 60)
        && luhn(rest)
}

/// The fourth letter is the kind of taxpayer. It has no published check.
// [PRIV-128]
pub(super) fn india_pan(number: &[u8]) -> bool {
    b"ABCEFGHJKLPT".contains(&letter(number, 3))
}

/// The first thirteen and the last two digits sum to a multiple of 97, 2A being 19 and 2B 18.
// [PRIV-129]
pub(super) fn nir(number: &[u8]) -> bool {
    let value = |value: u8| match value + b'0' {
        b'A' => 96,
        b'B' => 95,
        _ => u32::from(value),
    };
    let first = number.iter().take(13).fold(0, |sum, digit| (sum * 10 + value(*digit)) % 97);
    matches!(number, [1..=4 | 7 | 8, ..])
        && (1..=97).contains(&self::number(number, 13..15))
        && (first + self::number(number, 13..15)).is_multiple_of(97)
}

/// An EAN-13 that begins with the country's 756.
// [PRIV-130]
pub(super) fn ahv(digits: &[u8]) -> bool {
    number(digits, 0..3) == 756 && weighted_sum(digits, &[1, 3]).is_multiple_of(10)
}

/// Day, month and year of birth, a sign of the century, a serial number, and the character of the remainder
/// modulo 31.
// [PRIV-131]
pub(super) fn hetu(number: &[u8]) -> bool {
    let (date, rest) = number.split_at_checked(6).unwrap_or_default();
    let (century, serial) = rest.split_at_checked(rest.len().saturating_sub(4)).unwrap_or_default();
    let remainder = (self::number(date, 0..6) * 1000 + self::number(serial, 0..3)) % 31;
    let century = century.first().map_or(b'A', |_| letter(century, 0));
    matches!(century, b'A'..=b'F' | b'U'..=b'Y')
        && is_date(self::number(date, 2..4), self::number(date, 0..2))
        && (0..)
            .zip(b"0123456789ABCDEFHJKLMNPRSTUVWXY")
            .any(|at| at == (remainder, &letter(serial, 3)))
}
