//! Floor 2: what a verified package may touch: from a manifest, a policy and perhaps a person's word
//! to a [`CapabilityToken`]. `spec/policy.md` is its page.
//!
//! Nothing in a package or a request can widen a policy: a token holds what the manifest asks for,
//! cut down to what the policy allows, and never more than either.

pub mod capability;
mod decide;
mod host_pattern;
pub mod risk;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/policy/mod.rs"]
mod tests;
pub mod token;
mod value_source;

use crate::kernel::document::{self, integer, list, object, some, text, Document, FromJson};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{
    CONSENT_WAIT_S_MAX, LIST_COUNT_MAX, POLICY_FILE_BYTES_MAX, SIGNATURES_COUNT_MAX,
    TOKEN_LIFETIME_S_MAX,
};
use crate::kernel::names::{self, is_host_and_port, is_namespace, is_visible_line};
use crate::kernel::package::manifest::PrivacyFilters;
use crate::kernel::prelude::*;
use crate::kernel::privacy::{self, Replacement};
use crate::kernel::trust::{covers, NAMESPACE};
pub use capability::{Capability, CapabilityKind};
use core::time::Duration;
use host_pattern::HostPattern;
pub use risk::SecurityLevel;
use token::CapabilityToken;
pub use value_source::ValueSource;
use value_source::{of_header, of_variable};

/// What a policy says about a package.
#[derive(Clone, Debug)]
#[must_use]
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

object! {
    /// The rules of one host, as its policy file states them. A new policy trusts no package, denies none,
    /// and maps and sets nothing: a package that asks for nothing runs, and a person has to agree to every
    /// other. A policy file without rules, and no policy file at all, are this same policy.
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
    // [POLICY-10] [POLICY-17]
    #[derive(Clone, Debug)]
    pub struct PermissionPolicy: FromJson {
        /// Ids of packages that are granted what they ask for, unless they have destructive tools.
        pub(in crate::kernel) trusted_packages: BTreeSet<String> = BTreeSet::new(),
            any(text(names::is_id, "a package id"));
        /// The same for all packages of a publisher, named as in the trust store.
        pub(in crate::kernel) trusted_publishers: BTreeSet<String> = BTreeSet::new(),
            any(text(is_visible_line, "a publisher's name"));
        /// The same for packages of the level `Low`, as for those of the level `None` without any rule.
        pub(in crate::kernel) auto_approve_low: bool = false;
        /// Also packages of the level `None` are asked about. It prevails over `auto_approve_low`.
        pub(in crate::kernel) ask_always: bool = false, |place| ask_always(place, auto_approve_low);
        /// Nobody can be asked: what would need a person's word is denied.
        pub(in crate::kernel) non_interactive: bool = false;
        /// Tools see this host's clocks instead of ones that tell every run the same.
        pub(in crate::kernel) real_clock: bool = false;
        /// Tools get random numbers of this host instead of ones from a seed.
        pub(in crate::kernel) real_random: bool = false;
        /// How many trusted publishers have to sign a package: 2 for an author and an approver.
        pub(in crate::kernel) signers_required: usize = 1, integer(1..=SIGNATURES_COUNT_MAX);
        /// How long tokens last: time to run a call, not to forget about it.
        pub(in crate::kernel) token_lifetime_s: u64 = 300, integer(1..=TOKEN_LIFETIME_S_MAX);
        pub(in crate::kernel) deny: Denials = Denials::default();
        pub(in crate::kernel) ceilings: Ceilings = Ceilings::default();
        pub(in crate::kernel) directories: Vec<DirectoryRule> = Vec::new();
        pub(in crate::kernel) environment: Vec<VariableRule> = Vec::new();
        /// Where secrets come from instead of the home folder's file.
        pub(in crate::kernel) secrets_command: Option<Vec<String>> = None, some(secrets_command);
        pub(in crate::kernel) network: NetworkRules = NetworkRules::default();
        /// What is redacted from every answer besides what the manifest asks for.
        pub(in crate::kernel) privacy_filters: PrivacyFilters = PrivacyFilters::default(), privacy_filters;
        /// How it is replaced.
        pub(in crate::kernel) privacy_replacement: Replacement = Replacement::Label;
        pub(in crate::kernel) agents: Vec<AgentRule> = Vec::new();
        /// How a person is asked on behalf of a server.
        pub consent: ConsentRules = ConsentRules::default();
        /// The file that it was read from, for the host. The file itself does not say.
        pub(in crate::kernel) file: Option<String> = None => |_| Ok(None);
    }
}

object! {
    /// What no person can allow.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct Denials: FromJson {
        /// Ids and namespaces; `*` is all.
        pub(in crate::kernel) packages: BTreeSet<String> = BTreeSet::new(),
            any(text(is_namespace, NAMESPACE));
        /// Kinds that no package may ask for.
        pub(in crate::kernel) capabilities: BTreeSet<CapabilityKind> = BTreeSet::new(),
            any(CapabilityKind::read);
        /// Hosts that no package may ask for, nor any name below them.
        pub(in crate::kernel) hosts: BTreeSet<HostPattern> = BTreeSet::new(), any(HostPattern::read);
    }
}

object! {
    /// The most that a call gets. What a manifest can ask for at most binds all the same.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct Ceilings: FromJson {
        pub(in crate::kernel) memory_limit_mb: u32 = u32::MAX, integer(1..=u32::MAX);
        pub(in crate::kernel) timeout_ms: u32 = u32::MAX, integer(1..=u32::MAX);
        pub(in crate::kernel) fuel: u64 = u64::MAX, integer(1..=u64::MAX);
        pub(in crate::kernel) output_limit_kb: u32 = u32::MAX, integer(1..=u32::MAX);
    }
}

object! {
    /// A directory of this host behind a guest path, for packages that ask for exactly that path. The last
    /// one of a path counts.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct DirectoryRule: FromJson {
        pub(in crate::kernel) guest: String,
            text(names::is_guest_directory, "an absolute path as in a manifest");
        pub(in crate::kernel) host: String, text(is_host_path, "an absolute path of this host");
        pub(in crate::kernel) read_only: bool = false;
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// A variable and its value, for packages that ask for it. The last one of a name counts.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct VariableRule: FromJson {
        pub(in crate::kernel) name: String, text(names::is_environment_name, "a name as in a manifest");
        /// The members `value` and `secret`.
        pub(in crate::kernel) given: ValueSource => of_variable;
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// Hosts are written exactly as a manifest asks for them. Without TLS nobody uses port 443, so those of
    /// `plain_http` have a port.
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
    /// A header that is added to what packages send to exactly this host over TLS. No guest sees its value.
    /// The last one of a name counts.
    // [POLICY-13]
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct HeaderRule: FromJson {
        pub(in crate::kernel) host: String, text(is_host_and_port, HOST);
        pub(in crate::kernel) name: String,
            text(names::is_header_name, "the name of a header, in lower case, not the transport's own");
        /// The members `value`, `secret` and `prefix`.
        pub(in crate::kernel) given: ValueSource => of_header;
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// Agents that alone may call some packages, by the names that they give themselves: this keeps honest
    /// agents apart, and stops no dishonest one.
    #[derive(Clone, Debug)]
    pub(in crate::kernel) struct AgentRule: FromJson {
        pub(in crate::kernel) names: BTreeSet<String>, list(1..=usize::MAX, text(is_visible_line, "an agent's name"));
        pub(in crate::kernel) packages: PackageScope = PackageScope::default();
    }
}

object! {
    /// How a person is asked on behalf of a server.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ConsentRules: FromJson {
        /// How long a call waits for an answer to its question; 0 is not at all. Clients of MCP give up on
        /// a call after a minute, unless they were told otherwise.
        pub wait_s: u64 = 55, integer(0..=CONSENT_WAIT_S_MAX);
        /// The highest level at which the agent's own program may put the question, by MCP elicitation; if
        /// none, it never does. Its answer is no proof that a person gave it.
        pub elicitation: Option<SecurityLevel> = None;
        /// Whether a person's word may be kept for later calls.
        pub remember: bool = true;
    }
}

impl ConsentRules {
    /// How long a call waits for an answer to its question.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_s)
    }
}

/// Which packages a rule is for: ids or namespaces; an empty list is all.
#[derive(Clone, Debug, Default)]
pub(in crate::kernel) struct PackageScope(Vec<String>);

impl PackageScope {
    fn includes(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|namespace| covers(namespace, id))
    }
}

/// An empty list is refused: it reads like "for none", and would be for all.
// [POLICY-11]
impl FromJson for PackageScope {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        list(1..=usize::MAX, text(is_namespace, NAMESPACE))(place).map(PackageScope)
    }
}

const HOST: &str = "a host as a manifest writes it";

/// A list of any length, in any order.
fn any<T: Ord>(
    rule: impl FnMut(&Field) -> Result<T, DocumentError>,
) -> impl FnOnce(&Field) -> Result<BTreeSet<T>, DocumentError> {
    list(0..=usize::MAX, rule)
}

// [POLICY-16]
fn ask_always(place: &Field, auto_approve_low: bool) -> Result<bool, DocumentError> {
    let yes = place.boolean()?;
    place.check(!(yes && auto_approve_low), "must not be true beside `auto_approve_low`")?;
    Ok(yes)
}

fn is_host_path(text: &str) -> bool {
    names::is_absolute_path(text) && !text.contains('\0')
}

/// The absolute path of a program, and its first arguments.
// [SECRET-14]
fn secrets_command(place: &Field) -> Result<Vec<String>, DocumentError> {
    let words = place.array(1..=LIST_COUNT_MAX, String::read)?;
    let absolute = words.first().is_some_and(|program| names::is_absolute_path(program));
    let allowed = absolute && words.iter().all(|word| !word.contains('\0'));
    place.check(allowed, "must begin with an absolute path")?;
    Ok(words)
}

fn privacy_filters(place: &Field) -> Result<PrivacyFilters, DocumentError> {
    let filters = PrivacyFilters::read(place)?;
    privacy::check_patterns(&filters.patterns, &filters.custom)
        .map_err(|error| place.bad_value(error.detail()))?;
    Ok(filters)
}

impl Document for PermissionPolicy {
    const FORMAT: &'static str = "mpp-policy/1";
    const BYTES_MAX: usize = POLICY_FILE_BYTES_MAX;
    const INVALID: Code = Code::PolicyInvalid;
}

impl PermissionPolicy {
    /// A policy without rules: it asks about every package, but for those that ask for nothing.
    // [POLICY-17]
    pub fn new() -> Self {
        PermissionPolicy::default()
    }

    /// Reads the JSON form. A rule that could never apply is refused, since its author thinks it does.
    ///
    /// ```
    /// // A host with less to give than manifests may ask for.
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

    /// Grants the package of exactly this id what it asks for, unless it has destructive tools.
    pub fn trust_package(mut self, id: impl Into<String>) -> Self {
        self.trusted_packages.insert(id.into());
        self
    }

    /// Whether packages of the level `Low` are granted what they ask for, as those of the level `None`
    /// are without any rule.
    pub fn auto_approve_low(self, yes: bool) -> Self {
        PermissionPolicy { auto_approve_low: yes, ..self }
    }

    /// Puts what the host knows by this name, such as a path, behind a guest path, for every package that
    /// asks for exactly that path. The last mapping of a path counts.
    pub fn map(mut self, guest: impl Into<String>, host: impl Into<String>) -> Self {
        let (guest, host, packages) = (guest.into(), host.into(), PackageScope::default());
        self.directories.push(DirectoryRule { guest, host, read_only: false, packages });
        self
    }

    /// Gives a variable its value, for every package that asks for it. The last value counts. The
    /// host's own environment is never looked at.
    pub fn allow_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, given) = (name.into(), ValueSource::new(value));
        self.environment.push(VariableRule { name, given, packages: PackageScope::default() });
        self
    }

    /// Whether tools see this host's clocks instead of ones that tell every run the same. No manifest
    /// can ask for it.
    pub fn real_clock(self, yes: bool) -> Self {
        PermissionPolicy { real_clock: yes, ..self }
    }

    /// Whether tools get random numbers of this host instead of ones from a seed. No manifest can ask
    /// for it.
    pub fn real_random(self, yes: bool) -> Self {
        PermissionPolicy { real_random: yes, ..self }
    }

    /// How many trusted publishers have to sign, for check 5.
    pub fn signers_required(&self) -> usize {
        self.signers_required
    }

    /// The command that secrets come from, if they do.
    pub fn secrets_command(&self) -> Option<&[String]> {
        self.secrets_command.as_deref()
    }

    /// The file that it was read from, which guests must not reach, if it was.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The same policy, read from this file.
    pub fn from_file(self, file: impl Into<String>) -> Self {
        PermissionPolicy { file: Some(file.into()), ..self }
    }

    /// The names of the secrets in this policy, each with what it is for.
    pub fn secret_uses(&self) -> Vec<(String, String)> {
        let variables =
            self.environment.iter().map(|it| (&it.given, format!("variable {}", it.name)));
        let headers = (self.network.headers.iter())
            .map(|it| (&it.given, format!("header {} of {}", it.name, it.host)));
        let all = variables.chain(headers);
        all.filter_map(|(given, place)| Some((given.secret.clone()?, place))).collect()
    }
}
