//! Room: comparing what a host asks for with what the token holds. Whatever is asked for beyond it is
//! refused; nothing is dropped in silence.

use super::SandboxConfig;
use crate::package::listing::ContentHash;
use crate::policy::token::{CapabilityToken, RunLimits};
use crate::{Code, Error};

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
