//! Room: the trust store as a file: one closed JSON object, written one way.

use super::{PublisherKey, Revocation, TrustStore, Validity};
use crate::encoding::{base64, unbase64};
use crate::error::{Code, Error};
use crate::limits::{HOST_FILE_DEPTH_MAX, TRUST_FILE_BYTES_MAX};
use crate::object::{ObjectCodes, ObjectReader};
use crate::package::key::{KeyId, PublicKey};
use crate::package::listing::ContentHash;
use crate::package::version::Version;
use crate::time::Timestamp;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

const FORMAT: &str = "mpp-trust/1";
const CODES: ObjectCodes = ObjectCodes::all(Code::TrustInvalid);
const MOMENT: &str = "a time such as 2026-01-01T00:00:00Z";
const KEY_ID: &str = "64 lower-case hexadecimal digits";

impl TrustStore {
    /// Reads the JSON form. Nothing is forgiven: what one reader skipped, another would honour.
    ///
    /// # Errors
    /// `trust.invalid`, `key.weak`.
    // [TRUST-01]
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let mut root =
            ObjectReader::parse(bytes, TRUST_FILE_BYTES_MAX, HOST_FILE_DEPTH_MAX, CODES)?;
        let mut store = TrustStore::empty();
        root.parsed("format", FORMAT, |text| (text == FORMAT).then_some(()))?;
        for item in objects(&mut root, "publishers")? {
            store.read_publisher(item)?;
        }
        // Revocations come after the keys that they may concern: a revoked key stays listed under
        // its publisher, so that a refusal can name both.
        for mut item in objects(&mut root, "revoked_keys")? {
            let key_id = item.parsed("key_id", KEY_ID, KeyId::parse)?;
            let revocation = read_revocation(&mut item)?;
            once(&item, "key_id", store.revoked_keys.insert(key_id, revocation).is_none())?;
            item.finish()?;
        }
        for mut item in objects(&mut root, "revoked_contents")? {
            let hash = item.parsed("content_hash", "a content hash", ContentHash::parse)?;
            let revocation = read_revocation(&mut item)?;
            once(&item, "content_hash", store.revoked_contents.insert(hash, revocation).is_none())?;
            item.finish()?;
        }
        for mut item in objects(&mut root, "versions")? {
            let id: String = item.required("id")?;
            let version = item.parsed("version", "a version", Version::parse)?;
            once(&item, "id", store.version_seen(&id).is_none())?;
            store.note_version(&id, &version).map_err(|error| item.locate(&error))?;
            item.finish()?;
        }
        root.finish()?;
        Ok(store)
    }

    fn read_publisher(&mut self, mut item: ObjectReader) -> Result<(), Error> {
        let name: String = item.required("name")?;
        once(&item, "name", !self.publishers.contains_key(&name))?;
        let namespaces: Vec<String> = item.required("namespaces")?;
        let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        let keys: Vec<ObjectReader> = item.required("keys")?;
        if keys.is_empty() {
            return Err(item.bad("keys", "a list of at least one key"));
        }
        for mut key in keys {
            let key_id = key.parsed("key_id", KEY_ID, KeyId::parse)?;
            let bytes = key.parsed("public_key", "base64 of 32 bytes", unbase64::<32>)?;
            let public_key = PublicKey::from_bytes(bytes).map_err(|error| key.locate(&error))?;
            if public_key.id() != key_id {
                return Err(key.bad("key_id", "the SHA-256 of public_key"));
            }
            once(&key, "key_id", !self.keys.contains_key(&key_id))?;
            let validity = Validity {
                from: read_moment(&mut key, "valid_from")?,
                until: read_moment(&mut key, "valid_until")?,
            };
            self.add_publisher(&name, public_key, &namespaces, validity)
                .map_err(|error| key.locate(&error))?;
            key.finish()?;
        }
        item.finish()
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

fn objects(reader: &mut ObjectReader, key: &str) -> Result<Vec<ObjectReader>, Error> {
    Ok(reader.optional(key)?.unwrap_or_default())
}

/// Two entries for one thing could say two things about it.
fn once(item: &ObjectReader, key: &str, first: bool) -> Result<(), Error> {
    if first {
        return Ok(());
    }
    Err(item.bad(key, "named only once"))
}

fn read_moment(item: &mut ObjectReader, key: &str) -> Result<Option<Timestamp>, Error> {
    let text: Option<String> = item.optional(key)?;
    text.map(|text| Timestamp::parse(&text).ok_or_else(|| item.bad(key, MOMENT))).transpose()
}

fn read_revocation(item: &mut ObjectReader) -> Result<Revocation, Error> {
    let revoked_at = item.parsed("revoked_at", MOMENT, Timestamp::parse)?;
    let reason: String = item.required("reason")?;
    Revocation::new(revoked_at, &reason).map_err(|error| item.locate(&error))
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
