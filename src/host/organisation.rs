//! The administrator's directory: the root that binds this computer to an organisation, and its bundle.
//!
//! No variable, option or home replaces it. Without `organisation.json` there, nothing is bound.

use crate::host::files::{self, file_error, optional, Links};
use crate::kernel::bundle::{Bundle, Root, SignedBundle};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::BUNDLE_BYTES_MAX;
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::TrustStore;
use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The administrator's directory. A constant, since a user can change variables.
// [ORG-07]
pub const DIRECTORY: &str = if cfg!(windows) {
    r"C:\ProgramData\mpp"
} else if cfg!(target_os = "macos") {
    "/Library/Application Support/mpp"
} else {
    "/etc/mpp"
};
/// The file with the root, which an administrator writes.
pub const ROOT_FILE: &str = "organisation.json";
/// The bundle in force, which `mpp bundle import` writes.
pub const BUNDLE_FILE: &str = "bundle.json";

/// What binds this computer: the bundle in force.
#[derive(Clone, Debug)]
pub struct Organisation {
    bytes: [Vec<u8>; 2],
    bundle: Arc<Bundle>,
}

/// The last one that was read, since each key in it costs a multiplication on the curve.
static CACHE: Mutex<Option<Organisation>> = Mutex::new(None);

impl Organisation {
    /// Returns the organisation of this computer; `None` if it is not bound.
    ///
    /// # Errors
    /// `organisation.invalid`, one of the `bundle.*` codes, `host.file`: then nothing is allowed.
    // [ORG-07] [ORG-08]
    pub fn of_this_computer() -> Result<Option<Self>, Error> {
        let directory = Path::new(DIRECTORY);
        let Some(root) = read(directory, ROOT_FILE)? else { return Ok(None) };
        let Some(bundle) = read(directory, BUNDLE_FILE)? else {
            let detail = format!("{} does not exist", directory.join(BUNDLE_FILE).display());
            return Err(Error::new(Code::BundleMissing, detail));
        };
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = [root, bundle];
        if let Some(found) = cache.as_ref().filter(|cached| cached.bytes == bytes) {
            found.bundle.check_time(Timestamp::now())?;
            return Ok(Some(found.clone()));
        }
        let [root, bundle] = &bytes;
        let bundle =
            Root::from_json(root)?.open(&SignedBundle::from_json(bundle)?, Timestamp::now())?;
        let found = Organisation { bytes, bundle: Arc::new(bundle) };
        *cache = Some(found.clone());
        Ok(Some(found))
    }

    /// Returns the bundle in force.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }
}

/// Returns the trust store that counts here: the organisation's, narrowed by this one.
///
/// # Errors
/// As [`Organisation::of_this_computer`].
// [ORG-09]
pub(crate) fn bind_trust(local: TrustStore) -> Result<TrustStore, Error> {
    Ok(match Organisation::of_this_computer()? {
        Some(organisation) => organisation.bundle.trust.narrowed_by(local),
        None => local,
    })
}

/// Returns the policy that counts here: this one, or the organisation's, narrowed by this one.
///
/// # Errors
/// As [`Organisation::of_this_computer`]; `policy.wider`.
// [ORG-06]
pub(crate) fn bind_policy(local: &PermissionPolicy) -> Result<Cow<'_, PermissionPolicy>, Error> {
    match Organisation::of_this_computer()? {
        Some(organisation) => organisation.bundle.policy.narrowed_by(local).map(Cow::Owned),
        None => Ok(Cow::Borrowed(local)),
    }
}

/// As [`bind_policy`]; what cannot be read denies every package.
// [ORG-08]
pub(crate) fn policy_now(local: &PermissionPolicy) -> Cow<'_, PermissionPolicy> {
    bind_policy(local).unwrap_or_else(|_| Cow::Owned(PermissionPolicy::new().deny_all()))
}

/// Reads a file of the directory. Neither may be another user's to change.
// [ORG-07]
fn read(directory: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let path = directory.join(name);
    for path in [directory, &path] {
        let found = optional(fs::symlink_metadata(path)).map_err(file_error(path))?;
        let Some(found) = found else { return Ok(None) };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            if found.uid() != 0 || found.mode() & 0o022 != 0 || found.is_symlink() {
                let what = "does not belong to root alone: run `chown root` and `chmod go-w` on it";
                let detail = format!("{} {what}", path.display());
                return Err(Error::new(Code::OrganisationInvalid, detail));
            }
        }
        let _ = found;
    }
    optional(files::read(&path, Links::Refused, BUNDLE_BYTES_MAX)).map_err(file_error(&path))
}

/// Replaces the bundle in force, and the root if the bundle has another. Only an
/// administrator can write there.
///
/// # Errors
/// `organisation.invalid` if this computer is not bound; one of the `bundle.*` codes; `host.file`.
// [ORG-10]
pub fn import(signed: &SignedBundle) -> Result<Bundle, Error> {
    let directory = Path::new(DIRECTORY);
    let Some(root) = read(directory, ROOT_FILE)? else {
        let detail =
            format!("{} does not exist: no organisation", directory.join(ROOT_FILE).display());
        return Err(Error::new(Code::OrganisationInvalid, detail));
    };
    let lock = directory.join("import.lock");
    let _lock = files::lock_file(&lock, &|| false).map_err(file_error(&lock))?;
    let root = Root::from_json(&root)?;
    let bundle = root.open(signed, Timestamp::now())?;
    if let Some(before) = read(directory, BUNDLE_FILE)? {
        bundle.check_follows(&SignedBundle::from_json(&before)?, signed)?;
    }
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        let written = files::replace(&path, text.as_bytes(), true);
        #[cfg(unix)]
        let written = written.and_then(|()| {
            // All users of this computer read it.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            fs::set_permissions(&path, mode)
        });
        written.map_err(file_error(&path))
    };
    if let Some(root) = &bundle.root {
        write(ROOT_FILE, &root.to_json())?;
    }
    write(BUNDLE_FILE, &signed.to_json())?;
    Ok(bundle)
}
