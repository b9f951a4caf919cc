//! Key files: reads and writes PEM as OpenSSL does, and generates keys from the system's randomness.
//!
//! ed25519-compact parses PEM. This module adds that a file holds exactly one key and nothing else.

use crate::kernel::encoding::sha256;
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

    /// Reads a PKCS#8 PEM file, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// `key.invalid`. Decrypt an encrypted key with `openssl pkey` first.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        require_single_pem_block(text, "PRIVATE KEY")?;
        let pair = KeyPair::from_pem(text)
            .map_err(|_| Error::new(Code::KeyInvalid, "PEM block is not an Ed25519 private key"))?;
        SecretKey::from_seed(*pair.sk.seed())
    }

    /// Writes the PEM form.
    pub fn to_pem(&self) -> String {
        KeyPair::from_seed(Seed::new(self.to_seed())).sk.to_pem()
    }
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
    let found = match text {
        _ if text.contains("BEGIN ENCRYPTED PRIVATE KEY") => {
            "an encrypted key (decrypt it with `openssl pkey`)"
        }
        _ if text.contains("BEGIN PRIVATE KEY") => "a private key or more than one block",
        _ if text.contains("BEGIN PUBLIC KEY") => "a public key or more than one block",
        _ => "something else",
    };
    Err(Error::new(Code::KeyInvalid, format!("expected one PEM block {label:?}, found {found}")))
}
