//! Context words: words near a value that name its kind, as one table.
#![allow(clippy::arithmetic_side_effects)] // places inside one word, remainders

use super::super::kind::Kind;
use super::super::label;
use super::national_numbers::{DIGIT_FORMATS, LETTER_FORMATS};
use super::text_view::{is_alnum, is_letter, Text};
use super::word_table::{Part, WordTable};

/// A set of hints from the context of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct Hints(u64);

impl Hints {
    pub(in crate::kernel) const NONE: Hints = Hints(0);
    pub(super) const PHONE: Hints = Hints(1);
    pub(super) const CARD: Hints = Hints(1 << 1);
    pub(super) const BIRTH: Hints = Hints(1 << 2);
    pub(super) const PASSPORT: Hints = Hints(1 << 3);
    pub(super) const VERSION: Hints = Hints(1 << 4);
    /// Two words together form one hint.
    const SOCIAL: Hints = Hints(1 << 5);
    pub(super) const SECURITY: Hints = Hints(1 << 6);
    const INSURANCE: Hints = Hints(1 << 7);
    const NATIONAL: Hints = Hints(1 << 8);
    const DRIVER: Hints = Hints(1 << 9);
    const PERMIT: Hints = Hints(1 << 10);
    pub(super) const LICENSE: Hints = Hints::DRIVER.union(Hints::PERMIT);
    /// Names a telephone only as a separate word: `call 555 0132`, not `call_555`.
    pub(super) const CALL: Hints = Hints(1 << 11);
    /// Links a context word to its value, such as `is` or `number`.
    pub(super) const LINK: Hints = Hints(1 << 12);
    /// At the end of a key: the value is a time or a count, regardless of the words before.
    pub(super) const TIME: Hints = Hints(1 << 13);
    pub(super) const AT: Hints = Hints::LINK.union(Hints(1 << 41));
    /// At the end of a key: the value cannot be a telephone, but can be a document.
    pub(super) const ID: Hints = Hints::LINK.union(Hints(1 << 42));
    /// A linking word that announces a number: `contact_no`, but not `contact_id`.
    pub(super) const NUMBER: Hints = Hints::LINK.union(Hints(1 << 14));
    /// Ends the name of a file or unit, which can look like a domain.
    pub(super) const FILE: Hints = Hints(1 << 39);
    /// Names an address of the internet.
    pub(super) const ADDRESS: Hints = Hints(1 << 40);
    /// The hints that do not name a value's kind: those from `CALL` to `NUMBER`, and from `PASSWORD` on.
    const OTHERS: Hints = Hints(0b1111 << 11 | 0b11_1111 << 34 | 0b1111 << 41);
    /// From this bit on, each kind of an issued number has one. No such kind has the bits from 18 to 31, so
    /// those of the hints from 34 to 47 are free.
    const KINDS_FROM: u32 = 16;

    /// What the name of a member says about a secret as its value, but not about values further below.
    pub(super) const PASSWORD: Hints = Hints(1 << 34);
    pub(super) const TOKEN: Hints = Hints(1 << 35);
    pub(super) const SESSION: Hints = Hints(1 << 36);
    pub(super) const COOKIES: Hints = Hints(1 << 37);
    pub(super) const KEY_MEMBER: Hints = Hints(1 << 38);
    const MEMBER: Hints = Hints(0b11111 << 34);
    pub(super) const MEMBERS: [Hints; 5] =
        [Hints::PASSWORD, Hints::TOKEN, Hints::SESSION, Hints::COOKIES, Hints::KEY_MEMBER];
    /// As these, of a signature in a query, and of the password in an address.
    pub(super) const SIGNED: Hints = Hints(1 << 43);
    pub(super) const IN_ADDRESS: Hints = Hints(1 << 44);

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

    /// Returns the hint that a value is an issued number of this kind.
    pub(super) const fn of(kind: Kind) -> Hints {
        match kind {
            Kind::CreditCard => Hints::CARD,
            Kind::Ssn => Hints::SOCIAL.union(Hints::SECURITY),
            Kind::Sin => Hints::SOCIAL.union(Hints::INSURANCE),
            Kind::Nino => Hints::NATIONAL.union(Hints::INSURANCE),
            _ => Hints(kind.bit() << Hints::KINDS_FROM),
        }
    }

    pub(in crate::kernel) const fn union(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }

    /// Returns the hints that name a value's kind.
    pub(super) fn kinds(self) -> Hints {
        Hints(self.0 & !Hints::OTHERS.0)
    }

    /// Returns `true` if any hint can name an issued number, as few contexts do.
    pub(super) fn name_numbers(self) -> bool {
        const CARD_AND_PAIRS: u64 = 1 << 1 | 0b1111 << 5;
        let kinds = self.kinds().without(Hints::ADDRESS);
        self.0 & CARD_AND_PAIRS != 0 || kinds.0 >> Hints::KINDS_FROM != 0
    }

    /// Returns the hints that name a value's kind, with a telephone for `call` and the like.
    pub(super) fn named(self) -> Hints {
        match self {
            Hints::CALL => Hints::PHONE,
            hints => hints.kinds(),
        }
    }

    pub(super) fn without(self, other: Hints) -> Hints {
        Hints(self.0 & !other.0)
    }

    /// Returns `true` if all hints of `other` are present.
    pub(super) fn has(self, other: Hints) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Each row's words in lower case, without accents, and what they precede. Those of issued numbers are
/// in `national_numbers.rs`.
// [PRIV-21]
#[rustfmt::skip]
pub(super) const CONTEXT_WORDS: &[(Hints, &str, &str)] = &[
    (Hints::PHONE, "phone phones telephone telephones tel telno phoneno phonenum phonenumber phonenumbers mobile mobiles mobileno mobilenumber mobil mobiel movil celular cellphone cellnumber cellular cellulare fax faxes faxno faxnumber telefax sms whatsapp hotline helpline landline voicemail telefon telefono telefonos telefone telefones telefoon telefonnummer telefonnr rufnummer handynummer handynr mobilnummer mobilfunk tlf tfno telf msisdn homephone workphone mobilephone telefoonnummer contactnumber gsm cep telefonszam puhelin puh puhelinnumero matkapuhelin tfn telepon telepono telemovel fone mobitel telefonas telefonu talrunis komorka thoai sdt ph fon whatsappnumber", "telephone numbers"),
    (Hints::CALL, "call calls calling called callback caller cell mob dial dialing dialling dialed ring answering reach reached contact desk office handy portable message messages", "telephone numbers, as separate words"),
    (Hints::CARD, "card cards cc ccnum ccn credit debit creditcard debitcard cardnumber cardno creditcardnumber visa mastercard maestro amex kreditkarte kreditkartennummer kartennummer tarjeta carte cartes cartao creditcardno", "payment cards"),
    (Hints::CARD.union(Hints::of(Kind::IndiaPan)), "pan pans", "payment cards and taxpayers of India"),
    (Hints::SOCIAL, "social", "the first of two words"),
    (Hints::SECURITY, "security sec", "the second: US social security numbers"),
    (Hints::INSURANCE, "insurance", "the second: Canadian and British insurance numbers"),
    (Hints::NATIONAL, "national", "the first: British insurance numbers"),
    (Hints::BIRTH, "dob birth birthday birthdays birthdate born dateofbirth bday geboren geburt geburtstag geburtsdatum gebdatum naissance nacimiento nacido nacida nascita nascimento geboortedatum cumpleanos fodt fodelsedatum geb nee nac", "dates of birth"),
    (Hints::PASSPORT, "passport passports passportno passportnumber passportnum reisepass reisepassnummer passnummer passnr passeport pasaporte passaporto passaporte paspoort paspoortnummer", "passport numbers"),
    (Hints::DRIVER, "driver drivers driving conducir conduire guida conducao", "the first of two words, in either order"),
    (Hints::PERMIT, "license licence licenses licences lic permit permis permiso licencia carnet patente carteira", "the second: licenses"),
    (Hints::LICENSE, "driverlicense driverslicense driverlicence driverslicence drivinglicence drivinglicense fuehrerschein fuehrerscheinnummer fuhrerschein fuhrerscheinnummer rijbewijs rijbewijsnummer", "driving licenses"),
    (Hints::VERSION, "version versions ver release build section sections chapter clause", "versions, which are not addresses"),
    (Hints::NUMBER, "no nr num number numbers nummer numero numer nomor numara", "numbers"),
    (Hints::LINK, "is the my his her our your their me us him on to of or and was are it this please value s date de del di la le am ist es est", "values"),
    (Hints::AT, "at", "values, and times"),
    (Hints::ID, "id ids code hash type status", "identifiers, not telephones"),
    (Hints::TIME, "time timestamp ts count counts total totals size sizes bytes length len sent delivered failed received per rate seconds duration usage limit quota max min avg sum index", "times and counts"),
    (Hints::FILE, "service timer socket scope slice mount automount target device swap path", "the end of a unit's name"),
    (Hints::FILE, "png jpg jpeg gif svg webp ico bmp avif mp3 mp4 woff ttf css scss less js mjs cjs jsx tsx vue html htm map json jsonl xml yml yaml toml ini conf cfg lock log csv tsv txt pdf bak tmp java kt cpp hpp cs swift lua tar tgz gz bz2 xz zst jar war whl deb rpm apk dmg exe msi dll nupkg gem", "the end of a name of a file, without domains of countries"),
    (Hints::ADDRESS, "ip ips ipv ipaddress ipaddr addr address addresses host hosts hostname client peer remote gateway nameserver nameservers dns resolver inet listen listening bind ping ssh src dst cidr subnet forwarded connect connected connection", "addresses of the internet"),
];

static WORDS: WordTable<Hints, 2048> = words();

#[allow(clippy::indexing_slicing)]
const fn words() -> WordTable<Hints, 2048> {
    let (mut table, mut row) = (WordTable::new(Part::Whole).with_rows(CONTEXT_WORDS), 0);
    while row < DIGIT_FORMATS.len() {
        table = table.with(DIGIT_FORMATS[row].6, Hints::of(DIGIT_FORMATS[row].0));
        row += 1;
    }
    row = 0;
    while row < LETTER_FORMATS.len() {
        table = table.with(LETTER_FORMATS[row].3, Hints::of(LETTER_FORMATS[row].0));
        row += 1;
    }
    table
}

/// Returns the hints of one word.
pub(super) fn word_hints(word: &[u8]) -> Hints {
    let mut known = WORDS.candidates(word);
    known.find(|(known, _)| known.eq_ignore_ascii_case(word)).map_or(Hints::NONE, |it| it.1)
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

/// Returns the hints of adjacent words; `LINK` if all of them only link. A time, a count or an identifier is
/// not personal data, regardless of the words before: `phone_verified_at`.
pub(super) fn phrase_hints(run: &[u8]) -> Hints {
    // Most names are one word.
    if run.first().is_some_and(|first| is_letter(*first)) && word_length(run) == run.len() {
        return word_hints(run);
    }
    let (mut all, mut last, mut only_links, mut count) = (Hints::NONE, Hints::NONE, true, 0);
    let mut counted = false;
    for mut letters in run.split(|byte| !is_letter(*byte)) {
        while !letters.is_empty() {
            // `WhatsApp` is one word.
            let whole = word_hints(letters) != Hints::NONE;
            let length = if whole { letters.len() } else { word_length(letters) };
            let (word, rest) = letters.split_at_checked(length).unwrap_or((letters, &[]));
            (last, letters) = (word_hints(word), rest);
            all = all.union(last);
            counted = last == Hints::NONE
                && word.len() >= 4
                && word.ends_with(b"s")
                && !word.ends_with(b"ss");
            only_links &= last.has(Hints::LINK);
            count += 1;
        }
    }
    if all.has(Hints::CALL.union(Hints::NUMBER)) {
        all = all.union(Hints::PHONE);
    }
    let timed = count > 1 && (all.has(Hints::TIME) || last == Hints::AT || counted);
    let kept = match last {
        _ if timed => Hints(all.0 & Hints::BIRTH.0),
        Hints::ID if count > 1 => all.kinds().without(Hints::PHONE),
        _ => all.kinds(),
    };
    match kept {
        Hints::NONE if all.has(Hints::CALL) && !timed && last != Hints::ID => Hints::CALL,
        Hints::NONE if count == 1 => last,
        Hints::NONE if only_links && all.has(Hints::LINK) => Hints::LINK,
        kinds => kinds,
    }
}

/// Returns the hints of an object's key, folded, below keys with the hints `outer`, for the values under it. A
/// label in it, of a value that was redacted, has none.
// [PRIV-20] [PRIV-23]
pub(super) fn key_hints(folded: &[u8], outer: Hints) -> Hints {
    let mut rest = folded.get(..64).unwrap_or(folded);
    let mut kept = outer;
    let mut found = Hints::NONE;
    loop {
        let open = rest.iter().position(|byte| *byte == b'[').unwrap_or(rest.len());
        let (words, after) = rest.split_at(open);
        let hints = phrase_hints(words);
        kept = match hints {
            Hints::TIME => Hints(kept.0 & Hints::BIRTH.0),
            Hints::ID => kept.without(Hints::PHONE),
            _ => kept,
        };
        found = found.union(hints.kinds());
        let Some((_, inside)) = after.split_first() else { return kept.union(found) };
        rest = inside.get(label::content(inside).map_or(0, <[u8]>::len)..).unwrap_or_default();
    }
}

/// Returns `true` if the word at `start` ends names of files: `bg@dark.png`.
pub(super) fn is_file_suffix(text: Text, start: usize) -> bool {
    let hints = word_hints(text.slice(start, text.run_end(start, 10, is_alnum)));
    hints == Hints::FILE
}
