//! Folded text: the ASCII form of a text that the detectors scan, with offsets into the original.
//!
//! Invisible characters are dropped; other digits, dashes, spaces, full-width forms and lookalike letters
//! become ASCII; one layer of backslash or percent escapes is decoded. A match in the folded text is
//! redacted in the original.

use super::detect::{phone_word, IDEOGRAPH, LETTER, OTHER};
use crate::kernel::encoding::hex_number;
use crate::kernel::prelude::*;
use crate::kernel::text::is_ignorable;
use alloc::borrow::Cow;

/// A folded text, with the mapping to its original.
pub(super) struct FoldedText<'a> {
    /// One byte for each character that was not dropped.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where the offsets change: from the folded index `.0` on, the original offset is `.1`, and both
    /// advance together. Sorted; empty if the offsets are equal.
    steps: Vec<(usize, usize)>,
}

impl FoldedText<'_> {
    /// Returns the byte offset in the original of a folded index, which can be the end.
    pub(super) fn original_offset(&self, index: usize) -> usize {
        let after = self.steps.partition_point(|step| step.0 <= index);
        match after.checked_sub(1).and_then(|last| self.steps.get(last)) {
            Some((folded, original)) => original.saturating_add(index.saturating_sub(*folded)),
            None => index,
        }
    }
}

/// Folds a text. Plain ASCII without escapes is borrowed, not copied.
// [PRIV-10]
#[inline]
pub(super) fn fold(text: &str) -> FoldedText<'_> {
    let plain = plain_length(text.as_bytes());
    if plain == text.len() {
        return FoldedText { bytes: Cow::Borrowed(text.as_bytes()), steps: Vec::new() };
    }
    fold_from(text, plain)
}

/// Folds a text whose first `plain` characters need no folding.
fn fold_from(text: &str, plain: usize) -> FoldedText<'_> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut steps: Vec<(usize, usize)> = Vec::new();
    // How far the original offset is ahead of the folded index.
    let (mut ahead, mut at, mut run) = (0, 0usize, plain);
    loop {
        bytes
            .extend_from_slice(text.as_bytes().get(at..at.saturating_add(run)).unwrap_or_default());
        at = at.saturating_add(run);
        let tail = text.get(at..).unwrap_or_default();
        let Some(first) = tail.chars().next() else { break };
        let used = match phone_word(text, at, first) {
            Some((length, word)) => {
                bytes.extend_from_slice(word);
                length
            }
            None => {
                let (used, folded) = fold_first(first, tail);
                bytes.extend(folded);
                used
            }
        };
        at = at.saturating_add(used);
        let now_ahead = at.saturating_sub(bytes.len());
        if now_ahead != ahead {
            steps.push((bytes.len(), at));
            ahead = now_ahead;
        }
        let after = text.as_bytes().get(at..).unwrap_or_default();
        run = after.iter().position(|byte| !is_plain(*byte)).unwrap_or(after.len());
    }
    FoldedText { bytes: Cow::Owned(bytes), steps }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii() && byte != b'\\' && byte != b'%'
}

/// Returns the number of plain characters at the start. Most texts are all plain, so blocks are checked
/// without a branch for each byte.
fn plain_length(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<16>();
    let all_plain = |block: &&[u8; 16]| {
        block.iter().fold(0, |others, byte| others | u8::from(!is_plain(*byte))) == 0
    };
    let known = blocks.iter().take_while(all_plain).count().saturating_mul(16);
    let rest = bytes.get(known..).unwrap_or_default();
    known.saturating_add(rest.iter().take_while(|byte| is_plain(**byte)).count())
}

/// Folds the escape or character at the start of `tail`; returns its length in bytes and the folded byte,
/// if it has one.
fn fold_first(first: char, tail: &str) -> (usize, Option<u8>) {
    let (used, character) = match first {
        '\\' => backslash(tail.as_bytes()),
        '%' => percent(tail.as_bytes()).unwrap_or((1, first)),
        _ => (first.len_utf8(), first),
    };
    (used, fold_char(character))
}

/// `\n`, `\t`, `\r`, `\b`, `\f`, `\/` and `\uXXXX`, after any number of backslashes, since a text that was
/// encoded twice has them doubled. Other runs of backslashes count as one.
// [PRIV-14]
fn backslash(tail: &[u8]) -> (usize, char) {
    let run = tail.iter().take_while(|byte| **byte == b'\\').count();
    let escape = tail.get(run..).unwrap_or_default();
    let character = match escape {
        [b'n' | b'r' | b'f', ..] => Some((1, '\n')),
        [b't' | b'b', ..] => Some((1, ' ')),
        [b'/', ..] => Some((1, '/')),
        [b'u', a, b, c, d, ..] => hex_number(&[*a, *b, *c, *d])
            .map(|unit| (5, char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))),
        _ => None,
    };
    let (after, character) = character.unwrap_or((0, '\\'));
    (run.saturating_add(after), character)
}

/// `%40` and the like, if it decodes to printable ASCII or a line feed.
// [PRIV-15]
fn percent(tail: &[u8]) -> Option<(usize, char)> {
    let byte = u8::try_from(hex_number(tail.get(1..3)?)?).ok()?;
    matches!(byte, b'\n' | b' '..=b'~').then_some((3, char::from(byte)))
}

// [PRIV-11] [PRIV-12] [PRIV-13]
fn fold_char(character: char) -> Option<u8> {
    let to = |code: u32| u8::try_from(code).ok();
    match character {
        '\0'..='\x7F' => to(u32::from(character)),
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => {
            Some(b' ')
        }
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some(b'\n'),
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => Some(b'-'),
        '\u{2024}' | '\u{3002}' | '\u{FE52}' | '\u{FF61}' => Some(b'.'),
        // Most text outside ASCII, on a fast path.
        '\u{C0}'..='\u{24F}' => Some(base(character)),
        '\u{1EA0}'..='\u{1EF9}' => Some(vietnamese(character)),
        '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => {
            Some(IDEOGRAPH)
        }
        _ if is_ignorable(character) => None,
        '\u{3001}'..='\u{A4CF}' | '\u{D7A4}'..='\u{D7FF}' => Some(OTHER),
        '\u{FE6B}' => Some(b'@'),
        // The full-width forms are in the order of ASCII, from `!` on.
        '\u{FF01}'..='\u{FF5E}' => to(u32::from(character).saturating_sub(0xFF01 - 0x21)),
        _ => Some(match digit(character).or_else(|| lookalike(character)) {
            Some(byte) => byte,
            None if character.is_alphabetic() && character < '\u{E00}' => LETTER,
            None => OTHER,
        }),
    }
}

/// The base letters of U+00C0 to U+017F, so that context words match with accents; `*` if there is no base
/// letter.
const BASES: &[u8; 192] = b"AAAAAA*CEEEEIIII*NOOOOO*OUUUUY*saaaaaa*ceeeeiiii*nooooo*ouuuuy*y\
    AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi**JjKk*LlLlLl**LlNnNnNn***OoOoOo**RrRrRr\
    SsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

// [PRIV-13]
fn base(character: char) -> u8 {
    let place = usize::try_from(u32::from(character).saturating_sub(0xC0)).ok();
    match place.and_then(|place| BASES.get(place)) {
        Some(base) if base.is_ascii_alphabetic() => *base,
        _ if character.is_alphabetic() => LETTER,
        _ => OTHER,
    }
}

/// The base letter of a vowel of Vietnamese. Capitals have even codes.
fn vietnamese(character: char) -> u8 {
    let base = match character {
        ..='\u{1EB7}' => b'a',
        ..='\u{1EC7}' => b'e',
        ..='\u{1ECB}' => b'i',
        ..='\u{1EE3}' => b'o',
        ..='\u{1EF1}' => b'u',
        _ => b'y',
    };
    if u32::from(character).is_multiple_of(2) {
        base.to_ascii_uppercase()
    } else {
        base
    }
}

/// The zeros of all decimal digits (general category Nd, Unicode 16) outside ASCII and full width; the nine
/// other digits follow each. Mathematical digits are five sets in a row.
const ZEROS: &[u32] = &[
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0,
    0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650,
    0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0,
    0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

fn digit(character: char) -> Option<u8> {
    let code = u32::from(character);
    let after = ZEROS.partition_point(|zero| *zero <= code);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    let value = u8::try_from(code.checked_sub(*zero)?).ok()?;
    (value < 10).then(|| b'0'.saturating_add(value))
}

/// Cyrillic and Greek letters that look like Latin ones, in order, and those Latin letters: enough for
/// email addresses and account numbers.
const LOOKALIKES: [char; 50] = [
    'Α', 'Β', 'Ε', 'Ζ', 'Η', 'Ι', 'Κ', 'Μ', 'Ν', 'Ο', 'Ρ', 'Τ', 'Υ', 'Χ', 'α', 'ι', 'ν', 'ο', 'ρ',
    'υ', 'χ', 'Ѕ', 'І', 'Ј', 'А', 'В', 'Е', 'К', 'М', 'Н', 'О', 'Р', 'С', 'Т', 'У', 'Х', 'а', 'е',
    'о', 'р', 'с', 'у', 'х', 'ѕ', 'і', 'ј', 'һ', 'ԁ', 'ԛ', 'ԝ',
];
const LATIN: &[u8; 50] = b"ABEZHIKMNOPTYXaivopuxSIJABEKMHOPCTYXaeopcyxsijhdqw";

fn lookalike(character: char) -> Option<u8> {
    LATIN.get(LOOKALIKES.binary_search(&character).ok()?).copied()
}
