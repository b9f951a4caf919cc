//! The ephemeral attestation: a signed statement that somebody agreed to one call, good for minutes
//! and for one use.
//!
//! It is signed with the *host key*, an Ed25519 key in the home folder. Whoever gives consent signs;
//! whoever runs the call holds the public half only. The record of the call keeps the proof, so that
//! anyone with `host.pub` can check later that each destructive call was agreed to.

use super::approval_request::ApprovalRequest;
use crate::kernel::encoding::{base64, framed, hex, unbase64, unhex};
use crate::kernel::limits::ATTESTATION_S_MAX;
use crate::kernel::names::is_visible_line;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::{KeyId, PublicKey, SecretKey};
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use serde_json::{Map, Value};

const PAYLOAD_TYPE: &str = "application/vnd.mpp.attestation.v1";

/// Proof that somebody agreed to one call: to this tool of this package with these arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EphemeralAttestation {
    by: String,
    nonce: [u8; 16],
    expires: Timestamp,
    key_id: KeyId,
    signature: [u8; 64],
}

impl EphemeralAttestation {
    /// Signs one. `by` says who agreed, and ends up in the record. No two may have the same nonce.
    pub fn sign_with(
        nonce: [u8; 16],
        key: &SecretKey,
        question: &ApprovalRequest,
        by: &str,
        now: Timestamp,
    ) -> Self {
        let expires = now.later(ATTESTATION_S_MAX);
        let bytes = signed_bytes(&call_of(question), by, &nonce, expires);
        EphemeralAttestation {
            by: by.to_owned(),
            nonce,
            expires,
            key_id: key.public().id(),
            signature: key.sign(&bytes),
        }
    }

    /// Who agreed.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The text that a record keeps: nonce, expiry, key id and signature, with a space between.
    // [CONS-12]
    pub fn to_text(&self) -> String {
        let EphemeralAttestation { nonce, expires, key_id, signature, .. } = self;
        format!("{} {expires} {key_id} {}", hex(nonce), base64(signature))
    }

    /// Reads that text; `by` stands elsewhere in the record.
    pub fn from_text(by: &str, text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let mut next = || parts.next().unwrap_or_default();
        let (nonce, expires) = (unhex(next())?, Timestamp::parse(next())?);
        let (key_id, signature) = (KeyId::parse(next())?, unbase64(next())?);
        let found = EphemeralAttestation { by: by.to_owned(), nonce, expires, key_id, signature };
        (found.to_text() == text).then_some(found)
    }

    /// Whether `key` signed it for this call, as [`call`] writes it.
    // [CONS-10]
    fn is_signed_by(&self, key: &PublicKey, call: &str) -> bool {
        let EphemeralAttestation { by, nonce, expires, key_id, signature } = self;
        key.id() == *key_id && key.verifies(&signed_bytes(call, by, nonce, *expires), signature)
    }

    /// Checks it for a call that is about to run. The host still has to find that it was not used before.
    ///
    /// # Errors
    /// `policy.attestation` if it is for another call, by another key or too old.
    // [CONS-11]
    pub fn check(
        &self,
        key: &PublicKey,
        question: &ApprovalRequest,
        now: Timestamp,
    ) -> Result<(), Error> {
        let refusal = |what: &str| Error::new(Code::PolicyAttestation, what);
        if !is_visible_line(&self.by) {
            return Err(refusal("it names nobody who agreed"));
        }
        if !self.is_signed_by(key, &call_of(question)) {
            return Err(refusal("it was not signed by this host's key for exactly this call"));
        }
        let latest = now.unix_seconds().saturating_add(ATTESTATION_S_MAX);
        if self.expires < now || self.expires.unix_seconds() > latest {
            return Err(refusal("its time is over, or too far ahead"));
        }
        Ok(())
    }

    /// What tells it from every other, and when that may be forgotten.
    pub fn nonce(&self) -> (&[u8; 16], Timestamp) {
        (&self.nonce, self.expires)
    }
}

/// Looks at the records of a log: whether each attestation in them is good, and none stands there twice.
#[derive(Debug)]
pub struct AttestationVerifier {
    key: PublicKey,
    nonces: BTreeSet<String>,
}

impl AttestationVerifier {
    /// A check by a host's public key.
    pub fn new(key: PublicKey) -> Self {
        AttestationVerifier { key, nonces: BTreeSet::new() }
    }

    /// How many attestations were good so far.
    pub fn good(&self) -> usize {
        self.nonces.len()
    }

    /// Looks at one record.
    ///
    /// # Errors
    /// A text that says what is wrong with its attestation.
    // [CONS-12]
    pub fn look(&mut self, record: &Map<String, Value>) -> Result<(), String> {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let Some(proof) = text("attestation") else { return Ok(()) };
        let granted_by = text("granted_by").unwrap_or_default();
        let by = granted_by.strip_prefix("person:").unwrap_or_default();
        let found = EphemeralAttestation::from_text(by, proof)
            .ok_or_else(|| "the attestation is not in its form".to_owned())?;
        let content_hash = text("content_hash").and_then(ContentHash::parse);
        let (Some(content_hash), Some(tool), Some(arguments)) =
            (&content_hash, text("tool"), text("arguments"))
        else {
            return Err("an attestation is about a call".to_owned());
        };
        if !found.is_signed_by(&self.key, &call(content_hash, tool, arguments)) {
            return Err("the attestation was not signed by this key for this call".to_owned());
        }
        match self.nonces.insert(hex(&found.nonce)) {
            true => Ok(()),
            false => Err("the attestation was used before".to_owned()),
        }
    }
}

/// One call, as a proof names it.
fn call(content_hash: &ContentHash, tool: &str, arguments: &str) -> String {
    format!("content_hash {content_hash}\ntool {tool}\narguments {arguments}\n")
}

fn call_of(question: &ApprovalRequest) -> String {
    call(&question.content_hash, &question.tool, &question.arguments_digest)
}

/// The exact bytes that are signed, framed like those of a package's signature.
// [CONS-10]
fn signed_bytes(call: &str, by: &str, nonce: &[u8; 16], expires: Timestamp) -> Vec<u8> {
    let nonce = hex(nonce);
    framed(PAYLOAD_TYPE, &format!("{call}by {by}\nnonce {nonce}\nexpires {expires}\n"))
}
