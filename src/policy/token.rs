//! Room: the capability token: what one package may touch, and for how long. (Being built.)

use crate::package::listing::ContentHash;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A directory of the host that a guest sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryGrant {
    /// Absolute path in the guest, such as `/data`.
    pub guest: String,
    /// Directory on the host.
    pub host: PathBuf,
    /// Whether the guest may write below it.
    pub writable: bool,
}

/// The limits of one call, after manifest and policy were both heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Linear memory, in bytes.
    pub memory_bytes_max: u64,
    /// Fuel.
    pub fuel_max: u64,
    /// Wall-clock time.
    pub timeout: Duration,
    /// Bytes on stdout.
    pub output_bytes_max: u64,
}

/// What one package may touch, and for how long. Only a policy decision makes one.
#[derive(Clone, Debug)]
pub struct CapabilityToken {
    pub(super) content_hash: ContentHash,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) directories: Vec<DirectoryGrant>,
    pub(super) network: Vec<String>,
    pub(super) storage_bytes_max: u64,
    pub(super) limits: RunLimits,
    pub(super) granted_by: String,
    pub(super) expires: Instant,
}

impl CapabilityToken {
    /// The package it was granted for.
    #[must_use]
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }
    /// Environment variables with the values the guest will see.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    /// Directories of the host.
    #[must_use]
    pub fn directories(&self) -> &[DirectoryGrant] {
        &self.directories
    }
    /// Hosts, each with an optional `:port`.
    #[must_use]
    pub fn network(&self) -> &[String] {
        &self.network
    }
    /// Bytes of key-value storage; 0 is none.
    #[must_use]
    pub fn storage_bytes_max(&self) -> u64 {
        self.storage_bytes_max
    }
    /// The limits of one call.
    #[must_use]
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }
    /// Which rule or person granted it, for the audit record.
    #[must_use]
    pub fn granted_by(&self) -> &str {
        &self.granted_by
    }
    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        Instant::now() >= self.expires
    }
}
