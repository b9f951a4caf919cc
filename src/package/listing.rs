//! Room: the content listing and the content hash, a package's one identity.
//!
//! The listing is what `sha256sum` prints for the entries other than `signature.json`, sorted by name
//! bytes, so anyone can rebuild it: `unzip`, `sha256sum`, `sort`.

use crate::document::text_form;
use crate::encoding::{sha256_hex, unhex};
use std::fmt;

/// `sha256:` and 64 hexadecimal digits: the SHA-256 of the listing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(String);

text_form!(ContentHash, "`sha256:` and 64 lower-case hexadecimal digits");

impl ContentHash {
    /// The hash of a listing.
    // [HASH-02]
    #[must_use]
    pub fn of_listing(listing: &str) -> Self {
        ContentHash(format!("sha256:{}", sha256_hex(listing.as_bytes())))
    }

    /// Reads the one allowed form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        unhex::<32>(text.strip_prefix("sha256:")?).map(|_| ContentHash(text.to_owned()))
    }

    /// The text, with its prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The listing of named contents, given in ascending order of names.
// [HASH-01]
#[must_use]
pub fn listing<'a>(entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    entries
        .filter(|(name, _)| *name != super::SIGNATURE_ENTRY)
        .map(|(name, content)| format!("{}  {name}\n", sha256_hex(content)))
        .collect()
}
