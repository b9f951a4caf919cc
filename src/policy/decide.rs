//! Room: the decision: a verified manifest and a policy in, a token or a refusal out.

use super::capability::Capability;
use super::given::{Lacking, Place};
use super::host::Host;
use super::risk::{self, SecurityLevel};
use super::token::{expiry, CapabilityToken, DirectoryGrant, HostGrant, RunLimits, SecretHeader};
use super::{DirectoryRule, HeaderRule, PermissionPolicy, PolicyDecision, VariableRule};
use crate::agent::Agent;
use crate::error::{Code, Error};
use crate::gatekeeper::VerifiedManifest;
use crate::names::is_visible_line;
use crate::package::manifest::{Manifest, Sensitivity, Tool};
use crate::secrets::Hidden;
use crate::trust::covers;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn bytes(count: u32, unit: u64) -> u64 {
    u64::from(count).saturating_mul(unit)
}

fn is_destructive(tool: &Tool) -> bool {
    tool.sensitivity == Sensitivity::Destructive
}

impl PermissionPolicy {
    /// Decides about a package. The same policy and package give the same decision; nothing but these
    /// two is looked at.
    // [POLICY-02]
    #[must_use]
    pub fn evaluate(&self, manifest: &VerifiedManifest) -> PolicyDecision {
        self.decision(manifest, manifest.tools.iter().any(is_destructive))
    }

    /// Decides about one call. Besides the package, only this counts: whether the tool that is called is
    /// a destructive one, and, where the policy has a rule about it, the name that the agent gives itself.
    // [POLICY-20] [POLICY-21]
    #[must_use]
    pub fn evaluate_call(
        &self,
        manifest: &VerifiedManifest,
        tool: &Tool,
        agent: Option<&Agent>,
    ) -> PolicyDecision {
        let mut rules = self.agents.iter().filter(|rule| rule.packages.includes(&manifest.id));
        let name = agent.map(Agent::name);
        let named = |names: &BTreeSet<String>| name.is_some_and(|name| names.contains(name));
        if rules.clone().next().is_some() && !rules.any(|rule| named(&rule.names)) {
            let id = &manifest.id;
            let reason = format!("{id} is for named agents, and {name:?} is none of them");
            return PolicyDecision::Denied { reason };
        }
        self.decision(manifest, is_destructive(tool))
    }

    fn decision(&self, manifest: &VerifiedManifest, is_destructive: bool) -> PolicyDecision {
        if let Some(reason) = self.denial(manifest) {
            return PolicyDecision::Denied { reason };
        }
        let security_level = risk::score(manifest).level;
        if let Some(rule) = self.standing_approval(manifest, security_level, is_destructive) {
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
        if !is_visible_line(approved_by) {
            let detail = format!("{}: no name of a person who agreed", manifest.id);
            return Err(Error::new(Code::PolicyConfirmation, detail));
        }
        Ok(self.token(manifest, format!("person:{approved_by}")))
    }

    /// The first rule that denies the package, in the order of the spec.
    // [POLICY-03]
    fn denial(&self, manifest: &VerifiedManifest) -> Option<String> {
        let id = &manifest.id;
        if let Some(rule) = self.deny.packages.iter().find(|rule| covers(rule, id)) {
            return Some(format!("package {id} is denied by the rule {rule:?}"));
        }
        if manifest.signed_by().len() < self.signers_required {
            let (needed, by) = (self.signers_required, manifest.signed_by());
            return Some(format!("{needed} publishers have to sign {id}, signed by {by:?}"));
        }
        for capability in Capability::requested_by(manifest) {
            if self.deny.capabilities.contains(&capability.kind()) {
                let kind = capability.kind().as_str();
                return Some(format!("{id} asks to {capability}; {kind:?} is denied"));
            }
        }
        // [POLICY-04]
        for host in &manifest.capabilities.network {
            if let Some(rule) = self.deny.hosts.iter().find(|rule| rule.covers(&Host::of(host))) {
                return Some(format!("{id} asks to reach {host}; the host {rule} is denied"));
            }
        }
        None
    }

    /// The rule by which no person need be asked, as the audit record will name it.
    // [POLICY-05]
    fn standing_approval(
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

    /// What the package asks for, with what this policy has behind it.
    fn requested(&self, manifest: &Manifest) -> Vec<Capability> {
        let mut list = Capability::requested_by(manifest);
        for capability in &mut list {
            match capability {
                Capability::ReadDirectory { guest, host }
                | Capability::WriteDirectory { guest, host } => {
                    *host = self.directory(&manifest.id, guest).map(|rule| rule.host.clone());
                }
                Capability::Network { host, beyond } => {
                    *beyond = self.host(&manifest.id, host).beyond();
                }
                Capability::Environment { name, set } => {
                    *set = self.variable(&manifest.id, name).is_some();
                }
                _ => {}
            }
        }
        list
    }

    /// Whether this policy has a directory behind one that the manifest asks to write.
    pub(crate) fn maps_writable(&self, manifest: &Manifest) -> bool {
        self.directories_for(manifest).iter().any(|grant| grant.writable)
    }

    /// The directories that a token for this package holds.
    pub(crate) fn directories_for(&self, manifest: &Manifest) -> Vec<DirectoryGrant> {
        let asked = &manifest.capabilities.filesystem;
        let read = asked.read.iter().map(|guest| (guest, false));
        let write = asked.write.iter().map(|guest| (guest, true));
        let mut directories: BTreeMap<&str, DirectoryGrant> = BTreeMap::new();
        for (guest, asks_writable) in read.chain(write) {
            if let Some(rule) = self.directory(&manifest.id, guest) {
                let (guest_path, host) = (rule.guest.clone(), rule.host.clone());
                let writable = asks_writable && !rule.read_only;
                directories.insert(guest, DirectoryGrant { guest: guest_path, host, writable });
            }
        }
        directories.into_values().collect()
    }

    fn directory(&self, id: &str, guest: &str) -> Option<&DirectoryRule> {
        self.directories.iter().rfind(|rule| rule.guest == guest && rule.packages.includes(id))
    }

    /// A host that a manifest asks for, with what this policy says about it. Only the same text is the
    /// same host here: a rule that opens something covers nothing by accident.
    // [POLICY-12] [POLICY-13]
    fn host(&self, id: &str, host: &str) -> HostGrant {
        let headers = self.headers(id, host).map(|header| SecretHeader {
            name: header.name.clone(),
            value: header.given.value().to_owned(),
            credential: header.given.credential().to_owned(),
        });
        HostGrant {
            host: host.to_owned(),
            plain_http: self.network.plain_http.contains(host),
            private_addresses: self.network.private_addresses.contains(host),
            headers: headers.collect(),
        }
    }

    /// The secret headers of a host, by name.
    fn headers(&self, id: &str, host: &str) -> impl Iterator<Item = &HeaderRule> {
        let rules = self.network.headers.iter();
        let rules = rules.filter(|rule| rule.host == host && rule.packages.includes(id));
        rules.map(|rule| (&rule.name, rule)).collect::<BTreeMap<_, _>>().into_values()
    }

    fn variable(&self, id: &str, name: &str) -> Option<&VariableRule> {
        self.environment.iter().rfind(|rule| rule.name == name && rule.packages.includes(id))
    }

    /// Values of variables, the secrets that are still to be looked up, and what no answer may show.
    fn given(&self, manifest: &Manifest) -> (BTreeMap<String, String>, Vec<Lacking>, Vec<Hidden>) {
        let (id, asked) = (&manifest.id, &manifest.capabilities);
        let (mut values, mut lacking, mut hidden) = (BTreeMap::new(), Vec::new(), Vec::new());
        for variable in asked.environment.iter().filter_map(|name| self.variable(id, name)) {
            let (name, given) = (&variable.name, &variable.given);
            values.insert(name.clone(), given.value().to_owned());
            lacking.extend(given.lacks(Place::Variable(name.clone())));
            hidden.extend(Hidden::new(name, given.value()));
        }
        for host in &asked.network {
            for header in self.headers(id, host) {
                let (name, given) = (&header.name, &header.given);
                lacking
                    .extend(given.lacks(Place::Header { host: host.clone(), name: name.clone() }));
                hidden.extend(Hidden::new(name, given.credential()));
            }
        }
        (values, lacking, hidden)
    }

    /// Manifest and policy, cut to what both hold. What the policy does not map or set is left out:
    /// the guest will not find it, which is no error.
    // [TOKEN-02]
    fn token(&self, manifest: &VerifiedManifest, granted_by: String) -> CapabilityToken {
        let (id, asked, runtime) = (&manifest.id, &manifest.capabilities, &manifest.runtime);
        let most = &self.ceilings;
        let (variables, lacking, hidden) = self.given(manifest);
        CapabilityToken {
            content_hash: manifest.content_hash().clone(),
            environment: variables,
            lacking,
            hidden,
            directories: self.directories_for(manifest),
            network: asked.network.clone(),
            hosts: asked.network.iter().map(|host| self.host(id, host)).collect(),
            package: id.clone(),
            publisher_key: manifest.publisher_key().cloned(),
            storage_bytes_max: asked.storage.map_or(0, |storage| bytes(storage.limit_kb, KIB)),
            // [TOKEN-04]
            limits: RunLimits {
                memory_bytes_max: bytes(runtime.memory_limit_mb.min(most.memory_limit_mb), MIB),
                fuel_max: runtime.fuel.min(most.fuel),
                timeout: Duration::from_millis(runtime.timeout_ms.min(most.timeout_ms).into()),
                output_bytes_max: bytes(runtime.output_limit_kb.min(most.output_limit_kb), KIB),
            },
            granted_by,
            expires: expiry(Duration::from_secs(self.token_lifetime_s)),
            real_clock: self.real_clock,
            real_random: self.real_random,
        }
    }
}
