//! Room: international bank account numbers (ISO 13616). A country code fixes the length, and the
//! whole leaves 1 when divided by 97.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, remainders below 97

use super::text::{in_uuid, is_alnum, Text};

/// Looks at the two digits at `at`, the check digits of an account number if two letters stand
/// before them; the range of the number, if it is one.
// [PRIV-45]
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    let start = at.checked_sub(2)?;
    let country = [text.at(start), text.at(start + 1)].map(|byte| byte.to_ascii_uppercase());
    if is_alnum(text.before(start)) {
        return None;
    }
    let length = length_of(country)?;
    let (mut end, mut taken, mut lines) = (start, 0, 0);
    let mut remainder = Remainder::default();
    let mut head = [0u8; 4];
    while taken < length {
        // [PRIV-46]
        let grouped = taken > 0 && taken % 4 == 0 && matches!(text.at(end), b' ' | b'-');
        let broken = taken > 4 && lines == 0 && text.at(end) == b'\n';
        lines += usize::from(broken);
        end += usize::from(grouped || broken);
        let byte = text.at(end);
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        match head.get_mut(taken) {
            Some(slot) => *slot = byte,
            None => remainder.add(byte),
        }
        (end, taken) = (end + 1, taken + 1);
    }
    // The country code and check digits go to the end before the division.
    head.iter().for_each(|byte| remainder.add(*byte));
    let whole = remainder.0 == 1 && !is_alnum(text.at(end));
    (whole && !in_uuid(text, start)).then_some((start, end))
}

/// The remainder of a division by 97, with letters as numbers from 10 (A) to 35 (Z).
#[derive(Default)]
struct Remainder(u32);

impl Remainder {
    fn add(&mut self, byte: u8) {
        let value = char::from(byte).to_digit(36).unwrap_or(0);
        let shift = if value < 10 { 10 } else { 100 };
        self.0 = (self.0 * shift + value) % 97;
    }
}

/// Characters in all. The first rows follow the registry of SWIFT, the last one countries that
/// use the format without being registered.
// [PRIV-47]
const LENGTHS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
    (22, "DZ"),
    (24, "KM MA"),
    (25, "AO CV GW MZ"),
    (26, "IR"),
    (27, "CF CG CM GA GQ MG TD"),
    (28, "BF BJ CI ML NE SN TG"),
];

/// The length of a country's account numbers.
pub(crate) fn length_of(country: [u8; 2]) -> Option<usize> {
    let listed = |countries: &str| countries.as_bytes().chunks(3).any(|c| c.starts_with(&country));
    LENGTHS.iter().find(|(_, countries)| listed(countries)).map(|(length, _)| *length)
}
