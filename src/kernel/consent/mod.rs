//! A person's agreement: how it is asked for, proved and spent.
//!
//! The policy says when a person has to agree. Then `obtain` asks the host for an agreement given before, and
//! for a person if there is none. A destructive tool is asked about each time, and needs a proof made for
//! exactly this call ([`attestation`]). Nothing that an agent sends gives one.

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

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalDecision {
    /// Yes, for this call. The text says who, for the record. Not enough for a destructive tool.
    ApprovedOnce(String),
    /// Yes, and for every later call of this package, while contents and grants stay as they are.
    ApprovedAlways(String),
    /// Yes, with the proof that a destructive tool needs.
    ApprovedWithProof(EphemeralAttestation),
    /// No.
    Denied,
    /// There is nobody to ask, which means no.
    NoApprover,
    /// Nobody answered, which means no; the text says what was tried.
    NoResponse(String),
    /// Nobody was asked yet, which means no: whoever made the call has to put a question to its user and
    /// to make the call again with the answer. The value is what it needs for that, in the words of its
    /// protocol; it comes back as [`crate::kernel::error::Error::input_required`].
    InputRequired(Value),
}
