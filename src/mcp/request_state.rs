//! `requestState` tokens: bind a repeated call to the approval request that its client answers.
//!
//! A client stores the token and can modify it, so it consists of a nonce, an expiry, and a MAC over both and over
//! the whole approval request. It is valid for one call, once, for minutes.

use crate::host::host_key::{consume_nonce, new_nonce};
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::encoding::{hex, hmac_sha256, sha256, unhex};
use crate::kernel::error::Error;
use crate::kernel::limits::ATTESTATION_S_MAX;
use crate::kernel::time::Timestamp;
use std::path::Path;

#[cfg(test)]
#[path = "../../conformance/unit/mcp/request_state.rs"]
mod tests;

/// Issues a token for an approval request.
// [SRV-43]
pub(super) fn issue(key: &[u8; 32], request: &ApprovalRequest, now: Timestamp) -> String {
    with_mac(key, request, &new_nonce(), now.plus_seconds(ATTESTATION_S_MAX))
}

/// Returns `true` if a token was issued for exactly this request, is not expired and was not used. Consumes it.
///
/// # Errors
/// `policy.attestation` if too many were consumed lately; `consent.invalid`, `host.file`.
// [SRV-43]
pub(super) fn consume(
    key: &[u8; 32],
    home: &Path,
    state: &str,
    request: &ApprovalRequest,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut parts = state.split(' ');
    let nonce = parts.next().and_then(unhex::<16>);
    let (Some(nonce), Some(expires)) = (nonce, parts.next().and_then(Timestamp::parse)) else {
        return Ok(false);
    };
    // Compared as digests, so that timing reveals nothing.
    let expected = sha256(with_mac(key, request, &nonce, expires).as_bytes());
    if sha256(state.as_bytes()) != expected || expires < now {
        return Ok(false);
    }
    consume_nonce(home, &nonce, expires, now)
}

fn with_mac(
    key: &[u8; 32],
    request: &ApprovalRequest,
    nonce: &[u8; 16],
    expires: Timestamp,
) -> String {
    let state = format!("{} {expires}", hex(nonce));
    let text = format!("{state}\n{}", request.binding());
    format!("{state} {}", hex(&hmac_sha256(key, text.as_bytes())))
}
