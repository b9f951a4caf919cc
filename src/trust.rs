//! Room: the trust store: whose signatures count, for which package ids, and until when.
//!
//! It holds publishers with their keys and namespaces, revoked keys, revoked contents, and the highest
//! version seen of each package. The Gatekeeper asks it in check 5 ([`TrustStore::judge`]) and check 6
//! ([`TrustedSigner::may_publish`], [`TrustStore::version_seen`]). `spec/trust.md` is its page.

mod file;
pub(crate) mod latest;
#[cfg(test)]
mod tests;

use crate::encoding::sha256_hex;
use crate::error::{Code, Error};
use crate::home;
use crate::limits::TRUST_FILE_BYTES_MAX;
use crate::names;
use crate::package::key::{KeyId, PublicKey};
use crate::package::listing::ContentHash;
use crate::package::version::Version;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The store's name in the host's folder.
pub const FILE_NAME: &str = "trust.json";
/// The host's own notes of the highest versions seen: a store with nothing else in it.
pub const SEEN_FILE_NAME: &str = "seen.json";

/// Everything this host knows about publishers.
///
/// ```
/// use mpp::package::{key::SecretKey, listing::ContentHash};
/// use mpp::{trust::{TrustStore, Validity}, Code, Timestamp};
/// let key = SecretKey::generate().public();
/// let content = ContentHash::of_listing("");
/// let now = Timestamp::now();
/// let mut store = TrustStore::empty();
/// assert_eq!(store.judge(&[key.id()], &content, now, 1).unwrap_err().code(), Code::PublisherUnknown);
/// store.add_publisher("Acme", key, &["org.acme"], Validity::ALWAYS)?;
/// let signers = store.judge(&[key.id()], &content, now, 1)?;
/// assert!(signers[0].may_publish("org.acme.weather") && !signers[0].may_publish("org.acmecorp"));
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustStore {
    /// Namespaces of each publisher, by the name that this host gave it.
    publishers: BTreeMap<String, BTreeSet<String>>,
    /// By id, so that a key can have but one holder.
    keys: BTreeMap<KeyId, PublisherKey>,
    revoked_keys: BTreeMap<KeyId, Revocation>,
    revoked_contents: BTreeMap<ContentHash, Revocation>,
    versions: BTreeMap<String, Version>,
}

/// One key of a publisher, who may have several at once: so a key is replaced without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherKey {
    /// The name of its holder.
    pub publisher: String,
    /// The key.
    pub public_key: PublicKey,
    /// When its signatures count.
    pub validity: Validity,
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

/// When and why a key or a content was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When it was entered here. A revocation counts from then on for every package, old or new.
    pub revoked_at: Timestamp,
    /// For the person who meets the refusal.
    pub reason: String,
}

/// A signer of the package at hand whom the store trusts now. Only [`TrustStore::judge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSigner {
    publisher: String,
    key_id: KeyId,
    namespaces: BTreeSet<String>,
}

impl TrustedSigner {
    /// The publisher's name in this store.
    #[must_use]
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// The key that signed.
    #[must_use]
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
    #[must_use]
    pub fn empty() -> Self {
        TrustStore::default()
    }

    /// [`FILE_NAME`] in [`home::home_dir`].
    ///
    /// # Errors
    /// `host.file`.
    pub fn default_path() -> Result<PathBuf, Error> {
        Ok(home::home_dir()?.join(FILE_NAME))
    }

    /// Reads the store, and adds the highest versions that this host noted in a file beside it. Two
    /// files, since what people decide may lie where the runtime can't write.
    ///
    /// # Errors
    /// As [`TrustStore::load`].
    // [TRUST-19]
    pub fn load_with_versions(path: &Path, seen: &Path) -> Result<Self, Error> {
        let mut store = TrustStore::load(path)?;
        store.add_versions(TrustStore::load(seen)?)?;
        Ok(store)
    }

    fn add_versions(&mut self, seen: TrustStore) -> Result<(), Error> {
        for (id, version) in seen.versions {
            self.note_version(&id, &version)?;
        }
        Ok(())
    }

    /// Reads the store; a file that is not there is an empty store.
    ///
    /// # Errors
    /// `host.file`, `trust.invalid`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        TrustStore::of_file(home::read_file(path, TRUST_FILE_BYTES_MAX)?, path)
    }

    /// The only way to change a store on the disk: locks it against other processes, reads it, lets
    /// `edit` change it, and replaces it in one step if it did change.
    ///
    /// # Errors
    /// As [`TrustStore::load`], and whatever `edit` gives, in which case nothing is written.
    pub fn update<T>(
        path: &Path,
        edit: impl FnOnce(&mut TrustStore) -> Result<T, Error>,
    ) -> Result<T, Error> {
        home::edit_file(path, TRUST_FILE_BYTES_MAX, |old| {
            let old = TrustStore::of_file(old, path)?;
            let mut new = old.clone();
            let result = edit(&mut new)?;
            let text = (new != old).then(|| new.to_json());
            if text.as_ref().is_some_and(|text| text.len() > TRUST_FILE_BYTES_MAX) {
                return Err(invalid("the store would grow past its limit"));
            }
            Ok((text.map(String::into_bytes), result))
        })
    }

    fn of_file(bytes: Option<Vec<u8>>, path: &Path) -> Result<Self, Error> {
        let Some(bytes) = bytes else { return Ok(TrustStore::empty()) };
        TrustStore::from_json(&bytes).map_err(|error| {
            Error::new(error.code(), format!("{}: {}", path.display(), error.detail()))
        })
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
    pub fn judge(
        &self,
        signers: &[KeyId],
        content_hash: &ContentHash,
        now: Timestamp,
        signers_required: usize,
    ) -> Result<Vec<TrustedSigner>, Error> {
        // [TRUST-08]
        if let Some(revocation) = self.revoked_contents.get(content_hash) {
            return Err(revoked(Code::PublisherContent, content_hash.as_str(), revocation));
        }
        // [TRUST-09]
        for key_id in signers {
            if let Some(revocation) = self.revoked_keys.get(key_id) {
                return Err(revoked(Code::PublisherKeyRevoked, key_id.as_str(), revocation));
            }
        }
        let mut trusted: Vec<TrustedSigner> = Vec::new();
        for key_id in signers {
            let Some(PublisherKey { publisher, validity, .. }) = self.keys.get(key_id) else {
                continue;
            };
            // [TRUST-10]
            if !validity.includes(now) {
                let span = span(validity);
                let detail = format!("key {key_id} of {publisher:?} counts {span}; now is {now}");
                return Err(Error::new(Code::PublisherValidity, detail));
            }
            trusted.push(TrustedSigner {
                publisher: publisher.clone(),
                key_id: key_id.clone(),
                namespaces: self.publishers.get(publisher).cloned().unwrap_or_default(),
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
        let key_id = key.id();
        // [TRUST-02]
        if !names::is_visible_line(name) || !name.is_ascii() {
            return Err(invalid(&format!(
                "publisher name {name:?} is not plain ASCII on one line"
            )));
        }
        let twin = self.publishers.keys().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(twin) = twin.filter(|twin| *twin != name) {
            return Err(invalid(&format!("publisher {name:?} could be taken for {twin:?}")));
        }
        // [TRUST-03]
        if let Some(namespace) = namespaces.iter().find(|namespace| !names::is_namespace(namespace))
        {
            let what = "`*` or lower-case labels joined by dots";
            return Err(invalid(&format!("namespace {namespace:?} is not {what}")));
        }
        // [TRUST-04]
        if let Some(known) = self.keys.get(&key_id).filter(|known| known.publisher != name) {
            return Err(invalid(&format!("key {key_id} belongs to {:?}", known.publisher)));
        }
        if matches!((validity.from, validity.until), (Some(from), Some(until)) if until < from) {
            return Err(invalid(&format!("the validity of key {key_id} ends before it begins")));
        }
        if let Some(revocation) = self.revoked_keys.get(&key_id) {
            return Err(revoked(Code::PublisherKeyRevoked, key_id.as_str(), revocation));
        }
        let known = self.publishers.entry(name.to_owned()).or_default();
        known.extend(namespaces.iter().map(|namespace| (*namespace).to_owned()));
        let publisher = name.to_owned();
        self.keys.insert(key_id, PublisherKey { publisher, public_key: key, validity });
        Ok(())
    }

    /// Revokes a key, known or not, for good. A second time changes nothing.
    ///
    /// # Errors
    /// `trust.invalid` for a reason that is empty, too long or holds control characters.
    // [TRUST-13]
    pub fn revoke_key(&mut self, key_id: KeyId, at: Timestamp, reason: &str) -> Result<(), Error> {
        let revocation = Revocation::new(at, reason)?;
        self.revoked_keys.entry(key_id).or_insert(revocation);
        Ok(())
    }

    /// Revokes one content, whoever signed it, for good. A second time changes nothing.
    ///
    /// # Errors
    /// As [`TrustStore::revoke_key`].
    // [TRUST-13]
    pub fn revoke_content(
        &mut self,
        content_hash: ContentHash,
        at: Timestamp,
        reason: &str,
    ) -> Result<(), Error> {
        let revocation = Revocation::new(at, reason)?;
        self.revoked_contents.entry(content_hash).or_insert(revocation);
        Ok(())
    }

    /// Remembers that this version of a package was accepted. The mark only rises.
    ///
    /// # Errors
    /// `trust.invalid` for what can be no package id.
    // [TRUST-14]
    pub fn note_version(&mut self, id: &str, version: &Version) -> Result<(), Error> {
        if !names::is_id(id) {
            return Err(invalid(&format!("{id:?} is not a package id")));
        }
        if self.version_seen(id).is_none_or(|seen| seen < *version) {
            self.versions.insert(id.to_owned(), version.clone());
        }
        Ok(())
    }

    /// Sets the mark of a package to a lower version, since a person said so.
    ///
    /// # Errors
    /// As [`TrustStore::note_version`].
    pub fn lower_version(&mut self, id: &str, version: &Version) -> Result<(), Error> {
        self.versions.remove(id);
        self.note_version(id, version)
    }

    /// The highest version that was accepted so far: a lower one is a rollback.
    #[must_use]
    pub fn version_seen(&self, id: &str) -> Option<Version> {
        self.versions.get(id).cloned()
    }

    /// Publishers and their namespaces, by name in ascending order.
    pub fn publishers(&self) -> impl Iterator<Item = (&String, &BTreeSet<String>)> {
        self.publishers.iter()
    }

    /// Keys, in ascending order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyId, &PublisherKey)> {
        self.keys.iter()
    }

    /// Revoked keys, in ascending order.
    pub fn revoked_keys(&self) -> impl Iterator<Item = (&KeyId, &Revocation)> {
        self.revoked_keys.iter()
    }

    /// Revoked contents, in ascending order.
    pub fn revoked_contents(&self) -> impl Iterator<Item = (&ContentHash, &Revocation)> {
        self.revoked_contents.iter()
    }

    /// A digest that differs whenever the store's content does. A verification result may be kept
    /// under content hash and this.
    // [TRUST-15]
    #[must_use]
    pub fn revision(&self) -> String {
        sha256_hex(self.to_json().as_bytes())
    }
}

impl Revocation {
    fn new(revoked_at: Timestamp, reason: &str) -> Result<Self, Error> {
        match names::is_visible_line(reason) {
            true => Ok(Revocation { revoked_at, reason: reason.to_owned() }),
            false => Err(invalid("a revocation needs a reason on one line")),
        }
    }
}

fn invalid(detail: &str) -> Error {
    Error::new(Code::TrustInvalid, detail)
}

fn revoked(code: Code, what: &str, revocation: &Revocation) -> Error {
    let Revocation { revoked_at, reason } = revocation;
    Error::new(code, format!("{what} was revoked on {revoked_at}: {reason}"))
}

fn span(validity: &Validity) -> String {
    let end = |word: &str, end: Option<Timestamp>| end.map(|end| format!("{word} {end}"));
    let ends = [end("from", validity.from), end("until", validity.until)];
    ends.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
