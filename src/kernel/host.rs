//! The host interface: everything that enters or leaves a call, as one trait.
//!
//! The kernel has no other access to clocks, files, the network, approvers or the audit log. A host implements
//! what it supports; the default of every other method refuses. `crate::host::system` is the usual one.

use crate::kernel::audit::{Entry, LogKey};
use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::deadline::Clock;
use crate::kernel::directory::Directory;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::AttestationResult;
use crate::kernel::network::transport::{Exchange, HttpResponse, TransportError};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::PublicKey;
use crate::kernel::package::version::Version;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::Changes;
use crate::kernel::secrets::SecretValue;
use crate::kernel::storage::StorageBackend;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::TrustStore;
use alloc::sync::Arc;
use core::any::Any;
use core::net::IpAddr;
use core::time::Duration;

/// An installed package, as its host has it.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one is made for each call, and matched at once
pub enum InstalledPackage {
    /// The bytes of its archive.
    Archive(Vec<u8>),
    /// What the Gatekeeper found earlier in this process; its signers are evaluated again.
    Verified(AttestationResult),
}

/// The most that a call can use of what all calls of a process share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceNeeds {
    /// Linear memory, output and files, in bytes.
    pub memory_bytes: u64,
    /// Compiled code and assets, in bytes.
    pub code_bytes: u64,
    /// Number of mapped directories.
    pub directories: usize,
    /// Whether the guest may connect to some host.
    pub has_hosts: bool,
    /// How long it may wait.
    pub timeout: Duration,
}

/// What a host holds for a call; dropping the last copy releases it.
pub type Reservation = Arc<dyn Any + Send + Sync>;

/// What one call needs from outside. Each call has its own value, with its own approver and cancellation.
///
/// A minimal host trusts a publisher and writes an audit log:
///
/// ```
/// use mpp::audit::{Entry, Head, LogKey, GENESIS};
/// use mpp::pipeline::{call, ToolCall, Package};
/// use mpp::package::version::Version;
/// use mpp::sandbox::Engine;
/// use mpp::{Clock, Error, Host, PermissionPolicy, Timestamp, TrustStore};
/// use std::{fs, sync::Mutex, time::Duration};
///
/// struct Small { trust: TrustStore, log: Mutex<(Head, String)> }
///
/// impl Clock for Small {
///     fn now(&self) -> Duration { Duration::from_secs(1_780_000_000) }
///     fn elapsed(&self) -> Duration { Duration::ZERO } // only fuel ends a tool
/// }
///
/// impl Host for Small {
///     fn trust(&self) -> Result<TrustStore, Error> { Ok(self.trust.clone()) }
///     fn record_version(&self, _: &str, _: &Version) -> Result<(), Error> { Ok(()) } // not stored here
///     fn log_key(&self) -> Result<LogKey, Error> { Ok(LogKey::new([7; 32])) } // must be random and secret
///     fn append(&self, entry: &Entry<'_>, now: Timestamp) -> Result<u64, Error> {
///         let (head, text) = &mut *self.log.lock().unwrap();
///         let line = entry.line(head, now)?;
///         text.push_str(&line.text);
///         *head = line.head;
///         Ok(head.seq)
///     }
/// }
///
/// let trust = TrustStore::from_json(&fs::read("conformance/example/trust.json").unwrap())?;
/// let start = Head { seq: 0, hash: GENESIS.to_owned() };
/// let host = Small { trust, log: Mutex::new((start, String::new())) };
/// let package = fs::read("conformance/example/text_stats.mpp").unwrap();
/// let policy = PermissionPolicy::new().auto_approve_low(true);
/// let tool_call = ToolCall::new("analyze", serde_json::json!({ "text": "One two." }));
/// let result = call(&host, &Engine::new()?, &policy, Package::Bytes(&package), &tool_call)?;
/// println!("{}", result.content);
/// # assert_eq!(host.log.into_inner().unwrap().0.seq, 2);
/// # Ok::<(), mpp::Error>(())
/// ```
pub trait Host: Clock {
    /// Fills the bytes with unpredictable ones.
    ///
    /// # Errors
    /// `host.unsupported`, or an error of the host's random source.
    fn random(&self, _: &mut [u8]) -> Result<(), Error> {
        Err(unsupported("random numbers"))
    }

    /// Returns the current trust store, with the highest versions seen. Called again after slow steps.
    ///
    /// # Errors
    /// `trust.invalid`, `host.file`.
    fn trust(&self) -> Result<TrustStore, Error> {
        Ok(TrustStore::empty())
    }

    /// Records the version of a package that is about to run, so that no older one runs later.
    ///
    /// # Errors
    /// `trust.invalid`, `host.file`.
    fn record_version(&self, _id: &str, _: &Version) -> Result<(), Error> {
        Err(unsupported("record of versions"))
    }

    /// Checks that a package is installed. Called again after slow steps.
    ///
    /// # Errors
    /// `store.not_installed`, `store.invalid`, `host.file`.
    fn check_installed(&self, content_hash: &ContentHash) -> Result<(), Error> {
        Err(Error::new(Code::StoreNotInstalled, format!("no package {content_hash} is installed")))
    }

    /// Returns an installed package: its archive, or what [`Host::keep_verified`] kept of it.
    ///
    /// # Errors
    /// As [`Host::check_installed`]; `host.busy`, `host.budget`, `tool.cancelled`.
    fn package(&self, content_hash: &ContentHash) -> Result<InstalledPackage, Error> {
        Err(Error::new(Code::StoreNotInstalled, format!("no package {content_hash} is installed")))
    }

    /// Keeps a verified installed package in memory, so that it is not verified and compiled on each call.
    /// A host that limits that memory can wait.
    ///
    /// # Errors
    /// `host.busy`, `host.budget`, `tool.cancelled`.
    fn keep_verified(&self, _: &AttestationResult) -> Result<(), Error> {
        Ok(())
    }

    /// Reserves the most that a call can use of what all calls of this process share, or waits until that is
    /// free, within the call's time. Dropping the value releases it: when the call and its result have ended.
    ///
    /// # Errors
    /// `host.busy`, `host.budget`, `tool.cancelled`.
    fn reserve(&self, _: &ResourceNeeds) -> Result<Reservation, Error> {
        Ok(Arc::new(()))
    }

    /// Requests one decision of the approver.
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        ApprovalDecision::NoApprover
    }

    /// Returns who approved this package with exactly these grants earlier, if the approval is remembered.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    fn remembered_approval(&self, _: &ApprovalRequest) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Remembers an approval for later calls.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    fn remember_approval(&self, _: &ApprovalRequest, _by: &str, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the key that verifies proofs of approval.
    ///
    /// # Errors
    /// `policy.attestation` without such a key; `host.file`, `key.*`.
    fn consent_key(&self) -> Result<PublicKey, Error> {
        Err(Error::new(Code::PolicyAttestation, "this host has no key for attestations"))
    }

    /// Consumes the nonce of a proof. Returns `true` on its first use. It is stored until it expires.
    ///
    /// # Errors
    /// `policy.attestation` if too many were used recently; `consent.invalid`, `host.file`.
    fn consume_nonce(
        &self,
        _nonce: &[u8; 16],
        _expires: Timestamp,
        _now: Timestamp,
    ) -> Result<bool, Error> {
        Ok(false)
    }

    /// Returns `true` if the changes of a successful call are approved. The default relies on the approval of
    /// the directories.
    fn approve_changes(&self, _: &Changes) -> bool {
        true
    }

    /// Offers what the tool wrote to stderr, for the operator of the host. It is filtered when it is asked for.
    fn show_stderr(&self, _filtered: &mut dyn FnMut() -> String) {}

    /// Returns the value of a secret, or `None` if it is unknown. Called once for each secret of a call.
    ///
    /// # Errors
    /// Any code. The text must not contain a value.
    fn secret(&self, _name: &str) -> Result<Option<SecretValue>, Error> {
        Ok(None)
    }

    /// Returns the directory that the policy maps under this name.
    ///
    /// # Errors
    /// `sandbox.not_granted` for a directory with files that control what tools can do; `host.file`.
    fn directory(&self, _name: &str) -> Result<Arc<dyn Directory>, Error> {
        Err(unsupported("directories"))
    }

    /// Returns the storage of packages. Without it, packages that request storage do not run.
    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        None
    }

    /// Returns all addresses of a host name, within this time.
    ///
    /// # Errors
    /// [`TransportError`].
    fn resolve(&self, _name: &str, _: Duration) -> Result<Vec<IpAddr>, TransportError> {
        Err(TransportError::Unsupported)
    }

    /// Performs one HTTP exchange with one address. If the call is cancelled, it ends within 100 ms.
    ///
    /// # Errors
    /// Any [`TransportError`]. An incomplete response is an error.
    fn exchange(&self, _: &Exchange<'_>) -> Result<HttpResponse, TransportError> {
        Err(TransportError::Unsupported)
    }

    /// Returns the key of the audit log.
    ///
    /// # Errors
    /// `audit.unavailable`.
    fn log_key(&self) -> Result<LogKey, Error> {
        Err(Error::new(Code::AuditUnavailable, "this host has no audit log"))
    }

    /// Appends a record, made by [`Entry::line`] under the log's lock, and returns its number when it is durable.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`: then nothing runs, and results are withheld.
    fn append(&self, _: &Entry<'_>, _: Timestamp) -> Result<u64, Error> {
        Err(Error::new(Code::AuditUnavailable, "this host has no audit log"))
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(Code::HostUnsupported, format!("this host has no {what}"))
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/host.rs"]
pub(super) mod tests;
