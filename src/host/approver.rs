//! Whoever can be asked for consent.

use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::sandbox::Changes;

/// Whoever can be asked for consent. An agent is not a person.
///
/// ```
/// use mpp::consent::{Approver, ApprovalRequest, ApprovalDecision};
///
/// /// The user of a program with a window.
/// struct Window;
/// impl Approver for Window {
///     fn ask(&self, question: &ApprovalRequest) -> ApprovalDecision {
///         let text = format!("{} wants {}", question.name, question.capabilities.join(", "));
///         match show(&text) {
///             Some(true) => ApprovalDecision::ApprovedOnce("window:ann".to_owned()),
///             Some(false) => ApprovalDecision::Denied,
///             None => ApprovalDecision::NoResponse("nobody clicked".to_owned()),
///         }
///     }
/// }
/// # fn show(_: &str) -> Option<bool> { None }
/// ```
pub trait Approver {
    /// Asks once.
    fn ask(&self, question: &ApprovalRequest) -> ApprovalDecision;

    /// Shows what a tool that has succeeded would change on the host, before it is done. Whoever
    /// agreed to the directory has agreed to this, unless they want to see it.
    fn approve_changes(&self, _changes: &Changes) -> bool {
        true
    }
}

/// Nobody: for pipelines and tests.
#[derive(Clone, Copy, Debug)]
pub struct NoApprover;

impl Approver for NoApprover {
    fn ask(&self, _: &ApprovalRequest) -> ApprovalDecision {
        ApprovalDecision::NoApprover
    }
}
