//! `signature.json`: its format, the signing payload, and the verification of its signatures.

use super::content_hash::ContentHash;
use super::key::{KeyId, PublicKey, SigningKey};
use crate::kernel::document::{self, object, Document};
use crate::kernel::encoding::{base64, pre_auth_encoding, unbase64};
use crate::kernel::limits;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;

/// The payload type inside the signing payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.mpp.signature.v1";
const ALGORITHM: &str = "Ed25519";

object! {
    /// `signature.json` before verification: its structure is checked, its values are not.
    // [SIG-01]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignatureFile: FromJson + ToJson {
        /// The signed content hash.
        pub content_hash: ContentHash;
        /// The signatures over it, in the order of the file.
        pub signatures: Vec<SignatureRecord>;
    }
}

object! {
    /// One entry of `signatures`, with unchecked texts.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignatureRecord: FromJson + ToJson {
        /// `Ed25519`.
        pub algorithm: String;
        /// Hexadecimal SHA-256 of the public key.
        pub key_id: String;
        /// Base64 of the 32 key bytes.
        pub public_key: String;
        /// When the signer claims to have signed. Nothing depends on it.
        pub signed_at: String;
        /// Base64 of the 64 signature bytes.
        pub signature: String;
    }
}

impl Document for SignatureFile {
    const FORMAT: &'static str = "mpp-signature/1";
    const BYTES_MAX: usize = limits::SIGNATURE_FILE_BYTES_MAX;
    const INVALID: Code = Code::ContentRecord;
}

/// The signer of a valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The id of the key that signed.
    pub key_id: KeyId,
    /// The key that signed.
    pub public_key: PublicKey,
    /// When the signer claims to have signed.
    pub signed_at: Timestamp,
}

/// Returns the bytes that a signer signs (DSSE's pre-authentication encoding with its own header).
///
/// ```
/// use mpp::package::{content_hash::ContentHash, signature::signing_payload};
/// let hash = ContentHash::from_checksum_list("");
/// let at = mpp::Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
/// assert_eq!(
///     String::from_utf8(signing_payload(&hash, at)).unwrap(),
///     "MPPv1 32 application/vnd.mpp.signature.v1 116 content_hash \
///      sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
///      signed_at 2026-01-01T00:00:00Z\n"
/// );
/// ```
// [SIG-03]
pub fn signing_payload(content_hash: &ContentHash, signed_at: Timestamp) -> Vec<u8> {
    let body = format!("content_hash {content_hash}\nsigned_at {signed_at}\n");
    pre_auth_encoding(PAYLOAD_TYPE, &body)
}

impl SignatureFile {
    /// Reads `signature.json`, strictly: a closed object in which every member is a string.
    ///
    /// # Errors
    /// `content.record_invalid`.
    // [SIG-01]
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes).map_err(|error| error.context("signature.json"))
    }

    /// Writes the file: members in alphabetical order, indented by two spaces, with a final line feed.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    /// Verifies every signature; a single bad one is an error.
    ///
    /// # Errors
    /// One of the `signature.*` codes.
    // [SIG-02] [SIG-09]
    pub fn verify(&self) -> Result<Vec<Signer>, Error> {
        if self.signatures.is_empty() {
            return Err(Error::new(Code::SignatureMissing, "signature.json contains no signature"));
        }
        if self.signatures.len() > limits::SIGNATURES_COUNT_MAX {
            let (count, max) = (self.signatures.len(), limits::SIGNATURES_COUNT_MAX);
            let detail = format!("signature.json contains {count} signatures, limit {max}");
            return Err(Error::new(Code::SignatureCount, detail));
        }
        let mut signers: Vec<Signer> = Vec::with_capacity(self.signatures.len());
        for (number, record) in self.signatures.iter().enumerate() {
            let signer = record.verify(&self.content_hash, number)?;
            // [SIG-08]
            if signers.iter().any(|before| before.key_id == signer.key_id) {
                let detail = format!("signature {number} repeats the key {}", signer.key_id);
                return Err(Error::new(Code::SignatureDuplicate, detail));
            }
            signers.push(signer);
        }
        Ok(signers)
    }
}

impl SignatureRecord {
    /// Signs a content hash.
    ///
    /// # Errors
    /// Those of the key: a [`SecretKey`](super::key::SecretKey) has none.
    pub fn make(
        content_hash: &ContentHash,
        key: &impl SigningKey,
        signed_at: Timestamp,
    ) -> Result<Self, Error> {
        let public = key.public();
        let signature = key.sign(&signing_payload(content_hash, signed_at))?;
        Ok(SignatureRecord {
            algorithm: ALGORITHM.to_owned(),
            key_id: public.id().to_string(),
            public_key: base64(&public.to_bytes()),
            signed_at: signed_at.to_string(),
            signature: base64(&signature),
        })
    }

    fn verify(&self, content_hash: &ContentHash, number: usize) -> Result<Signer, Error> {
        let refuse =
            |code: Code, what: &str| Error::new(code, format!("signature {number}: {what}"));
        // [SIG-04]
        if self.algorithm != ALGORITHM {
            return Err(refuse(Code::SignatureAlgorithm, "`algorithm` is not \"Ed25519\""));
        }
        // [SIG-05]
        let encoding = |field: &str| {
            refuse(Code::SignatureEncoding, &format!("`{field}` is not in its canonical encoding"))
        };
        let key = unbase64::<32>(&self.public_key).ok_or_else(|| encoding("public_key"))?;
        let signature = unbase64::<64>(&self.signature).ok_or_else(|| encoding("signature"))?;
        let signed_at = Timestamp::parse(&self.signed_at).ok_or_else(|| encoding("signed_at"))?;
        let stated_id = KeyId::parse(&self.key_id).ok_or_else(|| encoding("key_id"))?;
        // [SIG-06]
        let key = PublicKey::from_bytes(key)
            .map_err(|error| refuse(Code::SignatureKeyWeak, error.detail()))?;
        if stated_id != key.id() {
            let what = format!("`key_id` does not match the key, whose id is {}", key.id());
            return Err(refuse(Code::SignatureKeyId, &what));
        }
        // [SIG-07]
        if !key.verifies(&signing_payload(content_hash, signed_at), &signature) {
            let what = format!("does not verify with key {stated_id}");
            return Err(refuse(Code::SignatureInvalid, &what));
        }
        Ok(Signer { key_id: stated_id, public_key: key, signed_at })
    }
}
