//! Numbers issued by states, banks and professions: a row to a number, with the words that announce it and
//! its source. `numbers.rs` finds them.
//!
//! The words are in lower case and without accents.

use super::super::kind::Kind;
use super::check_digits::*;
use core::ops::RangeInclusive;

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
    fn(&[u8]) -> bool,
    &'static str,
    &'static str,
);

// [PRIV-110]
#[rustfmt::skip]
pub(super) const DIGIT_FORMATS: &[DigitFormat] = &[
    (Kind::CreditCard, 13..=19, CARDS, Nothing, Nothing, issued_card, "", "ISO/IEC 7812-1"),
    (Kind::CreditCard, 12..=19, FOURS, Nearby, Nearby, luhn, "", "ISO/IEC 7812-1"),
    (Kind::Ssn, 9..=9, &[324], Alone, Adjacent, unprinted_ssn, "", "Social Security Administration, POMS RM 10201.035"),
    (Kind::Ssn, 9..=9, &[324], Nearby, Adjacent, ssn, "ssn ssns ssnumber ssnum socialsecurity socialsecuritynumber", "the same"),
    (Kind::Itin, 9..=9, &[324], Nearby, Adjacent, itin, "itin itins taxpayer taxid tin", "Internal Revenue Service, IRM 3.21.263"),
    (Kind::Aadhaar, 12..=12, ANY, Nearby, Nearby, aadhaar, "aadhaar aadhar adhaar adhar uidai aadhaarnumber aadhaarno", "Unique Identification Authority of India"),
    (Kind::Nhs, 10..=10, ANY, Nearby, Nearby, nhs, "nhs nhsnumber nhsno", "NHS Data Dictionary, NHS NUMBER"),
    (Kind::Npi, 10..=10, ANY, Nearby, Nearby, npi, "npi npis npinumber", "Centers for Medicare & Medicaid Services, 45 CFR 162.406"),
    (Kind::Sin, 9..=9, ANY, Nearby, Nearby, sin, "sin sinnumber socialinsurance socialinsurancenumber", "Employment and Social Development Canada"),
    (Kind::Routing, 9..=9, ANY, Nearby, Nearby, routing, "aba routing routingnumber routingno rtn abanumber", "American Bankers Association, X9.100-160"),
    (Kind::Cpf, 11..=11, &[3332], Marks("..-"), Nearby, cpf, "cpf cpfs", "Receita Federal, cadastro de pessoas físicas"),
    (Kind::Cnpj, 14..=14, &[23342], Marks("../-"), Nearby, cnpj, "cnpj cnpjs", "Receita Federal, IN RFB 2.229/2024"),
    (Kind::Pesel, 11..=11, ANY, Nearby, Nearby, pesel, "pesel", "Poland, Dz.U. 2010 nr 217 poz. 1427, art. 15"),
    (Kind::Bsn, 9..=9, ANY, Nearby, Nearby, bsn, "bsn bsnnummer burgerservicenummer burgerservicenr sofinummer", "Netherlands, Wet algemene bepalingen burgerservicenummer"),
    (Kind::SteuerId, 11..=11, ANY, Nearby, Nearby, steuer_id, "steuer steuerid steuernummer steueridnr steueridentifikationsnummer identifikationsnummer idnr", "Germany, Bundeszentralamt für Steuern, § 139b AO"),
    (Kind::Personnummer, 10..=10, ANY, Nearby, Nearby, personnummer, "personnummer personnumret personnr persnr pers pnr samordningsnummer", "Sweden, Skatteverket, SKV 704"),
    (Kind::Personnummer, 12..=12, ANY, Nearby, Nearby, personnummer, "", "the same, with its century"),
    (Kind::Nir, 15..=15, &[1222332], Marks("      "), Nearby, nir, "nir nss insee secu securite", "France, INSEE, code de la sécurité sociale R115-1"),
    (Kind::Ahv, 13..=13, &[3442], Marks("..."), Nearby, ahv, "ahv ahvnr ahvnummer ahvn avs navs avsn oasi", "Switzerland, Zentrale Ausgleichsstelle, EAN-13 after 756"),
];

const CARDS: &[usize] = &[44443, 44442, 44441, 4444, 4443, 4442, 4441, 465, 464];
/// Any groups.
const ANY: &[usize] = &[];
/// Groups of four digits or more, except the last one.
pub(super) const FOURS: &[usize] = &[0];

/// A number with letters, or with wider gaps: kind, form, check, words, source. In a form, `0` is a digit,
/// `A` a letter and `X` either.
pub(super) type LetterFormat = (Kind, &'static str, fn(&[u8]) -> bool, &'static str, &'static str);

#[rustfmt::skip]
pub(super) const LETTER_FORMATS: &[LetterFormat] = &[
    (Kind::CodiceFiscale, "AAAAAAXXAXXAXXXA", codice_fiscale, "cf fiscale codicefiscale codfisc codfiscale", "Italy, DM 23 December 1976 n. 13813"),
    (Kind::CreditCard, "0000000000000000", issued_card, "", "ISO/IEC 7812-1; two spaces, tabs or underscores"),
    (Kind::CreditCard, "000000000000000", issued_card, "", "the same"),
    (Kind::Nino, "AA000000A", nino, "nino ninos ni nationalinsurance nationalinsurancenumber", "HM Revenue & Customs, NIM39110"),
    (Kind::Dni, "00000000A", dni, "dni dnis nif nifs identidad", "Spain, RD 1553/2005 and Orden EHA/451/2008"),
    (Kind::Nie, "A0000000A", nie, "nie nies extranjero extranjeros", "Spain, RD 557/2011, art. 206"),
    (Kind::IndiaPan, "AAAAA0000A", india_pan, "pancard panno pannumber", "Income Tax Department of India, rule 114"),
    (Kind::Cnpj, "XXXXXXXXXXXX00", cnpj, "", "Receita Federal, IN RFB 2.229/2024, from July 2026"),
    (Kind::Nir, "000000A00000000", nir, "", "France, INSEE; Corsica"),
    (Kind::Hetu, "000000000X", hetu, "hetu henkilotunnus henkilotunnuksen sotu personbeteckning", "Finland, Digital and Population Data Services Agency"),
    (Kind::Hetu, "000000A000X", hetu, "", "the same, century A to F or U to Y"),
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
