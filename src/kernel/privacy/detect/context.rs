//! Room: what the surroundings of a value say about it. A hint comes from the key a value stands
//! under, from the words before it, or from the word behind it; kinds without a checksum need one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a window

use super::super::label::{self, LABEL_MAX};
use super::context_words::{of_word, of_words, word_length, Hints};
use super::text_view::{is_letter, is_word, Text};
use crate::kernel::prelude::*;

/// How far before a value a word still speaks of it, in characters.
const WINDOW: usize = 32;
/// Spaces and the like between the comma before a key and its quote.
const FIELD_GAP_MAX: usize = 64;

/// What is said around a value.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::kernel) struct Context {
    /// By the keys above the text and the words shortly before.
    pub(in crate::kernel) nearby: Hints,
    /// By the keys above the text and the key or word directly before.
    pub(in crate::kernel) adjacent: Hints,
}

/// Reads the words before values, each word once, however close the values are.
#[derive(Default)]
pub(in crate::kernel) struct Reader {
    /// Everything before was read, or was too far away from any value.
    read: usize,
    /// Telling words of late, with their places.
    recent: Vec<(usize, Hints)>,
}

impl Reader {
    /// What surrounds the value at `at`, which is behind all that were asked for before.
    // [PRIV-22]
    pub(in crate::kernel) fn around(&mut self, text: Text<'_>, at: usize, given: Hints) -> Context {
        let earliest = at.saturating_sub(WINDOW);
        let mut from = self.read.max(earliest);
        if from == earliest && is_word(text.before(from)) {
            // A word cut in two is none.
            from = text.forth(from, WINDOW, is_word);
        }
        self.recent.retain(|(place, _)| *place >= earliest);
        self.read(text, from, at);
        self.read = at;
        let hints = self.recent.iter().fold(Hints::NONE, |hints, (_, word)| hints.and(*word));
        if hints == Hints::NONE {
            return Context { nearby: given, adjacent: given };
        }
        Context { nearby: given.and(hints), adjacent: given.and(near(text, at)) }
    }

    // [PRIV-23]
    fn read(&mut self, text: Text<'_>, from: usize, to: usize) {
        let mut at = from;
        while let [byte, ..] = text.slice(at, to) {
            let byte = *byte;
            if is_letter(byte) {
                let end = at + word_length(text.slice(at, to));
                // Letters behind a digit are a piece of something else.
                if !text.before(at).is_ascii_digit() {
                    self.note(text, at, end);
                }
                at = end;
                continue;
            }
            // Another field of a JSON text begins.
            if byte == b'"' && begins_field(text, at) {
                self.recent.clear();
            }
            at += 1;
            if byte == b'[' {
                // What a label stands for does not name what follows.
                let end = text.forth(at, LABEL_MAX, |byte| is_word(byte) || byte == b':');
                at += label::inside(text.slice(at, end + 1)).map_or(0, <[u8]>::len);
            }
        }
    }

    fn note(&mut self, text: Text<'_>, start: usize, end: usize) {
        let hints = match of_word(text.slice(start, end)) {
            Hints::CALL if stands_free(text, start, end) => Hints::PHONE,
            // `contact_number`, but not `contact_id`.
            Hints::CALL => of_words(text.slice(start, text.forth(end, 8, is_identifier))),
            Hints::NONE if text.upto(start, 5).eq_ignore_ascii_case(b"d.o.b") => Hints::BIRTH,
            hints => hints,
        };
        if hints.telling() != Hints::NONE {
            self.recent.push((start, hints.telling()));
        }
    }
}

fn is_identifier(byte: u8) -> bool {
    is_letter(byte) || byte == b'_'
}

/// Whether the quote at `at` opens a key rather than the value of one, by what stands before it.
fn begins_field(text: Text<'_>, at: usize) -> bool {
    let start = text.back(at, FIELD_GAP_MAX, |byte| matches!(byte, b' ' | b'\n' | b'\\'));
    matches!(text.before(start), b',' | b'{')
}

/// Whether the word is no part of an identifier, a path or a name.
fn stands_free(text: Text<'_>, start: usize, end: usize) -> bool {
    let (before, after) = (text.before(start), text.at(end));
    let tied = |byte: u8| is_word(byte) || b"-/\\@.#".contains(&byte);
    !tied(before) && (!tied(after) || after == b'.' && !is_word(text.at(end + 1)))
}

/// What the key or word directly before `at` hints at, looking past a few linking words such as
/// `number` and `is`. A value that could be any number needs so close a hint.
// [PRIV-24]
fn near(text: Text<'_>, at: usize) -> Hints {
    let (mut end, mut hints) = (at, Hints::NONE);
    for _ in 0..4 {
        let word_end = text.back(end, 4, |byte| b" \t\n:=#.\"'(-\\>+".contains(&byte));
        // The 2 of `phone2`.
        let bare = text.back(word_end, 2, |byte| byte.is_ascii_digit());
        let word_end = if is_identifier(text.before(bare)) { bare } else { word_end };
        let start = text.back(word_end, 24, is_identifier);
        match of_words(text.slice(start, word_end)) {
            Hints::NONE => break,
            Hints::LINK | Hints::AT | Hints::NUMBER => {}
            // The second of two words; the first may stand before it.
            Hints::SECURITY => hints = Hints::SECURITY,
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
pub(in crate::kernel) fn is_line(text: Text<'_>, end: usize) -> bool {
    const LINES: &[u8] = b"fax phone telephone tel mobile cell office desk landline";
    let start = text.forth(end, 3, |byte| matches!(byte, b' ' | b'-' | b',' | b'('));
    let word = text.slice(start, text.forth(start, 10, is_letter));
    let mut lines = LINES.split(|byte| *byte == b' ');
    of_word(word) != Hints::NONE && lines.any(|line| line.eq_ignore_ascii_case(word))
}
