//! The names by which the public article calls the stages: the kernel's functions with this system's files and clocks.

use crate::host::clock::{elapsed, OnThisComputer};
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
    /// Verifies a package file against the trust store of this user (`trust.json` in `MPP_HOME`, by
    /// default `~/.mpp`), now.
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
    /// Puts a directory of this host behind a guest path, for every package that asks for exactly that path.
    /// The last mapping of a path counts. A path that is no text leads nowhere.
    pub fn map_directory(self, guest: impl Into<String>, host: impl Into<PathBuf>) -> Self {
        self.map(guest, host.into().to_string_lossy())
    }

    /// Decides about a package now: [`PermissionPolicy::decide`].
    pub fn evaluate(&self, manifest: &VerifiedManifest) -> PolicyDecision {
        self.decide(manifest, elapsed())
    }

    /// Decides about a call now: [`PermissionPolicy::decide_call`].
    pub fn evaluate_call(
        &self,
        manifest: &VerifiedManifest,
        tool: &Tool,
        agent: Option<&Agent>,
    ) -> PolicyDecision {
        self.decide_call(manifest, tool, agent, elapsed())
    }

    /// The token for a package that a person agreed to now: [`PermissionPolicy::confirm_at`].
    ///
    /// # Errors
    /// As there.
    pub fn confirm(
        &self,
        manifest: &VerifiedManifest,
        approved_by: &str,
    ) -> Result<CapabilityToken, Error> {
        self.confirm_at(manifest, approved_by, elapsed())
    }
}

impl CapabilityToken {
    /// Looks up its secrets in a store of this system: [`CapabilityToken::resolve`].
    ///
    /// # Errors
    /// As there.
    pub fn resolve_from(self, store: &dyn SecretStore) -> Result<ResolvedToken, Error> {
        self.resolve_secrets(&Secrets(store))
    }

    /// Whether its time is over now.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.is_expired_at(elapsed())
    }
}

/// A host that has secrets and nothing else.
struct Secrets<'a>(&'a dyn SecretStore);

impl OnThisComputer for Secrets<'_> {}

impl Host for Secrets<'_> {
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.0.value(name)
    }
}

/// Reads a package file, but no more of it than a package can have.
///
/// # Errors
/// `host.file`; `archive.too_large`.
pub fn read_package(path: &Path) -> Result<Vec<u8>, Error> {
    // One byte more than allowed, so that check 1 sees that it is too much.
    files::read(path, Links::Followed, limits::ARCHIVE_BYTES_MAX).map_err(files::failed(path))
}
