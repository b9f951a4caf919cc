//! `Approver` trait: who decides about an approval request.

use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::sandbox::Changes;

/// Decides about approval requests for a person. An agent must not implement it.
///
/// ```
/// use mpp::consent::{Approver, ApprovalRequest, ApprovalDecision};
///
/// /// The user of a program with a window.
/// struct Window;
/// impl Approver for Window {
///     fn request_approval(&self, request: &ApprovalRequest) -> ApprovalDecision {
///         let text = format!("{} wants {}", request.name, request.capabilities.join(", "));
///         match show(&text) {
///             Some(true) => ApprovalDecision::ApprovedOnce("window:ann".to_owned()),
///             Some(false) => ApprovalDecision::Denied,
///             None => ApprovalDecision::NoResponse("the window was closed".to_owned()),
///         }
///     }
/// }
/// # fn show(_: &str) -> Option<bool> { None }
/// ```
pub trait Approver {
    /// Requests approval once.
    fn request_approval(&self, request: &ApprovalRequest) -> ApprovalDecision;

    /// Shows the changes that a successful tool would make on the host, before they are committed. An
    /// approval of the directory covers its changes, so by default they are approved.
    fn approve_changes(&self, _changes: &Changes) -> bool {
        true
    }

    /// Offers what the tool wrote to stderr; filtered, when it is asked for. By default it is not shown.
    fn show_stderr(&self, _filtered: &mut dyn FnMut() -> String) {}
}

/// No approver is available: for pipelines and tests.
#[derive(Clone, Copy, Debug)]
pub struct NoApprover;

impl Approver for NoApprover {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        ApprovalDecision::NoApprover
    }
}
