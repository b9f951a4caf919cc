//! Host key: signs proofs of approval for single calls, and records the nonces that were consumed.

use crate::host::home;
use crate::host::json_file;
use crate::host::keys::fill_random;
use crate::kernel::consent::attestation::EphemeralAttestation;
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::document::{keyed, object, text, Document, FromJson};
use crate::kernel::encoding::{hex, unhex};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::{
    ATTESTATION_S_MAX, KEY_FILE_BYTES_MAX, SPENT_COUNT_MAX, SPENT_FILE_BYTES_MAX,
};
use crate::kernel::package::key::{PublicKey, SecretKey};
use crate::kernel::time::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// The file names of the secret and the public host key.
const SECRET_NAME: &str = "host.key";
const PUBLIC_NAME: &str = "host.pub";

/// Returns an unpredictable nonce.
pub(crate) fn new_nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    fill_random(&mut nonce);
    nonce
}

impl EphemeralAttestation {
    /// Signs a proof of approval with a new nonce. `by` names the approver and appears in the audit record.
    pub fn sign(key: &SecretKey, request: &ApprovalRequest, by: &str, now: Timestamp) -> Self {
        EphemeralAttestation::sign_with(new_nonce(), key, request, by, now)
    }
}

/// Consumes a nonce. Returns `true` on its first use. The nonce is stored until it expires.
///
/// # Errors
/// `policy.attestation` if too many were consumed lately; `consent.invalid`, `host.file`.
// [CONS-11]
pub(crate) fn consume_nonce(
    home: &Path,
    nonce: &[u8; 16],
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    json_file::edit(&home.join("spent.json"), |file: &mut SpentNonces| {
        // Stored for longer than they are valid, since `now` may be older than the lock.
        let until = |it: &SpentNonce| it.expires.unix_seconds().saturating_add(ATTESTATION_S_MAX);
        file.spent.retain(|_, used| until(used) >= now.unix_seconds());
        let nonce = hex(nonce);
        if file.spent.contains_key(&nonce) {
            return Ok(false);
        }
        if file.spent.len() >= SPENT_COUNT_MAX {
            let detail = format!("{} unexpired proofs, limit {SPENT_COUNT_MAX}", file.spent.len());
            return Err(Error::new(Code::PolicyAttestation, detail));
        }
        file.spent.insert(nonce.clone(), SpentNonce { nonce, expires });
        Ok(true)
    })
}

object! {
    /// A consumed nonce, until it expires.
    struct SpentNonce: FromJson + ToJson {
        nonce: String, text(|text| unhex::<16>(text).is_some(), "32 hexadecimal digits");
        expires: Timestamp;
    }
}

object! {
    struct SpentNonces: FromJson + ToJson {
        spent: BTreeMap<String, SpentNonce> = BTreeMap::new(),
            keyed(0..=usize::MAX, SpentNonce::read, |used| used.nonce.clone());
    }
}

// [CONS-32]
impl Document for SpentNonces {
    const FORMAT: &'static str = "mpp-spent/1";
    const BYTES_MAX: usize = SPENT_FILE_BYTES_MAX;
    const INVALID: Code = Code::ConsentInvalid;
}

/// Returns the host key, and creates it on first use. Only for code that gives approvals.
///
/// # Errors
/// `host.file`; `key.*` if the file does not hold a key.
// [CONS-13]
pub fn host_key(home: &Path) -> Result<SecretKey, Error> {
    let public_path = home.join(PUBLIC_NAME);
    let key =
        home::update_file(&home.join(SECRET_NAME), KEY_FILE_BYTES_MAX, |bytes| match bytes {
            Some(bytes) => Ok((None, SecretKey::from_pem(&utf8(bytes)?)?)),
            None => {
                let key = SecretKey::generate();
                Ok((Some(key.to_pem().into_bytes()), key))
            }
        })?;
    // A crash between the two leaves the secret key; the next use writes the public one.
    home::update_file(&public_path, KEY_FILE_BYTES_MAX, |bytes| match bytes {
        Some(_) => Ok((None, ())),
        None => Ok((Some(key.public().to_pem().into_bytes()), ())),
    })?;
    Ok(key)
}

/// Returns the public host key.
///
/// # Errors
/// `policy.attestation` if this host has no key yet; `host.file`, `key.*`.
pub fn public_key(home: &Path) -> Result<PublicKey, Error> {
    match home::read_file(&home.join(PUBLIC_NAME), KEY_FILE_BYTES_MAX)? {
        Some(bytes) => PublicKey::from_pem(&utf8(bytes)?),
        None => {
            let detail = format!("{PUBLIC_NAME} is missing in {}", home.display());
            Err(Error::new(Code::PolicyAttestation, detail))
        }
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::new(Code::KeyInvalid, "key file is not UTF-8"))
}
