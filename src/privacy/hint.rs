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
    /// A word that speaks of telephones only where it stands free: `call 555 0132`, not `call_555`.
    const CALL: Hints = Hints(1 << 9);
    /// A word such as `is` or `number`, which stands between a telling word and its value.
    const LINK: Hints = Hints(1 << 10);
    /// No word, but the start of another field of a JSON text.
    const FIELD: Hints = Hints(1 << 11);

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
    lower.iter_mut().zip(word).for_each(|(low, byte)| *low = byte.to_ascii_lowercase());
    match &*lower {
        b"phone" | b"phones" | b"telephone" | b"telephones" | b"tel" | b"telno" | b"phoneno"
        | b"phonenumber" | b"phonenumbers" | b"mobile" | b"mobiles" | b"mobileno"
        | b"mobilenumber" | b"mobil" | b"mobiel" | b"movil" | b"celular" | b"cellphone"
        | b"cellular" | b"fax" | b"faxes" | b"faxno" | b"faxnumber" | b"telefax" | b"sms"
        | b"whatsapp" | b"hotline" | b"helpline" | b"landline" | b"voicemail" | b"telefon"
        | b"telefono" | b"telefone" | b"telefoon" | b"telefonnummer" | b"rufnummer" | b"tlf"
        | b"msisdn" | b"homephone" | b"workphone" | b"mobilephone" => Hints::PHONE,
        b"call" | b"calls" | b"calling" | b"called" | b"callback" | b"caller" | b"cell"
        | b"mob" | b"dial" | b"dialing" | b"dialling" | b"dialed" | b"ring" | b"answering"
        | b"reach" | b"reached" | b"contact" | b"desk" | b"office" | b"handy" | b"portable" => {
            Hints::CALL
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
        b"driverlicense" | b"driverslicense" | b"driverlicence" | b"driverslicence"
        | b"drivinglicence" | b"drivinglicense" | b"fuehrerschein" => Hints::LICENSE,
        b"version" | b"versions" | b"ver" | b"release" | b"build" | b"section" | b"sections"
        | b"chapter" | b"clause" => Hints::VERSION,
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

/// What is said around a value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// By the keys above the text and the words shortly before.
    pub(crate) loosely: Hints,
    /// By the keys above the text and the key or word directly before.
    pub(crate) closely: Hints,
}

impl Around {
    /// Only keys are known.
    pub(crate) fn given(hints: Hints) -> Around {
        Around { loosely: hints, closely: hints }
    }
}

/// Reads the words before values, each word once, however close the values are.
#[derive(Default)]
pub(crate) struct Reader {
    /// Everything before was read, or was too far away from any value.
    read: usize,
    /// Telling words of late, with their places.
    told: Vec<(usize, Hints)>,
}

impl Reader {
    /// What surrounds the value at `at`, which is behind all that were asked for before.
    // [PRIV-22]
    pub(crate) fn around(&mut self, text: Text<'_>, at: usize, given: Hints) -> Around {
        let earliest = at.saturating_sub(WINDOW);
        let mut from = self.read.max(earliest);
        if from == earliest && is_word(text.before(from)) {
            // A word cut in two is none.
            from = text.until(from, |byte| !is_word(byte));
        }
        let old = self.told.partition_point(|(place, _)| *place < earliest);
        self.told.drain(..old);
        self.read(text, from, at);
        self.read = at;
        let hints = self.told.iter().fold(Hints::NONE, |hints, (_, told)| match *told {
            Hints::FIELD => Hints::NONE,
            told => hints.and(told),
        });
        if hints == Hints::NONE {
            return Around::given(given);
        }
        Around { loosely: given.and(hints), closely: given.and(near(text, at)) }
    }

    // [PRIV-23]
    fn read(&mut self, text: Text<'_>, from: usize, to: usize) {
        let mut rest = text.slice(from, to);
        let mut significant = 0;
        while let [byte, behind @ ..] = rest {
            let at = to - rest.len();
            let taken = match byte {
                byte if is_letter(*byte) => word_length(rest),
                b'[' => label_length(behind) + 1,
                _ => 1,
            };
            match byte {
                // Letters behind a digit are a piece of something else.
                byte if is_letter(*byte) && !text.before(at).is_ascii_digit() => {
                    match of_word(rest.get(..taken).unwrap_or_default()) {
                        Hints::NONE | Hints::LINK => {}
                        Hints::CALL if !stands_free(text, at, at + taken) => {}
                        Hints::CALL => self.told.push((at, Hints::PHONE)),
                        hints => self.told.push((at, hints)),
                    }
                }
                // Another field of a JSON text begins.
                b'"' if matches!(significant, b',' | b'{') => self.told.push((at, Hints::FIELD)),
                _ => {}
            }
            if !matches!(byte, b' ' | b'\n' | b'\\') {
                significant = *byte;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
    }
}

/// Whether the word is no part of an identifier, a path or a name.
fn stands_free(text: Text<'_>, start: usize, end: usize) -> bool {
    let (before, after) = (text.before(start), text.at(end));
    let tied = |byte: u8| is_word(byte) || b"-/\\@.#".contains(&byte);
    !tied(before) && (!tied(after) || after == b'.' && !is_word(text.at(end + 1)))
}

/// How long the word is that `bytes` begin with.
fn word_length(bytes: &[u8]) -> usize {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let joined =
        |(a, b): &(&u8, &u8)| is_letter(**b) && !(a.is_ascii_lowercase() && b.is_ascii_uppercase());
    pairs.take_while(joined).count() + 1
}

/// How much of a label, such as `[EMAIL]` or `[EMAIL:1]`, follows its opening bracket. What a label
/// names is gone, and says nothing about what follows.
fn label_length(behind: &[u8]) -> usize {
    let in_label = |byte: &&u8| matches!(**byte, b'A'..=b'Z' | b'0'..=b'9' | b'_' | b':');
    let name = behind.iter().take_while(in_label).count();
    if behind.get(name) == Some(&b']') {
        name + 1
    } else {
        0
    }
}

/// What the key or word directly before `at` hints at, looking past a few linking words such as
/// `number` and `is`. A value that could be any number needs so close a hint.
// [PRIV-24]
fn near(text: Text<'_>, at: usize) -> Hints {
    let (mut end, mut hints) = (at, Hints::NONE);
    for _ in 0..4 {
        let word_end = text.back(end, 4, |byte| b" \t\n:=#.\"'(-\\>+".contains(&byte));
        let start = text.back(word_end, 24, |byte| is_letter(byte) || byte == b'_');
        match of_words(text.slice(start, word_end)) {
            Hints::NONE => break,
            Hints::LINK => {}
            // The second of two words; the first may stand before it.
            word @ (Hints::SECURITY | Hints::PERMIT) => hints = hints.and(word),
            Hints::CALL if stands_free(text, start, word_end) => return Hints::PHONE,
            words => return hints.and(words),
        }
        end = start;
    }
    hints
}

/// Whether the word directly behind `end` says that a telephone number precedes, as in
/// `555 0132 fax`.
// [PRIV-25]
pub(crate) fn is_line(text: Text<'_>, end: usize) -> bool {
    const LINES: [&[u8]; 9] = [
        b"fax",
        b"phone",
        b"telephone",
        b"tel",
        b"mobile",
        b"cell",
        b"office",
        b"desk",
        b"landline",
    ];
    let start = text.forth(end, 3, |byte| matches!(byte, b' ' | b'-' | b',' | b'('));
    let word = text.slice(start, text.forth(start, WORD_MAX, is_letter));
    LINES.iter().any(|line| line.eq_ignore_ascii_case(word))
}
