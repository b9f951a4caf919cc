//! `mpp publish`, and what a layout has.

use super::store::{capabilities, difference};
use super::{terminal, usage_error, CommandOutput};
use crate::registry::layout::{Artifact, Layout};
use crate::registry::reference::Reference;
use crate::registry::transfer;
use argh::{ArgsInfo, FromArgs};
use mpp::bundle::SignedBundle;
use mpp::consent::question::or_nothing;
use mpp::gatekeeper::{inspect, read_package};
use mpp::store::PackageStore;
use mpp::{home, Error};
use serde_json::{json, Value};
use std::path::PathBuf;

/// Put a package or a bundle into an OCI registry
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "publish")]
#[argh(note = "docker:// needs skopeo, which has your credentials (`skopeo login`)")]
pub struct Publish {
    /// package file, or bundle of an organisation
    #[argh(positional)]
    file: PathBuf,
    /// oci:DIR[:TAG], or docker://HOST/NAME:TAG [default: its version or sequence]
    #[argh(positional)]
    to: String,
    /// let the tag have another package than before
    #[argh(switch)]
    replace: bool,
    /// reach a docker:// registry without TLS
    #[argh(switch)]
    plain_http: bool,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

fn reference(text: &str) -> Result<Reference, Error> {
    let other = || usage_error(format!("{text:?} begins with neither oci: nor docker://"));
    Reference::parse(text).ok_or_else(other)?
}

impl Publish {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let content = read_package(&self.file)?;
        if content.starts_with(b"{") {
            return self.publish_bundle(&content);
        }
        let found = inspect(&content)?;
        let (id, version) = (&found.manifest.id, found.manifest.version.to_string());
        // `+` of build metadata is not allowed in a tag.
        let tag = version.replace('+', "_");
        let to = self.publish(&Artifact::of_package(&content, &found), tag)?;
        let json = json!({ "id": id, "version": version, "to": to,
            "content_hash": found.content_hash.as_str() });
        Ok(CommandOutput::new(format!("published {id} {version} to {to}\n"), json))
    }

    /// Whether it counts is for the hosts that import it.
    fn publish_bundle(&self, content: &[u8]) -> Result<CommandOutput, Error> {
        let bundle = SignedBundle::from_json(content)?.unverified()?;
        let (organisation, sequence) = (&bundle.organisation, bundle.sequence);
        let artifact = Artifact::of_bundle(content, organisation, sequence);
        let to = self.publish(&artifact, sequence.to_string())?;
        let json = json!({ "organisation": organisation, "sequence": sequence, "to": to });
        let text = format!("published bundle {sequence} of {organisation} to {to}\n");
        Ok(CommandOutput::new(text, json))
    }

    fn publish(&self, artifact: &Artifact<'_>, default_tag: String) -> Result<String, Error> {
        Ok(match reference(&self.to)? {
            Reference::Layout { directory, tag } => {
                let tag = tag.unwrap_or(default_tag);
                Layout::publish(&directory, &tag, artifact, self.replace)?;
                format!("oci:{}:{tag}", directory.display())
            }
            Reference::Remote(remote) => {
                let named = remote.rsplit('/').next().is_some_and(|name| name.contains(':'));
                let remote = if named { remote } else { format!("{remote}:{default_tag}") };
                transfer::push(&remote, self.plain_http, |directory, tag| {
                    Layout::publish(directory, tag, artifact, true)
                })?;
                format!("docker://{remote}")
            }
        })
    }
}

/// Lists the packages of a layout as they are, without regard to annotations. Nothing is verified against a
/// trust store: `mpp inspect` and `mpp install` do.
pub fn list(from: &str, outdated: bool) -> Result<CommandOutput, Error> {
    let Reference::Layout { directory, tag: None } = reference(from)? else {
        return Err(usage_error(format!("{from:?} is not oci:DIR")));
    };
    let layout = Layout::open(&directory)?;
    let store = PackageStore::new(&home::home_dir()?);
    let (mut text, mut json) = (String::new(), Vec::new());
    for entry in layout.entries()? {
        let tag = entry.tag.as_deref().unwrap_or("no tag");
        match layout.package_of(&entry).and_then(|package| inspect(&package)) {
            Ok(found) => {
                let (id, version) = (&found.manifest.id, found.manifest.version.to_string());
                let installed = store.find(id).ok().filter(|_| outdated);
                if outdated
                    && installed.as_ref().is_none_or(|it| it.version >= found.manifest.version)
                {
                    continue;
                }
                let keys: Vec<&str> =
                    found.signers.iter().map(|signer| signer.key_id.as_str()).collect();
                text.push_str(&format!("{tag}\n"));
                let mut rows = vec![
                    ("package", format!("{id} {version}")),
                    ("content", terminal::short(&found.content_hash)),
                    ("signed by", keys.join("\n")),
                ];
                let mut row = json!({ "tag": entry.tag, "id": id, "version": version,
                    "content_hash": found.content_hash.as_str(), "key_ids": keys });
                if let Some(installed) = installed {
                    let asks = capabilities(&found.manifest);
                    rows.push(("installed", installed.version.to_string()));
                    rows.push((
                        "requests",
                        match store.manifest(&installed.content_hash) {
                            Ok(old) => difference(&capabilities(&old), &asks),
                            Err(_) => or_nothing(&Vec::from_iter(asks.iter().cloned())),
                        },
                    ));
                    row["installed"] = json!(installed.version.to_string());
                    row["requests"] = json!(asks);
                }
                text.push_str(&terminal::columns(&rows));
                json.push(row);
            }
            Err(_) if outdated => {}
            Err(error) => {
                text.push_str(&format!("{tag}\n"));
                text.push_str(&terminal::columns(&[("refused", error.to_string())]));
                json.push(json!({ "tag": entry.tag, "error": super::error_json(&error) }));
            }
        }
    }
    if json.is_empty() {
        text.push_str("no packages\n");
    }
    Ok(CommandOutput::new(text, Value::Array(json)))
}
