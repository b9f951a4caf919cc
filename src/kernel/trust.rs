//! Trust store: trusted publishers with their keys and namespaces, revocations, and the highest version seen
//! of each package.
//!
//! The Gatekeeper uses it in check 5 ([`TrustStore::evaluate_signers`]) and check 6
//! ([`TrustedSigner::may_publish`], [`TrustStore::highest_version_seen`]).

#[cfg(test)]
#[path = "../../conformance/unit/kernel/trust.rs"]
mod tests;

use crate::kernel::document::{self, keyed, list, object, text, Document, FromJson, ToJson};
use crate::kernel::encoding::{base64, sha256_hex, unbase64};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::TRUST_FILE_BYTES_MAX;
use crate::kernel::names::{self, is_namespace, is_visible_line};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::{KeyId, PublicKey};
use crate::kernel::package::version::Version;
use crate::kernel::prelude::*;
use crate::kernel::rotation::Rotation;
use crate::kernel::time::Timestamp;
use serde_json::Value;

object! {
    /// The trusted publishers and revocations of this host.
    ///
    /// ```
    /// use mpp::package::{key::SecretKey, content_hash::ContentHash};
    /// use mpp::{trust::{TrustStore, Validity}, Code, Timestamp};
    /// let key = SecretKey::generate().public();
    /// let content = ContentHash::from_checksum_list("");
    /// let now = Timestamp::now();
    /// let mut store = TrustStore::empty();
    /// assert_eq!(store.evaluate_signers(&[key.id()], &content, now, 1).unwrap_err().code(), Code::PublisherUnknown);
    /// store.add_publisher("Acme", key, &["org.acme"], Validity::ALWAYS)?;
    /// let signers = store.evaluate_signers(&[key.id()], &content, now, 1)?;
    /// assert!(signers[0].may_publish("org.acme.weather") && !signers[0].may_publish("org.acmecorp"));
    /// # Ok::<(), mpp::Error>(())
    /// ```
    // [TRUST-01]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct TrustStore: FromJson + ToJson {
        /// By their names in lower case, so that no name can be mistaken for another.
        publishers: BTreeMap<String, Publisher> = BTreeMap::new(), publishers;
        /// A revoked key can stay listed under its publisher.
        revoked_keys: BTreeMap<KeyId, RevokedKey> = BTreeMap::new(),
            keyed(0..=usize::MAX, RevokedKey::read, |entry| entry.key_id.clone());
        revoked_contents: BTreeMap<ContentHash, RevokedContent> = BTreeMap::new(),
            keyed(0..=usize::MAX, RevokedContent::read, |entry| entry.content_hash.clone());
        versions: BTreeMap<String, SeenVersion> = BTreeMap::new(),
            keyed(0..=usize::MAX, SeenVersion::read, |entry| entry.id.clone());
    }
}

object! {
    /// A trusted publisher.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Publisher: FromJson + ToJson {
        /// The name that this host gave the publisher.
        // [TRUST-02]
        pub name: String, text(is_publisher_name, "a name in plain ASCII on one line");
        /// The package ids that it is allowed to publish.
        // [TRUST-03]
        pub namespaces: BTreeSet<String>, list(0..=usize::MAX, text(is_namespace, NAMESPACE));
        /// The package ids that it approves: each needs a signature of one of its approvers besides the author's.
        // [TRUST-22]
        pub approves: Option<BTreeSet<String>> = None,
            |place| list(1..=usize::MAX, text(is_namespace, NAMESPACE))(place).map(Some);
        /// Its keys. Several can be valid at once, so that a key is replaced without a gap.
        pub keys: BTreeMap<KeyId, PublisherKey>,
            keyed(1..=usize::MAX, PublisherKey::read, |key| key.key_id.clone());
    }
}

object! {
    /// One key of a publisher.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PublisherKey: FromJson + ToJson {
        /// The key.
        pub public_key: PublicKey;
        /// Its id.
        // [TRUST-04]
        pub key_id: KeyId, |place| id_of(place, &public_key);
        /// When the key becomes valid.
        pub valid_from: Option<Timestamp> = None;
        /// When the key expires: its last valid second.
        pub valid_until: Option<Timestamp> = None, |place| end_of(place, valid_from);
    }
}

object! {
    /// A revoked key.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevokedKey: FromJson + ToJson {
        /// The id of the key.
        pub key_id: KeyId;
        /// When it was revoked. The revocation applies to every package, old or new.
        pub revoked_at: Timestamp;
        /// The reason, shown when a package is rejected.
        pub reason: String, text(is_visible_line, REASON);
    }
}

object! {
    /// A content that is rejected regardless of its signers.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevokedContent: FromJson + ToJson {
        /// The content hash.
        pub content_hash: ContentHash;
        /// When it was revoked.
        pub revoked_at: Timestamp;
        /// The reason, shown when a package is rejected.
        pub reason: String, text(is_visible_line, REASON);
    }
}

object! {
    /// The highest version of a package that was accepted.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct SeenVersion: FromJson + ToJson {
        id: String, text(names::is_id, "a package id");
        version: Version;
    }
}

/// Describes the texts that [`is_namespace`] accepts.
pub(in crate::kernel) const NAMESPACE: &str = "`*` or lower-case labels joined by dots";
const REASON: &str = "a reason on one line";

impl Document for TrustStore {
    const FORMAT: &'static str = "mpp-trust/1";
    const BYTES_MAX: usize = TRUST_FILE_BYTES_MAX;
    const INVALID: Code = Code::TrustInvalid;
}

/// Refuses a key with two publishers, which could count as two signers.
// [TRUST-02] [TRUST-04]
fn publishers(place: &Field) -> Result<BTreeMap<String, Publisher>, DocumentError> {
    let mut holders: BTreeMap<KeyId, String> = BTreeMap::new();
    let rule = |item: &Field| {
        let publisher = Publisher::read(item)?;
        for key_id in publisher.keys.keys() {
            if let Some(holder) = holders.insert(key_id.clone(), publisher.name.clone()) {
                return Err(item.bad_value(format!("has the key {key_id} of {holder:?}")));
            }
        }
        Ok(publisher)
    };
    keyed(0..=usize::MAX, rule, |publisher| publisher.name.to_ascii_lowercase())(place)
}

// [TRUST-02]
pub(in crate::kernel) fn is_publisher_name(text: &str) -> bool {
    is_visible_line(text) && text.is_ascii()
}

pub(in crate::kernel) fn id_of(
    place: &Field,
    public_key: &PublicKey,
) -> Result<KeyId, DocumentError> {
    let id = KeyId::read(place)?;
    place.check(id == public_key.id(), "must be the SHA-256 of public_key")?;
    Ok(id)
}

// [TRUST-05]
fn end_of(place: &Field, from: Option<Timestamp>) -> Result<Option<Timestamp>, DocumentError> {
    let until = Timestamp::read(place)?;
    place.check(from.is_none_or(|from| from <= until), "must not be before valid_from")?;
    Ok(Some(until))
}

impl FromJson for PublicKey {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        let bytes = place.parsed("base64 of 32 bytes", unbase64::<32>)?;
        PublicKey::from_bytes(bytes).map_err(|error| place.bad_value(error.detail()))
    }
}

impl ToJson for PublicKey {
    fn write(&self) -> Value {
        base64(&self.to_bytes()).into()
    }
}

/// A period; both ends are included, and a missing end is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: Option<Timestamp>,
    /// The last second.
    pub until: Option<Timestamp>,
}

impl Validity {
    /// Open at both ends.
    pub const ALWAYS: Validity = Validity { from: None, until: None };

    /// Returns `true` if `now` is in the period.
    // [TRUST-05]
    #[must_use]
    pub fn includes(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now <= until)
    }
}

/// A signer of one package that the store trusts now. Only [`TrustStore::evaluate_signers`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSigner {
    publisher: String,
    key_id: KeyId,
    namespaces: BTreeSet<String>,
}

impl TrustedSigner {
    /// Returns the publisher's name in this store.
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// Returns the signing key.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Returns `true` if a namespace of the publisher contains the package id.
    #[must_use]
    pub fn may_publish(&self, id: &str) -> bool {
        self.namespaces.iter().any(|namespace| namespace_contains(namespace, id))
    }
}

/// Returns `true` if `namespace` is `*`, `id`, or the first labels of `id`.
// [TRUST-06]
#[must_use]
pub fn namespace_contains(namespace: &str, id: &str) -> bool {
    match id.strip_prefix(namespace) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => namespace == "*",
    }
}

impl TrustStore {
    /// Returns a store that trusts no publisher.
    pub fn empty() -> Self {
        TrustStore::default()
    }

    /// Takes over the highest versions of another store. Versions are only raised.
    // [TRUST-19]
    pub fn add_versions(&mut self, other: TrustStore) {
        other.versions.into_values().for_each(|seen| self.raise_version(seen));
    }

    /// Returns this store of an organisation with what a host's own narrows: its revocations, and the versions that
    /// it has seen. Its publishers do not count.
    // [ORG-09]
    pub fn narrowed_by(&self, local: TrustStore) -> TrustStore {
        let mut new = self.clone();
        for (key_id, entry) in &local.revoked_keys {
            new.revoked_keys.entry(key_id.clone()).or_insert_with(|| entry.clone());
        }
        for (hash, entry) in &local.revoked_contents {
            new.revoked_contents.entry(hash.clone()).or_insert_with(|| entry.clone());
        }
        new.add_versions(local);
        new
    }

    // [TRUST-14]
    fn raise_version(&mut self, seen: SeenVersion) {
        let known = self.versions.get(&seen.id);
        if known.is_none_or(|known| known.version < seen.version) {
            self.versions.insert(seen.id.clone(), seen);
        }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// `trust.invalid`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes)
    }

    /// Writes the JSON form. The same store always gives the same text.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    /// Check 5: returns the trusted signers of a package, in the given order.
    ///
    /// `signers_required` counts publishers, not keys: an author and an approver are two. 0 means 1. Unknown
    /// signers are ignored.
    ///
    /// # Errors
    /// `publisher.content_revoked`, `publisher.key_revoked` (any signer's), `publisher.not_valid_now`
    /// (any known signer's), `publisher.unknown`, `publisher.too_few_signers`.
    // [TRUST-07]
    pub fn evaluate_signers(
        &self,
        signers: &[KeyId],
        content_hash: &ContentHash,
        now: Timestamp,
        signers_required: usize,
    ) -> Result<Vec<TrustedSigner>, Error> {
        // [TRUST-08]
        if let Some(entry) = self.revoked_contents.get(content_hash) {
            let (code, what) = (Code::PublisherContent, content_hash.as_str());
            return Err(revoked(code, what, entry.revoked_at, &entry.reason));
        }
        // [TRUST-09]
        if let Some(entry) = signers.iter().find_map(|key_id| self.revoked_keys.get(key_id)) {
            return Err(key_revoked(entry));
        }
        let mut trusted: Vec<TrustedSigner> = Vec::new();
        for key_id in signers {
            let has_key = |(_, key): &(&Publisher, &PublisherKey)| key.key_id == *key_id;
            let Some((publisher, key)) = self.keys().find(has_key) else { continue };
            // [TRUST-10]
            let (name, validity) = (&publisher.name, key.validity());
            if !validity.includes(now) {
                let span = span(&validity);
                let detail = format!("key {key_id} of {name:?} is valid {span}, not at {now}");
                return Err(Error::new(Code::PublisherValidity, detail));
            }
            trusted.push(TrustedSigner {
                publisher: name.clone(),
                key_id: key_id.clone(),
                namespaces: publisher.namespaces.clone(),
            });
        }
        // [TRUST-11]
        if trusted.is_empty() {
            let ids: Vec<&str> = signers.iter().map(KeyId::as_str).collect();
            let detail = format!("key {} belongs to no trusted publisher", ids.join(" or "));
            return Err(Error::new(Code::PublisherUnknown, detail));
        }
        // [TRUST-12]
        let parties: BTreeSet<&str> = trusted.iter().map(TrustedSigner::publisher).collect();
        if parties.len() < signers_required {
            let detail = format!("{signers_required} publishers required, signed by {parties:?}");
            return Err(Error::new(Code::PublisherQuorum, detail));
        }
        Ok(trusted)
    }

    /// The part of check 6 about roles: an id that has approvers needs a signature of one, who is not its author.
    ///
    /// # Errors
    /// `manifest.not_approved`.
    // [TRUST-22]
    pub fn check_approval(&self, signers: &[TrustedSigner], id: &str) -> Result<(), Error> {
        let approves = |publisher: &&Publisher| {
            publisher.approves.iter().flatten().any(|namespace| namespace_contains(namespace, id))
        };
        let approvers: Vec<&str> =
            self.publishers().filter(approves).map(|publisher| publisher.name.as_str()).collect();
        let authors = signers.iter().filter(|signer| signer.may_publish(id));
        let approved = authors.map(TrustedSigner::publisher).any(|author| {
            let mut names = signers.iter().map(TrustedSigner::publisher);
            names.any(|name| name != author && approvers.contains(&name))
        });
        if approved || approvers.is_empty() {
            return Ok(());
        }
        let detail =
            format!("id {id} needs the signature of one of {approvers:?} besides its author's");
        Err(Error::new(Code::ManifestApproval, detail))
    }

    /// Lets a publisher approve the packages of namespaces.
    ///
    /// # Errors
    /// `trust.invalid` for an invalid namespace; `publisher.unknown`.
    pub fn add_approver(&mut self, name: &str, namespaces: &[&str]) -> Result<(), Error> {
        let mut new = self.clone();
        let Some(publisher) = new.publishers.get_mut(&name.to_ascii_lowercase()) else {
            return Err(Error::new(Code::PublisherUnknown, format!("no publisher {name:?}")));
        };
        let approves = publisher.approves.get_or_insert_with(BTreeSet::new);
        approves.extend(namespaces.iter().map(|namespace| (*namespace).to_owned()));
        *self = TrustStore::from_json(new.to_json().as_bytes())?;
        Ok(())
    }

    /// Adds a key. If a publisher of this name exists, the namespaces are added to it, and a key that it
    /// already has gets the new validity.
    ///
    /// # Errors
    /// `trust.invalid` for an invalid name, namespace or validity, a name that differs from another only in
    /// case, or a key of another publisher; `publisher.key_revoked`.
    pub fn add_publisher(
        &mut self,
        name: &str,
        key: PublicKey,
        namespaces: &[&str],
        validity: Validity,
    ) -> Result<(), Error> {
        let (key_id, Validity { from: valid_from, until: valid_until }) = (key.id(), validity);
        if let Some(entry) = self.revoked_keys.get(&key_id) {
            return Err(key_revoked(entry));
        }
        let mut new = self.clone();
        let publisher = new.publishers.entry(name.to_ascii_lowercase()).or_insert_with(|| {
            let (name, namespaces) = (name.to_owned(), BTreeSet::new());
            Publisher { name, namespaces, approves: None, keys: BTreeMap::new() }
        });
        if publisher.name != name {
            let twin = &publisher.name;
            return Err(invalid(&format!("publisher {name:?} differs from {twin:?} only in case")));
        }
        publisher.namespaces.extend(namespaces.iter().map(|namespace| (*namespace).to_owned()));
        let key = PublisherKey { key_id: key_id.clone(), public_key: key, valid_from, valid_until };
        publisher.keys.insert(key_id, key);
        // The reader has all rules about valid stores.
        *self = TrustStore::from_json(new.to_json().as_bytes())?;
        Ok(())
    }

    /// Replaces a key as its holder states. The new key gets the namespaces and the end of validity that this host
    /// gave the old one, so that nothing becomes wider.
    ///
    /// # Errors
    /// `publisher.unknown`, `publisher.key_revoked`, `publisher.not_valid_now` for the old key;
    /// `rotation.signature`; `publisher.key_revoked` for the new key, `trust.invalid` for one of another publisher.
    // [ROT-03]
    pub fn rotate(&mut self, rotation: &Rotation, now: Timestamp) -> Result<(), Error> {
        let found = self.keys().find(|(_, key)| key.key_id == rotation.old_key_id);
        let Some((publisher, old)) = found else {
            let detail = format!("key {} belongs to no trusted publisher", rotation.old_key_id);
            return Err(Error::new(Code::PublisherUnknown, detail));
        };
        let (name, old) = (publisher.name.clone(), old.clone());
        if !old.validity().includes(now) {
            let span = span(&old.validity());
            let detail = format!("key {} of {name:?} is valid {span}, not at {now}", old.key_id);
            return Err(Error::new(Code::PublisherValidity, detail));
        }
        if !rotation.is_signed_by(&old.public_key) {
            let detail = format!("the statement is not signed by the key {}", old.key_id);
            return Err(Error::new(Code::RotationSignature, detail));
        }
        // Adding either key refuses a revoked one.
        let mut new = self.clone();
        let stated = rotation.old_key_until;
        let until = Some(old.valid_until.map_or(stated, |end| end.min(stated)));
        let ended = Validity { from: old.valid_from.min(until), until };
        new.add_publisher(&name, old.public_key, &[], ended)?;
        // A key that is listed already keeps an end that is earlier.
        let listed = new.keys().find(|(_, key)| key.public_key == rotation.new_public_key);
        let validity = match listed {
            Some((_, key)) => key.validity(),
            None => Validity { from: None, until: old.valid_until },
        };
        new.add_publisher(&name, rotation.new_public_key, &[], validity)?;
        *self = new;
        Ok(())
    }

    /// Revokes a key, known or not, permanently. Revoking it again changes nothing.
    ///
    /// # Errors
    /// `trust.invalid` for a reason that is empty, too long or contains control characters.
    // [TRUST-13]
    pub fn revoke_key(&mut self, key_id: KeyId, at: Timestamp, reason: &str) -> Result<(), Error> {
        let reason = checked_reason(reason)?;
        let entry = RevokedKey { key_id: key_id.clone(), revoked_at: at, reason };
        self.revoked_keys.entry(key_id).or_insert(entry);
        Ok(())
    }

    /// Revokes a content permanently. Revoking it again changes nothing.
    ///
    /// # Errors
    /// As [`TrustStore::revoke_key`].
    // [TRUST-13]
    pub fn revoke_content(
        &mut self,
        hash: ContentHash,
        at: Timestamp,
        reason: &str,
    ) -> Result<(), Error> {
        let reason = checked_reason(reason)?;
        let entry = RevokedContent { content_hash: hash.clone(), revoked_at: at, reason };
        self.revoked_contents.entry(hash).or_insert(entry);
        Ok(())
    }

    /// Records that this version of a package was accepted. The highest version is only raised.
    ///
    /// # Errors
    /// `trust.invalid` for an invalid package id.
    // [TRUST-14]
    pub fn record_version(&mut self, id: &str, version: &Version) -> Result<(), Error> {
        if !names::is_id(id) {
            return Err(invalid(&format!("{id:?} is not a package id")));
        }
        self.raise_version(SeenVersion { id: id.to_owned(), version: version.clone() });
        Ok(())
    }

    /// Lowers the highest version of a package, at the request of a person.
    ///
    /// # Errors
    /// As [`TrustStore::record_version`].
    pub fn reset_version(&mut self, id: &str, version: &Version) -> Result<(), Error> {
        self.versions.remove(id);
        self.record_version(id, version)
    }

    /// Returns the highest version that was accepted; a lower one is a rollback.
    pub fn highest_version_seen(&self, id: &str) -> Option<Version> {
        self.versions.get(id).map(|seen| seen.version.clone())
    }

    /// Returns the publishers, by name.
    pub fn publishers(&self) -> impl Iterator<Item = &Publisher> {
        self.publishers.values()
    }

    /// Returns the keys with their publishers, by publisher and id.
    pub fn keys(&self) -> impl Iterator<Item = (&Publisher, &PublisherKey)> {
        self.publishers().flat_map(|of| of.keys.values().map(move |key| (of, key)))
    }

    /// Returns the revoked keys, in ascending order of their ids.
    pub fn revoked_keys(&self) -> impl Iterator<Item = &RevokedKey> {
        self.revoked_keys.values()
    }

    /// Returns the revoked contents, in ascending order.
    pub fn revoked_contents(&self) -> impl Iterator<Item = &RevokedContent> {
        self.revoked_contents.values()
    }

    /// Returns a digest of the whole store, as a cache key for verification results together with the
    /// content hash.
    // [TRUST-15]
    pub fn revision(&self) -> String {
        sha256_hex(self.to_json().as_bytes())
    }
}

impl PublisherKey {
    /// Returns the validity of the key.
    pub fn validity(&self) -> Validity {
        Validity { from: self.valid_from, until: self.valid_until }
    }
}

// [TRUST-13]
fn checked_reason(reason: &str) -> Result<String, Error> {
    match is_visible_line(reason) {
        true => Ok(reason.to_owned()),
        false => Err(invalid("revocation reason must be one line")),
    }
}

fn invalid(detail: &str) -> Error {
    Error::new(Code::TrustInvalid, detail)
}

fn key_revoked(entry: &RevokedKey) -> Error {
    let what = entry.key_id.as_str();
    revoked(Code::PublisherKeyRevoked, what, entry.revoked_at, &entry.reason)
}

fn revoked(code: Code, what: &str, revoked_at: Timestamp, reason: &str) -> Error {
    Error::new(code, format!("{what} was revoked at {revoked_at}: {reason}"))
}

fn span(validity: &Validity) -> String {
    let end = |word: &str, end: Option<Timestamp>| end.map(|end| format!("{word} {end}"));
    let ends = [end("from", validity.from), end("until", validity.until)];
    ends.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
