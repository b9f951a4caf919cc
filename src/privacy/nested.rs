//! Room: JSON inside a string. Tools answer in text that is itself JSON; its keys are hints and its
//! numbers have to become strings where they are redacted. The text is taken apart token by token
//! and put together again, so that everything outside the tokens that change stays as it was.

use serde_core::de::IgnoredAny;
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
    let mut at = 0;
    std::iter::from_fn(move || loop {
        let start: usize = at;
        let rest = text.get(start..)?;
        let first = rest.bytes().next()?;
        let length = match first {
            b'"' => string_length(rest),
            b'{' | b'[' | b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => 1,
            _ => rest.bytes().take_while(|b| !b", \t\n\r]}".contains(b)).count(),
        };
        at = start.saturating_add(length.max(1));
        let token = rest.get(..length)?;
        let token = match first {
            b'"' if is_key(text.get(at..)?) => Token::Key(token),
            b'"' => Token::String(token),
            b'{' | b'[' => Token::Open,
            b'}' | b']' => Token::Close,
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => continue,
            _ => Token::Scalar(token),
        };
        return Some((start, token));
    })
}

/// The length of the string at the start of `rest`, quotes included.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    let inside = rest.bytes().skip(1).take_while(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        !closes
    });
    inside.count().saturating_add(2)
}

fn is_key(behind: &str) -> bool {
    behind.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(':')
}

/// Names that stand in one object. Redaction can make two keys equal; the second is numbered.
#[derive(Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// `key`, or with the first of `#2`, `#3` ... behind it that makes it differ from the others.
    // [PRIV-73]
    pub(crate) fn unique(&mut self, key: String) -> String {
        // Only a key with a label in it can be equal to another.
        if !key.contains('[') {
            return key;
        }
        let mut name = key.clone();
        let mut number: u64 = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{key}#{number}");
            number = number.saturating_add(1);
        }
        name
    }
}
