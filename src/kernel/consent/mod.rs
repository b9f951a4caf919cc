//! A person's agreement: how it is asked for, kept, proved and spent.
//!
//! The policy says when a person has to agree. Then `obtain` looks for an agreement given before
//! ([`approvals`]), and asks a [`Person`] if there is none. A destructive tool is asked about each time,
//! and needs a proof made for exactly this call ([`attestation`]). A server has nobody at its terminal: it
//! leaves the question where a person finds it ([`pending`]). Nothing that an agent sends reaches any of
//! these files.

pub mod approvals;
pub mod attestation;
pub mod pending;
pub mod question;
#[cfg(test)]
mod tests;

use crate::kernel::error::{Code, Error};
use crate::kernel::names::is_visible_line;
use crate::kernel::policy::ConsentRules;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::Changes;
use crate::kernel::time::Timestamp;
use approvals::Approvals;
use attestation::EphemeralAttestation;
pub use question::Question;
use serde_json::Value;
use std::path::Path;

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes, for this call. The text says who, for the record. Not enough for a destructive tool.
    Agreed(String),
    /// Yes, and for every later call of this package, while contents and grants stay as they are.
    AgreedForLater(String),
    /// Yes, with the proof that a destructive tool needs.
    Attested(EphemeralAttestation),
    /// No.
    Declined,
    /// There is nobody to ask, which means no.
    Nobody,
    /// Nobody answered, which means no; the text says what was tried.
    Unanswered(String),
    /// Nobody was asked yet, which means no: whoever made the call has to put a question to its user and
    /// to make the call again with the answer. The value is what it needs for that, in the words of its
    /// protocol; it comes back as [`Error::input_required`].
    InputRequired(Value),
}

/// Whoever can be asked for consent. An agent is not a person.
pub trait Person {
    /// Asks once.
    fn ask(&self, question: &Question) -> Reply;

    /// Shows what a tool that has succeeded would change on the host, before it is done. Whoever
    /// agreed to the directory has agreed to this, unless they want to see it.
    fn agrees_to_changes(&self, _changes: &Changes) -> bool {
        true
    }
}

/// Nobody: for pipelines and tests.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Person for Nobody {
    fn ask(&self, _: &Question) -> Reply {
        Reply::Nobody
    }
}

/// A person's agreement to a call, from before or asked for now: by whom, and the proof for the record. It
/// is kept only if `look_again` finds, once it was given, that the package may still run.
///
/// # Errors
/// `policy.declined`, `policy.confirmation_required`, `policy.attestation`, `consent.invalid`,
/// `host.file`, and what `look_again` gives.
// [RUN-04] [CONS-01] [CONS-02] [CONS-05]
pub(crate) fn obtain(
    home: &Path,
    question: &Question,
    rules: ConsentRules,
    person: &dyn Person,
    clock: &dyn Fn() -> Timestamp,
    look_again: &dyn Fn() -> Result<(), Error>,
) -> Result<(String, Option<String>), Error> {
    let Question { package, tool, is_destructive, security_level, .. } = question;
    let approvals = Approvals::new(home);
    if rules.remember && !is_destructive {
        if let Some(by) = approvals.find(question)? {
            return Ok((by, None));
        }
    }
    let unanswered = |why: &str| {
        let detail = format!("{package} needs consent at level {security_level}{why}");
        Error::new(Code::PolicyConfirmation, detail)
    };
    let reply = person.ask(question);
    // Only now: a person takes time.
    let now = clock();
    match reply {
        Reply::Attested(proof) => {
            let text = proof.spend(home, question, now)?;
            Ok((proof.by().to_owned(), Some(text)))
        }
        // [CONS-03]
        Reply::Agreed(_) | Reply::AgreedForLater(_) if *is_destructive => {
            let detail = format!("{tool} of {package} came without proof of consent");
            Err(Error::new(Code::PolicyAttestation, detail))
        }
        Reply::Agreed(by) => Ok((by, None)),
        Reply::AgreedForLater(by) => {
            if rules.remember && is_visible_line(&by) {
                look_again()?;
                approvals.add(question, &by, now)?;
            }
            Ok((by, None))
        }
        Reply::Declined => Err(Error::new(Code::PolicyDeclined, format!("{package} may not run"))),
        Reply::Nobody => Err(unanswered("")),
        Reply::Unanswered(why) => Err(unanswered(&format!(", and {why}"))),
        Reply::InputRequired(input) => {
            Err(unanswered(", and the call has to come again with it").requiring(input))
        }
    }
}
