//! Room: the content listing and the content hash, a package's one identity.
//!
//! The listing is what `sha256sum` prints for the entries other than `signature.json`, sorted by name
//! bytes, so anyone can rebuild it: `unzip`, `sha256sum`, `sort`.

use crate::kernel::document::text_form;
use crate::kernel::encoding::{hash_text, sha256, sha256_hex};
use crate::kernel::prelude::*;

hash_text! {
    /// `sha256:` and 64 hexadecimal digits: the SHA-256 of the listing.
    ContentHash, "sha256:", pub
}

text_form!(ContentHash, "`sha256:` and 64 lower-case hexadecimal digits");

impl ContentHash {
    /// The hash of a listing.
    // [HASH-02]
    pub fn of_listing(listing: &str) -> Self {
        ContentHash::of(&sha256(listing.as_bytes()))
    }
}

/// The listing of named contents, given in ascending order of names.
// [HASH-01]
pub fn listing<'a>(entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    entries
        .filter(|(name, _)| *name != super::SIGNATURE_ENTRY)
        .map(|(name, content)| format!("{}  {name}\n", sha256_hex(content)))
        .collect()
}
