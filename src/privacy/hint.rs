//! Room: what the surroundings of a value say about it. A hint comes from the key a value stands
//! under, from the words before it, or from the word behind it; kinds without a checksum need one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a window

use super::text::{is_letter, is_word, Text};

/// What the surroundings speak of, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hints(u16);

impl Hints {
    pub(crate) const NONE: Hints = Hints(0);
    pub(crate) const PHONE: Hints = Hints(1);
    pub(crate) const CARD: Hints = Hints(1 << 1);
    pub(crate) const BIRTH: Hints = Hints(1 << 2);
    pub(crate) const PASSPORT: Hints = Hints(1 << 3);
    pub(crate) const VERSION: Hints = Hints(1 << 4);
    /// Two words together make one hint.
    const SSN: Hints = Hints(1 << 5 | 1 << 6);
    const SOCIAL: Hints = Hints(1 << 5);
    const SECURITY: Hints = Hints(1 << 6);
    const LICENSE: Hints = Hints(1 << 7 | 1 << 8);
    const DRIVER: Hints = Hints(1 << 7);
    const PERMIT: Hints = Hints(1 << 8);
    /// A word such as `is` or `number`, which stands between a telling word and its value.
    const LINK: Hints = Hints(1 << 9);

    pub(crate) fn and(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }

    /// Whether everything in `other` is hinted at.
    pub(crate) fn say(self, other: Hints) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn ssn(self) -> bool {
        self.say(Hints::SSN)
    }

    pub(crate) fn license(self) -> bool {
        self.say(Hints::LICENSE)
    }
}

/// Words longer than this mean nothing to us.
const WORD_MAX: usize = 20;
/// How far before a value a word still speaks of it, in characters.
const WINDOW: usize = 32;

/// What one word, whatever its case, hints at.
// [PRIV-21]
fn of_word(word: &[u8]) -> Hints {
    let mut buffer = [0u8; WORD_MAX];
    let Some(lower) = buffer.get_mut(..word.len()) else { return Hints::NONE };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"phone" | b"phones" | b"telephone" | b"telephones" | b"tel" | b"tele" | b"telno"
        | b"phoneno" | b"phonenumber" | b"phonenumbers" | b"mobile" | b"mobiles" | b"mobileno"
        | b"mobilenumber" | b"mob" | b"mobil" | b"mobiel" | b"movil" | b"celular" | b"cell"
        | b"cellphone" | b"cellular" | b"call" | b"calls" | b"calling" | b"called"
        | b"callback" | b"caller" | b"dial" | b"dialing" | b"dialling" | b"dialed" | b"fax"
        | b"faxes" | b"faxno" | b"faxnumber" | b"telefax" | b"ring" | b"sms" | b"whatsapp"
        | b"hotline" | b"helpline" | b"landline" | b"voicemail" | b"answering" | b"reach"
        | b"reached" | b"contact" | b"desk" | b"office" | b"telefon" | b"telefono"
        | b"telefone" | b"telefoon" | b"telefonnummer" | b"handy" | b"portable" | b"rufnummer"
        | b"tlf" | b"msisdn" | b"homephone" | b"workphone" | b"mobilephone" | b"extension" => {
            Hints::PHONE
        }
        b"card" | b"cards" | b"cc" | b"ccnum" | b"ccn" | b"credit" | b"debit" | b"creditcard"
        | b"debitcard" | b"cardnumber" | b"cardno" | b"creditcardnumber" | b"visa"
        | b"mastercard" | b"maestro" | b"amex" | b"pan" | b"kreditkarte" | b"tarjeta" => {
            Hints::CARD
        }
        b"ssn" | b"ssns" | b"ssnumber" | b"socialsecurity" | b"socialsecuritynumber" => Hints::SSN,
        b"social" => Hints::SOCIAL,
        b"security" | b"sec" => Hints::SECURITY,
        b"dob" | b"birth" | b"birthday" | b"birthdate" | b"birthdays" | b"born"
        | b"dateofbirth" | b"bday" | b"geboren" | b"geburtsdatum" | b"naissance"
        | b"nacimiento" | b"nascita" => Hints::BIRTH,
        b"passport" | b"passports" | b"passportno" | b"passportnumber" | b"reisepass"
        | b"passeport" | b"pasaporte" | b"passaporto" => Hints::PASSPORT,
        b"driver" | b"drivers" | b"driving" => Hints::DRIVER,
        b"license" | b"licence" | b"licenses" | b"licences" | b"lic" | b"permit" => Hints::PERMIT,
        b"driverlicense" | b"driverslicense" | b"driverlicence" | b"driverslicence" | b"dl"
        | b"drivinglicence" | b"drivinglicense" | b"fuehrerschein" => Hints::LICENSE,
        b"version" | b"versions" | b"ver" | b"release" | b"build" => Hints::VERSION,
        b"is" | b"no" | b"nr" | b"num" | b"number" | b"numbers" | b"the" | b"my" | b"his"
        | b"her" | b"our" | b"your" | b"their" | b"me" | b"us" | b"him" | b"at" | b"on" | b"to"
        | b"of" | b"or" | b"and" | b"was" | b"are" | b"it" | b"this" | b"please" | b"id"
        | b"value" | b"s" | b"date" => Hints::LINK,
        _ => Hints::NONE,
    }
}

/// What the words in `run` hint at. Identifiers come apart where a capital follows a small letter
/// and at everything that is no letter. `LINK` is among the hints only if there is nothing else.
fn of_words(run: &[u8]) -> Hints {
    let joined = |a: &u8, b: &u8| {
        is_letter(*a) && is_letter(*b) && !(a.is_ascii_lowercase() && b.is_ascii_uppercase())
    };
    let words = run.chunk_by(joined).filter(|word| word.first().is_some_and(|b| is_letter(*b)));
    let (mut hints, mut only_links) = (Hints::NONE, true);
    for word in words {
        match of_word(word) {
            Hints::LINK => {}
            other => (hints, only_links) = (hints.and(other), false),
        }
    }
    if only_links && !run.is_empty() {
        Hints::LINK
    } else {
        hints
    }
}

/// What a key of an object hints at for the values under it.
// [PRIV-20]
pub(crate) fn of_key(key: &[u8]) -> Hints {
    of_words(key.get(..64).unwrap_or(key))
}

/// What the last characters before `at` hint at. Only whole words count, none inside a label, and
/// none of another field of a JSON text.
// [PRIV-22] [PRIV-23]
pub(crate) fn window(text: Text<'_>, at: usize) -> Hints {
    let mut start = at.saturating_sub(WINDOW);
    if is_word(text.before(start)) {
        start = text.until(start, |byte| !is_word(byte)).min(at);
    }
    let mut significant = 0;
    let mut field = start;
    for (index, byte) in text.slice(start, at).iter().enumerate() {
        if *byte == b'"' && matches!(significant, b',' | b'{') {
            field = start + index;
        }
        if !matches!(byte, b' ' | b'\n' | b'\\') {
            significant = *byte;
        }
    }
    let parts = text.slice(field, at).split(|byte| *byte == b'[');
    parts.fold(Hints::NONE, |hints, part| hints.and(of_words(behind_label(part))))
}

/// `part` follows a `[`: if that opens a label such as `[EMAIL]` or `[EMAIL:1]`, what is behind it.
fn behind_label(part: &[u8]) -> &[u8] {
    let in_label = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_' | b':');
    let name = part.iter().take_while(|byte| in_label(byte)).count();
    match part.get(name..) {
        Some(rest) if rest.first() == Some(&b']') => rest,
        _ => part,
    }
}

/// What the key or word directly before `at` hints at, looking past a few linking words such as
/// `number` and `is`. A value that could be any number needs so close a hint.
// [PRIV-24]
pub(crate) fn near(text: Text<'_>, at: usize) -> Hints {
    let mut end = at;
    for _ in 0..4 {
        let word_end = text.back(end, 4, |byte| {
            matches!(byte, b' ' | b'\t' | b'\n' | b':' | b'=' | b'#' | b'.' | b'"' | b'\'')
                || matches!(byte, b'(' | b'-' | b'\\' | b'>')
        });
        let word_start = text.back(word_end, 24, |byte| is_letter(byte) || byte == b'_');
        if word_start == word_end {
            break;
        }
        match of_words(text.slice(word_start, word_end)) {
            Hints::LINK => end = word_start,
            hints => return hints,
        }
    }
    Hints::NONE
}

/// What the word directly behind `end` hints at, as in `555 0132 fax`.
// [PRIV-25]
pub(crate) fn behind(text: Text<'_>, end: usize) -> Hints {
    let start = text.forth(end, 3, |byte| matches!(byte, b' ' | b'-' | b',' | b'('));
    of_word(text.slice(start, text.forth(start, WORD_MAX, is_letter)))
}
