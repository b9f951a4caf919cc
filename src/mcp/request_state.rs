//! Room: `requestState`, which a client keeps and sends back with the call that comes again.
//!
//! A client can alter it, so it is a nonce, an expiry, and a MAC by a key of this host over both and over
//! all that a person was asked about. It holds for one call, once, for minutes.

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

/// A new one for the call that a question is about.
// [SRV-43]
pub(super) fn issue(key: &[u8; 32], question: &ApprovalRequest, now: Timestamp) -> String {
    sealed(key, question, &new_nonce(), now.plus_seconds(ATTESTATION_S_MAX))
}

/// Whether a state is one of ours for exactly this call, in its time and not used before. Uses it up.
///
/// # Errors
/// `policy.attestation` if too many were used lately; `consent.invalid`, `host.file`.
// [SRV-43]
pub(super) fn spend(
    key: &[u8; 32],
    home: &Path,
    state: &str,
    question: &ApprovalRequest,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut parts = state.split(' ');
    let nonce = parts.next().and_then(unhex::<16>);
    let (Some(nonce), Some(expires)) = (nonce, parts.next().and_then(Timestamp::parse)) else {
        return Ok(false);
    };
    // Compared as digests, so that the time it takes tells nothing.
    let expected = sha256(sealed(key, question, &nonce, expires).as_bytes());
    if sha256(state.as_bytes()) != expected || expires < now {
        return Ok(false);
    }
    consume_nonce(home, &nonce, expires, now)
}

fn sealed(
    key: &[u8; 32],
    question: &ApprovalRequest,
    nonce: &[u8; 16],
    expires: Timestamp,
) -> String {
    let state = format!("{} {expires}", hex(nonce));
    let text = format!("{state}\n{}", question.binding());
    format!("{state} {}", hex(&hmac_sha256(key, text.as_bytes())))
}
