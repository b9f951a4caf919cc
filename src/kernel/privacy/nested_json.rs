//! JSON inside a string: the documents in a text, their tokens, and unique keys after redaction.
//!
//! Tools often return JSON as text. Its keys are context, and its numbers become strings when they are
//! redacted. Only the tokens that change are replaced; all other bytes stay.

use crate::kernel::prelude::*;
use alloc::borrow::Cow;
use serde_core::de::IgnoredAny;
use serde_json::Deserializer;

/// The kind of a JSON token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A string that is a member's key, with its quotes.
    Key,
    /// Any other string, with its quotes.
    String,
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
}

/// Returns `true` if the text is a JSON object or array.
// [PRIV-72]
pub(super) fn is_document(text: &str) -> bool {
    let first = text.bytes().find(|byte| !is_space(byte));
    matches!(first, Some(b'{' | b'[')) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// How often the bytes of a text are parsed in vain in search of documents.
const PARSES_MAX: usize = 2;

/// Returns the ranges of the JSON objects in a text, and of the JSON strings that hold JSON, in order and
/// without overlaps: lines of JSON, or JSON after other text. The time is linear in the text.
// [PRIV-74]
pub(super) fn documents(text: &str) -> Vec<(usize, usize)> {
    let (mut ranges, mut at): (Vec<_>, usize) = (Vec::new(), 0);
    let mut budget = text.len().saturating_mul(PARSES_MAX);
    while let Some(skipped) = text.get(at..).and_then(|rest| rest.find('{')) {
        let brace = at.saturating_add(skipped);
        let before = text.get(at..brace).unwrap_or_default();
        let quoted = ["\"", "\"["].into_iter().find(|open| before.ends_with(open));
        let start = brace.saturating_sub(quoted.map_or(0, str::len));
        let candidate = text.get(start..).unwrap_or_default();
        at = brace.saturating_add(1);
        let mut behind = text.get(at..).unwrap_or_default().bytes().skip_while(is_space);
        if quoted.is_none() && behind.next() != Some(b'"') {
            continue;
        }
        let mut values = Deserializer::from_str(candidate).into_iter::<IgnoredAny>();
        let error = match values.next() {
            Some(Ok(_)) => {
                let end = start.saturating_add(values.byte_offset());
                let whole = candidate.get(..values.byte_offset()).unwrap_or_default();
                if candidate.starts_with('{') || is_document(&decode(whole)) {
                    ranges.push((start, end));
                    at = end;
                }
                continue;
            }
            Some(Err(error)) => error,
            None => break,
        };
        // A part of what cannot be parsed can be a document, such as the first rows of a list that was cut.
        let parsed = offset_of(candidate, error.line(), error.column());
        match budget.checked_sub(parsed) {
            Some(left) => budget = left,
            None => {
                let end = start.saturating_add(parsed).clamp(at, text.len());
                at = (end..).find(|place| text.is_char_boundary(*place)).unwrap_or(end);
            }
        }
    }
    ranges
}

/// Returns the offset of a line and column, both counted from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len);
    before.fold(column, usize::saturating_add).min(text.len())
}

/// Decodes a quoted JSON string. If it cannot be decoded, such as one half of a surrogate pair, it is
/// filtered verbatim.
#[inline]
pub(super) fn decode(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// Returns the tokens of a valid JSON text, each with its text and its end.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (Token, &str, usize)> {
    let bytes = text.as_bytes();
    let mut at: usize = 0;
    core::iter::from_fn(move || {
        let between = |byte: &u8| is_space(byte) || matches!(byte, b',' | b':');
        let is_end = |byte: &u8| is_space(byte) || matches!(byte, b',' | b']' | b'}');
        at = at.saturating_add(bytes.get(at..)?.iter().take_while(|byte| between(byte)).count());
        let start = at;
        let rest = bytes.get(start..)?;
        let first = rest.first()?;
        let length = match first {
            b'"' => string_length(rest),
            b'{' | b'[' | b'}' | b']' => 1,
            _ => rest.iter().take_while(|byte| !is_end(byte)).count(),
        };
        at = start.saturating_add(length.max(1));
        let after = || bytes.get(at..)?.iter().find(|byte| !is_space(byte));
        let token = match first {
            b'"' if after() == Some(&b':') => Token::Key,
            b'"' => Token::String,
            b'{' | b'[' => Token::Open,
            b'}' | b']' => Token::Close,
            _ => Token::Scalar,
        };
        Some((token, text.get(start..at)?, at))
    })
}

/// Returns the length of the string at the start of `rest`, with its quotes.
fn string_length(rest: &[u8]) -> usize {
    let mut end: usize = 1;
    let stops = |byte: &u8| matches!(byte, b'"' | b'\\');
    while let Some(inside) = rest.get(end..).and_then(|rest| rest.iter().position(stops)) {
        let stop = end.saturating_add(inside);
        if rest.get(stop) == Some(&b'"') {
            return stop.saturating_add(1);
        }
        // A backslash and the character it escapes.
        end = stop.saturating_add(2);
    }
    rest.len()
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The keys of one object, and the next free number of each. Redaction can make two keys equal; the second
/// one is numbered.
#[derive(Default)]
pub(super) struct UniqueKeys(BTreeMap<String, u64>);

impl UniqueKeys {
    /// Returns the key that replaces `key`: `filtered`, if necessary with the first of `#2`, `#3` ... that
    /// makes it unique; `None` if the key stays.
    // [PRIV-73]
    #[inline]
    pub(super) fn unique(&mut self, key: &str, filtered: Option<String>) -> Option<String> {
        let name = filtered.as_deref().unwrap_or(key);
        // Only a key with a label can be equal to another.
        if !name.contains('[') {
            return filtered;
        }
        let Some(first) = self.0.get(name).copied() else {
            self.0.insert(name.to_owned(), 2);
            return filtered;
        };
        let mut numbered = (first..).map(|number| (number, format!("{name}#{number}")));
        let free = numbered.find(|(_, numbered)| !self.0.contains_key(numbered));
        free.map(|(number, numbered)| {
            self.0.insert(name.to_owned(), number.saturating_add(1));
            self.0.insert(numbered.clone(), 2);
            numbered
        })
    }
}
