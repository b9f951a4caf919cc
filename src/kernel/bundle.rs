//! Trust bundles: whom an organisation trusts and what it allows, signed by its root, with a sequence and an end.

#[cfg(test)]
#[path = "../../conformance/unit/kernel/bundle.rs"]
mod tests;

use crate::kernel::document::{self, integer, keyed, object, text, Document, FromJson as _};
use crate::kernel::encoding::{as_u64, base64, pre_auth_encoding, unbase64, unbase64_vec};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{BUNDLE_BYTES_MAX, SIGNATURES_COUNT_MAX};
use crate::kernel::package::key::{KeyId, PublicKey, SigningKey};
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::{id_of, is_publisher_name, TrustStore};

const PAYLOAD_TYPE: &str = "application/vnd.mpp.bundle.v1";

object! {
    /// An organisation's root: its keys, and how many of them have to sign a bundle.
    // [ORG-01]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Root: FromJson + ToJson {
        /// The organisation's name.
        pub organisation: String, text(is_publisher_name, "a name in plain ASCII on one line");
        /// Its keys.
        pub keys: BTreeMap<KeyId, RootKey>,
            keyed(1..=SIGNATURES_COUNT_MAX, RootKey::read, |key| key.key_id.clone());
        /// How many of them have to sign.
        pub threshold: u64, |place| integer(1..=as_u64(keys.len()))(place);
    }
}

object! {
    /// A key of a root.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RootKey: FromJson + ToJson {
        /// The key.
        pub public_key: PublicKey;
        /// Its id.
        pub key_id: KeyId, |place| id_of(place, &public_key);
    }
}

impl Document for Root {
    const FORMAT: &'static str = "mpp-organisation/1";
    const BYTES_MAX: usize = BUNDLE_BYTES_MAX;
    const INVALID: Code = Code::OrganisationInvalid;
}

object! {
    /// What the root signs.
    // [ORG-03]
    #[derive(Clone, Debug)]
    pub struct Bundle: FromJson {
        /// The organisation's name, as the root has it.
        pub organisation: String, text(is_publisher_name, "a name in plain ASCII on one line");
        /// Rises with each bundle.
        pub sequence: u64, integer(1..=u64::MAX);
        /// The last second in which it counts.
        pub expires: Timestamp;
        /// The root from this bundle on, if it changes.
        pub root: Option<Root> = None;
        /// Whose signatures count.
        pub trust: TrustStore = TrustStore::empty();
        /// What packages get.
        pub policy: PermissionPolicy = PermissionPolicy::new();
    }
}

impl Document for Bundle {
    const FORMAT: &'static str = "mpp-bundle-content/1";
    const BYTES_MAX: usize = BUNDLE_BYTES_MAX;
    const INVALID: Code = Code::BundleInvalid;
}

object! {
    /// A bundle with its signatures. Nothing in it counts before [`Root::open`].
    // [ORG-02]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignedBundle: FromJson + ToJson {
        /// Base64 of the bundle's JSON.
        payload: String, payload;
        /// By the root's keys.
        signatures: BTreeMap<KeyId, RootSignature> = BTreeMap::new(),
            keyed(0..=SIGNATURES_COUNT_MAX, RootSignature::read, |one| one.key_id.clone());
    }
}

object! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct RootSignature: FromJson + ToJson {
        key_id: KeyId;
        signature: String, text(|text| unbase64::<64>(text).is_some(), "base64 of 64 bytes");
    }
}

fn payload(place: &Field) -> Result<String, DocumentError> {
    let is_text =
        |text: &str| unbase64_vec(text).is_some_and(|it| core::str::from_utf8(&it).is_ok());
    text(is_text, "base64 of a text")(place)
}

impl Document for SignedBundle {
    const FORMAT: &'static str = "mpp-bundle/1";
    const BYTES_MAX: usize = BUNDLE_BYTES_MAX;
    const INVALID: Code = Code::BundleInvalid;
}

impl SignedBundle {
    /// Wraps the JSON of a bundle, without signatures.
    ///
    /// # Errors
    /// `bundle.invalid`, and the codes of the documents in it.
    pub fn new(bundle: &str) -> Result<Self, Error> {
        let signed =
            SignedBundle { payload: base64(bundle.as_bytes()), signatures: BTreeMap::new() };
        signed.unverified().map(|_| signed)
    }

    /// Reads the JSON form. No signature is verified.
    ///
    /// # Errors
    /// `bundle.invalid`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes)
    }

    /// Writes the JSON form.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    /// Adds a signature, or replaces that of the same key.
    ///
    /// # Errors
    /// Those of the key.
    pub fn sign(&mut self, key: &impl SigningKey) -> Result<(), Error> {
        let key_id = key.public().id();
        let signature = base64(&key.sign(&self.signing_payload())?);
        self.signatures.insert(key_id.clone(), RootSignature { key_id, signature });
        Ok(())
    }

    /// Returns the ids of the keys that signed it, by their own statement.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.signatures.keys()
    }

    /// Reads the bundle, which counts only by [`Root::open`].
    ///
    /// # Errors
    /// `bundle.invalid`.
    pub fn unverified(&self) -> Result<Bundle, Error> {
        document::parse(self.content().as_bytes())
    }

    /// Returns the bundle's JSON.
    pub fn content(&self) -> String {
        String::from_utf8(unbase64_vec(&self.payload).unwrap_or_default()).unwrap_or_default()
    }

    // [ORG-04]
    fn signing_payload(&self) -> Vec<u8> {
        pre_auth_encoding(PAYLOAD_TYPE, &self.content())
    }

    fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signature = self.signatures.get(&key.id());
        let bytes = signature.and_then(|one| unbase64::<64>(&one.signature));
        bytes.is_some_and(|bytes| key.verifies(&self.signing_payload(), &bytes))
    }
}

impl Root {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// `organisation.invalid`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes)
    }

    /// Writes the JSON form.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    /// Returns a bundle that this root signed and that counts now.
    ///
    /// # Errors
    /// `bundle.signatures`, `bundle.invalid`, `bundle.expired`.
    // [ORG-04] [ORG-05]
    pub fn open(&self, signed: &SignedBundle, now: Timestamp) -> Result<Bundle, Error> {
        self.check_signatures(signed)?;
        let bundle = signed.unverified()?;
        if bundle.organisation != self.organisation {
            let (found, own) = (&bundle.organisation, &self.organisation);
            let detail = format!("a bundle of {found:?}, not of {own:?}");
            return Err(Error::new(Code::BundleInvalid, detail));
        }
        // A root that cannot sign would end all bundles.
        if let Some(root) = &bundle.root {
            root.check_signatures(signed)?;
        }
        bundle.check_time(now)?;
        Ok(bundle)
    }

    fn check_signatures(&self, signed: &SignedBundle) -> Result<(), Error> {
        let keys = self.keys.values();
        let found = as_u64(keys.filter(|key| signed.is_signed_by(&key.public_key)).count());
        if found >= self.threshold {
            return Ok(());
        }
        let needed = self.threshold;
        let detail = format!("signed by {found} keys of the root, {needed} are required");
        Err(Error::new(Code::BundleSignatures, detail))
    }
}

impl Bundle {
    /// Checks that the bundle has not ended.
    ///
    /// # Errors
    /// `bundle.expired`.
    // [ORG-05]
    pub fn check_time(&self, now: Timestamp) -> Result<(), Error> {
        if now <= self.expires {
            return Ok(());
        }
        let detail = format!("bundle {} ended at {}", self.sequence, self.expires);
        Err(Error::new(Code::BundleExpired, detail))
    }

    /// Checks that this bundle, in its signed form, may follow another.
    ///
    /// # Errors
    /// `bundle.rollback`: it has a lower sequence, or the same one with other content; `bundle.invalid`.
    // [ORG-05]
    pub fn check_follows(&self, before: &SignedBundle, signed: &SignedBundle) -> Result<(), Error> {
        let sequence = before.unverified()?.sequence;
        if self.sequence > sequence || signed.payload == before.payload {
            return Ok(());
        }
        let detail = format!("bundle {} after bundle {sequence}", self.sequence);
        Err(Error::new(Code::BundleRollback, detail))
    }
}
