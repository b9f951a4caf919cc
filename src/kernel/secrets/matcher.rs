//! Secret matcher: finds known secrets in a text, verbatim, in the escapes of URLs, JSON and HTML, and
//! inside base64.
//!
//! Other transformations of a secret (case, other encodings, pieces) are not found.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::KnownSecret;
use crate::kernel::encoding::{base64, hex_number};
use crate::kernel::prelude::*;

/// All known secrets, indexed for search.
#[derive(Default)]
pub(in crate::kernel) struct SecretMatcher {
    labels: Vec<String>,
    needles: Vec<Needle>,
    /// The needles that start with each byte.
    by_first_byte: Vec<Vec<usize>>,
}

/// A range of a text that contains a secret, and which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Occurrence {
    pub(in crate::kernel) secret: usize,
    pub(in crate::kernel) start: usize,
    pub(in crate::kernel) end: usize,
}

/// One form of a secret.
struct Needle {
    secret: usize,
    bytes: Vec<u8>,
    /// Part of base64. A match extends to the whole run, since it was encoded as one.
    is_base64: bool,
}

impl SecretMatcher {
    // [SECRET-20] [SECRET-21]
    pub(in crate::kernel) fn new(secrets: &[KnownSecret]) -> Self {
        let mut matcher = Self { by_first_byte: vec![Vec::new(); 256], ..Self::default() };
        for (secret, known) in secrets.iter().enumerate() {
            matcher.labels.push(known.label().to_owned());
            let bytes = known.reveal().as_bytes();
            matcher.needles.push(Needle { secret, bytes: bytes.to_vec(), is_base64: false });
            for shift in 0..3 {
                let standard = base64_digits(bytes, shift);
                let url = standard.replace('+', "-").replace('/', "_");
                let url = (url != standard).then_some(url);
                for form in [Some(standard), url].into_iter().flatten() {
                    let bytes = form.into_bytes();
                    matcher.needles.push(Needle { secret, bytes, is_base64: true });
                }
            }
        }
        for (index, needle) in matcher.needles.iter().enumerate() {
            let first = needle.bytes.first().copied().map(usize::from);
            let list = first.and_then(|first| matcher.by_first_byte.get_mut(first));
            list.into_iter().for_each(|list| list.push(index));
        }
        matcher
    }

    pub(in crate::kernel) fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    pub(in crate::kernel) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", String::as_str)
    }

    /// Returns `true` if a text contains a secret.
    pub(in crate::kernel) fn occurs_in(&self, text: &[u8]) -> bool {
        !self.find(text).is_empty()
    }

    /// Returns the occurrences in a text, in order of their starts.
    pub(in crate::kernel) fn find(&self, text: &[u8]) -> Vec<Occurrence> {
        self.find_where(text, |_| true)
    }

    /// As [`SecretMatcher::find`], but only of secrets that can span several tokens of a JSON text.
    pub(in crate::kernel) fn find_spanning(&self, text: &[u8]) -> Vec<Occurrence> {
        let joins = |byte: &u8| b"{}[]\",".contains(byte);
        self.find_where(text, |needle| !needle.is_base64 && needle.bytes.iter().any(joins))
    }

    fn find_where(&self, bytes: &[u8], wanted: impl Fn(&Needle) -> bool) -> Vec<Occurrence> {
        let mut occurrences = Vec::new();
        if self.is_empty() {
            return occurrences;
        }
        let escaped = bytes.iter().any(|byte| Escapes::introduced_by(*byte).is_some());
        // The end of the last base64 run that is known to contain a secret.
        let mut run_end = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let rest = bytes.get(at..).unwrap_or_default();
            let whole = self.starting_with(*byte).filter_map(|needle| {
                let verbatim = rest.starts_with(&needle.bytes).then_some(needle.bytes.len());
                let unescaped =
                    || Escapes::ALL.iter().find_map(|it| it.length_of(&needle.bytes, rest));
                let length = match needle.is_base64 || !escaped {
                    true => verbatim,
                    false => verbatim.or_else(unescaped),
                };
                Some((needle, length?))
            });
            let escapes = Escapes::introduced_by(*byte);
            let first = escapes.map(|it| (it, it.first_character(rest)));
            let escaped = first.into_iter().flat_map(|(escapes, first)| {
                let needles = self.starting_with(first).filter(|needle| !needle.is_base64);
                needles.filter_map(move |needle| {
                    Some((needle, escapes.length_of(&needle.bytes, rest)?))
                })
            });
            for (needle, length) in whole.chain(escaped) {
                if !wanted(needle) || needle.is_base64 && at < run_end {
                    continue;
                }
                let (mut start, mut end) = (at, at + length);
                if needle.is_base64 {
                    let before = bytes.get(..start).unwrap_or_default();
                    start -= before.iter().rev().take_while(|byte| is_base64_digit(**byte)).count();
                    let behind = bytes.get(end..).unwrap_or_default();
                    end += behind.iter().take_while(|byte| is_base64_digit(**byte)).count();
                    run_end = end;
                }
                add(Occurrence { secret: needle.secret, start, end }, &mut occurrences);
            }
        }
        occurrences
    }

    fn starting_with(&self, first: u8) -> impl Iterator<Item = &Needle> {
        let list = self.by_first_byte.get(usize::from(first)).into_iter().flatten();
        list.filter_map(|index| self.needles.get(*index))
    }
}

/// Adds an occurrence. A periodic secret can overlap itself: then the occurrences are merged.
fn add(new: Occurrence, all: &mut Vec<Occurrence>) {
    match all.last_mut() {
        Some(last) if last.secret == new.secret && (last.start..last.end).contains(&new.start) => {
            last.end = last.end.max(new.end);
        }
        _ => all.push(new),
    }
}

/// Returns the base64 digits that depend on `bytes` only, if `shift` other bytes precede them.
fn base64_digits(bytes: &[u8], shift: usize) -> String {
    let mut whole = vec![0; shift];
    whole.extend_from_slice(bytes);
    let (from, to) = ((shift * 8).div_ceil(6), whole.len() * 8 / 6);
    base64(&whole).get(from..to).unwrap_or_default().to_owned()
}

fn is_base64_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)
}

/// The entities that HTML requires, and the usual ones for quotes.
const ENTITIES: [(&[u8], u8); 9] = [
    (b"&amp;", b'&'),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&quot;", b'"'),
    (b"&#34;", b'"'),
    (b"&apos;", b'\''),
    (b"&#39;", b'\''),
    (b"&#x27;", b'\''),
    (b"&#x2F;", b'/'),
];

/// A way to escape characters.
#[derive(Clone, Copy)]
enum Escapes {
    Url,
    Json,
    Html,
}

impl Escapes {
    const ALL: [Escapes; 3] = [Escapes::Url, Escapes::Json, Escapes::Html];

    fn introduced_by(byte: u8) -> Option<Escapes> {
        match byte {
            b'%' | b'+' => Some(Escapes::Url),
            b'\\' => Some(Escapes::Json),
            b'&' => Some(Escapes::Html),
            _ => None,
        }
    }

    /// The unescaped first character of a text.
    fn first_character(self, text: &[u8]) -> u8 {
        match self.unescape(text) {
            Some((b'+', 1)) => b' ',
            Some((byte, _)) => byte,
            None => 0,
        }
    }

    /// Returns the length of the escaped form of `needle` at the start of `text`.
    fn length_of(self, needle: &[u8], text: &[u8]) -> Option<usize> {
        let mut at = 0;
        for expected in needle {
            let (byte, length) = self.unescape(text.get(at..)?)?;
            let is_space = length == 1 && byte == b'+' && matches!(self, Escapes::Url);
            if byte != *expected && !(is_space && *expected == b' ') {
                return None;
            }
            at += length;
        }
        Some(at)
    }

    /// The first character of a text, unescaped, and the length of its escaped form.
    fn unescape(self, text: &[u8]) -> Option<(u8, usize)> {
        let first = *text.first()?;
        let escape = match (self, first, text.get(1)) {
            (Escapes::Url, b'%', _) => number(text.get(1..3)).map(|byte| (byte, 3)),
            (Escapes::Json, b'\\', Some(b'u')) => {
                number(text.get(2..6)).filter(u8::is_ascii).map(|byte| (byte, 6))
            }
            (Escapes::Json, b'\\', Some(mark @ (b'"' | b'\\' | b'/' | b'\''))) => Some((*mark, 2)),
            (Escapes::Html, b'&', _) => {
                let entity = ENTITIES.iter().find(|(entity, _)| text.starts_with(entity));
                entity.map(|(entity, byte)| (*byte, entity.len()))
            }
            _ => None,
        };
        Some(escape.unwrap_or((first, 1)))
    }
}

fn number(digits: Option<&[u8]>) -> Option<u8> {
    u8::try_from(hex_number(digits?)?).ok()
}
