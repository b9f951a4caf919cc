//! Approvals: requesting, proving and using them.
//!
//! If the policy requires approval, `obtain` uses a remembered approval of the host or requests a new one. A
//! destructive tool requires a new approval for every call, with a proof for exactly this call
//! ([`attestation`]). Nothing that an agent sends counts as approval.

pub mod approval_request;
pub mod attestation;
pub(in crate::kernel) mod obtain;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/consent.rs"]
mod tests;

use crate::kernel::prelude::*;
pub use approval_request::ApprovalRequest;
use attestation::EphemeralAttestation;
use serde_json::Value;

/// The decision of an approver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalDecision {
    /// Approved for this call by the named approver. Not sufficient for a destructive tool.
    ApprovedOnce(String),
    /// Approved for this call and later ones of this package with the same contents and grants.
    ApprovedAlways(String),
    /// Approved with the proof that a destructive tool requires.
    ApprovedWithProof(EphemeralAttestation),
    /// Denied.
    Denied,
    /// No approver is available, which counts as denied.
    NoApprover,
    /// No decision was made, which counts as denied; the text states why.
    NoResponse(String),
    /// The caller has to ask its user first, which counts as denied for now. The value is what its protocol
    /// needs for that (`input_required` in MCP); the caller repeats the call with the answer. It is returned
    /// as [`crate::kernel::error::Error::input_required`].
    InputRequired(Value),
}
