//! What a host asks for in one call, compared with what the token holds. Whatever is asked for beyond it
//! is refused; nothing is dropped in silence.

use crate::kernel::deadline::Clock;
use crate::kernel::error::{Code, Error};
use crate::kernel::host::Host;
use crate::kernel::package::listing::ContentHash;
use crate::kernel::policy::token::{CapabilityToken, DirectoryGrant, ResolvedToken};
use crate::kernel::prelude::*;
use crate::kernel::secrets::SecretValue;
use alloc::collections::BTreeMap;
use core::fmt;
use core::time::Duration;

/// What a host asks for in one call. Everything in it must be held by the token, or the call is
/// refused; the stricter of two limits applies.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Linear memory, in bytes.
    pub memory_limit_bytes: u64,
    /// Wall-clock time.
    pub timeout: Duration,
    /// What the tool reads from stdin, such as [`tools_call_request`](super::tools_call_request) makes it.
    pub stdin_data: Vec<u8>,
    /// Environment variables, as [`extract_approved_env_vars`] gives them.
    pub env_vars: BTreeMap<String, String>,
    /// Directories, as [`extract_approved_dirs`] gives them.
    pub dir_mappings: Vec<DirectoryGrant>,
    /// What the policy decision granted. One that names secrets is refused: resolve it, and take
    /// [`WasmSandbox::run`](super::WasmSandbox::run).
    pub capability_token: Option<CapabilityToken>,
    /// Hosts that the tool may be connected to.
    pub allowed_network_domains: Vec<String>,
}

/// Without the values of variables and without stdin: this form ends up in logs.
impl fmt::Debug for SandboxConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SandboxConfig")
            .field("memory_limit_bytes", &self.memory_limit_bytes)
            .field("timeout", &self.timeout)
            .field("env_vars", &self.env_vars.keys())
            .field("dir_mappings", &self.dir_mappings)
            .field("capability_token", &self.capability_token)
            .field("allowed_network_domains", &self.allowed_network_domains)
            .finish_non_exhaustive()
    }
}

/// All environment variables that a token holds.
#[must_use]
pub fn extract_approved_env_vars(token: &CapabilityToken) -> BTreeMap<String, String> {
    token.environment()
}

/// All directories that a token holds.
#[must_use]
pub fn extract_approved_dirs(token: &CapabilityToken) -> Vec<DirectoryGrant> {
    token.directories()
}

/// A configuration names no store, so a token in it is one that needs no secret.
struct NoSecrets;

impl Clock for NoSecrets {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Host for NoSecrets {
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        let detail = format!("the secret {name} was not resolved for this token");
        Err(Error::new(Code::SecretMissing, detail))
    }
}

/// Refuses a token that was granted for another package or is over.
pub(super) fn check_token(token: &CapabilityToken, package: &ContentHash) -> Result<(), Error> {
    // [BOX-02]
    if token.content_hash() != package {
        let detail =
            format!("the token is for {}, the module from {package}", token.content_hash());
        return Err(Error::new(Code::SandboxTokenOther, detail));
    }
    // [BOX-03]
    if token.is_expired() {
        return Err(Error::new(Code::SandboxTokenExpired, "the time of the token is over"));
    }
    Ok(())
}

/// The token of a configuration, with no more than the configuration asks for.
pub(super) fn narrowed(config: &SandboxConfig) -> Result<ResolvedToken, Error> {
    // [BOX-01]
    let Some(token) = &config.capability_token else {
        return Err(Error::new(Code::SandboxToken, "the configuration holds no token"));
    };
    // [SECRET-05]
    let token = token.clone().resolve(&NoSecrets)?;
    let (variables, directories) = (&config.env_vars, &config.dir_mappings);
    let (hosts, timeout) = (&config.allowed_network_domains, config.timeout);
    // [BOX-04] The value of a variable may be a secret, so it does not go into the message.
    let variable = variables.iter().find(|(name, it)| token.environment().get(*name) != Some(it));
    let directory = directories.iter().find(|it| !token.directories().contains(it));
    let host = hosts.iter().find(|it| !token.hosts().iter().any(|grant| grant.host == **it));
    let beyond = variable
        .map(|(name, _)| format!("the environment variable {name:?} with this value"))
        .or_else(|| directory.map(|it| format!("the directory {:?}", it.guest)))
        .or_else(|| host.map(|it| format!("the domain {it:?}")));
    let Some(what) = beyond else {
        // [BOX-05]
        let memory_bytes_max = config.memory_limit_bytes;
        return Ok(token.narrowed(variables, directories, hosts, memory_bytes_max, timeout));
    };
    Err(Error::new(Code::SandboxNotGranted, format!("the token does not hold {what}")))
}

/// The variables as a guest reads them: `NAME=value` up to a NUL.
// [BOX-10]
pub(super) fn environment(token: &ResolvedToken) -> Result<Vec<String>, Error> {
    let text = |(name, value): (&String, &String)| {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            let detail = format!("{name:?} or its value cannot be an environment variable");
            return Err(Error::new(Code::SandboxNotGranted, detail));
        }
        Ok(format!("{name}={value}"))
    };
    token.environment().iter().map(text).collect()
}
