//! Scan: one pass over the folded text that stops at digits and a few other characters and calls the
//! detectors there.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::KindSet;
use super::super::matches::{Match, Matches};
use super::context::{phone_word_follows, Context, ContextReader};
use super::context_words::Hints;
use super::credentials::{self, CredentialReader};
use super::digits::{is_decimal, join_lines, read_row, Gap, Group};
use super::text_view::{has_class, is_alnum, Text, TRIGGER};
use super::{dates, email, iban, id_document, ip, numbers, phone, secret};
use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::prelude::*;

/// Finds the values of the `enabled` kinds in a folded text. `given` is the context of the keys above it.
/// The matches are unsorted and can overlap.
///
/// # Errors
/// Those of the deadline.
pub(in crate::kernel) fn scan(
    bytes: &[u8],
    enabled: KindSet,
    given: Hints,
    deadline: &Deadline,
) -> Result<Vec<Match>, Interrupted> {
    let (text, mut matches) = (Text(bytes), Matches { enabled, ..Matches::default() });
    if given.names_secret() {
        credentials::find_member(text, given, &mut matches);
    }
    let (given, mut credentials) = (given.inherited(), CredentialReader::default());
    let (groups, reader) = (Vec::new(), ContextReader::default());
    let mut pass = Pass { text, groups, reader, matches };
    pass.reader.given = given;
    let (mut at, mut gap, mut colons_from, mut headers_to) = (0, Gap::Start, 0, 0);
    let mut check_at = CHECK_INTERVAL_BYTES;
    loop {
        // [PRIV-84]
        if at >= check_at {
            deadline.check()?;
            check_at = at.saturating_add(CHECK_INTERVAL_BYTES);
        }
        at = text.until(at, |byte| has_class(byte, TRIGGER));
        let found = match text.at(at) {
            b'0'..=b'9' => {
                (at, gap) = pass.scan_digits(at, gap);
                continue;
            }
            b'@' => email::find(text, at),
            b':' => {
                let next = credentials.find(text, at, &mut pass.matches);
                if next > at + 1 {
                    at = next;
                    continue;
                }
                match text.at(at + 1) {
                    b'A' => secret::marked(text, at),
                    _ => ip::find_v6(text, at, given, &mut colons_from),
                }
            }
            b'=' | b'>' | b'-' | b'w' => {
                credentials.find(text, at, &mut pass.matches);
                secret::find(text, at, &mut headers_to)
            }
            _ if at < bytes.len() => secret::find(text, at, &mut headers_to),
            _ => return Ok(pass.matches.found),
        };
        at = found.filter(|found| pass.matches.add(*found)).map_or(at + 1, |(_, _, end)| end);
    }
}

/// Bytes between two checks of the deadline.
const CHECK_INTERVAL_BYTES: usize = 1 << 18;

struct Pass<'a> {
    text: Text<'a>,
    groups: Vec<Group>,
    reader: ContextReader,
    matches: Matches,
}

impl Pass<'_> {
    /// Calls the detectors for the digits at `at`; returns where to continue.
    fn scan_digits(&mut self, at: usize, gap: Gap) -> (usize, Gap) {
        let text = self.text;
        if is_alnum(text.before(at)) {
            // Digits inside words, such as hashes.
            return (self.scan_word(at), Gap::Start);
        }
        // `DE 89 3704`.
        if matches!(text.slice(at.max(3) - 3, at), [b'A'..=b'Z', b'A'..=b'Z', b' ']) {
            iban::find(text, at).map(|found| self.matches.add(found));
        }
        let next = read_row(text, at, gap, &mut self.groups);
        if is_decimal(text, &self.groups) {
            return next;
        }
        let digits = self.groups.iter().map(|group| group.len()).sum();
        // One more digit is required if they are the whole token, which is too short for a document.
        let dashed = text.before(at) == b'-' || text.at(next.0) == b'-';
        let all = !dashed && text.bounds(at, next.0);
        let few = digits < id_document::DIGITS_MIN + usize::from(all);
        if few && !dates::may_match(text, &self.groups) && !goes_on(text, next.0) {
            return next;
        }
        let known = self.matches.found.len();
        let context = self.reader.context_at(text, at, digits);
        self.run_detectors(context, digits);
        // [PRIV-26]
        let nothing = self.matches.found.len() == known;
        if nothing && join_lines(text, &mut self.groups) {
            let marked = |group: &Group| matches!(group.gap, Gap::Dash | Gap::Dot);
            let named = context.nearby != Hints::NONE || phone_word_follows(text, next.0);
            if named || self.groups.iter().any(marked) {
                self.run_detectors(context, digits);
            }
        }
        next
    }

    /// Calls each detector that can match this number of digits, since most numbers are short.
    fn run_detectors(&mut self, context: Context, digits: usize) {
        let (text, groups, matches) = (self.text, &self.groups, &mut self.matches);
        if context.nearby.without(Hints::ADDRESS.union(Hints::PHONE)) != Hints::NONE {
            groups.iter().for_each(|group| id_document::find(text, group.start, context, matches));
            numbers::find_lettered(text, groups, context, matches);
            dates::find(text, groups, context, matches);
        }
        ip::find_v4(text, groups, context, matches);
        if digits >= phone::DIGITS_MIN {
            phone::find(text, groups, context, matches);
        }
        if digits >= numbers::DIGITS_MIN {
            numbers::find(text, groups, context, matches);
        }
    }

    /// Handles digits after letters: account numbers, and documents if the context names one. Returns the
    /// end of the word.
    fn scan_word(&mut self, at: usize) -> usize {
        let end = self.text.until(at, |byte| !is_alnum(byte));
        if end - at >= id_document::DIGITS_MIN {
            let context = self.reader.context_at(self.text, at, end - at);
            id_document::find(self.text, at, context, &mut self.matches);
            numbers::find_in_word(self.text, at, context, &mut self.matches);
            numbers::find_tax_code(self.text, at, &mut self.matches);
            if self.text.slice(at.max(2) - 2, at) == b"%B" {
                numbers::find_track(self.text, at, &mut self.matches);
            }
        }
        if end - at >= secret::WORD_MIN {
            secret::find_in_word(self.text, at).map(|found| self.matches.add(found));
        }
        if self.text.at(end) == b'~' {
            secret::marked(self.text, end - 1).map(|found| self.matches.add(found));
        }
        iban::find(self.text, at).map(|found| self.matches.add(found));
        end
    }
}

/// Returns `true` if digits follow after two spaces, a tab or an underscore.
fn goes_on(text: Text, end: usize) -> bool {
    let next = text.run_end(end, numbers::GAP_MAX, numbers::is_gap);
    next > end && text.at(next).is_ascii_digit()
}

/// The shortest value with neither digit, `@` nor `:`, an API key.
const LETTERS_MIN: usize = 20;

/// Returns `false` if an unfolded text has nothing for [`scan`], as most strings.
pub(in crate::kernel) fn may_match(text: &str) -> bool {
    text.len() >= LETTERS_MIN
        || text.bytes().any(|byte| matches!(byte, b'0'..=b':' | b'@' | b'=') || !byte.is_ascii())
}
