//! Passwords, tokens and keys without a format of their own: in an address, after the name of a member,
//! header, parameter, variable or option, or as the value of such a member.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a window

use super::super::folded_text::fold;
use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context_words::{self, first_word, Hints};
use super::text_view::{is_alnum, Text};

/// What a name says about its value, which decides what the value has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Chosen by a person: any characters, few of them.
    Password,
    /// Made by a program: characters without words in them.
    Token,
    /// As `Token`, but longer, since the name has other meanings.
    Session,
    /// As `Token`, but only in a query: other signatures are public.
    Signed,
    /// `name=value` pairs.
    Cookies,
    /// The name is of something else.
    Other,
}

/// The ends of names in small letters, without separators; after `=` they are whole words. The longest end
/// counts.
// [PRIV-105]
pub(super) const NAMES: &[(Class, &str)] = &[
    (Class::Password, "password passwd passphrase passwort passcode secret =pwd =pass =psk sshpass"),
    (
        Class::Token,
        "token apikey accesskey secretkey secretkeybase privatekey authkey accountkey encryptionkey \
        signingkey masterkey servicekey subscriptionkey functionskey appkey applicationkey sharedkey \
        hmackey jwtkey authorization =auth =credential =bearer",
    ),
    (Class::Signed, "=sig signature"),
    (Class::Session, "sessionid sessid =session =sid"),
    (Class::Cookies, "=cookie =setcookie"),
    (
        Class::Other,
        "pagetoken nexttoken continuationtoken synctoken resumetoken cursortoken canceltoken \
        cancellationtoken forgotpassword resetpassword",
    ),
];

/// One end of a name, with `=` if it is a whole word.
type NameEnd = (&'static [u8], Class);

/// The ends of names as a hash table with linear probing: most names of other things hit an empty slot.
static TABLE: [Option<NameEnd>; TABLE_COUNT] = table();

const TABLE_COUNT: usize = 1024;

/// Evaluated by the compiler, which also rejects an index out of range.
#[allow(clippy::indexing_slicing)]
const fn table() -> [Option<NameEnd>; TABLE_COUNT] {
    let (mut table, mut row) = ([None; TABLE_COUNT], 0);
    while row < NAMES.len() {
        let mut rest = NAMES[row].1.as_bytes();
        while let Some(length) = first_word(rest) {
            let (name, after) = rest.split_at(length);
            let mut at = slot(name);
            while table[at].is_some() {
                at = (at + 1) % TABLE_COUNT;
            }
            table[at] = Some((name, NAMES[row].0));
            rest = after.trim_ascii_start();
        }
        row += 1;
    }
    table
}

/// The hash of a name: its last three letters, in either case.
#[allow(clippy::as_conversions)] // `From` is not const
const fn slot(name: &[u8]) -> usize {
    match name {
        [.., first, second, last] => {
            ((*first as usize & 31) * 37
                + (*second as usize & 31) * 5
                + (*last as usize & 31) * 101)
                % TABLE_COUNT
        }
        _ => 0,
    }
}

/// Returns `true` if a name can end before `end`.
#[inline]
fn may_end_name(text: Text, end: usize) -> bool {
    let letters = text.slice(end.saturating_sub(3), end);
    letters.len() == 3 && matches!(TABLE.get(slot(letters)), Some(Some(_)))
}

/// The longest name, in characters.
const NAME_MAX: usize = 48;

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Returns what a name says about its value.
fn class_of(name: &[u8]) -> Class {
    let mut squeezed = [0; NAME_MAX];
    let mut length = 0;
    // Bit n: a part begins at squeezed letter n.
    let (mut words, mut previous) = (0_u64, b'_');
    for byte in name.iter().filter(|byte| byte.is_ascii()) {
        if byte.is_ascii_alphanumeric() {
            let Some(place) = squeezed.get_mut(length) else { break };
            *place = byte.to_ascii_lowercase();
            let camel = byte.is_ascii_uppercase() && !previous.is_ascii_uppercase();
            words |= u64::from(camel || !previous.is_ascii_alphanumeric()) << length;
            length += 1;
        }
        previous = *byte;
    }
    let squeezed = squeezed.get(..length).unwrap_or_default();
    let (mut at, mut best) = (slot(squeezed), (0, Class::Other));
    while let Some(Some((name, class))) = TABLE.get(at) {
        let end = name.strip_prefix(b"=").unwrap_or(name);
        if end.len() > best.0 && squeezed.ends_with(end) {
            let begins = words >> (length - end.len()) & 1 == 1;
            if begins || end.len() == name.len() {
                best = (end.len(), *class);
            }
        }
        at = (at + 1) % TABLE_COUNT;
    }
    best.1
}

/// The members of a JSON Web Key (RFC 7517, 7518) that are secret, beside its `kty`.
// [PRIV-107]
const JWK_MEMBERS: [&[u8]; 7] = [b"d", b"k", b"p", b"q", b"dp", b"dq", b"qi"];

/// Returns the hints of an object's key for its value. `jwk`: the object has a member `kty`.
pub(in crate::kernel) fn key_hints(key: &str, outer: Hints, jwk: bool) -> Hints {
    let folded = fold(key);
    context_words::key_hints(&folded.bytes, outer).union(member_hints(&folded.bytes, jwk))
}

fn member_hints(name: &[u8], jwk: bool) -> Hints {
    if jwk && JWK_MEMBERS.contains(&name) {
        return Hints::KEY_MEMBER;
    }
    if name.len() > NAME_MAX || !may_end_name(Text(name), name.len()) {
        return Hints::NONE;
    }
    let class = class_of(name);
    MEMBERS.iter().find(|(_, named)| *named == class).map_or(Hints::NONE, |(hint, _)| *hint)
}

/// What the name of a member says, as a hint for its value.
const MEMBERS: [(Hints, Class); 4] = [
    (Hints::PASSWORD, Class::Password),
    (Hints::TOKEN, Class::Token),
    (Hints::SESSION, Class::Session),
    (Hints::COOKIES, Class::Cookies),
];

/// Finds the value of a member, which is the whole text.
// [PRIV-105]
pub(super) fn find_member(text: Text, hints: Hints, matches: &mut Matches) {
    let all = text.0.len();
    let from = text.run_end(0, 8, |byte| byte.is_ascii_whitespace());
    let value = Value { from, to: all.min(VALUE_MAX), place: Place::Bounded };
    if hints.has(Hints::KEY_MEMBER) {
        if all - from >= JWK_VALUE_MIN && text.until(from, |byte| !is_base64url(byte)) == all {
            matches.add((Kind::PrivateKey, from, all));
        }
        return;
    }
    for (_, class) in MEMBERS.iter().filter(|(hint, _)| hints.has(*hint)) {
        add_value(text, *class, value, matches);
    }
}

/// The longest value, in characters.
const VALUE_MAX: usize = 4096;
/// The shortest secret member of a JSON Web Key.
const JWK_VALUE_MIN: usize = 16;

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')
}

/// A possible value: its range, and the place where it is.
#[derive(Clone, Copy)]
struct Value {
    from: usize,
    to: usize,
    place: Place,
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

/// Finds credentials in one text.
#[derive(Default)]
pub(super) struct CredentialReader {
    /// The end of the last value that was read.
    read: usize,
    /// Whether the text names a type of JSON Web Keys; unknown at first.
    has_kty: Option<bool>,
}

impl CredentialReader {
    /// Finds credentials at a `:`, `=`, `-` or `w`; returns where to continue.
    #[inline]
    pub(super) fn find(&mut self, text: Text, at: usize, matches: &mut Matches) -> usize {
        match text.at(at) {
            b':' if text.at(at + 1) == b'/' && text.at(at + 2) == b'/' => {
                return in_address(text, at, matches)
            }
            b':' | b'=' | b'>' if at >= self.read => self.after_name(text, at, matches),
            b'-' if at >= self.read && matches!(text.at(at + 1), b'-' | b'p' | b'a' | b'u') => {
                self.after_option(text, at, matches);
            }
            b'w' => self.after_login(text, at, matches),
            _ => {}
        }
        at + 1
    }

    /// `name: value`, `"name": "value"`, `name=value`, and `user:value` of curl.
    // [PRIV-105]
    fn after_name(&mut self, text: Text, at: usize, matches: &mut Matches) {
        let (byte, next, before) = (text.at(at), text.at(at + 1), text.before(at));
        // Marks between a name and its sign: quotes, brackets, emphasis, blanks.
        let mut end = at;
        while at - end < 4 && is_mark(text.before(end))
            || byte == b'=' && at == end && before == b':'
        {
            end -= 1;
        }
        if !may_end_name(text, end) {
            let short = end > 2 && (text.at(end - 2) == b'"' || text.at(end - 3) == b'"');
            if short && end < at && byte == b':' {
                self.after_key_member(text, at, end, matches);
            }
            return;
        }
        let operator = match byte {
            b':' => before == b':' || matches!(next, b':' | b'='),
            b'>' => before == b'-' || before == b'=',
            _ => b"=!<>~+".contains(&before) || b"=~".contains(&next),
        };
        if operator {
            return;
        }
        let start = name_start(text, end);
        let name = text.slice(start, end);
        let class = class_of(name);
        if class == Class::Other {
            return;
        }
        let begin = text.before(start);
        if byte == b'>' {
            // `<password>value</password>`
            let to = text.run_end(at + 1, VALUE_MAX, |byte| byte != b'<');
            let value = Value { from: at + 1, to, place: Place::Bounded };
            if begin == b'<' && end == at {
                self.read = self.read.max(to);
                add_value(text, class, value, matches);
            }
            return;
        }
        let joined = byte == b'=' && end == at && !next.is_ascii_whitespace();
        let variable =
            !name.iter().any(u8::is_ascii_lowercase) && !matches!(begin, b'$' | b'(' | b',');
        let certain = joined && (variable || matches!(begin, b'&' | b'?' | b';'));
        let line = || {
            let begin = text.run_start(start, 8, |byte| b" \t-*".contains(&byte));
            let value = text.run_end(at + 1, 8, |byte| byte == b' ' || byte == b'*');
            byte == b':'
                && matches!(text.before(begin), 0 | b'\n')
                && matches!(text.at(text.run_end(value, 64, |byte| byte > b' ')), 0 | b'\n' | b'\r')
        };
        let place = match certain {
            true => Place::Certain,
            false if class == Class::Password && line() => Place::Line,
            false => Place::Bare,
        };
        if class != Class::Signed || certain {
            self.add_after(text, at + 1, class, place, matches);
        }
    }

    /// Adds the value after a name's sign.
    fn add_after(
        &mut self,
        text: Text,
        from: usize,
        class: Class,
        place: Place,
        matches: &mut Matches,
    ) {
        let arrow = text.at(from) == b'>';
        let from = text.run_end(from + usize::from(arrow), 8, |byte| b" \t*`".contains(&byte));
        let from =
            from + usize::from(text.at(from) == b'[' && matches!(text.at(from + 1), b'"' | b'\''));
        let from = from + usize::from(text.at(from) == b'\\');
        let quote = text.at(from);
        let closed = |byte: u8| byte == quote || byte == b'\n';
        let value = if matches!(quote, b'"' | b'\'') {
            let to = text.run_end(from + 1, VALUE_MAX, |byte| !closed(byte));
            let escaped = usize::from(text.before(to) == b'\\');
            Value { from: from + 1, to: to - escaped, place: place.max(Place::Bounded) }
        } else if arrow {
            return;
        } else if class == Class::Cookies {
            let to =
                text.run_end(from, VALUE_MAX, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\''));
            Value { from, to, place }
        } else {
            let to = bare_end(text, after_scheme(text, from, class));
            Value { from, to, place }
        };
        self.read = self.read.max(value.to);
        if value.from < value.to {
            add_value(text, class, value, matches);
        }
    }

    /// `--password value`; `-p value` of programs that take a password so.
    // [PRIV-106]
    fn after_option(&mut self, text: Text, at: usize, matches: &mut Matches) {
        if text.at(at + 1) != b'-' {
            return self.after_short_option(text, at, matches);
        }
        if is_name(text.before(at)) || !text.at(at + 2).is_ascii_lowercase() {
            return;
        }
        let end = text.run_end(at + 2, NAME_MAX, is_name);
        if text.slice(at + 2, end).ends_with(b"user") {
            return self.after_user(text, end, matches);
        }
        if text.at(end) == b' '
            && may_end_name(text, end)
            && !matches!(text.at(end + 1), b'-' | b' ')
        {
            let class = class_of(text.slice(at + 2, end));
            if matches!(class, Class::Password | Class::Token) {
                self.add_after(text, end + 1, class, Place::Bare, matches);
            }
        }
    }

    fn after_short_option(&mut self, text: Text, at: usize, matches: &mut Matches) {
        let next = text.at(at + 1);
        if text.before(at) != b' ' {
            return;
        }
        if next == b'u' {
            return self.after_user(text, at + 2, matches);
        }
        let line = text.slice(at.saturating_sub(COMMAND_MAX), at);
        let line = line.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let spaced = text.at(at + 2) == b' ';
        let named = PROGRAMS.iter().any(|(option, program, glued)| {
            *option == next
                && (spaced || *glued)
                && line.windows(program.len()).any(|words| words == program.as_bytes())
        });
        if named {
            self.add_after(text, at + 2, Class::Password, Place::Bare, matches);
        }
    }

    /// The value of `-u user:value` of curl.
    // [PRIV-106]
    fn after_user(&mut self, text: Text, from: usize, matches: &mut Matches) {
        let from = text.run_end(from, 4, |byte| matches!(byte, b' ' | b'='));
        let quote = text.at(from);
        let (place, from) = match quote {
            b'"' | b'\'' => (Place::Bounded, from + 1),
            _ => (Place::Bare, from),
        };
        let colon = text.run_end(from, NAME_MAX, |byte| is_name(byte) || byte == b'@');
        if text.at(colon) != b':' {
            return;
        }
        let to = match place {
            Place::Bare => bare_end(text, colon + 1),
            _ => text.run_end(colon + 1, VALUE_MAX, |byte| byte != quote && byte != b'\n'),
        };
        self.read = self.read.max(to);
        add_value(text, Class::Password, Value { from: colon + 1, to, place }, matches);
    }

    /// `login name password value` of netrc. `at` is the `w`.
    // [PRIV-106]
    fn after_login(&mut self, text: Text, at: usize, matches: &mut Matches) {
        let space = |byte: u8| byte.is_ascii_whitespace();
        let start = at.saturating_sub(4);
        if text.before(at) != b's' || text.slice(start, at + 4) != b"password" {
            return;
        }
        let from = text.run_end(at + 4, 8, space);
        let name_end = text.run_start(start, 8, space);
        let name = text.run_start(name_end, NAME_MAX, |byte| !space(byte));
        let login_end = text.run_start(name, 8, space);
        let login = login_end.saturating_sub(5);
        if from == at + 4 || name_end == start || text.slice(login, login_end) != b"login" {
            return;
        }
        let earlier = text.slice(login.saturating_sub(80), login);
        if has_word(earlier, "machine ") || has_word(earlier, "default") {
            self.add_after(text, from, Class::Password, Place::Certain, matches);
        }
    }

    /// The secret member of a JSON Web Key. Its name ends at `end`, before its quote.
    // [PRIV-107]
    fn after_key_member(&mut self, text: Text, at: usize, end: usize, matches: &mut Matches) {
        let start = text.run_start(end, 3, |byte| byte.is_ascii_lowercase());
        let from = text.run_end(at + 1, 4, |byte| matches!(byte, b' ' | b'\\'));
        if text.before(start) != b'"'
            || start == end
            || text.at(from) != b'"'
            || !JWK_MEMBERS.contains(&text.slice(start, end))
        {
            return;
        }
        let to = text.run_end(from + 1, VALUE_MAX, is_base64url);
        let known = || text.slice(0, text.0.len()).windows(3).any(|name| name == b"kty");
        if to - from > JWK_VALUE_MIN && *self.has_kty.get_or_insert_with(known) {
            matches.add((Kind::PrivateKey, from + 1, to));
        }
    }
}

/// How far before an option its program is named.
const COMMAND_MAX: usize = 32;

/// The option, the program, and whether the value can follow without a space.
const PROGRAMS: [(u8, &str, bool); 6] = [
    (b'p', "mysql", true),
    (b'p', "mariadb", true),
    (b'p', "sshpass", true),
    (b'p', "docker login", false),
    (b'p', "7z", true),
    (b'a', "redis-cli", false),
];

#[inline]
fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b']' | b'*')
}

fn name_start(text: Text, end: usize) -> usize {
    let mut start = end;
    while end - start < NAME_MAX && is_name(text.before(start)) {
        start -= 1;
    }
    start
}

/// Returns the end of a value without quotes.
fn bare_end(text: Text, from: usize) -> usize {
    let belongs = |byte: u8| byte > b' ' && !b"\"'`,;&|<>\\".contains(&byte);
    let end = text.run_end(from, VALUE_MAX, belongs);
    let after = text.slice(from, end).iter().rev();
    end - after.take_while(|byte| b".)]}:".contains(byte)).count()
}

/// Returns the start of what follows the scheme of a header: `Bearer`, `Basic` and the like.
fn after_scheme(text: Text, from: usize, class: Class) -> usize {
    let end = text.run_end(from, 12, |byte| byte.is_ascii_alphabetic());
    match class {
        Class::Token if end > from && text.at(end) == b' ' => {
            text.run_end(end, 4, |byte| byte == b' ')
        }
        _ => from,
    }
}

fn has_scheme(word: &[u8]) -> bool {
    const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "apikey", "bot"];
    SCHEMES.iter().any(|scheme| word.trim_ascii_end().eq_ignore_ascii_case(scheme.as_bytes()))
}

/// Adds a value if it can be a secret of its class.
// [PRIV-108]
fn add_value(text: Text, class: Class, value: Value, matches: &mut Matches) {
    if class == Class::Cookies {
        return add_cookies(text, value, matches);
    }
    let from = after_scheme(text, value.from, class);
    let place = if has_scheme(text.slice(value.from, from)) { Place::Certain } else { value.place };
    let bytes = text.slice(from, value.to).trim_ascii_end();
    if can_be_secret(bytes, class, place) {
        matches.add((Kind::Credential, from, from + bytes.len()));
    }
}

/// `name=value; name=value`: values that can be secrets. Their names stay.
// [PRIV-105]
fn add_cookies(text: Text, Value { from, to, .. }: Value, matches: &mut Matches) {
    let mut at = from;
    for pair in text.slice(from, to).split(|byte| *byte == b';') {
        if let Some(sign) = pair.iter().position(|byte| *byte == b'=') {
            let bytes = pair.get(sign + 1..).unwrap_or_default().trim_ascii_end();
            let named = class_of(pair.get(..sign).unwrap_or_default()) != Class::Other;
            let class = if named { Class::Password } else { Class::Token };
            if can_be_secret(bytes, class, Place::Bounded) {
                let start = at + sign + 1;
                matches.add((Kind::Credential, start, start + bytes.len()));
            }
        }
        at += pair.len() + 1;
    }
}

/// `scheme://user:password@host`: the password. `at` is the colon before the slashes; returns where to
/// continue, which is behind the user and password, since they are not an e-mail address.
// [PRIV-104]
fn in_address(text: Text, at: usize, matches: &mut Matches) -> usize {
    let graphic = |byte: u8| byte > b' ' && !b"\"'<>`\\".contains(&byte);
    let from = at + 3;
    let user = text.run_end(from, 128, |byte| graphic(byte) && !b":/?#@[".contains(&byte));
    if !is_alnum(text.before(at)) || text.at(user) != b':' {
        return at + 1;
    }
    let start = user + 1;
    let port = text.run_end(start, 6, |byte| byte.is_ascii_digit());
    if port > start && !graphic(text.at(port)) || b"/?#,".contains(&text.at(port)) {
        return at + 1;
    }
    // The last sign before the path; or, if the password has such characters, the first after.
    let path = text.run_end(start, 256, |byte| graphic(byte) && !b"/?#".contains(&byte));
    let sign =
        text.slice(start, path).iter().rposition(|byte| *byte == b'@').map(|sign| start + sign);
    let far = || text.run_end(start, 64, |byte| graphic(byte) && byte != b'@');
    let end = sign.unwrap_or_else(far);
    if text.at(end) != b'@' {
        return at + 1;
    }
    let password = text.slice(start, end);
    let words =
        password.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    let named = words && names_itself(password);
    if !(password.is_empty() || is_placeholder(password) || named) {
        matches.add((Kind::Credential, start, end));
    }
    end + 1
}

/// Returns `true` if a value names what belongs there.
fn names_itself(value: &[u8]) -> bool {
    const WORDS: [&str; 10] =
        ["pass", "pwd", "secret", "token", "key", "credential", "string", "user", "auth", "array"];
    value.eq_ignore_ascii_case(b"pw") || WORDS.iter().any(|word| has_word(value, word))
}

fn has_word(value: &[u8], word: &str) -> bool {
    value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Returns `true` for what documentation and templates write for a value: `<token>`, `${TOKEN}`, `%s`,
/// `****`, a label of this filter.
// [PRIV-108]
fn is_placeholder(value: &[u8]) -> bool {
    const WORDS: [&str; 9] = [
        "example",
        "placeholder",
        "changeme",
        "change-me",
        "change_me",
        "your",
        "redacted",
        "xxxx",
        "...",
    ];
    let marked = match value {
        [b'<' | b'{' | b'[' | b'(', ..] => true,
        [b'$' | b'%', next, ..] => next.is_ascii_alphabetic() || matches!(next, b'{' | b'('),
        _ => has_word(value, "${") || has_word(value, "{{"),
    };
    marked
        || value.iter().all(|byte| b"*xX.-_#?".contains(byte))
        || WORDS.iter().any(|word| has_word(value, word))
}

/// Returns `true` if a value can be a secret: neither a placeholder nor prose, code, a path or a number.
// [PRIV-108]
fn can_be_secret(value: &[u8], class: Class, place: Place) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let (capitals, signs) =
        (count(u8::is_ascii_uppercase), count(|byte| b"!#$%^*?~+@".contains(byte)));
    let spaced = count(u8::is_ascii_whitespace) > 0;
    let least = if place == Place::Bare { 6 } else { 4 };
    if !(least..=VALUE_MAX).contains(&value.len())
        || spaced
        || letters == 0
        || is_placeholder(value)
    {
        return false;
    }
    let is_path = matches!(value, [b'/' | b'~', ..] | [b'.', b'/', ..]) && value.len() < 40;
    let is_hex = value.starts_with(b"0x") && value.len() < 20;
    if is_path || is_hex || has_word(value, "://") || place < Place::Bounded && is_code(value) {
        return false;
    }
    let bounded = place >= Place::Bounded;
    match class {
        Class::Password if digits > 0 => bounded || !names_itself(value),
        Class::Password => {
            let length = if place == Place::Certain { 4 } else { 6 };
            (signs > 0 || place > Place::Bare)
                && value.len() >= length
                && !names_itself(value)
                && !is_stop_word(value)
        }
        Class::Token if digits > 0 => {
            value.len() >= 10 && !is_words(value) && (bounded || !names_itself(value))
        }
        // Base64 of letters only.
        Class::Token => {
            let mixed = capitals > 2
                && letters > capitals + 2
                && value.len() >= 12
                && !value.contains(&b'.');
            bounded && (mixed || letters == value.len() && letters >= 20) && !names_itself(value)
        }
        Class::Session => digits > 2 && value.len() >= 16 && !is_words(value) && !is_uuid(value),
        Class::Signed => place == Place::Certain && digits > 0 && value.len() >= 10,
        Class::Cookies | Class::Other => false,
    }
}

/// What replaces a password in types, forms and messages.
pub(super) fn is_stop_word(value: &[u8]) -> bool {
    const WORDS: &str = "none null undefined true false required optional text string hidden default \
        unknown invalid incorrect missing empty enabled disabled input field prompt value number \
        boolean object array bytes varchar integer never always public private plain plaintext shared";
    WORDS.split(' ').any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Names, calls and paths of programs: `self.token1`, `get_token()`, `MAX_TOKEN_2`.
fn is_code(value: &[u8]) -> bool {
    let signs = value.iter().any(|byte| b"()[]{}<>".contains(byte));
    let first = value.first().is_some_and(|byte| b"&*!@#|>".contains(byte));
    let mut parts = value.split(|byte| *byte == b'.');
    let identifier = |part: &[u8]| {
        part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && part.len() < 24
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let dotted = value.contains(&b'.') && parts.all(identifier);
    let constant = value.contains(&b'_')
        && value
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    signs || first || dotted || constant || has_word(value, "->") || has_word(value, "::")
}

/// Words and numbers only: `user-management-2`.
fn is_words(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| !byte.is_ascii_alphanumeric());
    parts.all(|part| {
        let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let digits = part.get(letters..).unwrap_or_default();
        let small = part.get(1..letters).unwrap_or_default().iter().all(u8::is_ascii_lowercase);
        small && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit)
    })
}

fn is_uuid(value: &[u8]) -> bool {
    value.split(|byte| *byte == b'-').map(<[u8]>::len).eq([8, 4, 4, 4, 12])
}
