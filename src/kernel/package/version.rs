//! Room: versions, as Semantic Versioning 2.0.0 orders them, for rollback protection.

use crate::kernel::document::text_form;
use crate::kernel::prelude::*;
use core::cmp::Ordering;

/// A version such as `1.2.0` or `1.2.0-rc.1`. Build metadata (`+...`) is refused: two versions that
/// differ only there have no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre_release: Vec<String>,
}

text_form!(Version, "a semantic version such as 1.2.0, without build metadata");

impl Version {
    /// Reads a version of at most 64 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let (core, pre_release) = match text.split_once('-') {
            Some((core, rest)) => (core, rest.split('.').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let mut parts = core.split('.').map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        let identifiers_valid = pre_release.iter().all(|part: &String| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            let allowed = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            allowed && !part.is_empty() && (!digits || number(part).is_some())
        });
        (parts.next().is_none() && identifiers_valid).then_some(Version { numbers, pre_release })
    }
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

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater, // a release is newer than its candidates
                (false, true) => Ordering::Less,
                (false, false) => compare_identifiers(&self.pre_release, &other.pre_release),
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers by value and below words; words by bytes; the longer list wins over its own beginning.
fn compare_identifiers(left: &[String], right: &[String]) -> Ordering {
    for (a, b) in left.iter().zip(right) {
        let order = match (number(a), number(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        match self.pre_release.is_empty() {
            true => Ok(()),
            false => write!(out, "-{}", self.pre_release.join(".")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_order_of_semver_11_holds() {
        let ascending = [
            "0.0.9",
            "0.1.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.10",
            "1.2.0",
            "10.0.0",
        ];
        let parsed: Vec<_> = ascending.iter().map(|t| Version::parse(t).expect(t)).collect();
        assert!(parsed.windows(2).all(|pair| pair[0] < pair[1]));
        for (text, version) in ascending.iter().zip(&parsed) {
            assert_eq!(&version.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_version_is_rejected() {
        for text in [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "01.0.0",
            "1.00.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0-a..b",
            "1.0.0+build",
            "v1.0.0",
            "1.0.0 ",
            "1.0.-1",
            "+1.0.0",
            "1.0.99999999999999999999",
        ] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }
}
