//! What one call gets from the ordinary computer.

use crate::host::approvals::Approvals;
use crate::host::approver::Approver;
use crate::host::clock::{CancelFlag, OnThisComputer};
use crate::host::host_key;
use crate::host::log::{AuditLog, RunningCall};
use crate::host::sandbox::{Stage, WasmSandbox};
use crate::host::secrets::SecretStore;
use crate::host::trust::{TrustCache, FILE_NAME, SEEN_FILE_NAME};
use crate::kernel::audit::{Entry, LogKey};
use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::directory::Directory;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::AttestationResult;
use crate::kernel::host::Host;
use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::PublicKey;
use crate::kernel::package::version::Version;
use crate::kernel::sandbox::Changes;
use crate::kernel::secrets::SecretValue;
use crate::kernel::storage::StorageBackend;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::TrustStore;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What this computer has for every call.
#[derive(Debug)]
pub(super) struct Computer {
    pub(super) trust_path: PathBuf,
    /// Highest versions seen: the host's own notes, apart from a trust store that may be read-only.
    seen_path: PathBuf,
    trust: TrustCache,
    pub(super) log: AuditLog,
    pub(super) home: PathBuf,
    pub(super) secrets: Arc<dyn SecretStore>,
    pub(super) sandbox: WasmSandbox,
    /// Installed packages that were verified in this process, compiled.
    verified: Mutex<BTreeMap<ContentHash, AttestationResult>>,
}

impl Computer {
    /// With the files of a home folder.
    pub(super) fn open(
        home: &Path,
        secrets: Arc<dyn SecretStore>,
        sandbox: WasmSandbox,
    ) -> Result<Self, Error> {
        Ok(Computer {
            trust_path: home.join(FILE_NAME),
            seen_path: home.join(SEEN_FILE_NAME),
            trust: TrustCache::default(),
            log: AuditLog::open(&home.join("audit"))?,
            home: home.to_owned(),
            secrets,
            sandbox,
            verified: Mutex::default(),
        })
    }

    pub(super) fn trust_store(&self) -> Result<TrustStore, Error> {
        self.trust.load(&self.trust_path, &self.seen_path)
    }
}

/// Where installed packages are: a `store::PackageStore`, or what an embedder has.
///
/// ```
/// use mpp::package::content_hash::ContentHash;
/// use mpp::runtime::PackageSource;
/// use mpp::{Code, Error};
///
/// /// One package, which stays.
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
    /// Finds that a package is installed with exactly these contents.
    ///
    /// # Errors
    /// `store.not_installed` if it was removed or replaced; `host.file`, `store.invalid`.
    fn check(&self, content_hash: &ContentHash) -> Result<(), Error>;

    /// The bytes of an installed package, to be verified.
    ///
    /// # Errors
    /// `host.file` if they are gone.
    fn read(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error>;
}

/// One call on this computer.
pub(super) struct System<'a> {
    computer: &'a Computer,
    /// Where installed packages are, if the call is of one.
    store: Option<&'a dyn PackageSource>,
    person: &'a dyn Approver,
    /// What a guest can reach.
    stage: Stage<'a>,
    /// From the intent to the outcome.
    running: Mutex<Option<RunningCall>>,
}

impl<'a> System<'a> {
    pub(super) fn new(
        computer: &'a Computer,
        store: Option<&'a dyn PackageSource>,
        person: &'a dyn Approver,
        cancel: &'a CancelFlag,
    ) -> Self {
        let stage = computer.sandbox.stage(cancel);
        System { computer, store, person, stage, running: Mutex::default() }
    }

    fn store(&self) -> Result<&dyn PackageSource, Error> {
        self.store.ok_or_else(|| Error::new(Code::StoreNotInstalled, "the call names no store"))
    }
}

impl OnThisComputer for System<'_> {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        self.stage.cancel_flag()
    }
}

impl Host for System<'_> {
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        self.stage.random(bytes)
    }

    fn trust(&self) -> Result<TrustStore, Error> {
        self.computer.trust_store()
    }

    fn record_version(&self, id: &str, version: &Version) -> Result<(), Error> {
        TrustStore::update(&self.computer.seen_path, |seen| seen.record_version(id, version))
    }

    fn check_installed(&self, content_hash: &ContentHash) -> Result<(), Error> {
        self.store()?.check(content_hash)
    }

    fn package(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error> {
        self.store()?.read(content_hash)
    }

    fn cached_attestation(&self, content_hash: &ContentHash) -> Option<AttestationResult> {
        // What is behind the lock is whole even if a thread that held it panicked.
        let verified = self.computer.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(content_hash).cloned()
    }

    fn cache_attestation(&self, found: &AttestationResult) {
        let mut verified = self.computer.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.insert(found.content_hash.clone(), found.clone());
    }

    fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
        self.person.ask(question)
    }

    fn remembered_approval(&self, question: &ApprovalRequest) -> Result<Option<String>, Error> {
        Approvals::new(&self.computer.home).find(question)
    }

    fn remember_approval(
        &self,
        question: &ApprovalRequest,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        Approvals::new(&self.computer.home).add(question, by, at)
    }

    fn consent_key(&self) -> Result<PublicKey, Error> {
        host_key::public_key(&self.computer.home)
    }

    fn consume_nonce(
        &self,
        nonce: &[u8; 16],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        host_key::consume_nonce(&self.computer.home, nonce, expires, now)
    }

    fn approve_changes(&self, changes: &Changes) -> bool {
        self.person.approve_changes(changes)
    }

    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.computer.secrets.value(name)
    }

    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        self.stage.directory(name)
    }

    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        self.stage.storage()
    }

    fn resolve(&self, name: &str, timeout: Duration) -> Result<Vec<IpAddr>, TransportError> {
        self.stage.resolve(name, timeout)
    }

    fn exchange(&self, exchange: &Exchange) -> Result<HttpResponse, TransportError> {
        self.stage.exchange(exchange)
    }

    fn log_key(&self) -> Result<LogKey, Error> {
        Ok(self.computer.log.key().clone())
    }

    fn append(&self, entry: &Entry, now: Timestamp) -> Result<u64, Error> {
        let (number, begun) = self.computer.log.append(entry, now)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match (entry, running.take()) {
            (Entry::Outcome(..), Some(call)) => call.end(),
            (_, still) => *running = begun.or(still),
        }
        Ok(number)
    }
}
