//! Key files: reads and writes PEM as OpenSSL does, and generates keys from the system's randomness.
//!
//! ed25519-compact parses PEM. This module adds that a file holds exactly one key and nothing else.

use crate::kernel::encoding::{sha256, unbase64_vec};
use crate::kernel::error::{Code, Error};
use crate::kernel::package::key::{PublicKey, SecretKey};
use ed25519_compact::{KeyPair, Seed};

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo PEM file (RFC 8410).
    ///
    /// # Errors
    /// `key.invalid`, `key.weak`.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        require_single_pem_block(text, "PUBLIC KEY")?;
        let key = ed25519_compact::PublicKey::from_pem(text)
            .map_err(|_| Error::new(Code::KeyInvalid, "PEM block is not an Ed25519 public key"))?;
        PublicKey::from_bytes(*key)
    }

    /// Writes the PEM form.
    pub fn to_pem(&self) -> String {
        ed25519_compact::PublicKey::new(self.to_bytes()).to_pem()
    }
}

impl SecretKey {
    /// Generates a new key from the system's randomness.
    pub fn generate() -> Self {
        // The one unusable seed, all zeros, does not occur.
        loop {
            if let Ok(key) = SecretKey::from_seed(*Seed::generate()) {
                return key;
            }
        }
    }

    /// Reads a PKCS#8 PEM file, as `openssl genpkey -algorithm ed25519` writes it, or one with the public key.
    ///
    /// # Errors
    /// `key.invalid`. Decrypt an encrypted key with `openssl pkey` first.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        require_single_pem_block(text, "PRIVATE KEY")?;
        if let Some(key) = key_with_public_half(text) {
            return Ok(key);
        }
        let what = "PEM block is not an Ed25519 private key, or has the public half of another";
        let pair = KeyPair::from_pem(text).map_err(|_| Error::new(Code::KeyInvalid, what))?;
        SecretKey::from_seed(*pair.sk.seed())
    }

    /// Writes the PEM form.
    pub fn to_pem(&self) -> String {
        KeyPair::from_seed(Seed::new(self.to_seed())).sk.to_pem()
    }
}

/// Reads a PKCS#8 key with its public half (version 1 of RFC 8410), by comparison with the two encodings of
/// this pair: ring before 0.17 wrote an explicit tag.
fn key_with_public_half(text: &str) -> Option<SecretKey> {
    let body: String = text.lines().map(str::trim).filter(|line| !line.starts_with('-')).collect();
    let der = unbase64_vec(&body)?;
    let seed = der.get(16..)?.first_chunk::<32>()?;
    let key = SecretKey::from_seed(*seed).ok()?;
    let public = key.public().to_bytes();
    let is_der = |length: u8, tag: &[u8]| {
        let head = [48, length, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        der == [&head[..], seed, tag, &public].concat()
    };
    (is_der(0x51, &[0x81, 0x21, 0]) || is_der(0x53, &[0xa1, 0x23, 3, 0x21, 0])).then_some(key)
}

/// Returns 32 unpredictable bytes from the system, for keys and nonces of the host.
pub fn random_bytes() -> [u8; 32] {
    // Hashed, so that publishing them does not reveal generator state.
    sha256(Seed::generate().as_ref())
}

/// Fills the bytes with unpredictable ones.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    for piece in bytes.chunks_mut(32) {
        piece.iter_mut().zip(random_bytes()).for_each(|(byte, random)| *byte = random);
    }
}

/// Refuses a text that is not one PEM block with this label, optionally between white space. [KEY-03]
fn require_single_pem_block(text: &str, label: &str) -> Result<(), Error> {
    let text = text.trim();
    let framed = text.starts_with(&format!("-----BEGIN {label}-----"))
        && text.ends_with(&format!("-----END {label}-----"))
        && text.matches("-----BEGIN ").count() == 1
        && text.matches("-----END ").count() == 1;
    if framed {
        return Ok(());
    }
    let others = [
        ("ENCRYPTED PRIVATE", "an encrypted key (run `openssl pkey -in FILE -out NAME.key`)"),
        ("BEGIN OPENSSH ", "an OpenSSH key"),
        ("ssh-ed25519 ", "an OpenSSH key"),
        (" COSIGN PRIVATE KEY", "a cosign key"),
        (" SIGSTORE PRIVATE KEY", "a cosign key"),
        ("untrusted comment:", "a minisign key"),
    ];
    let other = others.iter().find(|(mark, _)| text.contains(mark));
    let found = match text.matches("-----BEGIN ").count() {
        _ if other.is_some() => other.map_or("", |(_, found)| *found),
        2.. => "more than one block",
        _ if text.contains(&format!("BEGIN {label}-----")) => "text before or after the block",
        _ if text.contains("BEGIN PRIVATE KEY") => "a private key",
        _ if text.contains("BEGIN PUBLIC KEY") => "a public key",
        _ => "something else",
    };
    Err(Error::new(Code::KeyInvalid, format!("expected one PEM block {label:?}, found {found}")))
}
