//! Rotation statements: who may make one, and that following one never widens what a host trusts.
#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::SecretKey;
use crate::kernel::trust::{TrustStore, Validity};

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32]).expect("a seed")
}

fn key(n: u8) -> PublicKey {
    secret(n).public()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect(text)
}

fn now() -> Timestamp {
    at("2026-06-01T00:00:00Z")
}

fn end() -> Timestamp {
    at("2026-07-01T00:00:00Z")
}

/// Acme holds key 1 for `org.acme` until the end of 2027, Bob key 3.
fn store() -> TrustStore {
    let mut store = TrustStore::empty();
    let validity = Validity { from: None, until: Some(at("2027-12-31T00:00:00Z")) };
    store.add_publisher("Acme", key(1), &["org.acme"], validity).expect("added");
    store.add_publisher("Bob", key(3), &["org.bob"], Validity::ALWAYS).expect("added");
    store
}

fn rotation(old: u8, new: u8) -> Rotation {
    Rotation::make(&secret(old), key(new), end()).expect("signed")
}

/// The namespaces for which a package that this key signed at this time counts.
fn trusted(store: &TrustStore, n: u8, now: Timestamp) -> Result<bool, Code> {
    let signers =
        store.evaluate_signers(&[key(n).id()], &ContentHash::from_checksum_list(""), now, 1);
    let is_in = |id| signers.as_ref().map(|all| all[0].may_publish(id)).map_err(Error::code);
    assert_ne!(is_in("org.bob"), Ok(n != 3));
    is_in("org.acme")
}

#[track_caller]
fn refused(store: &TrustStore, rotation: &Rotation, now: Timestamp, code: Code) {
    let mut changed = store.clone();
    assert_eq!(changed.rotate(rotation, now).map_err(|error| error.code()), Err(code));
    assert_eq!(changed, *store);
}

#[test]
fn the_new_key_counts_at_once_for_the_same_namespaces_and_the_old_one_until_its_end() {
    let mut store = store();
    store.rotate(&rotation(1, 2), now()).expect("rotated");
    assert_eq!(trusted(&store, 2, now()), Ok(true));
    assert_eq!(trusted(&store, 1, end()), Ok(true));
    assert_eq!(trusted(&store, 1, at("2026-07-01T00:00:01Z")), Err(Code::PublisherValidity));
    assert_eq!(trusted(&store, 2, at("2027-12-31T00:00:01Z")), Err(Code::PublisherValidity));
    let before = store.clone();
    store.rotate(&rotation(1, 2), now()).expect("again");
    assert_eq!(store, before);
    store.rotate(&rotation(2, 4), now()).expect("a second one");
    assert_eq!(trusted(&store, 4, now()), Ok(true));
}

#[test]
fn a_statement_never_lengthens_a_key() {
    let mut store = store();
    let late = at("2099-01-01T00:00:00Z");
    store
        .rotate(&Rotation::make(&secret(1), key(2), late).expect("signed"), now())
        .expect("rotated");
    for n in [1, 2] {
        assert_eq!(trusted(&store, n, at("2028-01-01T00:00:00Z")), Err(Code::PublisherValidity));
    }
    // Nor one that this host has ended already.
    let ended = Validity { from: None, until: Some(at("2026-06-15T00:00:00Z")) };
    store.add_publisher("Acme", key(4), &[], ended).expect("added");
    store.rotate(&rotation(1, 4), now()).expect("rotated");
    assert_eq!(trusted(&store, 4, end()), Err(Code::PublisherValidity));
}

#[test]
fn a_key_that_is_unknown_revoked_or_not_valid_cannot_name_its_successor() {
    let store = store();
    refused(&store, &rotation(5, 2), now(), Code::PublisherUnknown);
    refused(&store, &rotation(1, 2), at("2028-01-01T00:00:00Z"), Code::PublisherValidity);
    let mut revoked = store.clone();
    revoked.revoke_key(key(1).id(), now(), "stolen").expect("revoked");
    refused(&revoked, &rotation(1, 2), now(), Code::PublisherKeyRevoked);
    let mut rotated = store;
    rotated.rotate(&rotation(1, 2), now()).expect("rotated");
    refused(&rotated, &rotation(1, 4), at("2026-08-01T00:00:00Z"), Code::PublisherValidity);
}

#[test]
fn a_revoked_key_and_one_of_another_publisher_succeed_no_key() {
    let mut store = store();
    refused(&store, &rotation(1, 3), now(), Code::TrustInvalid);
    store.revoke_key(key(2).id(), now(), "stolen").expect("revoked");
    refused(&store, &rotation(1, 2), now(), Code::PublisherKeyRevoked);
    store.add_publisher("Acme", key(4), &[], Validity::ALWAYS).expect("added");
    store.revoke_key(key(4).id(), now(), "lost").expect("revoked");
    refused(&store, &rotation(1, 4), now(), Code::PublisherKeyRevoked);
}

#[test]
fn a_statement_with_any_member_changed_or_signed_by_another_key_is_refused() {
    let store = store();
    let mut texts: Vec<String> = Vec::new();
    let (good, other) =
        (rotation(1, 2).to_json(), Rotation::make(&secret(1), key(4), now()).expect("signed"));
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    for member in ["old_key_until", "new_public_key", "signature"] {
        let mut changed = value(&good);
        changed[member] = value(&other.to_json())[member].clone();
        texts.push(changed.to_string());
    }
    let mut of_bob = value(&rotation(3, 2).to_json());
    of_bob["old_key_id"] = key(1).id().as_str().into();
    texts.push(of_bob.to_string());
    for text in texts {
        let changed = Rotation::from_json(text.as_bytes()).expect(&text);
        refused(&store, &changed, now(), Code::RotationSignature);
    }
}

#[test]
fn a_statement_of_another_form_is_refused() {
    let good = rotation(1, 2).to_json();
    for (from, to) in [
        ("mpp-rotation/1", "mpp-rotation/2"),
        ("\"signature\"", "\"sign\""),
        ("{", "{\"more\": 1,"),
        ("{", "{\"signature\": \"\","),
        ("00:00:00Z", "00:00:00+00:00"),
        ("\"signature\": \"", "\"signature\": \"="),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        let error = Rotation::from_json(text.as_bytes()).expect_err(&text);
        assert_eq!(error.code(), Code::RotationInvalid);
    }
    let weak = good.replace(&base64(&key(2).to_bytes()), &base64(&[0; 32]));
    assert_eq!(
        Rotation::from_json(weak.as_bytes()).expect_err("weak").code(),
        Code::RotationInvalid
    );
    let long = good + &" ".repeat(ROTATION_BYTES_MAX);
    assert_eq!(
        Rotation::from_json(long.as_bytes()).expect_err("long").code(),
        Code::RotationInvalid
    );
}
