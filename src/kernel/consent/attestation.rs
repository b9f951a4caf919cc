//! Ephemeral attestations: signed, single-use proofs that one call was approved, valid for minutes.
//!
//! They are signed with the *host key*, an Ed25519 key in the home directory. The process that asks the
//! approver signs; the process that runs the call has only the public half. The audit record of the call
//! contains the proof, so that anyone with `host.pub` can verify later that each destructive call was
//! approved.

use super::approval_request::ApprovalRequest;
use crate::kernel::encoding::{base64, hex, pre_auth_encoding, unbase64, unhex};
use crate::kernel::limits::ATTESTATION_S_MAX;
use crate::kernel::names::is_visible_line;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::{KeyId, PublicKey, SecretKey};
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use serde_json::{Map, Value};

const PAYLOAD_TYPE: &str = "application/vnd.mpp.attestation.v1";

/// Proof of approval for one call: this tool of this package with these arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EphemeralAttestation {
    by: String,
    nonce: [u8; 16],
    expires: Timestamp,
    key_id: KeyId,
    signature: [u8; 64],
}

impl EphemeralAttestation {
    /// Signs a proof. `by` names the approver for the audit record. Every proof needs a new nonce.
    pub fn sign_with(
        nonce: [u8; 16],
        key: &SecretKey,
        request: &ApprovalRequest,
        by: &str,
        now: Timestamp,
    ) -> Self {
        let expires = now.plus_seconds(ATTESTATION_S_MAX);
        let bytes = signing_payload(&call_of(request), by, &nonce, expires);
        EphemeralAttestation {
            by: by.to_owned(),
            nonce,
            expires,
            key_id: key.public().id(),
            signature: key.sign(&bytes),
        }
    }

    /// Returns the name of the approver.
    pub fn approved_by(&self) -> &str {
        &self.by
    }

    /// Returns the text for the audit record: nonce, expiry, key id and signature, separated by spaces.
    // [CONS-12]
    pub fn to_text(&self) -> String {
        let EphemeralAttestation { nonce, expires, key_id, signature, .. } = self;
        format!("{} {expires} {key_id} {}", hex(nonce), base64(signature))
    }

    /// Parses that text; the approver is another member of the record.
    pub fn from_text(by: &str, text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let mut next = || parts.next().unwrap_or_default();
        let (nonce, expires) = (unhex(next())?, Timestamp::parse(next())?);
        let (key_id, signature) = (KeyId::parse(next())?, unbase64(next())?);
        let found = EphemeralAttestation { by: by.to_owned(), nonce, expires, key_id, signature };
        (found.to_text() == text).then_some(found)
    }

    /// Returns `true` if `key` signed it for this call, in the form of [`call`].
    // [CONS-10]
    fn is_signed_by(&self, key: &PublicKey, call: &str) -> bool {
        let EphemeralAttestation { by, nonce, expires, key_id, signature } = self;
        key.id() == *key_id && key.verifies(&signing_payload(call, by, nonce, *expires), signature)
    }

    /// Checks the proof of a call that is about to run. The host still has to check that it was not used.
    ///
    /// # Errors
    /// `policy.attestation` if it is for another call, signed by another key, or expired.
    // [CONS-11]
    pub fn check(
        &self,
        key: &PublicKey,
        request: &ApprovalRequest,
        now: Timestamp,
    ) -> Result<(), Error> {
        let refusal = |what: &str| Error::new(Code::PolicyAttestation, what);
        if !is_visible_line(&self.by) {
            return Err(refusal("approver name is missing"));
        }
        if !self.is_signed_by(key, &call_of(request)) {
            return Err(refusal("attestation is not signed by this host's key for this call"));
        }
        let latest = now.unix_seconds().saturating_add(ATTESTATION_S_MAX);
        if self.expires < now || self.expires.unix_seconds() > latest {
            return Err(refusal("attestation is expired, or expires too far in the future"));
        }
        Ok(())
    }

    /// Returns the nonce, and the time after which it need not be remembered.
    pub fn nonce(&self) -> (&[u8; 16], Timestamp) {
        (&self.nonce, self.expires)
    }
}

/// Verifies the attestations in the records of a log, and that none is used twice.
#[derive(Debug)]
pub struct AttestationVerifier {
    key: PublicKey,
    nonces: BTreeSet<String>,
}

impl AttestationVerifier {
    /// Verifies with the public key of a host.
    pub fn new(key: PublicKey) -> Self {
        AttestationVerifier { key, nonces: BTreeSet::new() }
    }

    /// Returns the number of verified attestations.
    pub fn verified_count(&self) -> usize {
        self.nonces.len()
    }

    /// Verifies the attestation of one record, if it has one.
    ///
    /// # Errors
    /// What is wrong with the attestation.
    // [CONS-12]
    pub fn check_record(&mut self, record: &Map<String, Value>) -> Result<(), String> {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let Some(proof) = text("attestation") else { return Ok(()) };
        let granted_by = text("granted_by").unwrap_or_default();
        let by = granted_by.strip_prefix("person:").unwrap_or_default();
        let found = EphemeralAttestation::from_text(by, proof)
            .ok_or_else(|| "attestation is malformed".to_owned())?;
        let content_hash = text("content_hash").and_then(ContentHash::parse);
        let (Some(content_hash), Some(tool), Some(arguments)) =
            (&content_hash, text("tool"), text("arguments"))
        else {
            return Err("attestation is not in an intent record".to_owned());
        };
        if !found.is_signed_by(&self.key, &call(content_hash, tool, arguments)) {
            return Err("attestation is not signed by this key for this call".to_owned());
        }
        match self.nonces.insert(hex(&found.nonce)) {
            true => Ok(()),
            false => Err("attestation was already used".to_owned()),
        }
    }
}

/// Returns the text of a call in the signing payload.
fn call(content_hash: &ContentHash, tool: &str, arguments: &str) -> String {
    format!("content_hash {content_hash}\ntool {tool}\narguments {arguments}\n")
}

fn call_of(request: &ApprovalRequest) -> String {
    call(&request.content_hash, &request.tool, &request.arguments_digest)
}

/// Returns the bytes that are signed, encoded like those of a package's signature.
// [CONS-10]
fn signing_payload(call: &str, by: &str, nonce: &[u8; 16], expires: Timestamp) -> Vec<u8> {
    let nonce = hex(nonce);
    pre_auth_encoding(PAYLOAD_TYPE, &format!("{call}by {by}\nnonce {nonce}\nexpires {expires}\n"))
}
