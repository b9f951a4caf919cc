//! The capability token: what one package may touch, and for how long.
//!
//! Only the policy makes one, since its fields are private to this folder, nothing reads one from
//! bytes, and it has no default. It names secrets and has none of their values:
//! [`CapabilityToken::resolve`] looks them up, and the sandbox runs nothing but a [`ResolvedToken`].
//!
//! ```compile_fail,E0451
//! use mpp::policy::token::CapabilityToken;
//! fn forge(real: CapabilityToken) -> CapabilityToken {
//!     CapabilityToken { granted_by: "me".to_owned(), ..real }
//! }
//! ```
//!
//! ```compile_fail,E0277
//! let forged: mpp::policy::token::CapabilityToken = serde_json::from_str("{}").unwrap();
//! ```
//!
//! ```compile_fail,E0599
//! let forged = mpp::policy::token::CapabilityToken::default();
//! ```
//!
//! A token does not run before its secrets were looked up:
//!
//! ```compile_fail,E0308
//! # use mpp::{sandbox::{ToolInput, Execution}, CancelFlag, CapabilityToken, WasmBinary, WasmSandbox};
//! fn run(sandbox: &WasmSandbox, tool: &WasmBinary, token: CapabilityToken, request: ToolInput) -> Execution {
//!     sandbox.run(tool, &token, request, &CancelFlag::default())
//! }
//! ```
//!
//! ```
//! # use mpp::{sandbox::{ToolInput, Execution}, CancelFlag, CapabilityToken, WasmBinary, WasmSandbox};
//! # use mpp::Host;
//! # fn run(sandbox: &WasmSandbox, tool: &WasmBinary, token: CapabilityToken, request: ToolInput,
//! #     host: &dyn Host) -> Result<Execution, mpp::Error> {
//! Ok(sandbox.run(tool, &token.resolve(host)?, request, &CancelFlag::default()))
//! # }
//! ```
//!
//! What a token is made from can't be made either: a manifest counts as verified only out of the
//! Gatekeeper.
//!
//! ```compile_fail,E0451
//! use mpp::gatekeeper::VerifiedManifest;
//! fn forge(real: VerifiedManifest) -> VerifiedManifest {
//!     VerifiedManifest { publisher_key: None, ..real }
//! }
//! ```
//!
//! ```compile_fail,E0308
//! fn decide(manifest: &mpp::package::manifest::Manifest) {
//!     mpp::policy::PermissionPolicy::new().evaluate(manifest);
//! }
//! ```

pub use super::capability::DirectoryGrant;
use super::capability::{directories, Capability};
use super::value_source::credential;
use crate::kernel::host::Host;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::KeyId;
use crate::kernel::prelude::*;
use crate::kernel::secrets::{KnownSecret, SecretValue};
use core::time::Duration;

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
    pub(super) package: String,
    pub(super) publisher_key: Option<KeyId>,
    pub(super) grants: Vec<Capability>,
    pub(super) limits: RunLimits,
    pub(super) granted_by: String,
    /// On the host's steady clock: setting the date back revives nothing.
    pub(super) expires: Duration,
}

impl CapabilityToken {
    /// The package it was granted for.
    // [TOKEN-01]
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }
    /// Id of the package it was granted for.
    pub fn package(&self) -> &str {
        &self.package
    }
    /// The key by which the package's publisher signed it.
    pub fn publisher_key(&self) -> Option<&KeyId> {
        self.publisher_key.as_ref()
    }
    /// Environment variables with the values the guest will see, but for those that are secrets.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let value = |grant: &Capability| match grant {
            Capability::Environment { name, given: Some(given) } if given.secret.is_none() => {
                Some((name.clone(), given.text.clone()))
            }
            _ => None,
        };
        self.grants.iter().filter_map(value).collect()
    }
    /// Directories of the host.
    pub fn directories(&self) -> Vec<DirectoryGrant> {
        directories(&self.grants)
    }
    /// Bytes of storage; 0 is none.
    pub fn storage_bytes_max(&self) -> u64 {
        let bytes = |grant: &Capability| match grant {
            Capability::Storage { limit_kb } => Some(u64::from(*limit_kb).saturating_mul(1024)),
            _ => None,
        };
        self.grants.iter().find_map(bytes).unwrap_or(0)
    }
    /// Whether it holds this, such as the host's clocks. Only a host grants those.
    // [TOKEN-05]
    #[must_use]
    pub fn holds(&self, grant: &Capability) -> bool {
        self.grants.contains(grant)
    }
    /// Everything it holds beyond computing, one line each, for the audit record.
    pub fn granted(&self) -> Vec<String> {
        self.grants.iter().map(Capability::to_string).collect()
    }
    /// The limits of one call.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }
    /// Which rule or person granted it, for the audit record: `spec/policy.md` lists the rules.
    pub fn granted_by(&self) -> &str {
        &self.granted_by
    }
    /// Whether its time is over, by what the host's steady clock shows.
    // [TOKEN-03]
    #[must_use]
    pub fn is_expired_at(&self, elapsed: Duration) -> bool {
        elapsed >= self.expires
    }

    /// Looks up its secrets, each once.
    ///
    /// # Errors
    /// `secret.missing` where there is none of a name, and whatever the host gives.
    // [SECRET-03] [SECRET-04]
    pub fn resolve(self, host: &dyn Host) -> Result<ResolvedToken, Error> {
        let mut values: BTreeMap<String, SecretValue> = BTreeMap::new();
        let mut find = |name: &str| match values.get(name) {
            Some(value) => Ok(value.clone()),
            None => {
                let value = host.secret(name)?.ok_or_else(|| missing(name))?;
                Ok(values.entry(name.to_owned()).or_insert(value).clone())
            }
        };
        let (mut environment, mut hosts, mut all) = (BTreeMap::new(), Vec::new(), Vec::new());
        for grant in &self.grants {
            match grant {
                Capability::Environment { name, given: Some(given) } => {
                    let (value, hidden) = given.resolve(name, &mut find, |value| value)?;
                    environment.insert(name.clone(), value);
                    all.extend(hidden);
                }
                Capability::Network { host, plain_http, private_addresses, headers: given } => {
                    let (plain_http, private_addresses) = (*plain_http, *private_addresses);
                    let mut headers = Vec::new();
                    for (name, given) in given {
                        let (value, hidden) = given.resolve(name, &mut find, credential)?;
                        all.extend(hidden.clone());
                        headers.push(SecretHeader { name: name.clone(), value, hidden });
                    }
                    let host = host.clone();
                    hosts.push(HostGrant { host, plain_http, private_addresses, headers });
                }
                _ => {}
            }
        }
        all.sort();
        all.dedup();
        let (directories, limits) = (self.directories(), self.limits);
        Ok(ResolvedToken { environment, directories, hosts, hidden: all, limits, token: self })
    }
}

/// A host that a guest may reach through the door, and what this policy adds to that.
#[derive(Clone)]
pub(in crate::kernel) struct HostGrant {
    /// As the manifest writes it: a name with the port, or without one for 443.
    pub(in crate::kernel) host: String,
    /// Whether it may be reached without TLS.
    pub(in crate::kernel) plain_http: bool,
    /// Whether its name may lead into this machine or its network.
    pub(in crate::kernel) private_addresses: bool,
    /// Headers that the door adds and the guest does not see.
    pub(in crate::kernel) headers: Vec<SecretHeader>,
}

/// A header whose value the guest does not see.
#[derive(Clone)]
pub(in crate::kernel) struct SecretHeader {
    /// Its name, in lower case.
    pub(in crate::kernel) name: String,
    /// Its value.
    pub(in crate::kernel) value: String,
    /// What of the value no response may show: a secret, without the word before it.
    pub(in crate::kernel) hidden: Option<KnownSecret>,
}

/// A token with the values of its secrets: what a sandbox runs. Only [`CapabilityToken::resolve`] makes one.
/// It has no form for people or logs.
///
/// ```compile_fail,E0277
/// fn log(token: &mpp::policy::token::ResolvedToken) {
///     println!("{token:?}");
/// }
/// ```
#[derive(Clone)]
pub struct ResolvedToken {
    token: CapabilityToken,
    environment: BTreeMap<String, String>,
    directories: Vec<DirectoryGrant>,
    hosts: Vec<HostGrant>,
    hidden: Vec<KnownSecret>,
    limits: RunLimits,
}

impl ResolvedToken {
    /// What the decision granted.
    pub fn token(&self) -> &CapabilityToken {
        &self.token
    }
    /// Environment variables with the values the guest will see.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    /// Directories of the host.
    pub fn directories(&self) -> &[DirectoryGrant] {
        &self.directories
    }
    /// Hosts that the guest may reach.
    pub(in crate::kernel) fn hosts(&self) -> &[HostGrant] {
        &self.hosts
    }
    /// Whether the guest may reach a host, written as the manifest writes it.
    #[must_use]
    pub fn reaches(&self, host: &str) -> bool {
        self.hosts.iter().any(|grant| grant.host == host)
    }
    /// What no answer may show: the values that it holds.
    pub fn hidden(&self) -> &[KnownSecret] {
        &self.hidden
    }
    /// The limits of one call.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }

    /// The same with no more than this, for a host that asks for less than was granted.
    // [BOX-05]
    pub fn narrowed(
        mut self,
        environment: &BTreeMap<String, String>,
        directories: &[DirectoryGrant],
        hosts: &[String],
        memory_bytes_max: u64,
        timeout: Duration,
    ) -> Self {
        self.environment.retain(|name, _| environment.contains_key(name));
        self.directories.retain(|grant| directories.contains(grant));
        self.hosts.retain(|grant| hosts.contains(&grant.host));
        self.limits.memory_bytes_max = self.limits.memory_bytes_max.min(memory_bytes_max);
        self.limits.timeout = self.limits.timeout.min(timeout);
        self
    }
}

fn missing(name: &str) -> Error {
    Error::new(Code::SecretMissing, format!("the policy gives the secret {name}, which is not set"))
}
