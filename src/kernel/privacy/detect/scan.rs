//! Room: the dispatcher. One pass over the folded text stops at digits and a few other characters and hands
//! each place to the scanners.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::KindSet;
use super::super::matches::{Match, Matches};
use super::context::{is_line, Context, Reader};
use super::context_words::Hints;
use super::digits::{is_decimal, join_lines, row, Gap, Group};
use super::text_view::{is_alnum, Text};
use super::{dates, email, iban, id_document, ip, numbers, phone, secret};
use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::prelude::*;

/// Finds every value of the kinds that are `on` in a folded text. `given` is what the key over the
/// text says. The hits are in no order and may overlap.
///
/// # Errors
/// Those of the deadline.
pub(in crate::kernel) fn scan(
    bytes: &[u8],
    on: KindSet,
    given: Hints,
    deadline: &Deadline,
) -> Result<Vec<Match>, Interrupted> {
    let (text, hits) = (Text(bytes), Matches { on, found: Vec::new() });
    let mut pass = Pass { text, given, groups: Vec::new(), reader: Reader::default(), hits };
    let (mut at, mut gap, mut colons_from, mut headers_to) = (0, Gap::Start, 0, 0);
    let mut look_at = SCAN_LOOK_BYTES;
    loop {
        // [PRIV-84]
        if at >= look_at {
            deadline.check()?;
            look_at = at.saturating_add(SCAN_LOOK_BYTES);
        }
        at = text.until(at, is_trigger);
        let found = match text.at(at) {
            b'0'..=b'9' => {
                (at, gap) = pass.digits(at, gap);
                continue;
            }
            b'@' => email::find(text, at),
            b':' => ip::find_v6(text, at, &mut colons_from),
            _ if at < bytes.len() => secret::find(text, at, &mut headers_to),
            _ => return Ok(pass.hits.found),
        };
        at = found.filter(|found| pass.hits.add(*found)).map_or(at + 1, |(_, _, end)| end);
    }
}

/// Bytes between two looks at the deadline.
const SCAN_LOOK_BYTES: usize = 1 << 18;

/// Characters that a value has, or that stand before one: of secrets, the marks in their prefixes and
/// the capitals of those that have none.
fn is_trigger(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'@' | b':' | b'-' | b'_' | b'.' | b'A' | b'J')
}

struct Pass<'a> {
    text: Text<'a>,
    given: Hints,
    groups: Vec<Group>,
    reader: Reader,
    hits: Matches,
}

impl Pass<'_> {
    /// Hands the digits at `at` to the scanners, and says where to go on.
    fn digits(&mut self, at: usize, gap: Gap) -> (usize, Gap) {
        let text = self.text;
        if is_alnum(text.before(at)) {
            // Digits inside a word, such as a hash, are nothing else.
            return (self.word(at), Gap::Start);
        }
        let next = row(text, at, gap, &mut self.groups);
        if is_decimal(text, &self.groups) {
            return next;
        }
        let digits = self.groups.iter().map(|group| group.len()).sum();
        // So many are no document either, if they are all of their token.
        let dashed = text.before(at) == b'-' || text.at(next.0) == b'-';
        let all = !dashed && text.bounds(at, next.0);
        let few = digits < id_document::DIGITS_MIN + usize::from(all);
        if few && !dates::likely(text, &self.groups) {
            return next;
        }
        let known = self.hits.found.len();
        let around = self.reader.around(text, at, self.given);
        self.read(around, digits);
        // [PRIV-26]
        let nothing = self.hits.found.len() == known;
        if nothing && join_lines(text, &mut self.groups) {
            let marked = |group: &Group| matches!(group.gap, Gap::Dash | Gap::Dot);
            let named = around.nearby != Hints::NONE || is_line(text, next.0);
            if named || self.groups.iter().any(marked) {
                self.read(around, digits);
            }
        }
        next
    }

    /// Hands the groups to each scanner that may find something among so many digits, since most numbers are short.
    fn read(&mut self, around: Context, digits: usize) {
        let (text, groups, hits) = (self.text, &self.groups, &mut self.hits);
        if around.nearby != Hints::NONE {
            groups.iter().for_each(|group| id_document::find(text, group.start, around, hits));
            dates::find(text, groups, around, hits);
        }
        ip::find_v4(text, groups, around, hits);
        if digits >= phone::DIGITS_MIN {
            phone::find(text, groups, around, hits);
        }
        if digits >= numbers::DIGITS_MIN {
            numbers::find(text, groups, around, hits);
        }
    }

    /// Digits behind letters: account numbers, and documents where the surroundings speak of one.
    /// Returns the end of the word.
    fn word(&mut self, at: usize) -> usize {
        let end = self.text.until(at, |byte| !is_alnum(byte));
        if end - at >= id_document::DIGITS_MIN {
            let around = self.reader.around(self.text, at, self.given);
            id_document::find(self.text, at, around, &mut self.hits);
        }
        iban::find(self.text, at).map(|found| self.hits.add(found));
        end
    }
}

/// The shortest value that may have neither digit nor `@` nor `:`, a key of a service.
const LETTERS_MIN: usize = 20;

/// Whether a text, not yet folded, can hold anything for [`scan`] at all. Most strings cannot.
pub(in crate::kernel) fn may_match(text: &str) -> bool {
    text.len() >= LETTERS_MIN
        || text.bytes().any(|byte| matches!(byte, b'0'..=b':' | b'@') || !byte.is_ascii())
}
