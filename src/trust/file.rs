//! Room: the trust store as a file: one closed JSON object, written one way.

use super::{PublisherKey, Revocation, TrustStore, Validity};
use crate::encoding::{base64, unbase64};
use crate::error::{Code, Error};
use crate::host_file::{list, parsed, read_document};
use crate::json::object::{Fault, Member, Object};
use crate::limits::TRUST_FILE_BYTES_MAX;
use crate::package::key::{KeyId, PublicKey};
use crate::package::listing::ContentHash;
use crate::package::version::Version;
use crate::time::Timestamp;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

const FORMAT: &str = "mpp-trust/1";

impl TrustStore {
    /// Reads the JSON form. Nothing is forgiven: what one reader skipped, another would honour.
    ///
    /// # Errors
    /// `trust.invalid`.
    // [TRUST-01]
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        read_document(bytes, TRUST_FILE_BYTES_MAX, Code::TrustInvalid, read_store)
    }

    /// Writes the JSON form: the same store, the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut keys: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (key_id, key) in &self.keys {
            keys.entry(&key.publisher).or_default().push(write_key(key_id, key));
        }
        let publishers: Vec<Value> = (self.publishers.iter())
            .map(|(name, namespaces)| {
                json!({ "name": name, "namespaces": namespaces, "keys": keys.remove(name.as_str()) })
            })
            .collect();
        let revoked_keys: Vec<Value> = (self.revoked_keys.iter())
            .map(|(key_id, why)| write_revocation("key_id", key_id.as_str(), why))
            .collect();
        let revoked_contents: Vec<Value> = (self.revoked_contents.iter())
            .map(|(hash, why)| write_revocation("content_hash", hash.as_str(), why))
            .collect();
        let versions: Vec<Value> = (self.versions.iter())
            .map(|(id, version)| json!({ "id": id, "version": version.to_string() }))
            .collect();
        let root = json!({
            "format": FORMAT,
            "publishers": publishers,
            "revoked_keys": revoked_keys,
            "revoked_contents": revoked_contents,
            "versions": versions,
        });
        format!("{root:#}\n")
    }
}

fn read_store(root: &mut Object) -> Result<TrustStore, Fault> {
    let mut store = TrustStore::empty();
    parsed(&root.required("format")?, FORMAT, |text| (text == FORMAT).then_some(()))?;
    list(root.optional("publishers"), |item| {
        item.object(|object| read_publisher(&mut store, object))
    })?;
    // Revocations come after the keys that they may concern: a revoked key stays listed under its
    // publisher, and stays revoked.
    list(root.optional("revoked_keys"), |item| {
        let (member, key_id, revocation) = item.object(|object| {
            let member = object.required("key_id")?;
            let key_id = read_key_id(&member)?;
            Ok((member, key_id, read_revocation(object)?))
        })?;
        once(&member, store.revoked_keys.insert(key_id, revocation).is_none())
    })?;
    list(root.optional("revoked_contents"), |item| {
        let (member, hash, revocation) = item.object(|object| {
            let member = object.required("content_hash")?;
            let hash = parsed(&member, "a content hash", ContentHash::parse)?;
            Ok((member, hash, read_revocation(object)?))
        })?;
        once(&member, store.revoked_contents.insert(hash, revocation).is_none())
    })?;
    list(root.optional("versions"), |item| {
        item.object(|object| {
            let (id, version) = (object.required("id")?, object.required("version")?);
            let version = parsed(&version, "a semantic version", Version::parse)?;
            once(&id, store.version_seen(id.text()?).is_none())?;
            store.note_version(id.text()?, &version).map_err(|error| id.bad_value(error.detail()))
        })
    })?;
    Ok(store)
}

fn read_publisher(store: &mut TrustStore, object: &mut Object) -> Result<(), Fault> {
    let name = object.required("name")?;
    once(&name, !store.publishers.contains_key(name.text()?))?;
    let namespaces = list(Some(object.required("namespaces")?), Member::text)?;
    let keys = object.required("keys")?;
    keys.array(1..=usize::MAX, |item| {
        item.object(|key| {
            let member = key.required("key_id")?;
            let key_id = read_key_id(&member)?;
            once(&member, !store.keys.contains_key(&key_id))?;
            let public_key = read_public_key(&key.required("public_key")?)?;
            if public_key.id() != key_id {
                return Err(member.bad_value("must be the SHA-256 of public_key"));
            }
            let from = key.optional("valid_from").as_ref().map(read_moment).transpose()?;
            let until = key.optional("valid_until").as_ref().map(read_moment).transpose()?;
            store
                .add_publisher(name.text()?, public_key, &namespaces, Validity { from, until })
                .map_err(|error| item.bad_value(error.detail()))
        })
    })?;
    Ok(())
}

/// Two entries for one thing could say two things about it.
fn once(member: &Member, first: bool) -> Result<(), Fault> {
    match first {
        true => Ok(()),
        false => Err(member.bad_value("must be named only once")),
    }
}

fn read_key_id(member: &Member) -> Result<KeyId, Fault> {
    parsed(member, "64 lower-case hexadecimal digits", KeyId::parse)
}

fn read_public_key(member: &Member) -> Result<PublicKey, Fault> {
    let bytes = parsed(member, "base64 of 32 bytes", unbase64::<32>)?;
    PublicKey::from_bytes(bytes).map_err(|error| member.bad_value(error.detail()))
}

fn read_moment(member: &Member) -> Result<Timestamp, Fault> {
    parsed(member, "a time such as 2026-01-01T00:00:00Z", Timestamp::parse)
}

fn read_revocation(object: &mut Object) -> Result<Revocation, Fault> {
    let revoked_at = read_moment(&object.required("revoked_at")?)?;
    let reason = object.required("reason")?;
    Revocation::new(revoked_at, reason.text()?).map_err(|error| reason.bad_value(error.detail()))
}

fn write_key(key_id: &KeyId, key: &PublisherKey) -> Value {
    let mut members = Map::new();
    members.insert("key_id".to_owned(), key_id.as_str().into());
    members.insert("public_key".to_owned(), base64(&key.public_key.to_bytes()).into());
    let Validity { from, until } = key.validity;
    for (name, end) in [("valid_from", from), ("valid_until", until)] {
        members.extend(end.map(|end| (name.to_owned(), end.to_string().into())));
    }
    Value::Object(members)
}

fn write_revocation(name: &str, what: &str, why: &Revocation) -> Value {
    json!({ name: what, "revoked_at": why.revoked_at.to_string(), "reason": why.reason })
}
