//! Room: `mpp run`: one call of one tool, with a person at the terminal where one is needed.

use super::consent::TerminalApprover;
use super::{read_text, terminal, trust, usage_error, CommandOutput};
use argh::FromArgs;
use mpp::gatekeeper::{self, read_package};
use mpp::network::CurlTransport;
use mpp::package::content_hash::ContentHash;
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

/// Verify a package, decide, run one of its tools in the sandbox, and print the filtered answer.
#[derive(FromArgs)]
#[argh(subcommand, name = "run")]
pub struct Run {
    /// the package: a file, or the id of an installed one
    #[argh(positional)]
    file: PathBuf,
    /// name of the tool
    #[argh(option)]
    tool: String,
    /// its arguments as a JSON object, or @FILE; by default {}
    #[argh(option, default = "String::from(\"{}\")")]
    args: String,
    /// give the package a directory that its manifest asks for: GUEST=HOST
    #[argh(option)]
    map: Vec<String>,
    /// give the package a variable that its manifest asks for: NAME=VALUE, or NAME for your own value
    #[argh(option)]
    env: Vec<String>,
    /// agree to what the package asks for, without being asked
    #[argh(switch)]
    yes: bool,
    /// show what the tool would change in mapped directories, and ask before it is done
    #[argh(switch)]
    show_changes: bool,
    /// let the tool read this host's clocks
    #[argh(switch)]
    real_clock: bool,
    /// give the tool random numbers of this host
    #[argh(switch)]
    real_random: bool,
    /// certification authorities that https servers are held against, in PEM, instead of this system's
    #[argh(option)]
    ca_file: Option<PathBuf>,
    /// folder for what packages keep from call to call, instead of storage in the home folder
    #[argh(option)]
    storage: Option<PathBuf>,
    /// trust store, instead of trust.json in the home folder
    #[argh(option)]
    trust: Option<PathBuf>,
    /// policy file, instead of policy.json in the home folder; without any, packages that ask for nothing run
    /// and others are asked about
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
        let package = Package::named(&self.file)?;
        let call = ToolCall::new(self.tool.clone(), self.arguments()?);
        let person =
            TerminalApprover { home: &home, agreed: self.yes, show_changes: self.show_changes };
        let transport = Arc::new(CurlTransport::new(self.ca_file.clone()));
        let mut runtime = Runtime::open(&home, policy)?.trust_file(&trust_path);
        if let Some(folder) = &self.storage {
            runtime = runtime.storage_folder(folder);
        }
        // An installed package lies in the home.
        let file = Some(&self.file).filter(|file| file.exists());
        let files = file.into_iter().chain(&self.ca_file).map(PathBuf::as_path);
        let runtime = files.fold(runtime, Runtime::protect).http_transport(transport);
        let call_once = || {
            let cancel = CancelFlag::default();
            match &package {
                Package::File(bytes) => runtime.call(bytes, &call, &person, &cancel),
                Package::InstalledPackage(store, content_hash) => {
                    runtime.call_installed(store, content_hash, &call, &person, &cancel)
                }
            }
        };
        let mut answer = call_once();
        if answer.as_ref().is_err_and(|error| error.code() == Code::PublisherUnknown)
            && trust_on_first_use(&package.bytes()?, &trust_path)?
        {
            answer = call_once();
        }
        Ok(report(&answer?))
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
                        .map_err(|_| usage_error(format!("--env {variable}: you have none")))?,
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

    fn arguments(&self) -> Result<Value, Error> {
        let text = match self.args.strip_prefix('@') {
            Some(file) => read_text(Path::new(file))?,
            None => self.args.clone(),
        };
        json::parse(text.as_bytes(), mpp::limits::REQUEST_DEPTH_MAX)
            .map_err(|error| usage_error(format!("--args is not JSON: {error}")))
    }
}

/// A package as a command names it: a file, or the installed one of this id.
pub enum Package {
    File(Vec<u8>),
    InstalledPackage(PackageStore, ContentHash),
}

impl Package {
    pub fn named(named: &Path) -> Result<Self, Error> {
        let file = || read_package(named).map(Package::File);
        let Some(id) = named.to_str().filter(|_| !named.exists()) else { return file() };
        let store = PackageStore::new(&home::home_dir()?);
        match store.find(id) {
            Ok(found) => Ok(Package::InstalledPackage(store, found.content_hash)),
            Err(error) if error.code() == Code::StoreNotInstalled => file(),
            Err(error) => Err(error),
        }
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

/// The policy that was named, or the home folder's, or where there is no file one without rules.
// [POLICY-09] [POLICY-17]
pub fn load_policy(named: Option<&Path>, home: &Path) -> Result<PermissionPolicy, Error> {
    let default = home.join("policy.json");
    // The name counts and not what it leads to: a link to nothing, and a folder that cannot be looked into,
    // may stand for a file with deny rules.
    let is_absent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    match named {
        Some(file) => PermissionPolicy::load(file),
        None if default.symlink_metadata().is_err_and(|error| is_absent(&error)) => {
            Ok(PermissionPolicy::new())
        }
        None => PermissionPolicy::load(&default),
    }
}

/// The text blocks for a person; all of it for a program.
fn report(answer: &CallResult) -> CommandOutput {
    let blocks = answer.content.as_array().map(Vec::as_slice).unwrap_or_default();
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
        "content": answer.content, "structuredContent": answer.structured_content,
        "isError": answer.is_error, "changes": answer.changes, "redacted": answer.applied.to_json(),
        "fuel_used": answer.fuel_used, "audit_record": answer.audit_record,
    });
    let exit_status = if answer.is_error { mpp::Class::Tool.exit_status() } else { 0 };
    CommandOutput { text, json, exit_status }
}

/// First use of an unknown publisher: shows the fingerprint and asks; trusts for this one id.
pub fn trust_on_first_use(package: &[u8], trust_path: &Path) -> Result<bool, Error> {
    if !terminal::is_interactive() {
        return Ok(false);
    }
    let found = gatekeeper::inspect(package)?;
    let Some(signer) = found.signatures.first() else { return Ok(false) };
    let id = found.manifest.id.clone();
    // A changed key is what this question exists for: it is not asked twice about one id.
    let store = TrustStore::load(trust_path)?;
    let mut publishers = store.publishers();
    if let Some(holder) =
        publishers.find(|it| it.namespaces.iter().any(|held| namespace_contains(held, &id)))
    {
        let holder = &holder.name;
        let detail =
            format!("{id} belongs to {holder:?} here, and another key signed this package");
        return Err(Error::new(Code::PublisherUnknown, detail));
    }
    super::warn(&format!(
        "{id} is signed by a key that nobody here knows:\n\n  {}\n\nCompare it with what the \
         publisher says by another way, such as its web site.",
        signer.key_id
    ));
    if !terminal::confirm(&format!("Trust this key to publish {id}?")) {
        return Ok(false);
    }
    TrustStore::update(trust_path, |store| {
        store.add_publisher(
            &format!("whoever signed {id} (name not checked)"),
            signer.public_key,
            &[&id],
            Validity::ALWAYS,
        )
    })?;
    Ok(true)
}
