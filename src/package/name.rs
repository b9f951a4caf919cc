//! Room: which names an entry can have, so that one name is one file on every system.

use crate::error::{Code, Error};
use crate::limits;
use std::collections::BTreeSet;

/// Names that Windows reserves in every folder, whatever the extension.
const WINDOWS_DEVICES: &[&str] = &["aux", "con", "nul", "prn"];
/// These too, with a digit behind.
const WINDOWS_NUMBERED_DEVICES: &[&str] = &["com", "lpt"];

/// Checks the bytes of one name.
///
/// # Errors
/// `archive.name`.
pub(super) fn check_name(bytes: &[u8]) -> Result<&str, Error> {
    let refuse = |why: &str| {
        let shown = bytes.get(..bytes.len().min(64)).unwrap_or_default().escape_ascii();
        Err(Error::new(Code::ArchiveName, format!("entry name \"{shown}\" {why}")))
    };
    // [NAME-01]
    if bytes.is_empty() || bytes.len() > limits::NAME_BYTES_MAX {
        return refuse("is empty or too long");
    }
    // [NAME-02] the alphabet leaves out every separator, control, wild card and non-ASCII look-alike
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    let Some(name) = std::str::from_utf8(bytes).ok().filter(|_| bytes.iter().all(allowed)) else {
        return refuse("has a character other than letters, digits, `.`, `_`, `-` and `/`");
    };
    if name.split('/').count() > limits::NAME_DEPTH_MAX {
        return refuse("lies too deep");
    }
    for component in name.split('/') {
        // [NAME-03]
        if component.is_empty() {
            return refuse("is absolute, a folder, or has an empty component");
        }
        // [NAME-04] this also refuses `.` and `..`
        if component.ends_with('.') {
            return refuse("has a component that ends in a dot");
        }
        // [NAME-05]
        if is_windows_device(component) {
            return refuse("has a component that is a device on some systems");
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

/// No two names are one file where case is ignored, and no name is another's folder.
///
/// # Errors
/// `archive.name_collision`.
pub(super) fn check_collisions(names: &[&str]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    // [NAME-06]
    for name in names {
        if !seen.insert(name.to_ascii_lowercase()) {
            let detail = format!("entry {name} stands twice, but for its case");
            return Err(Error::new(Code::ArchiveNameCollision, detail));
        }
    }
    // [NAME-07]
    for name in names {
        let lower = name.to_ascii_lowercase();
        let mut folders = lower.match_indices('/').filter_map(|(at, _)| lower.get(..at));
        if let Some(folder) = folders.find(|folder| seen.contains(*folder)) {
            let detail = format!("entry {name} lies in {folder}, which is a file");
            return Err(Error::new(Code::ArchiveNameCollision, detail));
        }
    }
    Ok(())
}
