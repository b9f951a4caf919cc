//! Floor 1: the package, from its bytes to what it says. Nothing here decides about trust.

pub mod archive;
pub mod content_hash;
pub mod key;
pub mod manifest;
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

/// Whether a package may hold an entry of this name.
// [PKG-02]
#[must_use]
pub fn is_package_file(name: &str) -> bool {
    name.starts_with(ASSETS_FOLDER)
        || is_module_entry(name)
        || [MANIFEST_ENTRY, SIGNATURE_ENTRY].contains(&name)
        || OPTIONAL_ENTRIES.contains(&name)
}

/// Whether an entry is a module: one lies at the top and ends in `.wasm`.
#[must_use]
pub fn is_module_entry(name: &str) -> bool {
    name.ends_with(".wasm") && !name.contains('/')
}
