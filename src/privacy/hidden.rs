//! Room: texts of the host that no answer shows, such as secrets. They are known, so they are looked for as they
//! are, in the escapes that URLs, JSON and HTML have for their characters, and inside base64.
//!
//! What a tool does to a text beyond that (another case, another coding, pieces) is not found.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::scan::{Hit, Tag};
use crate::encoding::base64;
use crate::secrets::Hidden;

/// All of them, ready to be looked for.
#[derive(Default)]
pub(crate) struct HiddenTexts {
    labels: Vec<String>,
    needles: Vec<Needle>,
    /// For each first byte the needles that begin with it.
    starts: Vec<Vec<usize>>,
    escapable: Vec<usize>,
}

/// A form of one of them.
struct Needle {
    of: usize,
    bytes: Vec<u8>,
    /// Part of base64: what stands around it goes with it, since it was coded together with it.
    coded: bool,
}

impl HiddenTexts {
    // [SECRET-20] [SECRET-21]
    pub(crate) fn new(hidden: &[Hidden]) -> Self {
        let mut all = HiddenTexts { starts: vec![Vec::new(); 256], ..HiddenTexts::default() };
        for (of, hidden) in hidden.iter().enumerate() {
            all.labels.push(hidden.label().to_owned());
            let bytes = hidden.reveal().as_bytes();
            all.escapable.push(all.needles.len());
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

    pub(crate) fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    pub(crate) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", String::as_str)
    }

    /// Whether one of them stands in a text.
    pub(crate) fn show_in(&self, text: &str) -> bool {
        let mut hits = Vec::new();
        self.find(text, |_| true, &mut hits);
        !hits.is_empty()
    }

    /// Adds the places of all that begin in a text.
    pub(crate) fn find_all(&self, text: &str, hits: &mut Vec<Hit>) {
        self.find(text, |_| true, hits);
    }

    /// As [`HiddenTexts::find_all`], of those that can reach over several tokens of a JSON text.
    pub(crate) fn find_spanning(&self, text: &str, hits: &mut Vec<Hit>) {
        let joins = |byte: &u8| b"{}[]\",".contains(byte);
        self.find(text, |needle| !needle.coded && needle.bytes.iter().any(joins), hits);
    }

    fn find(&self, text: &str, wanted: impl Fn(&Needle) -> bool, hits: &mut Vec<Hit>) {
        let bytes = text.as_bytes();
        if self.is_empty() {
            return;
        }
        let escaped = bytes.iter().any(|byte| is_escape(*byte));
        // Where the last run of base64 ends that is known to hold one.
        let mut run_end = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let plain = self.starts.get(usize::from(*byte)).into_iter().flatten();
            let coded = self.escapable.iter().filter(|_| is_escape(*byte));
            for needle in plain.chain(coded).filter_map(|index| self.needles.get(*index)) {
                if !wanted(needle) || needle.coded && at < run_end {
                    continue;
                }
                let rest = bytes.get(at..).unwrap_or_default();
                let length = match rest.starts_with(&needle.bytes) {
                    true => Some(needle.bytes.len()),
                    false if escaped && !needle.coded => escaped_length(rest, &needle.bytes),
                    false => None,
                };
                let Some(length) = length else { continue };
                let (mut start, mut end) = (at, at + length);
                if needle.coded {
                    let before = bytes.get(..start).unwrap_or_default();
                    start -= before.iter().rev().take_while(|byte| is_coded(**byte)).count();
                    let behind = bytes.get(end..).unwrap_or_default();
                    end += behind.iter().take_while(|byte| is_coded(**byte)).count();
                    run_end = end;
                }
                add(Hit { start, end, tag: Tag::Hidden(needle.of) }, hits);
            }
        }
    }
}

/// One that repeats itself begins again inside itself: then the places become one.
fn add(hit: Hit, hits: &mut Vec<Hit>) {
    match hits.last_mut() {
        Some(last) if last.tag == hit.tag && (last.start..last.end).contains(&hit.start) => {
            last.end = last.end.max(hit.end);
        }
        _ => hits.push(hit),
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

fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'+')
}

/// How much of `text` is `needle` once its escapes are read.
fn escaped_length(text: &[u8], needle: &[u8]) -> Option<usize> {
    let mut at = 0;
    for expected in needle {
        let (byte, length) = read(text.get(at..)?)?;
        if byte != *expected && !(byte == b'+' && *expected == b' ') {
            return None;
        }
        at += length;
    }
    Some(at)
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

/// The byte that a text begins with, and how long it is as it is written.
fn read(text: &[u8]) -> Option<(u8, usize)> {
    let number = |digits: Option<&[u8]>| {
        let digits = std::str::from_utf8(digits?).ok()?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    let first = *text.first()?;
    let escape = match (first, text.get(1)) {
        (b'%', _) => number(text.get(1..3)).map(|byte| (byte, 3)),
        (b'\\', Some(b'u')) => number(text.get(2..6)).filter(u8::is_ascii).map(|byte| (byte, 6)),
        (b'\\', Some(mark @ (b'"' | b'\\' | b'/' | b'\''))) => Some((*mark, 2)),
        (b'&', _) => {
            let entity = ENTITIES.iter().find(|(entity, _)| text.starts_with(entity));
            entity.map(|(entity, byte)| (*byte, entity.len()))
        }
        _ => None,
    };
    Some(escape.unwrap_or((first, 1)))
}
