//! Floor 1: the package, from its bytes to what it says. Nothing here decides about trust.

pub mod key;
pub mod listing;
pub mod manifest;
pub mod version;

/// The entry that says what the package is.
pub const MANIFEST_ENTRY: &str = "manifest.json";
/// The entry that holds the content hash and the signatures over it.
pub const SIGNATURE_ENTRY: &str = "signature.json";
/// The folder whose files the guest sees read-only.
pub const ASSETS_FOLDER: &str = "assets/";
