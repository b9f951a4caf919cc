//! Rotation statements: the holder of a trusted key names the key that replaces it.

#[cfg(test)]
#[path = "../../conformance/unit/kernel/rotation.rs"]
mod tests;

use crate::kernel::document::{self, object, Document, FromJson as _};
use crate::kernel::encoding::{base64, pre_auth_encoding, unbase64};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::ROTATION_BYTES_MAX;
use crate::kernel::package::key::{KeyId, PublicKey, SigningKey};
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;

const PAYLOAD_TYPE: &str = "application/vnd.mpp.rotation.v1";

object! {
    /// A statement, signed by the old key, that another key replaces it.
    ///
    /// ```
    /// use mpp::{package::key::SecretKey, rotation::Rotation, Timestamp};
    /// let (old, new) = (SecretKey::generate(), SecretKey::generate().public());
    /// let end = Timestamp::parse("2027-01-31T23:59:59Z").unwrap();
    /// let rotation = Rotation::make(&old, new, end)?;
    /// assert_eq!(Rotation::from_json(rotation.to_json().as_bytes())?, rotation);
    /// assert!(rotation.is_signed_by(&old.public()));
    /// # Ok::<(), mpp::Error>(())
    /// ```
    // [ROT-01]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Rotation: FromJson + ToJson {
        /// The id of the old key.
        pub old_key_id: KeyId;
        /// The last second of the old key.
        pub old_key_until: Timestamp;
        /// The new key.
        pub new_public_key: PublicKey;
        /// Base64 of the old key's signature.
        signature: String, signature;
    }
}

fn signature(place: &Field) -> Result<String, DocumentError> {
    let text = String::read(place)?;
    place.check(unbase64::<64>(&text).is_some(), "must be base64 of 64 bytes")?;
    Ok(text)
}

impl Document for Rotation {
    const FORMAT: &'static str = "mpp-rotation/1";
    const BYTES_MAX: usize = ROTATION_BYTES_MAX;
    const INVALID: Code = Code::RotationInvalid;
}

impl Rotation {
    /// Signs a statement with the old key.
    ///
    /// # Errors
    /// Those of the key.
    pub fn make(
        old: &impl SigningKey,
        new_public_key: PublicKey,
        old_key_until: Timestamp,
    ) -> Result<Self, Error> {
        let old_key_id = old.public().id();
        let signature = String::new();
        let mut rotation = Rotation { old_key_id, old_key_until, new_public_key, signature };
        rotation.signature = base64(&old.sign(&rotation.signing_payload())?);
        Ok(rotation)
    }

    /// Reads the JSON form. The signature is not verified.
    ///
    /// # Errors
    /// `rotation.invalid`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes)
    }

    /// Writes the JSON form.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    // [ROT-02]
    fn signing_payload(&self) -> Vec<u8> {
        let Rotation { old_key_id, old_key_until, new_public_key, .. } = self;
        let new = base64(&new_public_key.to_bytes());
        let body = format!(
            "old_key_id {old_key_id}\nold_key_until {old_key_until}\nnew_public_key {new}\n"
        );
        pre_auth_encoding(PAYLOAD_TYPE, &body)
    }

    /// Returns whether the statement is about this key, and signed by it.
    // [ROT-02]
    #[must_use]
    pub fn is_signed_by(&self, old: &PublicKey) -> bool {
        let signature = unbase64::<64>(&self.signature);
        old.id() == self.old_key_id
            && signature.is_some_and(|bytes| old.verifies(&self.signing_payload(), &bytes))
    }
}
