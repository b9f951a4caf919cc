//! Getting a person's agreement: from before, or asked for now.

use super::{ApprovalDecision, ApprovalRequest};
use crate::kernel::host::Host;
use crate::kernel::names::is_visible_line;
use crate::kernel::policy::ConsentRules;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;

/// A person's agreement to a call, from before or asked for now: by whom, and the proof for the record. It
/// is kept only if `look_again` finds, once it was given, that the package may still run.
///
/// # Errors
/// `policy.declined`, `policy.confirmation_required`, `policy.attestation`, `consent.invalid`,
/// `host.file`, and what `look_again` gives.
// [RUN-04] [CONS-01] [CONS-02] [CONS-05]
pub(in crate::kernel) fn obtain(
    host: &dyn Host,
    question: &ApprovalRequest,
    rules: ConsentRules,
    look_again: &dyn Fn() -> Result<(), Error>,
) -> Result<(String, Option<String>), Error> {
    let ApprovalRequest { package, tool, is_destructive, security_level, .. } = question;
    if rules.remember && !is_destructive {
        if let Some(by) = host.approval(question)? {
            return Ok((by, None));
        }
    }
    let unanswered = |why: &str| {
        let detail = format!("{package} needs consent at level {security_level}{why}");
        Error::new(Code::PolicyConfirmation, detail)
    };
    let reply = host.ask(question);
    // Only now: a person takes time.
    let now = Timestamp::since_1970(host.now());
    match reply {
        ApprovalDecision::ApprovedWithProof(proof) => {
            proof.check(&host.consent_key()?, question, now)?;
            let (nonce, expires) = proof.nonce();
            if !host.consume_nonce(nonce, expires, now)? {
                return Err(Error::new(Code::PolicyAttestation, "it was used before"));
            }
            Ok((proof.by().to_owned(), Some(proof.to_text())))
        }
        // [CONS-03]
        ApprovalDecision::ApprovedOnce(_) | ApprovalDecision::ApprovedAlways(_)
            if *is_destructive =>
        {
            let detail = format!("{tool} of {package} came without proof of consent");
            Err(Error::new(Code::PolicyAttestation, detail))
        }
        ApprovalDecision::ApprovedOnce(by) => Ok((by, None)),
        ApprovalDecision::ApprovedAlways(by) => {
            if rules.remember && is_visible_line(&by) {
                look_again()?;
                host.keep_approval(question, &by, now)?;
            }
            Ok((by, None))
        }
        ApprovalDecision::Denied => {
            Err(Error::new(Code::PolicyDeclined, format!("{package} may not run")))
        }
        ApprovalDecision::NoApprover => Err(unanswered("")),
        ApprovalDecision::NoResponse(why) => Err(unanswered(&format!(", and {why}"))),
        ApprovalDecision::InputRequired(input) => {
            Err(unanswered(", and the call has to come again with it").requiring(input))
        }
    }
}
