//! An organisation's policy over a host's own: the host's rules narrow it, and one that would widen it is an error.

#[cfg(test)]
#[path = "../../../conformance/unit/kernel/policy/narrow.rs"]
mod tests;

use super::{Denials, DirectoryRule, FilterRules, PermissionPolicy, ToolRules};
use crate::kernel::prelude::*;
use crate::kernel::privacy::Replacement;

impl PermissionPolicy {
    /// Returns this policy of an organisation, narrowed by the host's own. Doing so again changes nothing.
    ///
    /// # Errors
    /// `policy.wider`: the host's policy allows what this one does not, with the member's name.
    // [ORG-06]
    pub fn narrowed_by(&self, local: &PermissionPolicy) -> Result<PermissionPolicy, Error> {
        let mut new = self.clone();
        let (ours, theirs) = (&self.network, &local.network);
        let filters = (&self.privacy_filters, &local.privacy_filters);
        let replaces = local.privacy_replacement;
        let widening = [
            ("trusted_packages", local.trusted_packages.is_subset(&self.trusted_packages)),
            ("trusted_publishers", local.trusted_publishers.is_subset(&self.trusted_publishers)),
            ("auto_approve_low", self.auto_approve_low || !local.auto_approve_low),
            ("real_clock", self.real_clock || !local.real_clock),
            ("real_random", self.real_random || !local.real_random),
            ("directories", local.directories.iter().all(|rule| self.maps(rule))),
            ("environment", all_in(&local.environment, &self.environment)),
            ("network.plain_http", theirs.plain_http.is_subset(&ours.plain_http)),
            (
                "network.private_addresses",
                theirs.private_addresses.is_subset(&ours.private_addresses),
            ),
            ("network.headers", all_in(&theirs.headers, &ours.headers)),
            ("privacy_filters.except", all_in(&filters.1.except, &filters.0.except)),
            (
                "privacy_filters.keep",
                filters.1.keep == Default::default() || filters.0.keep == filters.1.keep,
            ),
            (
                "privacy_replacement",
                replaces == Replacement::Label || replaces == self.privacy_replacement,
            ),
            ("agents", self.agents.is_empty() || all_in(&local.agents, &self.agents)),
            (
                "tools.allow",
                self.tools.allow.is_empty() || local.tools.allow.is_subset(&self.tools.allow),
            ),
            ("consent.elicitation", local.consent.elicitation <= self.consent.elicitation),
        ];
        if let Some((member, _)) = widening.iter().find(|(_, is_narrower)| !is_narrower) {
            let detail = format!("`{member}` of this host allows what the organisation does not");
            return Err(Error::new(Code::PolicyWider, detail));
        }
        new.ask_always |= local.ask_always;
        new.auto_approve_low &= !new.ask_always;
        new.non_interactive |= local.non_interactive;
        new.signers_required = new.signers_required.max(local.signers_required);
        new.token_lifetime_s = new.token_lifetime_s.min(local.token_lifetime_s);
        let Denials { packages, capabilities, hosts } = local.deny.clone();
        new.deny.packages.extend(packages);
        new.deny.capabilities.extend(capabilities);
        new.deny.hosts.extend(hosts);
        for rule in &mut new.directories {
            let is_same = |it: &&DirectoryRule| {
                (&it.guest, &it.host, &it.packages) == (&rule.guest, &rule.host, &rule.packages)
            };
            rule.read_only |=
                local.directories.iter().rfind(is_same).is_some_and(|it| it.read_only);
        }
        let (to, from) = (&mut new.ceilings, &local.ceilings);
        to.memory_limit_mb = to.memory_limit_mb.min(from.memory_limit_mb);
        to.timeout_ms = to.timeout_ms.min(from.timeout_ms);
        to.fuel = to.fuel.min(from.fuel);
        to.output_limit_kb = to.output_limit_kb.min(from.output_limit_kb);
        let FilterRules { always, .. } = local.privacy_filters.clone();
        add(&mut new.privacy_filters.always.patterns, always.patterns);
        add(&mut new.privacy_filters.always.custom, always.custom);
        if new.agents.is_empty() {
            new.agents.clone_from(&local.agents);
        }
        let ToolRules { allow, deny } = local.tools.clone();
        new.tools.deny.extend(deny);
        if !allow.is_empty() {
            new.tools.allow = allow;
        }
        if new.names.is_empty() {
            new.names.clone_from(&local.names);
        }
        new.consent.wait_s = local.consent.wait_s;
        new.consent.elicitation = local.consent.elicitation.or(new.consent.elicitation);
        new.consent.remember &= local.consent.remember;
        new.budgets = local.budgets;
        new.secrets_command = new.secrets_command.or_else(|| local.secrets_command.clone());
        new.file.clone_from(&local.file);
        Ok(new)
    }

    /// Returns whether this policy has a rule for a directory, for writing if that is for writing.
    fn maps(&self, rule: &DirectoryRule) -> bool {
        let read_only = DirectoryRule { read_only: true, ..rule.clone() };
        let same = |ours: &&DirectoryRule| {
            DirectoryRule { read_only: true, ..(*ours).clone() } == read_only
        };
        self.directories.iter().filter(same).any(|ours| rule.read_only || !ours.read_only)
    }
}

fn all_in<T: PartialEq>(local: &[T], ours: &[T]) -> bool {
    local.iter().all(|rule| ours.contains(rule))
}

fn add<T: PartialEq>(to: &mut Vec<T>, from: Vec<T>) {
    for one in from {
        if !to.contains(&one) {
            to.push(one);
        }
    }
}
