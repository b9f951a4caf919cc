//! What signs: a key file, or a command that holds the key elsewhere (`--key`, or `--sign-with` and `--public-key`).

use super::keys::{read_public_key, read_secret_key};
use super::usage_error;
use mpp::package::key::{PublicKey, SecretKey, SigningKey};
use mpp::{encoding, Code, Error};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The longest output of a command: 64 bytes in base64 and the end of its line.
const OUTPUT_BYTES_MAX: u64 = 90;

/// A secret key, or a command that signs with it.
pub enum Signer {
    Key(SecretKey),
    Command { line: String, public: PublicKey },
}

impl Signer {
    /// Reads the options of a command that signs. Exactly one way has to be named.
    pub fn of(
        key: Option<&Path>,
        sign_with: Option<String>,
        public_key: Option<PathBuf>,
    ) -> Result<Self, Error> {
        match (key, sign_with, public_key) {
            (Some(key), None, None) => read_secret_key(key).map(Signer::Key),
            (None, Some(line), Some(public)) => {
                Ok(Signer::Command { line, public: read_public_key(&public)? })
            }
            _ => Err(usage_error("pass --key FILE, or --sign-with COMMAND and --public-key FILE")),
        }
    }
}

impl SigningKey for Signer {
    fn public(&self) -> PublicKey {
        match self {
            Signer::Key(key) => key.public(),
            Signer::Command { public, .. } => *public,
        }
    }

    // [KEY-04] [KEY-06]
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        let (line, public) = match self {
            Signer::Key(key) => return Ok(key.sign(message)),
            Signer::Command { line, public } => (line, public),
        };
        let signature = signature_of(&output_of(line, message)?)?;
        if !public.verifies(message, &signature) {
            return Err(failed(&format!("did not sign with the key {}", public.id())));
        }
        Ok(signature)
    }
}

fn failed(what: &str) -> Error {
    Error::new(Code::KeyCommand, format!("the signing command {what}"))
}

/// Runs a command line in the system's shell: the message on its stdin, its stderr as ours. It may ask a person, so
/// it has no time limit.
// [KEY-04]
fn output_of(line: &str, message: &[u8]) -> Result<Vec<u8>, Error> {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell)
        .args([option, line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("cannot be started: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read all still has to sign all, which is verified.
        let _ = stdin.write_all(message);
    }
    let mut output = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |stdout| {
        stdout.take(OUTPUT_BYTES_MAX.saturating_add(1)).read_to_end(&mut output)
    });
    let too_long = u64::try_from(output.len()).unwrap_or(u64::MAX) > OUTPUT_BYTES_MAX;
    if too_long {
        // It may go on writing, and then it would never end.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| failed(&format!("cannot be waited for: {error}")))?;
    read.map_err(|error| failed(&format!("cannot be read: {error}")))?;
    if too_long {
        return Err(failed(&format!("wrote more than {OUTPUT_BYTES_MAX} bytes")));
    }
    match status.success() {
        true => Ok(output),
        false => Err(failed(&format!("failed: {status}"))),
    }
}

/// Reads a signature: 64 bytes, or their base64 in one line.
// [KEY-05]
fn signature_of(output: &[u8]) -> Result<[u8; 64], Error> {
    if let Ok(signature) = output.try_into() {
        return Ok(signature);
    }
    let line = output.strip_suffix(b"\n").unwrap_or(output);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).ok();
    text.and_then(encoding::unbase64::<64>).ok_or_else(|| {
        let found = output.len();
        failed(&format!("wrote {found} bytes that are neither 64 bytes nor base64 of 64"))
    })
}
