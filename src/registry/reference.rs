//! `oci:DIR[:TAG]` and `docker://HOST/NAME[:TAG]`: where a package is.

use mpp::{Code, Error};
use std::path::PathBuf;

/// The longest tag (OCI distribution 1.1).
const TAG_BYTES_MAX: usize = 128;

/// A place in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An image layout in a directory.
    Layout { directory: PathBuf, tag: Option<String> },
    /// A registry that skopeo reaches: what follows `docker://`.
    Remote(String),
}

impl Reference {
    /// Returns `None` for a text that begins with neither `oci:` nor `docker://`.
    ///
    /// # Errors
    /// `usage`: what follows names no place.
    // [REG-01]
    pub fn parse(text: &str) -> Option<Result<Self, Error>> {
        let invalid = || {
            let detail = format!("{text:?} is neither oci:DIR[:TAG] nor docker://HOST/NAME[:TAG]");
            Err(Error::new(Code::Usage, detail))
        };
        if let Some(rest) = text.strip_prefix("docker://") {
            // It becomes an argument of skopeo: never an option, and one word.
            let is_name = rest.contains('/')
                && rest.bytes().all(|byte| byte.is_ascii_graphic())
                && !rest.starts_with(['-', '/']);
            return Some(if is_name { Ok(Reference::Remote(rest.to_owned())) } else { invalid() });
        }
        let rest = text.strip_prefix("oci:")?;
        let (directory, tag) = match rest.rsplit_once(':') {
            Some((directory, tag)) if is_tag(tag) => (directory, Some(tag.to_owned())),
            _ => (rest, None),
        };
        if directory.is_empty() {
            return Some(invalid());
        }
        Some(Ok(Reference::Layout { directory: PathBuf::from(directory), tag }))
    }
}

/// Returns whether a text is a tag: a letter, digit or `_`, then also `.` and `-`.
pub fn is_tag(text: &str) -> bool {
    text.len() <= TAG_BYTES_MAX
        && !text.starts_with(['.', '-'])
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
