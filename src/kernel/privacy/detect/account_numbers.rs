//! Numbers of cards and accounts: issuers, countries and lengths.

use core::ops::RangeInclusive;

/// The weights of a European article number (EAN-13).
pub(super) const ARTICLE: &[u32] = &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1];

/// The first four digits of an issuer's card numbers, their lengths, the issuer, and a remark. The first row
/// that fits counts.
pub(super) type CardIssuer = (RangeInclusive<u32>, &'static [usize], &'static str, &'static str);

// [PRIV-31]
#[rustfmt::skip]
pub(super) const CARD_ISSUERS: &[CardIssuer] = &[
    (4000..=4999, &[13, 16, 19], "Visa", "13 digits in old cards"),
    (5100..=5599, &[16], "Mastercard", ""),
    (2221..=2720, &[16], "Mastercard", "since 2017"),
    (2200..=2204, &[16], "Mir", "Russia"),
    (9792..=9792, &[16], "Troy", "Turkey"),
    (3400..=3499, &[15], "American Express", ""),
    (3700..=3799, &[15], "American Express", ""),
    (1800..=1800, &[15], "JCB", "of old"),
    (2131..=2131, &[15], "JCB", "of old"),
    (3000..=3059, &[14], "Diners Club", ""),
    (3095..=3095, &[14], "Diners Club", ""),
    (3600..=3699, &[14], "Diners Club", ""),
    (3800..=3999, &[14], "Diners Club", ""),
    (3528..=3589, &[16, 17, 18, 19], "JCB", "Japan"),
    (6011..=6011, &[16, 17, 18, 19], "Discover", ""),
    (6440..=6599, &[16, 17, 18, 19], "Discover", ""),
    (6200..=6299, &[16, 17, 18, 19], "UnionPay", "China"),
    (5000..=5099, &[16, 19], "Maestro", "and others in its ranges; identifiers made of the time often have 18 digits"),
    (5600..=6999, &[16, 19], "Maestro", "the same"),
];

/// An account number's total length, the countries with it, and the source.
// [PRIV-47]
#[rustfmt::skip]
pub(super) const IBAN_LENGTHS: &[(usize, &str, &str)] = &[
    (15, "NO", "SWIFT, IBAN Registry"),
    (16, "BE", "the same"),
    (18, "DK FI FK FO GL NL SD", "the same"),
    (19, "MK SI", "the same"),
    (20, "AT BA EE KZ LT LU MN XK", "the same"),
    (21, "CH HR LI LV", "the same"),
    (22, "BG BH CR DE GB GE IE ME RS VA", "the same"),
    (23, "AE GI IL IQ OM SO TL", "the same"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG", "the same"),
    (25, "LY PT ST", "the same"),
    (26, "IS TR", "the same"),
    (27, "BI DJ FR GR IT MC MR SM", "the same"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV", "the same"),
    (29, "BR EG PS QA UA", "the same"),
    (30, "JO KW MU YE", "the same"),
    (31, "MT SC", "the same"),
    (32, "LC", "the same"),
    (33, "RU", "the same"),
    (22, "DZ", "in use without being registered"),
    (24, "KM MA", "the same"),
    (25, "AO CV GW MZ", "the same"),
    (26, "IR", "the same"),
    (27, "CF CG CM GA GQ MG TD", "the same"),
    (28, "BF BJ CI ML NE SN TG", "the same"),
];
