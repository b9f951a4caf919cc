//! The package format: archive, content hash, signatures, manifest. Nothing here decides about trust.

pub mod archive;
pub mod content_hash;
pub mod key;
pub mod manifest;
pub mod schema;
pub mod signature;
pub mod version;
pub mod writer;

/// The entry with the manifest.
pub const MANIFEST_ENTRY: &str = "manifest.json";
/// The entry with the content hash and the signatures over it.
pub const SIGNATURE_ENTRY: &str = "signature.json";
/// Optional entries for people.
pub const OPTIONAL_ENTRIES: &[&str] = &["LICENSE", "README.md"];
/// The directory that the guest sees read-only at `/assets`.
pub const ASSETS_PREFIX: &str = "assets/";

/// Returns `true` if a package can contain an entry of this name.
// [PKG-02]
#[must_use]
pub fn is_package_file(name: &str) -> bool {
    name.starts_with(ASSETS_PREFIX)
        || is_module_entry(name)
        || [MANIFEST_ENTRY, SIGNATURE_ENTRY].contains(&name)
        || OPTIONAL_ENTRIES.contains(&name)
}

/// Returns `true` if an entry is a module: a `.wasm` file at the top level.
#[must_use]
pub fn is_module_entry(name: &str) -> bool {
    name.ends_with(".wasm") && !name.contains('/')
}
