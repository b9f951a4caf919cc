//! Context of a value: hints from the key above it, the words before it, or the word after it. Kinds
//! without check digits need one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a window

use super::super::label::{self, LABEL_MAX};
use super::columns::Columns;
use super::context_words::{phrase_hints, word_hints, Hints};
use super::text_view::{has_class, is_identifier, is_letter, is_word, Text, CONTEXT, QUOTE};
use crate::kernel::prelude::*;

/// How far before a value a context word counts, in characters, and before that at most this much space and
/// punctuation.
const WINDOW: usize = 32;
const MARKS_MAX: usize = 64;
/// Most spaces and the like between the comma before a key and its quote.
const FIELD_GAP_MAX: usize = 64;
/// The longest name and tag that are read as one.
const NAME_MAX: usize = 40;
const TAG_MAX: usize = 96;
/// Most linking words between a context word and its value.
const LINKS_MAX: usize = 3;

/// The context of a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    /// From the keys above the text and the words shortly before.
    pub(super) nearby: Hints,
    /// From the keys above the text, and the label, list or column that the value belongs to.
    pub(super) adjacent: Hints,
}

/// Reads the words before values, each word once, even if values are close together.
#[derive(Default)]
pub(super) struct ContextReader {
    /// The context of the keys above the text.
    pub(super) given: Hints,
    /// Everything before was read, or is too far from any later value.
    read: usize,
    /// The recent context words with their positions.
    recent: Vec<(usize, Hints)>,
    label: Label,
    /// The label before the last opening bracket: `phone (home): 555 0132`.
    outside: Label,
    list: List,
    columns: Columns,
}

/// The context words directly before the present position, and the linking words after them.
#[derive(Clone, Copy, Default)]
struct Label {
    at: usize,
    hints: Hints,
    links: usize,
}

/// A list whose first value has a label.
// [PRIV-27]
#[derive(Clone, Copy, Default)]
struct List {
    hints: Hints,
    /// The digits of the first item, 0 in it; and of the present one.
    first: usize,
    digits: usize,
    /// Whether more than blanks is between the last item and the present position.
    parted: bool,
}

impl List {
    /// Ends an item, if one was read.
    fn part(&mut self) {
        self.first = if self.first == 0 { self.digits } else { self.first };
        (self.digits, self.parted) = (0, true);
    }

    /// Returns the context of an item, which resembles the first.
    fn hints_of(self, digits: usize) -> Hints {
        let alike = self.first >= 7 && self.first.abs_diff(digits) <= 3;
        Some(self.hints).filter(|_| alike && self.parted).unwrap_or_default()
    }
}

impl ContextReader {
    /// Returns the context of the value of `digits` digits at `at`, which is after all values queried before.
    // [PRIV-22] [PRIV-24]
    pub(super) fn context_at(&mut self, text: Text, at: usize, digits: usize) -> Context {
        let is_mark = |byte: u8| {
            matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'.' | b':' | b'*' | b'|' | b'_' | b'-')
        };
        let is_near = self.recent.is_empty() && at < self.read + WINDOW;
        let marks = if is_near { 0 } else { text.run_start(at, MARKS_MAX, is_mark) };
        let earliest = marks.saturating_sub(WINDOW);
        let mut from = self.read.max(earliest);
        if from > self.read || from == 0 {
            (self.label, self.list) = (Label::default(), List::default());
        }
        if from == earliest && is_word(text.before(from)) {
            // Skip the word that the window cuts.
            from = text.run_end(from, WINDOW, is_word);
        }
        self.read(text, from, at);
        self.read = at;
        let (row, column) = self.columns.row_at(text, at);
        // The head of another column names nothing in this row.
        self.recent.retain(|(place, _)| *place >= earliest.max(row));
        if self.label.at < row {
            self.label = Label::default();
        }
        let hints = self.recent.iter().fold(self.given, |hints, (_, word)| hints.union(*word));
        let listed = self.list.hints_of(digits).union(column);
        Context {
            nearby: hints.union(listed.named()),
            adjacent: self.given.union(self.label.hints).union(listed),
        }
    }

    // [PRIV-23]
    fn read(&mut self, text: Text, from: usize, to: usize) {
        let mut at = from;
        while let [byte, ..] = text.slice(at, to) {
            let (byte, present) = (*byte, self.label.hints.union(self.outside.hints));
            at = if is_letter(byte) {
                self.word(text, at)
            } else if present.union(self.list.hints) == Hints::NONE {
                // Nothing to end or to go on: most of a text.
                let starts = if self.recent.is_empty() { CONTEXT } else { CONTEXT | QUOTE };
                match has_class(byte, starts) {
                    true => self.mark(text, at, byte, to),
                    false => text.run_end(at, to - at, |byte| !has_class(byte, starts)),
                }
            } else if byte.is_ascii_digit() {
                self.number(text, at)
            } else {
                self.mark(text, at, byte, to)
            };
        }
    }

    /// Reads the name at `at`; returns its end.
    fn word(&mut self, text: Text, at: usize) -> usize {
        let small = text.run_end(at + 1, NAME_MAX - 1, |byte| byte.is_ascii_lowercase());
        let is_one = !is_identifier(text.at(small));
        let end = if is_one { small } else { text.run_end(at, NAME_MAX, is_identifier) };
        let word = text.slice(at, end);
        let hints = match if is_one { word_hints(word) } else { phrase_hints(word) } {
            // Letters after a digit are part of something else.
            _ if text.before(at).is_ascii_digit() => Hints::NONE,
            Hints::CALL if !is_separate_word(text, at, end) => Hints::NONE,
            // `D.O.B.`, `C.F.`
            Hints::NONE if end - at == 1 && text.at(end) == b'.' => abbreviation(text, at),
            hints => hints,
        };
        if self.list.hints != Hints::NONE {
            let mut joins = b"and or y e et ou und oder og en".split(|byte| *byte == b' ');
            match joins.any(|join| join == word) {
                true => self.list.part(),
                false => self.list = List::default(),
            }
        }
        if hints.named() != Hints::NONE {
            self.recent.push((at, hints.named()));
            self.label = Label { at, hints: self.label.hints.union(hints), links: 0 };
        } else if hints.has(Hints::LINK) && self.label.links < LINKS_MAX {
            self.label.links += 1;
            // `contact no`.
            if hints == Hints::NUMBER && self.label.hints == Hints::CALL {
                self.label.hints = Hints::PHONE;
            }
            if hints == Hints::ID {
                self.label.hints = self.label.hints.without(Hints::PHONE);
            }
        } else {
            self.label = Label::default();
        }
        end
    }

    /// Reads the digits at `at`, a value or the 2 of `phone2`; returns their end.
    fn number(&mut self, text: Text, at: usize) -> usize {
        let end = text.until(at, |byte| !byte.is_ascii_digit());
        if end - at > 2 || self.label.hints == Hints::NONE {
            if self.label.hints != Hints::NONE && !is_identifier(text.before(at)) {
                self.list = List { hints: self.label.hints, ..List::default() };
            }
            self.label = Label::default();
            self.list.digits += end - at;
        }
        end
    }

    /// Reads the character at `at`, or the label or tag that it begins; returns its end.
    fn mark(&mut self, text: Text, at: usize, byte: u8, to: usize) -> usize {
        match byte {
            // Another member of a JSON text starts.
            b'"' if is_letter(text.at(at + 1)) && starts_member(text, at) => {
                self.recent.clear();
                (self.label, self.list) = (Label::default(), List::default());
            }
            b'[' | b'(' => {
                self.outside = self.label;
                // The words inside a label are not context.
                let end = text.run_end(at + 1, LABEL_MAX, |byte| is_word(byte) || byte == b':');
                let label = label::content(text.slice(at + 1, end + 1)).map_or(0, <[u8]>::len);
                if byte == b'[' && label > 0 && at + label < to {
                    self.label = Label::default();
                    return at + 1 + label;
                }
            }
            b']' | b')' => {
                if self.label.hints == Hints::NONE {
                    self.label = self.outside;
                }
                self.outside = Label::default();
            }
            b'<' => {
                let end = text.run_end(at, TAG_MAX, |byte| byte != b'>');
                if end < to && (is_letter(text.at(at + 1)) || text.at(at + 1) == b'/') {
                    self.tag(text, at, end);
                    return end + 1;
                }
            }
            b',' | b';' | b'/' | b'&' => {
                self.label = Label::default();
                self.list.part();
            }
            b'\n' => {
                self.list.part();
                self.list.parted = false;
            }
            b'-' | b'*' | b'|' | b'"' | b'\'' if self.list.digits == 0 => self.list.part(),
            b'{' | b'}' | b'@' | b'%' | b'!' | b'?' | b'$' | b'^' => {
                (self.label, self.list) = (Label::default(), List::default());
            }
            _ => {}
        }
        at + 1
    }

    /// Reads a tag. Its name and attributes can be context, `<td class="n">` is only between.
    fn tag(&mut self, text: Text, at: usize, end: usize) {
        let hints = phrase_hints(text.slice(at, end)).kinds();
        if hints != Hints::NONE {
            let hints = if text.at(at + 1) == b'/' { Hints::NONE } else { hints };
            self.recent.push((at, hints));
            self.label = Label { at, hints, links: 0 };
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
    word.get(..length).filter(|word| word.len() > 1).map_or(Hints::NONE, word_hints)
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

/// Returns `true` if the word directly after `end` names a telephone line, as in `555 0132 fax`.
// [PRIV-25]
pub(super) fn phone_word_follows(text: Text, end: usize) -> bool {
    const LINES: &[u8] = b"fax phone telephone tel mobile cell office desk landline";
    let start = text.run_end(end, 3, |byte| matches!(byte, b' ' | b'-' | b',' | b'('));
    let word = text.slice(start, text.run_end(start, 10, is_letter));
    let mut lines = LINES.split(|byte| *byte == b' ');
    word_hints(word) != Hints::NONE && lines.any(|line| line.eq_ignore_ascii_case(word))
}
