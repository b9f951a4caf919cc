//! `mpp install`, `mpp list` and `mpp remove`: the packages that a server offers.

use super::package::{level_of, risk_reasons, sensitivity_of};
use super::{publish, run, terminal, usage_error, CommandOutput};
use crate::registry::configuration::{self, Found};
use crate::registry::lock::{self, Pin, Pins};
use argh::{ArgsInfo, FromArgs};
use mpp::consent::question::{lay_out, or_nothing, ForeignText};
use mpp::gatekeeper::AttestationResult;
use mpp::package::manifest::Tool;
use mpp::policy::risk::{self, Risk};
use mpp::policy::{Capability, PermissionPolicy};
use mpp::runtime::PackageSource as _;
use mpp::store::{InstalledPackage, PackageStore};
use mpp::trust::{FILE_NAME, SEEN_FILE_NAME};
use mpp::{home, Code, Error, Gatekeeper, Manifest, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Verify a package, show what is new, and install it
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "install")]
pub struct Install {
    /// file, URL, oci:DIR:TAG, docker://, or ID[@VERSION]
    #[argh(positional)]
    file: Option<PathBuf>,
    /// verify https servers with this CA bundle (PEM)
    #[argh(option)]
    ca_file: Option<PathBuf>,
    /// pin it in mpp.lock of this directory
    #[argh(switch)]
    lock: bool,
    /// take only what mpp.lock pins; without FILE, all of it
    #[argh(switch)]
    locked: bool,
    /// reach a named docker:// registry without TLS
    #[argh(switch)]
    plain_http: bool,
    /// install without asking
    #[argh(switch)]
    yes: bool,
    /// accept a version older than one accepted before
    #[argh(switch)]
    downgrade: bool,
    /// list its tools with this prefix on this host; "" removes it
    #[argh(option)]
    prefix: Option<String>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// List installed packages and their tools
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "list")]
pub struct List {
    /// list the packages of an image layout instead: oci:DIR
    #[argh(option)]
    from: Option<String>,
    /// with --from: only newer versions of what is installed
    #[argh(switch)]
    outdated: bool,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Remove an installed package
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "remove")]
pub struct Remove {
    /// package id
    #[argh(positional)]
    id: String,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Install {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let pins = match (self.lock, self.locked) {
            (true, true) => return Err(usage_error("pass either --lock or --locked")),
            (true, false) => lock::read(Path::new(lock::FILE_NAME)).map(|_| None)?,
            (false, false) => None,
            (false, true) => match lock::read(Path::new(lock::FILE_NAME))? {
                None => {
                    let detail = format!("no {} in this directory", lock::FILE_NAME);
                    return Err(Error::new(Code::LockMissing, detail));
                }
                pins => pins,
            },
        };
        let Some(pins) = &pins else {
            let file = self.file.as_ref().ok_or_else(|| usage_error("no package is named"))?;
            return self.install(file, None);
        };
        if let Some(file) = &self.file {
            return self.install(file, Some(pins));
        }
        if self.prefix.is_some() {
            return Err(usage_error("--prefix is for one package"));
        }
        let (mut text, mut json) = (String::new(), Vec::new());
        for (id, pin) in pins {
            // Alone: what is there may be another one of the lock.
            let pins = Pins::from([(id.clone(), pin.clone())]);
            let output = self.install(Path::new(&pin.from), Some(&pins))?;
            text.push_str(&output.text);
            json.push(output.json);
        }
        Ok(CommandOutput::new(text, Value::Array(json)))
    }

    // [STORE-05]
    fn install(&self, file: &Path, pins: Option<&Pins>) -> Result<CommandOutput, Error> {
        let home = home::home_dir()?;
        let store = PackageStore::new(&home);
        let wanted = self.asked_of_registries(&home, file)?;
        let package = match &wanted {
            Some((_, found)) => found.package.clone(),
            None => run::Package::over(file, self.ca_file.as_deref(), self.plain_http)?
                .bytes()?
                .into_owned(),
        };
        let mut verified = self.verify(&home, &package);
        if verified.as_ref().is_err_and(|error| error.code() == Code::PublisherUnknown)
            && run::trust_on_first_use(&package, &home.join(FILE_NAME))?
        {
            verified = self.verify(&home, &package);
        }
        let attestation = verified?;
        let manifest = &attestation.manifest;
        let mut from = file.to_string_lossy().into_owned();
        if let Some((id, found)) = &wanted {
            found.registry.check(id, &attestation)?;
            // Another host resolves it by its own registries.
            from = format!("{id}@{}", manifest.version);
        }
        let pin = Pin::of(&attestation, &from);
        if let Some(pins) = pins {
            lock::check(pins, &manifest.id, &pin)?;
        }
        let old = match store.find(&manifest.id) {
            // If its manifest cannot be read, all of the new one is shown.
            Ok(found) => Some((store.manifest(&found.content_hash).ok(), found)),
            Err(error) if error.code() == Code::StoreNotInstalled => None,
            Err(error) => return Err(error),
        };
        if !self.yes {
            if !terminal::is_interactive() {
                let detail = format!("installing {} requires approval", manifest.id);
                return Err(Error::new(Code::PolicyConfirmation, detail));
            }
            let rest = format!("mpp inspect {}", file.display());
            super::warn(install_question(&attestation, old.as_ref(), &rest).trim_end());
            if let Some(prefix) = &self.prefix {
                super::warn(&format!("  its tools are listed with the prefix {prefix:?}"));
            }
            if !terminal::confirm("Install this?") {
                let detail = format!("installing {} was denied", manifest.id);
                return Err(Error::new(Code::PolicyDeclined, detail));
            }
        }
        let record = || {
            TrustStore::update(&home.join(SEEN_FILE_NAME), |seen| match self.downgrade {
                true => seen.reset_version(&manifest.id, &manifest.version),
                false => seen.record_version(&manifest.id, &manifest.version),
            })
        };
        // A process that is killed between the two changes leaves a package that runs: the recorded version
        // is lowered before the older package replaces the newer one, and raised after an update. It is
        // lowered again, since a call of the newer one may have raised it.
        if self.downgrade {
            record()?;
        }
        store.install_with_prefix(&package, &attestation, self.prefix.as_deref())?;
        record()?;
        if self.lock {
            lock::add(Path::new(lock::FILE_NAME), &manifest.id, pin)?;
        }
        let text = format!("installed {} {}\n", manifest.id, manifest.version);
        let json = json!({
            "id": manifest.id, "version": manifest.version.to_string(),
            "content_hash": attestation.content_hash.as_str(),
            "replaces": old.map(|(_, old)| old.version.to_string()),
            "tools": manifest.tools.iter().map(|tool| &tool.name).collect::<Vec<_>>(),
            "prefix": store.find(&manifest.id)?.prefix,
        });
        Ok(CommandOutput::new(text, json))
    }

    /// Asks the registries of `registries.json` for `ID[@VERSION]`, unless it is a file. Without a version and without
    /// a registry for the id, it may be an installed package.
    fn asked_of_registries(
        &self,
        home: &Path,
        named: &Path,
    ) -> Result<Option<(String, Found)>, Error> {
        let text = named.to_str().filter(|_| !named.exists());
        let Some((id, version)) = text.and_then(configuration::wanted) else { return Ok(None) };
        if version.is_none() && !configuration::is_any_for(home, id)? {
            return Ok(None);
        }
        let found = configuration::find(home, id, version.as_ref())?;
        super::warn(&format!("found {} in {}", found.reference, found.registry.name));
        Ok(Some((id.to_owned(), found)))
    }

    fn verify(&self, home: &std::path::Path, package: &[u8]) -> Result<AttestationResult, Error> {
        // [STORE-07]
        let trust = match self.downgrade {
            true => TrustStore::load(&home.join(FILE_NAME))?,
            false => {
                TrustStore::load_with_versions(&home.join(FILE_NAME), &home.join(SEEN_FILE_NAME))?
            }
        };
        let verified = Gatekeeper::new(trust, Timestamp::now()).verify(package);
        verified.map_err(|error| match error.code() {
            Code::ManifestDowngrade if self.downgrade => {
                let file = home.join(FILE_NAME);
                error.context(format!(
                    "edit `versions` in {}, which --downgrade never changes",
                    file.display()
                ))
            }
            _ => error,
        })
    }
}

/// Lays out what to approve: all of a new package, or what an update changes. `rest` is the command that shows
/// the rest of a long text.
// [STORE-06]
fn install_question(
    new: &AttestationResult,
    old: Option<&(Option<Manifest>, InstalledPackage)>,
    rest: &str,
) -> String {
    let manifest = &new.manifest;
    let foreign = |label, text| ForeignText { label, text, rest: Some(rest.to_owned()) };
    let mut texts = vec![foreign("description", manifest.description.clone())];
    let mut rows = vec![
        ("package", format!("{} {}", manifest.id, manifest.version)),
        ("publisher", manifest.signer_names().join(", ")),
        ("content", new.content_hash.to_string()),
    ];
    if let Some((_, installed)) = old {
        rows.push(("replaces", format!("{} {}", installed.version, installed.content_hash)));
    }
    if let Some((Some(old), installed)) = old {
        let keys_before = installed.signers.iter().map(ToString::to_string).collect();
        let keys_after = new.signers.iter().map(|signer| signer.key_id().to_string()).collect();
        texts.push(foreign("descriptions of tools", difference(&tools(old), &tools(manifest))));
        texts.push(foreign("schemas", difference(&schemas(old), &schemas(manifest))));
        rows.push(("keys", difference(&keys_before, &keys_after)));
        rows.push(("capabilities", difference(&capabilities(old), &capabilities(manifest))));
        rows.push(("tools", difference(&names(old), &names(manifest))));
        let (before, after) = (risk::score(old), risk::score(manifest));
        let reasons = |risk: &Risk| risk_reasons(risk).collect();
        rows.push(("reasons", difference(&reasons(&before), &reasons(&after))));
        rows.push(("risk", format!("{}; before: {}", level_of(&after), level_of(&before))));
    } else {
        texts.push(foreign("descriptions of tools", or_nothing(&lines(&tools(manifest)))));
        rows.push(("requests", or_nothing(&lines(&capabilities(manifest)))));
        rows.push(("tools", or_nothing(&lines(&names(manifest)))));
        let risk = risk::score(manifest);
        rows.push(("reasons", or_nothing(&risk_reasons(&risk).collect::<Vec<_>>())));
        rows.push(("risk", level_of(&risk)));
    }
    lay_out(&texts, &rows, terminal::width())
}

fn lines(set: &BTreeSet<String>) -> Vec<String> {
    set.iter().cloned().collect()
}

/// Formats what was added and what was removed.
pub fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> String {
    let added = after.difference(before).map(|line| format!("+ {line}"));
    let removed = before.difference(after).map(|line| format!("- {line}"));
    let lines: Vec<String> = added.chain(removed).collect();
    match lines.is_empty() {
        true => format!("unchanged: {}", after.len()),
        false => lines.join("\n"),
    }
}

pub fn capabilities(manifest: &Manifest) -> BTreeSet<String> {
    Capability::requested_by(manifest).iter().map(Capability::to_string).collect()
}

/// Formats the names and sensitivities of the tools.
fn names(manifest: &Manifest) -> BTreeSet<String> {
    let line = |tool: &Tool| format!("{} ({})", tool.name, sensitivity_of(tool));
    manifest.tools.iter().map(line).collect()
}

/// Formats the tools with their descriptions, which models read. Each is one line, since a line break in a
/// description would look like another tool.
fn tools(manifest: &Manifest) -> BTreeSet<String> {
    let line = |tool: &Tool| {
        let description = tool.description.replace('\n', "\\n");
        format!("{} ({}): {description}", tool.name, sensitivity_of(tool))
    };
    manifest.tools.iter().map(line).collect()
}

/// Formats the parameters and results of the tools, which models read too.
fn schemas(manifest: &Manifest) -> BTreeSet<String> {
    let lines = |tool: &Tool| {
        let takes = Some(format!("{} takes {}", tool.name, tool.parameters.source()));
        let returns = tool.returns.as_ref();
        let results = returns.map(|schema| format!("{} returns {}", tool.name, schema.source()));
        [takes, results].into_iter().flatten()
    };
    manifest.tools.iter().flat_map(lines).collect()
}

impl List {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if let Some(from) = &self.from {
            return publish::list(from, self.outdated);
        }
        if self.outdated {
            return Err(usage_error("--outdated needs --from oci:DIR"));
        }
        let home = home::home_dir()?;
        let store = PackageStore::new(&home);
        let installed = store.installed()?;
        let trust = TrustStore::load(&home.join(FILE_NAME))?;
        // On stderr, so that stdout lists packages only.
        super::warn(&format!("packages of {}", terminal::printable(&home.to_string_lossy())));
        let (mut text, mut json) = (String::new(), Vec::new());
        let policy = run::load_policy(None, &home).unwrap_or_else(|error| {
            super::warn(&format!("names of the policy are not shown: {error}"));
            PermissionPolicy::new()
        });
        for package in &installed {
            let listed = |tool: &String| package.listed_name(tool, &policy);
            let missing = store.check(&package.content_hash).err();
            let holders = trust.keys().filter(|(_, key)| package.signers.contains(&key.key_id));
            let publishers: BTreeSet<&str> = holders.map(|(it, _)| it.name.as_str()).collect();
            let publishers = Vec::from_iter(publishers);
            let manifest = store.manifest(&package.content_hash).ok();
            let name = manifest.as_ref().map(|manifest| manifest.name.as_str());
            let risk = manifest.as_ref().map(risk::score);
            json.push(json!({
                "id": package.id, "version": package.version.to_string(),
                "content_hash": package.content_hash.as_str(), "tools": package.tools,
                "listed_as": package.tools.iter().map(listed).collect::<Vec<_>>(),
                "missing": missing.is_some(), "name": name, "publishers": publishers,
                "risk": risk.as_ref().map(|it| json!({ "level": it.level.to_string(), "points": it.points })),
            }));
            let both = |tool: &String| match listed(tool) {
                name if name == *tool => name,
                name => format!("{name} (its own name: {tool})"),
            };
            let tools = package.tools.iter().map(both).collect::<Vec<_>>().join(", ");
            text.push_str(&format!("{} {}\n", package.id, package.version));
            let mut rows = vec![
                ("name", name.unwrap_or("unknown").to_owned()),
                ("publisher", publishers.join(", ")),
                ("risk", risk.as_ref().map_or_else(|| "unknown".to_owned(), level_of)),
                ("tools", tools),
                ("content", terminal::short(&package.content_hash)),
            ];
            if publishers.is_empty() {
                rows.insert(1, ("publisher", "NOT TRUSTED any more: it is refused".to_owned()));
                rows.remove(2);
            }
            if missing.is_some() {
                rows.push(("missing", "its file: run `mpp install FILE` again".to_owned()));
            }
            text.push_str(&terminal::columns(&rows));
        }
        if installed.is_empty() {
            text.push_str("no installed packages\n");
        }
        Ok(CommandOutput::new(text, Value::Array(json)))
    }
}

impl Remove {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if self.id.is_empty() {
            return Err(usage_error("the id is empty"));
        }
        PackageStore::new(&home::home_dir()?).remove(&self.id)?;
        Ok(CommandOutput::new(format!("removed {}\n", self.id), json!({ "removed": self.id })))
    }
}
