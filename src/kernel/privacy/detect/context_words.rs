//! Context words: words near a value that name its kind, as one table.
#![allow(clippy::arithmetic_side_effects)] // places inside one word, remainders

use super::text_view::is_letter;

/// A set of hints from the context of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct Hints(u32);

impl Hints {
    pub(in crate::kernel) const NONE: Hints = Hints(0);
    pub(super) const PHONE: Hints = Hints(1);
    pub(super) const CARD: Hints = Hints(1 << 1);
    pub(super) const BIRTH: Hints = Hints(1 << 2);
    pub(super) const PASSPORT: Hints = Hints(1 << 3);
    pub(super) const VERSION: Hints = Hints(1 << 4);
    pub(super) const ITIN: Hints = Hints(1 << 5);
    pub(super) const ROUTING: Hints = Hints(1 << 6);
    pub(super) const NHS: Hints = Hints(1 << 7);
    pub(super) const AADHAAR: Hints = Hints(1 << 8);
    pub(super) const NPI: Hints = Hints(1 << 9);
    /// Two words together form one hint.
    pub(super) const SSN: Hints = Hints(1 << 10 | 1 << 11);
    pub(super) const SIN: Hints = Hints(1 << 10 | 1 << 12);
    pub(super) const SOCIAL: Hints = Hints(1 << 10);
    pub(super) const SECURITY: Hints = Hints(1 << 11);
    pub(super) const INSURANCE: Hints = Hints(1 << 12);
    pub(super) const LICENSE: Hints = Hints(1 << 13 | 1 << 14);
    pub(super) const DRIVER: Hints = Hints(1 << 13);
    pub(super) const PERMIT: Hints = Hints(1 << 14);
    /// The hints that name a value's kind: all of the above.
    const KINDS: Hints = Hints((1 << 15) - 1);
    /// Names a telephone only as a separate word: `call 555 0132`, not `call_555`.
    pub(super) const CALL: Hints = Hints(1 << 15);
    /// Links a context word to its value, such as `is` or `number`.
    pub(super) const LINK: Hints = Hints(1 << 16);
    /// At the end of a key: the value is a time or a count, regardless of the words before.
    pub(super) const TIME: Hints = Hints(1 << 17);
    pub(super) const AT: Hints = Hints(1 << 16 | 1 << 17);
    /// A linking word that announces a number: `contact_no`, but not `contact_id`.
    pub(super) const NUMBER: Hints = Hints(1 << 16 | 1 << 18);

    /// What the name of a member says about a secret as its value, but not about values further below.
    pub(super) const PASSWORD: Hints = Hints(1 << 27);
    pub(super) const TOKEN: Hints = Hints(1 << 28);
    pub(super) const SESSION: Hints = Hints(1 << 29);
    pub(super) const COOKIES: Hints = Hints(1 << 30);
    pub(super) const KEY_MEMBER: Hints = Hints(1 << 31);
    const MEMBER: Hints = Hints(0b11111 << 27);

    /// Returns `true` if the value can be a secret by the name of its member.
    pub(in crate::kernel) fn names_secret(self) -> bool {
        self.0 & Hints::MEMBER.0 != 0
    }

    /// Returns only these hints.
    pub(in crate::kernel) fn secret(self) -> Hints {
        Hints(self.0 & Hints::MEMBER.0)
    }

    /// Returns the hints for members of the value.
    pub(in crate::kernel) fn inherited(self) -> Hints {
        Hints(self.0 & !Hints::MEMBER.0)
    }

    pub(in crate::kernel) fn union(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }

    /// Returns the hints that name a value's kind.
    pub(super) fn kinds(self) -> Hints {
        Hints(self.0 & Hints::KINDS.0)
    }

    /// Returns `true` if all hints of `other` are present.
    pub(super) fn has(self, other: Hints) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Each row's words in lower case, without accents.
// [PRIV-21]
const CONTEXT_WORDS: &[(Hints, &str)] = &[
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

/// One word with its hints.
type Word = (&'static [u8], Hints);

/// The words as a hash table with linear probing: nearly all words of a text hit an empty slot.
static TABLE: [Option<Word>; TABLE_COUNT] = table();

/// More than twice the number of words.
const TABLE_COUNT: usize = 2048;

/// Evaluated by the compiler, which also rejects an index out of range.
#[allow(clippy::indexing_slicing)]
const fn table() -> [Option<Word>; TABLE_COUNT] {
    let (mut table, mut row) = ([None; TABLE_COUNT], 0);
    while row < CONTEXT_WORDS.len() {
        let (hints, mut rest) = (CONTEXT_WORDS[row].0, CONTEXT_WORDS[row].1.as_bytes());
        while let Some(length) = first_word(rest) {
            let (word, after) = rest.split_at(length);
            let mut at = slot(word);
            while table[at].is_some() {
                at = (at + 1) % TABLE_COUNT;
            }
            table[at] = Some((word, hints));
            rest = after.trim_ascii_start();
        }
        row += 1;
    }
    table
}

/// Returns the length of the first word of a list.
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

/// The hash of one word, independent of its case. Nearly every word has a slot of its own.
#[allow(clippy::as_conversions)] // `From` is not const
const fn slot(word: &[u8]) -> usize {
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

/// Returns the hints of one word.
pub(super) fn word_hints(word: &[u8]) -> Hints {
    let mut at = slot(word);
    while let Some(Some((known, hints))) = TABLE.get(at) {
        if known.eq_ignore_ascii_case(word) {
            return *hints;
        }
        at = (at + 1) % TABLE_COUNT;
    }
    Hints::NONE
}

/// Returns the length of the first word of `letters`. Words end at a non-letter, before a capital after a
/// lower-case letter, and before the last of several capitals if a lower-case letter follows it:
/// `userDOBYear` has three words.
pub(super) fn word_length(letters: &[u8]) -> usize {
    let small = |place: usize| letters.get(place).is_some_and(u8::is_ascii_lowercase);
    // Whether the capital at this place starts the next word, which it does not in `iPhone`.
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

/// Returns the hints of adjacent words; `LINK` if all of them only link. A time or a count is not personal
/// data, regardless of the words before: `phone_verified_at`.
pub(super) fn phrase_hints(run: &[u8]) -> Hints {
    let (mut all, mut last, mut only_links, mut count) = (Hints::NONE, Hints::NONE, true, 0);
    for mut letters in run.split(|byte| !is_letter(*byte)) {
        while let Some((word, rest)) = letters.split_at_checked(word_length(letters)) {
            (last, letters) = (word_hints(word), rest);
            all = all.union(last);
            only_links &= last.has(Hints::LINK);
            count += 1;
        }
    }
    if all.has(Hints::CALL.union(Hints::NUMBER)) {
        all = all.union(Hints::PHONE);
    }
    let timed = count > 1 && last.has(Hints::TIME);
    match Hints(all.0 & if timed { Hints::BIRTH.0 } else { Hints::KINDS.0 }) {
        Hints::NONE if all.has(Hints::CALL) && !timed => Hints::CALL,
        Hints::NONE if only_links && all.has(Hints::LINK) => Hints::LINK,
        kinds => kinds,
    }
}

/// Returns the hints of an object's key, folded, for the values under it.
// [PRIV-20]
pub(super) fn key_hints(folded: &[u8]) -> Hints {
    phrase_hints(folded.get(..64).unwrap_or(folded)).kinds()
}
