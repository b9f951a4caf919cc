//! Tests of the trust store: refusals one by one, its file, and changes by several at once.
#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::kernel::package::key::SecretKey;
use crate::tests::support::TempDir;
use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn key(n: u8) -> PublicKey {
    SecretKey::from_seed([n; 32]).expect("a seed").public()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).expect(text)
}

fn now() -> Timestamp {
    moment("2026-06-01T00:00:00Z")
}

fn content() -> ContentHash {
    ContentHash::from_checksum_list("one")
}

/// Acme holds the keys 1 and 2, the approver key 3; 4 is unknown.
fn store() -> TrustStore {
    let mut store = TrustStore::empty();
    for (name, n, namespaces) in
        [("Acme", 1, &["org.acme"][..]), ("Acme", 2, &[]), ("Approver", 3, &[])]
    {
        store.add_publisher(name, key(n), namespaces, Validity::ALWAYS).expect("added");
    }
    store
}

fn judged(store: &TrustStore, keys: &[u8], required: usize) -> Result<Vec<String>, Code> {
    let signers: Vec<KeyId> = keys.iter().map(|n| key(*n).id()).collect();
    match store.evaluate_signers(&signers, &content(), now(), required) {
        Ok(trusted) => Ok(trusted.iter().map(|signer| signer.publisher().to_owned()).collect()),
        Err(error) => Err(error.code()),
    }
}

#[test]
fn an_empty_store_trusts_no_publisher() {
    for keys in [&[][..], &[1], &[1, 2, 3]] {
        assert_eq!(judged(&TrustStore::empty(), keys, 1), Err(Code::PublisherUnknown));
        assert_eq!(judged(&TrustStore::empty(), keys, 0), Err(Code::PublisherUnknown));
    }
}

#[test]
fn an_unknown_signer_is_named_by_its_fingerprint() {
    let error =
        store().evaluate_signers(&[key(4).id()], &content(), now(), 1).expect_err("unknown");
    assert!(error.detail().contains(key(4).id().as_str()));
}

#[test]
fn an_unknown_further_signer_adds_nothing_and_takes_nothing_away() {
    assert_eq!(judged(&store(), &[4, 1], 1), Ok(vec!["Acme".to_owned()]));
    assert_eq!(judged(&store(), &[1, 4], 2), Err(Code::PublisherQuorum));
}

#[test]
fn two_keys_of_one_publisher_are_not_two_signers() {
    assert_eq!(judged(&store(), &[1, 2], 2), Err(Code::PublisherQuorum));
    assert_eq!(judged(&store(), &[1, 1], 2), Err(Code::PublisherQuorum));
    let both = Ok(vec!["Acme".to_owned(), "Approver".to_owned()]);
    assert_eq!(judged(&store(), &[1, 3], 2), both);
    assert_eq!(judged(&store(), &[1, 2, 3], 3), Err(Code::PublisherQuorum));
}

#[test]
fn any_revoked_signer_refuses_the_package_known_or_not() {
    for revoked in [1, 4] {
        let mut store = store();
        store.revoke_key(key(revoked).id(), now(), "stolen").expect("revoked");
        assert_eq!(judged(&store, &[3, revoked], 1), Err(Code::PublisherKeyRevoked));
        assert_eq!(judged(&store, &[3], 1), Ok(vec!["Approver".to_owned()]));
        let error = store
            .evaluate_signers(&[key(revoked).id()], &content(), now(), 1)
            .expect_err("revoked");
        assert!(error.detail().ends_with("revoked at 2026-06-01T00:00:00Z: stolen"));
    }
}

#[test]
fn revoked_contents_are_refused_for_every_signer_and_no_others_are() {
    let mut store = store();
    store.revoke_content(content(), now(), "leaks data").expect("revoked");
    assert_eq!(judged(&store, &[1, 3], 1), Err(Code::PublisherContent));
    let other = ContentHash::from_checksum_list("other");
    assert!(store.evaluate_signers(&[key(1).id()], &other, now(), 1).is_ok());
}

#[test]
fn a_key_counts_from_its_first_moment_to_its_last() {
    let (from, until) = (moment("2026-01-01T00:00:00Z"), moment("2026-12-31T23:59:59Z"));
    let mut store = TrustStore::empty();
    let validity = Validity { from: Some(from), until: Some(until) };
    store.add_publisher("Acme", key(1), &[], validity).expect("added");
    for (at, counts) in [
        ("2025-12-31T23:59:59Z", false),
        ("2026-01-01T00:00:00Z", true),
        ("2026-12-31T23:59:59Z", true),
        ("2027-01-01T00:00:00Z", false),
        ("1970-01-01T00:00:00Z", false),
    ] {
        let verdict = store.evaluate_signers(&[key(1).id()], &content(), moment(at), 1);
        match verdict {
            Ok(_) => assert!(counts, "{at}"),
            Err(error) => assert_eq!((error.code(), counts), (Code::PublisherValidity, false)),
        }
    }
}

#[test]
fn an_expired_signer_refuses_the_package_though_another_is_trusted() {
    let mut store = store();
    let over = Validity { from: None, until: Some(moment("2026-01-01T00:00:00Z")) };
    store.add_publisher("Old", key(5), &[], over).expect("added");
    assert_eq!(judged(&store, &[1, 5], 1), Err(Code::PublisherValidity));
}

#[test]
fn refusals_come_in_the_order_of_the_spec() {
    let mut store = TrustStore::empty();
    let over = Validity { from: None, until: Some(moment("2026-01-01T00:00:00Z")) };
    assert_eq!(judged(&store, &[1, 2], 2), Err(Code::PublisherUnknown));
    store.add_publisher("Other", key(3), &[], Validity::ALWAYS).expect("added");
    assert_eq!(judged(&store, &[1, 2, 3], 2), Err(Code::PublisherQuorum));
    store.add_publisher("Acme", key(1), &[], over).expect("added");
    assert_eq!(judged(&store, &[1, 2, 3], 2), Err(Code::PublisherValidity));
    store.revoke_key(key(2).id(), now(), "stolen").expect("revoked");
    assert_eq!(judged(&store, &[1, 2, 3], 2), Err(Code::PublisherKeyRevoked));
    store.revoke_content(content(), now(), "bad").expect("revoked");
    assert_eq!(judged(&store, &[1, 2, 3], 2), Err(Code::PublisherContent));
}

#[test]
fn a_namespace_covers_itself_and_what_is_below_a_dot() {
    for (namespace, id) in [
        ("org.acme", "org.acme"),
        ("org.acme", "org.acme.weather"),
        ("org.acme", "org.acme.weather.v2"),
        ("*", "org.acme"),
        ("*", "x"),
    ] {
        assert!(namespace_contains(namespace, id), "{namespace} {id}");
    }
    for (namespace, id) in [
        ("org.acme", "org.acmecorp"),
        ("org.acme", "org.acme-corp.x"),
        ("org.acme", "org"),
        ("org.acme", "com.org.acme"),
        ("org.acme", "org.Acme.weather"),
        ("org.acme", ""),
        ("", "org.acme"),
        ("org.*", "org.acme"),
        ("org.acme.", "org.acme.weather"),
    ] {
        assert!(!namespace_contains(namespace, id), "{namespace} {id}");
    }
}

#[test]
fn a_signer_publishes_under_its_own_publishers_namespaces_only() {
    let signers = [key(2).id(), key(3).id()];
    let trusted = store().evaluate_signers(&signers, &content(), now(), 1).expect("trusted");
    let may: Vec<bool> = trusted.iter().map(|signer| signer.may_publish("org.acme.x")).collect();
    assert_eq!(may, [true, false]); // key 2 was added without one, and Acme has one
    assert_eq!(trusted[0].key_id(), &key(2).id());
}

#[test]
fn what_would_make_a_publisher_ambiguous_is_not_entered() {
    let backwards = Validity {
        from: Some(moment("2026-01-02T00:00:00Z")),
        until: Some(moment("2026-01-01T00:00:00Z")),
    };
    let long = "n".repeat(257);
    let mut store = store();
    store.revoke_key(key(9).id(), now(), "lost").expect("revoked");
    let before = store.clone();
    for (name, n, namespace, validity, code) in [
        ("", 5, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        (" Acme", 5, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        ("Ac\nme", 5, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        ("\u{410}cme", 5, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        (&long, 5, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        ("ACME", 5, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        ("New", 1, "org.x", Validity::ALWAYS, Code::TrustInvalid),
        ("New", 5, "", Validity::ALWAYS, Code::TrustInvalid),
        ("New", 5, "org.", Validity::ALWAYS, Code::TrustInvalid),
        ("New", 5, "org.*", Validity::ALWAYS, Code::TrustInvalid),
        ("New", 5, "Org.x", Validity::ALWAYS, Code::TrustInvalid),
        ("New", 5, "org.x", backwards, Code::TrustInvalid),
        ("New", 9, "org.x", Validity::ALWAYS, Code::PublisherKeyRevoked),
    ] {
        let error = store.add_publisher(name, key(n), &[namespace], validity).expect_err(name);
        assert_eq!(error.code(), code, "{name:?} {namespace:?}");
    }
    assert_eq!(store, before);
}

#[test]
fn adding_a_known_key_again_renews_it_and_keeps_the_namespaces() {
    let mut store = store();
    let until = Validity { from: None, until: Some(now()) };
    store.add_publisher("Acme", key(1), &["org.acme.labs"], until).expect("renewed");
    let namespaces: Vec<&String> = store.publishers().flat_map(|it| &it.namespaces).collect();
    assert_eq!(namespaces, ["org.acme", "org.acme.labs"]);
    assert_eq!(store.keys().count(), 3);
    let (_, renewed) = store.keys().find(|(_, found)| found.key_id == key(1).id()).expect("held");
    assert_eq!(renewed.validity(), until);
}

#[test]
fn a_revocation_needs_a_reason_and_its_first_one_stays() {
    let mut store = store();
    for reason in ["", " ", "a\u{1b}b", "two\nlines", &"r".repeat(257)] {
        assert!(store.revoke_key(key(1).id(), now(), reason).is_err());
        assert!(store.revoke_content(content(), now(), reason).is_err());
    }
    store.revoke_key(key(1).id(), now(), "stolen").expect("revoked");
    store.revoke_key(key(1).id(), now(), "found again").expect("no effect");
    let reasons: Vec<&str> = store.revoked_keys().map(|entry| entry.reason.as_str()).collect();
    assert_eq!(reasons, ["stolen"]);
    assert_eq!(store.revoked_contents().count(), 0);
}

#[test]
fn the_version_mark_only_rises() {
    let mut store = TrustStore::empty();
    let version = |text: &str| Version::parse(text).expect(text);
    for (noted, seen) in
        [("1.2.0", "1.2.0"), ("1.10.0-rc.1", "1.10.0-rc.1"), ("1.9.9", "1.10.0-rc.1")]
    {
        store.record_version("org.acme.x", &version(noted)).expect("noted");
        assert_eq!(store.highest_version_seen("org.acme.x"), Some(version(seen)));
    }
    assert_eq!(store.highest_version_seen("org.acme"), None);
    for id in ["", "*", "org..x", "Org.x", "org.x\n"] {
        assert!(store.record_version(id, &version("1.0.0")).is_err(), "{id:?}");
    }
}

#[test]
fn the_revision_differs_after_every_change_and_only_then() {
    let mut seen = BTreeSet::new();
    let mut store = TrustStore::empty();
    seen.insert(store.revision());
    let until = Validity { from: None, until: Some(now()) };
    let version = |text: &str| Version::parse(text).expect(text);
    type Change<'a> = &'a dyn Fn(&mut TrustStore) -> Result<(), Error>;
    let changes: [Change<'_>; 8] = [
        &|s| s.add_publisher("Acme", key(1), &["org.acme"], Validity::ALWAYS),
        &|s| s.add_publisher("Acme", key(1), &["org.acme"], until),
        &|s| s.add_publisher("Acme", key(1), &["org.acme.x"], until),
        &|s| s.add_publisher("Acme", key(2), &[], Validity::ALWAYS),
        &|s| s.revoke_key(key(1).id(), now(), "stolen"),
        &|s| s.revoke_content(content(), now(), "bad"),
        &|s| s.record_version("org.acme.x", &version("1.0.0")),
        &|s| s.record_version("org.acme.x", &version("1.0.1")),
    ];
    for change in changes {
        change(&mut store).expect("changed");
        assert!(seen.insert(store.revision()));
    }
    store.record_version("org.acme.x", &version("0.9.0")).expect("no effect");
    assert!(seen.contains(&store.revision()));
}

/// A store that uses every member of the file.
fn full() -> TrustStore {
    let mut store = store();
    let span = Validity { from: Some(now()), until: Some(moment("2027-01-01T00:00:00Z")) };
    store.add_publisher("Approver", key(5), &["*"], span).expect("added");
    store.revoke_key(key(1).id(), now(), "stolen").expect("revoked");
    store.revoke_content(content(), now(), "leaks data").expect("revoked");
    store.record_version("org.acme.x", &Version::parse("1.2.0").expect("valid")).expect("noted");
    store
}

fn full_json() -> Value {
    serde_json::from_str(&full().to_json()).expect("JSON")
}

fn refused(value: &Value) -> Error {
    TrustStore::from_json(value.to_string().as_bytes()).expect_err("refused")
}

#[test]
fn what_is_written_reads_back_and_is_written_the_same() {
    for store in [TrustStore::empty(), store(), full()] {
        let text = store.to_json();
        let read = TrustStore::from_json(text.as_bytes()).expect("valid");
        assert_eq!(read, store);
        assert_eq!(read.to_json(), text);
    }
}

#[test]
fn the_example_of_the_spec_is_read() {
    let spec = include_str!("../../../spec/trust.md");
    let text = spec.split_once("```json\n").expect("an example").1;
    let text = text.split_once("```").expect("its end").0;
    let read = TrustStore::from_json(text.as_bytes()).expect("valid");
    assert_eq!(read.publishers().count(), 1);
    assert_eq!(read.revoked_keys().count() + read.revoked_contents().count(), 2);
    let minimal = TrustStore::from_json(br#"{"format":"mpp-trust/1"}"#).expect("valid");
    assert_eq!(minimal, TrustStore::empty());
}

#[test]
fn an_unknown_member_is_refused_in_every_object_of_the_file() {
    for at in [
        "",
        "/publishers/0",
        "/publishers/1/keys/0",
        "/revoked_keys/0",
        "/revoked_contents/0",
        "/versions/0",
    ] {
        let mut value = full_json();
        value.pointer_mut(at).expect(at)["extra"] = json!(1);
        let error = refused(&value);
        assert_eq!(error.code(), Code::TrustInvalid);
        assert_eq!(error.detail(), format!("{at}/extra: unknown key"));
    }
}

#[test]
fn a_member_that_is_absent_is_refused() {
    for (at, key) in [
        ("", "format"),
        ("/publishers/0", "name"),
        ("/publishers/0", "namespaces"),
        ("/publishers/0", "keys"),
        ("/publishers/0/keys/0", "key_id"),
        ("/publishers/0/keys/0", "public_key"),
        ("/revoked_keys/0", "key_id"),
        ("/revoked_keys/0", "revoked_at"),
        ("/revoked_keys/0", "reason"),
        ("/revoked_contents/0", "content_hash"),
        ("/revoked_contents/0", "revoked_at"),
        ("/revoked_contents/0", "reason"),
        ("/versions/0", "id"),
        ("/versions/0", "version"),
    ] {
        let mut value = full_json();
        value.pointer_mut(at).and_then(Value::as_object_mut).expect(at).remove(key);
        let error = refused(&value);
        assert_eq!(error.code(), Code::TrustInvalid);
        assert_eq!(error.detail(), format!("{at}/{key}: missing required key"));
    }
}

#[test]
fn every_value_outside_the_schema_is_refused() {
    let hex_upper = full_json()["revoked_keys"][0]["key_id"].as_str().map(str::to_uppercase);
    for (at, value) in [
        ("/format", json!("mpp-trust/2")),
        ("/publishers", json!({})),
        ("/publishers/0/name", json!("Ac\u{7}me")),
        ("/publishers/0/name", json!(null)),
        ("/publishers/0/namespaces/0", json!("org..acme")),
        ("/publishers/0/namespaces/0", json!("Org.Acme")),
        ("/publishers/0/namespaces", json!("org.acme")),
        ("/publishers/0/keys", json!([])),
        ("/publishers/0/keys/0/key_id", json!("00")),
        ("/publishers/0/keys/0/key_id", json!("0".repeat(64))),
        ("/publishers/0/keys/0/public_key", json!("AAAA")),
        ("/publishers/1/keys/0/valid_from", json!(null)),
        ("/publishers/1/keys/0/valid_from", json!("2026-01-01")),
        ("/publishers/1/keys/0/valid_until", json!("2026-01-01T00:00:00+00:00")),
        ("/revoked_keys/0/key_id", json!(hex_upper)),
        ("/revoked_keys/0/revoked_at", json!(1_700_000_000)),
        ("/revoked_keys/0/reason", json!("")),
        ("/revoked_contents/0/content_hash", json!("0".repeat(64))),
        ("/revoked_contents/0/reason", json!("a\nb")),
        ("/versions/0/id", json!("*")),
        ("/versions/0/id", json!("")),
        ("/versions/0/version", json!("1.2")),
        ("/versions/0/version", json!("1.2.0+build")),
    ] {
        let mut changed = full_json();
        match changed.pointer_mut(at) {
            Some(place) => *place = value.clone(),
            None => {
                let (parent, key) = at.rsplit_once('/').expect(at);
                changed.pointer_mut(parent).expect(parent)[key] = value.clone();
            }
        }
        assert_eq!(refused(&changed).code(), Code::TrustInvalid, "{at} {value}");
    }
}

#[test]
fn two_entries_for_one_thing_are_refused() {
    for list in ["publishers", "revoked_keys", "revoked_contents", "versions"] {
        let mut value = full_json();
        let items = value[list].as_array_mut().expect(list);
        items.push(items[0].clone());
        assert_eq!(refused(&value).code(), Code::TrustInvalid, "{list}");
    }
    // One key twice under one publisher, and under two.
    let mut value = full_json();
    let stolen = value["publishers"][0]["keys"][0].clone();
    for n in [0, 1] {
        let mut changed = value.clone();
        changed["publishers"][n]["keys"].as_array_mut().expect("keys").push(stolen.clone());
        assert_eq!(refused(&changed).code(), Code::TrustInvalid);
    }
    value["publishers"][1]["name"] = json!("ACME");
    assert_eq!(refused(&value).code(), Code::TrustInvalid);
    let twice = br#"{"format":"mpp-trust/1","revoked_keys":[],"revoked_keys":[]}"#;
    assert_eq!(TrustStore::from_json(twice).expect_err("duplicate").code(), Code::TrustInvalid);
}

#[test]
fn a_key_that_is_not_of_prime_order_is_refused() {
    let mut identity = [0_u8; 32];
    identity[0] = 1;
    for bytes in [[0; 32], identity, [0xff; 32]] {
        let mut value = full_json();
        let key = &mut value["publishers"][0]["keys"][0];
        key["public_key"] = json!(crate::kernel::encoding::base64(&bytes));
        key["key_id"] = json!(sha256_hex(&bytes));
        let error = refused(&value);
        assert_eq!(error.code(), Code::TrustInvalid);
        assert!(error.detail().starts_with("/publishers/0/keys/0/public_key: public key "));
    }
}

#[test]
fn no_altered_or_shortened_file_panics() {
    let bytes = full_json().to_string().into_bytes();
    for end in 0..bytes.len() {
        assert!(TrustStore::from_json(&bytes[..end]).is_err());
    }
    for n in 0..bytes.len() {
        for byte in [0, b'"', b'{', b']', b'9', 0x80] {
            let mut changed = bytes.clone();
            changed[n] = byte;
            if let Err(error) = TrustStore::from_json(&changed) {
                assert_eq!(error.code(), Code::TrustInvalid);
            }
        }
    }
}

impl TempDir {
    fn trust_file(&self) -> PathBuf {
        self.0.join("home/trust.json")
    }
}

fn note(path: &Path, id: &str) -> Result<(), Error> {
    let version = Version::parse("1.0.0").expect("valid");
    TrustStore::update(path, |store| store.record_version(id, &version))
}

#[test]
fn a_store_that_is_not_there_is_empty_and_a_broken_one_is_not() {
    let temp = TempDir::new("absent");
    let path = temp.trust_file();
    assert_eq!(TrustStore::load(&path), Ok(TrustStore::empty()));
    note(&path, "org.acme.x").expect("made with its directory");
    fs::write(&path, "{}").expect("written");
    let error = TrustStore::load(&path).expect_err("broken");
    assert_eq!(error.code(), Code::TrustInvalid);
    assert!(error.detail().contains("trust.json"));
    assert_eq!(note(&path, "org.acme.y").expect_err("broken").code(), Code::TrustInvalid);
    assert_eq!(fs::read_to_string(&path).expect("still there"), "{}");
    fs::write(&path, " ".repeat(TRUST_FILE_BYTES_MAX * 2)).expect("written");
    assert_eq!(TrustStore::load(&path).expect_err("too long").code(), Code::TrustInvalid);
    assert_eq!(TrustStore::load(&temp.0).expect_err("a temp").code(), Code::HostFile);
}

#[test]
fn an_edit_that_fails_or_changes_nothing_writes_nothing() {
    let temp = TempDir::new("failed");
    let path = temp.trust_file();
    let failed: Result<(), Error> = TrustStore::update(&path, |store| {
        store.add_publisher("Acme", key(1), &[], Validity::ALWAYS)?;
        Err(invalid("changed my mind"))
    });
    assert!(failed.is_err());
    TrustStore::update(&path, |_| Ok(())).expect("nothing to do");
    assert!(!path.exists());
}

#[test]
fn a_store_too_large_to_be_read_again_is_not_written() {
    let temp = TempDir::new("large");
    let path = temp.trust_file();
    note(&path, "org.acme.x").expect("written");
    let version = Version::parse("1.0.0").expect("valid");
    let error = TrustStore::update(&path, |store| {
        (0..30_000).try_for_each(|n| store.record_version(&format!("org.n{n}"), &version))
    })
    .expect_err("too large");
    assert_eq!(error.code(), Code::TrustInvalid);
    assert!(TrustStore::load(&path)
        .expect("the old one")
        .highest_version_seen("org.acme.x")
        .is_some());
}

#[test]
fn a_crash_between_writing_and_renaming_leaves_the_old_store_and_a_way_on() {
    let temp = TempDir::new("crash");
    let path = temp.trust_file();
    note(&path, "org.acme.x").expect("written");
    let before = TrustStore::load(&path).expect("valid");
    fs::write(path.with_file_name("trust.json.new"), "{\"format\":\"mpp-tr").expect("half a file");
    assert_eq!(TrustStore::load(&path).expect("valid"), before);
    note(&path, "org.acme.y").expect("written");
    let after = TrustStore::load(&path).expect("valid");
    assert!(
        after.highest_version_seen("org.acme.x").is_some()
            && after.highest_version_seen("org.acme.y").is_some()
    );
    assert!(!path.with_file_name("trust.json.new").exists());
}

#[test]
fn the_store_is_for_its_owner_alone_and_a_link_to_it_stays_one() {
    use std::os::unix::fs::{symlink, PermissionsExt};
    let temp = TempDir::new("rights");
    let path = temp.trust_file();
    note(&path, "org.acme.x").expect("written");
    let link = temp.0.join("link.json");
    symlink(&path, &link).expect("linked");
    note(&link, "org.acme.y").expect("written");
    assert!(fs::symlink_metadata(&link).expect("there").file_type().is_symlink());
    assert_eq!(TrustStore::load(&path), TrustStore::load(&link));
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("home"))), (0o600, 0o700));
}

const WRITERS: usize = 4;
const NOTES: usize = 12;

fn note_many(path: &Path, writer: &str) {
    for n in 0..NOTES {
        note(path, &format!("org.{writer}.n{n}")).expect("noted");
    }
}

#[test]
fn threads_and_processes_changing_the_store_at_once_lose_nothing() {
    let temp = TempDir::new("many");
    let path = temp.trust_file();
    let program = std::env::current_exe().expect("this program");
    let processes: Vec<_> = (0..WRITERS)
        .map(|n| {
            Command::new(&program)
                .args(["--ignored", "--exact", "kernel::trust::tests::one_writer_of_many"])
                .env("MPP_TEST_TRUST_PATH", &path)
                .env("MPP_TEST_TRUST_WRITER", format!("process{n}"))
                .stdout(std::process::Stdio::null())
                .spawn()
                .expect("started")
        })
        .collect();
    std::thread::scope(|scope| {
        for n in 0..WRITERS {
            let path = &path;
            scope.spawn(move || note_many(path, &format!("thread{n}")));
        }
    });
    for mut process in processes {
        assert!(process.wait().expect("ended").success());
    }
    let store = TrustStore::load(&path).expect("whole");
    assert_eq!(store.versions.len(), WRITERS * NOTES * 2);
}

#[test]
#[ignore = "started by the test above as a process of its own"]
fn one_writer_of_many() {
    if let (Some(path), Ok(writer)) =
        (std::env::var_os("MPP_TEST_TRUST_PATH"), std::env::var("MPP_TEST_TRUST_WRITER"))
    {
        note_many(Path::new(&path), &writer);
    }
}
