//! Context of a value: hints from the key above it, the words before it, or the word after it. Kinds
//! without check digits need one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a window

use super::super::label::{self, LABEL_MAX};
use super::context_words::{phrase_hints, word_hints, word_length, Hints};
use super::text_view::{is_letter, is_word, Text};
use crate::kernel::prelude::*;

/// How far before a value a context word counts, in characters.
const WINDOW: usize = 32;
/// Most spaces and the like between the comma before a key and its quote.
const FIELD_GAP_MAX: usize = 64;

/// The context of a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    /// From the keys above the text and the words shortly before.
    pub(super) nearby: Hints,
    /// From the keys above the text and the key or word directly before.
    pub(super) adjacent: Hints,
}

/// Reads the words before values, each word once, even if values are close together.
#[derive(Default)]
pub(super) struct ContextReader {
    /// Everything before was read, or is too far from any later value.
    read: usize,
    /// The recent context words with their positions.
    recent: Vec<(usize, Hints)>,
}

impl ContextReader {
    /// Returns the context of the value at `at`, which is after all values queried before.
    // [PRIV-22]
    pub(super) fn context_at(&mut self, text: Text, at: usize, given: Hints) -> Context {
        let earliest = at.saturating_sub(WINDOW);
        let mut from = self.read.max(earliest);
        if from == earliest && is_word(text.before(from)) {
            // Skip the word that the window cuts.
            from = text.run_end(from, WINDOW, is_word);
        }
        self.recent.retain(|(place, _)| *place >= earliest);
        self.read(text, from, at);
        self.read = at;
        let hints = self.recent.iter().fold(Hints::NONE, |hints, (_, word)| hints.union(*word));
        if hints == Hints::NONE {
            return Context { nearby: given, adjacent: given };
        }
        Context { nearby: given.union(hints), adjacent: given.union(adjacent_hints(text, at)) }
    }

    // [PRIV-23]
    fn read(&mut self, text: Text, from: usize, to: usize) {
        let mut at = from;
        while let [byte, ..] = text.slice(at, to) {
            let byte = *byte;
            if is_letter(byte) {
                let end = at + word_length(text.slice(at, to));
                // Letters after a digit are part of something else.
                if !text.before(at).is_ascii_digit() {
                    self.record(text, at, end);
                }
                at = end;
                continue;
            }
            // Another member of a JSON text starts.
            if byte == b'"' && starts_member(text, at) {
                self.recent.clear();
            }
            at += 1;
            if byte == b'[' {
                // The words inside a label are not context.
                let end = text.run_end(at, LABEL_MAX, |byte| is_word(byte) || byte == b':');
                at += label::content(text.slice(at, end + 1)).map_or(0, <[u8]>::len);
            }
        }
    }

    fn record(&mut self, text: Text, start: usize, end: usize) {
        let hints = match word_hints(text.slice(start, end)) {
            Hints::CALL if is_separate_word(text, start, end) => Hints::PHONE,
            // `contact_number`, but not `contact_id`.
            Hints::CALL => phrase_hints(text.slice(start, text.run_end(end, 8, is_identifier))),
            // `D.O.B.`, `C.F.`
            Hints::NONE if end - start == 1 && text.at(end) == b'.' => abbreviation(text, start),
            hints => hints,
        };
        if hints.kinds() != Hints::NONE {
            self.recent.push((start, hints.kinds()));
        }
    }
}

/// Returns the hints of up to four letters with points between.
fn abbreviation(text: Text, start: usize) -> Hints {
    let pairs = text.upto(start, 8).chunks(2);
    let (mut word, mut length) = ([0; 4], 0);
    for (pair, to) in pairs.zip(&mut word) {
        let Some(first) = pair.first().filter(|byte| is_letter(**byte)) else { break };
        (*to, length) = (*first, length + 1);
        if pair.get(1) != Some(&b'.') {
            break;
        }
    }
    if length > 1 {
        word_hints(word.get(..length).unwrap_or_default())
    } else {
        Hints::NONE
    }
}

fn is_identifier(byte: u8) -> bool {
    is_letter(byte) || byte == b'_'
}

/// Returns `true` if the quote at `at` opens a key rather than a value, by the text before it.
fn starts_member(text: Text, at: usize) -> bool {
    let start = text.run_start(at, FIELD_GAP_MAX, |byte| matches!(byte, b' ' | b'\n' | b'\\'));
    matches!(text.before(start), b',' | b'{')
}

/// Returns `true` if the word is not part of an identifier, a path or a name.
fn is_separate_word(text: Text, start: usize, end: usize) -> bool {
    let (before, after) = (text.before(start), text.at(end));
    let tied = |byte: u8| is_word(byte) || b"-/\\@.#".contains(&byte);
    !tied(before) && (!tied(after) || after == b'.' && !is_word(text.at(end + 1)))
}

/// Returns the hints of the key or word directly before `at`, skipping a few linking words such as `number`
/// and `is`. Values without structure need a hint this close.
// [PRIV-24]
fn adjacent_hints(text: Text, at: usize) -> Hints {
    let (mut end, mut hints) = (at, Hints::NONE);
    for _ in 0..4 {
        let word_end = text.run_start(end, 4, |byte| b" \t\n:=#.\"'(-\\>+".contains(&byte));
        // The 2 of `phone2`.
        let bare = text.run_start(word_end, 2, |byte| byte.is_ascii_digit());
        let word_end = if is_identifier(text.before(bare)) { bare } else { word_end };
        let start = text.run_start(word_end, 24, is_identifier);
        match phrase_hints(text.slice(start, word_end)) {
            Hints::NONE => break,
            Hints::LINK | Hints::AT | Hints::NUMBER => {}
            // The second of two words; the first can precede it.
            Hints::SECURITY => hints = Hints::SECURITY,
            Hints::CALL if is_separate_word(text, start, word_end) => return Hints::PHONE,
            words => return hints.union(words),
        }
        end = start;
    }
    hints
}

/// Returns `true` if the word directly after `end` names a telephone line, as in `555 0132 fax`.
// [PRIV-25]
pub(super) fn phone_word_follows(text: Text, end: usize) -> bool {
    const LINES: &[u8] = b"fax phone telephone tel mobile cell office desk landline";
    let start = text.run_end(end, 3, |byte| matches!(byte, b' ' | b'-' | b',' | b'('));
    let word = text.slice(start, text.run_end(start, 10, is_letter));
    let mut lines = LINES.split(|byte| *byte == b' ');
    word_hints(word) != Hints::NONE && lines.any(|line| line.eq_ignore_ascii_case(word))
}
