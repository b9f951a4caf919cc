//! JSON inside a string: tokens of a nested JSON text, and unique keys after redaction.
//!
//! Tools often return JSON as text. Its keys are context, and its numbers become strings when they are
//! redacted. Only the tokens that change are replaced; all other bytes stay.

use crate::kernel::prelude::*;
use serde_core::de::IgnoredAny;

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

/// Returns the tokens of a valid JSON text, each with its text and its end.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (Token, &str, usize)> {
    let bytes = text.as_bytes();
    let mut at: usize = 0;
    core::iter::from_fn(move || {
        let between = |byte: &u8| is_space(byte) || matches!(byte, b',' | b':');
        at = at.saturating_add(bytes.get(at..)?.iter().take_while(|byte| between(byte)).count());
        let start = at;
        let rest = bytes.get(start..)?;
        let first = rest.first()?;
        let length = match first {
            b'"' => string_length(rest),
            b'{' | b'[' | b'}' | b']' => 1,
            _ => rest.iter().take_while(|byte| !b", \t\n\r]}".contains(byte)).count(),
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
