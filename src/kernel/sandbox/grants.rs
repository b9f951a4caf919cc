//! Whether a token may be used now, and what a guest reads of it.

use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::token::{CapabilityToken, ResolvedToken};
use crate::kernel::prelude::*;
use core::time::Duration;

/// Refuses a token that was granted for another package or is over.
pub(super) fn check_token(
    token: &CapabilityToken,
    package: &ContentHash,
    elapsed: Duration,
) -> Result<(), Error> {
    // [BOX-02]
    if token.content_hash() != package {
        let detail =
            format!("the token is for {}, the module from {package}", token.content_hash());
        return Err(Error::new(Code::SandboxTokenOther, detail));
    }
    // [BOX-03]
    if token.is_expired_at(elapsed) {
        return Err(Error::new(Code::SandboxTokenExpired, "the time of the token is over"));
    }
    Ok(())
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
