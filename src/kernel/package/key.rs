//! Ed25519 keys (RFC 8032) and their ids.
//!
//! The arithmetic is ed25519-compact's. What is added: a public key must be of prime order, and a key has one id.

use crate::kernel::document::text_form;
use crate::kernel::encoding::{hash_text, hex, sha256};
use crate::kernel::prelude::*;
use ed25519_compact::{x25519, KeyPair, Noise, Seed, Signature};

hash_text! {
    /// The id of a public key: the SHA-256 of its 32 bytes as 64 hexadecimal digits. People compare it.
    KeyId, "", pub
}

text_form!(KeyId, "64 lower-case hexadecimal digits");

/// An Ed25519 public key of prime order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(ed25519_compact::PublicKey);

/// The order of the prime-order subgroup less one, L − 1, little-endian (RFC 8032 §5.1).
const ORDER_LESS_ONE: [u8; 32] = [
    0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl PublicKey {
    /// Takes 32 key bytes; refuses what is no canonical curve point or not of prime order.
    ///
    /// # Errors
    /// `key.invalid`, `key.weak`.
    // [KEY-02]
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Error> {
        let key = ed25519_compact::PublicKey::new(bytes);
        let weak =
            |what: &str| Error::new(Code::KeyWeak, format!("public key {}: {what}", hex(&bytes)));
        key.validate().map_err(|_| weak("not a canonical point of large order"))?;
        // The curve's points are private to the library, so its Montgomery form does the test: on
        // that form P and −P are one, and (L − 1)·P is −P just when L·P is the neutral element.
        let point = x25519::PublicKey::from_ed25519(&key).map_err(|_| weak("small order"))?;
        let multiple = point
            .unclamped_mul(&x25519::SecretKey::new(ORDER_LESS_ONE))
            .map_err(|_| weak("small order"))?;
        if *multiple != *point {
            return Err(weak("mixed order"));
        }
        Ok(PublicKey(key))
    }

    /// The 32 key bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0
    }

    /// The key's id.
    // [KEY-01]
    pub fn id(&self) -> KeyId {
        KeyId::of(&sha256(self.0.as_ref()))
    }

    /// Whether `signature` is this key's over `message`, by the rules of `spec/package.md` §3.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify(message, &Signature::new(*signature)).is_ok()
    }
}

/// An Ed25519 key pair. Its secret half is never printed.
pub struct SecretKey(KeyPair);

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretKey(of {})", self.public().id())
    }
}

impl SecretKey {
    /// The key of a seed: the same seed, the same key. For tests and conformance vectors.
    ///
    /// # Errors
    /// `key.invalid` for a seed of all zeros.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, Error> {
        KeyPair::try_from_seed(Seed::new(seed))
            .map(SecretKey)
            .map_err(|_| Error::new(Code::KeyInvalid, "unusable seed"))
    }

    /// The seed that it was made from, which is all of it: as secret as the key.
    pub fn to_seed(&self) -> [u8; 32] {
        *self.0.sk.seed()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.pk)
    }

    /// Signs as RFC 8032 does: without noise, so the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        *self.0.sk.sign(message, None::<Noise>)
    }
}
