//! The order of the checks: packages with a fault for each check from one on.

use super::case::Case;
use super::crypto::{base64, AUTHOR};
use super::package::Package;
use super::publisher::store_path;
use super::zip::Entry;

pub fn cases() -> Vec<Case> {
    let codes = [
        "archive.field",
        "structure.unknown_entry",
        "content.hash_mismatch",
        "signature.invalid",
        "publisher.unknown",
        "manifest.bad_value",
        "module.invalid",
    ];
    let mut cases = Vec::new();
    for (code, first) in codes.into_iter().zip(1..) {
        let title = format!("A fault for check {first} and for each check after it");
        cases.push(
            faulty_from(first)
                .says(
                    &title,
                    "The first check that fails ends it, so every implementation reports the same reason.",
                )
                .spec("GATE-01")
                .refused(code),
        );
    }
    cases
}

fn faulty_from(first: u8) -> Case {
    // The last checks' faults are in what is signed.
    let mut manifest = super::package::manifest();
    if first <= 6 {
        manifest["version"] = "one".into();
    }
    let package = Package::new().with_manifest(&manifest).with("tool.wasm", "no module");
    let mut signature = package.signature();
    if first <= 4 {
        signature["signatures"][0]["signature"] = base64(&AUTHOR.sign(b"something else")).into();
    }
    if first <= 3 {
        signature["content_hash"] = format!("sha256:{}", "0".repeat(64)).into();
    }
    let mut zip = package.with("signature.json", signature.to_string()).zip();
    if first <= 2 {
        zip.entries.insert(1, Entry::stored(b"notes.txt", b"x"));
    }
    if first <= 1 {
        zip.entry("tool.wasm").made_by = 0;
    }
    let store = if first <= 5 { "empty" } else { "author" };
    Case::verify(first, &format!("gate/first-is-check-{first}"), zip.bytes())
        .with("trust", store_path(store))
}
