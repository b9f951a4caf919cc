//! Floor 2: what a verified package may touch: from a manifest, a policy and perhaps a person's word
//! to a [`CapabilityToken`]. `spec/policy.md` is its page.
//!
//! Nothing in a package or a request can widen a policy: a token holds what the manifest asks for,
//! cut down to what the policy allows, and never more than either.

pub mod capability;
mod decide;
mod file;
mod given;
mod host;
pub mod risk;
#[cfg(test)]
mod tests;
pub mod token;

use crate::package::manifest::CustomPattern;
use crate::privacy::Replacement;
use crate::secrets::SecretCommand;
use crate::trust::covers;
pub use capability::{Capability, CapabilityKind};
pub use given::Setting;
use host::Host;
pub use risk::SecurityLevel;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use token::{CapabilityToken, DirectoryGrant, RunLimits, LIFETIME_DEFAULT};

/// What a policy says about a package.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one is made for each call, and taken apart at once
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

/// The rules of one host. A new policy trusts no package, denies none, and maps and sets nothing: a
/// package that asks for nothing runs, and a person has to agree to every other. A policy file without
/// rules, and no policy file at all, are this same policy.
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
    ask_always: bool,
    non_interactive: bool,
    signers_required: usize,
    denied_packages: BTreeSet<String>,
    denied_capabilities: BTreeSet<CapabilityKind>,
    denied_hosts: BTreeSet<Host>,
    ceilings: RunLimits,
    directories: Vec<(Scope, DirectoryGrant)>,
    environment: Vec<(Scope, Setting)>,
    plain_http: BTreeSet<String>,
    private_addresses: BTreeSet<String>,
    secret_headers: Vec<(Scope, String, Setting)>,
    secrets_command: Option<SecretCommand>,
    privacy_patterns: BTreeSet<String>,
    privacy_custom: Vec<CustomPattern>,
    privacy_replacement: Replacement,
    token_lifetime: Duration,
    real_clock: bool,
    real_random: bool,
    agents: Vec<(Scope, BTreeSet<String>)>,
    consent: ConsentRules,
    /// The file that it was read from.
    file: Option<PathBuf>,
}

/// How a person is asked on behalf of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentRules {
    /// How long a call waits for an answer to its question; nothing is not at all.
    pub wait: Duration,
    /// The highest level at which the agent's own program may put the question, by MCP elicitation; if
    /// none, it never does. Its answer is no proof that a person gave it.
    pub elicitation_max: Option<SecurityLevel>,
    /// Whether a person's word may be kept for later calls.
    pub remember: bool,
}

/// Which packages a mapping is for: ids or namespaces; an empty list is all.
#[derive(Clone, Debug, Default)]
struct Scope(Vec<String>);

impl Scope {
    fn includes(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|namespace| covers(namespace, id))
    }
}

impl Default for PermissionPolicy {
    fn default() -> Self {
        PermissionPolicy::new()
    }
}

impl PermissionPolicy {
    /// A policy without rules: it asks about every package, but for those that ask for nothing.
    // [POLICY-17]
    #[must_use]
    pub fn new() -> Self {
        PermissionPolicy {
            trusted_packages: BTreeSet::new(),
            trusted_publishers: BTreeSet::new(),
            auto_approve_low: false,
            ask_always: false,
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
            plain_http: BTreeSet::new(),
            private_addresses: BTreeSet::new(),
            secret_headers: Vec::new(),
            secrets_command: None,
            privacy_patterns: BTreeSet::new(),
            privacy_custom: Vec::new(),
            privacy_replacement: Replacement::Label,
            token_lifetime: LIFETIME_DEFAULT,
            real_clock: false,
            real_random: false,
            agents: Vec::new(),
            consent: ConsentRules {
                wait: CONSENT_WAIT_DEFAULT,
                elicitation_max: None,
                remember: true,
            },
            file: None,
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

    /// Whether packages of the level `Low` are granted what they ask for, as those of the level `None`
    /// are without any rule.
    #[must_use]
    pub fn auto_approve_low(mut self, yes: bool) -> Self {
        self.auto_approve_low = yes;
        self
    }

    /// Whether every package is asked about that is not trusted by its id or publisher, also one that
    /// asks for nothing. Beside it [`PermissionPolicy::auto_approve_low`] has no effect.
    #[must_use]
    pub fn ask_always(mut self, yes: bool) -> Self {
        self.ask_always = yes;
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
        self.scoped_variable(Scope::default(), Setting::new(name, value))
    }

    /// Gives a variable the value of a secret of this name, which is looked up for each call.
    #[must_use]
    pub fn allow_env_secret(self, name: impl Into<String>, secret: impl Into<String>) -> Self {
        let (name, text, secret) = (name.into(), String::new(), Some(secret.into()));
        self.scoped_variable(Scope::default(), Setting { name, text, secret })
    }

    fn scoped_variable(mut self, scope: Scope, variable: Setting) -> Self {
        self.environment.push((scope, variable));
        self
    }

    /// Lets packages that ask for exactly this host, such as `printer.lan:80`, reach it without TLS.
    #[must_use]
    pub fn allow_plain_http(mut self, host: impl Into<String>) -> Self {
        self.plain_http.insert(host.into());
        self
    }

    /// Lets packages that ask for exactly this host, such as `wiki.corp` or `localhost:8443`, reach it
    /// where its name leads into this machine or its network.
    #[must_use]
    pub fn allow_private_addresses(mut self, host: impl Into<String>) -> Self {
        self.private_addresses.insert(host.into());
        self
    }

    /// Adds a header to what packages send to exactly this host over TLS. No guest sees its value, and
    /// none can send another of this name there. The last value of a name counts.
    #[must_use]
    pub fn add_secret_header(
        self,
        host: impl Into<String>,
        name: &str,
        value: impl Into<String>,
    ) -> Self {
        let header = Setting::new(name.to_ascii_lowercase(), value);
        self.scoped_header(Scope::default(), host.into(), header)
    }

    /// As [`PermissionPolicy::add_secret_header`], with the value of a secret of this name, which is looked
    /// up for each call, behind a prefix such as `Bearer `.
    #[must_use]
    pub fn add_header_with_secret(
        self,
        host: impl Into<String>,
        name: &str,
        prefix: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        let (name, secret) = (name.to_ascii_lowercase(), Some(secret.into()));
        let header = Setting { name, text: prefix.into(), secret };
        self.scoped_header(Scope::default(), host.into(), header)
    }

    /// Takes secrets from a command instead of the home folder's file.
    #[must_use]
    pub fn secrets_from(mut self, command: SecretCommand) -> Self {
        self.secrets_command = Some(command);
        self
    }

    fn scoped_header(mut self, scope: Scope, host: String, header: Setting) -> Self {
        self.secret_headers.push((scope, host, header));
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

    /// How values are replaced in every answer; by their labels if not set. No manifest can ask for it.
    #[must_use]
    pub fn replace_by(mut self, replacement: Replacement) -> Self {
        self.privacy_replacement = replacement;
        self
    }

    /// How long tokens last; five minutes if not set, a day at most.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Whether tools see this host's clocks instead of ones that tell every run the same. No manifest
    /// can ask for it.
    #[must_use]
    pub fn real_clock(mut self, yes: bool) -> Self {
        self.real_clock = yes;
        self
    }

    /// Whether tools get random numbers of this host instead of ones from a seed. No manifest can ask
    /// for it.
    #[must_use]
    pub fn real_random(mut self, yes: bool) -> Self {
        self.real_random = yes;
        self
    }

    /// Lets only agents of these names call packages of a namespace, such as `org.acme`. An agent's name is
    /// what it says of itself: this keeps honest agents apart, and stops no dishonest one.
    #[must_use]
    pub fn only_agents<'a>(
        mut self,
        namespace: impl Into<String>,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        self.agents.push((Scope(vec![namespace.into()]), names));
        self
    }

    /// How a person is asked on behalf of a server.
    #[must_use]
    pub fn ask_by(mut self, rules: ConsentRules) -> Self {
        self.consent = rules;
        self
    }

    /// How a person is asked on behalf of a server.
    #[must_use]
    pub fn consent(&self) -> ConsentRules {
        self.consent
    }

    /// The file that this policy was read from, if it was.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The command that secrets come from, if they do.
    #[must_use]
    pub fn secrets_command(&self) -> Option<&SecretCommand> {
        self.secrets_command.as_ref()
    }

    /// The names of the secrets in this policy, each with what it is for.
    #[must_use]
    pub fn secret_uses(&self) -> Vec<(String, String)> {
        let variables =
            self.environment.iter().map(|(_, it)| (it, format!("variable {}", it.name)));
        let header =
            |(_, host, it): &'_ (Scope, String, Setting)| format!("header {} of {host}", it.name);
        let headers = self.secret_headers.iter().map(|entry| (&entry.2, header(entry)));
        let all = variables.chain(headers);
        all.filter_map(|(it, place)| Some((it.secret.clone()?, place))).collect()
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

    /// How values are replaced.
    #[must_use]
    pub fn privacy_replacement(&self) -> Replacement {
        self.privacy_replacement
    }
}

/// Clients of MCP give up on a call after a minute, unless they were told otherwise.
const CONSENT_WAIT_DEFAULT: Duration = Duration::from_secs(55);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn bytes(count: u32, unit: u64) -> u64 {
    u64::from(count).saturating_mul(unit)
}
