//! What a host asks for in one call, compared with what the token holds. Whatever is asked for beyond it
//! is refused; nothing is dropped in silence.

use crate::package::listing::ContentHash;
use crate::policy::token::{CapabilityToken, DirectoryGrant, RunLimits};
use crate::{Code, Error};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

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
    /// What the policy decision granted.
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
    token.environment().clone()
}

/// All directories that a token holds.
#[must_use]
pub fn extract_approved_dirs(token: &CapabilityToken) -> Vec<DirectoryGrant> {
    token.directories().to_vec()
}

/// The limits of the call, if the token was granted for this package, is still good, and holds
/// everything that the configuration asks for.
pub(super) fn check(config: &SandboxConfig, package: &ContentHash) -> Result<RunLimits, Error> {
    // [BOX-01]
    let Some(token) = &config.capability_token else {
        return Err(Error::new(Code::SandboxToken, "the configuration holds no token"));
    };
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
    // [SECRET-05]
    if let Some(name) = token.secrets_lacking().next() {
        let detail = format!("nobody has looked up the secret {name} for this token");
        return Err(Error::new(Code::SecretMissing, detail));
    }
    check_resources(config, token)?;
    let granted = token.limits();
    // [BOX-05]
    Ok(RunLimits {
        memory_bytes_max: granted.memory_bytes_max.min(config.memory_limit_bytes),
        timeout: granted.timeout.min(config.timeout),
        ..*granted
    })
}

// [BOX-04]
fn check_resources(config: &SandboxConfig, token: &CapabilityToken) -> Result<(), Error> {
    let refuse = |what: String| {
        Err(Error::new(Code::SandboxNotGranted, format!("the token does not hold {what}")))
    };
    for (name, value) in &config.env_vars {
        if token.environment().get(name) != Some(value) {
            // The value may be a secret, so it does not go into the message.
            return refuse(format!("the environment variable {name:?} with this value"));
        }
        // [BOX-10] a guest reads `NAME=value` up to a NUL
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            let detail = format!("{name:?} or its value cannot be an environment variable");
            return Err(Error::new(Code::SandboxNotGranted, detail));
        }
    }
    if let Some(mapping) = config.dir_mappings.iter().find(|m| !token.directories().contains(m)) {
        return refuse(format!("the directory {:?}", mapping.guest));
    }
    for domain in &config.allowed_network_domains {
        if !token.network().contains(domain) {
            return refuse(format!("the domain {domain:?}"));
        }
    }
    Ok(())
}
