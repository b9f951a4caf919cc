//! Floor 1: the package, from its bytes to what it says. Nothing here decides about trust.

pub mod archive;
pub mod key;
pub mod listing;
pub mod manifest;
mod name;
pub mod pack;
pub mod schema;
pub mod signature;
pub mod version;
pub mod writer;

/// The entry that says what the package is.
pub const MANIFEST_ENTRY: &str = "manifest.json";
/// The entry that holds the content hash and the signatures over it.
pub const SIGNATURE_ENTRY: &str = "signature.json";
/// Entries for people.
pub const OPTIONAL_ENTRIES: &[&str] = &["LICENSE", "README.md"];
/// The folder whose files the guest sees read-only.
pub const ASSETS_FOLDER: &str = "assets/";
