//! `mpp pack`, `mpp sign`, `mpp verify` and `mpp inspect`.

use super::signer::Signer;
use super::{signed_at, terminal, trust, usage_error, warn, write_atomic, CommandOutput};
use crate::author::lints::refused_by_clients;
use argh::{ArgsInfo, FromArgs};
use mpp::consent::question::or_nothing;
use mpp::gatekeeper::{self, read_package, Gatekeeper, Inspection};
use mpp::package::manifest::Tool;
use mpp::package::pack::{countersign, pack, read_directory};
use mpp::package::writer::Compression;
use mpp::package::{is_module_entry, MANIFEST_ENTRY};
use mpp::policy::risk::{self, Risk};
use mpp::policy::Capability;
use mpp::trust::{TrustStore, SEEN_FILE_NAME};
use mpp::{home, Code, Error, Timestamp};
use serde_json::{json, Value};
use std::path::PathBuf;

/// Sign a package directory and write the .mpp file
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "pack")]
pub struct Pack {
    /// directory with manifest.json, tool.wasm and assets/
    #[argh(positional)]
    directory: PathBuf,
    /// sign with this secret key file
    #[argh(option)]
    key: Option<PathBuf>,
    /// sign by this shell command: message on stdin
    #[argh(option)]
    sign_with: Option<String>,
    /// the public key of --sign-with
    #[argh(option)]
    public_key: Option<PathBuf>,
    /// write this file
    #[argh(option, short = 'o')]
    output: PathBuf,
    /// state this time, or `now` [default: 1970-01-01T00:00:00Z]
    #[argh(option)]
    signed_at: Option<String>,
    /// compress the files: smaller, but slower to start
    #[argh(switch)]
    deflate: bool,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Add a signature to a package
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "sign")]
pub struct Sign {
    /// package file
    #[argh(positional)]
    file: PathBuf,
    /// sign with this secret key file
    #[argh(option)]
    key: Option<PathBuf>,
    /// sign by this shell command: message on stdin
    #[argh(option)]
    sign_with: Option<String>,
    /// the public key of --sign-with
    #[argh(option)]
    public_key: Option<PathBuf>,
    /// write this file instead of the package itself
    #[argh(option, short = 'o')]
    output: Option<PathBuf>,
    /// state this time, or `now` [default: 1970-01-01T00:00:00Z]
    #[argh(option)]
    signed_at: Option<String>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Verify a package (seven checks)
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "verify")]
pub struct Verify {
    /// package file
    #[argh(positional)]
    file: PathBuf,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// require signatures of this many publishers [default: 1]
    #[argh(option, default = "1")]
    signers: usize,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Show the tools, capabilities and risk of a package
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "inspect")]
pub struct Inspect {
    /// file, https URL, oci:DIR:TAG, docker:// or installed id
    #[argh(positional)]
    file: PathBuf,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// verify https servers with this CA bundle (PEM)
    #[argh(option)]
    ca_file: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Pack {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let signed_at = signed_at(self.signed_at.as_deref())?;
        let key = Signer::of(self.key.as_deref(), self.sign_with, self.public_key)?;
        let compression = if self.deflate { Compression::Deflated } else { Compression::Stored };
        if !self.directory.join(MANIFEST_ENTRY).exists() && self.directory.is_dir() {
            let inner = self.directory.join("package");
            let hint = match inner.join(MANIFEST_ENTRY).exists() {
                true => format!("; did you mean {}?", inner.display()),
                false => String::new(),
            };
            let directory = self.directory.display();
            let detail = format!("no {MANIFEST_ENTRY} in {directory}{hint}");
            return Err(Error::new(Code::StructureMissing, detail));
        }
        let contents = read_directory(&self.directory)?;
        if !contents.keys().any(|name| is_module_entry(name)) {
            let detail =
                format!("no .wasm module in {}: build the tool first", self.directory.display());
            return Err(Error::new(Code::StructureMissing, detail));
        }
        let package = pack(contents, &key, signed_at, compression)?;
        // Reports to the author what a host would refuse later.
        let found = gatekeeper::inspect(&package)?;
        for lint in found.manifest.tools.iter().flat_map(refused_by_clients) {
            warn(&format!("warning: {}; {}", lint.message, lint.help));
        }
        write_atomic(&self.output, &package, None)?;
        written(&self.output, &package, &found)
    }
}

impl Sign {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let key = Signer::of(self.key.as_deref(), self.sign_with, self.public_key)?;
        let package = read_package(&self.file)?;
        let package = countersign(&package, &key, signed_at(self.signed_at.as_deref())?)?;
        let found = gatekeeper::inspect(&package)?;
        let output = self.output.unwrap_or(self.file);
        write_atomic(&output, &package, None)?;
        written(&output, &package, &found)
    }
}

/// Returns the output of `pack` and `sign`.
fn written(
    output: &std::path::Path,
    package: &[u8],
    found: &Inspection,
) -> Result<CommandOutput, Error> {
    let keys: Vec<&str> = found.signers.iter().map(|signer| signer.key_id.as_str()).collect();
    let rows = [
        ("package", format!("{} {}", found.manifest.id, found.manifest.version)),
        ("content", found.content_hash.to_string()),
        ("signed by", keys.join("\n")),
    ];
    let text = format!(
        "wrote {}, {} bytes\n{}",
        output.display(),
        package.len(),
        terminal::columns(&rows)
    );
    let json = json!({
        "file": output, "bytes": package.len(), "id": found.manifest.id,
        "version": found.manifest.version.to_string(), "content_hash": found.content_hash.as_str(),
        "key_ids": keys,
    });
    Ok(CommandOutput::new(text, json))
}

/// The checks by the word that their codes begin with.
const CHECKS: [&str; 7] =
    ["archive", "structure", "content", "signature", "publisher", "manifest", "module"];

impl Verify {
    pub fn run(self) -> Result<CommandOutput, Error> {
        if self.signers == 0 {
            return Err(usage_error("--signers is less than 1"));
        }
        let seen = home::home_dir()?.join(SEEN_FILE_NAME);
        let store = TrustStore::load_with_versions(&trust::existing_store(self.trust)?, &seen)?;
        let package = read_package(&self.file)?;
        let verdict = Gatekeeper::new(store, Timestamp::now())
            .signers_required(self.signers)
            .verify(&package);
        match verdict {
            Ok(attestation) => {
                let manifest = &attestation.manifest;
                let signers: Vec<Value> = attestation
                    .signers
                    .iter()
                    .map(|signer| {
                        json!({ "publisher": signer.publisher(), "key_id": signer.key_id().as_str() })
                    })
                    .collect();
                let mut text = checks_until(None);
                text.push_str(&terminal::columns(&[
                    ("package", format!("{} {}", manifest.id, manifest.version)),
                    ("publisher", manifest.signer_names().join(", ")),
                    ("content", attestation.content_hash.to_string()),
                ]));
                let json = json!({
                    "verdict": "verified", "id": manifest.id, "version": manifest.version.to_string(),
                    "content_hash": attestation.content_hash.as_str(), "signers": signers,
                });
                Ok(CommandOutput::new(text, json))
            }
            Err(error) => {
                let stage = error.code().as_str().split('.').next().unwrap_or_default();
                let Some(failed) = CHECKS.iter().position(|check| *check == stage) else {
                    return Err(error);
                };
                let text = checks_until(Some(failed)) + &super::error_text(&error) + "\n";
                let json = json!({
                    "verdict": "refused", "check": failed.saturating_add(1),
                    "error": super::error_json(&error),
                });
                let exit_status = error.code().class().exit_status();
                Ok(CommandOutput { text, json, exit_status })
            }
        }
    }
}

/// Formats a line for each check; those after the failed one are skipped.
fn checks_until(failed: Option<usize>) -> String {
    let line = |(number, name): (usize, &&str)| {
        let verdict = match failed {
            Some(failed) if number == failed => terminal::paint(terminal::Style::Bad, "FAILED"),
            Some(failed) if number > failed => "skipped".to_owned(),
            _ => terminal::paint(terminal::Style::Good, "ok"),
        };
        format!("  {} {name:10} {verdict}\n", number.saturating_add(1))
    };
    CHECKS.iter().enumerate().map(line).collect()
}

impl Inspect {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let found = gatekeeper::inspect(
            &super::run::Package::named(&self.file, self.ca_file.as_deref())?.bytes()?,
        )?;
        let store = TrustStore::load(&trust::existing_store(self.trust)?)?;
        let manifest = &found.manifest;
        let risk = risk::score(manifest);
        let mut rows = vec![
            ("package", format!("{} {}", manifest.id, manifest.version)),
            ("name", manifest.name.clone()),
            ("description", manifest.description.clone()),
            ("content", found.content_hash.to_string()),
        ];
        let mut signers = Vec::new();
        for signer in &found.signers {
            let known = store.keys().find(|(_, key)| key.key_id == signer.key_id);
            let holder = known.map(|(publisher, _)| publisher.name.clone());
            let shown = match &holder {
                Some(name) => format!("trusted as {name}"),
                None => "NOT TRUSTED: no publisher has this key".to_owned(),
            };
            rows.push(("signed by", format!("{}\n{shown}", signer.key_id)));
            signers.push(json!({
                "key_id": signer.key_id.as_str(), "signed_at": signer.signed_at.to_string(),
                "trusted_as": holder,
            }));
        }
        let capabilities: Vec<String> =
            Capability::requested_by(manifest).iter().map(ToString::to_string).collect();
        rows.push(("requests", or_nothing(&capabilities)));
        let reasons = risk_reasons(&risk);
        rows.push(("risk", reasons.fold(level_of(&risk), |text, reason| text + "\n" + &reason)));
        let runtime = &manifest.runtime;
        let line: Vec<_> = [&runtime.entry].into_iter().chain(&runtime.args).collect();
        rows.push(("runs", format!("{} (protocol {})", json!(line), runtime.protocol)));
        rows.push((
            "limits",
            format!(
                "{} MiB memory, {} ms, {} fuel, {} KiB output",
                runtime.memory_limit_mb, runtime.timeout_ms, runtime.fuel, runtime.output_limit_kb
            ),
        ));
        let filters = &manifest.privacy_filters;
        let custom =
            filters.custom.iter().map(|custom| format!("{}: {}", custom.name, custom.pattern));
        let redacts: Vec<String> = filters.patterns.iter().cloned().chain(custom).collect();
        rows.push(("redacts", redacts.join("\n")));
        let mut tools = Vec::new();
        for tool in &manifest.tools {
            let sensitivity = sensitivity_of(tool);
            let schema = tool.parameters.source();
            let takes = parameters_of(schema);
            let command = tool.command.as_ref().map(|command| &command.source);
            let runs = command.map(|command| format!("\n  runs {command}")).unwrap_or_default();
            rows.push((
                "tool",
                format!("{} ({sensitivity})\n{}\n{takes}{runs}", tool.name, tool.description),
            ));
            tools.push(json!({
                "name": tool.name, "description": tool.description, "sensitivity": sensitivity,
                "parameters": schema, "returns": tool.returns.as_ref().map(|schema| schema.source()),
                "command": command,
            }));
        }
        rows.push(("imports", found.imports.join("\n")));
        let entries = found.entries.iter().map(|(name, bytes)| format!("{bytes:>9}  {name}"));
        rows.push(("entries", entries.collect::<Vec<_>>().join("\n")));
        let json = json!({
            "id": manifest.id, "version": manifest.version.to_string(), "name": manifest.name,
            "description": manifest.description, "content_hash": found.content_hash.as_str(),
            "signers": signers, "capabilities": capabilities,
            "risk": { "level": risk.level.to_string(), "points": risk.points, "reasons": risk.reasons
                .iter().map(|(why, points)| json!({ "why": why, "points": points }))
                .collect::<Vec<_>>() },
            "runs": line, "protocol": runtime.protocol.to_string(),
            "limits": { "memory_limit_mb": runtime.memory_limit_mb, "timeout_ms": runtime.timeout_ms,
                "fuel": runtime.fuel, "output_limit_kb": runtime.output_limit_kb },
            "privacy_filters": redacts, "tools": tools, "imports": found.imports,
            "entries": found.entries.iter()
                .map(|(name, bytes)| json!({ "name": name, "bytes": bytes })).collect::<Vec<_>>(),
        });
        Ok(CommandOutput::new(terminal::columns(&rows), json))
    }
}

/// Formats the risk of a package with its reasons.
pub fn level_of(risk: &Risk) -> String {
    format!("{} ({} points)", risk.level, risk.points)
}

pub fn risk_reasons(risk: &Risk) -> impl Iterator<Item = String> + '_ {
    risk.reasons.iter().map(|(why, points)| format!("{points:3}  {why}"))
}

pub fn sensitivity_of(tool: &Tool) -> String {
    format!("{:?}", tool.sensitivity).to_lowercase()
}

/// Formats a line for each parameter of a tool; `--json` prints the whole schema.
fn parameters_of(schema: &Value) -> String {
    let members = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let mut lines = Vec::new();
    for (name, rules) in members.into_iter().flatten() {
        let text = |key: &str| rules.get(key).and_then(Value::as_str);
        let must = required.is_some_and(|names| names.iter().any(|each| each == name));
        let must = if must { "" } else { ", optional" };
        let about = text("description").map(|about| format!("  {about}")).unwrap_or_default();
        lines.push(format!("  {name}: {}{must}{about}", text("type").unwrap_or("any")));
    }
    match lines.is_empty() {
        true => "  no parameters".to_owned(),
        false => lines.join("\n"),
    }
}
