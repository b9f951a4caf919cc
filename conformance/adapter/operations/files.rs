//! Reading what a host is given: packages, keys, trust stores, policies and snapshots of storage.

use super::Case;
use mpp::package::key::{KeyId, PublicKey, SecretKey};
use mpp::storage::StorageOwner;
use mpp::{gatekeeper, Code, Error, Gatekeeper, PermissionPolicy, Timestamp, TrustStore};
use serde_json::Value;

pub fn verify(case: &Case<'_>) -> Result<(), Error> {
    let trust = TrustStore::from_json(&case.file("trust"))?;
    let now = Timestamp::parse(case.text("now")).expect("a time");
    let required = case.input.get("signers_required").and_then(Value::as_u64).unwrap_or(1);
    let required = required.try_into().expect("a count");
    Gatekeeper::new(trust, now).signers_required(required).verify(&case.package()).map(drop)
}

/// The same package without a trust store.
#[allow(dead_code)] // Only the tests compare it with `verify`.
pub fn inspect(case: &Case<'_>) -> Result<(), Error> {
    gatekeeper::inspect(&case.package()).map(drop)
}

pub fn key(case: &Case<'_>) -> Result<(), Error> {
    let file = String::from_utf8(case.file("file"))
        .map_err(|_| Error::new(Code::KeyInvalid, "a key file is text"))?;
    match case.text("kind") {
        "private" => SecretKey::from_pem(&file).map(drop),
        _ => PublicKey::from_pem(&file).map(drop),
    }
}

pub fn trust(case: &Case<'_>) -> Result<(), Error> {
    TrustStore::from_json(&case.bytes("file")).map(drop)
}

pub fn policy(case: &Case<'_>) -> Result<(), Error> {
    PermissionPolicy::from_json(&case.bytes("file")).map(drop)
}

pub fn storage(case: &Case<'_>) -> Result<(), Error> {
    let package = case.text("package").to_owned();
    let publisher_key = KeyId::parse(case.text("publisher_key")).expect("a key id");
    mpp::storage::decode(&StorageOwner { package, publisher_key }, &case.file("file")).map(drop)
}
