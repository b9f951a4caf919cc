//! Key files: reads and writes PEM as OpenSSL does, and generates keys from the system's randomness.
//!
//! A file is read by one grammar, and its key by comparison with what would be written for it.

use crate::kernel::encoding::{sha256, unbase64_vec};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::KEY_FILE_BYTES_MAX;
use crate::kernel::package::key::{PublicKey, SecretKey};
use ed25519_compact::{KeyPair, Seed};

/// The bytes before the key in a SubjectPublicKeyInfo (RFC 8410).
const PUBLIC_HEAD: [u8; 12] = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo PEM file (RFC 8410).
    ///
    /// # Errors
    /// `key.invalid`, `key.weak`.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let der = pem_content(text, "PUBLIC KEY")?;
        let key = der.strip_prefix(&PUBLIC_HEAD).and_then(|key| key.try_into().ok());
        PublicKey::from_bytes(key.ok_or_else(|| invalid("PEM block is not an Ed25519 public key"))?)
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
        let der = pem_content(text, "PRIVATE KEY")?;
        let seed = der.get(16..).and_then(|seed| seed.first_chunk::<32>());
        let key = seed.and_then(|seed| SecretKey::from_seed(*seed).ok());
        let what = "PEM block is not an Ed25519 private key, or has the public half of another";
        key.filter(|key| encodings(key).contains(&der)).ok_or_else(|| invalid(what))
    }

    /// Writes the PEM form.
    pub fn to_pem(&self) -> String {
        KeyPair::from_seed(Seed::new(self.to_seed())).sk.to_pem()
    }
}

/// Returns the PKCS#8 encodings of a key: version 0, and version 1 with the public half (RFC 8410), for which
/// ring before 0.17 wrote an explicit tag.
// [KEY-03]
fn encodings(key: &SecretKey) -> [Vec<u8>; 3] {
    let (seed, public) = (key.to_seed(), key.public().to_bytes());
    let encoding = |length: u8, version: u8, tag: &[u8], public: &[u8]| {
        let head = [48, length, 2, 1, version, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        [&head[..], &seed, tag, public].concat()
    };
    [
        encoding(0x2e, 0, &[], &[]),
        encoding(0x51, 1, &[0x81, 0x21, 0], &public),
        encoding(0x53, 1, &[0xa1, 0x23, 3, 0x21, 0], &public),
    ]
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

fn invalid(detail: impl Into<String>) -> Error {
    Error::new(Code::KeyInvalid, detail)
}

/// Returns the content of the one PEM block with this label that a text consists of.
// [KEY-03]
fn pem_content(text: &str, label: &str) -> Result<Vec<u8>, Error> {
    // `lines` ends a line at LF and CRLF, and leaves any other CR in it.
    let mut lines: Vec<&str> = text.lines().skip_while(|line| line.is_empty()).collect();
    while lines.pop_if(|line| line.is_empty()).is_some() {}
    let is_short = text.len() <= KEY_FILE_BYTES_MAX;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    if let [first, content @ .., last] = lines.as_slice() {
        if is_short && *first == begin && *last == end && !content.contains(&"") {
            if let Some(bytes) = unbase64_vec(&content.concat()) {
                return Ok(bytes);
            }
        }
    }
    let has = |mark: &str| text.contains(mark);
    let found = match text.matches("-----BEGIN ").count() {
        _ if !is_short => "more than 4096 bytes",
        _ if has("ENCRYPTED PRIVATE") => {
            "an encrypted key (run `openssl pkey -in FILE -out NAME.key`)"
        }
        _ if has("BEGIN OPENSSH ") || has("ssh-ed25519 ") => "an OpenSSH key",
        _ if has(" COSIGN PRIVATE KEY") || has(" SIGSTORE PRIVATE KEY") => "a cosign key",
        _ if has("untrusted comment:") => "a minisign key",
        2.. => "more than one block",
        _ if has(&begin) => "something before, in or after the block",
        _ if has("BEGIN PRIVATE KEY") => "a private key",
        _ if has("BEGIN PUBLIC KEY") => "a public key",
        _ => "something else",
    };
    Err(invalid(format!("expected one PEM block {label:?}, found {found}")))
}
