//! What unit tests share: temporary directories, and packages that are signed and verified like any other.

use crate::kernel::gatekeeper::{AttestationResult, Gatekeeper};
use crate::kernel::package::key::SecretKey;
use crate::kernel::package::manifest::{Manifest, Tool};
use crate::kernel::package::writer::Compression;
use crate::kernel::package::MANIFEST_ENTRY;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::{TrustStore, Validity};
use crate::package::pack::{countersign, pack};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is removed when the test ends.
pub(crate) struct TempDir(pub(crate) PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mpp-unit-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        TempDir(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A module that does nothing.
pub(crate) const SILENT: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// The publishers of the trust store, and the ids that they are allowed to publish.
const PUBLISHERS: [(&str, &[&str]); 3] = [("Acme", &["*"]), ("Other", &["*"]), ("Approver", &[])];

fn key(publisher: &str) -> SecretKey {
    let at = PUBLISHERS.iter().position(|(name, _)| *name == publisher).unwrap();
    SecretKey::from_seed([u8::try_from(at).unwrap() + 1; 32]).unwrap()
}

/// The package of this manifest, module and assets, signed by these publishers in this order.
pub(crate) fn package(
    manifest: &Manifest,
    module: &str,
    assets: &[(&str, &[u8])],
    signed_by: &[&str],
) -> AttestationResult {
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let mut contents = BTreeMap::from([
        (MANIFEST_ENTRY.to_owned(), json_of(manifest).to_string().into_bytes()),
        (manifest.runtime.entry.clone(), wat::parse_str(module).unwrap()),
    ]);
    let assets = assets.iter().map(|(name, bytes)| (format!("assets/{name}"), bytes.to_vec()));
    contents.extend(assets);
    let (first, others) = signed_by.split_first().unwrap();
    let package = pack(contents, &key(first), now, Compression::Stored).unwrap();
    let sign = |package: Vec<u8>, name: &&str| countersign(&package, &key(name), now).unwrap();
    let package = others.iter().fold(package, sign);
    let mut trust = TrustStore::empty();
    for (name, namespaces) in PUBLISHERS {
        trust.add_publisher(name, key(name).public(), namespaces, Validity::ALWAYS).unwrap();
    }
    let verified = Gatekeeper::new(trust, now).verify(&package).unwrap();
    assert_eq!(*verified.manifest, *manifest);
    verified
}

/// Whether a package can have this manifest.
pub(crate) fn is_valid(manifest: &Manifest) -> bool {
    Manifest::parse(json_of(manifest).to_string().as_bytes()).is_ok()
}

/// The text of a manifest.
fn json_of(manifest: &Manifest) -> Value {
    let Manifest { runtime, capabilities, privacy_filters, .. } = manifest;
    let storage = capabilities.storage.map(|storage| json!({ "limit_kb": storage.limit_kb }));
    let custom: Vec<Value> = (privacy_filters.custom.iter())
        .map(|custom| json!({ "name": custom.name, "pattern": custom.pattern }))
        .collect();
    let mut text = json!({
        "mpp_version": manifest.mpp_version, "id": manifest.id, "version": manifest.version.to_string(),
        "name": manifest.name, "description": manifest.description, "authors": manifest.authors,
        "license": manifest.license, "homepage": manifest.homepage,
        "runtime": {
            "target": runtime.target, "entry": runtime.entry, "protocol": runtime.protocol.as_str(),
            "args": runtime.args, "memory_limit_mb": runtime.memory_limit_mb,
            "timeout_ms": runtime.timeout_ms, "fuel": runtime.fuel,
            "output_limit_kb": runtime.output_limit_kb,
        },
        "capabilities": {
            "network": capabilities.network, "environment": capabilities.environment,
            "filesystem": {
                "read": capabilities.filesystem.read, "write": capabilities.filesystem.write,
            },
            "storage": storage,
        },
        "tools": manifest.tools.iter().map(tool).collect::<Vec<_>>(),
        "privacy_filters": { "patterns": privacy_filters.patterns, "custom": custom },
    });
    without_null(&mut text);
    without_null(&mut text["capabilities"]);
    text
}

fn tool(tool: &Tool) -> Value {
    assert!(tool.command.is_none(), "no unit test needs one");
    let mut text = json!({
        "name": tool.name, "description": tool.description, "sensitivity": tool.sensitivity.as_str(),
        "parameters": tool.parameters.source(),
        "returns": tool.returns.as_ref().map(|schema| schema.source()),
    });
    without_null(&mut text);
    text
}

/// An absent member is not written.
fn without_null(object: &mut Value) {
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
}
