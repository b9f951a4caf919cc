//! The content hash, which is the identity of a package, and the checksum list that it is taken over.
//!
//! The list is what `sha256sum` prints for all entries except `signature.json`, sorted by the bytes of
//! their names. `unzip`, `sha256sum` and `sort` reproduce it.

use crate::kernel::document::text_form;
use crate::kernel::encoding::{hash_text, sha256, sha256_hex};
use crate::kernel::prelude::*;

hash_text! {
    /// `sha256:` and 64 hexadecimal digits: the SHA-256 of the checksum list.
    ContentHash, "sha256:", pub
}

text_form!(ContentHash, "`sha256:` and 64 lower-case hexadecimal digits");

impl ContentHash {
    /// Returns the hash of a checksum list.
    // [HASH-02]
    pub fn from_checksum_list(list: &str) -> Self {
        ContentHash::of(&sha256(list.as_bytes()))
    }
}

/// Returns the checksum list of entries, which are given in ascending order of names.
// [HASH-01]
pub fn checksum_list<'a>(entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    entries
        .filter(|(name, _)| *name != super::SIGNATURE_ENTRY)
        .map(|(name, content)| format!("{}  {name}\n", sha256_hex(content)))
        .collect()
}
