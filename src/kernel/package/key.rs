//! Ed25519 keys (RFC 8032) and their ids.
//!
//! ed25519-compact does the arithmetic. This module adds: a public key must be of prime order and has one id.

use crate::kernel::document::text_form;
use crate::kernel::encoding::{hash_text, hex, sha256};
use crate::kernel::prelude::*;
use ed25519_compact::{x25519, KeyPair, Noise, Seed, Signature};

hash_text! {
    /// The id of a public key: the SHA-256 of its 32 bytes, as 64 hexadecimal digits. People compare it.
    KeyId, "", pub
}

text_form!(KeyId, "64 lower-case hexadecimal digits");

/// An Ed25519 public key of prime order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(ed25519_compact::PublicKey);

/// The order of the prime-order subgroup minus one, L − 1, little-endian (RFC 8032 §5.1).
const ORDER_LESS_ONE: [u8; 32] = [
    0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl PublicKey {
    /// Reads 32 key bytes; refuses anything but a canonical curve point of prime order.
    ///
    /// # Errors
    /// `key.invalid`, `key.weak`.
    // [KEY-02]
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Error> {
        let key = ed25519_compact::PublicKey::new(bytes);
        let weak =
            |what: &str| Error::new(Code::KeyWeak, format!("public key {} {what}", hex(&bytes)));
        key.validate().map_err(|_| weak("is not a canonical point of large order"))?;
        // The curve's points are private to the library, so the test uses the Montgomery form:
        // P and −P are equal there, and (L − 1)·P is −P exactly if L·P is the neutral element.
        let point = x25519::PublicKey::from_ed25519(&key).map_err(|_| weak("is of small order"))?;
        let multiple = point
            .unclamped_mul(&x25519::SecretKey::new(ORDER_LESS_ONE))
            .map_err(|_| weak("is of small order"))?;
        if *multiple != *point {
            return Err(weak("is of mixed order"));
        }
        Ok(PublicKey(key))
    }

    /// Returns the 32 key bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0
    }

    /// Returns the key's id.
    // [KEY-01]
    pub fn id(&self) -> KeyId {
        KeyId::of(&sha256(self.0.as_ref()))
    }

    /// Returns `true` if this key made the signature over the message, by the rules of `spec/package.md` §3.
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
    /// Derives the key pair of a seed. For tests and conformance vectors.
    ///
    /// # Errors
    /// `key.invalid` for a seed of all zeros.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, Error> {
        KeyPair::try_from_seed(Seed::new(seed))
            .map(SecretKey)
            .map_err(|_| Error::new(Code::KeyInvalid, "unusable seed"))
    }

    /// Returns the seed that the key pair derives from. It is as secret as the key.
    pub fn to_seed(&self) -> [u8; 32] {
        *self.0.sk.seed()
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.pk)
    }

    /// Signs as RFC 8032 does: deterministically, without added noise.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        *self.0.sk.sign(message, None::<Noise>)
    }
}

/// Signs with one key: the key itself, or what holds it elsewhere and can fail.
pub trait SigningKey {
    /// Returns the public half.
    fn public(&self) -> PublicKey;

    /// Signs a message.
    ///
    /// # Errors
    /// `key.command` if what holds the key gives no signature.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error>;
}

impl SigningKey for SecretKey {
    fn public(&self) -> PublicKey {
        self.public()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        Ok(self.sign(message))
    }
}
