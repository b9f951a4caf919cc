//! `mpp keygen`.

use super::{file_error, terminal, usage_error, CommandOutput};
use argh::{ArgsInfo, FromArgs};
use mpp::package::key::{PublicKey, SecretKey};
use mpp::{home, text, Code, Error};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Generate an Ed25519 key pair: NAME.key and NAME.pub
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "keygen")]
pub struct Keygen {
    /// path of the two PEM files, without the extension
    #[argh(positional)]
    name: String,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Keygen {
    pub fn run(self) -> Result<CommandOutput, Error> {
        let key = SecretKey::generate();
        let secret = PathBuf::from(format!("{}.key", self.name));
        let public = PathBuf::from(format!("{}.pub", self.name));
        create(&secret, &key.to_pem(), 0o600)?;
        if let Err(error) = create(&public, &key.public().to_pem(), 0o644) {
            // A second attempt would find the secret key and refuse.
            let _ = std::fs::remove_file(&secret);
            return Err(error);
        }
        let id = key.public().id();
        let text = format!(
            "wrote {} (keep it secret) and {}\nkey id {id}\n",
            secret.display(),
            public.display()
        );
        let json = json!({ "secret_key": secret, "public_key": public, "key_id": id.as_str() });
        Ok(CommandOutput::new(text, json))
    }
}

/// Reads a secret key file, with a warning if other users can access it.
pub fn read_secret_key(path: &Path) -> Result<SecretKey, Error> {
    if home::has_mode(path, 0o077) {
        let path = terminal::printable(&path.to_string_lossy());
        super::warn(&format!(
            "warning: {path} is accessible to other users: run `chmod 600 {path}`"
        ));
    }
    SecretKey::from_pem(&read_key(path)?).map_err(|error| error.context(path.display()))
}

pub fn read_public_key(path: &Path) -> Result<PublicKey, Error> {
    PublicKey::from_pem(&read_key(path)?).map_err(|error| error.context(path.display()))
}

/// Reads the text of a key file. PEM is ASCII; other files are named.
fn read_key(path: &Path) -> Result<String, Error> {
    let bytes = super::read_bytes(path)?;
    let refused = |found| Error::new(Code::KeyInvalid, format!("{}: {found}", path.display()));
    match (text::encoding_error(&bytes), String::from_utf8(bytes)) {
        (Some(found), _) => Err(refused(found)),
        (None, text) => text.map_err(|_| {
            refused("not text; convert a DER key with `openssl pkey -inform DER -in FILE -out NAME.key`")
        }),
    }
}

/// Creates a file. A key is never overwritten.
fn create(path: &PathBuf, text: &str, mode: u32) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => usage_error(format!(
            "{} already exists, and keys are never overwritten",
            path.display()
        )),
        _ => file_error(path, &error),
    })
}
