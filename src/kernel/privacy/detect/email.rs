//! Email addresses, detected at their `@`.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::KindMatch;
use super::context_words::is_file_suffix;
use super::text_view::{is_alnum, is_letter, is_word, Text, IDEOGRAPH};

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 253;
/// How far the path of a copied file is read.
const PATH_MAX: usize = 64;

/// Returns the address around the `@` at `at`, if there is one.
// [PRIV-35]
pub(super) fn find(text: Text, at: usize) -> Option<KindMatch> {
    let domain = domain_end(text, at + 1).filter(|end| !is_file_name(text, *end));
    let end = domain.or_else(|| literal_end(text, at + 1))?;
    let start = local_start(text, at)?;
    (!is_remote(text, start, at, end)).then_some((Kind::Email, start, end))
}

/// Returns the start of the local part that ends at `end`.
// [PRIV-36]
fn local_start(text: Text, end: usize) -> Option<usize> {
    let local = |byte: u8| is_alnum(byte) || b"._%+-'!#$^*~".contains(&byte);
    let opened = |open: u8| {
        let start = text.run_start(end - 1, LOCAL_MAX, |byte| byte != open && byte != b'\n');
        (text.before(start) == open && start < end - 1).then(|| start - 1)
    };
    let end = match text.before(end) {
        // `"ann lee"@`, `{ann,lee}@`, `ann(night)@`.
        b'"' => return opened(b'"'),
        b'}' => return opened(b'{'),
        b')' => opened(b'(')?,
        IDEOGRAPH => {
            let wide = |byte: u8| local(byte) || byte == IDEOGRAPH;
            return Some(text.run_start(end, LOCAL_MAX, wide));
        }
        _ => end,
    };
    // Marks that quote or emphasize an address are not part of it.
    let widest = text.run_start(end, LOCAL_MAX, local);
    let start = text.run_end(widest, LOCAL_MAX, |byte| !is_alnum(byte) && !b"_+".contains(&byte));
    (start < end).then_some(start)
}

/// Returns the end of an IP address in brackets (RFC 5321 section 4.1.3).
fn literal_end(text: Text, start: usize) -> Option<usize> {
    if text.at(start) != b'[' {
        return None;
    }
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.');
    let end = text.run_end(start + 1, LOCAL_MAX, inside);
    let numbered = text.slice(start, end).iter().any(u8::is_ascii_digit);
    (text.at(end) == b']' && numbered).then_some(end + 1)
}

/// `git@host.example:team/x.git`, `ssh://git@host.example`, `return@loop.next`: an account of a program or a
/// name in code.
// [PRIV-38]
fn is_remote(text: Text, start: usize, at: usize, end: usize) -> bool {
    let user = |byte: u8| is_alnum(byte) || b"._%+-:!$&*~".contains(&byte);
    let url = text.run_start(start, LOCAL_MAX, user);
    if text.slice(url.saturating_sub(3), url) == b"://" {
        return true;
    }
    let copied = text.at(end) == b':' && {
        let first = |byte: u8| !byte.is_ascii_whitespace() && !b"/@\"'<>".contains(&byte);
        let path = text.run_end(end + 1, PATH_MAX, first);
        text.at(path) == b'/' || text.slice(end, path).ends_with(b".git")
    };
    let called = text.upto(end, 2) == b"()";
    let reserved: [&[u8]; 6] = [b"git", b"return", b"break", b"continue", b"this", b"super"];
    called || copied || reserved.contains(&text.slice(start, at))
}

/// Whether the last label of a domain ends the names of files or units: `bg@dark.png`, `x@y.service`.
fn is_file_name(text: Text, end: usize) -> bool {
    is_file_suffix(text, text.run_start(end, LOCAL_MAX, is_letter))
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
        let end = text.run_end(from, 64, |byte| is_word(byte) || byte == b'-');
        // A dash at the end of a label is punctuation: `a@b.example- and`.
        let label = text.slice(from, end);
        let dashes = label.iter().rev().take_while(|byte| **byte == b'-').count();
        let label = label.get(..label.len() - dashes).unwrap_or_default();
        if label.is_empty() || label.len() > 63 || end - start > DOMAIN_MAX {
            return found;
        }
        labels += 1;
        // Machines have names with `_`, top-level domains have not.
        let top = label.split(|byte| *byte == b'_').next().unwrap_or_default();
        if labels >= 2 && is_top_level(top) {
            found = Some(from + top.len());
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
