//! Keys in the PEM forms that OpenSSL reads and writes, and new ones from the system's randomness.
//!
//! The reading is ed25519-compact's. What is added: a PEM file holds one key and nothing else.

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
        only_block(text, "PUBLIC KEY")?;
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
    /// Makes a new key from the system's randomness.
    pub fn generate() -> Self {
        // A seed that can't be used does not come up: it is all zeros.
        loop {
            if let Ok(key) = SecretKey::from_seed(*Seed::generate()) {
                return key;
            }
        }
    }

    /// Reads a PKCS#8 PEM file, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// `key.invalid`. An encrypted key has to be decrypted with `openssl pkey` first.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        only_block(text, "PRIVATE KEY")?;
        let pair = KeyPair::from_pem(text)
            .map_err(|_| Error::new(Code::KeyInvalid, "PEM block is not an Ed25519 private key"))?;
        SecretKey::from_seed(*pair.sk.seed())
    }

    /// Writes the PEM form.
    pub fn to_pem(&self) -> String {
        KeyPair::from_seed(Seed::new(self.to_seed())).sk.to_pem()
    }
}

/// 32 unpredictable bytes from the system, for keys and nonces of the host.
pub fn random_bytes() -> [u8; 32] {
    // Hashed, so that a caller who publishes them publishes no state of the generator.
    sha256(Seed::generate().as_ref())
}

/// The text is one PEM block with this label and white space around it. [KEY-03]
fn only_block(text: &str, label: &str) -> Result<(), Error> {
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
