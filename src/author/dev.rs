//! `mpp dev`: calls of a package that is not signed yet, with a key and a home that exist for one run.

use super::web::Web;
use mpp::bundle::Organisation;
use mpp::network::{CurlTransport, HttpTransport, Services};
use mpp::package::key::{random_bytes, SecretKey};
use mpp::package::manifest::{Protocol, Tool};
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use mpp::sandbox::{Execution, ToolInput};
use mpp::secrets::FileSecretStore;
use mpp::storage::FileStorage;
use mpp::trust::Validity;
use mpp::{
    AttestationResult, CancelFlag, Code, Error, Gatekeeper, Manifest, PermissionPolicy,
    PrivacyFilterEngine, Timestamp, TrustStore, WasmSandbox,
};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Files of a project that are watched; more belong to something else.
const WATCHED_COUNT_MAX: usize = 10_000;
const WATCHED_DEPTH_MAX: usize = 16;
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Runs the build script of a project, which prints to stderr, and returns its exit status.
pub fn build(project: &Path) -> Result<u8, Error> {
    let script = project.join("build");
    let failed = |why: String| Error::new(Code::HostFile, format!("{}: {why}", script.display()));
    match fs::metadata(&script) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(failed("is not a file".to_owned())),
        Err(error) => {
            return Err(failed(format!("{error}; without a build script, pass --no-build")))
        }
    }
    // A relative path would be taken from the new current directory on some systems.
    let program = fs::canonicalize(&script).map_err(|error| failed(error.to_string()))?;
    let status = Command::new(program)
        .current_dir(project)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| failed(format!("{error}; a build script is executable (chmod +x)")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(1))
}

/// A directory that only this user can read, and that is removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Self, Error> {
        let name: String =
            random_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("mpp-dev-{name}"));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| file_error(&path, &error))?;
        Ok(Home(path))
    }

    fn directory(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.0.join(name);
        fs::create_dir(&path).map_err(|error| file_error(&path, &error))?;
        Ok(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::HostFile, format!("{}: {error}", path.display()))
}

/// What the author provides for the requested resources.
#[derive(Default)]
pub struct Provided {
    /// Host directories by guest path.
    pub directories: BTreeMap<String, String>,
    pub variables: BTreeMap<String, String>,
}

/// A package that can be called.
pub struct Session {
    attestation: AttestationResult,
    policy: PermissionPolicy,
    sandbox: WasmSandbox,
    filter: PrivacyFilterEngine,
    home: Home,
}

/// What one call did.
pub struct Called {
    pub run: Execution,
    /// Why a host would refuse the call before the tool runs.
    pub refused: Option<String>,
    /// What the agent would receive, before the filter.
    pub result: Result<mpp::sandbox::ToolResult, Error>,
    /// Content and structured content after the filter.
    pub filtered: Value,
    pub redacted: Value,
}

impl Session {
    /// Packs and verifies files that the check found without an error.
    pub fn open(
        contents: BTreeMap<String, Vec<u8>>,
        manifest: &Manifest,
        provided: &Provided,
        web: Option<Web>,
    ) -> Result<Self, Error> {
        let (key, now) = (SecretKey::generate(), Timestamp::now());
        let package = pack(contents, &key, now, Compression::Stored)?;
        let mut trust = TrustStore::empty();
        trust.add_publisher("mpp dev", key.public(), &[&manifest.id], Validity::ALWAYS)?;
        // The throw-away key would count although the organisation does not trust it.
        if let Some(organisation) = Organisation::of_this_computer()? {
            let name = &organisation.bundle().organisation;
            let detail = format!("{name} decides what runs on this computer: try tools on another");
            return Err(Error::new(Code::PolicyDenied, detail));
        }
        let attestation = Gatekeeper::new(trust, now).verify(&package)?;
        let home = Home::new()?;
        let policy = policy(manifest, provided, &home)?;
        let filter = policy.privacy_filter(&manifest.id, &manifest.privacy_filters)?;
        let storage = FileStorage::new(home.directory("storage")?);
        let http: Arc<dyn HttpTransport> = match web {
            Some(web) => Arc::new(web),
            None => Arc::new(CurlTransport::new(None)),
        };
        let services = Services { http: Some(http), storage: Some(Arc::new(storage)) };
        let sandbox = WasmSandbox::new()?.with_services(services);
        Ok(Session { attestation, policy, sandbox, filter, home })
    }

    pub fn protocol(&self) -> Protocol {
        self.attestation.manifest.runtime.protocol
    }

    /// Calls a tool, also with arguments that its schema refuses, to see its own answer to them.
    pub fn call(&self, name: &str, arguments: &Value) -> Result<Called, Error> {
        let tools = &self.attestation.manifest.tools;
        let tool = tools.iter().find(|tool| tool.name == name);
        let refused = match tool {
            None => Some(format!("no tool \"{name}\" in the manifest")),
            Some(tool) => tool.parameters.validate(arguments).err().map(|it| it.to_string()),
        };
        let input = match tool {
            Some(tool) => ToolInput::new(self.protocol(), tool, arguments, None)?,
            None if self.protocol() == Protocol::JsonRpc => {
                let params = json!({ "name": name, "arguments": arguments });
                request(
                    &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
                        .to_string(),
                )
            }
            None => {
                let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
                let detail = format!("no tool \"{name}\"; there is {}", names.join(", "));
                return Err(Error::new(Code::RequestTool, detail));
            }
        };
        self.send(input, tool, refused)
    }

    /// Sends a request unmodified.
    pub fn call_raw(&self, text: &str) -> Result<Called, Error> {
        self.send(request(text), None, None)
    }

    fn send(
        &self,
        input: ToolInput,
        tool: Option<&Tool>,
        refused: Option<String>,
    ) -> Result<Called, Error> {
        let manifest = &self.attestation.manifest;
        // A new token for each call, since tokens expire.
        let token = self.policy.confirm(manifest, "mpp dev")?;
        let token = token.resolve_from(&FileSecretStore::new(&self.home.0))?;
        let cancel = CancelFlag::default();
        let run = self.sandbox.run(&self.attestation.wasm_binary, &token, input, &cancel);
        let command = tool.and_then(|tool| tool.command.as_ref());
        let mut result = run.tool_result(self.protocol(), command).and_then(|result| {
            let returns = tool.and_then(|tool| tool.returns.as_ref()).filter(|_| !result.is_error);
            let value = result.structured_content.as_ref().unwrap_or(&Value::Null);
            let violation = returns.and_then(|schema| schema.validate(value).err());
            match violation {
                Some(it) => Err(Error::new(
                    Code::ToolBadReturn,
                    format!("invalid structured content: {it}"),
                )),
                None => Ok(result),
            }
        });
        if result.as_ref().is_ok_and(|result| !result.is_error) {
            if let Err(error) = run.changes.clone().apply() {
                result = Err(error);
            }
        }
        let (filtered, report) = match &result {
            Ok(result) => self.filter.redact_json(&json!({
                "content": result.content, "structuredContent": result.structured_content,
            })),
            Err(_) => self.filter.redact_json(&Value::Null),
        };
        Ok(Called { run, refused, result, filtered, redacted: report.to_json() })
    }
}

fn request(text: &str) -> ToolInput {
    ToolInput { args: Vec::new(), stdin: text.as_bytes().to_vec() }
}

/// Grants everything that the manifest requests. What the author provides no directory for gets an empty one.
fn policy(
    manifest: &Manifest,
    provided: &Provided,
    home: &Home,
) -> Result<PermissionPolicy, Error> {
    let asked = &manifest.capabilities;
    let requested = [asked.filesystem.read.as_slice(), asked.filesystem.write.as_slice()].concat();
    let unrequested = |option: &str, given: &BTreeMap<String, String>, requested: &[String]| {
        let name = given.keys().find(|name| !requested.contains(name))?;
        let detail = format!("{option} {name}: the manifest does not request it");
        Some(Error::new(Code::Usage, detail))
    };
    let refused = unrequested("--map", &provided.directories, &requested);
    let refused = refused.or(unrequested("--env", &provided.variables, &asked.environment));
    if let Some(error) = refused {
        return Err(error);
    }
    let mut policy = PermissionPolicy::new();
    for (number, guest) in requested.iter().enumerate() {
        policy = match provided.directories.get(guest) {
            Some(host) => policy.map_directory(guest, host),
            None => policy.map_directory(guest, home.directory(&format!("directory-{number}"))?),
        };
    }
    let variables = provided.variables.iter();
    Ok(variables.fold(policy, |policy, (name, value)| policy.allow_env(name, value)))
}

/// Builds and runs at once and after each change of a project's files, until `run` returns `false`.
pub fn watch<B>(project: &Path, build: impl Fn() -> B, run: impl Fn(B) -> bool) {
    // Files that changed during a build, which it may have written itself.
    let mut written = BTreeSet::new();
    loop {
        let before = fingerprint(project);
        let built = build();
        let after = fingerprint(project);
        if !run(built) {
            return;
        }
        let changed = after.iter().filter(|(path, state)| before.get(*path) != Some(*state));
        // The author may have changed them as well: they lead to one more build, once.
        let news = changed.filter(|(path, _)| written.insert((*path).clone())).count();
        while news == 0 && fingerprint(project) == after {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

/// The files of a project with their times and sizes, without what a build writes.
type Fingerprint = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

fn fingerprint(project: &Path) -> Fingerprint {
    let mut found = BTreeMap::new();
    collect_times(project, 0, &mut found);
    found
}

fn collect_times(directory: &Path, depth: usize, found: &mut Fingerprint) {
    let items = fs::read_dir(directory).into_iter().flatten().flatten();
    for item in items {
        let path = item.path();
        let Ok(kind) = item.metadata() else { continue };
        let name = item.file_name();
        let is_built = ["target", "node_modules", ".git"].iter().any(|it| name == *it)
            || path.extension().is_some_and(|ending| ending == "wasm");
        if is_built || found.len() >= WATCHED_COUNT_MAX {
            continue;
        }
        if kind.is_dir() && depth < WATCHED_DEPTH_MAX {
            collect_times(&path, depth.saturating_add(1), found);
        } else if kind.is_file() {
            found.insert(path, (kind.modified().ok(), kind.len()));
        }
    }
}
