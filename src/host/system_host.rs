//! `Host` implementation for one call on this computer: connects the kernel to trust store, log and approvals.

use crate::host::approvals::Approvals;
use crate::host::approver::Approver;
use crate::host::budgets::{Budgets, Draw};
use crate::host::clock::{CancelFlag, SystemClock};
use crate::host::host_key;
use crate::host::log::{AuditLog, RunningCall};
use crate::host::sandbox::{SandboxHost, WasmSandbox};
use crate::host::secrets::SecretStore;
use crate::host::trust::{TrustCache, FILE_NAME, SEEN_FILE_NAME};
use crate::kernel::audit::{Entry, LogKey};
use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::directory::Directory;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::AttestationResult;
use crate::kernel::host::{Host, InstalledPackage, Reservation, ResourceNeeds};
use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::PublicKey;
use crate::kernel::package::version::Version;
use crate::kernel::sandbox::Changes;
use crate::kernel::secrets::SecretValue;
use crate::kernel::storage::StorageBackend;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::TrustStore;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What all calls of a runtime share.
#[derive(Debug)]
pub(super) struct HostState {
    pub(super) trust_path: PathBuf,
    /// Highest versions seen: a separate file, since the trust store can be read-only.
    seen_path: PathBuf,
    trust: TrustCache,
    pub(super) log: AuditLog,
    pub(super) home: PathBuf,
    pub(super) secrets: Arc<dyn SecretStore>,
    pub(super) sandbox: WasmSandbox,
    budgets: Arc<Budgets>,
}

impl HostState {
    /// Opens the files of a home directory.
    pub(super) fn open(
        home: &Path,
        secrets: Arc<dyn SecretStore>,
        sandbox: WasmSandbox,
        budgets: Budgets,
    ) -> Result<Self, Error> {
        Ok(HostState {
            trust_path: home.join(FILE_NAME),
            seen_path: home.join(SEEN_FILE_NAME),
            trust: TrustCache::default(),
            log: AuditLog::open(&home.join("audit"))?,
            home: home.to_owned(),
            secrets,
            sandbox,
            budgets: Arc::new(budgets),
        })
    }

    pub(super) fn trust_store(&self) -> Result<TrustStore, Error> {
        self.trust.load(&self.trust_path, &self.seen_path)
    }
}

/// Provides installed packages: a `store::PackageStore`, or an embedder's implementation.
///
/// ```
/// use mpp::package::content_hash::ContentHash;
/// use mpp::runtime::PackageSource;
/// use mpp::{Code, Error};
///
/// /// A source of one package.
/// struct Only(ContentHash, Vec<u8>);
///
/// impl PackageSource for Only {
///     fn check(&self, content_hash: &ContentHash) -> Result<(), Error> {
///         let other = || Error::new(Code::StoreNotInstalled, content_hash.to_string());
///         (*content_hash == self.0).then_some(()).ok_or_else(other)
///     }
///     fn read(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error> {
///         self.check(content_hash).map(|()| self.1.clone())
///     }
/// }
/// # let only = Only(ContentHash::from_checksum_list(""), Vec::new());
/// # assert!(only.check(&ContentHash::from_checksum_list("x")).is_err());
/// ```
pub trait PackageSource {
    /// Checks that a package with exactly these contents is installed.
    ///
    /// # Errors
    /// `store.not_installed` if it was removed or replaced; `host.file`, `store.invalid`.
    fn check(&self, content_hash: &ContentHash) -> Result<(), Error>;

    /// Reads the bytes of an installed package, which the caller verifies.
    ///
    /// # Errors
    /// `host.file` if the file is missing.
    fn read(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error>;
}

/// The host of one call.
pub(super) struct CallHost<'a> {
    state: &'a HostState,
    /// The source of installed packages, for a call of one.
    store: Option<&'a dyn PackageSource>,
    approver: &'a dyn Approver,
    /// The host of the sandbox stage: what a guest can reach.
    sandbox: SandboxHost<'a>,
    cancel: &'a CancelFlag,
    /// Set while this call verifies a package.
    verification: Mutex<Option<Draw>>,
    /// Set from the intent record to the outcome record.
    running: Mutex<Option<RunningCall>>,
}

impl<'a> CallHost<'a> {
    pub(super) fn new(
        state: &'a HostState,
        store: Option<&'a dyn PackageSource>,
        approver: &'a dyn Approver,
        cancel: &'a CancelFlag,
    ) -> Self {
        let sandbox = state.sandbox.host(cancel);
        let (verification, running) = Default::default();
        CallHost { state, store, approver, sandbox, cancel, verification, running }
    }

    fn store(&self) -> Result<&dyn PackageSource, Error> {
        self.store.ok_or_else(|| Error::new(Code::StoreNotInstalled, "the call has no store"))
    }
}

impl SystemClock for CallHost<'_> {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        Some(self.cancel)
    }
}

impl Host for CallHost<'_> {
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        self.sandbox.random(bytes)
    }

    fn trust(&self) -> Result<TrustStore, Error> {
        self.state.trust_store()
    }

    fn record_version(&self, id: &str, version: &Version) -> Result<(), Error> {
        TrustStore::update(&self.state.seen_path, |seen| seen.record_version(id, version))
    }

    fn check_installed(&self, content_hash: &ContentHash) -> Result<(), Error> {
        self.store()?.check(content_hash)
    }

    fn package(&self, content_hash: &ContentHash) -> Result<InstalledPackage, Error> {
        let budgets = &self.state.budgets;
        if let Some(found) = budgets.verified(content_hash) {
            return Ok(InstalledPackage::Verified(found));
        }
        let alone = budgets.verify_alone(self.cancel)?;
        // Another call may have verified it since.
        if let Some(found) = budgets.verified(content_hash) {
            return Ok(InstalledPackage::Verified(found));
        }
        *self.verification.lock().unwrap_or_else(PoisonError::into_inner) = Some(alone);
        self.store()?.read(content_hash).map(InstalledPackage::Archive)
    }

    fn keep_verified(&self, found: &AttestationResult) -> Result<(), Error> {
        let kept = self.state.budgets.keep(found, self.cancel);
        self.verification.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept
    }

    fn reserve(&self, needs: &ResourceNeeds) -> Result<Reservation, Error> {
        Ok(Arc::new(self.state.budgets.draw(needs, self.cancel)?))
    }

    fn request_approval(&self, request: &ApprovalRequest) -> ApprovalDecision {
        self.approver.request_approval(request)
    }

    fn remembered_approval(&self, request: &ApprovalRequest) -> Result<Option<String>, Error> {
        Approvals::new(&self.state.home).find(request)
    }

    fn remember_approval(
        &self,
        request: &ApprovalRequest,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        Approvals::new(&self.state.home).add(request, by, at)
    }

    fn consent_key(&self) -> Result<PublicKey, Error> {
        host_key::public_key(&self.state.home)
    }

    fn consume_nonce(
        &self,
        nonce: &[u8; 16],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        host_key::consume_nonce(&self.state.home, nonce, expires, now)
    }

    fn approve_changes(&self, changes: &Changes) -> bool {
        self.approver.approve_changes(changes)
    }

    fn show_stderr(&self, filtered: &mut dyn FnMut() -> String) {
        self.approver.show_stderr(filtered);
    }

    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.state.secrets.value(name)
    }

    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        self.sandbox.directory(name)
    }

    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        self.sandbox.storage()
    }

    fn resolve(&self, name: &str, timeout: Duration) -> Result<Vec<IpAddr>, TransportError> {
        self.sandbox.resolve(name, timeout)
    }

    fn exchange(&self, exchange: &Exchange) -> Result<HttpResponse, TransportError> {
        self.sandbox.exchange(exchange)
    }

    fn log_key(&self) -> Result<LogKey, Error> {
        Ok(self.state.log.key().clone())
    }

    fn append(&self, entry: &Entry, now: Timestamp) -> Result<u64, Error> {
        let (number, started) = self.state.log.append(entry, now)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match (entry, running.take()) {
            (Entry::Outcome(..), Some(call)) => call.end(),
            (_, still) => *running = started.or(still),
        }
        Ok(number)
    }
}
