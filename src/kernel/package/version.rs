//! Package versions in the order of Semantic Versioning 2.0.0, for rollback protection.

use crate::kernel::document::text_form;
use crate::kernel::prelude::*;

/// A version such as `1.2.0` or `1.2.0-rc.1`. Build metadata (`+...`) is refused: versions that differ
/// only there have no order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    // The derived order compares the fields in this order.
    numbers: [u64; 3],
    /// A release is newer than its pre-releases.
    is_release: bool,
    pre_release: Vec<Identifier>,
}

/// A pre-release identifier: numbers are ordered by value and before texts, texts by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

text_form!(Version, "a semantic version such as 1.2.0, without build metadata");

impl Version {
    /// Reads a version of at most 64 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let (core, rest) = match text.split_once('-') {
            Some((core, rest)) => (core, Some(rest)),
            None => (text, None),
        };
        let mut parts = core.split('.').map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        let identifiers = rest.into_iter().flat_map(|rest| rest.split('.')).map(identifier);
        let pre_release = identifiers.collect::<Option<Vec<_>>>()?;
        let is_release = rest.is_none();
        parts.next().is_none().then_some(Version { numbers, is_release, pre_release })
    }
}

fn identifier(text: &str) -> Option<Identifier> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return number(text).map(Identifier::Number);
    }
    let allowed = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    allowed.then(|| Identifier::Text(text.to_owned()))
}

/// A decimal number without leading zeros.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain {
        text.parse().ok()
    } else {
        None
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        for (at, identifier) in self.pre_release.iter().enumerate() {
            out.write_str(if at == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(out, "{number}")?,
                Identifier::Text(text) => out.write_str(text)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "../../../conformance/unit/kernel/package/version.rs"]
mod tests;
