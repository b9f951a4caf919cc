//! Lexical rules of ids, hosts, ports, paths, headers, names and texts for people.
//!
//! Each rule exists once and allows one spelling of each thing, so that equal things have equal texts
//! and people see what is compared.

use crate::kernel::limits::{AGENT_NAME_CHARS_MAX, LINE_BYTES_MAX, NAME_BYTES_MAX, NAME_DEPTH_MAX};
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;

/// Header fields of the transport or of a single connection (RFC 9110, sections 7.2 and 7.6.1).
const TRANSPORT_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Where a guest finds the files of its package.
pub const ASSETS_MOUNT: &str = "/assets";
/// Where a guest finds its persistent storage.
pub const STORAGE_MOUNT: &str = "/storage";

/// Device names that Windows reserves in every directory, with any extension.
const WINDOWS_DEVICES: &[&str] = &["aux", "con", "nul", "prn"];
/// Device names that Windows reserves if a digit follows.
const WINDOWS_NUMBERED_DEVICES: &[&str] = &["com", "lpt"];

/// Returns `true` for a reverse domain name of at least two labels.
// [MAN-10]
pub fn is_id(text: &str) -> bool {
    let labels = text.split('.');
    text.len() <= 128 && labels.clone().count() >= 2 && labels.clone().all(is_id_label)
}

/// Returns `true` for a set of package ids in a rule: `*`, or labels of an id joined by dots.
// [TRUST-03]
pub fn is_namespace(text: &str) -> bool {
    text == "*" || (text.split('.').all(is_id_label) && text.len() <= NAME_BYTES_MAX)
}

/// Returns `true` for a label of a package id. `xn--` encodes labels in other alphabets; people compare ids,
/// and some programs display such labels in letters that look like others.
fn is_id_label(label: &str) -> bool {
    is_dns_label(label) && !label.starts_with("xn--")
}

/// Returns `true` for a label of a domain name, in lower case (RFC 1123 §2.1).
fn is_dns_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Returns `true` for a host name with an optional port: `api.example.com` or `localhost:8443`.
// [MAN-20] [MAN-21]
pub fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    // The last label starts with a letter: otherwise some address parsers read an IPv4 number
    // (`127.1`, `0x7f000001`).
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253
        && host.split('.').all(is_dns_label)
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
        // 443 is the default port, and has one spelling: none.
        && port.is_none_or(|port| read_port(port).is_some_and(|port| port != 443))
}

/// Parses a port from 1 to 65535, without leading zeros.
pub fn read_port(text: &str) -> Option<u16> {
    let port = text.parse::<u16>().ok()?;
    (port > 0 && port.to_string() == text).then_some(port)
}

/// Returns `true` for an absolute path of any supported system: a document is valid everywhere or nowhere.
// [POLICY-22]
pub fn is_absolute_path(text: &str) -> bool {
    let drive = |rest: &str| rest.starts_with(":\\") || rest.starts_with(":/");
    let windows = text.strip_prefix(|first: char| first.is_ascii_alphabetic()).is_some_and(drive);
    text.starts_with('/') || text.starts_with("\\\\") || windows
}

/// Returns `true` for the root or an absolute guest path of safe components, outside what the guest has anyway.
// [MAN-22] [MAN-24]
pub fn is_guest_directory(text: &str) -> bool {
    let Some(path) = text.strip_prefix('/') else { return false };
    if path.is_empty() {
        return true;
    }
    let component = |part: &str| {
        !part.is_empty() && has_only(part, b"._-") && part.bytes().any(|byte| byte != b'.')
    };
    text.len() <= NAME_BYTES_MAX
        && path.split('/').count() <= NAME_DEPTH_MAX
        && path.split('/').all(component)
        && ![ASSETS_MOUNT, STORAGE_MOUNT].iter().any(|mount| directories_overlap(text, mount))
}

/// Returns `true` if two guest directories are the same or one is inside the other.
// [MAN-23]
pub fn directories_overlap(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('/'), b.trim_end_matches('/'));
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(a, b) || inside(b, a)
}

/// Returns `true` for `^[A-Za-z_][A-Za-z0-9_]{0,127}$`.
// [MAN-25]
pub fn is_environment_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.len() <= 128 && text.starts_with(first) && has_only(text, b"_")
}

/// Returns `true` for `^[A-Za-z][A-Za-z0-9_-]{0,63}$`.
// [MAN-30]
pub fn is_tool_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic();
    text.len() <= 64 && text.starts_with(first) && has_only(text, b"_-")
}

/// Returns what some clients make of a tool's name: they fold case, and replace other characters by `_`.
// [STORE-02]
pub fn fold_tool_name(name: &str) -> String {
    name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// Returns `true` for `^[A-Z][A-Z0-9_]{0,31}$`.
// [MAN-36]
pub fn is_pattern_name(text: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let first = |c: char| c.is_ascii_uppercase();
    text.len() <= 32 && text.starts_with(first) && text.bytes().all(upper)
}

/// Returns `true` if a text consists of ASCII letters, digits and these marks.
fn has_only(text: &str, marks: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
}

/// Returns `true` for a module name in a manifest. It is stricter than
/// [`is_module_entry`](crate::kernel::package::is_module_entry), which finds any module of an archive.
// [MAN-16]
pub fn is_module_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty())
        && has_only(text, b"._-")
}

/// Returns `true` for a line of the characters in SPDX license expressions.
// [MAN-13]
pub fn is_license(text: &str) -> bool {
    is_line(text) && has_only(text, b" .+-():")
}

/// Returns `true` for an https URL with a host as in `network`, hence without user name and password.
// [MAN-14]
pub fn is_https_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    text.len() <= LINE_BYTES_MAX && text.bytes().all(allowed) && is_host_and_port(host)
}

/// Returns `true` for a short text on one line, such as a name.
// [MAN-08]
pub fn is_line(text: &str) -> bool {
    text.len() <= LINE_BYTES_MAX && is_text(text) && !text.contains(['\n', '\t'])
}

/// Returns `true` for a line without hidden characters, such as the name of a publisher or an approver.
pub fn is_visible_line(text: &str) -> bool {
    is_line(text) && !text.chars().any(is_hidden)
}

/// Returns `true` for a name that an agent can have after it was cut.
// [RUN-11]
pub fn is_agent_name(text: &str) -> bool {
    is_visible_line(text) && text.chars().count() <= AGENT_NAME_CHARS_MAX
}

/// Returns `true` for a text that is not empty and has no white space around it.
// [MAN-08]
pub fn is_text(text: &str) -> bool {
    !text.is_empty() && text.trim() == text
}

/// Returns `true` if a guest or a policy is allowed to set this header: a token (RFC 9110, section 5.6.2) in
/// lower case that does not belong to the transport.
// [DOOR-32]
pub fn is_header_name(name: &str) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !name.is_empty()
        && name.bytes().all(token)
        && !TRANSPORT_HEADERS.contains(&name)
        && !name.starts_with("proxy-")
}

/// Returns `true` for an allowed header value: printable ASCII without white space around it. A line break
/// would start another header.
// [DOOR-33]
pub fn is_header_value(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value
}

/// Returns `true` for a name that a guest can give a file or directory in storage.
// [STO-12]
pub fn is_file_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && !text.contains(['/', '\0'])
        && !matches!(text, "." | "..")
}

/// Checks the name of an archive entry.
///
/// # Errors
/// `archive.name`.
pub fn check_entry_name(bytes: &[u8]) -> Result<&str, Error> {
    let refuse = |why: &str| {
        let shown = bytes.get(..bytes.len().min(64)).unwrap_or_default().escape_ascii();
        Err(Error::new(Code::ArchiveName, format!("entry name \"{shown}\" {why}")))
    };
    // [NAME-01]
    if bytes.is_empty() || bytes.len() > NAME_BYTES_MAX {
        return refuse(&format!("is {} bytes, expected 1 to {NAME_BYTES_MAX}", bytes.len()));
    }
    // [NAME-02] these characters exclude separators, control characters, wild cards and look-alikes
    let Some(name) = core::str::from_utf8(bytes).ok().filter(|name| has_only(name, b"._-/")) else {
        return refuse("has a character other than letters, digits, `.`, `_`, `-` and `/`");
    };
    if name.split('/').count() > NAME_DEPTH_MAX {
        return refuse(&format!("has more than {NAME_DEPTH_MAX} components"));
    }
    for component in name.split('/') {
        // [NAME-03]
        if component.is_empty() {
            return refuse("is absolute, a directory, or has an empty component");
        }
        // [NAME-04] this also refuses `.` and `..`
        if component.ends_with('.') {
            return refuse("has a component ending in a dot");
        }
        // [NAME-05]
        if is_windows_device(component) {
            return refuse("has a component that Windows reserves for a device");
        }
    }
    Ok(name)
}

fn is_windows_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_suffix(|last: char| last.is_ascii_digit());
    WINDOWS_DEVICES.contains(&stem.as_str())
        || numbered.is_some_and(|stem| WINDOWS_NUMBERED_DEVICES.contains(&stem))
}

/// Refuses names that are equal on case-insensitive file systems, and names that are the directory of others.
///
/// # Errors
/// `archive.name_collision`.
pub fn check_entry_collisions(names: &[&str]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    // [NAME-06]
    for name in names {
        if !seen.insert(name.to_ascii_lowercase()) {
            let detail = format!("duplicate entry \"{name}\" (names are case-insensitive)");
            return Err(Error::new(Code::ArchiveNameCollision, detail));
        }
    }
    // [NAME-07]
    for name in names {
        let lower = name.to_ascii_lowercase();
        let mut parents = lower.match_indices('/').filter_map(|(at, _)| lower.get(..at));
        if let Some(parent) = parents.find(|parent| seen.contains(*parent)) {
            let detail = format!("entry \"{name}\" is inside \"{parent}\", which is a file");
            return Err(Error::new(Code::ArchiveNameCollision, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/names.rs"]
mod tests;
