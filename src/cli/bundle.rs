//! `mpp bundle`: what an organisation's root signs, and what binds this computer.

use super::signer::Signer;
use super::{keys, read_bytes, terminal, write_atomic, CommandOutput};
use crate::registry::layout::Layout;
use crate::registry::reference::Reference;
use crate::registry::{transfer, BUNDLE};
use argh::{ArgsInfo, FromArgs};
use mpp::bundle::{import, Bundle, Root, SignedBundle, DIRECTORY};
use mpp::limits::HOST_FILE_DEPTH_MAX;
use mpp::{json, Code, Error, PermissionPolicy, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

/// Make, sign and import an organisation's trust and policy
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "bundle")]
pub struct Group {
    #[argh(subcommand)]
    command: Command,
}

#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand)]
enum Command {
    Root(MakeRoot),
    Make(Make),
    Sign(Sign),
    Verify(Verify),
    Import(Import),
}

/// Write the root of an organisation
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "root")]
struct MakeRoot {
    /// the organisation's name
    #[argh(positional)]
    name: String,
    /// public key file (repeatable)
    #[argh(option)]
    key: Vec<PathBuf>,
    /// how many keys have to sign [default: 1]
    #[argh(option, default = "1")]
    threshold: u64,
    /// write this file
    #[argh(option, short = 'o')]
    output: PathBuf,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Write a bundle without signatures
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "make")]
struct Make {
    /// root file of the organisation
    #[argh(option)]
    root: PathBuf,
    /// trust store with the publishers
    #[argh(option)]
    trust: PathBuf,
    /// policy file [default: no rules]
    #[argh(option)]
    policy: Option<PathBuf>,
    /// number of the bundle, higher than before
    #[argh(option)]
    sequence: u64,
    /// last second in which it counts (RFC 3339)
    #[argh(option)]
    expires: String,
    /// root file from this bundle on, signed by both
    #[argh(option)]
    new_root: Option<PathBuf>,
    /// write this file
    #[argh(option, short = 'o')]
    output: PathBuf,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Add a signature of a root's key
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "sign")]
struct Sign {
    /// bundle file
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
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Verify a bundle against a root
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "verify")]
struct Verify {
    /// bundle file
    #[argh(positional)]
    file: PathBuf,
    /// root file [default: that of this computer]
    #[argh(option)]
    root: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

/// Put a bundle into force on this computer, as administrator
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "import")]
struct Import {
    /// bundle file, oci:DIR[:TAG] or docker://HOST/NAME:TAG
    #[argh(positional)]
    file: PathBuf,
    /// reach a docker:// registry without TLS
    #[argh(switch)]
    plain_http: bool,
    /// print JSON
    #[argh(switch)]
    json: bool,
}

impl Group {
    pub fn as_json(&self) -> bool {
        match &self.command {
            Command::Root(command) => command.json,
            Command::Make(command) => command.json,
            Command::Sign(command) => command.json,
            Command::Verify(command) => command.json,
            Command::Import(command) => command.json,
        }
    }

    pub fn run(self) -> Result<CommandOutput, Error> {
        match self.command {
            Command::Root(command) => command.run(),
            Command::Make(command) => command.run(),
            Command::Sign(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Import(command) => command.run(),
        }
    }
}

impl MakeRoot {
    fn run(self) -> Result<CommandOutput, Error> {
        let mut rows = Vec::new();
        for file in &self.key {
            let key = keys::read_public_key(file)?;
            let public = mpp::encoding::base64(&key.to_bytes());
            rows.push(json!({ "key_id": key.id().as_str(), "public_key": public }));
        }
        let root = json!({ "format": "mpp-organisation/1", "organisation": self.name,
            "keys": rows, "threshold": self.threshold });
        let root = Root::from_json(root.to_string().as_bytes())?;
        write_atomic(&self.output, root.to_json().as_bytes(), None)?;
        let ids: Vec<&str> = root.keys.keys().map(|id| id.as_str()).collect();
        let json = json!({ "organisation": root.organisation, "key_ids": ids,
            "threshold": root.threshold });
        let text = terminal::columns(&[
            ("organisation", root.organisation.clone()),
            ("keys", ids.join("\n")),
            ("have to sign", root.threshold.to_string()),
        ]);
        Ok(CommandOutput::new(text, json))
    }
}

/// Reads a document without its member `format`, as a bundle has it.
fn part(file: &Path, bytes: &[u8]) -> Result<Value, Error> {
    let invalid =
        |what: String| Error::new(Code::BundleInvalid, format!("{}: {what}", file.display()));
    let mut value = json::parse(bytes, HOST_FILE_DEPTH_MAX).map_err(invalid)?;
    if let Some(members) = value.as_object_mut() {
        members.remove("format");
    }
    Ok(value)
}

impl Make {
    fn run(self) -> Result<CommandOutput, Error> {
        let root = Root::from_json(&read_bytes(&self.root)?)?;
        let trust = read_bytes(&self.trust)?;
        // Each is checked with its own code before it is put in.
        TrustStore::from_json(&trust)?;
        let mut bundle = json!({ "format": "mpp-bundle-content/1", "organisation": root.organisation,
            "sequence": self.sequence, "expires": self.expires, "trust": part(&self.trust, &trust)? });
        if let Some(file) = &self.policy {
            let policy = read_bytes(file)?;
            PermissionPolicy::from_json(&policy)?;
            bundle["policy"] = part(file, &policy)?;
        }
        if let Some(file) = &self.new_root {
            let new = read_bytes(file)?;
            Root::from_json(&new)?;
            bundle["root"] = part(file, &new)?;
        }
        let signed = SignedBundle::new(&format!("{bundle:#}"))?;
        write_atomic(&self.output, signed.to_json().as_bytes(), None)?;
        let text = format!("wrote {}, to be signed by the root\n", self.output.display());
        let json = json!({ "file": self.output, "organisation": root.organisation,
            "sequence": self.sequence, "expires": self.expires });
        Ok(CommandOutput::new(text, json))
    }
}

impl Sign {
    fn run(self) -> Result<CommandOutput, Error> {
        let key = Signer::of(self.key.as_deref(), self.sign_with, self.public_key)?;
        let mut signed = SignedBundle::from_json(&read_bytes(&self.file)?)?;
        signed.sign(&key)?;
        write_atomic(&self.file, signed.to_json().as_bytes(), None)?;
        let ids: Vec<&str> = signed.key_ids().map(|id| id.as_str()).collect();
        let text = format!(
            "signed {}\n{}",
            self.file.display(),
            terminal::columns(&[("signed by", ids.join("\n"))])
        );
        Ok(CommandOutput::new(text, json!({ "file": self.file, "key_ids": ids })))
    }
}

impl Verify {
    fn run(self) -> Result<CommandOutput, Error> {
        let signed = SignedBundle::from_json(&read_bytes(&self.file)?)?;
        let root = self.root.unwrap_or_else(|| Path::new(DIRECTORY).join(mpp::bundle::ROOT_FILE));
        let bundle = Root::from_json(&read_bytes(&root)?)?.open(&signed, Timestamp::now())?;
        Ok(output_of(&bundle, "verified"))
    }
}

impl Import {
    fn run(self) -> Result<CommandOutput, Error> {
        let bytes = match self.file.to_str().and_then(Reference::parse).transpose()? {
            Some(Reference::Layout { directory, tag }) => {
                Layout::open(&directory)?.artifact(tag.as_deref(), BUNDLE)?
            }
            Some(Reference::Remote(remote)) => {
                transfer::fetch(&remote, self.plain_http, |layout| layout.artifact(None, BUNDLE))?
            }
            None => read_bytes(&self.file)?,
        };
        Ok(output_of(&import(&SignedBundle::from_json(&bytes)?)?, "in force"))
    }
}

fn output_of(bundle: &Bundle, done: &str) -> CommandOutput {
    let publishers: Vec<&str> = bundle.trust.publishers().map(|one| one.name.as_str()).collect();
    let rows = [
        ("organisation", bundle.organisation.clone()),
        ("sequence", bundle.sequence.to_string()),
        ("until", bundle.expires.to_string()),
        ("publishers", publishers.join(", ")),
    ];
    let json = json!({ "organisation": bundle.organisation, "sequence": bundle.sequence,
        "expires": bundle.expires.to_string(), "publishers": publishers });
    CommandOutput::new(format!("{done}\n{}", terminal::columns(&rows)), json)
}
