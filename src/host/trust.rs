//! The trust store and the policy in files of this host.

use crate::host::home;
use crate::host::json_file;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::TRUST_FILE_BYTES_MAX;
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::trust::TrustStore;
use std::path::{absolute, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The store's name in the host's folder.
pub const FILE_NAME: &str = "trust.json";
/// The host's own notes of the highest versions seen: a store with nothing else in it.
pub const SEEN_FILE_NAME: &str = "seen.json";

impl TrustStore {
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
        TrustCache::default().load(path, seen)
    }

    /// Reads the store; a file that is not there is an empty store.
    ///
    /// # Errors
    /// `host.file`, `trust.invalid`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Ok(json_file::load(path)?.unwrap_or_default())
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
        json_file::edit(path, edit)
    }
}

/// A trust store as its files have it now, parsed again only if they have changed: each key in it costs a
/// multiplication on the curve, and each call looks several times.
#[derive(Debug, Default)]
pub(crate) struct TrustCache(Mutex<Option<CachedTrust>>);

#[derive(Debug)]
struct CachedTrust {
    /// All that the store was made of; dates and lengths of files could deceive.
    bytes: [Option<Vec<u8>>; 2],
    store: TrustStore,
}

impl TrustCache {
    /// As [`TrustStore::load_with_versions`]; the two files are always the same ones.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load(&self, path: &Path, seen: &Path) -> Result<TrustStore, Error> {
        let read = |path| home::read_file(path, TRUST_FILE_BYTES_MAX);
        let bytes = [read(path)?, read(seen)?];
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = held.as_ref().filter(|found| found.bytes == bytes) {
            return Ok(found.store.clone());
        }
        let [trusted, versions] = bytes.clone();
        let mut store: TrustStore = json_file::parse(trusted, path)?.unwrap_or_default();
        let seen: TrustStore = json_file::parse(versions, seen)?.unwrap_or_default();
        store.add_versions(seen);
        *held = Some(CachedTrust { bytes, store: store.clone() });
        Ok(store)
    }
}

impl PermissionPolicy {
    /// Reads a policy file. Unlike a trust store it has to be there: a policy that is missing by
    /// accident would be one without its deny rules.
    ///
    /// # Errors
    /// `host.file`, `policy.invalid`.
    // [POLICY-09]
    pub fn load(path: &Path) -> Result<Self, Error> {
        let absent = || Error::new(Code::HostFile, format!("{}: no such file", path.display()));
        let policy: PermissionPolicy = json_file::load(path)?.ok_or_else(absent)?;
        // Absolute, since the process may change its folder, and the file stays protected.
        let file = absolute(path).unwrap_or_else(|_| path.to_owned());
        let file = file.to_str().ok_or_else(|| {
            Error::new(Code::HostFile, format!("{}: a path that is no text", path.display()))
        })?;
        Ok(policy.from_file(file))
    }
}
