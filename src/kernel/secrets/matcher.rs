//! Room: texts of the host that no answer shows, such as secrets. They are known, so they are looked for as they
//! are, in the escapes that URLs, JSON and HTML have for their characters, and inside base64.
//!
//! What a tool does to a text beyond that (another case, another coding, pieces) is not found.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::KnownSecret;
use crate::kernel::encoding::{base64, hex_number};
use crate::kernel::prelude::*;

/// All of them, ready to be looked for.
#[derive(Default)]
pub(in crate::kernel) struct SecretMatcher {
    labels: Vec<String>,
    needles: Vec<Needle>,
    /// For each first byte the needles that begin with it.
    starts: Vec<Vec<usize>>,
}

/// Where one of them stands: which, its first byte, and the byte behind its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Occurrence {
    pub(in crate::kernel) of: usize,
    pub(in crate::kernel) start: usize,
    pub(in crate::kernel) end: usize,
}

/// A form of one of them.
struct Needle {
    of: usize,
    bytes: Vec<u8>,
    /// Part of base64: what stands around it goes with it, since it was coded together with it.
    coded: bool,
}

impl SecretMatcher {
    // [SECRET-20] [SECRET-21]
    pub(in crate::kernel) fn new(hidden: &[KnownSecret]) -> Self {
        let mut all = SecretMatcher { starts: vec![Vec::new(); 256], ..SecretMatcher::default() };
        for (of, hidden) in hidden.iter().enumerate() {
            all.labels.push(hidden.label().to_owned());
            let bytes = hidden.reveal().as_bytes();
            all.needles.push(Needle { of, bytes: bytes.to_vec(), coded: false });
            for shift in 0..3 {
                let standard = coded_inside(bytes, shift);
                let for_urls = standard.replace('+', "-").replace('/', "_");
                let differs = for_urls != standard;
                for form in
                    [Some(standard), Some(for_urls).filter(|_| differs)].into_iter().flatten()
                {
                    all.needles.push(Needle { of, bytes: form.into_bytes(), coded: true });
                }
            }
        }
        for (index, needle) in all.needles.iter().enumerate() {
            let first = needle.bytes.first().copied().map(usize::from);
            let list = first.and_then(|first| all.starts.get_mut(first));
            list.into_iter().for_each(|list| list.push(index));
        }
        all
    }

    pub(in crate::kernel) fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    pub(in crate::kernel) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", String::as_str)
    }

    /// Whether one of them stands in a text.
    pub(in crate::kernel) fn occurs_in(&self, text: &[u8]) -> bool {
        !self.find(text).is_empty()
    }

    /// Where they stand in a text, by where they begin.
    pub(in crate::kernel) fn find(&self, text: &[u8]) -> Vec<Occurrence> {
        self.find_those(text, |_| true)
    }

    /// As [`SecretMatcher::find`], of those that can reach over several tokens of a JSON text.
    pub(in crate::kernel) fn find_spanning(&self, text: &[u8]) -> Vec<Occurrence> {
        let joins = |byte: &u8| b"{}[]\",".contains(byte);
        self.find_those(text, |needle| !needle.coded && needle.bytes.iter().any(joins))
    }

    fn find_those(&self, bytes: &[u8], wanted: impl Fn(&Needle) -> bool) -> Vec<Occurrence> {
        let mut places = Vec::new();
        if self.is_empty() {
            return places;
        }
        let escaped = bytes.iter().any(|byte| Escapes::begun_by(*byte).is_some());
        // Where the last run of base64 ends that is known to hold one.
        let mut run_end = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let rest = bytes.get(at..).unwrap_or_default();
            let whole = self.beginning_with(*byte).filter_map(|needle| {
                let as_written = rest.starts_with(&needle.bytes).then_some(needle.bytes.len());
                let read = || Escapes::ALL.iter().find_map(|it| it.length_of(&needle.bytes, rest));
                let length = match needle.coded || !escaped {
                    true => as_written,
                    false => as_written.or_else(read),
                };
                Some((needle, length?))
            });
            let escapes = Escapes::begun_by(*byte);
            let first = escapes.map(|it| (it, it.first_meant(rest)));
            let escaped = first.into_iter().flat_map(|(escapes, first)| {
                let needles = self.beginning_with(first).filter(|needle| !needle.coded);
                needles.filter_map(move |needle| {
                    Some((needle, escapes.length_of(&needle.bytes, rest)?))
                })
            });
            for (needle, length) in whole.chain(escaped) {
                if !wanted(needle) || needle.coded && at < run_end {
                    continue;
                }
                let (mut start, mut end) = (at, at + length);
                if needle.coded {
                    let before = bytes.get(..start).unwrap_or_default();
                    start -= before.iter().rev().take_while(|byte| is_coded(**byte)).count();
                    let behind = bytes.get(end..).unwrap_or_default();
                    end += behind.iter().take_while(|byte| is_coded(**byte)).count();
                    run_end = end;
                }
                add(Occurrence { of: needle.of, start, end }, &mut places);
            }
        }
        places
    }

    fn beginning_with(&self, first: u8) -> impl Iterator<Item = &Needle> {
        let list = self.starts.get(usize::from(first)).into_iter().flatten();
        list.filter_map(|index| self.needles.get(*index))
    }
}

/// One that repeats itself begins again inside itself: then the places become one.
fn add(place: Occurrence, places: &mut Vec<Occurrence>) {
    match places.last_mut() {
        Some(last) if last.of == place.of && (last.start..last.end).contains(&place.start) => {
            last.end = last.end.max(place.end);
        }
        _ => places.push(place),
    }
}

/// The digits of base64 that `bytes` alone decide, where so many other bytes come before.
fn coded_inside(bytes: &[u8], shift: usize) -> String {
    let mut whole = vec![0; shift];
    whole.extend_from_slice(bytes);
    let (from, to) = ((shift * 8).div_ceil(6), whole.len() * 8 / 6);
    base64(&whole).get(from..to).unwrap_or_default().to_owned()
}

fn is_coded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)
}

/// The entities that HTML needs, and those that its writers use for quotes.
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

/// A way to write characters in another form.
#[derive(Clone, Copy)]
enum Escapes {
    Url,
    Json,
    Html,
}

impl Escapes {
    const ALL: [Escapes; 3] = [Escapes::Url, Escapes::Json, Escapes::Html];

    fn begun_by(byte: u8) -> Option<Escapes> {
        match byte {
            b'%' | b'+' => Some(Escapes::Url),
            b'\\' => Some(Escapes::Json),
            b'&' => Some(Escapes::Html),
            _ => None,
        }
    }

    /// The byte that a text begins with in another sense than its own.
    fn first_meant(self, text: &[u8]) -> u8 {
        match self.read(text) {
            Some((b'+', 1)) => b' ',
            Some((byte, _)) => byte,
            None => 0,
        }
    }

    /// How much of `text` is `needle` once the escapes are read.
    fn length_of(self, needle: &[u8], text: &[u8]) -> Option<usize> {
        let mut at = 0;
        for expected in needle {
            let (byte, length) = self.read(text.get(at..)?)?;
            let is_space = length == 1 && byte == b'+' && matches!(self, Escapes::Url);
            if byte != *expected && !(is_space && *expected == b' ') {
                return None;
            }
            at += length;
        }
        Some(at)
    }

    /// The byte that a text begins with, and how long it is as it is written.
    fn read(self, text: &[u8]) -> Option<(u8, usize)> {
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
