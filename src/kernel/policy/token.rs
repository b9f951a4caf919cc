//! Capability tokens: what one package is allowed to access, and for how long.
//!
//! Only a policy decision makes one: its fields are private to this module's directory, no code reads one from
//! bytes, and it has no default. It names secrets without their values:
//! [`CapabilityToken::resolve_secrets`] looks them up, and the sandbox runs only a [`ResolvedToken`].
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
//! A token whose secrets are not resolved does not run:
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
//! Ok(sandbox.run(tool, &token.resolve_secrets(host)?, request, &CancelFlag::default()))
//! # }
//! ```
//!
//! The input of a decision cannot be forged either: only the Gatekeeper makes a verified manifest.
//!
//! ```compile_fail,E0451
//! use mpp::gatekeeper::VerifiedManifest;
//! fn forge(real: VerifiedManifest) -> VerifiedManifest {
//!     VerifiedManifest { signer_names: ["Acme".to_owned()].into(), ..real }
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
use super::value_or_secret::credential;
use crate::kernel::host::Host;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::KeyId;
use crate::kernel::prelude::*;
use crate::kernel::secrets::{KnownSecret, SecretValue};
use core::time::Duration;

/// The limits of one call: the lower ones of manifest and policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Linear memory, in bytes.
    pub memory_bytes_max: u64,
    /// Fuel.
    pub fuel_max: u64,
    /// Wall-clock timeout.
    pub timeout: Duration,
    /// Output on stdout, in bytes.
    pub output_bytes_max: u64,
}

/// What one package is allowed to access, and for how long. Only a policy decision makes one.
#[derive(Clone, Debug)]
pub struct CapabilityToken {
    pub(super) content_hash: ContentHash,
    pub(super) package: String,
    pub(super) publisher_key: Option<KeyId>,
    pub(super) grants: Vec<Capability>,
    pub(super) limits: RunLimits,
    pub(super) granted_by: String,
    /// On the host's monotonic clock, so that setting the date back does not extend it.
    pub(super) expires: Duration,
}

impl CapabilityToken {
    /// Returns the content hash of the package that the token is for.
    // [TOKEN-01]
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }
    /// Returns the id of that package.
    pub fn package(&self) -> &str {
        &self.package
    }
    /// Returns the key with which the publisher signed that package.
    pub fn publisher_key(&self) -> Option<&KeyId> {
        self.publisher_key.as_ref()
    }
    /// Returns the environment variables with literal values.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let value = |grant: &Capability| match grant {
            Capability::Environment { name, source: Some(source) } if source.secret.is_none() => {
                Some((name.clone(), source.text.clone()))
            }
            _ => None,
        };
        self.grants.iter().filter_map(value).collect()
    }
    /// Returns the directories of the host.
    pub fn directories(&self) -> Vec<DirectoryGrant> {
        directories(&self.grants)
    }
    /// Returns `true` if the guest may connect to some host.
    pub fn has_hosts(&self) -> bool {
        self.grants.iter().any(|grant| matches!(grant, Capability::Network { .. }))
    }
    /// Returns the storage quota in bytes; 0 without storage.
    pub fn storage_bytes_max(&self) -> u64 {
        let bytes = |grant: &Capability| match grant {
            Capability::Storage { limit_kb } => Some(u64::from(*limit_kb).saturating_mul(1024)),
            _ => None,
        };
        self.grants.iter().find_map(bytes).unwrap_or(0)
    }
    /// Returns `true` if the token grants this capability.
    // [TOKEN-05]
    #[must_use]
    pub fn grants(&self, grant: &Capability) -> bool {
        self.grants.contains(grant)
    }
    /// Returns one line for each grant, for the audit record.
    pub fn describe_grants(&self) -> Vec<String> {
        self.grants.iter().map(Capability::to_string).collect()
    }
    /// Returns the limits of one call.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }
    /// Returns the rule or approver that granted it, for the audit record; `spec/policy.md` lists the rules.
    pub fn granted_by(&self) -> &str {
        &self.granted_by
    }
    /// Returns `true` if the token has expired at this time of the host's monotonic clock.
    // [TOKEN-03]
    #[must_use]
    pub fn is_expired_at(&self, elapsed: Duration) -> bool {
        elapsed >= self.expires
    }

    /// Looks up the secrets, each once.
    ///
    /// # Errors
    /// `secret.missing` for an unknown secret, and any error of the host.
    // [SECRET-03] [SECRET-04]
    pub fn resolve_secrets(self, host: &dyn Host) -> Result<ResolvedToken, Error> {
        let mut values: BTreeMap<String, SecretValue> = BTreeMap::new();
        let mut find = |name: &str| match values.get(name) {
            Some(value) => Ok(value.clone()),
            None => {
                let value = host.secret(name)?.ok_or_else(|| missing(name))?;
                Ok(values.entry(name.to_owned()).or_insert(value).clone())
            }
        };
        let (mut environment, mut hosts, mut secrets) = (BTreeMap::new(), Vec::new(), Vec::new());
        for grant in &self.grants {
            match grant {
                Capability::Environment { name, source: Some(source) } => {
                    let (value, secret) = source.resolve(name, &mut find, |value| value)?;
                    environment.insert(name.clone(), value);
                    secrets.extend(secret);
                }
                Capability::Network { host, plain_http, private_addresses, headers: sources } => {
                    let (plain_http, private_addresses) = (*plain_http, *private_addresses);
                    let mut headers = Vec::new();
                    for (name, source) in sources {
                        let (value, secret) = source.resolve(name, &mut find, credential)?;
                        secrets.extend(secret.clone());
                        headers.push(SecretHeader { name: name.clone(), value, secret });
                    }
                    let host = host.clone();
                    hosts.push(HostGrant { host, plain_http, private_addresses, headers });
                }
                _ => {}
            }
        }
        secrets.sort();
        secrets.dedup();
        let (directories, limits) = (self.directories(), self.limits);
        Ok(ResolvedToken { environment, directories, hosts, secrets, limits, token: self })
    }
}

/// A host that a guest is allowed to connect to, with the exceptions of the policy.
#[derive(Clone)]
pub(in crate::kernel) struct HostGrant {
    /// The host as in the manifest: a name with a port, or without one for 443.
    pub(in crate::kernel) host: String,
    /// Whether connections without TLS are allowed.
    pub(in crate::kernel) plain_http: bool,
    /// Whether its name is allowed to resolve to an address of this machine or a private network.
    pub(in crate::kernel) private_addresses: bool,
    /// Headers that the `http` service adds and the guest does not see.
    pub(in crate::kernel) headers: Vec<SecretHeader>,
}

/// A header whose value the guest does not see.
#[derive(Clone)]
pub(in crate::kernel) struct SecretHeader {
    /// The name, in lower case.
    pub(in crate::kernel) name: String,
    /// The value.
    pub(in crate::kernel) value: String,
    /// The part of the value that is redacted from responses: the secret, without a scheme before it.
    pub(in crate::kernel) secret: Option<KnownSecret>,
}

/// A token with the values of its secrets, as the sandbox needs it. Only
/// [`CapabilityToken::resolve_secrets`] makes one. It cannot be printed.
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
    secrets: Vec<KnownSecret>,
    limits: RunLimits,
}

impl ResolvedToken {
    /// Returns the token of the decision.
    pub fn token(&self) -> &CapabilityToken {
        &self.token
    }
    /// Returns the environment variables of the guest.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    /// Returns the directories of the host.
    pub fn directories(&self) -> &[DirectoryGrant] {
        &self.directories
    }
    /// Returns the hosts that the guest is allowed to connect to.
    pub(in crate::kernel) fn hosts(&self) -> &[HostGrant] {
        &self.hosts
    }
    /// Returns `true` if the guest is allowed to connect to this host, written as in the manifest.
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|grant| grant.host == host)
    }
    /// Returns the secret values, which are redacted from every response.
    pub fn known_secrets(&self) -> &[KnownSecret] {
        &self.secrets
    }
    /// Returns the limits of one call.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }

    /// Restricts the grants and limits to these, for a host that needs less than was granted.
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
    Error::new(Code::SecretMissing, format!("secret \"{name}\" of the policy is not set"))
}
