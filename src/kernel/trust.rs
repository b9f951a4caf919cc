//! Room: the trust store: whose signatures count, for which package ids, and until when.
//!
//! It holds publishers with their keys and namespaces, revoked keys, revoked contents, and the highest
//! version seen of each package. The Gatekeeper asks it in check 5 ([`TrustStore::evaluate_signers`]) and check 6
//! ([`TrustedSigner::may_publish`], [`TrustStore::highest_version_seen`]). `spec/trust.md` is its page.

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
use crate::kernel::time::Timestamp;
use serde_json::Value;

object! {
    /// Everything this host knows about publishers.
    ///
    /// ```
    /// use mpp::package::{key::SecretKey, content_hash::ContentHash};
    /// use mpp::{trust::{TrustStore, Validity}, Code, Timestamp};
    /// let key = SecretKey::generate().public();
    /// let content = ContentHash::of_listing("");
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
        /// By their names in lower case, so that none can be taken for another.
        publishers: BTreeMap<String, Publisher> = BTreeMap::new(), publishers;
        /// A key that is revoked may stay listed under its publisher, and stays revoked.
        revoked_keys: BTreeMap<KeyId, RevokedKey> = BTreeMap::new(),
            keyed(0..=usize::MAX, RevokedKey::read, |entry| entry.key_id.clone());
        revoked_contents: BTreeMap<ContentHash, RevokedContent> = BTreeMap::new(),
            keyed(0..=usize::MAX, RevokedContent::read, |entry| entry.content_hash.clone());
        versions: BTreeMap<String, SeenVersion> = BTreeMap::new(),
            keyed(0..=usize::MAX, SeenVersion::read, |entry| entry.id.clone());
    }
}

object! {
    /// Who may publish what.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Publisher: FromJson + ToJson {
        /// The name that this host gave it.
        // [TRUST-02]
        pub name: String, text(is_publisher_name, "a name in plain ASCII on one line");
        /// The package ids that it may publish.
        // [TRUST-03]
        pub namespaces: BTreeSet<String>, list(0..=usize::MAX, text(is_namespace, NAMESPACE));
        /// Its keys, of which it may have several at once: so a key is replaced without a gap.
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
        /// When its signatures begin to count.
        pub valid_from: Option<Timestamp> = None;
        /// When they count for the last time.
        pub valid_until: Option<Timestamp> = None, |place| end_of(place, valid_from);
    }
}

object! {
    /// A key that counts for nothing any more.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevokedKey: FromJson + ToJson {
        /// Its id.
        pub key_id: KeyId;
        /// When it was entered here. It counts from then on for every package, old or new.
        pub revoked_at: Timestamp;
        /// For the person who meets the refusal.
        pub reason: String, text(is_visible_line, REASON);
    }
}

object! {
    /// A content that is refused whoever signed it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevokedContent: FromJson + ToJson {
        /// The content.
        pub content_hash: ContentHash;
        /// When it was entered here.
        pub revoked_at: Timestamp;
        /// For the person who meets the refusal.
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

/// What [`is_namespace`] allows.
pub(in crate::kernel) const NAMESPACE: &str = "`*` or lower-case labels joined by dots";
const REASON: &str = "a reason on one line";

impl Document for TrustStore {
    const FORMAT: &'static str = "mpp-trust/1";
    const BYTES_MAX: usize = TRUST_FILE_BYTES_MAX;
    const INVALID: Code = Code::TrustInvalid;
}

/// Two holders of one key could count as two signers.
// [TRUST-02] [TRUST-04]
fn publishers(place: &Field) -> Result<BTreeMap<String, Publisher>, DocumentError> {
    let mut holders: BTreeMap<KeyId, String> = BTreeMap::new();
    let rule = |item: &Field| {
        let publisher = Publisher::read(item)?;
        for key_id in publisher.keys.keys() {
            if let Some(holder) = holders.insert(key_id.clone(), publisher.name.clone()) {
                return Err(item.bad_value(format!("holds the key {key_id} of {holder:?}")));
            }
        }
        Ok(publisher)
    };
    keyed(0..=usize::MAX, rule, |publisher| publisher.name.to_ascii_lowercase())(place)
}

// [TRUST-02]
fn is_publisher_name(text: &str) -> bool {
    is_visible_line(text) && text.is_ascii()
}

fn id_of(place: &Field, public_key: &PublicKey) -> Result<KeyId, DocumentError> {
    let id = KeyId::read(place)?;
    place.check(id == public_key.id(), "must be the SHA-256 of public_key")?;
    Ok(id)
}

// [TRUST-05]
fn end_of(place: &Field, from: Option<Timestamp>) -> Result<Option<Timestamp>, DocumentError> {
    let until = Timestamp::read(place)?;
    place.check(from.is_none_or(|from| from <= until), "must not lie before valid_from")?;
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

/// A span of time; both ends belong to it, and an absent end is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Option<Timestamp>,
    /// The last moment.
    pub until: Option<Timestamp>,
}

impl Validity {
    /// Open at both ends.
    pub const ALWAYS: Validity = Validity { from: None, until: None };

    /// Whether `now` lies within.
    // [TRUST-05]
    #[must_use]
    pub fn includes(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now <= until)
    }
}

/// A signer of the package at hand whom the store trusts now. Only [`TrustStore::evaluate_signers`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSigner {
    publisher: String,
    key_id: KeyId,
    namespaces: BTreeSet<String>,
}

impl TrustedSigner {
    /// The publisher's name in this store.
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// The key that signed.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Whether one of the publisher's namespaces covers the package id.
    #[must_use]
    pub fn may_publish(&self, id: &str) -> bool {
        self.namespaces.iter().any(|namespace| covers(namespace, id))
    }
}

/// Whether `namespace` covers `id`: it is `*`, or `id` itself, or its beginning up to a dot.
// [TRUST-06]
#[must_use]
pub fn covers(namespace: &str, id: &str) -> bool {
    match id.strip_prefix(namespace) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => namespace == "*",
    }
}

impl TrustStore {
    /// A store that trusts nobody.
    pub fn empty() -> Self {
        TrustStore::default()
    }

    /// Adds the highest versions that another store knows: the marks only rise.
    // [TRUST-19]
    pub fn add_versions(&mut self, other: TrustStore) {
        other.versions.into_values().for_each(|seen| self.raise_version(seen));
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

    /// Writes the JSON form: the same store, the same bytes.
    pub fn to_json(&self) -> String {
        document::print(self)
    }

    /// Check 5: who of the package's signers is trusted now, in the order given.
    ///
    /// `signers_required` counts publishers, not keys: an author and an approver are two parties. 0 is
    /// read as 1. A signer whom the store does not know adds nothing and takes nothing away.
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
            let held = |(_, key): &(&Publisher, &PublisherKey)| key.key_id == *key_id;
            let Some((publisher, key)) = self.keys().find(held) else { continue };
            // [TRUST-10]
            let (name, validity) = (&publisher.name, key.validity());
            if !validity.includes(now) {
                let span = span(&validity);
                let detail = format!("key {key_id} of {name:?} counts {span}; now is {now}");
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
            let detail = format!("no trusted publisher holds the key {}", ids.join(" or "));
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

    /// Enters a key. A publisher of that name is extended: the namespaces are joined to those it has,
    /// and a key that it already holds gets the new validity.
    ///
    /// # Errors
    /// `trust.invalid` for a name, namespace or span that `spec/trust.md` does not allow, a name that
    /// differs from another only in case, or a key that another publisher holds;
    /// `publisher.key_revoked`.
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
            Publisher { name: name.to_owned(), namespaces: BTreeSet::new(), keys: BTreeMap::new() }
        });
        if publisher.name != name {
            let twin = &publisher.name;
            return Err(invalid(&format!("publisher {name:?} could be taken for {twin:?}")));
        }
        publisher.namespaces.extend(namespaces.iter().map(|namespace| (*namespace).to_owned()));
        let key = PublisherKey { key_id: key_id.clone(), public_key: key, valid_from, valid_until };
        publisher.keys.insert(key_id, key);
        // What a store can be is said in one place: where it is read.
        *self = TrustStore::from_json(new.to_json().as_bytes())?;
        Ok(())
    }

    /// Revokes a key, known or not, for good. A second time changes nothing.
    ///
    /// # Errors
    /// `trust.invalid` for a reason that is empty, too long or holds control characters.
    // [TRUST-13]
    pub fn revoke_key(&mut self, key_id: KeyId, at: Timestamp, reason: &str) -> Result<(), Error> {
        let reason = checked_reason(reason)?;
        let entry = RevokedKey { key_id: key_id.clone(), revoked_at: at, reason };
        self.revoked_keys.entry(key_id).or_insert(entry);
        Ok(())
    }

    /// Revokes one content, whoever signed it, for good. A second time changes nothing.
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

    /// Remembers that this version of a package was accepted. The mark only rises.
    ///
    /// # Errors
    /// `trust.invalid` for what can be no package id.
    // [TRUST-14]
    pub fn record_version(&mut self, id: &str, version: &Version) -> Result<(), Error> {
        if !names::is_id(id) {
            return Err(invalid(&format!("{id:?} is not a package id")));
        }
        self.raise_version(SeenVersion { id: id.to_owned(), version: version.clone() });
        Ok(())
    }

    /// Sets the mark of a package to a lower version, since a person said so.
    ///
    /// # Errors
    /// As [`TrustStore::record_version`].
    pub fn reset_version(&mut self, id: &str, version: &Version) -> Result<(), Error> {
        self.versions.remove(id);
        self.record_version(id, version)
    }

    /// The highest version that was accepted so far: a lower one is a rollback.
    pub fn highest_version_seen(&self, id: &str) -> Option<Version> {
        self.versions.get(id).map(|seen| seen.version.clone())
    }

    /// Publishers, by name.
    pub fn publishers(&self) -> impl Iterator<Item = &Publisher> {
        self.publishers.values()
    }

    /// Keys with their publishers: by publisher, and then by id.
    pub fn keys(&self) -> impl Iterator<Item = (&Publisher, &PublisherKey)> {
        self.publishers().flat_map(|of| of.keys.values().map(move |key| (of, key)))
    }

    /// Revoked keys, in ascending order of their ids.
    pub fn revoked_keys(&self) -> impl Iterator<Item = &RevokedKey> {
        self.revoked_keys.values()
    }

    /// Revoked contents, in ascending order.
    pub fn revoked_contents(&self) -> impl Iterator<Item = &RevokedContent> {
        self.revoked_contents.values()
    }

    /// A digest that differs whenever the store's content does. A verification result may be kept
    /// under content hash and this.
    // [TRUST-15]
    pub fn revision(&self) -> String {
        sha256_hex(self.to_json().as_bytes())
    }
}

impl PublisherKey {
    /// When its signatures count.
    pub fn validity(&self) -> Validity {
        Validity { from: self.valid_from, until: self.valid_until }
    }
}

// [TRUST-13]
fn checked_reason(reason: &str) -> Result<String, Error> {
    match is_visible_line(reason) {
        true => Ok(reason.to_owned()),
        false => Err(invalid("a revocation needs a reason on one line")),
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
    Error::new(code, format!("{what} was revoked on {revoked_at}: {reason}"))
}

fn span(validity: &Validity) -> String {
    let end = |word: &str, end: Option<Timestamp>| end.map(|end| format!("{word} {end}"));
    let ends = [end("from", validity.from), end("until", validity.until)];
    ends.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
