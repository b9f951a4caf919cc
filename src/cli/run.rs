//! `mpp run`: one call of one tool, with approval at the terminal.

use super::consent::TerminalApprover;
use super::{download, read_bytes, terminal, trust, usage_error, CommandOutput};
use crate::registry::layout::Layout;
use crate::registry::reference::Reference;
use crate::registry::transfer;
use argh::{ArgsInfo, FromArgs};
use mpp::gatekeeper::{self, read_package};
use mpp::network::CurlTransport;
use mpp::package::content_hash::ContentHash;
use mpp::package::manifest::Manifest;
use mpp::package::{archive, MANIFEST_ENTRY};
use mpp::policy::PermissionPolicy;
use mpp::runtime::PackageSource as _;
use mpp::runtime::{CallResult, Runtime, ToolCall};
use mpp::store::PackageStore;
use mpp::trust::{namespace_contains, TrustStore, Validity};
use mpp::{home, json, CancelFlag, Code, Error};
use serde_json::{json, Value};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Run one tool of a package
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "run")]
#[argh(note = "Without a policy file, packages that request nothing run; others need approval")]
pub struct Run {
    /// file, https URL, oci:DIR:TAG, docker:// or installed id
    #[argh(positional)]
    file: PathBuf,
    /// call this tool [default: the only one]
    #[argh(option)]
    tool: Option<String>,
    /// pass this JSON object, or @FILE [default: {}]
    #[argh(option, default = "String::from(\"{}\")")]
    args: String,
    /// map a requested directory: GUEST=HOST (repeatable)
    #[argh(option)]
    map: Vec<String>,
    /// set a requested variable: NAME=VALUE or NAME (repeatable)
    #[argh(option)]
    env: Vec<String>,
    /// approve the requested capabilities without asking
    #[argh(switch)]
    yes: bool,
    /// show file changes and ask before they are applied
    #[argh(switch)]
    show_changes: bool,
    /// show what the tool wrote to stderr, filtered
    #[argh(switch)]
    show_stderr: bool,
    /// let the tool read the host's clocks
    #[argh(switch)]
    real_clock: bool,
    /// give the tool random numbers from the host
    #[argh(switch)]
    real_random: bool,
    /// verify https servers with this CA bundle (PEM)
    #[argh(option)]
    ca_file: Option<PathBuf>,
    /// use this storage directory [default: MPP_HOME/storage]
    #[argh(option)]
    storage: Option<PathBuf>,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// use this policy file [default: MPP_HOME/policy.json]
    #[argh(option)]
    policy: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Run {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let home = home::home_dir()?;
        let trust_path = trust::existing_store(self.trust.clone())?;
        let policy = self.policy(&home)?;
        let package = Package::named(&self.file, self.ca_file.as_deref())?;
        self.check_requested(&package)?;
        let tool = self.tool_of(&package)?;
        let mut call = ToolCall::new(package.own_name(&tool, &policy), self.arguments()?);
        call.listed_as = Some(tool).filter(|name| *name != call.tool);
        let approver = TerminalApprover {
            home: &home,
            approved: self.yes,
            show_changes: self.show_changes,
            show_stderr: self.show_stderr,
        };
        let transport = Arc::new(CurlTransport::new(self.ca_file.clone()));
        let mut runtime = Runtime::open(&home, policy)?.trust_file(&trust_path);
        if let Some(directory) = &self.storage {
            runtime = runtime.storage_directory(directory);
        }
        // MPP_HOME, with the installed packages, is always protected.
        let file = Some(&self.file).filter(|file| file.exists());
        let files = file.into_iter().chain(&self.ca_file).map(PathBuf::as_path);
        let runtime = files.fold(runtime, Runtime::protect).http_transport(transport);
        let call_once = || {
            let cancel = CancelFlag::default();
            match &package {
                Package::File(bytes) => runtime.call(bytes, &call, &approver, &cancel),
                Package::InstalledPackage(store, content_hash) => {
                    runtime.call_installed(store, content_hash, &call, &approver, &cancel)
                }
            }
        };
        let mut result = call_once();
        if result.as_ref().is_err_and(|error| error.code() == Code::PublisherUnknown)
            && trust_on_first_use(&package.bytes()?, &trust_path)?
        {
            result = call_once();
        }
        Ok(output_of(&result?))
    }

    fn policy(&self, home: &Path) -> Result<PermissionPolicy, Error> {
        let mut policy = load_policy(self.policy.as_deref(), home)?;
        for mapping in &self.map {
            let (guest, host) = mapping
                .split_once('=')
                .ok_or_else(|| usage_error(format!("--map {mapping:?} is not GUEST=HOST")))?;
            policy = policy.map_directory(guest, host);
        }
        for variable in &self.env {
            let (name, value) = match variable.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (
                    variable.as_str(),
                    std::env::var(variable)
                        .map_err(|_| usage_error(format!("--env {variable}: not set here")))?,
                ),
            };
            policy = policy.allow_env(name, value);
        }
        if self.real_clock {
            policy = policy.real_clock(true);
        }
        if self.real_random {
            policy = policy.real_random(true);
        }
        Ok(policy)
    }

    /// Refuses a directory or variable that the package does not request: probably a misspelled one.
    fn check_requested(&self, package: &Package) -> Result<(), Error> {
        if self.map.is_empty() && self.env.is_empty() {
            return Ok(());
        }
        let Some(manifest) = package.manifest() else { return Ok(()) };
        let requested = &manifest.capabilities;
        let directories = &requested.filesystem;
        let directories = [directories.read.as_slice(), directories.write.as_slice()].concat();
        for (option, given, requested) in
            [("--map", &self.map, &directories), ("--env", &self.env, &requested.environment)]
        {
            let mut names = given.iter().map(|text| text.split('=').next().unwrap_or_default());
            if let Some(name) = names.find(|name| !requested.iter().any(|one| one == name)) {
                let requested = match requested.is_empty() {
                    true => "nothing of this kind".to_owned(),
                    false => requested.join(", "),
                };
                let id = &manifest.id;
                return Err(usage_error(format!("{option} {name}: {id} requests {requested}")));
            }
        }
        Ok(())
    }

    /// Returns the named tool, or the only one. Without a valid manifest the call states why it is refused.
    fn tool_of(&self, package: &Package) -> Result<String, Error> {
        let manifest = match &self.tool {
            Some(tool) => return Ok(tool.clone()),
            None => package.manifest(),
        };
        let Some(manifest) = manifest else { return Ok(String::new()) };
        let names: Vec<&str> = manifest.tools.iter().map(|tool| tool.name.as_str()).collect();
        match names[..] {
            [only] => Ok(only.to_owned()),
            _ => Err(usage_error(format!("--tool is missing: one of {}", names.join(", ")))),
        }
    }

    fn arguments(&self) -> Result<Value, Error> {
        let text = match self.args.strip_prefix('@') {
            Some(file) => read_bytes(Path::new(file))?,
            None => self.args.clone().into_bytes(),
        };
        json::parse(&text, mpp::limits::REQUEST_DEPTH_MAX)
            .map_err(|error| usage_error(format!("--args is not JSON: {error}")))
    }
}

/// A package named on the command line: a file, an https URL, a registry, or the id of an installed package.
pub enum Package {
    File(Vec<u8>),
    InstalledPackage(PackageStore, ContentHash),
}

impl Package {
    pub fn named(named: &Path, ca_file: Option<&Path>) -> Result<Self, Error> {
        Package::over(named, ca_file, false)
    }

    /// As [`Package::named`]; with `plain_http` from a registry that has no TLS, such as one on this machine.
    pub fn over(named: &Path, ca_file: Option<&Path>, plain_http: bool) -> Result<Self, Error> {
        match named.to_str().and_then(Reference::parse).transpose()? {
            Some(Reference::Layout { directory, tag }) => {
                let package = Layout::open(&directory)?.package(tag.as_deref())?;
                return Ok(Package::File(package));
            }
            Some(Reference::Remote(remote)) => {
                return transfer::fetch(&remote, plain_http, |layout| layout.package(None))
                    .map(Package::File);
            }
            None => {}
        }
        if let Some(url) = named.to_str().filter(|url| url.contains("://")) {
            let transport = CurlTransport::new(ca_file.map(Path::to_owned));
            return download::package(url, &transport).map(Package::File);
        }
        let Some(id) = named.to_str().filter(|_| !named.exists()) else {
            return read_package(named).map(Package::File);
        };
        let store = PackageStore::new(&home::home_dir()?);
        match store.find(id) {
            Ok(found) => Ok(Package::InstalledPackage(store, found.content_hash)),
            Err(error) if error.code() == Code::StoreNotInstalled => {
                let detail = format!(
                    "{id:?} is neither a readable file nor an installed package (`mpp list` shows those)"
                );
                Err(Error::new(Code::HostFile, detail))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the own name of a tool that can be named as this host lists it, too.
    // [STORE-10]
    fn own_name(&self, name: &str, policy: &PermissionPolicy) -> String {
        let found = match self {
            Package::File(_) => None,
            Package::InstalledPackage(store, content_hash) => {
                store.installed().ok().and_then(|all| {
                    let package = all.into_iter().find(|one| one.content_hash == *content_hash)?;
                    package.own_name(name, policy).map(str::to_owned)
                })
            }
        };
        found.unwrap_or_else(|| name.to_owned())
    }

    /// Reads only the manifest. The call verifies the package, refuses an invalid one and records that.
    fn manifest(&self) -> Option<Manifest> {
        let bytes = self.bytes().ok()?;
        let entries = archive::read(&bytes).ok()?;
        let entry = entries.iter().find(|entry| entry.name == MANIFEST_ENTRY)?;
        Manifest::parse(&entry.content).ok()
    }

    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Package::File(bytes) => Ok(Cow::Borrowed(bytes)),
            Package::InstalledPackage(store, content_hash) => {
                store.read(content_hash).map(Cow::Owned)
            }
        }
    }
}

/// Loads the named policy or MPP_HOME/policy.json; without that file, returns a policy without rules.
// [POLICY-09] [POLICY-17]
pub fn load_policy(named: Option<&Path>, home: &Path) -> Result<PermissionPolicy, Error> {
    let default = home.join("policy.json");
    // Only a missing name counts as absent: a dangling link or an unreadable directory could hide a file with
    // deny rules.
    let is_absent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    match named {
        Some(file) => PermissionPolicy::load(file),
        None if default.symlink_metadata().is_err_and(|error| is_absent(&error)) => {
            Ok(PermissionPolicy::new())
        }
        None => PermissionPolicy::load(&default),
    }
}

/// Formats the result of a call: its text blocks, or all of it as JSON.
fn output_of(result: &CallResult) -> CommandOutput {
    let blocks = result.content.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = String::new();
    for block in blocks {
        match block.get("text").and_then(Value::as_str) {
            Some(block) => text.push_str(&terminal::printable(block)),
            None => text.push_str(&terminal::printable(&block.to_string())),
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    let json = json!({
        "content": result.content, "structuredContent": result.structured_content,
        "isError": result.is_error, "changes": result.changes, "redacted": result.applied.to_json(),
        "fuel_used": result.fuel_used, "audit_record": result.audit_record,
    });
    let exit_status = if result.is_error { mpp::Class::Tool.exit_status() } else { 0 };
    CommandOutput { text, json, exit_status }
}

/// Trust on first use: shows the key id of an unknown signer, asks, and trusts the key for this package id.
pub fn trust_on_first_use(package: &[u8], trust_path: &Path) -> Result<bool, Error> {
    if !terminal::is_interactive() {
        return Ok(false);
    }
    let found = gatekeeper::inspect(package)?;
    let Some(signer) = found.signers.first() else { return Ok(false) };
    let id = found.manifest.id.clone();
    // Trust on first use protects against a changed key, so a second key for an id is refused.
    let store = TrustStore::load(trust_path)?;
    let mut publishers = store.publishers();
    if let Some(holder) =
        publishers.find(|it| it.namespaces.iter().any(|held| namespace_contains(held, &id)))
    {
        let holder = &holder.name;
        let detail =
            format!("{id} belongs to publisher {holder:?}, but another key signed this package");
        return Err(Error::new(Code::PublisherUnknown, detail));
    }
    super::warn(
        "An unknown key signed this package. Compare the key id with the one that the publisher states, for \
         example on its web site.",
    );
    let rows = [
        ("package", format!("{id} {}", found.manifest.version)),
        ("key id", signer.key_id.to_string()),
        ("risk", format!("the key can publish {id} and all ids below it from now on")),
    ];
    super::warn(terminal::columns(&rows).trim_end());
    if !terminal::confirm(&format!("Trust this key to publish {id}?")) {
        return Ok(false);
    }
    TrustStore::update(trust_path, |store| {
        store.add_publisher(
            &format!("signer of {id} (name not verified)"),
            signer.public_key,
            &[&id],
            Validity::ALWAYS,
        )
    })?;
    Ok(true)
}
