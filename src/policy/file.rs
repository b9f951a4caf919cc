//! Room: a policy as a file: one closed JSON object with the settings of [`PermissionPolicy`].

use super::given::Setting;
use super::token::DirectoryGrant;
use super::{host::Host, CapabilityKind, ConsentRules, PermissionPolicy, Scope, SecurityLevel};
use crate::door::header;
use crate::error::{Code, Error};
use crate::home;
use crate::host_file::{parsed, read_document, texts};
use crate::json::object::{Fault, Member, Object};
use crate::limits::{
    CONSENT_WAIT_S_MAX, LIST_COUNT_MAX, POLICY_FILE_BYTES_MAX, SECRET_PREFIX_BYTES_MAX,
    SIGNATURES_COUNT_MAX, TOKEN_LIFETIME_S_MAX,
};
use crate::package::manifest::{privacy_filters, rules};
use crate::privacy::{self, Replacement};
use crate::secrets::{self, SecretCommand};
use crate::trust::{is_label, is_namespace};
use std::collections::BTreeSet;
use std::path::{absolute, Path, PathBuf};
use std::time::Duration;

const FORMAT: &str = "mpp-policy/1";
const NAMESPACE: &str = "`*` or lower-case labels joined by dots";

impl PermissionPolicy {
    /// Reads a policy file. Unlike a trust store it has to be there: a policy that is missing by
    /// accident would be one without its deny rules.
    ///
    /// # Errors
    /// `host.file`, `policy.invalid`.
    // [POLICY-09]
    pub fn load(path: &Path) -> Result<Self, Error> {
        let named = |code, detail: &str| Error::new(code, format!("{}: {detail}", path.display()));
        match home::read_file(path, POLICY_FILE_BYTES_MAX)? {
            Some(bytes) => {
                let policy = PermissionPolicy::from_json(&bytes)
                    .map_err(|error| named(error.code(), error.detail()))?;
                // Absolute, since the process may change its folder, and the file stays protected.
                let file = absolute(path).unwrap_or_else(|_| path.to_owned());
                Ok(PermissionPolicy { file: Some(file), ..policy })
            }
            None => Err(named(Code::HostFile, "no such file")),
        }
    }

    /// Reads the JSON form. A rule that could never apply is refused, since its author thinks it does.
    ///
    /// # Errors
    /// `policy.invalid`.
    // [POLICY-10]
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        read_document(bytes, POLICY_FILE_BYTES_MAX, Code::PolicyInvalid, read_policy)
    }
}

fn read_policy(root: &mut Object) -> Result<PermissionPolicy, Fault> {
    let mut policy = PermissionPolicy::new();
    parsed(&root.required("format")?, FORMAT, |text| (text == FORMAT).then_some(()))?;
    let ids = texts(root.optional("trusted_packages"), "a package id", rules::is_id)?;
    policy.trusted_packages.extend(ids);
    let names = texts(root.optional("trusted_publishers"), "a publisher's name", is_label)?;
    policy.trusted_publishers.extend(names);
    if let Some(member) = root.optional("auto_approve_low") {
        policy.auto_approve_low = member.boolean()?;
    }
    if let Some(member) = root.optional("ask_always") {
        policy.ask_always = member.boolean()?;
        // [POLICY-16]
        if policy.ask_always && policy.auto_approve_low {
            return Err(member.bad_value("must not be true beside `auto_approve_low`"));
        }
    }
    if let Some(member) = root.optional("non_interactive") {
        policy.non_interactive = member.boolean()?;
    }
    if let Some(member) = root.optional("real_clock") {
        policy.real_clock = member.boolean()?;
    }
    if let Some(member) = root.optional("real_random") {
        policy.real_random = member.boolean()?;
    }
    if let Some(member) = root.optional("signers_required") {
        policy.signers_required = member.integer(1..=SIGNATURES_COUNT_MAX)?;
    }
    if let Some(member) = root.optional("token_lifetime_s") {
        policy.token_lifetime = Duration::from_secs(member.integer(1..=TOKEN_LIFETIME_S_MAX)?);
    }
    if let Some(member) = root.optional("deny") {
        member.object(|deny| read_denials(&mut policy, deny))?;
    }
    if let Some(member) = root.optional("ceilings") {
        policy = member.object(|ceilings| read_ceilings(policy, ceilings))?;
    }
    if let Some(member) = root.optional("directories") {
        policy.directories = member.array(0..=usize::MAX, |item| item.object(read_directory))?;
    }
    if let Some(member) = root.optional("environment") {
        policy.environment = member.array(0..=usize::MAX, |item| item.object(read_variable))?;
    }
    if let Some(member) = root.optional("secrets_command") {
        let words = member.array(1..=LIST_COUNT_MAX, |item| item.text().map(str::to_owned))?;
        let command = SecretCommand::new(words.into_iter().collect());
        let command = command.map_err(|_| member.bad_value("must begin with an absolute path"))?;
        policy.secrets_command = Some(command);
    }
    if let Some(member) = root.optional("agents") {
        policy.agents = member.array(0..=usize::MAX, |item| item.object(read_agents))?;
    }
    if let Some(member) = root.optional("consent") {
        policy.consent = member.object(|consent| read_consent(policy.consent, consent))?;
    }
    if let Some(member) = root.optional("network") {
        member.object(|network| read_network(&mut policy, network))?;
    }
    if let Some(member) = root.optional("privacy_filters") {
        let filters = member.object(privacy_filters)?;
        privacy::check_patterns(&filters.patterns, &filters.custom)
            .map_err(|error| member.bad_value(error.detail()))?;
        policy.privacy_patterns.extend(filters.patterns);
        policy.privacy_custom = filters.custom;
    }
    if let Some(member) = root.optional("privacy_replacement") {
        let names = "label, numbered, last-four or pseudonym";
        policy.privacy_replacement = parsed(&member, names, Replacement::from_name)?;
    }
    Ok(policy)
}

fn read_denials(policy: &mut PermissionPolicy, deny: &mut Object) -> Result<(), Fault> {
    policy.denied_packages.extend(texts(deny.optional("packages"), NAMESPACE, is_namespace)?);
    if let Some(member) = deny.optional("capabilities") {
        let kind = |item: &Member| parsed(item, "a kind of spec/policy.md", CapabilityKind::parse);
        policy.denied_capabilities.extend(member.array(0..=usize::MAX, kind)?);
    }
    if let Some(member) = deny.optional("hosts") {
        let host = |item: &Member| parsed(item, "a host name with an optional port", Host::parse);
        policy.denied_hosts.extend(member.array(0..=usize::MAX, host)?);
    }
    Ok(())
}

fn read_ceilings(
    mut policy: PermissionPolicy,
    ceilings: &mut Object,
) -> Result<PermissionPolicy, Fault> {
    if let Some(member) = ceilings.optional("memory_limit_mb") {
        policy = policy.memory_limit_mb(member.integer(1..=u32::MAX)?);
    }
    if let Some(member) = ceilings.optional("timeout_ms") {
        policy = policy.timeout_ms(member.integer(1..=u32::MAX)?);
    }
    if let Some(member) = ceilings.optional("fuel") {
        policy = policy.fuel(member.integer(1..=u64::MAX)?);
    }
    if let Some(member) = ceilings.optional("output_limit_kb") {
        policy = policy.output_limit_kb(member.integer(1..=u32::MAX)?);
    }
    Ok(policy)
}

fn read_directory(object: &mut Object) -> Result<(Scope, DirectoryGrant), Fault> {
    let what = "an absolute path as in a manifest";
    let guest = parsed(&object.required("guest")?, what, |text| {
        rules::is_guest_directory(text).then(|| text.to_owned())
    })?;
    let host = parsed(&object.required("host")?, "an absolute path of this host", |text| {
        let path = PathBuf::from(text);
        (path.is_absolute() && !text.contains('\0')).then_some(path)
    })?;
    let read_only = object.optional("read_only").map_or(Ok(false), |member| member.boolean())?;
    Ok((read_scope(object)?, DirectoryGrant { guest, host, writable: !read_only }))
}

fn read_variable(object: &mut Object) -> Result<(Scope, Setting), Fault> {
    let name = parsed(&object.required("name")?, "a name as in a manifest", |text| {
        rules::is_environment_name(text).then(|| text.to_owned())
    })?;
    let setting = read_given(object, name, "free of NUL characters", |text| !text.contains('\0'))?;
    Ok((read_scope(object)?, setting))
}

/// A value, or the name of a secret: one of the two.
// [POLICY-14]
fn read_given(
    object: &mut Object,
    name: String,
    what: &str,
    allowed: impl Fn(&str) -> bool,
) -> Result<Setting, Fault> {
    let owned = |allowed: bool, text: &str| allowed.then(|| text.to_owned());
    let Some(secret) = object.optional("secret") else {
        let value = object.required("value")?;
        let text = parsed(&value, what, |text| owned(allowed(text), text))?;
        return Ok(Setting::new(name, text));
    };
    if let Some(value) = object.optional("value") {
        return Err(value.bad_value("must not stand beside `secret`"));
    }
    let secret =
        parsed(&secret, "a name as of a variable", |text| owned(secrets::is_name(text), text))?;
    Ok(Setting { name, text: String::new(), secret: Some(secret) })
}

fn read_agents(object: &mut Object) -> Result<(Scope, BTreeSet<String>), Fault> {
    let member = object.required("names")?;
    let names = member.array(1..=usize::MAX, |item| {
        parsed(item, "an agent's name", |name| is_label(name).then(|| name.to_owned()))
    })?;
    Ok((read_scope(object)?, names.into_iter().collect()))
}

fn read_consent(mut rules: ConsentRules, object: &mut Object) -> Result<ConsentRules, Fault> {
    if let Some(member) = object.optional("wait_s") {
        rules.wait = Duration::from_secs(member.integer(0..=CONSENT_WAIT_S_MAX)?);
    }
    if let Some(member) = object.optional("elicitation") {
        let level = parsed(&member, "none, low, medium, high or critical", SecurityLevel::parse)?;
        rules.elicitation_max = Some(level);
    }
    if let Some(member) = object.optional("remember") {
        rules.remember = member.boolean()?;
    }
    Ok(rules)
}

/// Hosts are written exactly as a manifest asks for them. Without TLS nobody uses port 443, so those of
/// `plain_http` have a port.
// [POLICY-12] [POLICY-13]
fn read_network(policy: &mut PermissionPolicy, network: &mut Object) -> Result<(), Fault> {
    let what = "a host as a manifest writes it, here with its port";
    let with_port = |text: &str| rules::is_host_and_port(text) && text.contains(':');
    policy.plain_http.extend(texts(network.optional("plain_http"), what, with_port)?);
    let what = "a host as a manifest writes it";
    let hosts = texts(network.optional("private_addresses"), what, rules::is_host_and_port)?;
    policy.private_addresses.extend(hosts);
    if let Some(member) = network.optional("headers") {
        policy.secret_headers = member.array(0..=usize::MAX, |item| item.object(read_header))?;
    }
    Ok(())
}

fn read_header(object: &mut Object) -> Result<(Scope, String, Setting), Fault> {
    let owned = |allowed: bool, text: &str| allowed.then(|| text.to_owned());
    let host = parsed(&object.required("host")?, "a host as a manifest writes it", |text| {
        owned(rules::is_host_and_port(text), text)
    })?;
    let what = "the name of a header, in lower case, that is not the transport's own";
    let name = parsed(&object.required("name")?, what, |text| owned(header::is_name(text), text))?;
    let is_value = |text: &str| header::is_value(text) && !text.is_empty();
    let mut header = read_given(object, name, "printable ASCII", is_value)?;
    if header.secret.is_some() {
        if let Some(member) = object.optional("prefix") {
            // White space behind it is what separates it from the secret.
            let what = "printable ASCII without white space before it";
            let is_prefix = |text: &str| is_value(text.trim_end_matches(' '));
            header.text = parsed(&member, what, |text| {
                owned(is_prefix(text) && text.len() <= SECRET_PREFIX_BYTES_MAX, text)
            })?;
        }
    }
    Ok((read_scope(object)?, host, header))
}

/// An empty list is refused: it reads like "for none", and would be for all.
// [POLICY-11]
fn read_scope(object: &mut Object) -> Result<Scope, Fault> {
    match object.optional("packages") {
        Some(member) if member.value().as_array().is_some_and(Vec::is_empty) => {
            Err(member.bad_value("must name a package"))
        }
        member => texts(member, NAMESPACE, is_namespace).map(Scope),
    }
}
