//! Policies: the rules of a host for what verified packages get. A decision ends in a [`CapabilityToken`].
//!
//! No package and no request can widen a policy: a token contains the intersection of what the manifest
//! requests and what the policy allows.

pub mod capability;
mod decide;
mod host_pattern;
mod narrow;
pub mod risk;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/policy/mod.rs"]
mod tests;
pub mod token;
mod value_or_secret;

use crate::kernel::document::{self, integer, list, object, optional, text, Document, FromJson};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{
    COMPILED_CODE_MB, CONSENT_WAIT_S_MAX, GUEST_MEMORY_MB, LIST_COUNT_MAX, POLICY_FILE_BYTES_MAX,
    SIGNATURES_COUNT_MAX, TOKEN_LIFETIME_S_MAX,
};
use crate::kernel::names::{self, is_agent_name, is_host_and_port, is_namespace};
use crate::kernel::package::manifest::PrivacyFilters;
use crate::kernel::prelude::*;
use crate::kernel::privacy::{self, Keep, Kind, PrivacyFilterEngine, Replacement};
use crate::kernel::trust::{is_publisher_name, namespace_contains, NAMESPACE};
pub use capability::{Capability, CapabilityKind};
use core::time::Duration;
use host_pattern::HostPattern;
pub use risk::SecurityLevel;
use serde_json::Value;
use token::CapabilityToken;
pub use value_or_secret::ValueSource;
use value_or_secret::{of_header, of_variable};

/// The decision of a policy about a package.
#[derive(Clone, Debug)]
#[must_use]
#[allow(clippy::large_enum_variant)] // one is made for each call, and matched at once
pub enum PolicyDecision {
    /// The package is allowed to run with the grants of the token.
    Granted(CapabilityToken),
    /// The package requires approval: show this to a person, then call [`PermissionPolicy::confirm`].
    RequiresConfirmation {
        /// The requested capabilities.
        capabilities: Vec<Capability>,
        /// The risk level of the package.
        security_level: SecurityLevel,
    },
    /// The package is denied. No approval overrides this.
    Denied {
        /// The rule that denies it.
        reason: String,
    },
}

object! {
    /// The rules of a host, as its policy file states them. The default trusts and denies no package, and maps
    /// and sets nothing: a package that requests nothing runs, and any other requires approval. An empty
    /// policy file and a missing one mean this default.
    ///
    /// ```no_run
    /// use mpp::policy::{PermissionPolicy, PolicyDecision};
    /// # fn decide(manifest: &mpp::gatekeeper::VerifiedManifest) -> Result<(), mpp::Error> {
    /// let policy = PermissionPolicy::new().trust_package("org.acme.weather").auto_approve_low(true);
    /// let token = match policy.evaluate(manifest) {
    ///     PolicyDecision::Granted(token) => token,
    ///     PolicyDecision::RequiresConfirmation { capabilities, security_level } => {
    ///         println!("{security_level}: {capabilities:?}"); // and ask for approval
    ///         policy.confirm(manifest, "terminal:alice")?
    ///     }
    ///     PolicyDecision::Denied { reason } => return Ok(println!("{reason}")),
    /// };
    /// # let _ = token; Ok(()) }
    /// ```
    // [POLICY-10] [POLICY-17]
    #[derive(Clone, Debug)]
    pub struct PermissionPolicy: FromJson {
        /// Ids of packages that run without approval, except destructive tools.
        pub(in crate::kernel) trusted_packages: BTreeSet<String> = BTreeSet::new(),
            any(text(names::is_id, "a package id"));
        /// The same for all packages of a publisher, by its name in the trust store.
        pub(in crate::kernel) trusted_publishers: BTreeSet<String> = BTreeSet::new(),
            any(text(is_publisher_name, "a publisher's name"));
        /// Packages of the level `Low` run without approval, like those of the level `None` do by default.
        pub(in crate::kernel) auto_approve_low: bool = false;
        /// Packages of the level `None` require approval too. It conflicts with `auto_approve_low`.
        pub(in crate::kernel) ask_always: bool = false, |place| ask_always(place, auto_approve_low);
        /// No approver is available: what requires approval is denied.
        pub(in crate::kernel) non_interactive: bool = false;
        /// Tools read this host's clocks instead of deterministic ones.
        pub(in crate::kernel) real_clock: bool = false;
        /// Tools get random numbers of this host instead of deterministic ones.
        pub(in crate::kernel) real_random: bool = false;
        /// The number of trusted publishers that must sign a package: 2 for an author and an approver.
        pub(in crate::kernel) signers_required: usize = 1, integer(1..=SIGNATURES_COUNT_MAX);
        /// The lifetime of tokens, in seconds.
        pub(in crate::kernel) token_lifetime_s: u64 = 300, integer(1..=TOKEN_LIFETIME_S_MAX);
        pub(in crate::kernel) deny: Denials = Denials::default();
        pub(in crate::kernel) ceilings: Ceilings = Ceilings::default();
        pub(in crate::kernel) directories: Vec<DirectoryRule> = Vec::new();
        pub(in crate::kernel) environment: Vec<VariableRule> = Vec::new();
        /// The command that prints secrets, instead of the file in the home directory.
        pub(in crate::kernel) secrets_command: Option<Vec<String>> = None, optional(secrets_command);
        pub(in crate::kernel) network: NetworkRules = NetworkRules::default();
        pub(in crate::kernel) privacy_filters: FilterRules = FilterRules::default(), filter_rules;
        /// The form of the replacements.
        pub(in crate::kernel) privacy_replacement: Replacement = Replacement::Label;
        pub(in crate::kernel) agents: Vec<AgentRule> = Vec::new();
        /// The names under which this host lists tools, by `ID/TOOL`.
        pub(in crate::kernel) names: BTreeMap<String, String> = BTreeMap::new(), listed_names;
        pub(in crate::kernel) tools: ToolRules = ToolRules::default();
        /// How approval is requested on behalf of a server.
        pub consent: ConsentRules = ConsentRules::default();
        /// What all calls of a process share.
        pub budgets: BudgetRules = BudgetRules::default();
        /// The file of the policy, which the host sets. It is not part of the document.
        pub(in crate::kernel) file: Option<String> = None => |_| Ok(None);
    }
}

object! {
    /// Rules that no approval overrides.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct Denials: FromJson {
        /// Ids and namespaces; `*` means all.
        pub(in crate::kernel) packages: BTreeSet<String> = BTreeSet::new(),
            any(text(is_namespace, NAMESPACE));
        /// Kinds that no package is allowed to request.
        pub(in crate::kernel) capabilities: BTreeSet<CapabilityKind> = BTreeSet::new(),
            any(CapabilityKind::read);
        /// Hosts that no package is allowed to request, and their subdomains.
        pub(in crate::kernel) hosts: BTreeSet<HostPattern> = BTreeSet::new(), any(HostPattern::read);
    }
}

object! {
    /// The most that a call gets, besides the limits on manifests.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct Ceilings: FromJson {
        pub(in crate::kernel) memory_limit_mb: u32 = u32::MAX, integer(1..=u32::MAX);
        pub(in crate::kernel) timeout_ms: u32 = u32::MAX, integer(1..=u32::MAX);
        pub(in crate::kernel) fuel: u64 = u64::MAX, integer(1..=u64::MAX);
        pub(in crate::kernel) output_limit_kb: u32 = u32::MAX, integer(1..=u32::MAX);
    }
}

object! {
    /// Maps a directory of this host to a guest path, for packages that request exactly that path. The last
    /// rule for a path applies.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::kernel) struct DirectoryRule: FromJson {
        pub(in crate::kernel) guest: String,
            text(names::is_guest_directory, "an absolute guest path as in a manifest");
        pub(in crate::kernel) host: String, text(is_host_path, "an absolute path of this host");
        pub(in crate::kernel) read_only: bool = false;
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// Sets a variable, for packages that request it. The last rule for a name applies.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::kernel) struct VariableRule: FromJson {
        pub(in crate::kernel) name: String, text(names::is_environment_name, "a name as in a manifest");
        /// The members `value` and `secret`.
        pub(in crate::kernel) source: ValueSource => of_variable;
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// Exceptions for hosts, which are compared as texts. Hosts of `plain_http` need a port, since the default
    /// port is that of TLS.
    // [POLICY-12]
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct NetworkRules: FromJson {
        pub(in crate::kernel) plain_http: BTreeSet<String> = BTreeSet::new(),
            any(text(|text| is_host_and_port(text) && text.contains(':'), "a host with its port"));
        pub(in crate::kernel) private_addresses: BTreeSet<String> = BTreeSet::new(),
            any(text(is_host_and_port, HOST));
        pub(in crate::kernel) headers: Vec<HeaderRule> = Vec::new();
    }
}

object! {
    /// Adds a header to requests to exactly this host over TLS. The guest does not see its value. The last rule
    /// for a name applies.
    // [POLICY-13]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::kernel) struct HeaderRule: FromJson {
        pub(in crate::kernel) host: String, text(is_host_and_port, HOST);
        pub(in crate::kernel) name: String,
            text(names::is_header_name, "a lower-case header name that does not belong to the transport");
        /// The members `value`, `secret` and `prefix`.
        pub(in crate::kernel) source: ValueSource => of_header;
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// What is redacted from every response in addition to the manifest's filters, and what is not.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct FilterRules: FromJson {
        /// The members `patterns` and `custom`.
        pub(in crate::kernel) always: PrivacyFilters = PrivacyFilters::default() => PrivacyFilters::members;
        pub(in crate::kernel) keep: Keep = Keep::default();
        pub(in crate::kernel) except: Vec<FilterException> = Vec::new();
    }
}

object! {
    /// Turns built-in kinds off for packages.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::kernel) struct FilterException: FromJson {
        pub(in crate::kernel) kinds: BTreeSet<String>,
            list(1..=usize::MAX, text(|name| Kind::from_name(name).is_some(), "a built-in kind"));
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// Restricts packages to some agents by their self-reported names. It keeps honest agents apart, but does
    /// not stop a dishonest one.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::kernel) struct AgentRule: FromJson {
        pub(in crate::kernel) names: BTreeSet<String>, list(1..=usize::MAX, text(is_agent_name, "an agent's name"));
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// The tools that this host offers: namespaces, with `/` and a tool's own name for single ones.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct ToolRules: FromJson {
        /// Only these, if there are any.
        pub(in crate::kernel) allow: BTreeSet<String> = BTreeSet::new(),
            list(1..=usize::MAX, text(is_tool_rule, TOOL_RULE));
        /// Not these, even if they are allowed.
        pub(in crate::kernel) deny: BTreeSet<String> = BTreeSet::new(), any(text(is_tool_rule, TOOL_RULE));
    }
}

object! {
    /// How approval is requested on behalf of a server.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ConsentRules: FromJson {
        /// How long a call waits for a decision, in seconds; 0 means not at all. MCP clients usually give up
        /// after a minute.
        pub wait_s: u64 = 55, integer(0..=CONSENT_WAIT_S_MAX);
        /// The highest level at which MCP elicitation is allowed to request approval; `None` disables it. An
        /// elicited response does not prove that a person gave it.
        pub elicitation: Option<SecurityLevel> = None;
        /// Whether an approval can be remembered for later calls.
        pub remember: bool = true;
    }
}

object! {
    /// What all calls of one process share. A call that does not fit waits within its own time.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct BudgetRules: FromJson {
        /// Linear memory, output and files of all running calls, in MB.
        pub guest_memory_mb: u64 = GUEST_MEMORY_MB, integer(1..=u64::from(u32::MAX));
        /// Compiled code and assets of the packages kept in memory, in MB.
        pub code_mb: u64 = COMPILED_CODE_MB, integer(1..=u64::from(u32::MAX));
        /// Descriptors of the process; by default what the system allows it.
        pub descriptors: Option<u64> = None, optional(integer(1..=u64::from(u32::MAX)));
    }
}

impl ConsentRules {
    /// Returns how long a call waits for a decision.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_s)
    }
}

/// The packages of a rule: ids or namespaces; an empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct PackageScope(Vec<String>);

impl PackageScope {
    fn includes(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|namespace| namespace_contains(namespace, id))
    }
}

/// Refuses an empty list: it reads like "none", but would mean all.
// [POLICY-11]
impl FromJson for PackageScope {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        list(1..=usize::MAX, text(is_namespace, NAMESPACE))(place).map(PackageScope)
    }
}

const HOST: &str = "a host as a manifest writes it";
const TOOL_RULE: &str = "a namespace, or one with `/` and a tool's name";

fn is_tool_rule(text: &str) -> bool {
    let (namespace, tool) = text.split_once('/').unwrap_or((text, "any"));
    is_namespace(namespace) && names::is_tool_name(tool)
}

/// Reads names of tools by `ID/TOOL`, none of which a client takes for another.
// [POLICY-24]
fn listed_names(place: &Field) -> Result<BTreeMap<String, String>, DocumentError> {
    let mut taken = BTreeSet::new();
    let rule = |(tool, name): (&String, &Value)| {
        let place = place.child(tool, name);
        let is_tool = tool.split_once('/').is_some_and(|(id, _)| names::is_id(id));
        place.check(is_tool && is_tool_rule(tool), "must be the name of `ID/TOOL`")?;
        let name = text(names::is_tool_name, "a tool's name")(&place)?;
        place.check(taken.insert(names::fold_tool_name(&name)), "names two tools alike")?;
        Ok((tool.clone(), name))
    };
    place.members()?.iter().map(rule).collect()
}

/// Reads a set of any size.
fn any<T: Ord>(
    rule: impl FnMut(&Field) -> Result<T, DocumentError>,
) -> impl FnOnce(&Field) -> Result<BTreeSet<T>, DocumentError> {
    list(0..=usize::MAX, rule)
}

// [POLICY-16]
fn ask_always(place: &Field, auto_approve_low: bool) -> Result<bool, DocumentError> {
    let is_set = place.boolean()?;
    place.check(!(is_set && auto_approve_low), "conflicts with `auto_approve_low`")?;
    Ok(is_set)
}

fn is_host_path(text: &str) -> bool {
    names::is_absolute_path(text) && !text.contains('\0')
}

/// Reads the absolute path of a program, and its first arguments.
// [SECRET-14]
fn secrets_command(place: &Field) -> Result<Vec<String>, DocumentError> {
    let arguments = place.array(1..=LIST_COUNT_MAX, String::read)?;
    let absolute = arguments.first().is_some_and(|program| names::is_absolute_path(program));
    let allowed = absolute && arguments.iter().all(|text| !text.contains('\0'));
    place.check(allowed, "must start with an absolute path")?;
    Ok(arguments)
}

fn filter_rules(place: &Field) -> Result<FilterRules, DocumentError> {
    let rules = FilterRules::read(place)?;
    privacy::check_patterns(&rules.always.patterns, &rules.always.custom)
        .map_err(|error| place.bad_value(error.detail()))?;
    Ok(rules)
}

impl Document for PermissionPolicy {
    const FORMAT: &'static str = "mpp-policy/1";
    const BYTES_MAX: usize = POLICY_FILE_BYTES_MAX;
    const INVALID: Code = Code::PolicyInvalid;
}

impl PermissionPolicy {
    /// Returns the policy without rules.
    // [POLICY-17]
    pub fn new() -> Self {
        PermissionPolicy::default()
    }

    /// Reads the JSON form. A rule that could never apply is an error.
    ///
    /// ```
    /// // A host that allows less than manifests can request.
    /// let policy = mpp::PermissionPolicy::from_json(
    ///     br#"{ "format": "mpp-policy/1", "ceilings": { "memory_limit_mb": 64, "timeout_ms": 5000,
    ///           "fuel": 1000000000, "output_limit_kb": 256 } }"#,
    /// );
    /// assert!(policy.is_ok());
    /// ```
    ///
    /// # Errors
    /// `policy.invalid`.
    // [POLICY-10]
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        document::parse(bytes)
    }

    /// Lets the package with exactly this id run without approval, except for destructive tools.
    pub fn trust_package(mut self, id: impl Into<String>) -> Self {
        self.trusted_packages.insert(id.into());
        self
    }

    /// Sets whether packages of the level `Low` run without approval.
    pub fn auto_approve_low(self, yes: bool) -> Self {
        PermissionPolicy { auto_approve_low: yes, ..self }
    }

    /// Denies every package.
    pub fn deny_all(mut self) -> Self {
        self.deny.packages.insert("*".to_owned());
        self
    }

    /// Maps a directory of the host to a guest path, for every package that requests exactly that path. The
    /// last mapping of a path applies.
    pub fn map(mut self, guest: impl Into<String>, host: impl Into<String>) -> Self {
        let (guest, host, packages) = (guest.into(), host.into(), PackageScope::default());
        self.directories.push(DirectoryRule { guest, host, read_only: false, packages });
        self
    }

    /// Sets a variable for every package that requests it. The last value applies. The environment of the
    /// host process is never used.
    pub fn allow_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, source) = (name.into(), ValueSource::new(value));
        self.environment.push(VariableRule { name, source, packages: PackageScope::default() });
        self
    }

    /// Sets whether tools read this host's clocks instead of deterministic ones.
    pub fn real_clock(self, yes: bool) -> Self {
        PermissionPolicy { real_clock: yes, ..self }
    }

    /// Sets whether tools get random numbers of this host instead of deterministic ones.
    pub fn real_random(self, yes: bool) -> Self {
        PermissionPolicy { real_random: yes, ..self }
    }

    /// Returns the filter for results of the package with this id: what its manifest requests and what the
    /// policy adds, without what the policy excepts and keeps.
    ///
    /// # Errors
    /// `privacy.pattern`.
    // [PRIV-03] [PRIV-87]
    pub fn privacy_filter(
        &self,
        id: &str,
        requested: &PrivacyFilters,
    ) -> Result<PrivacyFilterEngine, Error> {
        let FilterRules { always, keep, except } = &self.privacy_filters;
        let is_excepted = |kind: &String| {
            except.iter().any(|rule| rule.kinds.contains(kind) && rule.packages.includes(id))
        };
        let kinds = requested.patterns.iter().chain(&always.patterns);
        let kinds: Vec<_> = kinds.filter(|kind| !is_excepted(kind)).cloned().collect();
        let custom: Vec<_> = requested.custom.iter().chain(&always.custom).cloned().collect();
        Ok(PrivacyFilterEngine::from_config(&kinds, &custom)?.with_keep(keep))
    }

    /// Returns the number of trusted publishers that must sign, for check 5.
    pub fn signers_required(&self) -> usize {
        self.signers_required
    }

    /// Returns the command that prints secrets, if set.
    pub fn secrets_command(&self) -> Option<&[String]> {
        self.secrets_command.as_deref()
    }

    /// Returns the file of the policy, which guests must not access, if set.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Sets the file of the policy.
    pub fn from_file(self, file: impl Into<String>) -> Self {
        PermissionPolicy { file: Some(file.into()), ..self }
    }

    /// Returns the names of the secrets in this policy, each with its use.
    pub fn secret_uses(&self) -> Vec<(String, String)> {
        let variables =
            self.environment.iter().map(|it| (&it.source, format!("variable {}", it.name)));
        let headers = (self.network.headers.iter())
            .map(|it| (&it.source, format!("header {} of {}", it.name, it.host)));
        let all = variables.chain(headers);
        all.filter_map(|(source, place)| Some((source.secret.clone()?, place))).collect()
    }
}
