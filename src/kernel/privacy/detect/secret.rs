//! API keys, tokens and private keys: detected by the prefix, alphabet and length that their issuer
//! defines; a JSON Web Token by its header, a private key by its PEM block.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a row's length

use super::super::kind::Kind;
use super::super::matches::KindMatch;
use super::key_formats::{Alphabet, KeyFormat, MarkedFormat, ANY, KEY_FORMATS, MARKED_FORMATS};
use super::text_view::{is_alnum, Text};
use super::word_table::{Part, WordTable};
use crate::kernel::encoding::unbase64_vec;
use crate::kernel::prelude::*;
use serde_json::{Map, Value};

/// The prefixes with their rows.
static PREFIXES: WordTable<&KeyFormat, 1024> = prefixes();

#[allow(clippy::indexing_slicing)]
const fn prefixes() -> WordTable<&'static KeyFormat, 1024> {
    let (mut table, mut row) = (WordTable::new(Part::Start), 0);
    while row < KEY_FORMATS.len() {
        table = table.with(KEY_FORMATS[row].0, &KEY_FORMATS[row]);
        row += 1;
    }
    table
}

/// The longest prefix, and how much of a body has to be mixed.
const PREFIX_MAX: usize = 28;
const MIXED_WITHIN: usize = 24;

/// Returns the end of the key that begins at `start`, by the longest prefix that fits.
// [PRIV-103]
fn prefixed_end(text: Text, start: usize) -> Option<usize> {
    if !PREFIXES.may_have(text.upto(start, 2)) {
        return None;
    }
    let (read, mut best) = (text.upto(start, PREFIX_MAX), None);
    for (prefix, format) in PREFIXES.candidates(read) {
        if read.starts_with(prefix) {
            let end = body_end(text, start + prefix.len(), format);
            best = best.max(end.map(|end| (prefix.len(), end)));
        }
    }
    best.map(|(_, end)| end)
}

fn body_end(text: Text, from: usize, (_, body, least, most, _): &KeyFormat) -> Option<usize> {
    // A body without the mixture is not read to its end.
    if body.is_mixed() && !body.accepts(text.upto(from, MIXED_WITHIN.min(*least))) {
        return None;
    }
    let mut end = text.run_end(from, most.saturating_add(1), |byte| body.has(byte));
    // Full stops can follow it.
    while end > from && text.before(end) == b'.' {
        end -= 1;
    }
    let fits = (*least..=*most).contains(&(end - from));
    (fits && (*most == ANY || !is_alnum(text.at(end)))).then_some(end)
}

/// Returns the key around the mark at `at`.
// [PRIV-103]
pub(super) fn marked(text: Text, at: usize) -> Option<KindMatch> {
    let fit = |(begin, head, least, most, mark, tail, shortest, longest, _): &MarkedFormat| {
        let from = at + mark.len();
        if text.upto(at, mark.len()) != mark.as_bytes() || !tail.has(text.at(from)) {
            return None;
        }
        let end = text.run_end(from, longest + 1, |byte| tail.has(byte));
        if !(*shortest..=*longest).contains(&(end - from)) || is_alnum(text.at(end)) {
            return None;
        }
        let start = text.run_start(at, most + 1, |byte| head.has(byte));
        // In addresses, `bot` precedes digits.
        let in_address = text.slice(start.saturating_sub(4), start) == b"/bot";
        let fits = (in_address || !is_alnum(text.before(start)))
            && (*least..=*most).contains(&(at - start))
            && text.upto(start, begin.len()) == begin.as_bytes()
            && head.accepts(text.slice(start, at))
            && tail.accepts(text.slice(from, end));
        fits.then_some((Kind::ApiKey, start, end))
    };
    MARKED_FORMATS.iter().find_map(fit)
}

/// The shortest text after the first part of a prefix.
const BODY_MIN: usize = 12;
/// The longest part of a prefix before its first `-`, `_` or `.`; the longest prefix without any.
const HEAD_MAX: usize = 10;

/// Returns the secret at `at`: at a `-`, `_` or `.` after the first part of a prefix, at a capital that is
/// part of it, or at a mark. `seen` is the end of the last token header that was read.
// [PRIV-102]
pub(super) fn find(text: Text, at: usize, seen: &mut usize) -> Option<KindMatch> {
    let (before, byte) = (text.before(at), text.at(at));
    if byte == b'-' && text.at(at + 1) == b'-' {
        return pem_block(text, at);
    }
    let begins = match byte {
        b'A' => true,
        b'J' => before == b'y',
        b'w' => before == b'e' && text.at(at + 1) == b'o',
        b'=' | b'>' => false,
        _ => is_alnum(before),
    };
    // Most of these characters are in short words.
    let next = text.at(at + 1);
    if !begins || !(Alphabet::Base64.has(next) || next == b'.') {
        return None;
    }
    // The marks, by a second character that is rare.
    let is_hex = |place| Alphabet::Hex.has(text.at(place));
    let is_mark = match byte {
        b'-' => next == b'u',
        b'.' => text.at(at + 7) == b'.' || next == b'a' || is_hex(at + 2) && is_hex(at + 64),
        _ => false,
    };
    let marked = if is_mark { marked(text, at) } else { None };
    if marked.is_some() {
        return marked;
    }
    let far = text.at(at + BODY_MIN);
    if !(Alphabet::Base64.has(far) || far == b'.') {
        return None;
    }
    // A capital is among the first three characters of a prefix.
    let most = if matches!(byte, b'A' | b'w') { 2 } else { HEAD_MAX };
    let start = text.run_start(at, most, is_alnum);
    if is_alnum(text.before(start)) {
        return None;
    }
    if matches!(byte, b'J' | b'w') || byte == b'A' && text.upto(start, 3) == b"eyA" {
        return jwt_token(text, start, seen);
    }
    prefixed_end(text, start).map(|end| (Kind::ApiKey, start, end))
}

/// The fewest characters from the first digit on, of a key whose prefix has no punctuation.
pub(super) const WORD_MIN: usize = 8;
/// The most characters before the first digit of a key whose prefix has no punctuation.
const LETTERS_MAX: usize = 24;

/// Returns the key whose first digit is at `at`, such as `SK` and hexadecimal digits.
pub(super) fn find_in_word(text: Text, at: usize) -> Option<KindMatch> {
    let start = text.run_start(at, LETTERS_MAX, |byte| byte.is_ascii_alphabetic());
    if is_alnum(text.before(start)) {
        return None;
    }
    prefixed_end(text, start).map(|end| (Kind::ApiKey, start, end))
}

/// The longest header of a JSON Web Token, in characters.
const HEADER_MAX: usize = 2048;

/// `eyJ...`: a JSON object in base64url that names its algorithm, then up to four more parts. `eyA` and
/// `ewo` are a brace and white space.
// [PRIV-101]
fn jwt_token(text: Text, start: usize, seen: &mut usize) -> Option<KindMatch> {
    if start < *seen || !matches!(text.upto(start, 3), b"eyJ" | b"eyA" | b"ewo") {
        return None;
    }
    let header_end = text.run_end(start, HEADER_MAX, is_base64url);
    *seen = header_end;
    // Base64url (RFC 4648 section 5) differs in two characters and has no padding.
    let standard = |byte: &u8| match byte {
        b'-' => '+',
        b'_' => '/',
        byte => char::from(*byte),
    };
    let mut header: String = text.slice(start, header_end).iter().map(standard).collect();
    header.extend(core::iter::repeat_n('=', header.len().wrapping_neg() % 4));
    let object = serde_json::from_slice::<Map<String, Value>>(&unbase64_vec(&header)?).ok()?;
    let mut end = header_end;
    for _ in 0..4 {
        if text.at(end) == b'.' && is_base64url(text.at(end + 1)) {
            end = text.until(end + 1, |byte| !is_base64url(byte));
        }
    }
    (end > header_end && object.contains_key("alg")).then_some((Kind::Jwt, start, end))
}

fn is_base64url(byte: u8) -> bool {
    Alphabet::Url.has(byte)
}

/// Documentation shows the first line of a block and hardly more.
const PEM_BODY_MIN: usize = 32;

/// `-----BEGIN RSA PRIVATE KEY-----` and so on (RFC 7468; with four dashes and spaces, RFC 4716), to the
/// line that ends the block, or else as far as headers, base64 and white space go.
// [PRIV-100]
fn pem_block(text: Text, at: usize) -> Option<KindMatch> {
    let is_dash = |byte: u8| byte == b'-';
    let is_visible_line =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    let dashes = text.run_end(at, 6, is_dash);
    if !(4..=5).contains(&(dashes - at)) || text.before(at) == b'-' {
        return None;
    }
    let line_end = text.run_end(dashes, 50, is_visible_line);
    let words = text.slice(dashes, line_end).trim_ascii();
    let names_key = words.windows(11).any(|words| words == b"PRIVATE KEY");
    let body = text.run_end(line_end, 5, is_dash);
    if !names_key || !words.starts_with(b"BEGIN ") || body - line_end < 4 {
        return None;
    }
    // Headers of the block can have dashes: `Proc-Type: 4,ENCRYPTED`.
    let mut stop = text.until(body, is_dash);
    while text.at(stop) == b'-' && text.upto(stop, 4) != b"----" {
        stop = text.until(stop + 1, is_dash);
    }
    let closing = text.run_end(stop, 5, is_dash);
    let last = text.run_end(closing, 50, is_visible_line);
    let closed = text.slice(closing, last).trim_ascii().starts_with(b"END ");
    let end = if closed && stop - body >= PEM_BODY_MIN {
        text.run_end(last, 5, is_dash)
    } else {
        cut_off_end(text, body)
    };
    (end - body >= PEM_BODY_MIN).then_some((Kind::PrivateKey, at, end))
}

/// Returns the end of a block without its last line: after lines of headers, base64 and white space; on one
/// line, words follow.
fn cut_off_end(text: Text, body: usize) -> usize {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let (mut end, mut at, mut lines) = (body, body, 0);
    loop {
        let next = text.run_end(at, 8, |byte| b" \t\r\n\\".contains(&byte));
        let stop = text.until(next, |byte| !is_base64(byte));
        let on_new_line = text.slice(at, next).contains(&b'\n');
        // `Proc-Type: 4,ENCRYPTED` and `DEK-Info: AES-128-CBC,…`.
        let header = || text.run_end(stop, 16, |byte| byte == b'-' || is_base64(byte));
        if on_new_line
            && lines < 8
            && matches!(text.at(stop), b'-' | b':')
            && text.at(header()) == b':'
        {
            (at, lines) = (text.until(stop, |byte| byte == b'\n'), lines + 1);
            end = at;
        } else if stop > next && (on_new_line || end == body || stop - next >= PEM_BODY_MIN) {
            (at, end) = (stop, stop);
        } else {
            return end;
        }
    }
}
