//! All that enters a call from outside, and all that leaves it: one trait.
//!
//! The kernel has no other way to a clock, a file, a network, a person or a log. A host implements what it has;
//! each method that it leaves out refuses. `crate::host::system` is the ordinary computer.

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
use core::net::IpAddr;
use core::time::Duration;

/// What one call needs from outside. One value serves one call, on its thread: each can have its own person to ask
/// and its own way to be cancelled.
///
/// The smallest host that runs a tool trusts somebody and keeps a log:
///
/// ```
/// use mpp::audit::{Entry, Head, LogKey, GENESIS};
/// use mpp::call::{call, ToolCall, Package};
/// use mpp::package::version::Version;
/// use mpp::sandbox::Engine;
/// use mpp::{Clock, Error, Host, PermissionPolicy, Timestamp, TrustStore};
/// use std::{fs, sync::Mutex, time::Duration};
///
/// struct Small { trust: TrustStore, log: Mutex<(Head, String)> }
///
/// impl Clock for Small {
///     fn now(&self) -> Duration { Duration::from_secs(1_780_000_000) }
///     fn elapsed(&self) -> Duration { Duration::ZERO } // fuel alone ends a tool then
/// }
///
/// impl Host for Small {
///     fn trust(&self) -> Result<TrustStore, Error> { Ok(self.trust.clone()) }
///     fn record_version(&self, _: &str, _: &Version) -> Result<(), Error> { Ok(()) } // forgotten here
///     fn log_key(&self) -> Result<LogKey, Error> { Ok(LogKey::new([7; 32])) } // to be random and secret
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
/// let begin = Head { seq: 0, hash: GENESIS.to_owned() };
/// let host = Small { trust, log: Mutex::new((begin, String::new())) };
/// let package = fs::read("conformance/example/text_stats.mpp").unwrap();
/// let policy = PermissionPolicy::new().auto_approve_low(true);
/// let asked = ToolCall::new("analyze", serde_json::json!({ "text": "One two." }));
/// let answer = call(&host, &Engine::new()?, &policy, Package::Bytes(&package), &asked)?;
/// println!("{}", answer.content);
/// # assert_eq!(host.log.into_inner().unwrap().0.seq, 2);
/// # Ok::<(), mpp::Error>(())
/// ```
pub trait Host: Clock {
    /// Fills the bytes with ones that nobody can predict.
    ///
    /// # Errors
    /// `host.unsupported`, or what the host's source gives.
    fn random(&self, _: &mut [u8]) -> Result<(), Error> {
        Err(unsupported("random numbers"))
    }

    /// Whom this host trusts, and the highest versions it has seen. Asked again when time has passed.
    ///
    /// # Errors
    /// `trust.invalid`, `host.file`.
    fn trust(&self) -> Result<TrustStore, Error> {
        Ok(TrustStore::empty())
    }

    /// Notes the version of a package that is about to run, so that no older one runs later.
    ///
    /// # Errors
    /// `trust.invalid`, `host.file`.
    fn record_version(&self, _id: &str, _: &Version) -> Result<(), Error> {
        Err(unsupported("notes of versions"))
    }

    /// Finds that a package is installed. Asked again when time has passed.
    ///
    /// # Errors
    /// `store.not_installed`, `store.invalid`, `host.file`.
    fn check_installed(&self, content_hash: &ContentHash) -> Result<(), Error> {
        Err(Error::new(Code::StoreNotInstalled, content_hash.to_string()))
    }

    /// The bytes of an installed package.
    ///
    /// # Errors
    /// As [`Host::check_installed`].
    fn package(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error> {
        Err(Error::new(Code::StoreNotInstalled, content_hash.to_string()))
    }

    /// What [`Host::keep_verified`] was given for an installed package.
    fn verified(&self, _: &ContentHash) -> Option<AttestationResult> {
        None
    }

    /// An installed package that passed the seven checks, and need not be compiled again.
    fn keep_verified(&self, _: &AttestationResult) {}

    /// Asks a person once.
    fn ask(&self, _: &ApprovalRequest) -> ApprovalDecision {
        ApprovalDecision::NoApprover
    }

    /// Who agreed to this package with exactly these grants before.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    fn approval(&self, _: &ApprovalRequest) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Keeps a person's agreement for later calls.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    fn keep_approval(&self, _: &ApprovalRequest, _by: &str, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    /// The key by which proofs of a person's agreement are signed.
    ///
    /// # Errors
    /// `policy.attestation` if there is none; `host.file`, `key.*`.
    fn consent_key(&self) -> Result<PublicKey, Error> {
        Err(Error::new(Code::PolicyAttestation, "this host has no key for proofs"))
    }

    /// Uses the nonce of such a proof up: whether this was its first use. It is kept until it expires.
    ///
    /// # Errors
    /// `policy.attestation` if too many were used lately; `consent.invalid`, `host.file`.
    fn consume_nonce(
        &self,
        _nonce: &[u8; 16],
        _expires: Timestamp,
        _now: Timestamp,
    ) -> Result<bool, Error> {
        Ok(false)
    }

    /// Shows what a tool that has succeeded would change, before it is done. Whoever agreed to the directory has
    /// agreed to this, unless they want to see it.
    fn approve_changes(&self, _: &Changes) -> bool {
        true
    }

    /// The value of a secret, or nothing if there is none of this name. Asked once for each of a call.
    ///
    /// # Errors
    /// Any code. The text must not hold a value.
    fn secret(&self, _name: &str) -> Result<Option<SecretValue>, Error> {
        Ok(None)
    }

    /// The directory that the policy maps under this name.
    ///
    /// # Errors
    /// `sandbox.not_granted` for one that holds what decides what tools may do; `host.file`.
    fn directory(&self, _name: &str) -> Result<Arc<dyn Directory>, Error> {
        Err(unsupported("directories"))
    }

    /// Where packages keep what they store; without it those that ask for it do not run.
    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        None
    }

    /// All addresses of a name, within this time.
    ///
    /// # Errors
    /// [`TransportError`].
    fn resolve(&self, _name: &str, _: Duration) -> Result<Vec<IpAddr>, TransportError> {
        Err(TransportError::Unsupported)
    }

    /// One exchange with one address. A call that is cancelled ends within a tenth of a second.
    ///
    /// # Errors
    /// Any [`TransportError`]. No byte of a response that is not whole is given.
    fn exchange(&self, _: &Exchange<'_>) -> Result<HttpResponse, TransportError> {
        Err(TransportError::Unsupported)
    }

    /// The key of the log.
    ///
    /// # Errors
    /// `audit.unavailable`.
    fn log_key(&self) -> Result<LogKey, Error> {
        Err(Error::new(Code::AuditUnavailable, "this host keeps no log"))
    }

    /// Adds a record, made by [`Entry::line`] under the log's lock, and gives its number once it is kept.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`: then nothing runs, and nothing leaves.
    fn append(&self, _: &Entry<'_>, _: Timestamp) -> Result<u64, Error> {
        Err(Error::new(Code::AuditUnavailable, "this host keeps no log"))
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(Code::HostUnsupported, format!("this host has no {what}"))
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/host.rs"]
pub(super) mod tests;
