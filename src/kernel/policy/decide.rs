//! Policy decisions: from a verified manifest and a policy to a token, a required approval or a denial.

use super::capability::{directories, Capability};
use super::host_pattern::HostPattern;
use super::risk::{self, SecurityLevel};
use super::token::{CapabilityToken, RunLimits};
use super::value_or_secret::ValueSource;
use super::{DirectoryRule, PermissionPolicy, PolicyDecision, ToolRules};
use crate::kernel::agent::Agent;
use crate::kernel::gatekeeper::VerifiedManifest;
use crate::kernel::limits::TOKEN_LIFETIME_S_MAX;
use crate::kernel::names::is_visible_line;
use crate::kernel::package::manifest::{Manifest, Tool};
use crate::kernel::prelude::*;
use crate::kernel::trust::namespace_contains;
use core::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn bytes(count: u32, unit: u64) -> u64 {
    u64::from(count).saturating_mul(unit)
}

impl PermissionPolicy {
    /// Decides about a package. The decision depends on the policy and the package only. `elapsed` is the
    /// host's monotonic time, from which a token's lifetime counts.
    // [POLICY-02]
    pub fn decide(&self, manifest: &VerifiedManifest, elapsed: Duration) -> PolicyDecision {
        self.decision(manifest, manifest.tools.iter().any(Tool::is_destructive), elapsed)
    }

    /// Decides about one call. Besides the package, the decision depends on whether the tool is destructive,
    /// and on the self-reported agent name, if the policy has a rule for it.
    // [POLICY-20] [POLICY-21] [POLICY-23]
    pub fn decide_call(
        &self,
        manifest: &VerifiedManifest,
        tool: &Tool,
        agent: Option<&Agent>,
        elapsed: Duration,
    ) -> PolicyDecision {
        if self.hides(&manifest.id, &tool.name) {
            let reason = format!("`tools` does not offer {:?} of {}", tool.name, manifest.id);
            return PolicyDecision::Denied { reason };
        }
        let mut rules = self.agents.iter().filter(|rule| rule.packages.includes(&manifest.id));
        let name = agent.map(Agent::name);
        let named = |names: &BTreeSet<String>| name.is_some_and(|name| names.contains(name));
        if rules.clone().next().is_some() && !rules.any(|rule| named(&rule.names)) {
            let (id, agent) = (&manifest.id, name.unwrap_or_default());
            let reason = format!("{id} is restricted to named agents; {agent:?} is not listed");
            return PolicyDecision::Denied { reason };
        }
        self.decision(manifest, tool.is_destructive(), elapsed)
    }

    fn decision(
        &self,
        manifest: &VerifiedManifest,
        is_destructive: bool,
        elapsed: Duration,
    ) -> PolicyDecision {
        if let Some(reason) = self.denial_reason(manifest) {
            return PolicyDecision::Denied { reason };
        }
        let security_level = risk::score(manifest).level;
        if let Some(rule) = self.auto_approval_rule(manifest, security_level, is_destructive) {
            return PolicyDecision::Granted(self.token(manifest, rule, elapsed));
        }
        // [POLICY-06]
        if self.non_interactive {
            let reason = format!(
                "{} ({security_level}) requires approval, but the policy is non-interactive",
                manifest.id
            );
            return PolicyDecision::Denied { reason };
        }
        // [POLICY-07]
        PolicyDecision::RequiresConfirmation { capabilities: self.grants(manifest), security_level }
    }

    /// Returns the token for an approved package, with the name of the approver for the audit log. An
    /// approval does not override a denial.
    ///
    /// # Errors
    /// `policy.denied` if a rule denies the package or the policy is non-interactive;
    /// `policy.confirmation_required` if `approved_by` is not a name.
    // [POLICY-08]
    pub fn confirm_at(
        &self,
        manifest: &VerifiedManifest,
        approved_by: &str,
        elapsed: Duration,
    ) -> Result<CapabilityToken, Error> {
        if let Some(reason) = self.denial_reason(manifest) {
            return Err(Error::new(Code::PolicyDenied, reason));
        }
        if self.non_interactive {
            let detail = format!("{}: the policy is non-interactive", manifest.id);
            return Err(Error::new(Code::PolicyDenied, detail));
        }
        if !is_visible_line(approved_by) {
            let detail = format!("{}: approver name is missing", manifest.id);
            return Err(Error::new(Code::PolicyConfirmation, detail));
        }
        Ok(self.token(manifest, format!("person:{approved_by}"), elapsed))
    }

    /// Returns the first rule that denies the package, in the order of the specification.
    // [POLICY-03]
    fn denial_reason(&self, manifest: &VerifiedManifest) -> Option<String> {
        let id = &manifest.id;
        if let Some(rule) = self.package_rule(id) {
            return Some(format!("{id} is denied by the package rule {rule:?}"));
        }
        if manifest.signer_names().len() < self.signers_required {
            let (needed, by) = (self.signers_required, manifest.signer_names());
            return Some(format!("{id} is signed by {by:?}, {needed} publishers are required"));
        }
        self.denied_request(manifest)
    }

    /// Returns `true` if a rule denies the package, regardless of its signers.
    // [SRV-21]
    pub fn denies(&self, manifest: &Manifest) -> bool {
        self.package_rule(&manifest.id).is_some() || self.denied_request(manifest).is_some()
    }

    /// Returns `true` if the policy does not offer a tool, by its own name.
    // [POLICY-23]
    pub fn hides(&self, id: &str, tool: &str) -> bool {
        let covers = |rule: &String| {
            let (namespace, name) = rule.split_once('/').unwrap_or((rule, tool));
            namespace_contains(namespace, id) && name == tool
        };
        let ToolRules { allow, deny } = &self.tools;
        deny.iter().any(covers) || !(allow.is_empty() || allow.iter().any(covers))
    }

    /// Returns the name under which the policy lists a tool, if it renames it.
    pub fn listed_name(&self, id: &str, tool: &str) -> Option<&str> {
        self.names.get(&format!("{id}/{tool}")).map(String::as_str)
    }

    fn package_rule(&self, id: &str) -> Option<&String> {
        self.deny.packages.iter().find(|rule| namespace_contains(rule, id))
    }

    fn denied_request(&self, manifest: &Manifest) -> Option<String> {
        let id = &manifest.id;
        for capability in Capability::requested_by(manifest) {
            let kind = capability.kind().filter(|kind| self.deny.capabilities.contains(kind));
            if let Some(kind) = kind {
                let kind = kind.as_str();
                return Some(format!("{id} requests to {capability}; {kind:?} is denied"));
            }
        }
        // [POLICY-04]
        for host in &manifest.capabilities.network {
            if let Some(rule) =
                self.deny.hosts.iter().find(|rule| rule.covers(&HostPattern::from_text(host)))
            {
                return Some(format!("{id} requests to connect to {host}; host {rule} is denied"));
            }
        }
        None
    }

    /// Returns the rule that grants a token without approval, with its name in the audit record.
    // [POLICY-05]
    fn auto_approval_rule(
        &self,
        manifest: &VerifiedManifest,
        level: SecurityLevel,
        is_destructive: bool,
    ) -> Option<String> {
        if is_destructive {
            return None;
        }
        if self.trusted_packages.contains(&manifest.id) {
            return Some(format!("policy:trust_package {}", manifest.id));
        }
        if self.trusted_publishers.contains(manifest.publisher()) {
            return Some(format!("policy:trust_publisher {}", manifest.publisher()));
        }
        // [POLICY-16]
        if self.ask_always {
            return None;
        }
        match level {
            // [POLICY-15]
            SecurityLevel::None => Some("default:none".to_owned()),
            SecurityLevel::Low if self.auto_approve_low => {
                Some("policy:auto_approve_low".to_owned())
            }
            _ => None,
        }
    }

    /// Returns what the package requests, with what this policy provides for it, and what the policy grants to
    /// all packages. Hosts are compared as texts, so that no rule applies to a host it does not name.
    // [POLICY-12] [POLICY-13] [TOKEN-05]
    fn grants(&self, manifest: &Manifest) -> Vec<Capability> {
        let id = &manifest.id;
        let mut list = Capability::requested_by(manifest);
        for capability in &mut list {
            match capability {
                Capability::Network { host, plain_http, private_addresses, headers } => {
                    *plain_http = self.network.plain_http.contains(host);
                    *private_addresses = self.network.private_addresses.contains(host);
                    *headers = self.headers(id, host);
                }
                Capability::Directory { guest, host, writable } => {
                    if let Some(rule) = self.directory(id, guest) {
                        *host = Some(rule.host.clone());
                        *writable = *writable && !rule.read_only;
                    }
                }
                Capability::Environment { name, source } => *source = self.variable(id, name),
                _ => {}
            }
        }
        list.extend(self.real_clock.then_some(Capability::RealClock));
        list.extend(self.real_random.then_some(Capability::RealRandom));
        list
    }

    /// Returns `true` if this policy maps a directory that the manifest requests to write.
    #[must_use]
    pub fn maps_writable(&self, manifest: &Manifest) -> bool {
        directories(&self.grants(manifest)).iter().any(|grant| grant.writable)
    }

    fn directory(&self, id: &str, guest: &str) -> Option<&DirectoryRule> {
        self.directories.iter().rfind(|rule| rule.guest == guest && rule.packages.includes(id))
    }

    /// Returns the secret headers of a host, by name. The last rule for a name applies.
    fn headers(&self, id: &str, host: &str) -> BTreeMap<String, ValueSource> {
        let rules = self.network.headers.iter();
        let rules = rules.filter(|rule| rule.host == host && rule.packages.includes(id));
        rules.map(|rule| (rule.name.clone(), rule.source.clone())).collect()
    }

    fn variable(&self, id: &str, name: &str) -> Option<ValueSource> {
        let mut rules = self.environment.iter().rev();
        let found = rules.find(|rule| rule.name == name && rule.packages.includes(id));
        found.map(|rule| rule.source.clone())
    }

    /// Returns the token: the intersection of manifest and policy. What the policy does not map or set is
    /// omitted without an error; the guest does not find it.
    // [TOKEN-02]
    fn token(
        &self,
        manifest: &VerifiedManifest,
        granted_by: String,
        elapsed: Duration,
    ) -> CapabilityToken {
        let (runtime, ceilings) = (&manifest.runtime, &self.ceilings);
        let mut grants = self.grants(manifest);
        grants.retain(Capability::is_grantable);
        let lifetime = Duration::from_secs(self.token_lifetime_s.min(TOKEN_LIFETIME_S_MAX));
        CapabilityToken {
            content_hash: manifest.content_hash().clone(),
            package: manifest.id.clone(),
            publisher_key: manifest.publisher_key().cloned(),
            grants,
            // [TOKEN-04]
            limits: RunLimits {
                memory_bytes_max: bytes(runtime.memory_limit_mb.min(ceilings.memory_limit_mb), MIB),
                fuel_max: runtime.fuel.min(ceilings.fuel),
                timeout: Duration::from_millis(runtime.timeout_ms.min(ceilings.timeout_ms).into()),
                output_bytes_max: bytes(runtime.output_limit_kb.min(ceilings.output_limit_kb), KIB),
            },
            granted_by,
            // [TOKEN-03]
            expires: elapsed.saturating_add(lifetime),
        }
    }
}
