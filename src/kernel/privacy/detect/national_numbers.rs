//! Numbers issued by states, banks and professions: a row to a number, with the words that announce it and
//! its source. `numbers.rs` finds them.
//!
//! The words are in lower case and without accents.

use super::super::kind::Kind;
use super::account_numbers::ARTICLE;
use super::check_digits::{aadhaar, codice_fiscale, issued_card, nino, steuer_id, Rule};
use core::ops::RangeInclusive;
use Rule::{In, Is, Luhn, OneOf, Sum};

/// What a number needs besides valid check digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// No other group joined by the same separator.
    Alone,
    /// Context or exactly these separators.
    Marks(&'static str),
    /// Context.
    Nearby,
    /// Context directly before.
    Adjacent,
}
use Need::{Adjacent, Alone, Marks, Nearby, Nothing};

/// A number of digits: kind, count, groupings, need if grouped, need if in one group, check, words, source.
/// A grouping is the lengths of the groups as digits: 324 is 3-2-4.
pub(super) type DigitFormat = (
    Kind,
    RangeInclusive<usize>,
    &'static [usize],
    Need,
    Need,
    &'static [Rule],
    &'static str,
    &'static str,
);

// [PRIV-110]
#[rustfmt::skip]
pub(super) const DIGIT_FORMATS: &[DigitFormat] = &[
    (Kind::CreditCard, 13..=19, CARDS, Nothing, Nothing, &[Is(issued_card)], "", "ISO/IEC 7812-1"),
    (Kind::CreditCard, 12..=19, FOURS, Nearby, Nearby, &[Luhn(0, 0)], "", "ISO/IEC 7812-1"),
    (Kind::Ssn, 9..=9, &[324], Alone, Adjacent, &[In(0..3, SSN), In(3..5, &[1..=99]), In(5..9, &[1..=9999]), In(0..9, UNPRINTED)], "", "Social Security Administration, POMS RM 10201.035"),
    (Kind::Ssn, 9..=9, &[324], Nearby, Adjacent, &[In(0..3, SSN), In(3..5, &[1..=99]), In(5..9, &[1..=9999])], "ssn ssns ssnumber ssnum socialsecurity socialsecuritynumber", "the same"),
    // [PRIV-112]
    (Kind::Itin, 9..=9, &[324], Nearby, Adjacent, &[In(0..1, &[9..=9]), In(3..5, &[50..=65, 70..=88, 90..=92, 94..=99])], "itin itins taxpayer taxid tin", "Internal Revenue Service, IRM 3.21.263"),
    (Kind::Aadhaar, 12..=12, ANY, Nearby, Nearby, &[In(0..1, &[2..=9]), Is(aadhaar)], "aadhaar aadhar adhaar adhar uidai aadhaarnumber aadhaarno", "Unique Identification Authority of India"),
    // [PRIV-114]
    (Kind::Nhs, 10..=10, ANY, Nearby, Nearby, &[Sum(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 11, "")], "nhs nhsnumber nhsno", "NHS Data Dictionary, NHS NUMBER"),
    // [PRIV-115]
    (Kind::Npi, 10..=10, ANY, Nearby, Nearby, &[In(0..1, &[1..=2]), Luhn(0, 24)], "npi npis npinumber", "Centers for Medicare & Medicaid Services, 45 CFR 162.406"),
    // [PRIV-116]
    (Kind::Sin, 9..=9, ANY, Nearby, Nearby, &[In(0..1, &[0..=7, 9..=9]), Luhn(0, 0)], "sin sinnumber socialinsurance socialinsurancenumber", "Employment and Social Development Canada"),
    // [PRIV-117]
    (Kind::Routing, 9..=9, ANY, Nearby, Nearby, &[In(0..2, &[1..=12, 21..=32, 61..=72, 80..=80]), Sum(&[3, 7, 1, 3, 7, 1, 3, 7, 1], 10, "")], "aba routing routingnumber routingno rtn abanumber", "American Bankers Association, X9.100-160"),
    // [PRIV-118]
    (Kind::Cpf, 11..=11, &[3332], Marks("..-"), Nearby, &[Sum(&[10, 9, 8, 7, 6, 5, 4, 3, 2], 11, TO_TEN), Sum(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 11, TO_TEN)], "cpf cpfs", "Receita Federal, cadastro de pessoas físicas"),
    (Kind::Cnpj, 14..=14, &[23342], Marks("../-"), Nearby, CNPJ, "cnpj cnpjs", "Receita Federal, IN RFB 2.229/2024"),
    // [PRIV-124]
    (Kind::Pesel, 11..=11, ANY, Nearby, Nearby, &[In(2..4, &[1..=12, 21..=32, 41..=52, 61..=72, 81..=92]), In(4..6, DAY), Sum(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10, "")], "pesel", "Poland, Dz.U. 2010 nr 217 poz. 1427, art. 15"),
    // [PRIV-125]
    (Kind::Bsn, 9..=9, ANY, Nearby, Nearby, &[Sum(&[9, 8, 7, 6, 5, 4, 3, 2, 10], 11, "")], "bsn bsnnummer burgerservicenummer burgerservicenr sofinummer", "Netherlands, Wet algemene bepalingen burgerservicenummer"),
    (Kind::SteuerId, 11..=11, ANY, Nearby, Nearby, &[In(0..1, &[1..=9]), Is(steuer_id)], "steuer steuerid steuernummer steueridnr steueridentifikationsnummer identifikationsnummer idnr", "Germany, Bundeszentralamt für Steuern, § 139b AO"),
    // [PRIV-127]
    (Kind::Personnummer, 10..=10, ANY, Nearby, Nearby, &[In(2..4, MONTH), In(4..6, DAY_OR_MORE), Luhn(0, 0)], "personnummer personnumret personnr persnr pers pnr samordningsnummer", "Sweden, Skatteverket, SKV 704"),
    (Kind::Personnummer, 12..=12, ANY, Nearby, Nearby, &[In(0..2, &[18..=20]), In(4..6, MONTH), In(6..8, DAY_OR_MORE), Luhn(2, 0)], "", "the same, with its century"),
    // [PRIV-129]
    (Kind::Nir, 15..=15, &[1222332], Marks("      "), Nearby, &[In(0..1, &[1..=4, 7..=8]), In(13..15, &[1..=97]), Sum(&[50, 5, 49, 34, 81, 76, 27, 90, 9, 30, 3, 10, 1, 10, 1], 97, "")], "nir nss insee secu securite", "France, INSEE, code de la sécurité sociale R115-1"),
    // [PRIV-130]
    (Kind::Ahv, 13..=13, &[3442], Marks("..."), Nearby, &[In(0..3, &[756..=756]), Sum(ARTICLE, 10, "")], "ahv ahvnr ahvnummer ahvn avs navs avsn oasi", "Switzerland, Zentrale Ausgleichsstelle, EAN-13 after 756"),
];

/// The remainder modulo 11 taken from 11, and 0 instead of 10 and 11.
const TO_TEN: &str = "00987654321";
// [PRIV-119]
const CNPJ: &[Rule] = &[
    Sum(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 11, TO_TEN),
    Sum(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 11, TO_TEN),
];
/// Areas, and numbers but two that were published too often to be personal unless they are named.
// [PRIV-41]
const SSN: &[RangeInclusive<u32>] = &[1..=665, 667..=899];
const UNPRINTED: &[RangeInclusive<u32>] =
    &[0..=78_051_119, 78_051_121..=123_456_788, 123_456_790..=999_999_999];
const MONTH: &[RangeInclusive<u32>] = &[1..=12];
const DAY: &[RangeInclusive<u32>] = &[1..=31];
/// Of a coordination number: plus 60.
const DAY_OR_MORE: &[RangeInclusive<u32>] = &[1..=31, 61..=91];

const CARDS: &[usize] = &[44443, 44442, 44441, 4444, 4443, 4442, 4441, 465, 464];
/// Any groups.
const ANY: &[usize] = &[];
/// Groups of four digits or more, except the last one.
pub(super) const FOURS: &[usize] = &[0];

/// A number with letters, or with wider gaps: kind, form, check, words, source. In a form, `0` is a digit,
/// `A` a letter and `X` either.
pub(super) type LetterFormat = (Kind, &'static str, &'static [Rule], &'static str, &'static str);

#[rustfmt::skip]
pub(super) const LETTER_FORMATS: &[LetterFormat] = &[
    (Kind::CodiceFiscale, "AAAAAAXXAXXAXXXA", &[OneOf(8, "ABCDEHLMPRST"), Is(codice_fiscale)], "cf fiscale codicefiscale codfisc codfiscale", "Italy, DM 23 December 1976 n. 13813"),
    (Kind::CreditCard, "0000000000000000", &[Is(issued_card)], "", "ISO/IEC 7812-1; two spaces, tabs or underscores"),
    (Kind::CreditCard, "000000000000000", &[Is(issued_card)], "", "the same"),
    (Kind::Nino, "AA000000A", &[OneOf(0, "ABCEGHJKLMNOPRSTWXYZ"), OneOf(1, "ABCEGHJKLMNPRSTWXYZ"), OneOf(8, "ABCD"), Is(nino)], "nino ninos ni nationalinsurance nationalinsurancenumber", "HM Revenue & Customs, NIM39110"),
    // [PRIV-122]
    (Kind::Dni, "00000000A", &[Sum(&[10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1], 23, "TRWAGMYFPDXBNJZSQVHLCKE")], "dni dnis nif nifs identidad", "Spain, RD 1553/2005 and Orden EHA/451/2008"),
    // [PRIV-123]
    (Kind::Nie, "A0000000A", &[OneOf(0, "XYZ"), Sum(&[10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1], 23, "SQVHLCKETRWAGMYFPDXBNJZ")], "nie nies extranjero extranjeros", "Spain, RD 557/2011, art. 206"),
    // [PRIV-128]
    (Kind::IndiaPan, "AAAAA0000A", &[OneOf(3, "ABCEFGHJKLPT")], "pancard panno pannumber", "Income Tax Department of India, rule 114"),
    (Kind::Cnpj, "XXXXXXXXXXXX00", CNPJ, "", "Receita Federal, IN RFB 2.229/2024, from July 2026"),
    (Kind::Nir, "000000A00000000", &[In(0..1, &[1..=4, 7..=8]), OneOf(6, "A"), In(13..15, &[1..=97]), Sum(&[50, 5, 49, 34, 81, 76, 84, 90, 9, 30, 3, 10, 1, 10, 1], 97, "")], "", "France, INSEE; Corsica, 2A being 19"),
    (Kind::Nir, "000000A00000000", &[In(0..1, &[1..=4, 7..=8]), OneOf(6, "B"), In(13..15, &[1..=97]), Sum(&[50, 5, 49, 34, 81, 76, 94, 90, 9, 30, 3, 10, 1, 10, 1], 97, "")], "", "France, INSEE; Corsica, 2B being 18"),
    // [PRIV-131]
    (Kind::Hetu, "000000000X", &[In(0..2, DAY), In(2..4, MONTH), Sum(&[100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1], 31, "0123456789ABCDEFHJKLMNPRSTUVWXY")], "hetu henkilotunnus henkilotunnuksen sotu personbeteckning", "Finland, Digital and Population Data Services Agency"),
    (Kind::Hetu, "000000A000X", &[OneOf(6, "ABCDEFUVWXY"), In(0..2, DAY), In(2..4, MONTH), Sum(&[100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 0, 100, 10, 1], 31, "0123456789ABCDEFHJKLMNPRSTUVWXY")], "", "the same, century A to F or U to Y"),
];
