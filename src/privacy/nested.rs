//! Room: JSON inside a string. Tools answer in text that is itself JSON; its keys are hints and its
//! numbers have to become strings where they are redacted. The text is taken apart token by token
//! and put together again, so that everything outside the tokens that change stays as it was.

use serde_core::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A piece of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A string that is the key of a member, with its quotes.
    Key(&'a str),
    /// Any other string, with its quotes.
    String(&'a str),
    /// A number, `true`, `false` or `null`.
    Scalar(&'a str),
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
}

/// Whether the text is a JSON object or array.
// [PRIV-72]
pub(crate) fn is_document(text: &str) -> bool {
    let trimmed = text.trim_start();
    trimmed.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The tokens of a JSON text, each with the place where it starts. The text is known to be JSON.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = (usize, Token<'_>)> {
    let bytes = text.as_bytes();
    let mut at: usize = 0;
    std::iter::from_fn(move || loop {
        let start = at;
        let first = *bytes.get(start)?;
        let rest = bytes.get(start..)?;
        let length = match first {
            b'"' => string_length(rest),
            b'{' | b'[' | b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => 1,
            _ => rest.iter().take_while(|byte| !b", \t\n\r]}".contains(byte)).count(),
        };
        at = start.saturating_add(length.max(1));
        let token = || text.get(start..at);
        let token = match first {
            b'"' if is_key(bytes.get(at..)?) => Token::Key(token()?),
            b'"' => Token::String(token()?),
            b'{' | b'[' => Token::Open,
            b'}' | b']' => Token::Close,
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => continue,
            _ => Token::Scalar(token()?),
        };
        return Some((start, token));
    })
}

/// The length of the string at the start of `rest`, quotes included.
fn string_length(rest: &[u8]) -> usize {
    let mut end: usize = 1;
    while let Some(inside) = rest.get(end..).and_then(|rest| rest.iter().position(|b| *b == b'"')) {
        let before = rest.get(..end.saturating_add(inside)).unwrap_or_default();
        end = before.len().saturating_add(1);
        // An even number of backslashes escape each other, and not the quote.
        let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes.is_multiple_of(2) {
            return end;
        }
    }
    rest.len()
}

fn is_key(behind: &[u8]) -> bool {
    let next = behind.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    next == Some(&b':')
}

/// Names that stand in one object. Redaction can make two keys equal; the second is numbered.
#[derive(Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// `key`, or with the first of `#2`, `#3` ... behind it that makes it differ from the others.
    // [PRIV-73]
    pub(crate) fn unique<'k>(&mut self, key: Cow<'k, str>) -> Cow<'k, str> {
        // Only a key with a label in it can be equal to another.
        if !key.contains('[') || self.0.insert(key.clone().into_owned()) {
            return key;
        }
        let mut numbered = (2_u64..).map(|number| format!("{key}#{number}"));
        let free = numbered.find(|name| self.0.insert(name.clone()));
        free.map_or(key, Cow::Owned)
    }
}
