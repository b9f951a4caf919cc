//! Checks of the capability token before a guest starts, and its environment variables.

use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::token::{CapabilityToken, ResolvedToken};
use crate::kernel::prelude::*;
use core::time::Duration;

/// Rejects a token that was granted for another package or has expired.
pub(super) fn check_token(
    token: &CapabilityToken,
    package: &ContentHash,
    elapsed: Duration,
) -> Result<(), Error> {
    // [BOX-02]
    if token.content_hash() != package {
        let detail = format!(
            "the token is for content hash {}, the module from {package}",
            token.content_hash()
        );
        return Err(Error::new(Code::SandboxTokenOther, detail));
    }
    // [BOX-03]
    if token.is_expired_at(elapsed) {
        return Err(Error::new(Code::SandboxTokenExpired, "token expired"));
    }
    Ok(())
}

/// Returns the granted environment variables as `NAME=value`.
// [BOX-10]
pub(super) fn environment(token: &ResolvedToken) -> Result<Vec<String>, Error> {
    let text = |(name, value): (&String, &String)| {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            let detail = format!("environment variable {name:?} has an invalid name or value");
            return Err(Error::new(Code::SandboxNotGranted, detail));
        }
        Ok(format!("{name}={value}"))
    };
    token.environment().iter().map(text).collect()
}
