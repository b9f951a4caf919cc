//! Bundles: whose signatures put one into force, and what none does.
#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::kernel::package::key::SecretKey;
use serde_json::{json, Value};

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32]).expect("a seed")
}

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T00:00:00Z").expect("a time")
}

fn root_of(keys: &[u8], threshold: u64) -> Value {
    let row = |n: &u8| {
        let key = secret(*n).public();
        json!({ "key_id": key.id().as_str(), "public_key": base64(&key.to_bytes()) })
    };
    json!({ "organisation": "Acme", "keys": keys.iter().map(row).collect::<Vec<_>>(), "threshold": threshold })
}

fn read_root(mut value: Value) -> Result<Root, Code> {
    value["format"] = json!("mpp-organisation/1");
    Root::from_json(value.to_string().as_bytes()).map_err(|error| error.code())
}

/// Keys 1, 2 and 3, of which two have to sign.
fn root() -> Root {
    read_root(root_of(&[1, 2, 3], 2)).expect("a root")
}

fn content(sequence: u64) -> Value {
    json!({ "format": "mpp-bundle-content/1", "organisation": "Acme", "sequence": sequence,
        "expires": "2026-06-30T00:00:00Z", "policy": { "deny": { "packages": ["org.bad"] } } })
}

fn signed(content: &Value, keys: &[u8]) -> SignedBundle {
    let mut signed = SignedBundle::new(&content.to_string()).expect("a bundle");
    keys.iter().for_each(|n| signed.sign(&secret(*n)).expect("signed"));
    signed
}

fn opened(root: &Root, signed: &SignedBundle) -> Result<u64, Code> {
    root.open(signed, now()).map(|bundle| bundle.sequence).map_err(|error| error.code())
}

#[test]
fn as_many_keys_of_the_root_as_it_requires_put_a_bundle_into_force_and_fewer_do_not() {
    for keys in [&[1, 2][..], &[3, 1], &[1, 2, 3], &[9, 2, 1]] {
        let bundle = signed(&content(7), keys);
        assert_eq!(opened(&root(), &bundle), Ok(7));
        assert_eq!(SignedBundle::from_json(bundle.to_json().as_bytes()).expect("read"), bundle);
    }
    for keys in [&[][..], &[1], &[1, 1], &[1, 8, 9], &[7, 8, 9]] {
        assert_eq!(opened(&root(), &signed(&content(7), keys)), Err(Code::BundleSignatures));
    }
}

#[test]
fn a_bundle_changed_after_its_signatures_is_refused() {
    let good = signed(&content(7), &[1, 2]).to_json();
    let mut value: Value = serde_json::from_str(&good).expect("JSON");
    value["payload"] = json!(base64(content(8).to_string().as_bytes()));
    let changed = SignedBundle::from_json(value.to_string().as_bytes()).expect("a bundle");
    assert_eq!(opened(&root(), &changed), Err(Code::BundleSignatures));
    // A signature of one key under the id of another.
    let mut value: Value = serde_json::from_str(&good).expect("JSON");
    value["signatures"][1]["signature"] = value["signatures"][0]["signature"].clone();
    let changed = SignedBundle::from_json(value.to_string().as_bytes()).expect("a bundle");
    assert_eq!(opened(&root(), &changed), Err(Code::BundleSignatures));
}

#[test]
fn an_ended_bundle_and_one_of_another_organisation_are_refused() {
    let mut late = content(7);
    late["expires"] = json!("2026-05-31T23:59:59Z");
    assert_eq!(opened(&root(), &signed(&late, &[1, 2])), Err(Code::BundleExpired));
    late["expires"] = json!("2026-06-01T00:00:00Z");
    assert_eq!(opened(&root(), &signed(&late, &[1, 2])), Ok(7));
    let mut foreign = content(7);
    foreign["organisation"] = json!("Other");
    assert_eq!(opened(&root(), &signed(&foreign, &[1, 2])), Err(Code::BundleInvalid));
}

#[test]
fn a_new_root_needs_the_signatures_of_both() {
    let mut change = content(8);
    change["root"] = root_of(&[4, 5], 2);
    for (keys, verdict) in [
        (&[1, 2][..], Err(Code::BundleSignatures)),
        (&[4, 5], Err(Code::BundleSignatures)),
        (&[1, 2, 4], Err(Code::BundleSignatures)),
        (&[1, 4, 5], Err(Code::BundleSignatures)),
        (&[1, 2, 4, 5], Ok(8)),
    ] {
        assert_eq!(opened(&root(), &signed(&change, keys)), verdict, "{keys:?}");
    }
    // The new one alone opens it from then on.
    let new = read_root(root_of(&[4, 5], 2)).expect("a root");
    assert_eq!(opened(&new, &signed(&change, &[4, 5])), Ok(8));
}

#[test]
fn a_sequence_never_goes_back_and_stands_for_one_content() {
    let check = |new: &Value, old: &Value| {
        let new = signed(new, &[1, 2]);
        let bundle = root().open(&new, now()).expect("opened");
        bundle.check_follows(&signed(old, &[1, 3]), &new).map_err(|error| error.code())
    };
    let mut other = content(7);
    other["expires"] = json!("2026-06-29T00:00:00Z");
    assert_eq!(check(&content(8), &content(7)), Ok(()));
    assert_eq!(check(&content(7), &content(7)), Ok(()));
    assert_eq!(check(&content(6), &content(7)), Err(Code::BundleRollback));
    assert_eq!(check(&other, &content(7)), Err(Code::BundleRollback));
}

#[test]
fn roots_and_bundles_of_another_form_are_refused() {
    let with = |mut value: Value, pointer: &str, new: Value| {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        value.pointer_mut(parent).expect("a parent")[name] = new;
        value
    };
    let good = root_of(&[1, 2], 2);
    for (pointer, new) in [
        ("/threshold", json!(0)),
        ("/threshold", json!(3)),
        ("/threshold", json!("1")),
        ("/keys", json!([])),
        ("/organisation", json!("")),
        ("/more", json!(1)),
    ] {
        let refused = read_root(with(good.clone(), pointer, new));
        assert_eq!(refused, Err(Code::OrganisationInvalid), "{pointer}");
    }
    assert_eq!(read_root(root_of(&[1, 1], 1)), Err(Code::OrganisationInvalid));
    for (pointer, new) in [
        ("/sequence", json!(0)),
        ("/sequence", json!(-1)),
        ("/expires", json!("tomorrow")),
        ("/policy", json!({ "ask_always": true, "auto_approve_low": true })),
        ("/policy", json!({ "format": "mpp-policy/1" })),
        ("/trust", json!({ "publishers": [{}] })),
        ("/root", root_of(&[1], 2)),
        ("/more", json!(1)),
    ] {
        let error =
            SignedBundle::new(&with(content(7), pointer, new).to_string()).expect_err(pointer);
        assert_eq!(error.code(), Code::BundleInvalid, "{pointer}");
    }
    for text in [
        "",
        "{}",
        "[]",
        r#"{"format":"mpp-bundle/1","payload":"*"}"#,
        r#"{"format":"mpp-bundle/1","payload":"/w=="}"#,
    ] {
        let error = SignedBundle::from_json(text.as_bytes()).expect_err(text);
        assert_eq!(error.code(), Code::BundleInvalid, "{text}");
    }
}
