//! The ephemeral attestation: a signed statement that somebody agreed to one call, good for minutes
//! and for one use.
//!
//! It is signed with the *host key*, an Ed25519 key in the home folder. Whoever gives consent signs;
//! whoever runs the call holds the public half only. The record of the call keeps the proof, so that
//! anyone with `host.pub` can check later that each destructive call was agreed to.

use super::question::Question;
use crate::host::home;
use crate::host::host_file;
use crate::kernel::document::{keyed, object, text, Document, FromJson};
use crate::kernel::encoding::{base64, framed, hex, unbase64, unhex};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::{
    ATTESTATION_S_MAX, KEY_FILE_BYTES_MAX, SPENT_COUNT_MAX, SPENT_FILE_BYTES_MAX,
};
use crate::kernel::names::is_visible_line;
use crate::kernel::package::key::{random_bytes, KeyId, PublicKey, SecretKey};
use crate::kernel::package::listing::ContentHash;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use alloc::collections::{BTreeMap, BTreeSet};
use serde_json::{Map, Value};
use std::path::Path;

/// The secret half of the host key, and the public one.
const SECRET_NAME: &str = "host.key";
const PUBLIC_NAME: &str = "host.pub";
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
    /// Signs one. `by` says who agreed, and ends up in the record.
    #[must_use]
    pub fn sign(key: &SecretKey, question: &Question, by: &str, now: Timestamp) -> Self {
        let (nonce, expires) = new_nonce(now);
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
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The text that a record keeps: nonce, expiry, key id and signature, with a space between.
    // [CONS-12]
    #[must_use]
    pub fn to_text(&self) -> String {
        let EphemeralAttestation { nonce, expires, key_id, signature, .. } = self;
        format!("{} {expires} {key_id} {}", hex(nonce), base64(signature))
    }

    /// Reads that text; `by` stands elsewhere in the record.
    #[must_use]
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

    /// Checks it for a call that is about to run, and uses it up. Gives the text for the record.
    ///
    /// # Errors
    /// `policy.attestation` if it is for another call, by another key, too old or used before;
    /// `consent.invalid`, `host.file`.
    // [CONS-11]
    pub fn spend(&self, home: &Path, question: &Question, now: Timestamp) -> Result<String, Error> {
        let refusal = |what: &str| Error::new(Code::PolicyAttestation, what);
        if !is_visible_line(&self.by) {
            return Err(refusal("it names nobody who agreed"));
        }
        if !self.is_signed_by(&public_key(home)?, &call_of(question)) {
            return Err(refusal("it was not signed by this host's key for exactly this call"));
        }
        let latest = now.unix_seconds().saturating_add(ATTESTATION_S_MAX);
        if self.expires < now || self.expires.unix_seconds() > latest {
            return Err(refusal("its time is over, or too far ahead"));
        }
        match spend_nonce(home, &self.nonce, self.expires, now)? {
            true => Ok(self.to_text()),
            false => Err(refusal("it was used before")),
        }
    }
}

/// A nonce, and when it expires.
pub(crate) fn new_nonce(now: Timestamp) -> ([u8; 16], Timestamp) {
    let mut nonce = [0; 16];
    nonce.iter_mut().zip(random_bytes()).for_each(|(byte, random)| *byte = random);
    let end = now.unix_seconds().saturating_add(ATTESTATION_S_MAX);
    (nonce, Timestamp::from_unix_seconds(end).unwrap_or(now))
}

/// Uses a nonce up: whether this was its first use. It is kept until it expires.
///
/// # Errors
/// `policy.attestation` if too many were used lately; `consent.invalid`, `host.file`.
// [CONS-11]
pub(crate) fn spend_nonce(
    home: &Path,
    nonce: &[u8; 16],
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    host_file::edit(&home.join("spent.json"), |file: &mut Spent| {
        // Kept for longer than they last: `now` may be older than the lock is.
        let until = |used: &Used| used.expires.unix_seconds().saturating_add(ATTESTATION_S_MAX);
        file.spent.retain(|_, used| until(used) >= now.unix_seconds());
        let nonce = hex(nonce);
        if file.spent.contains_key(&nonce) {
            return Ok(false);
        }
        if file.spent.len() >= SPENT_COUNT_MAX {
            let detail = format!("more than {SPENT_COUNT_MAX} proofs in these minutes");
            return Err(Error::new(Code::PolicyAttestation, detail));
        }
        file.spent.insert(nonce.clone(), Used { nonce, expires });
        Ok(true)
    })
}

object! {
    /// A nonce that was used, until it expires.
    struct Used: FromJson + ToJson {
        nonce: String, text(|text| unhex::<16>(text).is_some(), "32 hexadecimal digits");
        expires: Timestamp;
    }
}

object! {
    struct Spent: FromJson + ToJson {
        spent: BTreeMap<String, Used> = BTreeMap::new(),
            keyed(0..=usize::MAX, Used::read, |used| used.nonce.clone());
    }
}

impl Document for Spent {
    const FORMAT: &'static str = "mpp-spent/1";
    const BYTES_MAX: usize = SPENT_FILE_BYTES_MAX;
    const INVALID: Code = Code::ConsentInvalid;
}

/// Looks at the records of a log: whether each attestation in them is good, and none stands there twice.
#[derive(Debug)]
pub struct RecordCheck {
    key: PublicKey,
    nonces: BTreeSet<String>,
}

impl RecordCheck {
    /// A check by a host's public key.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        RecordCheck { key, nonces: BTreeSet::new() }
    }

    /// How many attestations were good so far.
    #[must_use]
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

fn call_of(question: &Question) -> String {
    call(&question.content_hash, &question.tool, &question.arguments_digest)
}

/// The exact bytes that are signed, framed like those of a package's signature.
// [CONS-10]
fn signed_bytes(call: &str, by: &str, nonce: &[u8; 16], expires: Timestamp) -> Vec<u8> {
    let nonce = hex(nonce);
    framed(PAYLOAD_TYPE, &format!("{call}by {by}\nnonce {nonce}\nexpires {expires}\n"))
}

/// The host key, made on its first use. Only for whoever gives consent.
///
/// # Errors
/// `host.file`; `key.*` if the file holds no key.
// [CONS-13]
pub fn host_key(home: &Path) -> Result<SecretKey, Error> {
    let public_path = home.join(PUBLIC_NAME);
    let key = home::edit_file(&home.join(SECRET_NAME), KEY_FILE_BYTES_MAX, |bytes| match bytes {
        Some(bytes) => Ok((None, SecretKey::from_pem(&text_of(bytes)?)?)),
        None => {
            let key = SecretKey::generate();
            Ok((Some(key.to_pem().into_bytes()), key))
        }
    })?;
    // A crash between the two leaves the first, and the next use writes the second.
    home::edit_file(&public_path, KEY_FILE_BYTES_MAX, |bytes| match bytes {
        Some(_) => Ok((None, ())),
        None => Ok((Some(key.public().to_pem().into_bytes()), ())),
    })?;
    Ok(key)
}

/// The public half.
///
/// # Errors
/// `policy.attestation` if this host has no key yet; `host.file`, `key.*`.
pub fn public_key(home: &Path) -> Result<PublicKey, Error> {
    match home::read_file(&home.join(PUBLIC_NAME), KEY_FILE_BYTES_MAX)? {
        Some(bytes) => PublicKey::from_pem(&text_of(bytes)?),
        None => {
            let detail = format!("{} has no {PUBLIC_NAME}", home.display());
            Err(Error::new(Code::PolicyAttestation, detail))
        }
    }
}

fn text_of(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::new(Code::KeyInvalid, "not a text"))
}
