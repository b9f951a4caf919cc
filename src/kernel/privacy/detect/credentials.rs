//! Passwords, tokens and keys without a format of their own: after the name of a member, header, parameter,
//! variable or option, in an address, or as the value of a member with such a name.
//!
//! Several readers find where a value can be and what it has to look like; one rule says whether it does.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a window

use super::super::folded_text::fold;
use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context_words::{self, Hints};
use super::credential_words::{NAMES, PROGRAMS};
use super::text_view::{in_uuid, is_alnum, is_word, Text};
use super::word_table::{Part, WordTable};

static NAME_ENDS: WordTable<Hints, 1024> = WordTable::new(Part::End).with_rows(NAMES);

/// The longest name, and how far a value is read to judge it, in characters.
const NAME_MAX: usize = 48;
const VALUE_MAX: usize = 4096;
/// The secret members of a JSON Web Key (RFC 7517, 7518), beside its `kty`, and their least length.
// [PRIV-107]
const KEY_MEMBERS: [&[u8]; 7] = [b"d", b"k", b"p", b"q", b"dp", b"dq", b"qi"];
const KEY_MEMBER_MIN: usize = 16;

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_inside(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'')
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')
}

/// Returns what a name says about its value.
fn class_of(name: &[u8]) -> Hints {
    let mut best = (0, Hints::NONE);
    for (end, class) in NAME_ENDS.candidates(name) {
        let mut letters =
            name.iter().enumerate().rev().filter(|(_, byte)| byte.is_ascii_alphanumeric());
        let (mut end_letters, mut first) =
            (end.iter().rev().filter(|it| it.is_ascii_alphanumeric()), 0);
        let fits = end_letters.all(|letter| {
            letters.next().is_some_and(|(at, byte)| {
                first = at;
                byte.eq_ignore_ascii_case(letter)
            })
        });
        let begins = match name.get(..=first) {
            Some([.., previous, first]) if previous.is_ascii_alphanumeric() => {
                first.is_ascii_uppercase() && !previous.is_ascii_uppercase()
            }
            _ => true,
        };
        if fits && end.len() > best.0 && (begins || !end.starts_with(b"=")) {
            best = (end.len(), class);
        }
    }
    best.1
}

/// Returns the hints of an object's key for its value. `jwk`: the object has a member `kty`.
pub(in crate::kernel) fn key_hints(key: &str, outer: Hints, jwk: bool) -> Hints {
    let folded = fold(key);
    let name: &[u8] = &folded.bytes;
    let class = match name {
        _ if jwk && KEY_MEMBERS.contains(&name) => Hints::KEY_MEMBER,
        _ if name.len() <= NAME_MAX => class_of(name).secret(),
        _ => Hints::NONE,
    };
    context_words::key_hints(name, outer).union(class)
}

/// Finds the value of a member, which is the whole text.
// [PRIV-105]
pub(super) fn find_member(text: Text, hints: Hints, matches: &mut Matches) {
    let from = text.run_end(0, 8, |byte| byte.is_ascii_whitespace());
    let to = text.0.len().min(VALUE_MAX);
    for class in Hints::MEMBERS.into_iter().filter(|class| hints.has(*class)) {
        Value { class, place: Place::Bounded, from, to }.add(text, matches);
    }
}

/// Where a value is, from the least certain place to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Bare text: words, or code.
    Bare,
    /// A line of a name and a value: text, or code.
    Line,
    /// A member, or in quotes: text, or names of something.
    Bounded,
    /// A parameter, a part of a connection string, an environment variable: nothing but the value.
    Certain,
}

/// A possible value.
#[derive(Clone, Copy)]
struct Value {
    class: Hints,
    place: Place,
    from: usize,
    to: usize,
}

/// Finds credentials in one text.
#[derive(Default)]
pub(super) struct CredentialReader {
    /// The end of the last value that was read.
    read: usize,
    /// Whether the text names a type of JSON Web Keys; unknown at first.
    has_kty: Option<bool>,
}

impl CredentialReader {
    /// Finds credentials at a `:`, `=`, `>`, `-` or `w`; returns where to continue.
    #[inline]
    pub(super) fn find(&mut self, text: Text, at: usize, matches: &mut Matches) -> usize {
        let (before, next) = (text.before(at), text.at(at + 1));
        let value = match text.at(at) {
            b':' if next == b'/' && text.at(at + 2) == b'/' => in_address(text, at),
            b'w' if before == b's' => after_login(text, at),
            _ if at < self.read => None,
            b':' | b'=' | b'>' if !before.is_ascii_digit() => self.after_name(text, at),
            b'-' if next == b'-' && !is_name(before) => after_long_option(text, at),
            b'-' if before == b' ' && matches!(next, b'p' | b'a' | b'u') => {
                after_short_option(text, at)
            }
            _ => None,
        };
        let Some(value) = value else { return at + 1 };
        // The user and password of an address are not an e-mail address.
        let last = if value.class == Hints::IN_ADDRESS { value.to } else { at };
        self.read = self.read.max(value.add(text, matches));
        last + 1
    }

    /// `name: value`, `"name": "value"`, `name=value`, `name => value`, `<name>value</name>`.
    // [PRIV-105]
    fn after_name(&mut self, text: Text, at: usize) -> Option<Value> {
        let (sign, next, before) = (text.at(at), text.at(at + 1), text.before(at));
        // Between a name and its sign: quotes, brackets, emphasis, blanks; the colon of `:=`.
        let is_mark =
            |byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b']' | b'*');
        let end = at - usize::from(sign == b'=' && before == b':');
        let end = text.run_start(end, 4, is_mark);
        let last = text.slice(end.saturating_sub(3), end);
        if sign == b':' && end < at && matches!(last, [b'"', _, _] | [_, b'"', _]) {
            return self.key_member(text, at, end);
        }
        // Most texts before a sign end like no name of a secret.
        if !NAME_ENDS.may_have(last) {
            return None;
        }
        let start = text.run_start(end, NAME_MAX, is_name);
        let (begin, name) = (text.before(start), text.slice(start, end));
        let class = class_of(name);
        let operator = match sign {
            b':' => before == b':' || matches!(next, b':' | b'='),
            b'=' => b"=!<>~+".contains(&before) || b"=~".contains(&next),
            _ => false,
        };
        if operator || class == Hints::NONE {
            return None;
        }
        if sign == b'>' {
            let to = text.run_end(at + 1, VALUE_MAX, |byte| byte != b'<');
            let value = Value { class, place: Place::Bounded, from: at + 1, to };
            return (begin == b'<' && end == at).then_some(value);
        }
        let joined = sign == b'=' && end == at && !next.is_ascii_whitespace();
        let is_small = name.iter().any(u8::is_ascii_lowercase);
        let variable = !is_small && !matches!(begin, b'$' | b'(' | b',');
        let place = match joined && (variable || matches!(begin, b'&' | b'?' | b';')) {
            true => Place::Certain,
            _ if class == Hints::SIGNED => return None,
            _ if class == Hints::PASSWORD && sign == b':' && is_line(text, start, at + 1) => {
                Place::Line
            }
            _ => Place::Bare,
        };
        Some(value_after(text, at + 1, class, place))
    }

    /// The secret member of a JSON Web Key. Its name ends at `end`, before its quote.
    // [PRIV-107]
    fn key_member(&mut self, text: Text, at: usize, end: usize) -> Option<Value> {
        let start = text.run_start(end, 3, |byte| byte.is_ascii_lowercase());
        let from = text.run_end(at + 1, 4, |byte| matches!(byte, b' ' | b'\\')) + 1;
        let quoted = text.before(start) == b'"' && text.before(from) == b'"';
        if !quoted || !KEY_MEMBERS.contains(&text.slice(start, end)) {
            return None;
        }
        let to = text.run_end(from, VALUE_MAX, is_base64url);
        let named = || text.slice(0, text.0.len()).windows(3).any(|name| name == b"kty");
        let is_key = to - from >= KEY_MEMBER_MIN && *self.has_kty.get_or_insert_with(named);
        is_key.then_some(Value { class: Hints::KEY_MEMBER, place: Place::Bounded, from, to })
    }
}

/// Returns `true` if a line has only a name, which begins at `start`, and a value after `from`.
fn is_line(text: Text, start: usize, from: usize) -> bool {
    let begin = text.run_start(start, 8, |byte| b" \t-*".contains(&byte));
    let value = text.run_end(from, 8, |byte| matches!(byte, b' ' | b'*'));
    let end = text.run_end(value, 64, |byte| byte > b' ');
    matches!(text.before(begin), 0 | b'\n') && matches!(text.at(end), 0 | b'\n' | b'\r')
}

/// Returns the value after a name's sign, in quotes or without.
fn value_after(text: Text, from: usize, class: Hints, place: Place) -> Value {
    let arrow = text.at(from) == b'>';
    let mut from = text.run_end(from + usize::from(arrow), 8, |byte| b" \t*`".contains(&byte));
    from += usize::from(text.at(from) == b'[' && matches!(text.at(from + 1), b'"' | b'\''));
    from += usize::from(text.at(from) == b'\\');
    if let quote @ (b'"' | b'\'') = text.at(from) {
        let to = quoted_end(text, from + 1, quote);
        let to = to - usize::from(text.before(to) == b'\\');
        return Value { class, place: place.max(Place::Bounded), from: from + 1, to };
    }
    let to = match class {
        _ if arrow => from,
        Hints::COOKIES => text.run_end(from, VALUE_MAX, |byte| !b"\n\r\"'".contains(&byte)),
        _ => bare_end(text, after_scheme(text, from, class)),
    };
    Value { class, place, from, to }
}

fn quoted_end(text: Text, from: usize, quote: u8) -> usize {
    text.run_end(from, VALUE_MAX, |byte| byte != quote && byte != b'\n')
}

/// Returns the end of a value without quotes.
fn bare_end(text: Text, from: usize) -> usize {
    let belongs = |byte: u8| byte > b' ' && !b"\"'`,;&|<>\\".contains(&byte);
    let end = text.run_end(from, VALUE_MAX, belongs);
    text.run_start(end, end - from, |byte| b".)]}:".contains(&byte))
}

/// Returns the start of what follows the scheme of a header: `Bearer`, `Basic` and the like.
fn after_scheme(text: Text, from: usize, class: Hints) -> usize {
    let end = text.run_end(from, 12, |byte| byte.is_ascii_alphabetic());
    let is_scheme = class == Hints::TOKEN && end > from && text.at(end) == b' ';
    text.run_end(if is_scheme { end } else { from }, 4, |byte| is_scheme && byte == b' ')
}

/// `--password value`, `--user name:value`.
// [PRIV-106]
fn after_long_option(text: Text, at: usize) -> Option<Value> {
    let end = text.run_end(at + 2, NAME_MAX, is_name);
    let name = text.slice(at + 2, end);
    if !name.first().is_some_and(u8::is_ascii_lowercase) {
        return None;
    }
    if name.ends_with(b"user") {
        return after_user(text, end);
    }
    let class = class_of(name);
    let named = matches!(class, Hints::PASSWORD | Hints::TOKEN);
    let spaced = text.at(end) == b' ' && !matches!(text.at(end + 1), b'-' | b' ');
    (named && spaced).then(|| value_after(text, end + 1, class, Place::Bare))
}

/// How far before an option its program is named.
const COMMAND_MAX: usize = 32;

/// `-u name:value`; `-p value` of programs that take a password so.
// [PRIV-106]
fn after_short_option(text: Text, at: usize) -> Option<Value> {
    if text.at(at + 1) == b'u' {
        return after_user(text, at + 2);
    }
    let line = text.slice(at.saturating_sub(COMMAND_MAX), at);
    let line = line.rsplit(|byte| *byte == b'\n').next()?;
    let named = PROGRAMS.iter().any(|(program, option)| {
        text.upto(at, option.len()) == option.as_bytes() && has_word(line, program)
    });
    named.then(|| value_after(text, at + 2, Hints::PASSWORD, Place::Bare))
}

/// `user:value` of curl.
// [PRIV-106]
fn after_user(text: Text, from: usize) -> Option<Value> {
    let from = text.run_end(from, 4, |byte| matches!(byte, b' ' | b'='));
    let quote = text.at(from);
    let quoted = matches!(quote, b'"' | b'\'');
    let from = from + usize::from(quoted);
    let from = text.run_end(from, NAME_MAX, |byte| is_name(byte) || byte == b'@') + 1;
    let place = if quoted { Place::Bounded } else { Place::Bare };
    let to = if quoted { quoted_end(text, from, quote) } else { bare_end(text, from) };
    let value = Value { class: Hints::PASSWORD, place, from, to };
    (text.before(from) == b':').then_some(value)
}

/// How far before its password a netrc names its machine.
const LOGIN_MAX: usize = 144;

/// `login name password value` of netrc. `at` is the `w`.
// [PRIV-106]
fn after_login(text: Text, at: usize) -> Option<Value> {
    let from = text.run_end(at + 4, 8, |byte| byte.is_ascii_whitespace());
    if from == at + 4 || text.slice(at.saturating_sub(4), at + 4) != b"password" {
        return None;
    }
    let words = text.slice(at.saturating_sub(LOGIN_MAX), at + 4).rsplit(u8::is_ascii_whitespace);
    let mut words = words.filter(|word| !word.is_empty());
    let login = words.next() == Some(b"password")
        && words.nth(1).is_some_and(|word| word.ends_with(b"login"));
    let named = login && words.any(|word| word.ends_with(b"machine") || word.ends_with(b"default"));
    named.then(|| value_after(text, from, Hints::PASSWORD, Place::Certain))
}

/// `scheme://user:password@host`. `at` is the colon before the slashes.
// [PRIV-104]
fn in_address(text: Text, at: usize) -> Option<Value> {
    let graphic = |byte: u8| byte > b' ' && !b"\"'<>`\\".contains(&byte);
    let user = text.run_end(at + 3, 128, |byte| graphic(byte) && !b":/?#@[".contains(&byte));
    if !is_alnum(text.before(at)) || text.at(user) != b':' {
        return None;
    }
    let from = user + 1;
    let port = text.run_end(from, 6, |byte| byte.is_ascii_digit());
    if port > from && !graphic(text.at(port)) || b"/?#,".contains(&text.at(port)) {
        return None;
    }
    // The last sign before the path; or, if the password has such characters, the first after.
    let path = text.run_end(from, 256, |byte| graphic(byte) && !b"/?#".contains(&byte));
    let to = match text.slice(from, path).iter().rposition(|byte| *byte == b'@') {
        Some(sign) => from + sign,
        None => text.run_end(from, 64, |byte| graphic(byte) && byte != b'@'),
    };
    let value = Value { class: Hints::IN_ADDRESS, place: Place::Certain, from, to };
    (text.at(to) == b'@').then_some(value)
}

impl Value {
    /// Adds the value if it can be a secret of its class; returns its end.
    // [PRIV-108]
    fn add(self, text: Text, matches: &mut Matches) -> usize {
        let Value { class, mut place, from, to } = self;
        if class == Hints::COOKIES {
            return self.add_cookies(text, matches);
        }
        let start = after_scheme(text, from, class);
        if is_one_of(text.slice(from, start).trim_ascii_end(), SCHEMES) {
            place = Place::Certain;
        }
        let value = text.slice(start, to).trim_ascii_end();
        let kind = if class == Hints::KEY_MEMBER { Kind::PrivateKey } else { Kind::Credential };
        if can_be_secret(value, class, place) {
            let end = start + value.len();
            // What is longer than was read goes as far as it has no blank: nothing of it is left.
            let is_whole = to - from < VALUE_MAX;
            let end = if is_whole { end } else { text.run_end(end, usize::MAX, is_inside) };
            matches.add((kind, start, end));
            return end.max(to);
        }
        to
    }

    /// `name=value; name=value`: values that can be secrets. Their names stay.
    // [PRIV-105]
    fn add_cookies(self, text: Text, matches: &mut Matches) -> usize {
        let mut at = self.from;
        for pair in text.slice(at, self.to).split(|byte| *byte == b';') {
            let (from, to) = (at, at + pair.len());
            at = to + 1;
            if let Some(sign) = pair.iter().position(|byte| *byte == b'=') {
                let name = pair.get(..sign).unwrap_or_default();
                let named = class_of(name) != Hints::NONE;
                let class = if named { Hints::PASSWORD } else { Hints::TOKEN };
                let from = from + sign + 1;
                Value { class, from, to, place: Place::Bounded }.add(text, matches);
            }
        }
        self.to
    }
}

/// Schemes of headers, which stay.
const SCHEMES: &str = "bearer basic token apikey bot";
/// In values that name what belongs there.
const NAMING: &str = "pass pwd secret token key credential string user auth array";
/// In placeholders of documentation.
const EXAMPLES: &str =
    "example placeholder changeme change-me change_me your redacted xxxx ... ${ {{";
/// What replaces a password in types, forms and messages.
pub(super) const STATES: &str = "none null undefined true false required optional text string hidden default \
    unknown invalid incorrect missing empty enabled disabled input field prompt value number boolean \
    object array bytes varchar integer never always public private plain plaintext shared";

fn is_one_of(value: &[u8], words: &str) -> bool {
    words.split(' ').any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

fn has_word(value: &[u8], word: &str) -> bool {
    value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Returns `true` if a value names what belongs there.
fn names_itself(value: &[u8]) -> bool {
    is_one_of(value, "pw") || NAMING.split(' ').any(|word| has_word(value, word))
}

/// Returns `true` for what documentation and templates write for a value: `<token>`, `${TOKEN}`, `%s`,
/// `****`, a label of this filter.
fn is_placeholder(value: &[u8]) -> bool {
    let marked = match value {
        [b'<' | b'{' | b'[' | b'(', ..] => true,
        [b'$' | b'%', next, ..] => next.is_ascii_alphabetic() || b"{(".contains(next),
        _ => value.iter().all(|byte| b"*xX.-_#?".contains(byte)),
    };
    marked || EXAMPLES.split(' ').any(|word| has_word(value, word))
}

/// Returns `true` if a value can be a secret: neither a placeholder nor prose, code, a path or a number.
// [PRIV-108]
fn can_be_secret(value: &[u8], class: Hints, place: Place) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let bounded = place >= Place::Bounded;
    match class {
        Hints::KEY_MEMBER => {
            value.len() >= KEY_MEMBER_MIN && value.iter().all(|byte| is_base64url(*byte))
        }
        Hints::IN_ADDRESS => {
            let words = value.iter().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(byte));
            !(is_placeholder(value) || words && names_itself(value))
        }
        _ if value.len() < if place == Place::Bare { 6 } else { 4 }
            || value.len() > VALUE_MAX
            || letters == 0
            || count(u8::is_ascii_whitespace) > 0
            || is_placeholder(value)
            || matches!(value, [b'/' | b'~', ..] | [b'.', b'/', ..]) && value.len() < 40
            || value.starts_with(b"0x") && value.len() < 20
            || has_word(value, "://")
            || !bounded && is_code(value) =>
        {
            false
        }
        Hints::PASSWORD if digits > 0 => bounded || !names_itself(value),
        Hints::PASSWORD => {
            let signed = count(|byte| b"!#$%^*?~+@".contains(byte)) > 0;
            (signed || place > Place::Bare)
                && (value.len() >= 6 || place == Place::Certain)
                && !names_itself(value)
                && !is_one_of(value, STATES)
        }
        Hints::TOKEN if digits > 0 => {
            value.len() >= 10 && !is_words(value) && (bounded || !names_itself(value))
        }
        // Base64 of letters only.
        Hints::TOKEN => {
            let capitals = count(u8::is_ascii_uppercase);
            let mixed = capitals > 2 && letters > capitals + 2 && !value.contains(&b'.');
            let least = if mixed { 12 } else { 20 };
            bounded
                && value.len() >= least
                && (mixed || letters == value.len())
                && !names_itself(value)
        }
        Hints::SESSION => {
            digits > 2 && value.len() >= 16 && !is_words(value) && !in_uuid(Text(value), 0)
        }
        Hints::SIGNED => place == Place::Certain && digits > 0 && value.len() >= 10,
        _ => false,
    }
}

/// Names, calls and paths of programs: `self.token1`, `get_token()`, `MAX_TOKEN_2`.
fn is_code(value: &[u8]) -> bool {
    let is_name = |part: &[u8]| {
        part.first().is_some_and(|byte| !byte.is_ascii_digit())
            && part.len() < 24
            && part.iter().all(|byte| is_word(*byte))
    };
    let of_constant = |byte: &u8| is_word(*byte) && !byte.is_ascii_lowercase();
    value.iter().any(|byte| b"()[]{}<>".contains(byte))
        || value.first().is_some_and(|byte| b"&*!@#|>".contains(byte))
        || value.contains(&b'.') && value.split(|byte| *byte == b'.').all(is_name)
        || value.contains(&b'_') && value.iter().all(of_constant)
        || has_word(value, "->")
        || has_word(value, "::")
}

/// Words and numbers only: `user-management-2`.
fn is_words(value: &[u8]) -> bool {
    value.split(|byte| !byte.is_ascii_alphanumeric()).all(|part| {
        let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, digits) = part.split_at_checked(letters).unwrap_or_default();
        word.iter().skip(1).all(u8::is_ascii_lowercase)
            && digits.len() <= 4
            && digits.iter().all(u8::is_ascii_digit)
    })
}
