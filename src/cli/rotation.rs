//! `mpp trust rotation` and `mpp trust rotate`: a key that replaces another.

use super::signer::Signer;
use super::{keys, read_bytes, terminal, trust, usage_error, write_atomic, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::rotation::Rotation;
use mpp::trust::TrustStore;
use mpp::{Error, Timestamp};
use serde_json::json;
use std::path::PathBuf;

/// State, with the old key, which key replaces it
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "rotation")]
pub struct Make {
    /// public key file of the new key
    #[argh(positional)]
    new_key: PathBuf,
    /// the old secret key file
    #[argh(option)]
    key: Option<PathBuf>,
    /// sign by this shell command: message on stdin
    #[argh(option)]
    sign_with: Option<String>,
    /// the public key of --sign-with
    #[argh(option)]
    public_key: Option<PathBuf>,
    /// last second of the old key (RFC 3339)
    #[argh(option)]
    until: String,
    /// write this file
    #[argh(option, short = 'o')]
    output: PathBuf,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

/// Follow a rotation statement of a trusted key
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "rotate")]
pub struct Apply {
    /// file that `mpp trust rotation` wrote
    #[argh(positional)]
    file: PathBuf,
    /// use this trust store [default: MPP_HOME/trust.json]
    #[argh(option)]
    trust: Option<PathBuf>,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Make {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let until = Timestamp::parse(&self.until)
            .ok_or_else(|| usage_error("--until is not a time such as 2026-01-01T00:00:00Z"))?;
        let old = Signer::of(self.key.as_deref(), self.sign_with, self.public_key)?;
        let rotation = Rotation::make(&old, keys::read_public_key(&self.new_key)?, until)?;
        write_atomic(&self.output, rotation.to_json().as_bytes(), None)?;
        Ok(output_of(&rotation, &format!("wrote {}", self.output.display())))
    }
}

impl Apply {
    // [ROT-04]
    pub fn run(self) -> Result<CommandOutput, Error> {
        let rotation = Rotation::from_json(&read_bytes(&self.file)?)?;
        TrustStore::update(&trust::store_path(self.trust)?, |store| {
            store.rotate(&rotation, Timestamp::now())
        })?;
        Ok(output_of(&rotation, "rotated"))
    }
}

fn output_of(rotation: &Rotation, done: &str) -> CommandOutput {
    let Rotation { old_key_id, old_key_until, new_public_key, .. } = rotation;
    let new = new_public_key.id();
    let rows =
        [("old key", format!("{old_key_id}\nuntil {old_key_until}")), ("new key", new.to_string())];
    let json = json!({ "old_key_id": old_key_id.as_str(), "new_key_id": new.as_str(),
        "old_key_until": old_key_until.to_string() });
    CommandOutput::new(format!("{done}\n{}", terminal::columns(&rows)), json)
}
