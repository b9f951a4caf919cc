//! Obtaining approval for a call: a remembered one, or a new one from the approver.

use super::{ApprovalDecision, ApprovalRequest};
use crate::kernel::host::Host;
use crate::kernel::names::is_visible_line;
use crate::kernel::policy::ConsentRules;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;

/// Returns the approver of a call, and the proof for the audit record if there is one. A new approval is
/// remembered only if `recheck` still allows the package after the decision.
///
/// # Errors
/// `policy.declined`, `policy.confirmation_required`, `policy.attestation`, `consent.invalid`,
/// `host.file`, and the errors of `recheck`.
// [RUN-04] [CONS-01] [CONS-02] [CONS-05]
pub(in crate::kernel) fn obtain(
    host: &dyn Host,
    request: &ApprovalRequest,
    rules: ConsentRules,
    recheck: &dyn Fn() -> Result<(), Error>,
) -> Result<(String, Option<String>), Error> {
    let ApprovalRequest { package, tool, is_destructive, security_level, .. } = request;
    if rules.remember && !is_destructive {
        if let Some(by) = host.remembered_approval(request)? {
            return Ok((by, None));
        }
    }
    let not_approved = |why: &str| {
        let detail = format!("{package} requires approval at level {security_level}{why}");
        Error::new(Code::PolicyConfirmation, detail)
    };
    let decision = host.request_approval(request);
    // Read the clock only now: a decision takes time.
    let now = Timestamp::since_epoch(host.now());
    match decision {
        ApprovalDecision::ApprovedWithProof(proof) => {
            proof.check(&host.consent_key()?, request, now)?;
            let (nonce, expires) = proof.nonce();
            if !host.consume_nonce(nonce, expires, now)? {
                return Err(Error::new(Code::PolicyAttestation, "attestation was already used"));
            }
            Ok((proof.approved_by().to_owned(), Some(proof.to_text())))
        }
        // [CONS-03]
        ApprovalDecision::ApprovedOnce(_) | ApprovalDecision::ApprovedAlways(_)
            if *is_destructive =>
        {
            let detail = format!("no attestation for destructive tool \"{tool}\" of {package}");
            Err(Error::new(Code::PolicyAttestation, detail))
        }
        ApprovalDecision::ApprovedOnce(by) => Ok((by, None)),
        ApprovalDecision::ApprovedAlways(by) => {
            if rules.remember && is_visible_line(&by) {
                recheck()?;
                host.remember_approval(request, &by, now)?;
            }
            Ok((by, None))
        }
        ApprovalDecision::Denied => {
            Err(Error::new(Code::PolicyDeclined, format!("approver denied {package}")))
        }
        ApprovalDecision::NoApprover => Err(not_approved("")),
        ApprovalDecision::NoResponse(why) => Err(not_approved(&format!(": {why}"))),
        ApprovalDecision::InputRequired(input) => {
            Err(not_approved("; repeat the call with the answer").requiring(input))
        }
    }
}
