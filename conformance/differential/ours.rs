//! Room: one case in our sandbox: packed, signed, verified, granted its directory, run, and its
//! changes carried out.

use crate::{Case, Seen, GUEST_DIRECTORY, INPUT};
use mpp::package::key::SecretKey;
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::sandbox::ToolInput;
use mpp::secrets::FileSecretStore;
use mpp::trust::Validity;
use mpp::{CancelFlag, Code, Gatekeeper, PermissionPolicy, Timestamp, TrustStore, WasmSandbox};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Runs the guest of a case on this directory.
pub fn run(case: &Case, guest: &[u8], directory: &Path) -> Seen {
    let key = SecretKey::from_seed([1; 32]).unwrap();
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let contents = BTreeMap::from([
        ("manifest.json".to_owned(), manifest(case).into_bytes()),
        ("tool.wasm".to_owned(), guest.to_vec()),
    ]);
    let package = pack(contents, &key, now, Compression::Stored).unwrap();
    let mut trust = TrustStore::empty();
    trust.add_publisher("Author", key.public(), &["org.example"], Validity::ALWAYS).unwrap();
    let attestation = Gatekeeper::new(trust, now).verify(&package).unwrap();

    let mut policy = PermissionPolicy::new().map_directory(GUEST_DIRECTORY, directory);
    for (name, value) in case.environment {
        policy = policy.allow_env(*name, *value);
    }
    let token = policy.confirm(&attestation.manifest, "test").unwrap();
    let token = token.resolve_from(&FileSecretStore::new(directory)).unwrap(); // it names no secret
    let request = ToolInput { args: Vec::new(), stdin: INPUT.to_vec() };
    let sandbox = WasmSandbox::new().unwrap();
    let mut run = sandbox.run(&attestation.wasm_binary, &token, request, &CancelFlag::default());
    let end = match run.outcome.and_then(|()| run.changes.apply()) {
        Ok(()) => "exit 0".to_owned(),
        Err(error) => match (error.code(), error.detail().split_once("exit status ")) {
            (Code::ToolExit, Some((_, status))) => format!("exit {status}"),
            (Code::ToolStack, _) => "stack exhausted".to_owned(),
            (Code::ToolTrap, _) => "trap".to_owned(),
            (code, _) => code.as_str().to_owned(),
        },
    };
    Seen::new(end, &run.stdout, directory)
}

fn manifest(case: &Case) -> String {
    let variables: Vec<&str> = case.environment.iter().map(|(name, _)| *name).collect();
    json!({
        "mpp_version": "1.0", "id": "org.example.guest", "version": "1.0.0", "name": "Guest",
        "description": "A guest of the comparison",
        "runtime": {
            "target": "wasm32-wasip1", "entry": "tool.wasm", "protocol": "json-rpc", "args": case.args,
            "memory_limit_mb": 16, "timeout_ms": 60000, "fuel": 20_000_000_000_u64, "output_limit_kb": 1024
        },
        "capabilities": {
            "filesystem": { "write": [GUEST_DIRECTORY] },
            "environment": variables
        },
        "tools": [{
            "name": "run", "description": "Runs", "sensitivity": "write", "parameters": { "type": "object" }
        }]
    })
    .to_string()
}
