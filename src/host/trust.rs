//! Trust store and policy files: loading and updating them.

use crate::host::home;
use crate::host::json_file;
use crate::host::organisation;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::TRUST_FILE_BYTES_MAX;
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::trust::TrustStore;
use std::path::{absolute, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file name of the trust store in the home directory.
pub const FILE_NAME: &str = "trust.json";
/// The file name of the highest versions seen: a trust store with no other content.
pub const SEEN_FILE_NAME: &str = "seen.json";

impl TrustStore {
    /// Returns the path of [`FILE_NAME`] in [`home::home_dir`].
    ///
    /// # Errors
    /// `host.file`.
    pub fn default_path() -> Result<PathBuf, Error> {
        Ok(home::home_dir()?.join(FILE_NAME))
    }

    /// Reads the store, and adds the highest versions seen from a second file. The files are separate so that
    /// the store itself can be read-only for the runtime.
    ///
    /// # Errors
    /// As [`TrustStore::load`].
    // [TRUST-19]
    pub fn load_with_versions(path: &Path, seen: &Path) -> Result<Self, Error> {
        TrustCache::default().load(path, seen)
    }

    /// Reads the store; an absent file is an empty store.
    ///
    /// # Errors
    /// `host.file`, `trust.invalid`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        organisation::bind_trust(json_file::load(path)?.unwrap_or_default())
    }

    /// Updates a store: locks its file, reads it, lets `edit` change it, and replaces it atomically if it
    /// changed. Nothing else writes a trust store.
    ///
    /// # Errors
    /// As [`TrustStore::load`], and any error of `edit`. Then nothing is written.
    pub fn update<T>(
        path: &Path,
        edit: impl FnOnce(&mut TrustStore) -> Result<T, Error>,
    ) -> Result<T, Error> {
        json_file::edit(path, edit)
    }
}

/// A trust store that is parsed again only if its files have changed: each key costs a multiplication on the
/// curve, and each call loads the store several times.
#[derive(Debug, Default)]
pub(crate) struct TrustCache(Mutex<Option<CachedTrust>>);

#[derive(Debug)]
struct CachedTrust {
    /// The content of both files. Modification times and lengths would miss changes.
    bytes: [Option<Vec<u8>>; 2],
    store: TrustStore,
}

impl TrustCache {
    /// As [`TrustStore::load_with_versions`]; the two paths are the same in every call.
    ///
    /// # Errors
    /// As [`TrustStore::load`].
    pub(crate) fn load(&self, path: &Path, seen: &Path) -> Result<TrustStore, Error> {
        let read = |path| home::read_file(path, TRUST_FILE_BYTES_MAX);
        let bytes = [read(path)?, read(seen)?];
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cached.as_ref().filter(|found| found.bytes == bytes) {
            return organisation::bind_trust(found.store.clone());
        }
        let [trusted, versions] = bytes.clone();
        let mut store: TrustStore = json_file::parse(trusted, path)?.unwrap_or_default();
        let seen: TrustStore = json_file::parse(versions, seen)?.unwrap_or_default();
        store.add_versions(seen);
        *cached = Some(CachedTrust { bytes, store: store.clone() });
        organisation::bind_trust(store)
    }
}

impl PermissionPolicy {
    /// Reads a policy file. Unlike a trust store it must exist: a policy that is missing by accident would
    /// be one without its deny rules.
    ///
    /// # Errors
    /// `host.file`, `policy.invalid`.
    // [POLICY-09]
    pub fn load(path: &Path) -> Result<Self, Error> {
        let absent = || Error::new(Code::HostFile, format!("{}: no such file", path.display()));
        let policy: PermissionPolicy = json_file::load(path)?.ok_or_else(absent)?;
        // Absolute: the file stays protected if the process changes its current directory.
        let file = absolute(path).unwrap_or_else(|_| path.to_owned());
        let file = file.to_str().ok_or_else(|| {
            Error::new(Code::HostFile, format!("{}: path is not UTF-8", path.display()))
        })?;
        Ok(policy.from_file(file))
    }
}
