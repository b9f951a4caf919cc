//! Room: what the strings of a manifest may be: ids, hosts, guest paths, names and text for people.
//!
//! Each rule allows one spelling of one thing, so that equal means equal and a person who reads the
//! text sees what the machine compares.

use crate::limits::{LINE_BYTES_MAX, NAME_BYTES_MAX, NAME_DEPTH_MAX};

/// A reverse domain name of at least two labels.
// [MAN-10]
pub(crate) fn is_id(text: &str) -> bool {
    let labels = text.split('.');
    text.len() <= 128
        && labels.clone().count() >= 2
        // `xn--` is how other alphabets are written in domain names. An id is compared by people, and
        // some programs show such labels in letters that look like others.
        && labels.clone().all(|label| is_label(label) && !label.starts_with("xn--"))
}

/// One label of a domain name, in lower case (RFC 1123 §2.1).
pub(crate) fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A host name with an optional port: `api.example.com` or `localhost:8443`.
// [MAN-20] [MAN-21]
pub(crate) fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    // The last label of a name starts with a letter; where it does not, some parsers of addresses see
    // an IPv4 number (`127.1`, `0x7f000001`).
    let last_starts_with_letter = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()));
    host.len() <= 253
        && host.split('.').all(is_label)
        && last_starts_with_letter
        && port.is_none_or(is_port_to_state)
}

/// A port that has to be stated: 443 is what a host without one means.
fn is_port_to_state(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain && text.parse::<u16>().is_ok_and(|port| port != 443)
}

/// The root, or an absolute path of a guest directory in safe components.
// [MAN-22]
pub(crate) fn is_guest_directory(text: &str) -> bool {
    let Some(path) = text.strip_prefix('/') else { return false };
    if path.is_empty() {
        return true;
    }
    let component = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && part.bytes().all(allowed) && part.bytes().any(|byte| byte != b'.')
    };
    text.len() <= NAME_BYTES_MAX
        && path.split('/').count() <= NAME_DEPTH_MAX
        && path.split('/').all(component)
}

/// Whether two guest directories are the same or one lies in the other.
// [MAN-23]
pub(super) fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('/'), b.trim_end_matches('/'));
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(a, b) || inside(b, a)
}

/// `^[A-Za-z_][A-Za-z0-9_]{0,127}$`
// [MAN-25]
pub(crate) fn is_environment_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.len() <= 128 && text.starts_with(first) && text.bytes().all(is_word)
}

/// `^[A-Za-z][A-Za-z0-9_]{0,63}$`
// [MAN-30]
pub(crate) fn is_tool_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic();
    text.len() <= 64 && text.starts_with(first) && text.bytes().all(is_word)
}

/// `^[A-Z][A-Z0-9_]{0,31}$`
// [MAN-36]
pub(super) fn is_pattern_name(text: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let first = |c: char| c.is_ascii_uppercase();
    text.len() <= 32 && text.starts_with(first) && text.bytes().all(upper)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The name of a module at the top of the package.
// [MAN-16]
pub(super) fn is_module_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.len() <= NAME_BYTES_MAX
        && text.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty())
        && text.bytes().all(allowed)
}

/// The characters that SPDX licence expressions are made of.
// [MAN-13]
pub(super) fn is_license(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" .+-():".contains(&byte);
    is_line(text) && text.bytes().all(allowed)
}

/// An https address whose host is written as in `network`, so without user name or password.
// [MAN-14]
pub(super) fn is_https_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    text.len() <= LINE_BYTES_MAX && text.bytes().all(allowed) && is_host_and_port(host)
}

/// A short text on one line, such as a name.
// [MAN-08]
pub(crate) fn is_line(text: &str) -> bool {
    text.len() <= LINE_BYTES_MAX && is_text(text) && !text.contains(['\n', '\t'])
}

/// A text for people: not empty, and no white space around it.
// [MAN-08]
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty() && text.trim() == text
}
