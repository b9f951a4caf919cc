//! Pipeline stages at the current time: `verify_file`, `evaluate` and `confirm` with the system's clock and files.

use crate::host::clock::{elapsed, SystemClock};
use crate::host::files::{self, Links};
use crate::host::home::home_dir;
use crate::host::secrets::SecretStore;
use crate::host::trust;
use crate::kernel::agent::Agent;
use crate::kernel::error::Error;
use crate::kernel::gatekeeper::{AttestationResult, Gatekeeper, VerifiedManifest};
use crate::kernel::host::Host;
use crate::kernel::limits;
use crate::kernel::package::manifest::Tool;
use crate::kernel::policy::token::{CapabilityToken, ResolvedToken};
use crate::kernel::policy::{PermissionPolicy, PolicyDecision};
use crate::kernel::secrets::SecretValue;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::TrustStore;
use std::path::{Path, PathBuf};

impl Gatekeeper {
    /// Verifies a package file now, against the trust store of this user (`trust.json` in `MPP_HOME`,
    /// by default `~/.mpp`).
    ///
    /// # Errors
    /// The code of the check that failed; `host.file`; `trust.invalid`.
    pub fn verify_file(path: &Path) -> Result<AttestationResult, Error> {
        let home = home_dir()?;
        let (trust, seen) = (home.join(trust::FILE_NAME), home.join(trust::SEEN_FILE_NAME));
        let trust = TrustStore::load_with_versions(&trust, &seen)?;
        Gatekeeper::new(trust, Timestamp::now()).verify(&read_package(path)?)
    }
}

impl PermissionPolicy {
    /// Maps a directory of this host to a guest path, for every package that requests exactly that path. The
    /// last mapping of a path counts. A path that is not UTF-8 names no directory.
    pub fn map_directory(self, guest: impl Into<String>, host: impl Into<PathBuf>) -> Self {
        self.map(guest, host.into().to_string_lossy())
    }

    /// Decides on a package now: [`PermissionPolicy::decide`].
    pub fn evaluate(&self, manifest: &VerifiedManifest) -> PolicyDecision {
        self.decide(manifest, elapsed())
    }

    /// Decides on a call now: [`PermissionPolicy::decide_call`].
    pub fn evaluate_call(
        &self,
        manifest: &VerifiedManifest,
        tool: &Tool,
        agent: Option<&Agent>,
    ) -> PolicyDecision {
        self.decide_call(manifest, tool, agent, elapsed())
    }

    /// Returns the token for a package that a person approved now: [`PermissionPolicy::confirm_at`].
    ///
    /// # Errors
    /// As [`PermissionPolicy::confirm_at`].
    pub fn confirm(
        &self,
        manifest: &VerifiedManifest,
        approved_by: &str,
    ) -> Result<CapabilityToken, Error> {
        self.confirm_at(manifest, approved_by, elapsed())
    }
}

impl CapabilityToken {
    /// Resolves the token's secrets from a store: [`CapabilityToken::resolve_secrets`].
    ///
    /// # Errors
    /// As [`CapabilityToken::resolve_secrets`].
    pub fn resolve_from(self, store: &dyn SecretStore) -> Result<ResolvedToken, Error> {
        self.resolve_secrets(&Secrets(store))
    }

    /// Returns `true` if the token has expired.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.is_expired_at(elapsed())
    }
}

/// A host that provides secrets only.
struct Secrets<'a>(&'a dyn SecretStore);

impl SystemClock for Secrets<'_> {}

impl Host for Secrets<'_> {
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.0.value(name)
    }
}

/// Reads a package file, up to the size limit of packages.
///
/// # Errors
/// `host.file`; `archive.too_large`.
pub fn read_package(path: &Path) -> Result<Vec<u8>, Error> {
    // One byte more than the limit, so that check 1 refuses a longer file.
    files::read(path, Links::Followed, limits::ARCHIVE_BYTES_MAX).map_err(files::file_error(path))
}
