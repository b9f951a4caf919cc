//! Room: `signature.json`, the bytes that are signed, and what a signature has to be.

use super::content_hash::ContentHash;
use super::key::{KeyId, PublicKey, SecretKey};
use crate::kernel::document::{self, object, Document};
use crate::kernel::encoding::{base64, framed, unbase64};
use crate::kernel::limits;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;

/// The type inside the signed bytes.
pub const PAYLOAD_TYPE: &str = "application/vnd.mpp.signature.v1";
const ALGORITHM: &str = "Ed25519";

object! {
    /// `signature.json` as it stands: its shape is checked, its values are not.
    // [SIG-01]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignatureFile: FromJson + ToJson {
        /// The content hash that was signed.
        pub content_hash: ContentHash;
        /// The signatures over it, in the order of the file.
        pub signatures: Vec<SignatureRecord>;
    }
}

object! {
    /// One member of `signatures`, as text.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignatureRecord: FromJson + ToJson {
        /// `Ed25519`.
        pub algorithm: String;
        /// Hexadecimal SHA-256 of the public key.
        pub key_id: String;
        /// Base64 of the 32 key bytes.
        pub public_key: String;
        /// When the signer says it signed. A claim: nothing is decided by it.
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

/// A signature that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The id of the key that signed.
    pub key_id: KeyId,
    /// That key.
    pub public_key: PublicKey,
    /// When it says it did.
    pub signed_at: Timestamp,
}

/// The exact bytes that a signer signs.
///
/// ```
/// use mpp::package::{content_hash::ContentHash, signature::signed_bytes};
/// let hash = ContentHash::of_listing("");
/// let at = mpp::Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
/// assert_eq!(
///     String::from_utf8(signed_bytes(&hash, at)).unwrap(),
///     "MPPv1 32 application/vnd.mpp.signature.v1 116 content_hash \
///      sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
///      signed_at 2026-01-01T00:00:00Z\n"
/// );
/// ```
// [SIG-03]
pub fn signed_bytes(content_hash: &ContentHash, signed_at: Timestamp) -> Vec<u8> {
    let body = format!("content_hash {content_hash}\nsigned_at {signed_at}\n");
    framed(PAYLOAD_TYPE, &body)
}

impl SignatureFile {
    /// Reads `signature.json`: strict JSON, closed, every member a string.
    ///
    /// # Errors
    /// `content.record_invalid`.
    // [SIG-01]
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes).map_err(|error| error.context("signature.json"))
    }

    /// Writes the file: the members in alphabetical order, indented by two spaces, one line feed at
    /// the end.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    /// Checks every signature; all of them have to verify. `[SIG-09]`
    ///
    /// # Errors
    /// One of the `signature.*` codes.
    // [SIG-02] [SIG-09]
    pub fn verify(&self) -> Result<Vec<Signer>, Error> {
        if self.signatures.is_empty() {
            return Err(Error::new(Code::SignatureMissing, "signature.json holds no signature"));
        }
        if self.signatures.len() > limits::SIGNATURES_COUNT_MAX {
            let detail = format!("{} signatures", self.signatures.len());
            return Err(Error::new(Code::SignatureCount, detail));
        }
        let mut signers: Vec<Signer> = Vec::with_capacity(self.signatures.len());
        for (number, record) in self.signatures.iter().enumerate() {
            let signer = record.verify(&self.content_hash, number)?;
            // [SIG-08]
            if signers.iter().any(|before| before.key_id == signer.key_id) {
                let detail = format!("signature {number} is by key {} again", signer.key_id);
                return Err(Error::new(Code::SignatureDuplicate, detail));
            }
            signers.push(signer);
        }
        Ok(signers)
    }
}

impl SignatureRecord {
    /// Signs a content hash.
    pub fn make(content_hash: &ContentHash, key: &SecretKey, signed_at: Timestamp) -> Self {
        let public = key.public();
        SignatureRecord {
            algorithm: ALGORITHM.to_owned(),
            key_id: public.id().to_string(),
            public_key: base64(&public.to_bytes()),
            signed_at: signed_at.to_string(),
            signature: base64(&key.sign(&signed_bytes(content_hash, signed_at))),
        }
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
            refuse(
                Code::SignatureEncoding,
                &format!("`{field}` is not written the one allowed way"),
            )
        };
        let key = unbase64::<32>(&self.public_key).ok_or_else(|| encoding("public_key"))?;
        let signature = unbase64::<64>(&self.signature).ok_or_else(|| encoding("signature"))?;
        let signed_at = Timestamp::parse(&self.signed_at).ok_or_else(|| encoding("signed_at"))?;
        let stated_id = KeyId::parse(&self.key_id).ok_or_else(|| encoding("key_id"))?;
        // [SIG-06]
        let key = PublicKey::from_bytes(key)
            .map_err(|error| refuse(Code::SignatureKeyWeak, error.detail()))?;
        if stated_id != key.id() {
            let what = format!("`key_id` is not the key's, which is {}", key.id());
            return Err(refuse(Code::SignatureKeyId, &what));
        }
        // [SIG-07]
        if !key.verifies(&signed_bytes(content_hash, signed_at), &signature) {
            let what = format!("does not verify with key {stated_id}");
            return Err(refuse(Code::SignatureInvalid, &what));
        }
        Ok(Signer { key_id: stated_id, public_key: key, signed_at })
    }
}
