//! Room: the capability token: what one package may touch, and for how long.
//!
//! Only the policy makes one, since its fields are private to this folder, nothing reads one from
//! bytes, and it has no default. That is the door's lock: the sandbox opens for a token alone.
//!
//! ```compile_fail,E0451
//! use mpp::policy::token::CapabilityToken;
//! fn forge(real: CapabilityToken) -> CapabilityToken {
//!     CapabilityToken { storage_bytes_max: u64::MAX, ..real }
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
//! What a token is made from can't be made either: a manifest counts as verified only out of the
//! Gatekeeper.
//!
//! ```compile_fail,E0451
//! use mpp::gatekeeper::VerifiedManifest;
//! fn forge(real: VerifiedManifest) -> VerifiedManifest {
//!     VerifiedManifest { publisher: "Acme".to_owned(), ..real }
//! }
//! ```
//!
//! ```compile_fail,E0308
//! fn decide(manifest: &mpp::package::manifest::Manifest) {
//!     mpp::policy::PermissionPolicy::new().evaluate(manifest);
//! }
//! ```

use super::capability::Capability;
use super::given::{Lacking, Place};
use crate::error::{Code, Error};
use crate::limits::TOKEN_LIFETIME_S_MAX;
use crate::package::key::KeyId;
use crate::package::listing::ContentHash;
use crate::secrets::{Hidden, SecretStore, SecretValue};
use std::collections::BTreeMap;
use std::fmt;
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

/// A host that a guest may reach through the door, and what this policy adds to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGrant {
    /// As the manifest writes it: a name with the port, or without one for 443.
    pub host: String,
    /// Whether it may be reached without TLS.
    pub plain_http: bool,
    /// Whether its name may lead into this machine or its network.
    pub private_addresses: bool,
    /// Headers that the door adds and the guest does not see.
    pub headers: Vec<SecretHeader>,
}

impl HostGrant {
    /// A host at public addresses, over TLS.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        let host = host.into();
        HostGrant { host, plain_http: false, private_addresses: false, headers: Vec::new() }
    }

    /// What it allows beyond that, for people.
    pub(super) fn beyond(&self) -> Vec<String> {
        let flags = [
            (self.plain_http, "also without TLS"),
            (self.private_addresses, "also inside this network"),
        ];
        let flags = flags.into_iter().filter(|(held, _)| *held).map(|(_, what)| what.to_owned());
        let headers = self.headers.iter().map(|header| format!("with a secret {}", header.name));
        flags.chain(headers).collect()
    }
}

/// A header whose value the guest does not see.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What of the value no response may show: a secret, without the word before it.
    pub credential: String,
}

impl SecretHeader {
    fn fill(&mut self, value: &str, credential: &str) {
        value.clone_into(&mut self.value);
        credential.clone_into(&mut self.credential);
    }
}

/// Without the value: it is a secret, and this form ends up in logs.
impl fmt::Debug for SecretHeader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: …", self.name)
    }
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
#[derive(Clone)]
pub struct CapabilityToken {
    pub(super) content_hash: ContentHash,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) lacking: Vec<Lacking>,
    pub(super) hidden: Vec<Hidden>,
    pub(super) directories: Vec<DirectoryGrant>,
    pub(super) network: Vec<String>,
    pub(super) hosts: Vec<HostGrant>,
    pub(super) package: String,
    pub(super) publisher_key: Option<KeyId>,
    pub(super) storage_bytes_max: u64,
    pub(super) limits: RunLimits,
    pub(super) granted_by: String,
    pub(super) expires: Instant,
    pub(super) real_clock: bool,
    pub(super) real_random: bool,
}

impl CapabilityToken {
    /// The package it was granted for.
    // [TOKEN-01]
    #[must_use]
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }
    /// Environment variables with the values the guest will see.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    /// The same token with the secrets that it lacks. Each is looked up once.
    ///
    /// # Errors
    /// `secret.missing` where there is none of a name, and whatever the store gives.
    // [SECRET-03] [SECRET-04]
    pub fn with_secrets(mut self, store: &dyn SecretStore) -> Result<Self, Error> {
        let mut found: BTreeMap<String, SecretValue> = BTreeMap::new();
        for lacking in std::mem::take(&mut self.lacking) {
            let name = &lacking.secret;
            if !found.contains_key(name) {
                let value = store.value(name)?.ok_or_else(|| missing(name))?;
                self.hidden.extend(Hidden::new(name, value.reveal()));
                found.insert(name.clone(), value);
            }
            let secret = found.get(name).ok_or_else(|| missing(name))?;
            let value = lacking.filled(secret);
            match lacking.place {
                Place::Variable(variable) => {
                    self.environment.insert(variable, value);
                }
                Place::Header { host, name } => {
                    let grants = self.hosts.iter_mut().filter(|grant| grant.host == host);
                    let headers = grants.flat_map(|grant| &mut grant.headers);
                    headers
                        .filter(|header| header.name == name)
                        .for_each(|header| header.fill(&value, secret.reveal()));
                }
            }
        }
        Ok(self)
    }
    /// Names of secrets that nobody has looked up yet. The sandbox takes no token that lacks one.
    pub fn secrets_lacking(&self) -> impl Iterator<Item = &str> {
        self.lacking.iter().map(|lacking| lacking.secret.as_str())
    }
    /// What no answer may show: the values that it holds.
    #[must_use]
    pub fn hidden(&self) -> &[Hidden] {
        &self.hidden
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
    /// The same hosts, with what the policy says about each.
    #[must_use]
    pub fn hosts(&self) -> &[HostGrant] {
        &self.hosts
    }
    /// Id of the package it was granted for.
    #[must_use]
    pub fn package(&self) -> &str {
        &self.package
    }
    /// The key by which the package's publisher signed it.
    #[must_use]
    pub fn publisher_key(&self) -> Option<&KeyId> {
        self.publisher_key.as_ref()
    }
    /// Bytes of key-value storage; 0 is none.
    #[must_use]
    pub fn storage_bytes_max(&self) -> u64 {
        self.storage_bytes_max
    }
    /// Everything it holds beyond computing, one line each, for the audit record.
    #[must_use]
    pub fn granted(&self) -> Vec<String> {
        let network = self.hosts.iter().map(|grant| {
            let (host, beyond) = (grant.host.clone(), grant.beyond());
            Capability::Network { host, beyond }
        });
        let directories = self.directories.iter().map(|grant| {
            let (guest, host) = (grant.guest.clone(), Some(grant.host.clone()));
            match grant.writable {
                true => Capability::WriteDirectory { guest, host },
                false => Capability::ReadDirectory { guest, host },
            }
        });
        let names = self.environment.keys().cloned();
        let variables = names.map(|name| Capability::Environment { name, set: true });
        let limit_kb = u32::try_from(self.storage_bytes_max / 1024).unwrap_or(u32::MAX);
        let storage = (limit_kb > 0).then_some(Capability::Storage { limit_kb });
        let all = network.chain(directories).chain(variables).chain(storage);
        let host = [
            (self.real_clock, "read the host's clocks"),
            (self.real_random, "get random numbers of the host"),
        ];
        let host = host.into_iter().filter(|(held, _)| *held).map(|(_, what)| what.to_owned());
        all.map(|capability| capability.to_string()).chain(host).collect()
    }
    /// The limits of one call.
    #[must_use]
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }
    /// Whether the guest sees the host's clocks. Only a host grants that.
    // [TOKEN-05]
    #[must_use]
    pub fn real_clock(&self) -> bool {
        self.real_clock
    }
    /// Whether the guest gets the host's random numbers. Only a host grants that.
    // [TOKEN-05]
    #[must_use]
    pub fn real_random(&self) -> bool {
        self.real_random
    }
    /// Which rule or person granted it, for the audit record: `spec/policy.md` lists the rules.
    #[must_use]
    pub fn granted_by(&self) -> &str {
        &self.granted_by
    }
    /// Whether its time is over.
    // [TOKEN-03]
    #[must_use]
    pub fn is_expired(&self) -> bool {
        Instant::now() >= self.expires
    }

    /// A token for a quarter of an hour; tests of what takes a token make one so.
    #[cfg(test)]
    pub(crate) fn for_tests(
        content_hash: ContentHash,
        environment: BTreeMap<String, String>,
        directories: Vec<DirectoryGrant>,
        network: Vec<String>,
        limits: RunLimits,
    ) -> Self {
        CapabilityToken {
            content_hash,
            environment,
            lacking: Vec::new(),
            hidden: Vec::new(),
            directories,
            hosts: network.iter().map(HostGrant::new).collect(),
            network,
            package: "org.example.tool".to_owned(),
            publisher_key: KeyId::parse(&"ab".repeat(32)),
            storage_bytes_max: 0,
            limits,
            granted_by: "test".to_owned(),
            expires: expiry(Duration::from_secs(900)),
            real_clock: false,
            real_random: false,
        }
    }

    /// The same token with these hosts and so much storage.
    #[cfg(test)]
    pub(crate) fn reaching_for_tests(self, hosts: Vec<HostGrant>, storage_bytes_max: u64) -> Self {
        let network = hosts.iter().map(|grant| grant.host.clone()).collect();
        CapabilityToken { network, hosts, storage_bytes_max, ..self }
    }

    /// The same token when its time is over.
    #[cfg(test)]
    pub(crate) fn expired_for_tests(self) -> Self {
        CapabilityToken { expires: Instant::now(), ..self }
    }
}

/// Without the values of variables: they are secrets, and this form ends up in logs.
impl fmt::Debug for CapabilityToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CapabilityToken")
            .field("content_hash", &self.content_hash)
            .field("environment", &self.environment.keys())
            .field("directories", &self.directories)
            .field("hosts", &self.hosts)
            .field("storage_bytes_max", &self.storage_bytes_max)
            .field("limits", &self.limits)
            .field("real_clock", &self.real_clock)
            .field("real_random", &self.real_random)
            .field("granted_by", &self.granted_by)
            .finish_non_exhaustive()
    }
}

fn missing(name: &str) -> Error {
    Error::new(Code::SecretMissing, format!("the policy gives the secret {name}, which is not set"))
}

/// When a token made now ends. The clock is the steady one: setting the date back revives nothing.
pub(super) fn expiry(lifetime: Duration) -> Instant {
    let now = Instant::now();
    let lifetime = lifetime.min(Duration::from_secs(TOKEN_LIFETIME_S_MAX));
    now.checked_add(lifetime).unwrap_or(now)
}
