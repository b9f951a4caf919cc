//! Room: a policy as a file: one closed JSON object with the settings of [`PermissionPolicy`].

use super::{host::Host, CapabilityKind, PermissionPolicy, Scope, Variable};
use crate::error::{Code, Error};
use crate::home;
use crate::limits::{
    HOST_FILE_DEPTH_MAX, POLICY_FILE_BYTES_MAX, SIGNATURES_COUNT_MAX, TOKEN_LIFETIME_S_MAX,
};
use crate::object::{ObjectCodes, ObjectReader};
use crate::package::manifest::CustomPattern;
use crate::policy::token::DirectoryGrant;
use crate::trust::{is_label, is_namespace};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FORMAT: &str = "mpp-policy/1";
const CODES: ObjectCodes = ObjectCodes::all(Code::PolicyInvalid);
const ID: &str = "lower-case labels joined by dots";

impl PermissionPolicy {
    /// Reads a policy file. Unlike a trust store it has to be there: a policy that is missing by
    /// accident would be one without its deny rules.
    ///
    /// # Errors
    /// `host.file`, `policy.invalid`.
    // [POLICY-10]
    pub fn load(path: &Path) -> Result<Self, Error> {
        let named = |code, detail: &str| Error::new(code, format!("{}: {detail}", path.display()));
        match home::read_file(path, POLICY_FILE_BYTES_MAX)? {
            Some(bytes) => PermissionPolicy::from_json(&bytes)
                .map_err(|error| named(error.code(), error.detail())),
            None => Err(named(Code::HostFile, "no such file")),
        }
    }

    /// Reads the JSON form. A rule that could never apply is refused, since its author thinks it does.
    ///
    /// # Errors
    /// `policy.invalid`.
    // [POLICY-11]
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let mut root =
            ObjectReader::parse(bytes, POLICY_FILE_BYTES_MAX, HOST_FILE_DEPTH_MAX, CODES)?;
        root.parsed("format", FORMAT, |text| (text == FORMAT).then_some(()))?;
        let mut policy = PermissionPolicy::new();
        policy.trusted_packages.extend(root.texts("trusted_packages", ID, is_id)?);
        let name = "a publisher's name";
        policy.trusted_publishers.extend(root.texts("trusted_publishers", name, is_label)?);
        policy.auto_approve_low = root.optional("auto_approve_low")?.unwrap_or(false);
        policy.non_interactive = root.optional("non_interactive")?.unwrap_or(false);
        let signers_max = u64::try_from(SIGNATURES_COUNT_MAX).unwrap_or(u64::MAX);
        if let Some(count) = bounded(&mut root, "signers_required", signers_max)? {
            policy.signers_required = usize::try_from(count).unwrap_or(usize::MAX);
        }
        if let Some(seconds) = bounded(&mut root, "token_lifetime_s", TOKEN_LIFETIME_S_MAX)? {
            policy.token_lifetime = Duration::from_secs(seconds);
        }
        if let Some(deny) = root.optional("deny")? {
            policy.read_denials(deny)?;
        }
        if let Some(ceilings) = root.optional("ceilings")? {
            policy = policy.read_ceilings(ceilings)?;
        }
        for item in root.optional::<Vec<_>>("directories")?.unwrap_or_default() {
            policy = policy.read_directory(item)?;
        }
        for item in root.optional::<Vec<_>>("environment")?.unwrap_or_default() {
            policy = policy.read_variable(item)?;
        }
        if let Some(filters) = root.optional("privacy_filters")? {
            policy.read_privacy(filters)?;
        }
        root.finish()?;
        Ok(policy)
    }

    fn read_denials(&mut self, mut deny: ObjectReader) -> Result<(), Error> {
        let namespace = "`*` or lower-case labels joined by dots";
        self.denied_packages.extend(deny.texts("packages", namespace, is_namespace)?);
        let known = |text: &str| CapabilityKind::parse(text).is_some();
        let kinds = deny.texts("capabilities", "a capability kind of spec/policy.md", known)?;
        self.denied_capabilities
            .extend(kinds.iter().filter_map(|kind| CapabilityKind::parse(kind)));
        let hosts = deny.texts("hosts", "a host name with an optional port", |text| {
            Host::parse(text).is_some()
        })?;
        self.denied_hosts.extend(hosts.iter().map(|text| Host::of(text)));
        deny.finish()
    }

    fn read_ceilings(mut self, mut ceilings: ObjectReader) -> Result<Self, Error> {
        if let Some(most) = at_least_one(&mut ceilings, "memory_limit_mb")? {
            self = self.memory_limit_mb(most);
        }
        if let Some(most) = at_least_one(&mut ceilings, "timeout_ms")? {
            self = self.timeout_ms(most);
        }
        if let Some(most) = bounded(&mut ceilings, "fuel", u64::MAX)? {
            self = self.fuel(most);
        }
        if let Some(most) = at_least_one(&mut ceilings, "output_limit_kb")? {
            self = self.output_limit_kb(most);
        }
        ceilings.finish()?;
        Ok(self)
    }

    fn read_directory(self, mut item: ObjectReader) -> Result<Self, Error> {
        let guest =
            item.parsed("guest", "an absolute path of letters, digits, `.`, `_`, `-`", |text| {
                is_guest_path(text).then(|| text.to_owned())
            })?;
        let host = item.parsed("host", "an absolute path of this host", |text| {
            let path = PathBuf::from(text);
            (path.is_absolute() && !text.contains('\0')).then_some(path)
        })?;
        let read_only: bool = item.optional("read_only")?.unwrap_or(false);
        let scope = read_scope(&mut item)?;
        item.finish()?;
        Ok(self.scoped_directory(scope, DirectoryGrant { guest, host, writable: !read_only }))
    }

    fn read_variable(self, mut item: ObjectReader) -> Result<Self, Error> {
        let name = item.parsed("name", "a name of letters, digits and `_`", |text| {
            is_variable_name(text).then(|| text.to_owned())
        })?;
        let value = item.parsed("value", "free of NUL characters", |text| {
            (!text.contains('\0')).then(|| text.to_owned())
        })?;
        let scope = read_scope(&mut item)?;
        item.finish()?;
        Ok(self.scoped_variable(scope, Variable { name, value }))
    }

    /// Whether a pattern exists and compiles is the privacy filter's to say, before any call.
    fn read_privacy(&mut self, mut filters: ObjectReader) -> Result<(), Error> {
        let kind = "the name of a built-in kind";
        self.privacy_patterns.extend(filters.texts("patterns", kind, is_label)?);
        for mut item in filters.optional::<Vec<ObjectReader>>("custom")?.unwrap_or_default() {
            let (name, pattern) = (item.required("name")?, item.required("pattern")?);
            self.privacy_custom.push(CustomPattern { name, pattern });
            item.finish()?;
        }
        filters.finish()
    }
}

fn bounded(reader: &mut ObjectReader, key: &str, most: u64) -> Result<Option<u64>, Error> {
    match reader.optional(key)? {
        Some(number) if number == 0 || number > most => {
            Err(reader.bad(key, &format!("a number from 1 to {most}")))
        }
        number => Ok(number),
    }
}

fn at_least_one(reader: &mut ObjectReader, key: &str) -> Result<Option<u32>, Error> {
    let number = bounded(reader, key, u64::from(u32::MAX))?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}

/// An empty list is refused: it reads like "for none", and would be for all.
// [POLICY-12]
fn read_scope(item: &mut ObjectReader) -> Result<Scope, Error> {
    match item.optional::<Vec<String>>("packages")? {
        None => Ok(Scope::default()),
        Some(list) if !list.is_empty() && list.iter().all(|text| is_namespace(text)) => {
            Ok(Scope(list))
        }
        Some(_) => Err(item.bad("packages", "a list of package ids or namespaces")),
    }
}

fn is_id(text: &str) -> bool {
    text != "*" && is_namespace(text)
}

fn is_guest_path(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let part_valid = |part: &str| part.bytes().all(allowed) && part.bytes().any(|b| b != b'.');
    text.strip_prefix('/').is_some_and(|parts| parts.split('/').all(part_valid))
}

fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
