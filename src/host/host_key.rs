//! The host key, by which a person's agreement to one call is signed, and the notes of which were used.

use crate::host::home;
use crate::host::json_file;
use crate::host::keys::random_bytes;
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

/// The secret half of the host key, and the public one.
const SECRET_NAME: &str = "host.key";
const PUBLIC_NAME: &str = "host.pub";

/// A nonce that nobody can predict.
pub(crate) fn new_nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce.iter_mut().zip(random_bytes()).for_each(|(byte, random)| *byte = random);
    nonce
}

impl EphemeralAttestation {
    /// Signs one, with a new nonce. `by` says who agreed, and ends up in the record.
    pub fn sign(key: &SecretKey, question: &ApprovalRequest, by: &str, now: Timestamp) -> Self {
        EphemeralAttestation::sign_with(new_nonce(), key, question, by, now)
    }
}

/// Uses a nonce up: whether this was its first use. It is kept until it expires.
///
/// # Errors
/// `policy.attestation` if too many were used lately; `consent.invalid`, `host.file`.
// [CONS-11]
pub(crate) fn consume_nonce(
    home: &Path,
    nonce: &[u8; 16],
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    json_file::edit(&home.join("spent.json"), |file: &mut Spent| {
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

/// The host key, made on its first use. Only for whoever gives consent.
///
/// # Errors
/// `host.file`; `key.*` if the file holds no key.
// [CONS-13]
pub fn host_key(home: &Path) -> Result<SecretKey, Error> {
    let public_path = home.join(PUBLIC_NAME);
    let key =
        home::update_file(&home.join(SECRET_NAME), KEY_FILE_BYTES_MAX, |bytes| match bytes {
            Some(bytes) => Ok((None, SecretKey::from_pem(&text_of(bytes)?)?)),
            None => {
                let key = SecretKey::generate();
                Ok((Some(key.to_pem().into_bytes()), key))
            }
        })?;
    // A crash between the two leaves the first, and the next use writes the second.
    home::update_file(&public_path, KEY_FILE_BYTES_MAX, |bytes| match bytes {
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
