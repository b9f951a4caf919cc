//! Room: the words that hint, and what they hint at, as one table.
#![allow(clippy::arithmetic_side_effects)] // places inside one word, remainders

use super::super::fold::fold;
use super::text_view::is_letter;

/// What the surroundings of a value speak of, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct Hints(u32);

impl Hints {
    pub(in crate::kernel) const NONE: Hints = Hints(0);
    pub(in crate::kernel) const PHONE: Hints = Hints(1);
    pub(in crate::kernel) const CARD: Hints = Hints(1 << 1);
    pub(in crate::kernel) const BIRTH: Hints = Hints(1 << 2);
    pub(in crate::kernel) const PASSPORT: Hints = Hints(1 << 3);
    pub(in crate::kernel) const VERSION: Hints = Hints(1 << 4);
    pub(in crate::kernel) const ITIN: Hints = Hints(1 << 5);
    pub(in crate::kernel) const ROUTING: Hints = Hints(1 << 6);
    pub(in crate::kernel) const NHS: Hints = Hints(1 << 7);
    pub(in crate::kernel) const AADHAAR: Hints = Hints(1 << 8);
    pub(in crate::kernel) const NPI: Hints = Hints(1 << 9);
    /// Two words together make one hint.
    pub(in crate::kernel) const SSN: Hints = Hints(1 << 10 | 1 << 11);
    pub(in crate::kernel) const SIN: Hints = Hints(1 << 10 | 1 << 12);
    pub(in crate::kernel) const SOCIAL: Hints = Hints(1 << 10);
    pub(in crate::kernel) const SECURITY: Hints = Hints(1 << 11);
    pub(in crate::kernel) const INSURANCE: Hints = Hints(1 << 12);
    pub(in crate::kernel) const LICENSE: Hints = Hints(1 << 13 | 1 << 14);
    pub(in crate::kernel) const DRIVER: Hints = Hints(1 << 13);
    pub(in crate::kernel) const PERMIT: Hints = Hints(1 << 14);
    /// What a value can be named by: everything above.
    const TELLING: Hints = Hints((1 << 15) - 1);
    /// A word that speaks of telephones only where it stands free: `call 555 0132`, not `call_555`.
    pub(in crate::kernel) const CALL: Hints = Hints(1 << 15);
    /// A word such as `is` or `number`, which stands between a telling word and its value.
    pub(in crate::kernel) const LINK: Hints = Hints(1 << 16);
    /// At the end of a key: the value is a time or a count, whatever the words before it say.
    pub(in crate::kernel) const TIME: Hints = Hints(1 << 17);
    pub(in crate::kernel) const AT: Hints = Hints(1 << 16 | 1 << 17);
    /// A linking word that says that a number follows: `contact_no`, but not `contact_id`.
    pub(in crate::kernel) const NUMBER: Hints = Hints(1 << 16 | 1 << 18);

    pub(in crate::kernel) fn and(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }

    /// What a value can be named by.
    pub(in crate::kernel) fn telling(self) -> Hints {
        Hints(self.0 & Hints::TELLING.0)
    }

    /// Whether everything in `other` is hinted at.
    pub(in crate::kernel) fn has(self, other: Hints) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Each row's words in lower case, without accents.
// [PRIV-21]
const ROWS: &[(Hints, &str)] = &[
    (
        Hints::PHONE,
        "phone phones telephone telephones tel telno phoneno phonenum phonenumber phonenumbers \
        mobile mobiles mobileno mobilenumber mobil mobiel movil celular cellphone cellnumber \
        cellular cellulare fax faxes faxno faxnumber telefax sms whatsapp hotline helpline landline \
        voicemail telefon telefono telefonos telefone telefones telefoon telefonnummer telefonnr \
        rufnummer handynummer handynr mobilnummer mobilfunk tlf tfno telf msisdn homephone \
        workphone mobilephone telefoonnummer contactnumber",
    ),
    (
        Hints::CALL,
        "call calls calling called callback caller cell mob dial dialing dialling dialed ring \
        answering reach reached contact desk office handy portable",
    ),
    (
        Hints::CARD,
        "card cards cc ccnum ccn credit debit creditcard debitcard cardnumber cardno \
        creditcardnumber visa mastercard maestro amex pan kreditkarte kreditkartennummer \
        kartennummer tarjeta carte cartes cartao creditcardno",
    ),
    (Hints::SSN, "ssn ssns ssnumber ssnum socialsecurity socialsecuritynumber"),
    (Hints::SIN, "sin sinnumber socialinsurance socialinsurancenumber"),
    (Hints::SOCIAL, "social"),
    (Hints::SECURITY, "security sec"),
    (Hints::INSURANCE, "insurance"),
    (
        Hints::BIRTH,
        "dob birth birthday birthdays birthdate born dateofbirth bday geboren geburt geburtstag \
        geburtsdatum gebdatum naissance nacimiento nacido nacida nascita nascimento geboortedatum \
        cumpleanos fodt fodelsedatum geb nee nac",
    ),
    (
        Hints::PASSPORT,
        "passport passports passportno passportnumber passportnum reisepass reisepassnummer \
        passnummer passnr passeport pasaporte passaporto passaporte paspoort paspoortnummer",
    ),
    (Hints::DRIVER, "driver drivers driving conducir conduire guida conducao"),
    (
        Hints::PERMIT,
        "license licence licenses licences lic permit permis permiso licencia carnet patente \
        carteira",
    ),
    (
        Hints::LICENSE,
        "driverlicense driverslicense driverlicence driverslicence drivinglicence drivinglicense \
        fuehrerschein fuehrerscheinnummer fuhrerschein fuhrerscheinnummer rijbewijs \
        rijbewijsnummer",
    ),
    (Hints::ITIN, "itin itins taxpayer taxid tin"),
    (Hints::ROUTING, "aba routing routingnumber routingno rtn abanumber"),
    (Hints::NHS, "nhs nhsnumber nhsno"),
    (Hints::AADHAAR, "aadhaar aadhar adhaar adhar uidai aadhaarnumber aadhaarno"),
    (Hints::NPI, "npi npis npinumber"),
    (
        Hints::VERSION,
        "version versions ver release build section sections chapter clause",
    ),
    (Hints::NUMBER, "no nr num number numbers nummer numero"),
    (
        Hints::LINK,
        "is the my his her our your their me us him on to of or and was are it this please id value \
        s date de del di la le am ist es est",
    ),
    (Hints::AT, "at"),
    (Hints::TIME, "time timestamp ts count"),
];

/// A word and what it hints at.
type Word = (&'static [u8], Hints);

/// The words, each at the place that [`place`] gives it or behind it: nearly all words of a text meet an empty one.
static TABLE: [Option<Word>; TABLE_COUNT] = table();

/// More than twice as many as there are words.
const TABLE_COUNT: usize = 2048;

/// Made by the compiler, which also finds an index that is too large.
#[allow(clippy::indexing_slicing)]
const fn table() -> [Option<Word>; TABLE_COUNT] {
    let (mut table, mut row) = ([None; TABLE_COUNT], 0);
    while row < ROWS.len() {
        let (hints, mut rest) = (ROWS[row].0, ROWS[row].1.as_bytes());
        while let Some(length) = first_word(rest) {
            let (word, behind) = rest.split_at(length);
            let mut at = place(word);
            while table[at].is_some() {
                at = (at + 1) % TABLE_COUNT;
            }
            table[at] = Some((word, hints));
            rest = behind.trim_ascii_start();
        }
        row += 1;
    }
    table
}

/// How long the word is that a list begins with.
#[allow(clippy::indexing_slicing)]
pub(super) const fn first_word(list: &[u8]) -> Option<usize> {
    let mut length = 0;
    while length < list.len() && !list[length].is_ascii_whitespace() {
        length += 1;
    }
    if length > 0 {
        Some(length)
    } else {
        None
    }
}

/// Nearly every word has a place of its own, whatever its case.
#[allow(clippy::as_conversions)] // `From` can't be called here
const fn place(word: &[u8]) -> usize {
    let (first, second, last) = match word {
        [first, second, .., last] => (*first, *second, *last),
        [first, last] => (*first, *last, *last),
        [one] => (*one, 0, *one),
        [] => (0, 0, 0),
    };
    let lower = [first as usize | 0x20, second as usize | 0x20, last as usize | 0x20];
    let [first, second, last] = lower;
    (first * 31 + second * 7 + last * 101 + word.len() * 13) % TABLE_COUNT
}

/// What one word hints at.
pub(in crate::kernel) fn of_word(word: &[u8]) -> Hints {
    let mut at = place(word);
    while let Some(Some((known, hints))) = TABLE.get(at) {
        if known.eq_ignore_ascii_case(word) {
            return *hints;
        }
        at = (at + 1) % TABLE_COUNT;
    }
    Hints::NONE
}

/// How long the word is that `letters` begin with. A word ends at what is no letter, where a capital
/// follows several letters of which the last is small, and before the last of several capitals if a small
/// letter follows it: `userDOBYear` has three words.
pub(in crate::kernel) fn word_length(letters: &[u8]) -> usize {
    let small = |place: usize| letters.get(place).is_some_and(u8::is_ascii_lowercase);
    // Whether the capital at this place begins a word, which it does not in `iPhone`.
    let begins =
        |place: usize| small(place - 1) && place > 1 || small(place + 1) && !small(place - 1);
    let mut length = 1;
    loop {
        let rest = letters.get(length..).unwrap_or_default();
        length += rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        match letters.get(length) {
            Some(byte) if byte.is_ascii_uppercase() && begins(length) => return length,
            Some(byte) if is_letter(*byte) => length += 1,
            _ => return length,
        }
    }
}

/// What words that stand together hint at; that they link, if they do nothing else. A time or a count is
/// nobody's, whatever stands before it: `phone_verified_at`.
pub(in crate::kernel) fn of_words(run: &[u8]) -> Hints {
    let (mut all, mut last, mut only_links, mut count) = (Hints::NONE, Hints::NONE, true, 0);
    for mut letters in run.split(|byte| !is_letter(*byte)) {
        while let Some((word, rest)) = letters.split_at_checked(word_length(letters)) {
            (last, letters) = (of_word(word), rest);
            all = all.and(last);
            only_links &= last.has(Hints::LINK);
            count += 1;
        }
    }
    if all.has(Hints::CALL.and(Hints::NUMBER)) {
        all = all.and(Hints::PHONE);
    }
    let timed = count > 1 && last.has(Hints::TIME);
    match Hints(all.0 & if timed { Hints::BIRTH.0 } else { Hints::TELLING.0 }) {
        Hints::NONE if all.has(Hints::CALL) && !timed => Hints::CALL,
        Hints::NONE if only_links && all.has(Hints::LINK) => Hints::LINK,
        telling => telling,
    }
}

/// What a key of an object hints at for the values under it.
// [PRIV-20]
pub(in crate::kernel) fn of_key(key: &str) -> Hints {
    let shadow = fold(key);
    of_words(shadow.bytes.get(..64).unwrap_or(&shadow.bytes)).telling()
}
