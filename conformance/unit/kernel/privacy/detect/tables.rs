//! The tables of the detectors as JSON files of the specification, which other implementations load. Members
//! that the source does not have, such as ids, are kept from the file.

use super::super::folded_text::fold;
use super::super::kind::Kind;
use super::account_numbers::{CardIssuer, CARD_ISSUERS, IBAN_LENGTHS};
use super::context_words::{word_hints, Hints, CONTEXT_WORDS};
use super::credential_words::NAMES;
use super::credentials::STATES;
use super::key_formats::{Alphabet, ANY, KEY_FORMATS, MARKED_FORMATS};
use super::national_numbers::{Need, DIGIT_FORMATS, FOURS, LETTER_FORMATS};
use super::phone::country_code_length;
use super::phone_words;
use crate::kernel::text::is_ignorable;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A row: its members in order.
type Row = Vec<(&'static str, Value)>;

/// One file: sections of rows, as its source has them.
struct Page {
    path: std::path::PathBuf,
    committed: Value,
    text: String,
}

impl Page {
    fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec").join(name);
        let committed = fs::read(&path).ok().and_then(|file| serde_json::from_slice(&file).ok());
        Page { path, committed: committed.unwrap_or_default(), text: "{\n".to_owned() }
    }

    /// Adds a section with a row a line. `kept` are members that only the file has; the row is found by the
    /// others without the last.
    fn section(&mut self, name: &str, kept: &[&'static str], rows: Vec<Row>) {
        let committed = self.committed[name].as_array().cloned().unwrap_or_default();
        let same = |row: &Row, old: &Value| {
            let members = row.split_last().map_or(&[][..], |(_, members)| members);
            let is_same =
                |value: &Value, old: &Value| old == value || old.is_null() && *value == json!([]);
            members.iter().all(|(member, value)| is_same(value, &old[*member]))
        };
        let mut lines = Vec::new();
        for row in rows {
            let old = committed.iter().find(|old| same(&row, old)).cloned().unwrap_or_default();
            let added = kept.iter().map(|member| (*member, old[*member].clone()));
            let mut members: Row = row.into_iter().chain(added).collect();
            members.sort_by_key(|(member, _)| (*member == "source", *member != "id"));
            for (member, value) in &members {
                assert!(*value != Value::Null || bless(), "{name}: a row without {member}");
            }
            let is_left_out = |member: &str, value: &Value| {
                *value == json!([]) || *value == json!("") && member != "to"
            };
            members.retain(|(member, value)| !is_left_out(member, value));
            let members: Vec<String> = members
                .iter()
                .map(|(member, value)| format!("\"{member}\": {}", spaced(value)))
                .collect();
            lines.push(format!("    {{ {} }}", members.join(", ")));
        }
        let comma = if self.text.len() > 2 { ",\n" } else { "" };
        write!(self.text, "{comma}  \"{name}\": [\n{}\n  ]", lines.join(",\n")).unwrap();
    }

    fn compare(mut self) {
        self.text.push_str("\n}\n");
        let found = fs::read_to_string(&self.path).unwrap_or_default();
        if found != self.text && bless() {
            return fs::write(&self.path, &self.text).unwrap();
        }
        let name = self.path.display();
        assert!(found == self.text, "{name} is not what the source says; MPP_BLESS=1 rewrites it");
    }
}

/// What a file's sections have, for a person who reads it.
fn sections(rows: &[(&str, &str)]) -> Vec<Row> {
    let row = |(name, rows): &(&str, &str)| vec![("section", json!(name)), ("row", json!(rows))];
    rows.iter().map(row).collect()
}

const OF_KEY_FORMATS: &[(&str, &str)] = &[
    ("alphabets", "name, characters, and what a text of them also has"),
    ("prefixed", "prefixes, then least to most characters of an alphabet, and the service with where it documents this"),
    ("marked", "a head that begins with begin, of an alphabet and with least to most characters, begin included; a mark; a tail"),
];

const OF_PRIVACY_TABLES: &[(&str, &str)] = &[
    ("kinds", "a kind, in order of precedence: name, all the context that it needs or can need, label, value"),
    ("folding", "hexadecimal code points outside ASCII, and the ASCII character or nothing that they fold to"),
    ("context_words", "words in small letters without accents, and the context that each gives"),
    ("phone_words", "telephone words in scripts other than Latin, longer ones first"),
    ("credential_names", "ends of names in small letters without separators, after = whole words, and the class of the value"),
    ("credential_stop_words", "what is written instead of a password"),
    ("issued_numbers", "kind; least and most digits; lengths of the groups; what a grouped number needs and what one group needs; check"),
    ("issued_numbers_with_letters", "kind; form: A a letter, 0 a digit, X either; check"),
    ("card_issuers", "first and last value of the first four digits; lengths; of several rows the first counts"),
    ("iban_lengths", "country codes, and the length of their account numbers"),
    ("country_codes", "country codes of telephone numbers"),
];

fn bless() -> bool {
    std::env::var_os("MPP_BLESS").is_some()
}

/// JSON in one line, with spaces after commas.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        value => value.to_string(),
    }
}

fn list(words: &str) -> Value {
    words.split_whitespace().collect()
}

#[test]
fn the_file_of_key_formats_is_the_tables_of_the_code() {
    use Alphabet::*;
    let most = |most: usize| if most == ANY { json!("any") } else { json!(most) };
    let mut page = Page::open("key-formats.json");
    let alphabets = [
        Upper, UpperDash, Lower, Hex, Uuid, Alnum, Url, Dotted, Base64, AlnumMixed, UrlMixed,
        Digits, Tilde, SixDotUrl,
    ];
    let characters = |alphabet: Alphabet| -> String {
        let all = (b' '..=b'~').filter(|byte| alphabet.has(*byte)).map(char::from);
        all.collect()
    };
    let also = |alphabet: Alphabet| match alphabet {
        AlnumMixed | UrlMixed => "a digit, a capital and a small letter among the first 24",
        SixDotUrl => "one point, after six characters",
        _ => "",
    };
    let row = |name: Alphabet| {
        vec![
            ("name", json!(format!("{name:?}"))),
            ("characters", json!(characters(name))),
            ("has", json!(also(name))),
        ]
    };
    page.section("sections", &[], sections(OF_KEY_FORMATS));
    page.section("alphabets", &[], alphabets.map(row).into());
    let row =
        |(prefixes, alphabet, least, longest, source): &(&str, Alphabet, usize, usize, &str)| {
            vec![
                ("prefixes", list(prefixes)),
                ("alphabet", json!(format!("{alphabet:?}"))),
                ("least", json!(least)),
                ("most", most(*longest)),
                ("source", json!(source)),
            ]
        };
    page.section("prefixed", &[], KEY_FORMATS.iter().map(row).collect());
    let rows = MARKED_FORMATS.iter().map(|row| {
        let (begin, head, least, longest, mark, tail, shortest, most, source) = row;
        vec![
            ("begin", json!(begin)),
            ("head_alphabet", json!(format!("{head:?}"))),
            ("head_least", json!(least)),
            ("head_most", json!(longest)),
            ("mark", json!(mark)),
            ("tail_alphabet", json!(format!("{tail:?}"))),
            ("tail_least", json!(shortest)),
            ("tail_most", json!(most)),
            ("source", json!(source)),
        ]
    });
    page.section("marked", &[], rows.collect());
    page.compare();
}

/// The names of hints, in the order in which rows list them.
fn names(hints: Hints) -> Value {
    let social = Hints::of(Kind::Ssn).without(Hints::SECURITY);
    let mut named = vec![
        (Hints::PHONE, "phone"),
        (Hints::CALL, "call"),
        (Hints::CARD, "card"),
        (social, "social"),
        (Hints::SECURITY, "security"),
        (word_hints(b"insurance"), "insurance"),
        (word_hints(b"national"), "national"),
        (Hints::BIRTH, "birth"),
        (Hints::PASSPORT, "passport"),
        (word_hints(b"driver"), "drivers"),
        (word_hints(b"permit"), "permits"),
        (Hints::VERSION, "version"),
        (Hints::LINK, "linking"),
        (Hints::NUMBER, "numbers"),
        (Hints::AT, "at"),
        (Hints::ID, "identifiers"),
        (Hints::TIME, "times"),
        (Hints::FILE, "files"),
        (Hints::ADDRESS, "address"),
    ];
    let paired = [Kind::CreditCard, Kind::Ssn, Kind::Sin, Kind::Nino];
    let kinds = DIGIT_FORMATS.iter().map(|row| row.0).chain(LETTER_FORMATS.iter().map(|row| row.0));
    for kind in kinds.filter(|kind| !paired.contains(kind)) {
        if !named.contains(&(Hints::of(kind), kind.name())) {
            named.push((Hints::of(kind), kind.name()));
        }
    }
    let all = named.iter().fold(Hints::NONE, |all, (hint, _)| all.union(*hint));
    assert_eq!(hints.without(all), Hints::NONE, "a hint has no name");
    named.iter().filter(|(hint, _)| hints.has(*hint)).map(|(_, name)| *name).collect()
}

fn kind_row(kind: Kind) -> Row {
    let numbers =
        DIGIT_FORMATS.iter().map(|row| row.0).chain(LETTER_FORMATS.iter().map(|row| row.0));
    let context = match kind {
        Kind::Passport => Hints::PASSPORT,
        Kind::DriversLicense => Hints::LICENSE,
        Kind::DateOfBirth => Hints::BIRTH,
        Kind::Phone => Hints::PHONE,
        kind if numbers.into_iter().any(|number| number == kind) => Hints::of(kind),
        _ => Hints::NONE,
    };
    vec![("name", json!(kind.name())), ("context", names(context)), ("label", json!(kind.label()))]
}

/// What characters outside ASCII fold to, if that is ASCII or nothing.
// [PRIV-11]
#[test]
fn each_ignorable_character_folds_to_nothing() {
    for character in ('\u{80}'..=char::MAX).filter(|character| is_ignorable(*character)) {
        let folded = fold(character.encode_utf8(&mut [0; 4])).bytes.into_owned();
        assert!(folded.is_empty(), "U+{:04X}", u32::from(character));
    }
}

fn folding_rows() -> Vec<Row> {
    let mut ranges: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
    for character in '\u{80}'..=char::MAX {
        let to = fold(character.encode_utf8(&mut [0; 4])).bytes.into_owned();
        if to.is_ascii() {
            let ranges = ranges.entry(String::from_utf8(to).unwrap()).or_default();
            let code = u32::from(character);
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(code) => *last = code,
                _ => ranges.push((code, code)),
            }
        }
    }
    let name = |(first, last): &(u32, u32)| match first == last {
        true => format!("{first:04X}"),
        false => format!("{first:04X}-{last:04X}"),
    };
    let row = |(to, from): (&String, &Vec<(u32, u32)>)| {
        vec![("from", from.iter().map(name).collect()), ("to", json!(to))]
    };
    ranges.iter().map(row).collect()
}

/// The source of a row, which can be that of the row before.
fn source(before: &mut &'static str, source: &'static str) -> Value {
    match source.strip_prefix("the same") {
        Some(more) => json!(format!("{before}{more}")),
        None => {
            *before = source;
            json!(source)
        }
    }
}

fn need(need: Need) -> Value {
    match need {
        Need::Nothing => json!("nothing"),
        Need::Alone => json!("alone"),
        Need::Marks(marks) => json!({ "marks": marks }),
        Need::Nearby => json!("context"),
        Need::Adjacent => json!("adjacent"),
    }
}

fn digit_rows() -> Vec<Row> {
    let mut before = "";
    let rows = DIGIT_FORMATS.iter().map(|row| {
        let (kind, count, shapes, grouped, whole, _, _, origin) = row;
        let dashed = |shape: &usize| {
            let digits: Vec<String> = shape.to_string().chars().map(String::from).collect();
            digits.join("-")
        };
        let groups = match *shapes {
            [] => json!("any"),
            FOURS => json!("fours"),
            shapes => shapes.iter().map(dashed).collect(),
        };
        vec![
            ("kind", json!(kind.name())),
            ("digits", json!([count.start(), count.end()])),
            ("groups", groups),
            ("grouped_needs", need(*grouped)),
            ("one_group_needs", need(*whole)),
            ("source", source(&mut before, origin)),
        ]
    });
    rows.collect()
}

fn letter_rows() -> Vec<Row> {
    let mut before = "";
    let rows = LETTER_FORMATS.iter().map(|(kind, form, _, _, origin)| {
        vec![
            ("kind", json!(kind.name())),
            ("form", json!(form)),
            ("source", source(&mut before, origin)),
        ]
    });
    rows.collect()
}

fn context_rows() -> Vec<Row> {
    let row = |hints: Hints, words: &str, note: &str| {
        vec![("context", names(hints)), ("words", list(words)), ("note", json!(note))]
    };
    let mut rows: Vec<Row> =
        CONTEXT_WORDS.iter().map(|(hints, words, note)| row(*hints, words, note)).collect();
    let digits = DIGIT_FORMATS.iter().map(|format| (format.0, format.6));
    let letters = LETTER_FORMATS.iter().map(|format| (format.0, format.3));
    for (kind, words) in digits.chain(letters).filter(|(_, words)| !words.is_empty()) {
        rows.push(row(Hints::of(kind), words, &format!("issued numbers: {}", kind.label())));
    }
    rows
}

#[test]
fn the_file_of_privacy_tables_is_the_tables_of_the_code() {
    let mut page = Page::open("privacy-tables.json");
    page.section("sections", &[], sections(OF_PRIVACY_TABLES));
    page.section("kinds", &["value"], Kind::ALL.iter().map(|kind| kind_row(*kind)).collect());
    page.section("folding", &[], folding_rows());
    page.section("context_words", &[], context_rows());
    let row =
        |(_, words, note): &(char, &str, &str)| vec![("words", list(words)), ("note", json!(note))];
    page.section("phone_words", &[], phone_words::WORDS.iter().map(row).collect());
    let row = |(hints, ends, _): &(Hints, &str, &str)| {
        let classes = [
            (Hints::PASSWORD, "password"),
            (Hints::TOKEN, "token"),
            (Hints::SIGNED, "signature"),
            (Hints::SESSION, "session"),
            (Hints::COOKIES, "cookies"),
            (Hints::NONE, "nothing"),
        ];
        let class = classes.iter().find(|(class, _)| class == hints).map(|(_, name)| *name);
        vec![("class", json!(class)), ("name_ends", list(ends))]
    };
    page.section("credential_names", &[], NAMES.iter().map(row).collect());
    page.section("credential_stop_words", &[], vec![vec![("words", list(STATES))]]);
    page.section("issued_numbers", &["id", "check"], digit_rows());
    page.section("issued_numbers_with_letters", &["id", "check"], letter_rows());
    let row = |(range, lengths, issuer, _): &CardIssuer| {
        let (first, last) = (json!(range.start()), json!(range.end()));
        vec![
            ("first", first),
            ("last", last),
            ("lengths", json!(lengths)),
            ("issuer", json!(issuer)),
        ]
    };
    page.section("card_issuers", &[], CARD_ISSUERS.iter().map(row).collect());
    let row = |(length, countries, _): &(usize, &str, &str)| {
        vec![("countries", list(countries)), ("length", json!(length))]
    };
    page.section("iban_lengths", &["source"], IBAN_LENGTHS.iter().map(row).collect());
    let row = |length: usize| {
        let place = 10_usize.pow(3 - u32::try_from(length).unwrap());
        let codes = (0..1000).step_by(place).filter(|code| {
            let digits = [code / 100, code / 10 % 10, code % 10].map(|d| u8::try_from(d).unwrap());
            country_code_length(digits) == Some(length)
        });
        let codes = codes.map(|code| (code / place).to_string()).collect();
        vec![("codes", codes), ("source", json!("ITU-T E.164"))]
    };
    page.section("country_codes", &[], [1, 2, 3].map(row).into());
    page.compare();
}
