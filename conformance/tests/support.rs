//! Shared by the tests: keys, small packages built on demand, temporary directories, and a trust store with the
//! test author.

use mpp::agent::Agent;
use mpp::package::key::SecretKey;
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::runtime::{Approver, CallResult, NoApprover, Runtime, ToolCall};
use mpp::trust::Validity;
use mpp::{CancelFlag, Code, Error, PermissionPolicy, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// When every test happens unless it says otherwise.
pub const NOW: &str = "2026-06-01T00:00:00Z";

pub fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

pub fn author() -> SecretKey {
    SecretKey::from_seed([1; 32]).unwrap()
}

pub fn approver() -> SecretKey {
    SecretKey::from_seed([2; 32]).unwrap()
}

/// The base point of edwards25519 plus a point of order 8.
pub const MIXED_ORDER_KEY: &str =
    "98519eadf35b995233b51b5cd23e9cc5a28b639b5a4af0ec903cb960d81b7819";

/// A guest that does nothing at all.
pub const SILENT_GUEST: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// A guest that writes `text` to stdout and ends.
pub fn saying(text: &str) -> String {
    let (length, escaped) = (text.len(), escape(text));
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\10\00\00\00")
  (data (i32.const 16) "{escaped}")
  (func (export "_start")
    (i32.store (i32.const 4) (i32.const {length}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
    )
}

/// A guest that writes one text to stdout and another to stderr.
pub fn saying_both(text: &str, log: &str) -> String {
    let (length, escaped, log_length) = (text.len(), escape(text), log.len());
    let log = escape(log);
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "{escaped}")
  (data (i32.const 32768) "{log}")
  (func $say (param $to i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (call $say (i32.const 2) (i32.const 32768) (i32.const {log_length}))
    (call $say (i32.const 1) (i32.const 16) (i32.const {length}))))"#
    )
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A response with one text block.
pub fn response(text: &str) -> String {
    serde_json::json!({
        "jsonrpc": "2.0", "id": 1,
        "result": { "content": [{ "type": "text", "text": text }] }
    })
    .to_string()
}

/// A manifest with one tool `run` that takes nothing in particular.
pub fn manifest(id: &str) -> serde_json::Value {
    serde_json::json!({
        "mpp_version": "1.0", "id": id, "version": "1.0.0", "name": "Test",
        "description": "A package for tests",
        "runtime": { "target": "wasm32-wasip1", "entry": "tool.wasm", "protocol": "json-rpc",
                     "memory_limit_mb": 4, "timeout_ms": 10000, "fuel": 20_000_000,
                     "output_limit_kb": 64 },
        "tools": [{ "name": "run", "description": "Runs", "sensitivity": "read",
                    "parameters": { "type": "object" } }],
        "privacy_filters": { "patterns": ["email"] }
    })
}

/// Package contents with that manifest and a guest in WebAssembly text.
pub fn contents(id: &str, guest: &str) -> BTreeMap<String, Vec<u8>> {
    contents_with(&manifest(id), guest)
}

pub fn contents_with(manifest: &serde_json::Value, guest: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
        ("tool.wasm".to_owned(), wat::parse_str(guest).unwrap()),
    ])
}

/// A package signed by [`author`].
pub fn package(id: &str, guest: &str) -> Vec<u8> {
    package_with(&manifest(id), guest)
}

pub fn package_with(manifest: &serde_json::Value, guest: &str) -> Vec<u8> {
    pack(contents_with(manifest, guest), &author(), now(), Compression::Stored).unwrap()
}

/// A directory that is removed when the test ends.
pub struct Folder(PathBuf);

static FOLDERS: AtomicU32 = AtomicU32::new(0);

impl Folder {
    pub fn new(name: &str) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let unique = format!("mpp-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The files below `folder` with this extension, by their paths.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A text without what only tests have, a statement that follows its condition: `layout.rs` sees to that.
pub fn without_tests(text: &str) -> String {
    let mut parts = text.split("#[cfg(test)]");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.filter_map(|part| Some(part.split_once(';')?.1)).collect::<String>()
}

/// The Rust files below `src/`: the path of each from there, and its text.
pub fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let source = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files_below(&root, "rs").into_iter().map(source).collect()
}

/// The policy of a file with these members besides its format.
pub fn policy(mut members: Value) -> PermissionPolicy {
    members["format"] = json!("mpp-policy/1");
    PermissionPolicy::from_json(members.to_string().as_bytes()).unwrap()
}

/// A trust store that knows [`author`] for `org.example` and [`approver`] for nothing of that.
pub fn trust() -> TrustStore {
    let mut store = TrustStore::empty();
    let (author, approver) = (author().public(), approver().public());
    store.add_publisher("Author", author, &["org.example"], Validity::ALWAYS).unwrap();
    store.add_publisher("Approver", approver, &["org.approver"], Validity::ALWAYS).unwrap();
    store
}

/// A separate host: a home directory with [`trust`] in it.
pub struct Host {
    folder: Folder,
}

impl Host {
    pub fn new(name: &str) -> Self {
        let host = Host { folder: Folder::new(name) };
        host.write("trust.json", trust().to_json().as_bytes());
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Returns a runtime on this home that approves packages of low risk automatically.
    pub fn runtime(&self) -> Runtime {
        self.runtime_with(PermissionPolicy::new().auto_approve_low(true))
    }

    pub fn runtime_with(&self, policy: PermissionPolicy) -> Runtime {
        Runtime::open(self.folder.path(), policy).unwrap()
    }

    pub fn log(&self) -> PathBuf {
        self.path("audit").join("audit.jsonl")
    }

    /// The records of the log, whose chain has to be whole.
    pub fn records(&self) -> Vec<Value> {
        // A call may run: under the lock no line is half written, and after it there may be more.
        let lock = std::fs::File::open(self.path("audit/audit.lock")).unwrap();
        lock.lock_shared().unwrap();
        let text = std::fs::read_to_string(self.log()).unwrap();
        drop(lock);
        let records: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let report = mpp::audit::verify(&self.log(), None).unwrap();
        assert!(report.records >= records.len() as u64);
        records
    }

    /// The records of a kind.
    pub fn records_of(&self, kind: &str) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| record["kind"] == kind);
        records
    }
}

/// Calls the tool `run` with no arguments, without an approver and without cancellation.
pub fn call(runtime: &Runtime, package: &[u8]) -> Result<CallResult, Error> {
    call_with(runtime, package, "run", json!({}), &NoApprover)
}

pub fn call_with(
    runtime: &Runtime,
    package: &[u8],
    tool: &str,
    arguments: Value,
    person: &dyn Approver,
) -> Result<CallResult, Error> {
    let call = ToolCall::new(tool, arguments).with_agent(Agent::self_reported("test agent", None));
    runtime.call(package, &call, person, &CancelFlag::default())
}

pub fn code<T: std::fmt::Debug>(result: &Result<T, Error>) -> Code {
    result.as_ref().unwrap_err().code()
}
