//! Email addresses, detected at their `@`.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::KindMatch;
use super::text_view::{is_alnum, is_letter, Text};

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 253;

/// Returns the address around the `@` at `at`, if there is one.
// [PRIV-35]
pub(super) fn find(text: Text, at: usize) -> Option<KindMatch> {
    let end = domain_end(text, at + 1)?;
    // Marks that quote or emphasize an address are not part of it.
    // [PRIV-36]
    let local = |byte: u8| is_alnum(byte) || b"._%+-'!#$^*~".contains(&byte);
    let widest = text.run_start(at, LOCAL_MAX, local);
    let start = text.run_end(widest, LOCAL_MAX, |byte| !is_alnum(byte) && !b"_+".contains(&byte));
    (start < at).then_some((Kind::Email, start, end))
}

/// Returns the end of a domain of at least two labels, the last of them a top-level domain. Labels that do
/// not fit are left out: `a@b.example.1` ends after `example`.
// [PRIV-37]
fn domain_end(text: Text, start: usize) -> Option<usize> {
    if is_version(text, start) {
        return None;
    }
    let (mut from, mut labels, mut found) = (start, 0, None);
    loop {
        let end = text.run_end(from, 64, |byte| is_alnum(byte) || byte == b'-');
        // A dash at the end of a label is punctuation: `a@b.example- and`.
        let label = text.slice(from, end);
        let dashes = label.iter().rev().take_while(|byte| **byte == b'-').count();
        let label = label.get(..label.len() - dashes).unwrap_or_default();
        if label.is_empty() || label.len() > 63 || end - start > DOMAIN_MAX {
            return found;
        }
        labels += 1;
        if labels >= 2 && is_top_level(label) {
            found = Some(from + label.len());
        }
        if dashes > 0 || text.at(end) != b'.' {
            return found;
        }
        from = end + 1;
    }
}

/// `package@1.2.0-beta.next` is a version, `icon@2x.png` a double-size image.
// [PRIV-38]
fn is_version(text: Text, start: usize) -> bool {
    let first = text.run_end(start, 8, |byte| byte.is_ascii_digit());
    let second = text.run_end(first + 1, 8, |byte| byte.is_ascii_digit());
    let numbers = text.at(first) == b'.' && second > first + 1 && !is_alnum(text.at(second));
    let scale = text.at(first) == b'x' && text.at(first + 1) == b'.';
    first > start && (numbers || scale)
}

/// Two letters or more, or the ASCII form of another script.
fn is_top_level(label: &[u8]) -> bool {
    let letters = label.iter().all(|byte| is_letter(*byte));
    label.len() >= 2 && (letters || label.starts_with(b"xn--"))
}
