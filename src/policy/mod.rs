//! Floor 2: what a verified package may touch: from a manifest, a policy and perhaps a person's word
//! to a [`CapabilityToken`]. `spec/policy.md` is its page.
//!
//! Nothing in a package or a request can widen a policy: a token holds what the manifest asks for,
//! cut down to what the policy allows, and never more than either.

pub mod capability;
mod file;
mod host;
pub mod risk;
#[cfg(test)]
mod tests;
pub mod token;

use crate::error::{Code, Error};
use crate::gatekeeper::VerifiedManifest;
use crate::package::manifest::{CustomPattern, Manifest, Sensitivity};
use crate::trust::{covers, is_label};
pub use capability::{Capability, CapabilityKind};
use host::Host;
pub use risk::SecurityLevel;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use token::{expiry, CapabilityToken, DirectoryGrant, RunLimits, LIFETIME_DEFAULT};

/// What a policy says about a package.
#[derive(Clone, Debug)]
pub enum PolicyDecision {
    /// It may run with what the token holds.
    Granted(CapabilityToken),
    /// A person has to agree first: show them this, then call [`PermissionPolicy::confirm`].
    RequiresConfirmation {
        /// Everything the package asks for.
        capabilities: Vec<Capability>,
        /// How much could go wrong.
        security_level: SecurityLevel,
    },
    /// It may not run, whoever agrees.
    Denied {
        /// The rule that decided.
        reason: String,
    },
}

/// The rules of one host. A new policy trusts no package, denies none, and maps and sets nothing, so
/// that everything needs a person's word.
///
/// ```no_run
/// use mpp::policy::{PermissionPolicy, PolicyDecision};
/// # fn decide(manifest: &mpp::gatekeeper::VerifiedManifest) -> Result<(), mpp::Error> {
/// let policy = PermissionPolicy::new().trust_package("org.acme.weather").auto_approve_low(true);
/// let token = match policy.evaluate(manifest) {
///     PolicyDecision::Granted(token) => token,
///     PolicyDecision::RequiresConfirmation { capabilities, security_level } => {
///         println!("{security_level}: {capabilities:?}"); // and ask
///         policy.confirm(manifest, "terminal:alice")?
///     }
///     PolicyDecision::Denied { reason } => return Ok(println!("{reason}")),
/// };
/// # let _ = token; Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PermissionPolicy {
    trusted_packages: BTreeSet<String>,
    trusted_publishers: BTreeSet<String>,
    auto_approve_low: bool,
    non_interactive: bool,
    signers_required: usize,
    denied_packages: BTreeSet<String>,
    denied_capabilities: BTreeSet<CapabilityKind>,
    denied_hosts: BTreeSet<Host>,
    ceilings: RunLimits,
    directories: Vec<(Scope, DirectoryGrant)>,
    environment: Vec<(Scope, Variable)>,
    privacy_patterns: BTreeSet<String>,
    privacy_custom: Vec<CustomPattern>,
    token_lifetime: Duration,
}

/// Which packages a mapping is for: ids or namespaces; an empty list is all.
#[derive(Clone, Debug, Default)]
struct Scope(Vec<String>);

impl Scope {
    fn includes(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|namespace| covers(namespace, id))
    }
}

#[derive(Clone)]
struct Variable {
    name: String,
    value: String,
}

/// Without the value: it may be a secret, and this form ends up in logs.
impl fmt::Debug for Variable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}=…", self.name)
    }
}

impl Default for PermissionPolicy {
    fn default() -> Self {
        PermissionPolicy::new()
    }
}

/// Settings. Each takes the policy and gives it back changed.
impl PermissionPolicy {
    /// The strictest policy that can still say yes: it asks about everything.
    #[must_use]
    pub fn new() -> Self {
        PermissionPolicy {
            trusted_packages: BTreeSet::new(),
            trusted_publishers: BTreeSet::new(),
            auto_approve_low: false,
            non_interactive: false,
            signers_required: 1,
            denied_packages: BTreeSet::new(),
            denied_capabilities: BTreeSet::new(),
            denied_hosts: BTreeSet::new(),
            // The highest values that a manifest can ask for bind all the same.
            ceilings: RunLimits {
                memory_bytes_max: u64::MAX,
                fuel_max: u64::MAX,
                timeout: Duration::MAX,
                output_bytes_max: u64::MAX,
            },
            directories: Vec::new(),
            environment: Vec::new(),
            privacy_patterns: BTreeSet::new(),
            privacy_custom: Vec::new(),
            token_lifetime: LIFETIME_DEFAULT,
        }
    }

    /// Grants the package of exactly this id what it asks for, unless it has destructive tools.
    #[must_use]
    pub fn trust_package(mut self, id: impl Into<String>) -> Self {
        self.trusted_packages.insert(id.into());
        self
    }

    /// Grants all packages of a publisher, named as in the trust store, what they ask for, unless
    /// they have destructive tools.
    #[must_use]
    pub fn trust_publisher(mut self, name: impl Into<String>) -> Self {
        self.trusted_publishers.insert(name.into());
        self
    }

    /// Whether packages of the levels `None` and `Low` are granted what they ask for.
    #[must_use]
    pub fn auto_approve_low(mut self, yes: bool) -> Self {
        self.auto_approve_low = yes;
        self
    }

    /// Whether nobody can be asked: then what would need a person's word is denied.
    #[must_use]
    pub fn non_interactive(mut self, yes: bool) -> Self {
        self.non_interactive = yes;
        self
    }

    /// How many trusted publishers have to sign a package: 2 for an author and an approver.
    #[must_use]
    pub fn require_signers(mut self, count: usize) -> Self {
        self.signers_required = count;
        self
    }

    /// Denies a package, or with a namespace such as `org.acme` all below it; `*` denies all.
    #[must_use]
    pub fn deny_package(mut self, namespace: impl Into<String>) -> Self {
        self.denied_packages.insert(namespace.into());
        self
    }

    /// Denies every package that asks for this kind of capability.
    #[must_use]
    pub fn deny_capability(mut self, kind: CapabilityKind) -> Self {
        self.denied_capabilities.insert(kind);
        self
    }

    /// Denies every package that asks for this host or a name below it. With a `:port`, that port
    /// only.
    #[must_use]
    pub fn deny_host(mut self, host: &str) -> Self {
        self.denied_hosts.insert(Host::of(host));
        self
    }

    /// Most linear memory, in MiB.
    #[must_use]
    pub fn memory_limit_mb(mut self, most: u32) -> Self {
        self.ceilings.memory_bytes_max = bytes(most, MIB);
        self
    }

    /// Most wall-clock time, in milliseconds.
    #[must_use]
    pub fn timeout_ms(mut self, most: u32) -> Self {
        self.ceilings.timeout = Duration::from_millis(u64::from(most));
        self
    }

    /// Most fuel.
    #[must_use]
    pub fn fuel(mut self, most: u64) -> Self {
        self.ceilings.fuel_max = most;
        self
    }

    /// Most bytes on stdout, in KiB.
    #[must_use]
    pub fn output_limit_kb(mut self, most: u32) -> Self {
        self.ceilings.output_bytes_max = bytes(most, KIB);
        self
    }

    /// Puts a directory of this host behind a guest path, for every package that asks for exactly
    /// that path. The last mapping of a path counts.
    #[must_use]
    pub fn map_directory(self, guest: impl Into<String>, host: impl Into<PathBuf>) -> Self {
        let (guest, host) = (guest.into(), host.into());
        self.scoped_directory(Scope::default(), DirectoryGrant { guest, host, writable: true })
    }

    fn scoped_directory(mut self, scope: Scope, grant: DirectoryGrant) -> Self {
        self.directories.push((scope, grant));
        self
    }

    /// Gives a variable its value, for every package that asks for it. The last value counts. The
    /// host's own environment is never looked at.
    #[must_use]
    pub fn allow_env(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.scoped_variable(Scope::default(), Variable { name, value })
    }

    fn scoped_variable(mut self, scope: Scope, variable: Variable) -> Self {
        self.environment.push((scope, variable));
        self
    }

    /// Redacts a built-in kind of `spec/privacy.md` from every answer, whatever the manifest says.
    #[must_use]
    pub fn always_redact(mut self, kind: impl Into<String>) -> Self {
        self.privacy_patterns.insert(kind.into());
        self
    }

    /// Redacts a pattern of the host's own from every answer.
    #[must_use]
    pub fn always_redact_custom(mut self, pattern: CustomPattern) -> Self {
        self.privacy_custom.push(pattern);
        self
    }

    /// How long tokens last; five minutes if not set, a day at most.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// How many trusted publishers have to sign, for check 5.
    #[must_use]
    pub fn signers_required(&self) -> usize {
        self.signers_required
    }

    /// Built-in kinds to be redacted besides those of the manifest.
    pub fn privacy_patterns(&self) -> impl Iterator<Item = &String> {
        self.privacy_patterns.iter()
    }

    /// Custom patterns to be redacted besides those of the manifest.
    #[must_use]
    pub fn privacy_custom(&self) -> &[CustomPattern] {
        &self.privacy_custom
    }
}

/// Decisions.
impl PermissionPolicy {
    /// Decides about a package. The same policy and package give the same decision; nothing but these
    /// two is looked at.
    // [POLICY-02]
    #[must_use]
    pub fn evaluate(&self, manifest: &VerifiedManifest) -> PolicyDecision {
        if let Some(reason) = self.denial(manifest) {
            return PolicyDecision::Denied { reason };
        }
        let security_level = risk::score(manifest).level;
        if let Some(rule) = self.standing_approval(manifest, security_level) {
            return PolicyDecision::Granted(self.token(manifest, rule));
        }
        // [POLICY-06]
        if self.non_interactive {
            let reason = format!(
                "{} ({security_level}) needs a person's word, and nobody can be asked",
                manifest.id
            );
            return PolicyDecision::Denied { reason };
        }
        // [POLICY-07]
        PolicyDecision::RequiresConfirmation {
            capabilities: self.requested(manifest),
            security_level,
        }
    }

    /// The token for a package that a person agreed to, under the name by which the audit record will
    /// know that person. What no person may allow stays denied.
    ///
    /// # Errors
    /// `policy.denied` where a rule denies the package or nobody can be asked;
    /// `policy.confirmation_required` where `approved_by` names nobody.
    // [POLICY-08]
    pub fn confirm(
        &self,
        manifest: &VerifiedManifest,
        approved_by: &str,
    ) -> Result<CapabilityToken, Error> {
        if let Some(reason) = self.denial(manifest) {
            return Err(Error::new(Code::PolicyDenied, reason));
        }
        if self.non_interactive {
            let detail = format!("{}: the policy lets nobody be asked", manifest.id);
            return Err(Error::new(Code::PolicyDenied, detail));
        }
        if !is_label(approved_by) {
            let detail = format!("{}: no name of a person who agreed", manifest.id);
            return Err(Error::new(Code::PolicyConfirmation, detail));
        }
        Ok(self.token(manifest, format!("person:{approved_by}")))
    }

    /// The first rule that denies the package, in the order of the spec.
    // [POLICY-03]
    fn denial(&self, manifest: &VerifiedManifest) -> Option<String> {
        let id = &manifest.id;
        if let Some(rule) = self.denied_packages.iter().find(|rule| covers(rule, id)) {
            return Some(format!("package {id} is denied by the rule {rule:?}"));
        }
        if manifest.signed_by().len() < self.signers_required {
            let (needed, by) = (self.signers_required, manifest.signed_by());
            return Some(format!("{needed} publishers have to sign {id}, signed by {by:?}"));
        }
        for capability in Capability::requested_by(manifest) {
            if self.denied_capabilities.contains(&capability.kind()) {
                let kind = capability.kind().as_str();
                return Some(format!("{id} asks to {capability}; {kind:?} is denied"));
            }
        }
        // [POLICY-04]
        for host in &manifest.capabilities.network {
            if let Some(rule) = self.denied_hosts.iter().find(|rule| rule.covers(&Host::of(host))) {
                return Some(format!("{id} asks to reach {host}; the host {rule} is denied"));
            }
        }
        None
    }

    /// The rule by which no person need be asked.
    // [POLICY-05]
    fn standing_approval(
        &self,
        manifest: &VerifiedManifest,
        level: SecurityLevel,
    ) -> Option<String> {
        if manifest.tools.iter().any(|tool| tool.sensitivity == Sensitivity::Destructive) {
            return None;
        }
        if self.trusted_packages.contains(&manifest.id) {
            return Some(format!("policy:trust_package {}", manifest.id));
        }
        if self.trusted_publishers.contains(manifest.publisher()) {
            return Some(format!("policy:trust_publisher {}", manifest.publisher()));
        }
        let low = level <= SecurityLevel::Low;
        (self.auto_approve_low && low).then(|| "policy:auto_approve_low".to_owned())
    }

    /// What the package asks for, with what this policy has behind it.
    fn requested(&self, manifest: &Manifest) -> Vec<Capability> {
        let mut list = Capability::requested_by(manifest);
        for capability in &mut list {
            match capability {
                Capability::ReadDirectory { guest, host }
                | Capability::WriteDirectory { guest, host } => {
                    *host = self.directory(&manifest.id, guest).map(|grant| grant.host.clone());
                }
                Capability::Environment { name, set } => {
                    *set = self.variable(&manifest.id, name).is_some();
                }
                _ => {}
            }
        }
        list
    }

    fn directory(&self, id: &str, guest: &str) -> Option<&DirectoryGrant> {
        let mut mapped = self.directories.iter().filter(|(scope, _)| scope.includes(id));
        mapped.rfind(|(_, grant)| grant.guest == guest).map(|(_, grant)| grant)
    }

    fn variable(&self, id: &str, name: &str) -> Option<&Variable> {
        let mut set = self.environment.iter().filter(|(scope, _)| scope.includes(id));
        set.rfind(|(_, variable)| variable.name == name).map(|(_, variable)| variable)
    }

    /// Manifest and policy, cut to what both hold. What the policy does not map or set is left out:
    /// the guest will not find it, which is no error.
    // [TOKEN-02]
    fn token(&self, manifest: &VerifiedManifest, granted_by: String) -> CapabilityToken {
        let (id, asked, runtime) = (&manifest.id, &manifest.capabilities, &manifest.runtime);
        let mut directories: BTreeMap<&str, DirectoryGrant> = BTreeMap::new();
        let read = asked.filesystem.read.iter().map(|guest| (guest, false));
        let write = asked.filesystem.write.iter().map(|guest| (guest, true));
        for (guest, asks_writable) in read.chain(write) {
            if let Some(grant) = self.directory(id, guest) {
                let writable = grant.writable && asks_writable;
                directories.insert(guest, DirectoryGrant { writable, ..grant.clone() });
            }
        }
        let variables = asked.environment.iter().filter_map(|name| self.variable(id, name));
        CapabilityToken {
            content_hash: manifest.content_hash().clone(),
            environment: variables.map(|v| (v.name.clone(), v.value.clone())).collect(),
            directories: directories.into_values().collect(),
            network: asked.network.clone(),
            storage_bytes_max: asked.storage.map_or(0, |storage| bytes(storage.limit_kb, KIB)),
            // [TOKEN-04]
            limits: RunLimits {
                memory_bytes_max: bytes(runtime.memory_limit_mb, MIB)
                    .min(self.ceilings.memory_bytes_max),
                fuel_max: runtime.fuel.min(self.ceilings.fuel_max),
                timeout: Duration::from_millis(u64::from(runtime.timeout_ms))
                    .min(self.ceilings.timeout),
                output_bytes_max: bytes(runtime.output_limit_kb, KIB)
                    .min(self.ceilings.output_bytes_max),
            },
            granted_by,
            expires: expiry(self.token_lifetime),
        }
    }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn bytes(count: u32, unit: u64) -> u64 {
    u64::from(count).saturating_mul(unit)
}
