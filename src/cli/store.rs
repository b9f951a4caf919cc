//! `mpp install`, `mpp list` and `mpp remove`: the packages that a server offers.

use super::{run, terminal, usage_error, CommandOutput};
use argh::FromArgs;
use mpp::gatekeeper::AttestationResult;
use mpp::policy::Capability;
use mpp::runtime::PackageSource as _;
use mpp::store::{InstalledPackage, PackageStore};
use mpp::trust::{FILE_NAME, SEEN_FILE_NAME};
use mpp::{home, Code, Error, Gatekeeper, Manifest, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Verify a package, show what is new, and install it
#[derive(FromArgs)]
#[argh(subcommand, name = "install")]
pub struct Install {
    /// package file, or id of an installed package
    #[argh(positional)]
    file: PathBuf,
    /// install without asking
    #[argh(switch)]
    yes: bool,
    /// accept a version older than one accepted before
    #[argh(switch)]
    downgrade: bool,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// List installed packages and their tools
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
pub struct List {
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Remove an installed package
#[derive(FromArgs)]
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
    // [STORE-05]
    pub fn run(self) -> Result<CommandOutput, Error> {
        let home = home::home_dir()?;
        let store = PackageStore::new(&home);
        let package = run::Package::named(&self.file)?.bytes()?.into_owned();
        let mut verified = self.verify(&home, &package);
        if verified.as_ref().is_err_and(|error| error.code() == Code::PublisherUnknown)
            && run::trust_on_first_use(&package, &home.join(FILE_NAME))?
        {
            verified = self.verify(&home, &package);
        }
        let attestation = verified?;
        let manifest = &attestation.manifest;
        let old = match store.find(&manifest.id) {
            // If its manifest cannot be read, all of the new one is shown.
            Ok(found) => Some((store.manifest(&found.content_hash).ok(), found)),
            Err(error) if error.code() == Code::StoreNotInstalled => None,
            Err(error) => return Err(error),
        };
        let rows = install_summary(&attestation, old.as_ref());
        if !self.yes {
            if !terminal::is_interactive() {
                let detail = format!("installing {} requires approval", manifest.id);
                return Err(Error::new(Code::PolicyConfirmation, detail));
            }
            super::warn(terminal::columns(&rows).trim_end());
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
        store.install(&package, &attestation)?;
        record()?;
        let text = format!("installed {} {}\n", manifest.id, manifest.version);
        let json = json!({
            "id": manifest.id, "version": manifest.version.to_string(),
            "content_hash": attestation.content_hash.as_str(),
            "replaces": old.map(|(_, old)| old.version.to_string()),
            "tools": manifest.tools.iter().map(|tool| &tool.name).collect::<Vec<_>>(),
        });
        Ok(CommandOutput::new(text, json))
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

/// Summarizes what to approve: all of a new package, or what an update changes.
// [STORE-06]
fn install_summary(
    new: &AttestationResult,
    old: Option<&(Option<Manifest>, InstalledPackage)>,
) -> Vec<(&'static str, String)> {
    let manifest = &new.manifest;
    let mut rows = vec![
        ("package", format!("{} {}", manifest.id, manifest.version)),
        ("description", manifest.description.clone()),
        ("publisher", manifest.signer_names().join(", ")),
        ("content", new.content_hash.to_string()),
    ];
    if let Some((_, installed)) = old {
        rows.push(("replaces", format!("{} {}", installed.version, installed.content_hash)));
    }
    let Some((Some(old), installed)) = old else {
        rows.push(("requests", or_nothing(capabilities(manifest))));
        rows.push(("tools", or_nothing(tools(manifest))));
        return rows;
    };
    let keys_before = installed.signers.iter().map(ToString::to_string).collect();
    let keys_after = new.signers.iter().map(|signer| signer.key_id().to_string()).collect();
    for (what, before, after) in [
        ("keys", keys_before, keys_after),
        ("capabilities", capabilities(old), capabilities(manifest)),
        ("tools", tools(old), tools(manifest)),
        ("schemas", schemas(old), schemas(manifest)),
    ] {
        let added = after.difference(&before).map(|line| format!("+ {line}"));
        let removed = before.difference(&after).map(|line| format!("- {line}"));
        let lines: Vec<String> = added.chain(removed).collect();
        let unchanged = || format!("unchanged: {}", after.len());
        rows.push((what, if lines.is_empty() { unchanged() } else { lines.join("\n") }));
    }
    rows
}

fn capabilities(manifest: &Manifest) -> BTreeSet<String> {
    Capability::requested_by(manifest).iter().map(Capability::to_string).collect()
}

/// Formats the tools with their descriptions, which models read. Each is one line, since a line break in a
/// description would look like another tool.
fn tools(manifest: &Manifest) -> BTreeSet<String> {
    let line = |tool: &mpp::package::manifest::Tool| {
        let sensitivity = format!("{:?}", tool.sensitivity).to_lowercase();
        let description = tool.description.replace('\n', "\\n");
        format!("{} ({sensitivity}): {description}", tool.name)
    };
    manifest.tools.iter().map(line).collect()
}

/// Formats the parameters and results of the tools, which models read too.
fn schemas(manifest: &Manifest) -> BTreeSet<String> {
    let lines = |tool: &mpp::package::manifest::Tool| {
        let takes = Some(format!("{} takes {}", tool.name, tool.parameters.source()));
        let returns = tool.returns.as_ref();
        let results = returns.map(|schema| format!("{} returns {}", tool.name, schema.source()));
        [takes, results].into_iter().flatten()
    };
    manifest.tools.iter().flat_map(lines).collect()
}

fn or_nothing(lines: BTreeSet<String>) -> String {
    match lines.is_empty() {
        true => "nothing".to_owned(),
        false => lines.into_iter().collect::<Vec<_>>().join("\n"),
    }
}

impl List {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let home = home::home_dir()?;
        let store = PackageStore::new(&home);
        let installed = store.installed()?;
        // On stderr, so that stdout lists packages only.
        super::warn(&format!("packages of {}", terminal::printable(&home.to_string_lossy())));
        let (mut text, mut json) = (String::new(), Vec::new());
        for package in &installed {
            let missing = store.check(&package.content_hash).err();
            json.push(json!({
                "id": package.id, "version": package.version.to_string(),
                "content_hash": package.content_hash.as_str(), "tools": package.tools,
                "missing": missing.is_some(),
            }));
            let tools = package.tools.join(", ");
            text.push_str(&format!("{} {}\n", package.id, package.version));
            let mut rows = vec![("tools", tools), ("content", package.content_hash.to_string())];
            rows.extend(missing.map(|error| ("missing", error.detail().to_owned())));
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
